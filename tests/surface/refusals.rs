//! Requests that are refused: each with its status, and a message that names what is wrong. What
//! belongs to the operator (credentials, upstream addresses) is never told.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::answers::{ask, ask_stream, model, provider, said, stream, whole};
use crate::harness::{Double, Gateway, http};

/// A change to a good request, and what its refusal must be.
fn wrong_requests() -> Vec<(Value, u16, Vec<&'static str>)> {
    vec![
        (json!({"messages": 5}), 400, vec!["messages"]),
        (json!({"messages": []}), 400, vec!["messages"]),
        (json!({"messages": ["hi"]}), 400, vec!["messages[0]"]),
        (json!({"messages": [{"content": "x"}]}), 400, vec!["messages[0]", "role"]),
        (json!({"messages": [{"role": "wizard", "content": "x"}]}), 400, vec!["messages[0].role"]),
        (json!({"messages": [{"role": "user", "content": 7}]}), 400, vec!["messages[0].content"]),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "text"}]}]}),
            400,
            vec!["messages[0].content[0]", "text"],
        ),
        (json!({"model": 5}), 400, vec!["model"]),
        (json!({"model": null}), 400, vec!["model"]),
        (json!({"temperature": "hot"}), 400, vec!["temperature"]),
        (json!({"max_tokens": -1}), 400, vec!["max_tokens"]),
        (json!({"max_tokens": 1.5}), 400, vec!["max_tokens"]),
        (json!({"tools": {}}), 400, vec!["tools"]),
        (json!({"tools": [{"type": "function"}]}), 400, vec!["tools[0]"]),
        (json!({"stream": "yes"}), 400, vec!["stream"]),
        (json!({"provider": {"sort": "fastest"}}), 400, vec!["provider.sort"]),
        (json!({"plugins": [{"id": "nonesuch"}]}), 400, vec!["nonesuch", "reasoning"]),
        (json!({"plugins": {"id": "reasoning"}}), 400, vec!["plugins"]),
        (json!({"plugins": [{"id": "reasoning", "tags": 5}]}), 400, vec!["reasoning", "tags"]),
        (
            json!({"model": "test/unknown"}),
            400,
            vec!["test/unknown is not a valid model ID", "[[model]]\nid = \"test/unknown\""],
        ),
        (json!({"model": "test/plain:nonesuch"}), 400, vec!["`:nonesuch`", "floor"]),
        (json!({"models": ["test/unknown"]}), 400, vec!["test/unknown"]),
        (json!({"model": "test/unpriced"}), 404, vec!["no price", "billing.allow_unpriced"]),
        (json!({"model": "openai/gpt-5-mini"}), 404, vec!["OPENAI_API_KEY is not set"]),
        (
            json!({"model": "test/toolless",
                "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]}),
            404,
            vec!["No endpoints found that support tool use"],
        ),
        (
            json!({"provider": {"only": ["nobody"]}}),
            404,
            vec!["No allowed providers are available for the selected model", "plain"],
        ),
        (json!({"provider": {"max_price": {"prompt": 0.01}}}), 404, vec!["provider.max_price"]),
        (json!({"provider": {"zdr": true}}), 404, vec!["provider.zdr"]),
    ]
}

