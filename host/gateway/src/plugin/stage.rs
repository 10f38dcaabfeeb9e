//! One plugin's place in a generation's pipeline: which deltas enter the sandbox, what comes out,
//! what is held back, and what a failure does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::component::ResourceAny;
use wire::{Chunk, Delta, ErrorType, Failure};

use super::bindings::{audit_hook, request_hook, stream_hook, types};
use super::convert;
use super::description::Kind;
use super::fault::{Failed, Fault};
use super::instance::Instance;
use super::media::Held;
use super::select::Selected;
use super::view::GenerationView;
use crate::clock;
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
        let view = Arc::clone(view);
        Self { selected, view, instance: None, choices: Vec::new(), is_out: false }
    }

    /// Whether its stream hook still runs.
    pub(super) fn transforms(&self) -> bool {
        self.selected.plugin.hooks.stream && !self.is_out
    }

    /// Runs the request hook.
    pub(super) fn on_request(
        &mut self,
        request: &wire::Request,
        held: &mut Vec<Held>,
    ) -> Result<request_hook::Decision, Failed> {
        let decision = self.instance()?.on_request(request, held)?;
        let hooks = self.selected.plugin.hooks;
        if !hooks.stream && !hooks.audit {
            // Nothing more will be asked: the place is free while the model thinks.
            self.instance = None;
        }
        Ok(decision)
    }

    /// Runs the audit hook. Its failure is noted and changes nothing.
    pub(super) fn on_complete(&mut self, outcome: audit_hook::Outcome<'_>) {
        if self.is_out || !self.selected.plugin.hooks.audit {
            return;
        }
        let result = self.instance().and_then(|instance| instance.on_complete(outcome));
        if let Err(failed) = result {
            failed.note(&self.selected.plugin.description.id, &self.view.id);
        }
    }

    fn instance(&mut self) -> Result<&mut Instance, Failed> {
        let instance = match self.instance.take() {
            Some(instance) => instance,
            None => Instance::new(&self.selected.plugin, &self.view, &self.selected.options)?,
        };
        Ok(self.instance.insert(instance))
    }

    /// What a failure of this plugin means: an error that ends the generation, or nothing more
    /// than going on without it.
    pub(super) fn fail(&mut self, failed: &Failed) -> Result<(), Error> {
        let about = &self.selected.plugin.description;
        failed.note(&about.id, &self.view.id);
        self.is_out = true;
        self.instance = None;
        match about.kind {
            Kind::Guard => Err(failed.close(&about.id)),
            Kind::Transform | Kind::Observe => Ok(()),
        }
    }

    /// Takes a chunk through the plugin. One that holds nothing of interest is returned as it is,
    /// bytes included.
    pub(super) fn pass(&mut self, chunk: Chunk) -> Result<Chunk, Error> {
        if self.is_out || !chunk.deltas.iter().any(|delta| self.concerns(delta)) {
            return Ok(chunk);
        }
        let Chunk { deltas, source } = chunk;
        let out = Vec::with_capacity(deltas.len());
        let mut turn = Turn { out, run: Vec::new(), is_changed: false };
        let mut deltas = deltas.into_iter();
        let stepped = deltas.try_for_each(|delta| self.step(delta, &mut turn));
        match stepped.and_then(|()| self.flush(&mut turn)) {
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

    fn step(&mut self, delta: Delta, turn: &mut Turn) -> Result<(), Broken> {
        let number = delta.choice().unwrap_or(0);
        let run = turn.run.first().map(|first| first.choice().unwrap_or(0));
        if run.is_some_and(|run| run != number)
            && let Err(broken) = self.flush(turn)
        {
            turn.run.push(delta);
            return Err(broken);
        }
        let (interest, is_over) = match self.choice(number) {
            Ok(choice) => (choice.interest, choice.is_over),
            Err(failed) => {
                turn.run.push(delta);
                return Err(failed.into());
            }
        };
        let is_wanted = !is_over && interest & bit(&delta) != 0;
        if matches!(delta, Delta::Finish { .. }) && !is_over {
            return self.conclude(number, delta, is_wanted, turn);
        }
        if is_wanted {
            turn.run.push(delta);
            return Ok(());
        }
        // What enters the sandbox keeps its place among what does not.
        let flushed = self.flush(turn);
        match flushed {
            Ok(()) => turn.out.push(delta),
            Err(_) => turn.run.push(delta),
        }
        flushed
    }

    /// A choice's transformer; made at the choice's first delta.
    fn choice(&mut self, number: u16) -> Result<&mut Choice, Failed> {
        let index = match self.choices.iter().position(|choice| choice.number == number) {
            Some(index) => index,
            None => {
                let (transformer, interest) = self.instance()?.transformer(number)?;
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
        self.choices.get_mut(index).ok_or_else(|| Failed::new(Fault::Error, "no such choice"))
    }

    /// Gives the run to its transformer. If that fails, the run stays for the release.
    fn flush(&mut self, turn: &mut Turn) -> Result<(), Broken> {
        let Some(first) = turn.run.first() else { return Ok(()) };
        let number = first.choice().unwrap_or(0);
        let transformer = self.choice(number)?.transformer;
        match self.instance()?.push(transformer, &turn.run)? {
            stream_hook::Verdict::Pass => turn.out.append(&mut turn.run),
            stream_hook::Verdict::Hold => {
                turn.is_changed = true;
                self.hold(number, turn)?;
            }
            stream_hook::Verdict::Emit(deltas) => {
                let input = turn.run.iter().map(convert::size_of).sum();
                let emitted = self.emitted(number, deltas, input)?;
                turn.is_changed = true;
                turn.run.clear();
                turn.out.extend(emitted);
                self.choice(number)?.let_go();
            }
            stream_hook::Verdict::Stop(rejection) => return Err(self.stop(rejection)),
        }
        Ok(())
    }

    /// Remembers what the plugin keeps back, within its limit.
    fn hold(&mut self, number: u16, turn: &mut Turn) -> Result<(), Failed> {
        let bytes: usize = turn.run.iter().map(convert::size_of).sum();
        let held: usize = self.choices.iter().map(|choice| choice.held_bytes).sum();
        let most = self.selected.plugin.limits.held_bytes;
        if held.saturating_add(bytes) > most {
            let why = format!("it held back more than {most} bytes (plugins.held_bytes_max)");
            return Err(Failed::new(Fault::Held, why));
        }
        let choice = self.choice(number)?;
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
        let input = input.saturating_add(self.choice(number)?.held_bytes);
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
        let times = self.selected.plugin.limits.expansion;
        if output <= input.saturating_mul(times).saturating_add(EXPANSION_FREE_BYTES) {
            return Ok(());
        }
        let why = format!("it made {output} bytes out of {input} (plugins.expansion_max)");
        Err(Failed::new(Fault::Expansion, why))
    }

    /// A choice ends: what is held comes before the finish, and the finish comes once, whatever
    /// the plugin made of it.
    fn conclude(
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
        if let Err(broken) = self.flush(turn) {
            if !is_wanted {
                turn.run.push(finish);
            }
            return Err(broken);
        }
        let ended = self.end(number, &mut turn.out);
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
    fn end(&mut self, number: u16, out: &mut Vec<Delta>) -> Result<bool, Broken> {
        let transformer = self.choice(number)?.transformer;
        let has_emitted = match self.instance()?.finish(transformer)? {
            stream_hook::Verdict::Emit(deltas) => {
                let emitted = self.emitted(number, deltas, 0)?;
                let is_some = !emitted.is_empty();
                out.extend(emitted);
                is_some
            }
            stream_hook::Verdict::Stop(rejection) => return Err(self.stop(rejection)),
            stream_hook::Verdict::Pass | stream_hook::Verdict::Hold => false,
        };
        let choice = self.choice(number)?;
        choice.let_go();
        choice.is_over = true;
        Ok(has_emitted)
    }

    /// The clean end of the stream: finishes the choices that have seen no finish.
    pub(super) fn finish(&mut self) -> Result<Vec<Delta>, Error> {
        let mut out = Vec::new();
        let open: Vec<u16> =
            self.choices.iter().filter(|choice| !choice.is_over).map(|it| it.number).collect();
        for number in open {
            match self.end(number, &mut out) {
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

    /// Fails the plugin if it has held something for too long, and gives what it held.
    pub(super) fn expire_held(&mut self, now: Instant) -> Result<Vec<Delta>, Error> {
        if self.held_deadline().is_none_or(|deadline| deadline > now) {
            return Ok(Vec::new());
        }
        let most = self.selected.plugin.limits.held_ms;
        let why = format!("it held something back for more than {most} ms (plugins.held_ms_max)");
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

impl Choice {
    fn let_go(&mut self) {
        self.held.clear();
        self.held_bytes = 0;
        self.held_since = None;
    }
}

/// What a client is told when a plugin rejects. Statuses that belong to the gateway are refused:
/// a plugin can't pretend that we or the upstream failed.
fn reject(id: &str, it: types::Rejection) -> Result<Error, Failed> {
    if !matches!(it.status, 400..=499 | 503) {
        let why = format!("it rejected with status {}; 400 to 499 and 503 are allowed", it.status);
        return Err(Failed::new(Fault::Error, why));
    }
    let error_type = match it.status {
        503 => ErrorType::ProviderOverloaded,
        status => ErrorType::of_status(status),
    };
    let mut failure = Failure::new(error_type, it.message);
    failure.status = it.status;
    failure.retry_after_ms = it.retry_after_ms.map(u64::from);
    failure.metadata = convert::lift_fields(it.metadata, "a rejection's metadata")?;
    failure.metadata.retain(|(name, _)| name != "plugin");
    failure.metadata.push(("plugin".to_owned(), wire::Json::of(&id)));
    Ok(Error::plugin(failure))
}

/// A delta's bit, in the order of `interest`.
fn bit(delta: &Delta) -> u16 {
    match delta {
        Delta::Role { .. } => 1,
        Delta::Text { .. } => 1 << 1,
        Delta::Reasoning { .. } => 1 << 2,
        Delta::ToolCall { .. } => 1 << 3,
        Delta::Refusal { .. } => 1 << 4,
        Delta::Annotation { .. } => 1 << 5,
        Delta::Image { .. } => 1 << 6,
        Delta::Audio { .. } => 1 << 7,
        Delta::Finish { .. } => FINISH,
        Delta::Usage(_) => 1 << 9,
        Delta::Other { .. } => 1 << 10,
    }
}

fn bits(interest: stream_hook::Interest) -> u16 {
    use stream_hook::Interest as I;
    let order = [
        I::ROLE,
        I::TEXT,
        I::REASONING,
        I::TOOL_CALL,
        I::REFUSAL,
        I::ANNOTATION,
        I::IMAGE,
        I::AUDIO,
        I::FINISH,
        I::USAGE,
        I::OTHER,
    ];
    let wanted = order.into_iter().zip(0_u16..).filter(|(flag, _)| interest.contains(*flag));
    wanted.fold(0, |bits, (_, place)| bits | 1 << place)
}

/// A choice's end always matters: it is when `finish` is called.
const FINISH: u16 = 1 << 8;

/// Output that is always allowed, beside the multiple of the input.
const EXPANSION_FREE_BYTES: usize = 64 << 10;
