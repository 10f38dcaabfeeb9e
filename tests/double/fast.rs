//! The load pattern: a cheap `openai-chat` upstream. The model's name says what is streamed:
//! `burst-200` is 200 chunks at once, `flush-200` is 200 without a pause but each written by
//! itself, `pace-20-100` is 100 chunks, one every 20 ms; any other name streams as `burst-20`. Every chunk's text is `t=<nanoseconds>;`, when it was made
//! (`clock::stamp_ns`), so that who reads it knows how long it was under way.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::http::HeaderValue;
use hyper::{Response, StatusCode};
use serde::Deserialize;
use tokio::time::{Instant, Sleep};

use crate::body::Answer as Body;
use crate::clock;

#[derive(Deserialize)]
struct Asked<'a> {
    model: &'a str,
    #[serde(default)]
    stream: bool,
}

/// Answers a chat completion, streamed or not.
pub(crate) fn answer(body: &[u8]) -> Response<Body> {
    let Ok(asked) = serde_json::from_slice::<Asked<'_>>(body) else {
        let mut response = Response::new(Body::Whole(Some(Bytes::from_static(REFUSED))));
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return response;
    };
    let (body, kind) = if asked.stream {
        (Body::Fast(Box::new(Stream::new(asked.model))), "text/event-stream")
    } else {
        (Body::Whole(Some(Bytes::from_static(WHOLE))), "application/json")
    };
    let mut response = Response::new(body);
    response.headers_mut().insert("content-type", HeaderValue::from_static(kind));
    response
}

/// A stream on its way.
pub(crate) struct Stream {
    model: String,
    left: u32,
    pace: Duration,
    wait: Option<Pin<Box<Sleep>>>,
    /// Whether each chunk is written by itself, and whether the last one was.
    flush: Option<bool>,
    tail: u8,
}

impl Stream {
    fn new(model: &str) -> Self {
        let name = model.rsplit('/').next().unwrap_or(model);
        let mut words = name.split('-');
        let kind = words.next();
        let mut number = || words.next().and_then(|word| word.parse::<u32>().ok());
        let (pace_ms, left) = match kind {
            Some("burst" | "flush") => (0, number()),
            Some("pace") => (number().unwrap_or(20), number()),
            _ => (0, None),
        };
        let pace = Duration::from_millis(u64::from(pace_ms));
        let wait = (pace_ms > 0).then(|| Box::pin(tokio::time::sleep(Duration::ZERO)));
        Self {
            model: model.to_owned(),
            left: left.unwrap_or(20),
            pace,
            wait,
            flush: (kind == Some("flush")).then_some(true),
            tail: 0,
        }
    }

    /// The next event, when its time has come.
    pub(crate) fn poll_bytes(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.left == 0 {
            return Poll::Ready(self.end());
        }
        if let Some(wait) = &mut self.wait {
            ready!(wait.as_mut().poll(context));
            // From the deadline, not from now: a late wake must not slow the stream down.
            let next: Instant = wait.deadline() + self.pace;
            wait.as_mut().reset(next);
        }
        // The server writes what it has when a body has nothing ready.
        if let Some(was_written) = &mut self.flush {
            *was_written = !*was_written;
            if *was_written {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
        self.left -= 1;
        let at = clock::stamp_ns();
        let model = &self.model;
        Poll::Ready(Some(Bytes::from(format!(
            "data: {{\"id\":\"chatcmpl-double\",\"object\":\"chat.completion.chunk\",\
             \"created\":1700000000,\"model\":\"{model}\",\"choices\":[{{\"index\":0,\
             \"delta\":{{\"content\":\"t={at};\"}},\"finish_reason\":null}}]}}\n\n"
        ))))
    }

    fn end(&mut self) -> Option<Bytes> {
        self.tail += 1;
        let tail = match self.tail {
            1 => r#""choices":[{"index":0,"delta":{},"finish_reason":"stop"}]"#,
            2 => {
                r#""choices":[],"usage":{"prompt_tokens":9,"completion_tokens":20,"total_tokens":29}"#
            }
            3 => return Some(Bytes::from_static(b"data: [DONE]\n\n")),
            _ => return None,
        };
        let model = &self.model;
        Some(Bytes::from(format!(
            "data: {{\"id\":\"chatcmpl-double\",\"object\":\"chat.completion.chunk\",\
             \"created\":1700000000,\"model\":\"{model}\",{tail}}}\n\n"
        )))
    }
}

const REFUSED: &[u8] =
    br#"{"error":{"message":"the load pattern takes a JSON object with `model`"}}"#;

const WHOLE: &[u8] = br#"{"id":"chatcmpl-double","object":"chat.completion","created":1700000000,"model":"small","choices":[{"index":0,"message":{"role":"assistant","content":"A small reply, as short as replies to load are."},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":11,"total_tokens":20}}"#;
