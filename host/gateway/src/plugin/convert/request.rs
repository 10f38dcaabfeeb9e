//! Requests on their way in. Lists of the guest's types need a place to live while they are borrowed;
//! they are built from the inside out.

use wire::{Content, Effort, Extra, Json, Media, MediaData, MediaKind, Part, Request};

use super::super::bindings::types as wit;
use super::{controls, lower_detail, lower_role};

/// Shows a request to `run` as the guest sees it. Inline media are numbered in order.
pub(in crate::plugin) async fn lower_request<T>(
    request: &Request,
    run: impl AsyncFnOnce(wit::RequestParam<'_>) -> T,
) -> T {
    let mut held = 0;
    let leaves: Vec<Leaf<'_>> = parts_of(request).map(|part| leaf(part, &mut held)).collect();
    let mut leaves_left = leaves.iter();
    let parts: Vec<Vec<_>> = request
        .messages
        .iter()
        .map(|message| {
            let pairs = message.parts.iter().zip(leaves_left.by_ref());
            pairs.map(|(part, leaf)| lower_part(part, leaf)).collect()
        })
        .collect();
    let extras: Vec<Vec<_>> =
        request.messages.iter().map(|message| lower_fields(&message.extra)).collect();
    let messages: Vec<_> = request
        .messages
        .iter()
        .zip(parts.iter().zip(&extras))
        .map(|(message, (parts, extra))| wit::MessageParam {
            role: lower_role(message.role),
            name: message.name.as_deref(),
            parts,
            extra,
        })
        .collect();
    let tools: Vec<_> = request.tools.iter().map(lower_tool).collect();
    let stop: Vec<&str> = request.sampling.stop.iter().map(String::as_str).collect();
    let mut extra = lower_fields(&request.extra);
    let controls = controls::shown(request);
    extra
        .extend(controls.iter().map(|(name, json)| wit::FieldParam { name, value: json.as_str() }));
    run(wit::RequestParam {
        model: &request.model,
        stream: request.stream,
        messages: &messages,
        tools: &tools,
        tool_choice: request.tool_choice.as_ref().map(lower_choice),
        parallel_tool_calls: request.parallel_tool_calls,
        sampling: lower_sampling(&request.sampling, &stop),
        reasoning: request.reasoning.as_ref().map(lower_thinking),
        response_format: request.response_format.as_ref().map(lower_format),
        user: request.user.as_deref(),
        extra: &extra,
    })
    .await
}

fn parts_of(request: &Request) -> impl Iterator<Item = &Part> {
    request.messages.iter().flat_map(|message| &message.parts)
}

/// What a part needs that it can't borrow from the request.
enum Leaf<'a> {
    None,
    Media(wit::MediaDataParam<'a>),
    Result(Vec<wit::ToolResultPartParam<'a>>),
}

fn leaf<'a>(part: &'a Part, held: &mut u32) -> Leaf<'a> {
    match &part.content {
        Content::Media(media) => Leaf::Media(lower_data(&media.data, held)),
        Content::ToolResult { parts, .. } => {
            Leaf::Result(parts.iter().map(|part| lower_result_part(part, held)).collect())
        }
        _ => Leaf::None,
    }
}

fn lower_data<'a>(data: &'a MediaData, held: &mut u32) -> wit::MediaDataParam<'a> {
    match data {
        MediaData::Url(url) => wit::MediaDataParam::Url(url),
        MediaData::Id(id) => wit::MediaDataParam::Id(id),
        MediaData::Inline { .. } => {
            let number = *held;
            *held = held.saturating_add(1);
            wit::MediaDataParam::Held(number)
        }
    }
}

/// A tool's answer is text or media; the dialects put nothing else there.
fn lower_result_part<'a>(part: &'a Part, held: &mut u32) -> wit::ToolResultPartParam<'a> {
    use wit::ToolResultPartParam as To;
    match &part.content {
        Content::Text(text) | Content::Refusal(text) | Content::Reasoning { text, .. } => {
            To::Text(text)
        }
        Content::Media(media) => To::Media(lower_media(media, lower_data(&media.data, held))),
        Content::Other(other) => To::Other(lower_other(other)),
        Content::ToolCall { arguments, .. } => To::Text(arguments),
        Content::ToolResult { call_id, .. } => To::Text(call_id),
    }
}

fn lower_part<'a>(part: &'a Part, leaf: &'a Leaf<'a>) -> wit::PartParam<'a> {
    wit::PartParam {
        content: lower_content(&part.content, leaf),
        cache_control: part.cache_control.as_ref().map(Json::as_str),
    }
}

