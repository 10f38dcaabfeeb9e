//! New versions on trial: as a canary or as a shadow, promoted or taken back, and what happens when
//! a version fails too often.

use reqwest::Method;
use serde_json::{Value, json};
use wasmparser::{Parser, Payload, TypeRef};

use super::upstream::{ask, reply};
use super::wasm;
use crate::harness::{Double, Gateway};

const CATS: &str = "a cat and a cat";
const DOGS: &str = "a dog and a dog";

/// A gateway with the template on every request. The window of the breaker is longer than any test.
async fn begin() -> (Double, Gateway) {
    let settings = "[plugins]\ncompile_ms = 120000\n\
                    [plugins.breaker]\nfailures = 4\nwindow_ms = 36000000\npause_ms = 36000000\n\
                    [plugins.limits]\ncpu_ms = 10000\n\
                    [plugin.template]\nalways = true\n\
                    [plugin.template.options.replace]\ncat = \"dog\"\n";
    let double = Double::start();
    double.script("free", &reply(&["a cat", " and a ", "cat"])).await;
    let model = double.model("free", "openai-chat", true);
    let gateway = Gateway::start(&format!("{settings}{model}")).await;
    (double, gateway)
}

fn good(number: u8) -> Vec<u8> {
    wasm::version(&wasm::template(), number)
}

// Instructions.
const UNREACHABLE: u8 = 0x00;
const NOP: u8 = 0x01;
const END: u8 = 0x0b;

/// The template with a stream hook that crashes whenever it sees text: its body is nothing but
/// `unreachable`.
fn crashing() -> Vec<u8> {
    const PUSH: &str = "patchbay:plugin/stream-hook@0.1.0#[method]transformer.push";
    let mut bytes = wasm::template();
    let (mut imported, mut push, mut bodies) = (0, None, Vec::new());
    for payload in Parser::new(0).parse_all(&bytes) {
        match payload.unwrap() {
            Payload::ImportSection(imports) => {
                let imports = imports.into_imports().map(|import| import.unwrap().ty);
                imported = imports.filter(|ty| matches!(ty, TypeRef::Func(_))).count();
            }
            Payload::ExportSection(exports) => {
                let found = exports.into_iter().map(Result::unwrap).find(|it| it.name == PUSH);
                push = found.map(|export| usize::try_from(export.index).unwrap());
            }
            Payload::CodeSectionEntry(body) => bodies.push(body.range()),
            _ => {}
        }
    }
    let body = bodies[push.unwrap() - imported].clone();
    let (locals, first, last) = (body.start, body.start + 1, body.end - 1);
    bytes[body].fill(NOP);
    bytes[locals] = 0;
    bytes[first] = UNREACHABLE;
    bytes[last] = END;
    // Its own cases would keep it from being loaded.
    let cases: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(CASES)).collect();
    for at in cases {
        bytes[at] = b'P';
    }
    bytes
}

/// The custom section that holds a plugin's cases.
const CASES: &[u8] = b"patchbay:cases";

/// Uploads a version; returns how the plugin stands.
async fn put(gateway: &Gateway, query: &str, bytes: Vec<u8>) -> Value {
    let (status, body) = gateway.upload(&format!("template{query}"), bytes).await;
    assert_eq!(status, 201, "{body}");
    body["data"].clone()
}

async fn shown(gateway: &Gateway) -> Value {
    let (status, body) = gateway.get("/plugins/template").await;
    assert_eq!(status, 200, "{body}");
    body["data"].clone()
}

async fn post(gateway: &Gateway, action: &str) -> (u16, Value) {
    gateway.manage(Method::POST, &format!("/plugins/template/{action}"), None).await
}

