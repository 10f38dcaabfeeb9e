//! Files that are refused for what they are, whatever they would do.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::upstream::{ask, reply};
use super::super::wasm;
use super::{ID, assemble};
use crate::harness::{Double, Gateway};

fn message(body: &Value) -> &str {
    body["error"]["message"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn machine_code_is_never_taken_from_outside() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let config = format!("[plugins]\ncache_dir = \"{}\"\n", cache.display());
    let gateway = Gateway::start(&config).await;
    // What the gateway itself compiled: a checksum, then what it would load without a look.
    let kept: Vec<_> = std::fs::read_dir(&cache).unwrap().collect();
    assert!(!kept.is_empty());
    for entry in kept {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for bytes in [bytes[32..].to_vec(), bytes] {
            let (status, body) = gateway.upload("reasoning", bytes.clone()).await;
            assert_eq!(status, 422, "{body}");
            assert!(message(&body).starts_with("refused at `wrap`: "), "{body}");
            std::fs::write(gateway.plugins().join("code.wasm"), bytes).unwrap();
            let is_refused = |_: u16, body: &Value| body["refused"][0]["step"] == json!("wrap");
            gateway.until("/plugins", is_refused).await;
            std::fs::remove_file(gateway.plugins().join("code.wasm")).unwrap();
            gateway.until("/plugins", |_, body| body["refused"] == json!([])).await;
        }
    }
}

#[tokio::test]
async fn kept_machine_code_that_was_changed_is_compiled_anew() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let config = format!("[plugins]\ncache_dir = \"{}\"\n", cache.display());
    let gateway = Gateway::start(&config).await;
    for entry in std::fs::read_dir(&cache).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        std::fs::write(path, bytes).unwrap();
    }
    let gateway = gateway.restart().await;
    let (status, body) = gateway.get("/plugins/reasoning").await;
    assert_eq!(status, 200, "{body}");
}

#[tokio::test]
async fn a_file_that_is_too_large_is_not_even_read() {
    let gateway = Gateway::start("[plugins]\nwasm_bytes_max = 4000000\n").await;
    let large = wasm::with_section(&wasm::template(), "padding", &vec![0; 4_000_000]);
    std::fs::write(gateway.plugins().join("template.wasm"), large).unwrap();
    let is_refused = |_: u16, body: &Value| body["refused"][0]["step"] == json!("size");
    let listed = gateway.until("/plugins", is_refused).await;
    let reason = listed["refused"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("plugins.wasm_bytes_max"), "{reason}");
}

#[tokio::test]
async fn who_begins_with_more_memory_than_others_may_have_needs_the_operators_word() {
    let hungry = assemble("(memory $memory (export \"memory\") 1600)", &["memory"]);
    let double = Double::start();
    double.script("free", &reply(&["a cat"])).await;
    let model = double.model("free", "openai-chat", true);
    let gateway = Gateway::start(&model).await;
    let (status, body) = gateway.upload(ID, hungry.clone()).await;
    assert_eq!(status, 422, "{body}");
    assert!(
        message(&body).starts_with("refused at `resources`: it needs 104857600 bytes"),
        "{body}"
    );
    let granted = format!("[plugin.{ID}.limits]\nmemory_bytes = 134217728\n{model}");
    let gateway = Gateway::start(&granted).await;
    let (status, body) = gateway.upload(ID, hungry).await;
    assert_eq!(status, 201, "{body}");
    let (status, body) = gateway.chat(&ask("free", &json!([{"id": ID}]))).await;
    assert_eq!(
        (status, &body["choices"][0]["message"]["content"]),
        (200, &json!("a cat")),
        "{body}"
    );
}

#[tokio::test]
async fn who_fails_its_own_cases_or_gives_another_answer_each_time_is_not_loaded() {
    let gateway = Gateway::start("[plugins.limits]\ncpu_ms = 10000\n").await;
    let case = |deed: &str, expect: Value| json!({"name": deed, "options": {"do": deed}, "deltas": [{"text": "a"}], "expect": expect});
    let honest = case("status", json!([{"text": "a"}]));
    let wrong = [
        ("coin", case("coin", json!([{"text": "[1, 2, 3, 4, 5, 6, 7, 8]"}]))),
        ("loop", case("loop", json!([]))),
        ("trap", case("trap", json!([]))),
        ("memory", case("memory", json!([]))),
        ("status", honest),
    ];
    for (name, case) in wrong {
        let text = case.to_string();
        let bytes = wasm::with_section(&wasm::hostile(), "patchbay:cases", text.as_bytes());
        let (status, body) = gateway.upload("hostile", bytes).await;
        assert_eq!(status, 422, "{name}: {body}");
        assert!(message(&body).starts_with("refused at `self-test`: "), "{name}: {body}");
        assert!(message(&body).contains(name), "{name}: {body}");
    }
    for noise in ["{", "[]", "{\"name\": 7}", "{\"nme\": \"a field that is none\"}"] {
        let bytes = wasm::with_section(&wasm::hostile(), "patchbay:cases", noise.as_bytes());
        let (status, body) = gateway.upload("hostile", bytes).await;
        assert!(status == 422 && message(&body).contains("`self-test`"), "{noise}: {body}");
    }
    assert_eq!(gateway.manage(Method::GET, "/plugins/hostile", None).await.0, 404);
    let case = case("drip", json!([{"text": "a"}])).to_string();
    let bytes = wasm::with_section(&wasm::hostile(), "patchbay:cases", case.as_bytes());
    let (status, body) = gateway.upload("hostile", bytes).await;
    assert_eq!(status, 201, "{body}");
}
