//! What the dialect promises, on recordings of real replies where `PATCHBAY_FIXTURES` names their
//! folder, and on small bodies written here.

use std::path::PathBuf;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{AnthropicMessages, NAME};
use crate::chunk::{Chunk, Delta, FinishReason, Usage};
use crate::dialect::{Cost, Dialect, Head, ReasoningStyle, Target};
use crate::error::StreamError;
use crate::provider::Quirks;
use crate::reply::{Choice, Reply};
use crate::request::Request;
use crate::source::Source;
use crate::sse::Event;

mod errors;
mod recordings;
mod requests;
mod streams;

fn head() -> Head {
    Head {
        id: "gen-1".to_owned(),
        created: 1,
        model: "acme/claude".to_owned(),
        provider: "Anthropic".to_owned(),
        ..Head::default()
    }
}

fn cost() -> Cost {
    Cost {
        total: "0.0030".to_owned(),
        prompt: "0.001".to_owned(),
        completion: "0.002".to_owned(),
        is_byok: false,
    }
}

fn event(data: impl Into<Bytes>) -> Event {
    Event { name: None, data: data.into() }
}

/// Reads a stream of one data payload a line.
fn read_lines(lines: &str) -> Result<Vec<Chunk>, StreamError> {
    let mut reader = AnthropicMessages.read_stream();
    let mut chunks = Vec::new();
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        reader.read(&event(line.to_owned()), &mut chunks)?;
    }
    Ok(chunks)
}

fn read_events(events: &[Value]) -> Result<Vec<Chunk>, StreamError> {
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    read_lines(&lines.join("\n"))
}

/// Writes chunks as a client sees them: the payloads, checked to carry their event's name.
fn write(chunks: &[Chunk]) -> Vec<Value> {
    let mut writer = AnthropicMessages.write_stream(&head());
    let mut out = Vec::new();
    chunks.iter().for_each(|chunk| writer.chunk(chunk, &mut out));
    writer.end(&Reply::fold(chunks).usage, &cost(), &mut out);
    payloads(&out)
}

fn payloads(out: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(out).unwrap();
    let frames = text.split("\n\n").filter(|frame| !frame.is_empty());
    let payload = |frame: &str| {
        let (name, data) = frame.split_once('\n').unwrap();
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(name.strip_prefix("event: "), data["type"].as_str());
        data
    };
    frames.map(payload).collect()
}

/// Checks what every stream of the dialect keeps: one start, blocks that open and close one after
/// the other with indices that count up, one ending.
fn check_order(events: &[Value]) {
    let kinds: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds.first(), Some(&"message_start"), "{kinds:?}");
    assert_eq!(kinds[kinds.len() - 2..], ["message_delta", "message_stop"]);
    assert_eq!(kinds.iter().filter(|kind| **kind == "message_start").count(), 1);
    let (mut open, mut next) = (None, 0);
    for event in events {
        let index = event["index"].as_u64();
        match event["type"].as_str().unwrap() {
            "content_block_start" => {
                assert_eq!((open, index), (None, Some(next)), "{event}");
                open = index;
                next += 1;
            }
            "content_block_delta" => assert_eq!(index, open, "{event}"),
            "content_block_stop" => {
                assert!(open.is_some() && index == open, "{event}");
                open = None;
            }
            _ => assert_eq!(open, None, "{event}"),
        }
    }
}

fn choice(chunks: &[Chunk]) -> Choice {
    Reply::fold(chunks).choices.into_iter().next().unwrap_or_default()
}

/// The chunks as a hook leaves them that changed something in each.
fn without_source(chunks: &[Chunk]) -> Vec<Chunk> {
    chunks.iter().map(|chunk| Chunk::of(chunk.deltas.clone())).collect()
}

fn target(quirks: &Quirks, reasoning: ReasoningStyle) -> Target<'_> {
    let max_output_tokens = Some(64_000);
    Target { model: "claude-x", stream: false, max_output_tokens, reasoning, efforts: &[], quirks }
}

fn read_request(body: &Value) -> Request {
    AnthropicMessages.read_request(&Bytes::from(body.to_string())).unwrap()
}

/// The body from the canonical form, as for a client of another dialect.
fn compose(request: &Request, style: ReasoningStyle) -> Value {
    let request = Request { source: None, ..request.clone() };
    let outgoing =
        AnthropicMessages.write_request(&request, &target(&Quirks::default(), style)).unwrap();
    serde_json::from_slice(&outgoing.body).unwrap()
}
