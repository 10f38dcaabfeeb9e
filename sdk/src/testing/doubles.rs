//! What answers in the place of hosts, models and indexes: replies that a test scripted, given
//! out once each. What nobody scripted is a fault, and so is what nobody asked for.

use crate::bindings::base::patchbay::plugin::http::Incoming;
use crate::catalog::Model;
use crate::http::{HttpError, Method, Outgoing};
use crate::models::{Completion, Embeddings};
use crate::search::Hit;
use crate::{Error, Request, Usage};
use std::collections::VecDeque;

/// The replies that are left, and what was asked.
#[derive(Default)]
pub(crate) struct Doubles {
    pub(super) http: Vec<HttpDouble>,
    pub(super) models: VecDeque<ModelDouble>,
    pub(super) embeddings: VecDeque<Vec<f32>>,
    /// How the next call of an embedding model fails, if it does.
    pub(super) embedding_fails: Option<Error>,
    pub(super) search: VecDeque<SearchDouble>,
    /// The models that there are.
    pub(crate) catalog: Vec<Model>,
    /// The secrets that exist.
    pub(super) secrets: Vec<String>,
    /// The capabilities that the plugin describes; none when that is not known.
    pub(super) wanted: Option<Vec<String>>,
    pub(super) faults: Vec<String>,
    pub(super) sent: Vec<Outgoing>,
    pub(super) asked: Vec<Request>,
}

/// A reply to one request.
#[derive(Clone)]
pub(super) struct HttpDouble {
    pub(super) method: Method,
    pub(super) url: String,
    /// Its `url` is filled in.
    pub(super) reply: Result<Incoming, HttpError>,
}

/// A reply of one model.
#[derive(Clone)]
pub(super) struct ModelDouble {
    /// The model that must be asked; none for any.
    pub(super) model: Option<String>,
    /// Its `model` is filled in.
    pub(super) reply: Result<Completion, Error>,
}

/// The outcome of one query.
#[derive(Clone)]
pub(super) struct SearchDouble {
    pub(super) index: String,
    pub(super) reply: Result<Vec<Hit>, Error>,
}

impl Doubles {
    /// Plays `http.fetch`.
    pub(crate) fn fetch(&mut self, request: &Outgoing) -> Result<Incoming, HttpError> {
        self.sent.push(request.clone());
        let Some(origin) = origin(&request.url) else {
            return Err(HttpError::Invalid(format!("`{}` is no http(s) address", request.url)));
        };
        self.want("http", &origin).map_err(HttpError::Denied)?;
        if let Some(secret) = request.auth.as_ref().map(|binding| binding.name.as_str()) {
            self.want("secrets", secret).map_err(HttpError::Denied)?;
            if !self.secrets.iter().any(|name| name == secret) {
                return Err(HttpError::Denied(format!("there is no secret `{secret}`")));
            }
        }
        let fits = |it: &HttpDouble| it.method == request.method && it.url == request.url;
        let Some(at) = self.http.iter().position(fits) else {
            let what = format!("http: {} {}", method(request.method), request.url);
            return Err(HttpError::Connect(self.fault(format!("{what}: not scripted"))));
        };
        let reply = self.http.remove(at).reply;
        reply.map(|incoming| Incoming { url: request.url.clone(), ..incoming })
    }

    /// Plays `models.complete`.
    pub(crate) fn complete(&mut self, request: &Request) -> Result<Completion, Error> {
        self.asked.push(request.clone());
        self.want("models", &request.model).map_err(Error::Denied)?;
        let Some(double) = self.models.pop_front() else {
            return Err(self.upstream(format!("models: `{}`: not scripted", request.model)));
        };
        if let Some(model) = double.model.filter(|model| *model != request.model) {
            let fault = format!("models: `{}` was asked, not `{model}`", request.model);
            return Err(self.upstream(fault));
        }
        double.reply.map(|reply| Completion { model: request.model.clone(), ..reply })
    }

