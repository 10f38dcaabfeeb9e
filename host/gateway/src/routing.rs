//! Which endpoints, in which order. Pure: it reads the catalog and the request, and asks nobody.

use std::sync::Arc;

use ledger::{Counts, Money};
use wire::{
    Availability, Content, Effort, ErrorType, Json, MediaKind, Modality, Reasoning, Request,
    Unavailable,
};

use crate::config::catalog::{Catalog, Endpoint, Served};
use crate::error::Error;

mod preferences;
mod worst;

use preferences::{Preferences, Sort};
pub(crate) use worst::{IMAGE_MAX, MARKS_MAX};

/// A model name taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Name {
    /// The model's id in the catalog.
    pub(crate) id: String,
    /// Suffixes that name plugins, in order.
    pub(crate) suffixes: Vec<String>,
    /// `:floor` asks for the lowest price.
    floor: bool,
}

/// Takes `author/name:suffix…` apart. A name that stands in the catalog as it is has no suffix.
///
/// # Errors
/// An unknown model (400) or suffix (400), with what is known.
pub(crate) fn name(
    catalog: &Catalog,
    text: &str,
    is_plugin_suffix: impl Fn(&str) -> bool,
) -> Result<Name, Error> {
    name_or(catalog, text, is_plugin_suffix, |_| false)
}

/// The same, with names of models that stand for plugins, which will choose one.
///
/// # Errors
/// As [`name`].
pub(crate) fn name_or(
    catalog: &Catalog,
    text: &str,
    is_plugin_suffix: impl Fn(&str) -> bool,
    is_plugin_model: impl Fn(&str) -> bool,
) -> Result<Name, Error> {
    let mut base = text;
    let mut tail = Vec::new();
    while !catalog.models.contains_key(base) && !is_plugin_model(base) {
        match base.rsplit_once(':') {
            Some((front, suffix)) if front.contains('/') => {
                tail.push(suffix);
                base = front;
            }
            _ => return Err(unknown_model(text)),
        }
    }
    tail.reverse();
    let mut named = Name { id: base.to_owned(), ..Name::default() };
    for suffix in tail {
        match suffix {
            "floor" => named.floor = true,
            // Throughput is not measured yet, so the catalog's own order stands.
            "nitro" => {}
            _ if is_plugin_suffix(suffix) => named.suffixes.push(suffix.to_owned()),
            _ => {
                let message = format!(
                    "{text} is not a valid model ID: `:{suffix}` is neither a variant (floor, \
                     nitro) nor the suffix of a loaded plugin; GET /api/v1/plugins lists those"
                );
                let error = Error::client(ErrorType::InvalidRequest, message);
                return Err(error.unavailable(Unavailable::ModelNotFound).asked_for(&[text]));
            }
        }
    }
    Ok(named)
}

impl Name {
    /// The name without the suffixes of plugins, which have done their part once selected.
    pub(crate) fn without_plugins(&self) -> String {
        if self.floor { format!("{}:floor", self.id) } else { self.id.clone() }
    }
}

/// The endpoints to try, in order; empty when a plugin answered.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Each with the id of the model that it serves.
    pub(crate) steps: Vec<Step>,
}

impl Plan {
    /// The last attempt's error, with what it means that there is none left: that everybody has
    /// reached a limit, or fails.
    pub(crate) fn exhausted(&self, error: Error) -> Error {
        if !error.is_retryable() {
            return error;
        }
        let mut requested_models: Vec<String> =
            self.steps.iter().map(|step| step.model.as_ref().to_owned()).collect();
        requested_models.dedup();
        if error.failure.availability.is_some() {
            let models: Vec<&str> = requested_models.iter().map(String::as_str).collect();
            return error.asked_for(&models);
        }
        let code = match error.failure.error_type {
            ErrorType::RateLimitExceeded => Unavailable::CapacityExhausted,
            ErrorType::NotFound => Unavailable::ModelUnavailableUpstream,
            _ => Unavailable::TemporarilyUnavailable,
        };
        let tried = self.steps.iter().map(|step| step.endpoint.provider.slug.clone());
        error.with_availability(Availability {
            requested_models,
            affected_providers: tried.collect(),
            ..Availability::new(code)
        })
    }
}

