//! `openai-chat`: OpenAI's chat completions as the world speaks it, and OpenRouter's extension of
//! them towards clients. Reading is liberal, since every compatible host has its own oddities;
//! writing keeps to OpenRouter's contract.
//!
//! Provider-specific behaviour follows from [`crate::Quirks`], never from a provider's name.

use bytes::Bytes;

use crate::chunk::Chunk;
use crate::dialect::{Cost, Dialect, Head, Outgoing, ReadStream, Target, WriteStream};
use crate::embed::Embeddings;
use crate::error::{Failure, ReadError, StreamError, WriteError};
use crate::image::Images;
use crate::reply::Reply;
use crate::request::Request;
use crate::rerank::{CohereForm, Rerank};
use crate::speech::Speech;
use crate::transcribe::Transcription;

mod call_id;
pub(super) mod content_write;
mod embeddings;
pub(super) mod emit;
pub(in crate::dialects) mod error;
pub(super) mod field;
mod finish;
mod images;
pub(super) mod message_read;
mod message_write;
mod reasoning;
pub(super) mod reply_read;
mod reply_write;
pub(super) mod request_read;
mod request_write;
pub(in crate::dialects) mod search;
mod service;
pub(super) mod shape;
mod speaker;
mod speech;
mod stream_read;
mod stream_write;
pub(crate) mod surface;
mod tool_calls;
mod tools_write;
mod transcription;
pub(super) mod usage;

/// The dialect's name.
const NAME: &str = "openai-chat";

/// OpenAI's chat completions.
#[derive(Debug)]
pub(crate) struct OpenaiChat;

impl Dialect for OpenaiChat {
    fn name(&self) -> &'static str {
        NAME
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

    fn embeddings(&self) -> Option<&dyn Embeddings> {
        Some(self)
    }

    fn rerank(&self) -> Option<&dyn Rerank> {
        Some(&CohereForm)
    }

    fn images(&self) -> Option<&dyn Images> {
        Some(self)
    }

    fn speech(&self) -> Option<&dyn Speech> {
        Some(self)
    }

    fn transcription(&self) -> Option<&dyn Transcription> {
        Some(self)
    }
}

#[cfg(test)]
mod tests;
