//! The calls beside conversations, by the gateway's own simulated models: every body has its
//! documented form.

use serde_json::{Value, json};

use crate::harness::{Gateway, http};
use crate::schema::Schemas;

/// Kind of body, path, and what is posted there.
fn calls() -> Vec<(&'static str, &'static str, Value)> {
    let embed = |more: Value| {
        let mut body = json!({"model": "patchbay/sim-embed", "input": ["one", "two"]});
        body["encoding_format"] = more;
        body
    };
    let rerank = json!({"model": "patchbay/sim-rerank", "query": "sea",
        "documents": ["the sea", {"text": "a hill"}]});
    vec![
        ("models", "/models?output_modalities=all", Value::Null),
        ("models", "/models?limit=1", Value::Null),
        ("models", "/embeddings/models", Value::Null),
        ("count", "/models/count", Value::Null),
        ("endpoints", "/models/acme/listed/endpoints", Value::Null),
        ("zdr", "/endpoints/zdr", Value::Null),
        ("providers", "/providers", Value::Null),
        ("embeddings", "/embeddings", embed(json!("float"))),
        ("embeddings", "/embeddings", embed(json!("base64"))),
        ("rerank", "/rerank", rerank),
    ]
}

/// A model of a provider that OpenRouter's document lists; it does not list the simulated one, which
/// is among those that keep nothing.
const LISTED: &str = r#"
[[provider]]
slug = "listed"
name = "Cloudflare"
dialect = "openai-chat"
base_url = "http://127.0.0.1:9"
credential = "none"
[[model]]
id = "acme/listed"
context_length = 8192
[[model.endpoint]]
provider = "listed"
model = "listed"
price = { prompt = "0.15", completion = "0.60" }
"#;

#[tokio::test]
async fn every_call_beside_conversations_has_its_documented_form() {
    let gateway = Gateway::start(LISTED).await;
    let schemas = Schemas::read("calls").unwrap();
    for (kind, path, body) in calls() {
        let url = format!("{}/api/v1{path}", gateway.url);
        let call = match body.is_null() {
            true => http().get(url),
            false => {
                http().post(url).header("content-type", "application/json").body(body.to_string())
            }
        };
        let response = call.bearer_auth(&gateway.key).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let told = response.bytes().await.unwrap();
        schemas.check(kind, &told).unwrap_or_else(|wrong| panic!("{path}: {wrong}"));
    }
}
