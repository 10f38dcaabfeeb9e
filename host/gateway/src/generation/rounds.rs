//! Rounds of one generation: where plugins run tools, the model is asked again with what its calls
//! gave, until it answers. The client sees one reply, without those calls; hooks see what it sees.
//!
//! A reply that also calls the client's own tools ends there: the client must run those first, and
//! what it can't see can't be told again later, so calls of plugins' tools beside them are dropped.

use std::collections::BTreeMap;

use serde_json::Value;
use wire::{
    Chunk, Delta, ErrorType, Extra, FinishReason, Json, Message, Part, ReasoningDetail,
    Reply as Said, Request, Role, Tool, ToolCall, ToolChoice,
};

use super::planned;
use super::record::Record;
use super::stop::{Progress, Stop};
use super::{Ask, Client, Reply, attempt};
use crate::app::App;
use crate::billing::Hold;
use crate::clock;
use crate::error::Error;
use crate::plugin::{self, Pipeline};
use crate::upstream::Answer;

/// Who asks, and where.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) app: &'a App,
    pub(super) ask: &'a Ask,
    pub(super) client: &'a Client,
}

/// The rounds of a generation that has tools of plugins.
pub(super) struct Rounds {
    /// What the model is asked, each time with what came before.
    request: Request,
    /// The names of the tools that plugins run.
    own: Vec<String>,
    /// What the model said in this round.
    said: Said,
    /// Where the client's calls stand in its reply, by their place in the round's.
    places: BTreeMap<u16, u16>,
    /// Calls that the client has seen, over all rounds.
    shown: u16,
    /// Where the round's thoughts stand in it.
    thoughts: Thoughts,
    /// Characters of text in the rounds that are over.
    text_before: usize,
    /// Rounds that are over.
    rounds: u32,
    /// The tools that were called in them.
    called: Vec<String>,
    stop: Stop,
    /// Whether no round follows this one, even if the model calls where it must not.
    is_last: bool,
    /// What the round may cost, over what was held for the first.
    hold: Option<Hold>,
}

impl Drop for Rounds {
    fn drop(&mut self) {
        self.let_go();
    }
}

/// Thoughts of one reply.
#[derive(Default)]
struct Thoughts {
    /// Those of the rounds that are over.
    before: u32,
    /// The place after the last.
    next: u32,
}

impl Rounds {
    /// Those of a request; none where no plugin offers a tool.
    ///
    /// # Errors
    /// A request that can't have rounds, or whose fields about them are wrong.
    pub(super) fn of(
        app: &App,
        pipeline: &Pipeline,
        request: &Request,
    ) -> Result<Option<Box<Self>>, Error> {
        let own: Vec<String> = pipeline.offered().map(str::to_owned).collect();
        if own.is_empty() {
            return Ok(None);
        }
        if request.sampling.n.is_some_and(|n| n > 1) {
            let message = "n: tools that the gateway runs can't be had for several choices at once";
            return Err(Error::client(ErrorType::InvalidRequest, message));
        }
        let stop = Stop::read(request, app.config.plugins.tool_calls_max)?;
        Ok(Some(Box::new(Self {
            request: request.clone(),
            own,
            said: Said::default(),
            places: BTreeMap::new(),
            shown: 0,
            thoughts: Thoughts::default(),
            text_before: 0,
            rounds: 0,
            called: Vec::new(),
            stop,
            is_last: false,
            hold: None,
        })))
    }

    /// Takes out of a chunk what the client is not to see: calls that plugins run, the end of a
    /// round that another follows, and a later round's beginning.
    pub(super) fn take(&mut self, chunk: &mut Chunk) {
        chunk.source = None;
        for delta in &chunk.deltas {
            self.said.push(delta);
        }
        let deltas = std::mem::take(&mut chunk.deltas);
        chunk.deltas = deltas.into_iter().filter_map(|delta| self.shown(delta)).collect();
    }

