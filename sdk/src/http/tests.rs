//! What a built request is, and how replies are read.

use super::{Header, HttpError, Method, get, post};
use crate::Error;
use crate::secrets::{Binding, Placement};
use crate::testing::{kit, sent};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[test]
fn a_request_goes_out_as_it_was_built() {
    let url = "https://a.org/x?one=1&two=a%20%26%20%C3%BC#end";
    kit().secret("KEY").http(Method::Post, url, 200, "");
    let request = post("https://a.org/x?one=1#end").query("two", "a & ü").header("x-a", "b");
    let request = request.json(&json!({"q": 1})).secret_header("x-key", "KEY");
    assert_eq!(request.timeout_ms(5).response_bytes_max(6).send().unwrap().url(), url);
    let outgoing = sent().remove(0);
    assert_eq!(outgoing.body, br#"{"q":1}"#);
    let header = |name: &str, value: &str| Header { name: name.into(), value: value.into() };
    assert_eq!(outgoing.headers, [header("x-a", "b"), header("content-type", "application/json")]);
    let placement = Placement::Header("x-key".into());
    assert_eq!(outgoing.auth, Some(Binding { name: "KEY".into(), placement }));
    assert_eq!((outgoing.timeout_ms, outgoing.response_bytes_max), (Some(5), Some(6)));
}

#[test]
fn what_cannot_be_sent_is_said_when_it_is_sent() {
    kit();
    let map = BTreeMap::from([((1, 2), 3)]);
    let error = post("https://a.org/").json(&map).send().unwrap_err();
    assert!(matches!(error, HttpError::Invalid(_)), "{error:?}");
    assert!(sent().is_empty());
    assert!(matches!(get("/x").send(), Err(HttpError::Invalid(_))));
}

#[test]
fn a_reply_that_does_not_fit_names_its_place_without_the_query() {
    kit().http(Method::Get, "https://a.org/x?q=private", 200, "[1]").http(
        Method::Get,
        "https://a.org/y?q=private",
        404,
        "",
    );
    let reply = get("https://a.org/x?q=private").send().unwrap();
    assert_eq!(reply.json::<Value>(), Ok(json!([1])));
    let Err(Error::Upstream(text)) = reply.json::<String>() else { panic!() };
    assert!(text.starts_with("https://a.org/x sent other JSON"), "{text}");
    let missing = get("https://a.org/y?q=private").send().unwrap().ok();
    let Err(Error::Upstream(text)) = missing else { panic!() };
    assert_eq!(text, "https://a.org/y answered 404");
}
