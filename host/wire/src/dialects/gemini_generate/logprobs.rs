//! Token probabilities: `logprobsResult` holds the chosen tokens in one list and the likeliest ones
//! of every step in another.

use crate::chunk::Delta;
use crate::error::ReadError;
use crate::json::{Json, Object};
use crate::json_text::{object, present, text_of};
use crate::logprobs;

use super::fields::{Fields, under};
use super::shape::Draft;

/// Reads a candidate's tokens; `None` where it tells none.
pub(super) fn read(candidate: &Fields<'_>, choice: u16) -> Result<Option<Delta>, ReadError> {
    let Some(result) = candidate.object(NAME)? else { return Ok(None) };
    let here = |error| under(error, NAME);
    let chosen = result.objects("chosenCandidates").map_err(here)?;
    let steps = result.objects("topCandidates").map_err(here)?;
    let mut tokens = Vec::with_capacity(chosen.len());
    for (at, token) in chosen.iter().enumerate() {
        let likeliest = match steps.get(at) {
            Some(step) => step.objects("candidates").map_err(here)?,
            None => Vec::new(),
        };
        let likeliest = likeliest.iter().map(|token| written(token, None));
        let likeliest = likeliest.collect::<Result<Vec<_>, _>>().map_err(here)?;
        tokens.push(written(token, Some(&likeliest)).map_err(here)?);
    }
    let delta = logprobs::delta_of(choice, tokens.iter().map(Json::as_str));
    Ok((!tokens.is_empty()).then_some(delta))
}

/// A token in OpenAI's form.
fn written(token: &Fields<'_>, likeliest: Option<&[Json]>) -> Result<Json, ReadError> {
    let text = token.text("token")?.unwrap_or_default();
    let logprob = token.raw("logProbability");
    Ok(object(|writer| {
        writer.field("token", &text);
        // A protobuf that is 0 is left out.
        writer.raw("logprob", logprob.map_or("0", |raw| raw.get()));
        writer.field("bytes", text.as_bytes());
        if let Some(likeliest) = likeliest {
            writer.field("top_logprobs", likeliest);
        }
    }))
}

/// Adds the tokens of a delta's value to those that a candidate's end tells.
pub(super) fn gather(value: &Json, tokens: &mut Vec<Json>) {
    tokens.extend(logprobs::tokens(value).into_iter().map(Json::from));
}

/// Writes what was gathered into a candidate.
pub(super) fn write(tokens: &[Json], candidate: &mut Draft) {
    if tokens.is_empty() {
        return;
    }
    let fields = |json: &Json| json.read::<Object<'_>>().map(|fields| google(&fields));
    let chosen: Vec<Json> = tokens.iter().filter_map(|json| fields(json).ok()).collect();
    let steps: Vec<Json> = tokens.iter().map(step).collect();
    let mut result = Draft::default();
    result.put("topCandidates", &steps);
    result.put("chosenCandidates", &chosen);
    candidate.put(NAME, &result);
}

fn step(token: &Json) -> Json {
    let fields = token.read::<Object<'_>>().unwrap_or_default();
    let list = present(&fields, "top_logprobs");
    let list = list.and_then(|raw| serde_json::from_str::<Vec<Object<'_>>>(raw.get()).ok());
    let likeliest: Vec<Json> = list.unwrap_or_default().iter().map(google).collect();
    object(|writer| writer.field("candidates", &likeliest))
}

fn google(token: &Object<'_>) -> Json {
    object(|writer| {
        writer.field("token", &text_of(token, "token").unwrap_or_default());
        if let Some(raw) = present(token, "logprob") {
            writer.raw("logProbability", raw.get());
        }
    })
}

/// A candidate's field.
pub(super) const NAME: &str = "logprobsResult";
