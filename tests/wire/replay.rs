//! Running bytes through a dialect's reader in every split, and writing down what came of it.

use bytes::Bytes;
use serde_json::{Value, json};
use wire::sse::Event;
use wire::{
    Chunk, Cost, Delta, Dialect, Framing, Head, Json, ReasoningDetail, ReasoningKind, StreamError,
    Usage, event_stream,
};

/// A stream's chunks, and the error that ended it.
pub(crate) type Read = (Vec<Chunk>, Option<StreamError>);

/// Reads a stream that comes in these pieces.
pub(crate) fn read_stream(dialect: &dyn Dialect, pieces: &[&[u8]]) -> Read {
    let mut stream = dialect.read_stream();
    let mut chunks = Vec::new();
    for event in events(dialect.framing(), pieces) {
        if let Err(error) = stream.read(&event, &mut chunks) {
            return (chunks, Some(error));
        }
    }
    assert!(stream.is_done(), "the stream's end was not seen");
    (chunks, None)
}

/// Reads a stream in one piece, byte by byte and in two at every byte, and demands the same.
/// Chunks follow from events alone, so for the many splits it is the events that are compared;
/// over 16 KB only pairs of events are, around the boundary between the two.
pub(crate) fn read_in_every_split(dialect: &dyn Dialect, stream: &[u8]) -> Read {
    let whole = read_stream(dialect, &[stream]);
    let bytes: Vec<&[u8]> = stream.chunks(1).collect();
    assert_eq!(read_stream(dialect, &bytes), whole, "byte by byte");
    if stream.len() <= 16 * 1024 {
        in_two_everywhere(dialect.framing(), stream, 0..=stream.len());
        return whole;
    }
    let ends = ends(dialect.framing(), stream);
    let starts = std::iter::once(0).chain(ends.iter().copied());
    for (start, pair) in starts.zip(ends.windows(2)) {
        let middle = pair[0] - start;
        in_two_everywhere(
            dialect.framing(),
            &stream[start..pair[1]],
            middle.saturating_sub(4)..=middle + 8,
        );
    }
    whole
}

/// Where events end.
fn ends(framing: Framing, stream: &[u8]) -> Vec<usize> {
    let is_end = |at: &usize| match framing {
        Framing::Sse | Framing::Lines => {
            matches!(&stream[..*at], [.., b'\n', b'\n'] | [.., b'\r', b'\n', b'\r', b'\n'])
        }
        Framing::EventStream => false,
    };
    let mut ends: Vec<usize> = (1..stream.len()).filter(is_end).collect();
    let mut at = 0;
    while framing == Framing::EventStream && at < stream.len() {
        let length: [u8; 4] = stream[at..at + 4].try_into().expect("four bytes");
        at += usize::try_from(u32::from_be_bytes(length)).expect("a length");
        ends.push(at);
    }
    ends
}

/// A stream as it is sent, of the text it is kept as: the same, but of binary messages, which are
/// kept as `{"<type>": <payload>}`, one a line.
pub(crate) fn framed(framing: Framing, text: &str) -> Vec<u8> {
    if framing != Framing::EventStream {
        return text.as_bytes().to_vec();
    }
    let mut out = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let event: wire::Object<'_> = serde_json::from_str(line).expect("an object");
        for (name, payload) in &event.0 {
            let payload = payload.get().as_bytes();
            match name.ends_with("Exception") {
                true => event_stream::write_exception(&mut out, name, payload),
                false => event_stream::write_event(&mut out, name, payload),
            }
        }
    }
    out
}

fn in_two_everywhere(framing: Framing, stream: &[u8], cuts: std::ops::RangeInclusive<usize>) {
    let whole = events(framing, &[stream]);
    for at in cuts.filter(|at| *at <= stream.len()) {
        let (head, tail) = stream.split_at(at);
        assert_eq!(events(framing, &[head, tail]), whole, "in two at {at}");
    }
}

