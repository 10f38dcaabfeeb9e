//! What must hold for any bytes, one function per parser. `tests/fuzz` calls each from a fuzz
//! target; the tests here call them on stable with mutated fixtures.

use bytes::Bytes;

use crate::chunk::Chunk;
use crate::dialect::{Cost, DIALECTS, Dialect, Head, ReasoningStyle, Target};
use crate::embed::EmbedRequest;
use crate::error::{Failure, StreamError};
use crate::frames::Framing;
use crate::json::Object;
use crate::provider::Quirks;
use crate::reply::Reply;
use crate::rerank::{Document, RerankRequest};
use crate::sse;

/// Events do not depend on how their bytes are split, in any framing. The first byte says where.
pub fn sse(bytes: &[u8]) {
    let Some((cut, stream)) = bytes.split_first() else { return };
    let cut = usize::from(*cut) * stream.len() / 255;
    let (head, tail) = stream.split_at(cut.min(stream.len()));
    for framing in [Framing::Sse, Framing::Lines, Framing::EventStream] {
        assert_eq!(events(framing, &[head, tail]), events(framing, &[stream]), "{framing:?}");
    }
}

/// What reads as a request is written as JSON for every upstream, and the canonical form alone
/// says as much as the source does to a reader of its own dialect.
pub fn request(bytes: &[u8]) {
    let body = Bytes::copy_from_slice(bytes);
    let quirks = Quirks::default();
    for &from in DIALECTS {
        let Ok(mut request) = from.read_request(&body) else { continue };
        for source in [request.source.clone(), None] {
            request.source = source;
            for &to in DIALECTS {
                let target = Target {
                    model: "m",
                    stream: request.stream,
                    max_output_tokens: Some(1000),
                    reasoning: ReasoningStyle::Effort,
                    efforts: &[],
                    quirks: &quirks,
                };
                let Ok(outgoing) = to.write_request(&request, &target) else { continue };
                assert!(is_object(&outgoing.body), "{} writes no JSON", to.name());
            }
        }
    }
}

/// Whatever a stream holds, what is written of it is a stream, and its fold is stable.
pub fn stream(bytes: &[u8]) {
    for &from in DIALECTS {
        let mut streams = vec![events(Framing::Sse, &[bytes])];
        match from.framing() {
            Framing::Sse => {}
            Framing::Lines => streams.push(events(Framing::Lines, &[bytes])),
            Framing::EventStream => {
                streams.push(events(Framing::EventStream, &[bytes]));
                streams.push(messages(bytes));
            }
        }
        streams.iter().filter(|events| !events.is_empty()).for_each(|events| read(from, events));
    }
}

fn read(from: &dyn Dialect, events: &[sse::Event]) {
    let mut reader = from.read_stream();
    let mut chunks = Vec::new();
    let mut failure = None;
    for event in events {
        match reader.read(event, &mut chunks) {
            Ok(()) => {}
            Err(StreamError::Read(_)) => break,
            Err(StreamError::Upstream(upstream)) => {
                failure = Some(upstream);
                break;
            }
        }
    }
    write_everywhere(&chunks, failure.as_ref());
}

/// Binary messages as fixtures spell them, since few mutations leave a checksum right: on each line
/// an object of the message's name and its payload.
fn messages(bytes: &[u8]) -> Vec<sse::Event> {
    let lines = events(Framing::Lines, &[bytes]);
    let message = |line: &sse::Event| {
        let text = std::str::from_utf8(&line.data).ok()?;
        let fields = Object::parse(text).ok()?;
        let (name, payload) = fields.0.first()?;
        let data = Bytes::from(payload.get().to_owned());
        Some(sse::Event { name: Some(name.to_string()), data })
    };
    lines.iter().filter_map(message).collect()
}

/// Whatever a reply holds, what is written of it is a reply and a stream; read as embeddings, it is
/// whole or refused.
pub fn reply(bytes: &[u8]) {
    let body = Bytes::copy_from_slice(bytes);
    for &from in DIALECTS {
        match from.read_reply(&body) {
            Ok(chunks) => write_everywhere(&chunks, None),
            Err(StreamError::Upstream(failure)) => write_everywhere(&[], Some(&failure)),
            Err(StreamError::Read(_)) => {}
        }
        embeddings(from, &body);
        others(from, &body);
    }
}

