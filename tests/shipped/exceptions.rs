//! What a surface or a gateway can't show of a case. An entry that is not needed any more fails the
//! test.

/// Cells that can't be as the case says: surface (or `*`), case, reason.
pub(super) const CELLS: &[(&str, &str, &str)] = &[
    ("*", "file-parser/engine_native", "the models here read no files: see `own.rs`"),
    (MESSAGES, "file-parser/reused", ANNOTATIONS),
    (RESPONSES, "file-parser/reused", ANNOTATIONS),
    (MESSAGES, "file-parser/unknown", "a file is a PDF or a text"),
    (MESSAGES, "moderation/user_only", SYSTEM),
    (RESPONSES, "moderation/user_only", SYSTEM),
    (MESSAGES, "pii/choices", ARGUMENTS),
    (MESSAGES, "pii/json_answer", FORMAT),
    (MESSAGES, "reasoning/exclude", EXCLUDE),
    (MESSAGES, "reasoning/exclude_upstream", EXCLUDE),
    (MESSAGES, "response-healing/broken_off", FORMAT),
    (RESPONSES, "response-healing/broken_off", "what breaks off without a reason has ended"),
    (MESSAGES, "response-healing/choices", FORMAT),
    (MESSAGES, "response-healing/inner_quotes", FORMAT),
    (MESSAGES, "response-healing/not_streamed", FORMAT),
    (MESSAGES, "response-healing/python", FORMAT),
    (MESSAGES, "response-healing/simulated", FORMAT),
    (MESSAGES, "response-healing/tool_call", ARGUMENTS),
    (MESSAGES, "response-healing/tool_call_not_streamed", FORMAT),
    (MESSAGES, "response-healing/truncated", FORMAT),
    ("*", "response-healing/misfit_streamed", "a whole reply that can't be mended stays as it is"),
    (RESPONSES, "tool-firewall/custom_calls", "there is no call left that it has a form for"),
    ("*", "tool-firewall/items", "the upstream here has no items of the Responses API"),
];

const MESSAGES: &str = "anthropic-messages";
const RESPONSES: &str = "openai-responses";
const FORMAT: &str = "a format is a schema; there is none for any JSON";
const ARGUMENTS: &str = "arguments are an object";
const ANNOTATIONS: &str = "a client can't send annotations back";
const SYSTEM: &str = "a request has more than system messages";
const EXCLUDE: &str = "a request can't ask for thoughts to be left out";

/// Plugins without a cell, and what is tested instead.
pub(super) const PLUGINS: &[(&str, &str)] = &[
    ("auto-router", "each case has a catalog of its own: see `own.rs`"),
    ("context-compression", "each case has a catalog of its own: see `own.rs`"),
];
