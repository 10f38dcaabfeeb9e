//! One conversation in three dialects: what upstreams of each kind send for the same turn, streamed
//! and not. Written by hand from the providers' own documents, not by the gateway's writers.

use serde_json::{Value, json};

/// A kind of upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upstream {
    Openai,
    Anthropic,
    Gemini,
}

/// What a model says in one turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) thought: &'static str,
    pub(crate) text: &'static str,
    /// Id, name, and the arguments' JSON text.
    pub(crate) calls: &'static [(&'static str, &'static str, &'static str)],
}

/// The signature that comes with every thought where the dialect has signatures.
pub(crate) const SIGNATURE: &str = "c2lnbmVkIGJ5IHRoZSBkb3VibGU+Pz8/";

impl Upstream {
    pub(crate) const ALL: [Self; 3] = [Self::Openai, Self::Anthropic, Self::Gemini];

    /// The name of its script and model.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Openai => "openai-like",
            Self::Anthropic => "anthropic-like",
            Self::Gemini => "gemini-like",
        }
    }

    /// What it speaks.
    pub(crate) fn dialect(self) -> &'static str {
        match self {
            Self::Openai => "openai-chat",
            Self::Anthropic => "anthropic-messages",
            Self::Gemini => "gemini-generate",
        }
    }

    /// Talks; given a tool calls `get_weather`; given its result says so.
    pub(crate) fn weather_script(self) -> Value {
        let said = Turn { thought: "", text: "Something short.", calls: &[] };
        let call = [("call_w1", "get_weather", r#"{"city":"Zürich"}"#)].as_slice();
        let call = Turn { thought: "", text: "", calls: call };
        let answer = Turn { thought: "", text: "It is sunny, 21 °C.", calls: &[] };
        self.script(&[
            (Some(self.result_mark()), answer),
            (Some(self.tools_mark()), call),
            (None, said),
        ])
    }

    /// A script of turns, each with the text that a request for it holds.
    pub(crate) fn script(self, turns: &[(Option<&str>, Turn)]) -> Value {
        let answers = |form: &str, write: &dyn Fn(&Turn) -> Value| {
            let answer =
                |(when, turn): &(Option<&str>, Turn)| json!({"when": when, form: write(turn)});
            turns.iter().map(answer).collect::<Vec<_>>()
        };
        let stream = answers("sse", &|turn| self.events(turn).into());
        let whole = answers("body", &|turn| self.body(turn));
        json!({"stream": stream, "whole": whole})
    }

    /// What only a request with a tool's result holds.
    pub(crate) fn result_mark(self) -> &'static str {
        match self {
            Self::Openai => r#""role":"tool""#,
            Self::Anthropic => r#""tool_result""#,
            Self::Gemini => "functionResponse",
        }
    }

    fn tools_mark(self) -> &'static str {
        match self {
            Self::Openai | Self::Anthropic => r#""tools":["#,
            Self::Gemini => "functionDeclarations",
        }
    }

    fn body(self, turn: &Turn) -> Value {
        match self {
            Self::Openai => openai_body(turn),
            Self::Anthropic => anthropic_body(turn),
            Self::Gemini => gemini_event(&gemini_parts(turn), true),
        }
    }

    fn events(self, turn: &Turn) -> Vec<Value> {
        match self {
            Self::Openai => openai_events(turn),
            Self::Anthropic => anthropic_events(turn),
            Self::Gemini => gemini_events(turn),
        }
    }
}

fn openai_usage() -> Value {
    json!({
        "prompt_tokens": 120, "completion_tokens": 60, "total_tokens": 180,
        "prompt_tokens_details": {"cached_tokens": 16},
        "completion_tokens_details": {"reasoning_tokens": 20},
    })
}

fn openai_finish(turn: &Turn) -> &'static str {
    if turn.calls.is_empty() { "stop" } else { "tool_calls" }
}

fn openai_body(turn: &Turn) -> Value {
    let call = |(id, name, arguments): &(&str, &str, &str)| json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}});
    let mut message = json!({"role": "assistant", "content": turn.text});
    if !turn.thought.is_empty() {
        message["reasoning_content"] = turn.thought.into();
    }
    if !turn.calls.is_empty() {
        message["tool_calls"] = turn.calls.iter().map(call).collect();
    }
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "up",
        "choices": [{"index": 0, "message": message, "finish_reason": openai_finish(turn)}],
        "usage": openai_usage(),
    })
}

fn openai_events(turn: &Turn) -> Vec<Value> {
    let chunk = |choices: Value, usage: Value| {
        json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "up",
            "choices": choices, "usage": usage})
    };
    let delta = |delta: Value| {
        chunk(json!([{"index": 0, "delta": delta, "finish_reason": null}]), Value::Null)
    };
    let mut events = vec![delta(json!({"role": "assistant", "content": ""}))];
    events.extend(words(turn.thought).map(|word| delta(json!({"reasoning_content": word}))));
    events.extend(words(turn.text).map(|word| delta(json!({"content": word}))));
    for (index, (id, name, _)) in turn.calls.iter().enumerate() {
        let function = json!({"name": name, "arguments": ""});
        let call = json!({"index": index, "id": id, "type": "function", "function": function});
        events.push(delta(json!({"tool_calls": [call]})));
    }
    // Parallel calls are written at once, a piece of each in turn.
    let halves = turn.calls.iter().map(|(_, _, arguments)| arguments.split_at(arguments.len() / 2));
    let halves: Vec<(&str, &str)> = halves.collect();
    let (first, second) = halves.into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
    for half in [first, second] {
        for (index, piece) in half.into_iter().enumerate() {
            let call = json!({"index": index, "function": {"arguments": piece}});
            events.push(delta(json!({"tool_calls": [call]})));
        }
    }
    let end = json!([{"index": 0, "delta": {}, "finish_reason": openai_finish(turn)}]);
    events.push(chunk(end, Value::Null));
    events.push(chunk(json!([]), openai_usage()));
    events.push(json!("[DONE]"));
    events
}

