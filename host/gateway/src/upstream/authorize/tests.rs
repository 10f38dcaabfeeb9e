//! Requests to doubles of clouds: where they go, and what they show.

use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use wire::{Delta, Message, Part, Request, Role, event_stream};

use crate::config::Config;
use crate::config::catalog::Catalog;
use crate::upstream::Upstream;

/// Address and `Authorization` of each request, in order.
type Asked = Arc<Mutex<Vec<(String, String)>>>;

async fn cloud() -> (String, Asked) {
    let asked: Asked = Arc::default();
    let log = Arc::clone(&asked);
    let answer = move |request: axum::extract::Request| async move {
        let shown = request.headers().get("authorization").or(request.headers().get("api-key"));
        let shown = shown.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        let uri = request.uri().to_string();
        log.lock().push((uri.clone(), shown));
        reply(&uri)
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let router = Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, asked)
}

fn reply(uri: &str) -> Response {
    let json = |body: &'static str| ([("content-type", "application/json")], body).into_response();
    if uri.ends_with("/token") {
        return json(r#"{"access_token":"given","expires_in":3600}"#);
    }
    if uri.contains("generateContent") {
        return json(
            r#"{"candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP"}]}"#,
        );
    }
    if uri.contains("chat/completions") {
        return json(r#"{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}"#);
    }
    let mut body = Vec::new();
    event_stream::write_event(&mut body, "messageStart", br#"{"role":"assistant"}"#);
    let text = br#"{"contentBlockIndex":0,"delta":{"text":"Hi"}}"#;
    event_stream::write_event(&mut body, "contentBlockDelta", text);
    event_stream::write_event(&mut body, "messageStop", br#"{"stopReason":"end_turn"}"#);
    event_stream::write_event(&mut body, "metadata", br#"{"usage":{"inputTokens":1}}"#);
    ([("content-type", "application/vnd.amazon.eventstream")], body).into_response()
}

/// Asks the model `a/b` of a configuration, and returns the reply's text.
async fn ask(config: &str, stream: bool) -> String {
    let config = Config::parse(config).unwrap();
    let catalog = Catalog::build(&config, |_| None).unwrap();
    let endpoint = &catalog.models["a/b"].endpoints[0];
    assert_eq!(endpoint.obstacle, None);
    let message = Message {
        role: Role::User,
        name: None,
        parts: vec![Part::text("Hi")],
        extra: Default::default(),
    };
    let request = Request { stream, messages: vec![message], ..Request::default() };
    let answer = Upstream::new(&config.upstream).unwrap().send(endpoint, &request).await.unwrap();
    let mut chunks = answer.chunks;
    if let Some(mut incoming) = answer.incoming {
        while incoming.read(&mut chunks).await.unwrap() {}
    }
    let texts = chunks.iter().flat_map(|chunk| &chunk.deltas).filter_map(|delta| match delta {
        Delta::Text { text, .. } => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

fn model(provider: &str, name: &str) -> String {
    format!(
        r#"
        [[model]]
        id = "a/b"
        context_length = 1000
        [[model.endpoint]]
        provider = "{provider}"
        model = "{name}"
        price = {{ prompt = "1", completion = "1" }}
        "#
    )
}

#[tokio::test]
async fn bedrock_is_asked_with_a_signature_or_with_its_own_key() {
    let (address, asked) = cloud().await;
    for (credential, start) in [
        ("AKIDEXAMPLE:secret:session", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"),
        ("ABSKQmVkcm9jaw==", "Bearer ABSKQmVkcm9jaw=="),
    ] {
        let config = format!(
            r#"
            [[provider]]
            slug = "amazon-bedrock"
            base_url = "http://{address}"
            variables = {{ region = "eu-west-1" }}
            credential = "{credential}"
            {}
            "#,
            model("amazon-bedrock", "anthropic.claude-v9:0")
        );
        assert_eq!(ask(&config, true).await, "Hi");
        let (uri, shown) = asked.lock().pop().unwrap();
        assert_eq!(uri, "/model/anthropic.claude-v9%3A0/converse-stream");
        assert!(shown.starts_with(start), "{shown}");
        let is_signed = shown.contains("/eu-west-1/bedrock/aws4_request, SignedHeaders=");
        assert_eq!(is_signed, credential.contains(':'), "{shown}");
    }
}

#[tokio::test]
async fn an_azure_deployment_stands_in_the_address_with_a_version_behind() {
    let (address, asked) = cloud().await;
    let config = format!(
        r#"
        [[provider]]
        slug = "azure-deployments"
        dialect = "openai-chat"
        base_url = "http://{address}/openai/deployments/{{model}}"
        query = {{ "api-version" = "2025-04-01-preview" }}
        auth = {{ header = "api-key" }}
        credential = "key-of-azure"
        {}
        "#,
        model("azure-deployments", "my gpt")
    );
    assert_eq!(ask(&config, false).await, "Hi");
    let (uri, shown) = asked.lock().pop().unwrap();
    let expected = "/openai/deployments/my%20gpt/chat/completions?api-version=2025-04-01-preview";
    assert_eq!((uri.as_str(), shown.as_str()), (expected, "key-of-azure"));
}

#[tokio::test]
async fn vertex_is_shown_a_token_that_google_gave_for_the_key() {
    let (address, asked) = cloud().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.json");
    let key = serde_json::json!({
        "client_email": "me@project.example",
        "project_id": "my-project",
        "private_key": include_str!("../google/test_key.pem"),
        "token_uri": format!("http://{address}/token"),
    });
    std::fs::write(&file, key.to_string()).unwrap();
    let config = format!(
        r#"
        [[provider]]
        slug = "google-vertex"
        base_url = "http://{address}/v1/projects/{{project}}/locations/{{location}}"
        credential = "{}"
        {}
        "#,
        file.display(),
        model("google-vertex", "publishers/google/models/gemini-9")
    );
    assert_eq!(ask(&config, false).await, "Hi");
    let asked = std::mem::take(&mut *asked.lock());
    assert_eq!(asked[0].0, "/token");
    let expected = "/v1/projects/my-project/locations/global/publishers/google/models/\
                    gemini-9:generateContent";
    assert_eq!(asked[1], (expected.to_owned(), "Bearer given".to_owned()));
}
