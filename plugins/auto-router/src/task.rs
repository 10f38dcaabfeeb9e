//! Which task a request is: a sum of signals that anybody can read, no model. Words in what the user
//! said last (more at its beginning and end, where people say what they want), what the text looks
//! like, and what else the request has. The task with the highest sum wins; below a threshold it is
//! chat.

mod cues;
#[cfg(test)]
mod tests;

use crate::needs::{Format, Needs};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Task {
    Coding,
    Math,
    Reasoning,
    Translation,
    Summarization,
    Extraction,
    Vision,
    ToolUse,
    LongContext,
    Writing,
    Roleplay,
    Question,
    Chat,
}

impl Task {
    /// All of them. Of two with the same sum, the earlier one wins.
    pub(crate) const ALL: [Self; 13] = [
        Self::Coding,
        Self::Math,
        Self::Reasoning,
        Self::Translation,
        Self::Summarization,
        Self::Extraction,
        Self::Vision,
        Self::ToolUse,
        Self::LongContext,
        Self::Writing,
        Self::Roleplay,
        Self::Question,
        Self::Chat,
    ];

    /// Its name in options and metadata.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Coding => "coding",
            Self::Math => "math",
            Self::Reasoning => "reasoning",
            Self::Translation => "translation",
            Self::Summarization => "summarization",
            Self::Extraction => "extraction",
            Self::Vision => "vision",
            Self::ToolUse => "tool_use",
            Self::LongContext => "long_context",
            Self::Writing => "writing",
            Self::Roleplay => "roleplay",
            Self::Question => "question",
            Self::Chat => "chat",
        }
    }

    /// How many tokens are read for how many that are written, typically; thinking is written.
    pub(crate) fn shape(self) -> (u32, u32) {
        match self {
            Self::Coding => (3, 1),
            Self::Math | Self::Reasoning | Self::Writing => (1, 3),
            Self::Translation | Self::Chat | Self::Roleplay | Self::Question => (1, 1),
            Self::Summarization | Self::Extraction | Self::Vision => (8, 1),
            Self::ToolUse => (10, 1),
            Self::LongContext => (40, 1),
        }
    }

    /// Whether thinking helps.
    pub(crate) fn is_hard(self) -> bool {
        matches!(self, Self::Coding | Self::Math | Self::Reasoning | Self::ToolUse)
    }

    /// What the names of models made for it have in them.
    pub(crate) fn marks(self) -> &'static [&'static str] {
        match self {
            Self::Coding => &["coder", "codex", "-code", "code-", "codestral", "devstral"],
            Self::Math => &["math"],
            Self::Vision => &["-vl", "vision", "pixtral"],
            Self::Translation => &["translate", "tower"],
            Self::Reasoning => &["thinking", "reasoner"],
            _ => &[],
        }
    }
}

/// What the task is judged by.
pub(crate) struct Clues<'a> {
    /// What the user said last.
    pub(crate) text: &'a str,
    /// What the first system message says.
    pub(crate) system: &'a str,
    pub(crate) needs: &'a Needs,
    /// Whether tools answered in this conversation before.
    pub(crate) has_results: bool,
}

/// A task, and why.
#[derive(Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) task: Task,
    /// What spoke for it most, at most five: `word: function`.
    pub(crate) signals: Vec<String>,
}

struct Signal {
    task: Task,
    points: u32,
    why: String,
}

/// The task of a request.
pub(crate) fn classify(clues: &Clues<'_>) -> Verdict {
    let mut signals = Vec::new();
    words(clues.text, 2, &mut signals);
    words(clues.system, 1, &mut signals);
    looks(clues.text, &mut signals);
    features(clues, &mut signals);
    let points = |task: Task| {
        let own = signals.iter().filter(|signal| signal.task == task);
        own.map(|signal| signal.points).sum::<u32>()
    };
    // The last of equals is what `max_by_key` gives, so the order is turned round.
    let best = Task::ALL.into_iter().rev().max_by_key(|task| points(*task));
    let Some(task) = best.filter(|task| points(*task) >= POINTS_MIN) else {
        return Verdict { task: Task::Chat, signals: Vec::new() };
    };
    let mut own: Vec<Signal> = signals.into_iter().filter(|signal| signal.task == task).collect();
    own.sort_by_key(|signal| std::cmp::Reverse(signal.points));
    own.truncate(SIGNALS_SHOWN_MAX);
    Verdict { task, signals: own.into_iter().map(|signal| signal.why).collect() }
}

/// Words that stand for a task, twice as heavy at a text's ends as in its middle.
fn words(text: &str, weight: u32, signals: &mut Vec<Signal>) {
    let head_end = text.floor_char_boundary(EDGE_BYTES);
    let tail_begin = text.ceil_char_boundary(text.len().saturating_sub(EDGE_BYTES)).max(head_end);
    let body_end = text.floor_char_boundary(BODY_BYTES_MAX).clamp(head_end, tail_begin);
    let piece = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let edges = format!("{} {}", piece(0, head_end), piece(tail_begin, text.len()));
    let edges = Words::of(&edges);
    let body = Words::of(piece(head_end, body_end));
    for (task, points, cues) in cues::CUES {
        for cue in cues.split(',').map(str::trim) {
            let times = match () {
                () if edges.have(cue) => 2,
                () if body.have(cue) => 1,
                () => continue,
            };
            let points = points.saturating_mul(times).saturating_mul(weight);
            signals.push(Signal { task: *task, points, why: format!("word: {cue}") });
        }
    }
}

