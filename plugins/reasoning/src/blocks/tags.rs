//! The marks that a text is searched for, place by place.

use crate::families::{COMMON, Family};
use crate::harmony;
use patchbay_sdk::Patterns;

/// All marks.
pub(crate) struct Tags {
    /// Whether blocks count in the whole text.
    pub(super) anywhere: bool,
    /// What may stand before the answer.
    pub(super) start: Words,
    /// What each word of `start` is.
    marks: Vec<Mark>,
    /// What opens a block; its index is the pair's.
    pub(super) opening: Words,
    block_ends: Vec<Words>,
    wrapper_ends: Vec<Words>,
}

/// What a word before the answer means.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mark {
    Opening(usize),
    Closing,
    Wrapper(usize),
    /// The text is Harmony; its first token.
    Channels(&'static str),
}

/// Patterns whose words are at hand.
pub(crate) struct Words {
    words: Vec<String>,
    patterns: Patterns,
}

impl Tags {
    /// The operator's or the client's own pairs; nothing else counts.
    pub(crate) fn own(pairs: Vec<(String, String)>, anywhere: bool) -> Self {
        let pairs = pairs.into_iter().map(|(open, close)| (open, vec![close])).collect();
        Self::new(pairs, &[], anywhere, &[])
    }

    /// Those that a model's family has, beside the common ones and Harmony.
    pub(crate) fn of(family: Option<&Family>, anywhere: bool) -> Self {
        let (tags, wrappers) = family.map_or((&[][..], &[][..]), |it| (it.tags, it.wrappers));
        let pair = |(open, close): &(&str, &[&str])| {
            ((*open).to_owned(), close.iter().map(|word| (*word).to_owned()).collect())
        };
        let pairs = COMMON.iter().chain(tags).map(pair).collect();
        Self::new(pairs, wrappers, anywhere, &harmony::OPENINGS)
    }

    fn new(
        pairs: Vec<(String, Vec<String>)>,
        wrappers: &[(&str, &str)],
        anywhere: bool,
        channels: &[&'static str],
    ) -> Self {
        let (opening, closing): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let mut marks: Vec<(String, Mark)> = Vec::new();
        let openings = opening.iter().enumerate();
        marks.extend(openings.map(|(pair, word)| (word.clone(), Mark::Opening(pair))));
        let wrappings = wrappers.iter().enumerate();
        marks.extend(wrappings.map(|(at, (word, _))| ((*word).to_owned(), Mark::Wrapper(at))));
        marks.extend(closing.iter().flatten().map(|word| (word.clone(), Mark::Closing)));
        marks.extend(channels.iter().map(|token| ((*token).to_owned(), Mark::Channels(token))));
        let (words, marks): (Vec<_>, Vec<_>) = marks.into_iter().unzip();
        let ends =
            wrappers.iter().map(|(_, end)| Words::new(vec![format!("\n{end}"), (*end).into()]));
        Self {
            anywhere,
            start: Words::new(words),
            marks,
            opening: Words::new(opening),
            block_ends: closing.into_iter().map(Words::new).collect(),
            wrapper_ends: ends.collect(),
        }
    }

    pub(super) fn mark(&self, index: usize) -> Mark {
        self.marks.get(index).copied().unwrap_or(Mark::Closing)
    }

    /// Whether a mark is a token of the model's own, which no text has by chance.
    pub(super) fn is_token(&self, index: usize) -> bool {
        self.start.word(index).is_some_and(|word| word.starts_with("<|"))
    }

    pub(super) fn block_end(&self, pair: usize) -> &Words {
        self.block_ends.get(pair).unwrap_or(&self.opening)
    }

    pub(super) fn wrapper_end(&self, wrapper: usize) -> &Words {
        self.wrapper_ends.get(wrapper).unwrap_or(&self.opening)
    }

    /// The first pair, for a model that is asked to use one.
    pub(crate) fn first(&self) -> (&str, &str) {
        let close = self.block_ends.first().and_then(|words| words.word(0));
        (self.opening.word(0).unwrap_or_default(), close.unwrap_or_default())
    }
}

impl Words {
    fn new(words: Vec<String>) -> Self {
        Self { patterns: Patterns::new(words.clone()), words }
    }

    pub(super) fn word(&self, index: usize) -> Option<&str> {
        self.words.get(index).map(String::as_str)
    }
}

impl std::ops::Deref for Words {
    type Target = Patterns;

    fn deref(&self) -> &Patterns {
        &self.patterns
    }
}
