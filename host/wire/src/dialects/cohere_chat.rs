//! `cohere-chat`: Cohere's chat API, version 2, spoken by clients and by upstreams, and its call
//! for embeddings. A client's fields for the gateway are OpenRouter's, as in every dialect.
//!
//! Cohere tells what a model is up to before it calls tools in `tool_plan`; here that is a thought
//! of a format of its own, so that it goes back to where it came from.

use bytes::Bytes;

use crate::chunk::{Chunk, FinishReason};
use crate::dialect::{Cost, Dialect, Head, Outgoing, ReadStream, Target, WriteStream};
use crate::dialects::openai_chat::error::read as read_error;
use crate::embed::Embeddings;
use crate::error::{Failure, ReadError, StreamError, WriteError};
use crate::reply::Reply;
use crate::request::Request;
use crate::rerank::{CohereForm, Rerank};
use crate::words::Words;

mod citations;
mod embeddings;
mod ending;
mod error;
mod logprobs;
mod read_messages;
mod read_reply;
mod read_request;
mod read_stream;
mod write_messages;
mod write_reply;
mod write_request;
mod write_stream;

/// Cohere's chat.
#[derive(Debug)]
pub(crate) struct CohereChat;

impl Dialect for CohereChat {
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
        Box::<read_stream::Reader>::default()
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

    fn write_error(&self, failure: &Failure, head: Option<&Head>) -> Vec<u8> {
        error::write_error(failure, head)
    }

    fn embeddings(&self) -> Option<&dyn Embeddings> {
        Some(self)
    }

    fn rerank(&self) -> Option<&dyn Rerank> {
        Some(&CohereForm)
    }
}

/// The dialect's name.
const NAME: &str = "cohere-chat";

/// The format of a thought that is a tool plan.
const TOOL_PLAN: &str = "cohere-tool-plan";

/// `Delta::Other`: a citation without an address.
const OTHER_CITATION: &str = "cohere-chat.citation";

/// `Delta::Other`: a block of content that is not known.
const OTHER_BLOCK: &str = "cohere-chat.content";

/// `Delta::Other`: the fields of a message that have no canonical place.
const OTHER_MESSAGE: &str = "cohere-chat.message";

/// `Delta::Other`: the fields of a whole reply, or of a stream's end, that have no canonical place.
const OTHER_ENDING: &str = "cohere-chat.ending";

/// `Delta::Other`: the usage object as the upstream wrote it.
const OTHER_USAGE: &str = "cohere-chat.usage";

/// `Delta::Other`: an event that is not known.
const OTHER_EVENT: &str = "cohere-chat.event";

/// Why a reply ended.
const REASONS: Words = Words(&[
    ("COMPLETE", FinishReason::Stop),
    ("STOP_SEQUENCE", FinishReason::Stop),
    ("USER_CANCEL", FinishReason::Stop),
    ("MAX_TOKENS", FinishReason::Length),
    ("ERROR_LIMIT", FinishReason::Length),
    ("TOOL_CALL", FinishReason::ToolCalls),
    ("ERROR_TOXIC", FinishReason::ContentFilter),
    ("ERROR", FinishReason::Error),
    ("TIMEOUT", FinishReason::Error),
    ("NETWORK_ERROR", FinishReason::Error),
]);

#[cfg(test)]
mod tests;
