//! Where secrets go, where they don't, and that they don't come back.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::super::mask::Mask;
use super::super::{Credential, Errand, Placement, Refusal};
use super::server::{Server, Then, reply};
use super::{bearer, gate, get, headers, patterns};

/// With characters that URLs, JSON and Base64 each write in their own way.
const SECRET: &str = "sk/0123+45 \"67\"=89";

#[tokio::test]
async fn a_secret_is_put_in_its_place_over_what_the_plugin_put_there() {
    let server = Server::saying(reply("200 OK", &[], "")).await;
    let private = patterns(&["http://*:*"]);
    let url = server.at("a.test", "/?key=mine&q=a%20b");
    let sent = headers(&[("authorization", "mine"), ("x-key", "mine")]);
    for (placement, line, gone) in [
        (Placement::Bearer, "authorization: Bearer sk-0123456789\r\n", "authorization: mine"),
        (Placement::Header("X-Key"), "x-key: sk-0123456789\r\n", "x-key: mine"),
        (Placement::Query("key"), "GET /?q=a+b&key=sk-0123456789 HTTP/1.1\r\n", "key=mine"),
    ] {
        let credential = Credential { placement, ..bearer("sk-0123456789", &private) };
        let errand = Errand { headers: &sent, credential: Some(credential), ..get(&url, &private) };
        let fetched = gate().fetch(errand).await.unwrap();
        assert!(!fetched.url.contains("sk-"), "{}", fetched.url);
        let seen = server.seen().pop().unwrap();
        assert!(seen.contains(line) && !seen.contains(gone), "{seen}");
    }
}