/// One endpoint to try.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// The model's id in the catalog.
    pub(crate) model: Arc<str>,
    /// Who serves it.
    pub(crate) endpoint: Arc<Endpoint>,
}

/// Plans a request: the named model's endpoints, then those of `models`.
///
/// # Errors
/// No model of that name (400), or no endpoint that may and can serve it (404), with the reason.
pub(crate) fn plan(
    catalog: &Catalog,
    request: &Request,
    is_plugin_suffix: impl Fn(&str) -> bool,
) -> Result<Plan, Error> {
    let models = request.controls.models.iter().map(String::as_str);
    let models: Vec<_> = std::iter::once(request.model.as_str()).chain(models).collect();
    let preferences = Preferences::read(request.controls.provider.as_ref());
    let preferences = preferences.map_err(|error| private(error).asked_for(&models))?;
    let mut steps = Vec::new();
    let mut obstacle = None;
    for text in &models {
        let named = name(catalog, text, &is_plugin_suffix)?;
        let Some(served) = catalog.models.get(&named.id) else { continue };
        match serve(&named, served, request, &preferences) {
            Ok(endpoints) => steps.extend(endpoints),
            Err(error) => obstacle = obstacle.or(Some(error)),
        }
    }
    if !preferences.allow_fallbacks {
        steps.truncate(1);
    }
    match obstacle {
        Some(error) if steps.is_empty() => Err(error.asked_for(&models)),
        _ => Ok(Plan { steps }),
    }
}

/// Plans a call beside text generation: the endpoints of the named model, out of which `what` must
/// come. `provider` is the client's `provider` object.
///
/// # Errors
/// No model of that name (400), one for another call (400), or no endpoint (404).
pub(crate) fn plan_errand(
    catalog: &Catalog,
    text: &str,
    what: Modality,
    provider: Option<&Json>,
) -> Result<Plan, Error> {
    let preferences = Preferences::read(provider)?;
    let named = name(catalog, text, |_| false)?;
    let Some(served) = catalog.models.get(&named.id) else { return Err(unknown_model(text)) };
    if !served.model.makes(what) {
        return Err(wrong_endpoint(catalog, served, what).asked_for(&[text]));
    }
    let steps = offers(&named, served, &preferences);
    let mut steps = steps.map_err(|error| error.asked_for(&[text]))?;
    if !preferences.allow_fallbacks {
        steps.truncate(1);
    }
    Ok(Plan { steps })
}

/// One model's endpoints for a conversation, filtered and ordered.
fn serve(
    named: &Name,
    served: &Served,
    request: &Request,
    preferences: &Preferences,
) -> Result<Vec<Step>, Error> {
    if !served.model.converses() {
        return Err(writes_nothing(served));
    }
    check_abilities(served, request)?;
    if preferences.require_parameters {
        check_parameters(served, request)?;
    }
    offers(named, served, preferences)
}

/// One model's endpoints that may be asked, in order.
fn offers(named: &Name, served: &Served, preferences: &Preferences) -> Result<Vec<Step>, Error> {
    let ready: Vec<_> = served.ready().cloned().collect();
    if ready.is_empty() {
        return Err(not_ready(served));
    }
    let allowed = preferences.filter(&served.model, ready);
    let mut allowed = allowed.map_err(filtered)?;
    let sort = if named.floor { Sort::Price } else { preferences.sort };
    if sort == Sort::Price {
        allowed.sort_by_key(|endpoint| typical_cost(endpoint));
    }
    let model: Arc<str> = named.id.as_str().into();
    let step = |endpoint| Step { model: Arc::clone(&model), endpoint };
    Ok(allowed.into_iter().map(step).collect())
}

