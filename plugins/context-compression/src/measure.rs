//! What a request costs in tokens, piece by piece. Each text is counted once, by the host's
//! tokenizer; what is not text is a flat guess, the same that the host makes for holds.
//!
//! The host's tokenizer works on the plugin's own time. So only so many bytes of a request are
//! counted: a long text is judged by samples spread evenly over it, and once the allowance is used
//! up, what is left is judged by what was counted before. Both err on the side of too many.

use patchbay_sdk::{
    Content, Media, MediaKind, Message, Request, ResponseFormat, Tool, ToolResultPart, tokens,
};

/// Counts texts for one request.
pub(crate) struct Counter {
    model: String,
    /// Bytes that may still be counted.
    allowance: usize,
    /// What was counted so far.
    tokens: u64,
    bytes: u64,
}

/// A message's tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Measure {
    /// Of all that must stay as it is.
    pub(crate) base: u64,
    /// Of each text that may be cut, in the order of `Message::texts_mut`.
    pub(crate) texts: Vec<u64>,
}

impl Measure {
    pub(crate) fn total(&self) -> u64 {
        self.texts.iter().fold(self.base, |sum, text| sum.saturating_add(*text))
    }
}

impl Counter {
    pub(crate) fn new(model: &str) -> Self {
        Self { model: model.into(), allowance: COUNTED_BYTES_MAX, tokens: 0, bytes: 0 }
    }

    /// About how many tokens a text makes.
    pub(crate) fn text(&mut self, text: &str) -> u64 {
        if text.is_empty() {
            return 0;
        }
        if text.len() <= WHOLE_BYTES_MAX && text.len() <= self.allowance {
            return self.count(text);
        }
        let slices = (text.len() / SAMPLED_SHARE / SLICE_BYTES).max(SLICES_MIN);
        let slices = slices.min(self.allowance / SLICE_BYTES);
        if slices < SLICES_MIN || text.len() <= slices.saturating_mul(SLICE_BYTES) {
            let (tokens, bytes) =
                if self.bytes < SLICE_BYTES_U64 { (1, 2) } else { (self.tokens, self.bytes) };
            return extrapolate(text, tokens, bytes, 5);
        }
        let (tokens, bytes) = (self.tokens, self.bytes);
        for at in 0..slices {
            let from = text.floor_char_boundary((text.len() / slices).saturating_mul(at));
            let to = text.floor_char_boundary(from.saturating_add(SLICE_BYTES));
            self.count(text.get(from..to).unwrap_or_default());
        }
        let (tokens, bytes) = (self.tokens.abs_diff(tokens), self.bytes.abs_diff(bytes));
        extrapolate(text, tokens, bytes, 2)
    }

    fn count(&mut self, text: &str) -> u64 {
        self.allowance = self.allowance.saturating_sub(text.len());
        let tokens = u64::from(tokens::count(&self.model, text).tokens);
        self.tokens = self.tokens.saturating_add(tokens);
        self.bytes = self.bytes.saturating_add(size(text));
        tokens
    }

    pub(crate) fn message(&mut self, message: &Message) -> Measure {
        let mut measure = Measure { base: MESSAGE, texts: Vec::new() };
        if let Some(name) = &message.name {
            measure.base = measure.base.saturating_add(1).saturating_add(self.text(name));
        }
        for part in &message.parts {
            self.content(&part.content, &mut measure);
        }
        measure
    }

    fn content(&mut self, content: &Content, measure: &mut Measure) {
        let base = match content {
            Content::Text(text) => {
                measure.texts.push(self.text(text));
                0
            }
            Content::Media(it) => media(it),
            Content::ToolCall(call) => {
                let words = self.text(&call.name).saturating_add(self.text(&call.arguments));
                words.saturating_add(CALL)
            }
            Content::ToolResult(result) => {
                let mut base: u64 = 0;
                for part in &result.parts {
                    match part {
                        ToolResultPart::Text(text) => measure.texts.push(self.text(text)),
                        ToolResultPart::Media(it) => base = base.saturating_add(media(it)),
                        ToolResultPart::Other(other) => {
                            base = base.saturating_add(self.text(&other.json));
                        }
                    }
                }
                base
            }
            Content::Reasoning(reasoning) => self.text(&reasoning.text),
            Content::Refusal(text) => self.text(text),
            Content::Other(other) => self.text(&other.json),
        };
        measure.base = measure.base.saturating_add(base);
    }

    /// What stands beside the messages: tools, the reply's form, the reply's beginning.
    pub(crate) fn beside(&mut self, request: &Request) -> u64 {
        let mut sum = REPLY;
        for tool in &request.tools {
            sum = sum.saturating_add(match tool {
                Tool::Function(it) => {
                    let description = it.description.as_deref().unwrap_or_default();
                    let parameters = it.parameters.as_deref().unwrap_or_default();
                    let words = [it.name.as_str(), description, parameters];
                    words.iter().fold(FUNCTION, |sum, text| sum.saturating_add(self.text(text)))
                }
                Tool::Other(other) => self.text(&other.json),
            });
        }
        sum.saturating_add(match &request.response_format {
            Some(ResponseFormat::JsonSchema(it)) => {
                self.text(it.schema.as_deref().unwrap_or_default())
            }
            Some(ResponseFormat::Other(other)) => self.text(&other.json),
            Some(ResponseFormat::Text | ResponseFormat::JsonObject) | None => 0,
        })
    }
}

