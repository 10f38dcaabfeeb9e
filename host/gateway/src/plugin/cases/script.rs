//! What stands in for the world in a replay: answers that the case wrote down, each given once. A
//! call that nothing answers is a fault, and so is an answer that nobody asked for.

use std::collections::{BTreeMap, VecDeque};
use std::future::ready;

use ledger::Money;
use parking_lot::Mutex;
use wire::{ErrorType, Failure, Json, Reply, Request, Usage};

use super::super::bindings::search::Hit;
use super::super::bindings::tokens::Counted;
use super::super::bindings::types::PluginError;
use super::super::egress::{Errand, Fetched, Refusal, Url};
use super::super::outside::{Answered, Asked, Call, Listed, Services, Stage};
use super::answers::{self, HttpAnswer, ModelAnswer, SearchAnswer};
use crate::error::{Error, Side};

/// The stand-in of one replay.
pub(crate) struct Script {
    /// The capabilities that the plugin's description wants.
    wanted: Vec<String>,
    left: Mutex<Left>,
}

/// The answers that are left, and what went wrong.
struct Left {
    answers: Answers,
    faults: Vec<String>,
    random: u64,
    told: Told,
}

/// What the plugin told the host.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Told {
    pub(super) stages: Vec<Stage>,
    pub(super) charges: BTreeMap<String, u32>,
}

/// All that is answered, each once.
#[derive(Clone)]
pub(super) struct Answers {
    pub(super) http: Vec<HttpAnswer>,
    pub(super) models: VecDeque<ModelAnswer>,
    pub(super) embeddings: VecDeque<Vec<f32>>,
    pub(super) search: VecDeque<SearchAnswer>,
    /// The models that there are, given as often as they are asked for.
    pub(super) catalog: Vec<Listed>,
}

impl Script {
    /// All of a case's answers, for a plugin that wants these capabilities.
    pub(super) fn new(wanted: &[String], answers: &Answers) -> Self {
        let (faults, told) = (Vec::new(), Told::default());
        let left = Left { answers: answers.clone(), faults, random: 0, told };
        Self { wanted: wanted.to_vec(), left: Mutex::new(left) }
    }

    /// Notes what the plugin charges. Nothing has a price here.
    pub(in crate::plugin) fn note_charge(&self, unit: &str, count: u32) {
        let mut left = self.left.lock();
        let charged = left.told.charges.entry(unit.to_owned()).or_insert(0);
        *charged = charged.saturating_add(count);
    }

    /// What the plugin told.
    pub(super) fn told(&self) -> Told {
        self.left.lock().told.clone()
    }

    /// Notes a call that was denied for want of a grant: all that the description wants is
    /// granted, so it does not want this.
    pub(in crate::plugin) fn note_denied(&self, capability: &str, what: &str) {
        let fault = format!("{capability}: `describe` does not want `{capability}={what}`");
        self.left.lock().faults.push(fault);
    }

    /// Notes a secret that is not there, unless the description wants it: then it is only not set.
    pub(in crate::plugin) fn note_no_secret(&self, name: &str) {
        let fits = |wish: &String| match wish.split_once('=') {
            None => wish.trim() == "secrets",
            Some((capability, pattern)) => {
                let pattern = pattern.trim();
                let begin = pattern.strip_suffix('*');
                capability.trim() == "secrets"
                    && begin.map_or(pattern == name, |begin| name.starts_with(begin))
            }
        };
        if !self.wanted.iter().any(fits) {
            self.note_denied("secrets", name);
        }
    }

