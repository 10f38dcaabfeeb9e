//! Requests on their way out of a plugin that replaced one.

use wire::{Content, Effort, Extra, Media, MediaData, MediaKind, Message, Part, Request};

use super::super::bindings::types as wit;
use super::super::fault::{Failed, Fault};
use super::super::media::{self, Held};
use super::{controls, lift_detail, lift_fields, lift_json, lift_role};

/// What a plugin's request is joined with again: what never entered the sandbox.
pub(in crate::plugin) struct Host<'a> {
    /// The request as the plugin got it.
    pub(in crate::plugin) request: &'a Request,
    /// Its inline media.
    pub(in crate::plugin) held: &'a [Held],
    /// The dialect that fields without one belong to: the client's.
    pub(in crate::plugin) surface: &'static str,
}

/// The request that a guest returned. Controls that it does not see stay the host's.
///
/// # Errors
/// JSON that is none, or a medium that the host does not hold.
pub(in crate::plugin) fn lift_request(
    it: wit::RequestResult,
    host: &Host<'_>,
) -> Result<Request, Failed> {
    let message = |message: wit::MessageResult| host.message(message);
    let mut extra = host.extra(it.extra, "extra")?;
    let mut own = host.request.controls.clone();
    controls::take(&mut own, &mut extra.fields)?;
    Ok(Request {
        model: it.model,
        stream: host.request.stream,
        messages: it.messages.into_iter().map(message).collect::<Result<_, _>>()?,
        tools: it.tools.into_iter().map(|tool| host.tool(tool)).collect::<Result<_, _>>()?,
        tool_choice: it.tool_choice.map(|choice| host.choice(choice)).transpose()?,
        parallel_tool_calls: it.parallel_tool_calls,
        sampling: lift_sampling(it.sampling)?,
        reasoning: it.reasoning.map(lift_thinking),
        response_format: it.response_format.map(|format| host.format(format)).transpose()?,
        user: it.user,
        service: host.request.service.clone(),
        custom_tools: host.request.custom_tools.clone(),
        controls: own,
        extra,
        source: None,
    })
}

impl Host<'_> {
    fn message(&self, it: wit::MessageResult) -> Result<Message, Failed> {
        let part = |part: wit::PartResult| {
            Ok(Part {
                content: self.content(part.content)?,
                cache_control: part
                    .cache_control
                    .map(|json| lift_json(json, "cache-control"))
                    .transpose()?,
            })
        };
        Ok(Message {
            role: lift_role(it.role),
            name: it.name,
            parts: it.parts.into_iter().map(part).collect::<Result<_, Failed>>()?,
            extra: self.extra(it.extra, "a message's extra")?,
        })
    }

    fn content(&self, content: wit::ContentResult) -> Result<Content, Failed> {
        use wit::ContentResult as From;
        Ok(match content {
            From::Text(text) => Content::Text(text),
            From::Media(media) => Content::Media(self.media(media)?),
            From::ToolCall(it) => {
                Content::ToolCall { id: it.id, name: it.name, arguments: it.arguments }
            }
            From::ToolResult(it) => {
                let parts = it.parts.into_iter().map(|part| self.result_part(part));
                Content::ToolResult {
                    call_id: it.call_id,
                    parts: parts.collect::<Result<_, _>>()?,
                    is_error: it.is_error,
                }
            }
            From::Reasoning(it) => {
                Content::Reasoning { text: it.text, detail: it.detail.map(lift_detail) }
            }
            From::Refusal(text) => Content::Refusal(text),
            From::Other(other) => Content::Other(self.other(other)?),
        })
    }

    fn result_part(&self, part: wit::ToolResultPartResult) -> Result<Part, Failed> {
        use wit::ToolResultPartResult as From;
        Ok(Part::new(match part {
            From::Text(text) => Content::Text(text),
            From::Media(media) => Content::Media(self.media(media)?),
            From::Other(other) => Content::Other(self.other(other)?),
        }))
    }

    fn media(&self, it: wit::MediaResult) -> Result<Media, Failed> {
        let data = match it.data {
            wit::MediaDataResult::Url(url) => MediaData::Url(url),
            wit::MediaDataResult::Id(id) => MediaData::Id(id),
            wit::MediaDataResult::Inline(it) => {
                MediaData::Inline { mime: it.mime, base64: media::encode(&it.bytes) }
            }
            wit::MediaDataResult::Held(number) => {
                let held = usize::try_from(number).ok().and_then(|index| self.held.get(index));
                let missing = || {
                    let count = self.held.len();
                    let why = format!("medium {number} is not held; the request has {count}");
                    Failed::new(Fault::Error, why)
                };
                let Held { mime, base64 } = held.ok_or_else(missing)?;
                MediaData::Inline { mime: mime.clone(), base64: base64.clone() }
            }
        };
        let kind = match it.kind {
            wit::MediaKind::Image => MediaKind::Image,
            wit::MediaKind::Audio => MediaKind::Audio,
            wit::MediaKind::Video => MediaKind::Video,
            wit::MediaKind::File => MediaKind::File,
        };
        Ok(Media { kind, data, name: it.name, detail: it.detail })
    }

    fn other(&self, it: wit::OtherResult) -> Result<wire::Other, Failed> {
        let name = it.kind.split_once('.').map_or(it.kind.as_str(), |(dialect, _)| dialect);
        let dialect = wire::dialect(name).map(wire::Dialect::name).ok_or_else(|| {
            let why = format!("`{}` begins with no dialect (`openai-chat.…`)", it.kind);
            Failed::new(Fault::Error, why)
        })?;
        Ok(wire::Other { dialect, json: lift_json(it.json, "an `other` part")? })
    }

    fn extra(&self, fields: Vec<wit::FieldResult>, place: &str) -> Result<Extra, Failed> {
        let known = self.request.extra.dialect;
        let dialect = if known.is_empty() { self.surface } else { known };
        Ok(Extra { dialect, fields: lift_fields(fields, place)? })
    }

    fn tool(&self, tool: wit::ToolResult) -> Result<wire::Tool, Failed> {
        Ok(match tool {
            wit::ToolResult::Function(it) => lift_function(it)?,
            wit::ToolResult::Other(other) => wire::Tool::Other(self.other(other)?),
        })
    }

    fn choice(&self, choice: wit::ToolChoiceResult) -> Result<wire::ToolChoice, Failed> {
        use wit::ToolChoiceResult as From;
        Ok(match choice {
            From::Auto => wire::ToolChoice::Auto,
            From::None => wire::ToolChoice::None,
            From::Required => wire::ToolChoice::Required,
            From::Function(name) => wire::ToolChoice::Function(name),
            From::Other(other) => wire::ToolChoice::Other(self.other(other)?),
        })
    }

    fn format(&self, format: wit::ResponseFormatResult) -> Result<wire::ResponseFormat, Failed> {
        use wit::ResponseFormatResult as From;
        Ok(match format {
            From::Text => wire::ResponseFormat::Text,
            From::JsonObject => wire::ResponseFormat::JsonObject,
            From::JsonSchema(it) => {
                let schema = it.schema.map(|schema| lift_json(schema, "the response's schema"));
                wire::ResponseFormat::JsonSchema {
                    schema: schema.transpose()?,
                    name: it.name,
                    description: it.description,
                    strict: it.strict,
                }
            }
            From::Other(other) => wire::ResponseFormat::Other(self.other(other)?),
        })
    }
}

