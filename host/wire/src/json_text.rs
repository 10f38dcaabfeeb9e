//! JSON as text: values are split and joined without being parsed into trees, so that what is not
//! understood keeps its bytes.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::ReadError;
use crate::json::{Json, Object};

/// Writes one object, field by field.
#[derive(Debug)]
pub(crate) struct ObjectWriter<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
}

impl<'a> ObjectWriter<'a> {
    /// Opens an object at the end of `out`.
    pub(crate) fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, is_empty: true }
    }

    /// Writes a key; the value is appended to what is returned.
    pub(crate) fn key(&mut self, key: &str) -> &mut Vec<u8> {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
        write_value(self.out, key);
        self.out.push(b':');
        self.out
    }

    /// Writes a field.
    pub(crate) fn field(&mut self, key: &str, value: &(impl Serialize + ?Sized)) {
        write_value(self.key(key), value);
    }

    /// Writes a field whose value is JSON text already.
    pub(crate) fn raw(&mut self, key: &str, value: &str) {
        self.key(key).extend_from_slice(value.as_bytes());
    }

    /// Writes a field unless there is no value.
    pub(crate) fn some(&mut self, key: &str, value: Option<&(impl Serialize + ?Sized)>) {
        if let Some(value) = value {
            self.field(key, value);
        }
    }

    /// Closes the object.
    pub(crate) fn close(self) {
        self.out.push(b'}');
    }
}

/// Writes an array: the closure writes one item.
pub(crate) fn write_array<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (position, item) in items.into_iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

/// Writes a value; what JSON has no form for (an infinite number) becomes `null`.
pub(crate) fn write_value(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    let before = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(before);
        out.extend_from_slice(b"null");
    }
}

/// One object as a value of its own.
pub(crate) fn object(fill: impl FnOnce(&mut ObjectWriter<'_>)) -> Json {
    let mut out = Vec::new();
    let mut writer = ObjectWriter::open(&mut out);
    fill(&mut writer);
    writer.close();
    String::from_utf8(out).ok().and_then(|text| Json::parse(text).ok()).unwrap_or_else(Json::null)
}

/// Reads a value as a type, or says what should have stood at the path.
pub(crate) fn read<'a, T: Deserialize<'a>>(
    value: &'a RawValue,
    path: &str,
    expected: &str,
) -> Result<T, ReadError> {
    serde_json::from_str(value.get())
        .map_err(|_| ReadError::new(path, expected, shorten(value.get())))
}

/// Reads a field that must be there.
pub(crate) fn required<'a, T: Deserialize<'a>>(
    object: &Object<'a>,
    key: &str,
    path: &str,
    expected: &str,
) -> Result<T, ReadError> {
    match object.field(key) {
        Some(value) => read(value, &format!("{path}.{key}"), expected),
        None => Err(ReadError::new(format!("{path}.{key}"), expected, "nothing")),
    }
}

/// A field, unless it is absent or `null`.
pub(crate) fn present<'a>(object: &Object<'a>, key: &str) -> Option<&'a RawValue> {
    object.field(key).filter(|value| value.get() != "null")
}

/// A value as a value of its own.
pub(crate) fn keep(value: &RawValue) -> Json {
    Json::of(&value)
}

/// A text field of an object, if it is one.
pub(crate) fn text_of(object: &Object<'_>, key: &str) -> Option<String> {
    object.field(key).and_then(|value| serde_json::from_str(value.get()).ok())
}

/// The beginning of a text, for error messages.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(FOUND_CHARS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The arguments of a tool call as the object that this dialect wants: nothing is `{}`, and text
/// that is not a JSON object is carried under the key that Anthropic's guide proposes for it.
pub(crate) fn input_of(arguments: &str) -> std::borrow::Cow<'_, str> {
    let trimmed = arguments.trim();
    if trimmed.is_empty() {
        return "{}".into();
    }
    if Object::parse(trimmed).is_ok() {
        return trimmed.into();
    }
    let mut out = Vec::new();
    let mut writer = ObjectWriter::open(&mut out);
    writer.field("INVALID_JSON", arguments);
    writer.close();
    String::from_utf8(out).unwrap_or_else(|_| "{}".to_owned()).into()
}

/// How much of a wrong value an error shows.
const FOUND_CHARS_MAX: usize = 60;
