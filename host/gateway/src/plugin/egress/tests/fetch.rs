//! What the gate brings back when all is well, and the redirects on the way.

use bytes::Bytes;

use super::super::{Errand, Method, Refusal};
use super::server::{Server, Then, reply};
use super::{Script, gate, gate_of, get, headers, patterns};

#[tokio::test]
async fn a_request_goes_out_as_written_and_its_reply_comes_back() {
    let server =
        Server::saying(reply("201 Created", &[("X-Kind", "a"), ("x-kind", "b")], "made")).await;
    let url = server.at("a.test", "/v1/things?x=%41#top");
    let sent = headers(&[("Content-Type", "text/plain"), ("x-one", "1"), ("X-One", "2")]);
    let private = patterns(&["http://*:*"]);
    let body = Bytes::from_static(b"hello");
    let errand = Errand { method: Method::Post, headers: &sent, body, ..get(&url, &private) };
    let fetched = gate().fetch(errand).await.unwrap();
    assert_eq!((fetched.status, fetched.body.as_slice()), (201, &b"made"[..]));
    assert_eq!(fetched.bytes_read, 4);
    assert_eq!(fetched.url, server.at("a.test", "/v1/things?x=%41"));
    let kinds: Vec<_> = fetched.headers.iter().filter(|(name, _)| name == "x-kind").collect();
    assert_eq!(kinds.len(), 2);
    let seen = server.seen().remove(0);
    assert!(seen.starts_with("POST /v1/things?x=%41 HTTP/1.1\r\n"), "{seen}");
    for line in ["content-type: text/plain", "x-one: 1", "x-one: 2", "content-length: 5"] {
        assert!(seen.contains(line), "{seen}");
    }
    assert!(seen.ends_with("\r\n\r\nhello"), "{seen}");
}

