//! What a dialect is, and the table of them. Clients and providers speak the same ones, so each
//! is read and written in both directions, always through the canonical form: a hub, never pairs.
//!
//! To add a dialect: 1. a folder under `dialects/` with `impl Dialect`, 2. its line in
//! [`DIALECTS`], 3. a folder of fixtures under `tests/wire/`.

use bytes::Bytes;

use crate::chunk::{Chunk, Usage};
use crate::dialects::anthropic_messages::AnthropicMessages;
use crate::dialects::bedrock_converse::BedrockConverse;
use crate::dialects::cohere_chat::CohereChat;
use crate::dialects::gemini_generate::GeminiGenerate;
use crate::dialects::ollama_chat::OllamaChat;
use crate::dialects::openai_chat::OpenaiChat;
use crate::dialects::openai_completions::OpenaiCompletions;
use crate::dialects::openai_responses::OpenaiResponses;
use crate::embed::Embeddings;
use crate::error::{Failure, ReadError, StreamError, WriteError};
use crate::frames::Framing;
use crate::image::Images;
use crate::json::Json;
use crate::provider::Quirks;
use crate::reply::Reply;
use crate::request::{CustomTool, Effort, Request};
use crate::rerank::Rerank;
use crate::speech::Speech;
use crate::sse::Event;
use crate::transcribe::Transcription;

/// Every dialect.
pub static DIALECTS: &[&dyn Dialect] = &[
    &OpenaiChat,
    &OpenaiResponses,
    &AnthropicMessages,
    &GeminiGenerate,
    &BedrockConverse,
    &CohereChat,
    &OllamaChat,
    &OpenaiCompletions,
];

/// The dialect of that name.
pub fn dialect(name: &str) -> Option<&'static dyn Dialect> {
    DIALECTS.iter().copied().find(|dialect| dialect.name() == name)
}

/// A wire format, without IO.
pub trait Dialect: Send + Sync {
    /// Its name in configuration, records and `Source::dialect`.
    fn name(&self) -> &'static str;

    /// How its streams are cut into events, towards clients and from upstreams alike.
    fn framing(&self) -> Framing {
        Framing::Sse
    }

    /// Whether one request can ask for several choices. Where it can't, it is sent as often.
    fn has_choices(&self) -> bool {
        true
    }

    /// Reads a client's body. What the dialect puts into the address (Gemini's model and
    /// `stream`) is left empty, for the surface to fill.
    fn read_request(&self, body: &Bytes) -> Result<Request, ReadError>;

    /// Writes the body for an upstream. Fields that the endpoint can't take are left out; content
    /// it can't take is an error.
    fn write_request(&self, request: &Request, to: &Target<'_>) -> Result<Outgoing, WriteError>;

    /// Reads a whole reply as chunks: one per natural piece, so that a reply which was not
    /// streamed takes the stream's path. One choice's deltas stand in order. A body that is an
    /// error (inside a 200) is `StreamError::Upstream`.
    fn read_reply(&self, body: &Bytes) -> Result<Vec<Chunk>, StreamError>;

    /// Starts reading a streamed reply.
    fn read_stream(&self) -> Box<dyn ReadStream>;

    /// As [`Dialect::read_reply`], for the reply to this request, where the request decides what
    /// the reply means (a text that was asked for with tools may hold calls).
    ///
    /// # Errors
    /// As [`Dialect::read_reply`].
    fn read_reply_to(
        &self,
        _request: &Request,
        _to: &Target<'_>,
        body: &Bytes,
    ) -> Result<Vec<Chunk>, StreamError> {
        self.read_reply(body)
    }

    /// As [`Dialect::read_stream`], for the reply to this request.
    fn read_stream_to(&self, _request: &Request, _to: &Target<'_>) -> Box<dyn ReadStream> {
        self.read_stream()
    }

    /// Writes a whole reply for a client.
    fn write_reply(&self, reply: &Reply, head: &Head, cost: &Cost) -> Vec<u8>;

    /// Starts writing a streamed reply for a client.
    fn write_stream(&self, head: &Head) -> Box<dyn WriteStream>;

    /// Reads the body that came with an error status. Never fails: an unreadable body becomes
    /// the message.
    fn read_error(&self, status: u16, body: &[u8]) -> Failure;

    /// Writes an error body for a client, for a reply that has not begun.
    fn write_error(&self, failure: &Failure, head: Option<&Head>) -> Vec<u8>;

    /// Writes a reply that never began because something is too long, where the dialect's clients
    /// take that for a reply which ended early: as a body, or as a stream's events. `None`: it is an
    /// error like any other.
    fn write_too_long(&self, _: &Failure, _: &Head, _is_stream: bool) -> Option<Vec<u8>> {
        None
    }

    /// Its call for embeddings, where it has one.
    fn embeddings(&self) -> Option<&dyn Embeddings> {
        None
    }

    /// Its call for rankings, where it has one.
    fn rerank(&self) -> Option<&dyn Rerank> {
        None
    }

    /// Its call for pictures, where it has one.
    fn images(&self) -> Option<&dyn Images> {
        None
    }

    /// Its call for speech, where it has one.
    fn speech(&self) -> Option<&dyn Speech> {
        None
    }

    /// Its call for transcriptions, where it has one.
    fn transcription(&self) -> Option<&dyn Transcription> {
        None
    }
}

/// An upstream's stream, event by event.
pub trait ReadStream: Send {
    /// Reads one event. It yields no chunk (a ping), one, or rarely more. An event that says that
    /// the upstream failed is `StreamError::Upstream`.
    fn read(&mut self, event: &Event, chunks: &mut Vec<Chunk>) -> Result<(), StreamError>;

