//! The marks that a text is searched for, place by place. Made once per reply, so only what every
//! reply needs is made at once: the ends of blocks are made where one begins.

use crate::families::{COMMON, Family, Tag};
use crate::harmony;
use patchbay_sdk::Patterns;

/// All marks.
pub(crate) struct Tags {
    /// Whether blocks count in the whole text.
    pub(super) anywhere: bool,
    /// What may stand before the answer: what opens a block, wrappers, what closes a block, and
    /// what Harmony begins with, in this order.
    pub(super) start: Patterns,
    /// What opens a block, and may stand in the answer.
    pub(super) opening: Patterns,
    pairs: Vec<Pair>,
    wrappers: &'static [(&'static str, &'static str)],
    channels: &'static [&'static str],
}

enum Pair {
    Known(&'static Tag),
    Own(String, String),
}

/// What a word before the answer means.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mark {
    /// It opens a block of this pair.
    Opening(usize),
    /// It closes a block that the prompt opened.
    Closing,
    /// It opens this wrapper.
    Wrapper(usize),
    /// The text is Harmony; its first token.
    Channels(&'static str),
}

impl Tags {
    /// The operator's or the client's own pairs; nothing else counts.
    pub(crate) fn own(pairs: Vec<(String, String)>, anywhere: bool) -> Self {
        let pairs = pairs.into_iter().map(|(open, close)| Pair::Own(open, close)).collect();
        Self::new(pairs, &[], &[], anywhere)
    }

    /// Those that a model's family has, beside the common ones and Harmony.
    pub(crate) fn of(family: Option<&Family>, anywhere: bool) -> Self {
        let (tags, wrappers) = family.map_or((&[][..], &[][..]), |it| (it.tags, it.wrappers));
        let pairs = COMMON.iter().chain(tags).map(Pair::Known).collect();
        Self::new(pairs, wrappers, &harmony::OPENINGS, anywhere)
    }

    fn new(
        pairs: Vec<Pair>,
        wrappers: &'static [(&'static str, &'static str)],
        channels: &'static [&'static str],
        anywhere: bool,
    ) -> Self {
        let opening = || pairs.iter().map(Pair::open);
        let wrapping = wrappers.iter().map(|(open, _)| *open);
        let closing = pairs.iter().flat_map(Pair::closes);
        let start = opening().chain(wrapping).chain(closing).chain(channels.iter().copied());
        let (start, in_answer) = (Patterns::new(start), opening().filter(|_| anywhere));
        let opening = Patterns::new(in_answer);
        Self { anywhere, start, opening, pairs, wrappers, channels }
    }

    /// What the word of `start` with this index means.
    pub(super) fn mark(&self, index: usize) -> Mark {
        if index < self.pairs.len() {
            return Mark::Opening(index);
        }
        let index = index.saturating_sub(self.pairs.len());
        if index < self.wrappers.len() {
            return Mark::Wrapper(index);
        }
        let index = index.saturating_sub(self.wrappers.len());
        let closing = self.pairs.iter().flat_map(Pair::closes).count();
        let token = index.checked_sub(closing).and_then(|index| self.channels.get(index));
        token.map_or(Mark::Closing, |token| Mark::Channels(token))
    }

    /// What closes a block of this pair.
    pub(super) fn block_end(&self, pair: usize) -> Patterns {
        Patterns::new(self.pairs.get(pair).into_iter().flat_map(Pair::closes))
    }

    /// What closes a wrapper, with the line break before it or without.
    pub(super) fn wrapper_ends(&self, wrapper: usize) -> [String; 2] {
        let (_, close) = self.wrappers.get(wrapper).copied().unwrap_or_default();
        [format!("\n{close}"), close.to_owned()]
    }

    /// What opens a wrapper.
    pub(super) fn wrapper(&self, wrapper: usize) -> &'static str {
        self.wrappers.get(wrapper).map_or("", |(open, _)| open)
    }

    /// The first pair, for a model that is asked to use one.
    pub(crate) fn first(&self) -> (&str, &str) {
        let pair = self.pairs.first();
        let close = pair.and_then(|pair| pair.closes().next());
        (pair.map(Pair::open).unwrap_or_default(), close.unwrap_or_default())
    }
}

impl Pair {
    fn open(&self) -> &str {
        match self {
            Self::Known((open, _)) => open,
            Self::Own(open, _) => open,
        }
    }

    fn closes(&self) -> impl Iterator<Item = &str> {
        let (known, own) = match self {
            Self::Known((_, closes)) => (*closes, None),
            Self::Own(_, close) => (&[][..], Some(close.as_str())),
        };
        known.iter().copied().chain(own)
    }
}
