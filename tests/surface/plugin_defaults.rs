//! Which plugins run without being named: the operator's, a key's, and what a request says to that.

use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::answers::{ask, whole};
use crate::harness::{Double, Gateway, http};

/// A gateway with the template, and a reply about a cat.
async fn begin(settings: &str) -> (Double, Gateway) {
    let double = Double::start();
    double.script("plain", &whole("a cat")).await;
    let settings = format!(
        "[plugins]\ncompile_ms = 120000\nper_request_max = 2\n[plugins.limits]\ncpu_ms = 10000\n\
         {settings}{}",
        double.model("plain", "openai-chat", true)
    );
    let gateway = Gateway::start(&settings).await;
    let wasm = std::fs::read(env!("PATCHBAY_TEMPLATE_WASM")).unwrap();
    let (status, body) = gateway.upload("template", wasm).await;
    assert_eq!(status, 201, "{body}");
    (double, gateway)
}

/// The template's entry with a word for `cat`.
fn template(word: &str) -> Value {
    json!({"id": "template", "enabled": true, "replace": {"cat": word}})
}

fn off(id: &str) -> Value {
    json!({"id": id, "enabled": false})
}

fn path(key: &str) -> String {
    format!("/keys/{}", hex::encode(Sha256::digest(key)))
}

async fn key(gateway: &Gateway, plugins: Value) -> String {
    gateway.new_key(json!({"name": "one", "plugins": plugins})).await
}

