//! Regular expressions in an automaton, whose states are made when text first needs them. Those
//! that begin with a literal text are not even built before that text has come: see [`Later`].
//!
//! It is asked one character at a time, by a *run* for each place where a match may have begun.
//! Two runs in the same state go on alike, so the later of them is dropped: their number stays
//! small, and no text is read twice.

use super::walk::Found;
use super::{Rule, RuleError, dialect};
use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::start;
use regex_automata::{Anchored, MatchKind};
use regex_syntax::hir::Hir;
use std::cell::{OnceCell, RefCell};

/// The automaton.
pub(super) struct Expressions {
    dfa: DFA,
    /// Which rule each pattern is.
    rules: Vec<usize>,
    states: RefCell<States>,
    bytes_max: usize,
}

/// The states that were made.
struct States {
    cache: Cache,
    /// Counts how often they were thrown away: the names of older ones mean nothing.
    epoch: u64,
    /// How much memory they may take.
    bytes_max: usize,
}

/// A place where a match may have begun, and how far it has got.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) start: usize,
    state: LazyStateID,
}

/// The runs of one text, in order of their starts.
#[derive(Debug, Clone, Default)]
pub(super) struct Runs {
    pub(super) all: Vec<Run>,
    epoch: u64,
}

/// The text, and where in it the next character stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) text: &'a str,
    /// The character before `text`.
    pub(super) before: Option<char>,
    pub(super) at: usize,
    /// The character there; none at the text's end.
    pub(super) next: Option<char>,
}

impl Expressions {
    /// Builds the automaton of these rules, by their numbers.
    pub(super) fn new(
        rules: &[Rule],
        numbers: Vec<usize>,
        bytes_max: usize,
    ) -> Result<Self, RuleError> {
        let mut read = Vec::new();
        for number in &numbers {
            let Some(rule) = rules.get(*number) else { continue };
            let hir = dialect::read(&rule.text, rule.any_case);
            read.push(hir.map_err(|reason| RuleError { rule: *number, reason })?);
        }
        let last = numbers.last().copied().unwrap_or_default();
        let dfa = automaton(&read).map_err(|reason| RuleError { rule: last, reason })?;
        let cache = dfa.create_cache();
        let states = States { cache, epoch: 0, bytes_max: STATES_BYTES_MAX };
        Ok(Self { dfa, rules: numbers, states: RefCell::new(states), bytes_max })
    }

    /// Begins a run that has read the text from `start` to this place.
    pub(super) fn begin(&self, runs: &mut Runs, place: Place<'_>, start: usize) {
        let mut states = self.states.borrow_mut();
        self.refresh(&mut states, runs, place);
        let state = self.state(&mut states.cache, place, start);
        if !state.is_dead() && place.at - start <= self.bytes_max {
            runs.all.push(Run { start, state });
        }
    }

    /// Takes the next character. Calls `found` with each match that ended before it. With
    /// `begins`, a new run begins at this place.
    pub(super) fn step(
        &self,
        runs: &mut Runs,
        place: Place<'_>,
        begins: bool,
        mut found: impl FnMut(Found),
    ) {
        let Some(character) = place.next else { return };
        let mut states = self.states.borrow_mut();
        self.refresh(&mut states, runs, place);
        if begins {
            let state = self.start(&mut states.cache, place.last());
            runs.all.push(Run { start: place.at, state });
        }
        let mut bytes = [0; 4];
        let (mut is_first, end) = (true, place.at + character.len_utf8());
        for byte in character.encode_utf8(&mut bytes).bytes() {
            let mut before = None;
            runs.all.retain_mut(|run| {
                run.state = self.next(&mut states.cache, run.state, byte);
                if is_first && run.state.is_match() {
                    self.matches(&states.cache, *run, place.at, &mut found);
                }
                let goes_on = !run.state.is_dead() && end - run.start <= self.bytes_max;
                let is_alike = before == Some(run.state);
                before = Some(run.state);
                goes_on && !is_alike
            });
            is_first = false;
        }
    }

    /// The text ends here. Calls `found` with each match that ends with it.
    pub(super) fn end(&self, runs: &mut Runs, place: Place<'_>, mut found: impl FnMut(Found)) {
        let mut states = self.states.borrow_mut();
        self.refresh(&mut states, runs, place);
        for run in runs.all.drain(..) {
            let last = self.dfa.next_eoi_state(&mut states.cache, run.state);
            if let Some(state) = last.ok().filter(LazyStateID::is_match) {
                self.matches(&states.cache, Run { state, ..run }, place.at, &mut found);
            }
        }
    }

