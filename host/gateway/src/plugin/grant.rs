//! What a plugin wants, what the operator grants, and what follows: nothing that is not both. One
//! notation for the two: `http=https://api.exa.ai`, `secrets=EXA_KEY`, `models=openai/*`,
//! `search=docs`. Without `=…` a want is whatever is granted, and a grant whatever is wanted.

use std::collections::BTreeMap;

use ledger::Money;

use super::egress::Pattern;
use crate::config::PluginTable;

/// What a plugin may reach: wanted and granted.
#[derive(Debug, Default)]
pub(super) struct Grants {
    /// Hosts on public addresses.
    pub(super) http: Vec<Pattern>,
    /// Hosts that may be on private addresses.
    pub(super) http_private: Vec<Pattern>,
    /// Secrets, by name.
    pub(super) secrets: BTreeMap<String, Secret>,
    /// What its units cost.
    pub(super) prices: BTreeMap<String, Money>,
    models: Vec<String>,
    search: Vec<String>,
    /// All of it in the notation that it is granted in.
    pub(super) granted: Vec<String>,
    /// What is wanted and was not granted.
    pub(super) missing: Vec<String>,
    /// What the operator's table grants or sets and nothing comes of, each with the reason.
    pub(super) idle: Vec<String>,
}

/// A secret and where it may go.
#[derive(Debug)]
pub(super) struct Secret {
    /// The value. It never enters the sandbox.
    pub(super) value: crate::config::Secret,
    /// Where it may be sent.
    pub(super) hosts: Vec<Pattern>,
}

/// Checks a want or a grant.
///
/// # Errors
/// Says what it must look like.
pub(super) fn check(text: &str) -> Result<(), String> {
    parse(text).map(drop)
}

fn parse(text: &str) -> Result<(&str, Option<&str>), String> {
    let (name, target) = match text.split_once('=') {
        Some((name, target)) => (name, Some(target.trim())),
        None => (text, None),
    };
    let name = name.trim();
    if !NAMES.contains(&name) {
        let (shown, known) = (text.escape_debug(), NAMES.join(", "));
        return Err(format!(
            "`{shown}` begins with none of {known} (http=https://api.example.com)"
        ));
    }
    match target {
        Some("") => Err(format!("`{text}` names nothing after the `=`")),
        Some(pattern) if name.starts_with("http") => {
            let parsed = pattern.parse::<Pattern>();
            parsed.map(|_| (name, target)).map_err(|error| format!("`{text}`: {error}"))
        }
        _ => Ok((name, target)),
    }
}

impl Grants {
    /// What a plugin may reach that wants `wanted`. `granted` is the operator's list, `table` its
    /// entry in the configuration.
    ///
    /// # Errors
    /// Names the grant or the secret that is none.
    pub(super) fn new(
        id: &str,
        wanted: &[String],
        granted: &[String],
        table: Option<&PluginTable>,
    ) -> Result<Self, String> {
        let mut grants = Self::default();
        for grant in granted {
            check(grant).map_err(|error| format!("plugin.{id}.grant: {error}"))?;
        }
        for want in wanted {
            let (name, target) = parse(want)?;
            let mut is_granted = false;
            for (own, theirs) in granted.iter().filter_map(|grant| parse(grant).ok()) {
                let Some(both) = met((name, target), (own, theirs)) else { continue };
                is_granted = true;
                grants.add(own, &both, table);
            }
            if !is_granted {
                grants.missing.push(want.clone());
            }
        }
        for (unit, usd) in table.into_iter().flat_map(|table| &table.prices) {
            let wrong = |why: String| format!("plugin.{id}.prices.{unit}: {why}");
            let price: Money = usd.parse().map_err(|error| wrong(format!("{error}")))?;
            if price.is_negative() {
                return Err(wrong(format!("${usd} is less than nothing")));
            }
            grants.prices.insert(unit.clone(), price);
        }
        for (name, secret) in &mut grants.secrets {
            let hosts = table.and_then(|table| table.secrets.get(name)).map(|it| &it.hosts);
            for host in hosts.into_iter().flatten() {
                let place = || format!("plugin.{id}.secrets.{name}.hosts");
                secret.hosts.push(host.parse().map_err(|error| format!("{}: {error}", place()))?);
            }
        }
        grants.idle = table.map(|table| grants.idle(id, wanted, table)).unwrap_or_default();
        Ok(grants)
    }

