//! What the gate refuses, and in which class.

use std::time::Duration;

use super::super::{Errand, Refusal};
use super::server::{Server, Then, reply};
use super::{Script, gate, gate_of, get, headers, patterns};

#[tokio::test]
async fn a_place_that_is_not_granted_is_refused_with_the_setting() {
    let script = Script::new(&[&["127.0.0.1"]]);
    let errand =
        Errand { public: &patterns(&["https://exa.ai"]), ..get("https://api.exa.ai/x", &[]) };
    let refused = gate_of(&script).fetch(errand).await.unwrap_err();
    let say = "`https://api.exa.ai` is not granted; \
               add \"http=https://api.exa.ai\" to plugin.web.grant";
    assert_eq!(refused, Refusal::Denied(say.to_owned()));
    assert_eq!(script.asked(), 0);
}

#[tokio::test]
async fn what_is_no_plain_web_address_is_invalid() {
    let private = patterns(&["http://*:*", "https://*:*"]);
    let long = format!("http://a.test/{}", "x".repeat(9_000));
    for url in [
        "",
        "/relative",
        "a.test",
        "ftp://a.test/",
        "file:///etc/passwd",
        "data:,x",
        "http://",
        "http://good@127.0.0.1/",
        "http://a:b@a.test/",
        "http://:b@a.test/",
        "gopher://a.test/",
        "unix:/var/run/docker.sock",
        "http://a.test:99999/",
        &long,
    ] {
        let refused = gate().fetch(get(url, &private)).await.unwrap_err();
        assert!(matches!(&refused, Refusal::Invalid(_)), "{url}: {refused:?}");
    }
}

