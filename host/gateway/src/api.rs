//! Every HTTP path, and who answers it. axum and hyper appear only under this module.

use axum::Router;
use axum::routing::{get, post};
use http::{HeaderValue, Method};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::app::App;

mod body;
mod credits;
mod generate;
mod generations;
mod health;
mod keys;
mod listen;
mod models;
mod plugins;
mod rescue;
mod shape;
mod stall;

pub(crate) use listen::{Listener, serve};

/// The table of every path. OpenRouter's clients use `/api/v1`, OpenAI's `/v1`.
pub(crate) fn router(app: &App) -> Router {
    let v1 = Router::new()
        .route("/chat/completions", post(generate::chat))
        .route("/completions", post(generate::completions))
        .route("/models", get(models::list))
        .route("/models/count", get(models::count))
        .route("/generation", get(generations::show))
        .route("/key", get(keys::current))
        .route("/keys", get(keys::list).post(keys::create))
        .route("/keys/{hash}", get(keys::show).patch(keys::change).delete(keys::remove))
        .route("/credits", get(credits::show).post(credits::deposit))
        .route("/plugins", get(plugins::list))
        .route("/plugins/{id}", get(plugins::show).put(plugins::install).delete(plugins::remove))
        .route("/plugins/{id}/rollback", post(plugins::roll_back))
        .route("/plugins/{id}/promote", post(plugins::promote));
    Router::new()
        .nest("/api/v1", v1.clone())
        .nest("/v1", v1)
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(health::metrics))
        .fallback(rescue::no_such_path)
        .method_not_allowed_fallback(rescue::no_such_method)
        .layer(cors(&app.config.server.cors_origins))
        .with_state(app.clone())
}

/// What browsers are told. Keys travel in a header, never in cookies, so any origin is safe.
fn cors(origins: &[String]) -> CorsLayer {
    let origin = match origins.iter().any(|origin| origin == "*") {
        true => AllowOrigin::any(),
        false => AllowOrigin::list(
            origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()),
        ),
    };
    CorsLayer::new()
        .allow_origin(origin)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([rescue::GENERATION_ID, http::header::RETRY_AFTER])
}