/// The events of a stream that comes in these pieces.
pub(crate) fn events(framing: Framing, pieces: &[&[u8]]) -> Vec<Event> {
    let mut reader = framing.reader(16 * 1024 * 1024);
    let mut events = Vec::new();
    for piece in pieces {
        reader.push(Bytes::copy_from_slice(piece));
        while let Some(event) = reader.next_event() {
            events.push(event.expect("no event is too long"));
        }
    }
    events.extend(reader.finish().map(|event| event.expect("no event is too long")));
    events
}

/// What every reply here begins with.
pub(crate) fn head() -> Head {
    Head {
        id: "gen-1700000000-abc".to_owned(),
        created: 1_700_000_000,
        model: "author/model".to_owned(),
        provider: "Provider".to_owned(),
        ..Head::default()
    }
}

/// What every reply here costs.
pub(crate) fn cost() -> Cost {
    Cost {
        total: "0.0000125".to_owned(),
        prompt: "0.0000025".to_owned(),
        completion: "0.00001".to_owned(),
        is_byok: false,
    }
}

/// Chunks as JSON for people, one chunk a line.
pub(crate) fn dump(chunks: &[Chunk]) -> String {
    let lines: Vec<String> = chunks
        .iter()
        .map(|chunk| Value::Array(chunk.deltas.iter().map(dump_delta).collect()).to_string())
        .collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

fn dump_delta(delta: &Delta) -> Value {
    match delta {
        Delta::Role { choice, .. } => json!({"role": "assistant", "choice": choice}),
        Delta::Text { choice, text } => json!({"text": text, "choice": choice}),
        Delta::Reasoning { choice, text, detail } => {
            json!({"reasoning": text, "choice": choice, "detail": detail.as_ref().map(dump_detail)})
        }
        Delta::ToolCall { choice, index, id, name, arguments } => {
            json!({"tool_call": index, "choice": choice, "id": id, "name": name, "arguments": arguments})
        }
        Delta::Refusal { choice, text } => json!({"refusal": text, "choice": choice}),
        Delta::Annotation { choice, json } => json!({"annotation": value(json), "choice": choice}),
        Delta::Image { choice, json } => json!({"image": value(json), "choice": choice}),
        Delta::Audio { choice, json } => json!({"audio": value(json), "choice": choice}),
        Delta::Finish { choice, reason, native } => {
            json!({"finish": reason.as_str(), "choice": choice, "native": native})
        }
        Delta::Usage(usage) => json!({"usage": dump_usage(usage)}),
        Delta::Other { choice, kind, json } => {
            json!({"other": kind, "choice": choice, "json": value(json)})
        }
    }
}

fn dump_detail(detail: &ReasoningDetail) -> Value {
    let kind = match detail.kind {
        ReasoningKind::Text => "text",
        ReasoningKind::Summary => "summary",
        ReasoningKind::Encrypted => "encrypted",
    };
    let ReasoningDetail { id, format, index, signature, data, .. } = detail;
    without_nulls(json!({
        "kind": kind, "id": id, "format": format, "index": index, "signature": signature, "data": data
    }))
}

fn dump_usage(usage: &Usage) -> Value {
    without_nulls(json!({
        "prompt": usage.prompt,
        "completion": usage.completion,
        "cached": usage.cached,
        "cache_write": usage.cache_write,
        "cache_write_1h": usage.cache_write_1h,
        "reasoning": usage.reasoning,
        "audio_prompt": usage.audio_prompt,
        "audio_completion": usage.audio_completion,
        "image_completion": usage.image_completion,
        "web_searches": usage.web_searches,
    }))
}

fn without_nulls(mut value: Value) -> Value {
    if let Value::Object(fields) = &mut value {
        fields.retain(|_, value| !value.is_null());
    }
    value
}

fn value(json: &Json) -> Value {
    json.read().expect("it is JSON")
}
