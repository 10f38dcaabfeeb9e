//! What a plugin may reach, in the words that the operator writes.

use crate::config::Config;

/// What of the missing a grant of the same words gives. Of `http` without a host it gives nothing:
/// somebody has to name one.
pub(super) fn grantable(missing: &[String]) -> Vec<String> {
    missing.iter().filter(|want| *want != "http").cloned().collect()
}

/// What the operator writes to grant all of this: one line, as a table may stand there once.
pub(super) fn fix(id: &str, wants: &[String]) -> String {
    let grants = wants.iter().map(|want| match want.as_str() {
        "http" => "\"http=https://HOST\"".to_owned(),
        want => format!("\"{want}\""),
    });
    let grants = grants.collect::<Vec<_>>().join(", ");
    let each = if wants.iter().any(|want| want == "http") { ", with each host" } else { "" };
    format!("[plugin.{id}] grant = [{grants}]{each}")
}

/// Where the operator puts the secrets that are granted and not there.
pub(super) fn unset_secrets(config: &Config, id: &str, granted: &[String]) -> Vec<String> {
    let table = config.plugin.get(id);
    let named = granted.iter().filter_map(|grant| grant.strip_prefix("secrets="));
    let unset = named.filter(|name| {
        !name.ends_with('*') && !table.is_some_and(|table| table.secrets.contains_key(*name))
    });
    let line =
        |name| format!("[plugin.{id}.secrets.{name}] value = \"env:{name}\", hosts = [\"HOST\"]");
    unset.map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(list: &[&str]) -> Vec<String> {
        list.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn http_without_a_host_is_not_granted_by_saying_yes() {
        let missing = strings(&["http", "models=openai/*", "http=https://a.org"]);
        assert_eq!(grantable(&missing), ["models=openai/*", "http=https://a.org"]);
        let told =
            "[plugin.web] grant = [\"models=openai/*\", \"http=https://HOST\"], with each host";
        assert_eq!(fix("web", &strings(&["models=openai/*", "http"])), told);
    }

    #[test]
    fn a_secret_without_a_value_is_named() {
        let text = "[plugin.web.secrets.SET]\nvalue = \"x\"\nhosts = [\"https://a.org\"]";
        let config = Config::parse(text).unwrap();
        let granted = strings(&["secrets=SET", "secrets=UNSET", "search=docs"]);
        let unset = unset_secrets(&config, "web", &granted);
        assert_eq!(unset.len(), 1);
        assert!(unset[0].starts_with("[plugin.web.secrets.UNSET] value = "), "{unset:?}");
    }
}
