//! Streams in both directions.

use super::*;
use crate::chunk::{ReasoningDetail, Role};
use crate::json::Json;

const STREAM: &str = concat!(
    "event: message-start\ndata: {\"id\":\"u\",\"type\":\"message-start\",\"region\":\"eu\",\"delta\":{\"message\":{\"role\":\"assistant\"}}}\n\n",
    "event: content-start\ndata: {\"type\":\"content-start\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"type\":\"text\",\"text\":\"\"}}}}\n\n",
    "event: content-delta\ndata: {\"type\":\"content-delta\",\"index\":0,\"new\":1.0,\"delta\":{\"message\":{\"content\":{\"text\":\"So\"}}}}\n\n",
    "event: content-end\ndata: {\"type\":\"content-end\",\"index\":0}\n\n",
    "event: tool-call-start\ndata: {\"type\":\"tool-call-start\",\"index\":0,\"delta\":{\"message\":{\"tool_calls\":{\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}}}}\n\n",
    "event: tool-call-delta\ndata: {\"type\":\"tool-call-delta\",\"index\":0,\"delta\":{\"message\":{\"tool_calls\":{\"function\":{\"arguments\":\"{}\"}}}}}\n\n",
    "event: tool-call-end\ndata: {\"type\":\"tool-call-end\",\"index\":0}\n\n",
    "event: message-end\ndata: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"TOOL_CALL\",\"usage\":{\"tokens\":{\"input_tokens\":2,\"output_tokens\":3}}}}\n\n",
);

fn text(text: &str) -> Chunk {
    Chunk::of(vec![Delta::Text { choice: 0, text: text.to_owned() }])
}

fn call(index: u16, id: Option<&str>, name: Option<&str>, arguments: &str) -> Chunk {
    Chunk::of(vec![Delta::ToolCall {
        choice: 0,
        index,
        id: id.map(str::to_owned),
        name: name.map(str::to_owned),
        arguments: arguments.to_owned(),
    }])
}

/// The events' types with their indices.
fn outline(bytes: &[u8]) -> Vec<String> {
    let line = |event: Event| {
        let value: Value = serde_json::from_slice(&event.data).unwrap();
        let kind = value["type"].as_str().unwrap().to_owned();
        assert_eq!(event.name.as_deref(), Some(kind.as_str()), "both names agree");
        value["index"].as_u64().map_or(kind.clone(), |index| format!("{kind} {index}"))
    };
    events(bytes).into_iter().map(line).collect()
}

#[test]
fn a_stream_that_is_cut_has_no_end() {
    let whole = STREAM.len();
    for end in (0..whole).filter(|end| STREAM.is_char_boundary(*end)) {
        let (_, is_done) = read_stream(&STREAM.as_bytes()[..end]).unwrap();
        assert!(!is_done, "cut at {end}");
    }
    assert!(read_stream(STREAM.as_bytes()).unwrap().1);
}

#[test]
fn half_an_event_is_the_upstream_s_mistake() {
    for data in ["{\"type\":\"content-delta\",", "[]", "\"x\"", "{\"type\":7}"] {
        let result = read_stream(format!("data: {data}\n\n").as_bytes());
        assert!(matches!(result, Err(StreamError::Read(_))), "{data}: {result:?}");
    }
}

#[test]
fn events_of_this_dialect_keep_their_bytes() {
    let (chunks, _) = read_stream(STREAM.as_bytes()).unwrap();
    let written = String::from_utf8(write_stream(&chunks)).unwrap();
    let inner = |stream: &str| {
        let (_, rest) = stream.split_once("event: content-start").unwrap();
        rest.split_once("event: message-end").unwrap().0.to_owned()
    };
    assert_eq!(inner(&written), inner(STREAM));
    let start = r#"data: {"id":"gen-1","type":"message-start","region":"eu","delta":"#;
    assert!(written.starts_with(&format!("event: message-start\n{start}")), "{written}");
}