/// Refuses what the model can't do before anything is asked.
fn check_abilities(served: &Served, request: &Request) -> Result<(), Error> {
    let model = &served.model;
    let is_missing = |parameter: &str| {
        !model.supported_parameters.is_empty()
            && !model.supported_parameters.iter().any(|known| known == parameter)
    };
    if !request.tools.is_empty() && is_missing("tools") {
        return Err(no_endpoints("tool use", "tools"));
    }
    if model.reasoning_mandatory && request.reasoning.as_ref().is_some_and(is_off) {
        return Err(always_thinks(served));
    }
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    for part in parts {
        let Content::Media(media) = &part.content else { continue };
        let needed = match media.kind {
            MediaKind::Image => Modality::Image,
            MediaKind::Audio => Modality::Audio,
            MediaKind::Video => Modality::Video,
            MediaKind::File => Modality::File,
        };
        if !model.input_modalities.contains(&needed) {
            return Err(no_endpoints(&format!("{} input", needed.as_str()), "messages"));
        }
    }
    Ok(())
}

/// Whether the model is told not to think, in any of the ways there are.
fn is_off(reasoning: &Reasoning) -> bool {
    reasoning.enabled == Some(false)
        || reasoning.effort == Some(Effort::None)
        || reasoning.max_tokens == Some(0)
}

fn always_thinks(served: &Served) -> Error {
    let model = &served.model;
    let known = Effort::ALL.iter().filter(|(effort, _)| {
        *effort != Effort::None && (model.efforts.is_empty() || model.efforts.contains(effort))
    });
    let known: Vec<&str> = known.map(|(_, name)| *name).collect();
    let message = format!(
        "{} can't be told not to think. Leave `reasoning` out, set `reasoning.effort` to one of {}, \
         or hide the thought with `reasoning.exclude`",
        model.id,
        known.join(", ")
    );
    Error::client(ErrorType::InvalidRequest, message)
}

/// Refuses a model that does not take every parameter that the request sets.
fn check_parameters(served: &Served, request: &Request) -> Result<(), Error> {
    let sampling = &request.sampling;
    let set = [
        ("max_tokens", sampling.max_tokens.is_some()),
        ("temperature", sampling.temperature.is_some()),
        ("top_p", sampling.top_p.is_some()),
        ("top_k", sampling.top_k.is_some()),
        ("min_p", sampling.min_p.is_some()),
        ("top_a", sampling.top_a.is_some()),
        ("frequency_penalty", sampling.frequency_penalty.is_some()),
        ("presence_penalty", sampling.presence_penalty.is_some()),
        ("repetition_penalty", sampling.repetition_penalty.is_some()),
        ("seed", sampling.seed.is_some()),
        ("stop", !sampling.stop.is_empty()),
        ("logprobs", sampling.logprobs.is_some()),
        ("logit_bias", sampling.logit_bias.is_some()),
        ("tools", !request.tools.is_empty()),
        ("tool_choice", request.tool_choice.is_some()),
        ("response_format", request.response_format.is_some()),
        ("reasoning", request.reasoning.is_some()),
    ];
    let known = &served.model.supported_parameters;
    match set.iter().find(|(name, is_set)| *is_set && !known.iter().any(|known| known == name)) {
        Some((name, _)) => {
            let mut error = no_endpoints(&format!("the parameter {name}"), name);
            if let Some(availability) = &mut error.failure.availability {
                availability.excluded_by.push("require_parameters".to_owned());
            }
            Err(error)
        }
        None => Ok(()),
    }
}

/// The cost of a typical request, to sort by.
fn typical_cost(endpoint: &Endpoint) -> Money {
    let counts = Counts { prompt: 1_000_000, completion: 250_000, ..Counts::default() };
    endpoint.price.as_ref().map_or(Money::MAX, |price| price.cost(&counts).total)
}

