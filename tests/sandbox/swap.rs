//! Plugins that come, change and go while requests run: by file, and by the management API.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::{join, join_all};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::upstream::{ask, paced, reply};
use super::wasm;
use crate::harness::{Double, Gateway, Streamed};

const PIECES: [&str; 4] = ["one c", "at here", ", another cat", " there"];
const CATS: &str = "one cat here, another cat there";
const DOGS: &str = "one dog here, another dog there";
const STREAMS: usize = 100;

/// A double with a model whose streams wait in the middle and one whose streams do not, and a
/// gateway where the template must be on every request. `limits` are settings of `[plugins]`.
async fn begin(limits: &str) -> (Double, Gateway) {
    let always = "[plugin.template]\nalways = true\n[plugin.template.options.replace]\n\
                  cat = \"dog\"\n";
    begin_with(&format!("[plugins]\n{limits}{always}")).await
}

/// The same with other settings.
async fn begin_with(settings: &str) -> (Double, Gateway) {
    let double = Double::start();
    double.script("gated", &paced(&PIECES, &json!({"gate_after": 2}))).await;
    double.script("free", &reply(&PIECES)).await;
    let models = double.model("gated", "openai-chat", true);
    let models = models + &double.model("free", "openai-chat", true);
    let gateway = Gateway::start(&format!("{settings}{models}")).await;
    (double, gateway)
}

/// A stream that has begun, and what came of it.
struct Running {
    response: Response,
    body: String,
}

impl Running {
    /// Begins one and reads its first bytes.
    async fn begin(gateway: &Gateway, body: &Value) -> Self {
        let mut body = body.clone();
        body["stream"] = json!(true);
        let mut response = gateway.post(&body).await;
        assert_eq!(response.status(), 200);
        let first = response.chunk().await.unwrap().unwrap();
        Self { response, body: String::from_utf8(first.to_vec()).unwrap() }
    }

    /// Reads it to its end, which must be a good one.
    async fn end(self) -> Streamed {
        let body = self.body + &self.response.text().await.unwrap();
        let streamed = Streamed::read(&body);
        assert!(streamed.is_done && streamed.finishes() == ["stop"], "{body}");
        streamed
    }
}

async fn running(gateway: &Gateway, double: &Double) -> Vec<Running> {
    let body = ask("gated", &json!([]));
    let begun = join_all((0..STREAMS).map(|_| Running::begin(gateway, &body))).await;
    double.log_when("gated", STREAMS, 0).await;
    begun
}

async fn ended(running: Vec<Running>) -> Vec<Streamed> {
    join_all(running.into_iter().map(Running::end)).await
}

fn put(gateway: &Gateway, bytes: &[u8]) {
    std::fs::write(gateway.plugins().join("template.wasm"), bytes).unwrap();
}

async fn until_digest(gateway: &Gateway, digest: &str) {
    gateway
        .until("/plugins/template", |status, body| {
            status == 200 && body["data"]["digest"] == json!(digest)
        })
        .await;
}

