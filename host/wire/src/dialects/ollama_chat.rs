//! `ollama-chat`: Ollama's own chat, spoken by clients and by upstreams: a JSON object on each line
//! of a stream. A client's fields for the gateway are OpenRouter's, as in every dialect.
//!
//! Ollama pairs tool calls with their results by order and name, so calls get a name on reading and
//! lose it on writing. It streams calls whole.

use bytes::Bytes;

use crate::availability::Availability;
use crate::chunk::{Chunk, FinishReason};
use crate::dialect::{Cost, Dialect, Head, Outgoing, ReadStream, Target, WriteStream};
use crate::dialects::openai_chat::error::read as read_error;
use crate::embed::Embeddings;
use crate::error::{Failure, ReadError, StreamError, WriteError};
use crate::frames::Framing;
use crate::json_text::ObjectWriter;
use crate::reply::Reply;
use crate::request::Request;

mod embeddings;
mod options;
mod pictures;
mod read_messages;
mod read_reply;
mod read_request;
mod time;
mod write_messages;
mod write_reply;
mod write_request;
mod write_stream;

/// Ollama's chat.
#[derive(Debug)]
pub(crate) struct OllamaChat;

impl Dialect for OllamaChat {
    fn name(&self) -> &'static str {
        NAME
    }

    fn has_choices(&self) -> bool {
        false
    }

    fn framing(&self) -> Framing {
        Framing::Lines
    }

    fn read_request(&self, body: &Bytes) -> Result<Request, ReadError> {
        read_request::read_request(body)
    }

    fn write_request(&self, request: &Request, to: &Target<'_>) -> Result<Outgoing, WriteError> {
        write_request::write_request(request, to)
    }

    fn read_reply(&self, body: &Bytes) -> Result<Vec<Chunk>, StreamError> {
        read_reply::read_reply(body)
    }

    fn read_stream(&self) -> Box<dyn ReadStream> {
        Box::<read_reply::Reader>::default()
    }

    fn write_reply(&self, reply: &Reply, head: &Head, cost: &Cost) -> Vec<u8> {
        write_reply::write_reply(reply, head, cost)
    }

    fn write_stream(&self, head: &Head) -> Box<dyn WriteStream> {
        Box::new(write_stream::Writer::new(head))
    }

    fn read_error(&self, status: u16, body: &[u8]) -> Failure {
        read_error(status, body)
    }

    fn write_error(&self, failure: &Failure, _: Option<&Head>) -> Vec<u8> {
        write_error(failure)
    }

    fn embeddings(&self) -> Option<&dyn Embeddings> {
        Some(self)
    }
}

/// An error body, which is also the line that ends a failed stream. `error_type` is the gateway's,
/// as in every dialect.
fn write_error(failure: &Failure) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = ObjectWriter::open(&mut out);
    writer.field("error", &failure.message);
    writer.field("error_type", failure.error_type.as_str());
    writer.some("availability", Availability::json(failure).as_ref());
    writer.close();
    out
}

/// The dialect's name.
const NAME: &str = "ollama-chat";

/// `Delta::Other`: the fields of a message that have no canonical place.
const OTHER_MESSAGE: &str = "ollama-chat.message";

/// `Delta::Other`: the fields beside a message that have no canonical place (`total_duration`, …).
const OTHER_ENDING: &str = "ollama-chat.ending";

/// Every reason with its canonical meaning. The first of a meaning is written for it.
const DONE_REASONS: [(&str, FinishReason); 5] = [
    ("stop", FinishReason::Stop),
    ("load", FinishReason::Stop),
    ("unload", FinishReason::Stop),
    ("length", FinishReason::Length),
    // The dialect has no word of its own for a model that waits for its tools.
    ("stop", FinishReason::ToolCalls),
];

/// What a reason means; one that is not known ends the reply like any other end.
fn finish_reason(native: &str, has_calls: bool) -> FinishReason {
    let row = DONE_REASONS.iter().find(|(name, _)| *name == native);
    match row.map_or(FinishReason::Stop, |(_, reason)| *reason) {
        FinishReason::Stop if has_calls => FinishReason::ToolCalls,
        reason => reason,
    }
}

/// The reason to write: the upstream's own where it is one of this dialect and still true.
fn done_reason(finish: Option<&(FinishReason, Option<String>)>) -> &str {
    let Some((reason, native)) = finish else { return "stop" };
    let rows = || DONE_REASONS.iter().filter(|(_, known)| known == reason).map(|(name, _)| *name);
    let native = native.as_deref().filter(|native| rows().any(|name| name == *native));
    native.or(rows().next()).unwrap_or("stop")
}

#[cfg(test)]
mod tests;