    fn shown(&mut self, delta: Delta) -> Option<Delta> {
        match delta {
            Delta::Role { .. } if self.rounds > 0 => None,
            // Ids and counts in the provider's own form are a round's, and not the reply's.
            Delta::Other { choice: None, .. } => None,
            Delta::Finish { .. } if self.goes_on() => None,
            Delta::Finish { choice, reason: FinishReason::ToolCalls, native }
                if self.shown == 0 =>
            {
                // Nothing is left to call.
                Some(Delta::Finish { choice, reason: FinishReason::Stop, native })
            }
            Delta::ToolCall { choice, index, id, name, arguments } => {
                let index = self.place(index)?;
                Some(Delta::ToolCall { choice, index, id, name, arguments })
            }
            Delta::Reasoning { choice, text, detail } => {
                let detail = detail.map(|detail| self.placed(detail));
                Some(Delta::Reasoning { choice, text, detail })
            }
            Delta::Annotation { choice, json } => {
                let json = moved(&json, self.text_before).unwrap_or(json);
                Some(Delta::Annotation { choice, json })
            }
            other => Some(other),
        }
    }

    /// A thought's place in the reply: each round counts its own from 0.
    fn placed(&mut self, mut detail: ReasoningDetail) -> ReasoningDetail {
        if let Some(index) = &mut detail.index {
            *index = index.saturating_add(self.thoughts.before);
            self.thoughts.next = self.thoughts.next.max(index.saturating_add(1));
        }
        detail
    }

    /// Where a call stands in the client's reply; none for one that is a plugin's.
    fn place(&mut self, index: u16) -> Option<u16> {
        if let Some(place) = self.places.get(&index) {
            return Some(*place);
        }
        let choice = self.said.choices.first()?;
        let call = choice.tool_calls.get(usize::from(index))?;
        if self.is_own(&call.name) {
            return None;
        }
        let place = self.shown;
        self.places.insert(index, place);
        self.shown = self.shown.saturating_add(1);
        Some(place)
    }

    fn is_own(&self, name: &str) -> bool {
        self.own.iter().any(|own| own == name)
    }

    /// Whether the model, which has ended, waits for what its calls give.
    pub(super) fn goes_on(&self) -> bool {
        let Some(choice) = self.said.choices.first() else { return false };
        let is_cut = matches!(
            choice.finish,
            None | Some((
                FinishReason::Length | FinishReason::ContentFilter | FinishReason::Error,
                _
            ))
        );
        let mut calls = choice.tool_calls.iter().filter(|call| **call != ToolCall::default());
        let has_calls = calls.clone().next().is_some();
        !is_cut
            && !self.is_last
            && has_calls
            && self.places.is_empty()
            && calls.all(|call| self.is_own(&call.name))
    }

