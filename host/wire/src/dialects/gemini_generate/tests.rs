//! The dialect as the gateway uses it: recordings, and both directions together.

mod recordings;
mod requests;
mod streams;

use bytes::Bytes;
use serde_json::Value;

use crate::chunk::Chunk;
use crate::dialect::{Cost, Dialect, Head, ReasoningStyle, Target};
use crate::error::{StreamError, WriteError};
use crate::provider::Quirks;
use crate::reply::Reply;
use crate::request::Request;
use crate::sse::Event;

use super::GeminiGenerate;

fn event(data: &str) -> Event {
    Event { name: None, data: Bytes::from(data.to_owned()) }
}

/// The chunks of a stream, and whether its end was seen.
fn read_events(events: &[&str]) -> Result<(Vec<Chunk>, bool), StreamError> {
    let mut reader = GeminiGenerate.read_stream();
    let mut chunks = Vec::new();
    for data in events {
        reader.read(&event(data), &mut chunks)?;
    }
    Ok((chunks, reader.is_done()))
}

fn fold(events: &[&str]) -> Reply {
    Reply::fold(&read_events(events).unwrap().0)
}

fn head() -> Head {
    Head {
        id: "gen-1".to_owned(),
        created: 1,
        model: "google/gemini-3-pro".to_owned(),
        provider: "Google AI Studio".to_owned(),
        ..Head::default()
    }
}

fn cost() -> Cost {
    let zero = || "0".to_owned();
    Cost { total: zero(), prompt: zero(), completion: zero(), is_byok: false }
}

/// What a Gemini client is sent for the chunks, one JSON text for each event.
fn write_events(chunks: &[Chunk]) -> Vec<String> {
    let mut writer = GeminiGenerate.write_stream(&head());
    let mut out = Vec::new();
    for chunk in chunks {
        writer.chunk(chunk, &mut out);
    }
    writer.end(&Reply::fold(chunks).usage, &cost(), &mut out);
    let text = String::from_utf8(out).unwrap();
    text.split("\n\n").filter(|event| !event.is_empty()).map(data_of).collect()
}

fn data_of(event: &str) -> String {
    let lines: Vec<&str> = event.lines().map(|line| line.strip_prefix("data: ").unwrap()).collect();
    lines.join("\n")
}

/// Chunks as a hook leaves them that changed something: without their sources.
fn touched(chunks: &[Chunk]) -> Vec<Chunk> {
    chunks.iter().map(|chunk| Chunk::of(chunk.deltas.clone())).collect()
}

fn read_request(body: &Value) -> Request {
    GeminiGenerate.read_request(&Bytes::from(body.to_string())).unwrap()
}

/// The body that is written for a request whose fields were changed.
fn write_request(request: &Request, style: ReasoningStyle) -> Result<Value, WriteError> {
    let request = Request { source: None, ..request.clone() };
    let outgoing = GeminiGenerate.write_request(&request, &target(style, &Quirks::default()))?;
    Ok(serde_json::from_slice(&outgoing.body).unwrap())
}

fn target(reasoning: ReasoningStyle, quirks: &Quirks) -> Target<'_> {
    let max_output_tokens = Some(8192);
    Target {
        model: "gemini-3-pro",
        stream: true,
        max_output_tokens,
        reasoning,
        efforts: &[],
        quirks,
    }
}
