//! The dialect `anthropic-messages`: Anthropic's Messages API with OpenRouter's extensions, spoken
//! by clients and by upstreams. Requests and streams are read and written in files of their own;
//! what has no canonical form travels as `Other` and `Extra`, or in the bytes of `Source`.

use bytes::Bytes;

use crate::chunk::{Chunk, FinishReason};
use crate::dialect::{Cost, Dialect, Head, Outgoing, ReadStream, Target, WriteStream};
use crate::error::{Failure, ReadError, StreamError, WriteError};
use crate::json_text;
use crate::reply::Reply;
use crate::request::Request;
use crate::words::Words;

mod error;
mod read_content;
mod read_reply;
mod read_request;
mod read_stream;
pub(crate) mod thinking;
mod tools;
mod usage;
mod write_content;
mod write_reply;
mod write_request;
mod write_stream;

/// Anthropic's Messages API.
#[derive(Debug)]
pub(crate) struct AnthropicMessages;

impl Dialect for AnthropicMessages {
    fn name(&self) -> &'static str {
        NAME
    }

    fn has_choices(&self) -> bool {
        false
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
        Box::new(read_stream::Reader::default())
    }

    fn write_reply(&self, reply: &Reply, head: &Head, cost: &Cost) -> Vec<u8> {
        write_reply::write_reply(reply, head, cost)
    }

    fn write_stream(&self, head: &Head) -> Box<dyn WriteStream> {
        Box::new(write_stream::Writer::new(head))
    }

    fn read_error(&self, status: u16, body: &[u8]) -> Failure {
        error::read_error(status, body)
    }

    fn write_error(&self, failure: &Failure, head: Option<&Head>) -> Vec<u8> {
        error::write_error(failure, head.map(|head| head.id.as_str()))
    }
}

/// The dialect's name.
const NAME: &str = "anthropic-messages";

/// The form of reasoning that this dialect can read back.
pub(crate) const REASONING_FORMAT: &str = "anthropic-claude-v1";

/// `Delta::Other`: the fields of a `message_delta` (or of a whole reply) that have no canonical
/// place: `stop_sequence`, `stop_details`, `container`, `context_management`.
const OTHER_ENDING: &str = "anthropic-messages.message_delta";

/// `Delta::Other`: the usage object as the upstream wrote it.
const OTHER_USAGE: &str = "anthropic-messages.usage";

/// `Delta::Other`: a citation that is not of the web.
const OTHER_CITATION: &str = "anthropic-messages.citation";

/// `Delta::Other`: a piece of a known block in a form that is not known.
const OTHER_DELTA: &str = "anthropic-messages.delta";

/// `Delta::Other`: an event that is not known.
const OTHER_EVENT: &str = "anthropic-messages.event";

/// Why a reply ended.
const REASONS: Words = Words(&[
    ("end_turn", FinishReason::Stop),
    ("stop_sequence", FinishReason::Stop),
    ("pause_turn", FinishReason::Stop),
    ("compaction", FinishReason::Stop),
    ("max_tokens", FinishReason::Length),
    ("model_context_window_exceeded", FinishReason::Length),
    ("tool_use", FinishReason::ToolCalls),
    ("refusal", FinishReason::ContentFilter),
    ("end_turn", FinishReason::Error),
]);

#[cfg(test)]
mod tests;
