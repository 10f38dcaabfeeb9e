//! What a provider does with what it is sent, and where that is written. What is not known is
//! assumed to be the worst: it retains and it trains.

use serde::Deserialize;

/// A provider's policy, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Where its privacy policy is.
    pub privacy_policy_url: Option<String>,
    /// Where its terms are.
    pub terms_of_service_url: Option<String>,
    /// Where it tells of outages.
    pub status_page_url: Option<String>,
    /// The country it is at home in, as ISO 3166-1 alpha-2 (`US`).
    pub headquarters: Option<String>,
    /// The countries its machines are in, likewise.
    pub datacenters: Vec<String>,
    /// Whether it trains models on what it is sent.
    pub trains: Option<bool>,
    /// Whether it keeps what it is sent after the reply, for however long and whatever end.
    pub retains_prompts: Option<bool>,
    /// Whether it keeps nothing at all (zero data retention). Caches in memory don't count.
    pub zdr: Option<bool>,
}

impl Policy {
    /// Whether it may train on what it is sent.
    pub fn may_train(&self) -> bool {
        self.trains.unwrap_or(true)
    }

    /// Whether it may keep what it is sent.
    pub fn may_retain(&self) -> bool {
        !self.is_zdr() && self.retains_prompts.unwrap_or(true)
    }

    /// Whether it is known to keep nothing.
    pub fn is_zdr(&self) -> bool {
        self.zdr.unwrap_or(false)
    }

    /// This policy with what `change` says instead, key by key.
    #[must_use]
    pub fn changed_by(self, change: &Self) -> Self {
        let text = |new: &Option<String>, old: Option<String>| new.clone().or(old);
        Self {
            privacy_policy_url: text(&change.privacy_policy_url, self.privacy_policy_url),
            terms_of_service_url: text(&change.terms_of_service_url, self.terms_of_service_url),
            status_page_url: text(&change.status_page_url, self.status_page_url),
            headquarters: text(&change.headquarters, self.headquarters),
            datacenters: match change.datacenters.is_empty() {
                true => self.datacenters,
                false => change.datacenters.clone(),
            },
            trains: change.trains.or(self.trains),
            retains_prompts: change.retains_prompts.or(self.retains_prompts),
            zdr: change.zdr.or(self.zdr),
        }
    }

    /// Checks what the types don't say; an error is key and problem.
    ///
    /// # Errors
    /// An address that is none, a country that is no code, or claims that exclude each other.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let urls = [
            ("privacy_policy_url", &self.privacy_policy_url),
            ("terms_of_service_url", &self.terms_of_service_url),
            ("status_page_url", &self.status_page_url),
        ];
        for (key, url) in urls {
            if url.as_ref().is_some_and(|url| !is_url(url)) {
                return Err((key, "must begin with https:// (or http://)".to_owned()));
            }
        }
        let countries = self.headquarters.iter().map(|code| ("headquarters", code));
        let centers = self.datacenters.iter().map(|code| ("datacenters", code));
        for (key, code) in countries.chain(centers) {
            if code.len() != 2 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
                return Err((key, format!("`{code}` is no country's code, like US or FR")));
            }
        }
        if self.is_zdr() && (self.retains_prompts == Some(true) || self.trains == Some(true)) {
            let problem = "who keeps nothing can neither retain prompts nor train on them";
            return Err(("zdr", problem.to_owned()));
        }
        Ok(())
    }
}

fn is_url(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic()))
}

#[cfg(test)]
mod tests {
    use super::Policy;

    #[test]
    fn what_is_not_known_is_assumed_to_be_the_worst() {
        let policy = Policy::default();
        assert!(policy.may_train() && policy.may_retain() && !policy.is_zdr());
        let policy = Policy { zdr: Some(true), ..Policy::default() };
        assert!(policy.may_train() && !policy.may_retain());
    }

    #[test]
    fn a_change_replaces_only_what_it_says() {
        let shipped: Policy =
            toml::from_str("headquarters = \"US\"\nretains_prompts = true\ntrains = false")
                .unwrap();
        let change: Policy = toml::from_str("zdr = true\nretains_prompts = false").unwrap();
        let policy = shipped.changed_by(&change);
        assert_eq!(policy.headquarters.as_deref(), Some("US"));
        assert!(policy.is_zdr() && !policy.may_retain() && !policy.may_train());
    }

    #[test]
    fn each_wrong_value_names_its_key() {
        for (text, wrong) in [
            ("privacy_policy_url = \"example.com\"", "privacy_policy_url"),
            ("status_page_url = \"https://a b\"", "status_page_url"),
            ("headquarters = \"usa\"", "headquarters"),
            ("datacenters = [\"US\", \"de\"]", "datacenters"),
            ("zdr = true\nretains_prompts = true", "zdr"),
            ("zdr = true\ntrains = true", "zdr"),
        ] {
            let policy: Policy = toml::from_str(text).unwrap();
            assert_eq!(policy.check().unwrap_err().0, wrong, "{text}");
        }
        assert!(toml::from_str::<Policy>("zdr = \"yes\"").is_err());
    }
}
