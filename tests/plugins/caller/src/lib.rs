//! A plugin that calls what lies outside the sandbox: its options say what, in which hook, and how
//! often. What came back, or the error, stands in the reply; where nothing can be put into a reply
//! any more, in the log. It also offers tools, which do what the model says in their arguments. It
//! is for the tests of the host and is never shipped.

mod calls;
mod tools;

use patchbay_sdk::{
    Decision, Delta, Description, Error, Function, Generation, Kind, Message, Outcome, Plugin,
    Request, Stream, ToolCall, ToolOutput, Verdict,
};
use serde::Deserialize;

use calls::Calls;

/// The plugin, for one generation.
pub struct Caller {
    options: Options,
}

#[derive(Clone, Deserialize)]
struct Options {
    #[serde(default)]
    at: Place,
    /// How often all of it is called.
    #[serde(default = "once")]
    times: u32,
    /// Whether the request hook answers in the model's place.
    #[serde(default)]
    answer: bool,
    /// The model that is asked instead.
    instead: Option<String>,
    /// Those that are asked if that one fails.
    fallbacks: Option<Vec<String>>,
    #[serde(flatten)]
    calls: Calls,
}

fn once() -> u32 {
    1
}

/// The hook that calls.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    #[default]
    Request,
    Push,
    Finish,
    Complete,
}

impl Plugin for Caller {
    fn describe() -> Description {
        Description::new("caller", "0.1.0", Kind::Transform)
            .summary("Calls what it is told to call.")
            .options(include_str!("options.json"))
            .trigger("suffix=caller")
            .trigger("model=test/any")
            .trigger("tool=test:lookup")
            .trigger("field=caller_field")
            .trigger("media=file")
            .trigger("context=5000")
            .capability("http")
            .capability("secrets")
            .capability("models")
            .capability("search")
    }

    fn new(generation: &Generation) -> Result<Self, Error> {
        Ok(Self { options: generation.options()? })
    }

    fn on_request(&mut self, _: &Generation, request: Request) -> Result<Decision, Error> {
        if self.options.at != Place::Request {
            return Ok(Decision::Pass);
        }
        let note = self.options.note();
        if self.options.answer {
            return Ok(Decision::answer(note));
        }
        let mut request = match note.is_empty() {
            true => request,
            false => request.message(Message::system(note)),
        };
        if let Some(model) = &self.options.instead {
            request.model.clone_from(model);
        }
        if let Some(models) = &self.options.fallbacks {
            request.extra_set("models", models.clone());
        }
        Ok(Decision::Replace(request))
    }

    fn tools(&mut self, _: &Generation, asked: Vec<String>) -> Result<Vec<Function>, Error> {
        tools::offered(&asked)
    }

    fn call(&mut self, _: &Generation, call: ToolCall) -> Result<ToolOutput, Error> {
        tools::run(&call)
    }

    fn stream(&mut self, _: &Generation, choice: u16) -> Result<Box<dyn Stream>, Error> {
        Ok(Box::new(Choice { number: choice, options: self.options.clone(), has_called: false }))
    }

    fn on_complete(&mut self, _: &Generation, _: Outcome) {
        if self.options.at == Place::Complete {
            patchbay_sdk::warn!("{}", self.options.note());
        }
    }
}

impl Options {
    /// Calls, and says what came of it: a line per call.
    fn note(&self) -> String {
        let rounds = (0..self.times).map(|_| self.calls.run());
        rounds.collect::<Vec<_>>().join("\n")
    }
}

struct Choice {
    number: u16,
    options: Options,
    has_called: bool,
}

impl Choice {
    /// What is said in this hook: once per choice.
    fn note(&mut self, at: Place) -> Option<Delta> {
        if self.options.at != at || self.has_called {
            return None;
        }
        self.has_called = true;
        Some(Delta::text(self.number, self.options.note()))
    }
}

impl Stream for Choice {
    fn push(&mut self, mut batch: Vec<Delta>) -> Result<Verdict, Error> {
        let Some(note) = self.note(Place::Push) else { return Ok(Verdict::Pass) };
        batch.push(note);
        Ok(Verdict::Emit(batch))
    }

    fn finish(&mut self) -> Result<Verdict, Error> {
        let note = self.note(Place::Finish);
        Ok(note.map_or(Verdict::Pass, |note| Verdict::Emit(vec![note])))
    }
}

patchbay_sdk::export!(Caller: request, stream, tools, audit);
