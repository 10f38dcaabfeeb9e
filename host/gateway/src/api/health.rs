//! Whether it lives, whether it serves, and what it counted.

use axum::extract::State;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde_json::json;

use super::shape;
use crate::app::App;
use crate::telemetry;

/// `GET /health/live`: the process answers.
pub(super) async fn live() -> Response {
    shape::json(Ok(json!({"status": "ok"})))
}

/// `GET /health/ready`: it takes new generations. 503 once it is about to stop.
pub(super) async fn ready(State(app): State<App>) -> Response {
    match app.is_open() {
        true => shape::json(Ok(json!({"status": "ok"}))),
        false => {
            let stopping = json!({"status": "stopping"});
            shape::json_with(StatusCode::SERVICE_UNAVAILABLE, Ok(stopping))
        }
    }
}

/// `GET /metrics`, in Prometheus' text form.
pub(super) async fn metrics() -> Response {
    let mut response = Response::new(telemetry::render().into());
    let kind = HeaderValue::from_static("text/plain; version=0.0.4");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
