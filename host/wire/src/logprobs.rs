//! Token probabilities in their canonical form, which is OpenAI chat's: a delta of
//! [`KIND`] with `{"content":[{"token","logprob","bytes","top_logprobs"}],"refusal":null}`.

use serde_json::value::RawValue;

use crate::chunk::Delta;
use crate::json::{Json, Object};
use crate::json_text::{object, write_array};

/// The kind of the delta, whatever dialect it was read from.
pub(crate) const KIND: &str = "openai-chat.logprobs";

/// The delta of the first choice that tells of these tokens; each is an object in OpenAI's form.
pub(crate) fn delta<'a>(tokens: impl IntoIterator<Item = &'a str>) -> Delta {
    delta_of(0, tokens)
}

/// The delta of a choice that tells of these tokens.
pub(crate) fn delta_of<'a>(choice: u16, tokens: impl IntoIterator<Item = &'a str>) -> Delta {
    let json = object(|writer| {
        write_array(writer.key("content"), tokens, |out, token| {
            out.extend_from_slice(token.as_bytes());
        });
        writer.raw("refusal", "null");
    });
    Delta::Other { choice: Some(choice), kind: KIND.to_owned(), json }
}

/// The tokens of such a delta's value, each as an object in OpenAI's form.
pub(crate) fn tokens(json: &Json) -> Vec<&RawValue> {
    let content = json.read::<Object<'_>>().ok().and_then(|fields| fields.field("content"));
    content.and_then(|list| serde_json::from_str(list.get()).ok()).unwrap_or_default()
}