/// The text of the reply to a key's request with these entries.
async fn text(gateway: &Gateway, key: &str, plugins: Value) -> String {
    let (status, body) = chat(gateway, key, plugins).await;
    assert_eq!(status, 200, "{body}");
    body["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
}

async fn chat(gateway: &Gateway, key: &str, plugins: Value) -> (u16, Value) {
    let mut body = ask("plain");
    body["plugins"] = plugins;
    let response = gateway.post_with(key, body.to_string()).await;
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

/// What `GET /plugins` says to a key: the order, as `id why`.
async fn order(gateway: &Gateway, key: &str) -> Vec<String> {
    let url = format!("{}/api/v1/plugins", gateway.url);
    let text = http().get(url).bearer_auth(key).send().await.unwrap().text().await.unwrap();
    let body: Value = serde_json::from_str(&text).unwrap();
    assert!(body["hooks_order"].as_str().unwrap().contains("reverse"), "{body}");
    let word = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
    let order = body["order"].as_array().unwrap().iter();
    order.map(|entry| format!("{} {}", word(entry, "id"), word(entry, "why"))).collect()
}

#[tokio::test]
async fn a_keys_plugins_are_shown_changed_and_kept() {
    let (_double, gateway) = begin("").await;
    let plugins = json!([template("dog"), off("reasoning")]);
    let new = json!({"name": "one", "plugins": plugins});
    let (status, made) = gateway.manage(Method::POST, "/keys", Some(new)).await;
    assert_eq!((status, &made["data"]["plugins"]), (201, &plugins), "{made}");
    let key = made["key"].as_str().unwrap();
    // What is absent stays.
    let rename = json!({"name": "two"});
    let (_, changed) = gateway.manage(Method::PATCH, &path(key), Some(rename)).await;
    assert_eq!(changed["data"]["plugins"], plugins);

    let gateway = gateway.restart().await;
    let (_, shown) = gateway.manage(Method::GET, &path(key), None).await;
    assert_eq!(shown["data"]["plugins"], plugins);
    for nothing in [Value::Null, json!([])] {
        for change in [json!([{"id": "reasoning"}]), nothing.clone()] {
            let change = json!({"plugins": change});
            let (status, body) = gateway.manage(Method::PATCH, &path(key), Some(change)).await;
            assert_eq!(status, 200, "{body}");
        }
        let (_, shown) = gateway.manage(Method::GET, &path(key), None).await;
        assert_eq!(shown["data"]["plugins"], json!([]));
    }
}

#[tokio::test]
async fn what_each_request_of_the_key_would_be_refused_for_is_refused_at_once() {
    let settings = "[plugin.reasoning]\nenabled = false\n";
    let (_double, gateway) = begin(settings).await;
    let cases = [
        (json!({"id": "template"}), 400, vec!["plugins:", "list"]),
        (json!(["template"]), 400, vec!["plugins[0]", "object"]),
        (json!([template("dog"), {"enabled": true}]), 400, vec!["plugins[1].id"]),
        (json!([{"id": "template", "enabled": 1}]), 400, vec!["plugins[0].enabled"]),
        (json!([{"id": "nobody"}]), 400, vec!["plugins[0].id", "`nobody`", "template"]),
        (json!([off("nobody")]), 400, vec!["plugins[0].id", "`nobody`"]),
        (json!([template("dog"), off("template")]), 400, vec!["plugins[1].id", "twice"]),
        (json!([{"id": "template", "word": "cat"}]), 400, vec!["`template`", "word"]),
        (json!([{"id": "template", "replace": {"cat": 7}}]), 400, vec!["/replace/cat"]),
        (json!([{"id": "reasoning"}]), 403, vec!["plugin.reasoning.enabled"]),
    ];
    let made = path(&key(&gateway, json!([])).await);
    for (plugins, expected, words) in cases {
        let calls = [(Method::POST, "/keys"), (Method::PATCH, made.as_str())];
        for (method, path) in calls {
            let body = json!({"name": "one", "plugins": plugins});
            let (status, answer) = gateway.manage(method, path, Some(body)).await;
            assert_eq!(status, expected, "{plugins}: {answer}");
            let message = answer["error"]["message"].as_str().unwrap();
            for word in &words {
                assert!(message.contains(word), "{plugins}: `{message}` does not say `{word}`");
            }
        }
    }
    let (_, shown) = gateway.manage(Method::GET, &made, None).await;
    assert_eq!(shown["data"]["plugins"], json!([]), "a refused change was kept");
}

#[tokio::test]
async fn a_keys_plugins_run_on_its_requests_unless_they_say_otherwise() {
    let (_double, gateway) = begin("").await;
    let own = key(&gateway, json!([template("dog")])).await;
    assert_eq!(text(&gateway, &own, json!([])).await, "a dog");
    assert_eq!(text(&gateway, &own, json!([{"id": "template"}])).await, "a dog");
    assert_eq!(text(&gateway, &own, json!([template("bird")])).await, "a bird");
    assert_eq!(text(&gateway, &own, json!([off("template")])).await, "a cat");
    assert_eq!(text(&gateway, &gateway.key, json!([])).await, "a cat");

    assert_eq!(order(&gateway, &own).await, ["template key"]);
    assert_eq!(order(&gateway, &gateway.key).await, [""; 0]);
    // A change counts from the next request on.
    let change = json!({"plugins": null});
    gateway.manage(Method::PATCH, &path(&own), Some(change)).await;
    assert_eq!(text(&gateway, &own, json!([])).await, "a cat");

    let own = key(&gateway, json!([template("dog")])).await;
    gateway.manage(Method::DELETE, "/plugins/template", None).await;
    let (status, body) = chat(&gateway, &own, json!([])).await;
    let message = body["error"]["message"].as_str().unwrap();
    assert!(status == 503 && message.contains("the key's plugins"), "{body}");
}

#[tokio::test]
async fn the_operators_default_can_be_switched_off_by_the_key_and_on_again_by_the_request() {
    let settings = "[plugin.template]\ndefault = true\noptions = { replace = { cat = \"dog\" } }\n";
    let (_double, gateway) = begin(settings).await;
    let plain = &gateway.key;
    assert_eq!(text(&gateway, plain, json!([])).await, "a dog");
    assert_eq!(text(&gateway, plain, json!([off("template")])).await, "a cat");
    assert_eq!(order(&gateway, plain).await, ["template default"]);

    let quiet = key(&gateway, json!([off("template")])).await;
    assert_eq!(text(&gateway, &quiet, json!([])).await, "a cat");
    assert_eq!(text(&gateway, &quiet, json!([{"id": "template"}])).await, "a dog");
    assert_eq!(order(&gateway, &quiet).await, [""; 0]);

    let own = key(&gateway, json!([template("bird")])).await;
    assert_eq!(text(&gateway, &own, json!([])).await, "a bird");
    assert_eq!(order(&gateway, &own).await, ["template default"]);
}

#[tokio::test]
async fn what_the_operator_wants_always_is_switched_off_by_nobody() {
    let settings = "[plugin.template]\nalways = true\noptions = { replace = { cat = \"dog\" } }\n";
    let (_double, gateway) = begin(settings).await;
    for plugins in [json!([]), json!([off("template")]), json!([template("bird")])] {
        let own = key(&gateway, plugins.clone()).await;
        assert_eq!(text(&gateway, &own, json!([])).await, "a dog", "{plugins}");
        assert_eq!(text(&gateway, &own, plugins.clone()).await, "a dog", "{plugins}");
        assert_eq!(order(&gateway, &own).await, ["template always"]);
    }
}

#[tokio::test]
async fn what_the_operator_leaves_open_of_an_always_plugin_no_request_sets() {
    let (_double, gateway) = begin("[plugin.template]\nalways = true\n").await;
    assert_eq!(text(&gateway, &gateway.key, json!([template("bird")])).await, "a cat");
    let own = key(&gateway, json!([template("bird")])).await;
    assert_eq!(text(&gateway, &own, json!([template("dog")])).await, "a bird");
}

#[tokio::test]
async fn the_operators_plugins_come_before_the_keys_and_those_before_the_requests() {
    let settings = "[plugin.template]\ndefault = true\n";
    let (_double, gateway) = begin(settings).await;
    let own = key(&gateway, json!([{"id": "reasoning"}])).await;
    assert_eq!(order(&gateway, &own).await, ["template default", "reasoning key"]);
    let both = json!([{"id": "reasoning"}, {"id": "template"}]);
    for (key, plugins) in [(&own, json!([])), (&gateway.key, both)] {
        let (status, body) = chat(&gateway, key, plugins).await;
        assert_eq!(status, 200, "{body}");
        let record = format!("/generation?id={}", body["id"].as_str().unwrap());
        let (_, record) = gateway.manage(Method::GET, &record, None).await;
        let used = record["data"]["plugins"].as_array().unwrap().iter();
        let used: Vec<&str> = used.map(|plugin| plugin["id"].as_str().unwrap()).collect();
        assert_eq!(used, ["template", "reasoning"]);
    }
}

#[tokio::test]
async fn a_plugin_is_shown_with_everything_it_may_use() {
    let settings = "[plugin.template]\non_error = \"closed\"\n[plugin.template.limits]\n\
                    log_lines = 7\n[plugin.reasoning]\nenabled = false\n";
    let (_double, gateway) = begin(settings).await;
    let (_, body) = gateway.get("/plugins/template").await;
    let shown = &body["data"];
    let expected = json!({"id": "template", "kind": "transform", "hooks": ["stream"],
        "lane": "pure", "triggers": [], "on_error": "closed", "origin": "upload",
        "state": "serving", "serving_generation": shown["generation"], "trial": null, "kept": []});
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&shown[name], value, "{name}: {shown}");
    }
    let nothing = json!({"wanted": [], "granted": [], "missing": []});
    assert_eq!(shown["capabilities"], nothing, "{shown}");
    let limits = &shown["limits"];
    assert_eq!((&limits["log_lines"], &limits["cpu_ms"]), (&json!(7), &json!(10_000)), "{limits}");
    for name in ["wall_ms", "memory_bytes", "http_calls", "model_nanos", "expansion"] {
        assert!(limits[name].is_u64(), "{name}: {limits}");
    }
    assert!(shown["bytes"].as_u64().unwrap() > 1_000 && shown["compiled_ms"].is_u64(), "{shown}");
    let (_, body) = gateway.get("/plugins/reasoning").await;
    assert_eq!(body["data"]["state"], "disabled");
}
