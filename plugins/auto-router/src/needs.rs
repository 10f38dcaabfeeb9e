//! What a request needs of a model, whoever it is.

use patchbay_sdk::catalog::Model;
use patchbay_sdk::{
    Content, Effort, Media, MediaKind, Request, ResponseFormat, Tool, ToolResultPart,
};
use serde_json::Value;
use std::time::Duration;

/// What a request needs.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Needs {
    /// What must be readable beside text.
    pub(crate) inputs: Vec<&'static str>,
    pub(crate) tools: bool,
    pub(crate) format: Format,
    pub(crate) reasoning: bool,
    /// About how many tokens the prompt has.
    pub(crate) prompt: u64,
    /// What the reply may have.
    pub(crate) completion: Option<u64>,
    /// What prompt and completion may cost, in USD per million tokens (`provider.max_price`).
    pub(crate) price_max: [Option<f64>; 2],
}

/// The form of the reply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Format {
    #[default]
    Text,
    Json,
    Schema,
}

impl Needs {
    pub(crate) fn of(request: &Request) -> Self {
        let mut needs = Self {
            tools: !request.tools.is_empty(),
            reasoning: request.reasoning.as_ref().is_some_and(|thinking| {
                thinking.enabled == Some(true)
                    || thinking.effort.is_some_and(|effort| effort != Effort::None)
                    || thinking.max_tokens.is_some_and(|most| most > 0)
            }),
            format: match &request.response_format {
                Some(ResponseFormat::JsonObject) => Format::Json,
                Some(ResponseFormat::JsonSchema(_)) => Format::Schema,
                Some(ResponseFormat::Text | ResponseFormat::Other(_)) | None => Format::Text,
            },
            completion: request.sampling.max_tokens.map(u64::from),
            price_max: price_max(request),
            ..Self::default()
        };
        let mut bytes: usize = 0;
        for part in request.messages.iter().flat_map(|message| &message.parts) {
            match &part.content {
                Content::Media(media) => needs.add_media(media),
                Content::ToolResult(result) => result.parts.iter().for_each(|part| match part {
                    ToolResultPart::Media(media) => needs.add_media(media),
                    ToolResultPart::Text(text) => bytes = bytes.saturating_add(text.len()),
                    ToolResultPart::Other(other) => bytes = bytes.saturating_add(other.json.len()),
                }),
                Content::Text(text) | Content::Refusal(text) => {
                    bytes = bytes.saturating_add(text.len());
                }
                Content::Reasoning(it) => bytes = bytes.saturating_add(it.text.len()),
                Content::ToolCall(call) => bytes = bytes.saturating_add(call.arguments.len()),
                Content::Other(other) => bytes = bytes.saturating_add(other.json.len()),
            }
        }
        for tool in &request.tools {
            bytes = bytes.saturating_add(match tool {
                Tool::Function(it) => it.parameters.as_ref().map_or(64, |it| it.len() + 64),
                Tool::Other(other) => other.json.len(),
            });
        }
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        needs.prompt = needs.prompt.saturating_add(bytes.div_ceil(BYTES_PER_TOKEN));
        needs
    }

    fn add_media(&mut self, media: &Media) {
        let (kind, tokens) = match media.kind {
            MediaKind::Image => ("image", 765),
            MediaKind::Audio => ("audio", 1920),
            MediaKind::Video => ("video", 15_780),
            MediaKind::File => ("file", 2500),
        };
        self.prompt = self.prompt.saturating_add(tokens);
        if !self.inputs.contains(&kind) {
            self.inputs.push(kind);
        }
    }

