//! The tools that the plugin runs. A request's `{"type": "test:lookup"}` may name them in
//! `functions`, and the model says in a call's arguments what becomes of it.

use patchbay_sdk::{Error, Function, ToolCall, ToolOutput};
use serde::Deserialize;
use serde_json::json;

use crate::calls::Calls;

#[derive(Deserialize)]
struct Asked {
    #[serde(default = "lookup")]
    functions: Vec<String>,
}

fn lookup() -> Vec<String> {
    vec!["lookup".into()]
}

/// A call's arguments.
#[derive(Deserialize)]
struct Arguments {
    /// What the tool gives.
    say: Option<String>,
    /// What was wrong with the call.
    error: Option<String>,
    /// Fails the plugin.
    #[serde(default)]
    fail: bool,
    #[serde(flatten)]
    calls: Calls,
}

/// The functions that the request's tools stand for.
pub(crate) fn offered(asked: &[String]) -> Result<Vec<Function>, Error> {
    let mut functions = Vec::new();
    for asked in asked {
        let asked: Asked = serde_json::from_str(asked)
            .map_err(|error| Error::Options(format!("test:lookup: {error}")))?;
        functions.extend(asked.functions.iter().map(|name| Function {
            name: name.clone(),
            description: Some("Looks it up.".into()),
            parameters: Some(json!({"type": "object"}).to_string()),
            strict: None,
            cache_control: None,
        }));
    }
    Ok(functions)
}

/// Does what the arguments say.
pub(crate) fn run(call: &ToolCall) -> Result<ToolOutput, Error> {
    let arguments: Arguments = match serde_json::from_str(&call.arguments) {
        Ok(arguments) => arguments,
        Err(error) => return Ok(ToolOutput::error(&format!("these are no arguments: {error}"))),
    };
    if arguments.fail {
        return Err(Error::Internal("it was told to fail".into()));
    }
    if let Some(reason) = &arguments.error {
        return Ok(ToolOutput::error(reason));
    }
    let said = arguments.say.unwrap_or_default();
    Ok(ToolOutput::text(format!("{said}{}", arguments.calls.run())))
}
