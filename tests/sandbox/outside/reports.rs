//! `report`: what a plugin says that it did stands in what a client is told of its request, if it
//! asks for that.

use serde_json::{Value, json};

use super::{double, gateway, grant, with};
use crate::harness::{Gateway, http};

fn stage() -> Value {
    json!({"kind": "guardrail", "name": "looked", "summary": "It looked.",
        "data": {"seen": 3, "words": ["a", "b"]}})
}

/// What a client is told that asks with this value of the header; `path` is its surface.
async fn metadata(gateway: &Gateway, path: &str, header: &str, body: &Value) -> Vec<Value> {
    let call = http().post(format!("{}{path}", gateway.url)).bearer_auth(&gateway.key);
    let call = call.header("x-openrouter-metadata", header);
    let call = call.header("content-type", "application/json").body(body.to_string());
    let response = call.send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    let text = response.text().await.unwrap();
    let parts: Vec<&str> = match body["stream"].as_bool() {
        Some(true) => text.lines().filter_map(|line| line.strip_prefix("data: {")).collect(),
        _ => vec![&text[1..]],
    };
    let parts = parts.iter().map(|part| serde_json::from_str::<Value>(&format!("{{{part}")));
    let parts: Vec<Value> = parts.map(Result::unwrap).collect();
    let inside = |part: &Value| match &part["response"] {
        Value::Null => part["openrouter_metadata"].clone(),
        response => response["openrouter_metadata"].clone(),
    };
    parts.iter().map(inside).filter(|told| !told.is_null()).collect()
}

/// A request on each surface on which the plugin does what these options say.
fn everywhere(options: &Value, stream: bool) -> Vec<(&'static str, Value)> {
    let mut chat = with(options);
    chat["stream"] = json!(stream);
    let (mut responses, mut messages) = (chat.clone(), chat.clone());
    let said = responses.as_object_mut().unwrap().remove("messages").unwrap();
    responses["input"] = said[0]["content"].clone();
    messages["max_tokens"] = json!(100);
    vec![("/v1/chat/completions", chat), ("/v1/responses", responses), ("/v1/messages", messages)]
}

#[tokio::test]
async fn what_a_plugin_did_is_told_whenever_it_did_it() {
    let double = double().await;
    let gateway = gateway(&double, &grant(&[])).await;
    let wanted = json!([{"type": "guardrail", "name": "looked", "summary": "It looked.",
        "data": {"seen": 3, "words": ["a", "b"]}}]);
    for place in ["request", "push", "finish"] {
        for stream in [false, true] {
            let options = json!({"report": stage(), "at": place});
            for (path, body) in everywhere(&options, stream) {
                let told = metadata(&gateway, path, "enabled", &body).await;
                let place = format!("{place} on {path} ({stream})");
                assert_eq!(told.len(), 1, "{place}: {told:?}");
                assert_eq!(told[0]["pipeline"], wanted, "{place}: {told:?}");
                assert_eq!(told[0]["requested"], "test/plain", "{place}: {told:?}");
                assert!(metadata(&gateway, path, "no", &body).await.is_empty(), "{place}");
            }
        }
    }
    // A plugin that answers is told of too.
    let options = json!({"report": stage(), "answer": true});
    for (path, body) in everywhere(&options, false) {
        let told = metadata(&gateway, path, "enabled", &body).await;
        assert_eq!((&told[0]["pipeline"], &told[0]["attempt"]), (&wanted, &json!(0)), "{path}");
    }
}

#[tokio::test]
async fn what_is_too_much_is_left_out() {
    let double = double().await;
    let limits = "[plugin.caller.limits]\nstages = 2\n";
    let gateway = gateway(&double, &format!("{}{limits}", grant(&[]))).await;
    let (path, body) = everywhere(&json!({"report": stage(), "times": 4}), false).remove(0);
    let told = metadata(&gateway, path, "enabled", &body).await;
    assert_eq!(told[0]["pipeline"].as_array().unwrap().len(), 2, "{told:?}");
    let long = json!({"report": {"kind": "plugin", "name": "x".repeat(20_000)}});
    let (path, body) = everywhere(&long, false).remove(0);
    let told = metadata(&gateway, path, "enabled", &body).await;
    assert_eq!(told[0]["pipeline"], json!([{"type": "plugin", "name": "caller"}]), "{told:?}");
}