/// The model is for a call of its own, and was asked for a conversation.
fn writes_nothing(served: &Served) -> Error {
    let model = &served.model;
    let path = model.output_modalities.first().map_or("", |what| path_of(*what));
    let message = format!(
        "{} is not a model for conversations: ask it by POST /api/v1{path}. GET /api/v1/models \
         lists the models that write replies",
        model.id
    );
    Error::client(ErrorType::InvalidRequest, message).unavailable(Unavailable::WrongEndpoint)
}

/// The model can't do what was asked.
fn wrong_endpoint(catalog: &Catalog, served: &Served, what: Modality) -> Error {
    let model = &served.model;
    let path = model.output_modalities.first().map_or("", |what| path_of(*what));
    let models = catalog.models.values().filter(|served| served.model.makes(what));
    let known = models.map(|served| served.model.id.as_str()).collect::<Vec<_>>().join(", ");
    let known = if known.is_empty() { "none is configured" } else { known.as_str() };
    let what = what.as_str();
    let message = format!(
        "{} is not a model for {what}: ask it by POST /api/v1{path}. Models for {what}: {known}",
        model.id
    );
    Error::client(ErrorType::InvalidRequest, message).unavailable(Unavailable::WrongEndpoint)
}

/// Where clients ask for what comes out of a model.
fn path_of(what: Modality) -> &'static str {
    match what {
        Modality::Embeddings => "/embeddings",
        Modality::Rerank => "/rerank",
        Modality::Image => "/images",
        Modality::Speech => "/audio/speech",
        Modality::Transcription => "/audio/transcriptions",
        Modality::Text | Modality::Audio | Modality::Video | Modality::File => "/chat/completions",
    }
}

fn unknown_model(text: &str) -> Error {
    let message = format!(
        "{text} is not a valid model ID. GET /api/v1/models lists those that are; to serve \
         another one, add to the configuration:\n[[model]]\nid = \"{text}\"\n\
         context_length = 8192\n[[model.endpoint]]\nprovider = \"<a provider's slug>\"\n\
         model = \"<the provider's name of the model>\"\n\
         price = {{ prompt = \"<USD per million tokens>\", completion = \"<…>\" }}"
    );
    let error = Error::client(ErrorType::InvalidRequest, message);
    error.unavailable(Unavailable::ModelNotFound).asked_for(&[text])
}

fn not_ready(served: &Served) -> Error {
    let reasons: Vec<_> = served
        .endpoints
        .iter()
        .filter_map(|endpoint| {
            let obstacle = endpoint.obstacle.as_ref()?;
            Some(format!("{}: {obstacle}", endpoint.provider.slug))
        })
        .collect();
    let why = if reasons.is_empty() { "it lists none".to_owned() } else { reasons.join("; ") };
    let message = format!("No endpoints found for {} ({why}).", served.model.id);
    Error::client(ErrorType::NotFound, message).unavailable(Unavailable::NoEndpoints)
}

fn no_endpoints(ability: &str, field: &str) -> Error {
    let message = format!("No endpoints found that support {ability}.");
    let constraint = Some((field.to_owned(), ability.to_owned()));
    Error::client(ErrorType::NotFound, message).with_availability(Availability {
        constraint,
        ..Availability::new(Unavailable::ConstraintFiltered)
    })
}

/// What is demanded about data and nobody is known to keep to.
fn private(error: Error) -> Error {
    match error.failure.error_type {
        ErrorType::NotFound => error.unavailable(Unavailable::PrivacyRestricted),
        _ => error,
    }
}

/// What the client's own preferences left out, unless they said so themselves.
fn filtered(error: Error) -> Error {
    if error.failure.error_type == ErrorType::NotFound && error.failure.availability.is_none() {
        return error.unavailable(Unavailable::ConstraintFiltered);
    }
    error
}

#[cfg(test)]
mod tests;
