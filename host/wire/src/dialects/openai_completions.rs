//! `openai-completions`: OpenAI's older text completions, one prompt in and its continuation out.
//!
//! As a surface it is a chat request with one user message. As an upstream it serves hosts that
//! only complete text: the conversation is written as one text by a chat template, and what the
//! model says is read back, tool calls included.
//!
//! Hosts, fields, errors and counts are those of `openai-chat`, so its readers and writers do the
//! work here; this folder holds only what differs.

use bytes::Bytes;

use super::openai_chat::OpenaiChat;
use crate::chunk::Chunk;
use crate::dialect::{Cost, Dialect, Head, Outgoing, ReadStream, Target, WriteStream};
use crate::error::{Failure, ReadError, StreamError, WriteError};
use crate::reply::Reply;
use crate::request::Request;

mod calls;
mod family;
mod logprobs;
mod neutral;
mod prompt;
mod reply_read;
mod reply_write;
mod request_read;
mod request_write;
mod talk;
mod text;

/// The dialect's name.
const NAME: &str = "openai-completions";

/// OpenAI's text completions.
#[derive(Debug)]
pub(crate) struct OpenaiCompletions;

impl Dialect for OpenaiCompletions {
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
        reply_read::read(body, None)
    }

    fn read_stream(&self) -> Box<dyn ReadStream> {
        Box::new(reply_read::Stream::new(None))
    }

    fn read_reply_to(
        &self,
        request: &Request,
        to: &Target<'_>,
        body: &Bytes,
    ) -> Result<Vec<Chunk>, StreamError> {
        reply_read::read(body, prompt::rules(request, to))
    }

    fn read_stream_to(&self, request: &Request, to: &Target<'_>) -> Box<dyn ReadStream> {
        Box::new(reply_read::Stream::new(prompt::rules(request, to)))
    }

    fn write_reply(&self, reply: &Reply, head: &Head, cost: &Cost) -> Vec<u8> {
        reply_write::write(reply, head, cost)
    }

    fn write_stream(&self, head: &Head) -> Box<dyn WriteStream> {
        Box::new(reply_write::Stream::new(head))
    }

    fn read_error(&self, status: u16, body: &[u8]) -> Failure {
        OpenaiChat.read_error(status, body)
    }

    fn write_error(&self, failure: &Failure, head: Option<&Head>) -> Vec<u8> {
        OpenaiChat.write_error(failure, head)
    }
}

#[cfg(test)]
mod tests;
