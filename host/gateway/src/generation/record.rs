//! What is written down of a generation: gathered while it runs, read once at its end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::HeaderName;
use ledger::{Cost as Charge, Money};
use wire::{Content, Cost, FinishReason, Head, Json, MediaKind, Request, Usage};

use super::calls::Calls;
use super::meter::{Meter, Metered};
use super::{Ask, Reply};
use crate::app::App;
use crate::clock;
use crate::config::catalog::Endpoint;
use crate::error::{Error, Side};
use crate::plugin::{Outcome, Selected, Told};
use crate::routing::Step;
use crate::store::{GenerationRecord, PluginUse, ProviderResponse, Write};

/// What is known so far.
pub(super) struct Record {
    started: Instant,
    /// When the generation's time is over.
    pub(super) deadline: Instant,
    /// When reading on for a client that left is over.
    pub(super) drain_until: Option<Instant>,
    /// Whether the client left.
    pub(super) cancelled: bool,
    /// Models that plugins ask.
    calls: Option<Arc<Calls>>,
    /// What it uses.
    pub(super) meter: Meter,
    /// Rounds that are over: their counts and their price.
    earlier: (Usage, Charge),
    kept: GenerationRecord,
    status: u16,
}

/// What the client pays.
pub(super) struct Billed {
    /// As counted.
    pub(super) metered: Metered,
    /// For the ledger.
    pub(super) amount: Money,
    /// For the client.
    pub(super) cost: Cost,
}

impl Record {
    /// Begins at the request's arrival.
    pub(super) fn begin(app: &App, ask: &Ask) -> Self {
        let started = clock::now();
        let request = &ask.request;
        let header = |name: HeaderName| {
            let value = ask.headers.get(name)?.to_str().ok()?;
            Some(value.chars().take(TEXT_MAX).collect::<String>())
        };
        let media = |kind: Option<MediaKind>| count_media(request, kind);
        let kept = GenerationRecord {
            id: ask.id.clone(),
            key: ask.caller.hash.clone(),
            created_at_ms: clock::unix_ms(),
            model: request.model.clone(),
            api_type: "completions".to_owned(),
            streamed: request.stream,
            num_media_prompt: media(None),
            num_input_audio_prompt: media(Some(MediaKind::Audio)),
            http_referer: header(http::header::REFERER),
            app_title: header(HeaderName::from_static("x-title")),
            origin: header(http::header::ORIGIN),
            user_agent: header(http::header::USER_AGENT),
            external_user: request.user.clone(),
            session_id: request.controls.session_id.clone(),
            ..GenerationRecord::default()
        };
        Self {
            started,
            deadline: started + Duration::from_millis(app.config.upstream.total_ms),
            drain_until: None,
            cancelled: false,
            calls: None,
            meter: Meter::new(started, ask.body_bytes),
            earlier: (Usage::default(), Charge::default()),
            kept,
            status: 200,
        }
    }

    /// The same for another kind of call than a conversation.
    pub(super) fn of_type(mut self, api_type: &str) -> Self {
        api_type.clone_into(&mut self.kept.api_type);
        self
    }

    /// Notes the plugins that take part, and what they may call.
    pub(super) fn use_plugins(&mut self, selected: &[Selected], calls: &Arc<Calls>) {
        let plugin_use = |selected: &Selected| {
            let plugin = &selected.plugin;
            let about = &plugin.description;
            PluginUse {
                id: about.id.clone(),
                version: about.version.clone(),
                digest: plugin.digest.clone(),
                generation: plugin.generation,
            }
        };
        self.kept.plugins = selected.iter().map(plugin_use).collect();
        self.calls = Some(Arc::clone(calls));
    }

    /// Takes what plugins asked of models; it stands on this bill.
    fn take_calls(&mut self) {
        if let Some(calls) = &self.calls {
            self.kept.plugin_calls = calls.settled();
        }
    }

    /// What plugins spent.
    fn plugin_cost(&self) -> Money {
        self.kept.plugin_calls.iter().map(|call| call.cost).sum()
    }

    /// What was charged for this request itself.
    pub(super) fn charged(&self) -> Money {
        self.kept.total_cost
    }

    /// Notes an attempt that failed.
    pub(super) fn note_attempt(&mut self, step: &Step, error: &Error) {
        self.push_attempt(&step.endpoint, Some(error.failure.status));
    }

    /// Every attempt so far, in order.
    pub(super) fn attempts(&self) -> &[ProviderResponse] {
        &self.kept.provider_responses
    }

    /// The plugins that take part, in order.
    pub(super) fn plugin_ids(&self) -> impl Iterator<Item = &str> {
        self.kept.plugins.iter().map(|plugin| plugin.id.as_str())
    }

    fn push_attempt(&mut self, endpoint: &Endpoint, status: Option<u16>) {
        self.kept.provider_responses.push(ProviderResponse {
            provider_name: endpoint.provider.name.clone(),
            model: endpoint.model.clone(),
            status,
            latency_ms: clock::millis(clock::now().duration_since(self.started)),
            is_byok: false,
        });
    }

