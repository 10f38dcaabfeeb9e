//! Fifty values that must not leave, cut at every place, on every surface: `pii` keeps them from the
//! model and puts them back, and `guard` masks what the model itself writes.

#[path = "../../plugins/pii/src/tests/entities.rs"]
mod values;

use serde_json::{Value, json};
use wire::Request;

use crate::harness::{Double, Gateway};
use crate::spoken::{Surface, saying, surfaces};
use values::ENTITIES;

/// Stands between the texts, and looks like no value.
const BETWEEN: &str = "\n\n----\n\n";

const PATIENT: &str = "[plugins.limits]\ncpu_ms = 20000\n[limits]\nrequests = 0\n";

/// The fifty texts with the values in them.
fn texts() -> Vec<String> {
    ENTITIES.iter().map(|(value, template)| template.replace("{}", value)).collect()
}

/// A prompt that names the cut, so that the double can tell.
fn prompt(cut: usize) -> String {
    format!("{}{BETWEEN}{}", when(cut), texts().join(BETWEEN))
}

fn when(cut: usize) -> String {
    format!("cut {cut} end")
}

/// What stands in the place of each value.
fn stand_ins(pieces: &[&str]) -> Vec<String> {
    let inner = |(piece, (_, template)): (&&str, &(&str, &str))| {
        let (before, behind) = template.split_once("{}").unwrap();
        let inner = piece.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind));
        inner.unwrap_or_else(|| panic!("{piece} is not {template}")).to_owned()
    };
    pieces.iter().zip(&ENTITIES).map(inner).collect()
}

/// The texts in pieces: each value or what stands for it is cut behind `cut` of its letters.
fn cut_at(words: &[String], cut: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for (number, (word, (_, template))) in words.iter().zip(&ENTITIES).enumerate() {
        let (before, behind) = template.split_once("{}").unwrap();
        let at = word.char_indices().nth(cut).map_or(word.len(), |(at, _)| at);
        let begin = if number == 0 { "" } else { BETWEEN };
        *pieces.last_mut().unwrap() += &format!("{begin}{before}{}", &word[..at]);
        pieces.push(format!("{}{behind}", &word[at..]));
    }
    pieces
}

