//! Addresses of sources: how two of them are the same, and how they stand in a prompt. A source of
//! the local index may be a path.

/// The host of an `http` or `https` address, as written; `None` for anything else.
pub fn host(url: &str) -> Option<&str> {
    let authority = after_scheme(url)?.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = if host.starts_with('[') { host } else { host.split(':').next()? };
    (!host.is_empty()).then_some(host)
}

/// The path of an `http` or `https` address; `/` if it has none.
pub(crate) fn path(url: &str) -> &str {
    let rest = after_scheme(url).unwrap_or_default();
    let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/");
    path.split(['?', '#']).next().unwrap_or("/")
}

/// What two addresses of the same page share. Case of the host, `www.`, a slash at the end, the
/// fragment and marks of campaigns tell no pages apart.
pub(crate) fn key(url: &str) -> String {
    let url = decoded(&url.replace("&amp;", "&"));
    let url = url.split('#').next().unwrap_or_default();
    let Some(host) = host(url) else { return url.to_owned() };
    let host = host.to_ascii_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    let path = path(url).trim_end_matches('/');
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let kept: Vec<&str> =
        query.split('&').filter(|it| !it.is_empty() && !it.starts_with("utm_")).collect();
    format!("{host}{path}?{}", kept.join("&"))
}

/// The address as it can stand in a markdown link, or within quotes.
pub fn written(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    for char in url.chars() {
        match char {
            ' ' => out.push_str("%20"),
            '(' => out.push_str("%28"),
            ')' => out.push_str("%29"),
            '"' => out.push_str("%22"),
            '<' => out.push_str("%3C"),
            '>' => out.push_str("%3E"),
            '\\' => out.push_str("%5C"),
            char if char.is_control() || crate::fence::is_invisible(char) => {}
            char => out.push(char),
        }
    }
    out
}

/// The addresses in a text, in their order and each once, at most `count`.
pub fn find(text: &str, count: usize) -> Vec<String> {
    let mut links = crate::links::Links::default();
    let mut found: Vec<String> = Vec::new();
    let mut add = |link: crate::links::Link| {
        let is_known = found.contains(&link.url);
        if after_scheme(&link.url).is_some() && !is_known && found.len() < count {
            found.push(link.url);
        }
    };
    links.push(text, |_, link| add(link));
    if let Some(link) = links.end() {
        add(link);
    }
    found
}

fn after_scheme(url: &str) -> Option<&str> {
    ["https://", "http://"].iter().find_map(|scheme| {
        let start = url.get(..scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then(|| url.get(scheme.len()..))?
    })
}

/// With escapes of printable ASCII undone.
fn decoded(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    let mut rest = url;
    while let Some((before, behind)) = rest.split_once('%') {
        out.push_str(before);
        let byte = behind.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte.filter(|byte| (b' '..=b'~').contains(byte)) {
            Some(byte) => {
                out.push(char::from(byte));
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                out.push('%');
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_page_has_one_key() {
        let page = key("https://example.com/a/b?x=1");
        for other in [
            "http://www.Example.com/a/b?x=1#part",
            "HTTPS://example.com/a/b/?utm_source=chat&x=1",
            "https://user@example.com:443/a/b?x=1",
            "https://example.com/a%2Fb?x=1",
        ] {
            assert_eq!(key(other), page, "{other}");
        }
        assert_ne!(key("https://example.com/a/b?x=2"), page);
        assert_ne!(key("https://example.com.evil.net/a/b?x=1"), page);
        assert_eq!(key("docs/a file.md"), key("docs/a%20file.md"));
    }

    #[test]
    fn what_is_no_address_has_no_host() {
        assert_eq!(host("https://a.com:8443/x"), Some("a.com"));
        assert_eq!(host("https://me@a.com?x"), Some("a.com"));
        for none in ["docs/a.md", "https://", "ftp://a.com", "https:/a", "", "日本語"] {
            assert_eq!(host(none), None, "{none}");
        }
    }

    #[test]
    fn addresses_are_found_as_people_write_them() {
        let text = "See https://a.com/x. And <http://b.com>, (https://en.wikipedia.org/wiki/A_(b)) \
                    [c](https://c.com/?q=1 \"t\") https://a.com/x again; not ftp://d.com or e.com";
        let all = [
            "https://a.com/x",
            "http://b.com",
            "https://en.wikipedia.org/wiki/A_(b)",
            "https://c.com/?q=1",
        ];
        assert_eq!(find(text, 9), all);
        assert_eq!(find(text, 2), all[..2]);
    }

    #[test]
    fn a_written_address_ends_no_link_and_no_quote() {
        assert_eq!(written("docs/a (b) \"c\".md\n"), "docs/a%20%28b%29%20%22c%22.md");
    }
}
