//! Requests in both directions.

use super::*;
use crate::chunk::{ReasoningDetail, Role};
use crate::json::{Extra, Json};
use crate::request::{
    Content, Effort, Media, MediaData, MediaKind, Message, Other, Part, Reasoning, ResponseFormat,
    Tool, ToolChoice,
};

/// Everything at once: a loop of tools with thought, media, caches, settings, extensions.
fn everything() -> Value {
    json!({
        "model": "anthropic/claude-x",
        "max_tokens": 4000,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aW1n"}},
                {"type": "image", "source": {"type": "url", "url": "https://a.example/i.png"}},
                {"type": "document", "title": "a.pdf",
                    "source": {"type": "base64", "media_type": "application/pdf", "data": "cGRm"}},
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}},
                {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
                {"type": "search_result", "source": "s", "title": "t", "content": []},
                {"type": "text", "text": "Look.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "c2ln+/=="},
                {"type": "redacted_thinking", "data": "b3BhcXVl"},
                {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"q": 1}},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"b": 1.0, "a": [2]}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": true, "content": [
                    {"type": "text", "text": "no"},
                    {"type": "image", "source": {"type": "url", "url": "https://a.example/j.png"}}]},
                {"type": "text", "text": "Again."}]}],
        "tools": [
            {"name": "look", "description": "Looks.", "input_schema": {"type": "object"},
                "cache_control": {"type": "ephemeral"}},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}},
            "task_budget": {"type": "tokens", "total": 20000}},
        "stop_sequences": ["END"],
        "metadata": {"user_id": "u1"},
        "service_tier": "auto",
        "context_management": {"edits": []}
    })
}

fn user(text: &str) -> Message {
    message(Role::User, vec![Part::text(text)])
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, name: None, parts, extra: Extra::default() }
}

fn asking(messages: Vec<Message>) -> Request {
    Request { model: "m".to_owned(), messages, ..Request::default() }
}

fn refusal(request: &Request) -> String {
    let quirks = Quirks::default();
    let to = target(&quirks, ReasoningStyle::None);
    AnthropicMessages.write_request(request, &to).unwrap_err().to_string()
}

fn thinking(reasoning: Reasoning, max_tokens: Option<u32>, style: ReasoningStyle) -> Value {
    let mut request = asking(vec![user("Hi")]);
    request.reasoning = Some(reasoning);
    request.sampling.max_tokens = max_tokens;
    request.sampling.temperature = Some(1.7);
    request.sampling.top_k = Some(3);
    compose(&request, style)
}

#[test]
fn what_is_written_is_read_again() {
    let request = read_request(&everything());
    let again = read_request(&compose(&request, ReasoningStyle::Budget));
    let request = Request { model: "claude-x".to_owned(), source: None, ..request };
    assert_eq!(Request { source: None, ..again }, request);
}

