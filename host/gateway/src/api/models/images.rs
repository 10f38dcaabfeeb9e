//! The models that make pictures, in the form of OpenRouter's image API. Which further parameters a
//! model takes is not in the data, so none is claimed.

use axum::extract::{Path, State};
use axum::response::Response;
use ledger::Kind;
use serde_json::{Value, json};
use wire::{ErrorType, Modality};

use super::shape::{self, Data};
use super::{find, names, ready, shown};
use crate::app::App;
use crate::config::catalog::{Endpoint, Served};
use crate::error::Error;

/// `GET /images/models`
pub(super) async fn list(State(app): State<App>) -> Response {
    let data: Vec<_> = ready(&app).filter(|served| draws(served)).map(model).collect();
    shape::json(Ok(Data { data }))
}

/// `GET /images/models/{author}/{slug}/endpoints`
pub(super) async fn endpoints(
    State(app): State<App>,
    Path((author, slug)): Path<(String, String)>,
) -> Response {
    let listed = find(&app, &format!("{author}/{slug}")).and_then(|served| {
        let id = &served.model.id;
        if !draws(&served) {
            let message =
                format!("{id} makes no pictures; GET /api/v1/images/models lists who does");
            return Err(Error::client(ErrorType::NotFound, message));
        }
        let endpoints: Vec<_> = served.ready().map(|one| endpoint(one)).collect();
        Ok(json!({ "id": id, "endpoints": endpoints }))
    });
    shape::json(listed)
}

fn draws(served: &Served) -> bool {
    served.model.output_modalities.contains(&Modality::Image)
}

fn model(served: &Served) -> Value {
    let model = &served.model;
    json!({
        "id": model.id,
        "name": shown::display_name(model),
        "description": model.description.as_deref().unwrap_or(""),
        "created": model.created,
        "architecture": {
            "input_modalities": names(&model.input_modalities),
            "output_modalities": names(&model.output_modalities),
        },
        "supported_parameters": {},
        "supports_streaming": false,
        "endpoints": format!("/api/v1/images/models/{}/endpoints", model.id),
    })
}

fn endpoint(endpoint: &Endpoint) -> Value {
    let price = endpoint.price.as_ref().map(|price| {
        let usd: Option<f64> = price.per_token_usd(Kind::ImageCompletion).parse().ok();
        json!([{ "billable": "output_image", "unit": "token", "cost_usd": usd }])
    });
    json!({
        "provider_name": endpoint.provider.name,
        "provider_slug": endpoint.provider.slug,
        "provider_tag": endpoint.tag(),
        "supported_parameters": {},
        "allowed_passthrough_parameters": [],
        "supports_streaming": false,
        "pricing": price.unwrap_or_else(|| json!([])),
    })
}