#[tokio::test]
async fn a_secret_for_another_place_is_denied_before_anything_is_sent() {
    let server = Server::saying(reply("200 OK", &[], "")).await;
    let (private, hosts) = (patterns(&["http://*:*"]), patterns(&["https://api.exa.ai"]));
    let url = server.at("a.test", "/");
    let errand = Errand { credential: Some(bearer(SECRET, &hosts)), ..get(&url, &private) };
    let refused = gate().fetch(errand).await.unwrap_err();
    let Refusal::Denied(say) = refused else { panic!("{refused:?}") };
    assert!(say.contains("secret `exa` may not go to `http://a.test"), "{say}");
    assert!(!say.contains(SECRET));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_secret_that_does_not_fit_its_place_is_invalid_and_not_told() {
    let private = patterns(&["http://*:*"]);
    for (value, placement) in [
        ("two\r\nlines", Placement::Bearer),
        ("two\nlines", Placement::Header("x-key")),
        ("sk-0123456789", Placement::Header("host")),
        ("sk-0123456789", Placement::Header("a b")),
    ] {
        let credential = Credential { placement, ..bearer(value, &private) };
        let errand = Errand { credential: Some(credential), ..get("http://a.test/", &private) };
        let refused = gate().fetch(errand).await.unwrap_err();
        let Refusal::Invalid(say) = refused else { panic!("{refused:?}") };
        assert!(!say.contains("lines") && !say.contains("sk-"), "{say}");
    }
}

/// Where `/` redirects to `location` and every other path is a reply.
async fn redirecting(location: String) -> Server {
    Server::start(move |seen| {
        let moved = || reply("302 Found", &[("location", &location)], "");
        (if seen.starts_with("GET / ") { moved() } else { reply("200 OK", &[], "") }, Then::Keep)
    })
    .await
}

#[tokio::test]
async fn a_redirect_leaves_credentials_behind() {
    let private = patterns(&["http://*:*"]);
    let target = Server::saying(reply("200 OK", &[], "")).await;
    let source = redirecting(target.at("b.test", "/landed")).await;
    let hosts = patterns(&["http://a.test:*"]);
    let url = source.at("a.test", "/");
    let sent = headers(&[("cookie", "c=1"), ("authorization", "mine"), ("x-keep", "1")]);
    let credential = Credential { placement: Placement::Header("x-key"), ..bearer(SECRET, &hosts) };
    let errand = Errand { headers: &sent, credential: Some(credential), ..get(&url, &private) };
    gate().fetch(errand).await.unwrap();
    let (first, second) = (source.seen().remove(0), target.seen().remove(0));
    for name in ["cookie:", "authorization:", "x-key:"] {
        assert!(first.contains(name), "{first}");
        assert!(!second.contains(name), "{second}");
    }
    assert!(second.contains("x-keep: 1"), "{second}");
}

#[tokio::test]
async fn a_redirect_within_the_secrets_places_keeps_it() {
    let private = patterns(&["http://*:*"]);
    let target = Server::saying(reply("200 OK", &[], "")).await;
    let source = redirecting(target.at("b.a.test", "/landed?x=1")).await;
    let hosts = patterns(&["http://*.a.test:*"]);
    let url = source.at("www.a.test", "/");
    let credential =
        Credential { placement: Placement::Query("key"), ..bearer("sk-0123456789", &hosts) };
    let errand = Errand { credential: Some(credential), ..get(&url, &private) };
    // The first hop is `/?key=…`, which this server doesn't redirect.
    assert_eq!(gate().fetch(errand).await.unwrap().status, 200);
    let errand =
        Errand { credential: Some(bearer("sk-0123456789", &hosts)), ..get(&url, &private) };
    gate().fetch(errand).await.unwrap();
    assert!(target.seen().remove(0).contains("authorization: Bearer sk-0123456789"));
}

#[tokio::test]
async fn a_secret_that_was_left_behind_does_not_come_back() {
    let private = patterns(&["http://*:*"]);
    let home = Server::start(|seen| {
        let port = seen.lines().find_map(|line| line.strip_prefix("x-port: ")).unwrap();
        let away = format!("http://away.test:{port}/");
        let is_first = seen.starts_with("GET / ");
        let moved = reply("302 Found", &[("location", &away)], "");
        (if is_first { moved } else { reply("200 OK", &[], "") }, Then::Keep)
    })
    .await;
    let away =
        Server::saying(reply("302 Found", &[("location", &home.at("a.test", "/chosen"))], ""))
            .await;
    let hosts = patterns(&["http://a.test:*"]);
    let (url, port) = (home.at("a.test", "/"), away.port.to_string());
    let sent = headers(&[("x-port", &port)]);
    let errand =
        Errand { headers: &sent, credential: Some(bearer(SECRET, &hosts)), ..get(&url, &private) };
    assert!(gate().fetch(errand).await.unwrap().url.ends_with("/chosen"));
    let seen = home.seen();
    assert!(seen[0].contains("authorization:") && !seen[1].contains("authorization:"), "{seen:?}");
}

#[tokio::test]
async fn a_redirect_that_carries_the_secret_elsewhere_is_denied() {
    let private = patterns(&["http://*:*"]);
    let target = Server::saying(reply("200 OK", &[], "")).await;
    for query in ["key=sk-0123456789", "key=sk%2D0123456789", "key=c2stMDEyMzQ1Njc4OQ"] {
        let source = redirecting(target.at("b.test", &format!("/?{query}"))).await;
        let (url, hosts) = (source.at("a.test", "/"), patterns(&["http://a.test:*"]));
        let credential = bearer("sk-0123456789", &hosts);
        let errand = Errand { credential: Some(credential), ..get(&url, &private) };
        let refused = gate().fetch(errand).await;
        assert!(matches!(&refused, Err(Refusal::Denied(_))), "{query}: {refused:?}");
    }
    // To a host that isn't granted: the refusal names the host, and not the secret in it.
    let source = redirecting("http://sk-0123456789.evil.example/".to_owned()).await;
    let (url, hosts) = (source.at("a.test", "/"), patterns(&["http://a.test:*"]));
    let narrow = patterns(&["http://a.test:*"]);
    let errand = Errand { credential: Some(bearer("SK-0123456789", &hosts)), ..get(&url, &narrow) };
    let Refusal::Denied(say) = gate().fetch(errand).await.unwrap_err() else { panic!() };
    assert!(say.contains("[secret].evil.example") && !say.contains("0123456789"), "{say}");
}

#[tokio::test]
async fn a_secret_that_a_server_repeats_is_masked() {
    let private = patterns(&["http://*:*"]);
    let server = Server::start(|seen| {
        let landing = "/landed?key=sk-0123456789";
        if seen.starts_with("GET / ") {
            return (reply("302 Found", &[("location", landing)], ""), Then::Keep);
        }
        let told = [("x-told", "you sent Bearer sk-0123456789"), ("x-sk-0123456789", "1")];
        (reply("200 OK", &told, "{\"key\": \"sk-0123456789\"} sk-0123456789"), Then::Keep)
    })
    .await;
    let url = server.at("a.test", "/");
    let errand =
        Errand { credential: Some(bearer("sk-0123456789", &private)), ..get(&url, &private) };
    let fetched = gate().fetch(errand).await.unwrap();
    assert_eq!(fetched.body, b"{\"key\": \"[secret]\"} [secret]");
    assert_eq!(fetched.bytes_read, 38);
    assert_eq!(fetched.url, server.at("a.test", "/landed?key=[secret]"));
    assert!(!format!("{fetched:?}").contains("0123456789"), "{fetched:?}");
    assert!(
        fetched.headers.contains(&("x-told".to_owned(), "you sent Bearer [secret]".to_owned()))
    );
}

#[test]
fn the_mask_covers_every_form_in_which_servers_repeat_what_they_were_sent() {
    let credential = bearer(SECRET, &[]);
    let mask = Mask::of(Some(&credential));
    let json = "sk/0123+45 \\\"67\\\"=89";
    let mut forms = vec![
        SECRET.to_owned(),
        json.to_owned(),
        json.replace('/', "\\/"),
        "sk%2F0123%2B45%20%2267%22%3D89".to_owned(),
        "sk%2f0123%2b45%20%2267%22%3d89".to_owned(),
        "sk%2F0123%2B45+%2267%22%3D89".to_owned(),
        "sk/0123+45%20%2267%22=89".to_owned(),
    ];
    for around in ["", "u:", "me:", "you:"] {
        let whole = format!("{around}{SECRET}{around}");
        forms.extend([STANDARD.encode(&whole), URL_SAFE_NO_PAD.encode(&whole)]);
    }
    for form in forms {
        let masked = mask.text(format!("<{form}> and <{form}>"));
        assert_eq!(masked.matches("[secret]").count(), 2, "{form}: {masked}");
        // At most a few digits of what stood around it are left of Base64.
        assert!(masked.len() < 60, "{form}: {masked}");
    }
    assert_eq!(mask.text("nothing here".to_owned()), "nothing here");
    assert_eq!(mask.bytes(vec![0, 255, 1]), [0, 255, 1]);
}

#[test]
fn a_secret_in_a_url_is_found_however_it_is_escaped() {
    let credential = bearer("sk-0123456789", &[]);
    let mask = Mask::of(Some(&credential));
    for (url, masked) in [
        ("http://a/?k=sk-0123456789&q=%20", "http://a/?k=[secret]&q=%20"),
        ("http://a/?k=s%6b-01234%35678%39", "http://a/?k=[secret]"),
        ("http://a/sk-0123456789/%73k-0123456789", "http://a/[secret]/[secret]"),
    ] {
        assert!(mask.finds_in_url(url), "{url}");
        assert_eq!(mask.url(url), masked);
    }
    for url in ["http://a/?k=%", "http://a/%4", "http://a/%+1%zz", "http://a/%C3%A9"] {
        assert!(!mask.finds_in_url(url), "{url}");
        assert_eq!(mask.url(url), url);
    }
}

#[test]
fn without_a_secret_nothing_is_masked() {
    for mask in [Mask::of(None), Mask::of(Some(&bearer("", &[])))] {
        assert!(!mask.finds("text") && !mask.finds(""));
        assert_eq!(mask.text("text".to_owned()), "text");
    }
    // A short secret is masked as it is; its Base64 would be found by chance.
    let short = bearer("abc", &[]);
    assert_eq!(Mask::of(Some(&short)).text("abc YWJj".to_owned()), "[secret] YWJj");
}
