//! Models that plugins ask while a generation runs. Each call is routed, held and settled like a
//! client's, under an id of its own, and stands on the bill of the generation. No plugin runs on
//! such a call, so none can call itself. A call goes on when its plugin was stopped meanwhile, since
//! its provider bills it anyway; then the generation's record is written once more when it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ledger::Money;
use parking_lot::Mutex;
use wire::{EmbedInput, EmbedRequest, ErrorType, Json, Reply, Request};

use super::errand::{self, Done, Line, Task};
use super::listed;
use super::planned;
use super::record::Record;
use super::{Ask, Client, attempt, pair, whole};
use crate::app::App;
use crate::clock;
use crate::error::Error;
use crate::plugin::{Answered, Asked, Call, Listed, Pipeline, Services, Told};
use crate::store::{GenerationRecord, PluginCall, Write};

/// The calls of one generation.
pub(super) struct Calls {
    app: App,
    /// What the generation was asked; the request is not needed again.
    ask: Ask,
    begun: AtomicU32,
    made: Mutex<Made>,
}

/// What came of the calls.
#[derive(Default)]
struct Made {
    calls: Vec<PluginCall>,
    running: u32,
    /// What plugins say that they did.
    stages: Vec<Told>,
    /// What they have for the client should the generation fail.
    if_failed: Vec<(String, Json)>,
    /// The generation's record, if it was written while a call ran that no plugin waited for.
    written: Option<Box<GenerationRecord>>,
}

impl Calls {
    /// None yet.
    pub(super) fn new(app: &App, ask: &Ask) -> Arc<Self> {
        let ask = Ask {
            id: ask.id.clone(),
            caller: Arc::clone(&ask.caller),
            surface: ask.surface,
            request: Request::default(),
            headers: http::HeaderMap::new(),
            turn: None,
            body_bytes: 0,
        };
        let (begun, made) = (AtomicU32::new(0), Mutex::default());
        Arc::new(Self { app: app.clone(), ask, begun, made })
    }

    /// The calls that have settled.
    pub(super) fn settled(&self) -> Vec<PluginCall> {
        self.made.lock().calls.clone()
    }

    /// What plugins said that they did, so far.
    pub(super) fn stages(&self) -> Vec<Told> {
        self.made.lock().stages.clone()
    }

    /// What plugins have for the client should the generation fail, so far.
    pub(super) fn if_failed(&self) -> Vec<(String, Json)> {
        self.made.lock().if_failed.clone()
    }

    /// Charges what a plugin used, under an id of its own. It is held at once, so that it is there,
    /// and written as soon as may be: nothing that a client sees depends on it.
    fn charge(self: &Arc<Self>, plugin: &str, unit: &str, amount: Money) -> Result<(), Error> {
        let ask = self.ask(Request::default(), 0);
        let billing = &self.app.billing;
        let hold = billing.hold(&ask.id, &ask.caller.hash, amount, clock::unix_ms())?;
        let mut record = Record::begin(&self.app, &ask).of_type("plugin");
        let row = record.charge_units(&format!("{plugin}/{unit}"), amount);
        self.keep(PluginCall {
            id: ask.id.clone(),
            plugin: plugin.to_owned(),
            model: unit.to_owned(),
            provider_name: "Patchbay".to_owned(),
            cost: amount,
            ..PluginCall::default()
        });
        let id = ask.id;
        tokio::spawn(async move {
            if let Err(error) = hold.settle(amount, row).await {
                tracing::error!(id, "a plugin's charge could not be written: {error}");
            }
        });
        Ok(())
    }

    /// The generation's record is about to be written. A call that still runs will add to it.
    pub(super) fn write(&self, record: &GenerationRecord) {
        let mut made = self.made.lock();
        if made.running > 0 {
            made.written = Some(Box::new(record.clone()));
        }
    }

    /// What is asked in a call's name.
    fn ask(&self, request: Request, body_bytes: usize) -> Ask {
        let number = self.begun.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        Ask {
            id: format!("{}.{number}", self.ask.id),
            caller: Arc::clone(&self.ask.caller),
            surface: self.ask.surface,
            request,
            headers: http::HeaderMap::new(),
            turn: None,
            body_bytes,
        }
    }

    /// Notes a call that was paid for.
    fn note<T>(&self, id: &str, plugin: &str, it: &Answered<T>) {
        let call = PluginCall {
            id: id.to_owned(),
            plugin: plugin.to_owned(),
            model: it.model.clone(),
            provider_name: it.provider.clone(),
            tokens_prompt: it.usage.prompt.unwrap_or(0),
            tokens_completion: it.usage.completion.unwrap_or(0),
            cost: Money::from_nanos(it.cost_nanos),
        };
        self.keep(call);
    }

    /// Adds to the bill, also of a generation that is over.
    fn keep(&self, call: PluginCall) {
        let id = call.id.clone();
        let mut made = self.made.lock();
        made.calls.push(call);
        let Made { calls, written, .. } = &mut *made;
        let Some(record) = written else { return };
        record.plugin_calls.clone_from(calls);
        if let Err(error) = self.app.store.offer(Write::Generation(record.clone())) {
            tracing::warn!(id, "a plugin's call is missing in its generation's record: {error}");
        }
    }

    /// Runs a call as a task of its own, and hands its result to the plugin if it still waits.
    fn run<T: Send + 'static>(
        self: &Arc<Self>,
        call: impl Future<Output = Result<Answered<T>, Error>> + Send + 'static,
    ) -> Asked<T> {
        let (tell, told) = tokio::sync::oneshot::channel();
        let running = Running::begin(self);
        tokio::spawn(async move {
            let result = call.await;
            drop(running);
            // The plugin may have been stopped.
            let _ = tell.send(result);
        });
        Box::pin(async move {
            let lost = || Error::us(anyhow::anyhow!("a plugin's call ended without an answer"));
            told.await.unwrap_or_else(|_| Err(lost()))
        })
    }
}

