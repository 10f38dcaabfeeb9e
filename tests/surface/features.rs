//! What a client asks of a model beyond words: features of Anthropic's API that it opts in to, and
//! thought that can't be switched off.

use serde_json::{Value, json};

use crate::answers::ask;
use crate::harness::{Double, Gateway, http};

/// A reply in Anthropic's form.
fn message() -> Value {
    json!({"body": {"id": "msg_1", "type": "message", "role": "assistant", "model": "up",
        "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 2}}})
}

#[tokio::test]
async fn features_of_anthropic_reach_it_from_clients_of_every_dialect() {
    let double = Double::start();
    double.script("claude", &message()).await;
    let gateway = Gateway::start(&double.model("claude", "anthropic-messages", true)).await;
    let mut chat = ask("claude");
    chat["tools"] = json!([{"type": "function", "function": {"name": "f", "strict": true,
        "parameters": {"type": "object", "properties": {}}}}]);
    let mut own = ask("claude");
    own["max_tokens"] = json!(10);
    let calls = [
        ("/v1/chat/completions", "x-anthropic-beta", &chat),
        ("/v1/messages", "anthropic-beta", &own),
    ];
    for (path, header, body) in calls {
        let url = format!("{}{path}", gateway.url);
        let call = http().post(url).bearer_auth(&gateway.key).body(body.to_string());
        let call = call.header("content-type", "application/json");
        let call = call.header(header, "structured-outputs-2025-11-13, context-1m-2025-08-07");
        let response = call.send().await.unwrap();
        let status = response.status().as_u16();
        assert_eq!(status, 200, "{path}: {}", response.text().await.unwrap());
    }
    let (status, _) = gateway.chat(&chat).await;
    assert_eq!(status, 200);
    let log = double.log("claude").await;
    let betas = "structured-outputs-2025-11-13,context-1m-2025-08-07";
    assert_eq!(log[0]["headers"]["anthropic-beta"], betas);
    assert_eq!(log[0]["body"]["tools"][0]["strict"], true);
    assert_eq!(log[1]["headers"]["anthropic-beta"], betas);
    // Who opts in to nothing gets what everybody may have.
    assert_eq!(log[2]["headers"]["anthropic-beta"], Value::Null);
    assert_eq!(log[2]["body"]["tools"][0]["strict"], Value::Null);
}

#[tokio::test]
async fn a_model_that_always_thinks_says_so_and_what_is_possible() {
    let double = Double::start();
    let always = "context_length = 100000\nreasoning = \"effort\"\nreasoning_mandatory = true\n\
                  efforts = [\"low\", \"high\"]\n";
    let model = double.model("thinker", "openai-chat", true);
    let gateway = Gateway::start(&model.replacen("context_length = 100000\n", always, 1)).await;
    let mut body = ask("thinker");
    body["reasoning"] = json!({"effort": "none"});
    let (status, reply) = gateway.chat(&body).await;
    assert_eq!(status, 400, "{reply}");
    assert_eq!(reply["error"]["metadata"]["error_type"], "invalid_request");
    let message = reply["error"]["message"].as_str().unwrap();
    assert!(message.contains("test/thinker") && message.contains("low, high"), "{message}");
    assert_eq!(double.log("thinker").await, json!([]));
}
