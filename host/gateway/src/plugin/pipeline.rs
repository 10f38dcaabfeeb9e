//! One generation's way through its plugins: request hooks in order, stream hooks in reverse,
//! audit hooks at the end. A plugin has one instance per generation, made when its first hook runs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wire::{Chunk, Delta, ErrorType, FinishReason, Request, Role, Usage};

use super::bindings::types::{self, Decision};
use super::convert;
use super::fault::Failed;
use super::media::{self, Held};
use super::select::Selected;
use super::stage::{Broken, Stage};
use super::tools::Offered;
use super::view::GenerationView;
use crate::clock;
use crate::config::OnError;
use crate::error::Error;

/// The plugins of one generation.
pub(crate) struct Pipeline {
    pub(super) stages: Vec<Stage>,
    /// The functions that plugins run.
    pub(super) offered: Vec<Offered>,
    surface: &'static str,
    /// When the generation's time is over; none where no plugin could take any.
    deadline: Option<Instant>,
    /// The choices whose finish has come.
    ended: Vec<u16>,
}

/// What the request hooks made of a request.
#[derive(Debug)]
pub(crate) enum Requested {
    /// Ask the model this.
    Go(Request),
    /// Don't: here is the reply to the request. It goes through the stream hooks.
    Answer(Vec<Delta>, Request),
}

/// What became of a generation, for audit hooks.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// What the client saw.
    pub(crate) status: u16,
    /// The model that served; empty when none did.
    pub(crate) model: String,
    /// Its provider.
    pub(crate) provider: String,
    /// Why the reply ended.
    pub(crate) finish: Option<FinishReason>,
    /// Token counts.
    pub(crate) usage: Option<Usage>,
    /// Nano-dollars.
    pub(crate) cost_nanos: i64,
    /// From the request to the end of the reply.
    pub(crate) latency_ms: u32,
    /// From the request to the first token.
    pub(crate) first_token_ms: Option<u32>,
    /// Whether the client left.
    pub(crate) cancelled: bool,
}

impl Pipeline {
    /// The plugins in order; none has run yet.
    pub(crate) fn new(selected: Vec<Selected>, view: GenerationView) -> Self {
        let (surface, deadline) = (view.surface, Some(view.deadline));
        let view = Arc::new(view);
        let stages = selected.into_iter().map(|selected| Stage::new(selected, &view)).collect();
        Self { stages, offered: Vec::new(), surface, deadline, ended: Vec::new() }
    }

    /// No plugin at all.
    pub(crate) fn none() -> Self {
        let (stages, offered, ended) = (Vec::new(), Vec::new(), Vec::new());
        Self { stages, offered, surface: "", deadline: None, ended }
    }

    /// Runs the request hooks. A request that no plugin changed keeps its source.
    ///
    /// # Errors
    /// A plugin's rejection, or a guard's failure.
    pub(crate) async fn on_request(&mut self, mut request: Request) -> Result<Requested, Error> {
        if !self.stages.iter().any(|stage| stage.selected.plugin.hooks.request) {
            return Ok(Requested::Go(request));
        }
        let mut held = media::lend(&mut request);
        let answer = Box::pin(self.run_request_hooks(&mut request, &mut held)).await;
        media::restore(&mut request, held);
        Ok(match answer? {
            Some(deltas) => Requested::Answer(whole(deltas), request),
            None => Requested::Go(request),
        })
    }

    async fn run_request_hooks(
        &mut self,
        request: &mut Request,
        held: &mut Vec<Held>,
    ) -> Result<Option<Vec<Delta>>, Error> {
        let surface = self.surface;
        for stage in self.stages.iter_mut().filter(|stage| stage.selected.plugin.hooks.request) {
            match ask(stage, request, held, surface).await {
                Ok(None) => {}
                Ok(answer) => return Ok(answer),
                Err(Broken::Stop(error)) => return Err(error),
                Err(Broken::Fail(failed)) => stage.fail(&failed)?,
            }
        }
        Ok(None)
    }