    /// Plays `models.embed`.
    pub(crate) fn embed(&mut self, model: &str, inputs: &[String]) -> Result<Embeddings, Error> {
        self.want("models", model).map_err(Error::Denied)?;
        if let Some(error) = self.embedding_fails.take() {
            return Err(error);
        }
        if self.embeddings.len() < inputs.len() {
            let (wanted, left) = (inputs.len(), self.embeddings.len());
            let fault = format!("embeddings: {wanted} inputs, but {left} scripted vectors");
            return Err(self.upstream(fault));
        }
        let vectors = self.embeddings.drain(..inputs.len()).collect();
        Ok(Embeddings { model: model.into(), vectors, usage: Usage::default(), cost_nanos: 0 })
    }

    /// Plays `search.query`.
    pub(crate) fn query(&mut self, index: &str, count: u32) -> Result<Vec<Hit>, Error> {
        self.want("search", index).map_err(Error::Denied)?;
        let Some(double) = self.search.pop_front() else {
            return Err(self.upstream(format!("search: `{index}`: not scripted")));
        };
        if double.index != index {
            let fault = format!("search: `{index}` was asked, not `{}`", double.index);
            return Err(self.upstream(fault));
        }
        let mut hits = double.reply?;
        hits.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        Ok(hits)
    }

    /// Plays `secrets.exists`.
    pub(crate) fn has_secret(&mut self, name: &str) -> bool {
        self.want("secrets", name).is_ok() && self.secrets.iter().any(|known| known == name)
    }

    /// What went wrong, and what is left. Forgets both.
    pub(super) fn unmet(&mut self) -> Vec<String> {
        let mut unmet = std::mem::take(&mut self.faults);
        let http = self.http.drain(..);
        unmet.extend(http.map(|it| format!("http: {} {}: not asked", method(it.method), it.url)));
        for (name, left) in [
            ("models", std::mem::take(&mut self.models).len()),
            ("embeddings", std::mem::take(&mut self.embeddings).len()),
            ("search", std::mem::take(&mut self.search).len()),
        ] {
            if left > 0 {
                unmet.push(format!("{name}: {left} not asked"));
            }
        }
        unmet
    }

    /// Refuses what the plugin's description does not ask for: the host would, too.
    fn want(&mut self, capability: &str, what: &str) -> Result<(), String> {
        let Some(wanted) = &self.wanted else { return Ok(()) };
        if wanted.iter().any(|wish| covers(wish, capability, what)) {
            return Ok(());
        }
        Err(self.fault(format!("{capability}: `describe` does not want `{capability}={what}`")))
    }

    fn fault(&mut self, fault: String) -> String {
        self.faults.push(fault.clone());
        fault
    }

    fn upstream(&mut self, fault: String) -> Error {
        Error::Upstream(self.fault(fault))
    }
}

/// Whether `wish` (`models=openai/*`) covers `capability` for `what`. In a host, `*` stands for any
/// part of the name; elsewhere it is the last letter.
fn covers(wish: &str, capability: &str, what: &str) -> bool {
    let Some((name, pattern)) = wish.split_once('=') else { return wish == capability };
    let (pattern, what) = match pattern.strip_suffix(":*") {
        // Any port: it does not count.
        Some(pattern) => (pattern, without_port(what)),
        None => (pattern, what),
    };
    let fits = match pattern.split_once('*') {
        None => what == pattern,
        Some((begin, end)) => {
            let rest = what.strip_prefix(begin);
            rest.is_some_and(|rest| rest.ends_with(end)) && (end.is_empty() || name == "http")
        }
    };
    name == capability && fits
}

fn without_port(origin: &str) -> &str {
    match origin.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => origin,
    }
}

/// Refuses a wish for what no operator can grant.
pub(super) fn check_wish(wish: &str) -> Result<(), String> {
    let (name, what) = wish.split_once('=').unwrap_or((wish, "anything"));
    if GRANTED.contains(&name) && !what.is_empty() {
        return Ok(());
    }
    let names = GRANTED.join(", ");
    Err(format!("`describe` wants `{wish}`: write {names}, or one of them with `=` and a name"))
}

/// The capabilities that need a grant.
const GRANTED: [&str; 4] = ["http", "secrets", "models", "search"];

/// `https://api.exa.ai` of `https://api.exa.ai/search?q=x`.
fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    (matches!(scheme, "http" | "https") && !host.is_empty()).then(|| format!("{scheme}://{host}"))
}

fn method(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
        Method::Head => "HEAD",
    }
}
