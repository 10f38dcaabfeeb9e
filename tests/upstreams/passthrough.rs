//! Client and upstream speak the same dialect: what the gateway does not know goes through as it
//! is, in both directions, and what is meant for the gateway stays here.

use serde_json::{Value, json};

use crate::harness::{Double, Gateway, Streamed};
use crate::told::Told;

/// A gateway with the model `test/up` in front of a double that speaks `openai-chat`.
struct Stage {
    gateway: Gateway,
    double: Double,
}

impl Stage {
    async fn set(script: &Value) -> Self {
        let double = Double::start();
        double.script("up", script).await;
        let config = double.model("up", "openai-chat", true);
        Self { gateway: Gateway::start(&config).await, double }
    }

    /// Sends a body as it stands; returns the reply's text.
    async fn send(&self, body: &str) -> String {
        let response = self.gateway.post_with(&self.gateway.key, body.to_owned()).await;
        let status = response.status();
        let text = response.text().await.unwrap();
        assert_eq!(status, 200, "{text}");
        text
    }

    /// The text that the upstream received last.
    async fn received(&self) -> String {
        let log = self.double.log("up").await;
        log.as_array().unwrap().last().unwrap()["text"].as_str().unwrap().to_owned()
    }
}

/// A short reply of either form.
fn script() -> Value {
    let whole = json!({
        "id": "chatcmpl-9", "object": "chat.completion", "created": 1, "model": "up",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi."},
            "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    });
    let piece = json!({"id": "chatcmpl-9", "choices": [{"index": 0, "delta": {"content": "Hi."}}]});
    let end = json!({"id": "chatcmpl-9", "choices": [{"index": 0, "delta": {},
        "finish_reason": "stop"}]});
    json!({"whole": {"body": whole}, "stream": {"sse": [piece, end, "[DONE]"]}})
}

#[tokio::test]
async fn unknown_fields_key_order_and_number_text_reach_the_upstream() {
    let stage = Stage::set(&script()).await;
    // Numbers whose text would change if they were read and written again.
    let body = |model: &str, stream: bool| {
        format!(
            r#"{{"zeta":{{"b":1.00,"a":[1e2,  0.1000,-0.0]}},"model":"{model}","temperature":1.0,"messages":[{{"content":"H\u00e9llo \/ ☃","role":"user","x_mark":{{"keep":12345678901234567890123}}}}],"stream":{stream},"custom_sampler":{{"kind":"x","order":[3,1,2]}},"top_p":0.90}}"#
        )
    };
    for stream in [false, true] {
        stage.send(&body("test/up", stream)).await;
        assert_eq!(stage.received().await, body("up", stream));
    }
}

#[tokio::test]
async fn what_is_meant_for_the_gateway_is_never_sent() {
    let stage = Stage::set(&script()).await;
    let controls = [
        ("plugins", r#"[{"id":"reasoning"}]"#),
        ("provider", r#"{"allow_fallbacks":true,"sort":"price"}"#),
        ("models", r#"["test/up"]"#),
        ("route", r#""fallback""#),
        ("transforms", r#"["middle-out"]"#),
        ("session_id", r#""s-1""#),
        ("include_reasoning", "true"),
        ("usage", r#"{"include":true}"#),
        ("trace", r#"{"trace_id":"t"}"#),
        ("metadata", r#"{"team":"a"}"#),
        ("max_tool_calls", "3"),
        ("debug", r#"{"echo_upstream_body":false}"#),
    ];
    let fields: String =
        controls.iter().map(|(name, value)| format!(r#""{name}":{value},"#)).collect();
    let body = |model: &str, controls: &str, stream: bool| {
        format!(
            r#"{{"model":"{model}",{controls}"stream":{stream},"messages":[{{"role":"user","content":"Hi"}}],"seed":7}}"#
        )
    };
    for stream in [false, true] {
        stage.send(&body("test/up", &fields, stream)).await;
        assert_eq!(stage.received().await, body("up", "", stream));
    }
}

#[tokio::test]
async fn the_client_key_stays_here() {
    let stage = Stage::set(&script()).await;
    stage.send(r#"{"model":"test/up","messages":[{"role":"user","content":"Hi"}]}"#).await;
    let log = stage.double.log("up").await.to_string();
    assert!(!log.contains(&stage.gateway.key), "{log}");
}

#[tokio::test]
async fn unknown_fields_of_a_whole_reply_reach_the_client_and_ids_are_replaced() {
    let mut script = script();
    let body = concat!(
        r#"{"id":"chatcmpl-9","object":"chat.completion","created":1,"model":"up-2026","#,
        r#""system_fingerprint":"fp_1","x_timing":{"total":0.250,"z":1e3},"#,
        r#""choices":[{"index":0,"message":{"role":"assistant","content":"Hi.","#,
        r#""x_mood":{"b":2.50,"a":1}},"finish_reason":"stop","stop_token":1.0,"#,
        r#""logprobs":{"content":[{"token":"Hi","logprob":-0.10,"bytes":null,"top_logprobs":[]}]}}],"#,
        r#""usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5},"citations":["https://a.example"]}"#,
    );
    script["whole"] = json!({ "body": body });
    let stage = Stage::set(&script).await;
    let text =
        stage.send(r#"{"model":"test/up","messages":[{"role":"user","content":"Hi"}]}"#).await;
    for kept in [
        r#""system_fingerprint":"fp_1""#,
        r#""x_timing":{"total":0.250,"z":1e3}"#,
        r#""x_mood":{"b":2.50,"a":1}"#,
        r#""stop_token":1.0"#,
        r#""logprob":-0.10"#,
        r#""citations":["https://a.example"]"#,
    ] {
        assert!(text.contains(kept), "{kept} is lost: {text}");
    }
    let reply: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(Told::whole(&reply).text, "Hi.");
    assert_eq!(reply["model"], "test/up", "{text}");
    assert!(!text.contains("chatcmpl-9"), "{text}");
}

#[tokio::test]
async fn unknown_fields_of_a_stream_reach_the_client_and_ids_are_replaced() {
    let mut script = script();
    let piece = concat!(
        r#"{"id":"chatcmpl-9","object":"chat.completion.chunk","created":1,"model":"up-2026","#,
        r#""system_fingerprint":"fp_1","x_timing":{"total":0.250,"z":1e3},"#,
        r#""choices":[{"index":0,"delta":{"role":"assistant","content":"Hi.","x_mood":{"b":2.50,"a":1}},"#,
        r#""finish_reason":null,"stop_token":1.0,"#,
        r#""logprobs":{"content":[{"token":"Hi","logprob":-0.10,"bytes":null,"top_logprobs":[]}]}}]}"#,
    );
    let end = r#"{"id":"chatcmpl-9","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_last":[0.50]}"#;
    let usage = r#"{"id":"chatcmpl-9","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#;
    script["stream"] = json!({"sse": [piece, end, usage, "[DONE]"]});
    let stage = Stage::set(&script).await;
    for plugins in ["", r#""plugins":[{"id":"reasoning"}],"#] {
        let body = format!(
            r#"{{"model":"test/up",{plugins}"stream":true,"messages":[{{"role":"user","content":"Hi"}}]}}"#
        );
        check_stream(&stage.send(&body).await);
    }
}

fn check_stream(text: &str) {
    for kept in [
        r#""system_fingerprint":"fp_1""#,
        r#""x_timing":{"total":0.250,"z":1e3}"#,
        r#""x_mood":{"b":2.50,"a":1}"#,
        r#""stop_token":1.0"#,
        r#""logprob":-0.10"#,
        r#""x_last":[0.50]"#,
    ] {
        assert!(text.contains(kept), "{kept} is lost: {text}");
    }
    let streamed = Streamed::read(text);
    assert_eq!(Told::streamed(&streamed).text, "Hi.");
    for chunk in &streamed.chunks {
        assert_eq!(chunk["model"], "test/up", "{chunk}");
    }
    assert!(!text.contains("chatcmpl-9"), "{text}");
}
