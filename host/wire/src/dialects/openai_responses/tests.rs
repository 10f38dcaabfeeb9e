//! What fixtures can't show: bytes that stay, tools that are no functions, streams that other
//! dialects made, errors by their words.

use serde_json::{Value, json};

use super::*;
use crate::chunk::{Delta, FinishReason, ReasoningDetail, ReasoningKind, Usage};
use crate::dialect::ReasoningStyle;
use crate::error::ErrorType;
use crate::json::Json;
use crate::provider::Quirks;
use crate::sse::{Event, Reader};

mod custom_tools;
mod recordings;
mod streams;

fn head() -> Head {
    Head {
        id: "gen-1".to_owned(),
        created: 1,
        model: "a/b".to_owned(),
        provider: "P".to_owned(),
        ..Head::default()
    }
}

fn cost() -> Cost {
    let text = |text: &str| text.to_owned();
    Cost { total: text("0.3"), prompt: text("0.1"), completion: text("0.2"), is_byok: true }
}

fn target(quirks: &Quirks) -> Target<'_> {
    let reasoning = ReasoningStyle::Effort;
    Target { model: "m", stream: false, max_output_tokens: None, reasoning, efforts: &[], quirks }
}

fn read(body: &Value) -> Request {
    OpenaiResponses.read_request(&body.to_string().into()).unwrap()
}

fn sent(request: &Request) -> Value {
    let quirks = Quirks::default();
    let outgoing = OpenaiResponses.write_request(request, &target(&quirks)).unwrap();
    assert_eq!(outgoing.path, "/responses");
    serde_json::from_slice(&outgoing.body).unwrap()
}

/// Events as a client reads them: names that repeat the types, and numbers without a gap.
fn events(out: &[u8]) -> Vec<Value> {
    let mut reader = Reader::new(1 << 24);
    reader.push(Bytes::copy_from_slice(out));
    let mut events = Vec::new();
    while let Some(event) = reader.next_event() {
        let event = event.unwrap();
        if &*event.data == b"[DONE]" {
            assert!(reader.next_event().is_none());
            break;
        }
        let value: Value = serde_json::from_slice(&event.data).unwrap();
        assert_eq!(value["type"].as_str(), event.name.as_deref());
        assert_eq!(value["sequence_number"], events.len());
        events.push(value);
    }
    events
}

fn write(head: &Head, chunks: &[Chunk]) -> Vec<Value> {
    let mut out = Vec::new();
    let mut stream = OpenaiResponses.write_stream(head);
    chunks.iter().for_each(|chunk| stream.chunk(chunk, &mut out));
    stream.end(&Reply::fold(chunks).usage, &cost(), &mut out);
    assert!(out.ends_with(b"data: [DONE]\n\n"));
    events(&out)
}

#[test]
fn a_body_that_needs_no_change_keeps_every_byte_of_its_fields() {
    let body = Bytes::from_static(
        b"{\"model\":\"m\",\"input\":[{\"role\":\"user\", \"content\":\"\\u00e9\"}],\"top_p\":1.0,\"store\":false,\"include\":[\"reasoning.encrypted_content\"]}",
    );
    let request = OpenaiResponses.read_request(&body).unwrap();
    let quirks = Quirks::default();
    let outgoing = OpenaiResponses.write_request(&request, &target(&quirks)).unwrap();
    assert_eq!(outgoing.body, body);
}

#[test]
fn what_is_the_gateways_never_reaches_an_upstream() {
    let body = json!({
        "model": "a/b", "input": "x", "previous_response_id": "resp_1", "conversation": "c",
        "store": true, "provider": {"order": ["p"]}, "session_id": "s", "plugins": [{"id": "web"}],
        "models": ["c/d"], "trace": {}, "metadata": {"k": "v"}, "route": "fallback",
        "cache_control": {"type": "ephemeral"}, "tools": [{"type": "openrouter:datetime"}],
        "tool_choice": "auto", "parallel_tool_calls": true, "background": false,
    });
    let mut request = read(&body);
    let names: Vec<&str> = request.controls.rest.iter().map(|(name, _)| name.as_str()).collect();
    assert!(["previous_response_id", "conversation", "store"].iter().all(|n| names.contains(n)));
    for source in [request.source.clone(), None] {
        request.source = source;
        let sent = sent(&request);
        let mut keys: Vec<&String> = sent.as_object().unwrap().keys().collect();
        keys.sort();
        assert_eq!(keys, ["include", "input", "model", "store"]);
        assert_eq!(sent["store"], false);
    }
}

