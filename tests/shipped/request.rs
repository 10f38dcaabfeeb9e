//! Requests from the cases' notation into that of a surface.

use serde_json::{Value, json};
use wire::{
    Content, Effort, Extra, Json, Media, MediaData, MediaKind, Message, Part, Reasoning, Request,
    ResponseFormat, Sampling, Tool,
};

use super::deltas::role;

/// The model of a case that names none.
pub(super) const MODEL: &str = "test/model";

/// The request, and the fields that stand beside it in the body.
pub(super) fn read(line: &Value, dialect: &'static str, stream: bool) -> (Request, Value) {
    let hello = json!([{"role": "user", "text": "Hello"}]);
    let messages = line.get("messages").unwrap_or(&hello).as_array().unwrap().iter();
    let tools = || line["tools"].as_array().into_iter().flatten();
    // A dialect that writes to a provider leaves out what is a gateway's.
    let is_raw = tools().any(|tool| tool.get("type").is_some());
    let count = |name: &str| line[name].as_u64().map(|count| u32::try_from(count).unwrap());
    let sampling = Sampling {
        max_tokens: count("max_tokens"),
        temperature: line["temperature"].as_f64(),
        top_p: line["top_p"].as_f64(),
        n: count("n"),
        stop: line["stop"].as_array().into_iter().flatten().map(text).collect(),
        ..Sampling::default()
    };
    let request = Request {
        model: line["model"].as_str().unwrap_or(MODEL).to_owned(),
        stream,
        messages: messages.map(message).collect(),
        tools: tools().filter(|_| !is_raw).map(function).collect(),
        sampling,
        reasoning: line.get("reasoning").map(thinking),
        response_format: line.get("response_format").map(format),
        user: line["user"].as_str().map(str::to_owned),
        ..Request::default()
    };
    let mut more = line["extra"].as_object().cloned().unwrap_or_default();
    if is_raw {
        more.insert("tools".to_owned(), tools().map(|tool| written(tool, dialect)).collect());
    }
    // Providers are not told what a client is not to see.
    if let Some(thinking) = line.get("reasoning").filter(|_| dialect.starts_with("openai")) {
        more.insert("reasoning".to_owned(), thinking.clone());
    }
    (request, Value::Object(more))
}

/// Messages of a body in OpenRouter's form, with the fields of the case's that are no provider's.
pub(super) fn with_fields(body: &Value, line: &Value) -> Value {
    let mut messages = body.clone();
    let lines = line["messages"].as_array().into_iter().flatten();
    for (message, line) in messages.as_array_mut().unwrap().iter_mut().zip(lines) {
        for (name, value) in line["extra"].as_object().into_iter().flatten() {
            message[name] = value.clone();
        }
    }
    messages
}

/// All texts of a request's messages, in order.
pub(super) fn texts(line: &Value) -> Vec<String> {
    let messages = line["messages"].as_array().into_iter().flatten();
    let parts = messages.flat_map(|line| message(line).parts);
    parts
        .filter_map(|part| match part.content {
            Content::Text(text) => Some(text),
            Content::ToolCall { arguments, .. } => Some(arguments),
            Content::ToolResult { parts, .. } => match parts.into_iter().next()?.content {
                Content::Text(text) => Some(text),
                _ => None,
            },
            _ => None,
        })
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn message(line: &Value) -> Message {
    let parts = match &line["text"] {
        Value::String(text) => vec![Part::text(text)],
        _ => line["parts"].as_array().unwrap().iter().map(part).collect(),
    };
    let name = line["name"].as_str().map(str::to_owned);
    Message { role: role(&text(&line["role"])).unwrap(), name, parts, extra: Extra::default() }
}

fn part(line: &Value) -> Part {
    let (kind, value) = line.as_object().unwrap().iter().next().unwrap();
    let media = |kind: MediaKind, data: MediaData, name: &Value| {
        Content::Media(Media { kind, data, name: name.as_str().map(str::to_owned), detail: None })
    };
    Part::new(match kind.as_str() {
        "text" => Content::Text(text(value)),
        "image_url" => media(MediaKind::Image, MediaData::Url(text(value)), &Value::Null),
        "file" => media(MediaKind::File, file(value), &value["name"]),
        "tool_call" => Content::ToolCall {
            id: text(&value["id"]),
            name: text(&value["name"]),
            arguments: text(&value["arguments"]),
        },
        "tool_result" => Content::ToolResult {
            call_id: text(&value["call_id"]),
            parts: vec![Part::text(text(&value["text"]))],
            is_error: value["is_error"] == true,
        },
        other => panic!("what is a part `{other}`?"),
    })
}

fn file(value: &Value) -> MediaData {
    let base64 = |bytes: &[u8]| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(bytes)
    };
    match (&value["url"], &value["text"], &value["base64"]) {
        (Value::String(url), ..) => MediaData::Url(url.clone()),
        (_, Value::String(plain), _) => {
            MediaData::Inline { mime: text(&value["mime"]), base64: base64(plain.as_bytes()) }
        }
        (.., data) => MediaData::Inline { mime: text(&value["mime"]), base64: text(data) },
    }
}

/// A tool as a client of that dialect writes it.
fn written(line: &Value, dialect: &str) -> Value {
    let (name, parameters) = (&line["name"], &line["parameters"]);
    match dialect {
        _ if line.get("type").is_some() => line.clone(),
        "openai-chat" => {
            let function = json!({"name": name, "parameters": parameters});
            json!({"type": "function", "function": function})
        }
        "openai-responses" => json!({"type": "function", "name": name, "parameters": parameters}),
        _ => json!({"name": name, "input_schema": {"type": "object"}}),
    }
}

fn function(line: &Value) -> Tool {
    Tool::Function {
        name: text(&line["name"]),
        description: line["description"].as_str().map(str::to_owned),
        parameters: line.get("parameters").map(Json::of),
        strict: None,
        cache_control: None,
    }
}

fn thinking(line: &Value) -> Reasoning {
    Reasoning {
        enabled: line["enabled"].as_bool(),
        effort: line["effort"].as_str().map(|name| Effort::read(name).unwrap()),
        max_tokens: line["max_tokens"].as_u64().map(|count| u32::try_from(count).unwrap()),
        exclude: line["exclude"] == true,
        summary: line["summary"].as_str().map(str::to_owned),
    }
}

fn format(line: &Value) -> ResponseFormat {
    match line["type"].as_str().unwrap() {
        "text" => ResponseFormat::Text,
        "json_object" => ResponseFormat::JsonObject,
        _ => ResponseFormat::JsonSchema {
            name: line["name"].as_str().unwrap_or("reply").to_owned(),
            description: None,
            schema: Some(Json::of(&line["schema"])),
            strict: None,
        },
    }
}
