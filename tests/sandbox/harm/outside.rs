//! Harm through what lies outside the sandbox: models that would call the plugin again, and headers
//! that would be two.

use serde_json::{Value, json};

use super::super::upstream::{ask, reply};
use super::super::wasm;
use crate::harness::{Double, Gateway};

const GRANTS: &str = "[plugins.limits]\ncpu_ms = 10000\n\
    [plugin.caller]\ndefault = true\ngrant = [\"http-private=PLACE\", \"models=test/*\"]\n\
    [plugin.caller.limits]\nmodel_calls = 3\n";

async fn begin() -> (Double, Gateway) {
    let double = Double::start();
    double.script("free", &reply(&["a cat"])).await;
    let config = GRANTS.replace("PLACE", &double.url);
    let config = config + &double.model("free", "openai-chat", true);
    let gateway = Gateway::start(&config).await;
    let (status, body) = gateway.upload("caller", wasm::caller()).await;
    assert_eq!(status, 201, "{body}");
    (double, gateway)
}

/// What the plugin was told.
async fn told(gateway: &Gateway, options: &Value) -> String {
    let mut entry = options.clone();
    entry["id"] = json!("caller");
    entry["answer"] = json!(true);
    let (status, body) = gateway.chat(&ask("free", &json!([entry]))).await;
    assert_eq!(status, 200, "{body}");
    body["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_plugin_on_every_request_does_not_run_on_those_that_it_makes() {
    let (double, gateway) = begin().await;
    let call = json!({"model": {"model": "test/free", "prompt": "Again!"}, "times": 5});
    let said = told(&gateway, &call).await;
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.len(), 5, "{said}");
    assert!(lines[..3].iter().all(|line| line.ends_with("a cat")), "{said}");
    assert!(
        lines[3..].iter().all(|line| line.contains("plugin.caller.limits.model_calls")),
        "{said}"
    );
    // Three and not one more: none of them made any of its own.
    assert_eq!(double.log("free").await.as_array().unwrap().len(), 3);
    let named = json!({"model": {"model": "test/free:caller", "prompt": "Again!"}});
    let said = told(&gateway, &named).await;
    assert!(said.starts_with("model: "), "{said}");
    assert_eq!(double.log("free").await.as_array().unwrap().len(), 3, "{said}");
}

#[tokio::test]
async fn a_header_with_a_line_end_in_it_is_no_header() {
    let (double, gateway) = begin().await;
    let url = format!("{}/free/v1/models", double.url);
    let wrong = [
        ("x-a", "1\r\nx-admin: yes"),
        ("x-a", "1\nx-admin: yes"),
        ("x-a\r\nx-admin", "yes"),
        ("x-a: 1\r\nx-admin", "yes"),
        ("x-a", "1\0"),
        ("", "1"),
        ("x a", "1"),
    ];
    for (name, value) in wrong {
        let call = json!({"http": {"url": url, "headers": {name: value}}});
        let said = told(&gateway, &call).await;
        assert!(said.starts_with("http: invalid: "), "{name:?}: {value:?}: {said}");
    }
    // A line end in a URL is dropped or written as `%0d`; what is asked is one request.
    for part in ["free/v1/a\r\nx-admin: yes", "free/v1/a HTTP/1.1\r\n\r\nGET /free/other"] {
        let call = json!({"http": {"url": format!("{}/{part}", double.url)}});
        let said = told(&gateway, &call).await;
        assert!(said.starts_with("http: "), "{part:?}: {said}");
    }
    let smuggled = json!({"http": {"url": url, "method": "post", "body": "0\r\n\r\nGET /free/other",
        "headers": {"content-length": "1", "transfer-encoding": "chunked"}}});
    let said = told(&gateway, &smuggled).await;
    assert!(said.starts_with("http: "), "{said}");
    for asked in double.log("free").await.as_array().unwrap() {
        assert!(asked["headers"].get("x-admin").is_none(), "{asked}");
        assert!(asked["path"].as_str().unwrap().starts_with("/v1/"), "{asked}");
    }
}