#[test]
fn a_wrong_request_is_told_where_it_is_wrong() {
    let cases = [
        ("[]", "body: expected a JSON object"),
        (r#"{"model":"a"}"#, "input: expected a string or a list of at least one item"),
        (r#"{"input":7}"#, "input: expected a string or a list of items, found 7"),
        (r#"{"input":[{}]}"#, "input[0].type: expected an item's type"),
        (r#"{"input":[{"role":"user"}]}"#, "input[0].content: expected a string or a list"),
        (
            r#"{"input":[{"role":"user","content":[{"type":"input_image"}]}]}"#,
            "input[0].content[0].image_url: expected an address",
        ),
        (r#"{"input":[{"type":"function_call"}]}"#, "input[0].call_id: expected the call's id"),
        (
            r#"{"input":[{"type":"function_call_output","call_id":"c"}]}"#,
            "input[0].output: expected a string or a list of parts",
        ),
        (r#"{"max_output_tokens":0}"#, "max_output_tokens: expected a whole number of at least 1"),
        (r#"{"tools":[{"type":"function"}]}"#, "tools[0].name: expected the function's name"),
        (r#"{"tools":[{"type":"custom"}]}"#, "tools[0].name: expected the tool's name"),
        (r#"{"tool_choice":"maybe"}"#, "tool_choice: expected `none`, `auto`, `required`"),
        (r#"{"text":{"verbosity":"none"}}"#, "text.verbosity: expected one of low, medium"),
        (r#"{"text":{"format":{"type":"json_schema"}}}"#, "text.format.name: expected"),
        (r#"{"include":[1]}"#, "include[0]: expected a string, found 1"),
        (r#"{"background":true}"#, "background: expected false: background responses"),
        (r#"{"model":"a","model":"b"}"#, "model: expected the field once, found it twice"),
    ];
    for (body, expected) in cases {
        let error = OpenaiResponses.read_request(&Bytes::from(body)).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{body}: {error}");
    }
}

#[test]
fn the_canonical_form_says_as_much_as_its_bytes() {
    let body = json!({
        "model": "m", "instructions": "Be brief.",
        "input": [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}], "encrypted_content": "gAAA+/="},
            {"type": "web_search_call", "id": "ws_1", "status": "completed"},
            {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "gBBB"},
            {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed", "phase": "commentary", "content": [{"type": "output_text", "text": "Wait.", "annotations": []}]},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{\"a\": 1}", "id": "fc_1", "caller": {"type": "program"}},
            {"type": "function_call_output", "call_id": "c1", "output": "ok"},
            {"type": "mcp_approval_response", "approval_request_id": "r", "approve": true},
        ],
        "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": false}, {"type": "mcp", "server_label": "s"}],
        "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": []},
        "reasoning": {"effort": "high", "summary": "detailed"},
        "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}, "verbosity": "low"},
        "service_tier": "flex", "prompt_cache_key": "k", "store": false,
        "include": ["file_search_call.results", "reasoning.encrypted_content"],
        "user": "u", "safety_identifier": "s", "truncation": "auto",
    });
    let mut request = read(&body);
    request.source = None;
    assert_eq!(sent(&request), body);
}

#[test]
fn what_openai_made_goes_back_to_it_and_what_others_made_does_not() {
    let detail = |format: Option<&str>, data: Option<&str>| ReasoningDetail {
        kind: if data.is_some() { ReasoningKind::Encrypted } else { ReasoningKind::Text },
        id: Some("rs_1".to_owned()),
        format: format.map(str::to_owned),
        data: data.map(str::to_owned),
        ..ReasoningDetail::default()
    };
    let cases = [
        (detail(Some("openai-responses-v1"), Some("gA+/=")), 2),
        (detail(Some("openai-responses-v1"), None), 1),
        (detail(Some("anthropic-claude-v1"), Some("x")), 1),
        (detail(Some("google-gemini-v1"), Some("x")), 1),
        (detail(None, None), 1),
    ];
    for (detail, count) in cases {
        let mut request = read(&json!({"model": "m", "input": "x"}));
        request.source = None;
        let text = String::new();
        let content = crate::request::Content::Reasoning { text, detail: Some(detail.clone()) };
        let mut turn = request.messages[0].clone();
        turn.role = crate::chunk::Role::Assistant;
        turn.parts = vec![crate::request::Part::new(content)];
        request.messages.push(turn);
        let input = sent(&request)["input"].clone();
        assert_eq!(input.as_array().unwrap().len(), count, "{detail:?}");
        if count == 2 {
            assert_eq!(input[1]["encrypted_content"], "gA+/=");
        }
    }
}

#[test]
fn an_id_that_was_made_up_here_does_not_go_back() {
    let mut request = read(&json!({"model": "m", "input": [
        {"type": "reasoning", "id": "rs_gen-1_0", "summary": [], "encrypted_content": "gA", "format": "azure-openai-responses-v1"},
        {"role": "user", "content": "x"},
    ]}));
    for source in [request.source.clone(), None] {
        request.source = source;
        let expected = json!({"type": "reasoning", "summary": [], "encrypted_content": "gA"});
        assert_eq!(sent(&request)["input"][0], expected);
    }
}

#[test]
fn a_picture_as_the_reply_is_refused_where_no_tool_makes_it() {
    let request = read(&json!({"model": "m", "input": "x", "modalities": ["text", "image"]}));
    let quirks = Quirks::default();
    let error = OpenaiResponses.write_request(&request, &target(&quirks)).unwrap_err();
    assert_eq!(error.to_string(), "openai-responses can't carry a reply of image");
}

#[test]
fn errors_keep_their_type_in_both_directions() {
    for (error_type, ..) in ErrorType::ALL {
        let failure = Failure::new(error_type, "why");
        let body = OpenaiResponses.write_error(&failure, None);
        let value: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(value["error_type"], error_type.as_str());
        assert_eq!(value["error"]["code"], failure.status);
        let back = OpenaiResponses.read_error(failure.status, &body);
        assert_eq!((back.error_type, &*back.message), (error_type, "why"));
    }
}

#[test]
fn a_failure_in_a_stream_has_openais_code_and_openrouters_type() {
    let cases = [
        (ErrorType::RateLimitExceeded, "rate_limit_exceeded"),
        (ErrorType::InvalidRequest, "invalid_prompt"),
        (ErrorType::ContentPolicyViolation, "image_content_policy_violation"),
        (ErrorType::Timeout, "server_error"),
    ];
    for (error_type, code) in cases {
        let mut out = Vec::new();
        OpenaiResponses.write_stream(&head()).error(&Failure::new(error_type, "why"), &mut out);
        let events = events(&out);
        let last = events.last().unwrap();
        assert_eq!(last["type"], "response.failed");
        assert_eq!(last["response"]["status"], "failed");
        assert_eq!(last["response"]["error"], json!({"code": code, "message": "why"}));
        assert_eq!(last["response"]["error_type"], error_type.as_str());
    }
    for error_type in [ErrorType::ContextLengthExceeded, ErrorType::MaxTokensExceeded] {
        let mut out = Vec::new();
        OpenaiResponses.write_stream(&head()).error(&Failure::new(error_type, "why"), &mut out);
        let events = events(&out);
        let response = &events.last().unwrap()["response"];
        assert_eq!(response["status"], "incomplete");
        assert_eq!(response["incomplete_details"], json!({"reason": "max_output_tokens"}));
        assert_eq!(response["error"], Value::Null);
    }
}