fn anthropic_stop(turn: &Turn) -> &'static str {
    if turn.calls.is_empty() { "end_turn" } else { "tool_use" }
}

/// Cached tokens count beside the input.
fn anthropic_usage(output: u64) -> Value {
    json!({
        "input_tokens": 104, "cache_read_input_tokens": 16, "cache_creation_input_tokens": 0,
        "output_tokens": output, "output_tokens_details": {"thinking_tokens": output / 3},
    })
}

fn anthropic_body(turn: &Turn) -> Value {
    let mut content = Vec::new();
    if !turn.thought.is_empty() {
        content.push(json!({"type": "thinking", "thinking": turn.thought, "signature": SIGNATURE}));
    }
    if !turn.text.is_empty() {
        content.push(json!({"type": "text", "text": turn.text}));
    }
    for (id, name, arguments) in turn.calls {
        content
            .push(json!({"type": "tool_use", "id": id, "name": name, "input": parse(arguments)}));
    }
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "up", "content": content,
        "stop_reason": anthropic_stop(turn), "stop_sequence": null, "usage": anthropic_usage(60),
    })
}

fn anthropic_events(turn: &Turn) -> Vec<Value> {
    let mut message = anthropic_body(turn);
    message["content"] = json!([]);
    message["stop_reason"] = Value::Null;
    message["usage"] = anthropic_usage(0);
    let mut data = vec![json!({"type": "message_start", "message": message})];
    let mut index = 0;
    let mut block = |begin: Value, deltas: Vec<Value>| {
        data.push(json!({"type": "content_block_start", "index": index, "content_block": begin}));
        let delta = |delta| json!({"type": "content_block_delta", "index": index, "delta": delta});
        data.extend(deltas.into_iter().map(delta));
        data.push(json!({"type": "content_block_stop", "index": index}));
        index += 1;
    };
    if !turn.thought.is_empty() {
        let deltas =
            words(turn.thought).map(|it| json!({"type": "thinking_delta", "thinking": it}));
        let signed = json!({"type": "signature_delta", "signature": SIGNATURE});
        let begin = json!({"type": "thinking", "thinking": "", "signature": ""});
        block(begin, deltas.chain([signed]).collect());
    }
    if !turn.text.is_empty() {
        let deltas = words(turn.text).map(|text| json!({"type": "text_delta", "text": text}));
        block(json!({"type": "text", "text": ""}), deltas.collect());
    }
    for (id, name, arguments) in turn.calls {
        let delta = |piece| json!({"type": "input_json_delta", "partial_json": piece});
        let (first, second) = arguments.split_at(arguments.len() / 2);
        let begin = json!({"type": "tool_use", "id": id, "name": name, "input": {}});
        block(begin, [first, second].map(delta).into());
    }
    let end = json!({"stop_reason": anthropic_stop(turn), "stop_sequence": null});
    data.push(json!({"type": "message_delta", "delta": end, "usage": anthropic_usage(60)}));
    data.push(json!({"type": "message_stop"}));
    data.insert(1, json!({"type": "ping"}));
    data.into_iter().map(|data| json!({"event": data["type"], "data": data})).collect()
}

fn gemini_parts(turn: &Turn) -> Vec<Value> {
    let mut parts = Vec::new();
    if !turn.thought.is_empty() {
        parts.push(json!({"text": turn.thought, "thought": true}));
    }
    if !turn.text.is_empty() {
        parts.push(json!({"text": turn.text}));
    }
    for (_, name, arguments) in turn.calls {
        parts.push(json!({"functionCall": {"name": name, "args": parse(arguments)}}));
    }
    // Of several calls only the first is signed; without calls it is the end of the text.
    let first_call = parts.iter().position(|part| part.get("functionCall").is_some());
    let signed = first_call.unwrap_or(parts.len() - 1);
    if !turn.thought.is_empty() {
        parts[signed]["thoughtSignature"] = SIGNATURE.into();
    }
    parts
}

/// Thoughts count beside the candidate's tokens.
fn gemini_event(parts: &[Value], is_last: bool) -> Value {
    let mut candidate = json!({"content": {"role": "model", "parts": parts}, "index": 0});
    let mut usage = json!({"promptTokenCount": 120, "cachedContentTokenCount": 16});
    if is_last {
        candidate["finishReason"] = "STOP".into();
        usage["candidatesTokenCount"] = 40.into();
        usage["thoughtsTokenCount"] = 20.into();
        usage["totalTokenCount"] = 180.into();
    }
    json!({
        "candidates": [candidate], "usageMetadata": usage,
        "modelVersion": "up", "responseId": "response-1",
    })
}

fn gemini_events(turn: &Turn) -> Vec<Value> {
    let mut parts = Vec::new();
    for part in gemini_parts(turn) {
        match part["text"].as_str().map(str::to_owned) {
            None => parts.push(part),
            Some(text) => {
                let pieces: Vec<&str> = words(&text).collect();
                for (at, piece) in pieces.iter().enumerate() {
                    let mut part = part.clone();
                    part["text"] = (*piece).into();
                    if at + 1 < pieces.len() {
                        part.as_object_mut().unwrap().remove("thoughtSignature");
                    }
                    parts.push(part);
                }
            }
        }
    }
    let last = parts.len() - 1;
    let event = |(at, part)| gemini_event(&[part], at == last);
    parts.into_iter().enumerate().map(event).collect()
}

/// The text in pieces; none of an empty one.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(' ')
}

fn parse(arguments: &str) -> Value {
    serde_json::from_str(arguments).unwrap()
}
