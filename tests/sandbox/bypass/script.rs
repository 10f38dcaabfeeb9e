//! What the double replies: one text with the forbidden word in it, in each field that a client
//! reads, cut at every two places; and two choices whose pieces come in turn.

use serde_json::{Value, json};

pub(super) const WORD: &str = "forbidden";
pub(super) const TEXT: &str = "a forbidden b";
pub(super) const MASK: &str = "***";
/// What the first of two choices says.
pub(super) const REST: &str = "all is well here";

/// Where the text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Text,
    Reasoning,
    Refusal,
    /// A tool call's arguments.
    Call,
}

pub(super) const FIELDS: [Field; 4] = [Field::Text, Field::Reasoning, Field::Refusal, Field::Call];

impl Field {
    /// The model that replies in it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Reasoning => "reasoning",
            Self::Refusal => "refusal",
            Self::Call => "call",
        }
    }

    /// How a text stands in it: arguments are JSON, whose end comes in the last piece.
    pub(super) fn write(self, text: &str) -> String {
        match self {
            Self::Call => format!("{{\"x\":\"{text}"),
            _ => text.to_owned(),
        }
    }

    /// What a message or a delta has of it.
    pub(super) fn of(self, message: &Value) -> Option<String> {
        let text = match self {
            Self::Text => &message["content"],
            Self::Reasoning => &message["reasoning"],
            Self::Refusal => &message["refusal"],
            Self::Call => &message["tool_calls"][0]["function"]["arguments"],
        };
        text.as_str().map(str::to_owned)
    }

    fn delta(self, text: &str, is_first: bool) -> Value {
        match self {
            Self::Text => json!({"content": text}),
            Self::Reasoning => json!({"reasoning": text}),
            Self::Refusal => json!({"refusal": text}),
            Self::Call if is_first => json!({"tool_calls": [{"index": 0, "id": "call-1",
                "type": "function", "function": {"name": "f", "arguments": self.write(text)}}]}),
            Self::Call => {
                json!({"tool_calls": [{"index": 0, "function": {"arguments": text}}]})
            }
        }
    }

    fn message(self) -> Value {
        let mut message = match self {
            Self::Call => json!({"tool_calls": [{"id": "call-1", "type": "function",
                "function": {"name": "f", "arguments": self.write(TEXT) + "\"}"}}]}),
            other => other.delta(TEXT, true),
        };
        message["role"] = json!("assistant");
        if self != Self::Text {
            message["content"] = Value::Null;
        }
        message
    }
}

/// Every two places to cut the text at. The same place twice is one cut, or none at its ends.
pub(super) fn cuts() -> Vec<(usize, usize)> {
    let places = || 0..=TEXT.len();
    places()
        .flat_map(|one| places().filter(move |two| one <= *two).map(move |two| (one, two)))
        .collect()
}

/// What a request says to get the reply with this cut.
pub(super) fn when(cut: (usize, usize)) -> String {
    format!("cut at {} and {}.", cut.0, cut.1)
}

fn pieces((one, two): (usize, usize)) -> Vec<&'static str> {
    let pieces = [&TEXT[..one], &TEXT[one..two], &TEXT[two..]];
    pieces.into_iter().filter(|piece| !piece.is_empty()).collect()
}

/// The field's reply at every cut, and whole.
pub(super) fn every_cut(field: Field) -> Value {
    let answers: Vec<Value> = cuts().into_iter().map(|cut| streamed(field, cut)).collect();
    let reason = if field == Field::Call { "tool_calls" } else { "stop" };
    let whole = json!({"id": "up-1", "object": "chat.completion", "created": 1, "model": "up",
        "choices": [{"index": 0, "finish_reason": reason, "message": field.message()}],
        "usage": usage()});
    json!({"stream": answers, "whole": {"body": whole}})
}

/// Between the pieces comes something else to read, which ends no word.
fn streamed(field: Field, cut: (usize, usize)) -> Value {
    let between = if field == Field::Reasoning { Field::Text } else { Field::Reasoning };
    let mut events = vec![event(0, &json!({"role": "assistant"}))];
    for (number, piece) in pieces(cut).into_iter().enumerate() {
        if number > 0 && cut.1.is_multiple_of(2) {
            events.push(event(0, &between.delta("-", false)));
        }
        events.push(event(0, &field.delta(piece, number == 0)));
    }
    if field == Field::Call {
        events.push(event(0, &field.delta("\"}", false)));
    }
    let reason = if field == Field::Call { "tool_calls" } else { "stop" };
    events.push(finish(0, reason));
    answer(cut, events)
}

/// The second choice has the word; its pieces come between those of the first, in chunks of their
/// own or in the same.
pub(super) fn two_choices() -> Value {
    let answers: Vec<Value> = cuts().into_iter().map(two_streamed).collect();
    let choice = |index: usize, text: &str| {
        json!({"index": index, "finish_reason": "stop",
            "message": {"role": "assistant", "content": text}})
    };
    let whole = json!({"id": "up-1", "object": "chat.completion", "created": 1, "model": "up",
        "choices": [choice(0, REST), choice(1, TEXT)], "usage": usage()});
    json!({"stream": answers, "whole": {"body": whole}})
}

fn two_streamed(cut: (usize, usize)) -> Value {
    let firsts = [&REST[..4], &REST[4..9], &REST[9..]];
    let mut events =
        vec![event(0, &json!({"role": "assistant"})), event(1, &json!({"role": "assistant"}))];
    let seconds = pieces(cut);
    for (number, first) in firsts.into_iter().enumerate() {
        let first = event(0, &json!({"content": first}));
        let second = seconds.get(number).map(|piece| event(1, &json!({"content": piece})));
        match second {
            Some(second) if cut.1.is_multiple_of(2) => {
                let mut both = first;
                let other = second["choices"][0].clone();
                both["choices"].as_array_mut().unwrap().push(other);
                events.push(both);
            }
            second => events.extend(std::iter::once(first).chain(second)),
        }
    }
    events.extend([finish(0, "stop"), finish(1, "stop")]);
    answer(cut, events)
}

fn answer(cut: (usize, usize), mut events: Vec<Value>) -> Value {
    let mut last = chunk(&json!([]));
    last["usage"] = usage();
    events.extend([last, json!("[DONE]")]);
    json!({"when": when(cut), "sse": events})
}

fn event(choice: usize, delta: &Value) -> Value {
    chunk(&json!([{"index": choice, "delta": delta, "finish_reason": null}]))
}

fn finish(choice: usize, reason: &str) -> Value {
    chunk(&json!([{"index": choice, "delta": {}, "finish_reason": reason}]))
}

fn chunk(choices: &Value) -> Value {
    json!({"id": "up-1", "object": "chat.completion.chunk", "created": 1, "model": "up",
        "choices": choices})
}

fn usage() -> Value {
    json!({"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500})
}
