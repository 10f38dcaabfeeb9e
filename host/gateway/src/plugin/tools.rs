//! Tools that plugins run: what they offer goes into the request as functions, and what the model
//! calls of it comes back here.

use std::time::Duration;

use wire::{Content, ErrorType, Request, Tool, ToolCall, ToolChoice};

use super::bindings::types::ToolCallParam;
use super::convert;
use super::fault::Failed;
use super::pipeline::Pipeline;
use super::select::Selected;
use super::stage::Stage;
use super::trigger::{Trigger, kind_of};
use crate::error::Error;

/// A function that a plugin offers.
#[derive(Debug, Clone)]
pub(super) struct Offered {
    name: String,
    /// The plugin's place in the pipeline.
    stage: usize,
}

impl Pipeline {
    /// Checks what the request's tools say that stand for plugins.
    ///
    /// # Errors
    /// Names the tool, the parameter and the fix.
    pub(crate) fn check_tools(&self, request: &Request) -> Result<(), Error> {
        for (index, tool) in request.tools.iter().enumerate() {
            let Tool::Other(other) = tool else { continue };
            let kind = kind_of(&other.json).unwrap_or_default();
            for Selected { plugin, options, .. } in self.stages.iter().map(|it| &it.selected) {
                let mut triggers = plugin.description.triggers.iter();
                if triggers.any(|trigger| trigger.tool() == Some(&kind)) {
                    let fits = plugin.schemas.check_tool(&kind, &other.json, options);
                    fits.map_err(|what| {
                        let message = format!("tools[{index}]: {what}");
                        Error::client(ErrorType::InvalidRequest, message)
                    })?;
                }
            }
        }
        Ok(())
    }

    /// Asks the plugins what they offer. The request's tools that stand for one leave the request,
    /// whether or not it still runs.
    ///
    /// # Errors
    /// A name that is taken, or a guard's failure.
    pub(crate) async fn offer(&mut self, request: &mut Request) -> Result<(), Error> {
        for (index, stage) in self.stages.iter_mut().enumerate() {
            let (asked, chosen) = take_asked(request, stage);
            if !stage.runs_tools() {
                continue;
            }
            let functions = match offer(stage, &asked).await {
                Ok(functions) => functions,
                Err(failed) => {
                    stage.fail(&failed)?;
                    continue;
                }
            };
            let id = &stage.selected.plugin.description.id;
            for tool in functions {
                let Tool::Function { name, .. } = &tool else { continue };
                check_name(request, name, id)?;
                if chosen && self.offered.iter().all(|offered| offered.stage != index) {
                    request.tool_choice = Some(ToolChoice::Function(name.clone()));
                }
                self.offered.push(Offered { name: name.clone(), stage: index });
                request.tools.push(tool);
                request.source = None;
            }
        }
        Ok(())
    }

    /// The names of the functions that plugins run.
    pub(crate) fn offered(&self) -> impl Iterator<Item = &str> {
        self.offered.iter().map(|offered| offered.name.as_str())
    }

    /// Runs a tool and gives the result for the model. A plugin that fails and may is told of as a
    /// tool that failed.
    ///
    /// # Errors
    /// A guard's failure.
    pub(crate) async fn call(&mut self, call: &ToolCall) -> Result<Content, Error> {
        let owner = self.offered.iter().find(|offered| offered.name == call.name);
        let stage = owner.and_then(|offered| self.stages.get_mut(offered.stage));
        let Some(stage) = stage.filter(|stage| stage.runs_tools()) else {
            return Ok(told(call, "This tool is not available any more."));
        };
        match run(stage, call).await {
            Ok(result) => Ok(result),
            Err(failed) => {
                stage.fail(&failed)?;
                Ok(told(call, "This tool failed."))
            }
        }
    }
}

impl Pipeline {
    /// Time in which no plugin could have given back what it holds does not count against it.
    pub(crate) fn excuse(&mut self, time: Duration) {
        self.stages.iter_mut().for_each(|stage| stage.excuse(time));
    }
}

/// Takes the tools that a plugin stands for out of the request, each as its JSON text. Says whether
/// the model must call one of them.
fn take_asked(request: &mut Request, stage: &Stage) -> (Vec<String>, bool) {
    let triggers = &stage.selected.plugin.description.triggers;
    let is_its_own = |json: &wire::Json| {
        let kind = kind_of(json).unwrap_or_default();
        triggers.contains(&Trigger::Tool(kind))
    };
    let mut asked = Vec::new();
    request.tools.retain(|tool| match tool {
        Tool::Other(other) if is_its_own(&other.json) => {
            asked.push(other.json.as_str().to_owned());
            false
        }
        Tool::Other(_) | Tool::Function { .. } => true,
    });
    if !asked.is_empty() {
        request.source = None;
    }
    let is_chosen = match &request.tool_choice {
        Some(ToolChoice::Other(other)) => is_its_own(&other.json),
        _ => false,
    };
    if is_chosen {
        request.tool_choice = Some(ToolChoice::Auto);
    }
    (asked, is_chosen)
}

async fn offer(stage: &mut Stage, asked: &[String]) -> Result<Vec<Tool>, Failed> {
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    let functions = stage.instance().await?.offer(&asked).await?;
    functions.into_iter().map(convert::lift_function).collect()
}

async fn run(stage: &mut Stage, call: &ToolCall) -> Result<Content, Failed> {
    let ToolCall { id, name, arguments } = call;
    let output = stage.instance().await?.call(ToolCallParam { id, name, arguments }).await?;
    let parts = output.parts.into_iter().map(convert::lift_own_part);
    let parts = parts.collect::<Result<Vec<_>, Failed>>()?;
    let bytes = parts.iter().map(|part| convert::size_of_content(&part.content)).sum();
    stage.check_expansion(arguments.len(), bytes)?;
    Ok(Content::ToolResult { call_id: id.clone(), parts, is_error: output.is_error })
}

/// What the model is told of a call beyond those that the request may have.
pub(crate) fn not_run(call: &ToolCall) -> Content {
    told(call, "It was not run: no more calls are allowed. Answer with what you have.")
}

fn told(call: &ToolCall, text: &str) -> Content {
    let parts = vec![wire::Part::new(Content::Text(text.to_owned()))];
    Content::ToolResult { call_id: call.id.clone(), parts, is_error: true }
}

/// Two tools of one name could not be told apart.
fn check_name(request: &Request, name: &str, plugin: &str) -> Result<(), Error> {
    let is_taken = request.tools.iter().any(|tool| match tool {
        Tool::Function { name: known, .. } => known == name,
        Tool::Other(_) => false,
    });
    if !is_taken {
        return Ok(());
    }
    let shown = name.escape_debug();
    let message = format!(
        "tools: plugin `{plugin}` offers a tool `{shown}`, and so does the request or another \
         plugin; give yours another name, or switch the plugin off"
    );
    Err(Error::client(ErrorType::InvalidRequest, message))
}