/// Counts a call for as long as it runs, however it ends.
struct Running(Arc<Calls>);

impl Running {
    fn begin(calls: &Arc<Calls>) -> Self {
        let mut made = calls.made.lock();
        made.running = made.running.saturating_add(1);
        Self(Arc::clone(calls))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut made = self.0.made.lock();
        made.running = made.running.saturating_sub(1);
    }
}

/// What plugins call.
pub(super) struct Desk(pub(super) Arc<Calls>);

impl Services for Desk {
    fn models(&self) -> Vec<Listed> {
        listed::models(&self.0.app)
    }

    fn model(&self, name: &str) -> Option<Listed> {
        listed::model(&self.0.app, name)
    }

    fn report(&self, stage: Told) {
        self.0.made.lock().stages.push(stage);
    }

    fn if_failed(&self, name: String, value: Json) {
        let mut made = self.0.made.lock();
        made.if_failed.retain(|(known, _)| *known != name);
        made.if_failed.push((name, value));
    }

    fn charge(&self, plugin: &str, unit: &str, amount: Money) -> Result<(), Error> {
        self.0.charge(plugin, unit, amount)
    }

    fn complete(&self, call: Call, request: Request) -> Asked<Reply> {
        let calls = Arc::clone(&self.0);
        self.0.run(async move {
            let bytes = crate::plugin::size_of_request(&request);
            let ask = calls.ask(request, bytes);
            let answered = complete(&calls.app, &ask, &call).await?;
            calls.note(&ask.id, &call.plugin, &answered);
            Ok(answered)
        })
    }

    fn embed(&self, call: Call, model: String, inputs: Vec<String>) -> Asked<Vec<Vec<f32>>> {
        let calls = Arc::clone(&self.0);
        self.0.run(async move {
            let inputs = inputs.into_iter().map(EmbedInput::Text).collect();
            let request = EmbedRequest { model, inputs, ..EmbedRequest::default() };
            let ask = calls.ask(errand::request(&request.order()), 0);
            let answered = embed(&calls.app, &ask, &request, &call).await?;
            calls.note(&ask.id, &call.plugin, &answered);
            Ok(answered)
        })
    }
}

/// The straight line of a call: plan, hold, attempt, settle.
async fn complete(app: &App, ask: &Ask, call: &Call) -> Result<Answered<Reply>, Error> {
    let mut request = ask.request.clone();
    request.stream = false;
    let mut record = Record::begin(app, ask);
    // A suffix that stands for a plugin is none here.
    let plan = planned::plan(app, &app.plugins.snapshot(), &request, |_| false)?;
    let worst = plan.cost_max(&request, ask.body_bytes, &app.config.billing);
    within(worst, call)?;
    let hold = app.billing.hold(&ask.id, &ask.caller.hash, worst, clock::unix_ms())?;
    // Nobody can leave: the provider bills the call whether its answer is read or not.
    let (client, _waiting): (Client, _) = pair(std::time::Duration::MAX);
    let (answer, step) = match attempt(app, &plan, &request, &client, &mut record).await {
        Ok(attempted) => attempted,
        Err(error) => {
            hold.void();
            record.keep_failure(app, &error);
            return Err(error);
        }
    };
    let head = record.head(Some(&step), &request.model);
    record.meter.keep(&step.model, request);
    let endpoint = Some(step.endpoint);
    let pipeline = Pipeline::none();
    let (hides_reasoning, rounds) = (false, None);
    let reply = super::Reply { answer, endpoint, pipeline, hold, head, hides_reasoning, rounds };
    let settled = whole::settle(app, ask, reply, &client, &mut record).await?;
    Ok(Answered {
        model: settled.head.model,
        provider: settled.head.provider,
        usage: settled.reply.usage.clone(),
        cost_nanos: record.charged().nanos(),
        answer: settled.reply,
    })
}

/// The same for vectors; the line is that of [`errand`].
async fn embed(
    app: &App,
    ask: &Ask,
    request: &EmbedRequest,
    call: &Call,
) -> Result<Answered<Vec<Vec<f32>>>, Error> {
    if request.inputs.is_empty() {
        let message = "inputs: expected a text, found none";
        return Err(Error::client(ErrorType::InvalidRequest, message));
    }
    // Nobody can leave here either.
    let (client, _waiting): (Client, _) = pair(std::time::Duration::MAX);
    let mut record = Record::begin(app, ask).of_type(EmbedRequest::API_TYPE);
    let line = Line { app, ask, client: &client, call: Some(call) };
    let Done { answer, head, billed } = line.run(request, &mut record).await?;
    Ok(Answered {
        model: head.model,
        provider: head.provider,
        answer: answer.vectors,
        usage: billed.metered.usage,
        cost_nanos: record.charged().nanos(),
    })
}

/// Refuses a call that could cost more than its plugin may spend.
///
/// # Errors
/// 402, with the setting.
pub(super) fn within(worst: Money, call: &Call) -> Result<(), Error> {
    let most = i64::try_from(call.nanos_max).unwrap_or(i64::MAX);
    if worst.nanos() <= most {
        return Ok(());
    }
    let message = format!(
        "the call may cost ${worst}, and plugin `{}` has ${} left on this generation ({}); ask \
         for fewer tokens (max_tokens)",
        call.plugin,
        Money::from_nanos(most),
        call.setting
    );
    let mut error = Error::client(ErrorType::PaymentRequired, message);
    error.failure.status = 402;
    Err(error)
}

#[cfg(test)]
mod tests;
