//! What the fixtures don't say: what is refused, what is cut, and what comes back.

use serde_json::Value;

use super::*;
use crate::chunk::{Delta, Usage};
use crate::dialect::ReasoningStyle;
use crate::error::ErrorType;
use crate::provider::Quirks;
use crate::sse::Event;

mod embeddings;
mod requests;
mod streams;

fn target(reasoning: ReasoningStyle, quirks: &Quirks) -> Target<'_> {
    Target {
        model: "qwen3",
        stream: true,
        max_output_tokens: Some(1000),
        reasoning,
        efforts: &[],
        quirks,
    }
}

fn read_request(body: &str) -> Request {
    OllamaChat.read_request(&Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

fn write_request(request: &Request, reasoning: ReasoningStyle) -> Result<Value, WriteError> {
    let outgoing = OllamaChat.write_request(request, &target(reasoning, &Quirks::default()))?;
    assert_eq!(outgoing.path, "/api/chat");
    Ok(serde_json::from_slice(&outgoing.body).unwrap())
}

fn head() -> Head {
    Head {
        id: "gen-1".to_owned(),
        created: 86_400,
        model: "qwen/qwen3-8b".to_owned(),
        provider: "Ollama".to_owned(),
        ..Head::default()
    }
}

fn cost() -> Cost {
    let zero = || "0".to_owned();
    Cost { total: zero(), prompt: zero(), completion: zero(), is_byok: false }
}

fn lines(bytes: &[u8]) -> Vec<Event> {
    let mut reader = Framing::Lines.reader(1 << 20);
    reader.push(Bytes::copy_from_slice(bytes));
    let mut events = Vec::new();
    while let Some(event) = reader.next_event() {
        events.push(event.unwrap());
    }
    events.extend(reader.finish().map(Result::unwrap));
    events
}

/// The chunks of a stream, and whether its end was seen.
fn read_stream(bytes: &[u8]) -> Result<(Vec<Chunk>, bool), StreamError> {
    let mut stream = OllamaChat.read_stream();
    let mut chunks = Vec::new();
    for line in lines(bytes) {
        stream.read(&line, &mut chunks)?;
    }
    Ok((chunks, stream.is_done()))
}

fn write_stream(chunks: &[Chunk]) -> Vec<u8> {
    let mut stream = OllamaChat.write_stream(&head());
    let mut out = Vec::new();
    chunks.iter().for_each(|chunk| stream.chunk(chunk, &mut out));
    stream.end(&Reply::fold(chunks).usage, &cost(), &mut out);
    out
}

#[test]
fn errors_are_read_by_their_status_and_written_alike() {
    for (status, body, expected) in [
        (400, r#"{"error":"\"x\" does not support thinking"}"#, ErrorType::InvalidRequest),
        (401, r#"{"error":"unauthorized"}"#, ErrorType::Authentication),
        (404, r#"{"error":"model 'x' not found"}"#, ErrorType::NotFound),
        (429, r#"{"error":"too many requests"}"#, ErrorType::RateLimitExceeded),
        (500, r#"{"error":"model requires more system memory"}"#, ErrorType::ProviderUnavailable),
        (503, r#"{"error":"server busy, please try again"}"#, ErrorType::ProviderOverloaded),
        (502, "<html>", ErrorType::ProviderUnavailable),
    ] {
        let failure = OllamaChat.read_error(status, body.as_bytes());
        assert_eq!(failure.error_type, expected, "{body}");
    }
    let failure = OllamaChat.read_error(404, br#"{"error":"model 'x' not found"}"#);
    let written = OllamaChat.write_error(&failure, Some(&head()));
    let expected = r#"{"error":"model 'x' not found","error_type":"not_found"}"#;
    assert_eq!(String::from_utf8(written).unwrap(), expected);
}
