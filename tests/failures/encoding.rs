//! Failure: an upstream's body is compressed, and its stream is held back until it ends, shown as
//! it is, or announced as something that it is not.

use serde_json::{Value, json};

use crate::answers::{ask, ask_stream, read_until, stream, whole, with};
use crate::harness::{Double, Gateway, Streamed};

const TEXTS: [&str; 4] = ["Grüße — ", "日本語 ", "🦀 and \"quotes\"\n", "end"];

/// Every encoding, cut into pieces of every kind, seen by a plugin or by nobody.
fn ways() -> Vec<(Value, Value)> {
    let mut ways = Vec::new();
    for encoding in ["", "gzip", "br", "zstd"] {
        for split in [0, 1, 7] {
            for plugins in [json!([]), json!([{"id": "reasoning"}])] {
                let mut way = json!({});
                if !encoding.is_empty() {
                    way["content_encoding"] = json!(encoding);
                }
                if split > 0 {
                    way["split"] = json!(split);
                }
                ways.push((way, plugins));
            }
        }
    }
    ways
}

#[tokio::test]
async fn a_compressed_stream_arrives_plain_and_whole() {
    let double = Double::start();
    let gateway = Gateway::start(&double.model("plain", "openai-chat", true)).await;
    for (way, plugins) in ways() {
        double.script("plain", &with(stream(&TEXTS), &way)).await;
        let response = gateway.post(&with(ask_stream("plain"), &json!({"plugins": plugins}))).await;
        assert!(!response.headers().contains_key("content-encoding"), "{way} {plugins}");
        let read = Streamed::read(&response.text().await.unwrap());
        assert_eq!(read.joined("content"), TEXTS.concat(), "{way} {plugins}");
        assert_eq!(read.finishes(), ["stop"], "{way} {plugins}");
        assert!(read.is_done, "{way} {plugins}");
    }
}

#[tokio::test]
async fn a_compressed_reply_arrives_plain_and_whole() {
    let double = Double::start();
    let gateway = Gateway::start(&double.model("plain", "openai-chat", true)).await;
    for (way, plugins) in ways() {
        double.script("plain", &with(whole(&TEXTS.concat()), &way)).await;
        let response = gateway.post(&with(ask("plain"), &json!({"plugins": plugins}))).await;
        assert!(!response.headers().contains_key("content-encoding"), "{way} {plugins}");
        let announced = response.content_length();
        let body = response.text().await.unwrap();
        assert_eq!(announced, Some(u64::try_from(body.len()).unwrap()), "{way} {plugins}");
        let reply: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(reply["choices"][0]["message"]["content"], json!(TEXTS.concat()), "{way}");
    }
}

#[tokio::test]
async fn a_compressed_stream_is_shown_while_it_goes_on() {
    let double = Double::start();
    let gateway = Gateway::start(&double.model("plain", "openai-chat", true)).await;
    for encoding in ["gzip", "br", "zstd"] {
        let way = json!({"content_encoding": encoding, "gate_after": 1});
        double.script("plain", &with(stream(&["first", "second"]), &way)).await;
        let mut response = gateway.post(&ask_stream("plain")).await;
        // The upstream waits for the test, which waits for this.
        let mut body = read_until(&mut response, "first").await;
        assert!(!body.contains("second"), "{encoding}: {body}");
        double.release("plain").await;
        body.push_str(&response.text().await.unwrap());
        assert_eq!(Streamed::read(&body).joined("content"), "firstsecond", "{encoding}");
    }
}
