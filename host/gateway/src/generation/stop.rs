//! When rounds end: `max_tool_calls` and `stop_server_tools_when` of a request, within what the
//! operator allows. Then the model is asked once more, to answer with what it has.

use ledger::Money;
use serde::Deserialize;
use wire::{ErrorType, FinishReason, Json, Request};

use crate::error::Error;

/// What the rounds that are over came to.
pub(super) struct Progress<'a> {
    pub(super) rounds: u32,
    /// The tools that were called, in order.
    pub(super) called: &'a [String],
    /// What the model wrote.
    pub(super) tokens: u64,
    pub(super) spent: Money,
}

/// When the model is asked for the last time.
pub(super) struct Stop {
    calls_max: u32,
    conditions: Vec<Condition>,
}

/// `stop_server_tools_when`: any of these.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Condition {
    StepCountIs { step_count: u32 },
    HasToolCall { tool_name: String },
    MaxTokensUsed { max_tokens: u64 },
    MaxCost { max_cost_in_dollars: f64 },
    FinishReasonIs { reason: String },
}

impl Stop {
    /// What a request says of it.
    ///
    /// # Errors
    /// 400 that names the field.
    pub(super) fn read(request: &Request, calls_max: u32) -> Result<Self, Error> {
        let field = |name: &str| {
            let mut rest = request.controls.rest.iter();
            rest.find(|(known, json)| known == name && *json != Json::null()).map(|(_, json)| json)
        };
        let wrong = |name: &str, expected: &str| {
            let message = format!("{name}: expected {expected}");
            Error::client(ErrorType::InvalidRequest, message)
        };
        let asked = match field("max_tool_calls").map(Json::read::<u32>) {
            None => calls_max,
            Some(Ok(asked)) if (1..=calls_max).contains(&asked) => asked,
            Some(_) => {
                let expected = format!("a number from 1 to {calls_max} (plugins.tool_calls_max)");
                return Err(wrong("max_tool_calls", &expected));
            }
        };
        let conditions = field("stop_server_tools_when").map(Json::read::<Vec<Condition>>);
        let conditions = conditions.transpose().map_err(|error| {
            wrong("stop_server_tools_when", &format!("a list of conditions: {error}"))
        })?;
        match conditions {
            Some(conditions) if conditions.is_empty() => {
                Err(wrong("stop_server_tools_when", "one condition at least"))
            }
            // The conditions count instead of the number, within what the operator allows.
            Some(conditions) => Ok(Self { calls_max, conditions }),
            None => Ok(Self { calls_max: asked, conditions: Vec::new() }),
        }
    }

    /// Whether one more call is run. A model may call many tools in one round.
    pub(super) fn allows(&self, called: &[String]) -> bool {
        u32::try_from(called.len()).is_ok_and(|calls| calls < self.calls_max)
    }

    /// Whether the next round is the last.
    pub(super) fn is_met(&self, progress: &Progress<'_>) -> bool {
        !self.allows(progress.called) || self.conditions.iter().any(|it| it.is_met(progress))
    }
}

impl Condition {
    fn is_met(&self, progress: &Progress<'_>) -> bool {
        match self {
            Self::StepCountIs { step_count } => progress.rounds >= *step_count,
            Self::HasToolCall { tool_name } => progress.called.contains(tool_name),
            Self::MaxTokensUsed { max_tokens } => progress.tokens >= *max_tokens,
            Self::MaxCost { max_cost_in_dollars } => {
                let most = Money::from_usd_f64(*max_cost_in_dollars);
                most.is_ok_and(|most| progress.spent >= most)
            }
            // A round ends for another one only when the model calls.
            Self::FinishReasonIs { reason } => reason == FinishReason::ToolCalls.as_str(),
        }
    }
}
