//! What a chat client is told by a reply, put together the way clients do it: the same form for a
//! reply that was streamed and for one that was not, so that they can be compared. What every reply
//! must hold whatever it says (ids, usage that adds up, a cost) is checked on the way.

use serde_json::{Value, json};

use crate::harness::Streamed;

/// A reply's one choice, and its counts.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Told {
    pub(crate) text: String,
    pub(crate) reasoning: String,
    /// `reasoning_details`, the pieces of a block joined.
    pub(crate) details: Vec<Value>,
    pub(crate) calls: Vec<Call>,
    pub(crate) annotations: Vec<Value>,
    pub(crate) refusal: String,
    pub(crate) finish: String,
    pub(crate) native: String,
    pub(crate) counts: Counts,
    /// In USD.
    pub(crate) cost: f64,
}

/// A tool call.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) arguments: Value,
}

/// Token counts.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) prompt: u64,
    pub(crate) completion: u64,
    pub(crate) cached: u64,
    pub(crate) cache_write: u64,
    pub(crate) reasoning: u64,
}

impl Counts {
    /// What they cost at the prices of `Double::model`: 1 USD per million read, 2 written.
    pub(crate) fn cost(&self) -> f64 {
        let micros = u32::try_from(self.prompt + 2 * self.completion).expect("small");
        f64::from(micros) / 1e6
    }
}

impl Told {
    /// By a reply that was not streamed.
    pub(crate) fn whole(reply: &Value) -> Self {
        assert!(is_ours(&reply["id"]), "{reply}");
        assert_eq!(reply["object"], "chat.completion", "{reply}");
        let choice = &reply["choices"][0];
        let message = &choice["message"];
        assert_eq!(message["role"], "assistant", "{reply}");
        let (counts, cost) = used(&reply["usage"]);
        let mut told = Self { counts, cost, ..Self::default() };
        let mut calls = Pieces::default();
        told.take(message, &mut calls);
        told.end(choice);
        told.complete(calls);
        told
    }

    /// By a stream that was read to its end.
    pub(crate) fn streamed(streamed: &Streamed) -> Self {
        assert!(streamed.is_done, "no [DONE]: {streamed:?}");
        let (counts, cost) = used(streamed.usage());
        let mut told = Self { counts, cost, ..Self::default() };
        let mut calls = Pieces::default();
        let id = &streamed.chunks[0]["id"];
        assert!(is_ours(id), "{id}");
        assert_eq!(streamed.chunks[0]["choices"][0]["delta"]["role"], "assistant");
        for chunk in &streamed.chunks {
            assert_eq!(chunk["id"], *id, "one stream has one id");
            assert_eq!(chunk["object"], "chat.completion.chunk", "{chunk}");
            assert_eq!(chunk["error"], Value::Null, "{chunk}");
            let choices = chunk["choices"].as_array().expect("a list of choices");
            assert_eq!(choices.len(), 1, "a client trips over an empty list: {chunk}");
            told.take(&choices[0]["delta"], &mut calls);
            told.end(&choices[0]);
        }
        told.complete(calls);
        told
    }

    /// The message as a client sends it back in the next turn.
    pub(crate) fn message(&self) -> Value {
        let call = |call: &Call| {
            let function = json!({"name": call.name, "arguments": call.arguments.to_string()});
            json!({"id": call.id, "type": "function", "function": function})
        };
        let calls: Vec<Value> = self.calls.iter().map(call).collect();
        let mut message = json!({"role": "assistant", "content": self.text});
        if !calls.is_empty() {
            message["tool_calls"] = calls.into();
        }
        if !self.details.is_empty() {
            message["reasoning_details"] = self.details.clone().into();
        }
        message
    }

