//! A generation over HTTP: dialect in, generation, dialect out. The same for every surface.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::sync::OwnedSemaphorePermit;
use wire::{Dialect, ErrorType, Head, Request};

use super::body::StreamBody;
use super::{rescue, responses};
use crate::app::App;
use crate::auth::Caller;
use crate::clock;
use crate::error::Error;
use crate::generation::{self, Ask, Begun, Waiting};

/// A path that generations are asked for at, and what its address says.
pub(super) struct Surface {
    /// What is spoken there.
    pub(super) dialect: &'static dyn Dialect,
    /// The model, where the address names it.
    pub(super) model: Option<String>,
    /// Whether the reply is streamed, where the address says so.
    pub(super) is_stream: Option<bool>,
    /// Whether replies are kept for those who ask for it.
    pub(super) keeps: bool,
}

impl Surface {
    /// A path that says nothing.
    pub(super) fn of(dialect: &'static dyn Dialect) -> Self {
        Self { dialect, model: None, is_stream: None, keeps: false }
    }

    /// Runs a generation.
    pub(super) async fn generate(self, app: App, headers: HeaderMap, body: Body) -> Response {
        match self.begin(&app, headers, body).await {
            Ok(started) => answer(&app, self.dialect, started).await,
            Err(error) => rescue::surface(self.dialect, &error, None),
        }
    }

    /// Reads the request and sets the generation going.
    async fn begin(&self, app: &App, headers: HeaderMap, body: Body) -> Result<Started, Error> {
        let Admitted { caller, permit, mut body } = admit(app, &headers, body).await?;
        let id = app.new_generation_id()?;
        let mut turn = None;
        if self.keeps {
            (body, turn) = responses::recall(app, &caller, &id, body).await?;
        }
        let mut request = self.read(&body)?;
        request.service.betas = betas(&headers);
        let (model, is_stream) = (request.model.clone(), request.stream);
        let stall = Duration::from_millis(app.config.server.client_stall_ms);
        let (client, waiting) = generation::pair(stall);
        let (surface, body_bytes) = (self.dialect, body.len());
        let ask = Ask { id: id.clone(), caller, surface, request, headers, turn, body_bytes };
        let app = app.clone();
        tokio::spawn(async move {
            generation::run(app, ask, client).await;
            drop(permit);
        });
        Ok(Started { id, model, is_stream, waiting })
    }

    /// Reads a body, and fills in what the address says.
    ///
    /// # Errors
    /// 400 that names the field.
    pub(super) fn read(&self, body: &Bytes) -> Result<Request, Error> {
        let request = self.dialect.read_request(body);
        let mut request =
            request.map_err(|error| Error::client(ErrorType::InvalidRequest, error.to_string()))?;
        if let Some(model) = &self.model {
            request.model.clone_from(model);
        }
        request.stream = self.is_stream.unwrap_or(request.stream);
        Ok(request)
    }
}

/// Features of Anthropic's API that the client opted in to, whatever it speaks itself.
fn betas(headers: &HeaderMap) -> Vec<String> {
    let names = ["anthropic-beta", "x-anthropic-beta"];
    let values = names.iter().flat_map(|name| headers.get_all(*name));
    let lists = values.filter_map(|value| value.to_str().ok());
    let mut betas: Vec<String> = Vec::new();
    for beta in lists.flat_map(|list| list.split(',')).map(str::trim) {
        if !beta.is_empty() && !betas.iter().any(|known| known == beta) {
            betas.push(beta.to_owned());
        }
    }
    betas
}

/// A request that may be served.
pub(super) struct Admitted {
    /// Who asks.
    pub(super) caller: Arc<Caller>,
    /// Its place among the requests in flight.
    pub(super) permit: OwnedSemaphorePermit,
    /// What was sent.
    pub(super) body: Bytes,
}

/// Authenticates, limits, and reads the body.
///
/// # Errors
/// Who asks may not, or not so often; the body is too large or too slow.
pub(super) async fn admit(app: &App, headers: &HeaderMap, body: Body) -> Result<Admitted, Error> {
    let caller = app.auth.generation(headers, clock::unix_ms())?;
    app.limit.admit(&caller.hash)?;
    let permit = app.admit()?;
    let body = read(app, body).await?;
    Ok(Admitted { caller, permit, body })
}

/// A generation that runs, and what its client waits for.
struct Started {
    id: String,
    /// The model as the client named it.
    model: String,
    is_stream: bool,
    waiting: Waiting,
}