/// Asks once; returns the reply's text, and the plugin of the generation's record.
async fn ask_once(gateway: &Gateway) -> (String, Value) {
    let (status, body) = gateway.chat(&ask("free", &json!([]))).await;
    assert_eq!(status, 200, "{body}");
    let text = body["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
    let path = format!("/generation?id={}", body["id"].as_str().unwrap());
    let (status, record) = gateway.get(&path).await;
    assert_eq!(status, 200, "{record}");
    let plugins = record["data"]["plugins"].as_array().unwrap();
    assert_eq!(plugins.len(), 1, "{record}");
    (text, plugins[0].clone())
}

#[tokio::test]
async fn a_canary_serves_its_share_of_generations_and_each_names_its_version() {
    let (_double, gateway) = begin().await;
    let current = put(&gateway, "", good(1)).await;
    let canary = put(&gateway, "?canary=50", good(2)).await;
    assert_eq!(canary["digest"], json!(wasm::digest(&good(2))));
    assert_eq!(canary["trial"]["mode"], "canary");

    let now = shown(&gateway).await;
    assert_eq!(now["digest"], current["digest"]);
    let trial = json!({"version": canary["version"], "digest": canary["digest"],
        "generation": canary["generation"], "mode": "canary", "weight": 50, "broken": false});
    assert_eq!(now["trial"], trial);

    // With 60 fair draws one side stays empty less than once in 10¹⁷ runs.
    let mut counts = [0, 0];
    for _ in 0..60 {
        let (text, plugin) = ask_once(&gateway).await;
        assert_eq!(text, DOGS);
        let versions = [&current, &canary];
        let own = versions.iter().position(|version| version["digest"] == plugin["digest"]);
        let own = own.unwrap_or_else(|| panic!("an unknown version: {plugin}"));
        assert_eq!(plugin["generation"], versions[own]["generation"], "{plugin}");
        counts[own] += 1;
    }
    assert!(counts[0] > 0 && counts[1] > 0, "{counts:?}");
}

#[tokio::test]
async fn a_canary_that_fails_is_passed_over_and_said_to_be_broken() {
    let (_double, gateway) = begin().await;
    let current = put(&gateway, "", good(1)).await;
    let canary = put(&gateway, "?canary=99", crashing()).await;
    let mut asked = 0;
    while shown(&gateway).await["trial"]["broken"] == json!(false) {
        // A transform's failure leaves the reply as it was.
        let (text, plugin) = ask_once(&gateway).await;
        let is_canary = plugin["digest"] == canary["digest"];
        assert_eq!(text, if is_canary { CATS } else { DOGS });
        asked += 1;
        assert!(asked < 100, "the canary fails and fails, and serves on");
    }
    assert!(asked >= 4, "four failures break it, not {asked}");
    let metrics = gateway.metrics().await;
    assert!(metrics.contains("patchbay_plugin_broken_total{plugin=\"template\"} 1"), "{metrics}");
    let now = shown(&gateway).await;
    assert_eq!((&now["state"], &now["digest"]), (&json!("serving"), &current["digest"]));
    for _ in 0..20 {
        let (text, plugin) = ask_once(&gateway).await;
        assert_eq!((text.as_str(), &plugin["digest"]), (DOGS, &current["digest"]));
    }
}

#[tokio::test]
async fn a_broken_version_gives_way_to_the_one_before_it() {
    let (_double, gateway) = begin().await;
    let before = put(&gateway, "", good(1)).await;
    assert_eq!(before["serving_generation"], before["generation"]);
    let broken = put(&gateway, "", crashing()).await;
    for _ in 0..4 {
        let (text, plugin) = ask_once(&gateway).await;
        assert_eq!((text.as_str(), &plugin["digest"]), (CATS, &broken["digest"]));
    }
    let (text, plugin) = ask_once(&gateway).await;
    assert_eq!((text.as_str(), &plugin["digest"]), (DOGS, &before["digest"]));
    let now = shown(&gateway).await;
    assert_eq!((&now["state"], &now["digest"]), (&json!("broken"), &broken["digest"]));
    assert_eq!(now["serving_generation"], before["generation"]);

    let (status, body) = post(&gateway, "rollback").await;
    let now = &body["data"];
    assert_eq!((status, &now["state"]), (200, &json!("serving")), "{body}");
    assert_eq!(now["digest"], before["digest"]);
}

#[tokio::test]
async fn a_broken_version_without_one_before_it_is_passed_over() {
    let (_double, gateway) = begin().await;
    put(&gateway, "", crashing()).await;
    for _ in 0..6 {
        assert_eq!(ask_once(&gateway).await.0, CATS);
    }
    let now = shown(&gateway).await;
    assert_eq!((&now["state"], &now["serving_generation"]), (&json!("broken"), &Value::Null));
    let metrics = gateway.metrics().await;
    for (fault, count) in [("trap", 4), ("disabled", 2)] {
        let line = format!(
            "patchbay_plugin_faults_total{{plugin=\"template\",fault=\"{fault}\"}} {count}"
        );
        assert!(metrics.contains(&line), "no `{line}` in:\n{metrics}");
    }
}

#[tokio::test]
async fn a_shadow_changes_nothing_and_is_compared() {
    let (_double, gateway) = begin().await;
    let current = put(&gateway, "", good(1)).await;
    for (bytes, result) in [(good(2), "same"), (crashing(), "differs")] {
        let shadow = put(&gateway, "?shadow=true", bytes).await;
        assert_eq!(shadow["trial"]["mode"], "shadow");
        assert_eq!(shadow["trial"]["weight"], Value::Null);
        let streamed = gateway.stream(&ask("free", &json!([]))).await;
        assert_eq!(streamed.joined("content"), DOGS);
        let (text, plugin) = ask_once(&gateway).await;
        assert_eq!((text.as_str(), &plugin["digest"]), (DOGS, &current["digest"]));
        let line =
            format!("patchbay_plugin_shadow_total{{plugin=\"template\",result=\"{result}\"}} 2");
        let mut metrics = String::new();
        // What a shadow made is compared at the reply's end, beside the client.
        for _ in 0..500 {
            metrics = gateway.metrics().await;
            if metrics.contains(&line) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert!(metrics.contains(&line), "no `{line}` in:\n{metrics}");
    }
}

#[tokio::test]
async fn a_trial_is_promoted_or_taken_back() {
    let (_double, gateway) = begin().await;
    let message = |body: &Value| body["error"]["message"].as_str().unwrap_or_default().to_owned();
    let (status, body) = gateway.upload("template?canary=5", good(1)).await;
    assert!(status == 404 && message(&body).contains("first version"), "{body}");
    let first = put(&gateway, "", good(1)).await;
    for wrong in ["?canary=0", "?canary=100", "?canary=300", "?canary=5&shadow=true", "?weight=5"] {
        let (status, body) = gateway.upload(&format!("template{wrong}"), good(2)).await;
        assert!(status == 400 && message(&body).contains("?canary=5"), "{wrong}: {body}");
    }
    let (status, body) = post(&gateway, "promote").await;
    assert!(status == 404 && message(&body).contains("on trial"), "{body}");

    put(&gateway, "?canary=1", good(2)).await;
    let (status, body) = post(&gateway, "rollback").await;
    let now = &body["data"];
    assert_eq!((status, &now["digest"]), (200, &first["digest"]), "{body}");
    assert_eq!((&now["trial"], &now["kept"]), (&Value::Null, &json!([])), "{body}");

    let second = put(&gateway, "?shadow=true", good(3)).await;
    let url = format!("{}/api/v1/plugins/template/promote", gateway.url);
    let call = crate::harness::http().post(url).bearer_auth(&gateway.key);
    assert_eq!(call.send().await.unwrap().status(), 403);
    let (status, body) = post(&gateway, "promote").await;
    let now = &body["data"];
    assert_eq!((status, &now["digest"]), (200, &second["digest"]), "{body}");
    assert_eq!((&now["trial"], &now["kept"][0]["digest"]), (&Value::Null, &first["digest"]));
    assert_eq!(ask_once(&gateway).await.1["digest"], second["digest"]);
    let (status, body) = post(&gateway, "rollback").await;
    assert_eq!((status, &body["data"]["digest"]), (200, &first["digest"]), "{body}");
    assert_eq!(ask_once(&gateway).await.1["digest"], first["digest"]);
}
