//! One reading of a text, character by character, by both automata.

use super::Compiled;
use super::expressions::{Later, Place, Runs};
use super::fold::is_boundary;
use super::terms::{Meaning, ROOT};

/// A match: its bytes in the text, and its rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) rule: usize,
}

/// How far the text has been read, and what may still become a match.
#[derive(Debug, Clone, Default)]
pub(super) struct Walk {
    /// What lies before it has been read.
    pub(super) at: usize,
    node: usize,
    runs: Runs,
    /// Those of expressions whose beginnings have come, by their numbers.
    later: Vec<(usize, Runs)>,
    /// Matches that hold if the word ends here.
    ending: Vec<Found>,
    best: Option<Found>,
}

impl Walk {
    /// Reads on until the first match that no later text changes, or to the text's end. `ends`
    /// says that no more text follows. `before` is the character before `text`.
    pub(super) fn settle(
        &mut self,
        compiled: &Compiled,
        text: &str,
        before: Option<char>,
        ends: bool,
    ) -> Option<Found> {
        loop {
            if let Some(best) =
                self.best.filter(|best| self.is_settled(compiled, text, before, best))
            {
                self.restart(best.end);
                return Some(best);
            }
            self.skip(compiled, text);
            let next = text.get(self.at..).and_then(|rest| rest.chars().next());
            let place = Place { text, before, at: self.at, next };
            if let Some(character) = next {
                self.step(compiled, place, character);
            } else {
                if ends {
                    self.end(compiled, place);
                }
                let best = self.best.filter(|_| ends)?;
                self.restart(best.end);
                return Some(best);
            }
        }
    }

    /// Where the first text begins that may still become a match, or is part of one.
    pub(super) fn held(&self, compiled: &Compiled, text: &str, before: Option<char>) -> usize {
        let live = self.live(compiled, text, before);
        self.best.map_or(live, |best| best.start.min(live))
    }

    /// The text's first `count` bytes are gone.
    pub(super) fn advance(&mut self, count: usize) {
        self.at = self.at.saturating_sub(count);
        for run in self.all_runs().flat_map(|runs| &mut runs.all) {
            run.start = run.start.saturating_sub(count);
        }
        for found in self.ending.iter_mut().chain(&mut self.best) {
            found.start = found.start.saturating_sub(count);
            found.end = found.end.saturating_sub(count);
        }
    }

    /// Begins anew here.
    pub(super) fn restart(&mut self, at: usize) {
        self.at = at;
        self.node = ROOT;
        self.runs.all.clear();
        self.later.clear();
        self.ending.clear();
        self.best = None;
    }

    #[cfg(test)]
    pub(super) fn runs(&self) -> &[super::expressions::Run] {
        &self.runs.all
    }

    fn all_runs(&mut self) -> impl Iterator<Item = &mut Runs> {
        self.later.iter_mut().map(|(_, runs)| runs).chain([&mut self.runs])
    }

    /// Where nothing has begun, passes what nothing begins with: most of all text.
    fn skip(&mut self, compiled: &Compiled, text: &str) {
        let is_idle = self.node == ROOT && compiled.expressions.is_none() && self.best.is_none();
        if is_idle && self.later.is_empty() && self.ending.is_empty() {
            let rest = text.as_bytes().get(self.at..).unwrap_or_default();
            self.at += compiled.terms.count_idle(rest);
        }
    }

    fn step(&mut self, compiled: &Compiled, place: Place<'_>, character: char) {
        let best = &mut self.best;
        compiled.complete(&mut self.ending, place, best);
        if let Some(expressions) = &compiled.expressions {
            let begins = best.is_none();
            let found = |found| compiled.offer(found, place, best);
            expressions.step(&mut self.runs, place, begins, found);
        }
        for (number, runs) in &mut self.later {
            if let Some(built) = compiled.later.get(*number).and_then(Later::built) {
                built.step(runs, place, false, |found| compiled.offer(found, place, best));
            }
        }
        self.at = place.at + character.len_utf8();
        if !compiled.terms.is_empty() {
            self.step_terms(compiled, place, character);
        }
        if let Some(best) = self.best {
            self.all_runs().for_each(|runs| runs.all.retain(|run| run.start <= best.start));
        }
        self.later.retain(|(_, runs)| !runs.all.is_empty());
    }

