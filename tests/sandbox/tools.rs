//! Tools that plugins run: the model calls them, the gateway answers the calls, and the client sees
//! one reply. The plugin `caller` does what the model says in a call's arguments.

use serde_json::{Value, json};
use wire::{Json, Other, Request, Tool};

use super::caller::{charged, gateway, grant};
use crate::conversation::{Turn, Upstream};
use crate::harness::{Double, Gateway};
use crate::spoken::{Surface, Told, saying, surfaces};

mod asked;
mod choices;
mod failing;
mod limits;
mod rounds;

/// The model's words before it calls, and its answer.
const BEFORE: &str = "Let me look. ";
const AFTER: &str = "It is forty-two.";

/// A call that the tool answers with `forty-two`.
const CALL: (&str, &str, &str) = ("call_1", "lookup", r#"{"say":"forty-two"}"#);

/// Calls the tool.
const LOOK: Turn = Turn { thought: "", text: BEFORE, calls: &[CALL] };
/// Answers.
const ANSWER: Turn = Turn { thought: "", text: AFTER, calls: &[] };

/// What stands in a request in which the tool is offered.
const OFFER: &str = "Looks it up.";

/// A gateway before a double of each kind, with the plugin in place.
async fn start(config: &str) -> (Double, Gateway) {
    let double = Double::start();
    let mut all = config.to_owned();
    if !config.contains("[plugin.caller]") {
        all.push_str(&grant(&[]));
    }
    for upstream in Upstream::ALL {
        double.script(upstream.name(), &looks(upstream)).await;
        all.push_str(&double.model(upstream.name(), upstream.dialect(), true));
    }
    double.script("plain", &super::upstream::reply(&["Plain."])).await;
    double.script("side", &super::upstream::reply(&["Aside."])).await;
    let gateway = gateway(&double, &all).await;
    (double, gateway)
}

/// A model that calls the tool where it is offered, and answers once it has the result.
fn looks(upstream: Upstream) -> Value {
    turns(upstream, LOOK)
}

/// The same with another first turn.
fn turns(upstream: Upstream, first: Turn) -> Value {
    let result = Some(upstream.result_mark());
    upstream.script(&[(result, ANSWER), (Some(OFFER), first), (None, ANSWER)])
}

/// The same with another second answer, as the double's.
fn then(upstream: Upstream, second: &Value) -> Value {
    let mut script = looks(upstream);
    for form in ["stream", "whole"] {
        let mut answer = second.clone();
        answer["when"] = json!(upstream.result_mark());
        script[form].as_array_mut().unwrap().insert(0, answer);
    }
    script
}

/// The surfaces that know tools which are no functions.
fn talking() -> Vec<Surface> {
    let known = ["openai-chat", "openai-responses", "anthropic-messages"];
    surfaces().into_iter().filter(|it| known.contains(&it.dialect.name())).collect()
}

/// Every surface, streamed and not.
fn ways() -> Vec<(Surface, bool)> {
    talking().into_iter().flat_map(|surface| [(surface, false), (surface, true)]).collect()
}

/// A request in which the tool is named.
fn request(surface: &Surface, upstream: Upstream, stream: bool) -> Request {
    let mut request = saying(&format!("test/{}", upstream.name()), "What is it?", stream);
    let json = Json::of(&json!({"type": "test:lookup"}));
    request.tools.push(Tool::Other(Other { dialect: surface.dialect.name(), json }));
    request
}

/// A tool of the client's own.
fn weather() -> Tool {
    Tool::Function {
        name: "get_weather".to_owned(),
        description: None,
        parameters: Some(Json::of(&json!({"type": "object"}))),
        strict: None,
        cache_control: None,
    }
}

/// The same request in OpenRouter's form, with more in it.
fn chat(upstream: Upstream, more: &Value) -> Value {
    let mut body = json!({"model": format!("test/{}", upstream.name()),
        "messages": [{"role": "user", "content": "What is it?"}],
        "tools": [{"type": "test:lookup"}]});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// The text of the only choice.
fn text(told: &Told) -> &str {
    assert_eq!(told.reply.choices.len(), 1, "{told:?}");
    &told.reply.choices[0].text
}

/// The bodies that the upstream was sent, from the `first` on.
async fn sent(double: &Double, upstream: Upstream, first: usize) -> Vec<Value> {
    let log = double.log(upstream.name()).await;
    log.as_array().unwrap()[first..].iter().map(|one| one["body"].clone()).collect()
}

/// What one round costs there, in nano-dollars.
async fn round(gateway: &Gateway, upstream: Upstream) -> i64 {
    let before = charged(gateway).await;
    let mut plain = chat(upstream, &json!({}));
    plain.as_object_mut().unwrap().remove("tools");
    let (status, body) = gateway.chat(&plain).await;
    assert_eq!(status, 200, "{body}");
    let cost = charged(gateway).await - before;
    assert!(cost > 0);
    cost
}
