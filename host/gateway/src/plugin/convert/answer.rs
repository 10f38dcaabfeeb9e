//! A model's whole answer on its way to the plugin that asked, as a turn of a conversation.

use super::super::bindings::types as wit;

/// The message that a choice stands for. A plugin may send it back as it is.
pub(in crate::plugin) fn message_of(it: wire::Choice) -> wit::MessageResult {
    let mut contents = Vec::new();
    for (text, detail) in it.reasoning {
        let detail = detail.as_ref().map(lower_detail);
        contents.push(wit::ContentResult::Reasoning(wit::ReasoningResult { text, detail }));
    }
    if !it.text.is_empty() {
        contents.push(wit::ContentResult::Text(it.text));
    }
    if !it.refusal.is_empty() {
        contents.push(wit::ContentResult::Refusal(it.refusal));
    }
    for call in it.tool_calls {
        let wire::ToolCall { id, name, arguments } = call;
        contents.push(wit::ContentResult::ToolCall(wit::ToolCallResult { id, name, arguments }));
    }
    let part = |content| wit::PartResult { content, cache_control: None };
    wit::MessageResult {
        role: wit::Role::Assistant,
        name: None,
        parts: contents.into_iter().map(part).collect(),
        extra: Vec::new(),
    }
}

fn lower_detail(it: &wire::ReasoningDetail) -> wit::ReasoningDetailResult {
    let wit::ReasoningDetailParam { kind, id, format, index, signature, data } =
        super::lower_detail(it);
    let own = |text: Option<&str>| text.map(ToOwned::to_owned);
    wit::ReasoningDetailResult {
        kind,
        id: own(id),
        format: own(format),
        index,
        signature: own(signature),
        data: own(data),
    }
}
