//! The generation surfaces: dialect in, generation, dialect out.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use wire::{Dialect, ErrorType};

use super::body::StreamBody;
use super::rescue;
use crate::app::App;
use crate::auth::Caller;
use crate::clock;
use crate::error::Error;
use crate::generation::{self, Ask, Begun, Waiting};

/// `POST /chat/completions`
pub(super) async fn chat(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    surface(app, "openai-chat", headers, body).await
}

/// `POST /completions`
pub(super) async fn completions(
    State(app): State<App>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    surface(app, "openai-completions", headers, body).await
}

/// One surface: reads its dialect, runs the generation, answers in the dialect.
async fn surface(app: App, dialect: &'static str, headers: HeaderMap, body: Body) -> Response {
    let Some(surface) = wire::dialect(dialect) else {
        return rescue::management(&Error::us(anyhow::anyhow!("no dialect {dialect}")));
    };
    match begin(&app, surface, headers, body).await {
        Ok(started) => answer(&app, surface, started).await,
        Err(error) => rescue::surface(surface, &error, None),
    }
}

/// A generation that runs, and what its client waits for.
struct Started {
    id: String,
    is_stream: bool,
    waiting: Waiting,
}

/// Authenticates, limits, reads the request, and sets the generation going.
async fn begin(
    app: &App,
    surface: &'static dyn Dialect,
    headers: HeaderMap,
    body: Body,
) -> Result<Started, Error> {
    let caller: Arc<Caller> = app.auth.generation(&headers, clock::unix_ms())?;
    app.limit.admit(&caller.hash)?;
    let permit = app.admit()?;
    let body = read(app, body).await?;
    let request = surface
        .read_request(&body)
        .map_err(|error| Error::client(ErrorType::InvalidRequest, error.to_string()))?;
    let is_stream = request.stream;
    let id = app.new_generation_id()?;
    let stall = Duration::from_millis(app.config.server.client_stall_ms);
    let (client, waiting) = generation::pair(stall);
    let ask = Ask { id: id.clone(), caller, surface, request, headers, body_bytes: body.len() };
    let app = app.clone();
    tokio::spawn(async move {
        generation::run(app, ask, client).await;
        drop(permit);
    });
    Ok(Started { id, is_stream, waiting })
}

/// Waits for the reply to begin. Headers are held back for a while, so that an early failure
/// still gets its own status; then a stream is kept open with comments while it goes on.
async fn answer(app: &App, surface: &'static dyn Dialect, mut started: Started) -> Response {
    let id = started.id;
    if !started.is_stream {
        let begun = (&mut started.waiting.begun).await;
        return whole(surface, begun.unwrap_or_else(|_| Err(lost())), &id);
    }
    let patience = Duration::from_millis(app.config.server.first_comment_ms);
    let begun = tokio::time::timeout(patience, &mut started.waiting.begun).await;
    let pause = Duration::from_millis(app.config.server.comment_ms);
    match begun {
        Ok(Ok(Ok(Begun::Stream))) => {
            let body = StreamBody::begun(surface, &id, started.waiting.body, pause);
            stream(surface, body, &id)
        }
        Ok(begun) => whole(surface, begun.unwrap_or_else(|_| Err(lost())), &id),
        Err(_) => stream(surface, StreamBody::waiting(surface, &id, started.waiting, pause), &id),
    }
}

/// Reads the body, but not more than it may be nor for longer than it may take.
async fn read(app: &App, body: Body) -> Result<Bytes, Error> {
    let server = &app.config.server;
    let limited = Limited::new(body, server.body_bytes_max);
    let limit = Duration::from_millis(server.body_ms);
    match tokio::time::timeout(limit, limited.collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let message = format!(
                "The request body is larger than {} bytes (server.body_bytes_max)",
                server.body_bytes_max
            );
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

fn whole(surface: &'static dyn Dialect, begun: Result<Begun, Error>, id: &str) -> Response {
    match begun {
        Ok(Begun::Whole(body)) => {
            let mut response = Response::new(Body::from(body));
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            rescue::identify(headers, id);
            response
        }
        Ok(Begun::Stream) => rescue::surface(surface, &lost(), Some(id)),
        Err(error) => rescue::surface(surface, &error, Some(id)),
    }
}

fn stream(surface: &dyn Dialect, body: StreamBody, id: &str) -> Response {
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
fn lost() -> Error {
    Error::us(anyhow::anyhow!("the generation ended without an answer"))
}