    /// Runs the calls and asks again: the next round's answer, or none when nobody is left to read
    /// it. The round before is counted.
    ///
    /// # Errors
    /// A guard's failure, no credit for another round, or no endpoint that answers.
    pub(super) async fn next(
        &mut self,
        asking: &Asking<'_>,
        reply: &mut Reply,
        record: &mut Record,
    ) -> Result<Option<Answer>, Error> {
        let Asking { app, ask, client } = *asking;
        let began = clock::now();
        let metered = record.meter.read().await;
        record.end_round(reply.endpoint.as_deref(), &metered);
        let said = std::mem::take(&mut self.said);
        self.places.clear();
        self.thoughts.before = self.thoughts.next;
        let text = said.choices.first().map_or(0, |choice| choice.text.chars().count());
        self.text_before = self.text_before.saturating_add(text);
        self.add(said, &mut reply.pipeline).await?;
        if client.is_gone() {
            return Ok(None);
        }
        let spent = record.cost_so_far(reply);
        let progress = Progress {
            rounds: self.rounds,
            called: &self.called,
            tokens: record.tokens_written(),
            spent,
        };
        if self.stop.is_met(&progress) {
            self.leave_tools();
        }
        let plugins = app.plugins.snapshot();
        let is_suffix = |suffix: &str| plugins.is_suffix(suffix);
        let mut plan = planned::plan(app, &plugins, &self.request, is_suffix)?;
        if let Some(serving) = &reply.endpoint {
            // Who has read it all before reads it from its cache.
            plan.steps.sort_by_key(|step| !std::sync::Arc::ptr_eq(&step.endpoint, serving));
        }
        let bytes = plugin::size_of_request(&self.request);
        let worst = plan.cost_max(&self.request, bytes, &app.config.billing);
        // What was held covers the first round. This one is held by itself while it runs, with those
        // before it; what all cost is settled at the end.
        self.let_go();
        let (id, worst) = (format!("{}/{}", ask.id, self.rounds), worst.saturating_add(spent));
        self.hold = Some(app.billing.hold(&id, &ask.caller.hash, worst, clock::unix_ms())?);
        let (answer, step) = attempt(app, &plan, &self.request, client, record).await?;
        record.begin_round(&step, bytes, self.request.clone());
        reply.endpoint = Some(step.endpoint);
        reply.pipeline.excuse(clock::now().saturating_duration_since(began));
        Ok(Some(answer))
    }

    /// Gives back what was held for a round that is over.
    fn let_go(&mut self) {
        if let Some(hold) = self.hold.take() {
            hold.void();
        }
    }

    /// Adds what the model said, and what its calls gave, to what it is asked.
    async fn add(&mut self, mut said: Said, pipeline: &mut Pipeline) -> Result<(), Error> {
        said.close();
        let Some(choice) = said.choices.into_iter().next() else { return Ok(()) };
        let calls = choice.tool_calls.clone();
        self.request.messages.push(choice.into_message());
        for call in &calls {
            let may_run = self.stop.allows(&self.called);
            let result = match may_run {
                true => pipeline.call(call).await?,
                false => plugin::not_run(call),
            };
            self.request.messages.push(Message {
                role: Role::Tool,
                name: None,
                parts: vec![Part::new(result)],
                extra: Extra::default(),
            });
            if may_run {
                self.called.push(call.name.clone());
            }
        }
        self.rounds = self.rounds.saturating_add(1);
        // A model that must call would call for ever.
        if matches!(self.request.tool_choice, Some(ToolChoice::Required | ToolChoice::Function(_)))
        {
            self.request.tool_choice = Some(ToolChoice::Auto);
        }
        Ok(())
    }

    /// The last round: the model answers with what it has.
    fn leave_tools(&mut self) {
        self.is_last = true;
        let own = &self.own;
        let is_clients = |tool: &Tool| match tool {
            Tool::Function { name, .. } => !own.contains(name),
            Tool::Other(_) => true,
        };
        let has_others = self.request.tools.iter().any(is_clients);
        match has_others {
            // Calls of tools that are not there would confuse some providers, so they stay named.
            false => self.request.tool_choice = Some(ToolChoice::None),
            true => self.request.tools.retain(is_clients),
        }
    }
}

/// A citation behind so many characters of earlier text: its round counts its own from 0. None where
/// nothing is counted; a citation that ends at 0 stands for the whole text.
fn moved(json: &Json, by: usize) -> Option<Json> {
    let mut annotation: Value = json.read().ok().filter(|_| by > 0)?;
    let citation = annotation.get_mut("url_citation")?;
    let by = u64::try_from(by).ok()?;
    let ends = ["start_index", "end_index"].map(|name| citation.get(name).and_then(Value::as_u64));
    let [Some(start), Some(end)] = ends else { return None };
    let citation = citation.as_object_mut().filter(|_| end > 0)?;
    citation.insert("start_index".to_owned(), start.saturating_add(by).into());
    citation.insert("end_index".to_owned(), end.saturating_add(by).into());
    Some(Json::of(&annotation))
}
