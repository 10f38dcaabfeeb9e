//! `http`: requests to the hosts that the operator granted, through the egress gate.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use futures_util::future::join_all;

use super::super::bindings::http::{self, Header, HttpError, Incoming, Outgoing};
use super::super::bindings::secrets::{Binding, Placement};
use super::super::capability::Environment;
use super::super::egress::{self, Credential, Errand, Fetched, Method, Refusal};
use super::super::grant::Grants;
use super::super::host::{State, as_usize};
use super::super::view::GenerationView;
use crate::config::PluginLimits;

impl http::Host for State {
    async fn fetch(&mut self, request: Outgoing) -> wasmtime::Result<Result<Incoming, HttpError>> {
        Ok(self.send(vec![request]).await.pop().unwrap_or(Err(HttpError::Timeout)))
    }

    async fn fetch_all(
        &mut self,
        requests: Vec<Outgoing>,
    ) -> wasmtime::Result<Vec<Result<Incoming, HttpError>>> {
        Ok(self.send(requests).await)
    }
}

/// A request on its way: what the gate is told besides, and what it may still send.
struct Sending<'a> {
    request: &'a Outgoing,
    headers: Vec<(String, String)>,
    credential: Option<Credential<'a>>,
    redirects_max: u32,
    sent: AtomicU64,
}

impl State {
    /// Sends requests side by side. What may still be sent is shared out among them, redirects
    /// included.
    async fn send(&mut self, requests: Vec<Outgoing>) -> Vec<Result<Incoming, HttpError>> {
        let way = Way {
            plugin: Arc::clone(&self.plugin),
            limits: Arc::clone(&self.limits),
            view: Arc::clone(&self.view),
            grants: Arc::clone(&self.grants),
        };
        let left = self.limits.http_calls.saturating_sub(self.used.http_calls);
        let count = u64::try_from(requests.len()).unwrap_or(u64::MAX).min(left);
        let each = left.checked_div(count).unwrap_or(0);
        let redirects = u32::try_from(each.saturating_sub(1)).unwrap_or(u32::MAX);
        let redirects_max = redirects.min(REDIRECTS_MAX);
        let sending = requests.iter().zip(0_u64..).map(|(request, number)| {
            if number >= count {
                return Err(way.over());
            }
            let auth = request.auth.as_ref();
            let credential = auth.map(|binding| way.credential(binding)).transpose()?;
            let headers = request.headers.iter();
            let headers = headers.map(|it| (it.name.clone(), it.value.clone())).collect();
            let sent = AtomicU64::new(0);
            Ok(Sending { request, headers, credential, redirects_max, sent })
        });
        let sending: Vec<Result<Sending<'_>, HttpError>> = sending.collect();
        let results = join_all(sending.into_iter().map(async |sending| match sending {
            Ok(sending) => way.send(sending).await,
            Err(refused) => (Err(refused), 0),
        }))
        .await;
        let sent = results.iter().map(|(_, sent)| *sent).fold(0, u64::saturating_add);
        self.used.http_calls = self.used.http_calls.saturating_add(sent);
        results.into_iter().map(|(result, _)| result).collect()
    }
}

/// What bounds the plugin's requests.
struct Way {
    plugin: Arc<Environment>,
    limits: Arc<PluginLimits>,
    view: Arc<GenerationView>,
    grants: Arc<Grants>,
}

