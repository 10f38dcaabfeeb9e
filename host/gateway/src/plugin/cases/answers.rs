//! What the host answers, as people write it in a case: replies by method and URL, what models
//! say, what queries find.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use wire::{Choice, FinishReason, Reply, ToolCall};

use super::super::bindings::search::Hit;
use super::super::bindings::types::PluginError;
use super::super::egress::{Fetched, Method, Refusal};

/// A reply to one request.
#[derive(Clone)]
pub(super) struct HttpAnswer {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) reply: Result<Page, Refusal>,
}

/// What a host replies.
#[derive(Clone)]
pub(super) struct Page {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What one model replies.
#[derive(Clone)]
pub(super) struct ModelAnswer {
    /// The model that must be asked; none for any.
    pub(super) model: Option<String>,
    /// Reply and cost in nano-dollars.
    pub(super) reply: Result<(Reply, i64), PluginError>,
}

/// The outcome of one query.
#[derive(Clone)]
pub(super) struct SearchAnswer {
    pub(super) index: String,
    pub(super) reply: Result<Vec<Hit>, PluginError>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HttpLine {
    method: String,
    url: String,
    status: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    json: Option<Value>,
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelLine {
    model: Option<String>,
    text: Option<String>,
    #[serde(default)]
    tool_calls: Vec<CallLine>,
    cost_nanos: Option<i64>,
    error: Option<String>,
}

/// A call that a model made.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallLine {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) arguments: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchLine {
    index: String,
    hits: Option<Vec<HitLine>>,
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HitLine {
    source: String,
    text: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    headings: Vec<String>,
    #[serde(default)]
    offset: u64,
    #[serde(default)]
    score: f32,
}

impl HttpLine {
    /// # Errors
    /// Names what does not go together.
    pub(super) fn answer(self) -> Result<HttpAnswer, String> {
        let Self { method: name, url, status, headers, body, json, error } = self;
        let method = method(&name).ok_or_else(|| format!("no method `{name}`"))?;
        let bodies = [body.is_some(), json.is_some(), error.is_some()];
        let has_error_and_more = error.is_some() && (status.is_some() || !headers.is_empty());
        if bodies.into_iter().filter(|given| *given).count() > 1 || has_error_and_more {
            return Err(format!("{url}: either `body` or `json`, or `error` alone"));
        }
        let reply = match error {
            Some(error) => Err(refusal(&error)?),
            None => {
                let text = body.or_else(|| json.map(|json| json.to_string()));
                let header = |(name, value): (String, String)| (name.to_ascii_lowercase(), value);
                Ok(Page {
                    status: status.unwrap_or(200),
                    headers: headers.into_iter().map(header).collect(),
                    body: text.unwrap_or_default().into_bytes(),
                })
            }
        };
        Ok(HttpAnswer { method, url, reply })
    }
}

impl Page {
    /// The page, as what was fetched from there.
    pub(super) fn fetched(self, url: &str) -> Fetched {
        let Self { status, headers, body } = self;
        Fetched { status, headers, bytes_read: body.len(), body, url: url.to_owned() }
    }
}

impl ModelLine {
    /// # Errors
    /// Names what does not go together.
    pub(super) fn answer(self) -> Result<ModelAnswer, String> {
        let has_reply =
            self.text.is_some() || !self.tool_calls.is_empty() || self.cost_nanos.is_some();
        if self.error.is_some() == has_reply {
            return Err("models: either `text` and `tool_calls`, or `error`".to_owned());
        }
        let reply = match self.error {
            Some(error) => Err(plugin_error(&error)?),
            None => Ok((reply(self.text, self.tool_calls), self.cost_nanos.unwrap_or(0))),
        };
        Ok(ModelAnswer { model: self.model, reply })
    }
}

/// A reply of one choice.
fn reply(text: Option<String>, calls: Vec<CallLine>) -> Reply {
    let reason = if calls.is_empty() { FinishReason::Stop } else { FinishReason::ToolCalls };
    let call = |CallLine { id, name, arguments }| ToolCall { id, name, arguments };
    let choice = Choice {
        text: text.unwrap_or_default(),
        tool_calls: calls.into_iter().map(call).collect(),
        finish: Some((reason, None)),
        ..Choice::default()
    };
    Reply { choices: vec![choice], ..Reply::default() }
}

impl SearchLine {
    /// # Errors
    /// Names what does not go together.
    pub(super) fn answer(self) -> Result<SearchAnswer, String> {
        let reply = match (self.hits, self.error) {
            (Some(hits), None) => Ok(hits.into_iter().map(HitLine::hit).collect()),
            (None, Some(error)) => Err(plugin_error(&error)?),
            _ => return Err(format!("search: `{}`: either `hits` or `error`", self.index)),
        };
        Ok(SearchAnswer { index: self.index, reply })
    }
}

impl HitLine {
    fn hit(self) -> Hit {
        let Self { source, text, title, headings, offset, score } = self;
        Hit { source, title, headings, text, offset, score }
    }
}

fn method(name: &str) -> Option<Method> {
    METHODS.iter().find(|(_, known)| *known == name).map(|(method, _)| *method)
}

/// The name of a method.
pub(super) fn name(method: Method) -> &'static str {
    METHODS.iter().find(|(known, _)| *known == method).map_or("", |(_, name)| name)
}

fn refusal(line: &str) -> Result<Refusal, String> {
    let (kind, text) = split(line);
    Ok(match kind {
        "denied" => Refusal::Denied(text),
        "invalid" => Refusal::Invalid(text),
        "dns" => Refusal::Dns(text),
        "connect" => Refusal::Connect(text),
        "timeout" => Refusal::Timeout,
        "too-large" => Refusal::TooLarge,
        "protocol" => Refusal::Protocol(text),
        "limit" => Refusal::Limit(text),
        _ => return Err(format!("no error of http `{kind}`")),
    })
}

fn plugin_error(line: &str) -> Result<PluginError, String> {
    let (kind, text) = split(line);
    Ok(match kind {
        "options" => PluginError::Options(text),
        "denied" => PluginError::Denied(text),
        "limit" => PluginError::Limit(text),
        "upstream" => PluginError::Upstream(text),
        "internal" => PluginError::Internal(text),
        _ => return Err(format!("no error `{kind}`")),
    })
}

/// `denied: no grant` as kind and text.
fn split(line: &str) -> (&str, String) {
    let (kind, text) = line.split_once(": ").unwrap_or((line, ""));
    (kind, text.to_owned())
}

const METHODS: [(Method, &str); 6] = [
    (Method::Get, "GET"),
    (Method::Post, "POST"),
    (Method::Put, "PUT"),
    (Method::Patch, "PATCH"),
    (Method::Delete, "DELETE"),
    (Method::Head, "HEAD"),
];
