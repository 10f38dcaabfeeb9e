//! One generation's way through its plugins: request hooks in order, stream hooks in reverse,
//! audit hooks at the end. A plugin has one instance per generation, made when its first hook runs.

use std::sync::Arc;
use std::time::Instant;

use wire::{Chunk, Delta, FinishReason, Request, Role, Usage};

use super::bindings::{audit_hook, request_hook::Decision};
use super::convert;
use super::fault::Failed;
use super::media::{self, Held};
use super::select::Selected;
use super::stage::{Broken, Stage};
use super::view::GenerationView;
use crate::error::Error;

/// The plugins of one generation.
pub(crate) struct Pipeline {
    stages: Vec<Stage>,
    surface: &'static str,
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
        let surface = view.surface;
        let view = Arc::new(view);
        let stages = selected.into_iter().map(|selected| Stage::new(selected, &view)).collect();
        Self { stages, surface }
    }

    /// Id, version and digest of each plugin, in order.
    pub(crate) fn used(&self) -> Vec<(String, String, String)> {
        let plugins = self.stages.iter().map(|stage| &stage.selected.plugin);
        let used = plugins.map(|plugin| {
            let about = &plugin.description;
            (about.id.clone(), about.version.clone(), plugin.digest.clone())
        });
        used.collect()
    }

    /// Runs the request hooks. A request that no plugin changed keeps its source.
    ///
    /// # Errors
    /// A plugin's rejection, or a guard's failure.
    pub(crate) fn on_request(&mut self, mut request: Request) -> Result<Requested, Error> {
        if !self.stages.iter().any(|stage| stage.selected.plugin.hooks.request) {
            return Ok(Requested::Go(request));
        }
        let mut held = media::lend(&mut request);
        let answer = self.run_request_hooks(&mut request, &mut held);
        media::restore(&mut request, held);
        Ok(match answer? {
            Some(deltas) => Requested::Answer(whole(deltas), request),
            None => Requested::Go(request),
        })
    }

    fn run_request_hooks(
        &mut self,
        request: &mut Request,
        held: &mut Vec<Held>,
    ) -> Result<Option<Vec<Delta>>, Error> {
        let surface = self.surface;
        for stage in self.stages.iter_mut().filter(|stage| stage.selected.plugin.hooks.request) {
            match ask(stage, request, held, surface) {
                Ok(None) => {}
                Ok(answer) => return Ok(answer),
                Err(Broken::Stop(error)) => return Err(error),
                Err(Broken::Fail(failed)) => stage.fail(&failed)?,
            }
        }
        Ok(None)
    }

    /// Takes one chunk through the stream hooks. What comes out at once is added to `out`.
    ///
    /// # Errors
    /// A plugin ends the reply, or a guard failed.
    pub(crate) fn push(&mut self, chunk: Chunk, out: &mut Vec<Chunk>) -> Result<(), Error> {
        let last = self.stages.len();
        self.push_below(last, chunk, out)
    }

    /// Takes the chunks of a whole reply through the stream hooks.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub(crate) fn push_all(
        &mut self,
        chunks: Vec<Chunk>,
        out: &mut Vec<Chunk>,
    ) -> Result<(), Error> {
        chunks.into_iter().try_for_each(|chunk| self.push(chunk, out))
    }

    /// Through the stages below `end`, last first.
    fn push_below(
        &mut self,
        end: usize,
        mut chunk: Chunk,
        out: &mut Vec<Chunk>,
    ) -> Result<(), Error> {
        let stages = self.stages.iter_mut().take(end).rev();
        for stage in stages.filter(|stage| stage.transforms()) {
            chunk = stage.pass(chunk)?;
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
    pub(crate) fn finish(&mut self, out: &mut Vec<Chunk>) -> Result<(), Error> {
        self.sweep(out, |stage| stage.finish())
    }

    /// When something has been held back for too long; call [`Self::expire_held`] then.
    pub(crate) fn held_deadline(&self) -> Option<Instant> {
        self.stages.iter().filter_map(Stage::held_deadline).min()
    }

    /// Fails the plugins that have held something back for too long; what they held comes out.
    ///
    /// # Errors
    /// A guard was one of them.
    pub(crate) fn expire_held(&mut self, now: Instant, out: &mut Vec<Chunk>) -> Result<(), Error> {
        self.sweep(out, |stage| stage.expire_held(now))
    }

    /// What each stage gives, last first, goes through those below it.
    fn sweep(
        &mut self,
        out: &mut Vec<Chunk>,
        mut give: impl FnMut(&mut Stage) -> Result<Vec<Delta>, Error>,
    ) -> Result<(), Error> {
        for index in (0..self.stages.len()).rev() {
            let Some(stage) = self.stages.get_mut(index).filter(|stage| stage.transforms()) else {
                continue;
            };
            let given = give(stage)?;
            if !given.is_empty() {
                self.push_below(index, Chunk::of(given), out)?;
            }
        }
        Ok(())
    }

    /// Runs the audit hooks, off the caller's thread where there is a runtime, and lets all
    /// instances go.
    pub(crate) fn complete(&mut self, outcome: Outcome) {
        let mut stages = std::mem::take(&mut self.stages);
        if !stages.iter().any(|stage| stage.selected.plugin.hooks.audit) {
            return;
        }
        let mut run = move || {
            for stage in &mut stages {
                stage.on_complete(lower_outcome(&outcome));
            }
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(run)),
            Err(_) => run(),
        }
    }
}

/// One plugin's request hook: changes the request, or answers.
fn ask(
    stage: &mut Stage,
    request: &mut Request,
    held: &mut Vec<Held>,
    surface: &'static str,
) -> Result<Option<Vec<Delta>>, Broken> {
    match stage.on_request(request, held)? {
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

fn lower_outcome(it: &Outcome) -> audit_hook::Outcome<'_> {
    audit_hook::Outcome {
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
