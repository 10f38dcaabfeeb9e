//! Writes a request for an upstream: the client's own bytes with what must change, or a body from
//! the canonical form. Left out, because the dialect has no form for them: `json_object`, `seed`,
//! penalties, log probabilities, and `strict` on tools unless the client opted in to it.

use bytes::Bytes;
use serde_json::Value;

use super::json_text::{ObjectWriter, object, present, write_array};
use super::read_request::{CONTROLS, STANDARD_ONLY};
use super::write_content::Layout;
use super::{NAME, thinking, tools};
use crate::dialect::{Outgoing, ReasoningStyle, Target};
use crate::error::WriteError;
use crate::json::{Json, Object};
use crate::request::{
    Content, Effort, MediaData, Message, Part, Reasoning, Request, ResponseFormat, ToolChoice,
};
use crate::schema::{ANTHROPIC, fit};
use crate::server_tool;
use crate::source::Source;

/// Writes the body and what has to come with it.
pub(super) fn write_request(request: &Request, to: &Target<'_>) -> Result<Outgoing, WriteError> {
    let source = Source::of_dialect(&request.source, NAME);
    let source = source.filter(|_| !server_tool::are_among(request));
    let patched = source.and_then(|bytes| patch(&bytes, request, to).transpose()).transpose()?;
    let body = match patched {
        Some(body) => body,
        None => compose(request, to)?,
    };
    let mut headers = vec![("anthropic-version", VERSION.to_owned())];
    let mut betas: Vec<&str> = request.service.betas.iter().map(String::as_str).collect();
    if request.messages.iter().any(names_file) && !betas.contains(&FILES_BETA) {
        betas.push(FILES_BETA);
    }
    if !betas.is_empty() {
        headers.push(("anthropic-beta", betas.join(",")));
    }
    Ok(Outgoing { path: "/messages".to_owned(), headers, body: Bytes::from(body) })
}

/// The client's bytes, with our model and stream and without what is for the gateway. What the
/// client says stays as it is, unless this model can't take it: thought in a style that it does
/// not know, or another model's thoughts in the conversation.
fn patch(bytes: &Bytes, request: &Request, to: &Target<'_>) -> Result<Option<Vec<u8>>, WriteError> {
    let Some(fields) = std::str::from_utf8(bytes).ok().and_then(|text| Object::parse(text).ok())
    else {
        return Ok(None);
    };
    let settings = match fits(request.reasoning.as_ref(), to.reasoning) {
        true => None,
        false => Some(Settings::of(request, to)?),
    };
    let layout = match request.messages.iter().flat_map(|message| &message.parts).all(is_returnable)
    {
        true => None,
        false => Some(Layout::of(&request.messages)?),
    };
    let mut out = Vec::with_capacity(bytes.len().saturating_add(64));
    let mut writer = ObjectWriter::open(&mut out);
    for (key, value) in &fields.0 {
        match (key.as_ref(), &layout) {
            ("model", _) => writer.field("model", to.model),
            ("stream", _) if to.stream => writer.field("stream", &true),
            ("stream" | "user", _) => {}
            ("max_tokens", _) if value.get() == "null" => {}
            ("messages", Some(layout)) => layout.write_messages(writer.key("messages")),
            (key, _) if GATEWAY_FIELDS.contains(&key) || CONTROLS.contains(&key) => {}
            (key, _) if settings.is_some() && SETTINGS.contains(&key) => {}
            (key, _) => writer.raw(key, value.get()),
        }
    }
    if to.stream && fields.field("stream").is_none() {
        writer.field("stream", &true);
    }
    match settings {
        Some(settings) => settings.write(&mut writer, request),
        None if present(&fields, "max_tokens").is_none() => {
            writer.field("max_tokens", &max_tokens(request, to));
        }
        None => {}
    }
    if present(&fields, "metadata").is_none() {
        write_user(&mut writer, request);
    }
    writer.close();
    Ok(Some(out))
}

