//! Tool calls as models write them into their text. They are words until they are whole.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::json::Object;

/// A call that was read.
#[derive(Debug, PartialEq)]
pub(super) struct Call {
    /// The model's own name for it.
    pub(super) id: Option<String>,
    pub(super) name: String,
    /// JSON text, as the model wrote it.
    pub(super) arguments: String,
}

/// Reads JSON objects that follow each other, in a list or with `;`, `,` or nothing in between.
/// `None` unless all of it is calls.
pub(super) fn read_all(text: &str) -> Option<Vec<Call>> {
    let text = text.trim();
    if text.starts_with('[') {
        let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
        return elements
            .into_iter()
            .map(read_one)
            .collect::<Option<Vec<_>>>()
            .filter(|calls| !calls.is_empty());
    }
    let mut calls = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
        calls.push(read_one(values.next()?.ok()?)?);
        let after = rest.get(values.byte_offset()..)?;
        rest = after.trim_start_matches([';', ',']).trim_start();
        rest = rest.trim_start_matches([';', ',']).trim_start();
    }
    (!calls.is_empty()).then_some(calls)
}

/// `{"name", "arguments" or "parameters", "id"?}`.
fn read_one(value: &RawValue) -> Option<Call> {
    let fields = Object::parse(value.get()).ok()?;
    // Some models write the call as OpenAI's API has it.
    if let Some(function) = fields.field("function").filter(|raw| raw.get().starts_with('{')) {
        return read_one(function);
    }
    let text = |name: &str| {
        let raw = fields.field(name)?;
        serde_json::from_str::<Cow<'_, str>>(raw.get()).ok().map(Cow::into_owned)
    };
    let arguments = fields.field("arguments").or_else(|| fields.field("parameters"));
    let arguments = match arguments.map(RawValue::get) {
        None | Some("null") => "{}".to_owned(),
        Some(raw) if raw.starts_with('{') => raw.to_owned(),
        Some(raw) => serde_json::from_str(raw).ok()?,
    };
    let name = text("name").filter(|name| !name.is_empty())?;
    Some(Call { id: text("id").filter(|id| !id.is_empty()), name, arguments })
}

/// Whether a text that begins like this can still become a call that stands alone: an object, or a
/// list of them, whose first field is one of a call.
pub(super) fn can_begin(text: &str) -> bool {
    let text = text.trim_start();
    let text = text.strip_prefix('[').map_or(text, str::trim_start);
    let Some(inner) = text.strip_prefix('{') else { return text.is_empty() };
    let inner = inner.trim_start();
    FIRST.iter().any(|field| field.starts_with(inner) || inner.starts_with(field))
}

/// What a call begins with.
const FIRST: [&str; 6] =
    [r#""name""#, r#""type""#, r#""function""#, r#""id""#, r#""arguments""#, r#""parameters""#];