/// What reads as embeddings is one vector for the one text, all of it numbers.
fn embeddings(from: &dyn Dialect, body: &Bytes) {
    let Some(call) = from.embeddings() else { return };
    let request = EmbedRequest { inputs: vec!["a".to_owned().into()], ..EmbedRequest::default() };
    if let Ok(reply) = call.read_vectors(body, &request) {
        assert_eq!(reply.vectors.len(), 1, "{} reads another count", from.name());
        let mut numbers = reply.vectors.iter().flatten();
        assert!(numbers.all(|number| number.is_finite()), "{} reads no number", from.name());
    }
}

/// What reads as a ranking, pictures or a transcription holds to what it promises.
fn others(from: &dyn Dialect, body: &Bytes) {
    let document = Document { text: Some("a".to_owned()), image: None };
    let request = RerankRequest { documents: vec![document; 3], ..RerankRequest::default() };
    if let Some(Ok(reply)) = from.rerank().map(|call| call.read_ranks(body, &request)) {
        assert!(reply.ranks.iter().all(|rank| rank.index < 3), "{} ranks too much", from.name());
    }
    if let Some(Ok(reply)) = from.images().map(|call| call.read_pictures(body)) {
        assert!(!reply.pictures.is_empty(), "{} reads no picture", from.name());
    }
    if let Some(call) = from.transcription() {
        // Any text will do; that it does not panic is what is asked.
        let _ = call.read_text(body);
    }
}

/// Any error body is an error, and is written as one.
pub fn error(bytes: &[u8]) {
    for &from in DIALECTS {
        let failure = from.read_error(500, bytes);
        assert!(failure.status >= 400, "{} reads no error", from.name());
        for &to in DIALECTS {
            assert!(is_object(&to.write_error(&failure, None)), "{} writes no JSON", to.name());
        }
    }
}

fn write_everywhere(chunks: &[Chunk], failure: Option<&Failure>) {
    let reply = Reply::fold(chunks);
    assert_eq!(Reply::fold(&reply.chunks()), reply);
    let head = Head {
        id: "gen-1".to_owned(),
        created: 1,
        model: "a/b".to_owned(),
        provider: "P".to_owned(),
        ..Head::default()
    };
    let zero = || "0".to_owned();
    let cost = Cost { total: zero(), prompt: zero(), completion: zero(), is_byok: true };
    for &to in DIALECTS {
        assert!(is_object(&to.write_reply(&reply, &head, &cost)), "{} writes no JSON", to.name());
        let mut stream = to.write_stream(&head);
        let mut out = Vec::new();
        for chunk in chunks {
            stream.chunk(chunk, &mut out);
            stream.keep_alive(&mut out);
        }
        match failure {
            Some(failure) => stream.error(failure, &mut out),
            None => stream.end(&reply.usage, &cost, &mut out),
        }
        let is_whole = match to.framing() {
            Framing::Sse => out.is_empty() || out.ends_with(b"\n\n"),
            Framing::Lines => out.is_empty() || out.ends_with(b"\n"),
            Framing::EventStream => !events(to.framing(), &[&out]).is_empty(),
        };
        assert!(is_whole, "{} writes part of an event", to.name());
        for event in events(to.framing(), &[&out]) {
            let is_end = &*event.data == b"[DONE]";
            assert!(is_end || is_object(&event.data), "{} writes {event:?}", to.name());
        }
    }
}

fn is_object(json: &[u8]) -> bool {
    std::str::from_utf8(json).is_ok_and(|text| Object::parse(text).is_ok())
}

fn events(framing: Framing, pieces: &[&[u8]]) -> Vec<sse::Event> {
    let mut reader = framing.reader(1 << 20);
    let mut events = Vec::new();
    for piece in pieces {
        reader.push(Bytes::copy_from_slice(piece));
        while let Some(Ok(event)) = reader.next_event() {
            events.push(event);
        }
    }
    events.extend(reader.finish().and_then(Result::ok));
    events
}

#[cfg(test)]
mod tests;
