//! One plugin's place in a generation's pipeline: which deltas enter the sandbox, what comes out,
//! what is held back, and what a failure does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::component::ResourceAny;
use wire::{Chunk, Delta};

use super::bindings::types::{self, Decision, Outcome, Verdict};
use super::convert;
use super::fault::{Failed, Fault, reject};
use super::host::as_usize;
use super::instance::Instance;
use super::interest::{FINISH, bit, bits};
use super::media::Held;
use super::select::Selected;
use super::shadow::Shadow;
use super::view::GenerationView;
use crate::clock;
use crate::config::OnError;
use crate::error::Error;

/// One plugin at work.
pub(super) struct Stage {
    /// Which plugin, with which options.
    pub(super) selected: Selected,
    view: Arc<GenerationView>,
    /// Made when the first hook runs.
    instance: Option<Instance>,
    choices: Vec<Choice>,
    /// Failed, and is passed by since.
    is_out: bool,
    /// Counts as a use of this version.
    has_begun: bool,
    /// Runs beside it.
    pub(super) shadow: Option<Box<Shadow>>,
}

/// One choice's transformer.
struct Choice {
    number: u16,
    transformer: ResourceAny,
    /// Bits as in [`bit`].
    interest: u16,
    /// What came since the plugin began to hold. Released if it fails.
    held: Vec<Delta>,
    held_bytes: usize,
    held_since: Option<Instant>,
    /// Its finish was called.
    is_over: bool,
}

/// Why a call gave nothing.
pub(super) enum Broken {
    /// The plugin wants the reply to end.
    Stop(Error),
    /// It failed.
    Fail(Failed),
}

impl From<Failed> for Broken {
    fn from(failed: Failed) -> Self {
        Self::Fail(failed)
    }
}

/// One chunk's way through the stage.
struct Turn {
    out: Vec<Delta>,
    /// Deltas of one choice that enter the sandbox together.
    run: Vec<Delta>,
    is_changed: bool,
}

impl Stage {
    /// A plugin that has not run yet.
    pub(super) fn new(selected: Selected, view: &Arc<GenerationView>) -> Self {
        let shadow = selected.shadow.as_ref();
        let shadow = shadow.map(|plugin| Box::new(Shadow::new(plugin, &selected, view)));
        let view = Arc::clone(view);
        Self {
            shadow,
            selected,
            view,
            instance: None,
            choices: Vec::new(),
            is_out: false,
            has_begun: false,
        }
    }

    /// Whether its stream hook still runs.
    pub(super) fn transforms(&self) -> bool {
        self.selected.plugin.hooks.stream && !self.is_out
    }

    /// Runs the request hook.
    pub(super) async fn on_request(
        &mut self,
        request: &wire::Request,
        held: &mut Vec<Held>,
    ) -> Result<Decision, Failed> {
        let decision = self.instance().await?.on_request(request, held).await?;
        let hooks = self.selected.plugin.hooks;
        if !hooks.stream && !hooks.tools && !hooks.audit {
            // Nothing more will be asked: the place is free while the model thinks.
            self.instance = None;
        }
        Ok(decision)
    }

    /// Runs the audit hook. Its failure is noted and changes nothing.
    pub(super) async fn on_complete(&mut self, outcome: Outcome<'_>) {
        let is_cut = self.instance.as_ref().is_some_and(Instance::is_cut);
        if self.is_out || is_cut || !self.selected.plugin.hooks.audit {
            return;
        }
        let result = match self.instance().await {
            Ok(instance) => instance.on_complete(outcome).await,
            Err(failed) => Err(failed),
        };
        if let Err(failed) = result {
            self.note(&failed);
        }
    }

    /// Whether it runs tools, still.
    pub(super) fn runs_tools(&self) -> bool {
        self.selected.plugin.hooks.tools && !self.is_out
    }

    pub(super) async fn instance(&mut self) -> Result<&mut Instance, Failed> {
        let plugin = &self.selected.plugin;
        let instance = match self.instance.take() {
            Some(instance) => instance,
            None if self.selected.is_disabled => {
                let why = "it failed too often (plugins.breaker)";
                return Err(Failed::new(Fault::Disabled, why));
            }
            None => {
                if !self.has_begun {
                    self.has_begun = true;
                    plugin.breaker.begin();
                }
                Instance::new(plugin, &self.view, &self.selected.options).await?
            }
        };
        Ok(self.instance.insert(instance))
    }

