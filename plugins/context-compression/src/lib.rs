//! Prompts that are too long for a model: leaves out what stands in their middle until they fit,
//! for models read the beginning and the end of a prompt best.
//!
//! What goes first are whole messages from the middle of the conversation, a tool call together
//! with its results; the last message at either end is cut where it does not fit whole. System
//! messages stay as they are, the last user message and what follows last stay but may be cut. A
//! text is cut in its middle, and says so.
//!
//! When what must stay is too much, the request goes on as it came: the model's own error says
//! best what it can take, since all counts here are estimates.

mod cut;
mod fit;
mod groups;
mod measure;

use cut::{MARK_TOKENS, cut};
use fit::{Fate, Hold, Unit};
use measure::{Counter, Measure};
use patchbay_sdk::catalog::{self, Model};
use patchbay_sdk::{
    Content, Decision, Description, Error, Generation, Kind, Message, Plugin, Request, Role,
    report, warn,
};
use serde::Deserialize;
use std::ops::Range;

/// The plugin, for one generation.
pub struct ContextCompression {
    options: Options,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
struct Options {
    threshold: f64,
    reserve: u64,
    keep_last: usize,
    max_messages: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self { threshold: 0.95, reserve: 4096, keep_last: 2, max_messages: None }
    }
}

impl Plugin for ContextCompression {
    fn describe() -> Description {
        Description::new("context-compression", env!("CARGO_PKG_VERSION"), Kind::Transform)
            .summary("Makes long prompts fit the model by leaving out what stands in the middle.")
            .options(OPTIONS)
            .trigger("context=8192")
    }

    fn new(generation: &Generation) -> Result<Self, Error> {
        Ok(Self { options: generation.options()? })
    }

    fn on_request(&mut self, _: &Generation, request: Request) -> Result<Decision, Error> {
        let Some(model) = catalog::model(&request.model) else { return Ok(Decision::Pass) };
        if !model.outputs.iter().any(|output| output == "text") {
            return Ok(Decision::Pass);
        }
        let limits = self.options.limits(&model, request.sampling.max_tokens);
        Ok(match compress(request, &limits, self.options.keep_last) {
            Some(done) => {
                done.report(&model);
                Decision::Replace(done.request)
            }
            None => Decision::Pass,
        })
    }
}

/// What a prompt must keep to.
#[derive(Debug, PartialEq)]
struct Limits {
    /// Tokens of the whole prompt; none: unknown.
    tokens: Option<u64>,
    /// Messages, system messages left out; none: any number.
    messages: Option<u64>,
}

impl Options {
    fn limits(&self, model: &Model, max_tokens: Option<u32>) -> Limits {
        let tokens = model.context_length.map(|context| {
            let bound = model.completion_max.unwrap_or(u64::MAX).min(context / 4);
            let reply = max_tokens.map_or(self.reserve.min(bound), u64::from);
            fraction(context.saturating_sub(reply), self.threshold)
        });
        let is_anthropic = model.id.starts_with("anthropic/");
        let messages = self.max_messages.or(is_anthropic.then_some(ANTHROPIC_MESSAGES_MAX));
        Limits { tokens, messages }
    }
}

/// A request that was made shorter.
struct Compressed {
    request: Request,
    before: u64,
    after: u64,
    messages_removed: usize,
    texts_cut: usize,
}

impl Compressed {
    fn report(&self, model: &Model) {
        let Self { before, after, messages_removed, texts_cut, .. } = self;
        let summary = format!(
            "about {before} tokens made {after}: {messages_removed} messages removed, \
             {texts_cut} texts cut"
        );
        report::stage("context_compression", "middle-out")
            .summary(&summary)
            .data("engine", "middle-out")
            .data("tokens_before", before)
            .data("tokens_after", after)
            .data("messages_removed", messages_removed)
            .data("texts_cut", texts_cut)
            .data("context_length", model.context_length)
            .send();
    }
}

/// The request within its limits; nothing where it is so already, or can't be.
fn compress(request: Request, limits: &Limits, keep_last: usize) -> Option<Compressed> {
    let spoken = request.messages.iter().filter(|message| !is_system(message)).count();
    let spoken = u64::try_from(spoken).unwrap_or(u64::MAX);
    let messages_max = limits.messages.filter(|most| spoken > *most);
    let may_be_long = limits.tokens.is_some_and(|most| measure::at_most(&request) > most);
    if messages_max.is_none() && !may_be_long {
        return None;
    }
    let model = request.model.clone();
    let mut counter = Counter::new(&model);
    let beside = counter.beside(&request);
    let measures: Vec<Measure> =
        request.messages.iter().map(|message| counter.message(message)).collect();
    let before = measures.iter().fold(beside, |sum, it| sum.saturating_add(it.total()));
    let groups = groups::groups(&request.messages);
    let units = units(&request.messages, &measures, &groups, keep_last);
    let mut fates: Vec<Fate> = match messages_max {
        Some(most) => fit::by_messages(&units, most),
        None => units.iter().map(|_| Fate::Keep).collect(),
    };
    let left = units.iter().zip(&fates).filter(|(_, fate)| **fate != Fate::Drop);
    let left: Vec<Unit> = left.map(|(unit, _)| unit.clone()).collect();
    let tokens_left = left.iter().fold(beside, |sum, it| sum.saturating_add(it.total()));
    if let Some(most) = limits.tokens.filter(|most| tokens_left > *most) {
        let room = most.checked_sub(beside.saturating_add(MARK_TOKENS));
        if let Some(closer) = room.and_then(|room| fit::by_tokens(&left, room)) {
            let kept = fates.iter_mut().filter(|fate| **fate != Fate::Drop);
            kept.zip(closer).for_each(|(fate, closer)| *fate = closer);
        } else {
            warn!("{tokens_left} tokens, of which too many must stay for a room of {most}");
        }
    }
    if fates.iter().all(|fate| *fate == Fate::Keep) {
        return None;
    }
    let mut writer = Writer { counter, after: beside, messages_removed: 0, texts_cut: 0 };
    let mut request = request;
    request.messages = writer.messages(request.messages, &measures, &groups, &fates);
    let Writer { after, messages_removed, texts_cut, .. } = writer;
    Some(Compressed { request, before, after, messages_removed, texts_cut })
}

