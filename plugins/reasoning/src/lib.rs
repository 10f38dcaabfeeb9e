//! Models that write their thoughts into the answer, between tags, and clients that want them
//! apart: turns `<think>…</think>` in the text into reasoning deltas.
//!
//! A block counts only where the answer begins, before any other visible text; several may follow
//! each other there. With `anywhere` it counts everywhere. With `opened` the reply begins inside
//! the first pair's block, for models whose prompt template ends on the opening tag.
//!
//! White space: what stands before a block at the answer's start is dropped, as are line breaks
//! right after an opening tag, and those between such a block and the answer. Spaces stay, since
//! they may indent code. A block that never closes stays reasoning to the end.
//!
//! `reasoning.exclude` in the request drops all thoughts, those that the upstream sends apart too.

mod blocks;

use blocks::{Blocks, Settled, Tags};
use patchbay_sdk::{
    Decision, Delta, Description, Edit, Editor, Error, Generation, Kind, Plugin, Request, Stream,
};
use serde::Deserialize;

/// The plugin, for one generation.
pub struct Reasoning {
    options: Options,
    exclude: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
struct Options {
    tags: Vec<(String, String)>,
    anywhere: bool,
    opened: bool,
}

impl Default for Options {
    fn default() -> Self {
        let tag = |name: &str| (format!("<{name}>"), format!("</{name}>"));
        Self {
            tags: ["think", "thinking", "reasoning"].map(tag).to_vec(),
            anywhere: false,
            opened: false,
        }
    }
}

impl Plugin for Reasoning {
    fn describe() -> Description {
        Description::new("reasoning", env!("CARGO_PKG_VERSION"), Kind::Transform)
            .summary("Turns <think> blocks in the text into reasoning.")
            .options(OPTIONS)
    }

    fn new(generation: &Generation) -> Result<Self, Error> {
        Ok(Self { options: generation.options()?, exclude: false })
    }

    fn on_request(&mut self, _: &Generation, request: Request) -> Result<Decision, Error> {
        self.exclude = request.reasoning.is_some_and(|thinking| thinking.exclude);
        Ok(Decision::Pass)
    }

    fn stream(&mut self, _: &Generation, choice: u16) -> Result<Box<dyn Stream>, Error> {
        let options = self.options.clone();
        let blocks = Blocks::new(Tags::new(options.tags), options.anywhere, options.opened);
        Ok(Box::new(Edit(Choice { choice, exclude: self.exclude, blocks })))
    }
}

/// One choice's text.
struct Choice {
    choice: u16,
    exclude: bool,
    blocks: Blocks,
}

impl Editor for Choice {
    fn passes(&mut self, text: &str) -> bool {
        self.blocks.passes(text)
    }

    fn holds(&self) -> bool {
        !self.blocks.is_empty()
    }

    fn edit(&mut self, text: &str, is_end: bool, out: &mut Vec<Delta>) {
        self.blocks.push(text);
        if is_end {
            self.blocks.end();
        }
        while let Some(piece) = self.blocks.take() {
            out.push(match piece {
                Settled::Thought(text) => Delta::reasoning(self.choice, text),
                Settled::Answer(text) => Delta::text(self.choice, text),
            });
        }
    }

    fn keeps(&self, delta: &Delta) -> bool {
        !(self.exclude && matches!(delta, Delta::Reasoning(_)))
    }
}

patchbay_sdk::export!(Reasoning: request, stream);

const OPTIONS: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "tags": {
      "description": "Pairs of opening and closing tag.",
      "type": "array", "minItems": 1, "maxItems": 16,
      "items": {
        "type": "array", "minItems": 2, "maxItems": 2,
        "items": { "type": "string", "minLength": 1, "maxLength": 64 }
      },
      "default": [["<think>","</think>"],["<thinking>","</thinking>"],["<reasoning>","</reasoning>"]]
    },
    "anywhere": {
      "description": "Look for blocks in the whole text, not only where the answer begins.",
      "type": "boolean", "default": false
    },
    "opened": {
      "description": "The reply begins inside a block of the first pair.",
      "type": "boolean", "default": false
    }
  }
}"#;

patchbay_sdk::cases![
    "cases/anywhere.json",
    "cases/at_the_start.json",
    "cases/blank_answer.json",
    "cases/choices.json",
    "cases/custom_tags.json",
    "cases/empty_block.json",
    "cases/exclude.json",
    "cases/exclude_upstream.json",
    "cases/in_the_middle.json",
    "cases/nearly_a_tag.json",
    "cases/opened.json",
    "cases/other_deltas.json",
    "cases/several_blocks.json",
    "cases/unclosed.json",
    "cases/untouched.json",
];

#[cfg(test)]
mod tests {
    use super::{CASES, OPTIONS, Options, Reasoning};
    use patchbay_sdk::testing::{Failures, check};

    #[test]
    fn every_case_holds_however_the_reply_is_cut() -> Result<(), Failures> {
        check::<Reasoning>(env!("CARGO_MANIFEST_DIR"), CASES)
    }

    #[test]
    fn the_schema_names_the_default_tags() {
        let schema: serde_json::Value = serde_json::from_str(OPTIONS).unwrap();
        let tags = serde_json::to_value(Options::default().tags).unwrap();
        assert_eq!(schema["properties"]["tags"]["default"], tags);
    }
}
