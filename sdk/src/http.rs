//! Requests to the hosts that the operator granted. The plugin says which secret goes where; the
//! host puts it in, checks the address, and caps time, bytes and number.
//!
//! ```
//! use patchbay_sdk::http;
//! # patchbay_sdk::testing::kit().secret("EXA_KEY").http(
//! #     http::Method::Get, "https://api.exa.ai/search?q=two%20words", 200, r#"{"results":[]}"#);
//! let search = http::get("https://api.exa.ai/search").query("q", "two words").bearer("EXA_KEY");
//! let reply = search.timeout_ms(5_000).send()?;
//! let found: serde_json::Value = reply.ok()?.json()?;
//! # assert_eq!(found["results"], serde_json::json!([]));
//! # Ok::<(), patchbay_sdk::Error>(())
//! ```
//!
//! Wanted in [`Description::capability`](crate::Description::capability) as
//! `http=https://api.exa.ai` and `secrets=EXA_KEY`.

use crate::bindings::base::patchbay::plugin::http::Incoming;
#[cfg(test)]
mod tests;

pub use crate::bindings::base::patchbay::plugin::http::{Header, HttpError, Method, Outgoing};
use crate::secrets::{Binding, Placement};
use crate::{Error, host};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Asks for what is at `url`, which is absolute.
pub fn get(url: &str) -> Request {
    Request::new(Method::Get, url)
}

/// Sends something to `url`.
pub fn post(url: &str) -> Request {
    Request::new(Method::Post, url)
}

/// Puts something at `url`.
pub fn put(url: &str) -> Request {
    Request::new(Method::Put, url)
}

/// Changes a part of what is at `url`.
pub fn patch(url: &str) -> Request {
    Request::new(Method::Patch, url)
}

/// Removes what is at `url`.
pub fn delete(url: &str) -> Request {
    Request::new(Method::Delete, url)
}

/// Asks for the headers of what is at `url`.
pub fn head(url: &str) -> Request {
    Request::new(Method::Head, url)
}

/// Sends several side by side. The replies are in the requests' order.
///
/// # Errors
/// Each where there is no reply, as [`Request::send`] says.
pub fn fetch_all(requests: Vec<Request>) -> Vec<Result<Response, HttpError>> {
    let (mut outgoing, mut invalid) = (Vec::new(), Vec::new());
    for request in requests {
        if request.invalid.is_none() {
            outgoing.push(request.outgoing);
        }
        invalid.push(request.invalid);
    }
    let mut fetched = host::http::fetch_all(&outgoing).into_iter();
    let unanswered = || Err(HttpError::Protocol("the host gave no answer".into()));
    let result = |invalid: Option<String>| match invalid {
        Some(reason) => Err(HttpError::Invalid(reason)),
        None => {
            let fetched = fetched.next().unwrap_or_else(unanswered);
            fetched.map(|incoming| Response { incoming })
        }
    };
    invalid.into_iter().map(result).collect()
}

/// A request in the making. What is wrong with it is said by [`Request::send`].
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before `send`"]
pub struct Request {
    outgoing: Outgoing,
    invalid: Option<String>,
}

impl Request {
    fn new(method: Method, url: &str) -> Self {
        let outgoing = Outgoing {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            auth: None,
            timeout_ms: None,
            response_bytes_max: None,
        };
        Self { outgoing, invalid: None }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.outgoing.headers.push(Header { name: name.into(), value: value.into() });
        self
    }