/// The digests that a generation's record names.
async fn digests(gateway: &Gateway, id: &Value) -> Vec<String> {
    let path = format!("/generation?id={}", id.as_str().unwrap());
    let (status, record) = gateway.manage(Method::GET, &path, None).await;
    assert_eq!(status, 200, "{record}");
    let plugins = record["data"]["plugins"].as_array().unwrap().iter();
    plugins.map(|plugin| plugin["digest"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_file_that_is_dropped_in_serves_new_requests_while_a_hundred_streams_end_as_they_began() {
    let (double, gateway) = begin_with("").await;
    let before = running(&gateway, &double).await;
    let free = ask("free", &json!([{"id": "template", "replace": {"cat": "dog"}}]));
    assert_eq!(gateway.chat(&free).await.0, 400);

    put(&gateway, &wasm::template());
    until_digest(&gateway, &wasm::digest(&wasm::template())).await;
    assert_eq!(gateway.stream(&free).await.joined("content"), DOGS);
    let (status, whole) = gateway.chat(&free).await;
    assert_eq!((status, &whole["choices"][0]["message"]["content"]), (200, &json!(DOGS)));

    double.release("gated").await;
    for streamed in ended(before).await {
        assert_eq!(streamed.joined("content"), CATS);
        assert_eq!(digests(&gateway, &streamed.chunks[0]["id"]).await, Vec::<String>::new());
    }

    std::fs::remove_file(gateway.plugins().join("template.wasm")).unwrap();
    gateway.until("/plugins/template", |status, _| status == 404).await;
    assert_eq!(gateway.chat(&free).await.0, 400);
}

#[tokio::test]
async fn a_broken_file_is_refused_with_the_reason_and_what_was_there_stays() {
    let (_double, gateway) = begin("").await;
    put(&gateway, &wasm::template());
    let digest = wasm::digest(&wasm::template());
    until_digest(&gateway, &digest).await;
    let mut cut = wasm::template();
    cut.truncate(cut.len() / 2);
    let empty_module = b"\0asm\x01\0\0\0".to_vec();
    for (bytes, step) in
        [(b"not wasm".to_vec(), "wrap"), (cut, "wrap"), (empty_module, "exports"), (vec![], "wrap")]
    {
        put(&gateway, &bytes);
        let listed = gateway
            .until("/plugins", |_, body| {
                body["refused"][0]["step"] == json!(step)
                    && body["refused"][0]["file"].as_str().unwrap().ends_with("template.wasm")
            })
            .await;
        assert_ne!(listed["refused"][0]["reason"], json!(""), "{listed}");
        until_digest(&gateway, &digest).await;
        let streamed = gateway.stream(&ask("free", &json!([]))).await;
        assert_eq!(streamed.joined("content"), DOGS);
        // So that the next refusal is not taken for this one.
        put(&gateway, &wasm::template());
        gateway.until("/plugins", |_, body| body["refused"] == json!([])).await;
    }
}

#[tokio::test]
async fn each_generation_keeps_the_version_that_it_began_with() {
    let (double, gateway) = begin("").await;
    let versions = [1, 2].map(|number| wasm::version(&wasm::template(), number));
    let names = versions.each_ref().map(|version| wasm::digest(version));
    put(&gateway, &versions[0]);
    until_digest(&gateway, &names[0]).await;
    let before = running(&gateway, &double).await;

    put(&gateway, &versions[1]);
    until_digest(&gateway, &names[1]).await;
    let free = ask("free", &json!([]));
    let after = join_all((0..20).map(|_| gateway.stream(&free))).await;
    double.release("gated").await;
    let before = ended(before).await;

    for (streams, name) in [(before, &names[0]), (after, &names[1])] {
        for streamed in streams {
            assert_eq!(streamed.joined("content"), DOGS);
            assert_eq!(
                &digests(&gateway, &streamed.chunks[0]["id"]).await,
                std::slice::from_ref(name)
            );
        }
    }
}

#[tokio::test]
async fn thirty_swaps_under_load_fail_no_request_and_mix_no_versions() {
    let (_double, gateway) = begin("").await;
    let (status, body) = gateway.upload("template", wasm::version(&wasm::template(), 0)).await;
    assert_eq!(status, 201, "{body}");
    let is_over = AtomicBool::new(false);
    let free = ask("free", &json!([]));
    let load = |is_stream: bool| {
        let (gateway, is_over, free) = (&gateway, &is_over, &free);
        async move {
            let mut ids = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                if is_stream {
                    let streamed = gateway.stream(free).await;
                    assert!(streamed.is_done && streamed.joined("content") == DOGS);
                    ids.push(streamed.chunks[0]["id"].clone());
                } else {
                    let (status, body) = gateway.chat(free).await;
                    assert_eq!(status, 200, "{body}");
                    assert_eq!(body["choices"][0]["message"]["content"], json!(DOGS));
                    ids.push(body["id"].clone());
                }
            }
            ids
        }
    };
    let swap = async {
        let mut known = BTreeSet::from([wasm::digest(&wasm::version(&wasm::template(), 0))]);
        for number in 1..=30 {
            let bytes = wasm::version(&wasm::template(), number);
            known.insert(wasm::digest(&bytes));
            let (status, body) = gateway.upload("template", bytes).await;
            assert_eq!(status, 201, "{body}");
        }
        is_over.store(true, Ordering::Relaxed);
        known
    };
    let (known, ids) = join(swap, join_all((0..16).map(|number| load(number % 2 == 0)))).await;
    let mut seen = BTreeSet::new();
    for id in ids.concat() {
        let own = digests(&gateway, &id).await;
        assert_eq!(own.len(), 1, "{own:?}");
        assert!(known.contains(&own[0]), "{own:?}");
        seen.extend(own);
    }
    assert!(seen.len() > 1, "no swap fell between two requests");
}

#[tokio::test]
async fn an_upload_is_checked_and_can_be_rolled_back_and_deleted() {
    let (_double, gateway) = begin("wasm_bytes_max = 4000000\n").await;
    let message = |body: &Value| body["error"]["message"].as_str().unwrap_or_default().to_owned();

    let (status, body) = gateway.upload("other", wasm::template()).await;
    assert!(status == 422 && message(&body).contains("`template`, not `other`"), "{body}");
    let (status, body) = gateway.upload("template", b"not wasm".to_vec()).await;
    assert!(status == 422 && message(&body).contains("not a .wasm file"), "{body}");
    let (status, body) = gateway.upload("template", vec![0; 4_000_001]).await;
    assert!(status == 413 && message(&body).contains("plugins.wasm_bytes_max"), "{body}");
    let (status, body) = gateway.get("/plugins/template").await;
    assert_eq!(status, 404, "{body}");

    let versions = [1, 2].map(|number| wasm::version(&wasm::template(), number));
    let names = versions.each_ref().map(|version| wasm::digest(version));
    for (version, name) in versions.into_iter().zip(&names) {
        let (status, body) = gateway.upload("template", version).await;
        assert_eq!((status, &body["data"]["digest"]), (201, &json!(name)), "{body}");
        assert_eq!(body["data"]["origin"], json!("upload"));
    }
    let back = "/plugins/template/rollback";
    let (status, body) = gateway.manage(Method::POST, back, None).await;
    assert_eq!((status, &body["data"]["digest"]), (200, &json!(names[0])), "{body}");
    let (status, body) = gateway.manage(Method::POST, back, None).await;
    assert!(status == 404 && message(&body).contains("no older version"), "{body}");

    let (status, body) = gateway.manage(Method::DELETE, "/plugins/template", None).await;
    assert_eq!(status, 200, "{body}");
    let (status, body) = gateway.manage(Method::DELETE, "/plugins/template", None).await;
    assert_eq!(status, 404, "{body}");
    let (status, body) = gateway.chat(&ask("free", &json!([]))).await;
    assert!(status == 503 && message(&body).contains("it is not loaded"), "{body}");
}

#[tokio::test]
async fn a_shipped_plugin_can_be_replaced_but_not_deleted() {
    let (_double, gateway) = begin("").await;
    let shipped = json!(wasm::digest(&wasm::reasoning()));
    let (_, body) = gateway.get("/plugins/reasoning").await;
    assert_eq!(body["data"]["digest"], shipped);
    let (status, body) = gateway.manage(Method::DELETE, "/plugins/reasoning", None).await;
    assert_eq!(status, 404, "{body}");
    assert!(body["error"]["message"].as_str().unwrap().contains("enabled = false"), "{body}");

    let own = wasm::version(&wasm::reasoning(), 1);
    let (status, body) = gateway.upload("reasoning", own.clone()).await;
    assert_eq!((status, &body["data"]["digest"]), (201, &json!(wasm::digest(&own))), "{body}");
    let (status, body) = gateway.manage(Method::DELETE, "/plugins/reasoning", None).await;
    assert_eq!(status, 200, "{body}");
    let (_, body) = gateway.get("/plugins/reasoning").await;
    assert_eq!(body["data"]["digest"], shipped);
    assert_eq!(body["data"]["origin"], json!("shipped"));
}

#[tokio::test]
async fn only_a_management_key_changes_plugins() {
    let (_double, gateway) = begin("").await;
    let http = crate::harness::http();
    let url = format!("{}/api/v1/plugins/template", gateway.url);
    for method in [Method::PUT, Method::DELETE] {
        let call = http.request(method.clone(), &url).body("a few bytes");
        let response = call.bearer_auth(&gateway.key).send().await.unwrap();
        assert!(matches!(response.status().as_u16(), 401 | 403), "{method} {}", response.status());
    }
    let (status, _) = gateway.get("/plugins/template").await;
    assert_eq!(status, 404);
}
