//! Writing requests for upstreams. A body of this dialect is patched: every byte that the gateway
//! does not own goes through. Everything else is written from the canonical form.

use bytes::Bytes;

use super::input_write;
use super::request_patch;
use super::request_read::{INCLUDE_LOGPROBS, INCLUDE_THOUGHT};
use super::{NAME, tools_write};
use crate::dialect::{Outgoing, ReasoningStyle, Target};
use crate::dialects::openai_chat::emit::Object as Writer;
use crate::error::WriteError;
use crate::json::{Json, Object};
use crate::request::{Effort, Reasoning, Request, ResponseFormat};
use crate::source::Source;

/// Writes a request for an upstream.
pub(super) fn write(request: &Request, to: &Target<'_>) -> Result<Outgoing, WriteError> {
    let rules = Rules { to };
    let is_picture = |word: &String| word != "text";
    if !rules.is_openrouter()
        && let Some(word) = request.service.modalities.iter().find(|word| is_picture(word))
    {
        return Err(rules.cannot(format!("a reply of {word}")));
    }
    let source = Source::of_dialect(&request.source, NAME);
    let source = source.filter(|_| rules.is_openrouter() || !tools_write::are_reworded(request));
    let text = source.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
    let body = match text.and_then(|text| Object::parse(text).ok()) {
        Some(fields) => Bytes::from(request_patch::patch(request, &rules, &fields)),
        None => Bytes::from(write_canonical(request, &rules)?),
    };
    let headers = match rules.is_openrouter() {
        true => request.service.openrouter_headers(),
        false => Vec::new(),
    };
    Ok(Outgoing { path: "/responses".to_owned(), headers, body })
}

/// What an upstream takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules<'t> {
    /// Where the request goes.
    pub(super) to: &'t Target<'t>,
}

impl Rules<'_> {
    /// Whether OpenRouter's extensions are known.
    pub(super) fn is_openrouter(&self) -> bool {
        self.to.quirks.openrouter_reasoning
    }

    /// The error that there is no form for something.
    pub(super) fn cannot(&self, what: String) -> WriteError {
        WriteError { dialect: NAME, what }
    }

    /// Whether the upstream refuses a field that the canonical form knows.
    pub(super) fn is_refused(&self, name: &str) -> bool {
        const NOT_OPENAIS: [&str; 14] = [
            "top_k",
            "min_p",
            "top_a",
            "frequency_penalty",
            "presence_penalty",
            "repetition_penalty",
            "seed",
            "stop",
            "logit_bias",
            "logprobs",
            "n",
            "cache_control",
            "image_config",
            "modalities",
        ];
        !self.is_openrouter() && NOT_OPENAIS.contains(&name)
    }

    /// The effort to ask for, in words that the model knows; `None` says nothing.
    pub(super) fn effort(&self, reasoning: Option<&Reasoning>) -> Option<Effort> {
        let reasoning = reasoning.filter(|_| self.to.reasoning != ReasoningStyle::None)?;
        if reasoning.enabled == Some(false) {
            return Some(Effort::None);
        }
        let of_budget = |budget: u32| match budget {
            0 => Effort::None,
            1..=2048 => Effort::Low,
            2049..=8192 => Effort::Medium,
            _ => Effort::High,
        };
        let is_on = (reasoning.enabled == Some(true)).then_some(Effort::Medium);
        let asked = reasoning.effort.or(reasoning.max_tokens.map(of_budget)).or(is_on)?;
        match self.to.nearest_effort(asked) {
            // `max` is OpenRouter's word for the highest that models know.
            Effort::Max if self.to.efforts.is_empty() => Some(Effort::Xhigh),
            effort => Some(effort),
        }
    }

    /// Whether the model may think, so that its thought is to come back encrypted: nothing is
    /// stored for the next turn.
    pub(super) fn is_thinking(&self, reasoning: Option<&Reasoning>) -> bool {
        self.to.reasoning != ReasoningStyle::None && self.effort(reasoning) != Some(Effort::None)
    }

    /// What the reply is to hold beside itself.
    pub(super) fn include(&self, request: &Request, asked: &[String]) -> Vec<String> {
        let mut include = asked.to_vec();
        let wishes = [
            (INCLUDE_THOUGHT, self.is_thinking(request.reasoning.as_ref())),
            (INCLUDE_LOGPROBS, request.sampling.logprobs == Some(true)),
        ];
        for (name, is_wanted) in wishes {
            if is_wanted && !include.iter().any(|known| known == name) {
                include.push(name.to_owned());
            }
        }
        include
    }
}

fn write_canonical(request: &Request, rules: &Rules<'_>) -> Result<Vec<u8>, WriteError> {
    let mut out = Vec::new();
    let mut body = Writer::begin(&mut out);
    body.value("model", rules.to.model);
    body.optional("stream", Some(&true).filter(|_| rules.to.stream));
    let messages = input_write::instructions(&request.messages, &mut body);
    input_write::write(messages, request, rules, body.key("input"))?;
    let has_tools = tools_write::write(request, rules, &mut body)?;
    if has_tools || request.tools.is_empty() {
        let choice = request.tool_choice.as_ref();
        tools_write::write_choice(choice, &request.custom_tools, rules, &mut body)?;
        body.optional("parallel_tool_calls", request.parallel_tool_calls.as_ref());
    }
    write_sampling(request, rules, &mut body);
    write_thinking(request, rules, &mut body);
    write_text(request, rules, &mut body)?;
    write_service(request, rules, &mut body);
    body.raw("store", "false");
    let asked = request.extra.fields_of(NAME).iter().find(|(name, _)| name == "include");
    let asked: Vec<String> = asked.and_then(|(_, json)| json.read().ok()).unwrap_or_default();
    let include = rules.include(request, &asked);
    body.optional("include", Some(&include).filter(|include| !include.is_empty()));
    body.optional("user", request.user.as_ref());
    for (name, json) in request.extra.fields_of(NAME) {
        if name != "include" && !rules.is_refused(name) {
            body.raw(name, json.as_str());
        }
    }
    body.end();
    Ok(out)
}

