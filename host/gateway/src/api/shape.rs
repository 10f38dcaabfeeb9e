//! Small shapes that several paths share: JSON bodies in and out.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use wire::ErrorType;

use super::rescue;
use crate::error::Error;

/// Answers with a JSON body, or with the error.
pub(super) fn json(result: Result<impl Serialize, Error>) -> Response {
    json_with(StatusCode::OK, result)
}

/// The same with another status for success.
pub(super) fn json_with(status: StatusCode, result: Result<impl Serialize, Error>) -> Response {
    let bytes = result.and_then(|value| serde_json::to_vec(&value).map_err(Error::us));
    match bytes {
        Ok(bytes) => {
            let mut response = Response::new(Body::from(bytes));
            *response.status_mut() = status;
            let kind = HeaderValue::from_static("application/json");
            response.headers_mut().insert(CONTENT_TYPE, kind);
            response
        }
        Err(error) => rescue::management(&error),
    }
}

/// Reads a JSON body.
///
/// # Errors
/// 400 that names the field.
pub(super) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| {
        let message = wrong_field::<T>(body).unwrap_or_else(|| format!("The body: {error}"));
        Error::client(ErrorType::InvalidRequest, message)
    })
}

/// What is wrong with which field of a flat object: read alone, any other is only incomplete.
fn wrong_field<T: DeserializeOwned>(body: &Bytes) -> Option<String> {
    let fields: Map<String, Value> = serde_json::from_slice(body).ok()?;
    fields.into_iter().find_map(|(name, value)| {
        let alone = Map::from_iter([(name.clone(), value)]);
        let error = serde_json::from_value::<T>(Value::Object(alone)).err()?.to_string();
        (!error.starts_with("missing field")).then(|| format!("{name}: {error}"))
    })
}

/// `{"data": …}`
#[derive(Debug, Serialize)]
pub(super) struct Data<T> {
    /// What was asked for.
    pub(super) data: T,
}

/// Milliseconds since 1970 as ISO 8601 in UTC.
pub(super) fn iso(unix_ms: u64) -> Option<String> {
    let timestamp = jiff::Timestamp::from_millisecond(i64::try_from(unix_ms).ok()?).ok()?;
    Some(timestamp.to_string())
}
