//! Models that write their thoughts into the answer, and clients that want them apart: turns what
//! stands between a model's marks into reasoning deltas, and what a request says of reasoning into
//! words, for models that know it only so. `:thinking` behind a model's name asks for reasoning.
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
mod choice;
mod families;
mod harmony;
mod hints;
mod history;
mod options;
mod split;

use blocks::Tags;
use choice::Choice;
use families::{Family, Hint};
use hints::{Wish, Words};
use options::{Hints, History, Options};
use patchbay_sdk::catalog::{self, Model};
use patchbay_sdk::{
    Decision, Description, Error, Generation, Kind, Plugin, Request, Stream, Thinking, Tool, report,
};
use split::Splitter;
use std::cell::OnceCell;
use std::rc::Rc;

/// The plugin, for one generation.
pub struct Reasoning {
    options: Options,
    family: Option<&'static Family>,
    /// Made when the first text or former turn is read.
    tags: OnceCell<Rc<Tags>>,
    functions: Rc<[String]>,
    excludes: bool,
}

impl Plugin for Reasoning {
    fn describe() -> Description {
        Description::new("reasoning", env!("CARGO_PKG_VERSION"), Kind::Transform)
            .summary("Turns thoughts in the text into reasoning, and effort into words.")
            .options(OPTIONS)
            .trigger("suffix=thinking")
    }

    fn new(generation: &Generation) -> Result<Self, Error> {
        let options: Options = generation.options()?;
        let excludes = options.exclude;
        let tags = OnceCell::new();
        Ok(Self { options, family: None, tags, functions: Rc::new([]), excludes })
    }

    fn on_request(&mut self, generation: &Generation, request: Request) -> Result<Decision, Error> {
        let mut request = request;
        self.learn(&request);
        let is_asked = self.ask_for_thought(&generation.model(), &mut request);
        let is_stripped = self.options.history == History::Strip
            && history::strip(&mut request, || self.splitter(false));
        let is_told = self.tell(&mut request);
        let is_changed = is_asked || is_stripped || is_told;
        Ok(if is_changed { Decision::Replace(request) } else { Decision::Pass })
    }

    fn stream(&mut self, generation: &Generation, choice: u16) -> Result<Box<dyn Stream>, Error> {
        let splitter = self.splitter(self.options.opened);
        Ok(Box::new(Choice::new(choice, &generation.id(), self.excludes, splitter)))
    }
}

impl Reasoning {
    /// What the reply will be read by.
    fn learn(&mut self, request: &Request) {
        let options = &self.options;
        self.family = match &options.family {
            Some(name) => families::by_name(name),
            None => families::by_model(&request.model),
        };
        let functions = request.tools.iter().filter_map(|tool| match tool {
            Tool::Function(function) => Some(function.name.clone()),
            Tool::Other(_) => None,
        });
        self.functions = functions.collect();
        self.excludes |= request.reasoning.as_ref().is_some_and(|thinking| thinking.exclude);
    }

    fn tags(&self) -> &Rc<Tags> {
        self.tags.get_or_init(|| {
            let anywhere = self.options.anywhere;
            Rc::new(match &self.options.tags {
                Some(pairs) => Tags::own(pairs.clone(), anywhere),
                None => Tags::of(self.family, anywhere),
            })
        })
    }

    fn splitter(&self, opened: bool) -> Splitter {
        let is_harmony = self.family.is_some_and(|family| family.hint == Hint::Level);
        if opened && is_harmony && self.options.tags.is_none() {
            return Splitter::harmony_opened(Rc::clone(&self.functions));
        }
        Splitter::new(Rc::clone(self.tags()), opened, Rc::clone(&self.functions))
    }

