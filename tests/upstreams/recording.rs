//! What a recording says, found by a walk over its JSON that knows nothing of the gateway's
//! readers: what a chat client must be told when it is replayed.

use serde_json::{Map, Value, json};

use crate::told::{Call, Counts, Told, list};

/// Walks a whole body, or the payloads of a stream in order.
pub(crate) fn walk(dialect: &str, payloads: &[Value]) -> Told {
    let mut walk = Walk::default();
    for payload in payloads {
        match dialect {
            "anthropic-messages" => walk.anthropic(payload),
            "gemini-generate" => walk.gemini(payload),
            _ => walk.openai(payload),
        }
    }
    let Walk { mut told, arguments, .. } = walk;
    for (call, text) in told.calls.iter_mut().zip(arguments) {
        if !text.is_empty() {
            call.arguments = serde_json::from_str(&text).expect("recorded arguments are JSON");
        }
    }
    told.finish = finish(&told.native, !told.calls.is_empty()).to_owned();
    told.cost = told.counts.cost();
    told
}

#[derive(Default)]
struct Walk {
    told: Told,
    /// Arguments that come as pieces of text, by call.
    arguments: Vec<String>,
    /// Whether the block, or the thought, that is open can still grow.
    is_call: bool,
    is_thinking: bool,
    /// Anthropic's counts: a later event's replace what they name.
    usage: Map<String, Value>,
}

impl Walk {
    fn begin_call(&mut self, id: &Value, name: &Value, arguments: Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.told.calls.push(Call { id: text(id), name: text(name), arguments });
        self.arguments.push(String::new());
    }

    fn openai(&mut self, payload: &Value) {
        for choice in list(&payload["choices"]) {
            let message = choice.get("delta").unwrap_or(&choice["message"]);
            self.told.text.push_str(message["content"].as_str().unwrap_or_default());
            for call in list(&message["tool_calls"]) {
                if call["id"].is_string() {
                    self.begin_call(&call["id"], &call["function"]["name"], json!({}));
                }
                let piece = call["function"]["arguments"].as_str().unwrap_or_default();
                self.arguments.last_mut().expect("a call has begun").push_str(piece);
            }
            self.told.annotations.extend(list(&message["annotations"]).cloned());
            self.native(&choice["finish_reason"]);
        }
        if payload["usage"].is_object() {
            let count = |path: &str| payload.pointer(path).and_then(Value::as_u64).unwrap_or(0);
            self.told.counts = Counts {
                prompt: count("/usage/prompt_tokens"),
                completion: count("/usage/completion_tokens"),
                cached: count("/usage/prompt_tokens_details/cached_tokens"),
                cache_write: 0,
                reasoning: count("/usage/completion_tokens_details/reasoning_tokens"),
            };
        }
    }

    fn anthropic(&mut self, payload: &Value) {
        for block in list(&payload["content"]) {
            self.anthropic_block(block);
        }
        match payload["type"].as_str() {
            Some("content_block_start") => self.anthropic_block(&payload["content_block"]),
            Some("content_block_delta") => self.anthropic_delta(&payload["delta"]),
            _ => {}
        }
        for place in [payload, &payload["message"], &payload["delta"]] {
            self.native(&place["stop_reason"]);
            let explanation = place["stop_details"]["explanation"].as_str();
            self.told.refusal.push_str(explanation.unwrap_or_default());
            if let Some(usage) = place["usage"].as_object() {
                self.usage.extend(usage.clone());
            }
        }
        self.told.counts = self.anthropic_counts();
    }

    fn anthropic_block(&mut self, block: &Value) {
        self.is_call = block["type"] == "tool_use";
        match block["type"].as_str() {
            Some("text") => {
                self.told.text.push_str(block["text"].as_str().unwrap_or_default());
                list(&block["citations"]).for_each(|citation| self.anthropic_citation(citation));
            }
            Some("tool_use") => {
                self.begin_call(&block["id"], &block["name"], block["input"].clone());
            }
            Some("thinking" | "redacted_thinking") => {
                unreachable!("no recording thinks: add it to the walk");
            }
            _ => {}
        }
    }

