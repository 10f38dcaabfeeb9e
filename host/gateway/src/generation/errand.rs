//! What is asked beside text (vectors, rankings, pictures, speech, transcriptions): one straight
//! line for all of it, whoever asks: plan, hold, attempt, settle, record. No plugin's hook runs on
//! any of it, for hooks see messages and deltas, and there are none here.

use ledger::Counts;
use wire::{Head, Json, Modality, Request};

use super::calls::within;
use super::client::Client;
use super::meter::Metered;
use super::record::{Billed, Record};
use super::{Ask, Errand, attempt};
use crate::app::App;
use crate::clock;
use crate::config::catalog::Endpoint;
use crate::error::Error;
use crate::plugin::Call;
use crate::upstream::Sound;
use crate::{routing, tokens};

mod embed;
mod image;
mod rerank;
mod speech;
mod transcribe;

/// An errand that is planned, paid for and answered by itself.
pub(crate) trait Task: Errand + Send + 'static {
    /// What records call it.
    const API_TYPE: &'static str;

    /// What comes out of the models that can do it.
    const MAKES: Modality;

    /// What it says to the gateway.
    fn order(&self) -> Order<'_>;

    /// The most that it can make of everything at an endpoint.
    fn most(&self, endpoint: &Endpoint) -> Counts;

    /// What is billed: the upstream's counts, or ours where it gives none.
    fn meter(&self, answer: &Self::Answer, model: &str) -> impl Future<Output = Metered> + Send;

    /// What a client is sent.
    fn write(&self, done: Done<Self::Answer>) -> Written;
}

/// What a client says to the gateway, of whichever task.
#[derive(Debug, Default)]
pub(crate) struct Order<'a> {
    /// The model's name.
    pub(crate) model: &'a str,
    /// Who asks, in the client's words.
    pub(crate) user: Option<&'a str>,
    /// The `provider` object.
    pub(crate) provider: Option<&'a Json>,
    /// Whether events are wanted.
    pub(crate) stream: bool,
}

/// A task's answer, which is paid for.
pub(crate) struct Done<T> {
    pub(super) answer: T,
    pub(super) head: Head,
    pub(super) billed: Billed,
}

/// What a client is sent.
pub(crate) enum Written {
    /// JSON.
    Whole(Vec<u8>),
    /// Events, all there are.
    Events(Vec<u8>),
    /// Sound of a MIME type, as it comes.
    Sound(&'static str, Sound),
}

/// An order as the request that a generation's record begins with.
pub(crate) fn request(order: &Order<'_>) -> Request {
    Request {
        model: order.model.to_owned(),
        user: order.user.map(str::to_owned),
        stream: order.stream,
        ..Request::default()
    }
}

/// Runs a client's task to its end and tells the client, the ledger and the record.
pub(crate) async fn serve<T: Task>(app: App, mut ask: Ask, task: T, mut client: Client) {
    ask.request = request(&task.order());
    app.meters.running.increment(1);
    let mut record = Record::begin(&app, &ask).of_type(T::API_TYPE);
    let line = Line { app: &app, ask: &ask, client: &client, call: None };
    let result = line.run(&task, &mut record).await;
    app.meters.running.decrement(1);
    record.count(&app, result.as_ref().err());
    match result.map(|done| task.write(done)) {
        Ok(Written::Whole(body)) => client.whole(body.into()),
        Ok(Written::Events(events)) => {
            client.stream();
            client.end(events).await;
        }
        Ok(Written::Sound(mime, sound)) => {
            client.sound(mime);
            pass_on(&app, sound, &client).await;
        }
        Err(error) => client.fail(error),
    }
}

/// Sends sound on as it comes. It is paid for by now, so nothing is counted, and a client that
/// leaves ends it. Sound that breaks off has no end.
async fn pass_on(app: &App, mut sound: Sound, client: &Client) {
    let mut cut = app.cut();
    loop {
        let piece = tokio::select! {
            piece = sound.next() => piece,
            () = client.gone() => return,
            _ = cut.wait_for(|cut| *cut) => return,
        };
        match piece {
            Ok(Some(piece)) => {
                if !client.send(piece.into()).await {
                    return;
                }
            }
            Ok(None) => return client.end(Vec::new()).await,
            Err(error) => return tracing::warn!("speech broke off: {error}"),
        }
    }
}

/// How many tokens texts make, counted here on a thread that may be busy for long.
async fn count(model: &str, texts: Vec<String>) -> u64 {
    let bytes = texts.iter().map(String::len).sum();
    let model = model.to_owned();
    let count = move || texts.iter().map(|text| tokens::count(&model, text).tokens).sum();
    tokio::task::spawn_blocking(count).await.unwrap_or_else(|_| tokens::about(bytes))
}

/// The straight line of a task.
pub(super) struct Line<'a> {
    pub(super) app: &'a App,
    pub(super) ask: &'a Ask,
    pub(super) client: &'a Client,
    /// The plugin's call that it is, with what it may spend.
    pub(super) call: Option<&'a Call>,
}

impl Line<'_> {
    /// Plan, hold, attempt, settle. What comes of it may be shown: it is paid for.
    ///
    /// # Errors
    /// What is wrong with the request, what is lacking to pay for it, or what the providers said.
    pub(super) async fn run<T: Task>(
        &self,
        task: &T,
        record: &mut Record,
    ) -> Result<Done<T::Answer>, Error> {
        let Self { app, ask, client, call } = *self;
        let order = task.order();
        let plan = routing::plan_errand(&app.catalog, order.model, T::MAKES, order.provider);
        let held = plan.and_then(|plan| {
            let worst = plan.errand_cost_max(|endpoint| task.most(endpoint));
            call.map_or(Ok(()), |call| within(worst, call))?;
            let hold = app.billing.hold(&ask.id, &ask.caller.hash, worst, clock::unix_ms())?;
            Ok((plan, hold))
        });
        let (plan, hold) = match held {
            Ok(held) => held,
            Err(error) => {
                record.keep_failure(app, &error);
                return Err(error);
            }
        };
        let (answer, step) = match attempt(app, &plan, task, client, record).await {
            Ok(attempted) => attempted,
            Err(error) => {
                hold.void();
                record.keep_failure(app, &error);
                return Err(error);
            }
        };
        let head = record.head(Some(&step), order.model);
        let metered = task.meter(&answer, &head.model).await;
        record.cancelled = client.is_gone();
        let billed = record.bill(Some(&step.endpoint), metered);
        hold.settle(billed.amount, record.row()).await?;
        Ok(Done { answer, head, billed })
    }
}
