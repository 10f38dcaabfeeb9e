//! A client that speaks any dialect: it asks the gateway in the words that a provider is asked in,
//! and reads what comes back as the gateway reads its upstreams.

use bytes::Bytes;
use serde_json::Value;
use wire::{
    Chunk, Content, DIALECTS, Dialect, Extra, Failure, Message, Outgoing, Part, Quirks,
    ReasoningStyle, Reply, Request, Role, StreamError, Target,
};

use crate::harness::Gateway;

/// Where a dialect is served.
#[derive(Clone, Copy)]
pub(crate) struct Surface {
    /// What is spoken there.
    pub(crate) dialect: &'static dyn Dialect,
    /// What stands before the dialect's own path.
    prefix: &'static str,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Told {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The body as it came; of an event stream in frames what can be read of it.
    pub(crate) body: String,
    /// What was said.
    pub(crate) reply: Reply,
    /// The error, as status and body or in the stream.
    pub(crate) failure: Option<Failure>,
}

/// Every surface. A dialect that is added needs its place here.
pub(crate) fn surfaces() -> Vec<Surface> {
    let place = |dialect: &&'static dyn Dialect| {
        let prefix = match dialect.name() {
            "openai-chat" | "openai-completions" | "openai-responses" | "anthropic-messages" => {
                "/v1"
            }
            "gemini-generate" => "/v1beta",
            "cohere-chat" => "/v2",
            "bedrock-converse" | "ollama-chat" => "",
            other => panic!("where is {other} served?"),
        };
        Surface { dialect: *dialect, prefix }
    };
    DIALECTS.iter().map(place).collect()
}

/// A request that says one thing.
pub(crate) fn saying(model: &str, text: &str, stream: bool) -> Request {
    let (role, parts) = (Role::User, vec![Part::new(Content::Text(text.to_owned()))]);
    let message = Message { role, name: None, parts, extra: Extra::default() };
    Request { model: model.to_owned(), stream, messages: vec![message], ..Request::default() }
}

impl Surface {
    /// A request's body in the surface's dialect.
    pub(crate) fn body(&self, request: &Request) -> Result<Value, wire::WriteError> {
        let written = self.written(request)?;
        Ok(serde_json::from_slice(&written.body).unwrap())
    }

    fn written(&self, request: &Request) -> Result<Outgoing, wire::WriteError> {
        // Google's clients put this before whatever they are given.
        let is_gemini = self.dialect.name() == "gemini-generate";
        let model = format!("{}{}", if is_gemini { "models/" } else { "" }, request.model);
        let target = Target {
            model: &model,
            stream: request.stream,
            max_output_tokens: Some(1000),
            reasoning: ReasoningStyle::Effort,
            efforts: &[],
            quirks: &Quirks::default(),
        };
        self.dialect.write_request(request, &target)
    }

    /// Asks, and reads the reply to its end. `more`: fields for the body, which a provider is not
    /// sent.
    pub(crate) async fn ask(&self, gateway: &Gateway, request: &Request, more: &Value) -> Told {
        let path = self.written(request).unwrap().path;
        let mut body = self.body(request).unwrap();
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let response = gateway
            .client()
            .post(format!("{}{}{}", gateway.url, self.prefix, path))
            .bearer_auth(&gateway.key)
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        let status = response.status().as_u16();
        let is_stream = status == 200 && request.stream;
        if is_stream {
            let kind = response.headers()["content-type"].to_str().unwrap();
            assert_eq!(kind, self.dialect.framing().content_type(), "{}", self.dialect.name());
        }
        let bytes = response.bytes().await.unwrap();
        let (chunks, failure) = match (status, is_stream) {
            (200, true) => self.read_stream(&bytes),
            (200, false) => split(self.dialect.read_reply(&bytes)),
            _ => (Vec::new(), Some(self.dialect.read_error(status, &bytes))),
        };
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Told { status, body, reply: Reply::fold(&chunks), failure }
    }

    fn read_stream(&self, bytes: &Bytes) -> (Vec<Chunk>, Option<Failure>) {
        let mut frames = self.dialect.framing().reader(1 << 24);
        let mut reader = self.dialect.read_stream();
        let mut chunks = Vec::new();
        frames.push(bytes.clone());
        let events: Vec<_> =
            std::iter::from_fn(|| frames.next_event()).map(Result::unwrap).collect();
        for event in events.into_iter().chain(frames.finish().map(Result::unwrap)) {
            if let (_, Some(failure)) = split(reader.read(&event, &mut chunks).map(|()| Vec::new()))
            {
                return (chunks, Some(failure));
            }
        }
        assert!(reader.is_done(), "{}: no end: {}", self.dialect.name(), lossy(bytes));
        (chunks, None)
    }
}

fn lossy(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn split(read: Result<Vec<Chunk>, StreamError>) -> (Vec<Chunk>, Option<Failure>) {
    match read {
        Ok(chunks) => (chunks, None),
        Err(StreamError::Upstream(failure)) => (Vec::new(), Some(failure)),
        Err(StreamError::Read(error)) => panic!("the gateway's own reply can't be read: {error}"),
    }
}
