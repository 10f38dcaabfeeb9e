//! `http`: only where it was granted, as often, as long and as much as the operator lets it.

use std::time::Duration;

use serde_json::{Value, json};

use super::{TEXT, assert_says, double, gateway, grant, reach, text, told, with};
use crate::harness::Double;

/// What the double has under `/page/…`.
fn page(body: &str) -> Value {
    json!({"body": body, "headers": {"content-type": "text/plain", "x-page": "7"}})
}

/// A call of `/page/one` in the plugin's options.
fn get(double: &Double) -> Value {
    json!({"url": format!("{}/page/one", double.url)})
}

#[tokio::test]
async fn a_granted_host_answers_in_every_hook() {
    let double = double().await;
    double.script("page", &page("forty-two")).await;
    let gateway = gateway(&double, &grant(&[&reach(&double)])).await;
    let mut call = get(&double);
    call["headers"] = json!({"x-mine": "of the plugin"});
    call["show"] = json!(["x-page"]);
    let said = format!("http: 200 from {}/page/one; x-page: 7; forty-two", double.url);

    assert_eq!(told(&gateway, &json!({"http": call})).await, said);
    let log = double.log("page").await;
    assert_eq!(log[0]["headers"]["x-mine"], "of the plugin", "{log}");

    let (status, body) = gateway.chat(&with(&json!({"http": call}))).await;
    assert_eq!((status, text(&body)), (200, TEXT.to_owned()));
    let asked = double.log("plain").await;
    let note = asked[0]["body"]["messages"].as_array().unwrap().last().unwrap();
    assert_eq!(note, &json!({"role": "system", "content": said}));

    for place in ["push", "finish"] {
        let body = with(&json!({"http": call, "at": place}));
        let (status, whole) = gateway.chat(&body).await;
        assert_eq!((status, text(&whole)), (200, format!("{TEXT}{said}")), "{place}");
        let streamed = gateway.stream(&body).await;
        assert_eq!(streamed.joined("content"), format!("{TEXT}{said}"), "{place}");
        assert!(streamed.is_done && streamed.finishes() == ["stop"], "{streamed:?}");
    }

    let (status, body) = gateway.chat(&with(&json!({"http": call, "at": "complete"}))).await;
    assert_eq!((status, text(&body)), (200, TEXT.to_owned()));
    double.log_when("page", 7, 7).await;
    for _ in 0..500 {
        if gateway.log().contains(&said) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the audit hook logged nothing: {}", gateway.log());
}

#[tokio::test]
async fn a_host_that_is_not_granted_is_not_reached() {
    let double = double().await;
    double.script("page", &page("forty-two")).await;
    let url = &double.url;
    let call = json!({"http": get(&double)});
    let cases = [
        (grant(&[]), format!("add \"http={url}\" to plugin.caller.grant")),
        (grant(&["http"]), format!("add \"http={url}\" to plugin.caller.grant")),
        (grant(&["http=https://example.org"]), format!("`{url}` is not granted")),
        (grant(&["http-private=http://127.0.0.1:9"]), format!("`{url}` is not granted")),
        // A grant that says nothing of private addresses is for the public network.
        (
            grant(&[&format!("http={url}")]),
            format!("add \"http-private={url}\" to plugin.caller.grant"),
        ),
    ];
    for (config, words) in cases {
        let gateway = gateway(&double, &config).await;
        assert_says(&told(&gateway, &call).await, &["http: denied: ", &words]);
    }
    assert_eq!(double.log("page").await, json!([]));
}

#[tokio::test]
async fn a_redirect_to_a_place_that_is_not_granted_is_not_followed() {
    let (double, other) = (double().await, Double::start());
    let to = |url: String| json!({"status": 302, "headers": {"location": url}});
    other.script("target", &page("inside")).await;
    double.script("away", &to(format!("{}/target/x", other.url))).await;
    double.script("file", &to("file:///etc/passwd".to_owned())).await;
    double.script("page", &page("forty-two")).await;
    double.script("home", &to("/page/one".to_owned())).await;
    let gateway = gateway(&double, &grant(&[&reach(&double)])).await;
    let call = |name: &str| json!({"http": {"url": format!("{}/{name}/x", double.url)}});

    let said = told(&gateway, &call("away")).await;
    assert_says(&said, &["http: denied: after a redirect", &other.url, "plugin.caller.grant"]);
    assert_eq!(other.log("target").await, json!([]));
    let said = told(&gateway, &call("file")).await;
    assert_says(&said, &["after a redirect"]);
    assert!(!said.contains("root:"), "{said}");
    let said = told(&gateway, &call("home")).await;
    assert_says(&said, &["http: 200", "/page/one; forty-two"]);
}

#[tokio::test]
async fn requests_are_counted_over_the_whole_generation() {
    let double = double().await;
    double.script("page", &page("forty-two")).await;
    let config = format!("{}[plugin.caller.limits]\nhttp_calls = 2\n", grant(&[&reach(&double)]));
    let gateway = gateway(&double, &config).await;
    let call = json!({"http": get(&double), "times": 4});
    let said = told(&gateway, &call).await;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 4, "{said}");
    assert!(lines[..2].iter().all(|line| line.starts_with("http: 200")), "{said}");
    for line in &lines[2..] {
        assert_says(line, &["http: limit: ", "plugin.caller.limits.http_calls"]);
    }
    assert_eq!(double.log("page").await.as_array().unwrap().len(), 2);
    // The next generation has requests of its own.
    assert_says(&told(&gateway, &json!({"http": get(&double)})).await, &["http: 200"]);
}

