//! What is written: contents and their parts, the same in requests and replies.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::json::Json;

/// One turn.
#[derive(Debug, Serialize)]
pub(super) struct ContentOut<'a> {
    /// Its parts, in order.
    pub(super) parts: Vec<PartOut<'a>>,
    /// `user` or `model`; a system instruction has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<&'static str>,
}

/// One part.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum PartOut<'a> {
    /// As it came.
    Whole(Cow<'a, Json>),
    /// Made here.
    Built(Box<Built<'a>>),
}

impl<'a> PartOut<'a> {
    /// Words.
    pub(super) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Built { text: Some(text.into()), ..Built::default() }.into()
    }

    /// A signature that stands on no other part: an empty text carries it.
    pub(super) fn signature(signature: impl Into<Cow<'a, str>>) -> Self {
        let signature = Some(signature.into());
        Built { text: Some("".into()), thought_signature: signature, ..Built::default() }.into()
    }

    /// The part, if it was made here.
    pub(super) fn built(&mut self) -> Option<&mut Built<'a>> {
        match self {
            Self::Built(built) => Some(built),
            Self::Whole(_) => None,
        }
    }
}

impl<'a> PartOut<'a> {
    /// The part, if a signature without a call may stand on it.
    pub(super) fn bearer(&mut self) -> Option<&mut Built<'a>> {
        self.built().filter(|built| {
            let is_said = built.text.is_some() && built.thought.is_none();
            let can_bear = is_said || built.inline_data.is_some() || built.file_data.is_some();
            can_bear && built.thought_signature.is_none()
        })
    }

    /// The signature, if the part is nothing else.
    fn lone_signature(&mut self) -> Option<Cow<'a, str>> {
        let built = self.built()?;
        let is_empty = built.text.as_deref() == Some("") && built.thought.is_none();
        is_empty.then(|| built.thought_signature.take()).flatten()
    }
}

/// Signatures that came before what they sign, as a folded reply and chat clients tell them: they
/// belong to what is said last, or to an empty text of their own.
pub(super) fn settle<'a>(
    loose: impl IntoIterator<Item = Cow<'a, str>>,
    parts: &mut Vec<PartOut<'a>>,
) {
    for data in loose {
        match parts.iter_mut().rev().find_map(PartOut::bearer) {
            Some(bearer) => bearer.thought_signature = Some(data),
            None => parts.push(PartOut::signature(data)),
        }
    }
}

/// [`settle`] for the signatures that stand alone among the parts.
pub(super) fn settle_lone(parts: &mut Vec<PartOut<'_>>) {
    let mut loose = Vec::new();
    parts.retain_mut(|part| match part.lone_signature() {
        Some(data) => {
            loose.push(data);
            false
        }
        None => true,
    });
    settle(loose, parts);
}

impl<'a> From<Built<'a>> for PartOut<'a> {
    fn from(built: Built<'a>) -> Self {
        Self::Built(Box::new(built))
    }
}

/// A part's fields. One of the kinds is set, with what may stand beside it.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Built<'a> {
    /// Words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Cow<'a, str>>,
    /// Whether the words are thought.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thought: Option<bool>,
    /// Bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) inline_data: Option<Blob<'a>>,
    /// Bytes elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_data: Option<File<'a>>,
    /// A tool call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function_call: Option<Call<'a>>,
    /// A tool's answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function_response: Option<Answer<'a>>,
    /// What the model must get back with this part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thought_signature: Option<Cow<'a, str>>,
}

/// Bytes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Blob<'a> {
    /// MIME type.
    pub(super) mime_type: Cow<'a, str>,
    /// Base64.
    pub(super) data: Cow<'a, str>,
    /// File name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) display_name: Option<&'a str>,
}

/// Bytes elsewhere.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct File<'a> {
    /// MIME type, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mime_type: Option<&'static str>,
    /// Where.
    pub(super) file_uri: Cow<'a, str>,
}

/// A tool call.
#[derive(Debug, Serialize)]
pub(super) struct Call<'a> {
    /// Its name, where the model gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Cow<'a, str>>,
    /// Which function.
    pub(super) name: Cow<'a, str>,
    /// The arguments' own text.
    pub(super) args: Cow<'a, RawValue>,
}

/// A tool's answer.
#[derive(Debug, Serialize)]
pub(super) struct Answer<'a> {
    /// The call's name, where the model gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<&'a str>,
    /// Which function.
    pub(super) name: &'a str,
    /// An object.
    pub(super) response: Json,
    /// What is not text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<PartOut<'a>>,
    /// The call's position in the conversation: answers are put into the order of their calls.
    #[serde(skip)]
    pub(super) position: usize,
}

/// The JSON object in a call's arguments; `{}` for an empty text, `None` for anything else.
pub(super) fn arguments(text: &str) -> Option<&RawValue> {
    let text = if text.trim().is_empty() { "{}" } else { text };
    serde_json::from_str::<&RawValue>(text).ok().filter(|raw| raw.get().starts_with('{'))
}

/// A JSON object under construction.
#[derive(Debug, Default)]
pub(super) struct Draft(pub(super) Vec<(String, Json)>);

impl Draft {
    /// Sets a field unless it is set.
    pub(super) fn put(&mut self, key: &str, value: &impl Serialize) {
        if !self.0.iter().any(|(known, _)| known == key) {
            self.0.push((key.to_owned(), Json::of(value)));
        }
    }

    /// Sets a field, if there is a value.
    pub(super) fn maybe(&mut self, key: &str, value: Option<&impl Serialize>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }
}

impl Serialize for Draft {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}
