//! Every recording is read whole and event by event, and written again, without losing anything.

use super::*;

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn recordings(ending: &str) -> Vec<(String, String)> {
    let Some(root) = std::env::var_os("PATCHBAY_FIXTURES") else {
        eprintln!("PATCHBAY_FIXTURES is not set: recordings are not read");
        return Vec::new();
    };
    let folder = PathBuf::from(root).join("wire/anthropic");
    let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    let files = entries.filter(|path| name(path).ends_with(ending));
    let files: Vec<_> =
        files.map(|path| (name(&path), std::fs::read_to_string(&path).unwrap())).collect();
    assert!(!files.is_empty());
    files
}

/// What a client of the dialect puts together from events, as blocks.
fn assemble(events: &[Value]) -> Vec<Value> {
    let mut blocks: Vec<Value> = Vec::new();
    let mut inputs: Vec<String> = Vec::new();
    // One recording holds two replies, so an index may come again: the later block has it then.
    let mut places = std::collections::BTreeMap::new();
    for event in events {
        let number = event["index"].as_u64().unwrap_or(0);
        if event["type"] == "content_block_start" {
            places.insert(number, blocks.len());
        }
        let index = places.get(&number).copied().unwrap_or_default();
        let delta = &event["delta"];
        match event["type"].as_str().unwrap() {
            "content_block_start" => {
                blocks.push(event["content_block"].clone());
                inputs.push(String::new());
            }
            "content_block_delta" => match delta["type"].as_str().unwrap() {
                "input_json_delta" => inputs[index] += delta["partial_json"].as_str().unwrap(),
                "citations_delta" => {
                    let citations = &mut blocks[index]["citations"];
                    if citations.is_null() {
                        *citations = json!([]);
                    }
                    citations.as_array_mut().unwrap().push(delta["citation"].clone());
                }
                _ => {
                    for (key, piece) in delta.as_object().unwrap() {
                        if key != "type" {
                            let before = blocks[index][key].as_str().unwrap_or_default();
                            blocks[index][key] =
                                (before.to_owned() + piece.as_str().unwrap()).into();
                        }
                    }
                }
            },
            _ => {}
        }
    }
    for (block, input) in blocks.iter_mut().zip(inputs).filter(|(_, input)| !input.is_empty()) {
        block["input"] = serde_json::from_str(&input).unwrap();
    }
    blocks
}

#[test]
fn a_recorded_stream_goes_through_with_every_block() {
    for (name, lines) in recordings(".chunks.txt") {
        let events: Vec<Value> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let chunks = read_lines(&lines).unwrap_or_else(|error| panic!("{name}: {error}"));
        let written = write(&chunks);
        check_order(&written);
        assert_eq!(assemble(&written), assemble(&events), "{name}");
    }
}

#[test]
fn a_recorded_stream_survives_without_its_bytes() {
    for (name, lines) in recordings(".chunks.txt") {
        let events: Vec<Value> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let chunks = without_source(&read_lines(&lines).unwrap());
        let written = write(&chunks);
        check_order(&written);
        // Without bytes, neighbouring texts become one block and the web's citations lose their
        // index; every other block is the same.
        let blocks = |events: &[Value]| -> Vec<Value> {
            let all = assemble(events);
            all.into_iter().filter(|block| block["type"] != "text").collect()
        };
        let words = |events: &[Value]| -> String {
            let all = assemble(events);
            all.iter().filter_map(|block| block["text"].as_str()).collect()
        };
        // `caller` of a client's tool call has no canonical place.
        let plain = |mut blocks: Vec<Value>| {
            let calls = blocks.iter_mut().filter(|block| block["type"] == "tool_use");
            calls.for_each(|block| drop(block.as_object_mut().unwrap().remove("caller")));
            blocks
        };
        assert_eq!(plain(blocks(&written)), plain(blocks(&events)), "{name}");
        assert_eq!(words(&written), words(&events), "{name}");
        let citations = |events: &[Value]| {
            let of_web = |event: &&Value| event["delta"]["type"] == "citations_delta";
            events.iter().filter(of_web).count()
        };
        assert_eq!(citations(&written), citations(&events), "{name}");
        let ending = |events: &[Value]| {
            let last = events.iter().rfind(|event| event["type"] == "message_delta");
            let mut delta = last.unwrap()["delta"].clone();
            delta.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            delta
        };
        assert_eq!(ending(&written), ending(&events), "{name}");
    }
}

#[test]
fn a_recorded_stream_ends_with_arguments_that_are_json() {
    for (name, lines) in recordings(".chunks.txt") {
        let chunks = read_lines(&lines).unwrap();
        for call in choice(&chunks).tool_calls {
            let arguments: Value = serde_json::from_str(&call.arguments)
                .unwrap_or_else(|error| panic!("{name}: {error}: {}", call.arguments));
            assert!(arguments.is_object());
        }
        let usage = Reply::fold(&chunks).usage;
        assert!(usage.prompt.is_some() && usage.completion.is_some(), "{name}");
    }
}

#[test]
fn a_recorded_reply_is_read_and_written_whole() {
    for (name, body) in recordings(".json") {
        let original: Value = serde_json::from_str(&body).unwrap();
        let bytes = Bytes::from(body);
        let chunks = AnthropicMessages.read_reply(&bytes).unwrap();
        let mut reply = Reply::fold(&chunks);
        reply.source = Some(Source { dialect: NAME, bytes });
        let passed = AnthropicMessages.write_reply(&reply, &head(), &cost());
        let passed: Value = serde_json::from_slice(&passed).unwrap();
        assert_eq!(passed["content"], original["content"], "{name}");
        assert_eq!((&passed["id"], &passed["model"]), (&json!("gen-1"), &json!("acme/claude")));
        reply.source = None;
        let composed = AnthropicMessages.write_reply(&reply, &head(), &cost());
        let composed: Value = serde_json::from_slice(&composed).unwrap();
        assert_eq!(composed["stop_reason"], original["stop_reason"], "{name}");
        assert_eq!(composed["stop_details"], original["stop_details"], "{name}");
        let others = |value: &Value| -> Vec<Value> {
            let all = value["content"].as_array().unwrap().iter();
            all.filter(|block| block["type"] != "text" && block["type"] != "tool_use")
                .cloned()
                .collect()
        };
        assert_eq!(others(&composed), others(&original), "{name}");
        let words = |value: &Value| -> String {
            let all = value["content"].as_array().unwrap().iter();
            all.filter_map(|block| block["text"].as_str()).collect()
        };
        assert_eq!(words(&composed), words(&original), "{name}");
        for (key, value) in original["usage"].as_object().unwrap() {
            assert_eq!(&composed["usage"][key], value, "{name}");
        }
    }
}
