//! Clients that speak HTTP/2, as a proxy in front would: many streams share a connection, and each
//! may be left alone.

use std::time::Duration;

use serde_json::{Value, json};

use crate::answers::{
    COST, ask, ask_stream, generation_id, log, read_until, record, said, stream, whole, with,
};
use crate::harness::{Double, Gateway, Streamed, http};

/// A client with one HTTP/2 connection.
fn client() -> reqwest::Client {
    drop(http());
    let builder = reqwest::Client::builder().no_proxy().http2_prior_knowledge();
    builder.timeout(Duration::from_secs(60)).build().unwrap()
}

async fn post(client: &reqwest::Client, gateway: &Gateway, body: &Value) -> reqwest::Response {
    let call = client.post(format!("{}/api/v1/chat/completions", gateway.url));
    call.bearer_auth(&gateway.key).body(body.to_string()).send().await.unwrap()
}

#[tokio::test]
async fn streams_share_a_connection_and_one_that_is_left_stops_alone() {
    let double = Double::start();
    let left = json!({"sse": [said("0123456789")], "hang": "end"});
    double.script("left", &left).await;
    double.script("kept", &with(stream(&["Hel", "lo"]), &json!({"gate_after": 1}))).await;
    let models = ["left", "kept"].map(|name| double.model(name, "openai-chat", true)).concat();
    let gateway = Gateway::start(&models).await;
    let client = client();
    let mut kept = post(&client, &gateway, &ask_stream("kept")).await;
    assert_eq!(kept.version(), reqwest::Version::HTTP_2);
    let mut body = read_until(&mut kept, "Hel").await;
    let mut left = post(&client, &gateway, &ask_stream("left")).await;
    let id = generation_id(&left);
    read_until(&mut left, "0123456789").await;
    drop(left);
    assert_eq!(log(&double, "left", 1, 1).await[0]["ending"], "client_left");
    assert_eq!(record(&gateway, &id).await["cancelled"], true);
    double.release("kept").await;
    body.push_str(&kept.text().await.unwrap());
    let read = Streamed::read(&body);
    assert_eq!((read.joined("content").as_str(), read.is_done), ("Hello", true));
    assert_eq!(read.usage()["cost"], COST);
}

#[tokio::test]
async fn a_stop_lets_the_streams_of_a_connection_end() {
    let double = Double::start();
    let script = with(stream(&["Hel", "lo"]), &json!({"gate_after": 1}));
    double.script("plain", &json!({"stream": script, "whole": whole("new")})).await;
    let mut gateway = Gateway::start(&double.model("plain", "openai-chat", true)).await;
    let client = client();
    let mut response = post(&client, &gateway, &ask_stream("plain")).await;
    let mut body = read_until(&mut response, "Hel").await;
    gateway.terminate();
    // On the same connection or on a new one, nothing new begins.
    let mut is_refused = false;
    for _ in 0..500 {
        let call = client.post(format!("{}/api/v1/chat/completions", gateway.url));
        let call = call.bearer_auth(&gateway.key).body(ask("plain").to_string());
        is_refused = call.send().await.map_or(true, |answer| answer.status() == 503);
        if is_refused {
            break;
        }
    }
    assert!(is_refused, "new requests are taken though it stops");
    double.release("plain").await;
    body.push_str(&response.text().await.unwrap());
    assert!(Streamed::read(&body).is_done, "{body}");
    assert!(gateway.wait());
}

#[tokio::test]
async fn a_large_request_arrives_whole() {
    let double = Double::start();
    double.script("plain", &whole("Hello")).await;
    let gateway = Gateway::start(&double.model("plain", "openai-chat", true)).await;
    let mut body = ask("plain");
    body["messages"][0]["content"] = json!("é".repeat(1 << 20));
    let response = post(&client(), &gateway, &body).await;
    assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
    let log = log(&double, "plain", 1, 1).await;
    assert_eq!(log[0]["body"]["messages"], body["messages"]);
}
