//! Which sites results may come from.

use crate::url;

/// Allowed and refused sites.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sites {
    only: Vec<Pattern>,
    never: Vec<Pattern>,
}

/// `example.com` with all below it, `*.example.com` without itself, `example.com/blog`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    host: String,
    is_below: bool,
    path: String,
}

impl Sites {
    /// Sites as requests name them. Empty lists allow everything.
    ///
    /// # Errors
    /// One that is none, in a sentence that names it.
    pub fn new(only: &[String], never: &[String]) -> Result<Self, String> {
        let read = |list: &[String]| -> Result<Vec<_>, String> {
            list.iter().map(|it| Pattern::read(it)).collect()
        };
        Ok(Self { only: read(only)?, never: read(never)? })
    }

    /// Whether everything is allowed.
    pub fn is_all(&self) -> bool {
        self.only.is_empty() && self.never.is_empty()
    }

    /// Whether a page may be used. What is no address of the web is on no site.
    pub fn allow(&self, address: &str) -> bool {
        let fits = |pattern: &Pattern| pattern.fits(address);
        (self.only.is_empty() || self.only.iter().any(fits)) && !self.never.iter().any(fits)
    }
}

impl Pattern {
    fn read(text: &str) -> Result<Self, String> {
        let rest = text.trim();
        let rest = rest.strip_prefix("https://").or(rest.strip_prefix("http://")).unwrap_or(rest);
        let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let host = host.to_ascii_lowercase();
        let (host, is_below) = match host.strip_prefix("*.") {
            Some(host) => (host.to_owned(), true),
            None => (host, false),
        };
        let host = host.strip_prefix("www.").unwrap_or(&host).to_owned();
        let is_host = !host.is_empty()
            && host.chars().all(|it| it.is_alphanumeric() || matches!(it, '.' | '-'))
            && !host.starts_with('.')
            && !host.ends_with('.');
        if !is_host || path.contains(['*', '?', '#']) {
            return Err(format!(
                "`{}` is no domain: write `example.com`, `*.example.com` or `example.com/blog`",
                text.escape_debug()
            ));
        }
        Ok(Self { host, is_below, path: path.trim_end_matches('/').to_owned() })
    }

    fn fits(&self, address: &str) -> bool {
        let Some(host) = url::host(address) else { return false };
        let host = host.to_ascii_lowercase();
        let below = host.strip_suffix(&self.host).and_then(|rest| rest.strip_suffix('.'));
        let is_host = match below {
            Some(below) => !self.is_below || !below.is_empty(),
            None => host == self.host && !self.is_below,
        };
        let behind = url::path(address).strip_prefix(self.path.as_str());
        is_host && behind.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sites(only: &[&str], never: &[&str]) -> Sites {
        let own = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        Sites::new(&own(only), &own(never)).unwrap()
    }

    #[test]
    fn a_domain_is_itself_and_all_below() {
        let sites = sites(&["Example.com"], &[]);
        assert!(sites.allow("https://example.com/") && sites.allow("http://a.b.EXAMPLE.com:80/x"));
        assert!(
            !sites.allow("https://notexample.com") && !sites.allow("https://example.com.evil.net")
        );
        assert!(!sites.allow("docs/example.com"));
    }

    #[test]
    fn a_wildcard_is_only_what_is_below() {
        let sites = sites(&["*.substack.com"], &[]);
        assert!(sites.allow("https://me.substack.com/p/1"));
        assert!(
            !sites.allow("https://substack.com/") && !sites.allow("https://a.com/x.substack.com")
        );
    }

    #[test]
    fn a_path_is_a_folder() {
        let sites = sites(&["openai.com/blog"], &[]);
        assert!(
            sites.allow("https://openai.com/blog")
                && sites.allow("https://www.openai.com/blog/x?y")
        );
        assert!(!sites.allow("https://openai.com/blogs") && !sites.allow("https://openai.com/"));
    }

    #[test]
    fn what_is_refused_is_refused_though_it_is_allowed() {
        let sites = sites(&["a.com"], &["b.a.com"]);
        assert!(sites.allow("https://a.com/") && !sites.allow("https://b.a.com/"));
        assert!(Sites::default().allow("docs/a.md"));
    }

    #[test]
    fn what_is_no_domain_is_said_so() {
        for bad in ["", "*", "a b", "*.", "a.com/*", "https://"] {
            let error = Sites::new(&[bad.to_owned()], &[]).unwrap_err();
            assert!(error.contains("is no domain"), "{bad}: {error}");
        }
    }
}
