//! All that one choice's client can read, looked through for words.

use patchbay_sdk::{
    Delta, Patterns, Piece, ReasoningDelta, ReasoningDetail, TextDelta, ToolCallDelta, Window,
};

/// What stands in a word's place.
pub(crate) const MASK: &str = "***";

/// The windows of a choice.
pub(crate) struct Watched {
    choice: u16,
    patterns: Patterns,
    windows: Vec<(Field, Window)>,
}

/// What a client joins into one text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Text,
    Reasoning,
    Refusal,
    /// The arguments of the call with this index.
    Call(u16),
}

/// Whether there was a word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    Word,
}

impl Found {
    /// Either.
    pub(crate) fn or(self, other: Self) -> Self {
        if self == Self::Word { self } else { other }
    }
}

impl Watched {
    /// Nothing has come yet.
    pub(crate) fn new(choice: u16, patterns: Patterns) -> Self {
        Self { choice, patterns, windows: Vec::new() }
    }

    /// Whether something is kept back.
    pub(crate) fn holds(&self) -> bool {
        self.windows.iter().any(|(_, window)| !window.is_empty())
    }

    /// Whether a batch may go on as it is.
    pub(crate) fn passes(&self, batch: &[Delta]) -> bool {
        let clean = |text: &str| Window::default().passes(text, &self.patterns);
        !self.holds()
            && batch.iter().all(|delta| match delta {
                Delta::Text(it) | Delta::Refusal(it) => clean(&it.text),
                Delta::Reasoning(it) => clean(&it.text),
                Delta::ToolCall(it) => clean(&it.arguments) && it.name.as_deref().is_none_or(clean),
                Delta::Annotation(it) | Delta::Image(it) | Delta::Audio(it) => clean(&it.json),
                Delta::Other(it) => clean(&it.json),
                Delta::Role(_) | Delta::Finish(_) | Delta::Usage(_) => true,
            })
    }

    /// Takes a delta; what is settled of it is added to `out`.
    pub(crate) fn take(&mut self, delta: Delta, out: &mut Vec<Delta>) -> Found {
        match delta {
            Delta::Text(it) => self.settle(Field::Text, &it.text, None, out),
            Delta::Refusal(it) => self.settle(Field::Refusal, &it.text, None, out),
            Delta::Reasoning(it) => self.settle(Field::Reasoning, &it.text, it.detail, out),
            Delta::ToolCall(it) => self.take_call(it, out),
            Delta::Annotation(ref it) | Delta::Image(ref it) | Delta::Audio(ref it) => {
                self.whole(&it.json.clone(), delta, out)
            }
            Delta::Other(ref it) => self.whole(&it.json.clone(), delta, out),
            Delta::Finish(_) => {
                let found = self.end(out);
                out.push(delta);
                found
            }
            Delta::Role(_) | Delta::Usage(_) => {
                out.push(delta);
                Found::Nothing
            }
        }
    }

    /// No more comes: what may have been the beginning of a word was none.
    pub(crate) fn end(&mut self, out: &mut Vec<Delta>) -> Found {
        let mut found = Found::Nothing;
        for (field, mut window) in std::mem::take(&mut self.windows) {
            window.end();
            let (text, own) = settled(&mut window, &self.patterns);
            found = found.or(own);
            if !text.is_empty() {
                out.push(self.delta(field, text, None));
            }
        }
        found
    }

    /// Id and name go on at once; the arguments are looked through.
    fn take_call(&mut self, it: ToolCallDelta, out: &mut Vec<Delta>) -> Found {
        let (arguments, found) = self.push(Field::Call(it.index), &it.arguments);
        let name = it.name.map(|name| {
            let mut window = Window::default();
            window.push(&name);
            window.end();
            settled(&mut window, &self.patterns)
        });
        let named = name.as_ref().map_or(Found::Nothing, |(_, found)| *found);
        let name = name.map(|(name, _)| name);
        if it.id.is_some() || name.is_some() || !arguments.is_empty() {
            out.push(Delta::ToolCall(ToolCallDelta { name, arguments, ..it }));
        }
        found.or(named)
    }

    fn settle(
        &mut self,
        field: Field,
        text: &str,
        detail: Option<ReasoningDetail>,
        out: &mut Vec<Delta>,
    ) -> Found {
        let (text, found) = self.push(field, text);
        if !text.is_empty() || detail.is_some() {
            out.push(self.delta(field, text, detail));
        }
        found
    }

    fn push(&mut self, field: Field, text: &str) -> (String, Found) {
        let known = self.windows.iter_mut().find(|(known, _)| *known == field);
        if let Some((_, window)) = known {
            window.push(text);
            return settled(window, &self.patterns);
        }
        let mut window = Window::default();
        window.push(text);
        let result = settled(&mut window, &self.patterns);
        self.windows.push((field, window));
        result
    }

    /// What comes whole is looked at whole, and is left out if there is a word in it.
    fn whole(&self, json: &str, delta: Delta, out: &mut Vec<Delta>) -> Found {
        let mut window = Window::default();
        window.push(json);
        window.end();
        let (_, found) = settled(&mut window, &self.patterns);
        if found == Found::Nothing {
            out.push(delta);
        }
        found
    }

    fn delta(&self, field: Field, text: String, detail: Option<ReasoningDetail>) -> Delta {
        let choice = self.choice;
        match field {
            Field::Text => Delta::Text(TextDelta { choice, text }),
            Field::Refusal => Delta::Refusal(TextDelta { choice, text }),
            Field::Reasoning => Delta::Reasoning(ReasoningDelta { choice, text, detail }),
            Field::Call(index) => {
                let (id, name) = (None, None);
                Delta::ToolCall(ToolCallDelta { choice, index, id, name, arguments: text })
            }
        }
    }
}

/// What a window lets go, with the words masked.
fn settled(window: &mut Window, patterns: &Patterns) -> (String, Found) {
    let (mut text, mut found) = (String::new(), Found::Nothing);
    while let Some(piece) = window.take(patterns) {
        match piece {
            Piece::Text(piece) => text.push_str(&piece),
            Piece::Match(_) => {
                found = Found::Word;
                text.push_str(MASK);
            }
        }
    }
    (text, found)
}
