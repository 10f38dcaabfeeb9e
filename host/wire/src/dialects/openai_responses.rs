//! `openai-responses`: OpenAI's Responses, as clients speak it to OpenRouter and as OpenAI, Azure,
//! xAI and others serve it. A request's `input` and a reply's `output` are lists of items; here
//! they become messages, and streams of deltas.
//!
//! Nothing is kept between requests: upstreams are told `store: false`, and `previous_response_id`
//! stays among the request's controls, for a gateway that remembers.

use bytes::Bytes;

use crate::chunk::Chunk;
use crate::dialect::{Cost, Dialect, Head, Outgoing, ReadStream, Target, WriteStream};
use crate::error::{Failure, ReadError, StreamError, WriteError};
use crate::reply::Reply;
use crate::request::Request;

mod annotation;
mod custom;
mod error;
mod input_patch;
mod input_read;
mod input_write;
mod items;
mod output;
mod part_read;
mod part_write;
mod reply_read;
mod reply_write;
mod request_patch;
mod request_read;
mod request_write;
mod response;
mod stream_read;
mod stream_write;
mod thought;
mod tools_read;
mod tools_write;
mod usage;

/// The dialect's name.
const NAME: &str = "openai-responses";

/// What `Delta::Other` of this dialect begins with. Items that have no canonical form follow with
/// their type and are whole; the names below are no items.
const PREFIX: &str = "openai-responses.";
/// What the response says of itself: its fields but those that the gateway owns.
const OTHER_RESPONSE: &str = "openai-responses.response";
/// An item's fields that have no place, before its first piece: `type`, and `call_id` of a call.
const OTHER_FIELDS: &str = "openai-responses.fields";
/// An event of an item that has no canonical form.
const OTHER_EVENT: &str = "openai-responses.event";
/// An annotation that is not of the web.
const OTHER_ANNOTATION: &str = "openai-responses.annotation";
/// A message's part that is neither words nor a refusal.
const OTHER_PART: &str = "openai-responses.content_part";
/// Token probabilities, in the one form that all dialects read and write.
const LOGPROBS: &str = "openai-chat.logprobs";

/// OpenAI's Responses.
#[derive(Debug)]
pub(crate) struct OpenaiResponses;

impl Dialect for OpenaiResponses {
    fn name(&self) -> &'static str {
        NAME
    }

    fn has_choices(&self) -> bool {
        false
    }

    fn read_request(&self, body: &Bytes) -> Result<Request, ReadError> {
        request_read::read(body)
    }

    fn write_request(&self, request: &Request, to: &Target<'_>) -> Result<Outgoing, WriteError> {
        request_write::write(request, to)
    }

    fn read_reply(&self, body: &Bytes) -> Result<Vec<Chunk>, StreamError> {
        reply_read::read(body)
    }

    fn read_stream(&self) -> Box<dyn ReadStream> {
        Box::<stream_read::Stream>::default()
    }

    fn write_reply(&self, reply: &Reply, head: &Head, cost: &Cost) -> Vec<u8> {
        reply_write::write(reply, head, cost)
    }

    fn write_stream(&self, head: &Head) -> Box<dyn WriteStream> {
        Box::new(stream_write::Stream::new(head))
    }

    fn read_error(&self, status: u16, body: &[u8]) -> Failure {
        error::read(status, body)
    }

    fn write_error(&self, failure: &Failure, _: Option<&Head>) -> Vec<u8> {
        error::write(failure)
    }

    fn write_too_long(&self, failure: &Failure, head: &Head, is_stream: bool) -> Option<Vec<u8>> {
        if !error::is_length(failure) {
            return None;
        }
        let mut out = Vec::new();
        let mut stream = stream_write::Stream::new(head);
        match is_stream {
            true => stream.error(failure, &mut out),
            false => stream.response(response::State::Failed(failure), &mut out),
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests;