    /// What of the operator's table nothing comes of: mostly a name that is written wrongly.
    fn idle(&self, id: &str, wanted: &[String], table: &PluginTable) -> Vec<String> {
        let wants = if wanted.is_empty() { "nothing".to_owned() } else { wanted.join(", ") };
        let wants = format!("it wants {wants}");
        let is_idle = |grant: &&String| {
            let Ok(grant) = parse(grant) else { return false };
            !wanted.iter().any(|want| parse(want).is_ok_and(|want| met(want, grant).is_some()))
        };
        let grants = table.grant.iter().flatten().filter(is_idle);
        let grants = grants.map(|grant| format!("plugin.{id}.grant: `{grant}`: {wants}"));
        let secrets = table.secrets.iter().filter_map(|(name, secret)| {
            let why = match self.secrets.contains_key(name) {
                false => format!("is not granted, or not wanted: {wants}"),
                true if secret.hosts.is_empty() => {
                    "may be sent nowhere: name a host in `hosts`".to_owned()
                }
                true => return None,
            };
            Some(format!("[plugin.{id}.secrets.{name}] {why}"))
        });
        grants.chain(secrets).collect()
    }

    fn add(&mut self, name: &str, target: &str, table: Option<&PluginTable>) {
        let shown = format!("{name}={target}");
        if !self.granted.contains(&shown) {
            self.granted.push(shown);
        }
        match name {
            "http" => self.http.extend(target.parse::<Pattern>()),
            "http-private" => self.http_private.extend(target.parse::<Pattern>()),
            "models" => self.models.push(target.to_owned()),
            "search" => self.search.push(target.to_owned()),
            _ => {
                let set = table.into_iter().flat_map(|table| &table.secrets);
                for (name, secret) in set.filter(|(name, _)| matches(target, name)) {
                    let value = secret.value.clone();
                    self.secrets.insert(name.clone(), Secret { value, hosts: Vec::new() });
                }
            }
        }
    }

    /// Whether this model may be asked.
    pub(super) fn allows_model(&self, model: &str) -> bool {
        self.models.iter().any(|pattern| matches(pattern, model))
    }

    /// Whether this index may be searched.
    pub(super) fn allows_index(&self, index: &str) -> bool {
        self.search.iter().any(|pattern| matches(pattern, index))
    }
}

/// What comes of a grant for a want.
fn met(want: (&str, Option<&str>), grant: (&str, Option<&str>)) -> Option<String> {
    let ((name, wanted), (own, granted)) = (want, grant);
    let is_private = name == "http" && own == "http-private";
    if own != name && !is_private {
        return None;
    }
    narrower(name, wanted, granted)
}

/// The narrower of a want and a grant; none when neither is within the other.
fn narrower(name: &str, wanted: Option<&str>, granted: Option<&str>) -> Option<String> {
    let (wanted, granted) = match (wanted, granted) {
        (Some(wanted), Some(granted)) => (wanted, granted),
        (Some(one), None) | (None, Some(one)) => return Some(one.to_owned()),
        // Everything that is wanted of everything that is granted: for hosts that would be the
        // whole network, which nobody named.
        (None, None) if name == "http" => return None,
        (None, None) => return Some("*".to_owned()),
    };
    let covers = |outer: &str, inner: &str| match name {
        "http" => match (outer.parse::<Pattern>(), inner.parse::<Pattern>()) {
            (Ok(outer), Ok(inner)) => outer.covers(&inner),
            _ => false,
        },
        _ => matches(outer, inner),
    };
    if covers(granted, wanted) {
        return Some(wanted.to_owned());
    }
    covers(wanted, granted).then(|| granted.to_owned())
}

/// Whether a name fits a pattern, whose last letter may be a `*`.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}

