//! Several replies to one request (`n`) from providers that make one at a time.

use serde_json::{Value, json};

use crate::answers::{ask, ask_stream, generation_id, log, record, settled, stream, whole, with};
use crate::harness::{Double, Gateway, Streamed};

/// A model behind the double whose provider knows no `n`.
fn model(double: &Double) -> String {
    double.model("one", "openai-chat", true).replacen(
        "credential = \"none\"\n",
        "credential = \"none\"\nquirks = { no_n = true, stream_options = true }\n",
        1,
    )
}

fn wanting(mut body: Value, n: u32) -> Value {
    body["n"] = json!(n);
    body
}

#[tokio::test]
async fn a_provider_that_makes_one_reply_is_asked_for_each_choice() {
    let double = Double::start();
    double.script("one", &json!([whole("a"), whole("b"), whole("c")])).await;
    let gateway = Gateway::start(&model(&double)).await;
    let (status, reply) = gateway.chat(&wanting(ask("one"), 3)).await;
    assert_eq!(status, 200, "{reply}");
    let choices = reply["choices"].as_array().unwrap();
    let mut texts: Vec<&str> =
        choices.iter().map(|choice| choice["message"]["content"].as_str().unwrap()).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["a", "b", "c"]);
    let numbers: Vec<_> = choices.iter().map(|choice| choice["index"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [0, 1, 2]);
    assert_eq!(reply["usage"]["prompt_tokens"], 30);
    assert_eq!(reply["usage"]["completion_tokens"], 15);
    let asked = log(&double, "one", 3, 3).await;
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|one| one["body"]["model"] == "up"), "{asked:?}");
    assert!(asked.iter().all(|one| one["body"].get("n").is_none()), "{asked:?}");
    settled(&gateway).await;
}

#[tokio::test]
async fn streams_go_on_as_one_with_a_choice_each_and_one_sum_of_counts() {
    let double = Double::start();
    double.script("one", &json!([stream(&["a", "a"]), stream(&["b", "b"])])).await;
    let gateway = Gateway::start(&model(&double)).await;
    let response = gateway.post(&wanting(ask_stream("one"), 2)).await;
    assert_eq!(response.status(), 200);
    let id = generation_id(&response);
    let read = Streamed::read(&response.text().await.unwrap());
    let said_by = |number: u64| -> String {
        let deltas = read.chunks.iter().flat_map(|chunk| chunk["choices"].as_array().unwrap());
        let mine = deltas.filter(|choice| choice["index"] == number);
        mine.filter_map(|choice| choice["delta"]["content"].as_str()).collect()
    };
    let mut texts = [said_by(0), said_by(1)];
    texts.sort();
    assert_eq!(texts, ["aa", "bb"]);
    assert_eq!(read.finishes(), ["stop", "stop"]);
    assert_eq!(read.usage()["prompt_tokens"], 20);
    assert_eq!(read.usage()["completion_tokens"], 10);
    let kept = record(&gateway, &id).await;
    assert_eq!(kept["tokens_prompt"], 20, "{kept}");
    settled(&gateway).await;
}

#[tokio::test]
async fn when_one_of_them_fails_the_others_are_cancelled() {
    let double = Double::start();
    let open = with(stream(&["a"]), &json!({"gate_after": 0}));
    let busy = json!({"status": 503, "body": {"error": {"message": "busy"}}});
    double.script("one", &json!([open, busy])).await;
    let gateway = Gateway::start(&model(&double)).await;
    let (status, body) = gateway.chat(&wanting(ask_stream("one"), 2)).await;
    assert_eq!(status, 503, "{body}");
    assert_eq!(body["error"]["availability"]["code"], "temporarily_unavailable", "{body}");
    assert_eq!(body["error"]["availability"]["affected_providers"], json!(["one"]));
    // The double notes an end for a connection that was closed, too.
    log(&double, "one", 2, 2).await;
    settled(&gateway).await;
}

#[tokio::test]
async fn more_than_is_allowed_is_refused_before_anything_is_asked() {
    let double = Double::start();
    double.script("one", &stream(&["a"])).await;
    let gateway = Gateway::start(&model(&double)).await;
    let (status, body) = gateway.chat(&wanting(ask("one"), 9)).await;
    assert_eq!(status, 404, "{body}");
    assert!(body["error"]["message"].as_str().unwrap().contains("fan_out_max"), "{body}");
    assert!(log(&double, "one", 0, 0).await.is_empty());
    settled(&gateway).await;
}