    /// Tells the client of the attempts before the last, and hides a quarrel about our own
    /// credential behind the provider's name: the client's key is not at fault.
    pub(super) fn with_earlier_attempts(&self, mut error: Error) -> Error {
        if error.side != Side::Upstream {
            return error;
        }
        if matches!(error.failure.status, 401..=403) {
            tracing::error!("a provider refused the gateway's credential or account: {error}");
            // What is wrong with the account is the operator's business; a 403 may be about the
            // request (a region, a policy).
            if error.failure.status != 403 {
                "Provider returned error: it refused the gateway's credential or account"
                    .clone_into(&mut error.failure.message);
                error.failure.provider_code = None;
                error.failure.metadata.retain(|(name, _)| name == "provider_name");
            }
            error.failure.status = 502;
            error.failure.error_type = wire::ErrorType::ProviderUnavailable;
        }
        let earlier = self.kept.provider_responses.split_last().map_or(&[][..], |(_, rest)| rest);
        if !earlier.is_empty() {
            let listed: Vec<_> = earlier
                .iter()
                .map(|response| {
                    serde_json::json!({"provider": response.provider_name,
                        "status": response.status, "code": response.status})
                })
                .collect();
            error.failure.metadata.push(("previous_errors".to_owned(), Json::of(&listed)));
        }
        error
    }

    /// What the reply begins with. `model` is the one asked for, in case a plugin answered.
    pub(super) fn head(&mut self, step: Option<&Step>, model: &str) -> Head {
        let (model, provider) = match step {
            Some(step) => {
                self.push_attempt(&step.endpoint, Some(200));
                (step.model.to_string(), step.endpoint.provider.name.clone())
            }
            None => (model.to_owned(), "Patchbay".to_owned()),
        };
        self.kept.model.clone_from(&model);
        self.kept.provider_name = Some(provider.clone());
        Head {
            id: self.kept.id.clone(),
            created: self.kept.created_at_ms / 1000,
            model,
            provider,
            ..Head::default()
        }
    }

    /// What a plugin used of what is its own, as a generation of its own.
    pub(super) fn charge_units(&mut self, what: &str, amount: Money) -> GenerationRecord {
        what.clone_into(&mut self.kept.model);
        self.kept.provider_name = Some("Patchbay".to_owned());
        self.kept.total_cost = amount;
        self.row()
    }

    /// What plugins said that they did, so far.
    pub(super) fn stages(&self) -> Vec<Told> {
        self.calls.as_ref().map(|calls| calls.stages()).unwrap_or_default()
    }

    /// Adds to what a client is told of a failure what plugins have for it. What is the gateway's
    /// own stays as it is.
    pub(super) fn add_if_failed(&self, error: &mut Error) {
        let metadata = &mut error.failure.metadata;
        for (name, value) in self.calls.iter().flat_map(|calls| calls.if_failed()) {
            if !OWN_METADATA.contains(&name.as_str()) && metadata.iter().all(|it| it.0 != name) {
                metadata.push((name, value));
            }
        }
    }

    /// Keeps a generation that failed before its reply began. Nothing was charged, so nobody
    /// waits for it to be written.
    pub(super) fn keep_failure(&mut self, app: &App, error: &Error) {
        self.note_failure(error);
        self.take_calls();
        let row = Box::new(self.row());
        if let Err(error) = app.store.offer(Write::Generation(row)) {
            tracing::warn!("a failed generation was not recorded: {error}");
        }
    }

    /// Notes why it failed.
    pub(super) fn note_failure(&mut self, error: &Error) {
        self.status = error.failure.status;
        self.kept.error = Some(error.failure.message.chars().take(TEXT_MAX).collect());
    }

    /// Prices what was counted. Without an endpoint nothing is charged: a plugin answered.
    pub(super) fn bill(&mut self, endpoint: Option<&Endpoint>, mut metered: Metered) -> Billed {
        self.take_calls();
        let (usage, earlier) = std::mem::take(&mut self.earlier);
        let charge = sum(earlier, self.charge(endpoint, &metered));
        metered.usage = [usage, metered.usage].iter().sum();
        self.note_usage(&metered);
        self.kept.total_cost = charge.total;
        let cost = Cost {
            total: charge.total.saturating_add(self.plugin_cost()).to_string(),
            prompt: charge.prompt.to_string(),
            completion: charge.completion.to_string(),
            is_byok: false,
        };
        Billed { metered, amount: charge.total, cost }
    }

    /// What would be billed if the reply ended here.
    pub(super) fn cost_so_far(&self, reply: &Reply) -> Money {
        let round = self.charge(reply.endpoint.as_deref(), &self.meter.so_far());
        self.earlier.1.total.saturating_add(round.total)
    }

