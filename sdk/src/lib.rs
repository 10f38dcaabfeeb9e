//! What a Patchbay plugin imports: one trait, one macro, the types that cross the sandbox, and
//! thin wrappers of the host's functions. Everything compiles natively too, where the host is the
//! small in-memory kit of [`testing`].
//!
//! The [`tutorial`] goes from nothing to a plugin that runs. A whole plugin:
//!
//! ```
//! use patchbay_sdk::{Delta, Description, Error, Generation, Kind, Plugin, Stream, Verdict};
//!
//! struct Hello;
//!
//! impl Plugin for Hello {
//!     fn describe() -> Description {
//!         Description::new("hello", "0.1.0", Kind::Transform)
//!     }
//!     fn new(_: &Generation) -> Result<Self, Error> {
//!         Ok(Self)
//!     }
//!     fn stream(&mut self, _: &Generation, _choice: u16) -> Result<Box<dyn Stream>, Error> {
//!         Ok(Box::new(Self))
//!     }
//! }
//!
//! impl Stream for Hello {
//!     fn push(&mut self, batch: Vec<Delta>) -> Result<Verdict, Error> {
//!         Ok(Verdict::Emit(batch.into_iter().map(|delta| delta.map_text(|t| t.to_ascii_uppercase())).collect()))
//!     }
//! }
//!
//! patchbay_sdk::export!(Hello: stream);
//! ```
//!
//! Build it with `cargo build --release --target wasm32-unknown-unknown`; the `.wasm` that cargo
//! leaves is what an operator drops into `plugins.d`.
//!
//! **Time and randomness** come from [`system`]: `std`'s clocks panic on this target. A dependency
//! that needs `getrandom` 0.3 builds with `RUSTFLAGS='--cfg getrandom_backend="custom"'` and a
//! `__getrandom_v03_custom` function in the plugin that fills the buffer from
//! [`system::random_bytes`]. The SDK has no such function itself: a plugin without `getrandom`
//! would carry it for nothing.

extern crate self as patchbay_sdk;

pub mod bill;
#[doc(hidden)]
pub mod bindings;
pub mod catalog;
mod decision;
mod delta;
mod description;
mod edit;
mod error;
mod export;
mod field;
mod generation;
pub mod http;
pub mod log;
mod message;
pub mod metrics;
pub mod models;
#[cfg(any(target_arch = "wasm32", test))]
mod panics;
mod places;
mod plugin;
pub mod report;
mod request;
#[cfg(feature = "scan")]
pub mod scan;
pub mod search;
pub mod secrets;
pub mod state;
pub mod system;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
pub mod tokens;
#[cfg(not(target_arch = "wasm32"))]
pub mod tutorial;
#[doc(hidden)]
#[cfg(target_arch = "wasm32")]
pub mod wasm;
mod window;

pub use bindings::base::patchbay::plugin::types::PluginError as Error;
pub use bindings::base::patchbay::plugin::types::{
    Content, Decision, Delta, Description, Effort, Field, FinishDelta, FinishReason, Function,
    InlineMedia, Interest, JsonDelta, JsonSchema, Kind, Limit, Media, MediaData, MediaKind,
    Message, Other, OtherDelta, Outcome, Part, Reasoning, ReasoningDelta, ReasoningDetail,
    ReasoningKind, Rejection, Request, ResponseFormat, Role, RoleDelta, Sampling, TextDelta,
    Thinking, Tool, ToolCall, ToolCallDelta, ToolChoice, ToolOutput, ToolResult, ToolResultPart,
    Usage, Verdict,
};
pub use edit::{Edit, Editor};
pub use generation::Generation;
pub use places::Places;
pub use plugin::{Plugin, Stream};
pub use window::{Patterns, Piece, Window};

/// The runtime that the generated code names. Not for plugins.
#[doc(hidden)]
pub use wit_bindgen::rt;

/// The host itself.
#[cfg(target_arch = "wasm32")]
pub(crate) use bindings::base::patchbay::plugin as host;
/// Where a native build keeps what would be the host.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use testing::host;
