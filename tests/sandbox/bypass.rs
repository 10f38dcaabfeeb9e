//! A guard that fails closed can't be got round: not by where a reply is cut, not by what the word
//! stands in, not by asking for several choices or another form, and not by making the guard fail.

mod failing;
mod script;
mod surfaces;

use futures_util::StreamExt;
use futures_util::stream;
use serde_json::{Value, json};

use super::upstream::ask;
use super::wasm;
use crate::harness::{Double, Gateway, Streamed, http};
use script::{FIELDS, Field, MASK, REST, TEXT, WORD};

/// Where chat completions are served. A surface that is added is added here.
const SURFACES: [&str; 2] = ["/api/v1/chat/completions", "/v1/chat/completions"];

/// What must be on every request, whatever it says.
const GUARDED: &str = "[plugins.limits]\ncpu_ms = 20000\n[plugin.censor]\nalways = true\n\
    options = { words = [\"WORD\"], action = \"ACTION\" }\n";

/// A gateway with the guard on every request, before a double that has a model for each field.
async fn begin(action: &str) -> (Double, Gateway) {
    let double = Double::start();
    let mut config = GUARDED.replace("WORD", WORD).replace("ACTION", action);
    for field in FIELDS {
        double.script(field.name(), &script::every_cut(field)).await;
        config += &double.model(field.name(), "openai-chat", true);
    }
    double.script("two", &script::two_choices()).await;
    config += &double.model("two", "openai-chat", true);
    let gateway = Gateway::start(&config).await;
    let (status, body) = gateway.upload("censor", wasm::censor()).await;
    assert_eq!(status, 201, "{body}");
    (double, gateway)
}

/// One way to ask.
#[derive(Debug, Clone, Copy)]
struct Way {
    surface: &'static str,
    field: Field,
    cut: (usize, usize),
    is_stream: bool,
}

impl Way {
    fn all() -> Vec<Self> {
        let mut ways = Vec::new();
        for (surface, field) in
            SURFACES.iter().flat_map(|surface| FIELDS.map(|field| (*surface, field)))
        {
            ways.push(Self { surface, field, cut: (0, 0), is_stream: false });
            let cuts = script::cuts().into_iter();
            ways.extend(cuts.map(|cut| Self { surface, field, cut, is_stream: true }));
        }
        ways
    }

    /// The request, which also tries to talk the guard out of it.
    fn body(self) -> Value {
        let plugins = match self.cut.0 % 3 {
            0 => json!([]),
            1 => json!([{"id": "censor", "enabled": false}]),
            _ => json!([{"id": "censor", "words": ["other"], "action": "mask"}]),
        };
        let mut body = ask(self.field.name(), &plugins);
        body["messages"][0]["content"] = json!(script::when(self.cut));
        body["stream"] = json!(self.is_stream);
        body
    }

    async fn ask(self, gateway: &Gateway, client: &reqwest::Client) -> (u16, String) {
        post(gateway, client, self.surface, &self.body()).await
    }
}

