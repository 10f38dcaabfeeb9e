//! Arguments, read strictly: no program may read something else in them. A key that stands twice
//! in an object is refused, since some programs take the first of two and some the last.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// The object that a call's arguments are; no text at all is an empty one.
///
/// # Errors
/// What is wrong with them.
pub(crate) fn read(arguments: &str) -> Result<Value, String> {
    if arguments.trim().is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let mut reader = serde_json::Deserializer::from_str(arguments);
    let value = Strict.deserialize(&mut reader).map_err(|error| error.to_string())?;
    reader.end().map_err(|error| error.to_string())?;
    match value {
        Value::Object(_) => Ok(value),
        _ => Err("they are no object".into()),
    }
}

#[derive(Clone, Copy)]
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(self)?;
            if map.contains_key(&key) {
                return Err(A::Error::custom("a key stands in them twice"));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

/// The values that a path names. Without a path, all that have no values inside, and all keys.
pub(crate) fn at<'a>(value: &'a Value, path: Option<&[String]>) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    match path {
        Some(path) => follow(value, path, &mut found),
        None => all(value, &mut found),
    }
    found
}

/// A value, or a key.
#[derive(Clone, Copy)]
pub(crate) enum Found<'a> {
    Value(&'a Value),
    Key(&'a str),
}

impl Found<'_> {
    /// As text: a string's own, else its JSON.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Key(key) => (*key).to_owned(),
            Self::Value(Value::String(text)) => text.clone(),
            Self::Value(other) => other.to_string(),
        }
    }
}

fn follow<'a>(value: &'a Value, path: &[String], found: &mut Vec<Found<'a>>) {
    let Some((step, rest)) = path.split_first() else {
        return found.push(Found::Value(value));
    };
    match value {
        Value::Object(map) if step == "*" => map.values().for_each(|it| follow(it, rest, found)),
        Value::Array(list) if step == "*" => list.iter().for_each(|it| follow(it, rest, found)),
        Value::Object(map) => map.get(step).into_iter().for_each(|it| follow(it, rest, found)),
        Value::Array(list) => {
            let item = step.parse::<usize>().ok().and_then(|at| list.get(at));
            item.into_iter().for_each(|it| follow(it, rest, found));
        }
        _ => {}
    }
}

fn all<'a>(value: &'a Value, found: &mut Vec<Found<'a>>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            found.push(Found::Key(key));
            all(value, found);
        }),
        Value::Array(list) => list.iter().for_each(|value| all(value, found)),
        other => found.push(Found::Value(other)),
    }
}

/// Says where a JSON object that comes in pieces ends.
#[derive(Debug, Default)]
pub(crate) struct End {
    depth: usize,
    is_string: bool,
    is_escaped: bool,
    has_ended: bool,
}

impl End {
    /// Takes more text: true once the object has ended.
    pub(crate) fn push(&mut self, text: &str) -> bool {
        text.bytes().for_each(|byte| self.take(byte));
        self.has_ended
    }

    fn take(&mut self, byte: u8) {
        match byte {
            _ if self.has_ended => {}
            _ if self.is_escaped => self.is_escaped = false,
            b'\\' if self.is_string => self.is_escaped = true,
            b'"' => self.is_string = !self.is_string,
            _ if self.is_string => {}
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                self.has_ended = self.depth == 0;
            }
            _ => {}
        }
    }
}
