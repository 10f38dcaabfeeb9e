//! Real replies, where `PATCHBAY_FIXTURES` tells where they are. What stands in the recording is
//! collected by plain search and must be found again in the reply that was read.

use std::path::PathBuf;

use serde_json::Value;

use super::*;

#[test]
fn every_recording_is_read_and_loses_nothing() {
    let Some(folder) = folder() else { return };
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        if path.to_string_lossy().contains("429") {
            let failure = GeminiGenerate.read_error(429, text.as_bytes());
            assert_eq!(failure.retry_after_ms, Some(34_400));
            assert_eq!(failure.error_type, crate::error::ErrorType::RateLimitExceeded);
        } else if path.to_string_lossy().ends_with(".chunks.txt") {
            let events: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
            check_stream(&events);
        } else {
            let chunks = GeminiGenerate.read_reply(&Bytes::from(text.clone())).unwrap();
            check(&Reply::fold(&chunks), &[&text]);
            check_stream(&[&text]);
        }
        count += 1;
    }
    assert!(count >= 11, "{count} recordings in {}", folder.display());
}

#[expect(clippy::print_stderr, reason = "a test that did not run must say so")]
fn folder() -> Option<PathBuf> {
    let Some(parent) = std::env::var_os("PATCHBAY_FIXTURES") else {
        eprintln!("skipped: PATCHBAY_FIXTURES does not name the folder of recordings");
        return None;
    };
    Some(PathBuf::from(parent).join("wire/google"))
}

fn check_stream(events: &[&str]) {
    let (chunks, is_done) = read_events(events).unwrap();
    assert!(is_done);
    let reply = Reply::fold(&chunks);
    check(&reply, events);
    // What a hook touched, written for a Gemini client and read again, is the same reply, except
    // for what the client is told in other words: ids that Gemini did not give.
    let written = write_events(&touched(&chunks));
    let written: Vec<&str> = written.iter().map(String::as_str).collect();
    let again = fold(&written);
    assert_eq!(without_ids(again), without_ids(reply.clone()));
    // Untouched, it goes through.
    let written = write_events(&chunks);
    let written: Vec<&str> = written.iter().map(String::as_str).collect();
    check(&fold(&written), events);
}

fn without_ids(mut reply: Reply) -> Reply {
    for choice in &mut reply.choices {
        for call in &mut choice.tool_calls {
            call.id = String::new();
            call.arguments = serde_json::from_str::<Value>(&call.arguments).unwrap().to_string();
        }
        for (_, detail) in &mut choice.reasoning {
            if let Some(detail) = detail {
                detail.id = None;
            }
        }
        choice.other.clear();
    }
    reply.other.clear();
    reply
}

fn check(reply: &Reply, events: &[&str]) {
    let events: Vec<Value> =
        events.iter().map(|event| serde_json::from_str(event).unwrap()).collect();
    let parts: Vec<&Value> = events
        .iter()
        .filter_map(|event| event.pointer("/candidates/0/content/parts")?.as_array())
        .flatten()
        .collect();
    let text_of = |is_thought: bool| -> String {
        let wanted = parts.iter().filter(|part| (part.get("thought").is_some()) == is_thought);
        wanted.filter_map(|part| part.get("text")?.as_str()).collect()
    };
    let choice = &reply.choices[0];
    assert_eq!(choice.text, text_of(false));
    let thoughts: String = choice.reasoning.iter().map(|(text, _)| text.as_str()).collect();
    assert_eq!(thoughts, text_of(true));
    let signatures: Vec<&str> =
        parts.iter().filter_map(|part| part.get("thoughtSignature")?.as_str()).collect();
    let details = choice.reasoning.iter().filter_map(|(_, detail)| detail.as_ref());
    let read: Vec<&str> = details.filter_map(|detail| detail.data.as_deref()).collect();
    assert_eq!(read, signatures);
    let names: Vec<&str> =
        parts.iter().filter_map(|part| part.pointer("/functionCall/name")?.as_str()).collect();
    let called: Vec<&str> = choice.tool_calls.iter().map(|call| call.name.as_str()).collect();
    assert_eq!(called, names);
    let towns: String = parts
        .iter()
        .filter_map(|part| {
            let whole = part.pointer("/functionCall/args/location");
            whole.or(part.pointer("/functionCall/partialArgs/0/stringValue"))?.as_str()
        })
        .collect();
    let arguments = choice.tool_calls.iter().map(|call| {
        let arguments: Value = serde_json::from_str(&call.arguments).unwrap();
        arguments.as_object().unwrap().values().map(|v| v.as_str().unwrap()).collect::<String>()
    });
    assert_eq!(arguments.collect::<String>(), towns);
    let finish = choice.finish.clone().unwrap();
    let expected = if names.is_empty() { "stop" } else { "tool_calls" };
    assert_eq!((finish.0.as_str(), finish.1.as_deref()), (expected, Some("STOP")));
    let last = events.last().unwrap();
    let count = |name: &str| last.pointer(&format!("/usageMetadata/{name}")).unwrap().as_u64();
    assert_eq!(reply.usage.prompt, count("promptTokenCount"));
    assert_eq!(reply.usage.reasoning, count("thoughtsTokenCount"));
    let total = reply.usage.prompt.unwrap() + reply.usage.completion.unwrap();
    assert_eq!(Some(total), count("totalTokenCount"));
}
