//! The surfaces beside text generation: OpenRouter's form in, a task, OpenRouter's form out.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use wire::surface::{self, Upload};
use wire::{Dialect, ErrorType, ReadError, TranscribeRequest};

use super::body::StreamBody;
use super::{generate, rescue};
use crate::app::App;
use crate::auth::Caller;
use crate::clock;
use crate::error::Error;
use crate::generation::{self, Ask, Begun, Task, Waiting};

/// `POST /embeddings`
pub(super) async fn embeddings(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    json(app, headers, body, surface::read_embed).await
}

/// `POST /rerank`
pub(super) async fn rerank(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    json(app, headers, body, surface::read_rerank).await
}

/// `POST /images`, and `/images/generations` for OpenAI's clients
pub(super) async fn images(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    json(app, headers, body, surface::read_image).await
}

/// `POST /audio/speech`
pub(super) async fn speech(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    json(app, headers, body, surface::read_speech).await
}

/// `POST /audio/transcriptions`: JSON, or a form with the file
pub(super) async fn transcriptions(
    State(app): State<App>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let boundary = kind.and_then(|kind| multer::parse_boundary(kind).ok());
    let Some(boundary) = boundary else {
        return json(app, headers, body, surface::read_transcribe).await;
    };
    let begun = async {
        let admitted = Admitted::check(&app, &headers)?;
        let bytes_max = app.config.server.upload_bytes_max;
        let body = generate::read_at_most(&app, body, bytes_max, "server.upload_bytes_max").await?;
        let bytes = body.len();
        let task: TranscribeRequest = surface::read_upload(upload(body, &boundary).await?)
            .map_err(|error| invalid(&error))?;
        start(&app, admitted, headers, (task, bytes))
    };
    answered(&app, begun.await).await
}

/// A surface whose body is JSON.
async fn json<T: Task>(
    app: App,
    headers: HeaderMap,
    body: Body,
    read: fn(&[u8]) -> Result<T, ReadError>,
) -> Response {
    let begun = async {
        let admitted = Admitted::check(&app, &headers)?;
        let body = generate::read(&app, body).await?;
        let task = read(&body).map_err(|error| invalid(&error))?;
        start(&app, admitted, headers, (task, body.len()))
    };
    answered(&app, begun.await).await
}

fn invalid(error: &ReadError) -> Error {
    Error::client(ErrorType::InvalidRequest, error.to_string())
}

/// Takes a form apart.
async fn upload(body: Bytes, boundary: &str) -> Result<Upload, Error> {
    let broken = |error: multer::Error| {
        Error::client(ErrorType::InvalidRequest, format!("body: expected a form: {error}"))
    };
    let stream = futures_util::stream::iter([Ok::<_, Infallible>(body)]);
    let mut form = multer::Multipart::new(stream, boundary);
    let mut upload = Upload::default();
    while let Some(field) = form.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            let file_name = field.file_name().map(str::to_owned);
            let kind = field.content_type().map(|kind| kind.essence_str().to_owned());
            upload.file = Some((file_name, kind, field.bytes().await.map_err(broken)?));
        } else {
            upload.fields.push((name, field.text().await.map_err(broken)?));
        }
    }
    Ok(upload)
}

/// A caller that may ask, and its place.
struct Admitted {
    caller: Arc<Caller>,
    permit: tokio::sync::OwnedSemaphorePermit,
}

impl Admitted {
    fn check(app: &App, headers: &HeaderMap) -> Result<Self, Error> {
        let caller = app.auth.generation(headers, clock::unix_ms())?;
        app.limit.admit(&caller.hash)?;
        Ok(Self { caller, permit: app.admit()? })
    }
}

/// A task that runs, and what its client waits for.
struct Started {
    id: String,
    is_stream: bool,
    waiting: Waiting,
}

/// Sets a task going; the number is its body's size.
fn start<T: Task>(
    app: &App,
    admitted: Admitted,
    headers: HeaderMap,
    (task, body_bytes): (T, usize),
) -> Result<Started, Error> {
    let id = app.new_generation_id()?;
    let is_stream = task.order().stream;
    let stall = Duration::from_millis(app.config.server.client_stall_ms);
    let (client, waiting) = generation::pair(stall);
    let Admitted { caller, permit } = admitted;
    let surface = dialect()?;
    let request = wire::Request::default();
    let ask = Ask { id: id.clone(), caller, surface, request, headers, turn: None, body_bytes };
    let app = app.clone();
    tokio::spawn(async move {
        generation::serve(app, ask, task, client).await;
        drop(permit);
    });
    Ok(Started { id, is_stream, waiting })
}

/// The dialect that these surfaces' errors are told in.
fn dialect() -> Result<&'static dyn Dialect, Error> {
    wire::dialect("openai-chat").ok_or_else(|| Error::us(anyhow::anyhow!("no dialect openai-chat")))
}

async fn answered(app: &App, started: Result<Started, Error>) -> Response {
    let told = match (started, dialect()) {
        (Ok(started), Ok(surface)) => Ok((started, surface)),
        (Err(error), _) | (_, Err(error)) => Err(error),
    };
    match told {
        Ok((started, surface)) => answer(app, surface, started).await,
        Err(error) => rescue::management(&error),
    }
}

/// Waits for the answer. For events, headers go out after a while, and comments until it is there.
async fn answer(app: &App, surface: &'static dyn Dialect, started: Started) -> Response {
    let Started { id, is_stream, waiting: Waiting { mut begun, body: pieces } } = started;
    let pause = Duration::from_millis(app.config.server.comment_ms);
    let events = |pieces| StreamBody::of(Some(surface::image_stream()), pieces, pause);
    let told = if is_stream {
        let patience = Duration::from_millis(app.config.server.first_comment_ms);
        match tokio::time::timeout(patience, &mut begun).await {
            Ok(told) => told,
            Err(_) => return generate::stream(surface, events(pieces).until(begun), &id),
        }
    } else {
        begun.await
    };
    match told.unwrap_or_else(|_| Err(generate::lost())) {
        Ok(Begun::Stream) => generate::stream(surface, events(pieces), &id),
        Ok(Begun::Sound(mime)) => {
            let mut response = Response::new(Body::new(StreamBody::of(None, pieces, pause)));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(mime));
            rescue::identify(response.headers_mut(), &id);
            response
        }
        told => generate::whole(surface, told, &id),
    }
}