/// A streamed and a whole reply, as text or as the one argument of a call.
fn answers(words: &[String], cuts: usize, is_call: bool) -> Value {
    let chunk = |delta: Value, finish: Value| {
        json!({"id": "up", "object": "chat.completion.chunk", "created": 1, "model": "up",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
    };
    let reason = if is_call { "tool_calls" } else { "stop" };
    let escaped = |text: &str| {
        let text = json!(text).to_string();
        text[1..text.len() - 1].to_owned()
    };
    let delta = |piece: &str| match is_call {
        true => json!({"tool_calls": [{"index": 0, "function": {"arguments": escaped(piece)}}]}),
        false => json!({"content": piece}),
    };
    let call = |arguments: &str| {
        json!([{"index": 0, "id": "call-1", "type": "function",
            "function": {"name": "f", "arguments": arguments}}])
    };
    let stream = (0..=cuts).map(|cut| {
        let mut events = vec![chunk(json!({"role": "assistant", "content": ""}), Value::Null)];
        if is_call {
            events.push(chunk(json!({"tool_calls": call("{\"x\":\"")}), Value::Null));
        }
        events.extend(cut_at(words, cut).iter().map(|piece| chunk(delta(piece), Value::Null)));
        if is_call {
            let end = json!({"tool_calls": [{"index": 0, "function": {"arguments": "\"}"}}]});
            events.push(chunk(end, Value::Null));
        }
        events.extend([chunk(json!({}), json!(reason)), json!("[DONE]")]);
        json!({"when": when(cut), "sse": events})
    });
    let text = cut_at(words, 0).concat();
    let message = match is_call {
        true => json!({"role": "assistant", "content": null,
            "tool_calls": call(&json!({"x": text}).to_string())}),
        false => json!({"role": "assistant", "content": text}),
    };
    json!({"stream": stream.collect::<Vec<_>>(),
        "whole": {"body": {"id": "up", "object": "chat.completion", "created": 1, "model": "up",
            "choices": [{"index": 0, "finish_reason": reason, "message": message}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}}}})
}

/// Asks every surface for every cut, and says what each client was told.
async fn for_each_reply(gateway: &Gateway, model: &str, cuts: usize, check: impl Fn(&str, &str)) {
    for surface in surfaces() {
        let name = surface.dialect.name();
        let is_call = model == "call";
        // Text completions have no calls.
        if is_call && name == "openai-completions" {
            continue;
        }
        for cut in std::iter::once(None).chain((0..=cuts).map(Some)) {
            let text = prompt(cut.unwrap_or_default());
            let request = saying(&format!("test/{model}"), &text, cut.is_some());
            let case = format!("{name} {model} {cut:?}");
            check(&case, &said(surface, gateway, &request, is_call, &case).await);
        }
    }
}

async fn said(
    surface: Surface,
    gateway: &Gateway,
    request: &Request,
    is_call: bool,
    case: &str,
) -> String {
    let told = surface.ask(gateway, request, &Value::Null).await;
    assert_eq!((told.status, &told.failure), (200, &None), "{case}: {}", told.body);
    let choice = told.reply.choices.first().unwrap_or_else(|| panic!("{case}: {}", told.body));
    if !is_call {
        return choice.text.clone();
    }
    let arguments: Value = serde_json::from_str(&choice.tool_calls[0].arguments).unwrap();
    arguments["x"].as_str().unwrap().to_owned()
}

/// The most letters of one of them.
fn longest(words: &[String]) -> usize {
    words.iter().map(|word| word.chars().count()).max().unwrap()
}

#[tokio::test]
async fn the_model_never_sees_a_value_and_every_client_gets_it_back() {
    let double = Double::start();
    let config = ["text", "call"].map(|name| double.model(name, "openai-chat", true)).concat();
    let gateway = Gateway::start(&format!("{PATIENT}[plugin.pii]\nalways = true\n{config}")).await;
    double.script("text", &json!({"status": 400, "body": {"error": {"message": "no"}}})).await;
    let ask = json!({"model": "test/text", "messages": [{"role": "user", "content": prompt(0)}]});
    gateway.chat(&ask).await;
    let log = double.log("text").await;
    let seen = log[0]["body"]["messages"][0]["content"].as_str().unwrap();
    let pieces: Vec<&str> = seen.split(BETWEEN).skip(1).collect();
    let words = stand_ins(&pieces);
    for ((value, _), word) in ENTITIES.iter().zip(&words) {
        assert_ne!(value, word, "it is still itself");
    }

    let (original, cuts) = (texts().join(BETWEEN), longest(&words));
    for model in ["text", "call"] {
        double.script(model, &answers(&words, cuts, model == "call")).await;
        for_each_reply(&gateway, model, cuts, |case, text| assert_eq!(text, original, "{case}"))
            .await;
        let upstream = double.log(model).await.to_string();
        for (value, template) in ENTITIES {
            let escaped = json!(value).to_string();
            // A text that holds the value twice over, as itself, shows a part of it.
            let is_leaked = upstream.contains(&escaped[1..escaped.len() - 1]);
            assert!(!is_leaked, "{model}: {value} of {template} went upstream");
        }
    }
}

#[tokio::test]
async fn what_the_model_writes_is_masked_wherever_it_is_cut() {
    let double = Double::start();
    let config = ["text", "call"].map(|name| double.model(name, "openai-chat", true)).concat();
    let terms: Vec<&str> = ENTITIES.iter().map(|(value, _)| *value).collect();
    let rules = json!([{"terms": terms, "action": "mask", "scope": "output", "label": "GONE"}]);
    let rules = toml_of(&rules);
    let guard = format!("[plugin.guard]\nalways = true\noptions = {{ rules = {rules} }}\n");
    let gateway = Gateway::start(&format!("{PATIENT}{guard}{config}")).await;
    let words: Vec<String> = terms.iter().map(|term| (*term).to_owned()).collect();
    let cuts = longest(&words).min(40);
    for model in ["text", "call"] {
        double.script(model, &answers(&words, cuts, model == "call")).await;
        for_each_reply(&gateway, model, cuts, |case, text| {
            for (value, _) in ENTITIES {
                assert!(!text.contains(value), "{case}: {value} in {text}");
            }
            assert!(text.matches("[GONE]").count() >= ENTITIES.len(), "{case}: {text}");
        })
        .await;
    }
}

/// JSON as an inline value of TOML.
fn toml_of(json: &Value) -> String {
    match json {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{name} = {}", toml_of(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(toml_of).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