    /// Adds a parameter to the URL's query, encoded.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        let url = &mut self.outgoing.url;
        let fragment = url.find('#').map(|at| url.split_off(at));
        url.push(if url.contains('?') { '&' } else { '?' });
        encode(name, url);
        url.push('=');
        encode(value, url);
        url.push_str(fragment.as_deref().unwrap_or_default());
        self
    }

    /// Sends these bytes.
    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.outgoing.body = bytes.into();
        self
    }

    /// Sends this as JSON, with its content type.
    pub fn json(mut self, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(bytes) => self.outgoing.body = bytes,
            Err(error) => self.invalid = Some(format!("the body is no JSON: {error}")),
        }
        self.header("content-type", "application/json")
    }

    /// The host adds `authorization: Bearer <the secret's value>`.
    pub fn bearer(self, secret: &str) -> Self {
        self.auth(secret, Placement::Bearer)
    }

    /// The host adds the secret's value as a header.
    pub fn secret_header(self, header: &str, secret: &str) -> Self {
        self.auth(secret, Placement::Header(header.into()))
    }

    /// The host adds the secret's value as a parameter of the query.
    pub fn secret_query(self, parameter: &str, secret: &str) -> Self {
        self.auth(secret, Placement::Query(parameter.into()))
    }

    fn auth(mut self, name: &str, placement: Placement) -> Self {
        self.outgoing.auth = Some(Binding { name: name.into(), placement });
        self
    }

    /// Waits no longer than this. The host's own limit stays above it.
    pub fn timeout_ms(mut self, limit: u32) -> Self {
        self.outgoing.timeout_ms = Some(limit);
        self
    }

    /// Takes no more than this; a longer reply is `TooLarge`. The host's own limit stays above it.
    pub fn response_bytes_max(mut self, limit: u32) -> Self {
        self.outgoing.response_bytes_max = Some(limit);
        self
    }

    /// Sends it and waits. Any status is a response: see [`Response::ok`].
    ///
    /// # Errors
    /// When there is none. `?` turns it into an [`Error`].
    pub fn send(self) -> Result<Response, HttpError> {
        match self.invalid {
            Some(reason) => Err(HttpError::Invalid(reason)),
            None => host::http::fetch(&self.outgoing).map(|incoming| Response { incoming }),
        }
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Response {
    incoming: Incoming,
}

impl Response {
    /// `200`
    pub fn status(&self) -> u16 {
        self.incoming.status
    }

    /// Where it came from, after redirects.
    pub fn url(&self) -> &str {
        &self.incoming.url
    }

    /// The first header of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.incoming.headers.iter();
        headers.find(|header| header.name.eq_ignore_ascii_case(name)).map(|it| it.value.as_str())
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.incoming.body
    }

    /// The body as text. Bytes that are none become `\u{fffd}`.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.incoming.body).into_owned()
    }

    /// The body, read as JSON.
    ///
    /// # Errors
    /// `Error::Upstream` when it does not fit `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.incoming.body)
            .map_err(|error| Error::Upstream(format!("{} sent other JSON: {error}", self.place())))
    }

    /// Itself, if the status is 200 to 299.
    ///
    /// # Errors
    /// `Error::Upstream` with the status otherwise.
    pub fn ok(self) -> Result<Self, Error> {
        match self.incoming.status {
            200..=299 => Ok(self),
            status => Err(Error::Upstream(format!("{} answered {status}", self.place()))),
        }
    }

    /// The URL without its query, which may be long or private.
    fn place(&self) -> &str {
        self.incoming.url.split(['?', '#']).next().unwrap_or_default()
    }
}

impl From<HttpError> for Error {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Denied(reason) => Self::Denied(reason),
            HttpError::Invalid(reason) => Self::Internal(format!("an invalid request: {reason}")),
            HttpError::Dns(reason) => Self::Upstream(format!("no such host: {reason}")),
            HttpError::Connect(reason) => Self::Upstream(format!("no connection: {reason}")),
            HttpError::Timeout => Self::Upstream("the reply took too long".into()),
            HttpError::TooLarge => Self::Limit("the reply is too large".into()),
            HttpError::Protocol(reason) => Self::Upstream(format!("the reply broke off: {reason}")),
            HttpError::Limit(reason) => Self::Limit(reason),
        }
    }
}

/// Everything but RFC 3986's unreserved characters as `%XX`.
fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}
