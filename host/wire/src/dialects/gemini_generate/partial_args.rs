//! Tool arguments that arrive in pieces (`partialArgs`): each names a JSON path and a value, and
//! texts may go on in the next piece. They become one object.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::error::ReadError;

use super::fields::{Fields, shorten, under};

/// A call whose arguments are still arriving.
#[derive(Debug, Clone)]
pub(super) struct OpenCall {
    /// Its position among the choice's calls.
    pub(super) index: u16,
    /// Its name.
    pub(super) id: String,
    /// Which function.
    pub(super) name: String,
    args: Value,
    going_on: Vec<String>,
}

impl OpenCall {
    /// A call that begins, with the arguments that came at once.
    pub(super) fn new(
        index: u16,
        id: String,
        name: String,
        args: Option<&RawValue>,
    ) -> Result<Self, ReadError> {
        let args = args.map_or(Ok(Value::Object(Map::new())), |raw| {
            serde_json::from_str(raw.get())
                .map_err(|_| ReadError::new("args", "an object", shorten(raw.get())))
        })?;
        Ok(Self { index, id, name, args, going_on: Vec::new() })
    }

    /// Takes the next pieces of a `functionCall`.
    pub(super) fn take(&mut self, call: &Fields<'_>) -> Result<(), ReadError> {
        for (at, piece) in call.objects("partialArgs")?.iter().enumerate() {
            self.piece(piece).map_err(|error| under(error, &format!("partialArgs[{at}]")))?;
        }
        Ok(())
    }

    /// The arguments' JSON text.
    pub(super) fn arguments(&self) -> String {
        self.args.to_string()
    }

    fn piece(&mut self, piece: &Fields<'_>) -> Result<(), ReadError> {
        let path = piece.text("jsonPath")?;
        let path = path.ok_or_else(|| ReadError::new("jsonPath", "a JSON path", "nothing"))?;
        let refuse = || ReadError::new("jsonPath", "members, or elements in order", shorten(&path));
        let steps = steps(&path).ok_or_else(refuse)?;
        let goes_on = piece.flag("willContinue")?.unwrap_or(false);
        let place = walk(&mut self.args, &steps).ok_or_else(refuse)?;
        let went_on = self.going_on.iter().position(|known| *known == path);
        match (value_of(piece)?, went_on, &mut *place) {
            (Some(Value::String(more)), Some(_), Value::String(text)) => text.push_str(&more),
            (Some(value), _, _) => *place = value,
            (None, _, _) => {}
        }
        match (went_on, goes_on) {
            (None, true) => self.going_on.push(path),
            (Some(at), false) => {
                self.going_on.swap_remove(at);
            }
            (None, false) | (Some(_), true) => {}
        }
        Ok(())
    }
}

fn value_of(piece: &Fields<'_>) -> Result<Option<Value>, ReadError> {
    if let Some(text) = piece.text("stringValue")? {
        return Ok(Some(Value::String(text)));
    }
    if let Some(flag) = piece.flag("boolValue")? {
        return Ok(Some(Value::Bool(flag)));
    }
    if let Some(raw) = piece.raw("numberValue") {
        let number = serde_json::from_str(raw.get());
        let number =
            number.map_err(|_| ReadError::new("numberValue", "a number", shorten(raw.get())))?;
        return Ok(Some(Value::Number(number)));
    }
    // Sent as the enum's name, "NULL_VALUE".
    Ok(piece.raw("nullValue").map(|_| Value::Null))
}

/// One step down.
#[derive(Debug, PartialEq)]
enum Step {
    Member(String),
    Element(usize),
}

/// Splits `$.a['b c'][0]`; `None` for what is not a path to one place.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if steps.len() == DEPTH_MAX {
            return None;
        }
        let step = if let Some(tail) = rest.strip_prefix('.') {
            let end = tail.find(['.', '[']).unwrap_or(tail.len());
            let (name, tail) = tail.split_at(end);
            rest = tail;
            Step::Member((!name.is_empty() && name != "*").then(|| name.to_owned())?)
        } else {
            let tail = rest.strip_prefix('[')?;
            match tail.chars().next()? {
                quote @ ('\'' | '"') => {
                    let (name, tail) = quoted(tail, quote)?;
                    rest = tail.strip_prefix(']')?;
                    Step::Member(name)
                }
                _ => {
                    let (digits, tail) = tail.split_once(']')?;
                    rest = tail;
                    Step::Element(digits.parse().ok()?)
                }
            }
        };
        steps.push(step);
    }
    Some(steps)
}

fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => name.push(letters.next()?.1),
            letter if letter == quote => {
                return Some((name, text.get(at + letter.len_utf8()..)?));
            }
            letter => name.push(letter),
        }
    }
    None
}

/// The place that the steps lead to, made where it is missing. Elements come in order, so that no
/// path can ask for a list with millions of holes.
fn walk<'a>(mut place: &'a mut Value, steps: &[Step]) -> Option<&'a mut Value> {
    for step in steps {
        place = match step {
            Step::Member(name) => {
                if place.is_null() {
                    *place = Value::Object(Map::new());
                }
                place.as_object_mut()?.entry(name.as_str()).or_insert(Value::Null)
            }
            Step::Element(at) => {
                if place.is_null() {
                    *place = Value::Array(Vec::new());
                }
                let elements = place.as_array_mut()?;
                if *at == elements.len() {
                    elements.push(Value::Null);
                }
                elements.get_mut(*at)?
            }
        };
    }
    Some(place)
}

/// How deep arguments may be nested: what JSON readers take.
const DEPTH_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn assembled(pieces: &[&str]) -> Result<String, ReadError> {
        let mut call = OpenCall::new(0, "id".to_owned(), "f".to_owned(), None)?;
        for piece in pieces {
            let text = format!(r#"{{"partialArgs":[{piece}],"willContinue":true}}"#);
            call.take(&Fields::parse(&text)?)?;
        }
        Ok(call.arguments())
    }

    #[test]
    fn pieces_of_every_kind_become_one_object() {
        let pieces = [
            r#"{"jsonPath":"$.town","stringValue":"San ","willContinue":true}"#,
            r#"{"jsonPath":"$.days","numberValue":2}"#,
            r#"{"jsonPath":"$.town","stringValue":"Fran","willContinue":true}"#,
            r#"{"jsonPath":"$.town","stringValue":"cisco"}"#,
            r#"{"jsonPath":"$.list[0].a","boolValue":true}"#,
            r#"{"jsonPath":"$.list[1]['b.\\'c']","nullValue":"NULL_VALUE"}"#,
        ];
        let expected = r#"{"town":"San Francisco","days":2,"list":[{"a":true},{"b.'c":null}]}"#;
        assert_eq!(assembled(&pieces).unwrap(), expected);
    }

    #[test]
    fn a_text_that_is_finished_is_replaced() {
        let piece = r#"{"jsonPath":"$.a","stringValue":"x"}"#;
        assert_eq!(assembled(&[piece, piece]).unwrap(), r#"{"a":"x"}"#);
    }

    #[test]
    fn paths_that_lead_nowhere_are_errors() {
        for path in ["", "a", "$.", "$.a[9]", "$[*]", "$['a", "$.a[99999999999999999999]", "$[0]"] {
            let piece = format!(r#"{{"jsonPath":"{path}","boolValue":true}}"#);
            let error = assembled(&[&piece]).unwrap_err();
            assert_eq!(error.path, "partialArgs[0].jsonPath", "{path}");
        }
        let deep = format!(r#"{{"jsonPath":"${}","boolValue":true}}"#, ".a".repeat(101));
        assert!(assembled(&[&deep]).is_err());
    }
}
