//! Which messages belong together: a tool call and its results are removed together or not at
//! all, for no model takes one without the other.

use patchbay_sdk::{Content, Message};
use std::collections::BTreeMap;
use std::ops::Range;

/// The conversation in runs of messages that belong together, in order.
pub(crate) fn groups(messages: &[Message]) -> Vec<Range<usize>> {
    // Where each message's group ends at the earliest.
    let mut ends: Vec<usize> = (1..=messages.len()).collect();
    // An id may be used again in a later turn; then a result belongs to the latest call.
    let mut callers: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, message) in messages.iter().enumerate() {
        for part in &message.parts {
            match &part.content {
                Content::ToolCall(call) => {
                    callers.insert(&call.id, index);
                }
                Content::ToolResult(result) => {
                    let caller = callers.get(result.call_id.as_str());
                    if let Some(end) = caller.and_then(|caller| ends.get_mut(*caller)) {
                        *end = (*end).max(index.saturating_add(1));
                    }
                }
                _ => {}
            }
        }
    }
    let mut groups = Vec::new();
    let (mut start, mut end) = (0, 0);
    for (index, message_end) in ends.into_iter().enumerate() {
        if index == end && index > start {
            groups.push(start..end);
            start = index;
        }
        end = end.max(message_end);
    }
    if end > start {
        groups.push(start..end);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::groups;
    use patchbay_sdk::{Content, Message, Part, Role, ToolCall};

    fn calls(ids: &[&str]) -> Message {
        let call =
            |id: &&str| ToolCall { id: (*id).into(), name: "f".into(), arguments: "{}".into() };
        let parts = ids.iter().map(|id| Part::new(Content::ToolCall(call(id)))).collect();
        Message { role: Role::Assistant, name: None, parts, extra: Vec::new() }
    }

    #[test]
    fn a_call_and_its_results_are_one_group() {
        let messages = [
            Message::user("?"),
            calls(&["a", "b"]),
            Message::tool("a", "1"),
            Message::tool("b", "2"),
            Message::assistant("!"),
        ];
        assert_eq!(groups(&messages), [0..1, 1..4, 4..5]);
    }

    #[test]
    fn an_id_that_is_used_again_does_not_join_two_turns() {
        let messages = [
            calls(&["a"]),
            Message::tool("a", "1"),
            Message::user("again"),
            calls(&["a"]),
            Message::tool("a", "2"),
        ];
        assert_eq!(groups(&messages), [0..2, 2..3, 3..5]);
    }

    #[test]
    fn a_result_without_a_call_stands_alone() {
        assert_eq!(groups(&[Message::tool("x", "1"), Message::user("?")]), [0..1, 1..2]);
        assert!(groups(&[]).is_empty());
    }
}
