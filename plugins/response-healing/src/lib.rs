//! Repairs JSON that models break, when a request asks for JSON (`response_format` is `json_object`
//! or `json_schema`), also while it streams.
//!
//! `healer` repairs one text, `schema` says whether a value is what was asked for, `reply` puts both
//! together, `choice` is the hook on a choice of the reply. What is repaired and what is not stands
//! in the README.
//!
//! Repairs stop where a text has more than one likely meaning: then it stays broken. `jsonrepair`,
//! `llm_json` and the like guess there, and none of them repairs a text that is still coming, so
//! the repairs are ours.

mod choice;
mod healer;
mod reply;
mod retry;
mod schema;
#[cfg(test)]
mod tests;

use choice::{Choice, Idle};
use patchbay_sdk::{
    Decision, Description, Error, Generation, Kind, Plugin, Request, ResponseFormat, Stream, Tool,
    warn,
};
use reply::Wanted;
use schema::Schema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The plugin, for one generation.
pub struct ResponseHealing {
    task: Rc<Task>,
}

/// What there is to heal in a reply.
#[derive(Debug, Default)]
struct Task {
    options: Options,
    /// The client wants the reply in pieces.
    is_stream: bool,
    /// What the text must be, if it must be JSON at all.
    format: Option<Format>,
    /// What the arguments of each tool must be, by its name.
    tools: BTreeMap<String, Wanted>,
}

#[derive(Debug)]
struct Format {
    /// As the client names it: `json_object` or `json_schema`.
    mode: &'static str,
    wanted: Wanted,
    /// The format itself, for a model that is asked again.
    asked: ResponseFormat,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Options {
    hold: bool,
    retry_model: Option<String>,
    tool_arguments: bool,
}

impl Plugin for ResponseHealing {
    fn describe() -> Description {
        Description::new("response-healing", env!("CARGO_PKG_VERSION"), Kind::Transform)
            .summary("Repairs JSON that models break.")
            .options(OPTIONS)
            .limit("cpu-ms", 500)
            .limit("held-bytes", 4 << 20)
            .limit("held-ms", 300_000)
            .capability("models")
    }

    fn new(generation: &Generation) -> Result<Self, Error> {
        let task = Task { options: generation.options()?, ..Task::default() };
        Ok(Self { task: Rc::new(task) })
    }

    fn on_request(&mut self, _: &Generation, request: Request) -> Result<Decision, Error> {
        let options = self.task.options.clone();
        let tools = if options.tool_arguments { tools(request.tools) } else { BTreeMap::new() };
        let format = request.response_format.and_then(format);
        self.task = Rc::new(Task { options, is_stream: request.stream, format, tools });
        Ok(Decision::Pass)
    }

    fn stream(&mut self, _: &Generation, choice: u16) -> Result<Box<dyn Stream>, Error> {
        if self.task.format.is_none() && self.task.tools.is_empty() {
            return Ok(Box::new(Idle));
        }
        Ok(Box::new(Choice::new(choice, Rc::clone(&self.task))))
    }
}

/// What a format wants, if it is one of JSON.
fn format(asked: ResponseFormat) -> Option<Format> {
    let (mode, schema) = match &asked {
        ResponseFormat::JsonObject => ("json_object", None),
        ResponseFormat::JsonSchema(format) => ("json_schema", format.schema.as_deref()),
        ResponseFormat::Text | ResponseFormat::Other(_) => return None,
    };
    let wanted = wanted(schema);
    Some(Format { mode, wanted, asked })
}

/// What the arguments of each function must be.
fn tools(tools: Vec<Tool>) -> BTreeMap<String, Wanted> {
    let functions = tools.into_iter().filter_map(|tool| match tool {
        Tool::Function(function) => {
            let wanted = wanted(function.parameters.as_deref());
            Some((function.name, wanted))
        }
        Tool::Other(_) => None,
    });
    functions.collect()
}

/// What a schema wants. One that can't be checked leaves the repairs, and says so in the log.
fn wanted(schema: Option<&str>) -> Wanted {
    let schema = schema.and_then(|text| match Schema::read(text) {
        Ok(schema) => Some(schema),
        Err(why) => {
            warn!("replies are not checked by the schema: {why}");
            None
        }
    });
    Wanted::new(schema)
}

patchbay_sdk::export!(ResponseHealing: request, stream);

const OPTIONS: &str = include_str!("options.json");

patchbay_sdk::cases![
    "cases/brace.json",
    "cases/broken_off.json",
    "cases/choices.json",
    "cases/fence.json",
    "cases/held_second.json",
    "cases/inner_quotes.json",
    "cases/misfit_held.json",
    "cases/misfit_streamed.json",
    "cases/no_format.json",
    "cases/not_streamed.json",
    "cases/python.json",
    "cases/refusal.json",
    "cases/retry.json",
    "cases/retry_fails.json",
    "cases/retry_in_vain.json",
    "cases/retry_of_prose.json",
    "cases/simulated.json",
    "cases/simulated_held.json",
    "cases/thoughts.json",
    "cases/tool_arguments.json",
    "cases/tool_call.json",
    "cases/tool_call_not_streamed.json",
    "cases/truncated.json",
    "cases/two_answers.json",
    "cases/valid.json",
];