fn lower_content<'a>(content: &'a Content, leaf: &'a Leaf<'a>) -> wit::ContentParam<'a> {
    use wit::ContentParam as To;
    match (content, leaf) {
        (Content::Media(media), Leaf::Media(data)) => To::Media(lower_media(media, data.clone())),
        (Content::ToolResult { call_id, is_error, .. }, Leaf::Result(parts)) => {
            To::ToolResult(wit::ToolResultParam { call_id, parts, is_error: *is_error })
        }
        (Content::ToolCall { id, name, arguments }, _) => {
            To::ToolCall(wit::ToolCallParam { id, name, arguments })
        }
        (Content::Reasoning { text, detail }, _) => {
            To::Reasoning(wit::ReasoningParam { text, detail: detail.as_ref().map(lower_detail) })
        }
        (Content::Refusal(text), _) => To::Refusal(text),
        (Content::Other(other), _) => To::Other(lower_other(other)),
        (Content::Text(text), _) => To::Text(text),
        // A leaf is made from its part, so these pairs do not meet.
        (Content::Media(_) | Content::ToolResult { .. }, _) => To::Text(""),
    }
}

fn lower_media<'a>(media: &'a Media, data: wit::MediaDataParam<'a>) -> wit::MediaParam<'a> {
    wit::MediaParam {
        kind: match media.kind {
            MediaKind::Image => wit::MediaKind::Image,
            MediaKind::Audio => wit::MediaKind::Audio,
            MediaKind::Video => wit::MediaKind::Video,
            MediaKind::File => wit::MediaKind::File,
        },
        data,
        name: media.name.as_deref(),
        detail: media.detail.as_deref(),
    }
}

fn lower_other(other: &wire::Other) -> wit::OtherParam<'_> {
    wit::OtherParam { kind: other.dialect, json: other.json.as_str() }
}

fn lower_fields(extra: &Extra) -> Vec<wit::FieldParam<'_>> {
    let fields = extra.fields.iter();
    fields.map(|(name, value)| wit::FieldParam { name, value: value.as_str() }).collect()
}

fn lower_tool(tool: &wire::Tool) -> wit::ToolParam<'_> {
    match tool {
        wire::Tool::Function { name, description, parameters, strict, cache_control } => {
            wit::ToolParam::Function(wit::FunctionParam {
                name,
                description: description.as_deref(),
                parameters: parameters.as_ref().map(Json::as_str),
                strict: *strict,
                cache_control: cache_control.as_ref().map(Json::as_str),
            })
        }
        wire::Tool::Other(other) => wit::ToolParam::Other(lower_other(other)),
    }
}

fn lower_choice(choice: &wire::ToolChoice) -> wit::ToolChoiceParam<'_> {
    match choice {
        wire::ToolChoice::Auto => wit::ToolChoiceParam::Auto,
        wire::ToolChoice::None => wit::ToolChoiceParam::None,
        wire::ToolChoice::Required => wit::ToolChoiceParam::Required,
        wire::ToolChoice::Function(name) => wit::ToolChoiceParam::Function(name),
        wire::ToolChoice::Other(other) => wit::ToolChoiceParam::Other(lower_other(other)),
    }
}

fn lower_sampling<'a>(it: &'a wire::Sampling, stop: &'a [&'a str]) -> wit::SamplingParam<'a> {
    wit::SamplingParam {
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
        stop,
        n: it.n,
        logprobs: it.logprobs,
        top_logprobs: it.top_logprobs,
        logit_bias: it.logit_bias.as_ref().map(Json::as_str),
    }
}

fn lower_thinking(it: &wire::Reasoning) -> wit::ThinkingParam<'_> {
    wit::ThinkingParam {
        enabled: it.enabled,
        effort: it.effort.map(|effort| match effort {
            Effort::None => wit::Effort::None,
            Effort::Minimal => wit::Effort::Minimal,
            Effort::Low => wit::Effort::Low,
            Effort::Medium => wit::Effort::Medium,
            Effort::High => wit::Effort::High,
            Effort::Xhigh => wit::Effort::Xhigh,
            Effort::Max => wit::Effort::Max,
        }),
        max_tokens: it.max_tokens,
        exclude: it.exclude,
        summary: it.summary.as_deref(),
    }
}

fn lower_format(format: &wire::ResponseFormat) -> wit::ResponseFormatParam<'_> {
    use wit::ResponseFormatParam as To;
    match format {
        wire::ResponseFormat::Text => To::Text,
        wire::ResponseFormat::JsonObject => To::JsonObject,
        wire::ResponseFormat::JsonSchema { name, description, schema, strict } => {
            To::JsonSchema(wit::JsonSchemaParam {
                name,
                description: description.as_deref(),
                schema: schema.as_ref().map(Json::as_str),
                strict: *strict,
            })
        }
        wire::ResponseFormat::Other(other) => To::Other(lower_other(other)),
    }
}
