//! Which endpoints a generation may have: routing's plan, less those that can't be told of the tools
//! that are left in the request. What no plugin took and the provider can't run would be dropped on
//! the way, and the client would never know.

use wire::{ErrorType, Request, Tool, ToolChoice};

use crate::app::App;
use crate::error::Error;
use crate::plugin::{self, Registry};
use crate::routing::{self, Plan};

/// Plans a request as the plugins have left it. Its fallbacks may have suffixes that stand for
/// plugins, which `is_suffix` knows.
///
/// # Errors
/// As [`routing::plan`]; a server tool that nobody runs (400), with those that there are; and one
/// that must be called and is not there (400).
pub(super) fn plan(
    app: &App,
    plugins: &Registry,
    request: &Request,
    is_suffix: impl Fn(&str) -> bool,
) -> Result<Plan, Error> {
    let mut plan = routing::plan(&app.catalog, request, is_suffix)?;
    check_choice(request)?;
    let Some(kind) = request.tools.iter().find_map(wire::gateways_tool) else { return Ok(plan) };
    // Another gateway runs it.
    plan.steps.retain(|step| step.endpoint.provider.quirks.openrouter_reasoning);
    match plan.steps.is_empty() {
        true => Err(nobody_runs(&kind, plugins)),
        false => Ok(plan),
    }
}

/// What must be called must be there: a choice of anything else would be dropped on the way too.
fn check_choice(request: &Request) -> Result<(), Error> {
    let Some(ToolChoice::Other(chosen)) = &request.tool_choice else { return Ok(()) };
    let Some(kind) = wire::gateways_tool(&Tool::Other(chosen.clone())) else { return Ok(()) };
    let is_chosen = |tool: &Tool| match tool {
        Tool::Other(other) => plugin::kind_of(&other.json).is_some_and(|it| it == kind),
        Tool::Function { .. } => false,
    };
    if request.tools.iter().any(is_chosen) {
        return Ok(());
    }
    let shown = kind.escape_debug();
    let message = format!(
        "tool_choice: `{shown}` is not among `tools`; add {{\"type\": \"{shown}\"}} to them, or leave \
         `tool_choice` out"
    );
    Err(Error::client(ErrorType::InvalidRequest, message))
}

fn nobody_runs(kind: &str, plugins: &Registry) -> Error {
    let shown = kind.escape_debug();
    let message = match plugins.of_tool(kind) {
        Some(id) => {
            format!("tools: `{shown}` is run by the plugin `{id}`, which is switched off here")
        }
        None => {
            let known = plugins.tools().join("`, `");
            format!("tools: nobody runs `{shown}` here; there are: `{known}`")
        }
    };
    Error::client(ErrorType::InvalidRequest, message)
}
