//! One attempt at one endpoint: send, time out, read back as chunks. It does not choose, repeat or
//! bill; `generation` does.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use wire::{
    Chunk, Delta, ErrorType, Failure, Json, Outgoing, Request, Source, Target, Unavailable,
    WriteError,
};

use crate::config::Upstream as Limits;
use crate::config::catalog::{Endpoint, Provider};
use crate::error::Error;

mod authorize;
mod client;
mod conceal;
mod errands;
mod fan_out;
mod google;
mod incoming;
pub(crate) mod page;
mod sigv4;

pub(crate) use errands::Sound;
use fan_out::Several;
use incoming::Incoming;

/// The way to every provider: one connection pool, and what may take how long.
#[derive(Clone)]
pub(crate) struct Upstream {
    client: reqwest::Client,
    limits: Limits,
    tokens: google::Tokens,
}

/// What follows of a reply.
pub(crate) enum Rest {
    /// One stream.
    One(Box<Incoming>),
    /// Several, which go on as one.
    Several(Several),
}

impl Rest {
    /// Appends the next chunks; whether more may come. May be dropped and called again without
    /// losing anything but its own wait.
    ///
    /// # Errors
    /// The upstream's: silence, a broken or cut stream, or its own error event. What came before
    /// the error is given first.
    pub(crate) async fn read(&mut self, chunks: &mut Vec<Chunk>) -> Result<bool, Error> {
        match self {
            Self::One(incoming) => incoming.read(chunks).await,
            Self::Several(several) => several.read(chunks).await,
        }
    }
}

/// An attempt that was answered: what came first, and the rest to come.
pub(crate) struct Answer {
    /// The chunks read so far; for a reply that is not streamed, all of it.
    pub(crate) chunks: Vec<Chunk>,
    /// What follows; none when the reply came whole.
    pub(crate) incoming: Option<Rest>,
    /// The body of a reply that came whole.
    pub(crate) source: Option<Source>,
}

impl Answer {
    /// A reply that no upstream gave.
    pub(crate) fn of(chunk: Chunk) -> Self {
        Self { chunks: vec![chunk], incoming: None, source: None }
    }
}

impl Upstream {
    /// Sets up the pool.
    ///
    /// # Errors
    /// Names the proxy or the certificate file that can't be used.
    pub(crate) fn new(limits: &Limits) -> Result<Self, anyhow::Error> {
        let tokens = google::Tokens::default();
        Ok(Self { client: client::build(limits)?, limits: limits.clone(), tokens })
    }

    /// Asks one endpoint. Returns when the reply has begun with something to show, so that an
    /// error inside a 200 can still be followed by another attempt.
    ///
    /// # Errors
    /// What the provider said, or how it could not be reached. Errors are the upstream's, except
    /// a request that the endpoint has no form for.
    pub(crate) async fn send(
        &self,
        endpoint: &Endpoint,
        request: &Request,
    ) -> Result<Answer, Error> {
        let provider = &endpoint.provider;
        match fan_out::count(endpoint, request) {
            1 => self.in_time(provider, self.attempt(endpoint, request)).await,
            count => {
                let sending = fan_out::send(self, endpoint, request, count);
                self.in_time(provider, sending).await
            }
        }
    }

    /// An attempt, given up when nothing has come of it in time.
    async fn in_time<T>(
        &self,
        provider: &Provider,
        attempt: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let limit = Duration::from_millis(self.limits.first_token_ms);
        self.within(limit, provider, attempt).await
    }

    async fn within<T>(
        &self,
        limit: Duration,
        provider: &Provider,
        attempt: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        match tokio::time::timeout(limit, attempt).await {
            Ok(answer) => answer,
            Err(_) => Err(self.too_slow(provider, "began no reply", limit)),
        }
    }

    async fn attempt(&self, endpoint: &Endpoint, request: &Request) -> Result<Answer, Error> {
        let provider = &endpoint.provider;
        let target = Target {
            model: &endpoint.model,
            stream: request.stream,
            max_output_tokens: endpoint.max_output_tokens,
            reasoning: endpoint.reasoning,
            efforts: &endpoint.efforts,
            quirks: &endpoint.quirks,
        };
        let outgoing = provider.dialect.write_request(request, &target);
        let outgoing = outgoing.map_err(|error| unwritable(provider, &error))?;
        let response = self.post(provider, &endpoint.model, outgoing).await?;
        let is_stream = request.stream && !is_json(&response);
        if !is_stream {
            let body = self.collect(provider, response, self.limits.reply_bytes_max).await?;
            let chunks = provider.dialect.read_reply_to(request, &target, &body);
            let chunks = chunks.map_err(|error| incoming::failed(provider, error))?;
            if !chunks.iter().any(shows) {
                return Err(broken(provider, "the reply has no content and no end".to_owned()));
            }
            let source = Some(Source { dialect: provider.dialect.name(), bytes: body });
            return Ok(Answer { chunks, incoming: None, source });
        }
        let reader = provider.dialect.read_stream_to(request, &target);
        let mut incoming = Incoming::new(endpoint, response, reader, &self.limits);
        let mut chunks = Vec::new();
        while !chunks.iter().any(shows) {
            if !incoming.read(&mut chunks).await? && !chunks.iter().any(shows) {
                return Err(broken(provider, "the stream has no content and no end".to_owned()));
            }
        }
        Ok(Answer { chunks, incoming: Some(Rest::One(Box::new(incoming))), source: None })
    }

