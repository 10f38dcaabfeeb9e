//! What the simulated model says: enough to try text, thought and tool calls, and always the same.

use serde_json::{Value, json};

/// A reply, made up.
pub(super) struct Script {
    thought: String,
    thinks_in_text: bool,
    text: String,
    tool: Option<(String, String)>,
    prompt_tokens: usize,
}

impl Script {
    /// Makes up a reply to a chat request.
    pub(super) fn write(asked: &Value) -> Self {
        let messages = asked.get("messages").and_then(Value::as_array).cloned().unwrap_or_default();
        let said = messages.iter().rev().find(|message| is_from(message, "user"));
        let said = said.map(text_of).unwrap_or_default();
        let answered = messages.last().filter(|message| is_from(message, "tool")).map(text_of);
        let tool = if answered.is_some() { None } else { first_tool(asked, &said) };
        let thought = match &tool {
            Some((name, _)) => format!("The tool {name} will help here."),
            None => "The person wants a short answer, so this will be one.".to_owned(),
        };
        let text = match (&tool, answered) {
            (Some(_), _) => String::new(),
            (None, Some(result)) => format!("The tool says: {result}"),
            (None, None) => {
                let said = said.chars().take(500).collect::<String>();
                format!("Hello from Patchbay's simulated model. You said: {said}")
            }
        };
        let asks = |name: &str| asked.get(name).is_some_and(|value| !value.is_null());
        let thinks_in_text = !asks("reasoning") && !asks("reasoning_effort");
        let prompt_tokens = messages.iter().map(|message| text_of(message).len() / 4 + 4).sum();
        Self { thought, thinks_in_text, text, tool, prompt_tokens }
    }

    /// The whole message.
    pub(super) fn message(&self) -> Value {
        let mut message = json!({"role": "assistant", "content": self.content()});
        if let Some(fields) = message.as_object_mut() {
            if !self.thinks_in_text {
                fields.insert("reasoning_content".to_owned(), json!(self.thought));
            }
            if let Some((name, arguments)) = &self.tool {
                let call = json!([{"id": "call_sim_1", "type": "function",
                    "function": {"name": name, "arguments": arguments}}]);
                fields.insert("tool_calls".to_owned(), call);
            }
        }
        message
    }

    /// The message in pieces, the role first.
    pub(super) fn deltas(&self) -> Vec<Value> {
        let mut deltas = vec![json!({"role": "assistant", "content": ""})];
        if !self.thinks_in_text {
            let pieces = words(&self.thought).into_iter();
            deltas.extend(pieces.map(|piece| json!({"reasoning_content": piece})));
        }
        let pieces = words(&self.content()).into_iter();
        deltas.extend(pieces.map(|piece| json!({"content": piece})));
        if let Some((name, arguments)) = &self.tool {
            deltas.push(json!({"tool_calls": [{"index": 0, "id": "call_sim_1", "type": "function",
                "function": {"name": name, "arguments": ""}}]}));
            deltas.extend(words(arguments).into_iter().map(
                |piece| json!({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}),
            ));
        }
        deltas
    }

    /// Why it ends.
    pub(super) fn finish(&self) -> &'static str {
        if self.tool.is_some() { "tool_calls" } else { "stop" }
    }

    /// Token counts, one to a word.
    pub(super) fn usage(&self) -> Value {
        let thought = words(&self.thought).len();
        let arguments = self.tool.as_ref().map_or(0, |(_, arguments)| words(arguments).len());
        let completion = thought + words(&self.text).len() + arguments;
        json!({
            "prompt_tokens": self.prompt_tokens, "completion_tokens": completion,
            "total_tokens": self.prompt_tokens + completion,
            "completion_tokens_details": {"reasoning_tokens": thought},
        })
    }

    fn content(&self) -> String {
        match self.thinks_in_text {
            true => format!("<think>{}</think>\n\n{}", self.thought, self.text),
            false => self.text.clone(),
        }
    }
}

fn is_from(message: &Value, role: &str) -> bool {
    message.get("role").and_then(Value::as_str) == Some(role)
}

fn text_of(message: &Value) -> String {
    match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts
            .iter()
            .filter_map(|part| part.get("text").and_then(Value::as_str))
            .collect::<Vec<_>>()
            .join(" "),
        _ => String::new(),
    }
}

/// The first tool, with arguments of the types that its schema names.
fn first_tool(asked: &Value, said: &str) -> Option<(String, String)> {
    if asked.get("tool_choice").and_then(Value::as_str) == Some("none") {
        return None;
    }
    let function = asked.get("tools")?.as_array()?.first()?.get("function")?;
    let name = function.get("name")?.as_str()?.to_owned();
    let properties = function.pointer("/parameters/properties").and_then(Value::as_object);
    let arguments: serde_json::Map<String, Value> = properties
        .into_iter()
        .flatten()
        .map(|(name, schema)| (name.clone(), argument(name, schema, said)))
        .collect();
    Some((name, Value::Object(arguments).to_string()))
}

/// What the person said is what to search for, and the address in it what to fetch.
fn argument(name: &str, schema: &Value, said: &str) -> Value {
    let is_address = |word: &&str| word.starts_with("http://") || word.starts_with("https://");
    match (name, said.split_whitespace().find(is_address)) {
        ("query", _) => json!(said.chars().take(500).collect::<String>()),
        ("url", Some(address)) => json!(address),
        _ => example(schema),
    }
}

fn example(schema: &Value) -> Value {
    let given = schema.get("default").or_else(|| schema.pointer("/enum/0"));
    if let Some(given) = given {
        return given.clone();
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("number" | "integer") => json!(1),
        Some("boolean") => json!(true),
        Some("array") => json!([]),
        Some("object") => json!({}),
        _ => json!("example"),
    }
}

/// The text in pieces of a word each, spaces kept.
fn words(text: &str) -> Vec<String> {
    text.split_inclusive(' ').map(str::to_owned).collect()
}