async fn post(
    gateway: &Gateway,
    client: &reqwest::Client,
    path: &str,
    body: &Value,
) -> (u16, String) {
    let call = client.post(format!("{}{path}", gateway.url)).bearer_auth(&gateway.key);
    let call = call.header("content-type", "application/json").body(body.to_string());
    let response = call.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// All that a choice's client joins in this field.
fn joined(text: &str, is_stream: bool, field: Field, choice: usize) -> String {
    if !is_stream {
        let body: Value = serde_json::from_str(text).unwrap();
        return field.of(&body["choices"][choice]["message"]).unwrap_or_default();
    }
    let choices = Streamed::read(text)
        .chunks
        .into_iter()
        .flat_map(|chunk| chunk["choices"].as_array().cloned().unwrap_or_default());
    let own = choices.filter(|it| it["index"] == json!(choice));
    own.filter_map(|it| field.of(&it["delta"])).collect()
}

/// The error that a reply ends with.
fn error(text: &str, is_stream: bool) -> Value {
    if !is_stream {
        return serde_json::from_str::<Value>(text).unwrap()["error"].clone();
    }
    let streamed = Streamed::read(text);
    assert_eq!(streamed.finishes(), ["error"], "{text}");
    streamed.chunks.last().unwrap()["error"].clone()
}

#[tokio::test]
async fn at_every_cut_of_every_field_a_guarded_reply_stops_before_the_word() {
    let (_double, gateway) = begin("stop").await;
    let (gateway, client) = (&gateway, &http());
    let asked = Way::all().into_iter().map(|way| async move {
        let (status, text) = way.ask(gateway, client).await;
        assert_eq!(status, if way.is_stream { 200 } else { 403 }, "{way:?} {text}");
        assert!(!text.contains(WORD), "{way:?} {text}");
        assert_eq!(error(&text, way.is_stream)["code"], json!(403), "{way:?} {text}");
        if way.is_stream {
            // Nothing of the word, and all of what stands before it or less.
            let came = joined(&text, true, way.field, 0);
            let before = way.field.write(TEXT.split(WORD).next().unwrap());
            assert!(before.starts_with(&came), "{way:?} `{came}` {text}");
        }
    });
    stream::iter(asked).buffer_unordered(8).collect::<Vec<()>>().await;
}

#[tokio::test]
async fn at_every_cut_of_every_field_a_masked_word_is_masked_and_the_rest_is_whole() {
    let (_double, gateway) = begin("mask").await;
    let (gateway, client) = (&gateway, &http());
    let asked = Way::all().into_iter().map(|way| async move {
        let (status, text) = way.ask(gateway, client).await;
        assert_eq!(status, 200, "{way:?} {text}");
        assert!(!text.contains(WORD), "{way:?} {text}");
        let masked = way.field.write(&TEXT.replace(WORD, MASK));
        let masked = if way.field == Field::Call { masked + "\"}" } else { masked };
        assert_eq!(joined(&text, way.is_stream, way.field, 0), masked, "{way:?} {text}");
        if way.is_stream {
            assert!(text.ends_with("data: [DONE]\n\n"), "{way:?} {text}");
        }
    });
    stream::iter(asked).buffer_unordered(8).collect::<Vec<()>>().await;
}

#[tokio::test]
async fn a_word_in_the_second_choice_is_found_between_the_pieces_of_the_first() {
    for action in ["mask", "stop"] {
        let (_double, gateway) = begin(action).await;
        let (gateway, client) = (&gateway, &http());
        let asked = script::cuts().into_iter().map(|cut| async move {
            let mut body = ask("two", &json!([]));
            body["n"] = json!(2);
            body["messages"][0]["content"] = json!(script::when(cut));
            body["stream"] = json!(true);
            let (status, text) = post(gateway, client, SURFACES[0], &body).await;
            assert_eq!(status, 200, "{cut:?} {text}");
            let [first, second] = [0, 1].map(|choice| joined(&text, true, Field::Text, choice));
            assert!(!second.contains(WORD), "{cut:?} {text}");
            if action == "mask" {
                assert_eq!(first, REST, "{cut:?} {text}");
                assert_eq!(second, TEXT.replace(WORD, MASK), "{cut:?} {text}");
            } else {
                let last = Streamed::read(&text).chunks.last().unwrap()["error"].clone();
                assert_eq!(last["code"], json!(403), "{cut:?} {text}");
                assert!(REST.starts_with(&first), "{cut:?} {text}");
            }
        });
        stream::iter(asked).buffer_unordered(8).collect::<Vec<()>>().await;
        let mut body = ask("two", &json!([]));
        body["n"] = json!(2);
        let (status, text) = post(gateway, client, SURFACES[0], &body).await;
        assert_eq!(status, if action == "mask" { 200 } else { 403 }, "{text}");
        assert!(!text.contains(WORD), "{text}");
    }
}
