//! What in a request enables a plugin, beside its id in `plugins`: `suffix=online`,
//! `model=openrouter/auto`, `tool=openrouter:web_search`, `field=web_search_options`, `media=file`,
//! `context=8192`.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;

use serde_json::value::RawValue;
use wire::{Content, Json, MediaKind, Request, Tool};

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// A suffix of the model's name, without the colon.
    Suffix(String),
    /// The model's name.
    Model(String),
    /// The `type` of one of the request's tools.
    Tool(String),
    /// A field of the body that the host does not model.
    Field(String),
    /// A part of this kind.
    Media(MediaKind),
    /// A model whose context has no more tokens.
    Context(u64),
}

/// What of a request may enable plugins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signs<'a> {
    /// The suffixes of its model's name.
    pub(crate) suffixes: &'a [String],
    /// The name without them.
    pub(crate) model: &'a str,
    /// The model's context in tokens, where it is known.
    pub(crate) context: Option<u64>,
    /// The request itself.
    pub(crate) request: &'a Request,
}

/// Whose the triggers are. Made once for all requests; what names a plugin is found by the name.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    suffixes: HashMap<String, String>,
    models: HashMap<String, String>,
    tools: HashMap<String, String>,
    /// The others, which are tried on each request.
    rest: Vec<(Trigger, String)>,
}

impl Index {
    /// Of triggers and the ids of their plugins.
    pub(super) fn of<'a>(triggers: impl Iterator<Item = (&'a Trigger, &'a str)>) -> Self {
        let mut index = Self::default();
        for (trigger, id) in triggers {
            let (names, name) = match trigger {
                Trigger::Suffix(suffix) => (&mut index.suffixes, suffix),
                Trigger::Model(model) => (&mut index.models, model),
                Trigger::Tool(kind) => (&mut index.tools, kind),
                Trigger::Field(_) | Trigger::Media(_) | Trigger::Context(_) => {
                    index.rest.push((trigger.clone(), id.to_owned()));
                    continue;
                }
            };
            names.insert(name.clone(), id.to_owned());
        }
        index
    }

    /// The plugin that a suffix enables.
    pub(super) fn of_suffix(&self, suffix: &str) -> Option<&str> {
        self.suffixes.get(suffix).map(String::as_str)
    }

    /// The plugin that a model's name stands for.
    pub(super) fn of_model(&self, name: &str) -> Option<&str> {
        self.models.get(name).map(String::as_str)
    }

    /// The plugin that a type of tool stands for.
    pub(super) fn of_tool(&self, kind: &str) -> Option<&str> {
        self.tools.get(kind).map(String::as_str)
    }

    /// The types of tools that stand for plugins.
    pub(super) fn tools(&self) -> impl Iterator<Item = &str> {
        self.tools.keys().map(String::as_str)
    }

    /// The ids of the plugins that a request enables, in order. Those that are `off` only if it
    /// names them.
    pub(super) fn enabled(&self, signs: &Signs<'_>, off: impl Fn(&str) -> bool) -> Vec<String> {
        let suffixes = signs.suffixes.iter().filter_map(|suffix| self.of_suffix(suffix));
        let tools = signs.request.tools.iter().filter_map(|tool| match tool {
            Tool::Other(other) => self.of_tool(&kind_of(&other.json)?),
            Tool::Function { .. } => None,
        });
        let rest = self.rest.iter().filter(|(trigger, id)| !off(id) && trigger.fits(signs));
        let rest = rest.map(|(_, id)| id.as_str());
        let all = suffixes.chain(self.of_model(signs.model)).chain(tools).chain(rest);
        all.collect::<BTreeSet<_>>().into_iter().map(str::to_owned).collect()
    }
}

impl Trigger {
    /// Whether a request has what enables the plugin. Names are found in the [`Index`].
    fn fits(&self, signs: &Signs<'_>) -> bool {
        let request = signs.request;
        match self {
            Self::Suffix(_) | Self::Model(_) | Self::Tool(_) => false,
            Self::Field(name) => {
                let fields = request.extra.fields.iter().chain(&request.controls.rest);
                fields.into_iter().any(|(known, json)| known == name && says_something(json))
            }
            Self::Media(kind) => {
                let mut parts = request.messages.iter().flat_map(|message| &message.parts);
                parts.any(|part| has_medium(&part.content, *kind))
            }
            Self::Context(most) => signs.context.is_some_and(|tokens| tokens <= *most),
        }
    }

    /// Whether it names the plugin, as good as by its id: then only one may have it, and a request
    /// that can't have the plugin is refused.
    pub(super) fn is_name(&self) -> bool {
        matches!(self, Self::Suffix(_) | Self::Model(_) | Self::Tool(_))
    }

    /// The type of the tool that it is.
    pub(super) fn tool(&self) -> Option<&str> {
        match self {
            Self::Tool(kind) => Some(kind),
            _ => None,
        }
    }
}

/// Whether a field says more than that there is nothing (`"transforms": []` switches them off).
fn says_something(json: &Json) -> bool {
    !matches!(json.as_str().trim(), "null" | "false" | "[]")
}

fn has_medium(content: &Content, kind: MediaKind) -> bool {
    match content {
        Content::Media(media) => media.kind == kind,
        Content::ToolResult { parts, .. } => {
            parts.iter().any(|part| has_medium(&part.content, kind))
        }
        _ => false,
    }
}