#[tokio::test]
async fn every_method_goes_out_by_its_name() {
    let server = Server::saying(reply("200 OK", &[], "")).await;
    let (url, private) = (server.at("a.test", "/"), patterns(&["http://*:*"]));
    let gate = gate();
    for method in [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete] {
        gate.fetch(Errand { method, ..get(&url, &private) }).await.unwrap();
    }
    let seen = server.seen();
    let names: Vec<_> = seen.iter().filter_map(|seen| seen.split(' ').next()).collect();
    assert_eq!(names, ["GET", "POST", "PUT", "PATCH", "DELETE"]);
    // One connection carried all of them: the pool works.
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_reply_without_a_body_is_whole() {
    let head =
        b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\ncontent-encoding: gzip\r\n\r\n".to_vec();
    let server = Server::start(move |seen| {
        if seen.starts_with("HEAD") {
            (head.clone(), Then::Close)
        } else {
            (b"HTTP/1.1 204 No Content\r\ncontent-encoding: gzip\r\n\r\n".to_vec(), Then::Keep)
        }
    })
    .await;
    let (url, private) = (server.at("a.test", "/"), patterns(&["http://*:*"]));
    for (method, status) in [(Method::Get, 204), (Method::Head, 200)] {
        let fetched = gate().fetch(Errand { method, ..get(&url, &private) }).await.unwrap();
        assert_eq!((fetched.status, fetched.body.len()), (status, 0));
    }
}

#[tokio::test]
async fn a_compressed_reply_is_unpacked() {
    let packed = reply("200 OK", &[("content-encoding", "gzip")], GZIP);
    let server = Server::saying(packed).await;
    let (url, private) = (server.at("a.test", "/"), patterns(&["http://*:*"]));
    let fetched = gate().fetch(get(&url, &private)).await.unwrap();
    assert_eq!(fetched.body, b"unpacked, key=sk-0123456789");
    assert_eq!(fetched.bytes_read, 27);
}

#[tokio::test]
async fn redirects_change_the_method_as_browsers_do() {
    for (status, method, next) in [
        (301, Method::Post, "GET"),
        (302, Method::Post, "GET"),
        (303, Method::Post, "GET"),
        (303, Method::Put, "GET"),
        (301, Method::Put, "PUT"),
        (302, Method::Delete, "DELETE"),
        (307, Method::Post, "POST"),
        (308, Method::Patch, "PATCH"),
        (303, Method::Head, "HEAD"),
    ] {
        let server = Server::start(move |seen| {
            let moved = reply(&format!("{status} Moved"), &[("location", "next?a=1#b")], "");
            let is_first = seen.contains(" /old/first ");
            (if is_first { moved } else { reply("200 OK", &[], "") }, Then::Keep)
        })
        .await;
        let (url, private) = (server.at("a.test", "/old/first"), patterns(&["http://*:*"]));
        let sent = headers(&[("content-type", "text/plain")]);
        let body = Bytes::from_static(b"hello");
        let errand = Errand { method, body, headers: &sent, ..get(&url, &private) };
        let fetched = gate().fetch(errand).await.unwrap();
        assert_eq!(fetched.url, server.at("a.test", "/old/next?a=1"));
        let second = server.seen().remove(1);
        assert!(second.starts_with(&format!("{next} /old/next?a=1 ")), "{status}: {second}");
        let keeps_body = next != "GET";
        assert_eq!(second.ends_with("hello"), keeps_body, "{status}: {second}");
        assert_eq!(second.contains("content-type"), keeps_body, "{status}: {second}");
    }
}

#[tokio::test]
async fn a_redirect_without_a_location_is_a_reply() {
    for status in ["302 Found", "304 Not Modified", "300 Multiple Choices"] {
        let server = Server::start(move |_| (reply(status, &[], ""), Then::Close)).await;
        let (url, private) = (server.at("a.test", "/"), patterns(&["http://*:*"]));
        let fetched = gate().fetch(get(&url, &private)).await.unwrap();
        assert!(status.starts_with(&fetched.status.to_string()));
    }
}

#[tokio::test]
async fn redirects_end_at_their_limit() {
    let server = Server::saying(reply("302 Found", &[("location", "/again")], "")).await;
    let (url, private) = (server.at("a.test", "/"), patterns(&["http://*:*"]));
    let errand = Errand { redirects_max: 3, ..get(&url, &private) };
    let refused = gate().fetch(errand).await.unwrap_err();
    assert!(matches!(&refused, Refusal::Limit(say) if say.contains('3')), "{refused:?}");
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn a_name_is_looked_up_once_for_a_connection_and_checked_for_each() {
    let close = |seen: &str| {
        let then = if seen.contains(" /last ") { Then::Close } else { Then::Keep };
        let headers: &[_] = if then == Then::Close { &[("connection", "close")] } else { &[] };
        (reply("200 OK", headers, "ok"), then)
    };
    let server = Server::start(close).await;
    // First this machine, then the metadata service, as a name would that rebinds.
    let script = Script::new(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let gate = gate_of(&script);
    let private = patterns(&["http://*:*"]);
    for path in ["/", "/last"] {
        assert_eq!(
            gate.fetch(get(&server.at("flip.test", path), &private)).await.unwrap().body,
            b"ok"
        );
    }
    // Both went over the connection that was checked, and nobody asked again.
    assert_eq!((script.asked(), server.connections()), (1, 1));
    let refused = gate.fetch(get(&server.at("flip.test", "/"), &private)).await.unwrap_err();
    assert!(matches!(&refused, Refusal::Denied(_)), "{refused:?}");
    assert_eq!((script.asked(), server.connections()), (2, 1));
}

#[tokio::test]
async fn a_connection_made_under_a_private_grant_is_not_lent_to_a_public_one() {
    let server = Server::saying(reply("200 OK", &[], "ok")).await;
    let (gate, url) = (gate(), server.at("a.test", "/"));
    let grants = patterns(&["http://*:*"]);
    gate.fetch(get(&url, &grants)).await.unwrap();
    let refused = gate.fetch(Errand { public: &grants, ..get(&url, &[]) }).await.unwrap_err();
    assert!(matches!(&refused, Refusal::Denied(_)), "{refused:?}");
    assert_eq!(server.seen().len(), 1);
}

/// `unpacked, key=sk-0123456789`, packed.
const GZIP: &[u8] = &[
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 43, 205, 43, 72, 76, 206, 78, 77, 209, 81, 200, 78, 173, 180,
    45, 206, 214, 53, 48, 52, 50, 54, 49, 53, 51, 183, 176, 4, 0, 62, 163, 15, 102, 27, 0, 0, 0,
];
