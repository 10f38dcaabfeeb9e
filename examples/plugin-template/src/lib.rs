//! A plugin to copy: replaces words in the answer, wherever the stream was cut. From the option
//! `replace: {"from": "to"}`.

use patchbay_sdk::{
    Delta, Description, Edit, Editor, Error, Generation, Kind, Patterns, Piece, Plugin, Stream,
    Window,
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Made anew for each generation, by `new`. What its hooks share is kept here.
pub struct Template {
    options: Options,
}

#[derive(Deserialize)]
struct Options {
    #[serde(default)]
    replace: BTreeMap<String, String>,
}

impl Plugin for Template {
    fn describe() -> Description {
        Description::new("template", env!("CARGO_PKG_VERSION"), Kind::Transform)
            .summary("Replaces words in the answer.")
            .options(include_str!("options.json"))
    }

    fn new(generation: &Generation) -> Result<Self, Error> {
        Ok(Self { options: generation.options()? })
    }

    fn stream(&mut self, _: &Generation, choice: u16) -> Result<Box<dyn Stream>, Error> {
        let patterns = Patterns::new(self.options.replace.keys());
        let words = self.options.replace.values().cloned().collect();
        Ok(Box::new(Edit(Choice { choice, patterns, words, window: Window::default() })))
    }
}

/// One choice's text. The window keeps what may be the beginning of a word.
struct Choice {
    choice: u16,
    patterns: Patterns,
    words: Vec<String>,
    window: Window,
}

impl Editor for Choice {
    fn passes(&mut self, text: &str) -> bool {
        self.window.passes(text, &self.patterns)
    }

    fn holds(&self) -> bool {
        !self.window.is_empty()
    }

    fn edit(&mut self, text: &str, is_end: bool, out: &mut Vec<Delta>) {
        self.window.push(text);
        if is_end {
            self.window.end();
        }
        while let Some(piece) = self.window.take(&self.patterns) {
            let text = match piece {
                Piece::Text(text) => text,
                Piece::Match(index) => self.words.get(index).cloned().unwrap_or_default(),
            };
            out.push(Delta::text(self.choice, text));
        }
    }
}

patchbay_sdk::export!(Template: stream);
patchbay_sdk::cases!["cases/split.json", "cases/tools.json", "cases/untouched.json"];

#[cfg(test)]
mod tests {
    use super::{CASES, Template};
    use patchbay_sdk::testing::{Failures, check};

    #[test]
    fn every_case_holds_however_the_reply_is_cut() -> Result<(), Failures> {
        check::<Template>(env!("CARGO_MANIFEST_DIR"), CASES)
    }
}
