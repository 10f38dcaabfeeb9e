//! `GET /models`: what can be asked for, in OpenRouter's form.

use axum::extract::{Query, State};
use axum::response::Response;
use ledger::Kind;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use wire::{ErrorType, Modality};

use super::shape;
use crate::app::App;
use crate::config::catalog::{Endpoint, Served};
use crate::error::Error;

/// What can be filtered by.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Filter {
    /// A comma list, or `all`; `text` without it.
    output_modalities: Option<String>,
    /// A comma list; a model must take all of it.
    input_modalities: Option<String>,
    /// A comma list; a model must take all of it.
    supported_parameters: Option<String>,
    /// Words in id, name or description.
    q: Option<String>,
    /// Fewest tokens of context.
    context: Option<u32>,
    offset: Option<usize>,
    limit: Option<usize>,
}

/// `GET /models`
pub(super) async fn list(State(app): State<App>, Query(filter): Query<Filter>) -> Response {
    shape::json(listed(&app, &filter))
}

/// `GET /models/count`
pub(super) async fn count(State(app): State<App>, Query(filter): Query<Filter>) -> Response {
    let count = ready(&app).filter(|served| filter.admits(served)).count();
    shape::json(Ok(shape::Data { data: json!({ "count": count }) }))
}

fn listed(app: &App, filter: &Filter) -> Result<Value, Error> {
    if filter.limit.is_some_and(|limit| limit == 0 || limit > 1000) {
        let message = "limit: expected 1 to 1000";
        return Err(Error::client(ErrorType::InvalidRequest, message));
    }
    let models: Vec<_> = ready(app).filter(|served| filter.admits(served)).map(model).collect();
    let total = models.len();
    let is_whole = filter.offset.is_none() && filter.limit.is_none();
    let offset = filter.offset.unwrap_or(0);
    let limit = if is_whole { total } else { filter.limit.unwrap_or(500) };
    let page: Vec<_> = models.into_iter().skip(offset).take(limit).collect();
    let next = offset.saturating_add(limit);
    let next = (next < total).then(|| format!("/api/v1/models?offset={next}&limit={limit}"));
    Ok(json!({"object": "list", "data": page, "total_count": total, "links": {"next": next}}))
}

/// The models that have an endpoint to ask.
fn ready(app: &App) -> impl Iterator<Item = &Served> {
    app.catalog.models.values().map(AsRef::as_ref).filter(|served| served.ready().next().is_some())
}

impl Filter {
    fn admits(&self, served: &Served) -> bool {
        let model = &served.model;
        let outputs = self.output_modalities.as_deref().unwrap_or("text");
        let has_all = |wanted: Option<&str>, has: &dyn Fn(&str) -> bool| {
            wanted.is_none_or(|wanted| wanted.split(',').map(str::trim).all(has))
        };
        let among = |list: &[Modality], name: &str| list.iter().any(|known| known.as_str() == name);
        (outputs == "all"
            || outputs.split(',').any(|name| among(&model.output_modalities, name.trim())))
            && has_all(self.input_modalities.as_deref(), &|name| {
                among(&model.input_modalities, name)
            })
            && has_all(self.supported_parameters.as_deref(), &|name| {
                model.supported_parameters.iter().any(|known| known == name)
            })
            && self.context.is_none_or(|context| model.context_length >= context)
            && self.q.as_deref().is_none_or(|words| is_about(served, words))
    }
}

fn is_about(served: &Served, words: &str) -> bool {
    let model = &served.model;
    let text = [Some(&model.id), model.name.as_ref(), model.description.as_ref()];
    let text =
        text.into_iter().flatten().map(|text| text.to_lowercase()).collect::<Vec<_>>().join(" ");
    words.split_whitespace().all(|word| text.contains(&word.to_lowercase()))
}

/// One model. `object`, `created` and `owned_by` are what OpenAI's clients look for.
fn model(served: &Served) -> Value {
    let model = &served.model;
    let first = served.ready().next();
    let names = |list: &[Modality]| list.iter().map(|one| one.as_str()).collect::<Vec<_>>();
    let modality = format!(
        "{}->{}",
        names(&model.input_modalities).join("+"),
        names(&model.output_modalities).join("+")
    );
    let owner = model.id.split_once('/').map_or(model.id.as_str(), |(author, _)| author);
    json!({
        "id": model.id,
        "canonical_slug": model.id,
        "object": "model",
        "owned_by": owner,
        "name": model.name.as_ref().unwrap_or(&model.id),
        "created": model.created,
        "description": model.description.as_deref().unwrap_or(""),
        "context_length": model.context_length,
        "architecture": {
            "modality": modality,
            "input_modalities": names(&model.input_modalities),
            "output_modalities": names(&model.output_modalities),
            "tokenizer": "Other",
            "instruct_type": null,
        },
        "pricing": first.map_or(Value::Null, |endpoint| pricing(endpoint)),
        "top_provider": {
            "context_length": first.map(|endpoint| endpoint.context_length),
            "max_completion_tokens": first.and_then(|endpoint| endpoint.max_output_tokens),
            "is_moderated": false,
        },
        "per_request_limits": null,
        "supported_parameters": model.supported_parameters,
        "default_parameters": null,
    })
}

/// USD per token as decimal text, by OpenRouter's names.
fn pricing(endpoint: &Endpoint) -> Value {
    const NAMES: [(Kind, &str); 13] = [
        (Kind::Prompt, "prompt"),
        (Kind::Completion, "completion"),
        (Kind::Request, "request"),
        (Kind::CacheRead, "input_cache_read"),
        (Kind::CacheWrite, "input_cache_write"),
        (Kind::CacheWrite1h, "input_cache_write_1h"),
        (Kind::AudioPrompt, "audio"),
        (Kind::AudioCompletion, "audio_output"),
        (Kind::WebSearch, "web_search"),
        (Kind::Character, "character"),
        (Kind::Second, "second"),
        (Kind::Image, "image_output"),
        (Kind::SearchUnit, "search_unit"),
    ];
    const PIECES: [Kind; 4] = [Kind::Character, Kind::Second, Kind::Image, Kind::SearchUnit];
    let Some(price) = &endpoint.price else { return json!({"prompt": "0", "completion": "0"}) };
    // What is paid by the piece stands only where it is.
    let is_shown = |kind: Kind| !PIECES.contains(&kind) || price.per_token_usd(kind) != "0";
    let named = NAMES
        .iter()
        .filter(|(kind, _)| is_shown(*kind))
        .map(|(kind, name)| ((*name).to_owned(), Value::String(price.per_token_usd(*kind))));
    Value::Object(named.collect::<Map<_, _>>())
}