    /// Sends a body; what comes back has begun well.
    async fn post(
        &self,
        provider: &Provider,
        model: &str,
        outgoing: Outgoing,
    ) -> Result<reqwest::Response, Error> {
        let url = authorize::address(provider, model, &outgoing.path)?;
        let shown = self.credential(provider, &url, &outgoing.body).await?;
        let mut call = self.client.post(url);
        if !outgoing.headers.iter().any(|(name, _)| *name == CONTENT_TYPE.as_str()) {
            call = call.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for (name, value) in &outgoing.headers {
            call = call.header(*name, value);
        }
        for (name, value) in &provider.quirks.headers {
            call = call.header(name, value);
        }
        for (name, value) in shown {
            call = call.header(name, value);
        }
        let sent = call.body(outgoing.body).send().await;
        let response = sent.map_err(|error| unreachable(provider, error))?;
        match response.status().as_u16() {
            400.. => Err(self.refused(provider, response).await),
            _ => Ok(response),
        }
    }

    /// Reads a whole body, but not more than it may be.
    async fn collect(
        &self,
        provider: &Provider,
        mut response: reqwest::Response,
        bytes_max: usize,
    ) -> Result<Bytes, Error> {
        let mut first = None;
        let mut rest = Vec::new();
        while let Some(piece) =
            response.chunk().await.map_err(|error| unreachable(provider, error))?
        {
            let length = first.as_ref().map_or(0, Bytes::len) + rest.len() + piece.len();
            if length > bytes_max {
                let message = format!("the reply is larger than {bytes_max} bytes");
                return Err(broken(provider, message));
            }
            // Most replies are one piece: they need no copy.
            match &first {
                None => first = Some(piece),
                Some(_) => rest.extend_from_slice(&piece),
            }
        }
        let first = first.unwrap_or_default();
        if rest.is_empty() {
            return Ok(first);
        }
        Ok([first.as_ref(), rest.as_slice()].concat().into())
    }

    /// Reads what came with an error status.
    async fn refused(&self, provider: &Provider, response: reqwest::Response) -> Error {
        let status = response.status().as_u16();
        let retry_after_ms = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse::<u64>().ok())
            .map(|seconds| seconds.saturating_mul(1000));
        let body = self.collect(provider, response, ERROR_BYTES_MAX).await.unwrap_or_default();
        let mut failure = provider.dialect.read_error(status, &body);
        failure.retry_after_ms = retry_after_ms.or(failure.retry_after_ms);
        let error = named(provider, failure);
        let raw = conceal::text(provider, String::from_utf8_lossy(&body).into_owned());
        error.with_source(anyhow::anyhow!("{} answered {status}: {raw}", provider.slug))
    }

    fn too_slow(&self, provider: &Provider, what: &str, limit: Duration) -> Error {
        let message = format!("{} {what} within {} ms", provider.name, limit.as_millis());
        named(provider, Failure::new(ErrorType::Timeout, message))
    }
}

/// Whether a chunk has something for the client. What only announces a reply (a role, a first
/// count, what belongs to no choice) does not: an error after it can still be followed by another
/// attempt.
fn shows(chunk: &Chunk) -> bool {
    let announces = |delta: &Delta| {
        matches!(delta, Delta::Role { .. } | Delta::Usage(_) | Delta::Other { choice: None, .. })
    };
    chunk.deltas.iter().any(|delta| !announces(delta))
}

fn is_json(response: &reqwest::Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/json"))
}

/// The endpoint has no form for the request; another one may have.
fn unwritable(provider: &Provider, error: &WriteError) -> Error {
    let message = format!("No endpoints found that support {}", error.what);
    let failure = Failure::new(ErrorType::NotFound, message);
    let refused = Error::upstream(failure).unavailable(Unavailable::ConstraintFiltered);
    refused.with_source(anyhow::anyhow!("{}: {error}", provider.slug))
}

/// No connection, or a broken one. The cause names hosts, so only the log sees it.
fn unreachable(provider: &Provider, error: reqwest::Error) -> Error {
    let message = format!("{} could not be reached", provider.name);
    let error_type =
        if error.is_timeout() { ErrorType::Timeout } else { ErrorType::ProviderUnavailable };
    named(provider, Failure::new(error_type, message)).with_source(error)
}

/// The provider broke its own dialect.
fn broken(provider: &Provider, cause: String) -> Error {
    let message = format!("{} sent an invalid reply", provider.name);
    let failure = Failure::new(ErrorType::ProviderUnavailable, message);
    named(provider, failure).with_source(anyhow::anyhow!(cause))
}

/// A failure with the provider's name in its metadata, as clients of OpenRouter expect it.
fn named(provider: &Provider, failure: Failure) -> Error {
    let mut failure = conceal::failure(provider, failure);
    failure.metadata.push(("provider_name".to_owned(), Json::of(&provider.name)));
    Error::upstream(failure)
}

/// More of an error body than this is not read.
const ERROR_BYTES_MAX: usize = 256 << 10;
