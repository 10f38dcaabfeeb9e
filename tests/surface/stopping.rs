//! SIGTERM: what runs ends whole, nothing new begins, the money is settled, and all of it within a
//! limit.

use std::time::Duration;

use serde_json::json;

use crate::answers::{
    COST, ask, ask_stream, generation_id, leave_able, let_it_see, log, read_until, record, said,
    settled, stream, whole, with,
};
use crate::harness::{Double, Gateway, Streamed, http};
use crate::streams::assert_error;

#[tokio::test]
async fn a_stop_lets_running_streams_end_and_takes_nothing_new() {
    let double = Double::start();
    let script = with(stream(&["Hel", "lo"]), &json!({"gate_after": 1}));
    double.script("plain", &json!({"stream": script, "whole": whole("new")})).await;
    let mut gateway = Gateway::start(&double.model("plain", "openai-chat", true)).await;
    let mut response = gateway.post(&ask_stream("plain")).await;
    let id = generation_id(&response);
    let mut body = read_until(&mut response, "Hel").await;
    gateway.terminate();
    until_refused(&gateway).await;
    double.release("plain").await;
    body.push_str(&response.text().await.unwrap());
    let read = Streamed::read(&body);
    assert_eq!(read.joined("content"), "Hello");
    assert_eq!(read.usage()["cost"], COST);
    assert!(read.is_done);
    assert!(ended(&mut gateway).await, "it ended badly");
    let gateway = gateway.restart().await;
    assert_eq!(record(&gateway, &id).await["total_cost"], COST);
    assert_eq!(settled(&gateway).await["total_usage"], COST);
}

#[tokio::test]
async fn a_stop_with_nothing_running_is_prompt_even_with_open_connections() {
    let mut gateway = Gateway::start("").await;
    // A connection without a request, and one that was used and is kept open.
    let address = gateway.url.strip_prefix("http://").unwrap().to_owned();
    let _silent = tokio::net::TcpStream::connect(&address).await.unwrap();
    let client = http();
    client.get(format!("{}/health/ready", gateway.url)).send().await.unwrap();
    gateway.terminate();
    assert!(ended(&mut gateway).await, "it ended badly");
}

#[tokio::test]
async fn a_stop_cuts_what_runs_past_the_limit_and_bills_what_was_sent() {
    let double = Double::start();
    let sent = said("0123456789012345678901234567890123456789");
    double.script("plain", &json!({"sse": [sent], "hang": "end"})).await;
    let model = double.model("plain", "openai-chat", true);
    let config = format!("[server]\ndrain_ms = 300\n[billing]\nhold_ms = 1000\n{model}");
    let mut gateway = Gateway::start(&config).await;
    let mut response = gateway.post(&ask_stream("plain")).await;
    let id = generation_id(&response);
    let body = read_until(&mut response, "6789\"").await;
    gateway.terminate();
    assert!(ended(&mut gateway).await, "it ended badly");
    // The client is told, and the end is as good as any.
    let read = Streamed::read(&format!("{body}{}", response.text().await.unwrap()));
    assert_error(&read, &id, 503, "server.drain_ms");
    let gateway = gateway.restart().await;
    let credits = settled(&gateway).await;
    assert!(credits["total_usage"].as_f64().unwrap() > 0.0, "{credits}");
    let record = record(&gateway, &id).await;
    assert_eq!(record["total_cost"], credits["total_usage"]);
}

#[tokio::test]
async fn a_stop_waits_for_a_reply_that_is_drained_and_billed() {
    let double = Double::start();
    double.script("plain", &with(stream(&["Hel", "lo"]), &json!({"gate_after": 1}))).await;
    let mut gateway = Gateway::start(&double.model("plain", "openai-chat", false)).await;
    let mut response = gateway.post(&ask_stream("plain")).await;
    let id = generation_id(&response);
    read_until(&mut response, "Hel").await;
    drop(response);
    let_it_see(&gateway).await;
    gateway.terminate();
    until_refused(&gateway).await;
    double.release("plain").await;
    assert_eq!(log(&double, "plain", 1, 1).await[0]["ending"], "whole");
    assert!(ended(&mut gateway).await, "it ended badly");
    let gateway = gateway.restart().await;
    let record = record(&gateway, &id).await;
    assert_eq!((&record["cancelled"], &record["total_cost"]), (&json!(true), &json!(COST)));
}

#[tokio::test]
async fn a_stop_past_the_limit_tells_those_who_still_wait() {
    let double = Double::start();
    double.script("plain", &json!({"hang": "head"})).await;
    let model = double.model("plain", "openai-chat", true);
    let mut gateway = Gateway::start(&format!("[server]\ndrain_ms = 300\n{model}")).await;
    let waiting = leave_able(&gateway, &ask("plain"));
    log(&double, "plain", 1, 0).await;
    gateway.terminate();
    let response = waiting.await.unwrap().unwrap();
    assert_eq!(response.status(), 503);
    assert!(response.text().await.unwrap().contains("server.drain_ms"));
    assert_eq!(log(&double, "plain", 1, 1).await[0]["ending"], "client_left");
    assert!(ended(&mut gateway).await, "it ended badly");
    let gateway = gateway.restart().await;
    assert_eq!(settled(&gateway).await["total_usage"], 0);
}

/// Waits until new connections are refused.
async fn until_refused(gateway: &Gateway) {
    let address = gateway.url.strip_prefix("http://").unwrap();
    for _ in 0..500 {
        if tokio::net::TcpStream::connect(address).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("connections are still accepted");
}

/// Waits for the process, and says whether it ended well.
async fn ended(gateway: &mut Gateway) -> bool {
    for _ in 0..1000 {
        if let Some(ended_well) = gateway.has_ended() {
            return ended_well;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the gateway did not end");
}