#[tokio::test]
async fn a_wrong_request_is_refused_with_the_field_and_the_fix() {
    let double = Double::start();
    double.script("plain", &json!({"stream": stream(&["x"]), "whole": whole("x")})).await;
    let unpriced = "[[model]]\nid = \"test/unpriced\"\ncontext_length = 1000\n\
                    [[model.endpoint]]\nprovider = \"plain\"\nmodel = \"up\"\n";
    let toolless = model("toolless", &["plain"])
        .replace("context_length", "supported_parameters = [\"max_tokens\"]\ncontext_length");
    let config = format!("{}{unpriced}{toolless}", double.model("plain", "openai-chat", true));
    let gateway = Gateway::start(&config).await;
    let mut failures = Vec::new();
    for (change, status, words) in wrong_requests() {
        for mut body in [ask("plain"), ask_stream("plain")] {
            for (name, value) in change.as_object().unwrap() {
                body[name] = value.clone();
            }
            let (found, reply) = gateway.chat(&body).await;
            let message = reply["error"]["message"].as_str().unwrap_or_default();
            let is_told = words.iter().all(|word| message.contains(word));
            if found != status || !is_told || reply["error"]["code"] != found {
                failures
                    .push(format!("{change}: expected {status} {words:?}, got {found} {reply}"));
                break;
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let log = double.log("plain").await;
    assert_eq!(log, json!([]), "none of them went out");
}

#[tokio::test]
async fn bodies_that_are_no_json_are_refused() {
    let gateway = Gateway::start("").await;
    for body in ["", "{", "[]", "null", "\"x\"", "{\"model\": \"a/b\",}", "\u{0}"] {
        let response = gateway.post_with(&gateway.key, body.to_owned()).await;
        let status = response.status();
        let text = response.text().await.unwrap();
        assert_eq!(status, 400, "{body}: {text}");
        let reply: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(reply["error"]["metadata"]["error_type"], "invalid_request", "{body}");
    }
}

#[tokio::test]
async fn a_caller_without_a_good_key_is_refused() {
    let gateway = Gateway::start("").await;
    let url = format!("{}/api/v1/chat/completions", gateway.url);
    let cases = [
        (None, "Missing Authentication header"),
        (Some("Bearer ".to_owned()), "Missing Authentication header"),
        (Some(format!("Basic {}", gateway.key)), "Missing Authentication header"),
        (Some("Bearer sk-or-v1-0000".to_owned()), "Invalid API key"),
        (Some(format!("Bearer {}x", gateway.key)), "Invalid API key"),
    ];
    for (header, message) in cases {
        let mut call = http().post(&url).body(ask("plain").to_string());
        if let Some(header) = &header {
            call = call.header("authorization", header);
        }
        let response = call.send().await.unwrap();
        assert_eq!(response.status(), 401, "{header:?}");
        let reply: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(reply["error"]["message"], message);
        assert_eq!(reply["error"]["code"], 401);
    }
}

#[tokio::test]
async fn paths_and_methods_that_do_not_exist_are_refused_in_json() {
    let gateway = Gateway::start("").await;
    for path in ["/", "/api/v1/nothing", "/api/v2/chat/completions", "/v1", "/health"] {
        let response = http().get(format!("{}{path}", gateway.url)).send().await.unwrap();
        assert_eq!(response.status(), 404, "{path}");
        let reply: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(reply["error"]["code"], 404, "{path}");
    }
    for path in ["/api/v1/chat/completions", "/v1/chat/completions"] {
        let response = http().get(format!("{}{path}", gateway.url)).send().await.unwrap();
        assert_eq!(response.status(), 405, "{path}");
        let reply: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(reply["error"]["code"], 405, "{path}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let gateway = Gateway::start("[server]\nbody_bytes_max = 10000\n").await;
    let mut body = ask("plain");
    body["messages"][0]["content"] = json!("x".repeat(20_000));
    let (status, reply) = gateway.chat(&body).await;
    assert_eq!(status, 413, "{reply}");
    assert!(reply["error"]["message"].as_str().unwrap().contains("10000"), "{reply}");
    assert_eq!(reply["error"]["metadata"]["error_type"], "payload_too_large");
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let gateway = Gateway::start("[server]\nhead_bytes_max = 8192\n").await;
    let head =
        format!("GET /health/live HTTP/1.1\r\nhost: x\r\nx-much: {}\r\n\r\n", "y".repeat(9000));
    let answer = talk(&gateway, &head).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_slow_body_and_a_slow_head_are_refused() {
    let gateway = Gateway::start("[server]\nbody_ms = 300\nhead_ms = 300\n").await;
    let head = format!(
        "POST /api/v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-length: 100\r\nconnection: close\r\n\r\n{{\"model\"",
        gateway.key
    );
    let answer = talk(&gateway, &head).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("300 ms"), "{answer}");
    // A head that never ends closes its connection.
    let answer = talk(&gateway, "GET /health/live HTTP/1.1\r\nhost").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
}

/// Sends bytes and reads until the gateway closes the connection.
async fn talk(gateway: &Gateway, bytes: &str) -> String {
    let address = gateway.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    let limit = std::time::Duration::from_secs(20);
    let ended = tokio::time::timeout(limit, reading).await;
    assert!(ended.is_ok(), "the connection stays open");
    String::from_utf8_lossy(&answer).into_owned()
}

const CREDENTIAL: &str = "sk-upstream-very-secret-credential";

/// A provider that wants a credential, behind the double.
fn guarded(double: &Double) -> String {
    let provider = provider("guarded", &format!("{}/guarded", double.url));
    let provider = provider.replace("\"none\"", &format!("\"{CREDENTIAL}\""));
    provider + &model("guarded", &["guarded"])
}

#[tokio::test]
async fn what_is_the_operators_is_never_told() {
    let double = Double::start();
    let gateway = Gateway::start(&guarded(&double)).await;
    let error = |text: &str| json!({"error": {"message": text, "type": "invalid_request_error"}});
    let echo = format!("Incorrect API key provided: {CREDENTIAL}. See {}", double.url);
    let cases = [
        (json!({"status": 401, "body": error(&echo)}), 502),
        (json!({"status": 403, "body": error(&echo)}), 502),
        (json!({"status": 402, "body": error(&echo)}), 502),
        (json!({"status": 401, "body": echo}), 502),
        (json!({"status": 500, "body": echo}), 502),
        (json!({"status": 301, "headers": {"location": "http://127.0.0.1:1/"}, "body": ""}), 502),
    ];
    for (answer, expected) in cases {
        double.script("guarded", &answer).await;
        for body in [ask("guarded"), ask_stream("guarded")] {
            let response = gateway.post(&body).await;
            let status = response.status();
            let headers = format!("{:?}", response.headers());
            let text = response.text().await.unwrap();
            assert_eq!(status, expected, "{answer}: {text}");
            for told in [&headers, &text] {
                assert!(!told.contains(CREDENTIAL), "{answer}: {told}");
                assert!(!told.contains(&double.url), "{answer}: {told}");
            }
        }
    }
    let log = double.log("guarded").await;
    let sent = log[0]["headers"]["authorization"].as_str().unwrap();
    assert_eq!(sent, format!("Bearer {CREDENTIAL}"));
    assert!(!log.to_string().contains(&gateway.key), "the client's key stays here");
}

#[tokio::test]
async fn an_error_in_the_stream_does_not_tell_the_operators_secrets_either() {
    let double = Double::start();
    let echo = json!({"error": {"message": format!("bad key {CREDENTIAL}"), "code": 401}});
    double.script("guarded", &json!({"sse": [said("x"), echo]})).await;
    let gateway = Gateway::start(&guarded(&double)).await;
    let read = gateway.stream(&ask("guarded")).await;
    let last = read.chunks.last().unwrap().to_string();
    assert!(last.contains("error") && !last.contains(CREDENTIAL), "{last}");
}

#[tokio::test]
async fn an_upstreams_message_is_passed_on() {
    let double = Double::start();
    let gateway = Gateway::start(&double.model("plain", "openai-chat", true)).await;
    let cases = [
        (400, "Unsupported value: 'temperature'"),
        (413, "the picture is too large"),
        (422, "cannot do that"),
        (429, "You exceeded your quota"),
        (503, "Overloaded, try later"),
    ];
    for (status, message) in cases {
        let answer = json!({"status": status, "body": {"error": {"message": message}}});
        double.script("plain", &answer).await;
        let (found, reply) = gateway.chat(&ask("plain")).await;
        assert_eq!(found, status, "{reply}");
        assert!(reply["error"]["message"].as_str().unwrap().contains(message), "{reply}");
        assert_eq!(reply["error"]["metadata"]["provider_name"], "plain", "{reply}");
    }
}

#[tokio::test]
async fn an_unpriced_model_may_be_allowed() {
    let double = Double::start();
    double.script("plain", &whole("free")).await;
    let provider = provider("plain", &format!("{}/plain", double.url));
    let config = format!(
        "[billing]\nallow_unpriced = true\n{provider}[[model]]\nid = \"test/unpriced\"\n\
         context_length = 1000\n[[model.endpoint]]\nprovider = \"plain\"\nmodel = \"up\"\n"
    );
    let gateway = Gateway::start(&config).await;
    let (status, reply) = gateway.chat(&ask("unpriced")).await;
    assert_eq!((status, &reply["usage"]["cost"]), (200, &json!(0)), "{reply}");
}
