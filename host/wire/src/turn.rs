//! A client's turn in dialects where tool results stand among the words of the person.

use crate::chunk::Role;
use crate::json::Extra;
use crate::request::{Content, Message, Part};

/// Appends a turn: each tool result is a message of its own, and so are the words before and after.
/// `extra`, the turn's own further fields, stays with its first message.
pub(crate) fn push(role: Role, parts: Vec<Part>, extra: Extra, messages: &mut Vec<Message>) {
    let new = |role, parts| Message { role, name: None, parts, extra: Extra::default() };
    let first = messages.len();
    let mut words = Vec::new();
    let mut has_results = false;
    for part in parts {
        if !matches!(part.content, Content::ToolResult { .. }) {
            words.push(part);
            continue;
        }
        has_results = true;
        if !words.is_empty() {
            messages.push(new(role, std::mem::take(&mut words)));
        }
        messages.push(new(Role::Tool, vec![part]));
    }
    if !words.is_empty() || !has_results {
        messages.push(new(role, words));
    }
    if let Some(message) = messages.get_mut(first) {
        message.extra = extra;
    }
}
