//! Who answers a request: the load pattern, a script, or the control paths by which a test says
//! what to answer and reads what was received:
//! - `PUT /_double/script/{name}`: sets a script and closes its gate; 400 says what is wrong.
//! - `POST /_double/release/{name}`: opens the gate for streams that wait after `gate_after`.
//! - `GET /_double/log/{name}`: what was received. With `?received=N&ended=M&within_ms=T` it
//!   waits until so many requests came and so many answers ended, and is 408 when they did not.
//! - `DELETE /_double/log/{name}`: forgets it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::http::HeaderValue;
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::body::Answer as Body;
use crate::journal::{Ending, Entry, Journal};
use crate::play::Play;
use crate::script::{Answer, Content, Hang, Script};
use crate::{clock, fast};

/// Everything that this process knows.
#[derive(Default)]
pub(crate) struct Double {
    scripts: Mutex<BTreeMap<String, Arc<Part>>>,
    journal: Journal,
}

struct Part {
    script: Script,
    gate: watch::Sender<bool>,
}

impl Double {
    /// Answers one request.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
            return say(StatusCode::BAD_REQUEST, "the request's body broke off");
        };
        let path = head.uri.path().to_owned();
        if path.starts_with("/fast/") {
            return fast::answer(&body);
        }
        let Some((first, rest)) = path.trim_start_matches('/').split_once('/') else {
            return say(StatusCode::NOT_FOUND, "paths begin with a script's name");
        };
        if first != "_double" {
            return self.play(first, rest, &head, &body).await;
        }
        match (&head.method, rest.split_once('/')) {
            (&Method::PUT, Some(("script", name))) => self.set(name, &body),
            (&Method::POST, Some(("release", name))) => self.release(name),
            (&Method::GET, Some(("log", name))) => {
                self.log(name, head.uri.query().unwrap_or_default()).await
            }
            (&Method::DELETE, Some(("log", name))) => {
                self.journal.clear(name);
                whole(StatusCode::NO_CONTENT, String::new())
            }
            _ => say(StatusCode::NOT_FOUND, "no such control path"),
        }
    }

    fn set(&self, name: &str, body: &Bytes) -> Response<Body> {
        match Script::read(body) {
            Err(error) => say(StatusCode::BAD_REQUEST, &format!("{error:#}")),
            Ok(script) => {
                let part = Part { script, gate: watch::Sender::new(false) };
                self.scripts.lock().insert(name.to_owned(), Arc::new(part));
                whole(StatusCode::NO_CONTENT, String::new())
            }
        }
    }

    fn release(&self, name: &str) -> Response<Body> {
        let Some(part) = self.scripts.lock().get(name).cloned() else {
            return say(StatusCode::NOT_FOUND, &format!("there is no script `{name}`"));
        };
        part.gate.send_replace(true);
        whole(StatusCode::NO_CONTENT, String::new())
    }

    async fn log(&self, name: &str, query: &str) -> Response<Body> {
        let number = |field: &str| {
            let mut fields = query.split('&').filter_map(|pair| pair.split_once('='));
            let value = fields.find(|(key, _)| *key == field).map(|(_, value)| value);
            value.and_then(|value| value.parse::<u64>().ok()).unwrap_or(0)
        };
        let (received, ended) = (number("received"), number("ended"));
        let mut changes = self.journal.changes();
        let is_there = |_: &u64| {
            let entries = self.journal.read(name);
            let done = entries.iter().filter(|entry| entry.ending != Ending::Open).count();
            let reaches = |count: usize, asked| u64::try_from(count).is_ok_and(|n| n >= asked);
            reaches(entries.len(), received) && reaches(done, ended)
        };
        let within = Duration::from_millis(number("within_ms"));
        let waited = tokio::time::timeout(within, changes.wait_for(is_there)).await;
        let status = if waited.is_ok() { StatusCode::OK } else { StatusCode::REQUEST_TIMEOUT };
        let entries = self.journal.read(name);
        whole(status, serde_json::to_string(&entries).unwrap_or_else(|error| error.to_string()))
    }

    async fn play(&self, name: &str, rest: &str, head: &Parts, body: &Bytes) -> Response<Body> {
        let json: Option<Value> = serde_json::from_slice(body).ok();
        let asks_stream = json.as_ref().and_then(|body| body.get("stream")) == Some(&json!(true));
        // Some dialects ask for a stream by the path.
        let is_stream = asks_stream
            || rest.contains("streamGenerateContent")
            || rest.ends_with("/converse-stream");
        let query = head.uri.query().map_or_else(String::new, |query| format!("?{query}"));
        let path = format!("/{rest}{query}");
        let headers = headers(head);
        let lines: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        let compact = json.as_ref().map(Value::to_string).unwrap_or_default();
        let request = format!("{} {path}\n{lines}\n{compact}", head.method);
        let text = String::from_utf8_lossy(body).into_owned();
        let receipt = self.journal.receive(
            name,
            Entry {
                method: head.method.to_string(),
                path,
                headers,
                body: json.unwrap_or_else(|| text.clone().into()),
                text,
                ending: Ending::Open,
                events_sent: 0,
                bytes_sent: 0,
                received_ns: clock::stamp_ns(),
                ended_ns: None,
            },
        );
        let part = self.scripts.lock().get(name).cloned();
        let chosen = part.as_ref().and_then(|part| {
            part.script.choose(is_stream, &request).map(|answer| (answer, part.gate.subscribe()))
        });
        let Some((answer, gate)) = chosen else {
            receipt.end(Ending::Whole);
            let kind = if is_stream { "streamed" } else { "whole" };
            let why = format!("the double has no answer for a {kind} request to `{name}`");
            return say(StatusCode::NOT_FOUND, &why);
        };
        if answer.hang == Some(Hang::Head) {
            std::future::pending::<()>().await;
        }
        if answer.head_ms > 0 {
            tokio::time::sleep(Duration::from_millis(answer.head_ms)).await;
        }
        scripted(answer, Body::Scripted(Box::new(Play::new(answer, gate, receipt))))
    }
}

fn scripted(answer: &Answer, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let status = answer.status.and_then(|status| StatusCode::from_u16(status).ok());
    *response.status_mut() = status.unwrap_or(StatusCode::OK);
    let usual = match answer.content {
        Content::Whole(_) => "application/json",
        Content::Stream(_) => "text/event-stream",
    };
    let encoding = answer.content_encoding.map(|encoding| ("content-encoding", encoding.as_str()));
    let given = answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in [("content-type", usual)].into_iter().chain(encoding).chain(given) {
        let name = name.parse::<hyper::header::HeaderName>();
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn headers(head: &Parts) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::<String, String>::new();
    for (name, value) in &head.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        let held = headers.entry(name.to_string()).or_default();
        if !held.is_empty() {
            held.push_str(", ");
        }
        held.push_str(&value);
    }
    headers
}

fn say(status: StatusCode, message: &str) -> Response<Body> {
    whole(status, json!({"error": {"message": message}}).to_string())
}

fn whole(status: StatusCode, text: String) -> Response<Body> {
    let body = (!text.is_empty()).then(|| Bytes::from(text));
    let mut response = Response::new(Body::Whole(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert("content-type", json);
    response
}