/// The `type` of a tool that is no function.
pub(crate) fn kind_of(json: &Json) -> Option<String> {
    let fields: std::collections::BTreeMap<String, &RawValue> = json.read().ok()?;
    serde_json::from_str(fields.get("type")?.get()).ok()
}

impl FromStr for Trigger {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shown = text.escape_debug();
        let Some((name, what)) = text.split_once('=').filter(|(_, what)| !what.is_empty()) else {
            return Err(format!("trigger `{shown}` is none: write `suffix=online`"));
        };
        if what.len() > BYTES_MAX || what.chars().any(|letter| letter.is_control()) {
            return Err(format!(
                "trigger `{shown}` is none: use at most {BYTES_MAX} bytes of text"
            ));
        }
        let word = || what.to_owned();
        Ok(match name {
            "suffix" if is_suffix(what) => Self::Suffix(word()),
            "suffix" => {
                let rule = "use 1 to 32 lower-case letters, digits and `-`";
                return Err(format!("suffix `{}` is none: {rule}", what.escape_debug()));
            }
            "model" => Self::Model(word()),
            "tool" => Self::Tool(word()),
            "field" => Self::Field(word()),
            "media" => Self::Media(media(what).ok_or_else(|| {
                format!("trigger `{shown}` is none: media are image, audio, video and file")
            })?),
            "context" => Self::Context(what.parse().map_err(|_| {
                format!("trigger `{shown}` is none: a context is a number of tokens")
            })?),
            _ => {
                let known = "suffix, model, tool, field, media and context";
                return Err(format!("trigger `{shown}` is none: there are {known}"));
            }
        })
    }
}

fn is_suffix(word: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    word.len() <= SUFFIX_BYTES_MAX && !word.starts_with('-') && word.bytes().all(is_letter)
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Suffix(word) => write!(f, "suffix={word}"),
            Self::Model(word) => write!(f, "model={word}"),
            Self::Tool(word) => write!(f, "tool={word}"),
            Self::Field(word) => write!(f, "field={word}"),
            Self::Media(kind) => write!(f, "media={}", media_name(*kind)),
            Self::Context(tokens) => write!(f, "context={tokens}"),
        }
    }
}

fn media(name: &str) -> Option<MediaKind> {
    MEDIA.into_iter().find(|kind| media_name(*kind) == name)
}

fn media_name(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image",
        MediaKind::Audio => "audio",
        MediaKind::Video => "video",
        MediaKind::File => "file",
    }
}

const MEDIA: [MediaKind; 4] =
    [MediaKind::Image, MediaKind::Audio, MediaKind::Video, MediaKind::File];

const BYTES_MAX: usize = 200;
const SUFFIX_BYTES_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use wire::{Extra, Media, MediaData, Message, Other, Part, Role};

    use super::*;

    #[test]
    fn every_trigger_is_read_as_it_is_shown_and_what_is_none_is_named() {
        for text in [
            "suffix=online",
            "model=openrouter/auto",
            "tool=openrouter:web_search",
            "field=web_search_options",
            "media=file",
            "context=8192",
        ] {
            assert_eq!(text.parse::<Trigger>().unwrap().to_string(), text);
        }
        for (text, part) in [
            ("suffix=a:b", "suffix `a:b`"),
            ("suffix=-a", "lower-case"),
            ("online", "suffix=online"),
            ("media=smell", "image, audio"),
            ("context=many", "number of tokens"),
            ("weather=fine", "there are suffix"),
        ] {
            assert!(text.parse::<Trigger>().unwrap_err().contains(part), "{text}");
        }
    }

    #[test]
    fn a_request_that_has_it_enables_and_another_does_not() {
        let json = |text: &str| Json::parse(text).unwrap();
        let file = Media {
            kind: MediaKind::File,
            data: MediaData::Url("https://example.com/a.pdf".to_owned()),
            name: None,
            detail: None,
        };
        let message = Message {
            role: Role::User,
            name: None,
            parts: vec![Part::new(Content::Media(file))],
            extra: Extra::default(),
        };
        let tool = json(r#"{"type":"openrouter:datetime"}"#);
        let full = Request {
            messages: vec![message],
            tools: vec![Tool::Other(Other { dialect: "openai-chat", json: tool })],
            extra: Extra {
                dialect: "openai-chat",
                fields: vec![("web_search_options".to_owned(), json("{}"))],
            },
            ..Request::default()
        };
        let suffixes = ["online".to_owned()];
        let with = Signs { suffixes: &suffixes, model: "a/b", context: Some(8192), request: &full };
        let empty = Request::default();
        let without = Signs { suffixes: &[], model: "a/c", context: Some(8193), request: &empty };
        for text in [
            "suffix=online",
            "model=a/b",
            "tool=openrouter:datetime",
            "field=web_search_options",
            "media=file",
            "context=8192",
        ] {
            let trigger: Trigger = text.parse().unwrap();
            let index = Index::of([(&trigger, "one"), (&trigger, "one")].into_iter());
            assert_eq!(index.enabled(&with, |_| false), ["one"], "{text}");
            assert_eq!(index.enabled(&without, |_| false), [""; 0], "{text}");
            let is_there = !index.enabled(&with, |id| id == "one").is_empty();
            assert_eq!(is_there, trigger.is_name(), "{text}, of a plugin that is off");
        }
    }
}