    /// `:thinking` asks for reasoning, unless the request itself says something of it. (A model whose
    /// own id ends so is a listing of one with reasoning on, which is the same.)
    fn ask_for_thought(&self, named: &str, request: &mut Request) -> bool {
        let is_said = request.reasoning.as_ref().and_then(Wish::of).is_some();
        let has_suffix = named.split([':', '@']).skip(1).any(|suffix| suffix == SUFFIX);
        if is_said || !has_suffix {
            return false;
        }
        request.reasoning.get_or_insert(NOTHING_SAID).enabled = Some(true);
        true
    }

    /// Says in words what the model has no parameter for, and leaves the parameter out then.
    fn tell(&self, request: &mut Request) -> bool {
        let Some(wish) = request.reasoning.as_ref().and_then(Wish::of) else { return false };
        let lacks_parameter = || catalog::model(&request.model).is_some_and(|it| is_without(&it));
        let is_auto = match self.options.hints {
            Hints::Never => return false,
            Hints::Auto if !lacks_parameter() => return false,
            Hints::Auto => true,
            Hints::Always => false,
        };
        let words = match &self.options.hint {
            Some(own) => Words::own(own, wish),
            None => {
                let hint = self.family.map_or(Hint::Ask, |family| family.hint);
                Words::of(hint, wish, self.tags().first())
            }
        };
        let Some(words) = words else { return false };
        let is_written = words.write(request);
        if is_written {
            let stage = report::stage("plugin", "reasoning").summary("effort said in words");
            stage.data("words", &words.text).send();
        }
        if is_auto {
            let exclude = request.reasoning.as_ref().is_some_and(|thinking| thinking.exclude);
            request.reasoning = exclude.then_some(Thinking { exclude, ..NOTHING_SAID });
        }
        is_written || is_auto
    }
}

/// Whether the catalog says that the model has no parameter for reasoning. One that lists none at all
/// may have it.
fn is_without(model: &Model) -> bool {
    !model.parameters.is_empty() && !model.supports("reasoning")
}

patchbay_sdk::export!(Reasoning: request, stream);

const OPTIONS: &str = include_str!("options.json");
const SUFFIX: &str = "thinking";
const NOTHING_SAID: Thinking =
    Thinking { enabled: None, effort: None, max_tokens: None, exclude: false, summary: None };

patchbay_sdk::cases![
    "cases/annotations.json",
    "cases/anywhere.json",
    "cases/at_the_start.json",
    "cases/blank_answer.json",
    "cases/choices.json",
    "cases/custom_tags.json",
    "cases/empty_block.json",
    "cases/exclude.json",
    "cases/exclude_option.json",
    "cases/exclude_upstream.json",
    "cases/family.json",
    "cases/granite.json",
    "cases/harmony.json",
    "cases/harmony_as_text.json",
    "cases/harmony_call.json",
    "cases/harmony_unknown_call.json",
    "cases/hint_ask.json",
    "cases/hint_gpt_oss.json",
    "cases/hint_nemotron.json",
    "cases/hint_none.json",
    "cases/hint_own.json",
    "cases/hint_qwen.json",
    "cases/hint_said.json",
    "cases/hint_unknown.json",
    "cases/history.json",
    "cases/history_keep.json",
    "cases/in_the_middle.json",
    "cases/kimi.json",
    "cases/nearly_a_tag.json",
    "cases/opened.json",
    "cases/other_deltas.json",
    "cases/several_blocks.json",
    "cases/signed.json",
    "cases/stray_closing.json",
    "cases/suffix.json",
    "cases/suffix_said.json",
    "cases/unclosed.json",
    "cases/untouched.json",
    "cases/wrapped.json",
    "cases/wrapper_asked_for.json",
    "cases/wrapper_token.json",
];

#[cfg(test)]
mod tests {
    use super::{CASES, Reasoning};
    use patchbay_sdk::testing::{Failures, check};

    #[test]
    fn every_case_holds_however_the_reply_is_cut() -> Result<(), Failures> {
        check::<Reasoning>(env!("CARGO_MANIFEST_DIR"), CASES)
    }
}