#[tokio::test]
async fn a_header_that_would_change_the_request_is_invalid() {
    let server = Server::saying(reply("200 OK", &[], "")).await;
    let (url, private) = (server.at("a.test", "/"), patterns(&["http://*:*"]));
    for (name, value) in [
        ("x-a", "b\r\nx-evil: 1"),
        ("x-a", "b\nc"),
        ("x-a", "b\rc"),
        ("x-a", "b\0c"),
        ("x-a\r\nx-evil", "1"),
        ("x a", "1"),
        ("", "1"),
        ("x:a", "1"),
        ("Host", "evil.example"),
        ("content-length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("connection", "x-a"),
        ("upgrade", "h2c"),
        ("te", "trailers"),
        ("trailer", "x"),
        ("keep-alive", "1"),
        ("proxy-authorization", "x"),
        ("Proxy-Connection", "x"),
        ("expect", "100-continue"),
        ("accept-encoding", "identity"),
    ] {
        let sent = headers(&[(name, value)]);
        let refused = gate().fetch(Errand { headers: &sent, ..get(&url, &private) }).await;
        let Err(Refusal::Invalid(say)) = refused else { panic!("{name}: {refused:?}") };
        let shown = name.to_ascii_lowercase().escape_default().to_string();
        assert!(say.contains(&shown), "{name}: {say}");
    }
    let long = headers(&[("x-a", &"x".repeat(70_000))]);
    let refused = gate().fetch(Errand { headers: &long, ..get(&url, &private) }).await.unwrap_err();
    assert!(matches!(&refused, Refusal::Invalid(_)), "{refused:?}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_redirect_to_a_place_that_is_not_granted_is_refused() {
    let private = patterns(&["http://*.test:*", "https://*.test"]);
    for (location, named) in [
        ("http://evil.example/", "http=http://evil.example"),
        ("//evil.example/", "http=http://evil.example"),
        ("http://127.0.0.1/", "http=http://127.0.0.1"),
        ("http://2130706433/", "http=http://127.0.0.1"),
        ("https://other.test:444/", "http=https://other.test:444"),
    ] {
        let server = Server::saying(reply("302 Found", &[("location", location)], "")).await;
        let refused = gate().fetch(get(&server.at("a.test", "/"), &private)).await.unwrap_err();
        let Refusal::Denied(say) = refused else { panic!("{location}: {refused:?}") };
        assert!(say.contains("after a redirect") && say.contains(named), "{location}: {say}");
    }
}

#[tokio::test]
async fn a_redirect_to_a_private_address_is_refused_by_address() {
    let inner = Server::saying(reply("200 OK", &[], "inner")).await;
    // The outer place is granted in private, the inner one in public only.
    let (public, private) = (patterns(&["http://*:*"]), patterns(&["http://outer.test:*"]));
    for location in
        [inner.at("inner.test", "/"), inner.at("127.0.0.1", "/"), inner.at("0x7f.1", "/")]
    {
        let to = location.clone();
        let outer = Server::saying(reply("307 Moved", &[("location", &to)], "")).await;
        let url = outer.at("outer.test", "/");
        let errand = Errand { public: &public, ..get(&url, &private) };
        let refused = gate().fetch(errand).await.unwrap_err();
        let Refusal::Denied(say) = refused else { panic!("{location}: {refused:?}") };
        assert!(say.contains("a private address"), "{location}: {say}");
    }
    assert_eq!(inner.connections(), 0);
}

#[tokio::test]
async fn a_redirect_down_to_http_needs_a_grant_of_its_own() {
    // From http here, as a test's server has no certificate; the rule is that schemes are granted.
    let private = patterns(&["https://a.test:*", "http://start.test:*"]);
    let server = Server::saying(reply("302 Found", &[("location", "http://a.test/")], "")).await;
    let refused = gate().fetch(get(&server.at("start.test", "/"), &private)).await.unwrap_err();
    assert!(matches!(&refused, Refusal::Denied(say) if say.contains("http=http://a.test")));
}

#[tokio::test]
async fn a_redirect_to_what_is_no_web_address_is_refused() {
    let private = patterns(&["http://*:*"]);
    for (location, is_protocol) in [("http://[", true), ("file:///etc/passwd", false)] {
        let server = Server::saying(reply("302 Found", &[("location", location)], "")).await;
        let refused = gate().fetch(get(&server.at("a.test", "/"), &private)).await.unwrap_err();
        assert_eq!(matches!(&refused, Refusal::Protocol(_)), is_protocol, "{refused:?}");
        assert_eq!(matches!(&refused, Refusal::Invalid(_)), !is_protocol, "{refused:?}");
    }
}

#[tokio::test]
async fn a_reply_over_its_limit_is_too_large_however_it_is_sent() {
    let private = patterns(&["http://*:*"]);
    let over = "x".repeat(1_001);
    let chunked =
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3e9\r\n{over}\r\n0\r\n\r\n");
    let until_close = format!("HTTP/1.1 200 OK\r\n\r\n{over}");
    let bomb = reply("200 OK", &[("content-encoding", "gzip")], gzip_bomb());
    assert!(bomb.len() < 10_000);
    let announced = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n".to_vec();
    let long_header = "y".repeat(70_000);
    let headers = reply("200 OK", &[("x-long", &long_header)], "");
    for sent in [chunked.into(), until_close.into(), announced, headers] {
        let server = Server::start(move |_| (sent.clone(), Then::Close)).await;
        let url = server.at("a.test", "/");
        let errand = Errand { response_bytes_max: 1_000, ..get(&url, &private) };
        assert_eq!(gate().fetch(errand).await.unwrap_err(), Refusal::TooLarge);
    }
    let server = Server::saying(bomb).await;
    let url = server.at("a.test", "/");
    let errand = Errand { response_bytes_max: 500_000, ..get(&url, &private) };
    assert_eq!(gate().fetch(errand).await.unwrap_err(), Refusal::TooLarge);
    let server = Server::saying(reply("200 OK", &[], "x".repeat(1_000))).await;
    let url = server.at("a.test", "/");
    let errand = Errand { response_bytes_max: 1_000, ..get(&url, &private) };
    assert_eq!(gate().fetch(errand).await.unwrap().bytes_read, 1_000);
}

#[tokio::test]
async fn an_errand_ends_at_its_time_whatever_it_waits_for() {
    let private = patterns(&["http://*:*"]);
    let drip = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n".to_vec();
    let head = b"HTTP/1.1 200 OK\r\nx-drip: ".to_vec();
    for sent in [drip, head] {
        let server = Server::start(move |_| (sent.clone(), Then::Drip)).await;
        let url = server.at("a.test", "/");
        let errand = Errand { timeout: Duration::from_millis(150), ..get(&url, &private) };
        assert_eq!(gate().fetch(errand).await.unwrap_err(), Refusal::Timeout);
    }
}

#[tokio::test]
async fn a_reply_that_breaks_off_or_is_no_http_is_a_protocol_error() {
    let private = patterns(&["http://*:*"]);
    let short = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf".to_vec();
    let truncated = reply("200 OK", &[("content-encoding", "gzip")], &gzip_bomb()[..40]);
    let noise = reply("200 OK", &[("content-encoding", "zstd")], "not zstd");
    for sent in [Vec::new(), b"SSH-2.0-OpenSSH\r\n\r\n".to_vec(), short, truncated, noise] {
        let server = Server::start(move |_| (sent.clone(), Then::Close)).await;
        let refused = gate().fetch(get(&server.at("a.test", "/"), &private)).await.unwrap_err();
        assert!(matches!(&refused, Refusal::Protocol(_)), "{refused:?}");
    }
}

#[tokio::test]
async fn a_name_without_an_address_is_a_dns_error_and_a_closed_port_a_connect_error() {
    let private = patterns(&["http://*:*"]);
    for answers in [&[][..], &[&[][..]]] {
        let gate = gate_of(&Script::new(answers));
        let refused = gate.fetch(get("http://nowhere.test:1/", &private)).await.unwrap_err();
        assert!(
            matches!(&refused, Refusal::Dns(say) if say.contains("nowhere.test")),
            "{refused:?}"
        );
    }
    let port = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let url = format!("http://closed.test:{port}/");
    let refused = gate().fetch(get(&url, &private)).await.unwrap_err();
    let Refusal::Connect(say) = refused else { panic!("{refused:?}") };
    assert!(say.contains("closed.test") && !say.contains("127.0.0.1"), "{say}");
}

/// A megabyte of zeros in a few kilobytes: one block of Deflate's fixed codes that repeats itself.
fn gzip_bomb() -> Vec<u8> {
    let mut bits = vec![true, true, false];
    let code = |value: u32, length: u32| (0..length).rev().map(move |bit| value >> bit & 1 == 1);
    bits.extend(code(0b0011_0000, 8));
    for _ in 0..4_100 {
        // 258 bytes again, from one byte back.
        bits.extend(code(0b1100_0101, 8).chain(code(0, 5)));
    }
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    out.extend(bits.chunks(8).map(|byte| {
        byte.iter().enumerate().fold(0, |sum, (place, bit)| sum | u8::from(*bit) << place)
    }));
    out
}
