//! Finds attempts to talk a model out of its instructions, in what the client sends: by OpenRouter's
//! named patterns, in the text as it is written, with shuffled or spaced out letters, and in base64
//! or hexadecimal digits. Refuses the request, takes them out, or reports them.

mod detect;
mod disguise;
mod encoded;
mod options;
mod patterns;

use detect::{Detector, Found};
use options::{Action, Options, ScanScope};
use patchbay_sdk::{
    Content, Decision, Description, Error, Generation, Kind, Message, Plugin, Rejection, Request,
    Role, ToolResultPart, metrics, report,
};
use serde_json::Value;

/// The plugin, for one generation.
pub struct PromptInjection {
    options: Options,
}

impl Plugin for PromptInjection {
    fn describe() -> Description {
        Description::new("prompt-injection", env!("CARGO_PKG_VERSION"), Kind::Guard)
            .summary("Finds attempts to talk a model out of its instructions.")
            .options(OPTIONS)
            .limit("cpu-ms", 500)
    }

    fn new(generation: &Generation) -> Result<Self, Error> {
        Ok(Self { options: generation.options()? })
    }

    fn on_request(&mut self, _: &Generation, mut request: Request) -> Result<Decision, Error> {
        let detector = match Detector::new(&self.options) {
            Ok(detector) => detector,
            Err(error) => return Decision::refuse_options("prompt-injection", error),
        };
        let mut names: Vec<&'static str> = Vec::new();
        for message in &mut request.messages {
            if self.options.scan_scope == ScanScope::AllMessages || message.role == Role::User {
                self.look_at(message, &detector, &mut names)?;
            }
        }
        for field in &mut request.extra {
            self.look_at_json(&mut field.value, &detector, &mut names)?;
        }
        if names.is_empty() {
            return Ok(Decision::Pass);
        }
        self.tell(&names);
        Ok(match self.options.action {
            Action::Block => Decision::Reject(
                Rejection::new(403, "Request blocked: prompt injection patterns detected")
                    .metadata("patterns", names),
            ),
            Action::Redact => Decision::Replace(request),
            Action::Flag => Decision::Pass,
        })
    }
}

impl PromptInjection {
    /// The texts of a message are one text to the model, so they are one here; so are those of a
    /// tool's result.
    fn look_at(
        &self,
        message: &mut Message,
        detector: &Detector,
        names: &mut Vec<&'static str>,
    ) -> Result<(), Error> {
        self.look_at_texts(message.name.iter_mut().collect(), detector, names)?;
        let mut own = Vec::new();
        for part in &mut message.parts {
            match &mut part.content {
                Content::Text(text) | Content::Refusal(text) => own.push(text),
                Content::ToolResult(result) => {
                    let mut texts = Vec::new();
                    for part in &mut result.parts {
                        match part {
                            ToolResultPart::Text(text) => texts.push(text),
                            ToolResultPart::Other(other) => {
                                self.look_at_json(&mut other.json, detector, names)?;
                            }
                            ToolResultPart::Media(_) => {}
                        }
                    }
                    self.look_at_texts(texts, detector, names)?;
                }
                Content::Other(other) => self.look_at_json(&mut other.json, detector, names)?,
                _ => {}
            }
        }
        self.look_at_texts(own, detector, names)
    }

    /// What a surface has of its own, blocks of search results and documents say: each string is a
    /// text.
    fn look_at_json(
        &self,
        json: &mut String,
        detector: &Detector,
        names: &mut Vec<&'static str>,
    ) -> Result<(), Error> {
        let Ok(mut value) = serde_json::from_str::<Value>(json) else { return Ok(()) };
        let before = value.clone();
        let mut left = vec![&mut value];
        while let Some(value) = left.pop() {
            match value {
                Value::String(text) => self.look_at_texts(vec![text], detector, names)?,
                Value::Array(items) => left.extend(items),
                Value::Object(fields) => left.extend(fields.values_mut()),
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
        if value != before {
            *json = value.to_string();
        }
        Ok(())
    }

    fn look_at_texts(
        &self,
        texts: Vec<&mut String>,
        detector: &Detector,
        names: &mut Vec<&'static str>,
    ) -> Result<(), Error> {
        let whole: String = texts.iter().map(|text| text.as_str()).collect();
        let found = detector.find(&whole)?;
        for it in &found {
            if !names.contains(&it.name) {
                names.push(it.name);
            }
        }
        if self.options.action != Action::Redact || found.is_empty() {
            return Ok(());
        }
        let mut from = 0;
        for text in texts {
            let end = from + text.len();
            *text = redacted(&whole, from, end, &found);
            from = end;
        }
        Ok(())
    }

    fn tell(&self, names: &[&'static str]) {
        let what = match self.options.action {
            Action::Block => "blocked",
            Action::Redact => "redacted",
            Action::Flag => "flagged",
        };
        for name in names {
            metrics::count(what, 1, &[("pattern", name)]);
        }
        report::stage("guardrail", "regex_pi_detection")
            .summary(&format!("{} patterns {what}", names.len()))
            .data("action", what)
            .data("patterns", names)
            .send();
    }
}

/// A part of a text, with the label where something begins that was found.
fn redacted(whole: &str, from: usize, end: usize, found: &[Found]) -> String {
    let (mut out, mut at) = (String::new(), from);
    for range in found.iter().map(|it| &it.range) {
        if range.start < end && range.end > from {
            if range.start >= from {
                out.push_str(whole.get(at..range.start).unwrap_or_default());
                out.push_str(LABEL);
            }
            at = range.end.min(end);
        }
    }
    out + whole.get(at..end).unwrap_or_default()
}

const LABEL: &str = "[PROMPT_INJECTION]";

patchbay_sdk::export!(PromptInjection: request);

const OPTIONS: &str = include_str!("options.json");

patchbay_sdk::cases![
    "cases/allowed.json",
    "cases/allowlist.json",
    "cases/allowlist_encoded.json",
    "cases/base64.json",
    "cases/blocked.json",
    "cases/control_tokens.json",
    "cases/except.json",
    "cases/fields.json",
    "cases/flagged.json",
    "cases/harmless.json",
    "cases/hex.json",
    "cases/parts.json",
    "cases/redacted.json",
    "cases/spaced.json",
    "cases/tool_result.json",
    "cases/typoglycemia.json",
    "cases/user_only.json",
];

#[cfg(test)]
mod tests;
