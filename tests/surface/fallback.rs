//! Attempts that fail before their first chunk, and what is tried then.

use serde_json::{Value, json};

use crate::answers::{
    ask, ask_stream, attempts, finish, generation_id, log, metric, model, pair, provider, record,
    refusing, said, settled, stream, whole,
};
use crate::harness::{Double, Gateway, Streamed};

/// Answers that count as failed, streamed, with the status that the record notes.
fn failures() -> Vec<(&'static str, Value, u64)> {
    let error = json!({"error": {"message": "it went wrong", "code": 500}});
    let announced =
        json!({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]});
    vec![
        ("500", json!({"status": 500, "body": error}), 502),
        ("502 in HTML", json!({"status": 502, "body": "<html>Bad Gateway</html>"}), 502),
        ("503", json!({"status": 503, "body": error}), 503),
        ("429", json!({"status": 429, "body": error}), 429),
        ("401", json!({"status": 401, "body": error}), 401),
        ("402", json!({"status": 402, "body": error}), 402),
        ("403", json!({"status": 403, "body": error}), 403),
        ("404", json!({"status": 404, "body": error}), 404),
        ("an error first", json!({"sse": [error]}), 502),
        ("an error after the role", json!({"sse": [announced, error]}), 502),
        ("no JSON", json!({"sse": ["{oops"]}), 502),
        ("an empty stream", json!({"sse": []}), 502),
        ("an end without a chunk", json!({"sse": ["[DONE]"]}), 502),
        ("a cut before an event", json!({"sse": [said("x"), finish()], "cut_bytes": 5}), 502),
        ("an error as JSON", json!({"body": error}), 502),
    ]
}

#[tokio::test]
async fn a_failed_attempt_is_followed_by_the_next_endpoint() {
    let double = Double::start();
    double
        .script("second", &json!({"stream": stream(&["second"]), "whole": whole("second")}))
        .await;
    let gateway = Gateway::start(&pair(&double)).await;
    let mut count = 0.0;
    for (name, failure, status) in failures() {
        double.script("first", &failure).await;
        let response = gateway.post(&ask_stream("pair")).await;
        assert_eq!(response.status(), 200, "{name}: {}", response.text().await.unwrap());
        let id = generation_id(&response);
        let read = Streamed::read(&response.text().await.unwrap());
        assert_eq!(read.joined("content"), "second", "{name}");
        assert!(read.chunks.iter().all(|chunk| chunk["provider"] == "second"), "{name}");
        let found = attempts(&record(&gateway, &id).await);
        assert_eq!(found.len(), 2, "{name}: {found:?}");
        assert_eq!(found, [status, 200], "{name}");
        count += 1.0;
    }
    assert_eq!(metric(&gateway, "patchbay_fallbacks_total").await, count);
}

#[tokio::test]
async fn a_reply_that_is_not_streamed_falls_back_too() {
    let double = Double::start();
    double.script("second", &whole("second")).await;
    let gateway = Gateway::start(&pair(&double)).await;
    let error = json!({"error": {"message": "it went wrong", "code": 500}});
    let failures = [
        json!({"status": 500, "body": error}),
        json!({"status": 429, "body": error}),
        json!({"body": error}),
        json!({"body": "no JSON"}),
        json!({"body": {"id": "x", "choices": []}, "cut_bytes": 3}),
    ];
    for failure in failures {
        double.script("first", &failure).await;
        let (status, reply) = gateway.chat(&ask("pair")).await;
        assert_eq!(status, 200, "{failure}: {reply}");
        assert_eq!(reply["choices"][0]["message"]["content"], "second", "{failure}");
    }
}

#[tokio::test]
async fn a_refused_connection_falls_back() {
    let double = Double::start();
    double.script("second", &stream(&["second"])).await;
    let (_held, address) = refusing();
    let config = format!(
        "{}{}{}",
        provider("first", &format!("http://{address}/v1")),
        provider("second", &format!("{}/second", double.url)),
        model("pair", &["first", "second"]) + &model("alone", &["first"]),
    );
    let gateway = Gateway::start(&config).await;
    let response = gateway.post(&ask_stream("pair")).await;
    let id = generation_id(&response);
    assert_eq!(Streamed::read(&response.text().await.unwrap()).joined("content"), "second");
    assert_eq!(attempts(&record(&gateway, &id).await), [502, 200]);
    let (status, body) = gateway.chat(&ask("alone")).await;
    assert_eq!(status, 502, "{body}");
    assert!(!body.to_string().contains(&address.port().to_string()), "{body}");
}

#[tokio::test]
async fn a_request_that_is_wrong_is_wrong_for_every_endpoint() {
    let double = Double::start();
    let failure = json!({"status": 400, "body": {"error": {"message": "max_tokens is too much"}}});
    double.script("first", &failure).await;
    double.script("second", &stream(&["second"])).await;
    let gateway = Gateway::start(&pair(&double)).await;
    let (status, body) = gateway.chat(&ask_stream("pair")).await;
    assert_eq!(status, 400, "{body}");
    assert!(body["error"]["message"].as_str().unwrap().contains("max_tokens is too much"));
    assert!(log(&double, "second", 0, 0).await.is_empty());
    settled(&gateway).await;
}

#[tokio::test]
async fn without_fallbacks_the_first_failure_is_the_reply() {
    let double = Double::start();
    double.script("first", &json!({"status": 503, "body": "busy"})).await;
    double.script("second", &stream(&["second"])).await;
    let gateway = Gateway::start(&pair(&double)).await;
    let mut body = ask_stream("pair");
    body["provider"] = json!({"allow_fallbacks": false});
    let (status, reply) = gateway.chat(&body).await;
    assert_eq!(status, 503, "{reply}");
    assert!(log(&double, "second", 0, 0).await.is_empty());
    body["provider"] = json!({"order": ["second"], "allow_fallbacks": false});
    assert_eq!(gateway.stream(&body).await.joined("content"), "second");
}

#[tokio::test]
async fn when_all_fail_the_last_failure_is_told_with_the_earlier_ones() {
    let double = Double::start();
    double.script("first", &json!({"status": 429, "body": "first"})).await;
    let failure = json!({"status": 503, "body": {"error": {"message": "second failed"}}});
    double.script("second", &failure).await;
    let gateway = Gateway::start(&pair(&double)).await;
    let (status, body) = gateway.chat(&ask("pair")).await;
    assert_eq!(status, 503, "{body}");
    let metadata = &body["error"]["metadata"];
    assert_eq!(metadata["provider_name"], "second", "{body}");
    assert_eq!(metadata["previous_errors"][0]["provider"], "first");
    assert_eq!(metadata["previous_errors"][0]["status"], 429);
    assert_eq!(settled(&gateway).await["total_usage"], 0);
}

#[tokio::test]
async fn another_model_is_tried_when_the_first_has_failed() {
    let double = Double::start();
    double.script("first", &json!({"status": 500, "body": "no"})).await;
    double.script("second", &stream(&["second"])).await;
    let config = pair(&double) + &model("one", &["first"]) + &model("two", &["second"]);
    let gateway = Gateway::start(&config).await;
    let mut body = ask_stream("one");
    body["models"] = json!(["test/two"]);
    let read = gateway.stream(&body).await;
    assert_eq!(read.joined("content"), "second");
    assert!(read.chunks.iter().all(|chunk| chunk["model"] == "test/two"));
}
