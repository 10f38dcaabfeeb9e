//! The serde shapes of a reply and of a stream's event: one pass over the text, which splits what
//! is known from what is not and leaves the values as their text, since hosts disagree on types.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::value::RawValue;

/// A value, unless it is absent or `null`.
pub(in crate::dialects) type Value<'a> = Option<&'a RawValue>;

/// Fields that have no place, in order; those that are `null` are left out.
pub(super) type Rest<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

/// A whole reply or one event.
#[derive(Debug, Default)]
pub(super) struct Body<'a> {
    pub(super) choices: Option<Vec<Choice<'a>>>,
    pub(super) usage: Value<'a>,
    pub(super) error: Value<'a>,
    pub(super) citations: Value<'a>,
    pub(super) search_results: Value<'a>,
    pub(super) x_groq: Value<'a>,
    pub(super) object: Value<'a>,
    /// Whether there is a field that error bodies without an envelope have.
    pub(super) has_message: bool,
}

/// One choice.
#[derive(Debug, Default)]
pub(super) struct Choice<'a> {
    pub(super) index: Value<'a>,
    /// The `delta`, or the `message` where there is none.
    pub(super) message: Option<Message<'a>>,
    pub(super) has_delta: bool,
    /// Of the older text completions.
    pub(super) text: Value<'a>,
    pub(super) finish_reason: Value<'a>,
    pub(super) native_finish_reason: Value<'a>,
    pub(super) usage: Value<'a>,
    pub(super) rest: Rest<'a>,
}

/// A choice's message, or the change to it.
#[derive(Debug, Default)]
pub(super) struct Message<'a> {
    pub(super) content: Value<'a>,
    pub(super) reasoning: Value<'a>,
    pub(super) reasoning_content: Value<'a>,
    pub(super) reasoning_details: Value<'a>,
    pub(super) refusal: Value<'a>,
    pub(super) tool_calls: Value<'a>,
    pub(super) function_call: Value<'a>,
    pub(super) annotations: Value<'a>,
    pub(super) images: Value<'a>,
    pub(super) audio: Value<'a>,
    pub(super) rest: Rest<'a>,
}

/// What is filled field by field from an object.
trait Shape<'a>: Default {
    fn take<A: MapAccess<'a>>(&mut self, key: Cow<'a, str>, map: &mut A) -> Result<(), A::Error>;
}

impl<'a> Shape<'a> for Body<'a> {
    fn take<A: MapAccess<'a>>(&mut self, key: Cow<'a, str>, map: &mut A) -> Result<(), A::Error> {
        match &*key {
            "choices" => self.choices = map.next_value()?,
            "usage" => self.usage = map.next_value()?,
            "error" => self.error = map.next_value()?,
            "citations" => self.citations = map.next_value()?,
            "search_results" => self.search_results = map.next_value()?,
            "x_groq" => self.x_groq = map.next_value()?,
            "object" => self.object = map.next_value()?,
            name => {
                const MESSAGES: [&str; 5] = ["message", "detail", "errors", "msg", "error_message"];
                self.has_message |= MESSAGES.contains(&name);
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl<'a> Shape<'a> for Choice<'a> {
    fn take<A: MapAccess<'a>>(&mut self, key: Cow<'a, str>, map: &mut A) -> Result<(), A::Error> {
        match &*key {
            "index" => self.index = map.next_value()?,
            "delta" => {
                let delta: Option<Message<'a>> = map.next_value()?;
                self.has_delta = delta.is_some();
                self.message = delta.or(self.message.take());
            }
            "message" if !self.has_delta => self.message = map.next_value()?,
            "message" => {
                map.next_value::<IgnoredAny>()?;
            }
            "text" => self.text = map.next_value()?,
            "finish_reason" => self.finish_reason = map.next_value()?,
            "native_finish_reason" => self.native_finish_reason = map.next_value()?,
            "usage" => self.usage = map.next_value()?,
            _ => keep(&mut self.rest, key, map)?,
        }
        Ok(())
    }
}

impl<'a> Shape<'a> for Message<'a> {
    fn take<A: MapAccess<'a>>(&mut self, key: Cow<'a, str>, map: &mut A) -> Result<(), A::Error> {
        match &*key {
            "content" => self.content = map.next_value()?,
            "reasoning" => self.reasoning = map.next_value()?,
            "reasoning_content" => self.reasoning_content = map.next_value()?,
            "reasoning_details" => self.reasoning_details = map.next_value()?,
            "refusal" => self.refusal = map.next_value()?,
            "tool_calls" => self.tool_calls = map.next_value()?,
            "function_call" => self.function_call = map.next_value()?,
            "annotations" => self.annotations = map.next_value()?,
            "images" => self.images = map.next_value()?,
            "audio" => self.audio = map.next_value()?,
            // Mistral repeats the choice's index inside of it.
            "role" | "index" => {
                map.next_value::<IgnoredAny>()?;
            }
            _ => keep(&mut self.rest, key, map)?,
        }
        Ok(())
    }
}

fn keep<'a, A: MapAccess<'a>>(
    rest: &mut Rest<'a>,
    key: Cow<'a, str>,
    map: &mut A,
) -> Result<(), A::Error> {
    if let Some(value) = map.next_value()? {
        rest.push((key, value));
    }
    Ok(())
}

/// A key, borrowed unless it holds escapes.
#[derive(Deserialize)]
pub(super) struct Key<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

struct Fields<T>(PhantomData<T>);

impl<'a, T: Shape<'a>> Visitor<'a> for Fields<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<T, A::Error> {
        let mut shape = T::default();
        while let Some(Key(key)) = map.next_key()? {
            shape.take(key, &mut map)?;
        }
        Ok(shape)
    }
}

impl<'de> Deserialize<'de> for Body<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Choice<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Message<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields(PhantomData))
    }
}

/// The text of a JSON string; `None` for anything else. Half of a surrogate pair, which some hosts
/// send when they cut between the halves, is replaced.
pub(in crate::dialects) fn text(value: Value<'_>) -> Option<String> {
    let raw = value?.get();
    if !raw.starts_with('"') {
        return None;
    }
    serde_json::from_str(raw).ok().or_else(|| {
        let Lossy(text) = serde_json::from_str(raw).ok()?;
        Some(text)
    })
}

/// The text of a JSON string that is not empty.
pub(in crate::dialects) fn word(value: Value<'_>) -> Option<String> {
    text(value).filter(|text| !text.is_empty())
}

/// The elements of a JSON array; none for anything else. Those that are `null` are left out.
pub(in crate::dialects) fn list<'a>(value: Value<'a>) -> Vec<&'a RawValue> {
    let elements: Option<Vec<Value<'a>>> =
        value.and_then(|value| serde_json::from_str(value.get()).ok());
    elements.unwrap_or_default().into_iter().flatten().collect()
}

/// A count. Hosts write whole numbers as floats at times; the fraction is dropped.
pub(in crate::dialects) fn count(value: Value<'_>) -> Option<u64> {
    let raw = value?.get();
    raw.parse().ok().or_else(|| raw.split_once('.').and_then(|(whole, _)| whole.parse().ok()))
}

struct Lossy(String);

impl<'de> Deserialize<'de> for Lossy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Lossy;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Lossy, E> {
                // Half of a pair is three bytes that are no UTF-8; one mark stands for it.
                let text = String::from_utf8_lossy(bytes);
                Ok(Lossy(text.replace("\u{fffd}\u{fffd}\u{fffd}", "\u{fffd}")))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}
