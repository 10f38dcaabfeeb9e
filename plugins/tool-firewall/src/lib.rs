//! Tool calls are judged before a client can run them: by the tool's name, and by what their
//! arguments say. A call waits until it is whole; then it goes on as one piece, is left out, or
//! stops the reply.

mod address;
mod foreign;
mod gate;
mod idle;
mod law;
mod options;
mod value;

use gate::Gate;
use law::Law;
use options::{Notice, Options};
use patchbay_sdk::{Decision, Description, Error, Generation, Kind, Plugin, Request, Stream};
use std::rc::Rc;

/// The plugin, for one generation.
pub struct ToolFirewall {
    law: Result<Rc<Law>, Error>,
    notice: Notice,
}

impl Plugin for ToolFirewall {
    fn describe() -> Description {
        Description::new("tool-firewall", env!("CARGO_PKG_VERSION"), Kind::Guard)
            .summary("Judges tool calls before the client can run them.")
            .options(OPTIONS)
            .limit("cpu-ms", 500)
    }

    fn new(generation: &Generation) -> Result<Self, Error> {
        let options: Options = generation.options()?;
        let notice = options.notice;
        Ok(Self { law: Law::new(options).map(Rc::new), notice })
    }

    fn on_request(&mut self, _: &Generation, _: Request) -> Result<Decision, Error> {
        // Before a model is asked for what can't be judged.
        match &self.law {
            Ok(_) => Ok(Decision::Pass),
            Err(error) => Decision::refuse_options("tool-firewall", error.clone()),
        }
    }

    fn stream(&mut self, _: &Generation, choice: u16) -> Result<Box<dyn Stream>, Error> {
        let law = self.law.as_ref().map_err(Clone::clone)?;
        Ok(Box::new(Gate::new(law, self.notice, choice)))
    }
}

patchbay_sdk::export!(ToolFirewall: request, stream);

const OPTIONS: &str = include_str!("options.json");

patchbay_sdk::cases![
    "cases/allowed_tools.json",
    "cases/annotations.json",
    "cases/blocked.json",
    "cases/choices.json",
    "cases/custom_calls.json",
    "cases/denied.json",
    "cases/flagged.json",
    "cases/hosts.json",
    "cases/items.json",
    "cases/keys.json",
    "cases/late_name.json",
    "cases/no_arguments.json",
    "cases/parallel.json",
    "cases/paths.json",
    "cases/released.json",
    "cases/renamed.json",
    "cases/truncated.json",
    "cases/untouched.json",
];

#[cfg(test)]
mod tests;