impl Way {
    /// Sends one, and says how many requests it was.
    async fn send(&self, sending: Sending<'_>) -> (Result<Incoming, HttpError>, u64) {
        let Sending { request, headers, credential, redirects_max, sent } = sending;
        let limit_ms = self.limits.http_ms;
        let timeout_ms = request.timeout_ms.map_or(limit_ms, |own| limit_ms.min(u64::from(own)));
        let bytes_max = as_usize(self.limits.http_bytes);
        let own_max = request.response_bytes_max.and_then(|own| usize::try_from(own).ok());
        let setting = format!("plugin.{}.grant", self.plugin.id);
        let errand = Errand {
            method: method(request.method),
            url: &request.url,
            headers: &headers,
            body: request.body.clone().into(),
            timeout: Duration::from_millis(timeout_ms),
            response_bytes_max: own_max.map_or(bytes_max, |own| bytes_max.min(own)),
            redirects_max,
            sent: &sent,
            public: &self.grants.http,
            private: &self.grants.http_private,
            credential,
            setting: &setting,
        };
        let fetched = self.view.outside.fetch(errand).await;
        meter(&self.plugin.id, &fetched);
        let result = match fetched {
            // Cut short by what was left, and not by how many are followed.
            Err(Refusal::Limit(_)) if redirects_max < REDIRECTS_MAX => Err(self.over()),
            fetched => fetched.map(incoming).map_err(refused),
        };
        // One that was refused before it was sent counts too: asking is not free.
        (result, sent.into_inner().max(1))
    }

    fn over(&self) -> HttpError {
        let (id, most) = (&self.plugin.id, self.limits.http_calls);
        let setting = format!("plugin.{id}.limits.http_calls");
        HttpError::Limit(format!("more than {most} requests, redirects included ({setting})"))
    }

    fn credential<'a>(&'a self, binding: &'a Binding) -> Result<Credential<'a>, HttpError> {
        let name = binding.name.as_str();
        let Some(secret) = self.grants.secrets.get(name) else {
            if let Some(script) = self.view.outside.script() {
                script.note_no_secret(name);
            }
            let (id, shown) = (&self.plugin.id, name.escape_debug());
            let fix = format!(
                "set plugin.{id}.secrets.{shown} and add \"secrets={shown}\" to plugin.{id}.grant"
            );
            return Err(HttpError::Denied(format!("there is no secret `{shown}`: {fix}")));
        };
        Ok(Credential {
            name,
            value: secret.value.expose(),
            placement: match &binding.placement {
                Placement::Bearer => egress::Placement::Bearer,
                Placement::Header(name) => egress::Placement::Header(name),
                Placement::Query(name) => egress::Placement::Query(name),
            },
            hosts: &secret.hosts,
        })
    }
}

/// Counts a request of a plugin and what it brought.
fn meter(plugin: &str, fetched: &Result<Fetched, Refusal>) {
    let (result, bytes) = match fetched {
        Ok(fetched) => ("ok", u64::try_from(fetched.bytes_read).unwrap_or(u64::MAX)),
        Err(Refusal::Denied(_)) => ("denied", 0),
        Err(_) => ("failed", 0),
    };
    let labels = [("plugin", plugin.to_owned()), ("result", result.to_owned())];
    metrics::counter!("patchbay_plugin_http_requests_total", &labels).increment(1);
    let plugin = plugin.to_owned();
    metrics::counter!("patchbay_plugin_http_bytes_total", "plugin" => plugin).increment(bytes);
}

fn method(method: http::Method) -> Method {
    match method {
        http::Method::Get => Method::Get,
        http::Method::Post => Method::Post,
        http::Method::Put => Method::Put,
        http::Method::Patch => Method::Patch,
        http::Method::Delete => Method::Delete,
        http::Method::Head => Method::Head,
    }
}

fn incoming(it: Fetched) -> Incoming {
    let header = |(name, value)| Header { name, value };
    let headers = it.headers.into_iter().map(header).collect();
    Incoming { status: it.status, headers, body: it.body, url: it.url }
}

fn refused(refusal: Refusal) -> HttpError {
    match refusal {
        Refusal::Denied(why) => HttpError::Denied(why),
        Refusal::Invalid(why) => HttpError::Invalid(why),
        Refusal::Dns(why) => HttpError::Dns(why),
        Refusal::Connect(why) => HttpError::Connect(why),
        Refusal::Timeout => HttpError::Timeout,
        Refusal::TooLarge => HttpError::TooLarge,
        Refusal::Protocol(why) => HttpError::Protocol(why),
        Refusal::Limit(why) => HttpError::Limit(why),
    }
}

/// As browsers do.
const REDIRECTS_MAX: u32 = 10;
