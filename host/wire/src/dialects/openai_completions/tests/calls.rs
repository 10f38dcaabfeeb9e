//! Tool calls in a model's text, for each family that writes any.

use super::*;

fn call(id: &str, name: &str, arguments: &str) -> ToolCall {
    ToolCall { id: id.to_owned(), name: name.to_owned(), arguments: arguments.to_owned() }
}

fn words(text: &str) -> Read {
    (text.to_owned(), Vec::new(), FinishReason::Stop)
}

fn called(text: &str, calls: &[ToolCall]) -> Read {
    (text.to_owned(), calls.to_vec(), FinishReason::ToolCalls)
}

#[test]
fn tagged_calls_are_read_where_they_stand() {
    let read = |text: &str| read(&asking(), ChatTemplate::Chatml, text, "stop");
    let one =
        "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"b\": 1.0,  \"a\":\"</\"}}\n</tool_call>";
    let f = call("", "f", "{\"b\": 1.0,  \"a\":\"</\"}");
    assert_eq!(read(one), called("", std::slice::from_ref(&f)));
    let g = "\n<tool_call>{\"name\":\"g\"}</tool_call><|im_end|>";
    assert_eq!(read(&format!("I look.{one}{g}")), called("I look.", &[f, call("", "g", "{}")]));
    let open = r#"<tool_call>{"name":"f","arguments":"{\"a\":1}"}"#;
    assert_eq!(read(open), called("", &[call("", "f", r#"{"a":1}"#)]), "the end cut its tag off");
}

#[test]
fn tags_that_hold_no_call_are_words() {
    let read = |text: &str| read(&asking(), ChatTemplate::Chatml, text, "stop");
    for text in [
        "a <tool_call> is a tag",
        "<tool_call>",
        "<tool_call>{\"name\": 7}</tool_call> b",
        "<tool_call><tool_call>{}</tool_call>",
        "< tool_call><tool_cal",
        "<tool_call>{\"name\":\"f\",",
    ] {
        assert_eq!(read(text), words(text));
    }
}

#[test]
fn a_reply_that_is_a_call_is_one_for_llama() {
    let read = |text: &str| read(&asking(), ChatTemplate::Llama3, text, "stop");
    let f = call("", "f", r#"{"a": "b"}"#);
    assert_eq!(
        read(r#"{"name": "f", "parameters": {"a": "b"}}"#),
        called("", std::slice::from_ref(&f))
    );
    let both = "<|python_tag|>{\"name\": \"f\", \"parameters\": {\"a\": \"b\"}}; {\"name\":\"g\"}<|eom_id|>";
    assert_eq!(read(both), called("", &[f, call("", "g", "{}")]));
    let typed = r#"{"type": "function", "name": "g", "parameters": {}}"#;
    assert_eq!(read(typed), called("", &[call("", "g", "{}")]));
    for text in [
        r#"{"name": "Bob", "age": 7}"#,
        r#"{"answer": 42}"#,
        r#"{"name": "f", "parameters": {}} is a call"#,
        r#"Like {"name": "f", "parameters": {}}"#,
        "{",
    ] {
        assert_eq!(read(text), words(text));
    }
}

#[test]
fn a_list_of_calls_follows_mistrals_marker() {
    for template in [ChatTemplate::MistralV3, ChatTemplate::MistralV7] {
        let read = |text: &str| read(&asking(), template, text, "stop");
        let f = call("123456789", "f", r#"{"a":1}"#);
        let list = r#"[{"name": "f", "arguments": {"a":1}, "id": "123456789"}]"#;
        assert_eq!(read(&format!("[TOOL_CALLS] {list}</s>")), called("", std::slice::from_ref(&f)));
        assert_eq!(
            read(&format!("Hm. [TOOL_CALLS]{list}")),
            called("Hm. ", std::slice::from_ref(&f))
        );
        assert_eq!(read(list), called("", &[f]), "the host left out the marker");
        for text in ["[TOOL_CALLS] are", "[1, 2]", "[{\"name\":\"h\"}]", "see [TOOL_CALLS", "[]"] {
            assert_eq!(read(text), words(text));
        }
    }
}

#[test]
fn without_tools_there_are_no_calls() {
    let tag = r#"<tool_call>{"name":"f"}</tool_call>"#;
    assert_eq!(read(&talking(), ChatTemplate::Chatml, tag, "stop"), words(tag));
    let bare = r#"{"name": "f", "parameters": {}}"#;
    assert_eq!(read(&talking(), ChatTemplate::Llama3, bare, "stop"), words(bare));
    let forbidden = Request { tool_choice: Some(crate::request::ToolChoice::None), ..asking() };
    assert_eq!(read(&forbidden, ChatTemplate::Chatml, tag, "stop"), words(tag));
}

#[test]
fn a_call_that_a_limit_cut_is_words_and_a_limit() {
    let cut = r#"<tool_call>{"name":"f","argu"#;
    let expected = (cut.to_owned(), Vec::new(), FinishReason::Length);
    assert_eq!(read(&asking(), ChatTemplate::Chatml, cut, "length"), expected);
}

#[test]
fn a_call_is_given_when_it_is_whole() {
    let pieces = ["<tool_call>{\"name\":\"f\"", "}</tool_call>", "\nDone."];
    let chunks = stream(&asking(), ChatTemplate::Chatml, &pieces, "stop");
    let kinds: Vec<&str> = chunks.iter().flat_map(|chunk| &chunk.deltas).map(kind).collect();
    assert_eq!(kinds, ["role", "call", "text", "finish"]);
}

fn kind(delta: &Delta) -> &'static str {
    match delta {
        Delta::Role { .. } => "role",
        Delta::Text { .. } => "text",
        Delta::ToolCall { .. } => "call",
        Delta::Finish { .. } => "finish",
        _ => "other",
    }
}
