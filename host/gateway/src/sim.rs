//! `patchbay/sim`: a simulated model behind a real loopback listener that speaks `openai-chat`, so
//! that everything works without a key. It writes its thoughts as `<think>` text, as many open
//! models do; asked for reasoning it uses the field; given tools it calls the first one. Beside it
//! stand `patchbay/sim-embed` and `patchbay/sim-rerank`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use serde_json::{Value, json};

mod likeness;
mod script;

use script::Script;

/// The provider's slug.
pub(crate) const PROVIDER: &str = "patchbay-sim";

/// Binds the listener; `serve` answers on it.
///
/// # Errors
/// When loopback has no port left.
pub(crate) fn bind() -> Result<std::net::TcpListener, anyhow::Error> {
    let listener = std::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Answers until the process ends.
///
/// # Errors
/// When the socket can't be used.
pub(crate) async fn serve(listener: std::net::TcpListener) -> Result<(), anyhow::Error> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PACE).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let service = hyper::service::service_fn(reply);
        tokio::spawn(async move {
            let builder = Builder::new(TokioExecutor::new());
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

type Body = UnsyncBoxBody<Bytes, Infallible>;

async fn reply(request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path().to_owned();
    let body = Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await;
    let Ok(body) = body.map(|body| body.to_bytes()) else {
        return Ok(error(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"));
    };
    let Ok(asked) = serde_json::from_slice::<Value>(&body) else {
        return Ok(error(StatusCode::BAD_REQUEST, "the body is not JSON"));
    };
    let made = match path.as_str() {
        "/v1/embeddings" => Some(likeness::embeddings(&asked)),
        "/v1/rerank" => Some(likeness::ranking(&asked)),
        _ => None,
    };
    if let Some(made) = made {
        return Ok(answer("application/json", Full::from(made.to_string()).boxed_unsync()));
    }
    let script = Script::write(&asked);
    Ok(match asked.get("stream").and_then(Value::as_bool) {
        Some(true) => streamed(&script),
        _ => whole(&script),
    })
}

fn whole(script: &Script) -> Response<Body> {
    let body = json!({
        "id": "sim", "object": "chat.completion", "created": 0, "model": "sim",
        "choices": [{
            "index": 0, "message": script.message(), "finish_reason": script.finish(),
            "logprobs": null,
        }],
        "usage": script.usage(),
    });
    answer("application/json", Full::from(body.to_string()).boxed_unsync())
}

fn streamed(script: &Script) -> Response<Body> {
    let events = script.deltas().into_iter().map(|delta| event(&delta, None));
    let last = event(&json!({}), Some(script.finish()));
    let usage = json!({
        "id": "sim", "object": "chat.completion.chunk", "created": 0, "model": "sim",
        "choices": [], "usage": script.usage(),
    });
    let ending = [last, format!("data: {usage}\n\n"), "data: [DONE]\n\n".to_owned()];
    let pieces: Vec<String> = events.chain([ending.concat()]).collect();
    let paced = stream::unfold(pieces.into_iter(), |mut pieces| async {
        let piece = pieces.next()?;
        tokio::time::sleep(PACE).await;
        Some((Ok::<_, Infallible>(Frame::data(Bytes::from(piece))), pieces))
    });
    answer("text/event-stream", StreamBody::new(paced).boxed_unsync())
}

fn event(delta: &Value, finish: Option<&str>) -> String {
    let chunk = json!({
        "id": "sim", "object": "chat.completion.chunk", "created": 0, "model": "sim",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": null}],
    });
    format!("data: {chunk}\n\n")
}

fn answer(kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let kind = http::HeaderValue::from_static(kind);
    response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
    response
}

fn error(status: StatusCode, message: &str) -> Response<Body> {
    let body = json!({"error": {"message": message, "type": "invalid_request_error"}});
    let mut response = answer("application/json", Full::from(body.to_string()).boxed_unsync());
    *response.status_mut() = status;
    response
}

/// The pause between two pieces: quick, but visibly a stream.
const PACE: Duration = Duration::from_millis(15);

/// Larger bodies are refused; the gateway's own limit comes first.
const BODY_BYTES_MAX: usize = 64 << 20;
