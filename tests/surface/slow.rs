//! Clients that do not read: they hold their upstream back, and count as gone after a while.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::answers::{ask_stream, finish, log, said, settled, usage};
use crate::harness::{Double, Gateway};

/// More than all buffers between double and client hold.
const EVENTS: usize = 2500;
const EVENT_BYTES: usize = 16 << 10;
const BYTES: usize = EVENTS * EVENT_BYTES;

fn flood() -> Value {
    let text = "x".repeat(EVENT_BYTES);
    let mut events: Vec<Value> = (0..EVENTS).map(|_| said(&text)).collect();
    events.extend([finish(), usage(10, 5), json!("[DONE]")]);
    json!({"sse": events})
}

/// Asks for the flood on a connection with a small window, and reads nothing yet.
async fn ask_and_stop(gateway: &Gateway) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 << 10).unwrap();
    let address = gateway.url.strip_prefix("http://").unwrap().parse().unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let body = ask_stream("flood").to_string();
    let head = format!(
        "POST /api/v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        gateway.key,
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).await.unwrap();
    stream
}

/// Waits until the double sends no more, though it has more; returns what it sent.
async fn until_held_back(double: &Double) -> usize {
    let mut last = 0;
    let mut unchanged = 0;
    for _ in 0..600 {
        let log = log(double, "flood", 1, 0).await;
        assert_eq!(log[0]["ending"], "open", "the upstream was not held back");
        let sent = usize::try_from(log[0]["bytes_sent"].as_u64().unwrap()).unwrap();
        unchanged = if sent == last && sent > 0 { unchanged + 1 } else { 0 };
        last = sent;
        if unchanged == 10 {
            return sent;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the upstream sent on and on: {last}");
}

/// Writes until that fails, as it does once the other side has closed the connection.
async fn until_closed(stream: &mut TcpStream) {
    for _ in 0..500 {
        if stream.write_all(b"\r\n").await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the connection is kept though its client counts as gone");
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_its_upstream_back_and_loses_nothing() {
    let double = Double::start();
    double.script("flood", &flood()).await;
    let gateway = Gateway::start(&double.model("flood", "openai-chat", true)).await;
    let mut stream = ask_and_stop(&gateway).await;
    let sent = until_held_back(&double).await;
    assert!(sent < BYTES / 4 * 3, "{sent}");
    let mut all = Vec::new();
    tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut all))
        .await
        .unwrap()
        .unwrap();
    let count = all.iter().filter(|byte| **byte == b'x').count();
    assert!(count >= BYTES, "{count}");
    let end = String::from_utf8_lossy(&all[all.len() - 200..]).into_owned();
    assert!(end.contains("data: [DONE]"), "{end}");
    assert_eq!(settled(&gateway).await["total_usage"], 0.00002);
}

#[tokio::test]
async fn a_client_that_reads_nothing_for_too_long_counts_as_gone() {
    let double = Double::start();
    double.script("flood", &flood()).await;
    let model = double.model("flood", "openai-chat", true);
    let gateway = Gateway::start(&format!("[server]\nclient_stall_ms = 500\n{model}")).await;
    let mut stream = ask_and_stop(&gateway).await;
    let log = log(&double, "flood", 1, 1).await;
    assert_eq!(log[0]["ending"], "client_left");
    let sent = usize::try_from(log[0]["bytes_sent"].as_u64().unwrap()).unwrap();
    assert!(sent < BYTES, "{sent}");
    assert!(settled(&gateway).await["total_usage"].as_f64().unwrap() > 0.0);
    until_closed(&mut stream).await;
    // What it still reads must not look like the whole reply.
    let mut all = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut all)).await;
    assert!(!String::from_utf8_lossy(&all).contains("[DONE]"), "a reply with a hole looks whole");
}

#[tokio::test]
async fn a_drained_reply_that_a_slow_client_missed_never_looks_whole() {
    let double = Double::start();
    double.script("flood", &flood()).await;
    let model = double.model("flood", "openai-chat", false);
    let gateway = Gateway::start(&format!("[server]\nclient_stall_ms = 2000\n{model}")).await;
    let mut stream = ask_and_stop(&gateway).await;
    // The upstream bills anyway, so it is read to its end without the client.
    assert_eq!(log(&double, "flood", 1, 1).await[0]["ending"], "whole");
    let mut all = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut all)).await;
    assert!(!String::from_utf8_lossy(&all).contains("[DONE]"), "a reply with a hole looks whole");
    assert_eq!(settled(&gateway).await["total_usage"], 0.00002);
}
