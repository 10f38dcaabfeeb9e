//! Whether a value fits a JSON Schema: the keywords of drafts 7 to 2020-12 that say something about
//! one value. A schema that says more (`unevaluatedProperties`, references to elsewhere) is refused
//! when it is read, so that nothing passes for checked that is not.
//!
//! Why ours: all plugins together have 8 MB. `jsonschema` is 2.5 MB of wasm and `boon` 1.4 MB, most
//! of it formats, URLs and Unicode tables of their regular expressions. The tests hold this one
//! against `jsonschema`.

pub(crate) mod keywords;
mod read;
#[cfg(test)]
mod tests;

use regex_lite::Regex;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// A schema that was read.
#[derive(Debug)]
pub(crate) struct Schema {
    root: Value,
    patterns: HashMap<String, Regex>,
}

/// What became of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fit {
    Fits,
    /// Where it does not fit, as a JSON pointer, and the keyword that says so.
    Misfit {
        path: String,
        keyword: String,
    },
    /// It takes too long to tell.
    Unknown,
}

impl Schema {
    /// Reads a schema's text.
    ///
    /// # Errors
    /// Why it can't be checked, in words.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let root: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let patterns = read::patterns(&root)?;
        Ok(Self { root, patterns })
    }

    pub(crate) fn check(&self, value: &Value) -> Fit {
        let mut check = Check { schema: self, steps: STEPS_MAX, depth: 0 };
        match check.fits(&self.root, value) {
            Ok(()) => Fit::Fits,
            Err(Misfit::TooMuch) => Fit::Unknown,
            Err(Misfit::At { mut path, keyword }) => {
                path.reverse();
                let path = path.iter().map(|part| format!("/{part}")).collect();
                Fit::Misfit { path, keyword }
            }
        }
    }

    /// The only keys that the outermost object may have, if the schema says so plainly.
    pub(crate) fn keys(&self) -> Option<BTreeSet<String>> {
        if self.root.get("additionalProperties") != Some(&Value::Bool(false)) {
            return None;
        }
        let is_plain =
            ["$ref", "patternProperties"].iter().all(|name| self.root.get(name).is_none());
        let properties = self.root.get("properties")?.as_object()?;
        is_plain.then(|| properties.keys().cloned().collect())
    }

    /// Whether only objects fit, if the schema says so plainly.
    pub(crate) fn wants_object(&self) -> bool {
        self.root.get("type").is_some_and(|name| name == "object")
    }

    /// Whether a string as a whole may fit.
    pub(crate) fn allows_text(&self) -> bool {
        !matches!(self.check(&Value::String(String::new())),
            Fit::Misfit { path, keyword } if path.is_empty() && keyword == "type")
    }
}

/// One check of one value.
struct Check<'a> {
    schema: &'a Schema,
    /// How many keywords may still be looked at.
    steps: u32,
    depth: u32,
}

enum Misfit {
    /// The path is innermost first.
    At {
        path: Vec<String>,
        keyword: String,
    },
    TooMuch,
}

type Fits = Result<(), Misfit>;

impl Misfit {
    fn of(keyword: &str) -> Self {
        Self::At { path: Vec::new(), keyword: keyword.into() }
    }

    fn below(self, part: &impl ToString) -> Self {
        match self {
            Self::TooMuch => Self::TooMuch,
            Self::At { mut path, keyword } => {
                path.push(part.to_string());
                Self::At { path, keyword }
            }
        }
    }
}

impl Check<'_> {
    /// Whether `value` fits `schema`.
    fn fits(&mut self, schema: &Value, value: &Value) -> Fits {
        self.depth = self.depth.saturating_add(1);
        let fits = if self.depth > DEPTH_MAX {
            Err(Misfit::TooMuch)
        } else {
            self.fits_all(schema, value)
        };
        self.depth = self.depth.saturating_sub(1);
        fits
    }

    fn fits_all(&mut self, schema: &Value, value: &Value) -> Fits {
        let fields = match schema {
            Value::Bool(true) => return Ok(()),
            Value::Object(fields) => fields,
            _ => return Err(Misfit::of("false")),
        };
        for (keyword, wanted) in fields {
            self.steps = self.steps.checked_sub(1).ok_or(Misfit::TooMuch)?;
            self.keyword(keyword, wanted, fields, value)?;
        }
        Ok(())
    }

    /// Whether it fits, where not fitting is no failure.
    fn would_fit(&mut self, schema: &Value, value: &Value) -> Result<bool, Misfit> {
        match self.fits(schema, value) {
            Ok(()) => Ok(true),
            Err(Misfit::At { .. }) => Ok(false),
            Err(Misfit::TooMuch) => Err(Misfit::TooMuch),
        }
    }
}

/// Work that a check may be, so that no schema makes it endless.
const STEPS_MAX: u32 = 200_000;
const DEPTH_MAX: u32 = 200;
