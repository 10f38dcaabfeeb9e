//! Hosts of URLs and paths of files, read so that whoever reads them otherwise finds nothing more:
//! what is doubtful has no host and is no path.

/// The host of an http or https URL, in lower case. Nothing with white space, control characters,
/// a host that is not plain ASCII, or an escape in it.
pub(crate) fn host(url: &str) -> Option<String> {
    if url.chars().any(|it| it.is_control() || it.is_whitespace()) {
        return None;
    }
    let lower = url.to_ascii_lowercase();
    let rest = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"))?;
    // Browsers read a backslash as a slash.
    let authority = rest.split(['/', '\\', '?', '#']).next()?;
    let host_and_port = authority.rsplit('@').next()?;
    let host = if host_and_port.starts_with('[') {
        host_and_port.split_inclusive(']').next()?
    } else {
        host_and_port.split(':').next()?
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "-._[]:".contains(it);
    (!host.is_empty() && host.chars().all(is_plain)).then(|| host.to_owned())
}

/// What is wrong with a host that is to be listed: no URL would have it.
pub(crate) fn misfit(listed: &str) -> Option<String> {
    let bare = listed.strip_prefix("*.").unwrap_or(listed);
    if host(&format!("https://{bare}")).is_some_and(|host| bare.eq_ignore_ascii_case(&host)) {
        return None;
    }
    let rest = listed.split_once("://").map_or(listed, |(_, rest)| rest);
    let fix = match host(&format!("https://{rest}")) {
        Some(meant) => format!("write `{meant}`, without scheme, port and path"),
        None => "write `example.com`, or `*.example.com` for all below it, in ASCII".into(),
    };
    Some(format!("`{listed}` is no host: {fix}"))
}

/// Whether a host is `listed`, or below it if that begins with `*.`.
pub(crate) fn is_host(host: &str, listed: &str) -> bool {
    let listed = listed.to_ascii_lowercase();
    match listed.strip_prefix("*.") {
        Some(parent) => host
            .strip_suffix(parent)
            .and_then(|rest| rest.strip_suffix('.'))
            .is_some_and(|rest| !rest.is_empty()),
        None => host == listed,
    }
}

/// A path without `.`, `..` and doubled slashes, with `/` for `\`. Nothing that leads above its
/// beginning, or has a control character in it.
pub(crate) fn path(path: &str) -> Option<String> {
    if path.is_empty() || path.chars().any(char::is_control) {
        return None;
    }
    let path = path.replace('\\', "/");
    let mut steps: Vec<&str> = Vec::new();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop()?;
            }
            step => steps.push(step),
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    Some(format!("{root}{}", steps.join("/")))
}

/// Whether a path is `prefix` or below it. Both are without detours. An empty prefix is the folder
/// that relative paths begin in; drives and home folders are elsewhere.
pub(crate) fn is_below(path: &str, prefix: &str) -> bool {
    if prefix.is_empty() {
        let first = path.split('/').next().unwrap_or_default();
        return !path.starts_with(['/', '~']) && !first.contains(':');
    }
    let rest = path.strip_prefix(prefix);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || prefix == "/")
}

#[cfg(test)]
mod tests {
    use super::{host, is_below, is_host, misfit, path};

    #[test]
    fn the_host_is_the_one_that_is_asked() {
        let table = [
            ("https://Example.com/a", Some("example.com")),
            ("http://example.com:8080?x", Some("example.com")),
            ("https://example.com@evil.org/", Some("evil.org")),
            ("https://evil.org\\@example.com", Some("evil.org")),
            ("https://evil.org#@example.com", Some("evil.org")),
            ("https://example.com.", Some("example.com")),
            ("https://[::1]:80/", Some("[::1]")),
            ("https://exa\tmple.com", None),
            ("https://ex%61mple.com", None),
            ("https://exämple.com", None),
            ("//example.com", None),
            ("ftp://example.com", None),
            ("example.com", None),
            ("https:///example.com", None),
        ];
        for (url, expected) in table {
            assert_eq!(host(url).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn a_star_is_what_lies_below() {
        assert!(is_host("a.example.com", "*.Example.com"));
        assert!(is_host("example.com", "EXAMPLE.com"));
        assert!(!is_host("example.com", "*.example.com"));
        assert!(!is_host("badexample.com", "*.example.com"));
        assert!(!is_host("example.com.evil.org", "example.com"));
    }

    #[test]
    fn a_host_that_no_url_has_is_told_with_the_one_that_is_meant() {
        for fine in
            ["example.com", "Example.COM", "*.example.com", "localhost", "10.0.0.1", "[::1]"]
        {
            assert_eq!(misfit(fine), None);
        }
        let table = [
            ("https://Example.com/docs", "write `example.com`"),
            ("example.com/docs", "write `example.com`"),
            ("example.com:8443", "write `example.com`"),
            ("example.com.", "write `example.com`"),
            ("jo@example.com", "write `example.com`"),
            ("*", "write `example.com`, or `*.example.com`"),
            ("*.", "write `example.com`, or"),
            ("api.*.com", "write `example.com`, or"),
            ("exämple.com", "in ASCII"),
            ("ftp://example.com", "write `example.com`"),
            ("exa mple.com", "write `example.com`, or"),
            ("", "write `example.com`, or"),
        ];
        for (listed, expected) in table {
            let told = misfit(listed).unwrap();
            assert!(told.contains(expected), "{listed}: {told}");
        }
    }

    #[test]
    fn detours_lead_nowhere() {
        let table = [
            ("/srv/data/a", Some("/srv/data/a")),
            ("/srv//data/./x/../a", Some("/srv/data/a")),
            ("/srv/data/../../etc/passwd", Some("/etc/passwd")),
            ("\\srv\\data\\..\\x", Some("/srv/x")),
            ("src/../../etc", None),
            ("/..", None),
            ("a\0b", None),
            ("", None),
        ];
        for (given, expected) in table {
            assert_eq!(path(given).as_deref(), expected, "{given}");
        }
        assert!(is_below("/srv/data/a", "/srv/data") && is_below("/srv/data", "/srv/data"));
        assert!(!is_below("/srv/database", "/srv/data"));
        assert!(is_below("/etc", "/") && !is_below("etc", "/"));
        assert!(is_below("src/a", "src") && !is_below("/src/a", "src"));
        assert!(is_below("src/a", "") && !is_below("/src/a", ""));
        assert!(!is_below("c:/x", "") && !is_below("~/.ssh", ""));
    }
}
