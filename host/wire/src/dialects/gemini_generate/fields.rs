//! Google's JSON, read field by field: names in either case (`inlineData`, `inline_data`), whole
//! numbers as numbers or as text, and errors that know their path. It knows no field by name.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::ReadError;
use crate::json::Object;

/// An object whose keys are looked up in camel case. `null` counts as absent.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a>(Object<'a>);

impl<'a> Fields<'a> {
    /// Splits a text; the error's path is empty.
    pub(super) fn parse(text: &'a str) -> Result<Self, ReadError> {
        let mut object =
            Object::parse(text).map_err(|_| ReadError::new("", "an object", shorten(text)))?;
        for (key, _) in &mut object.0 {
            if key.contains('_') {
                *key = Cow::Owned(camel(key));
            }
        }
        Ok(Self(object))
    }

    /// The value of a key.
    pub(super) fn raw(&self, key: &str) -> Option<&'a RawValue> {
        self.0.field(key).filter(|raw| raw.get() != "null")
    }

    /// Every key in camel case with its value, `null` left out.
    pub(super) fn each(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0
            .0
            .iter()
            .map(|(key, raw)| (key.as_ref(), *raw))
            .filter(|(_, raw)| raw.get() != "null")
    }

    /// The keys that are not among those named.
    pub(super) fn others(&self, known: &[&str]) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.each().filter(|(key, _)| !known.contains(key))
    }

    /// A text.
    pub(super) fn text(&self, key: &str) -> Result<Option<String>, ReadError> {
        self.typed(key, "a text")
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, ReadError> {
        self.typed(key, "true or false")
    }

    /// Any number.
    pub(super) fn number(&self, key: &str) -> Result<Option<f64>, ReadError> {
        self.typed(key, "a number")
    }

    /// A whole number, also as text: protobuf writes 64 bits that way.
    pub(super) fn integer<T>(&self, key: &str) -> Result<Option<T>, ReadError>
    where
        T: std::str::FromStr,
    {
        let Some(raw) = self.raw(key) else { return Ok(None) };
        let digits = raw.get().trim_matches('"');
        let digits = digits.strip_suffix(".0").unwrap_or(digits);
        match digits.parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(ReadError::new(key, "a whole number in range", shorten(raw.get()))),
        }
    }

    /// An object.
    pub(super) fn object(&self, key: &str) -> Result<Option<Self>, ReadError> {
        let Some(raw) = self.raw(key) else { return Ok(None) };
        Self::parse(raw.get()).map(Some).map_err(|error| under(error, key))
    }

    /// A list; empty when it is absent. A lone object counts as a list of one, as it does at
    /// Google.
    pub(super) fn list(&self, key: &str) -> Result<Vec<&'a RawValue>, ReadError> {
        let Some(raw) = self.raw(key) else { return Ok(Vec::new()) };
        if raw.get().starts_with('{') {
            return Ok(vec![raw]);
        }
        serde_json::from_str(raw.get())
            .map_err(|_| ReadError::new(key, "a list", shorten(raw.get())))
    }

    /// A list of objects.
    pub(super) fn objects(&self, key: &str) -> Result<Vec<Self>, ReadError> {
        let objects = self.list(key)?.into_iter().enumerate().map(|(at, raw)| {
            Self::parse(raw.get()).map_err(|error| under(error, &format!("{key}[{at}]")))
        });
        objects.collect()
    }

    /// A list of texts.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<String>, ReadError> {
        Ok(self.typed(key, "a list of texts")?.unwrap_or_default())
    }

    /// A list of numbers; empty when it is absent.
    pub(super) fn numbers(&self, key: &str) -> Result<Vec<f32>, ReadError> {
        Ok(self.typed(key, "a list of numbers")?.unwrap_or_default())
    }

    fn typed<T: Deserialize<'a>>(&self, key: &str, expected: &str) -> Result<Option<T>, ReadError> {
        let Some(raw) = self.raw(key) else { return Ok(None) };
        match serde_json::from_str(raw.get()) {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(ReadError::new(key, expected, shorten(raw.get()))),
        }
    }
}

/// The error, its path seen from one level further up.
pub(super) fn under(mut error: ReadError, parent: &str) -> ReadError {
    error.path = match error.path.as_str() {
        "" => parent.to_owned(),
        path => format!("{parent}.{path}"),
    };
    error
}

/// The start of a text, for an error.
pub(super) fn shorten(text: &str) -> String {
    let mut start: String = text.chars().take(FOUND_CHARS_MAX).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
}

fn camel(key: &str) -> String {
    let mut words = key.split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

const FOUND_CHARS_MAX: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_either_case() {
        let fields = Fields::parse(r#"{"inline_data":{"mime_type":"a/b"},"topK":"3"}"#).unwrap();
        let inline = fields.object("inlineData").unwrap().unwrap();
        assert_eq!(inline.text("mimeType").unwrap().as_deref(), Some("a/b"));
        assert_eq!(fields.integer::<u32>("topK").unwrap(), Some(3));
    }

    #[test]
    fn errors_name_the_path_and_what_was_found() {
        let fields = Fields::parse(r#"{"parts":[{},7]}"#).unwrap();
        let error = fields.objects("parts").unwrap_err();
        assert_eq!(error.to_string(), "parts[1]: expected an object, found 7");
        let error = Fields::parse(r#"{"topK":-1}"#).unwrap().integer::<u32>("topK").unwrap_err();
        assert_eq!(error.path, "topK");
    }
}
