//! Errors become responses here and nowhere else: in the caller's dialect, with the status, what
//! helps in headers, and the cause in the log.

use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use wire::{Dialect, ErrorType};

use crate::error::{Error, Side};

/// The header that names the generation.
pub(super) const GENERATION_ID: HeaderName = HeaderName::from_static("x-generation-id");

/// An error of a generation surface.
pub(super) fn surface(surface: &dyn Dialect, error: &Error, id: Option<&str>) -> Response {
    log(error);
    let failure = &error.failure;
    let mut response = Response::new(Body::from(surface.write_error(failure, None)));
    let status = StatusCode::from_u16(failure.status);
    *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(milliseconds) = failure.retry_after_ms {
        headers.insert(RETRY_AFTER, HeaderValue::from(milliseconds.div_ceil(1000)));
    }
    for (name, value) in rate_limit_headers(failure) {
        headers.insert(name, value);
    }
    if let Some(id) = id {
        identify(headers, id);
    }
    response
}

/// An error of a path that belongs to no dialect; it takes OpenRouter's form.
pub(super) fn management(error: &Error) -> Response {
    match wire::dialect("openai-chat") {
        Some(dialect) => surface(dialect, error, None),
        None => {
            let mut response = Response::new(Body::from(error.to_string()));
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    }
}

/// Names the generation in a response.
pub(super) fn identify(headers: &mut HeaderMap, id: &str) {
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(GENERATION_ID, value);
    }
}

/// Writes an error to the log: what is ours as an error, what is others' as information.
pub(super) fn log(error: &Error) {
    let cause = error.source.as_ref().map(|source| format!("{source:#}"));
    let (status, side) = (error.failure.status, error.side.as_str());
    match error.side {
        // Too busy, or about to stop: what an operator expects to see then, many times over.
        Side::Us if status == 503 => tracing::info!(status, side, cause, "{error}"),
        Side::Us => tracing::error!(status, side, cause, "{error}"),
        Side::Upstream | Side::Plugin => tracing::warn!(status, side, cause, "{error}"),
        Side::Client => tracing::debug!(status, side, cause, "{error}"),
    }
}

/// Nobody answers that path.
pub(super) async fn no_such_path(uri: Uri) -> Response {
    let message = format!("There is no {}; the API is under /api/v1 and /v1", uri.path());
    management(&Error::client(ErrorType::NotFound, message))
}

/// The path does not take that method.
pub(super) async fn no_such_method(method: Method, uri: Uri) -> Response {
    let message = format!("{} does not take {method}", uri.path());
    let mut error = Error::client(ErrorType::InvalidRequest, message);
    error.failure.status = 405;
    management(&error)
}

/// A rate limit's numbers, which the failure carries under `headers`, as real headers too.
fn rate_limit_headers(failure: &wire::Failure) -> Vec<(HeaderName, HeaderValue)> {
    let Some((_, json)) = failure.metadata.iter().find(|(name, _)| name == "headers") else {
        return Vec::new();
    };
    let fields: std::collections::BTreeMap<String, String> = json.read().unwrap_or_default();
    let header = |(name, value): (String, String)| {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        Some((name, HeaderValue::from_str(&value).ok()?))
    };
    fields.into_iter().filter_map(header).collect()
}
