//! Streams and replies in both directions.

use serde_json::{Value, json};

use super::*;
use crate::chunk::{Delta, FinishReason, ReasoningKind, Usage};
use crate::error::{ErrorType, Failure};
use crate::json::Json;

fn parts(parts: &Value) -> String {
    json!({"candidates": [{"content": {"parts": parts, "role": "model"}, "index": 0}],
        "responseId": "r1"})
    .to_string()
}

fn end(reason: &str) -> String {
    json!({"candidates": [{"finishReason": reason}], "responseId": "r1",
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2}})
    .to_string()
}

#[test]
fn a_signature_is_tied_to_its_call_and_goes_back_to_it() {
    let call = parts(&json!([
        {"text": "Looking.", "thought": true},
        {"functionCall": {"name": "look", "args": {"a": 1.0}}, "thoughtSignature": "c2ln"},
        {"functionCall": {"name": "look"}},
    ]));
    let (chunks, is_done) = read_events(&[&call, &end("STOP")]).unwrap();
    assert!(is_done);
    let reply = Reply::fold(&chunks);
    let choice = &reply.choices[0];
    assert_eq!(choice.tool_calls[0].id, "gem_r1_0");
    assert_eq!(choice.tool_calls[0].arguments, r#"{"a":1.0}"#);
    assert_eq!(
        (choice.tool_calls[1].id.as_str(), choice.tool_calls[1].arguments.as_str()),
        ("gem_r1_1", "{}")
    );
    let (text, detail) = &choice.reasoning[1];
    let detail = detail.as_ref().unwrap();
    assert_eq!((text.as_str(), detail.kind), ("", ReasoningKind::Encrypted));
    assert_eq!(detail.id.as_deref(), Some("gem_r1_0"));
    assert_eq!(detail.data.as_deref(), Some("c2ln"));
    assert_eq!(detail.format.as_deref(), Some("google-gemini-v1"));
    let written = write_events(&touched(&chunks));
    let all = written.concat();
    assert!(
        all.contains(
            r#"{"functionCall":{"name":"look","args":{"a":1.0}},"thoughtSignature":"c2ln"}"#
        ),
        "{all}"
    );
    assert!(all.contains(r#"{"functionCall":{"name":"look","args":{}}}"#), "{all}");
}

#[test]
fn ids_differ_between_replies_that_have_no_id() {
    let event = |count: u8| {
        json!({"candidates": [{"content": {"parts": [{"functionCall": {"name": "f"}}]}}],
            "usageMetadata": {"promptTokenCount": count}})
        .to_string()
    };
    let id = |count| fold(&[&event(count)]).choices[0].tool_calls[0].id.clone();
    assert_ne!(id(1), id(2));
    assert_eq!(id(1), id(1));
    assert!(id(1).len() <= 40);
}

#[test]
fn a_call_in_pieces_is_told_when_it_is_complete() {
    let piece = |call: Value| parts(&json!([{ "functionCall": call }]));
    let more = |arg: Value| piece(json!({"partialArgs": [arg], "willContinue": true}));
    let events = [
        piece(json!({"name": "f", "willContinue": true})),
        more(json!({"jsonPath": "$.q", "stringValue": "a\"", "willContinue": true})),
        more(json!({"jsonPath": "$.q", "stringValue": "b"})),
        piece(json!({})),
    ];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    let (chunks, _) = read_events(&events).unwrap();
    assert!(chunks.iter().all(|chunk| chunk.source.is_none()));
    assert_eq!(Reply::fold(&chunks).choices[0].tool_calls[0].arguments, r#"{"q":"a\"b"}"#);
    // A stream that ends without the last piece tells what came.
    let (chunks, _) = read_events(&[events[0], events[1], &end("STOP")]).unwrap();
    let choice = &Reply::fold(&chunks).choices[0];
    assert_eq!(choice.tool_calls[0].arguments, r#"{"q":"a\""}"#);
    assert_eq!(choice.finish.as_ref().unwrap().0, FinishReason::ToolCalls);
}

#[test]
fn citations_count_characters_of_the_whole_text() {
    let first = parts(&json!([{"text": "Größe: "}]));
    let last = json!({"candidates": [{
        "content": {"parts": [{"text": "40 µm."}]},
        "finishReason": "STOP",
        "groundingMetadata": {
            "webSearchQueries": ["a", "b"],
            "groundingChunks": [{"web": {"uri": "https://a.example", "title": "A"}}],
            "groundingSupports": [{
                "segment": {"startIndex": 9, "endIndex": 15, "text": "40 µm"},
                "groundingChunkIndices": [0],
            }],
        },
    }]})
    .to_string();
    let (chunks, _) = read_events(&[&first, &last]).unwrap();
    let reply = Reply::fold(&chunks);
    let annotation: Value = reply.choices[0].annotations[0].read().unwrap();
    assert_eq!(
        annotation["url_citation"],
        json!({"url": "https://a.example", "title": "A", "start_index": 7, "end_index": 12}),
    );
    assert_eq!(reply.usage.web_searches, Some(2));
    assert_eq!(reply.choices[0].other[0].0, "gemini-generate.candidate.groundingMetadata");
    let written = write_events(&touched(&chunks));
    let written: Value = serde_json::from_str(written.last().unwrap()).unwrap();
    let grounding = &written["candidates"][0]["groundingMetadata"];
    assert_eq!(grounding["groundingSupports"][0]["segment"]["startIndex"], 9);
}

#[test]
fn pictures_and_sound_and_what_only_gemini_knows_arrive() {
    let run =
        json!({"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "x"});
    let event = parts(&json!([
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "thoughtSignature": "s"},
        {"inlineData": {"mimeType": "audio/L16;rate=24000", "data": "BBBB"}},
        run,
    ]));
    let (chunks, _) = read_events(&[&event, &end("STOP")]).unwrap();
    let choice = &Reply::fold(&chunks).choices[0];
    assert_eq!(
        choice.images[0].as_str(),
        r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}"#,
    );
    assert_eq!(choice.audio[0].read::<Value>().unwrap()["data"], "BBBB");
    assert_eq!(choice.other[0], ("gemini-generate.executableCode".to_owned(), Json::of(&run)));
    let written = write_events(&touched(&chunks)).concat();
    for piece in [r#"{"mimeType":"image/png","data":"AAAA"}"#, r#""data":"BBBB""#, r#""code":"1""#]
    {
        assert!(written.contains(piece), "{written}");
    }
}

#[test]
fn a_picture_keeps_its_signature() {
    let picture = json!({
        "inlineData": {"mimeType": "image/png", "data": "AAAA"},
        "thoughtSignature": "c2ln",
    });
    let (chunks, _) = read_events(&[&parts(&json!([picture])), &end("STOP")]).unwrap();
    let written = write_events(&touched(&chunks));
    let first: Value = serde_json::from_str(&written[0]).unwrap();
    assert_eq!(first["candidates"][0]["content"]["parts"], json!([picture]));
    // A folded reply tells signatures before pictures; they find each other.
    let whole = GeminiGenerate.write_reply(&Reply::fold(&chunks), &head(), &cost());
    let whole: Value = serde_json::from_slice(&whole).unwrap();
    assert_eq!(whole["candidates"][0]["content"]["parts"], json!([picture]));
}

#[test]
fn a_signature_on_a_later_piece_is_the_calls() {
    let first = parts(&json!([{"functionCall": {"name": "f", "id": "i", "willContinue": true}}]));
    let last = parts(&json!([{"functionCall": {}, "thoughtSignature": "c2ln"}]));
    let (chunks, _) = read_events(&[&first, &last, &end("STOP")]).unwrap();
    let reply = Reply::fold(&chunks);
    let detail = reply.choices[0].reasoning[0].1.as_ref().unwrap();
    assert_eq!((detail.id.as_deref(), detail.data.as_deref()), (Some("i"), Some("c2ln")));
}

#[test]
fn several_choices_are_told_apart() {
    let event = json!({"candidates": [
        {"index": 1, "content": {"parts": [{"text": "b"}]}, "finishReason": "MAX_TOKENS"},
        {"index": 0, "content": {"parts": [{"functionCall": {"name": "f"}}]}},
    ], "responseId": "r"})
    .to_string();
    let (chunks, is_done) = read_events(&[&event]).unwrap();
    assert!(!is_done);
    let reply = Reply::fold(&chunks);
    assert_eq!(reply.choices[1].text, "b");
    assert_eq!(reply.choices[1].finish.as_ref().unwrap().0, FinishReason::Length);
    assert_eq!(reply.choices[0].tool_calls[0].id, "gem_r_0");
    let written = write_events(&touched(&chunks));
    let again: Vec<&str> = written.iter().map(String::as_str).collect();
    let again = fold(&again);
    assert_eq!((again.choices[0].tool_calls.len(), again.choices[1].text.as_str()), (1, "b"));
}

#[test]
fn a_blocked_prompt_is_a_filtered_reply() {
    let blocked = json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
        "usageMetadata": {"promptTokenCount": 8}})
    .to_string();
    let (chunks, is_done) = read_events(&[&blocked]).unwrap();
    assert!(is_done);
    let reply = Reply::fold(&chunks);
    let finish = (FinishReason::ContentFilter, Some("PROHIBITED_CONTENT".to_owned()));
    assert_eq!(reply.choices[0].finish, Some(finish));
    assert_eq!(reply.usage.prompt, Some(8));
    assert_eq!(reply.other[0].0, "gemini-generate.reply.promptFeedback");
    assert_eq!(GeminiGenerate.read_reply(&Bytes::from(blocked)).unwrap().len(), 4);
}

#[test]
fn an_error_inside_a_good_status_is_the_upstreams() {
    let error = r#"{"error":{"code":503,"message":"Overloaded","status":"UNAVAILABLE"}}"#;
    let expect = |result: Result<(), StreamError>| match result {
        Err(StreamError::Upstream(failure)) => {
            assert_eq!(failure.error_type, ErrorType::ProviderOverloaded);
        }
        other => panic!("{other:?}"),
    };
    expect(read_events(&[&parts(&json!([{"text": "a"}])), error]).map(drop));
    expect(GeminiGenerate.read_reply(&Bytes::from(error)).map(drop));
}

#[test]
fn what_is_not_geminis_is_an_error_with_a_path() {
    let table = [
        ("7", "event"),
        ("{", "event"),
        (
            r#"{"candidates":[{"content":{"parts":[{"text":7}]}}]}"#,
            "candidates[0].content.parts[0].text",
        ),
        (r#"{"candidates":[{"index":70000}]}"#, "candidates[0].index"),
        (r#"{"candidates":[{"index":500}]}"#, "candidates[0].index"),
        (
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"args":{}}}]}}]}"#,
            "candidates[0].content.parts[0].functionCall.name",
        ),
        (r#"{"usageMetadata":{"promptTokenCount":"x"}}"#, "usageMetadata.promptTokenCount"),
    ];
    for (text, path) in table {
        match read_events(&[text]) {
            Err(StreamError::Read(error)) => assert_eq!(error.path, path, "{error}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    assert!(GeminiGenerate.read_reply(&Bytes::from_static(b"{}")).is_err());
}

#[test]
fn untouched_events_go_through_as_they_came() {
    let events = [parts(&json!([{"text": "a", "new": 1}])), end("STOP")];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    let (chunks, _) = read_events(&events).unwrap();
    assert_eq!(write_events(&chunks), events);
    // A change of the first leaves the rest as it was.
    let mixed = [Chunk::of(chunks[0].deltas.clone()), chunks[1].clone()];
    assert_eq!(write_events(&mixed)[1], events[1]);
}

#[test]
fn another_dialects_stream_is_told_in_geminis_words() {
    let tool = |index, id: Option<&str>, name: Option<&str>, arguments: &str| Delta::ToolCall {
        choice: 0,
        index,
        id: id.map(str::to_owned),
        name: name.map(str::to_owned),
        arguments: arguments.to_owned(),
    };
    let finish = Delta::Finish { choice: 0, reason: FinishReason::ToolCalls, native: None };
    let usage =
        Usage { prompt: Some(4), completion: Some(9), reasoning: Some(5), ..Usage::default() };
    let deltas = [
        Delta::Reasoning { choice: 0, text: "Hm".to_owned(), detail: None },
        Delta::Text { choice: 0, text: "Hi".to_owned() },
        tool(0, Some("call_a"), Some("f"), "{\"x\""),
        tool(0, None, None, ":1}"),
        tool(1, Some("call_b"), Some("g"), ""),
        finish,
        Delta::Usage(usage),
    ];
    let chunks: Vec<Chunk> = deltas.into_iter().map(|delta| Chunk::of(vec![delta])).collect();
    let events = write_events(&chunks);
    let expected = [
        json!([{"text": "Hm", "thought": true}]),
        json!([{"text": "Hi"}]),
        json!([{"functionCall": {"id": "call_a", "name": "f", "args": {"x": 1}}}]),
        json!([{"functionCall": {"id": "call_b", "name": "g", "args": {}}}]),
        json!([]),
    ];
    assert_eq!(events.len(), expected.len(), "{events:?}");
    for (event, parts) in events.iter().zip(expected) {
        let event: Value = serde_json::from_str(event).unwrap();
        assert_eq!(event["candidates"][0]["content"]["parts"], parts);
        assert_eq!(event["responseId"], "gen-1");
        assert_eq!(event["modelVersion"], "google/gemini-3-pro");
    }
    let last: Value = serde_json::from_str(&events[4]).unwrap();
    assert_eq!(last["candidates"][0]["finishReason"], "STOP");
    let counts = json!({"promptTokenCount": 4, "candidatesTokenCount": 4, "totalTokenCount": 13,
        "thoughtsTokenCount": 5});
    assert_eq!(last["usageMetadata"], counts);
    // The same, whole.
    let whole = GeminiGenerate.write_reply(&Reply::fold(&chunks), &head(), &cost());
    let again = GeminiGenerate.read_reply(&Bytes::from(whole)).unwrap();
    let again = Reply::fold(&again);
    assert_eq!(again.choices[0].text, "Hi");
    let calls = again.choices[0].tool_calls.iter();
    let calls: Vec<[&str; 3]> =
        calls.map(|call| [&*call.id, &*call.name, &*call.arguments]).collect();
    assert_eq!(calls, [["call_a", "f", "{\"x\":1}"], ["call_b", "g", "{}"]]);
    assert_eq!(again.usage, Reply::fold(&chunks).usage);
}

#[test]
fn a_failure_ends_the_stream_with_googles_error() {
    let mut writer = GeminiGenerate.write_stream(&head());
    let mut out = Vec::new();
    writer.keep_alive(&mut out);
    writer.error(&Failure::new(ErrorType::ProviderOverloaded, "Busy"), &mut out);
    let text = String::from_utf8(out).unwrap();
    let (comment, event) = text.split_once("\n\n").unwrap();
    assert!(comment.starts_with(": "));
    let event: Value = serde_json::from_str(&data_of(event.trim_end())).unwrap();
    assert_eq!(
        (&event["error"]["code"], &event["error"]["status"]),
        (&json!(503), &json!("UNAVAILABLE"))
    );
}
