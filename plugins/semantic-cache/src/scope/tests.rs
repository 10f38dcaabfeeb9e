//! Everything but the question counts.

use super::Asked;
use crate::options::Options;
use patchbay_sdk::testing::{Facts, generation};
use patchbay_sdk::{
    Effort, Field, JsonSchema, Message, Part, Request, ResponseFormat, Thinking, Tool, ToolChoice,
};
use serde_json::json;

type Change = fn(&mut Request);

fn options() -> Options {
    serde_json::from_value(json!({"model": "acme/embed"})).unwrap()
}

fn request() -> Request {
    let former = Request::new("acme/chat").system("Be kind.").user("Hi").max_tokens(9);
    former.message(Message::assistant("Hi.")).user("What is the capital of France?")
}

fn scope(request: &Request) -> Option<String> {
    let generation = generation(Facts { model: "acme/chat".into(), ..Facts::default() });
    Asked::of(&generation, request, &options()).map(|asked| asked.scope)
}

fn thinking(effort: Effort) -> Thinking {
    let effort = Some(effort);
    Thinking { enabled: None, effort, max_tokens: None, exclude: false, summary: None }
}

fn schema(schema: &str) -> ResponseFormat {
    let (name, schema) = ("reply".into(), Some(schema.into()));
    ResponseFormat::JsonSchema(JsonSchema { name, description: None, schema, strict: None })
}

/// What makes it another request.
const CHANGES: &[Change] = &[
    |it| it.model = "acme/other".into(),
    |it| it.messages[0] = Message::system("Be rude."),
    |it| it.messages[0].role = patchbay_sdk::Role::Developer,
    |it| it.messages[1] = Message::user("Ho"),
    |it| it.messages[2] = Message::assistant("Ho."),
    |it| it.messages[2].parts.push(Part::text("")),
    |it| it.messages[3].name = Some("ann".into()),
    |it| it.messages[3].extra_set("mood", "good"),
    |it| drop(it.messages.remove(1)),
    |it| it.messages.push(Message::user("And of Spain?")),
    |it| it.tools = vec![Tool::function("f", "", json!({}))],
    |it| it.tools = vec![Tool::function("f", "", json!({"type": "object"}))],
    |it| it.tool_choice = Some(ToolChoice::None),
    |it| it.tool_choice = Some(ToolChoice::Function("f".into())),
    |it| it.parallel_tool_calls = Some(false),
    |it| it.sampling.max_tokens = Some(10),
    |it| it.sampling.temperature = Some(0.1),
    |it| it.sampling.top_p = Some(0.1),
    |it| it.sampling.min_p = Some(0.1),
    |it| it.sampling.seed = Some(1),
    |it| it.sampling.stop = vec!["a".into()],
    |it| it.sampling.stop = vec!["a".into(), "b".into()],
    |it| it.sampling.logit_bias = Some("{}".into()),
    |it| it.reasoning = Some(thinking(Effort::Low)),
    |it| it.reasoning = Some(thinking(Effort::High)),
    |it| it.response_format = Some(ResponseFormat::JsonObject),
    |it| it.response_format = Some(schema("{}")),
    |it| it.response_format = Some(schema("true")),
    |it| it.user = Some("ann".into()),
    |it| it.extra.push(Field::new("verbosity", "low")),
];

#[test]
fn every_change_is_another_scope() {
    let mut scopes = vec![scope(&request()).unwrap()];
    for (number, change) in CHANGES.iter().enumerate() {
        let mut request = request();
        change(&mut request);
        let scope = scope(&request).unwrap();
        assert!(!scopes.contains(&scope), "change {number}");
        scopes.push(scope);
    }
}

#[test]
fn another_question_is_the_same_scope() {
    let mut other = request();
    other.messages[3] = Message::user("France's capital?");
    other.stream = true;
    assert_eq!(scope(&other), scope(&request()));
}

#[test]
fn another_key_is_another_scope() {
    let of = |key: &str| {
        let facts = Facts { key: key.into(), ..Facts::default() };
        Asked::of(&generation(facts), &request(), &options()).unwrap().scope
    };
    assert_ne!(of("a"), of("b"));
}

#[test]
fn questions_beyond_all_measure_are_not_cached() {
    let mut long = request();
    long.messages[3] = Message::user("a".repeat(super::QUESTION_BYTES_MAX + 1));
    assert_eq!(scope(&long), None);
    let mut blank = request();
    blank.messages[3] = Message::user(" \n");
    assert_eq!(scope(&blank), None);
    assert_eq!(scope(&Request::new("acme/chat")), None);
}