/// What may be granted. `http-private` is `http` to hosts that may be on private addresses; a
/// plugin wants either as `http`.
const NAMES: [&str; 5] = ["http", "http-private", "secrets", "models", "search"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn strings(list: &[&str]) -> Vec<String> {
        list.iter().map(|text| (*text).to_owned()).collect()
    }

    fn grants(wanted: &[&str], granted: &[&str]) -> Grants {
        let secret = config::PluginSecret {
            value: config::Secret::new("s3cret"),
            hosts: strings(&["https://api.exa.ai"]),
        };
        let secrets = [("EXA_KEY".to_owned(), secret)].into();
        let table = PluginTable { secrets, ..PluginTable::default() };
        Grants::new("web", &strings(wanted), &strings(granted), Some(&table)).unwrap()
    }

    #[test]
    fn only_what_is_wanted_and_granted_is_there() {
        let both = grants(
            &["http=https://api.exa.ai", "models=openai/gpt-4o", "search"],
            &["http=https://*.exa.ai", "models=openai/*", "search=docs", "secrets"],
        );
        assert!(both.allows_model("openai/gpt-4o") && !both.allows_model("openai/gpt-4"));
        assert!(both.allows_index("docs") && !both.allows_index("other"));
        assert_eq!(both.http.len(), 1);
        let shown = ["http=https://api.exa.ai", "models=openai/gpt-4o", "search=docs"];
        assert_eq!(both.granted, shown);
        assert!(both.secrets.is_empty(), "granted and not wanted");
        assert!(both.missing.is_empty());
    }

    #[test]
    fn what_was_not_granted_is_listed() {
        let none = grants(&["http=https://api.exa.ai", "models", "http"], &["http=https://x.org"]);
        assert_eq!(none.missing, ["http=https://api.exa.ai", "models"]);
        assert_eq!(none.http.len(), 1, "a plugin that names no host gets the granted one");
        assert!(grants(&["http"], &["http"]).http.is_empty(), "nobody named a host");
    }

    #[test]
    fn what_nothing_comes_of_is_told() {
        let secret = |hosts: &[&str]| config::PluginSecret {
            value: config::Secret::new("s3cret"),
            hosts: strings(hosts),
        };
        let set = [("EXA_KEI", secret(&["https://api.exa.ai"])), ("NOWHERE", secret(&[]))];
        let table = PluginTable {
            grant: Some(strings(&["secrets", "http=https://exa.ai", "models=openai/*", "search"])),
            secrets: set.map(|(name, secret)| (name.to_owned(), secret)).into(),
            ..PluginTable::default()
        };
        let wanted = ["http=https://api.exa.ai", "models=openai/gpt-4o"];
        let wanted = [&wanted[..], &["secrets=EXA_KEY", "secrets=NOWHERE"]].concat();
        let granted = table.grant.clone().unwrap();
        let idle = Grants::new("web", &strings(&wanted), &granted, Some(&table)).unwrap().idle;
        let wants = wanted.join(", ");
        let told = [
            format!("plugin.web.grant: `http=https://exa.ai`: it wants {wants}"),
            format!("plugin.web.grant: `search`: it wants {wants}"),
            format!("[plugin.web.secrets.EXA_KEI] is not granted, or not wanted: it wants {wants}"),
            "[plugin.web.secrets.NOWHERE] may be sent nowhere: name a host in `hosts`".to_owned(),
        ];
        assert_eq!(idle, told);
    }

    #[test]
    fn a_secret_keeps_to_its_hosts() {
        let own = grants(&["secrets=EXA_KEY"], &["secrets"]);
        assert_eq!(own.secrets.get("EXA_KEY").map(|secret| secret.hosts.len()), Some(1));
        assert!(grants(&["secrets=OTHER"], &["secrets"]).secrets.is_empty());
    }

    #[test]
    fn what_is_no_grant_says_what_one_looks_like() {
        for text in ["fly", "http=ftp://x", "models=", "http=*"] {
            let error = check(text).unwrap_err();
            assert!(error.contains(text), "{error}");
        }
    }
}