fn compose(request: &Request, to: &Target<'_>) -> Result<Vec<u8>, WriteError> {
    let layout = Layout::of(&request.messages)?;
    let settings = Settings::of(request, to)?;
    let tools = tools::of(request)?;
    let mut out = Vec::new();
    let mut writer = ObjectWriter::open(&mut out);
    writer.field("model", to.model);
    if to.stream {
        writer.field("stream", &true);
    }
    if !layout.system.is_empty() {
        layout.write_system(writer.key("system"));
    }
    layout.write_messages(writer.key("messages"));
    if !tools.is_empty() {
        write_array(writer.key("tools"), &tools, |out, tool| {
            out.extend_from_slice(tool.as_str().as_bytes());
        });
        tools::write_choice(&mut writer, request);
    }
    settings.write(&mut writer, request);
    let stop: Vec<_> = request.sampling.stop.iter().filter(|it| !it.trim().is_empty()).collect();
    if !stop.is_empty() {
        writer.field("stop_sequences", &stop);
    }
    write_user(&mut writer, request);
    write_service(&mut writer, request);
    for (key, value) in request.extra.fields_of(NAME) {
        // What is left of these objects was written with the objects themselves.
        if key != "output_config" && key != "metadata" {
            writer.raw(key, value.as_str());
        }
    }
    writer.close();
    Ok(out)
}

fn write_user(writer: &mut ObjectWriter<'_>, request: &Request) {
    let rest = rest_of(request, "metadata");
    if request.user.is_none() && rest.is_none() {
        return;
    }
    let metadata = object(|writer| {
        writer.some("user_id", request.user.as_ref());
        write_rest(writer, rest);
    });
    writer.field("metadata", &metadata);
}

/// Anthropic serves faster whoever has bought that before, unless told not to; it has no slower
/// tier.
fn write_service(writer: &mut ObjectWriter<'_>, request: &Request) {
    let service = &request.service;
    let tier = service.tier.as_deref().and_then(|tier| match tier {
        "default" => Some(STANDARD_ONLY),
        "auto" | "priority" => Some("auto"),
        _ => None,
    });
    writer.some("service_tier", tier);
    writer.some("cache_control", service.cache_control.as_ref());
}

/// The settings that depend on each other: the limit, thought, the form, how tokens are drawn.
#[derive(Debug)]
struct Settings {
    max_tokens: u32,
    thinking: Thinking,
    effort: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Thinking {
    Unsaid,
    Off,
    Budget(u32),
    Adaptive { is_shown: bool },
}

impl Settings {
    fn of(request: &Request, to: &Target<'_>) -> Result<Self, WriteError> {
        let max_tokens = max_tokens(request, to);
        let mut settings =
            Self { max_tokens, thinking: Thinking::Unsaid, effort: verbosity(request, to) };
        let Some(reasoning) = &request.reasoning else { return Ok(settings) };
        if is_off(reasoning) {
            let knows = to.reasoning != ReasoningStyle::None;
            settings.thinking = if knows { Thinking::Off } else { Thinking::Unsaid };
            return Ok(settings);
        }
        let asks = reasoning.enabled == Some(true)
            || reasoning.effort.is_some()
            || reasoning.max_tokens.is_some();
        // A forced call leaves no room for thought: Anthropic refuses the two together.
        let choice = &request.tool_choice;
        let is_forced = matches!(choice, Some(ToolChoice::Required | ToolChoice::Function(_)))
            && !request.tools.is_empty();
        match to.reasoning {
            ReasoningStyle::None => {}
            _ if !asks => {}
            ReasoningStyle::Budget if !is_forced => settings.think_within(reasoning, request)?,
            ReasoningStyle::Budget => {}
            ReasoningStyle::Adaptive | ReasoningStyle::Effort => {
                if !is_forced {
                    settings.thinking = Thinking::Adaptive { is_shown: !reasoning.exclude };
                }
                settings.effort = settings.effort.or(effort(reasoning, max_tokens, to));
            }
        }
        Ok(settings)
    }

