//! Every recording is read whole and event by event, and its items are written again as they were.

use std::path::PathBuf;

use super::*;

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn recordings(ending: &str) -> Vec<(String, String)> {
    let Some(root) = std::env::var_os("PATCHBAY_FIXTURES") else {
        eprintln!("PATCHBAY_FIXTURES is not set: recordings are not read");
        return Vec::new();
    };
    let mut files = Vec::new();
    for (provider, start) in
        [("openai", "responses."), ("xai", "responses."), ("open-responses", ""), ("azure", "")]
    {
        let folder = PathBuf::from(&root).join("wire").join(provider);
        for entry in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = entry.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with(start) && name.ends_with(ending) {
                files.push((name, std::fs::read_to_string(&entry).unwrap()));
            }
        }
    }
    assert!(files.len() > 10);
    files
}

/// An item without what says nothing: empty lists, states, and places that were made up.
fn plain(item: &Value) -> Value {
    let mut item = item.clone();
    match &mut item {
        Value::Object(fields) => {
            fields.retain(|name, value| {
                let is_empty = value.is_null() || *value == json!([]) || *value == json!("");
                let is_made_up = name.ends_with("_index") && *value == json!(0);
                name != "status" && !is_empty && !is_made_up
            });
            fields.values_mut().for_each(|value| *value = plain(value));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| *value = plain(value)),
        _ => {}
    }
    item
}

/// The tools whose calls have a form of their own, as a request that led to the reply had them.
fn head_with_tools() -> Head {
    let request = read(&json!({"model": "m", "input": "x", "tools": [{"type": "local_shell"}]}));
    Head { custom_tools: request.custom_tools, ..head() }
}

#[test]
fn a_recorded_stream_is_written_with_the_same_items_and_events() {
    for (name, lines) in recordings(".chunks.txt") {
        let recorded: Vec<Value> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let mut stream = OpenaiResponses.read_stream();
        let mut chunks = Vec::new();
        let mut failure = None;
        for line in lines.lines() {
            let event = Event { name: None, data: Bytes::from(line.to_owned()) };
            if let Err(error) = stream.read(&event, &mut chunks) {
                failure = Some(error);
                break;
            }
        }
        if let Some(error) = failure {
            assert!(name.contains("error"), "{name}: {error}");
            assert!(matches!(error, StreamError::Upstream(_)), "{name}: {error}");
            continue;
        }
        assert!(stream.is_done(), "{name}");
        let written = write(&head_with_tools(), &chunks);
        let items = |events: &[Value]| -> Vec<Value> {
            let done = events.iter().filter(|event| event["type"] == "response.output_item.done");
            let mut items: Vec<Value> = done.map(|event| plain(&event["item"])).collect();
            // Calls close last.
            items.sort_by_key(|item| item["id"].to_string());
            items
        };
        assert_eq!(items(&written), items(&recorded), "{name}");
        let count = |events: &[Value], kind: &str| {
            events.iter().filter(|event| event["type"] == kind).count()
        };
        let has_several = count(&recorded, "response.created") > 1;
        for event in &recorded {
            let kind = event["type"].as_str().unwrap();
            let is_once = ["response.created", "response.in_progress", "response.completed"];
            if !(has_several && is_once.contains(&kind))
                && event["item"]["type"] != "local_shell_call"
            {
                assert!(count(&written, kind) >= 1, "{name}: {kind}");
            }
        }
        let last = |events: &[Value], key: &str| {
            let last = events.iter().rfind(|event| event["type"] == "response.completed").unwrap();
            last["response"]["usage"][key].clone()
        };
        for key in ["input_tokens", "output_tokens", "total_tokens"] {
            assert_eq!(last(&written, key), last(&recorded, key), "{name}");
        }
    }
}

#[test]
fn a_recorded_reply_is_read_and_written_whole() {
    for (name, body) in recordings(".json") {
        let original: Value = serde_json::from_str(&body).unwrap();
        let bytes = Bytes::from(body);
        let chunks = match OpenaiResponses.read_reply(&bytes) {
            Ok(chunks) => chunks,
            Err(StreamError::Upstream(failure)) => {
                assert_eq!(original["error"]["message"], failure.message, "{name}");
                continue;
            }
            Err(error) => panic!("{name}: {error}"),
        };
        let mut reply = Reply::fold(&chunks);
        reply.source = Some(crate::source::Source { dialect: NAME, bytes });
        let passed = OpenaiResponses.write_reply(&reply, &head(), &cost());
        let passed: Value = serde_json::from_slice(&passed).unwrap();
        assert_eq!(passed["output"], original["output"], "{name}");
        assert_eq!((&passed["id"], &passed["model"]), (&json!("resp_1"), &json!("a/b")));
        reply.source = None;
        let composed = OpenaiResponses.write_reply(&reply, &head_with_tools(), &cost());
        let composed: Value = serde_json::from_slice(&composed).unwrap();
        let items = |value: &Value| -> Vec<Value> {
            let mut items: Vec<Value> =
                value["output"].as_array().unwrap().iter().map(plain).collect();
            items.sort_by_key(|item| item["id"].to_string());
            items
        };
        assert_eq!(items(&composed), items(&original), "{name}");
        assert_eq!(composed["status"], original["status"], "{name}");
        for key in ["input_tokens", "output_tokens", "total_tokens"] {
            assert_eq!(composed["usage"][key], original["usage"][key], "{name}");
        }
    }
}