#[test]
fn arguments_and_signatures_keep_their_bytes() {
    let text = r#"{"model":"m","messages":[{"role":"user","content":"a"},
        {"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"b": 1.0, "a":1e3}}]}]}"#;
    let request = AnthropicMessages.read_request(&Bytes::from(text)).unwrap();
    let request = Request { source: None, ..request };
    let quirks = Quirks::default();
    let to = target(&quirks, ReasoningStyle::None);
    let body = AnthropicMessages.write_request(&request, &to).unwrap().body;
    assert!(String::from_utf8_lossy(&body).contains(r#""input":{"b": 1.0, "a":1e3}"#));
}

#[test]
fn a_client_of_the_dialect_keeps_its_bytes() {
    let mut body = everything();
    body["a_new_field"] = json!({"b": 1, "a": 2});
    for (key, value) in [
        ("models", json!(["x/y"])),
        ("provider", json!({"order": ["a"]})),
        ("plugins", json!([{"id": "web"}])),
        ("session_id", json!("s")),
        ("trace", json!({})),
        ("stream", json!(false)),
    ] {
        body[key] = value;
    }
    let request = read_request(&body);
    assert_eq!(request.controls.models, ["x/y"]);
    assert_eq!(request.controls.plugins[0].id, "web");
    let quirks = Quirks::default();
    let to = Target { stream: true, ..target(&quirks, ReasoningStyle::Budget) };
    let outgoing = AnthropicMessages.write_request(&request, &to).unwrap();
    assert_eq!(outgoing.path, "/messages");
    assert_eq!(outgoing.headers[0], ("anthropic-version", "2023-06-01".to_owned()));
    assert_eq!(outgoing.headers[1], ("anthropic-beta", "files-api-2025-04-14".to_owned()));
    let mut expected = everything();
    expected["model"] = "claude-x".into();
    expected["a_new_field"] = body["a_new_field"].clone();
    expected["stream"] = true.into();
    assert_eq!(String::from_utf8_lossy(&outgoing.body), expected.to_string());
}

#[test]
fn a_client_of_the_dialect_gets_thought_in_the_models_style() {
    let request = read_request(&everything());
    let quirks = Quirks::default();
    let to = target(&quirks, ReasoningStyle::Adaptive);
    let body = AnthropicMessages.write_request(&request, &to).unwrap().body;
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["thinking"], json!({"type": "adaptive", "display": "summarized"}));
    assert_eq!(body["output_config"]["effort"], "medium");
    assert_eq!(body["output_config"]["task_budget"]["total"], 20000);
    assert_eq!(body["messages"], everything()["messages"]);
}

#[test]
fn a_limit_is_always_written() {
    let request = read_request(&json!({"model": "m", "user": "u",
        "messages": [{"role": "user", "content": "a"}]}));
    let quirks = Quirks::default();
    let to = target(&quirks, ReasoningStyle::None);
    for request in [Request { source: None, ..request.clone() }, request] {
        for (known, expected) in [(Some(64_000), 64_000), (None, 4096)] {
            let to = Target { max_output_tokens: known, ..to };
            let body = AnthropicMessages.write_request(&request, &to).unwrap().body;
            let body: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["max_tokens"], expected);
            assert_eq!((&body["metadata"]["user_id"], &body["user"]), (&json!("u"), &Value::Null));
        }
    }
}

#[test]
fn turns_alternate_and_instructions_come_first() {
    let result = |id: &str, words: &str| {
        let parts = vec![Part::text(words)];
        let result = Content::ToolResult { call_id: id.to_owned(), parts, is_error: false };
        message(Role::Tool, vec![Part::new(result)])
    };
    let call = |id: &str, arguments: &str| {
        Part::new(Content::ToolCall {
            id: id.to_owned(),
            name: "f".to_owned(),
            arguments: arguments.to_owned(),
        })
    };
    let foreign = Content::Reasoning { text: "thinks".to_owned(), detail: None };
    let request = asking(vec![
        message(Role::System, vec![Part::text("One.")]),
        message(Role::Developer, vec![Part::text("Two.")]),
        user("a"),
        user("b"),
        message(
            Role::Assistant,
            vec![Part::new(foreign), call("f.x:0", ""), call("c2", "{\"a\": 1}")],
        ),
        result("f.x:0", "r1"),
        result("c2", ""),
        Message { name: Some("Ann".to_owned()), ..user("c") },
        message(Role::System, vec![Part::text("Later.")]),
        message(Role::Assistant, vec![Part::text("So ")]),
    ]);
    let body = compose(&request, ReasoningStyle::None);
    let text = |words: &str| json!({"type": "text", "text": words});
    assert_eq!(body["system"], json!([text("One."), text("Two.")]));
    assert_eq!(
        body["messages"],
        json!([
            {"role": "user", "content": [text("a"), text("b")]},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "f_x_0", "name": "f", "input": {}},
                {"type": "tool_use", "id": "c2", "name": "f", "input": {"a": 1}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "f_x_0", "content": "r1"},
                {"type": "tool_result", "tool_use_id": "c2"},
                text("Ann: c"), text("Later.")]},
            {"role": "assistant", "content": "So"}])
    );
    let only = compose(
        &asking(vec![message(Role::System, vec![Part::text("Alone.")])]),
        ReasoningStyle::None,
    );
    assert_eq!(only["messages"], json!([{"role": "user", "content": "Alone."}]));
}