    /// Sets the budget. What the client limited stays limited: a reply too short to think in is
    /// written without thought, unless the client named a budget.
    fn think_within(&mut self, reasoning: &Reasoning, request: &Request) -> Result<(), WriteError> {
        if let Some(asked) = reasoning.max_tokens {
            let budget = asked.max(BUDGET_MIN);
            if budget >= self.max_tokens && request.sampling.max_tokens.is_none() {
                self.max_tokens = budget.saturating_add(MAX_TOKENS_DEFAULT);
            }
            if budget >= self.max_tokens {
                let limit = self.max_tokens;
                let what = format!(
                    "a thinking budget of {budget} tokens within `max_tokens` of {limit}; \
                     raise `max_tokens` above the budget"
                );
                return Err(WriteError { dialect: NAME, what });
            }
            self.thinking = Thinking::Budget(budget);
            return Ok(());
        }
        let percent = u64::from(percent_of(reasoning.effort.unwrap_or(Effort::Medium)));
        let share = u64::from(self.max_tokens).saturating_mul(percent) / 100;
        let share = u32::try_from(share).unwrap_or(BUDGET_MAX);
        let budget = share.clamp(BUDGET_MIN, BUDGET_MAX);
        if budget < self.max_tokens {
            self.thinking = Thinking::Budget(budget);
        }
        Ok(())
    }

