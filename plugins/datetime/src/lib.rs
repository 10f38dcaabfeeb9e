//! Tells a model what time it is: as the tool `openrouter:datetime`, which the model calls when it
//! wants to know, or without a tool as a line in the system prompt.
//!
//! A request with the tool gets no line: the model is to ask.

mod zone;

use patchbay_sdk::{
    Decision, Description, Error, Function, Generation, Kind, Message, Plugin, Rejection, Request,
    Role, Tool, ToolCall, ToolOutput, report, system,
};
use serde::Deserialize;
use serde_json::{Value, json};
use zone::{Local, Zone};

/// The plugin, for one generation.
pub struct Datetime {
    options: Options,
    /// Where the tool's answers are from unless the model says otherwise.
    asked: Option<Zone>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
struct Options {
    timezone: String,
    precision: Precision,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Precision {
    Day,
    Hour,
    Minute,
    Second,
}

impl Default for Options {
    fn default() -> Self {
        Self { timezone: "UTC".into(), precision: Precision::Minute }
    }
}

impl Plugin for Datetime {
    fn describe() -> Description {
        Description::new("datetime", env!("CARGO_PKG_VERSION"), Kind::Transform)
            .summary("Tells the model the current date and time.")
            .options(OPTIONS)
            .trigger("tool=openrouter:datetime")
    }

    fn new(generation: &Generation) -> Result<Self, Error> {
        Ok(Self { options: generation.options()?, asked: None })
    }

    fn on_request(&mut self, _: &Generation, mut request: Request) -> Result<Decision, Error> {
        let tool = request.tools.iter().find_map(asked);
        let zone = match &tool {
            Some(tool) => self.zone_of(tool),
            None => Zone::find(&self.options.timezone)
                .map_err(|problem| format!("plugins: `timezone` of `datetime`: {problem}")),
        };
        let zone = match zone {
            Ok(zone) => zone,
            Err(problem) => return Ok(Decision::Reject(Rejection::new(400, problem))),
        };
        if tool.is_some() {
            tell("offered the model a tool that tells the time", &zone);
            self.asked = Some(zone);
            return Ok(Decision::Pass);
        }
        // Behind what the client's own system messages say, which a provider may have cached.
        let is_system = |message: &Message| matches!(message.role, Role::System | Role::Developer);
        let end = request.messages.iter().position(|message| !is_system(message));
        let at = end.unwrap_or(request.messages.len());
        let line = sentence(&zone, self.options.precision);
        tell("told the model the time in the system prompt", &zone);
        request.messages.insert(at, Message::system(line));
        Ok(Decision::Replace(request))
    }

    fn tools(&mut self, _: &Generation, asked: Vec<String>) -> Result<Vec<Function>, Error> {
        let Some(zone) = self.asked.as_ref().filter(|_| !asked.is_empty()) else {
            return Ok(Vec::new());
        };
        let description = "The current date and time.".to_owned();
        let name = zone.name();
        let parameters = json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "timezone": {
                    "type": "string",
                    "default": name,
                    "description": "IANA time zone, such as Asia/Tokyo."
                }
            }
        });
        Ok(vec![Function {
            name: FUNCTION.into(),
            description: Some(description),
            parameters: Some(parameters.to_string()),
            strict: None,
            cache_control: None,
        }])
    }

    fn call(&mut self, _: &Generation, call: ToolCall) -> Result<ToolOutput, Error> {
        let text = if call.arguments.trim().is_empty() { "{}" } else { call.arguments.as_str() };
        let Ok(Arguments { timezone }) = serde_json::from_str(text) else {
            let problem = "the arguments must be a JSON object with a text `timezone`, or {}";
            return Ok(ToolOutput::error(problem));
        };
        let zone = match (timezone.filter(|name| !name.is_empty()), &self.asked) {
            (None, Some(zone)) => Ok(zone.clone()),
            (name, _) => Zone::find(name.as_deref().unwrap_or("UTC")),
        };
        Ok(match zone {
            Ok(zone) => {
                tell("told the model the time, which it asked for", &zone);
                ToolOutput::text(answer(&zone))
            }
            Err(problem) => ToolOutput::error(&problem),
        })
    }
}

impl Datetime {
    /// The zone that the client's tool names.
    fn zone_of(&self, tool: &Value) -> Result<Zone, String> {
        let said = tool.pointer("/parameters/timezone").or_else(|| tool.get("timezone"));
        let name = said.and_then(Value::as_str).unwrap_or(&self.options.timezone);
        Zone::find(name).map_err(|unknown| {
            format!("tools: `parameters.timezone` of `openrouter:datetime`: {unknown}")
        })
    }
}

/// The entry of the client's pipeline.
fn tell(what: &str, zone: &Zone) {
    let name = zone.name();
    let stage = report::stage("plugin", "datetime").summary(&format!("{what} ({name})"));
    stage.data("timezone", name).send();
}

#[derive(Deserialize)]
struct Arguments {
    timezone: Option<String>,
}

/// The client's entry of `tools`, if it is this tool.
fn asked(tool: &Tool) -> Option<Value> {
    let Tool::Other(other) = tool else { return None };
    let entry: Value = serde_json::from_str(&other.json).ok()?;
    (entry.get("type")? == "openrouter:datetime").then_some(entry)
}

/// What the tool answers, in OpenRouter's form.
fn answer(zone: &Zone) -> String {
    let Local { day, hour, minute, second, millisecond, offset, .. } = zone.at(system::unix_ms());
    let datetime = format!("{day}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}{offset}");
    json!({"datetime": datetime, "timezone": zone.name()}).to_string()
}

/// The line in the system prompt.
fn sentence(zone: &Zone, precision: Precision) -> String {
    let Local { weekday, day, hour, minute, second, offset, .. } = zone.at(system::unix_ms());
    let (what, time) = match precision {
        Precision::Day => ("date", String::new()),
        Precision::Hour => ("date and hour", format!(" {hour:02}:00")),
        Precision::Minute => ("date and time", format!(" {hour:02}:{minute:02}")),
        Precision::Second => ("date and time", format!(" {hour:02}:{minute:02}:{second:02}")),
    };
    let name = zone.name();
    format!("The current {what}: {weekday}, {day}{time} ({name}, UTC{offset}).")
}

patchbay_sdk::export!(Datetime: request, tools);

/// What the model calls; no client's own function is likely to be named so.
const FUNCTION: &str = "openrouter_datetime";

const OPTIONS: &str = include_str!("options.json");

patchbay_sdk::cases![
    "cases/behind_system.json",
    "cases/call_errors.json",
    "cases/day.json",
    "cases/hour.json",
    "cases/line.json",
    "cases/other_tools.json",
    "cases/reply.json",
    "cases/tool.json",
    "cases/tool_flat.json",
    "cases/tool_bad_zone.json",
    "cases/tool_default_zone.json",
    "cases/tool_zone.json",
    "cases/unknown_zone.json",
    "cases/zone.json",
];

#[cfg(test)]
mod tests {
    use super::{CASES, Datetime, OPTIONS, Options};
    use patchbay_sdk::testing::{Failures, check};

    #[test]
    fn every_case_holds() -> Result<(), Failures> {
        check::<Datetime>(env!("CARGO_MANIFEST_DIR"), CASES)
    }

    #[test]
    fn the_schema_names_the_defaults() {
        let schema: serde_json::Value = serde_json::from_str(OPTIONS).unwrap();
        assert_eq!(schema["properties"]["timezone"]["default"], Options::default().timezone);
        assert_eq!(schema["properties"]["precision"]["default"], "minute");
    }
}
