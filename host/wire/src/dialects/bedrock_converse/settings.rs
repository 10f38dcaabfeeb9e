//! The settings that depend on each other and on the model: the limit, thought, how tokens are drawn.
//! What is the model's own goes into `additionalModelRequestFields`.

use super::model::Family;
use super::write_request::{refuse, rest_of, write_rest};
use crate::dialect::{ReasoningStyle, Target};
use crate::error::WriteError;
use crate::json::Json;
use crate::json_text::{ObjectWriter, object};
use crate::request::{Effort, Reasoning, Request, ToolChoice};

/// What is written, once it is settled.
#[derive(Debug)]
pub(super) struct Settings {
    family: Family,
    max_tokens: Option<u32>,
    thinking: Thinking,
    effort: Option<Effort>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Thinking {
    Unsaid,
    Off,
    Budget(u32),
    Adaptive,
}

impl Settings {
    /// Settles what a request asks for.
    ///
    /// # Errors
    /// A budget that the client's own limit leaves no room for.
    pub(super) fn of(
        request: &Request,
        to: &Target<'_>,
        family: Family,
    ) -> Result<Self, WriteError> {
        let max_tokens = request.sampling.max_tokens;
        let mut settings = Self { family, max_tokens, thinking: Thinking::Unsaid, effort: None };
        let Some(reasoning) = &request.reasoning else { return Ok(settings) };
        if to.reasoning == ReasoningStyle::None {
            return Ok(settings);
        }
        if reasoning.enabled == Some(false)
            || reasoning.effort == Some(Effort::None)
            || reasoning.max_tokens == Some(0)
        {
            settings.thinking = Thinking::Off;
            return Ok(settings);
        }
        let asks = reasoning.enabled == Some(true)
            || reasoning.effort.is_some()
            || reasoning.max_tokens.is_some();
        if !asks {
            return Ok(settings);
        }
        // A forced call leaves no room for thought: Claude refuses the two together.
        let is_forced =
            matches!(request.tool_choice, Some(ToolChoice::Required | ToolChoice::Function(_)))
                && !request.tools.is_empty()
                && family == Family::Claude;
        if to.reasoning == ReasoningStyle::Budget {
            if !is_forced {
                settings.think_within(reasoning, request, to)?;
            }
            return Ok(settings);
        }
        if !is_forced {
            settings.thinking = Thinking::Adaptive;
        }
        let asked = reasoning.effort.or_else(|| nearest(reasoning.max_tokens?, max_tokens));
        settings.effort = asked.map(|effort| to.nearest_effort(effort));
        // Nova takes no limit beside its highest effort, and the client's limit comes first.
        if family == Family::Nova && max_tokens.is_some() {
            settings.effort = settings.effort.map(|effort| effort.min(Effort::Medium));
        }
        Ok(settings)
    }

    /// Whether only the usual way to draw tokens is taken beside the thought.
    fn draws_alone(&self) -> bool {
        match self.family {
            Family::Claude => self.thinks(),
            Family::Nova => self.thinks() && self.effort.is_some_and(|it| it > Effort::Medium),
            Family::Gpt | Family::Other => false,
        }
    }

    /// Sets the budget. What the client limited stays limited: a reply too short to think in is
    /// written without thought, unless the client named a budget.
    fn think_within(
        &mut self,
        reasoning: &Reasoning,
        request: &Request,
        to: &Target<'_>,
    ) -> Result<(), WriteError> {
        let limit = request.sampling.max_tokens.or(to.max_output_tokens);
        let limit = limit.unwrap_or(MAX_TOKENS_DEFAULT);
        let Some(asked) = reasoning.max_tokens else {
            let percent = u64::from(percent_of(reasoning.effort.unwrap_or(Effort::Medium)));
            let share = u64::from(limit).saturating_mul(percent) / 100;
            let budget = u32::try_from(share).unwrap_or(BUDGET_MAX).clamp(BUDGET_MIN, BUDGET_MAX);
            if budget < limit {
                self.max_tokens = Some(limit);
                self.thinking = Thinking::Budget(budget);
            }
            return Ok(());
        };
        let budget = asked.max(BUDGET_MIN);
        let limit = match request.sampling.max_tokens {
            None if budget >= limit => budget.saturating_add(MAX_TOKENS_DEFAULT),
            _ => limit,
        };
        if budget >= limit {
            return Err(refuse(&format!(
                "a thinking budget of {budget} tokens within `max_tokens` of {limit}; \
                 raise `max_tokens` above the budget"
            )));
        }
        self.max_tokens = Some(limit);
        self.thinking = Thinking::Budget(budget);
        Ok(())
    }

    fn thinks(&self) -> bool {
        matches!(self.thinking, Thinking::Budget(_) | Thinking::Adaptive)
    }