    /// Plays the egress gate.
    pub(in crate::plugin) fn fetch(&self, errand: &Errand<'_>) -> Result<Fetched, Refusal> {
        let invalid = || Refusal::Invalid(format!("`{}` is no http(s) address", errand.url));
        let url = Url::parse(errand.url).map_err(|_| invalid())?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(invalid());
        }
        // A plugin that wants `http` alone leaves the hosts to the operator.
        let is_granted = self.wanted.iter().any(|wish| wish.trim() == "http")
            || errand.public.iter().chain(errand.private).any(|pattern| pattern.allows(&url));
        if !is_granted {
            let origin = url.origin().ascii_serialization();
            self.note_denied("http", &origin);
            return Err(Refusal::Denied(format!("`{origin}` is not granted")));
        }
        let mut left = self.left.lock();
        let fits = |it: &HttpAnswer| it.method == errand.method && it.url == errand.url;
        let Some(at) = left.answers.http.iter().position(fits) else {
            let method = answers::name(errand.method);
            let fault = format!("http: {method} {}: not scripted", errand.url);
            left.faults.push(fault.clone());
            return Err(Refusal::Connect(fault));
        };
        left.answers.http.remove(at).reply.map(|page| page.fetched(errand.url))
    }

    /// Plays the indexes.
    pub(in crate::plugin) fn search(
        &self,
        index: &str,
        count: usize,
    ) -> Result<Vec<Hit>, PluginError> {
        let mut left = self.left.lock();
        let fault = match left.answers.search.pop_front() {
            None => format!("search: `{index}`: not scripted"),
            Some(answer) if answer.index != index => {
                format!("search: `{index}` was asked, not `{}`", answer.index)
            }
            Some(answer) => {
                let mut hits = answer.reply?;
                hits.truncate(count);
                return Ok(hits);
            }
        };
        left.faults.push(fault.clone());
        Err(PluginError::Upstream(fault))
    }

    /// Bytes that look random. They are the same in every run, and no two alike within one.
    pub(in crate::plugin) fn random(&self, bytes: &mut [u8]) {
        let mut left = self.left.lock();
        for byte in bytes {
            left.random = left.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let [first, ..] = left.random.to_be_bytes();
            *byte = first;
        }
    }

    /// What went wrong, and the answers that nobody asked for.
    pub(super) fn unmet(&self) -> Vec<String> {
        let mut left = self.left.lock();
        let mut unmet = std::mem::take(&mut left.faults);
        unmet.extend(left.answers.http.iter().map(|answer| {
            format!("http: {} {}: not asked", answers::name(answer.method), answer.url)
        }));
        let counts = [
            ("models", left.answers.models.len()),
            ("embeddings", left.answers.embeddings.len()),
            ("search", left.answers.search.len()),
        ];
        let over = counts.into_iter().filter(|(_, count)| *count > 0);
        unmet.extend(over.map(|(name, count)| format!("{name}: {count} not asked")));
        unmet
    }

    fn complete_now(&self, request: &Request) -> Result<Answered<Reply>, Error> {
        let model = &request.model;
        let mut left = self.left.lock();
        let fault = match left.answers.models.pop_front() {
            None => format!("models: `{model}`: not scripted"),
            Some(ModelAnswer { model: Some(wanted), .. }) if wanted != *model => {
                format!("models: `{model}` was asked, not `{wanted}`")
            }
            Some(answer) => {
                let (reply, cost_nanos) = answer.reply.map_err(error)?;
                return Ok(answered(model, reply, cost_nanos));
            }
        };
        left.faults.push(fault.clone());
        Err(error(PluginError::Upstream(fault)))
    }

    fn embed_now(&self, model: &str, inputs: usize) -> Result<Answered<Vec<Vec<f32>>>, Error> {
        let mut left = self.left.lock();
        let vectors = left.answers.embeddings.len();
        if vectors < inputs {
            let fault = format!("embeddings: {inputs} inputs, but {vectors} scripted vectors");
            left.faults.push(fault.clone());
            return Err(error(PluginError::Upstream(fault)));
        }
        Ok(answered(model, left.answers.embeddings.drain(..inputs).collect(), 0))
    }
}

impl Services for Script {
    fn models(&self) -> Vec<Listed> {
        self.left.lock().answers.catalog.clone()
    }

    fn model(&self, name: &str) -> Option<Listed> {
        let id = name.split(':').next().unwrap_or(name);
        self.models().into_iter().find(|model| model.id == id)
    }

    fn report(&self, stage: Stage) {
        self.left.lock().told.stages.push(stage);
    }

    /// No case fails as a generation does.
    fn if_failed(&self, _: String, _: Json) {}

    /// Noted by [`Self::note_charge`], before there is a price.
    fn charge(&self, _: &str, _: &str, _: Money) -> Result<(), Error> {
        Ok(())
    }

    fn complete(&self, _: Call, request: Request) -> Asked<Reply> {
        Box::pin(ready(self.complete_now(&request)))
    }

    fn embed(&self, _: Call, model: String, inputs: Vec<String>) -> Asked<Vec<Vec<f32>>> {
        Box::pin(ready(self.embed_now(&model, inputs.len())))
    }
}

fn answered<T>(model: &str, answer: T, cost_nanos: i64) -> Answered<T> {
    let (model, provider) = (model.to_owned(), "test".to_owned());
    Answered { model, provider, answer, usage: Usage::default(), cost_nanos }
}

/// The gateway's error that a plugin meets as this one.
fn error(it: PluginError) -> Error {
    let (error_type, text, side) = match it {
        PluginError::Options(text) => (ErrorType::InvalidRequest, text, Side::Client),
        PluginError::Denied(text) => (ErrorType::PermissionDenied, text, Side::Client),
        PluginError::Limit(text) => (ErrorType::RateLimitExceeded, text, Side::Client),
        PluginError::Upstream(text) => (ErrorType::ProviderUnavailable, text, Side::Upstream),
        PluginError::Internal(text) => (ErrorType::Server, text, Side::Us),
    };
    Error { failure: Failure::new(error_type, text), side, source: None }
}

/// What a text counts in a case, whatever the model: near enough for English, and alike everywhere.
pub(in crate::plugin) fn count_tokens(text: &str) -> Counted {
    let tokens = u32::try_from(text.len().div_ceil(TOKEN_BYTES)).unwrap_or(u32::MAX);
    Counted { tokens, is_estimated: true }
}

const TOKEN_BYTES: usize = 4;

/// Where a replay's wall clock stands, in milliseconds since 1970. Its other clock stands at 0.
pub(in crate::plugin) const UNIX_MS: u64 = 1_700_000_000_000;

/// What a replay's generation has left, always.
pub(in crate::plugin) const REMAINING_MS: u32 = 60_000;
