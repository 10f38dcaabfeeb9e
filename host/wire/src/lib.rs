//! How LLMs are spoken to: one canonical form, and a folder for each dialect that is read into it
//! and written from it. No IO, no clock, nothing of the gateway; it builds for WASM.
//!
//! ```text
//! bytes --sse--> Event --ReadStream--> Chunk --(hooks)--> Chunk --WriteStream--> bytes
//! ```

mod catalog;
mod chunk;
mod dialect;
mod dialects {
    pub(crate) mod anthropic_messages;
    pub(crate) mod bedrock_converse;
    pub(crate) mod gemini_generate;
    pub(crate) mod openai_chat;
}
mod embed;
mod error;
mod frames;
#[doc(hidden)]
pub mod fuzz;
mod json;
mod json_text;
mod provider;
mod reply;
mod request;
mod shipped;
mod source;
pub mod sse;

pub use catalog::{Endpoint, Modality, Model, models};
pub use chunk::{Chunk, Delta, FinishReason, ReasoningDetail, ReasoningKind, Role, Usage};
pub use dialect::{
    Cost, DIALECTS, Dialect, Head, Outgoing, ReadStream, ReasoningStyle, Target, WriteStream,
    dialect,
};
pub use embed::{EmbedReply, EmbedRequest, Embeddings};
pub use error::{ErrorType, Failure, ReadError, StreamError, WriteError};
pub use frames::{FrameError, Frames, Framing, event_stream};
pub use json::{Extra, Json, Object};
pub use provider::{Auth, Provider, Quirks, Variable, placeholders, providers};
pub use reply::{Choice, Reply, ToolCall};
pub use request::{
    Content, Controls, Effort, Media, MediaData, MediaKind, Message, Other, Part, PluginEntry,
    Reasoning, Request, ResponseFormat, Sampling, Service, Tool, ToolChoice,
};
pub use shipped::{DataError, shipped_errors};
pub use source::Source;
