//! Leaves out of one request what is too much, once it is known what the request may have.

use crate::cut::{MARK_TOKENS, cut};
use crate::fit::{self, Fate, Hold, Unit};
use crate::groups;
use crate::measure::{self, Counter, Measure};
use patchbay_sdk::{Content, Message, Request, Role, warn};
use std::ops::Range;

/// What a prompt must keep to.
#[derive(Debug, PartialEq)]
pub(crate) struct Limits {
    /// Tokens of the whole prompt; none: unknown.
    pub(crate) tokens: Option<u64>,
    /// Messages, system messages left out; none: any number.
    pub(crate) messages: Option<u64>,
}

/// What was left out of a request.
pub(crate) struct Compressed {
    /// Tokens.
    pub(crate) before: u64,
    pub(crate) after: u64,
    pub(crate) messages_removed: usize,
    pub(crate) texts_cut: usize,
}

/// What a request weighs.
pub(crate) struct Weighed {
    counter: Counter,
    beside: u64,
    measures: Vec<Measure>,
}

impl Weighed {
    /// Weighs a request that may break its limits; nothing where it surely does not.
    pub(crate) fn of(request: &Request, limits: &Limits) -> Option<Self> {
        let may_be_long = limits.tokens.is_some_and(|most| measure::at_most(request) > most);
        if !may_be_long && messages_over(request, limits).is_none() {
            return None;
        }
        let mut counter = Counter::new(&request.model);
        let beside = counter.beside(request);
        let measures = request.messages.iter().map(|message| counter.message(message));
        Some(Self { measures: measures.collect(), counter, beside })
    }

    /// Tokens of the whole prompt.
    pub(crate) fn tokens(&self) -> u64 {
        self.measures.iter().fold(self.beside, |sum, it| sum.saturating_add(it.total()))
    }
}

/// The most messages that there may be, where there are more.
fn messages_over(request: &Request, limits: &Limits) -> Option<u64> {
    let spoken = request.messages.iter().filter(|message| !is_system(message)).count();
    let spoken = u64::try_from(spoken).unwrap_or(u64::MAX);
    limits.messages.filter(|most| spoken > *most)
}

/// The request within its limits, and what was left out of it: nothing where it is within them
/// already, or can't be.
pub(crate) fn compress(
    mut request: Request,
    weighed: Weighed,
    limits: &Limits,
    keep_last: usize,
) -> (Request, Option<Compressed>) {
    let before = weighed.tokens();
    let Weighed { counter, beside, measures } = weighed;
    let groups = groups::groups(&request.messages);
    let units = units(&request.messages, &measures, &groups, keep_last);
    let mut fates: Vec<Fate> = match messages_over(&request, limits) {
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
        return (request, None);
    }
    let mut writer = Writer { counter, after: beside, messages_removed: 0, texts_cut: 0 };
    request.messages = writer.messages(request.messages, &measures, &groups, &fates);
    let Writer { after, messages_removed, texts_cut, .. } = writer;
    (request, Some(Compressed { before, after, messages_removed, texts_cut }))
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
struct Writer {
    counter: Counter,
    after: u64,
    messages_removed: usize,
    texts_cut: usize,
}

impl Writer {
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
