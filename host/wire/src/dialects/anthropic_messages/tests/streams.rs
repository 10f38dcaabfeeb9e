//! Streams in both directions, on events written here.

use super::*;
use crate::chunk::{ReasoningDetail, ReasoningKind, Role};
use crate::error::{ErrorType, Failure};
use crate::json::Json;

fn start() -> Value {
    json!({"type": "message_start", "message": {"id": "msg_1", "type": "message",
        "role": "assistant", "model": "claude-x", "content": [], "stop_reason": null,
        "usage": {"input_tokens": 5, "cache_read_input_tokens": 20,
            "cache_creation_input_tokens": 10, "output_tokens": 1,
            "cache_creation": {"ephemeral_5m_input_tokens": 6, "ephemeral_1h_input_tokens": 4}}}})
}

fn block(index: u64, block: &Value, deltas: &[Value]) -> Vec<Value> {
    let mut events =
        vec![json!({"type": "content_block_start", "index": index, "content_block": block})];
    let delta = |delta| json!({"type": "content_block_delta", "index": index, "delta": delta});
    events.extend(deltas.iter().map(delta));
    events.push(json!({"type": "content_block_stop", "index": index}));
    events
}

fn end(reason: &str) -> Vec<Value> {
    vec![
        json!({"type": "message_delta", "delta": {"stop_reason": reason},
            "usage": {"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 3}}}),
        json!({"type": "message_stop"}),
    ]
}

fn stream(blocks: &[Vec<Value>], reason: &str) -> Vec<Value> {
    [vec![start()], blocks.concat(), end(reason)].concat()
}

fn thought() -> Vec<Value> {
    block(
        0,
        &json!({"type": "thinking", "thinking": "", "signature": ""}),
        &[
            json!({"type": "thinking_delta", "thinking": "Let me "}),
            json!({"type": "thinking_delta", "thinking": "see."}),
            json!({"type": "signature_delta", "signature": "c2ln+/=="}),
        ],
    )
}

fn text(words: &str) -> Delta {
    Delta::Text { choice: 0, text: words.to_owned() }
}

#[test]
fn the_prompt_counts_what_the_cache_read_and_wrote() {
    let chunks = read_events(&stream(&[], "end_turn")).unwrap();
    let expected = Usage {
        prompt: Some(35),
        completion: Some(9),
        cached: Some(20),
        cache_write: Some(6),
        cache_write_1h: Some(4),
        reasoning: Some(3),
        ..Usage::default()
    };
    assert_eq!(Reply::fold(&chunks).usage, expected);
}

#[test]
fn compaction_is_billed_with_the_message_it_served() {
    let mut events = stream(&[], "end_turn");
    events[1]["usage"]["iterations"] = json!([
        {"type": "compaction", "input_tokens": 100, "output_tokens": 50},
        {"type": "message", "input_tokens": 5, "output_tokens": 9},
        {"type": "advisor_message", "model": "other", "input_tokens": 7, "output_tokens": 7}]);
    let usage = Reply::fold(&read_events(&events).unwrap()).usage;
    assert_eq!((usage.prompt, usage.completion), (Some(135), Some(59)));
}

#[test]
fn thoughts_keep_their_signature_and_order() {
    let redacted = block(1, &json!({"type": "redacted_thinking", "data": "b3BhcXVl"}), &[]);
    let chunks = read_events(&stream(&[thought(), redacted], "end_turn")).unwrap();
    let reasoning = choice(&chunks).reasoning;
    let [(words, Some(first)), (none, Some(second))] = reasoning.as_slice() else {
        panic!("{reasoning:?}")
    };
    assert_eq!((words.as_str(), none.as_str()), ("Let me see.", ""));
    assert_eq!((first.signature.as_deref(), first.index), (Some("c2ln+/=="), Some(0)));
    assert_eq!((second.data.as_deref(), second.index), (Some("b3BhcXVl"), Some(1)));
    assert_eq!(second.kind, ReasoningKind::Encrypted);
    for chunks in [without_source(&chunks), chunks] {
        let written = write(&chunks);
        check_order(&written);
        let again: Vec<String> = written.iter().map(Value::to_string).collect();
        assert_eq!(choice(&read_lines(&again.join("\n")).unwrap()).reasoning, reasoning);
    }
}

#[test]
fn indices_count_calls_only_and_a_call_without_arguments_has_an_object() {
    let call = |index, id: &str, deltas: &[Value]| {
        let start = json!({"type": "tool_use", "id": id, "name": "look", "input": {}});
        block(index, &start, deltas)
    };
    let words = block(
        0,
        &json!({"type": "text", "text": ""}),
        &[json!({"type": "text_delta", "text": "Looking."})],
    );
    let full = [
        json!({"type": "input_json_delta", "partial_json": ""}),
        json!({"type": "input_json_delta", "partial_json": "{\"a\": 1"}),
        json!({"type": "input_json_delta", "partial_json": ".0}"}),
    ];
    let events = stream(&[words, call(1, "toolu_a", &full), call(2, "toolu_b", &[])], "tool_use");
    let chunks = read_events(&events).unwrap();
    let folded = choice(&chunks);
    let calls: Vec<_> =
        folded.tool_calls.iter().map(|it| (it.id.as_str(), it.arguments.as_str())).collect();
    assert_eq!(calls, [("toolu_a", "{\"a\": 1.0}"), ("toolu_b", "{}")]);
    assert_eq!(folded.finish, Some((FinishReason::ToolCalls, Some("tool_use".to_owned()))));
    for chunks in [without_source(&chunks), chunks] {
        let written = write(&chunks);
        check_order(&written);
        let again: Vec<String> = written.iter().map(Value::to_string).collect();
        assert_eq!(choice(&read_lines(&again.join("\n")).unwrap()).tool_calls, folded.tool_calls);
    }
}

#[test]
fn a_servers_block_is_told_whole_and_only_at_its_end() {
    let start =
        json!({"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {}});
    let pieces = [
        json!({"type": "input_json_delta", "partial_json": "{\"query\":"}),
        json!({"type": "input_json_delta", "partial_json": " \"x\"}"}),
    ];
    let events = stream(&[block(0, &start, &pieces)], "pause_turn");
    let chunks = read_events(&events).unwrap();
    let carriers: Vec<_> =
        chunks.iter().filter(|chunk| chunk.source.is_none()).map(|chunk| &chunk.deltas).collect();
    let [deltas] = carriers.as_slice() else { panic!("{carriers:?}") };
    let [Delta::Other { kind, json, .. }] = deltas.as_slice() else { panic!("{deltas:?}") };
    assert_eq!(kind, "anthropic-messages.server_tool_use");
    let whole: Value = json.read().unwrap();
    assert_eq!(whole["input"], json!({"query": "x"}));
    check_order(&write(&chunks));
}

#[test]
fn citations_of_the_web_take_openrouters_form_and_others_are_kept() {
    let web = json!({"type": "web_search_result_location", "url": "https://a.example/",
        "title": "A", "cited_text": "said", "encrypted_index": "x"});
    let page = json!({"type": "page_location", "cited_text": "p", "document_index": 0,
        "start_page_number": 1, "end_page_number": 2});
    let words = block(
        0,
        &json!({"type": "text", "text": "", "citations": []}),
        &[
            json!({"type": "citations_delta", "citation": web}),
            json!({"type": "citations_delta", "citation": page}),
            json!({"type": "text_delta", "text": "A says."}),
        ],
    );
    let folded = choice(&read_events(&stream(&[words], "end_turn")).unwrap());
    let annotation: Value = folded.annotations[0].read().unwrap();
    assert_eq!(
        annotation,
        json!({"type": "url_citation",
        "url_citation": {"url": "https://a.example/", "title": "A", "content": "said"}})
    );
    let kept = folded.other.iter().find(|(kind, _)| kind == "anthropic-messages.citation");
    assert_eq!(kept.unwrap().1.read::<Value>().unwrap(), page);
}

#[test]
fn an_unchanged_event_keeps_its_bytes() {
    let line = r#"{ "type":"content_block_delta", "index":0, "delta":{"type":"text_delta","text":"\u0041","new":1}}"#;
    let begin = block(0, &json!({"type": "text", "text": ""}), &[]).remove(0);
    let lines = format!("{}\n{begin}\n{line}", start());
    let mut writer = AnthropicMessages.write_stream(&head());
    let mut out = Vec::new();
    read_lines(&lines).unwrap().iter().for_each(|chunk| writer.chunk(chunk, &mut out));
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains(&format!("data: {line}\n\n")), "{out}");
    let message = &payloads(out.as_bytes())[0]["message"];
    assert_eq!((&message["id"], &message["model"]), (&json!("gen-1"), &json!("acme/claude")));
    assert_eq!(message["usage"]["cache_read_input_tokens"], 20);
}

#[test]
fn a_block_that_a_hook_takes_away_shifts_the_indices_after_it() {
    let words = block(
        1,
        &json!({"type": "text", "text": ""}),
        &[json!({"type": "text_delta", "text": "Hi"})],
    );
    let mut chunks = read_events(&stream(&[thought(), words], "end_turn")).unwrap();
    chunks.drain(1..6);
    chunks.insert(1, Chunk::of(vec![text("Before. ")]));
    let written = write(&chunks);
    check_order(&written);
    let again: Vec<String> = written.iter().map(Value::to_string).collect();
    assert_eq!(choice(&read_lines(&again.join("\n")).unwrap()).text, "Before. Hi");
}

#[test]
fn interleaved_deltas_of_another_dialect_become_blocks() {
    let thought =
        |words: &str| Delta::Reasoning { choice: 0, text: words.to_owned(), detail: None };
    let call = |index, name: Option<&str>, arguments: &str| Delta::ToolCall {
        choice: 0,
        index,
        id: name.map(|name| format!("call_{name}")),
        name: name.map(str::to_owned),
        arguments: arguments.to_owned(),
    };
    let finish = Delta::Finish {
        choice: 0,
        reason: FinishReason::ToolCalls,
        native: Some("stop".to_owned()),
    };
    let deltas = vec![
        Delta::Role { choice: 0, role: Role::Assistant },
        thought("Hm"),
        thought("m."),
        text("One"),
        call(0, Some("f"), ""),
        call(0, None, "{}"),
        call(1, Some("g"), "{\"x\":1}"),
        text("Two"),
        finish,
        Delta::Usage(Usage { prompt: Some(7), completion: Some(3), ..Usage::default() }),
    ];
    let chunks: Vec<_> = deltas.into_iter().map(|delta| Chunk::of(vec![delta])).collect();
    let written = write(&chunks);
    check_order(&written);
    let starts = written.iter().filter(|event| event["type"] == "content_block_start");
    let kinds: Vec<_> = starts.map(|event| event["content_block"]["type"].clone()).collect();
    assert_eq!(kinds, ["thinking", "text", "tool_use", "tool_use", "text"]);
    let ending = &written[written.len() - 2];
    assert_eq!(ending["delta"]["stop_reason"], "tool_use");
    assert_eq!(ending["usage"]["input_tokens"], 7);
    assert_eq!(ending["usage"]["cost"].to_string(), "0.003");
}

#[test]
fn another_providers_signature_comes_back_from_a_client() {
    let detail = ReasoningDetail {
        kind: ReasoningKind::Encrypted,
        id: Some("rs_1".to_owned()),
        format: Some("google-gemini-v1".to_owned()),
        index: Some(0),
        data: Some("Z2VtaW5p".to_owned()),
        signature: None,
    };
    let reasoning =
        Delta::Reasoning { choice: 0, text: String::new(), detail: Some(detail.clone()) };
    let written = write(&[Chunk::of(vec![reasoning])]);
    let block = written[1]["content_block"].clone();
    assert_eq!(block["type"], "redacted_thinking");
    let request = read_request(&json!({"model": "m", "max_tokens": 9, "messages": [
        {"role": "user", "content": "a"}, {"role": "assistant", "content": [block]},
        {"role": "user", "content": "b"}]}));
    let crate::request::Content::Reasoning { detail: read, .. } =
        &request.messages[1].parts[0].content
    else {
        panic!("{request:?}")
    };
    assert_eq!(read.as_ref(), Some(&detail));
    // Anthropic never sees it, even where the client's bytes would do otherwise.
    let outgoing = AnthropicMessages
        .write_request(&request, &target(&Quirks::default(), ReasoningStyle::Budget))
        .unwrap();
    assert!(!String::from_utf8_lossy(&outgoing.body).contains("redacted_thinking"));
}

#[test]
fn an_overloaded_upstream_ends_the_stream() {
    let error = json!({"type": "error", "error": {"type": "overloaded_error",
        "message": "Overloaded"}});
    let Err(StreamError::Upstream(failure)) = read_events(&[start(), error]) else { panic!() };
    assert_eq!((failure.error_type, failure.status), (ErrorType::ProviderOverloaded, 503));
    let mut out = Vec::new();
    AnthropicMessages.write_stream(&head()).error(&failure, &mut out);
    let told = &payloads(&out)[0];
    assert_eq!(told["error"]["type"], "overloaded_error");
    assert_eq!(told["error"]["error_type"], "provider_overloaded");
}

#[test]
fn a_refusal_tells_its_reason_once() {
    let mut events = stream(&[], "refusal");
    events[1]["delta"]["stop_details"] = json!({"type": "refusal", "explanation": "No."});
    let chunks = read_events(&events).unwrap();
    let folded = choice(&chunks);
    assert_eq!(folded.refusal, "No.");
    assert_eq!(folded.finish.unwrap().0, FinishReason::ContentFilter);
    let written = write(&chunks);
    assert_eq!(written.len(), 3, "{written:?}");
    assert_eq!(written[1]["delta"]["stop_details"]["explanation"], "No.");
}

#[test]
fn the_end_is_seen_and_pings_say_nothing() {
    let mut reader = AnthropicMessages.read_stream();
    let mut chunks = Vec::new();
    reader.read(&event(r#"{"type":"ping"}"#), &mut chunks).unwrap();
    assert!(chunks.is_empty() && !reader.is_done());
    reader.read(&event(r#"{"type":"message_stop"}"#), &mut chunks).unwrap();
    assert!(chunks.is_empty() && reader.is_done());
    assert!(reader.read(&event("{"), &mut chunks).is_err());
    let mut out = Vec::new();
    AnthropicMessages.write_stream(&head()).keep_alive(&mut out);
    assert_eq!(out, b"event: ping\ndata: {\"type\":\"ping\"}\n\n");
}

#[test]
fn an_unknown_event_is_kept() {
    let unknown = json!({"type": "brand_new", "value": 1});
    let chunks = read_events(&[start(), unknown.clone()]).unwrap();
    assert!(write(&chunks).contains(&unknown));
    assert_eq!(Reply::fold(&chunks).other[0].1.as_str(), unknown.to_string());
}

#[test]
fn arguments_that_are_not_json_are_carried_as_text() {
    let call = Delta::ToolCall {
        choice: 0,
        index: 0,
        id: Some("a".to_owned()),
        name: Some("f".to_owned()),
        arguments: "{\"cut".to_owned(),
    };
    let reply = Reply::fold(&[Chunk::of(vec![call])]);
    let body = AnthropicMessages.write_reply(&reply, &head(), &cost());
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["content"][0]["input"], json!({"INVALID_JSON": "{\"cut"}));
}

#[test]
fn an_error_inside_a_good_status_is_an_error() {
    let body = Bytes::from(r#"{"type":"error","error":{"type":"api_error","message":"m"}}"#);
    let Err(StreamError::Upstream(failure)) = AnthropicMessages.read_reply(&body) else { panic!() };
    let expected = Failure {
        provider_code: Some("api_error".to_owned()),
        metadata: vec![(
            "raw".to_owned(),
            Json::parse(r#"{"type":"api_error","message":"m"}"#).unwrap(),
        )],
        ..Failure::new(ErrorType::ProviderUnavailable, "m")
    };
    assert_eq!(failure, expected);
}
