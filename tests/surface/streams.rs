//! How a streamed reply looks from its first byte to `[DONE]`, whatever way its bytes come.

use serde_json::{Value, json};

use crate::answers::{
    COST, ask, ask_stream, attempts, generation_id, log, pair, read_until, record, stream, whole,
    with,
};
use crate::harness::{Double, Gateway, Streamed};

#[tokio::test]
async fn a_streamed_reply_begins_with_its_role_and_ends_with_its_cost() {
    let double = Double::start();
    double.script("plain", &stream(&["Hel", "lo"])).await;
    let gateway = Gateway::start(&double.model("plain", "openai-chat", true)).await;
    let response = gateway.post(&ask_stream("plain")).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let id = generation_id(&response);
    assert!(id.starts_with("gen-"), "{id}");
    let read = Streamed::read(&response.text().await.unwrap());
    assert!(read.is_done);
    assert_eq!(read.joined("content"), "Hello");
    assert_eq!(read.finishes(), ["stop"]);
    let first = &read.chunks[0]["choices"][0]["delta"];
    assert_eq!(first["role"], "assistant", "{:?}", read.chunks);
    for chunk in &read.chunks {
        assert_eq!(chunk["id"], json!(id));
        assert_eq!(chunk["object"], "chat.completion.chunk");
        assert_eq!(chunk["model"], "test/plain");
        assert_eq!(chunk["provider"], "plain");
        assert!(chunk["created"].as_u64().unwrap() > 1_700_000_000);
        assert_eq!(chunk["choices"].as_array().unwrap().len(), 1, "{chunk}");
    }
    let finish = read.chunks.iter().find(|c| c["choices"][0]["finish_reason"] == "stop").unwrap();
    assert_eq!(finish["choices"][0]["native_finish_reason"], "stop");
    let last = read.chunks.last().unwrap();
    let delta = last["choices"][0]["delta"].as_object().unwrap();
    assert!(delta.values().all(|value| value == "" || value == "assistant"), "{last}");
    assert_usage(&last["usage"]);
    assert!(read.chunks[..read.chunks.len() - 1].iter().all(|chunk| chunk["usage"].is_null()));
    let record = record(&gateway, &id).await;
    assert_eq!(record["total_cost"], last["usage"]["cost"]);
    assert_eq!(record["streamed"], true);
    assert_eq!(record["cancelled"], false);
    assert_eq!(attempts(&record), [200]);
}

#[tokio::test]
async fn a_whole_reply_has_its_cost_and_the_id_of_its_header() {
    let double = Double::start();
    double.script("plain", &whole("Hello")).await;
    let gateway = Gateway::start(&double.model("plain", "openai-chat", true)).await;
    let response = gateway.post(&ask("plain")).await;
    let id = generation_id(&response);
    let reply: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(reply["id"], json!(id));
    assert_eq!(reply["object"], "chat.completion");
    assert_eq!(reply["model"], "test/plain");
    assert_eq!(reply["choices"][0]["message"]["content"], "Hello");
    assert_eq!(reply["choices"][0]["finish_reason"], "stop");
    assert_eq!(reply["choices"][0]["native_finish_reason"], "stop");
    assert_usage(&reply["usage"]);
    let record = record(&gateway, &id).await;
    assert_eq!(record["total_cost"], reply["usage"]["cost"]);
}

fn assert_usage(usage: &Value) {
    assert_eq!(usage["prompt_tokens"], 10, "{usage}");
    assert_eq!(usage["completion_tokens"], 5);
    assert_eq!(usage["total_tokens"], 15);
    assert_eq!(usage["cost"], COST);
    assert_eq!(usage["is_byok"], false);
}

#[tokio::test]
async fn a_stream_arrives_whole_however_its_bytes_are_cut() {
    let double = Double::start();
    let texts = ["Grüße — ", "日本語 ", "🦀 and \"quotes\"\n", "end"];
    let gateway = Gateway::start(&double.model("plain", "openai-chat", true)).await;
    let ways = [json!({"split": 1}), json!({"split": 3}), json!({"split": 7})];
    for way in ways {
        double.script("plain", &with(stream(&texts), &way)).await;
        let read = gateway.stream(&ask("plain")).await;
        assert_eq!(read.joined("content"), texts.concat(), "{way}");
        assert_eq!(read.finishes(), ["stop"], "{way}");
        assert_usage(read.usage());
        assert!(read.is_done, "{way}");
    }
}

