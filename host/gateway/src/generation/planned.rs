//! Which endpoints a generation may have: routing's plan, less those that can't be told of the tools
//! that are left in the request. What no plugin took and the provider can't run would be dropped on
//! the way, and the client would never know.

use wire::{ErrorType, Request};

use crate::app::App;
use crate::error::Error;
use crate::plugin::Registry;
use crate::routing::{self, Plan};

/// Plans a request as the plugins have left it.
///
/// # Errors
/// As [`routing::plan`]; and a server tool that nobody runs (400), with those that there are.
pub(super) fn plan(app: &App, plugins: &Registry, request: &Request) -> Result<Plan, Error> {
    // The fallbacks may have suffixes that stand for plugins.
    let mut plan = routing::plan(&app.catalog, request, |suffix| plugins.is_suffix(suffix))?;
    let Some(kind) = request.tools.iter().find_map(wire::gateways_tool) else { return Ok(plan) };
    // Another gateway runs it.
    plan.steps.retain(|step| step.endpoint.provider.quirks.openrouter_reasoning);
    match plan.steps.is_empty() {
        true => Err(nobody_runs(&kind, plugins)),
        false => Ok(plan),
    }
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
