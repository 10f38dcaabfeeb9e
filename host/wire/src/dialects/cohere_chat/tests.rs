//! What the fixtures don't say: what is refused, what is cut, and what comes back.

use serde_json::Value;

use super::*;
use crate::chunk::{Delta, Usage};
use crate::dialect::ReasoningStyle;
use crate::error::ErrorType;
use crate::provider::Quirks;
use crate::sse::{Event, Reader};

mod embeddings;
mod requests;
mod streams;

fn target(reasoning: ReasoningStyle, quirks: &Quirks) -> Target<'_> {
    Target {
        model: "command-a",
        stream: false,
        max_output_tokens: Some(1000),
        reasoning,
        efforts: &[],
        quirks,
    }
}

fn read_request(body: &str) -> Request {
    CohereChat.read_request(&Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

fn write_request(request: &Request, reasoning: ReasoningStyle) -> Result<Value, WriteError> {
    let outgoing = CohereChat.write_request(request, &target(reasoning, &Quirks::default()))?;
    assert_eq!(outgoing.path, "/chat");
    Ok(serde_json::from_slice(&outgoing.body).unwrap())
}

fn head() -> Head {
    Head {
        id: "gen-1".to_owned(),
        created: 0,
        model: "cohere/command-a".to_owned(),
        provider: "Cohere".to_owned(),
        ..Head::default()
    }
}

fn cost() -> Cost {
    let zero = || "0".to_owned();
    Cost { total: zero(), prompt: zero(), completion: zero(), is_byok: false }
}

fn events(bytes: &[u8]) -> Vec<Event> {
    let mut reader = Reader::new(1 << 20);
    reader.push(Bytes::copy_from_slice(bytes));
    std::iter::from_fn(|| reader.next_event()).map(Result::unwrap).collect()
}

/// The chunks of a stream, and whether its end was seen.
fn read_stream(bytes: &[u8]) -> Result<(Vec<Chunk>, bool), StreamError> {
    let mut stream = CohereChat.read_stream();
    let mut chunks = Vec::new();
    for event in events(bytes) {
        stream.read(&event, &mut chunks)?;
    }
    Ok((chunks, stream.is_done()))
}

fn write_stream(chunks: &[Chunk]) -> Vec<u8> {
    let mut stream = CohereChat.write_stream(&head());
    let mut out = Vec::new();
    chunks.iter().for_each(|chunk| stream.chunk(chunk, &mut out));
    stream.end(&Reply::fold(chunks).usage, &cost(), &mut out);
    out
}

#[test]
fn errors_are_read_by_their_status() {
    for (status, body, expected) in [
        (401, r#"{"id":"e","message":"invalid api token"}"#, ErrorType::Authentication),
        (404, r#"{"message":"model 'x' not found"}"#, ErrorType::NotFound),
        (422, r#"{"message":"no"}"#, ErrorType::Unprocessable),
        (429, r#"{"message":"You are using a Trial key"}"#, ErrorType::RateLimitExceeded),
        (498, r#"{"message":"blocked"}"#, ErrorType::InvalidRequest),
        (500, r#"{"message":"internal"}"#, ErrorType::ProviderUnavailable),
        (503, "<html>", ErrorType::ProviderOverloaded),
    ] {
        let failure = CohereChat.read_error(status, body.as_bytes());
        assert_eq!(failure.error_type, expected, "{body}");
    }
    let failure = CohereChat.read_error(400, br#"{"message":"invalid request: no model"}"#);
    assert_eq!(failure.message, "invalid request: no model");
}

#[test]
fn errors_are_written_with_the_generation_s_id() {
    let failure = Failure::new(ErrorType::NotFound, "no such \"model\"");
    let written = CohereChat.write_error(&failure, Some(&head()));
    let expected = r#"{"id":"gen-1","message":"no such \"model\"","error_type":"not_found"}"#;
    assert_eq!(String::from_utf8(written).unwrap(), expected);
    let written = CohereChat.write_error(&failure, None);
    assert!(written.starts_with(br#"{"message":"#));
}
