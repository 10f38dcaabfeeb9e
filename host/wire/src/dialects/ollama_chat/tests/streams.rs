//! Streams and whole replies in both directions.

use super::*;
use crate::chunk::{ReasoningDetail, ReasoningKind, Role};
use crate::json::Json;

const STREAM: &str = concat!(
    r#"{"model":"q","created_at":"2025-09-01T10:00:00.5Z","message":{"role":"assistant","content":"","thinking":"Hm."},"done":false}"#,
    "\n",
    r#"{"model":"q","created_at":"2025-09-01T10:00:00.6Z","message":{"role":"assistant","content":"So"},"new":1.0,"done":false}"#,
    "\n",
    r#"{"model":"q","created_at":"2025-09-01T10:00:00.7Z","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{ "b": 1.0 }}}]},"done":false}"#,
    "\n",
    r#"{"model":"q","created_at":"2025-09-01T10:00:00.8Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":2,"eval_count":3}"#,
    "\n",
);

fn piece(index: u16, name: Option<&str>, arguments: &str) -> Chunk {
    Chunk::of(vec![Delta::ToolCall {
        choice: 0,
        index,
        id: None,
        name: name.map(str::to_owned),
        arguments: arguments.to_owned(),
    }])
}

#[test]
fn a_stream_that_is_cut_has_no_end() {
    let last = STREAM.trim_end().len();
    for end in 0..=STREAM.len() {
        match read_stream(&STREAM.as_bytes()[..end]) {
            Ok((_, is_done)) => assert_eq!(is_done, end >= last, "cut at {end}"),
            Err(StreamError::Read(_)) => assert!(end < last, "in the middle of a line at {end}"),
            Err(error) => panic!("cut at {end}: {error:?}"),
        }
    }
}

#[test]
fn a_line_that_is_no_object_is_the_upstream_s_mistake() {
    for line in ["[]", "\"x\"", "{", r#"{"message":7}"#, r#"{"message":{"content":{}}}"#] {
        let result = read_stream(line.as_bytes());
        assert!(matches!(result, Err(StreamError::Read(_))), "{line}: {result:?}");
        let result = OllamaChat.read_reply(&Bytes::copy_from_slice(line.as_bytes()));
        assert!(matches!(result, Err(StreamError::Read(_))), "{line}: {result:?}");
    }
    let nothing = OllamaChat.read_reply(&Bytes::from_static(b"{}"));
    assert!(matches!(nothing, Err(StreamError::Read(_))), "a reply has a message");
}

#[test]
fn lines_of_this_dialect_keep_their_bytes_but_for_the_model() {
    let (chunks, _) = read_stream(STREAM.as_bytes()).unwrap();
    let written = String::from_utf8(write_stream(&chunks)).unwrap();
    let ours: Vec<&str> = written.lines().collect();
    let theirs: Vec<String> =
        STREAM.lines().map(|it| it.replace("\"q\"", "\"qwen/qwen3-8b\"")).collect();
    assert_eq!(ours[..3], theirs[..3]);
    let last = r#"{"model":"qwen/qwen3-8b","created_at":"1970-01-02T00:00:00Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":2,"eval_count":3,"cost":0,"is_byok":false}"#;
    assert_eq!(ours[3..], [last]);
}

#[test]
fn a_chunk_that_a_hook_changed_is_written_from_its_deltas() {
    let (mut chunks, _) = read_stream(STREAM.as_bytes()).unwrap();
    chunks[1] = Chunk::of(vec![Delta::Text { choice: 0, text: "Changed".to_owned() }]);
    let back = Reply::fold(&read_stream(&write_stream(&chunks)).unwrap().0);
    assert_eq!(back.choices[0].text, "Changed");
    assert_eq!(back.choices[0].tool_calls.len(), 1, "the call went through once");
}

