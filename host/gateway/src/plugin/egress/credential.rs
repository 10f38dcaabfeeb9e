//! The secret that is added to a request, and where. The plugin names it and never sees it.

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::Url;

use super::header::read_name;
use super::pattern::Pattern;
use super::refusal::Refusal;

/// A secret, bound to the places that it may be sent to.
pub(in crate::plugin) struct Credential<'a> {
    /// What the operator calls it, for refusals.
    pub(in crate::plugin) name: &'a str,
    /// The secret itself.
    pub(in crate::plugin) value: &'a str,
    /// Where it goes.
    pub(in crate::plugin) placement: Placement<'a>,
    /// The places that may see it.
    pub(in crate::plugin) hosts: &'a [Pattern],
}

/// Where in a request a secret goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plugin) enum Placement<'a> {
    /// `authorization: Bearer …`
    Bearer,
    /// A header of this name.
    Header(&'a str),
    /// A query parameter of this name.
    Query(&'a str),
}

impl Credential<'_> {
    /// Whether the URL is one of the places that may see it.
    pub(super) fn is_for(&self, url: &Url) -> bool {
        self.hosts.iter().any(|pattern| pattern.allows(url))
    }

    /// Adds it, in place of whatever the plugin put there.
    ///
    /// # Errors
    /// When the placement's name or the value doesn't fit there.
    pub(super) fn add(&self, url: &mut Url, headers: &mut HeaderMap) -> Result<(), Refusal> {
        match self.placement {
            Placement::Bearer => {
                self.add_header(headers, AUTHORIZATION, &format!("Bearer {}", self.value))
            }
            Placement::Header(name) => self.add_header(headers, read_name(name)?, self.value),
            Placement::Query(name) => {
                let others: Vec<(String, String)> =
                    url.query_pairs().into_owned().filter(|(key, _)| key != name).collect();
                // Rewritten only when the plugin had used the name: a query keeps its spelling.
                if others.len() != url.query_pairs().count() {
                    url.query_pairs_mut().clear().extend_pairs(others);
                }
                url.query_pairs_mut().append_pair(name, self.value);
                Ok(())
            }
        }
    }

    fn add_header(
        &self,
        headers: &mut HeaderMap,
        name: HeaderName,
        value: &str,
    ) -> Result<(), Refusal> {
        let Ok(mut value) = HeaderValue::from_bytes(value.as_bytes()) else {
            let say = format!("secret `{}` has characters that no header may have", self.name);
            return Err(Refusal::Invalid(say));
        };
        value.set_sensitive(true);
        headers.insert(name, value);
        Ok(())
    }
}
