//! The tools hook in a case, what a plugin tells the host, and the catalog.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use wire::{Content, ToolCall};

use super::super::outside::{Listed, Stage};
use super::script::Told;

/// A call that the model makes, and what it must be told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToolLine {
    name: String,
    arguments: Value,
    expect: Option<String>,
    #[serde(default)]
    is_error: bool,
}

/// What a call gave.
#[derive(Debug, PartialEq)]
pub(super) struct Output {
    text: String,
    is_error: bool,
}

/// An entry of the pipeline.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StageLine {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    summary: Option<String>,
    #[serde(default)]
    data: Map<String, Value>,
}

/// A model of the catalog.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListedLine {
    id: String,
    name: Option<String>,
    #[serde(default)]
    created: u64,
    context_length: Option<u64>,
    completion_max: Option<u64>,
    inputs: Option<Vec<String>>,
    outputs: Option<Vec<String>>,
    #[serde(default)]
    parameters: Vec<String>,
    prompt_nanos: Option<u64>,
    completion_nanos: Option<u64>,
}

impl ListedLine {
    /// The model it stands for.
    pub(super) fn listed(self) -> Listed {
        let text = || vec!["text".to_owned()];
        Listed {
            name: self.name.unwrap_or_else(|| self.id.clone()),
            id: self.id,
            created: self.created,
            context_length: self.context_length,
            completion_max: self.completion_max,
            inputs: self.inputs.unwrap_or_else(text),
            outputs: self.outputs.unwrap_or_else(text),
            parameters: self.parameters,
            prompt_nanos: self.prompt_nanos,
            completion_nanos: self.completion_nanos,
        }
    }
}

impl ToolLine {
    /// The call, which is the case's `number`th.
    pub(super) fn call(&self, number: usize) -> ToolCall {
        let arguments = match &self.arguments {
            Value::String(text) => text.clone(),
            json => json.to_string(),
        };
        ToolCall { id: format!("call-{number}"), name: self.name.clone(), arguments }
    }
}

impl Output {
    /// What the model is told.
    pub(super) fn of(content: Content) -> Self {
        let Content::ToolResult { parts, is_error, .. } = content else {
            return Self { text: String::new(), is_error: true };
        };
        let text = parts.into_iter().filter_map(|part| match part.content {
            Content::Text(text) => Some(text),
            _ => None,
        });
        Self { text: text.collect(), is_error }
    }
}

/// # Errors
/// Says which call gave something else.
pub(super) fn check_calls(lines: &[ToolLine], outputs: &[Output]) -> Result<(), String> {
    for (number, (line, output)) in (1..).zip(lines.iter().zip(outputs)) {
        let is_told = line.expect.as_ref().is_none_or(|wanted| *wanted == output.text);
        if !is_told || output.is_error != line.is_error {
            return Err(format!("call {number} gives {output:?}, not {line:?}"));
        }
    }
    Ok(())
}

/// # Errors
/// Says what else was reported or charged.
pub(super) fn check_told(
    told: &Told,
    stages: Option<&[StageLine]>,
    charges: &BTreeMap<String, u32>,
) -> Result<(), String> {
    if told.charges != *charges {
        return Err(format!("charged is {:?}, not {charges:?}", told.charges));
    }
    let Some(stages) = stages else { return Ok(()) };
    let fit = stages.iter().zip(&told.stages).all(|(line, stage)| line.fits(stage));
    if stages.len() != told.stages.len() || !fit {
        return Err(format!("reported is {:?}, not {stages:?}", told.stages));
    }
    Ok(())
}

impl StageLine {
    fn fits(&self, stage: &Stage) -> bool {
        let has = |(name, wanted): (&String, &Value)| {
            let field = stage.data.iter().find(|(known, _)| known == name);
            field.and_then(|(_, json)| json.read::<Value>().ok()).as_ref() == Some(wanted)
        };
        self.kind == stage.kind
            && self.name == stage.name
            && (self.summary.is_none() || self.summary == stage.summary)
            && self.data.iter().all(has)
    }
}
