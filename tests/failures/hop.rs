//! Failure: the first token takes so long that a hop between client and gateway closes the idle
//! connection. The settings are the ones that a gateway has by itself.
//!
//! Bedrock's streams are not here: its frames have no ping, and its clients do not pass over an
//! event that they don't know, so the gateway has nothing to keep them alive with.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::answers::{stream, with};
use crate::harness::{Double, Gateway, http};
use crate::spoken::{saying, surfaces};

/// How long the hop lets a connection lie idle.
const IDLE: Duration = Duration::from_secs(3);

/// How long the upstream says nothing.
const SILENCE_MS: u64 = 8_000;

#[tokio::test]
async fn a_silent_upstream_survives_a_hop_that_closes_idle_connections() {
    let double = Double::start();
    let script = with(stream(&["Hello"]), &json!({"head_ms": SILENCE_MS}));
    double.script("plain", &script).await;
    let gateway = Gateway::start(&double.model("plain", "openai-chat", true)).await;
    let hop = hop(gateway.url.strip_prefix("http://").unwrap().parse().unwrap()).await;
    let asked = SURFACES.map(|(path, body, said, end)| {
        let request = http()
            .post(format!("http://{hop}{path}"))
            .bearer_auth(&gateway.key)
            .header("content-type", "application/json")
            .body(body.to_owned());
        async move {
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 200, "{path}");
            let text = response.text().await;
            let text = text.unwrap_or_else(|error| panic!("{path} was closed: {error}"));
            assert!(text.contains(said) && text.contains(end), "{path}: {text}");
        }
    });
    for ended in asked.map(tokio::spawn) {
        ended.await.unwrap();
    }
}

/// Path, body, what is said and what ends the stream.
const SURFACES: [(&str, &str, &str, &str); 7] = [
    (
        "/v1/chat/completions",
        r#"{"model":"test/plain","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#,
        "Hello",
        "[DONE]",
    ),
    (
        "/v1/messages",
        r#"{"model":"test/plain","stream":true,"max_tokens":9,
            "messages":[{"role":"user","content":"Hi"}]}"#,
        "Hello",
        "message_stop",
    ),
    (
        "/v1beta/models/test/plain:streamGenerateContent?alt=sse",
        r#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}"#,
        "Hello",
        "STOP",
    ),
    (
        "/v1/responses",
        r#"{"model":"test/plain","stream":true,"input":"Hi"}"#,
        "Hello",
        "response.completed",
    ),
    ("/v1/completions", r#"{"model":"test/plain","stream":true,"prompt":"Hi"}"#, "Hello", "[DONE]"),
    (
        "/v2/chat",
        r#"{"model":"test/plain","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#,
        "Hello",
        "message-end",
    ),
    (
        "/api/chat",
        r#"{"model":"test/plain","messages":[{"role":"user","content":"Hi"}]}"#,
        "Hello",
        "\"done\":true",
    ),
];

/// Once a surface has pinged, its status is sent: what fails then is told in the stream.
#[tokio::test]
async fn what_fails_behind_a_ping_is_told_in_the_stream_of_every_surface() {
    let double = Double::start();
    let script = json!({"status": 500, "body": {"error": {"message": "No."}}, "head_ms": 1_000});
    double.script("plain", &script).await;
    let model = double.model("plain", "openai-chat", true);
    let soon = "[server]\nfirst_comment_ms = 20\ncomment_ms = 20\n";
    let gateway = Gateway::start(&format!("{soon}{model}")).await;
    for surface in surfaces() {
        let name = surface.dialect.name();
        let told = surface.ask(&gateway, &saying("test/plain", "Hi", true), &json!({})).await;
        // Without a ping there is still a status to tell it by.
        if name != "bedrock-converse" {
            assert_eq!(told.status, 200, "{name}: {}", told.body);
        }
        let failure = told.failure.unwrap_or_else(|| panic!("{name}: {}", told.body));
        assert!(failure.message.contains("No."), "{name}: {failure:?}");
    }
}

/// A hop that passes bytes both ways and closes a connection on which nothing moved for a while.
async fn hop(to: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass(client, to));
        }
    });
    address
}

async fn pass(mut client: TcpStream, to: SocketAddr) {
    let mut server = TcpStream::connect(to).await.unwrap();
    let (mut up, mut down) = ([0; 4096], [0; 4096]);
    loop {
        let moved = tokio::select! {
            read = client.read(&mut up) => match read {
                Ok(1..) => server.write_all(&up[..read.unwrap()]).await,
                _ => return,
            },
            read = server.read(&mut down) => match read {
                Ok(1..) => client.write_all(&down[..read.unwrap()]).await,
                _ => return,
            },
            () = tokio::time::sleep(IDLE) => return,
        };
        if moved.is_err() {
            return;
        }
    }
}