    /// Counts and logs a failure, and notices when there were too many.
    fn note(&self, failed: &Failed) {
        let plugin = &self.selected.plugin;
        let about = &plugin.description;
        failed.note(&about.id, &self.view.id);
        let is_its_own = !matches!(failed.fault, Fault::Busy | Fault::Disabled);
        if is_its_own && plugin.breaker.fail() {
            let (plugin, version) = (about.id.clone(), about.version.as_str());
            metrics::counter!("patchbay_plugin_broken_total", "plugin" => plugin.clone())
                .increment(1);
            tracing::error!(plugin, version, "a plugin failed too often and is passed over");
        }
    }

    /// What a failure of this plugin means: an error that ends the generation, or nothing more
    /// than going on without it.
    pub(super) fn fail(&mut self, failed: &Failed) -> Result<(), Error> {
        self.note(failed);
        self.is_out = true;
        self.instance = None;
        match self.selected.plugin.on_error {
            OnError::Closed => Err(failed.close(&self.selected.plugin.description.id)),
            OnError::Open => Ok(()),
        }
    }

    /// Takes a chunk through the plugin. One that holds nothing of interest is returned as it is,
    /// bytes included.
    pub(super) async fn pass(&mut self, chunk: Chunk) -> Result<Chunk, Error> {
        if self.is_out || !chunk.deltas.iter().any(|delta| self.concerns(delta)) {
            return Ok(chunk);
        }
        let Chunk { deltas, source } = chunk;
        let out = Vec::with_capacity(deltas.len());
        let mut turn = Turn { out, run: Vec::new(), is_changed: false };
        let mut deltas = deltas.into_iter();
        match self.take(&mut deltas, &mut turn).await {
            Ok(()) => {}
            Err(Broken::Stop(error)) => return Err(error),
            Err(Broken::Fail(failed)) => {
                self.fail(&failed)?;
                let held = self.release();
                turn.is_changed |= !held.is_empty();
                turn.out.extend(held);
                turn.out.append(&mut turn.run);
                turn.out.extend(deltas);
            }
        }
        Ok(Chunk { deltas: turn.out, source: source.filter(|_| !turn.is_changed) })
    }

    /// The same with a shadow, which sees what this one sees.
    pub(super) async fn pass_beside(&mut self, chunk: Chunk) -> Result<Chunk, Error> {
        let copy = chunk.clone();
        let passed = self.pass(chunk).await?;
        if let Some(shadow) = &mut self.shadow {
            Box::pin(shadow.pass(copy, &passed.deltas)).await;
        }
        Ok(passed)
    }

    async fn take(
        &mut self,
        deltas: &mut std::vec::IntoIter<Delta>,
        turn: &mut Turn,
    ) -> Result<(), Broken> {
        for delta in deltas {
            self.step(delta, turn).await?;
        }
        self.flush(turn).await
    }

    /// Whether a delta enters the sandbox, or makes something happen there.
    fn concerns(&self, delta: &Delta) -> bool {
        let number = delta.choice().unwrap_or(0);
        match self.choices.iter().find(|choice| choice.number == number) {
            Some(choice) if choice.is_over => false,
            Some(choice) => (choice.interest | FINISH) & bit(delta) != 0,
            // Asking what it wants takes a transformer.
            None => true,
        }
    }

    async fn step(&mut self, delta: Delta, turn: &mut Turn) -> Result<(), Broken> {
        let number = delta.choice().unwrap_or(0);
        let run = turn.run.first().map(|first| first.choice().unwrap_or(0));
        if run.is_some_and(|run| run != number)
            && let Err(broken) = self.flush(turn).await
        {
            turn.run.push(delta);
            return Err(broken);
        }
        let (interest, is_over) = match self.choice(number).await {
            Ok(choice) => (choice.interest, choice.is_over),
            Err(failed) => {
                turn.run.push(delta);
                return Err(failed.into());
            }
        };
        let is_wanted = !is_over && interest & bit(&delta) != 0;
        if matches!(delta, Delta::Finish { .. }) && !is_over {
            return self.conclude(number, delta, is_wanted, turn).await;
        }
        if is_wanted {
            turn.run.push(delta);
            return Ok(());
        }
        // What enters the sandbox keeps its place among what does not.
        let flushed = self.flush(turn).await;
        match flushed {
            Ok(()) => turn.out.push(delta),
            Err(_) => turn.run.push(delta),
        }
        flushed
    }