#[tokio::test]
async fn a_failure_while_headers_are_held_back_keeps_its_status() {
    let double = Double::start();
    let failure = json!({"status": 429, "head_ms": 500, "headers": {"retry-after": "7"},
        "body": {"error": {"message": "slow down, please", "type": "rate_limit"}}});
    double.script("plain", &failure).await;
    let gateway = Gateway::start(&double.model("plain", "openai-chat", true)).await;
    let response = gateway.post(&ask_stream("plain")).await;
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers()["retry-after"], "7");
    let id = generation_id(&response);
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(body["error"]["code"], 429);
    assert!(body["error"]["message"].as_str().unwrap().contains("slow down, please"), "{body}");
    assert_eq!(body["error"]["metadata"]["provider_name"], "plain");
    let record = record(&gateway, &id).await;
    assert_eq!(record["total_cost"], 0);
    assert_eq!(attempts(&record), [429]);
}

/// Comments come soon, so that a test need not wait for them.
const SOON: &str = "[server]\nfirst_comment_ms = 50\ncomment_ms = 50\n";

#[tokio::test]
async fn a_silent_upstream_gets_comments_before_its_reply() {
    let double = Double::start();
    double.script("plain", &with(stream(&["Hello"]), &json!({"gate_after": 0}))).await;
    let gateway =
        Gateway::start(&format!("{SOON}{}", double.model("plain", "openai-chat", true))).await;
    let mut response = gateway.post(&ask_stream("plain")).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let id = generation_id(&response);
    // Two, so that they go on.
    let mut body = read_until(&mut response, ": ").await;
    body.push_str(&read_until(&mut response, ": ").await);
    double.release("plain").await;
    body.push_str(&response.text().await.unwrap());
    let read = Streamed::read(&body);
    assert!(read.comments.iter().all(|comment| comment == "OPENROUTER PROCESSING"), "{body}");
    assert_eq!(read.joined("content"), "Hello");
    assert!(read.is_done && read.chunks.iter().all(|chunk| chunk["id"] == json!(id)));
}

#[tokio::test]
async fn a_silence_in_mid_stream_is_filled_with_comments() {
    let double = Double::start();
    double.script("plain", &with(stream(&["Hel", "lo"]), &json!({"gate_after": 1}))).await;
    let gateway =
        Gateway::start(&format!("{SOON}{}", double.model("plain", "openai-chat", true))).await;
    let mut response = gateway.post(&ask_stream("plain")).await;
    let mut body = read_until(&mut response, "Hel").await;
    body.push_str(&read_until(&mut response, ": ").await);
    double.release("plain").await;
    body.push_str(&response.text().await.unwrap());
    assert_eq!(Streamed::read(&body).joined("content"), "Hello");
}

#[tokio::test]
async fn fallback_goes_on_behind_comments() {
    let double = Double::start();
    double.script("first", &json!({"status": 500, "head_ms": 400, "body": "no"})).await;
    double.script("second", &stream(&["from the second"])).await;
    let gateway = Gateway::start(&format!("{SOON}{}", pair(&double))).await;
    let response = gateway.post(&ask_stream("pair")).await;
    assert_eq!(response.status(), 200);
    let id = generation_id(&response);
    let read = Streamed::read(&response.text().await.unwrap());
    assert!(!read.comments.is_empty());
    assert_eq!(read.joined("content"), "from the second");
    assert!(read.is_done);
    assert_eq!(attempts(&record(&gateway, &id).await), [502, 200]);
    log(&double, "first", 1, 1).await;
}

#[tokio::test]
async fn a_failure_after_comments_arrives_in_the_stream() {
    let double = Double::start();
    let failure = json!({"status": 503, "head_ms": 400,
        "body": {"error": {"message": "overloaded, sadly"}}});
    double.script("first", &failure).await;
    double.script("second", &failure).await;
    let gateway = Gateway::start(&format!("{SOON}{}", pair(&double))).await;
    let response = gateway.post(&ask_stream("pair")).await;
    assert_eq!(response.status(), 200);
    let id = generation_id(&response);
    let read = Streamed::read(&response.text().await.unwrap());
    assert!(!read.comments.is_empty());
    assert_error(&read, &id, 503, "overloaded, sadly");
    let record = record(&gateway, &id).await;
    assert_eq!((attempts(&record), &record["total_cost"]), (vec![503, 503], &json!(0)));
}

/// A stream must end with one error chunk of this code, and `[DONE]`.
pub(crate) fn assert_error(read: &Streamed, id: &str, code: u64, message: &str) {
    let last = read.chunks.last().unwrap();
    assert_eq!(last["error"]["code"], code, "{last}");
    assert!(last["error"]["message"].as_str().unwrap().contains(message), "{last}");
    assert_eq!(last["id"], id);
    assert_eq!(last["choices"][0]["finish_reason"], "error", "{last}");
    assert_eq!(read.finishes(), ["error"]);
    assert!(read.is_done);
}
