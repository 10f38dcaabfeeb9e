//! Requests in both directions.

use serde_json::json;

use super::*;
use crate::chunk::{ReasoningDetail, ReasoningKind, Role};
use crate::json::{Extra, Json};
use crate::request::{
    Content, Effort, Media, MediaData, MediaKind, Message, Other, Part, Reasoning, ResponseFormat,
    Sampling, Tool, ToolChoice,
};

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, name: None, parts, extra: Extra::default() }
}

fn user(content: Content) -> Request {
    of(vec![message(Role::User, vec![Part::new(content)])])
}

fn of(messages: Vec<Message>) -> Request {
    Request { messages, ..Request::default() }
}

fn asking() -> Request {
    user(Content::Text("Q".to_owned()))
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    let [id, name, arguments] = [id, name, arguments].map(str::to_owned);
    Part::new(Content::ToolCall { id, name, arguments })
}

fn result(id: &str, parts: Vec<Part>) -> Part {
    Part::new(Content::ToolResult { call_id: id.to_owned(), parts, is_error: false })
}

fn image(data: MediaData) -> Content {
    Content::Media(Media { kind: MediaKind::Image, data, name: None, detail: None })
}

fn inline() -> MediaData {
    MediaData::Inline { mime: "image/png".to_owned(), base64: "AA==".to_owned() }
}