    /// A choice's transformer; made at the choice's first delta.
    async fn choice(&mut self, number: u16) -> Result<&mut Choice, Failed> {
        let index = match self.choices.iter().position(|choice| choice.number == number) {
            Some(index) => index,
            None => {
                let (transformer, interest) = self.instance().await?.transformer(number).await?;
                let interest = bits(interest);
                self.choices.push(Choice {
                    number,
                    transformer,
                    interest,
                    held: Vec::new(),
                    held_bytes: 0,
                    held_since: None,
                    is_over: false,
                });
                self.choices.len() - 1
            }
        };
        self.choices.get_mut(index).ok_or_else(no_such_choice)
    }

    /// A choice that has a transformer.
    fn known(&mut self, number: u16) -> Result<&mut Choice, Failed> {
        self.choices.iter_mut().find(|choice| choice.number == number).ok_or_else(no_such_choice)
    }

    /// Gives the run to its transformer. If that fails, the run stays for the release.
    async fn flush(&mut self, turn: &mut Turn) -> Result<(), Broken> {
        let Some(first) = turn.run.first() else { return Ok(()) };
        let number = first.choice().unwrap_or(0);
        let transformer = self.choice(number).await?.transformer;
        match self.instance().await?.push(transformer, &turn.run).await? {
            Verdict::Pass => turn.out.append(&mut turn.run),
            Verdict::Hold => {
                turn.is_changed = true;
                self.hold(number, turn)?;
            }
            Verdict::Emit(deltas) => {
                let input = turn.run.iter().map(convert::size_of).sum();
                let emitted = self.emitted(number, deltas, input)?;
                turn.is_changed = true;
                turn.run.clear();
                turn.out.extend(emitted);
                self.known(number)?.let_go();
            }
            Verdict::Stop(rejection) => return Err(self.stop(rejection)),
        }
        Ok(())
    }

    /// Remembers what the plugin keeps back, within its limit.
    fn hold(&mut self, number: u16, turn: &mut Turn) -> Result<(), Failed> {
        let bytes: usize = turn.run.iter().map(convert::size_of).sum();
        let held: usize = self.choices.iter().map(|choice| choice.held_bytes).sum();
        let most = as_usize(self.selected.plugin.limits.held_bytes);
        if held.saturating_add(bytes) > most {
            let why = format!("it held back more than {most} bytes (held_bytes)");
            return Err(Failed::new(Fault::Held, why));
        }
        let choice = self.known(number)?;
        choice.held_bytes = choice.held_bytes.saturating_add(bytes);
        choice.held_since = choice.held_since.or_else(|| Some(clock::now()));
        choice.held.append(&mut turn.run);
        Ok(())
    }

    /// Checks what a plugin gives back for `input` bytes and what it held.
    fn emitted(
        &mut self,
        number: u16,
        deltas: Vec<types::DeltaResult>,
        input: usize,
    ) -> Result<Vec<Delta>, Failed> {
        let input = input.saturating_add(self.known(number)?.held_bytes);
        let deltas =
            deltas.into_iter().map(convert::lift_delta).collect::<Result<Vec<_>, Failed>>()?;
        let output: usize = deltas.iter().map(convert::size_of).sum();
        self.check_expansion(input, output)?;
        if deltas.iter().any(|delta| delta.choice().is_some_and(|own| own != number)) {
            let why = format!("it emitted for another choice than {number}");
            return Err(Failed::new(Fault::Error, why));
        }
        Ok(deltas)
    }

    /// Refuses output that is out of all proportion to the input.
    pub(super) fn check_expansion(&self, input: usize, output: usize) -> Result<(), Failed> {
        let times = as_usize(self.selected.plugin.limits.expansion);
        if output <= input.saturating_mul(times).saturating_add(EXPANSION_FREE_BYTES) {
            return Ok(());
        }
        let why = format!("it made {output} bytes out of {input} (expansion)");
        Err(Failed::new(Fault::Expansion, why))
    }