#[test]
fn calls_are_told_whole_at_the_end() {
    let chunks = [
        piece(0, Some("f"), "{\"x\":"),
        piece(1, Some("g"), ""),
        piece(0, None, " 1.0}"),
        Chunk::of(vec![Delta::Text { choice: 0, text: "So".to_owned() }]),
    ];
    let written = String::from_utf8(write_stream(&chunks)).unwrap();
    let lines: Vec<&str> = written.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].contains(r#""content":"So""#));
    let calls = r#""tool_calls":[{"function":{"index":0,"name":"f","arguments":{"x": 1.0}}},{"function":{"index":1,"name":"g","arguments":{}}}]"#;
    assert!(lines[1].contains(calls), "{}", lines[1]);
    assert!(lines[2].contains(r#""done":true"#));
}

#[test]
fn calls_of_two_turns_have_different_names() {
    let id = |moment: &str| {
        let line = format!(
            r#"{{"created_at":"{moment}","message":{{"tool_calls":[{{"function":{{"name":"f"}}}}]}},"done":true}}"#
        );
        let reply = Reply::fold(&read_stream(line.as_bytes()).unwrap().0);
        reply.choices[0].tool_calls[0].id.clone()
    };
    assert_eq!(id("2025-09-01T10:00:00.5Z"), "call_202509011000005_0");
    assert_ne!(id("2025-09-01T10:00:00.5Z"), id("2025-09-01T10:00:00.6Z"));
    assert_eq!(id("now"), "", "whoever writes it for a client makes one up");
}

/// A reply with everything that the dialect has a form for.
fn full() -> Reply {
    let image = r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}"#;
    let token = r#"{"content":[{"token":"So","logprob":-0.50,"bytes":null,"top_logprobs":[]}],"refusal":null}"#;
    let other = |kind: &str, json: &str| Delta::Other {
        choice: Some(0),
        kind: kind.to_owned(),
        json: Json::parse(json).unwrap(),
    };
    let deltas = vec![
        Delta::Role { choice: 0, role: Role::Assistant },
        Delta::Reasoning { choice: 0, text: "Hm.".to_owned(), detail: None },
        Delta::Text { choice: 0, text: "So\n\"é\"".to_owned() },
        Delta::Image { choice: 0, json: Json::parse(image).unwrap() },
        Delta::ToolCall {
            choice: 0,
            index: 0,
            id: Some("call_197001020000000_0".to_owned()),
            name: Some("f".to_owned()),
            arguments: "{ \"b\": 1.0 }".to_owned(),
        },
        other(crate::logprobs::KIND, token),
        other(OTHER_MESSAGE, r#"{"mood":"calm"}"#),
        other(OTHER_ENDING, r#"{"total_duration":5}"#),
        Delta::Usage(Usage { prompt: Some(9), completion: Some(4), ..Usage::default() }),
        Delta::Finish {
            choice: 0,
            reason: FinishReason::ToolCalls,
            native: Some("stop".to_owned()),
        },
    ];
    Reply::fold(&[Chunk::of(deltas)])
}

#[test]
fn what_is_written_is_read_back() {
    let reply = full();
    let whole = OllamaChat.write_reply(&reply, &head(), &cost());
    let whole = Reply::fold(&OllamaChat.read_reply(&whole.into()).unwrap());
    let (chunks, is_done) = read_stream(&write_stream(&reply.chunks())).unwrap();
    assert!(is_done);
    for mut back in [whole, Reply::fold(&chunks)] {
        let (ours, theirs) = (&mut back.choices[0], &reply.choices[0]);
        // The moment is the gateway's own, and so are two fields of the ending.
        let id = std::mem::replace(&mut ours.tool_calls[0].id, theirs.tool_calls[0].id.clone());
        assert_eq!(id, "call_19700102000000_0");
        let sorted = |other: &[(String, Json)]| {
            let text = |(kind, json): &(String, Json)| {
                (kind.clone(), json.as_str().replace(r#","cost":0,"is_byok":false"#, ""))
            };
            let mut other: Vec<_> = other.iter().map(text).collect();
            other.sort();
            other
        };
        assert_eq!(sorted(&ours.other), sorted(&theirs.other));
        ours.other.clone_from(&theirs.other);
        assert_eq!(back, reply);
    }
}

#[test]
fn every_line_is_one_line() {
    let json = Json::parse("{\"content\":[{\"token\":\n\"So\"}]}").unwrap();
    let other = Delta::Other { choice: Some(0), kind: crate::logprobs::KIND.to_owned(), json };
    let chunks = [Chunk::of(vec![other]), piece(0, Some("f"), "{\n\"x\":\r\n1}")];
    let written = write_stream(&chunks);
    assert_eq!(lines(&written).len(), 3);
    assert_eq!(read_stream(&written).unwrap().0.len(), 3);
}

#[test]
fn what_has_no_form_is_left_out() {
    let hidden = ReasoningDetail { kind: ReasoningKind::Encrypted, ..ReasoningDetail::default() };
    let json = || Json::parse(r#"{"image_url":{"url":"https://a.example/x"}}"#).unwrap();
    let chunks = [Chunk::of(vec![
        Delta::Reasoning { choice: 0, text: "secret".to_owned(), detail: Some(hidden) },
        Delta::Image { choice: 0, json: json() },
        Delta::Audio { choice: 0, json: json() },
        Delta::Annotation { choice: 0, json: json() },
        Delta::Text { choice: 1, text: "second choice".to_owned() },
    ])];
    assert_eq!(lines(&write_stream(&chunks)).len(), 1, "only the end");
}

#[test]
fn an_error_is_the_last_line() {
    let mut stream = OllamaChat.write_stream(&head());
    let mut out = Vec::new();
    stream.keep_alive(&mut out);
    stream.error(&Failure::new(ErrorType::Timeout, "too slow"), &mut out);
    assert!(out.ends_with(b"{\"error\":\"too slow\",\"error_type\":\"timeout\"}\n"));
    let Err(StreamError::Upstream(failure)) = read_stream(&out) else { panic!("it failed") };
    assert_eq!(failure.message, "too slow");
}