    /// A round is over, and another follows.
    pub(super) fn end_round(&mut self, endpoint: Option<&Endpoint>, metered: &Metered) {
        let charge = self.charge(endpoint, metered);
        let (usage, earlier) = std::mem::take(&mut self.earlier);
        self.earlier = ([usage, metered.usage.clone()].iter().sum(), sum(earlier, charge));
        self.kept.is_estimated |= metered.is_estimated;
        self.meter.renew(0);
    }

    /// Another round begins.
    pub(super) fn begin_round(&mut self, step: &Step, prompt_bytes: usize, request: Request) {
        self.push_attempt(&step.endpoint, Some(200));
        self.meter.renew(prompt_bytes);
        self.meter.keep(&step.model, request);
    }

    /// What the model wrote in the rounds that are over, in tokens.
    pub(super) fn tokens_written(&self) -> u64 {
        self.earlier.0.completion.unwrap_or(0)
    }

    /// A reply without a token and without a finish costs nothing, whatever the upstream charges.
    fn charge(&self, endpoint: Option<&Endpoint>, metered: &Metered) -> Charge {
        let is_empty = metered.usage.completion == Some(0) && self.meter.finish.is_none();
        match endpoint.and_then(|endpoint| endpoint.price.as_ref()) {
            Some(price) if !is_empty => price.cost(&metered.counts()),
            _ => Charge::default(),
        }
    }

    fn note_usage(&mut self, metered: &Metered) {
        let usage = &metered.usage;
        let kept = &mut self.kept;
        kept.native_tokens_prompt = usage.prompt.unwrap_or(0);
        kept.native_tokens_completion = usage.completion.unwrap_or(0);
        kept.native_tokens_reasoning = usage.reasoning.unwrap_or(0);
        kept.native_tokens_cached = usage.cached.unwrap_or(0);
        kept.native_tokens_cache_write =
            usage.cache_write.unwrap_or(0) + usage.cache_write_1h.unwrap_or(0);
        kept.native_tokens_completion_images = usage.image_completion.unwrap_or(0);
        kept.num_search_results = usage.web_searches.unwrap_or(0);
        kept.num_media_completion = kept.num_media_completion.max(metered.units.images);
        kept.is_estimated |= metered.is_estimated;
    }

    /// The row as it stands.
    pub(super) fn row(&mut self) -> GenerationRecord {
        let finish = self.meter.finish.clone();
        self.kept.finish_reason = finish.as_ref().map(|(reason, _)| reason.as_str().to_owned());
        self.kept.native_finish_reason = finish.and_then(|(_, native)| native);
        self.kept.cancelled = self.cancelled;
        self.kept.latency_ms = self.meter.first_token.map(clock::millis);
        let took = clock::now().duration_since(self.started);
        self.kept.generation_time_ms = Some(clock::millis(took));
        if let Some(calls) = &self.calls {
            calls.write(&self.kept);
        }
        self.kept.clone()
    }

    /// What audit hooks are told.
    pub(super) fn outcome(&self, usage: &Usage) -> Outcome {
        let whole = clock::now().duration_since(self.started);
        let finish: Option<FinishReason> = self.meter.finish.as_ref().map(|(reason, _)| *reason);
        let short = |duration: Duration| u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
        Outcome {
            status: self.status,
            model: self.kept.model.clone(),
            provider: self.kept.provider_name.clone().unwrap_or_default(),
            finish,
            usage: Some(usage.clone()),
            cost_nanos: self.kept.total_cost.saturating_add(self.plugin_cost()).nanos(),
            latency_ms: short(whole),
            first_token_ms: self.meter.first_token.map(short),
            cancelled: self.cancelled,
        }
    }

    /// Counts the end in the metrics.
    pub(super) fn count(&self, app: &App, error: Option<&Error>) {
        match error {
            _ if self.cancelled => app.meters.cancelled.increment(1),
            Some(error) => app.meters.failed(error.side.as_str()),
            None if self.kept.error.is_some() => app.meters.failed(Side::Upstream.as_str()),
            None => app.meters.completed.increment(1),
        }
        app.meters.took(self.meter.first_token, clock::now().duration_since(self.started));
    }
}

fn sum(one: Charge, other: Charge) -> Charge {
    Charge {
        prompt: one.prompt.saturating_add(other.prompt),
        completion: one.completion.saturating_add(other.completion),
        fees: one.fees.saturating_add(other.fees),
        total: one.total.saturating_add(other.total),
    }
}

fn count_media(request: &Request, wanted: Option<MediaKind>) -> u64 {
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    let is_wanted = |content: &Content| match content {
        Content::Media(media) => wanted.is_none_or(|kind| media.kind == kind),
        _ => false,
    };
    let count = parts.filter(|part| is_wanted(&part.content)).count();
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// What stands in `error.metadata` by the gateway's own word.
const OWN_METADATA: [&str; 7] =
    ["error_type", "fault", "plugin", "previous_errors", "provider_code", "provider_name", "raw"];

/// More of a header or a message is not kept.
const TEXT_MAX: usize = 500;
