//! Clients that leave while a plugin's model call runs: the call is billed, once, on the
//! generation, and nothing stays held.

use serde_json::{Value, json};

use super::bill::side;
use super::{charged, double, gateway, grant, nanos, with};
use crate::harness::{Double, Gateway, http};

/// The side model waits for its gate, and clients soon get headers, in which the id is.
async fn begin(limits: &str) -> (Double, Gateway) {
    let double = double().await;
    let mut script = super::reply(&[super::SIDE]);
    script["whole"]["gate_after"] = json!(0);
    double.script("side", &script).await;
    let soon = "[server]\nfirst_comment_ms = 50\ncomment_ms = 50\n";
    let config = format!("{soon}{}{limits}", grant(&["models"]));
    let gateway = gateway(&double, &config).await;
    (double, gateway)
}

/// Asks, waits until the plugin's call has reached the side model, and leaves.
async fn leave(double: &Double, gateway: &Gateway, body: &Value) -> String {
    let mut body = body.clone();
    body["stream"] = json!(true);
    // A connection of its own, which ends with it.
    let call = http().post(format!("{}/api/v1/chat/completions", gateway.url));
    let call = call.bearer_auth(&gateway.key).header("content-type", "application/json");
    let mut response = call.body(body.to_string()).send().await.unwrap();
    let id = response.headers()["x-generation-id"].to_str().unwrap().to_owned();
    double.log_when("side", 1, 0).await;
    assert!(response.chunk().await.unwrap().is_some(), "a comment at least");
    drop(response);
    // A whole simulated reply later the gateway has seen it.
    let sim = json!({"model": "patchbay/sim", "messages": [{"role": "user", "content": "Hi"}]});
    assert_eq!(gateway.chat(&sim).await.0, 200);
    id
}

/// The record, whose one call was billed once.
async fn billed_once(double: &Double, gateway: &Gateway, id: &str) -> Value {
    let log = double.log_when("side", 1, 1).await;
    assert_eq!(log[0]["ending"], "whole", "the call was given up: {log}");
    // A call that ends after its generation is added to the record then.
    let is_there = |_, body: &Value| body["data"]["plugin_calls"][0].is_object();
    let found = gateway.until(&format!("/generation?id={id}"), is_there).await;
    let record = found["data"].clone();
    let calls = record["plugin_calls"].as_array().unwrap();
    assert_eq!(calls.len(), 1, "{record}");
    assert_eq!(nanos(&calls[0]["cost"]), 2_000_000, "{record}");
    assert_eq!(charged(gateway).await, nanos(&record["total_cost"]), "{record}");
    assert_eq!(double.log("side").await.as_array().unwrap().len(), 1);
    record
}

#[tokio::test]
async fn leaving_during_a_call_in_the_request_hook_is_billed_once() {
    let (double, gateway) = begin("").await;
    let id = leave(&double, &gateway, &with(&json!({"model": side()}))).await;
    double.release("side").await;
    let record = billed_once(&double, &gateway, &id).await;
    assert_eq!(record["cancelled"], true, "{record}");
    assert_eq!(nanos(&record["total_cost"]), 2_000_000, "the model was not asked: {record}");
}

#[tokio::test]
async fn leaving_during_a_call_in_the_stream_hook_is_billed_once() {
    for place in ["push", "finish"] {
        let (double, gateway) = begin("").await;
        let body = with(&json!({"model": side(), "at": place}));
        let id = leave(&double, &gateway, &body).await;
        double.release("side").await;
        let record = billed_once(&double, &gateway, &id).await;
        assert_eq!(record["cancelled"], true, "{place}: {record}");
        let own = nanos(&record["total_cost"]) - 2_000_000;
        assert!((1..=2_000_000).contains(&own), "{place}: the reply was billed too: {record}");
    }
}

#[tokio::test]
async fn a_call_that_its_plugin_gave_up_is_billed_once() {
    let (double, gateway) = begin("[plugin.caller.limits]\nwall_ms = 500\n").await;
    let (status, body) = gateway.chat(&with(&json!({"model": side()}))).await;
    assert_eq!(status, 200, "{body}");
    // The reply does not wait for what nobody waits for.
    let log = double.log("side").await;
    assert_eq!(log[0]["ending"], "open", "{log}");
    double.release("side").await;
    let record = billed_once(&double, &gateway, body["id"].as_str().unwrap()).await;
    assert_eq!(nanos(&record["total_cost"]), 4_000_000, "{record}");
}