    fn step_terms(&mut self, compiled: &Compiled, place: Place<'_>, character: char) {
        let end = self.at;
        self.node = compiled.terms.step(self.node, character);
        let read = place.text.get(..end).unwrap_or_default();
        let mut begun = Vec::new();
        let best = &mut self.best;
        compiled.terms.ending(self.node, read, place.before, |term, start| match term.meaning {
            Meaning::Beginning(number) => begun.push((number, start)),
            Meaning::Match(rule) => {
                let found = Found { start, end, rule };
                if term.is_whole_word {
                    self.ending.push(found);
                } else {
                    compiled.prefer(found, place.text, best);
                }
            }
        });
        for (number, start) in begun {
            let later = compiled.later.get(number);
            let Some(built) = later.and_then(|it| it.get(&compiled.rules, compiled.bytes_max))
            else {
                continue;
            };
            if !self.later.iter().any(|(known, _)| *known == number) {
                self.later.push((number, Runs::default()));
            }
            let own = self.later.iter_mut().find(|(known, _)| *known == number);
            let place = Place { at: end, next: None, ..place };
            own.into_iter().for_each(|(_, runs)| built.begin(runs, place, start));
        }
    }

    fn end(&mut self, compiled: &Compiled, place: Place<'_>) {
        let best = &mut self.best;
        compiled.complete(&mut self.ending, place, best);
        if let Some(expressions) = &compiled.expressions {
            let found = |found| compiled.offer(found, place, best);
            expressions.end(&mut self.runs, place, found);
        }
        for (number, mut runs) in self.later.drain(..) {
            if let Some(built) = compiled.later.get(number).and_then(Later::built) {
                built.end(&mut runs, place, |found| compiled.offer(found, place, best));
            }
        }
    }

    /// Whether nothing that begins there or before may still become a match.
    fn is_settled(
        &self,
        compiled: &Compiled,
        text: &str,
        before: Option<char>,
        best: &Found,
    ) -> bool {
        let read = text.get(..self.at).unwrap_or_default();
        self.first_other().is_none_or(|start| start > best.start)
            && !compiled.terms.is_live(self.node, read, before, best.start)
    }

    fn live(&self, compiled: &Compiled, text: &str, before: Option<char>) -> usize {
        let read = text.get(..self.at).unwrap_or_default();
        let terms = compiled.terms.live(self.node, read, before);
        self.first_other().map_or(terms, |start| start.min(terms))
    }

    /// Where the first run begins, or the first match that waits for the end of its word.
    fn first_other(&self) -> Option<usize> {
        let later = self.later.iter().map(|(_, runs)| runs);
        let runs = later.chain([&self.runs]).filter_map(|runs| runs.all.first());
        let starts = self.ending.iter().map(|found| found.start);
        starts.chain(runs.map(|run| run.start)).min()
    }
}

impl Compiled {
    /// Settles the matches that wait for the end of a word, now that the next character is known.
    fn complete(&self, ending: &mut Vec<Found>, place: Place<'_>, best: &mut Option<Found>) {
        for found in ending.drain(..) {
            let matched = place.text.get(..found.end).unwrap_or_default();
            if is_boundary(matched.chars().next_back(), place.next) {
                self.prefer(found, place.text, best);
            }
        }
    }

    /// Takes an expression's match that ended here, if it is words when it must be.
    fn offer(&self, found: Found, place: Place<'_>, best: &mut Option<Found>) {
        let is_whole = || {
            let (left, rest) = place.text.split_at_checked(found.start).unwrap_or(("", ""));
            let matched = place.text.get(..found.end).unwrap_or_default();
            is_boundary(left.chars().next_back().or(place.before), rest.chars().next())
                && is_boundary(matched.chars().next_back(), place.next)
        };
        let must_be_whole = self.rules.get(found.rule).is_some_and(|rule| rule.is_whole_word);
        if !must_be_whole || is_whole() {
            self.prefer(found, place.text, best);
        }
    }

    /// The leftmost counts, of these the longest, of these the first rule's; and only if the
    /// rule's own check agrees.
    fn prefer(&self, found: Found, text: &str, best: &mut Option<Found>) {
        let rank = |it: &Found| (it.start, usize::MAX - it.end, it.rule);
        if best.is_some_and(|best| rank(&best) <= rank(&found)) {
            return;
        }
        let check = self.rules.get(found.rule).and_then(|rule| rule.check);
        let matched = text.get(found.start..found.end).unwrap_or_default();
        if check.is_none_or(|check| check(matched)) {
            *best = Some(found);
        }
    }
}