    /// Writes `inferenceConfig`.
    pub(super) fn write_inference(&self, writer: &mut ObjectWriter<'_>, request: &Request) {
        let sampling = &request.sampling;
        // The dialect's scale ends at 1, others' at 2.
        let temperature = sampling.temperature.filter(|_| !self.draws_alone());
        let temperature = temperature.map(|it| it.clamp(0.0, 1.0));
        let top_p = sampling.top_p.filter(|top_p| match self.family {
            Family::Claude if self.thinks() => *top_p >= THINKING_TOP_P_MIN,
            // Claude since 4.1 refuses the two together.
            Family::Claude => temperature.is_none(),
            Family::Nova | Family::Gpt | Family::Other => !self.draws_alone(),
        });
        let stop: Vec<_> = sampling.stop.iter().filter(|it| !it.trim().is_empty()).collect();
        let config = object(|writer| {
            writer.some("maxTokens", self.max_tokens.as_ref());
            writer.some("temperature", temperature.as_ref());
            writer.some("topP", top_p.as_ref());
            if !stop.is_empty() {
                writer.field("stopSequences", &stop);
            }
            write_rest(writer, rest_of(request, "inferenceConfig"));
        });
        if config.as_str() != "{}" {
            writer.field("inferenceConfig", &config);
        }
    }

    /// Writes `additionalModelRequestFields`.
    pub(super) fn write_model_fields(&self, writer: &mut ObjectWriter<'_>, request: &Request) {
        let top_k = request.sampling.top_k.filter(|_| !self.draws_alone());
        let fields = object(|writer| {
            match self.family {
                Family::Claude => {
                    writer.some("thinking", self.claudes_thinking(request).as_ref());
                    if let Some(effort) = self.effort {
                        let name = if effort == Effort::Minimal { "low" } else { effort.as_str() };
                        let config = object(|writer| writer.field("effort", name));
                        writer.field("output_config", &config);
                    }
                    writer.some("top_k", top_k.as_ref());
                }
                Family::Nova => {
                    writer.some("reasoningConfig", self.novas_thinking().as_ref());
                    if let Some(top_k) = top_k {
                        let config = object(|writer| writer.field("topK", &top_k));
                        writer.field("inferenceConfig", &config);
                    }
                }
                Family::Gpt => {
                    let effort = self.effort.map(at_most_high);
                    writer.some("reasoning_effort", effort);
                }
                Family::Other => {}
            }
            write_rest(writer, rest_of(request, "additionalModelRequestFields"));
        });
        if fields.as_str() != "{}" {
            writer.field("additionalModelRequestFields", &fields);
        }
    }

    fn claudes_thinking(&self, request: &Request) -> Option<Json> {
        let is_shown = request.reasoning.as_ref().is_none_or(|reasoning| !reasoning.exclude);
        Some(match self.thinking {
            Thinking::Unsaid => return None,
            Thinking::Off => object(|writer| writer.field("type", "disabled")),
            Thinking::Budget(budget) => object(|writer| {
                writer.field("type", "enabled");
                writer.field("budget_tokens", &budget);
            }),
            Thinking::Adaptive => object(|writer| {
                writer.field("type", "adaptive");
                writer.field("display", if is_shown { "summarized" } else { "omitted" });
            }),
        })
    }

    fn novas_thinking(&self) -> Option<Json> {
        match self.thinking {
            Thinking::Unsaid => None,
            Thinking::Off => Some(object(|writer| writer.field("type", "disabled"))),
            Thinking::Budget(_) | Thinking::Adaptive => Some(object(|writer| {
                let effort = self.effort.unwrap_or(Effort::Medium);
                writer.field("type", "enabled");
                writer.field("maxReasoningEffort", at_most_high(effort));
            })),
        }
    }
}

/// The effort's name where `low`, `medium` and `high` are all there is.
fn at_most_high(effort: Effort) -> &'static str {
    match effort {
        Effort::None | Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High | Effort::Xhigh | Effort::Max => "high",
    }
}

/// The effort that comes nearest to a budget.
fn nearest(budget: u32, max_tokens: Option<u32>) -> Option<Effort> {
    let limit = u64::from(max_tokens.unwrap_or(MAX_TOKENS_DEFAULT).max(1));
    Some(match u64::from(budget).saturating_mul(100) / limit {
        0..35 => Effort::Low,
        35..65 => Effort::Medium,
        65..90 => Effort::High,
        _ => Effort::Max,
    })
}

/// The share of the limit that OpenRouter gives an effort.
fn percent_of(effort: Effort) -> u8 {
    match effort {
        Effort::Max | Effort::Xhigh => 95,
        Effort::High => 80,
        Effort::Medium => 50,
        Effort::Low => 20,
        Effort::Minimal | Effort::None => 10,
    }
}

/// Assumed when neither the client nor the catalog knows a limit; every Claude can write as much.
const MAX_TOKENS_DEFAULT: u32 = 4096;

/// Anthropic's least budget, and OpenRouter's greatest.
const BUDGET_MIN: u32 = 1024;
const BUDGET_MAX: u32 = 128_000;

const THINKING_TOP_P_MIN: f64 = 0.95;
