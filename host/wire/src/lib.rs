//! How LLMs are spoken to: one canonical form, and a folder for each dialect that is read into it
//! and written from it. No IO, no clock, nothing of the gateway; it builds for WASM.
//!
//! ```text
//! bytes --sse--> Event --ReadStream--> Chunk --(hooks)--> Chunk --WriteStream--> bytes
//! ```

mod availability;
mod call_order;
mod catalog;
mod chunk;
mod controls;
mod dialect;
mod dialects {
    pub(crate) mod anthropic_messages;
    pub(crate) mod bedrock_converse;
    pub(crate) mod cohere_chat;
    pub(crate) mod gemini_generate;
    pub(crate) mod ollama_chat;
    pub(crate) mod openai_chat;
    pub(crate) mod openai_completions;
    pub(crate) mod openai_responses;
}
mod embed;
mod error;
mod form;
mod frames;
#[doc(hidden)]
pub mod fuzz;
mod image;
mod json;
mod json_text;
mod logprobs;
mod media_url;
mod packed;
mod provider;
mod reply;
mod request;
mod rerank;
mod schema;
mod server_tool;
mod shipped;
mod source;
mod speech;
pub mod sse;
pub mod surface;
mod transcribe;
mod turn;
mod units;
mod web_search;
mod words;

pub use availability::{Availability, Unavailable};
pub use catalog::{
    DefaultParameters, Endpoint, InstructType, Modality, Model, Quantization, Region, Tokenizer,
    models,
};
pub use chunk::{Chunk, Delta, FinishReason, ReasoningDetail, ReasoningKind, Role, Usage};
pub use dialect::{
    Cost, DIALECTS, Dialect, Head, Memory, Outgoing, ReadStream, ReasoningStyle, Target,
    WriteStream, dialect,
};
pub use embed::{EmbedInput, EmbedReply, EmbedRequest, Embeddings, Encoding};
pub use error::{ErrorType, Failure, ReadError, StreamError, WriteError};
pub use frames::{FrameError, Frames, Framing, event_stream};
pub use image::{ImageReply, ImageRequest, Images, Picture, Size};
pub use json::{Extra, Json, Object};
pub use provider::{
    Auth, ChatTemplate, Policy, Provider, Quirks, SearchForm, Variable, placeholders, providers,
};
pub use reply::{Choice, Reply, ToolCall};
pub use request::{
    Content, Controls, CustomTool, Effort, Media, MediaData, MediaKind, Message, Other, Part,
    PluginEntry, Reasoning, Request, ResponseFormat, Sampling, Service, Tool, ToolChoice,
};
pub use rerank::{Document, Rank, Rerank, RerankReply, RerankRequest};
pub use server_tool::gateways_tool;
pub use shipped::{DataError, shipped_errors};
pub use source::Source;
pub use speech::{SoundFormat, Speech, SpeechRequest};
pub use transcribe::{Length, TranscribeReply, TranscribeRequest, Transcription};
pub use units::Units;
pub use web_search::{UserLocation, WebSearch};