    /// Whether a model can serve it. What is not known of a model does not speak against it.
    pub(crate) fn fit(&self, model: &Model) -> bool {
        let supports = |names: &[&str]| {
            model.parameters.is_empty() || names.iter().any(|name| model.supports(name))
        };
        let room = self.prompt.saturating_add(self.completion.unwrap_or(0));
        model.outputs.iter().any(|output| output == "text")
            && self.inputs.iter().all(|input| model.takes(input))
            && (!self.tools || supports(&["tools"]))
            && (!self.reasoning || supports(&["reasoning"]))
            && match self.format {
                Format::Text => true,
                Format::Json => supports(&["response_format", "structured_outputs"]),
                Format::Schema => supports(&["structured_outputs"]),
            }
            && model.context_length.is_none_or(|length| room <= length)
            && self.affords(model)
            && self.completion.is_none_or(|most| model.completion_max.is_none_or(|max| most <= max))
    }

    /// Where a price is bounded, one that is not known is too much.
    fn affords(&self, model: &Model) -> bool {
        let prices = [model.prompt_nanos, model.completion_nanos];
        self.price_max.iter().zip(prices).all(|(most, nanos)| {
            let dollars = nanos.map(|nanos| Duration::from_nanos(nanos).as_secs_f64());
            most.is_none_or(|most| dollars.is_some_and(|dollars| dollars <= most))
        })
    }

    /// For people: `image input, tools`.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words: Vec<String> =
            self.inputs.iter().map(|input| format!("{input} input")).collect();
        let flags = [
            (self.tools, "tools"),
            (self.format == Format::Schema, "structured outputs"),
            (self.format == Format::Json, "JSON replies"),
            (self.reasoning, "reasoning"),
        ];
        words.extend(flags.iter().filter(|(is, _)| *is).map(|(_, word)| (*word).to_owned()));
        let room = self.prompt.saturating_add(self.completion.unwrap_or(0));
        for (what, most) in ["prompt", "completion"].iter().zip(self.price_max) {
            let most = most.map(|most| format!("a {what} for at most ${most} per million tokens"));
            words.extend(most);
        }
        words.push(format!("a context of about {room} tokens"));
        words
    }
}

/// `provider.max_price.prompt` and `.completion`: numbers, or numbers as texts. The host checks the
/// object, so what is none here is refused there.
fn price_max(request: &Request) -> [Option<f64>; 2] {
    let provider: Option<Value> = request.extra_get("provider").ok().flatten();
    ["/max_price/prompt", "/max_price/completion"].map(|path| {
        let most = provider.as_ref()?.pointer(path)?;
        most.as_f64().or_else(|| most.as_str()?.parse().ok())
    })
}

/// Of the prompt. Less than most texts have, so that a guess errs on the side of more tokens.
const BYTES_PER_TOKEN: u64 = 3;

#[cfg(test)]
mod tests {
    use super::{Format, Needs};
    use patchbay_sdk::catalog::Model;
    use patchbay_sdk::{Message, Part, Request, Tool};
    use serde_json::json;

    #[test]
    fn a_request_says_what_it_needs() {
        let request = Request::new("openrouter/auto")
            .message(Message::user("abc").part(Part::image_url("https://example.com/a.png")))
            .tool(Tool::function("f", "does", json!({})))
            .json_schema("reply", json!({"type": "object"}))
            .max_tokens(100);
        let needs = Needs::of(&request);
        assert_eq!((needs.inputs.as_slice(), needs.tools), (["image"].as_slice(), true));
        assert_eq!((needs.format, needs.completion), (Format::Schema, Some(100)));
        assert!(needs.prompt > 765 && needs.prompt < 800);
        assert_eq!(needs.words()[..3], ["image input", "tools", "structured outputs"]);
    }

    #[test]
    fn what_is_not_known_of_a_model_does_not_speak_against_it() {
        let needs = Needs { tools: true, prompt: 900, completion: Some(200), ..Needs::default() };
        let model = Model::new("a/b");
        assert!(needs.fit(&model));
        assert!(!needs.fit(&Model { context_length: Some(1000), ..model.clone() }));
        assert!(!needs.fit(&Model { completion_max: Some(100), ..model.clone() }));
        assert!(!needs.fit(&model.clone().parameter("seed")));
        assert!(needs.fit(&model.clone().parameter("tools")));
        assert!(!needs.fit(&Model { outputs: vec!["image".into()], ..model }));
    }
}