/// A function that a plugin gives.
pub(in crate::plugin) fn lift_function(it: wit::FunctionResult) -> Result<wire::Tool, Failed> {
    let json = |json: Option<String>, place| json.map(|json| lift_json(json, place)).transpose();
    Ok(wire::Tool::Function {
        parameters: json(it.parameters, "a function's parameters")?,
        cache_control: json(it.cache_control, "a function's cache-control")?,
        name: it.name,
        description: it.description,
        strict: it.strict,
    })
}

/// A part of what a tool of a plugin's own gave, who holds nothing of the host's then.
pub(in crate::plugin) fn lift_own_part(it: wit::ToolResultPartResult) -> Result<Part, Failed> {
    Host { request: &Request::default(), held: &[], surface: "openai-chat" }.result_part(it)
}

fn lift_sampling(it: wit::SamplingResult) -> Result<wire::Sampling, Failed> {
    let logit_bias = it.logit_bias.map(|json| lift_json(json, "logit-bias")).transpose()?;
    Ok(wire::Sampling {
        max_tokens: it.max_tokens,
        temperature: it.temperature,
        top_p: it.top_p,
        top_k: it.top_k,
        min_p: it.min_p,
        top_a: it.top_a,
        frequency_penalty: it.frequency_penalty,
        presence_penalty: it.presence_penalty,
        repetition_penalty: it.repetition_penalty,
        seed: it.seed,
        stop: it.stop,
        n: it.n,
        logprobs: it.logprobs,
        top_logprobs: it.top_logprobs,
        logit_bias,
    })
}

fn lift_thinking(it: wit::ThinkingResult) -> wire::Reasoning {
    wire::Reasoning {
        enabled: it.enabled,
        effort: it.effort.map(|effort| match effort {
            wit::Effort::None => Effort::None,
            wit::Effort::Minimal => Effort::Minimal,
            wit::Effort::Low => Effort::Low,
            wit::Effort::Medium => Effort::Medium,
            wit::Effort::High => Effort::High,
            wit::Effort::Xhigh => Effort::Xhigh,
            wit::Effort::Max => Effort::Max,
        }),
        max_tokens: it.max_tokens,
        exclude: it.exclude,
        summary: it.summary,
    }
}

/// Bytes of a request's text, for the limit on what a plugin makes of it. Media are not counted:
/// those of the host stay here, and those of the plugin are bounded by its memory.
pub(crate) fn size_of_request(request: &Request) -> usize {
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    let tools = request.tools.iter().map(|tool| match tool {
        wire::Tool::Function { name, description, parameters, .. } => {
            let description = description.as_ref().map_or(0, String::len);
            let parameters = parameters.as_ref().map_or(0, |json| json.as_str().len());
            name.len().saturating_add(description).saturating_add(parameters)
        }
        wire::Tool::Other(other) => other.json.as_str().len(),
    });
    let extra = request.extra.fields.iter();
    let extra = extra.map(|(name, value)| name.len().saturating_add(value.as_str().len()));
    parts.map(|part| size_of_content(&part.content)).chain(tools).chain(extra).sum()
}

/// What a piece of a message takes, in bytes.
pub(in crate::plugin) fn size_of_content(content: &Content) -> usize {
    match content {
        Content::Text(text) | Content::Refusal(text) | Content::Reasoning { text, .. } => {
            text.len()
        }
        Content::ToolCall { name, arguments, .. } => name.len().saturating_add(arguments.len()),
        Content::ToolResult { parts, .. } => {
            parts.iter().map(|part| size_of_content(&part.content)).sum()
        }
        Content::Other(other) => other.json.as_str().len(),
        Content::Media(_) => 0,
    }
}