fn write_sampling(request: &Request, rules: &Rules<'_>, body: &mut Writer<'_>) {
    let sampling = &request.sampling;
    body.optional("max_output_tokens", sampling.max_tokens.as_ref());
    let numbers = [
        ("temperature", sampling.temperature),
        ("top_p", sampling.top_p),
        ("min_p", sampling.min_p),
        ("top_a", sampling.top_a),
        ("frequency_penalty", sampling.frequency_penalty),
        ("presence_penalty", sampling.presence_penalty),
        ("repetition_penalty", sampling.repetition_penalty),
    ];
    for (name, number) in numbers {
        body.optional(name, number.as_ref().filter(|_| !rules.is_refused(name)));
    }
    body.optional("top_k", sampling.top_k.as_ref().filter(|_| !rules.is_refused("top_k")));
    body.optional("seed", sampling.seed.as_ref().filter(|_| !rules.is_refused("seed")));
    let stop = Some(&sampling.stop).filter(|stop| !stop.is_empty() && !rules.is_refused("stop"));
    body.optional("stop", stop);
    let bias = sampling.logit_bias.as_ref().filter(|_| !rules.is_refused("logit_bias"));
    body.optional("logit_bias", bias);
    body.optional("top_logprobs", sampling.top_logprobs.as_ref());
}

/// Writes `reasoning`. OpenAI shows no thought unless a summary is asked for, which clients of
/// other dialects never do.
fn write_thinking(request: &Request, rules: &Rules<'_>, body: &mut Writer<'_>) {
    let Some(reasoning) = &request.reasoning else { return };
    if rules.is_openrouter() {
        return body.object("reasoning", |object| {
            object.optional("enabled", reasoning.enabled.as_ref());
            object.optional("effort", reasoning.effort.map(Effort::as_str).as_ref());
            object.optional("max_tokens", reasoning.max_tokens.as_ref());
            object.optional("exclude", Some(&true).filter(|_| reasoning.exclude));
            object.optional("summary", reasoning.summary.as_ref());
        });
    }
    if rules.to.reasoning == ReasoningStyle::None {
        return;
    }
    let effort = rules.effort(Some(reasoning));
    let is_shown = !reasoning.exclude && effort != Some(Effort::None);
    let summary = reasoning.summary.as_deref().or(is_shown.then_some("auto"));
    body.object("reasoning", |object| {
        object.optional("effort", effort.map(Effort::as_str).as_ref());
        object.optional("summary", summary.as_ref());
    });
}

fn write_text(
    request: &Request,
    rules: &Rules<'_>,
    body: &mut Writer<'_>,
) -> Result<(), WriteError> {
    let verbosity = request.service.verbosity.map(|verbosity| match verbosity {
        Effort::Xhigh | Effort::Max if !rules.is_openrouter() => Effort::High,
        verbosity => verbosity,
    });
    let format = request.response_format.as_ref().filter(|it| **it != ResponseFormat::Text);
    if format.is_none() && verbosity.is_none() {
        return Ok(());
    }
    if let Some(ResponseFormat::Other(other)) = format
        && other.dialect != NAME
    {
        return Err(rules.cannot(format!("a response format of {}", other.dialect)));
    }
    body.object("text", |text| {
        if let Some(format) = format {
            write_format(format, rules, text);
        }
        text.optional("verbosity", verbosity.map(Effort::as_str).as_ref());
    });
    Ok(())
}

fn write_format(format: &ResponseFormat, rules: &Rules<'_>, text: &mut Writer<'_>) {
    match format {
        ResponseFormat::Text => {}
        ResponseFormat::JsonSchema { name, description, schema, strict }
            if !rules.to.quirks.no_json_schema =>
        {
            text.object("format", |format| {
                format.raw("type", r#""json_schema""#);
                format.value("name", name);
                format.optional("description", description.as_ref());
                let any = || Json::parse(r#"{"type":"object"}"#).ok();
                format.value("schema", &schema.clone().or_else(any));
                format.optional("strict", strict.as_ref());
            });
        }
        ResponseFormat::JsonObject | ResponseFormat::JsonSchema { .. } => {
            text.raw("format", r#"{"type":"json_object"}"#);
        }
        ResponseFormat::Other(other) => text.raw("format", other.json.as_str()),
    }
}

fn write_service(request: &Request, rules: &Rules<'_>, body: &mut Writer<'_>) {
    let service = &request.service;
    body.optional("service_tier", service.tier.as_deref().map(|tier| rules.tier(tier)).as_ref());
    body.optional("prompt_cache_key", service.prompt_cache_key.as_ref());
    if rules.is_openrouter() {
        body.optional("cache_control", service.cache_control.as_ref());
        body.optional("image_config", service.image_config.as_ref());
        let modalities = Some(&service.modalities).filter(|list| !list.is_empty());
        body.optional("modalities", modalities);
    }
}

impl Rules<'_> {
    /// OpenAI's word for a tier.
    pub(super) fn tier<'w>(&self, word: &'w str) -> &'w str {
        match word {
            "fast" if !self.is_openrouter() => "priority",
            word => word,
        }
    }
}
