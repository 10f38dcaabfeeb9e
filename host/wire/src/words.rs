//! A dialect's words for why a reply ended.

use crate::chunk::FinishReason;

/// Every word with its canonical meaning. The first of a meaning is written for it, and the first of
/// all for a meaning that has none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words(pub(crate) &'static [(&'static str, FinishReason)]);

impl Words {
    /// What a word means; one that is not known ends the reply like any other end.
    pub(crate) fn read(self, word: &str) -> FinishReason {
        let row = self.0.iter().find(|(known, _)| *known == word);
        row.map_or(FinishReason::Stop, |(_, reason)| *reason)
    }

    /// The word to write: the upstream's own where it is one of this dialect and still true.
    pub(crate) fn write(self, reason: FinishReason, native: Option<&str>) -> &'static str {
        let rows = || self.0.iter().filter(|(_, known)| *known == reason).map(|(word, _)| *word);
        let own = native.and_then(|native| rows().find(|word| *word == native));
        own.or_else(|| rows().next()).or(self.0.first().map(|(word, _)| *word)).unwrap_or_default()
    }

    /// The word for a reply's end; one that never ended ends like a good one.
    pub(crate) fn end(
        self,
        finish: Option<&(FinishReason, Option<String>)>,
        has_calls: bool,
    ) -> &'static str {
        match finish {
            Some((reason, native)) => self.write(*reason, native.as_deref()),
            None if has_calls => self.write(FinishReason::ToolCalls, None),
            None => self.write(FinishReason::Stop, None),
        }
    }
}