    /// A choice ends: what is held comes before the finish, and the finish comes once, whatever
    /// the plugin made of it.
    async fn conclude(
        &mut self,
        number: u16,
        finish: Delta,
        is_wanted: bool,
        turn: &mut Turn,
    ) -> Result<(), Broken> {
        let start = turn.out.len();
        if is_wanted {
            turn.run.push(finish.clone());
        }
        if let Err(broken) = self.flush(turn).await {
            if !is_wanted {
                turn.run.push(finish);
            }
            return Err(broken);
        }
        let ended = self.end(number, &mut turn.out).await;
        let is_finish = |delta: &Delta| matches!(delta, Delta::Finish { .. });
        let emitted = turn.out.split_off(start.min(turn.out.len()));
        let (mut finishes, others): (Vec<_>, Vec<_>) = emitted.into_iter().partition(is_finish);
        turn.out.extend(others);
        let finish = finishes.pop().unwrap_or(finish);
        match ended {
            Ok(has_emitted) => {
                turn.is_changed |= has_emitted;
                turn.out.push(finish);
                Ok(())
            }
            Err(broken) => {
                for choice in &mut self.choices {
                    choice.held.retain(|delta| !is_finish(delta));
                }
                turn.run.push(finish);
                Err(broken)
            }
        }
    }

    /// Calls a choice's `finish`. Says whether anything came of it.
    async fn end(&mut self, number: u16, out: &mut Vec<Delta>) -> Result<bool, Broken> {
        let transformer = self.choice(number).await?.transformer;
        let has_emitted = match self.instance().await?.finish(transformer).await? {
            Verdict::Emit(deltas) => {
                let emitted = self.emitted(number, deltas, 0)?;
                let is_some = !emitted.is_empty();
                out.extend(emitted);
                is_some
            }
            Verdict::Stop(rejection) => return Err(self.stop(rejection)),
            Verdict::Pass | Verdict::Hold => false,
        };
        let choice = self.known(number)?;
        choice.let_go();
        choice.is_over = true;
        Ok(has_emitted)
    }

    /// The clean end of the stream: finishes the choices that have seen no finish.
    pub(super) async fn finish(&mut self) -> Result<Vec<Delta>, Error> {
        let mut out = Vec::new();
        let open: Vec<u16> =
            self.choices.iter().filter(|choice| !choice.is_over).map(|it| it.number).collect();
        for number in open {
            match self.end(number, &mut out).await {
                Ok(_) => {}
                Err(Broken::Stop(error)) => return Err(error),
                Err(Broken::Fail(failed)) => {
                    self.fail(&failed)?;
                    out.extend(self.release());
                    break;
                }
            }
        }
        Ok(out)
    }

    /// When what is held has been held for too long.
    pub(super) fn held_deadline(&self) -> Option<Instant> {
        let since = self.choices.iter().filter_map(|choice| choice.held_since).min()?;
        since.checked_add(Duration::from_millis(self.selected.plugin.limits.held_ms))
    }

    /// Counts what is held as held for so much less.
    pub(super) fn excuse(&mut self, time: Duration) {
        for since in self.choices.iter_mut().filter_map(|choice| choice.held_since.as_mut()) {
            *since = since.checked_add(time).unwrap_or(*since);
        }
    }

    /// Fails the plugin if it has held something for too long, and gives what it held.
    pub(super) fn expire_held(&mut self, now: Instant) -> Result<Vec<Delta>, Error> {
        if self.held_deadline().is_none_or(|deadline| deadline > now) {
            return Ok(Vec::new());
        }
        let most = self.selected.plugin.limits.held_ms;
        let why = format!("it held something back for more than {most} ms (held_ms)");
        self.fail(&Failed::new(Fault::Held, why))?;
        Ok(self.release())
    }

    /// Everything that is held, as it came.
    fn release(&mut self) -> Vec<Delta> {
        let mut released = Vec::new();
        for choice in &mut self.choices {
            released.append(&mut choice.held);
            choice.let_go();
        }
        released
    }

    /// The plugin's no, if it is one that it may say.
    pub(super) fn stop(&self, rejection: types::Rejection) -> Broken {
        let id = &self.selected.plugin.description.id;
        match reject(id, rejection) {
            Ok(error) => Broken::Stop(error),
            Err(failed) => Broken::Fail(failed),
        }
    }
}

fn no_such_choice() -> Failed {
    Failed::new(Fault::Error, "no such choice")
}

impl Choice {
    fn let_go(&mut self) {
        self.held.clear();
        self.held_bytes = 0;
        self.held_since = None;
    }
}

/// Output that is always allowed, beside the multiple of the input.
const EXPANSION_FREE_BYTES: usize = 64 << 10;