/// A text's words.
struct Words {
    /// In small letters, one space around each.
    text: String,
    /// Where no spaces stand between words, they are looked for in the text.
    set: HashSet<String>,
}

impl Words {
    fn of(text: &str) -> Self {
        let lower = text.to_lowercase();
        let words = lower.split(|it: char| !it.is_alphanumeric() && it != '+' && it != '#');
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        let set = words.iter().map(|word| (*word).to_owned()).collect();
        Self { text: format!(" {} ", words.join(" ")), set }
    }

    fn have(&self, cue: &str) -> bool {
        if cue.chars().any(is_unspaced) {
            return self.text.contains(cue);
        }
        match cue.split_once(' ') {
            Some((first, _)) => self.set.contains(first) && self.text.contains(&format!(" {cue} ")),
            None => self.set.contains(cue),
        }
    }
}

/// Whether it is of a script that sets no spaces between words: Chinese, Japanese.
fn is_unspaced(letter: char) -> bool {
    matches!(letter, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}')
}

/// What the text looks like.
fn looks(text: &str, signals: &mut Vec<Signal>) {
    let text = text.get(..text.floor_char_boundary(BODY_BYTES_MAX)).unwrap_or_default();
    let mut add = |task: Task, points: u32, why: &str| {
        signals.push(Signal { task, points, why: why.to_owned() });
    };
    if text.contains("```") {
        add(Task::Coding, 6, "a code block");
    }
    if text.lines().filter(|line| is_code(line)).count() >= 3 {
        add(Task::Coding, 8, "lines of code");
    }
    if ["Traceback (most recent", "panicked at", "Exception in thread", "error[E"]
        .iter()
        .any(|mark| text.contains(mark))
    {
        add(Task::Coding, 10, "an error's trace");
    }
    let formulas = ["\\frac", "\\int", "\\sum", "\\sqrt", "$$", "∫", "∑", "√", "\\(", "\\mathbb"];
    if formulas.iter().any(|mark| text.contains(mark)) {
        add(Task::Math, 8, "a formula");
    }
    let sums = text.as_bytes().windows(3).filter(|window| is_sum(window)).count();
    if sums >= 2 && text.len() < 2000 || sums >= 1 && text.len() < 200 {
        add(Task::Math, 8, "an equation");
    }
}

/// Whether a line looks like code: it ends as statements do, or begins as definitions do.
fn is_code(line: &str) -> bool {
    let line = line.trim();
    let begins = ["def ", "fn ", "import ", "#include", "func ", "const ", "let ", "public ", "</"];
    let ends = [";", "{", "}", "):", "=> {", "/>"];
    begins.iter().any(|it| line.starts_with(it)) || ends.iter().any(|it| line.ends_with(it))
}

/// `3+4`, `x^2`, `2*y`
fn is_sum(window: &[u8]) -> bool {
    let [before, sign, after] = window else { return false };
    let is_term = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'x'..=b'z' | b' ' | b'n');
    matches!(sign, b'+' | b'*' | b'^' | b'=' | b'/')
        && is_term(before)
        && is_term(after)
        && (before.is_ascii_digit() || after.is_ascii_digit() || *sign == b'=' && *before != *after)
}

/// What the request has beside the text.
fn features(clues: &Clues<'_>, signals: &mut Vec<Signal>) {
    let needs = clues.needs;
    let mut add = |is: bool, task: Task, points: u32, why: &str| {
        if is {
            signals.push(Signal { task, points, why: why.to_owned() });
        }
    };
    let sees = needs.inputs.iter().any(|input| matches!(*input, "image" | "video"));
    add(sees, Task::Vision, 9, "an image");
    add(needs.tools, Task::ToolUse, 7, "tools");
    add(clues.has_results, Task::ToolUse, 6, "results of tools");
    add(needs.format == Format::Schema, Task::Extraction, 5, "a schema for the reply");
    add(needs.format == Format::Json, Task::Extraction, 3, "a JSON reply");
    add(needs.reasoning, Task::Reasoning, 3, "reasoning is asked for");
    add(needs.prompt > LONG_TOKENS, Task::LongContext, 12, "a long prompt");
    let asks = clues.text.trim_end().ends_with(['?', '？']);
    add(asks && clues.text.len() < 600, Task::Question, 2, "a question");
}

/// Less than this is chat.
const POINTS_MIN: u32 = 3;
const SIGNALS_SHOWN_MAX: usize = 5;
/// How much of a text's beginning and end counts double.
const EDGE_BYTES: usize = 300;
/// How much of a text is looked at, beside its end.
const BODY_BYTES_MAX: usize = 6000;
/// Prompts that are longer are a task of their own, whatever they are about.
const LONG_TOKENS: u64 = 100_000;
