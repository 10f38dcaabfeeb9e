//! Streams that fail after their first chunk, and every limit on an upstream's time: the client
//! is told in the stream, and what was sent is billed.

use serde_json::{Value, json};

use crate::answers::{
    ask, ask_stream, attempts, finish, generation_id, log, pair, record, said, settled, stream,
    whole, with,
};
use crate::harness::{Double, Gateway, Streamed};
use crate::streams::assert_error;

/// Forty bytes, which count as ten tokens where the upstream counts none.
const SENT: &str = "0123456789012345678901234567890123456789";

/// Streams from an upstream that fails after [`SENT`]; returns what the client read.
async fn fail_after_sent(answer: Value, config: &str, code: u64, message: &str) {
    let double = Double::start();
    double.script("plain", &answer).await;
    let config = format!("{config}{}", double.model("plain", "openai-chat", true));
    let gateway = Gateway::start(&config).await;
    let response = gateway.post(&ask_stream("plain")).await;
    assert_eq!(response.status(), 200);
    let id = generation_id(&response);
    let read = Streamed::read(&response.text().await.unwrap());
    assert_eq!(read.joined("content"), SENT);
    assert_error(&read, &id, code, message);
    assert_settled_at_sent(&gateway, &id).await;
}

async fn assert_settled_at_sent(gateway: &Gateway, id: &str) {
    let record = record(gateway, id).await;
    assert_eq!(record["native_tokens_completion"], 14, "{record}");
    assert_eq!(record["is_estimated"], true);
    let prompt = record["native_tokens_prompt"].as_f64().unwrap();
    assert!(prompt > 0.0);
    let cost = record["total_cost"].as_f64().unwrap();
    assert!((cost - (prompt + 2.0 * 14.0) / 1e6).abs() < 1e-12, "{record}");
    let credits = settled(gateway).await;
    assert_eq!(credits["total_usage"], record["total_cost"]);
}

#[tokio::test]
async fn a_cut_stream_settles_what_was_sent() {
    let answer = json!({"sse": [said(SENT), said("never sent"), finish()], "cut_after": 1});
    fail_after_sent(answer, "", 502, "plain").await;
}

#[tokio::test]
async fn an_error_in_mid_stream_settles_what_was_sent() {
    let error = json!({"error": {"message": "the model fell over", "code": 503}});
    fail_after_sent(json!({"sse": [said(SENT), error]}), "", 503, "the model fell over").await;
}

#[tokio::test]
async fn a_stream_that_ends_without_its_end_is_an_error() {
    fail_after_sent(json!({"sse": [said(SENT)]}), "", 502, "before its end").await;
}

#[tokio::test]
async fn an_event_that_is_no_json_is_an_error() {
    fail_after_sent(json!({"sse": [said(SENT), "{oops"]}), "", 502, "invalid").await;
}

#[tokio::test]
async fn an_event_that_is_too_large_is_an_error() {
    let answer = json!({"sse": [said(SENT), said(&"x".repeat(100_000)), finish(), "[DONE]"]});
    fail_after_sent(answer, "[upstream]\nevent_bytes_max = 20000\n", 502, "invalid").await;
}

#[tokio::test]
async fn a_silent_stream_ends_at_the_idle_limit() {
    let answer = json!({"sse": [said(SENT)], "hang": "end"});
    fail_after_sent(answer, "[upstream]\nidle_ms = 300\n", 504, "sent nothing").await;
}

#[tokio::test]
async fn a_stream_that_never_ends_ends_at_the_total_limit() {
    // Each event is within the idle limit; only their sum is too long.
    let mut events = vec![said(SENT)];
    events.extend((0..2000).map(|_| json!({"raw": ": still here\n\n"})));
    let answer = json!({"sse": events, "pace_ms": 20});
    fail_after_sent(answer, "[upstream]\ntotal_ms = 1000\n", 504, "1000 ms").await;
}

#[tokio::test]
async fn a_cut_stream_costs_what_the_upstream_reported_when_that_is_more() {
    let double = Double::start();
    let counted = json!({"choices": [{"index": 0, "delta": {"content": SENT}}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 50}});
    double.script("plain", &json!({"sse": [counted, finish()], "cut_after": 1})).await;
    let gateway = Gateway::start(&double.model("plain", "openai-chat", true)).await;
    let response = gateway.post(&ask_stream("plain")).await;
    let id = generation_id(&response);
    response.text().await.unwrap();
    let record = record(&gateway, &id).await;
    assert_eq!(record["total_cost"], 0.0002, "{record}");
    assert_eq!(settled(&gateway).await["total_usage"], 0.0002);
}

#[tokio::test]
async fn a_finished_stream_may_forget_to_close() {
    let double = Double::start();
    double.script("plain", &with(stream(&["Hello"]), &json!({"hang": "end"}))).await;
    let gateway = Gateway::start(&double.model("plain", "openai-chat", true)).await;
    let read = gateway.stream(&ask("plain")).await;
    assert_eq!(read.joined("content"), "Hello");
    assert_eq!(read.usage()["cost"], 0.00002);
    assert!(read.is_done);
}

#[tokio::test]
async fn an_upstream_that_begins_no_reply_in_time_is_followed_by_the_next() {
    let double = Double::start();
    double
        .script("second", &json!({"stream": stream(&["second"]), "whole": whole("second")}))
        .await;
    let config = format!("[upstream]\nfirst_token_ms = 500\n{}", pair(&double));
    let gateway = Gateway::start(&config).await;
    let hanging = [json!({"hang": "head"}), with(stream(&["late"]), &json!({"gate_after": 0}))];
    for answer in hanging {
        double.script("first", &answer).await;
        let response = gateway.post(&ask_stream("pair")).await;
        let id = generation_id(&response);
        assert_eq!(Streamed::read(&response.text().await.unwrap()).joined("content"), "second");
        assert_eq!(attempts(&record(&gateway, &id).await), [504, 200]);
    }
    double.script("first", &json!({"hang": "head"})).await;
    let (status, reply) = gateway.chat(&ask("pair")).await;
    assert_eq!((status, &reply["choices"][0]["message"]["content"]), (200, &json!("second")));
    double.script("second", &json!({"hang": "head"})).await;
    let (status, reply) = gateway.chat(&ask("pair")).await;
    assert_eq!(status, 504, "{reply}");
    assert_eq!(reply["error"]["metadata"]["error_type"], "timeout");
    // Every given up attempt let go of its connection.
    let log = log(&double, "first", 4, 4).await;
    assert!(log.iter().all(|entry| entry["ending"] == "client_left"), "{log:?}");
}
