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

fn function(name: &str, strict: Option<bool>) -> Tool {
    Tool::Function {
        name: name.to_owned(),
        description: None,
        parameters: None,
        strict,
        cache_control: None,
    }
}

fn call(id: &str, arguments: &str) -> Part {
    let [id, name, arguments] = [id, "f", arguments].map(str::to_owned);
    Part::new(Content::ToolCall { id, name, arguments })
}

fn thought(text: &str, format: Option<&str>) -> Part {
    let detail = format.map(|format| ReasoningDetail {
        format: Some(format.to_owned()),
        ..ReasoningDetail::default()
    });
    Part::new(Content::Reasoning { text: text.to_owned(), detail })
}

#[test]
fn what_was_read_is_written_the_same_without_its_bytes() {
    let body = json!({
        "model": "command-a", "stream": false,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Q"},
                {"type": "image_url", "image_url": {"url": "https://a.example/x", "detail": "high"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]},
            {"role": "assistant", "tool_plan": "Look.",
                "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "So"}],
                "tool_calls": [{"id": "a", "type": "function",
                    "function": {"name": "f", "arguments": "{\"b\": 1.0}"}}],
                "citations": [{"start": 0, "end": 1, "text": "S", "sources": []}]},
            {"role": "tool", "tool_call_id": "a", "content": "12:40"},
        ],
        "tools": [{"type": "function",
            "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}],
        "tool_choice": "REQUIRED", "strict_tools": true,
        "response_format": {"type": "json_object", "json_schema": {"type": "object"}},
        "thinking": {"type": "enabled", "token_budget": 100},
        "max_tokens": 10, "temperature": 0.5, "p": 0.9, "k": 3, "seed": 1,
        "frequency_penalty": 0.1, "presence_penalty": 0.2, "stop_sequences": ["x"],
        "logprobs": true, "safety_mode": "OFF", "documents": [{"id": "d", "data": {"n": 1.50}}],
    });
    let request = Request { source: None, ..read_request(&body.to_string()) };
    assert_eq!(write_request(&request, ReasoningStyle::Budget).unwrap(), body);
}

#[test]
fn a_client_s_bytes_go_through_but_for_what_the_gateway_owns() {
    let body = r#"{ "model":"a/b", "messages":[ {"role":"user","content":"\u00e9"} ], "provider":{}, "new": 1.0 }"#;
    let quirks = Quirks::default();
    let to = Target { stream: true, ..target(ReasoningStyle::None, &quirks) };
    let outgoing = CohereChat.write_request(&read_request(body), &to).unwrap();
    let expected = r#"{"model":"command-a","messages":[ {"role":"user","content":"\u00e9"} ],"new":1.0,"stream":true}"#;
    assert_eq!(outgoing.body, expected);
}

#[test]
fn one_forced_function_is_the_only_tool() {
    let request = Request {
        tools: vec![function("f", Some(true)), function("g", None)],
        tool_choice: Some(ToolChoice::Function("f".to_owned())),
        ..asking()
    };
    let body = write_request(&request, ReasoningStyle::None).unwrap();
    let parameters = json!({"type": "object", "properties": {}});
    let only = json!([{"type": "function", "function": {"name": "f", "parameters": parameters}}]);
    assert_eq!(body["tools"], only);
    assert_eq!(body["tool_choice"], "REQUIRED");
    assert_eq!(body["strict_tools"], true);
}

#[test]
fn strictness_is_said_only_where_all_tools_agree() {
    for (wishes, expected) in [
        ([Some(true), Some(true)], json!(true)),
        ([Some(false), Some(false)], json!(false)),
        ([Some(true), None], Value::Null),
        ([Some(true), Some(false)], Value::Null),
    ] {
        let tools = vec![function("f", wishes[0]), function("g", wishes[1])];
        let body = write_request(&Request { tools, ..asking() }, ReasoningStyle::None).unwrap();
        assert_eq!(body["strict_tools"], expected, "{wishes:?}");
    }
}

#[test]
fn a_choice_without_tools_is_left_out() {
    let request = Request { tool_choice: Some(ToolChoice::None), ..asking() };
    let body = write_request(&request, ReasoningStyle::None).unwrap();
    assert_eq!(body.get("tool_choice"), None);
}

#[test]
fn thought_goes_back_to_where_the_model_takes_it() {
    let turn = |parts| of(vec![message(Role::Assistant, parts)]);
    let request = turn(vec![
        thought("Look", Some(TOOL_PLAN)),
        thought(" it up.", Some(TOOL_PLAN)),
        thought("Hm", None),
        thought(", well.", Some("anthropic-claude-v1")),
        call("a", ""),
    ]);
    let thinking = |style| write_request(&request, style).unwrap()["messages"][0].clone();
    let ours = thinking(ReasoningStyle::Budget);
    assert_eq!(ours["tool_plan"], "Look it up.");
    assert_eq!(ours["content"], json!([{"type": "thinking", "thinking": "Hm, well."}]));
    assert_eq!(ours["tool_calls"][0]["function"]["arguments"], "{}");
    let plain = thinking(ReasoningStyle::None);
    assert_eq!(plain["tool_plan"], "Look it up.Hm, well.");
    assert_eq!(plain.get("content"), None);

    let hidden = Some(ReasoningDetail {
        kind: ReasoningKind::Encrypted,
        data: Some("secret".to_owned()),
        ..ReasoningDetail::default()
    });
    let hidden = Part::new(Content::Reasoning { text: String::new(), detail: hidden });
    let request = turn(vec![hidden, thought("Only thought.", None)]);
    let body = write_request(&request, ReasoningStyle::None).unwrap();
    assert_eq!(body["messages"], json!([]), "a model that does not think has no use for it");
}

#[test]
fn what_lies_beyond_cohere_s_scales_is_their_end_or_left_out() {
    let sampling = Sampling {
        top_p: Some(1.0),
        top_k: Some(1000),
        seed: Some(-1),
        frequency_penalty: Some(1.5),
        presence_penalty: Some(-0.5),
        n: Some(2),
        min_p: Some(0.1),
        ..Sampling::default()
    };
    let body = write_request(&Request { sampling, ..asking() }, ReasoningStyle::None).unwrap();
    let messages = json!([{"role": "user", "content": "Q"}]);
    let expected = json!({"model": "command-a", "stream": false, "messages": messages,
        "p": 0.99, "k": 500, "frequency_penalty": 1.0});
    assert_eq!(body, expected);
}

#[test]
fn efforts_become_budgets() {
    let thinking = |reasoning: Reasoning, style, max_tokens| {
        let sampling = Sampling { max_tokens, ..Sampling::default() };
        let request = Request { reasoning: Some(reasoning), sampling, ..asking() };
        write_request(&request, style).unwrap()["thinking"].clone()
    };
    let of_effort = |effort| Reasoning { effort: Some(effort), ..Reasoning::default() };
    let enabled = |enabled| Reasoning { enabled: Some(enabled), ..Reasoning::default() };
    let budget = |max_tokens| Reasoning { max_tokens: Some(max_tokens), ..Reasoning::default() };
    let style = ReasoningStyle::Budget;
    let on = |tokens: u32| json!({"type": "enabled", "token_budget": tokens});
    assert_eq!(thinking(of_effort(Effort::High), style, Some(100)), on(80));
    assert_eq!(thinking(of_effort(Effort::Low), style, None), on(200));
    assert_eq!(thinking(budget(64), style, None), on(64));
    assert_eq!(thinking(enabled(true), style, None), json!({"type": "enabled"}));
    for off in [of_effort(Effort::None), enabled(false), budget(0)] {
        assert_eq!(thinking(off, style, None), json!({"type": "disabled"}));
    }
    assert_eq!(thinking(Reasoning::default(), style, None), Value::Null);
    assert_eq!(thinking(enabled(true), ReasoningStyle::None, None), Value::Null);
}

#[test]
fn names_stand_before_words_and_results_stand_alone() {
    let result = Content::ToolResult {
        call_id: "a".to_owned(),
        parts: vec![Part::text("12"), Part::text("40")],
        is_error: true,
    };
    let named = Message {
        name: Some("Ann".to_owned()),
        ..message(Role::User, vec![Part::text("Hi"), Part::new(result), Part::text("so?")])
    };
    let request = of(vec![message(Role::Developer, vec![Part::text("d")]), named]);
    let body = write_request(&request, ReasoningStyle::None).unwrap();
    let expected = json!([
        {"role": "system", "content": "d"},
        {"role": "user", "content": "Ann: Hi"},
        {"role": "tool", "tool_call_id": "a",
            "content": [{"type": "text", "text": "12"}, {"type": "text", "text": "40"}]},
        {"role": "user", "content": "Ann: so?"},
    ]);
    assert_eq!(body["messages"], expected);
}

#[test]
fn what_cohere_cannot_take_is_named() {
    let other = || Other { dialect: "anthropic-messages", json: Json::of(&json!({"type": "x"})) };
    let media = |kind, data| Content::Media(Media { kind, data, name: None, detail: None });
    let url = || MediaData::Url("https://a.example/x".to_owned());
    let in_result = Content::ToolResult {
        call_id: "a".to_owned(),
        parts: vec![Part::new(media(MediaKind::Image, url()))],
        is_error: false,
    };
    let image = media(MediaKind::Image, url());
    let forced = Some(ToolChoice::Function("gone".to_owned()));
    for (request, what) in [
        (user(Content::Other(other())), "a part of anthropic-messages in messages[0]"),
        (user(media(MediaKind::Audio, url())), "a recording in messages[0]"),
        (user(media(MediaKind::Video, url())), "a video in messages[0]"),
        (user(media(MediaKind::File, url())), "a file in messages[0]"),
        (
            user(media(MediaKind::Image, MediaData::Id("f".to_owned()))),
            "an uploaded image in messages[0]",
        ),
        (user(in_result), "anything but text in a tool result in messages[0]"),
        (
            of(vec![message(Role::System, vec![Part::new(image)])]),
            "an image of the system in messages[0]",
        ),
        (
            Request { tools: vec![Tool::Other(other())], ..asking() },
            "a tool that only anthropic-messages knows",
        ),
        (
            Request { tool_choice: Some(ToolChoice::Other(other())), ..asking() },
            "a tool choice of anthropic-messages",
        ),
        (
            Request { tool_choice: forced, tools: vec![function("f", None)], ..asking() },
            "the choice of `gone`, which is not among the tools",
        ),
        (
            Request { response_format: Some(ResponseFormat::Other(other())), ..asking() },
            "a response format of anthropic-messages",
        ),
    ] {
        let error = write_request(&request, ReasoningStyle::None).unwrap_err();
        assert_eq!((error.dialect, error.what.as_str()), (NAME, what));
    }
}

#[test]
fn what_is_no_request_is_told_with_its_place() {
    let with = |field: &str| format!(r#"{{"messages":[{{"role":"user","content":"x"}}],{field}}}"#);
    let message = |fields: &str| format!(r#"{{"messages":[{{{fields}}}]}}"#);
    for (body, expected) in [
        ("[]".to_owned(), "body: "),
        ("{}".to_owned(), "messages: expected a list of messages, found nothing"),
        (r#"{"messages":[]}"#.to_owned(), "messages: expected at least one message"),
        (message(r#""content":"x""#), "messages[0].role: "),
        (message(r#""role":"user","content":7"#), "messages[0].content: "),
        (message(r#""role":"user","content":[{}]"#), "messages[0].content[0].type: "),
        (
            message(r#""role":"user","content":[{"type":"image_url","image_url":{}}]"#),
            "messages[0].content[0].image_url.url: ",
        ),
        (
            message(r#""role":"assistant","tool_calls":[{"id":"a","function":{}}]"#),
            "messages[0].tool_calls[0].function.name: ",
        ),
        (
            message(r#""role":"tool","tool_call_id":"a","content":[{"type":"document"}]"#),
            "messages[0].content[0].document: ",
        ),
        (with(r#""stream":"yes""#), "stream: "),
        (with(r#""k":-1"#), "k: "),
        (with(r#""tools":[{"type":"function"}]"#), "tools[0].function: "),
        (with(r#""tool_choice":"auto""#), "tool_choice: "),
        (with(r#""strict_tools":1"#), "strict_tools: "),
        (with(r#""thinking":{"type":"much"}"#), "thinking.type: "),
        (with(r#""thinking":{"type":"enabled","token_budget":-1}"#), "thinking.token_budget: "),
        (with(r#""response_format":{}"#), "response_format.type: "),
        (with(r#""plugins":[{}]"#), "plugins[0].id: "),
    ] {
        let error = CohereChat.read_request(&Bytes::from(body.clone())).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{body}: {error}");
    }
}