#[tokio::test]
async fn a_redirect_counts_as_a_request() {
    let double = double().await;
    let again = json!({"status": 302, "headers": {"location": "/again/x"}});
    double.script("again", &again).await;
    let config = format!("{}[plugin.caller.limits]\nhttp_calls = 3\n", grant(&[&reach(&double)]));
    let gateway = gateway(&double, &config).await;
    let call = json!({"http": {"url": format!("{}/again/x", double.url)}, "times": 3});
    let said = told(&gateway, &call).await;
    assert_says(&said, &["http: limit: "]);
    assert_eq!(double.log("again").await.as_array().unwrap().len(), 3, "{said}");
}

#[tokio::test]
async fn a_reply_may_take_only_so_long_and_be_only_so_large() {
    let double = double().await;
    double.script("silent", &json!({"hang": "head"})).await;
    double.script("endless", &json!({"sse": ["drop"], "hang": "end"})).await;
    double.script("large", &page(&"x".repeat(2001))).await;
    double.script("fitting", &page(&"x".repeat(2000))).await;
    double.script("pieces", &json!({"body": "x".repeat(2001), "split": 100})).await;
    let limits = "[plugin.caller.limits]\nhttp_ms = 300\nhttp_bytes = 2000\n";
    let gateway = gateway(&double, &format!("{}{limits}", grant(&[&reach(&double)]))).await;
    for (name, wanted) in [
        ("silent", "http: timeout"),
        ("endless", "http: timeout"),
        ("large", "http: too large"),
        ("pieces", "http: too large"),
    ] {
        let call = json!({"http": {"url": format!("{}/{name}/x", double.url)}});
        assert_eq!(told(&gateway, &call).await, wanted, "{name}");
    }
    // A plugin can't ask for more time than it has.
    let longer = json!({"url": format!("{}/silent/x", double.url), "timeout_ms": 3_600_000});
    assert_eq!(told(&gateway, &json!({"http": longer})).await, "http: timeout");
    let fitting = json!({"http": {"url": format!("{}/fitting/x", double.url)}});
    assert_says(&told(&gateway, &fitting).await, &["http: 200"]);
}

/// A call of each of these names.
fn all(double: &Double, names: &[&str]) -> Value {
    let calls = names.iter().map(|name| json!({"url": format!("{}/{name}/x", double.url)}));
    json!({"all": calls.collect::<Vec<_>>()})
}

#[tokio::test]
async fn requests_side_by_side_come_back_in_their_order() {
    let double = double().await;
    let names = ["first", "second", "third"];
    for name in names {
        double.script(name, &json!({"body": name, "gate_after": 0})).await;
    }
    let gateway = gateway(&double, &grant(&[&reach(&double)])).await;
    let calls = all(&double, &names);
    let release = async {
        // Nothing is answered before all have come.
        for name in names {
            double.log_when(name, 1, 0).await;
        }
        for name in names.iter().rev() {
            double.release(name).await;
            double.log_when(name, 1, 1).await;
        }
    };
    let (said, ()) = tokio::join!(told(&gateway, &calls), release);
    let wanted = names.map(|name| format!("all: 200 from {}/{name}/x; {name}", double.url));
    assert_eq!(said.lines().collect::<Vec<_>>(), wanted);
}

#[tokio::test]
async fn requests_side_by_side_share_the_limit_and_fail_alone() {
    let double = double().await;
    double.script("page", &page("forty-two")).await;
    double.script("silent", &json!({"hang": "head"})).await;
    let limits = "[plugin.caller.limits]\nhttp_calls = 3\nhttp_ms = 300\n";
    let config = format!("{}{limits}", grant(&[&reach(&double)]));
    let gateway = gateway(&double, &config).await;
    let mut calls = all(&double, &["page", "silent", "page", "page"]);
    let said = told(&gateway, &calls).await;
    let lines: Vec<&str> = said.lines().collect();
    assert_says(lines[0], &["all: 200"]);
    assert_eq!(lines[1], "all: timeout");
    assert_says(lines[2], &["all: 200"]);
    assert_says(lines[3], &["all: limit: ", "plugin.caller.limits.http_calls"]);
    assert_eq!(double.log("page").await.as_array().unwrap().len(), 2);

    // One that is refused is not sent, and the others are.
    calls = all(&double, &["page", "page"]);
    calls["all"][0]["url"] = json!("https://example.org/");
    let said = told(&gateway, &calls).await;
    let lines: Vec<&str> = said.lines().collect();
    assert_says(lines[0], &["all: denied: "]);
    assert_says(lines[1], &["all: 200"]);
    assert_eq!(told(&gateway, &json!({"all": []})).await, "");
}