    /// Takes one chunk through the stream hooks. What comes out at once is added to `out`. Says
    /// whether that took long, so that what came out should not wait for more.
    ///
    /// # Errors
    /// A plugin ends the reply, a guard failed, or the generation's time is over: what each call
    /// takes adds up, and where the upstream's next piece is always there nobody else would notice.
    pub(crate) async fn push(
        &mut self,
        mut chunk: Chunk,
        out: &mut Vec<Chunk>,
    ) -> Result<bool, Error> {
        let Some(deadline) = self.deadline else {
            out.push(chunk);
            return Ok(false);
        };
        self.cut_late(&mut chunk);
        let began = clock::now();
        // What a call needs lives in a place of its own, only while it runs: a stream waits for its
        // upstream most of the time, and there are many.
        Box::pin(self.push_below(self.stages.len(), chunk, out)).await?;
        let now = clock::now();
        if now >= deadline {
            return Err(too_late());
        }
        let took_long = now.duration_since(began) >= LONG;
        if took_long {
            let_others_run().await;
        }
        Ok(took_long)
    }

    /// Takes out what an upstream sends for a choice after its finish: a guard's work on the choice
    /// is over by then, so it would go past it. Without a guard it goes on.
    fn cut_late(&mut self, chunk: &mut Chunk) {
        let is_guard = |stage: &Stage| stage.selected.plugin.on_error == OnError::Closed;
        if !self.stages.iter().any(|stage| stage.transforms() && is_guard(stage)) {
            return;
        }
        let (ended, before) = (&mut self.ended, chunk.deltas.len());
        chunk.deltas.retain(|delta| match (delta, delta.choice()) {
            (Delta::Finish { choice, .. }, _) => {
                ended.push(*choice);
                true
            }
            (_, Some(choice)) => !ended.contains(&choice),
            (_, None) => true,
        });
        if chunk.deltas.len() < before {
            chunk.source = None;
        }
    }

    /// Takes the chunks of a whole reply through the stream hooks.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub(crate) async fn push_all(
        &mut self,
        chunks: Vec<Chunk>,
        out: &mut Vec<Chunk>,
    ) -> Result<(), Error> {
        for chunk in chunks {
            self.push(chunk, out).await?;
        }
        Ok(())
    }

    /// Through the stages below `end`, last first.
    async fn push_below(
        &mut self,
        end: usize,
        mut chunk: Chunk,
        out: &mut Vec<Chunk>,
    ) -> Result<(), Error> {
        let stages = self.stages.iter_mut().take(end).rev();
        for stage in stages.filter(|stage| stage.transforms()) {
            chunk = match stage.shadow.is_some() {
                false => stage.pass(chunk).await?,
                true => stage.pass_beside(chunk).await?,
            };
        }
        // A chunk that was all held back is no chunk; one that came empty has its bytes still.
        if !chunk.deltas.is_empty() || chunk.source.is_some() {
            out.push(chunk);
        }
        Ok(())
    }

    /// The clean end of the reply: plugins give back what they hold.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub(crate) async fn finish(&mut self, out: &mut Vec<Chunk>) -> Result<(), Error> {
        Box::pin(self.sweep(out, None)).await
    }

    /// When something has been held back for too long; call [`Self::expire_held`] then.
    pub(crate) fn held_deadline(&self) -> Option<Instant> {
        self.stages.iter().filter_map(Stage::held_deadline).min()
    }

    /// Fails the plugins that have held something back for too long; what they held comes out.
    ///
    /// # Errors
    /// A guard was one of them.
    pub(crate) async fn expire_held(
        &mut self,
        now: Instant,
        out: &mut Vec<Chunk>,
    ) -> Result<(), Error> {
        Box::pin(self.sweep(out, Some(now))).await
    }

    /// What each stage gives at its end, or as it expires, goes through those below it; last first.
    async fn sweep(&mut self, out: &mut Vec<Chunk>, expires: Option<Instant>) -> Result<(), Error> {
        for index in (0..self.stages.len()).rev() {
            let Some(stage) = self.stages.get_mut(index).filter(|stage| stage.transforms()) else {
                continue;
            };
            let given = match expires {
                Some(now) => stage.expire_held(now)?,
                None => stage.finish().await?,
            };
            if let Some(shadow) = stage.shadow.as_mut().filter(|_| expires.is_none()) {
                shadow.finish(&given).await;
            }
            if !given.is_empty() {
                self.push_below(index, Chunk::of(given), out).await?;
            }
        }
        Ok(())
    }

    /// Runs the audit hooks as a task of their own, and lets all instances go.
    pub(crate) fn complete(&mut self, outcome: Outcome) {
        let mut stages = std::mem::take(&mut self.stages);
        if !stages.iter().any(|stage| stage.selected.plugin.hooks.audit) {
            return;
        }
        tokio::spawn(async move {
            for stage in &mut stages {
                stage.on_complete(lower_outcome(&outcome)).await;
            }
        });
    }
}

