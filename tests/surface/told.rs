//! What a client is told when it asks: how it was routed, and how long its prompt is.

use serde_json::{Value, json};

use crate::answers::{ask, ask_stream, pair, whole};
use crate::harness::{Double, Gateway, Streamed, http};

async fn post(gateway: &Gateway, path: &str, header: &str, body: &Value) -> String {
    let call = http().post(format!("{}{path}", gateway.url)).bearer_auth(&gateway.key);
    let call = call.header("x-openrouter-metadata", header);
    let call = call.header("content-type", "application/json").body(body.to_string());
    let response = call.send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    response.text().await.unwrap()
}

#[tokio::test]
async fn a_client_that_asks_is_told_how_it_was_routed() {
    let double = Double::start();
    double.script("first", &json!({"status": 500, "body": {"error": {"message": "No"}}})).await;
    double.script("second", &whole("Hello")).await;
    let gateway = Gateway::start(&pair(&double)).await;
    let routed = |told: &Value| {
        assert_eq!(told["requested"], "test/pair", "{told}");
        assert_eq!(told["attempt"], 2);
        assert_eq!(told["endpoints"]["total"], 2);
        assert_eq!(told["endpoints"]["available"][1]["selected"], true);
        assert_eq!(
            told["attempts"][0],
            json!({"provider": "first", "model": "test/pair", "status": 502})
        );
        assert_eq!(told["attempts"][1]["status"], 200);
    };
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let chat = post(&gateway, "/v1/chat/completions", "Enabled", &ask("pair")).await;
    routed(&read(&chat)["openrouter_metadata"]);
    let streamed = post(&gateway, "/v1/chat/completions", "enabled", &ask_stream("pair")).await;
    let streamed = Streamed::read(&streamed);
    routed(&streamed.chunks.last().unwrap()["openrouter_metadata"]);
    assert_eq!(
        streamed.chunks.iter().filter(|it| it.get("openrouter_metadata").is_some()).count(),
        1
    );
    let message = json!({"model": "test/pair", "max_tokens": 9,
        "messages": [{"role": "user", "content": "Hi"}]});
    routed(
        &read(&post(&gateway, "/v1/messages", "enabled", &message).await)["openrouter_metadata"],
    );
    let response = json!({"model": "test/pair", "input": "Hi"});
    routed(
        &read(&post(&gateway, "/v1/responses", "enabled", &response).await)["openrouter_metadata"],
    );
    let unasked = post(&gateway, "/v1/chat/completions", "yes", &ask("pair")).await;
    assert!(read(&unasked).get("openrouter_metadata").is_none(), "{unasked}");
}

#[tokio::test]
async fn a_prompt_is_counted_in_every_form_that_has_a_call_for_it() {
    let gateway = Gateway::start("").await;
    let count = async |path: &str, body: Value, field: &str| {
        let told: Value = serde_json::from_str(&post(&gateway, path, "no", &body).await).unwrap();
        told[field].as_u64().unwrap_or_else(|| panic!("{path}: {told}"))
    };
    let message = |text: &str| {
        json!({"model": "patchbay/sim",
        "messages": [{"role": "user", "content": text}]})
    };
    let path = "/v1/messages/count_tokens";
    let short = count(path, message("Hi"), "input_tokens").await;
    let long = count(path, message(&"many words ".repeat(50)), "input_tokens").await;
    assert!(short > 0 && long >= short + 90, "{short} {long}");
    let body = json!({"model": "patchbay/sim", "input": "Hi"});
    assert_eq!(count("/v1/responses/input_tokens", body, "input_tokens").await, short);
    let body = json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]});
    let path = "/v1beta/models/patchbay/sim:countTokens";
    assert_eq!(count(path, body, "totalTokens").await, short);
}

#[tokio::test]
async fn a_prompt_that_is_too_long_is_a_response_that_ended_early_and_an_error_elsewhere() {
    let double = Double::start();
    let refused = json!({"error": {"code": "context_length_exceeded", "message": "Too long",
        "type": "invalid_request_error"}});
    double.script("plain", &json!({"status": 400, "body": refused})).await;
    let gateway = Gateway::start(&double.model("plain", "openai-chat", true)).await;
    let mut body = json!({"model": "test/plain", "input": "Hi"});
    let whole = post(&gateway, "/v1/responses", "no", &body).await;
    let whole: Value = serde_json::from_str(&whole).unwrap();
    assert_eq!(
        (&whole["status"], &whole["error"]),
        (&json!("incomplete"), &Value::Null),
        "{whole}"
    );
    assert_eq!(whole["incomplete_details"]["reason"], "max_output_tokens");
    body["stream"] = json!(true);
    let streamed = post(&gateway, "/v1/responses", "no", &body).await;
    assert!(streamed.contains("event: response.incomplete"), "{streamed}");
    assert_eq!(gateway.chat(&ask("plain")).await.0, 400);
}