    /// Whether the dialect's own end was seen; a connection that closes before it was cut.
    fn is_done(&self) -> bool;
}

/// A client's stream, chunk by chunk. Everything appended to `out` is whole events, framed.
pub trait WriteStream: Send {
    /// Writes a chunk; nothing when the dialect has no form for what is in it. `Delta::Usage` is
    /// left to [`WriteStream::end`].
    fn chunk(&mut self, chunk: &Chunk, out: &mut Vec<u8>);

    /// Says what [`Head::metadata`] is by now; of use before [`WriteStream::end`], in dialects that
    /// have a place for it.
    fn tell(&mut self, metadata: Json) {
        let _ = metadata;
    }

    /// Writes what ends a good reply: usage, then the dialect's terminal event.
    fn end(&mut self, usage: &Usage, cost: &Cost, out: &mut Vec<u8>);

    /// Writes the error event that ends a failed reply, with the dialect's terminal event where
    /// it has one.
    fn error(&mut self, failure: &Failure, out: &mut Vec<u8>);

    /// Writes what keeps an idle connection open: a comment, or the dialect's ping.
    fn keep_alive(&mut self, out: &mut Vec<u8>);
}

/// Where a request goes.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The upstream's own name of the model.
    pub model: &'a str,
    /// Whether the reply is to be streamed.
    pub stream: bool,
    /// Most tokens the endpoint can write; what dialects that demand a limit fall back on.
    pub max_output_tokens: Option<u32>,
    /// How the model is told to think.
    pub reasoning: ReasoningStyle,
    /// The efforts that the model knows, in any order; empty: all of them.
    pub efforts: &'a [Effort],
    /// What is odd about the provider.
    pub quirks: &'a Quirks,
}

impl Target<'_> {
    /// The effort that the model knows and that comes closest to the one asked for; of two that are
    /// equally close the lower. Not to think at all is only ever itself.
    pub fn nearest_effort(&self, asked: Effort) -> Effort {
        if asked == Effort::None || self.efforts.is_empty() {
            return asked;
        }
        let known = self.efforts.iter().copied().filter(|effort| *effort != Effort::None);
        known.min_by_key(|effort| (effort.distance(asked), *effort)).unwrap_or(asked)
    }
}

/// How a model is told to think.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasoningStyle {
    /// It does not think: reasoning settings are left out.
    #[default]
    None,
    /// By a relative effort (OpenAI's `reasoning_effort`, Gemini 3's `thinkingLevel`).
    Effort,
    /// By a token budget (Claude until 4.5, Gemini 2.5).
    Budget,
    /// It decides itself, guided by an effort (Claude 4.6 and later).
    Adaptive,
}

/// A request ready to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// Path and query below the provider's base URL (`/chat/completions`).
    pub path: String,
    /// Headers the dialect needs beside authorization. A `content-type` among them is the body's;
    /// without one it is JSON.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Bytes,
}

/// What every reply for a client begins with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Head {
    /// The generation (`gen-…`).
    pub id: String,
    /// Seconds since 1970.
    pub created: u64,
    /// The model that serves, in our catalog's name.
    pub model: String,
    /// The provider's display name.
    pub provider: String,
    /// The request's [`Request::custom_tools`]: which calls have a form of their own.
    pub custom_tools: Vec<CustomTool>,
    /// How the request was routed, in OpenRouter's form (`openrouter_metadata`), for a client that
    /// asked to be told.
    pub metadata: Option<Json>,
    /// What is remembered of the reply, on surfaces that remember.
    pub memory: Option<Memory>,
}

/// A reply that is kept, or goes on from one that was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// Whether the client can go on from this reply.
    pub is_kept: bool,
    /// The name of the reply that it goes on from.
    pub previous: Option<String>,
}

/// What a generation costs, in USD as exact decimal text (`0.0000125`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// What the account pays.
    pub total: String,
    /// Of it, or of what the upstream charges: for reading.
    pub prompt: String,
    /// Likewise for writing.
    pub completion: String,
    /// Whether the upstream bills the account itself.
    pub is_byok: bool,
}

#[cfg(test)]
mod tests;