    fn anthropic_delta(&mut self, delta: &Value) {
        match delta["type"].as_str() {
            Some("text_delta") => {
                self.told.text.push_str(delta["text"].as_str().unwrap_or_default());
            }
            Some("input_json_delta") if self.is_call => {
                let piece = delta["partial_json"].as_str().unwrap_or_default();
                self.arguments.last_mut().expect("a call has begun").push_str(piece);
            }
            Some("citations_delta") => self.anthropic_citation(&delta["citation"]),
            _ => {}
        }
    }

    fn anthropic_citation(&mut self, citation: &Value) {
        assert_eq!(citation["type"], "web_search_result_location", "add it to the walk");
        let cited = json!({
            "url": citation["url"],
            "title": citation["title"],
            "content": citation["cited_text"],
        });
        let annotation = json!({"type": "url_citation", "url_citation": cited});
        self.told.annotations.push(annotation);
    }

    /// Anthropic counts the cache beside the input, and compaction beside the totals.
    fn anthropic_counts(&self) -> Counts {
        let count = |usage: &Value, name: &str| usage[name].as_u64().unwrap_or(0);
        let top = Value::Object(self.usage.clone());
        let parts = list(&top["iterations"]).filter(|part| part["type"] == "compaction");
        let mut counts = Counts::default();
        for part in parts.chain([&top]) {
            let (read, written) = (
                count(part, "cache_read_input_tokens"),
                count(part, "cache_creation_input_tokens"),
            );
            counts.prompt += count(part, "input_tokens") + read + written;
            counts.completion += count(part, "output_tokens");
            counts.cached += read;
            counts.cache_write += written;
        }
        counts
    }

    fn gemini(&mut self, payload: &Value) {
        for candidate in list(&payload["candidates"]) {
            for part in list(&candidate["content"]["parts"]) {
                self.gemini_part(part);
            }
            self.native(&candidate["finishReason"]);
        }
        let count = |name: &str| payload["usageMetadata"][name].as_u64();
        if let Some(prompt) = count("promptTokenCount") {
            let reasoning = count("thoughtsTokenCount").unwrap_or(0);
            self.told.counts = Counts {
                prompt,
                completion: count("candidatesTokenCount").unwrap_or(0) + reasoning,
                cached: count("cachedContentTokenCount").unwrap_or(0),
                cache_write: 0,
                reasoning,
            };
        }
    }

    fn gemini_part(&mut self, part: &Value) {
        let text = part["text"].as_str().unwrap_or_default();
        let signature = part["thoughtSignature"].as_str();
        if part["thought"] == true {
            assert!(!self.is_thinking && signature.is_none(), "add it to the walk");
            self.is_thinking = true;
            self.told.reasoning.push_str(text);
            self.told.details.push(json!({"type": "reasoning.text", "text": text}));
            return;
        }
        self.is_thinking &= text.is_empty() && signature.is_none();
        self.told.text.push_str(text);
        if let Some(data) = signature {
            self.told.details.push(json!({"type": "reasoning.encrypted", "data": data}));
        }
        let Some(call) = part.get("functionCall") else { return };
        if call["name"].is_string() {
            let arguments = call.get("args").cloned().unwrap_or_else(|| json!({}));
            self.begin_call(&Value::Null, &call["name"], arguments);
        }
        for piece in list(&call["partialArgs"]) {
            let path = piece["jsonPath"].as_str().expect("a path");
            let name = path.strip_prefix("$.").filter(|name| !name.contains(['.', '[']));
            let call = self.told.calls.last_mut().expect("a call has begun");
            let value = &mut call.arguments[name.expect("a top-level argument")];
            let before = value.as_str().unwrap_or_default();
            *value = format!("{before}{}", piece["stringValue"].as_str().expect("a text")).into();
        }
    }

    fn native(&mut self, word: &Value) {
        if let Some(word) = word.as_str() {
            word.clone_into(&mut self.told.native);
        }
    }
}

/// OpenRouter's word for a provider's.
fn finish(native: &str, has_calls: bool) -> &'static str {
    match native {
        "stop" | "end_turn" => "stop",
        "STOP" if has_calls => "tool_calls",
        "STOP" => "stop",
        "tool_use" | "tool_calls" => "tool_calls",
        "max_tokens" | "length" => "length",
        "refusal" => "content_filter",
        other => panic!("what does {other} mean?"),
    }
}
