//! Tools that are no functions go through other dialects and come back as what they are.

use super::*;
use crate::dialect::dialect;

fn request() -> Request {
    read(&json!({
        "model": "m", "input": "Fix it.",
        "tools": [
            {"type": "custom", "name": "apply_patch", "format": {"type": "grammar", "syntax": "lark", "definition": "start: X"}},
            {"type": "local_shell"},
            {"type": "function", "name": "plan", "parameters": {"type": "object"}},
        ],
        "tool_choice": {"type": "custom", "name": "apply_patch"},
    }))
}

fn call(index: u16, name: &str, pieces: &[&str]) -> Vec<Chunk> {
    let delta = |(number, piece): (usize, &&str)| Delta::ToolCall {
        choice: 0,
        index,
        id: (number == 0).then(|| format!("call_{index}")),
        name: (number == 0).then(|| name.to_owned()),
        arguments: (*piece).to_owned(),
    };
    pieces.iter().enumerate().map(delta).map(|delta| Chunk::of(vec![delta])).collect()
}

#[test]
fn other_dialects_are_shown_functions_and_ours_the_tools() {
    let mut request = request();
    let quirks = Quirks::default();
    let chat = dialect("openai-chat").unwrap().write_request(&request, &target(&quirks)).unwrap();
    let chat: Value = serde_json::from_slice(&chat.body).unwrap();
    let names = |tools: &Value, path: &str| -> Vec<Value> {
        tools.as_array().unwrap().iter().map(|tool| tool.pointer(path).unwrap().clone()).collect()
    };
    assert_eq!(names(&chat["tools"], "/function/name"), ["apply_patch", "local_shell", "plan"]);
    assert_eq!(chat["tool_choice"]["function"]["name"], "apply_patch");
    request.source = None;
    let ours = sent(&request);
    assert_eq!(names(&ours["tools"], "/type"), ["custom", "local_shell", "function"]);
    assert_eq!(ours["tools"][0]["format"]["definition"], "start: X");
    assert_eq!(ours["tool_choice"], json!({"type": "custom", "name": "apply_patch"}));
}

#[test]
fn a_functions_call_is_shown_as_the_tool_that_it_stands_for() {
    let head = Head { custom_tools: request().custom_tools, ..head() };
    let chunks = [
        call(0, "apply_patch", &["{\"inp", "ut\":\"*** Begin\\n+\\u00e9\"", "}"]),
        call(1, "local_shell", &["{\"command\":[\"ls\"],", "\"timeout_ms\":10}"]),
        call(2, "plan", &["{}"]),
    ]
    .concat();
    let expected = json!([
        {"id": "ctc_1_0", "type": "custom_tool_call", "status": "completed", "call_id": "call_0", "name": "apply_patch", "input": "*** Begin\n+é"},
        {"id": "lsh_1_1", "type": "local_shell_call", "status": "completed", "call_id": "call_1", "action": {"type": "exec", "env": {}, "command": ["ls"], "timeout_ms": 10}},
        {"id": "fc_1_2", "type": "function_call", "status": "completed", "call_id": "call_2", "name": "plan", "arguments": "{}"},
    ]);
    let events = write(&head, &chunks);
    assert_eq!(events.last().unwrap()["response"]["output"], expected);
    let input: String = events
        .iter()
        .filter(|event| event["type"] == "response.custom_tool_call_input.delta")
        .map(|event| event["delta"].as_str().unwrap())
        .collect();
    assert_eq!(input, "*** Begin\n+é");
    let whole = OpenaiResponses.write_reply(&Reply::fold(&chunks), &head, &cost());
    let whole: Value = serde_json::from_slice(&whole).unwrap();
    assert_eq!(whole["output"], expected);
}

#[test]
fn a_call_and_its_result_go_through_another_dialect_and_back() {
    let input = json!([
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Fix it."}]},
        {"type": "custom_tool_call", "call_id": "c1", "name": "apply_patch", "input": "a\n\"é\"\\"},
        {"type": "custom_tool_call_output", "call_id": "c1", "output": "done"},
        {"type": "local_shell_call", "call_id": "c2", "action": {"type": "exec", "command": ["ls"], "env": {}}},
        {"type": "local_shell_call_output", "id": "c2", "output": "a"},
    ]);
    let mut request = request();
    let tools: Value = serde_json::from_slice(&request.source.clone().unwrap().bytes).unwrap();
    request = read(&json!({"model": "m", "input": input, "tools": tools["tools"]}));
    let quirks = Quirks::default();
    for name in ["openai-chat", "anthropic-messages"] {
        let other = dialect(name).unwrap();
        let body = other.write_request(&request, &target(&quirks)).unwrap().body;
        let mut back = other.read_request(&body).unwrap();
        back.source = None;
        back.custom_tools.clone_from(&request.custom_tools);
        assert_eq!(sent(&back)["input"], input, "{name}");
    }
}