#[test]
fn effort_becomes_a_share_of_the_limit() {
    let effort = |effort| Reasoning { effort: Some(effort), ..Reasoning::default() };
    let cases = [
        (Effort::Max, Some(10_000), json!({"type": "enabled", "budget_tokens": 9500})),
        (Effort::High, Some(10_000), json!({"type": "enabled", "budget_tokens": 8000})),
        (Effort::Medium, None, json!({"type": "enabled", "budget_tokens": 32_000})),
        (Effort::Minimal, Some(2000), json!({"type": "enabled", "budget_tokens": 1024})),
        (Effort::High, Some(1_000_000), json!({"type": "enabled", "budget_tokens": 128_000})),
        (Effort::High, Some(1024), Value::Null),
        (Effort::None, Some(10_000), json!({"type": "disabled"})),
    ];
    for (level, limit, expected) in cases {
        let body = thinking(effort(level), limit, ReasoningStyle::Budget);
        assert_eq!(body["thinking"], expected, "{level:?}");
        let thinks = expected["type"] == "enabled";
        assert_eq!(body["temperature"].is_null(), thinks);
        assert_eq!(body["top_k"].is_null(), thinks);
    }
    let body = thinking(effort(Effort::Minimal), None, ReasoningStyle::Adaptive);
    assert_eq!(body["thinking"]["type"], "adaptive");
    assert_eq!(body["output_config"], json!({"effort": "low"}));
    let body = thinking(effort(Effort::High), None, ReasoningStyle::None);
    assert_eq!((&body["thinking"], &body["output_config"]), (&Value::Null, &Value::Null));
    assert_eq!(body["temperature"], 1.0);
}

#[test]
fn a_budget_needs_a_greater_limit() {
    let budget = |tokens| Reasoning { max_tokens: Some(tokens), ..Reasoning::default() };
    let body = thinking(budget(10), Some(3000), ReasoningStyle::Budget);
    assert_eq!(body["thinking"]["budget_tokens"], 1024);
    let body = thinking(budget(90_000), None, ReasoningStyle::Budget);
    assert_eq!(body["max_tokens"], 94_096);
    let mut request = asking(vec![user("a")]);
    request.reasoning = Some(budget(3000));
    request.sampling.max_tokens = Some(3000);
    let quirks = Quirks::default();
    let to = target(&quirks, ReasoningStyle::Budget);
    let error = AnthropicMessages.write_request(&request, &to).unwrap_err();
    assert!(error.to_string().contains("raise `max_tokens`"), "{error}");
}

#[test]
fn a_forced_call_leaves_no_room_for_thought() {
    let mut request = read_request(&everything());
    request.tool_choice = Some(ToolChoice::Function("look".to_owned()));
    let body = compose(&request, ReasoningStyle::Budget);
    assert_eq!(body["thinking"], Value::Null);
    let choice = json!({"type": "tool", "name": "look", "disable_parallel_tool_use": true});
    assert_eq!(body["tool_choice"], choice);
}

#[test]
fn the_pieces_of_a_thought_are_joined() {
    let piece = |text: &str, signature: Option<&str>| {
        let detail = ReasoningDetail {
            format: Some("anthropic-claude-v1".to_owned()),
            index: Some(0),
            signature: signature.map(str::to_owned),
            ..ReasoningDetail::default()
        };
        Part::new(Content::Reasoning { text: text.to_owned(), detail: Some(detail) })
    };
    let parts = vec![piece("a", None), piece("b", None), piece("", Some("s")), Part::text("x")];
    let body = compose(
        &asking(vec![user("q"), message(Role::Assistant, parts), user("r")]),
        ReasoningStyle::Budget,
    );
    let block = json!({"type": "thinking", "thinking": "ab", "signature": "s"});
    assert_eq!(body["messages"][1]["content"][0], block);
}

#[test]
fn what_the_dialect_cannot_say_is_refused() {
    let media = |kind, mime: &str| {
        let data = MediaData::Inline { mime: mime.to_owned(), base64: "AA==".to_owned() };
        let media = Media { kind, data, name: None, detail: None };
        asking(vec![user("a"), message(Role::User, vec![Part::new(Content::Media(media))])])
    };
    let cases = [
        (media(MediaKind::Audio, "audio/wav"), "a recording in messages[1]"),
        (media(MediaKind::Video, "video/mp4"), "a video in messages[1]"),
        (media(MediaKind::File, "application/zip"), "a file of type application/zip"),
    ];
    for (request, expected) in cases {
        let error = refusal(&request);
        assert!(error.contains(expected), "{error}");
    }
    let foreign = Other { dialect: "gemini-generate", json: Json::null() };
    let mut request = asking(vec![user("a")]);
    request.tools = vec![Tool::Other(foreign)];
    assert!(refusal(&request).contains("gemini-generate"));
}