    fn write(&self, writer: &mut ObjectWriter<'_>, request: &Request) {
        writer.field("max_tokens", &self.max_tokens);
        match self.thinking {
            Thinking::Unsaid => {}
            Thinking::Off => writer.raw("thinking", r#"{"type":"disabled"}"#),
            Thinking::Budget(budget) => {
                let thinking = object(|writer| {
                    writer.field("type", "enabled");
                    writer.field("budget_tokens", &budget);
                });
                writer.field("thinking", &thinking);
            }
            Thinking::Adaptive { is_shown } => {
                let thinking = object(|writer| {
                    writer.field("type", "adaptive");
                    writer.field("display", if is_shown { "summarized" } else { "omitted" });
                });
                writer.field("thinking", &thinking);
            }
        }
        self.write_output_config(writer, request);
        self.write_sampling(writer, request);
    }

    fn write_sampling(&self, writer: &mut ObjectWriter<'_>, request: &Request) {
        let sampling = &request.sampling;
        // With thought on, Anthropic takes only the usual temperature, no top_k, and top_p near 1.
        let thinks = matches!(self.thinking, Thinking::Budget(_) | Thinking::Adaptive { .. });
        if thinks {
            let near_one = |top_p: &f64| *top_p >= THINKING_TOP_P_MIN;
            return writer.some("top_p", sampling.top_p.filter(near_one).as_ref());
        }
        // The dialect's scale ends at 1, others' at 2.
        let temperature = sampling.temperature.map(|it| it.clamp(0.0, 1.0));
        writer.some("temperature", temperature.as_ref());
        // Claude since 4.1 refuses the two together.
        let top_p = sampling.top_p.filter(|_| temperature.is_none());
        writer.some("top_p", top_p.as_ref());
        writer.some("top_k", sampling.top_k.as_ref());
    }

    fn write_output_config(&self, writer: &mut ObjectWriter<'_>, request: &Request) {
        let format = match &request.response_format {
            Some(ResponseFormat::JsonSchema { schema: Some(schema), .. }) => {
                let fitting = fit(&schema.read::<Value>().unwrap_or_default(), &ANTHROPIC);
                Some(object(|writer| {
                    writer.field("type", "json_schema");
                    match fitting {
                        Some(fitting) => writer.field("schema", &fitting),
                        None => writer.field("schema", schema),
                    }
                }))
            }
            Some(ResponseFormat::Other(other)) if other.dialect == NAME => Some(other.json.clone()),
            _ => None,
        };
        let rest = rest_of(request, "output_config");
        if self.effort.is_none() && format.is_none() && rest.is_none() {
            return;
        }
        let config = object(|writer| {
            writer.some("effort", self.effort);
            writer.some("format", format.as_ref());
            write_rest(writer, rest);
        });
        writer.field("output_config", &config);
    }
}

/// Whether a model of this style takes what the client said in the dialect's own words. A model
/// whose style is not known gets them as they are.
fn fits(reasoning: Option<&Reasoning>, style: ReasoningStyle) -> bool {
    let Some(reasoning) = reasoning.filter(|reasoning| reasoning.enabled == Some(true)) else {
        return true;
    };
    match style {
        ReasoningStyle::None => true,
        ReasoningStyle::Budget => reasoning.max_tokens.is_some(),
        ReasoningStyle::Adaptive | ReasoningStyle::Effort => reasoning.max_tokens.is_none(),
    }
}

fn is_off(reasoning: &Reasoning) -> bool {
    reasoning.enabled == Some(false)
        || reasoning.effort == Some(Effort::None)
        || reasoning.max_tokens == Some(0)
}

/// How much is said, which is the same word as how much is thought and wins over it. Claudes that
/// only know budgets mostly refuse it; the catalog names the efforts of those that don't.
fn verbosity(request: &Request, to: &Target<'_>) -> Option<&'static str> {
    let knows = match to.reasoning {
        ReasoningStyle::Adaptive | ReasoningStyle::Effort => true,
        ReasoningStyle::Budget | ReasoningStyle::None => !to.efforts.is_empty(),
    };
    let verbosity = request.service.verbosity.filter(|_| knows)?;
    Some(to.nearest_effort(verbosity).max(Effort::Low).as_str())
}

/// The effort that is asked for, or the nearest to a budget.
fn effort(reasoning: &Reasoning, max_tokens: u32, to: &Target<'_>) -> Option<&'static str> {
    let asked = match (reasoning.effort, reasoning.max_tokens) {
        (Some(Effort::None), _) | (None, None) => return None,
        (Some(effort), _) => effort,
        (None, Some(budget)) => {
            let percent = u64::from(budget).saturating_mul(100) / u64::from(max_tokens.max(1));
            match percent {
                0..35 => Effort::Low,
                35..65 => Effort::Medium,
                65..90 => Effort::High,
                _ => Effort::Max,
            }
        }
    };
    Some(to.nearest_effort(asked).max(Effort::Low).as_str())
}

/// The share of `max_tokens` that OpenRouter gives an effort.
fn percent_of(effort: Effort) -> u8 {
    match effort {
        Effort::Max | Effort::Xhigh => 95,
        Effort::High => 80,
        Effort::Medium => 50,
        Effort::Low => 20,
        Effort::Minimal | Effort::None => 10,
    }
}

/// The dialect demands a limit: the client's, else all that the endpoint can write.
fn max_tokens(request: &Request, to: &Target<'_>) -> u32 {
    request.sampling.max_tokens.or(to.max_output_tokens).unwrap_or(MAX_TOKENS_DEFAULT)
}

/// Whether Anthropic can take the part back as the client sent it.
fn is_returnable(part: &Part) -> bool {
    match &part.content {
        Content::Reasoning { detail, .. } => thinking::is_claudes(detail.as_ref()),
        _ => true,
    }
}

fn names_file(message: &Message) -> bool {
    let is_id = |part: &Part| match &part.content {
        Content::Media(media) => matches!(media.data, MediaData::Id(_)),
        _ => false,
    };
    message.parts.iter().any(|part| match &part.content {
        Content::ToolResult { parts, .. } => parts.iter().any(is_id),
        _ => is_id(part),
    })
}

fn rest_of<'a>(request: &'a Request, key: &str) -> Option<&'a Json> {
    let fields = request.extra.fields_of(NAME);
    fields.iter().find(|(known, _)| known == key).map(|(_, value)| value)
}

fn write_rest(writer: &mut ObjectWriter<'_>, rest: Option<&Json>) {
    let fields = rest.and_then(|rest| rest.read::<Object<'_>>().ok()).unwrap_or_default();
    fields.0.iter().for_each(|(key, value)| writer.raw(key, value.get()));
}

const VERSION: &str = "2023-06-01";
const FILES_BETA: &str = "files-api-2025-04-14";

/// Written when neither the client nor the catalog knows a limit; every Claude can write as much.
const MAX_TOKENS_DEFAULT: u32 = 4096;

/// Anthropic's least budget, and OpenRouter's greatest.
const BUDGET_MIN: u32 = 1024;
const BUDGET_MAX: u32 = 128_000;

const THINKING_TOP_P_MIN: f64 = 0.95;

/// What [`Settings`] writes.
const SETTINGS: [&str; 7] =
    ["max_tokens", "thinking", "output_config", "output_format", "temperature", "top_p", "top_k"];

/// `Controls` beside its `rest`.
const GATEWAY_FIELDS: [&str; 5] = ["models", "fallbacks", "provider", "plugins", "session_id"];
