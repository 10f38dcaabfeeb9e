//! Deltas as people write them in a case: one object per delta, with one key that says what it is.

use serde::Deserialize;
use serde_json::Value;
use wire::{Delta, FinishReason, Json, ReasoningDetail, ReasoningKind, Role, Usage};

/// Reads deltas.
///
/// # Errors
/// Shows the one that is none.
pub(super) fn read_all(values: Vec<Value>) -> Result<Vec<Delta>, String> {
    values.into_iter().map(read).collect()
}

fn read(value: Value) -> Result<Delta, String> {
    let written = value.to_string();
    let line: Line =
        serde_json::from_value(value).map_err(|error| format!("{written}: {error}"))?;
    line.delta().ok_or_else(|| format!("{written}: not exactly one delta"))
}

/// Reads a role's name.
pub(super) fn role(name: &str) -> Option<Role> {
    Some(match name {
        "system" => Role::System,
        "developer" => Role::Developer,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        _ => return None,
    })
}

/// JSON in one form, whatever order its keys were written in.
pub(super) fn plain(value: &Value) -> Json {
    let mut value = value.clone();
    value.sort_all_objects();
    Json::of(&value)
}

/// The same of what a plugin gave.
pub(super) fn plain_json(json: &Json) -> Json {
    json.read::<Value>().map_or_else(|_| json.clone(), |value| plain(&value))
}

/// A delta with its JSON in that form.
pub(super) fn plain_delta(mut delta: Delta) -> Delta {
    if let Delta::Annotation { json, .. }
    | Delta::Image { json, .. }
    | Delta::Audio { json, .. }
    | Delta::Other { json, .. } = &mut delta
    {
        *json = plain_json(json);
    }
    delta
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    choice: Option<u16>,
    detail: Option<DetailLine>,
    native: Option<String>,
    text: Option<String>,
    reasoning: Option<String>,
    refusal: Option<String>,
    role: Option<String>,
    tool_call: Option<CallLine>,
    annotation: Option<Value>,
    image: Option<Value>,
    audio: Option<Value>,
    finish: Option<String>,
    usage: Option<UsageLine>,
    other: Option<OtherLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DetailLine {
    kind: String,
    id: Option<String>,
    format: Option<String>,
    index: Option<u32>,
    signature: Option<String>,
    data: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallLine {
    #[serde(default)]
    index: u16,
    id: Option<String>,
    name: Option<String>,
    #[serde(default)]
    arguments: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OtherLine {
    kind: String,
    json: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UsageLine {
    prompt: Option<u64>,
    completion: Option<u64>,
    cached: Option<u64>,
    cache_write: Option<u64>,
    cache_write_one_hour: Option<u64>,
    reasoning: Option<u64>,
    audio_prompt: Option<u64>,
    audio_completion: Option<u64>,
    image_completion: Option<u64>,
    web_searches: Option<u64>,
}

impl Line {
    /// The delta, if the line is exactly one.
    fn delta(self) -> Option<Delta> {
        let own = self.choice;
        let choice = own.unwrap_or(0);
        let (native, detail) = (self.native, self.detail);
        let is_loose = (detail.is_some() && self.reasoning.is_none())
            || (native.is_some() && self.finish.is_none());
        let detail = match detail {
            Some(line) => Some(line.detail()?),
            None => None,
        };
        let role = self.role.and_then(|name| role(&name));
        let finish = self.finish.and_then(|name| finish(&name));
        let mut found = [
            self.text.map(|text| Delta::Text { choice, text }),
            self.refusal.map(|text| Delta::Refusal { choice, text }),
            self.reasoning.map(|text| Delta::Reasoning { choice, text, detail }),
            role.map(|role| Delta::Role { choice, role }),
            self.tool_call.map(|call| call.delta(choice)),
            self.annotation.map(|value| Delta::Annotation { choice, json: plain(&value) }),
            self.image.map(|value| Delta::Image { choice, json: plain(&value) }),
            self.audio.map(|value| Delta::Audio { choice, json: plain(&value) }),
            finish.map(|reason| Delta::Finish { choice, reason, native }),
            self.usage.map(|usage| Delta::Usage(usage.usage())),
            self.other.map(|other| {
                let json = plain(&other.json);
                Delta::Other { choice: own, kind: other.kind, json }
            }),
        ]
        .into_iter()
        .flatten();
        let delta = found.next()?;
        (found.next().is_none() && !is_loose).then_some(delta)
    }
}

impl DetailLine {
    fn detail(self) -> Option<ReasoningDetail> {
        let kind = match self.kind.as_str() {
            "text" => ReasoningKind::Text,
            "summary" => ReasoningKind::Summary,
            "encrypted" => ReasoningKind::Encrypted,
            _ => return None,
        };
        let Self { id, format, index, signature, data, .. } = self;
        Some(ReasoningDetail { kind, id, format, index, signature, data })
    }
}

impl CallLine {
    fn delta(self, choice: u16) -> Delta {
        let Self { index, id, name, arguments } = self;
        Delta::ToolCall { choice, index, id, name, arguments }
    }
}

impl UsageLine {
    fn usage(self) -> Usage {
        Usage {
            prompt: self.prompt,
            completion: self.completion,
            cached: self.cached,
            cache_write: self.cache_write,
            cache_write_1h: self.cache_write_one_hour,
            reasoning: self.reasoning,
            audio_prompt: self.audio_prompt,
            audio_completion: self.audio_completion,
            image_completion: self.image_completion,
            web_searches: self.web_searches,
        }
    }
}

fn finish(name: &str) -> Option<FinishReason> {
    Some(match name {
        "stop" => FinishReason::Stop,
        "length" => FinishReason::Length,
        "tool_calls" => FinishReason::ToolCalls,
        "content_filter" => FinishReason::ContentFilter,
        "error" => FinishReason::Error,
        _ => return None,
    })
}
