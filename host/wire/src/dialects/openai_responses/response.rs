//! The response object: what whole replies are, and what a stream's first and last events hold.

use super::reply_read::is_owned;
use super::{error, usage};
use crate::chunk::{FinishReason, Usage};
use crate::dialect::{Cost, Head};
use crate::dialects::openai_chat::emit::Object as Writer;
use crate::error::Failure;
use crate::json::{Json, Object};

/// How far a response has come.
#[derive(Debug, Clone, Copy)]
pub(super) enum State<'s> {
    /// It runs.
    Begun,
    /// It ended, and why.
    Ended(FinishReason, &'s Usage, &'s Cost),
    /// It failed.
    Failed(&'s Failure),
}

impl State<'_> {
    /// OpenAI's word for it; also the name of a stream's last event.
    pub(super) fn status(self) -> &'static str {
        match self {
            Self::Begun => "in_progress",
            Self::Ended(FinishReason::Length | FinishReason::ContentFilter, ..) => "incomplete",
            Self::Failed(failure) if error::is_length(failure) => "incomplete",
            Self::Ended(FinishReason::Error, ..) | Self::Failed(_) => "failed",
            Self::Ended(..) => "completed",
        }
    }

    /// Why it ended early.
    fn incomplete(self) -> Option<&'static str> {
        match self {
            Self::Ended(FinishReason::ContentFilter, ..) => Some("content_filter"),
            _ if self.status() == "incomplete" => Some("max_output_tokens"),
            _ => None,
        }
    }
}

/// Appends the object. `echo` is what an upstream of this dialect said of its response.
pub(super) fn write<'i>(
    head: &Head,
    state: State<'_>,
    echo: &[Json],
    items: impl Iterator<Item = &'i Json>,
    out: &mut Vec<u8>,
) {
    let mut said: Vec<(&str, &str)> = Vec::new();
    let echo: Vec<Object<'_>> = echo.iter().filter_map(|json| json.read().ok()).collect();
    // The last word counts.
    for (name, value) in echo.iter().rev().flat_map(|fields| &fields.0) {
        if !is_owned(name) && !said.iter().any(|(known, _)| known == name) {
            said.push((name, value.get()));
        }
    }
    let mut body = Writer::begin(out);
    body.value("id", &id(head));
    body.raw("object", r#""response""#);
    body.value("created_at", &head.created);
    body.value("model", &head.model);
    body.value("provider", &head.provider);
    body.value("status", state.status());
    match state {
        State::Failed(failure) if !error::is_length(failure) => {
            error::write_inside(failure, body.key("error"));
            body.value("error_type", failure.error_type.as_str());
        }
        State::Ended(FinishReason::Error, ..) => body.raw("error", UNKNOWN_ERROR),
        _ => body.raw("error", "null"),
    }
    match state.incomplete() {
        Some(reason) => body.object("incomplete_details", |why| why.value("reason", reason)),
        None => body.raw("incomplete_details", "null"),
    }
    body.list("output", items, |item, out| out.extend_from_slice(item.as_str().as_bytes()));
    for (name, default) in DEFAULTS {
        if !said.iter().any(|(known, _)| *known == name) {
            body.raw(name, default);
        }
    }
    for (name, value) in said {
        body.raw(name, value);
    }
    write_memory(head, &mut body);
    match state {
        State::Ended(_, counted, cost) => {
            usage::write(counted, cost, body.key("usage"));
            body.optional("openrouter_metadata", head.metadata.as_ref());
        }
        // A reply that ended early ended well, so clients look for its usage.
        State::Failed(failure) if error::is_length(failure) => {
            let zero = || "0".to_owned();
            let free = Cost { total: zero(), prompt: zero(), completion: zero(), is_byok: false };
            usage::write(&Usage::default(), &free, body.key("usage"));
        }
        State::Begun | State::Failed(_) => {}
    }
    body.end();
}

/// Appends what is remembered: the upstream remembers nothing, whatever it says.
pub(super) fn write_memory(head: &Head, body: &mut Writer<'_>) {
    let memory = head.memory.as_ref();
    body.value("store", &memory.is_some_and(|memory| memory.is_kept));
    body.value("previous_response_id", &memory.and_then(|memory| memory.previous.as_ref()));
}

/// The response's id: the generation's under OpenAI's prefix.
pub(super) fn id(head: &Head) -> String {
    format!("resp_{}", head.id.strip_prefix("gen-").unwrap_or(&head.id))
}

const UNKNOWN_ERROR: &str = r#"{"code":"server_error","message":"Provider returned error"}"#;
/// What a response says that nobody said anything of. Clients demand the fields.
pub(super) const DEFAULTS: [(&str, &str); 17] = [
    ("completed_at", "null"),
    ("background", "false"),
    ("frequency_penalty", "null"),
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("max_tool_calls", "null"),
    ("metadata", "null"),
    ("parallel_tool_calls", "true"),
    ("presence_penalty", "null"),
    ("reasoning", "null"),
    ("service_tier", "null"),
    ("temperature", "null"),
    ("text", r#"{"format":{"type":"text"}}"#),
    ("tool_choice", r#""auto""#),
    ("tools", "[]"),
    ("top_p", "null"),
    ("user", "null"),
];