#[test]
fn fields_without_a_form_are_left_out() {
    let mut request = asking(vec![user("a")]);
    request.response_format = Some(ResponseFormat::JsonObject);
    request.sampling.seed = Some(1);
    request.sampling.stop = vec![" ".to_owned()];
    request.tools = vec![Tool::Function {
        name: "f".to_owned(),
        description: None,
        parameters: None,
        strict: Some(true),
        cache_control: None,
    }];
    request.extra =
        Extra { dialect: "openai-chat", fields: vec![("store".to_owned(), Json::of(&true))] };
    let body = compose(&request, ReasoningStyle::None);
    let keys: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["model", "messages", "tools", "max_tokens"]);
    let tool = json!({"name": "f", "input_schema": {"type": "object", "properties": {}}});
    assert_eq!(body["tools"], json!([tool]));
}

#[test]
fn a_wrong_body_is_told_by_path() {
    let hello = json!([{"role": "user", "content": "a"}]);
    let cases = [
        ("[]".to_owned(), "body"),
        (json!({"model": "m"}).to_string(), "messages"),
        (json!({"messages": []}).to_string(), "messages"),
        (json!({"messages": [{"role": "tool", "content": ""}]}).to_string(), "messages[0].role"),
        (json!({"messages": [{"role": "user"}]}).to_string(), "messages[0].content"),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "text"}]}]}).to_string(),
            "messages[0].content[0].text",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "tool_result",
                "tool_use_id": "a", "content": [{"type": "image"}]}]}]})
            .to_string(),
            "messages[0].content[0].content[0].source",
        ),
        (json!({"messages": hello, "max_tokens": -1}).to_string(), "max_tokens"),
        (json!({"messages": hello, "tools": [{}]}).to_string(), "tools[0].name"),
        (json!({"messages": hello, "thinking": {"type": "x"}}).to_string(), "thinking.type"),
        (
            json!({"messages": hello, "output_config": {"effort": "x"}}).to_string(),
            "output_config.effort",
        ),
        (
            json!({"messages": hello, "fallbacks": [{"model": "a", "b": 1}]}).to_string(),
            "fallbacks[0]",
        ),
        (
            json!({"messages": hello, "models": ["a"], "fallbacks": [{"model": "a"}]}).to_string(),
            "fallbacks",
        ),
        (json!({"messages": hello, "plugins": [{}]}).to_string(), "plugins[0].id"),
    ];
    for (body, path) in cases {
        let error = AnthropicMessages.read_request(&Bytes::from(body.clone())).unwrap_err();
        assert_eq!(error.path, path, "{body}");
    }
    assert!(AnthropicMessages.read_request(&Bytes::from_static(b"\xff")).is_err());
}

