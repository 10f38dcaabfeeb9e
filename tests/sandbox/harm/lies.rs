//! Plugins that lie in what they say of themselves. None is loaded, and each refusal says why.

use serde_json::json;

use super::super::upstream::{ask, reply};
use super::super::wasm;
use crate::harness::{Double, Gateway};

/// The lie, the step that finds it out, and what it says.
const LIES: [(&str, &str, &str); 18] = [
    ("id", "description", "`template`, not `hostile`"),
    ("fickle id", "description", "not `hostile`"),
    ("bad id", "description", r"id `../../etc/passwd\n`"),
    ("long id", "description", "id `xxx"),
    ("version", "description", "1.2.3"),
    ("summary", "description", "summary"),
    ("many triggers", "description", "triggers has 100000"),
    ("trigger", "description", "there are suffix"),
    ("many wishes", "description", "capabilities has 100000"),
    ("capability", "description", "root"),
    ("long schema", "description", "options has 10"),
    ("no schema", "description", "options"),
    ("deep schema", "description", "options"),
    ("remote schema", "description", "options"),
    ("file schema", "description", "options"),
    ("loop", "describe", "describe"),
    ("panic", "describe", "on purpose"),
    ("unknown", "describe", "on purpose"),
];

#[tokio::test]
async fn who_lies_about_itself_is_not_loaded() {
    let gateway = Gateway::start("[plugins.limits]\ncpu_ms = 10000\n").await;
    let (status, body) = gateway.upload("template", wasm::template()).await;
    assert_eq!(status, 201, "{body}");
    let before = gateway.get("/plugins").await;
    for (lie, step, reason) in LIES {
        let (status, body) = gateway.upload("hostile", wasm::lying(wasm::hostile(), lie)).await;
        let message = body["error"]["message"].as_str().unwrap_or_default();
        assert_eq!(status, 422, "{lie}: {body}");
        assert!(message.starts_with(&format!("refused at `{step}`: ")), "{lie}: {message}");
        assert!(message.contains(reason), "{lie}: {message}");
        assert!(message.len() < 2000, "{lie}: {} bytes of reason", message.len());
        assert_eq!(gateway.get("/plugins").await, before, "{lie}");
    }
    let (status, body) = gateway.upload("hostile", wasm::lying(wasm::hostile(), "none")).await;
    assert_eq!(status, 201, "{body}");
}

#[tokio::test]
async fn a_suffix_belongs_to_who_had_it_first() {
    let gateway = Gateway::start("[plugins.limits]\ncpu_ms = 10000\n").await;
    let (status, body) = gateway.upload("hostile", wasm::lying(wasm::hostile(), "suffix")).await;
    assert_eq!(status, 201, "{body}");
    let thief = wasm::lying(wasm::hostile_guard(), "suffix");
    let (status, body) = gateway.upload("hostile-guard", thief).await;
    let message = body["error"]["message"].as_str().unwrap_or_default();
    assert_eq!(status, 422, "{body}");
    assert!(message.contains("`suffix=taken` belongs to `hostile`"), "{message}");
    assert_eq!(gateway.get("/plugins/hostile-guard").await.0, 404);
    // Its own suffix is no theft.
    let again = wasm::version(&wasm::lying(wasm::hostile(), "suffix"), 1);
    let (status, body) = gateway.upload("hostile", again).await;
    assert_eq!((status, &body["data"]["triggers"]), (201, &json!(["suffix=taken"])), "{body}");
}

/// Where a schema's references lead round in a circle, nothing says so before it is asked.
#[tokio::test]
async fn a_schema_that_refers_to_itself_fails_requests_and_not_the_gateway() {
    let double = Double::start();
    double.script("free", &reply(&["a cat"])).await;
    let gateway = Gateway::start(&double.model("free", "openai-chat", true)).await;
    for lie in ["endless schema", "endless schema2", "endless schema3"] {
        let (status, body) = gateway.upload("hostile", wasm::lying(wasm::hostile(), lie)).await;
        let named = ask("free", &json!([{"id": "hostile", "do": "trap"}]));
        let asked = gateway.chat(&named).await;
        assert!(matches!(status, 201 | 422), "{lie}: {body}");
        assert!(matches!(asked.0, 200 | 400), "{lie}: {asked:?}");
        let (status, body) = gateway.chat(&ask("free", &json!([]))).await;
        assert_eq!(status, 200, "{lie}: {body}");
    }
}