#[test]
fn a_chunk_that_a_hook_changed_is_written_into_the_open_block() {
    let (mut chunks, _) = read_stream(STREAM.as_bytes()).unwrap();
    chunks[2] = text("Changed");
    let expected = [
        "message-start",
        "content-start 0",
        "content-delta 0",
        "content-end 0",
        "tool-call-start 0",
        "tool-call-delta 0",
        "tool-call-end 0",
        "message-end",
    ];
    let written = write_stream(&chunks);
    assert_eq!(outline(&written), expected);
    assert!(String::from_utf8(written).unwrap().contains(r#"{"text":"Changed"}"#));

    chunks.remove(1);
    assert_eq!(outline(&write_stream(&chunks)), expected, "also where its start was taken away");
}

#[test]
fn one_call_is_open_at_a_time() {
    let chunks = [
        call(0, Some("a"), Some("f"), "{\"x\":"),
        call(1, None, Some("g"), "{\"y\""),
        call(0, None, None, "1}"),
        text("Wait."),
        call(1, None, None, ":2}"),
        call(2, Some("c"), Some("h"), ""),
    ];
    let written = write_stream(&chunks);
    let expected = [
        "message-start",
        "tool-call-start 0",
        "tool-call-delta 0",
        "tool-call-delta 0",
        "content-start 0",
        "content-delta 0",
        "content-end 0",
        "tool-call-end 0",
        "tool-call-start 1",
        "tool-call-delta 1",
        "tool-call-end 1",
        "tool-call-start 2",
        "tool-call-end 2",
        "message-end",
    ];
    assert_eq!(outline(&written), expected);
    let reply = Reply::fold(&read_stream(&written).unwrap().0);
    let calls = &reply.choices[0].tool_calls;
    let told: Vec<_> = calls.iter().map(|it| (it.id.as_str(), it.arguments.as_str())).collect();
    assert_eq!(told, [("a", "{\"x\":1}"), ("call_1_1", "{\"y\":2}"), ("c", "{}")]);
}

/// A reply with everything that the dialect has a form for.
fn full() -> Reply {
    let plan = ReasoningDetail { format: Some(TOOL_PLAN.to_owned()), ..ReasoningDetail::default() };
    let annotation = r#"{"type":"url_citation","url_citation":{"url":"https://a.example","title":"A","content":"c","start_index":0,"end_index":2}}"#;
    let token = r#"{"content":[{"token":"So","logprob":-0.5,"bytes":[83,111],"top_logprobs":[]}],"refusal":null}"#;
    let other = |choice, kind: &str, json: &str| Delta::Other {
        choice,
        kind: kind.to_owned(),
        json: Json::parse(json).unwrap(),
    };
    let deltas = vec![
        Delta::Role { choice: 0, role: Role::Assistant },
        Delta::Reasoning { choice: 0, text: "Look.".to_owned(), detail: Some(plan) },
        Delta::Reasoning { choice: 0, text: "Hm.".to_owned(), detail: None },
        Delta::Text { choice: 0, text: "So\n\"é\"".to_owned() },
        Delta::ToolCall {
            choice: 0,
            index: 0,
            id: Some("a".to_owned()),
            name: Some("f".to_owned()),
            arguments: "{ \"b\": 1.0 }".to_owned(),
        },
        Delta::Annotation { choice: 0, json: Json::parse(annotation).unwrap() },
        other(Some(0), crate::logprobs::KIND, token),
        other(Some(0), OTHER_CITATION, r#"{"start":0,"sources":[]}"#),
        other(Some(0), OTHER_ENDING, r#"{"mood":"calm"}"#),
        other(
            None,
            OTHER_USAGE,
            r#"{"billed_units":{"input_tokens":1},"tokens":{"input_tokens":9}}"#,
        ),
        Delta::Usage(Usage { prompt: Some(1), ..Usage::default() }),
        Delta::Finish {
            choice: 0,
            reason: FinishReason::ToolCalls,
            native: Some("TOOL_CALL".to_owned()),
        },
    ];
    Reply::fold(&[Chunk::of(deltas)])
}

#[test]
fn what_is_written_is_read_back() {
    let reply = full();
    let whole = CohereChat.write_reply(&reply, &head(), &cost());
    let whole = Reply::fold(&CohereChat.read_reply(&whole.into()).unwrap());
    let streamed = write_stream(&reply.chunks());
    let (chunks, is_done) = read_stream(&streamed).unwrap();
    assert!(is_done);
    for mut back in [whole, Reply::fold(&chunks)] {
        // What the gateway says of money is not the upstream's any more.
        assert!(back.other[0].1.as_str().ends_with(r#","cost":0,"is_byok":false}"#));
        back.other.clone_from(&reply.other);
        let sorted = |mut other: Vec<(String, Json)>| {
            other.sort_by(|left, right| left.0.cmp(&right.0));
            other
        };
        let (ours, theirs) = (&mut back.choices[0], &reply.choices[0]);
        assert_eq!(sorted(std::mem::take(&mut ours.other)), sorted(theirs.other.clone()));
        ours.other.clone_from(&theirs.other);
        assert_eq!(back, reply);
    }
}

#[test]
fn an_error_ends_the_stream_with_its_words() {
    let mut stream = CohereChat.write_stream(&head());
    let mut out = Vec::new();
    stream.chunk(&text("So"), &mut out);
    stream.keep_alive(&mut out);
    stream.error(&Failure::new(ErrorType::Timeout, "too slow"), &mut out);
    let Err(StreamError::Upstream(failure)) = read_stream(&out) else { panic!("it failed") };
    assert_eq!((failure.error_type, failure.message.as_str()), (ErrorType::Timeout, "too slow"));
}
