//! `usageMetadata` and ours. Google counts thoughts beside the candidates and the prompts of its
//! own tools beside the prompt; ours include them.

use serde::Serialize;
use serde_json::{Value, json};

use crate::chunk::Usage;
use crate::error::ReadError;

use super::fields::{Fields, under};
use super::shape::Draft;

/// Reads the counts.
pub(super) fn read(fields: &Fields<'_>) -> Result<Usage, ReadError> {
    let thoughts = fields.integer("thoughtsTokenCount")?;
    let candidates = fields.integer("candidatesTokenCount")?;
    let prompt = fields.integer("promptTokenCount")?;
    let tools = fields.integer("toolUsePromptTokenCount")?;
    Ok(Usage {
        prompt: sum(prompt, tools),
        completion: sum(candidates, thoughts),
        cached: fields.integer("cachedContentTokenCount")?,
        reasoning: thoughts,
        audio_prompt: of_modality(fields, "promptTokensDetails", "AUDIO")?,
        audio_completion: of_modality(fields, "candidatesTokensDetails", "AUDIO")?,
        image_completion: of_modality(fields, "candidatesTokensDetails", "IMAGE")?,
        ..Usage::default()
    })
}

/// Writes the counts.
pub(super) fn write(usage: &Usage) -> impl Serialize + use<> {
    let mut draft = Draft::default();
    let completion = usage.completion.map(|all| all.saturating_sub(usage.reasoning.unwrap_or(0)));
    draft.maybe("promptTokenCount", usage.prompt.as_ref());
    draft.maybe("candidatesTokenCount", completion.as_ref());
    draft.maybe("totalTokenCount", sum(usage.prompt, usage.completion).as_ref());
    draft.maybe("cachedContentTokenCount", usage.cached.as_ref());
    draft.maybe("thoughtsTokenCount", usage.reasoning.as_ref());
    let prompt = details(&[("AUDIO", usage.audio_prompt)]);
    draft.maybe("promptTokensDetails", prompt.as_ref());
    let written = [("AUDIO", usage.audio_completion), ("IMAGE", usage.image_completion)];
    draft.maybe("candidatesTokensDetails", details(&written).as_ref());
    draft
}

fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.saturating_add(other)),
        (one, other) => one.or(other),
    }
}

fn of_modality(fields: &Fields<'_>, key: &str, modality: &str) -> Result<Option<u64>, ReadError> {
    for (at, row) in fields.objects(key)?.iter().enumerate() {
        let read = |error| under(error, &format!("{key}[{at}]"));
        if row.text("modality").map_err(read)?.as_deref() == Some(modality) {
            return row.integer("tokenCount").map_err(read);
        }
    }
    Ok(None)
}

fn details(counts: &[(&str, Option<u64>)]) -> Option<Vec<Value>> {
    let counts = counts.iter().filter_map(|(modality, count)| Some((*modality, (*count)?)));
    let rows: Vec<Value> =
        counts.map(|(name, count)| json!({"modality": name, "tokenCount": count})).collect();
    (!rows.is_empty()).then_some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_put_together_and_taken_apart() {
        let text = r#"{"promptTokenCount":10,"toolUsePromptTokenCount":"5",
            "cachedContentTokenCount":4,"candidatesTokenCount":7,"thoughtsTokenCount":3,
            "candidatesTokensDetails":[{"modality":"TEXT","tokenCount":1},
            {"modality":"IMAGE","tokenCount":6}],"trafficType":"ON_DEMAND"}"#;
        let usage = read(&Fields::parse(text).unwrap()).unwrap();
        assert_eq!((usage.prompt, usage.completion), (Some(15), Some(10)));
        assert_eq!((usage.cached, usage.reasoning), (Some(4), Some(3)));
        assert_eq!(usage.image_completion, Some(6));
        let text = serde_json::to_string(&write(&usage)).unwrap();
        let again = read(&Fields::parse(&text).unwrap()).unwrap();
        assert_eq!(again, usage);
    }

    #[test]
    fn no_counts_are_no_counts() {
        let fields = Fields::parse(r#"{"trafficType":"ON_DEMAND"}"#).unwrap();
        assert_eq!(read(&fields).unwrap(), Usage::default());
    }
}
