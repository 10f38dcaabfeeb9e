//! Terms and regular expressions that must not be in a request, or must not reach the client: they
//! block, are masked, or are reported, in messages, tool results and tool calls on the way in, and
//! in everything that a client reads on the way out, however the reply is cut.

mod arguments;
mod ask;
mod filter;
mod line;
mod options;
mod prose;
mod reply;
mod seen;

use filter::Filter;
use options::{Options, ScanScope};
use patchbay_sdk::{Decision, Description, Error, Generation, Kind, Plugin, Request, Stream};
use reply::Reply;

/// The plugin, for one generation.
pub struct Guard {
    scan_scope: ScanScope,
    /// For the input and for the output.
    filters: Result<(Filter, Filter), Error>,
}

impl Plugin for Guard {
    fn describe() -> Description {
        Description::new("guard", env!("CARGO_PKG_VERSION"), Kind::Guard)
            .summary("Keeps terms and patterns out of requests and replies.")
            .options(OPTIONS)
            .limit("cpu-ms", 500)
    }

    fn new(generation: &Generation) -> Result<Self, Error> {
        let options: Options = generation.options()?;
        Ok(Self { scan_scope: options.scan_scope, filters: Filter::both(&options) })
    }

    fn on_request(&mut self, _: &Generation, request: Request) -> Result<Decision, Error> {
        match &self.filters {
            Ok((input, _)) if input.is_empty() => Ok(Decision::Pass),
            Ok((input, _)) => Ok(ask::decide(input, self.scan_scope, request)),
            Err(error) => Decision::refuse_options("guard", error.clone()),
        }
    }

    fn stream(&mut self, _: &Generation, choice: u16) -> Result<Box<dyn Stream>, Error> {
        let (_, output) = self.filters.as_ref().map_err(Clone::clone)?;
        Ok(Box::new(Reply::new(output, choice)))
    }
}

patchbay_sdk::export!(Guard: request, stream);

const OPTIONS: &str = include_str!("options.json");

patchbay_sdk::cases![
    "cases/alternating_calls.json",
    "cases/alternating_stop.json",
    "cases/alternating_text.json",
    "cases/alternating_thoughts.json",
    "cases/annotations.json",
    "cases/annotations_escaped.json",
    "cases/arguments.json",
    "cases/arguments_stop.json",
    "cases/block_before_mask.json",
    "cases/blocks.json",
    "cases/choices.json",
    "cases/content_filters.json",
    "cases/content_filters_redact.json",
    "cases/flag.json",
    "cases/held_tail.json",
    "cases/hidden.json",
    "cases/input_block.json",
    "cases/input_fields.json",
    "cases/input_mask.json",
    "cases/interrupted.json",
    "cases/logprobs.json",
    "cases/mask.json",
    "cases/reasoning.json",
    "cases/stop.json",
    "cases/untouched.json",
    "cases/user_only.json",
    "cases/whole_word.json",
];

#[cfg(test)]
mod tests;