/// Waits for the reply to begin. Headers are held back for a while, so that an early failure
/// still gets its own status; then a stream is kept open with comments while it goes on.
async fn answer(app: &App, surface: &'static dyn Dialect, started: Started) -> Response {
    let Started { id, model, is_stream, mut waiting } = started;
    let told = |begun: Result<Begun, Error>| match &begun {
        Err(error) => too_long(surface, error, (&id, model), is_stream)
            .unwrap_or_else(|| whole(surface, begun, &id)),
        Ok(_) => whole(surface, begun, &id),
    };
    if !is_stream {
        let begun = (&mut waiting.begun).await;
        return told(begun.unwrap_or_else(|_| Err(lost())));
    }
    let patience = Duration::from_millis(app.config.server.first_comment_ms);
    let begun = tokio::time::timeout(patience, &mut waiting.begun).await;
    let pause = Duration::from_millis(app.config.server.comment_ms);
    match begun {
        Ok(Ok(Ok(Begun::Stream))) => {
            let body = StreamBody::begun(surface, &id, waiting.body, pause);
            stream(surface, body, &id)
        }
        Ok(begun) => told(begun.unwrap_or_else(|_| Err(lost()))),
        Err(_) => stream(surface, StreamBody::waiting(surface, &id, waiting, pause), &id),
    }
}

/// The reply to a request that is too long, on a surface where that is no error.
fn too_long(
    surface: &'static dyn Dialect,
    error: &Error,
    (id, model): (&str, String),
    is_stream: bool,
) -> Option<Response> {
    let created = clock::unix_ms() / 1000;
    let head = Head { id: id.to_owned(), created, model, ..Head::default() };
    let body = surface.write_too_long(&error.failure, &head, is_stream)?;
    rescue::log(error);
    let mut response = Response::new(Body::from(body));
    let kind = if is_stream { surface.framing().content_type() } else { "application/json" };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    rescue::identify(response.headers_mut(), id);
    Some(response)
}

/// Reads the body, but not more than it may be nor for longer than it may take.
pub(super) async fn read(app: &App, body: Body) -> Result<Bytes, Error> {
    read_at_most(app, body, app.config.server.body_bytes_max, "server.body_bytes_max").await
}

/// The same with another limit, and the setting that it is.
pub(super) async fn read_at_most(
    app: &App,
    body: Body,
    bytes_max: usize,
    setting: &str,
) -> Result<Bytes, Error> {
    let server = &app.config.server;
    let limited = Limited::new(body, bytes_max);
    let limit = Duration::from_millis(server.body_ms);
    match tokio::time::timeout(limit, limited.collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let message = format!("The request body is larger than {bytes_max} bytes ({setting})");
            Err(Error::client(ErrorType::PayloadTooLarge, message))
        }
        Ok(Err(error)) => {
            Err(Error::client(ErrorType::InvalidRequest, format!("The body broke off: {error}")))
        }
        Err(_) => {
            let message = format!("The request body took longer than {} ms", server.body_ms);
            let mut error = Error::client(ErrorType::Timeout, message);
            error.failure.status = 408;
            Err(error)
        }
    }
}

pub(super) fn whole(
    surface: &'static dyn Dialect,
    begun: Result<Begun, Error>,
    id: &str,
) -> Response {
    match begun {
        Ok(Begun::Whole(body)) => {
            let mut response = Response::new(Body::from(body));
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            rescue::identify(headers, id);
            response
        }
        Ok(Begun::Stream | Begun::Sound(_)) => rescue::surface(surface, &lost(), Some(id)),
        Err(error) => rescue::surface(surface, &error, Some(id)),
    }
}

pub(super) fn stream(surface: &dyn Dialect, body: StreamBody, id: &str) -> Response {
    let mut response = Response::new(Body::new(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(surface.framing().content_type()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // nginx and its kin would collect the events otherwise.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    rescue::identify(headers, id);
    response
}

/// The generation's task ended without a word: it panicked.
pub(super) fn lost() -> Error {
    Error::us(anyhow::anyhow!("the generation ended without an answer"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_gathered_from_both_headers_once_each() {
        let mut headers = HeaderMap::new();
        assert_eq!(betas(&headers), [""; 0]);
        headers.append("anthropic-beta", HeaderValue::from_static("a-1, b-2,"));
        headers.append("anthropic-beta", HeaderValue::from_static("c-3"));
        headers.append("x-anthropic-beta", HeaderValue::from_static("b-2,d-4"));
        assert_eq!(betas(&headers), ["a-1", "b-2", "c-3", "d-4"]);
    }
}
