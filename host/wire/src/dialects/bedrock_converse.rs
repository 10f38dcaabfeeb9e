//! The dialect `bedrock-converse`: Amazon Bedrock's Converse API, spoken by clients and by upstreams.
//! The model and whether the reply is streamed stand in the address; streams are binary messages
//! (`frames/event_stream.rs`). What has no canonical form travels as `Other` and `Extra`, or in the
//! bytes of `Source`.

use bytes::Bytes;

use crate::chunk::{Chunk, FinishReason};
use crate::dialect::{Cost, Dialect, Head, Outgoing, ReadStream, Target, WriteStream};
use crate::error::{Failure, ReadError, StreamError, WriteError};
use crate::frames::Framing;
use crate::reply::Reply;
use crate::request::Request;
use crate::words::Words;

mod cache;
mod citation;
mod error;
mod media;
mod model;
mod read_content;
mod read_reply;
mod read_request;
mod read_stream;
mod settings;
mod thought;
mod usage;
mod write_content;
mod write_reply;
mod write_request;
mod write_stream;
mod write_tools;

/// Amazon Bedrock's Converse API.
#[derive(Debug)]
pub(crate) struct BedrockConverse;

impl Dialect for BedrockConverse {
    fn name(&self) -> &'static str {
        NAME
    }

    fn has_choices(&self) -> bool {
        false
    }

    fn framing(&self) -> Framing {
        Framing::EventStream
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

    fn write_reply(&self, reply: &Reply, _head: &Head, _cost: &Cost) -> Vec<u8> {
        write_reply::write_reply(reply)
    }

    fn write_stream(&self, _head: &Head) -> Box<dyn WriteStream> {
        Box::new(write_stream::Writer::default())
    }

    fn read_error(&self, status: u16, body: &[u8]) -> Failure {
        error::read_error(status, body)
    }

    fn write_error(&self, failure: &Failure, _head: Option<&Head>) -> Vec<u8> {
        error::write_error(failure)
    }
}

/// The dialect's name.
const NAME: &str = "bedrock-converse";

/// `Delta::Other`: a content block of a whole reply in a form that is not known.
const OTHER_BLOCK: &str = "bedrock-converse.block";

/// `Delta::Other`: an event in a form that is not known, under its type.
const OTHER_EVENT: &str = "bedrock-converse.event";

/// `Delta::Other`: a citation that is not of the web.
const OTHER_CITATION: &str = "bedrock-converse.citation";

/// `Delta::Other`: what is said of the end beside the stop reason
/// (`additionalModelResponseFields`).
const OTHER_ENDING: &str = "bedrock-converse.ending";

/// `Delta::Other`: what is said of the reply: `usage`, `metrics`, `trace`, `serviceTier`, ….
const OTHER_METADATA: &str = "bedrock-converse.metadata";

/// Why a reply ended.
const REASONS: Words = Words(&[
    ("end_turn", FinishReason::Stop),
    ("stop_sequence", FinishReason::Stop),
    ("max_tokens", FinishReason::Length),
    ("model_context_window_exceeded", FinishReason::Length),
    ("tool_use", FinishReason::ToolCalls),
    ("content_filtered", FinishReason::ContentFilter),
    ("guardrail_intervened", FinishReason::ContentFilter),
    ("malformed_model_output", FinishReason::Error),
    ("malformed_tool_use", FinishReason::Error),
]);
