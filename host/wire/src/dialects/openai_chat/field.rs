//! A client's JSON value with the way to it, so that every error can name its place. The path is
//! written only when something is wrong.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::reply_read::excerpt;
use crate::error::ReadError;
use crate::json::{Json, Object};

/// A value and where it stands.
#[derive(Debug, Clone, Copy)]
pub(in crate::dialects) struct At<'p, 'a> {
    raw: &'a RawValue,
    step: Step<'p>,
    up: Option<&'p Self>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'p> {
    Key(&'p str),
    Index(usize),
}

impl<'p, 'a> At<'p, 'a> {
    /// A top-level field.
    pub(in crate::dialects) fn top(key: &'p str, raw: &'a RawValue) -> Self {
        Self { raw, step: Step::Key(key), up: None }
    }

    /// A field of this object.
    pub(in crate::dialects) fn key<'c>(&'c self, key: &'c str, raw: &'a RawValue) -> At<'c, 'a> {
        At { raw, step: Step::Key(key), up: Some(self) }
    }

    /// An element of this list.
    pub(in crate::dialects) fn index<'c>(&'c self, index: usize, raw: &'a RawValue) -> At<'c, 'a> {
        At { raw, step: Step::Index(index), up: Some(self) }
    }

    /// Whether it is `null`, which stands for an absent field.
    pub(in crate::dialects) fn is_null(&self) -> bool {
        self.raw.get() == "null"
    }

    /// Whether it is a string.
    pub(in crate::dialects) fn is_text(&self) -> bool {
        self.raw.get().starts_with('"')
    }

    /// What it begins with, which tells its kind.
    pub(super) fn first_byte(&self) -> u8 {
        self.raw.get().bytes().next().unwrap_or_default()
    }

    /// The text as it stands.
    pub(in crate::dialects) fn json(&self) -> Json {
        Json::from(self.raw)
    }

    /// A string.
    pub(in crate::dialects) fn text(&self) -> Result<String, ReadError> {
        self.read("a string")
    }

    /// `true` or `false`.
    pub(in crate::dialects) fn boolean(&self) -> Result<bool, ReadError> {
        self.read("true or false")
    }

    /// A whole number that fits the type.
    pub(in crate::dialects) fn whole<T: Deserialize<'a>>(&self) -> Result<T, ReadError> {
        self.read("a whole number")
    }

    /// A number from `least` to `most`.
    pub(in crate::dialects) fn number(&self, least: f64, most: f64) -> Result<f64, ReadError> {
        let number: f64 = self.read("a number")?;
        if (least..=most).contains(&number) {
            return Ok(number);
        }
        Err(self.error(match most {
            f64::MAX => format!("a number of at least {least}"),
            _ => format!("a number from {least} to {most}"),
        }))
    }

    /// A list's elements.
    pub(in crate::dialects) fn list(&self) -> Result<Vec<&'a RawValue>, ReadError> {
        self.read("a list")
    }

    /// An object's fields. A field that stands twice is an error: its readers would not agree on
    /// which one counts.
    pub(in crate::dialects) fn object(&self) -> Result<Object<'a>, ReadError> {
        let object: Object<'a> = self.read("an object")?;
        match repeated(&object) {
            Some(key) => Err(twice(format!("{}.{key}", self.path()))),
            None => Ok(object),
        }
    }

    /// The error that something else was expected here.
    pub(in crate::dialects) fn error(&self, expected: impl Into<String>) -> ReadError {
        ReadError::new(self.path(), expected, excerpt(self.raw.get().as_bytes()))
    }

    /// The error that a field of this object is absent.
    pub(in crate::dialects) fn missing(&self, key: &str, expected: impl Into<String>) -> ReadError {
        ReadError::new(format!("{}.{key}", self.path()), expected, "nothing")
    }

    fn read<T: Deserialize<'a>>(&self, expected: &str) -> Result<T, ReadError> {
        serde_json::from_str(self.raw.get()).map_err(|_| self.error(expected))
    }

    fn path(&self) -> String {
        let mut path = self.up.map(At::path).unwrap_or_default();
        match self.step {
            Step::Key(key) if path.is_empty() => path.push_str(key),
            Step::Key(key) => {
                path.push('.');
                path.push_str(key);
            }
            Step::Index(index) => path.push_str(&format!("[{index}]")),
        }
        path
    }
}

/// A top-level object's repeated field.
pub(in crate::dialects) fn refuse_repeated(object: &Object<'_>) -> Result<(), ReadError> {
    match repeated(object) {
        Some(key) => Err(twice(key.to_owned())),
        None => Ok(()),
    }
}

fn repeated<'o>(object: &'o Object<'_>) -> Option<&'o str> {
    let mut keys: Vec<&str> = object.0.iter().map(|(key, _)| &**key).collect();
    keys.sort_unstable();
    keys.windows(2).find_map(|pair| match pair {
        [left, right] if left == right => Some(*left),
        _ => None,
    })
}

fn twice(path: String) -> ReadError {
    ReadError::new(path, "the field once", "it twice")
}
