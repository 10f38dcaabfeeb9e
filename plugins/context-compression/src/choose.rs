//! Which of the models that a request names it is made to fit: one whose context has room for at
//! least half of it, so that no more than half is ever left out while there is another way.

use patchbay_sdk::Request;
use patchbay_sdk::catalog::{self, Model};

/// Takes the models that are too small for a prompt of so many tokens out of `model` and `models`. The
/// first of those that are left is the request's model then; it is given back if it is another one.
/// When all are too small, the one with the longest context is left.
pub(crate) fn choose(request: &mut Request, model: &Model, tokens: u64) -> Option<Model> {
    let fallbacks: Vec<String> = request.extra_get("models").ok().flatten()?;
    let reply = request.sampling.max_tokens.map_or(0, u64::from);
    let half = tokens.saturating_add(reply) / 2;
    let first = std::iter::once(Some((request.model.clone(), model.clone())));
    let known = |name: String| catalog::model(&name).map(|model| (name, model));
    let named = first.chain(fallbacks.into_iter().map(known));
    // A name that is none is for the host to refuse.
    let named: Vec<(String, Model)> = named.collect::<Option<_>>()?;
    let room = |model: &Model| model.context_length.unwrap_or(u64::MAX);
    // Of several with the longest context, the first: a later one must be longer.
    let longest = named.iter().map(|(_, model)| room(model)).max().unwrap_or(0);
    let least = half.min(longest);
    let mut left = named.into_iter().filter(|(_, model)| room(model) >= least);
    let (name, chosen) = left.next()?;
    let others: Vec<String> = left.map(|(name, _)| name).collect();
    if others.is_empty() {
        request.extra.retain(|field| field.name != "models");
    } else {
        request.extra_set("models", others);
    }
    let was = std::mem::replace(&mut request.model, name);
    (was != request.model).then_some(chosen)
}