/// More tokens than the request can have, without counting: a token is at least one byte.
pub(crate) fn at_most(request: &Request) -> u64 {
    let mut sum = REPLY;
    let mut add = |more: u64| sum = sum.saturating_add(more);
    for message in &request.messages {
        add(MESSAGE.saturating_add(1).saturating_add(size(message.name.as_deref().unwrap_or(""))));
        for part in &message.parts {
            match &part.content {
                Content::Text(text) | Content::Refusal(text) => add(size(text)),
                Content::Reasoning(reasoning) => add(size(&reasoning.text)),
                Content::Media(it) => add(media(it)),
                Content::ToolCall(call) => {
                    add(size(&call.name)
                        .saturating_add(size(&call.arguments))
                        .saturating_add(CALL));
                }
                Content::ToolResult(result) => result.parts.iter().for_each(|part| {
                    add(match part {
                        ToolResultPart::Text(text) => size(text),
                        ToolResultPart::Media(it) => media(it),
                        ToolResultPart::Other(other) => size(&other.json),
                    });
                }),
                Content::Other(other) => add(size(&other.json)),
            }
        }
    }
    for tool in &request.tools {
        match tool {
            Tool::Function(it) => {
                let texts = [Some(&it.name), it.description.as_ref(), it.parameters.as_ref()];
                add(FUNCTION);
                texts.into_iter().flatten().for_each(|text| add(size(text)));
            }
            Tool::Other(other) => add(size(&other.json)),
        }
    }
    match &request.response_format {
        Some(ResponseFormat::JsonSchema(it)) => add(size(it.schema.as_deref().unwrap_or(""))),
        Some(ResponseFormat::Other(other)) => add(size(&other.json)),
        Some(ResponseFormat::Text | ResponseFormat::JsonObject) | None => {}
    }
    sum
}

/// What a medium costs, whatever is in it: its size in pixels, seconds or pages is not known here.
fn media(media: &Media) -> u64 {
    match media.kind {
        MediaKind::Image if media.detail.as_deref() == Some("low") => 85,
        MediaKind::Image => 765,
        MediaKind::Audio => 60 * 32,
        MediaKind::Video => 60 * 263,
        MediaKind::File => 2500,
    }
}

/// The tokens of a text at `tokens` for `bytes`, and some per cent more.
fn extrapolate(text: &str, tokens: u64, bytes: u64, percent: u64) -> u64 {
    let scaled = u128::from(size(text)) * u128::from(tokens) * u128::from(100 + percent);
    let tokens = scaled.div_ceil(u128::from(bytes.max(1)) * 100);
    u64::try_from(tokens).unwrap_or(u64::MAX).min(size(text))
}

fn size(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

/// A message's marks and its role.
const MESSAGE: u64 = 4;
/// A tool call's marks.
const CALL: u64 = 3;
/// A function's marks, and its share of what stands around all of them.
const FUNCTION: u64 = 12;
/// The beginning of the reply, which counts as prompt.
const REPLY: u64 = 3;

/// What is counted of one request: at 10 MB a second, the slowest that the tokenizer was seen to
/// be, that is half of the 50 ms that a plugin has.
const COUNTED_BYTES_MAX: usize = 256 * 1024;
/// What is longer is sampled.
const WHOLE_BYTES_MAX: usize = 16 * 1024;
/// One byte of so many is looked at.
const SAMPLED_SHARE: usize = 8;
const SLICE_BYTES: usize = 1024;
const SLICE_BYTES_U64: u64 = 1024;
const SLICES_MIN: usize = 8;

#[cfg(test)]
mod tests {
    use super::{Counter, WHOLE_BYTES_MAX, at_most};
    use patchbay_sdk::{Message, Part, Request, Tool};
    use serde_json::json;

    // The kit's tokenizer makes a token of every four bytes begun.

    #[test]
    fn a_short_text_is_counted_whole_and_a_long_one_by_samples() {
        let mut counter = Counter::new("test/model");
        assert_eq!(counter.text("12345"), 2);
        let long = "é".repeat(WHOLE_BYTES_MAX);
        let tokens = counter.text(&long);
        let exact = u64::try_from(long.len()).unwrap() / 4;
        assert!(tokens >= exact && tokens < exact * 105 / 100, "{tokens} for {exact}");
    }

    #[test]
    fn what_is_counted_is_bounded_and_what_is_left_is_judged_by_it() {
        let mut counter = Counter::new("test/model");
        let text = "word ".repeat(3000);
        let counted: Vec<u64> = (0..100).map(|_| counter.text(&text)).collect();
        let bytes = u64::try_from(text.len()).unwrap();
        assert_eq!(counted[0], bytes / 4);
        assert_eq!(counted[99], (bytes * 105).div_ceil(400));
    }

    #[test]
    fn the_bound_is_never_less_than_the_count() {
        let request = Request::new("test/model")
            .system("Be kind.")
            .message(Message::user("Look").part(Part::image_url("https://example.com/a.png")))
            .message(Message::tool("a", "42"))
            .tool(Tool::function("f", "does", json!({"type": "object"})));
        let mut counter = Counter::new("test/model");
        let beside = counter.beside(&request);
        let messages = request.messages.iter().map(|message| counter.message(message).total());
        let count = messages.sum::<u64>() + beside;
        assert!(count <= at_most(&request));
        assert!(count > 765);
    }
}
