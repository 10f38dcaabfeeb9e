//! Which plugins a request goes through, what it is told when it asks wrongly, and that the result
//! does not depend on how the reply was cut.

use serde_json::{Value, json};

use super::upstream::{ask, paced, reply};
use super::wasm;
use crate::harness::{Double, Gateway, Streamed};

const TEXT: &str = "A naïve cat, a 猫 and a category of cats; ca";
const CHANGED: &str = "A clever dog, a 犬 and a class of dogs; ca";

fn replace() -> Value {
    json!({"id": "template",
        "replace": {"cat": "dog", "naïve": "clever", "猫": "犬", "category": "class"}})
}

/// A double with these scripts, and a gateway. `config` goes on from `[plugins]`. The machine may be
/// busy with other things than the plugins, so these get time.
async fn begin(config: &str, scripts: &[(&str, Value)]) -> (Double, Gateway) {
    let double = Double::start();
    let mut config = format!("[plugins]\nlimits.cpu_ms = 10000\n{config}");
    for (name, script) in scripts {
        double.script(name, script).await;
        config += &double.model(name, "openai-chat", true);
    }
    let gateway = Gateway::start(&config).await;
    for (id, wasm) in [("template", wasm::template()), ("hostile-guard", wasm::hostile_guard())] {
        let (status, body) = gateway.upload(id, wasm).await;
        assert_eq!(status, 201, "{body}");
    }
    (double, gateway)
}

async fn text(gateway: &Gateway, body: &Value) -> String {
    let streamed = gateway.stream(body).await;
    assert!(streamed.is_done && streamed.finishes() == ["stop"], "{streamed:?}");
    let (status, whole) = gateway.chat(body).await;
    assert_eq!(status, 200, "{whole}");
    let content = &whole["choices"][0]["message"]["content"];
    assert_eq!(content, &json!(streamed.joined("content")), "streamed and whole differ");
    streamed.joined("content")
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_by_name() {
    let (double, gateway) = begin("per_request_max = 1\n", &[("free", reply(&[TEXT]))]).await;
    let cases = [
        (json!([{"id": "nobody"}]), vec!["plugins[0].id", "`nobody`", "template"]),
        (json!([replace(), {"id": "nobody"}]), vec!["plugins[1].id", "`nobody`"]),
        (json!([replace(), replace()]), vec!["plugins[1].id", "`template`", "twice"]),
        (json!([replace(), {"id": "reasoning"}]), vec!["plugins: 2", "at most 1"]),
        (json!([{"id": "template", "replace": {"cat": 7}}]), vec!["`template`", "/replace/cat"]),
        (json!([{"id": "template", "replace": {"": "x"}}]), vec!["`template`", "/replace"]),
        (json!([{"id": "template", "word": "cat"}]), vec!["`template`", "word"]),
        (json!([{"id": "hostile-guard"}]), vec!["`hostile-guard`", "do"]),
        (json!([{"replace": {}}]), vec!["plugins", "id"]),
        (json!(["template"]), vec!["plugins"]),
        (json!({"id": "template"}), vec!["plugins"]),
    ];
    for (plugins, words) in cases {
        for is_stream in [false, true] {
            let mut body = ask("free", &plugins);
            body["stream"] = json!(is_stream);
            let (status, answer) = gateway.chat(&body).await;
            let message = answer["error"]["message"].as_str().unwrap_or_default();
            assert_eq!(status, 400, "{plugins}: {answer}");
            for word in &words {
                assert!(message.contains(word), "{plugins}: `{message}` does not say `{word}`");
            }
        }
    }
    let (status, body) = gateway
        .chat(&json!({"model": "test/free:template",
        "messages": [{"role": "user", "content": "Hello"}]}))
        .await;
    let message = body["error"]["message"].as_str().unwrap();
    assert!(status == 400 && message.contains("`:template`"), "{body}");
    assert_eq!(double.log("free").await, json!([]), "the upstream was asked");
}

#[tokio::test]
async fn a_request_can_switch_off_what_it_named_but_not_what_the_operator_wants() {
    let config = "[plugin.template]\nalways = true\noptions = { replace = { cat = \"dog\" } }\n";
    let (_always, gateway) = begin(config, &[("free", reply(&["a cat"]))]).await;
    let off = json!([{"id": "template", "enabled": false}]);
    assert_eq!(text(&gateway, &ask("free", &json!([]))).await, "a dog");
    assert_eq!(text(&gateway, &ask("free", &off)).await, "a dog");

    let (_named, gateway) = begin("", &[("free", reply(&["a cat"]))]).await;
    let mut entry = replace();
    assert_eq!(text(&gateway, &ask("free", &json!([entry]))).await, "a dog");
    entry["enabled"] = json!(true);
    assert_eq!(text(&gateway, &ask("free", &json!([entry]))).await, "a dog");
    entry["enabled"] = json!(false);
    assert_eq!(text(&gateway, &ask("free", &json!([entry]))).await, "a cat");
    assert_eq!(text(&gateway, &ask("free", &json!([]))).await, "a cat");
}

#[tokio::test]
async fn the_operator_can_switch_a_plugin_off_and_set_its_options() {
    let config = "[plugin.reasoning]\nenabled = false\n\
                  [plugin.template.options.replace]\ncat = \"bird\"\n";
    let (_double, gateway) = begin(config, &[("free", reply(&["a cat"]))]).await;
    let (status, body) = gateway.chat(&ask("free", &json!([{"id": "reasoning"}]))).await;
    let message = body["error"]["message"].as_str().unwrap();
    assert!(status == 403 && message.contains("plugin.reasoning.enabled"), "{body}");
    let plain = json!([{"id": "template"}]);
    assert_eq!(text(&gateway, &ask("free", &plain)).await, "a bird");
}

#[tokio::test]
async fn a_plugin_that_the_operators_options_do_not_fit_is_not_installed() {
    let gateway = Gateway::start("[plugin.template.options.replace]\ncat = 7\n").await;
    let (status, body) = gateway.upload("template", wasm::template()).await;
    assert_eq!(status, 422, "{body}");
    for word in ["`options`", "[plugin.template.options] at /replace/cat", "string"] {
        assert!(body.to_string().contains(word), "{body}");
    }
    assert_eq!(gateway.chat(&ask("free", &json!([{"id": "template"}]))).await.0, 400);
}

#[tokio::test]
async fn words_are_replaced_however_the_reply_is_cut() {
    let letters: Vec<String> = TEXT.chars().map(String::from).collect();
    let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
    let scripts = [
        ("one", reply(&[TEXT])),
        ("letters", reply(&letters)),
        ("bytes", {
            let mut script = paced(&letters, &json!({"split": 1}));
            script["whole"]["split"] = json!(1);
            script
        }),
    ];
    let (_double, gateway) = begin("", &scripts).await;
    for (name, _) in &scripts {
        let body = ask(name, &json!([replace()]));
        assert_eq!(text(&gateway, &body).await, CHANGED, "{name}");
    }
}

#[tokio::test]
async fn every_place_of_a_cut_gives_the_same_text() {
    let thought = "<think>A cat?</think>A category.";
    let cuts: Vec<usize> = (1..thought.len()).collect();
    let answers = cuts.iter().map(|at| {
        let (before, after) = thought.split_at(*at);
        let mut answer = reply(&[before, after])["stream"].clone();
        answer["when"] = json!(format!("cut at {at}."));
        answer
    });
    let answers: Vec<Value> = answers.collect();
    let whole = reply(&[thought])["whole"].clone();
    let script = json!({"stream": answers, "whole": whole});
    let (_double, gateway) = begin("", &[("cut", script)]).await;
    // Stream hooks run in reverse: the thought is taken out before words are replaced.
    let mut body = ask("cut", &json!([replace(), {"id": "reasoning"}]));
    for at in cuts {
        body["messages"][0]["content"] = json!(format!("cut at {at}."));
        let streamed = gateway.stream(&body).await;
        assert_eq!(streamed.joined("reasoning"), "A cat?", "cut at {at}");
        assert_eq!(streamed.joined("content"), "A class.", "cut at {at}");
    }
    let (status, body) = gateway.chat(&body).await;
    let message = &body["choices"][0]["message"];
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        (&message["reasoning"], &message["content"]),
        (&json!("A cat?"), &json!("A class."))
    );
}

