//! Scripted replies as people write them in a case. The notation is in [`cases`](super::cases).

use super::doubles::{HttpDouble, ModelDouble, SearchDouble};
use crate::bindings::base::patchbay::plugin::http::Incoming;
use crate::catalog::Model;
use crate::http::{Header, HttpError, Method};
use crate::models::{Choice, Completion};
use crate::search::Hit;
use crate::{Content, Error, FinishReason, Message, Part, Role, ToolCall, Usage};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

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
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallLine {
    id: String,
    name: String,
    arguments: String,
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

/// A model of the catalog.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListedLine {
    id: String,
    name: Option<String>,
    #[serde(default)]
    created: u64,
    context_length: Option<u64>,
    completion_max: Option<u64>,
    inputs: Option<Vec<String>>,
    outputs: Option<Vec<String>>,
    #[serde(default)]
    parameters: Vec<String>,
    prompt_nanos: Option<u64>,
    completion_nanos: Option<u64>,
}

impl ListedLine {
    pub(super) fn model(self) -> Model {
        let text = || vec!["text".to_owned()];
        Model {
            name: self.name.unwrap_or_else(|| self.id.clone()),
            id: self.id,
            created: self.created,
            context_length: self.context_length,
            completion_max: self.completion_max,
            inputs: self.inputs.unwrap_or_else(text),
            outputs: self.outputs.unwrap_or_else(text),
            parameters: self.parameters,
            prompt_nanos: self.prompt_nanos,
            completion_nanos: self.completion_nanos,
        }
    }
}

impl HttpLine {
    pub(super) fn double(self) -> Result<HttpDouble, String> {
        let method = method(&self.method).ok_or_else(|| format!("no method `{}`", self.method))?;
        let bodies = [self.body.is_some(), self.json.is_some(), self.error.is_some()];
        let has_error_and_more =
            self.error.is_some() && (self.status.is_some() || !self.headers.is_empty());
        if bodies.into_iter().filter(|given| *given).count() > 1 || has_error_and_more {
            return Err(format!("{}: either `body` or `json`, or `error` alone", self.url));
        }
        let reply = match self.error {
            Some(error) => Err(http_error(&error)?),
            None => Ok(incoming(self.status.unwrap_or(200), self.headers, self.body, self.json)),
        };
        Ok(HttpDouble { method, url: self.url, reply })
    }
}

fn incoming(
    status: u16,
    headers: BTreeMap<String, String>,
    body: Option<String>,
    json: Option<Value>,
) -> Incoming {
    let text = body.or_else(|| json.map(|json| json.to_string())).unwrap_or_default();
    let headers = headers.into_iter().map(|(name, value)| Header { name, value }).collect();
    Incoming { status, headers, body: text.into_bytes(), url: String::new() }
}

impl ModelLine {
    pub(super) fn double(self) -> Result<ModelDouble, String> {
        let has_reply =
            self.text.is_some() || !self.tool_calls.is_empty() || self.cost_nanos.is_some();
        if self.error.is_some() == has_reply {
            return Err("models: either `text` and `tool_calls`, or `error`".into());
        }
        let reply = match self.error {
            Some(error) => Err(plugin_error(&error)?),
            None => Ok(completion(self.text, self.tool_calls, self.cost_nanos.unwrap_or(0))),
        };
        Ok(ModelDouble { model: self.model, reply })
    }
}

/// A reply of one choice. The model's name is filled in when it is given out.
pub(super) fn completion(
    text: Option<String>,
    calls: Vec<CallLine>,
    cost_nanos: i64,
) -> Completion {
    let finish = if calls.is_empty() { FinishReason::Stop } else { FinishReason::ToolCalls };
    let texts = text.into_iter().map(Part::text);
    let parts = texts.chain(calls.into_iter().map(CallLine::part)).collect();
    let message = Message { role: Role::Assistant, name: None, parts, extra: Vec::new() };
    Completion {
        model: String::new(),
        provider: "test".into(),
        choices: vec![Choice { message, finish: Some(finish) }],
        usage: Usage::default(),
        cost_nanos,
    }
}

impl CallLine {
    pub(super) fn part(self) -> Part {
        let Self { id, name, arguments } = self;
        Part::new(Content::ToolCall(ToolCall { id, name, arguments }))
    }
}

impl SearchLine {
    pub(super) fn double(self) -> Result<SearchDouble, String> {
        let reply = match (self.hits, self.error) {
            (Some(hits), None) => Ok(hits.into_iter().map(HitLine::hit).collect()),
            (None, Some(error)) => Err(plugin_error(&error)?),
            _ => return Err(format!("search: `{}`: either `hits` or `error`", self.index)),
        };
        Ok(SearchDouble { index: self.index, reply })
    }
}

impl HitLine {
    fn hit(self) -> Hit {
        let Self { source, text, title, headings, offset, score } = self;
        Hit { source, title, headings, text, offset, score }
    }
}

fn method(name: &str) -> Option<Method> {
    Some(match name {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        "HEAD" => Method::Head,
        _ => return None,
    })
}

fn http_error(line: &str) -> Result<HttpError, String> {
    let (kind, text) = split(line);
    Ok(match kind {
        "denied" => HttpError::Denied(text),
        "invalid" => HttpError::Invalid(text),
        "dns" => HttpError::Dns(text),
        "connect" => HttpError::Connect(text),
        "timeout" => HttpError::Timeout,
        "too-large" => HttpError::TooLarge,
        "protocol" => HttpError::Protocol(text),
        "limit" => HttpError::Limit(text),
        _ => return Err(format!("no error of http `{kind}`")),
    })
}

fn plugin_error(line: &str) -> Result<Error, String> {
    let (kind, text) = split(line);
    Ok(match kind {
        "options" => Error::Options(text),
        "denied" => Error::Denied(text),
        "limit" => Error::Limit(text),
        "upstream" => Error::Upstream(text),
        "internal" => Error::Internal(text),
        _ => return Err(format!("no error `{kind}`")),
    })
}

/// `denied: no grant` as kind and text.
fn split(line: &str) -> (&str, String) {
    let (kind, text) = line.split_once(": ").unwrap_or((line, ""));
    (kind, text.to_owned())
}