    /// Takes a message or a piece of one.
    fn take(&mut self, piece: &Value, calls: &mut Pieces) {
        let said = |name: &str| piece[name].as_str().unwrap_or_default();
        self.text.push_str(said("content"));
        self.reasoning.push_str(said("reasoning"));
        self.refusal.push_str(said("refusal"));
        self.annotations.extend(list(&piece["annotations"]).cloned());
        for detail in list(&piece["reasoning_details"]) {
            self.take_detail(detail);
        }
        for call in list(&piece["tool_calls"]) {
            calls.take(call);
        }
    }

    fn take_detail(&mut self, detail: &Value) {
        let is_block = |last: &&mut Value| {
            last["type"] == detail["type"]
                && last["index"] == detail["index"]
                && last.get("signature").is_none()
                && last.get("data").is_none()
        };
        let Some(last) = self.details.last_mut().filter(is_block) else {
            return self.details.push(detail.clone());
        };
        for field in ["text", "summary"] {
            if let Some(piece) = detail[field].as_str() {
                last[field] = (last[field].as_str().unwrap_or_default().to_owned() + piece).into();
            }
        }
        if let Some(signature) = detail.get("signature") {
            last["signature"] = signature.clone();
        }
    }

    fn end(&mut self, choice: &Value) {
        assert_eq!(choice["index"], 0, "{choice}");
        if let Some(finish) = choice["finish_reason"].as_str() {
            finish.clone_into(&mut self.finish);
            let native = choice["native_finish_reason"].as_str();
            native.expect("the upstream's own word").clone_into(&mut self.native);
        }
    }

    fn complete(&mut self, calls: Pieces) {
        for (id, name, arguments) in calls.0 {
            let arguments = serde_json::from_str(&arguments);
            let arguments = arguments.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(!id.is_empty(), "a call without an id can't be answered: {name}");
            assert!(self.calls.iter().all(|call| call.id != id), "two calls are named {id}");
            self.calls.push(Call { id, name, arguments });
        }
        let texts =
            self.details.iter().filter_map(|it| it["text"].as_str().or(it["summary"].as_str()));
        let texts: String = texts.collect();
        if !self.details.is_empty() {
            assert_eq!(texts, self.reasoning, "the details say as much as `reasoning`");
        }
    }
}

/// Tool calls by index: id, name, arguments so far.
#[derive(Default)]
struct Pieces(Vec<(String, String, String)>);

impl Pieces {
    fn take(&mut self, piece: &Value) {
        let index = piece["index"].as_u64().expect("every piece has an index");
        let index = usize::try_from(index).expect("small");
        if index == self.0.len() {
            assert_eq!(piece["type"], "function", "a call begins: {piece}");
            self.0.push(Default::default());
        }
        let (id, name, arguments) = self.0.get_mut(index).expect("indices without holes");
        id.push_str(piece["id"].as_str().unwrap_or_default());
        name.push_str(piece["function"]["name"].as_str().unwrap_or_default());
        arguments.push_str(piece["function"]["arguments"].as_str().unwrap_or_default());
    }
}

/// Reads usage and its cost; checks that it adds up.
fn used(usage: &Value) -> (Counts, f64) {
    let count = |path: &str| {
        let value = usage.pointer(path).and_then(Value::as_u64);
        value.unwrap_or_else(|| panic!("no count at {path}: {usage}"))
    };
    let counts = Counts {
        prompt: count("/prompt_tokens"),
        completion: count("/completion_tokens"),
        cached: count("/prompt_tokens_details/cached_tokens"),
        cache_write: count("/prompt_tokens_details/cache_write_tokens"),
        reasoning: count("/completion_tokens_details/reasoning_tokens"),
    };
    assert_eq!(count("/total_tokens"), counts.prompt + counts.completion, "{usage}");
    (counts, usage["cost"].as_f64().unwrap_or_else(|| panic!("no cost: {usage}")))
}

fn is_ours(id: &Value) -> bool {
    id.as_str().is_some_and(|id| id.starts_with("gen-"))
}

/// The elements of a list, none where there is none.
pub(crate) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
