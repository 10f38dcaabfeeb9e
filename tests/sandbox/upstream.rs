//! Replies for the double to give, in OpenAI's dialect.

use serde_json::{Value, json};

/// A reply whose text comes in these pieces, streamed or whole, with usage at its end.
pub(super) fn reply(pieces: &[&str]) -> Value {
    json!({"stream": {"sse": events(pieces)}, "whole": {"body": whole(&pieces.concat())}})
}

/// The same, with fields for the streamed answer.
pub(super) fn paced(pieces: &[&str], fields: &Value) -> Value {
    let mut script = reply(pieces);
    for (name, value) in fields.as_object().unwrap() {
        script["stream"][name] = value.clone();
    }
    script
}

/// A request for one of the double's models.
pub(super) fn ask(name: &str, plugins: &Value) -> Value {
    json!({"model": format!("test/{name}"), "plugins": plugins,
        "messages": [{"role": "user", "content": "Hello"}]})
}

fn events(pieces: &[&str]) -> Vec<Value> {
    let chunk = |choices: Value| {
        json!({"id": "up-1", "object": "chat.completion.chunk", "created": 1, "model": "up",
            "choices": choices})
    };
    let delta = |delta: Value| chunk(json!([{"index": 0, "delta": delta, "finish_reason": null}]));
    let mut events = vec![delta(json!({"role": "assistant", "content": ""}))];
    events.extend(pieces.iter().map(|piece| delta(json!({"content": piece}))));
    events.push(chunk(json!([{"index": 0, "delta": {}, "finish_reason": "stop"}])));
    let mut last = chunk(json!([]));
    last["usage"] = usage();
    events.extend([last, json!("[DONE]")]);
    events
}

fn whole(text: &str) -> Value {
    json!({"id": "up-1", "object": "chat.completion", "created": 1, "model": "up",
        "choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": text}}],
        "usage": usage()})
}

fn usage() -> Value {
    json!({"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500})
}
