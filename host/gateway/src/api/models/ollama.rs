//! What Ollama's clients ask before anything else: which models there are, and which version.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{date_time, ready, shape};
use crate::app::App;
use crate::config::catalog::Served;

/// `GET /api/tags`: the models that write. They have no file here, so no size; the digest is that of
/// the name, as clients tell models apart by it.
pub(super) async fn tags(State(app): State<App>) -> Response {
    let models = ready(&app).filter(|served| served.model.converses()).map(model);
    shape::json(Ok(json!({ "models": models.collect::<Vec<_>>() })))
}

/// `GET /api/version`
pub(super) async fn version() -> Response {
    shape::json(Ok(json!({ "version": VERSION })))
}

fn model(served: &Served) -> Value {
    let model = &served.model;
    let family = format!("{:?}", model.tokenizer).to_lowercase();
    json!({
        "name": model.id,
        "model": model.id,
        "modified_at": date_time(model.created),
        "size": 0,
        "digest": hex::encode(Sha256::digest(&model.id)),
        "details": {
            "parent_model": "",
            "format": "",
            "family": family,
            "families": [family],
            "parameter_size": "",
            "quantization_level": "",
        },
    })
}

/// The version of Ollama whose API is followed: clients refuse older ones than they know.
const VERSION: &str = "0.12.6";
