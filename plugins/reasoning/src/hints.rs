//! Effort in words: what a request says of reasoning, told to a model that has no parameter for it.

use crate::families::Hint;
use patchbay_sdk::{Content, Effort, Message, Request, Role, Thinking};
use serde::Deserialize;

/// How much the client wants the model to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    Off,
    On(Level),
}

/// As most models know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Low,
    Medium,
    High,
}

/// Words of the operator's own, instead of the family's.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct OwnHint {
    /// `{effort}` in it becomes `low`, `medium` or `high`.
    on: String,
    #[serde(default)]
    off: String,
    #[serde(default)]
    place: Place,
}

/// Where a hint stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    /// At the beginning of the system prompt.
    #[default]
    System,
    /// Before the text of the user's last message.
    UserStart,
    /// After it.
    UserEnd,
}

/// What to write where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) text: String,
    pub(crate) place: Place,
    /// A text that has one of these says it already.
    known: Vec<String>,
}

impl Wish {
    /// What the request says, if it says anything.
    pub(crate) fn of(thinking: &Thinking) -> Option<Self> {
        let is_off = thinking.enabled == Some(false)
            || thinking.effort == Some(Effort::None)
            || thinking.max_tokens == Some(0);
        if is_off {
            return Some(Self::Off);
        }
        let level = match thinking.effort {
            Some(Effort::Minimal | Effort::Low) => Level::Low,
            Some(Effort::High | Effort::Xhigh | Effort::Max) => Level::High,
            Some(Effort::Medium | Effort::None) => Level::Medium,
            None if thinking.enabled == Some(true) || thinking.max_tokens.is_some() => {
                Level::Medium
            }
            None => return None,
        };
        Some(Self::On(level))
    }
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl Words {
    /// A family's words for a wish; none where it has none. `tags` are what the model is asked to
    /// write its thoughts between, if it must be asked.
    pub(crate) fn of(hint: Hint, wish: Wish, tags: (&str, &str)) -> Option<Self> {
        let switch = |place, on: &str, off: &str| {
            let text = if wish == Wish::Off { off } else { on };
            let known = [on, off].into_iter().filter(|word| !word.is_empty());
            Self { text: text.to_owned(), place, known: known.map(str::to_owned).collect() }
        };
        let words = match (hint, wish) {
            (Hint::None, _) | (Hint::Ask, Wish::Off) => return None,
            (Hint::System(on, off), _) => switch(Place::System, on, off),
            (Hint::UserEnd(on, off), _) => switch(Place::UserEnd, on, off),
            (Hint::UserStart(on, off), _) => switch(Place::UserStart, on, off),
            (Hint::Level, Wish::On(level)) => Self::level(level),
            // It always thinks; this is the least.
            (Hint::Level, Wish::Off) => Self::level(Level::Low),
            (Hint::Ask, Wish::On(level)) => Self::asking(level, tags),
        };
        Some(words).filter(|words| !words.text.is_empty())
    }

    /// The operator's words for a wish; none where they are empty.
    pub(crate) fn own(hint: &OwnHint, wish: Wish) -> Option<Self> {
        let text = match wish {
            Wish::Off => hint.off.clone(),
            Wish::On(level) => hint.on.replace("{effort}", level.name()),
        };
        let words = Self { known: vec![text.clone()], text, place: hint.place };
        Some(words).filter(|words| !words.text.is_empty())
    }

    fn level(level: Level) -> Self {
        let text = format!("Reasoning: {}", level.name());
        Self { text, place: Place::System, known: vec!["Reasoning: ".to_owned()] }
    }

    fn asking(level: Level, (open, close): (&str, &str)) -> Self {
        let how = match level {
            Level::Low => "briefly",
            Level::Medium => "step by step",
            Level::High => "thoroughly, step by step, and check the result",
        };
        let text = format!(
            "Before you answer, think about it {how}. Write these thoughts between {open} and \
             {close}, and the answer after them."
        );
        Self { text, place: Place::System, known: vec![open.to_owned()] }
    }

    /// Writes them into the request, unless something like them stands there. Says whether it did.
    pub(crate) fn write(&self, request: &mut Request) -> bool {
        if self.place == Place::System {
            return self.write_system(request);
        }
        let mut messages = request.messages.iter_mut().rev();
        let message = messages.find(|message| message.role == Role::User);
        let Some(text) = message.and_then(|message| texts(message).last()) else { return false };
        if self.stands_in(text) {
            return false;
        }
        *text = match self.place {
            Place::UserStart => format!("{} {text}", self.text),
            Place::UserEnd | Place::System => format!("{text} {}", self.text),
        };
        true
    }

    fn write_system(&self, request: &mut Request) -> bool {
        let mut systems = request.messages.iter_mut().filter(|message| is_system(message.role));
        match systems.find_map(|message| texts(message).next()) {
            Some(text) if self.stands_in(text) => return false,
            Some(text) => *text = format!("{}\n\n{text}", self.text),
            None => request.messages.insert(0, Message::system(self.text.clone())),
        }
        true
    }

    fn stands_in(&self, text: &str) -> bool {
        self.known.iter().any(|word| text.contains(word.as_str()))
    }
}

fn is_system(role: Role) -> bool {
    matches!(role, Role::System | Role::Developer)
}

fn texts(message: &mut Message) -> impl DoubleEndedIterator<Item = &mut String> {
    message.parts.iter_mut().filter_map(|part| match &mut part.content {
        Content::Text(text) => Some(text),
        _ => None,
    })
}