#[test]
fn what_was_read_is_written_the_same_without_its_bytes() {
    let body = json!({
        "model": "qwen3", "stream": true,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Q", "images": ["iVBORw0KGgo="], "mood": "calm"},
            {"role": "assistant", "content": "", "thinking": "Hm.",
                "tool_calls": [{"function": {"name": "f", "arguments": {"b": 1.0, "a": [2]}}},
                    {"function": {"name": "g", "arguments": {}}}]},
            {"role": "tool", "content": "second", "tool_name": "g"},
            {"role": "tool", "content": "first", "tool_name": "f"},
        ],
        "tools": [{"type": "function",
            "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}],
        "format": {"type": "object"}, "think": "high", "logprobs": true, "top_logprobs": 2,
        "options": {"temperature": 0.5, "top_p": 0.9, "top_k": 3, "min_p": 0.1, "seed": -1,
            "stop": ["x"], "num_predict": 10, "repeat_penalty": 1.1, "presence_penalty": 0.2,
            "frequency_penalty": 0.3, "num_ctx": 4096},
        "keep_alive": -1,
    });
    let request = Request { source: None, ..read_request(&body.to_string()) };
    assert_eq!(write_request(&request, ReasoningStyle::Effort).unwrap(), body);
}

#[test]
fn a_client_s_bytes_go_through_but_for_what_the_gateway_owns() {
    let body = r#"{ "model":"a/b", "messages":[ {"role":"user","content":"\u00e9"} ], "provider":{}, "options":{ "num_ctx":1e3 } }"#;
    let request = read_request(body);
    assert!(request.stream, "Ollama streams unless it is told not to");
    let quirks = Quirks::default();
    let to = target(ReasoningStyle::None, &quirks);
    let outgoing = OllamaChat.write_request(&request, &to).unwrap();
    let expected = r#"{"model":"qwen3","messages":[ {"role":"user","content":"\u00e9"} ],"options":{ "num_ctx":1e3 },"stream":true}"#;
    assert_eq!(outgoing.body, expected);
    let outgoing = OllamaChat.write_request(&request, &Target { stream: false, ..to }).unwrap();
    assert!(outgoing.body.ends_with(br#","stream":false}"#), "said even though it was not asked");
}

#[test]
fn arguments_keep_their_bytes_and_are_an_object() {
    let written = |arguments: &str| {
        let request = of(vec![message(Role::Assistant, vec![call("a", "f", arguments)])]);
        let quirks = Quirks::default();
        let to = target(ReasoningStyle::None, &quirks);
        let body = OllamaChat.write_request(&request, &to).unwrap().body;
        String::from_utf8(body.to_vec()).unwrap()
    };
    let text = r#"{ "b":1.0,  "a":"é\u00e9" }"#;
    assert!(written(text).contains(text));
    assert!(written("").contains(r#""arguments":{}"#));
    assert!(written("[1").contains(r#""arguments":{"INVALID_JSON":"[1"}"#));
}

#[test]
fn names_of_calls_are_made_once_and_dropped() {
    let body = json!({"messages": [
        {"role": "assistant", "content": "", "tool_calls": [
            {"function": {"name": "f", "arguments": {}}},
            {"id": "call_1", "function": {"name": "f", "arguments": {}}},
            {"function": {"name": "f", "arguments": {}}},
        ]},
        {"role": "tool", "content": "1", "tool_name": "f"},
        {"role": "tool", "content": "2", "tool_call_id": "call_1"},
        {"role": "tool", "content": "3", "tool_name": "f"},
        {"role": "tool", "content": "4", "tool_name": "gone"},
    ]});
    let request = read_request(&body.to_string());
    let ids = request.messages.iter().flat_map(|message| &message.parts).map(|part| {
        match &part.content {
            Content::ToolCall { id, .. } | Content::ToolResult { call_id: id, .. } => id.as_str(),
            other => panic!("{other:?}"),
        }
    });
    let expected = ["call_0", "call_1", "call_2", "call_0", "call_1", "call_2", "call_3"];
    assert_eq!(ids.collect::<Vec<_>>(), expected);
    let request = Request { source: None, ..request };
    let body = write_request(&request, ReasoningStyle::None).unwrap();
    assert!(!body.to_string().contains("call_"), "{body}");
}

#[test]
fn a_result_tells_its_tool_and_a_name_used_again_is_the_last_one() {
    let request = of(vec![
        message(Role::Assistant, vec![call("a", "old", "{}")]),
        message(Role::Tool, vec![result("a", vec![Part::text("1")])]),
        message(Role::Assistant, vec![call("a", "new", "{}")]),
        message(
            Role::User,
            vec![
                result("a", vec![Part::text("2"), Part::text("3"), Part::new(image(inline()))]),
                Part::text("So?"),
            ],
        ),
        message(Role::Tool, vec![result("gone", vec![])]),
    ]);
    let body = write_request(&request, ReasoningStyle::None).unwrap();
    let call = |name| {
        json!({"role": "assistant", "content": "",
        "tool_calls": [{"function": {"name": name, "arguments": {}}}]})
    };
    let expected = json!([
        call("old"),
        {"role": "tool", "content": "1", "tool_name": "old"},
        call("new"),
        {"role": "tool", "content": "2\n3", "images": ["AA=="], "tool_name": "new"},
        {"role": "user", "content": "So?"},
        {"role": "tool", "content": ""},
    ]);
    assert_eq!(body["messages"], expected);
}

#[test]
fn an_assistant_s_turn_is_one_message_without_what_is_not_its_own() {
    let thought = |text: &str, kind| {
        let detail = Some(ReasoningDetail { kind, ..ReasoningDetail::default() });
        Part::new(Content::Reasoning { text: text.to_owned(), detail })
    };
    let other = Other { dialect: "anthropic-messages", json: Json::null() };
    let parts = vec![
        thought("Hm", ReasoningKind::Text),
        thought("secret", ReasoningKind::Encrypted),
        thought(".", ReasoningKind::Summary),
        Part::text("A"),
        Part::new(image(MediaData::Url("https://a.example/x".to_owned()))),
        Part::new(Content::Other(other)),
        Part::new(Content::Refusal("B".to_owned())),
    ];
    let request = of(vec![message(Role::Assistant, parts), message(Role::Assistant, vec![])]);
    let body = write_request(&request, ReasoningStyle::None).unwrap();
    let expected = json!([{"role": "assistant", "content": "A\nB", "thinking": "Hm."}]);
    assert_eq!(body["messages"], expected);
}

#[test]
fn thought_is_asked_for_in_the_model_s_way() {
    let think = |reasoning: Reasoning, style| {
        let request = Request { reasoning: Some(reasoning), ..asking() };
        write_request(&request, style).unwrap()["think"].clone()
    };
    let of_effort = |effort| Reasoning { effort: Some(effort), ..Reasoning::default() };
    let enabled = |enabled| Reasoning { enabled: Some(enabled), ..Reasoning::default() };
    let budget = |max_tokens| Reasoning { max_tokens: Some(max_tokens), ..Reasoning::default() };
    let (by_effort, by_will) = (ReasoningStyle::Effort, ReasoningStyle::Adaptive);
    for (reasoning, style, expected) in [
        (of_effort(Effort::Minimal), by_effort, json!("low")),
        (of_effort(Effort::Medium), by_effort, json!("medium")),
        (of_effort(Effort::Max), by_effort, json!("high")),
        (of_effort(Effort::Max), by_will, json!(true)),
        (of_effort(Effort::None), by_effort, json!(false)),
        (enabled(true), by_effort, json!(true)),
        (enabled(false), by_will, json!(false)),
        (budget(100), by_will, json!(true)),
        (budget(0), by_will, json!(false)),
        (Reasoning { exclude: true, ..Reasoning::default() }, by_will, Value::Null),
        (enabled(true), ReasoningStyle::None, Value::Null),
    ] {
        assert_eq!(think(reasoning.clone(), style), expected, "{reasoning:?} {style:?}");
    }
}

#[test]
fn options_are_left_out_where_there_are_none() {
    let sampling = Sampling { n: Some(2), top_a: Some(0.1), ..Sampling::default() };
    let request = Request { sampling, tool_choice: Some(ToolChoice::Auto), ..asking() };
    let body = write_request(&request, ReasoningStyle::None).unwrap();
    let messages = json!([{"role": "user", "content": "Q"}]);
    assert_eq!(body, json!({"model": "qwen3", "stream": true, "messages": messages}));
}

#[test]
fn a_model_that_may_call_no_tool_is_told_of_none() {
    let function = Tool::Function {
        name: "f".to_owned(),
        description: None,
        parameters: None,
        strict: Some(true),
        cache_control: None,
    };
    let request = Request { tools: vec![function], ..asking() };
    let body = write_request(&request, ReasoningStyle::None).unwrap();
    let parameters = json!({"type": "object", "properties": {}});
    let expected =
        json!([{"type": "function", "function": {"name": "f", "parameters": parameters}}]);
    assert_eq!(body["tools"], expected);
    let request = Request { tool_choice: Some(ToolChoice::None), ..request };
    let body = write_request(&request, ReasoningStyle::None).unwrap();
    assert_eq!(body.get("tools"), None);
}

#[test]
fn what_ollama_cannot_take_is_named() {
    let other = || Other { dialect: "anthropic-messages", json: Json::null() };
    let media = |kind| Content::Media(Media { kind, data: inline(), name: None, detail: None });
    let url = MediaData::Url("https://a.example/x".to_owned());
    for (request, what) in [
        (user(Content::Other(other())), "a part of anthropic-messages in messages[0]"),
        (user(image(url)), "an image by its address in messages[0]"),
        (user(image(MediaData::Id("f".to_owned()))), "an uploaded image in messages[0]"),
        (user(media(MediaKind::Audio)), "a recording in messages[0]"),
        (user(media(MediaKind::Video)), "a video in messages[0]"),
        (
            Request { tools: vec![Tool::Other(other())], ..asking() },
            "a tool that only anthropic-messages knows",
        ),
        (
            Request { tool_choice: Some(ToolChoice::Required), ..asking() },
            "the tool choice `required`",
        ),
        (
            Request { tool_choice: Some(ToolChoice::Function("f".to_owned())), ..asking() },
            "the tool choice of `f`",
        ),
        (
            Request { response_format: Some(ResponseFormat::Other(other())), ..asking() },
            "a response format of anthropic-messages",
        ),
    ] {
        let error = write_request(&request, ReasoningStyle::None).unwrap_err();
        assert_eq!((error.dialect, error.what.as_str()), (NAME, what));
    }
    assert!(
        write_request(&user(media(MediaKind::File)), ReasoningStyle::None).is_ok(),
        "a picture"
    );
}

#[test]
fn what_is_no_request_is_told_with_its_place() {
    let with = |field: &str| format!(r#"{{"messages":[{{"role":"user","content":"x"}}],{field}}}"#);
    let message = |fields: &str| format!(r#"{{"messages":[{{{fields}}}]}}"#);
    for (body, expected) in [
        ("[]".to_owned(), "body: "),
        ("{}".to_owned(), "messages: expected a list of messages, found nothing"),
        (message(r#""content":"x""#), "messages[0].role: "),
        (message(r#""role":"user","content":7"#), "messages[0].content: "),
        (message(r#""role":"user","images":"x""#), "messages[0].images: "),
        (message(r#""role":"assistant","thinking":true"#), "messages[0].thinking: "),
        (
            message(r#""role":"assistant","tool_calls":[{"function":{}}]"#),
            "messages[0].tool_calls[0].function.name: ",
        ),
        (with(r#""stream":"yes""#), "stream: "),
        (with(r#""format":"xml""#), "format: "),
        (with(r#""think":1"#), "think: "),
        (with(r#""options":[]"#), "options: "),
        (with(r#""options":{"temperature":"hot"}"#), "options.temperature: "),
        (with(r#""options":{"stop":[1]}"#), "options.stop: "),
        (with(r#""tools":[{}]"#), "tools[0].function: "),
        (with(r#""session_id":7"#), "session_id: "),
    ] {
        let error = OllamaChat.read_request(&Bytes::from(body.clone())).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{body}: {error}");
    }
}
