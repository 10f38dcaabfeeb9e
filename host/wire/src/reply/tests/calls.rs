//! Failure mode 7: which call a fragment belongs to, in every way that hosts tell it.
//!
//! What can't happen: Anthropic, Gemini, Bedrock and Ollama tell a call's name before any argument
//! or with it, and the first three its id. Gemini and Ollama have no fragments. Text completions
//! have no calls but those that a template finds in the text, one after another.

use crate::json::Object;
use crate::reply::Reply;
use crate::sse::Event;

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn fragments_of_parallel_tool_calls_come_together_in_every_dialect() {
    let chat = |pieces: &str| {
        format!(r#"{{"choices":[{{"index":0,"delta":{{"tool_calls":{pieces}}}}}]}}"#)
    };
    let item = |place: u8, fields: &str| {
        format!(
            r#"{{"type":"response.output_item.added","output_index":{place},"item":{{"type":"function_call",{fields}}}}}"#
        )
    };
    let piece =
        |fields: &str| format!(r#"{{"type":"response.function_call_arguments.delta",{fields}}}"#);
    let start = |place: u8, id: &str, name: &str| {
        format!(
            r#"{{"contentBlockStart":{{"contentBlockIndex":{place},"start":{{"toolUse":{{"toolUseId":"{id}","name":"{name}"}}}}}}}}"#
        )
    };
    let input = |place: u8, text: &str| {
        format!(
            r#"{{"contentBlockDelta":{{"contentBlockIndex":{place},"delta":{{"toolUse":{{"input":"{text}"}}}}}}}}"#
        )
    };
    let cohere = |kind: &str, place: u8, call: &str| {
        format!(
            r#"{{"type":"tool-call-{kind}","index":{place},"delta":{{"message":{{"tool_calls":{{{call}}}}}}}}}"#
        )
    };
    let table: [(&str, &str, Vec<String>); 23] = [
        ("openai-chat", "interleaved", vec![
            chat(r#"[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}},{"index":1,"id":"b","function":{"name":"g","arguments":"["}}]"#),
            chat(r#"[{"index":1,"function":{"arguments":"1"}},{"index":0,"function":{"arguments":"}"}}]"#),
            chat(r#"[{"index":1,"function":{"arguments":"]"}}]"#),
        ]),
        ("openai-chat", "the same index with a new id", vec![
            chat(r#"[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}]"#),
            chat(r#"[{"index":0,"function":{"arguments":"}"}}]"#),
            chat(r#"[{"index":0,"id":"b","function":{"name":"g","arguments":"[1]"}}]"#),
        ]),
        ("openai-chat", "no index", vec![
            chat(r#"[{"id":"a","function":{"name":"f","arguments":"{"}}]"#),
            chat(r#"[{"function":{"arguments":"}"}}]"#),
            chat(r#"[{"id":"b","function":{"name":"g","arguments":"[1]"}}]"#),
        ]),
        ("openai-chat", "the id comes late", vec![
            chat(r#"[{"index":0,"function":{"name":"f","arguments":"{"}},{"index":1,"function":{"name":"g"}}]"#),
            chat(r#"[{"index":0,"id":"a","function":{"arguments":"}"}},{"index":1,"id":"b","function":{"arguments":"[1]"}}]"#),
        ]),
        ("openai-chat", "the index changes within a call that keeps its id", vec![
            chat(r#"[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}]"#),
            chat(r#"[{"index":1,"id":"a","function":{"arguments":"}"}}]"#),
            chat(r#"[{"index":2,"id":"b","function":{"name":"g","arguments":"[1]"}}]"#),
        ]),
        ("openai-chat", "the index changes and nothing else is told", vec![
            chat(r#"[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]"#),
            chat(r#"[{"index":1,"id":"b","function":{"name":"g","arguments":"[1"}}]"#),
            chat(r#"[{"index":2,"function":{"arguments":"]"}}]"#),
        ]),
        ("anthropic-messages", "interleaved blocks with gaps between their numbers", vec![
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"a","name":"f","input":{}}}"#.to_owned(),
            r#"{"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"b","name":"g","input":{}}}"#.to_owned(),
            r#"{"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":"[1"}}"#.to_owned(),
            r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{}"}}"#.to_owned(),
            r#"{"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":"]"}}"#.to_owned(),
        ]),
        ("gemini-generate", "one after another, and a name twice", vec![
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"id":"a","name":"f","args":{}}}]}}]}"#.to_owned(),
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"id":"b","name":"g","args":{"v":1}}}]}}]}"#.to_owned(),
        ]),
        ("openai-responses", "interleaved", vec![
            item(0, r#""id":"1","call_id":"a","name":"f""#),
            item(1, r#""id":"2","call_id":"b","name":"g""#),
            piece(r#""output_index":1,"item_id":"2","delta":"[1""#),
            piece(r#""output_index":0,"item_id":"1","delta":"{}""#),
            piece(r#""output_index":1,"item_id":"2","delta":"]""#),
        ]),
        ("openai-responses", "the same index with a new id", vec![
            item(0, r#""id":"1","call_id":"a","name":"f""#),
            piece(r#""output_index":0,"item_id":"1","delta":"{""#),
            item(0, r#""id":"2","call_id":"b","name":"g""#),
            piece(r#""output_index":0,"item_id":"2","delta":"[1]""#),
            piece(r#""output_index":0,"item_id":"1","delta":"}""#),
        ]),
        ("openai-responses", "no index", vec![
            r#"{"type":"response.output_item.added","item":{"type":"function_call","id":"1","call_id":"a","name":"f"}}"#.to_owned(),
            r#"{"type":"response.output_item.added","item":{"type":"function_call","id":"2","call_id":"b","name":"g"}}"#.to_owned(),
            piece(r#""item_id":"2","delta":"[1]""#),
            piece(r#""item_id":"1","delta":"{}""#),
        ]),
        ("openai-responses", "the id comes late", vec![
            item(0, r#""id":"1","name":"f""#),
            item(1, r#""id":"2""#),
            piece(r#""output_index":0,"item_id":"1","delta":"{}""#),
            piece(r#""output_index":1,"item_id":"2","delta":"[1]""#),
            r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"function_call","id":"1","call_id":"a","name":"f","arguments":"{}"}}"#.to_owned(),
            r#"{"type":"response.output_item.done","output_index":1,"item":{"type":"function_call","id":"2","call_id":"b","name":"g","arguments":"[1]"}}"#.to_owned(),
        ]),
        ("openai-responses", "the index changes within a call that keeps its id", vec![
            item(0, r#""id":"1","call_id":"a","name":"f""#),
            piece(r#""output_index":1,"item_id":"1","delta":"{}""#),
            item(2, r#""id":"2","call_id":"b","name":"g""#),
            piece(r#""output_index":3,"item_id":"2","delta":"[1]""#),
        ]),
        ("bedrock-converse", "interleaved", vec![
            start(1, "a", "f"), start(4, "b", "g"), input(4, "[1"), input(1, "{}"), input(4, "]"),
        ]),
        ("bedrock-converse", "the same index with a new id", vec![
            start(0, "a", "f"), input(0, "{}"), start(0, "b", "g"), input(0, "[1]"),
        ]),
        ("bedrock-converse", "no index", vec![
            r#"{"contentBlockStart":{"start":{"toolUse":{"toolUseId":"a","name":"f"}}}}"#.to_owned(),
            r#"{"contentBlockDelta":{"delta":{"toolUse":{"input":"{}"}}}}"#.to_owned(),
            r#"{"contentBlockStart":{"start":{"toolUse":{"toolUseId":"b","name":"g"}}}}"#.to_owned(),
            r#"{"contentBlockDelta":{"delta":{"toolUse":{"input":"[1]"}}}}"#.to_owned(),
        ]),
        ("bedrock-converse", "the index changes and nothing else is told", vec![
            start(0, "a", "f"), input(0, "{}"), start(1, "b", "g"), input(1, "[1"), input(2, "]"),
        ]),
        ("cohere-chat", "interleaved", vec![
            cohere("start", 0, r#""id":"a","function":{"name":"f","arguments":""}"#),
            cohere("start", 1, r#""id":"b","function":{"name":"g","arguments":"[1"}"#),
            cohere("delta", 0, r#""function":{"arguments":"{}"}"#),
            cohere("delta", 1, r#""function":{"arguments":"]"}"#),
        ]),
        ("cohere-chat", "the same index with a new id", vec![
            cohere("start", 0, r#""id":"a","function":{"name":"f","arguments":"{"}"#),
            cohere("delta", 0, r#""function":{"arguments":"}"}"#),
            cohere("start", 0, r#""id":"b","function":{"name":"g","arguments":"[1"}"#),
            cohere("delta", 0, r#""function":{"arguments":"]"}"#),
        ]),
        ("cohere-chat", "the id comes late", vec![
            cohere("start", 0, r#""function":{"name":"f","arguments":"{"}"#),
            cohere("delta", 0, r#""id":"a","function":{"arguments":"}"}"#),
            cohere("start", 1, r#""id":"b","function":{"name":"g","arguments":"[1]"}"#),
        ]),
        ("cohere-chat", "the index changes within a call that keeps its id", vec![
            cohere("start", 0, r#""id":"a","function":{"name":"f","arguments":"{"}"#),
            cohere("delta", 1, r#""id":"a","function":{"arguments":"}"}"#),
            cohere("start", 2, r#""id":"b","function":{"name":"g","arguments":"[1]"}"#),
        ]),
        ("ollama-chat", "both at once", vec![
            r#"{"message":{"role":"assistant","content":"","tool_calls":[{"id":"a","function":{"index":0,"name":"f","arguments":{}}},{"id":"b","function":{"index":1,"name":"g","arguments":{"v":1}}}]}}"#.to_owned(),
        ]),
        ("ollama-chat", "one after another with the same index", vec![
            r#"{"message":{"role":"assistant","content":"","tool_calls":[{"id":"a","function":{"index":0,"name":"f","arguments":{}}}]}}"#.to_owned(),
            r#"{"message":{"role":"assistant","content":"","tool_calls":[{"id":"b","function":{"index":0,"name":"g","arguments":{"v":1}}}]}}"#.to_owned(),
        ]),
    ];
    for (name, how, events) in table {
        let mut reader = crate::dialect::dialect(name).unwrap().read_stream();
        let mut chunks = Vec::new();
        for data in events {
            reader.read(&event(name, &data), &mut chunks).unwrap();
        }
        let calls = Reply::fold(&chunks).choices.remove(0).tool_calls;
        let told: Vec<_> =
            calls.iter().map(|call| (&*call.id, &*call.name, &*call.arguments)).collect();
        let is_object = ["gemini-generate", "ollama-chat"].contains(&name);
        let second = if is_object { r#"{"v":1}"# } else { "[1]" };
        assert_eq!(told, [("a", "f", "{}"), ("b", "g", second)], "{name}: {how}");
    }
}

/// Bedrock tells an event's name outside of its payload.
fn event(dialect: &str, data: &str) -> Event {
    if dialect != "bedrock-converse" {
        return Event { name: None, data: data.to_owned().into() };
    }
    let fields = Object::parse(data).unwrap();
    let (name, payload) = fields.0.first().unwrap();
    Event { name: Some(name.to_string()), data: payload.get().to_owned().into() }
}