#[tokio::test]
async fn a_guard_is_not_bypassed_by_asking_for_another_form() {
    let config = "[plugin.hostile-guard]\nalways = true\n\
                  options = { do = \"status\", status = 403 }\n";
    let letters: Vec<String> = TEXT.chars().map(String::from).collect();
    let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
    let scripts = [("one", reply(&[TEXT])), ("letters", reply(&letters))];
    let (_double, gateway) = begin(config, &scripts).await;
    for plugins in [json!([]), json!([{"id": "hostile-guard", "enabled": false}])] {
        for (name, _) in &scripts {
            let mut body = ask(name, &plugins);
            let (status, answer) = gateway.chat(&body).await;
            assert_eq!((status, &answer["error"]["code"]), (403, &json!(403)), "{answer}");
            assert_eq!(answer["choices"], Value::Null, "{answer}");
            body["stream"] = json!(true);
            let streamed = Streamed::read(&gateway.post(&body).await.text().await.unwrap());
            assert_eq!(streamed.joined("content"), "", "{streamed:?}");
            assert_eq!(streamed.chunks.last().unwrap()["error"]["code"], json!(403));
        }
    }
}

#[tokio::test]
async fn where_nothing_matches_each_piece_passes_as_it_came() {
    let pieces: Vec<String> = (0..40).map(|number| format!("piece {number}; ")).collect();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    let scripts = [
        ("free", paced(&pieces, &json!({"pace_ms": 5}))),
        ("gated", paced(&pieces, &json!({"gate_after": 11}))),
    ];
    let (double, gateway) = begin("", &scripts).await;
    let texts = |streamed: &Streamed| -> Vec<String> {
        let deltas = streamed.chunks.iter().map(|chunk| &chunk["choices"][0]["delta"]["content"]);
        let texts = deltas.filter_map(Value::as_str).filter(|text| !text.is_empty());
        texts.map(str::to_owned).collect()
    };
    let plain = gateway.stream(&ask("free", &json!([]))).await;
    let passed = gateway.stream(&ask("free", &json!([replace(), {"id": "reasoning"}]))).await;
    assert_eq!(texts(&plain), pieces);
    assert_eq!(texts(&passed), pieces);
    assert_eq!(passed.chunks.len(), plain.chunks.len());

    // None waits for a later one: the tenth is there while the eleventh is not.
    let mut body = ask("gated", &json!([replace()]));
    body["stream"] = json!(true);
    let mut response = gateway.post(&body).await;
    let mut seen = String::new();
    while !seen.contains(pieces[9]) {
        seen += std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap();
    }
    assert!(!seen.contains(pieces[10]), "{seen}");
    double.release("gated").await;
    seen += &response.text().await.unwrap();
    assert_eq!(texts(&Streamed::read(&seen)), pieces);
}