/// A conversation that the dialect can carry as it is: turns alternate, texts can be seen, and
/// results are messages of their own before the words of their turn.
fn conversation() -> impl proptest::strategy::Strategy<Value = Vec<Message>> {
    use proptest::prelude::*;
    let words = "[a-zA-Zäß🌊\"\\\\\n][a-z \"]{0,8}[a-z]";
    let cache = prop_oneof![
        Just(None),
        Just(Some(Json::parse(r#"{"type":"ephemeral","ttl":"1h"}"#).unwrap()))
    ];
    let text = (words, cache)
        .prop_map(|(text, cache_control)| Part { content: Content::Text(text), cache_control });
    let image = ("[a-z]{1,5}", "[A-Za-z0-9]{4}").prop_map(|(mime, base64)| {
        let data = MediaData::Inline { mime: format!("image/{mime}"), base64 };
        Part::new(Content::Media(Media { kind: MediaKind::Image, data, name: None, detail: None }))
    });
    let said = proptest::collection::vec(prop_oneof![text.clone(), image], 1..4);
    let result =
        ("[a-z_0-9-]{1,6}", said.clone(), any::<bool>()).prop_map(|(call_id, parts, is_error)| {
            let result = Content::ToolResult { call_id, parts, is_error };
            message(Role::Tool, vec![Part::new(result)])
        });
    let users = (proptest::collection::vec(result, 0..3), said).prop_map(|(mut turn, parts)| {
        turn.push(message(Role::User, parts));
        turn
    });
    let call = ("[a-z_0-9-]{1,6}", words, -9..9i64).prop_map(|(id, key, value)| {
        let arguments = json!({ key: value }).to_string();
        Part::new(Content::ToolCall { id, name: "f".to_owned(), arguments })
    });
    let thoughts = proptest::collection::vec((words, "[A-Za-z+/]{4}", any::<bool>()), 0..3);
    let assistants = (thoughts, text, proptest::collection::vec(call, 0..3));
    let assistants = assistants.prop_map(|(thoughts, text, calls)| {
        let thoughts = (0u32..).zip(thoughts).map(|(index, (text, proof, is_redacted))| {
            let (text, detail) = if is_redacted {
                (String::new(), super::super::thinking::redacted(proof, index))
            } else {
                (text, super::super::thinking::thinking(Some(proof), index))
            };
            Part::new(Content::Reasoning { text, detail: Some(detail) })
        });
        message(Role::Assistant, thoughts.chain([text]).chain(calls).collect())
    });
    (users.clone(), proptest::collection::vec((assistants, users), 0..3)).prop_map(
        |(first, rest)| {
            let mut messages = vec![message(Role::System, vec![Part::text("Be brief.")])];
            messages.extend(first);
            for (assistant, users) in rest {
                messages.push(assistant);
                messages.extend(users);
            }
            messages
        },
    )
}

#[test]
fn features_that_a_client_opted_into_are_asked_for_and_strict_tools_only_then() {
    let strict = Tool::Function {
        name: "look".to_owned(),
        description: None,
        parameters: Json::parse(r#"{"type":"object","properties":{"a":{"type":"string"}}}"#).ok(),
        strict: Some(true),
        cache_control: None,
    };
    let mut request = Request { tools: vec![strict], ..asking(vec![user("Hi")]) };
    let quirks = Quirks::default();
    let write = |request: &Request| {
        let outgoing = AnthropicMessages
            .write_request(request, &target(&quirks, ReasoningStyle::None))
            .unwrap();
        let body: Value = serde_json::from_slice(&outgoing.body).unwrap();
        (outgoing.headers, body["tools"][0].clone())
    };
    let (headers, tool) = write(&request);
    assert_eq!(headers.len(), 1, "{headers:?}");
    assert_eq!(tool["strict"], Value::Null);

    request.service.betas =
        vec!["context-1m-2025-08-07".to_owned(), "structured-outputs-2025-11-13".to_owned()];
    let (headers, tool) = write(&request);
    let betas = "context-1m-2025-08-07,structured-outputs-2025-11-13".to_owned();
    assert!(headers.contains(&("anthropic-beta", betas)), "{headers:?}");
    assert_eq!(tool["strict"], true);
    assert_eq!(tool["input_schema"]["additionalProperties"], false);

    let media = Media {
        kind: MediaKind::File,
        data: MediaData::Id("file_1".to_owned()),
        name: None,
        detail: None,
    };
    request.messages.push(message(Role::User, vec![Part::new(Content::Media(media))]));
    request.service.betas.truncate(1);
    let (headers, _) = write(&request);
    let betas = "context-1m-2025-08-07,files-api-2025-04-14".to_owned();
    assert!(headers.contains(&("anthropic-beta", betas)), "{headers:?}");
}

proptest::proptest! {
    #[test]
    fn any_conversation_is_read_as_it_was_written(messages in conversation()) {
        let again = read_request(&compose(&asking(messages.clone()), ReasoningStyle::Budget));
        proptest::prop_assert_eq!(again.messages, messages);
    }

    #[test]
    fn no_body_makes_a_reader_panic(body in "\\PC{0,40}", kind in "[a-z_]{0,12}") {
        let quoted = Value::from(body.clone());
        for text in [
            body.clone(),
            json!({"messages": [{"role": "user", "content": [{"type": kind, "text": quoted}]}]}).to_string(),
            json!({"type": kind, "index": 0, "delta": quoted, "message": quoted}).to_string(),
            json!({"content": [{"type": kind, "input": quoted}], "usage": quoted}).to_string(),
        ] {
            let bytes = Bytes::from(text);
            let _ = AnthropicMessages.read_request(&bytes);
            let _ = AnthropicMessages.read_reply(&bytes);
            let _ = AnthropicMessages.read_error(500, &bytes);
            let _ = AnthropicMessages.read_stream().read(&event(bytes), &mut Vec::new());
        }
    }
}
