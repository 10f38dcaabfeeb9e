//! The gateway's own fields of a request that plugins see and may change, among its `extra`: the
//! fallbacks, the routing preferences, the session, the transforms.

use wire::{Controls, Json, Request};

use super::super::fault::{Failed, Fault};

/// Those that a request has, by name.
pub(super) fn shown(request: &Request) -> Vec<(&'static str, Json)> {
    let Controls { models, provider, session_id, rest, .. } = &request.controls;
    let transforms = rest.iter().find(|(name, _)| name == TRANSFORMS).map(|it| it.1.clone());
    let models = Some(models).filter(|models| !models.is_empty()).map(Json::of);
    let session_id = session_id.as_ref().map(Json::of);
    let all = [
        (MODELS, models),
        (PROVIDER, provider.clone()),
        (SESSION_ID, session_id),
        (TRANSFORMS, transforms),
    ];
    all.into_iter().filter_map(|(name, json)| Some((name, json?))).collect()
}

/// Takes them out of the fields that a plugin gave back. What is not there any more is gone.
///
/// # Errors
/// When one is not what it must be.
pub(in crate::plugin) fn take(
    controls: &mut Controls,
    fields: &mut Vec<(String, Json)>,
) -> Result<(), Failed> {
    let mut taken = |name: &str| {
        let at = fields.iter().position(|(known, _)| known == name)?;
        Some(fields.remove(at).1)
    };
    let wrong =
        |name: &str, what: &str| Failed::new(Fault::Error, format!("extra `{name}` is not {what}"));
    let models = taken(MODELS).map(|json| json.read());
    controls.models =
        models.transpose().map_err(|_| wrong(MODELS, "a list of model names"))?.unwrap_or_default();
    controls.provider = taken(PROVIDER);
    let session_id = taken(SESSION_ID).map(|json| json.read());
    controls.session_id = session_id.transpose().map_err(|_| wrong(SESSION_ID, "a text"))?;
    controls.rest.retain(|(name, _)| name != TRANSFORMS);
    controls.rest.extend(taken(TRANSFORMS).map(|json| (TRANSFORMS.to_owned(), json)));
    Ok(())
}

const MODELS: &str = "models";
const PROVIDER: &str = "provider";
const SESSION_ID: &str = "session_id";
const TRANSFORMS: &str = "transforms";
