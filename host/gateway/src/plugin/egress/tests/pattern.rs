//! What patterns match, and how they fail to be read.

use reqwest::Url;

use super::super::{Access, Pattern};
use super::patterns;

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap()
}

#[test]
fn a_pattern_matches_scheme_host_and_port() {
    for (text, yes, no) in [
        (
            "https://api.exa.ai",
            &["https://api.exa.ai/search?q=1", "https://API.exa.ai:443/", "https://api.exa.ai./"][..],
            &[
                "http://api.exa.ai/",
                "https://api.exa.ai:8443/",
                "https://exa.ai/",
                "https://x.api.exa.ai/",
                "https://api.exa.ai.evil.example/",
                "https://api.exa.ai@evil.example/",
                "https://api.exa.ai..evil.example/",
                "https://evil.example/https://api.exa.ai",
            ][..],
        ),
        (
            "https://*.example.com",
            &["https://a.example.com/", "https://a.b.example.com/", "https://A.EXAMPLE.com./"],
            &[
                "https://example.com/",
                "https://notexample.com/",
                "https://a.example.com.evil/",
                "https://.example.com/",
                "http://a.example.com/",
                "https://a.example.com:444/",
            ],
        ),
        (
            "https://*",
            &["https://anything.example/", "https://1.2.3.4/", "https://[::1]/"],
            &["http://anything.example/", "https://anything.example:444/"],
        ),
        ("https://*:*", &["https://a.example:444/", "https://a.example/"], &["http://a.example/"]),
        (
            "http://127.0.0.1:9000",
            &["http://127.1:9000/", "http://0x7f.1:9000/"],
            &["http://127.0.0.1/"],
        ),
        ("http://[::1]:9", &["http://[0:0::1]:9/"], &["http://[::1]/", "http://[::2]:9/"]),
        (
            "https://bücher.example",
            &["https://xn--bcher-kva.example/", "https://BÜCHER.example/"],
            &[],
        ),
        ("HTTP://Searxng.Internal.:8080", &["http://searxng.internal:8080/"], &[]),
    ] {
        for url in yes {
            assert!(pattern(text).allows(&Url::parse(url).unwrap()), "{text} allows {url}");
        }
        for url in no {
            assert!(!pattern(text).allows(&Url::parse(url).unwrap()), "{text} denies {url}");
        }
    }
}

#[test]
fn a_pattern_is_written_in_one_way_and_reads_back() {
    for (text, written) in [
        ("https://api.exa.ai", "https://api.exa.ai"),
        ("HTTPS://API.exa.ai.:443", "https://api.exa.ai"),
        ("http://a.example:443", "http://a.example:443"),
        ("https://*.Example.com", "https://*.example.com"),
        ("https://*", "https://*"),
        ("https://*:*", "https://*:*"),
        ("http://0x7f.1:9000", "http://127.0.0.1:9000"),
        ("http://[0:0::1]:80", "http://[::1]"),
        ("http://[::1]:*", "http://[::1]:*"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ] {
        assert_eq!(pattern(text).to_string(), written);
        assert_eq!(pattern(written), pattern(text));
    }
}

#[test]
fn what_is_no_pattern_says_how_to_write_one() {
    for (text, fix) in [
        ("*", "write `https://*`"),
        ("api.exa.ai", "write `https://api.exa.ai`"),
        ("ftp://a.example", "write `https://a.example`"),
        ("*://a.example", "write `https://a.example`"),
        ("https://a.example/", "write `https://a.example`"),
        ("https://a.example/v1", "write `https://a.example`"),
        ("https://a.example?q", "write `https://a.example`"),
        ("https://a.example#x", "write `https://a.example`"),
        ("https://a.example\\x", "write `https://a.example`"),
        ("https://user:key@a.example", "write `https://a.example`"),
        ("https://a*.example", "write `*.`"),
        ("https://a.*.example", "write `*.`"),
        ("https://**", "write `*.`"),
        ("https://*.*.example", "write `*.`"),
        ("https://a.example:", "write `:8080`"),
        ("https://a.example:+80", "write `:8080`"),
        ("https://a.example:0", "write `:8080`"),
        ("https://a.example:65536", "write `:8080`"),
        ("https://", "has no host"),
        ("https://*.", "has no host"),
        ("https://.", "has no host"),
        ("https://*.0.0.1", "has no host"),
        ("https://*.[::1]", "has no host"),
        ("https://::1", "has no host"),
        ("https://a b.example", "has no host"),
        ("https://a\tb.example", "has no host"),
        ("https://999.0.0.1", "has no host"),
        ("", "has no scheme"),
    ] {
        let error = text.parse::<Pattern>().unwrap_err().to_string();
        assert!(error.contains(fix), "{text}: {error}");
    }
}

#[test]
fn one_pattern_covers_another_when_all_of_it_is_within() {
    for (wide, narrow) in [
        ("https://*", "https://api.exa.ai"),
        ("https://*", "https://*.exa.ai"),
        ("https://*", "https://1.2.3.4"),
        ("https://*:*", "https://a.example:8443"),
        ("https://*:*", "https://*"),
        ("https://*.exa.ai", "https://api.exa.ai"),
        ("https://*.exa.ai", "https://*.eu.exa.ai"),
        ("https://*.exa.ai", "https://*.exa.ai"),
        ("http://a.example:*", "http://a.example:81"),
    ] {
        assert!(pattern(wide).covers(&pattern(narrow)), "{wide} covers {narrow}");
    }
    for (wide, narrow) in [
        ("https://api.exa.ai", "https://*"),
        ("https://*", "https://*:*"),
        ("https://*", "http://*"),
        ("https://*", "https://a.example:444"),
        ("https://*.exa.ai", "https://exa.ai"),
        ("https://*.eu.exa.ai", "https://*.exa.ai"),
        ("https://*.exa.ai", "https://*.notexa.ai"),
        ("https://*.exa.ai", "https://*"),
        ("https://api.exa.ai", "https://www.exa.ai"),
    ] {
        assert!(!pattern(wide).covers(&pattern(narrow)), "{wide} does not cover {narrow}");
    }
}

#[test]
fn a_private_grant_wins_over_a_public_one() {
    let (public, private) = (patterns(&["http://*"]), patterns(&["http://searxng.internal"]));
    let access = |url: &str| Access::to(&Url::parse(url).unwrap(), &public, &private);
    assert_eq!(access("http://searxng.internal/"), Access::Private);
    assert_eq!(access("http://example.com/"), Access::Public);
    assert_eq!(access("https://example.com/"), Access::Denied);
}
