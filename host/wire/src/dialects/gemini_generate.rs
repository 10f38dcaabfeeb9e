//! `gemini-generate`: Google's Gemini API, `models/{model}:generateContent` and
//! `:streamGenerateContent?alt=sse`. Streams have no terminal event; a finish reason ends them.
//!
//! ```text
//! request: read_request -> contents_read            write_request -> contents_write
//!          config, tools, schema: both directions
//! reply:   read_stream -> read_choice            write_stream -> write_choice
//!          finish, grounding, usage: both directions
//! embeddings, a call of its own: both directions
//! ```

use bytes::Bytes;

use crate::chunk::Chunk;
use crate::dialect::{Cost, Dialect, Head, Outgoing, ReadStream, Target, WriteStream};
use crate::embed::Embeddings;
use crate::error::{Failure, ReadError, StreamError, WriteError};
use crate::reply::Reply;
use crate::request::Request;

mod config;
mod contents_read;
mod contents_write;
mod embeddings;
mod error;
mod fields;
mod finish;
mod grounding;
mod logprobs;
mod media;
mod partial_args;
mod read_choice;
mod read_request;
mod read_stream;
mod schema;
mod service;
mod shape;
mod tools;
mod usage;
mod write_choice;
mod write_request;
mod write_stream;

/// Google's Gemini API.
#[derive(Debug)]
pub(crate) struct GeminiGenerate;

impl Dialect for GeminiGenerate {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read_request(&self, body: &Bytes) -> Result<Request, ReadError> {
        read_request::read(body)
    }

    fn write_request(&self, request: &Request, to: &Target<'_>) -> Result<Outgoing, WriteError> {
        write_request::write(request, to)
    }

    fn read_reply(&self, body: &Bytes) -> Result<Vec<Chunk>, StreamError> {
        read_stream::read_reply(body)
    }

    fn read_stream(&self) -> Box<dyn ReadStream> {
        Box::<read_stream::Reader>::default()
    }

    fn write_reply(&self, reply: &Reply, head: &Head, _cost: &Cost) -> Vec<u8> {
        write_stream::write_reply(reply, head)
    }

    fn write_stream(&self, head: &Head) -> Box<dyn WriteStream> {
        Box::new(write_stream::Writer::new(head))
    }

    fn read_error(&self, status: u16, body: &[u8]) -> Failure {
        error::read(status, body)
    }

    fn write_error(&self, failure: &Failure, _head: Option<&Head>) -> Vec<u8> {
        error::write(failure)
    }

    fn embeddings(&self) -> Option<&dyn Embeddings> {
        Some(self)
    }
}

/// The dialect's name.
const NAME: &str = "gemini-generate";

/// Reasoning blocks that Gemini can read back.
const FORMAT: &str = "google-gemini-v1";

/// Begins the ids that are made here for calls which came without one. They are not sent back,
/// so that a turn returns as it came.
const MADE_ID: &str = "gem_";

#[cfg(test)]
mod tests;
