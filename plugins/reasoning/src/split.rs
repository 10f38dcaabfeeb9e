//! One choice's text, split into thoughts, answer and calls, whichever way the model marks them.

use crate::blocks::{Blocks, Tags};
use crate::harmony::Harmony;
use std::rc::Rc;

/// A piece that no later text changes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    Thought(String),
    Answer(String),
    /// A call of the function of that name begins.
    Call(String),
    /// More of the call's arguments.
    Arguments(String),
}

/// The splitter. Text goes in by `push`; settled pieces come out of `take`.
pub(crate) struct Splitter {
    form: Form,
    functions: Rc<[String]>,
}

enum Form {
    Blocks(Box<Blocks>),
    Harmony(Box<Harmony>),
}

impl Splitter {
    /// By tags; the text may turn out to be Harmony where the tags say so.
    pub(crate) fn new(tags: Rc<Tags>, opened: bool, functions: Rc<[String]>) -> Self {
        Self { form: Form::Blocks(Box::new(Blocks::new(tags, opened))), functions }
    }

    /// Harmony, inside a thought.
    pub(crate) fn harmony_opened(functions: Rc<[String]>) -> Self {
        Self { form: Form::Harmony(Box::new(Harmony::opened(Rc::clone(&functions)))), functions }
    }

    /// Whether nothing is held.
    pub(crate) fn is_empty(&self) -> bool {
        match &self.form {
            Form::Blocks(blocks) => blocks.is_empty(),
            Form::Harmony(harmony) => harmony.is_empty(),
        }
    }

    /// Whether `text` is answer as it stands. Allocates nothing.
    pub(crate) fn passes(&mut self, text: &str) -> bool {
        match &mut self.form {
            Form::Blocks(blocks) => blocks.passes(text),
            Form::Harmony(harmony) => harmony.passes(text),
        }
    }

    /// More text.
    pub(crate) fn push(&mut self, text: &str) {
        match &mut self.form {
            Form::Blocks(blocks) => blocks.push(text),
            Form::Harmony(harmony) => harmony.push(text),
        }
    }

    /// The text ends here, or is interrupted: what is held is settled.
    pub(crate) fn end(&mut self) {
        match &mut self.form {
            Form::Blocks(blocks) => blocks.end(),
            Form::Harmony(harmony) => harmony.end(),
        }
    }

    /// The next settled piece, or `None` until more text comes.
    pub(crate) fn take(&mut self) -> Option<Settled> {
        if let Form::Blocks(blocks) = &mut self.form {
            let settled = blocks.take();
            let rest = blocks.take_channels();
            match rest {
                Some((rest, is_ended)) => {
                    let mut harmony = Harmony::new(Rc::clone(&self.functions));
                    harmony.push(&rest);
                    if is_ended {
                        harmony.end();
                    }
                    self.form = Form::Harmony(Box::new(harmony));
                }
                None => return settled,
            }
        }
        match &mut self.form {
            Form::Harmony(harmony) => harmony.take(),
            Form::Blocks(_) => None,
        }
    }
}