    /// From here on the states count as too many, until they were thrown away.
    #[cfg(test)]
    pub(super) fn crowd(&self) {
        self.states.borrow_mut().bytes_max = 0;
    }

    fn matches(&self, cache: &Cache, run: Run, end: usize, found: &mut impl FnMut(Found)) {
        for index in 0..self.dfa.match_len(cache, run.state) {
            let pattern = self.dfa.match_pattern(cache, run.state, index).as_usize();
            if let Some(rule) = self.rules.get(pattern).copied() {
                found(Found { start: run.start, end, rule });
            }
        }
    }

    /// Throws the states away when there are too many, and finds those of the runs anew when they
    /// were thrown away.
    fn refresh(&self, states: &mut States, runs: &mut Runs, place: Place<'_>) {
        let is_full = states.cache.memory_usage() > states.bytes_max;
        if is_full {
            states.cache.reset(&self.dfa);
            states.epoch += 1;
        }
        if runs.epoch != states.epoch {
            runs.epoch = states.epoch;
            for run in &mut runs.all {
                run.state = self.state(&mut states.cache, place, run.start);
            }
        }
        if is_full {
            // What the runs need does not count, or every character would begin anew.
            states.bytes_max = STATES_BYTES_MAX + states.cache.memory_usage();
        }
    }

    /// The state after the text from `start` to this place.
    fn state(&self, cache: &mut Cache, place: Place<'_>, start: usize) -> LazyStateID {
        let first = self.start(cache, Place { at: start, ..place }.last());
        let read = place.text.get(start..place.at).unwrap_or_default();
        read.bytes().fold(first, |state, byte| self.next(cache, state, byte))
    }

    fn start(&self, cache: &mut Cache, before: Option<char>) -> LazyStateID {
        let mut bytes = [0; 4];
        let last = before.and_then(|it| it.encode_utf8(&mut bytes).bytes().last());
        let config = start::Config::new().anchored(Anchored::Yes).look_behind(last);
        self.dfa.start_state(cache, &config).unwrap_or_default()
    }

    /// The states' memory is bounded by `refresh`, not by the automaton, so there is always a next
    /// one.
    fn next(&self, cache: &mut Cache, state: LazyStateID, byte: u8) -> LazyStateID {
        self.dfa.next_state(cache, state, byte).unwrap_or(state)
    }
}

impl Place<'_> {
    fn last(&self) -> Option<char> {
        let left = self.text.get(..self.at).unwrap_or_default();
        left.chars().next_back().or(self.before)
    }
}

/// An expression that is built when its literal beginning has come.
pub(super) struct Later {
    rule: usize,
    built: OnceCell<Option<Expressions>>,
}

impl Later {
    pub(super) fn new(rule: usize) -> Self {
        Self { rule, built: OnceCell::new() }
    }

    /// Builds it. That never fails: what has a beginning is valid, and small.
    pub(super) fn get(&self, rules: &[Rule], bytes_max: usize) -> Option<&Expressions> {
        let build = || Expressions::new(rules, vec![self.rule], bytes_max).ok();
        self.built.get_or_init(build).as_ref()
    }

    /// What is built already.
    pub(super) fn built(&self) -> Option<&Expressions> {
        self.built.get().and_then(Option::as_ref)
    }
}

fn automaton(read: &[Hir]) -> Result<DFA, String> {
    let too_large = |error: &dyn std::fmt::Display| {
        format!("makes the expressions too large together ({error}): write shorter repetitions")
    };
    let config = thompson::Config::new()
        .which_captures(WhichCaptures::None)
        .nfa_size_limit(Some(NFA_BYTES_MAX));
    let nfa = thompson::Compiler::new()
        .configure(config)
        .build_many_from_hir(read)
        .map_err(|error| too_large(&error))?;
    let config = DFA::config()
        .match_kind(MatchKind::All)
        .cache_capacity(usize::MAX)
        .skip_cache_capacity_check(true);
    let dfa = DFA::builder().configure(config).build_from_nfa(nfa);
    dfa.map_err(|error| too_large(&error))
}

/// What the parsed expressions may take together.
const NFA_BYTES_MAX: usize = 4 << 20;
/// How much memory the states may take before they are made anew.
const STATES_BYTES_MAX: usize = 8 << 20;
