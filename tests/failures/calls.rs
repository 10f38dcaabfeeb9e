//! Failure: two tool calls that are streamed in turns are merged, or their pieces are given to the
//! wrong one, on the way to a client that counts or names calls in another way.

use serde_json::{Value, json};
use wire::{FinishReason, Json, Tool};

use crate::answers::{usage, with};
use crate::harness::{Double, Gateway};
use crate::spoken::{saying, surfaces};

/// The calls, whose arguments would still be JSON if their pieces were mixed up.
const CALLS: [(&str, &str, [&str; 3]); 2] = [
    ("call_a", "tide", ["{\"port\":\"", "Oostende", "\"}"]),
    ("call_b", "weather", ["{\"town\":\"", "Zürich", "\"}"]),
];

/// A dialect that can't say what is called.
const WITHOUT_CALLS: [&str; 1] = ["openai-completions"];

fn event(delta: &Value, finish: Option<&str>) -> Value {
    json!({"id": "up-1", "object": "chat.completion.chunk", "model": "up",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
}

/// What hosts do: which pieces come in which order, and how each says whose it is.
fn streams() -> Vec<(&'static str, Vec<Value>)> {
    let begins = |index: usize, indexed: bool| {
        let (id, name, _) = CALLS[index];
        let call = json!({"id": id, "type": "function",
            "function": {"name": name, "arguments": ""}});
        if indexed { with(call, &json!({"index": index})) } else { call }
    };
    let piece = |index: usize, at: usize| json!({"index": index, "function": {"arguments": CALLS[index].2[at]}});
    let one = |call: Value| event(&json!({"tool_calls": [call]}), None);
    let in_turns = (0..3).flat_map(|at| [one(piece(0, at)), one(piece(1, at))]);
    let together =
        (0..3).map(|at| event(&json!({"tool_calls": [piece(0, at), piece(1, at)]}), None));
    let backwards = (0..3).flat_map(|at| [one(piece(1, at)), one(piece(0, at))]);
    let whole = |index: usize| {
        let (_, _, pieces) = CALLS[index];
        let arguments = json!({"function": {"name": CALLS[index].1, "arguments": pieces.concat()}});
        one(with(begins(index, false), &arguments))
    };
    let begun = [one(begins(0, true)), one(begins(1, true))];
    vec![
        ("in-turns", begun.iter().cloned().chain(in_turns).collect()),
        ("together", begun.iter().cloned().chain(together).collect()),
        ("backwards", begun.iter().cloned().chain(backwards).collect()),
        ("no-index", vec![whole(0), whole(1)]),
    ]
}

#[tokio::test]
async fn two_calls_streamed_in_turns_arrive_whole_at_every_surface() {
    let double = Double::start();
    let mut config = String::new();
    for (name, mut events) in streams() {
        events.insert(0, event(&json!({"role": "assistant", "content": null}), None));
        events.push(event(&json!({}), Some("tool_calls")));
        events.extend([usage(10, 5), json!("[DONE]")]);
        double.script(name, &json!({"sse": events})).await;
        config.push_str(&double.model(name, "openai-chat", true));
    }
    let gateway = Gateway::start(&config).await;
    for (name, _) in streams() {
        for surface in surfaces() {
            let case = format!("{name} at {}", surface.dialect.name());
            if WITHOUT_CALLS.contains(&surface.dialect.name()) {
                continue;
            }
            let mut request = saying(&format!("test/{name}"), "Both, please.", true);
            request.tools = CALLS.map(|(_, name, _)| tool(name)).to_vec();
            let told = surface.ask(&gateway, &request, &Value::Null).await;
            assert_eq!((told.status, &told.failure), (200, &None), "{case}: {}", told.body);
            let choice = &told.reply.choices[0];
            let calls = choice.tool_calls.iter().map(|call| {
                (call.name.as_str(), serde_json::from_str::<Value>(&call.arguments).unwrap())
            });
            let expected = CALLS
                .map(|(_, name, pieces)| (name, serde_json::from_str(&pieces.concat()).unwrap()));
            assert_eq!(calls.collect::<Vec<_>>(), expected, "{case}: {}", told.body);
            let [one, two] = choice.tool_calls.as_slice() else { panic!("{case}") };
            assert_ne!(one.id, two.id, "{case}: {}", told.body);
            if surface.dialect.name() == "openai-responses" {
                // Its events of an end repeat the whole; so does the end of all.
                for kind in ["function_call_arguments.done", "output_item.done", "completed"] {
                    let ends =
                        told.body.split("event: response.").filter(|it| it.starts_with(kind));
                    let ends: String = ends.collect();
                    for text in ["{\\\"port\\\":\\\"Oostende\\\"}", "{\\\"town\\\":\\\"Zürich\\\"}"]
                    {
                        assert_eq!(ends.matches(text).count(), 1, "{case}: {kind}: {ends}");
                    }
                }
            }
            let finish = choice.finish.as_ref().unwrap().0;
            assert_eq!(finish, FinishReason::ToolCalls, "{case}: {}", told.body);
        }
    }
}

fn tool(name: &str) -> Tool {
    let schema = json!({"type": "object", "properties": {"of": {"type": "string"}}});
    Tool::Function {
        name: name.to_owned(),
        description: None,
        parameters: Some(Json::of(&schema)),
        strict: None,
        cache_control: None,
    }
}