/// Plugins keep a thread busy while they run; requests that wait for it go before the next piece.
async fn let_others_run() {
    // Where there is no runtime there are no others.
    if tokio::runtime::Handle::try_current().is_ok() {
        tokio::task::yield_now().await;
    }
}

fn too_late() -> Error {
    let message = "The generation took longer than it may (upstream.total_ms)";
    Error::client(ErrorType::Timeout, message)
}

/// One plugin's request hook: changes the request, or answers.
async fn ask(
    stage: &mut Stage,
    request: &mut Request,
    held: &mut Vec<Held>,
    surface: &'static str,
) -> Result<Option<Vec<Delta>>, Broken> {
    let decision = stage.on_request(request, held).await?;
    if let Some(shadow) = &mut stage.shadow {
        shadow.on_request(request, held, kind(&decision)).await;
    }
    match decision {
        Decision::Pass => Ok(None),
        Decision::Replace(replaced) => {
            let host = convert::Host { request, held, surface };
            let mut replaced = convert::lift_request(replaced, &host)?;
            stage.check_expansion(
                convert::size_of_request(request),
                convert::size_of_request(&replaced),
            )?;
            *held = media::lend(&mut replaced);
            *request = replaced;
            Ok(None)
        }
        Decision::Answer(deltas) => {
            let deltas = deltas.into_iter().map(convert::lift_delta);
            let deltas = deltas.collect::<Result<Vec<_>, Failed>>()?;
            let output = deltas.iter().map(convert::size_of).sum();
            stage.check_expansion(convert::size_of_request(request), output)?;
            Ok(Some(deltas))
        }
        Decision::Reject(rejection) => Err(stage.stop(rejection)),
    }
}

/// Tells decisions apart by what they do.
pub(super) fn kind(decision: &Decision) -> u8 {
    match decision {
        Decision::Pass => 0,
        Decision::Replace(_) => 1,
        Decision::Answer(_) => 2,
        Decision::Reject(_) => 3,
    }
}

/// An answer with what every reply has: each choice begins with a role and ends with a finish.
fn whole(mut deltas: Vec<Delta>) -> Vec<Delta> {
    let mut choices: Vec<u16> = deltas.iter().filter_map(Delta::choice).collect();
    choices.push(0);
    choices.sort_unstable();
    choices.dedup();
    for choice in choices {
        let own = |delta: &&Delta| delta.choice() == Some(choice);
        if !deltas.iter().filter(own).any(|delta| matches!(delta, Delta::Role { .. })) {
            deltas.insert(0, Delta::Role { choice, role: Role::Assistant });
        }
        if !deltas.iter().filter(own).any(|delta| matches!(delta, Delta::Finish { .. })) {
            deltas.push(Delta::Finish { choice, reason: FinishReason::Stop, native: None });
        }
    }
    deltas
}

fn lower_outcome(it: &Outcome) -> types::Outcome<'_> {
    types::Outcome {
        status: it.status,
        model: &it.model,
        provider: &it.provider,
        finish: it.finish.map(convert::lower_finish),
        usage: it.usage.as_ref().map(convert::lower_usage),
        cost_nanos: it.cost_nanos,
        latency_ms: it.latency_ms,
        first_token_ms: it.first_token_ms,
        cancelled: it.cancelled,
    }
}

/// A piece that took the plugins so long is one after which others get their turn. Nearly all take
/// a thousandth of this.
const LONG: Duration = Duration::from_millis(1);