/// What the fates are decided by.
fn units(
    messages: &[Message],
    measures: &[Measure],
    groups: &[Range<usize>],
    keep_last: usize,
) -> Vec<Unit> {
    let last_user = messages.iter().rposition(is_spoken_by_user);
    let last = messages.len().saturating_sub(keep_last);
    let unit = |group: &Range<usize>| {
        let own = messages.get(group.clone()).unwrap_or_default();
        let measures = measures.get(group.clone()).unwrap_or_default();
        let is_present = group.end > last || last_user.is_some_and(|at| group.contains(&at));
        Unit {
            messages: u64::try_from(own.len()).unwrap_or(u64::MAX),
            base: measures.iter().fold(0, |sum, it| sum.saturating_add(it.base)),
            texts: measures.iter().flat_map(|it| &it.texts).copied().collect(),
            hold: match () {
                () if own.iter().any(is_system) => Hold::Whole,
                () if is_present => Hold::Present,
                () => Hold::Free,
            },
        }
    };
    groups.iter().map(unit).collect()
}

/// Writes the messages that are left.
struct Writer<'a> {
    counter: Counter<'a>,
    after: u64,
    messages_removed: usize,
    texts_cut: usize,
}

impl Writer<'_> {
    fn messages(
        &mut self,
        messages: Vec<Message>,
        measures: &[Measure],
        groups: &[Range<usize>],
        fates: &[Fate],
    ) -> Vec<Message> {
        let began_with_user = first_spoken(&messages) == Some(Role::User);
        let mut out = Vec::with_capacity(messages.len());
        let mut messages = messages.into_iter().zip(measures);
        for (group, fate) in groups.iter().zip(fates) {
            for (mut message, measure) in messages.by_ref().take(group.len()) {
                match fate {
                    Fate::Drop => self.messages_removed = self.messages_removed.saturating_add(1),
                    Fate::Keep => {
                        self.after = self.after.saturating_add(measure.total());
                        out.push(message);
                    }
                    Fate::Cut(level) => {
                        self.cut(&mut message, measure, *level);
                        out.push(message);
                    }
                }
            }
        }
        // Some models take no conversation that begins with an answer.
        if began_with_user && first_spoken(&out) != Some(Role::User) {
            let note = format!("[… {} messages left out …]", self.messages_removed);
            let at = out.iter().position(|message| !is_system(message)).unwrap_or(out.len());
            out.insert(at, Message::user(note));
            self.after = self.after.saturating_add(MARK_TOKENS);
        }
        out
    }

    fn cut(&mut self, message: &mut Message, measure: &Measure, level: u64) {
        self.after = self.after.saturating_add(measure.base);
        for (text, tokens) in message.texts_mut().zip(&measure.texts) {
            let mut left = *tokens;
            if *tokens > level {
                let (shorter, kept) = cut(&mut self.counter, text, *tokens, level);
                *text = shorter;
                left = kept;
                self.texts_cut = self.texts_cut.saturating_add(1);
            }
            self.after = self.after.saturating_add(left);
        }
    }
}

fn is_system(message: &Message) -> bool {
    matches!(message.role, Role::System | Role::Developer)
}

/// Tools' results can stand in user messages too; those are nothing that a user said.
fn is_spoken_by_user(message: &Message) -> bool {
    let is_result = |content: &Content| matches!(content, Content::ToolResult(_));
    message.role == Role::User && message.parts.iter().any(|part| !is_result(&part.content))
}

fn first_spoken(messages: &[Message]) -> Option<Role> {
    messages.iter().find(|message| !is_system(message)).map(|message| message.role)
}

/// A part of a number of tokens; exact to a thousandth.
fn fraction(tokens: u64, part: f64) -> u64 {
    let per_mille = (100..=1000_u64).rev().find(|step| {
        let step = u16::try_from(*step).map_or(0.0, f64::from);
        step <= part * 1000.0 + 0.001
    });
    tokens.saturating_mul(per_mille.unwrap_or(100)) / 1000
}

patchbay_sdk::export!(ContextCompression: request);

/// What Anthropic takes in one request. (OpenRouter's documentation on message transforms.)
const ANTHROPIC_MESSAGES_MAX: u64 = 1000;

const OPTIONS: &str = include_str!("options.json");

patchbay_sdk::cases![
    "cases/anthropic.json",
    "cases/fits.json",
    "cases/giant_first.json",
    "cases/hopeless.json",
    "cases/images.json",
    "cases/last_user.json",
    "cases/max_tokens.json",
    "cases/media.json",
    "cases/middle.json",
    "cases/no_user_first.json",
    "cases/system.json",
    "cases/threshold.json",
    "cases/tools_kept.json",
    "cases/tools_together.json",
    "cases/unknown.json",
];

#[cfg(test)]
mod tests;
