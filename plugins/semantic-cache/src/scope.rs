//! What two requests must have in common to share a reply: everything but the last question. And
//! which requests are out of the question.
//!
//! Every field of a request is taken apart by name here, so that one that is added to the contract
//! can't be forgotten.

mod digest;
#[cfg(test)]
mod tests;

use crate::options::Options;
use digest::Digest;
use patchbay_sdk::{
    Content, Field, Function, Generation, Message, Part, Request, ResponseFormat, Role, Sampling,
    Thinking, Tool, ToolChoice, ToolResultPart,
};

/// A request, as the cache sees it.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The hash of all but the question.
    pub(crate) scope: String,
    /// The hash of the question.
    pub(crate) hash: String,
    /// The text of the user's last turn.
    pub(crate) question: String,
}

impl Asked {
    /// None of a request that is never answered from the cache.
    pub(crate) fn of(
        generation: &Generation,
        request: &Request,
        options: &Options,
    ) -> Option<Self> {
        if wants_variety(&request.sampling, options) || wants_storage(request) {
            return None;
        }
        let is_user = |message: &Message| message.role == Role::User;
        let last = request.messages.iter().rev().take_while(|message| is_user(message)).count();
        let split = request.messages.len().saturating_sub(last);
        let (earlier, turn) = request.messages.split_at_checked(split)?;
        let mut digest = Digest::new();
        digest.text(&generation.key());
        digest.text(&generation.model());
        digest.text(&options.model);
        digest.flag(options.across_users);
        add_request(request, earlier, options, &mut digest)?;
        digest.count(turn.len());
        let mut question = String::new();
        for message in turn {
            add_turn(message, &mut question, &mut digest)?;
        }
        let is_question = !question.trim().is_empty() && question.len() <= QUESTION_BYTES_MAX;
        let hash = Digest::new().with(&question).end();
        is_question.then(|| Self { scope: digest.end(), hash, question })
    }
}

fn wants_variety(sampling: &Sampling, options: &Options) -> bool {
    sampling.n.is_some_and(|count| count > 1)
        || sampling.temperature.is_some_and(|it| it > options.max_temperature)
        || sampling.logprobs == Some(true)
}

/// Whether the client wants the provider itself to keep the reply.
fn wants_storage(request: &Request) -> bool {
    request.extra.iter().any(|field| field.name == "store" && field.value == "true")
}

fn add_request(
    request: &Request,
    earlier: &[Message],
    options: &Options,
    digest: &mut Digest,
) -> Option<()> {
    let Request {
        model,
        // Neither of these changes what is said.
        stream: _,
        messages: _,
        tools,
        tool_choice,
        parallel_tool_calls,
        sampling,
        reasoning,
        response_format,
        user,
        extra,
    } = request;
    digest.text(model);
    digest.count(earlier.len());
    for message in earlier {
        add_message(message, digest)?;
    }
    digest.count(tools.len());
    for tool in tools {
        add_tool(tool, digest)?;
    }
    add_choice(tool_choice.as_ref(), digest);
    digest.option(parallel_tool_calls.as_ref());
    add_sampling(sampling, digest);
    add_thinking(reasoning.as_ref(), digest);
    add_format(response_format.as_ref(), digest);
    digest.option(user.as_ref().filter(|_| !options.across_users));
    let extra = extra.iter().filter(|field| !IDLE.contains(&field.name.as_str()));
    add_fields(extra, digest);
    Some(())
}

/// A message of the user's last turn: its text is the question, the rest must be the same.
fn add_turn(message: &Message, question: &mut String, digest: &mut Digest) -> Option<()> {
    let Message { role: _, name, parts, extra } = message;
    digest.option(name.as_ref());
    add_fields(extra.iter(), digest);
    for Part { content, cache_control: _ } in parts {
        let Content::Text(text) = content else { return None };
        if !question.is_empty() {
            question.push('\n');
        }
        question.push_str(text);
    }
    Some(())
}

fn add_message(message: &Message, digest: &mut Digest) -> Option<()> {
    let Message { role, name, parts, extra } = message;
    digest.debug(role);
    digest.option(name.as_ref());
    add_fields(extra.iter(), digest);
    digest.count(parts.len());
    for Part { content, cache_control: _ } in parts {
        add_content(content, digest)?;
    }
    Some(())
}

/// None for media: what they show is not known here, and an address may show another thing now.
fn add_content(content: &Content, digest: &mut Digest) -> Option<()> {
    match content {
        Content::Text(text) => digest.named("text", text),
        Content::Refusal(text) => digest.named("refusal", text),
        // Thoughts come back with proofs that differ every time; the answer that they led to is
        // in the scope.
        Content::Reasoning(_) => digest.text("reasoning"),
        Content::ToolCall(call) => {
            digest.named("call", &call.id);
            digest.text(&call.name);
            digest.text(&call.arguments);
        }
        Content::ToolResult(result) => {
            digest.named("result", &result.call_id);
            digest.flag(result.is_error);
            digest.count(result.parts.len());
            for part in &result.parts {
                let ToolResultPart::Text(text) = part else { return None };
                digest.text(text);
            }
        }
        Content::Media(_) | Content::Other(_) => return None,
    }
    Some(())
}

/// None for a tool that the provider or the gateway runs: its results are of now.
fn add_tool(tool: &Tool, digest: &mut Digest) -> Option<()> {
    let Tool::Function(function) = tool else { return None };
    let Function { name, description, parameters, strict, cache_control: _ } = function;
    digest.text(name);
    digest.option(description.as_ref());
    digest.option(parameters.as_ref());
    digest.option(strict.as_ref());
    Some(())
}

fn add_choice(choice: Option<&ToolChoice>, digest: &mut Digest) {
    match choice {
        None => digest.text("unsaid"),
        Some(ToolChoice::Auto) => digest.text("auto"),
        Some(ToolChoice::None) => digest.text("none"),
        Some(ToolChoice::Required) => digest.text("required"),
        Some(ToolChoice::Function(name)) => digest.named("function", name),
        Some(ToolChoice::Other(other)) => {
            digest.named("other", &other.kind);
            digest.text(&other.json);
        }
    }
}

fn add_sampling(sampling: &Sampling, digest: &mut Digest) {
    let Sampling {
        max_tokens,
        temperature,
        top_p,
        top_k,
        min_p,
        top_a,
        frequency_penalty,
        presence_penalty,
        repetition_penalty,
        seed,
        stop,
        // One, or the request is not cached.
        n: _,
        logprobs: _,
        top_logprobs: _,
        logit_bias,
    } = sampling;
    digest.option(max_tokens.as_ref());
    digest.option(top_k.as_ref());
    digest.option(seed.as_ref());
    let numbers =
        [temperature, top_p, min_p, top_a, frequency_penalty, presence_penalty, repetition_penalty];
    numbers.into_iter().for_each(|number| digest.option(number.as_ref()));
    digest.count(stop.len());
    stop.iter().for_each(|text| digest.text(text));
    digest.option(logit_bias.as_ref());
}

fn add_thinking(thinking: Option<&Thinking>, digest: &mut Digest) {
    digest.flag(thinking.is_some());
    let Some(thinking) = thinking else { return };
    let Thinking { enabled, effort, max_tokens, exclude, summary } = thinking;
    digest.option(enabled.as_ref());
    digest.debug(effort);
    digest.option(max_tokens.as_ref());
    digest.flag(*exclude);
    digest.option(summary.as_ref());
}

fn add_format(format: Option<&ResponseFormat>, digest: &mut Digest) {
    match format {
        // The same by definition.
        None | Some(ResponseFormat::Text) => digest.text("text"),
        Some(ResponseFormat::JsonObject) => digest.text("json_object"),
        Some(ResponseFormat::JsonSchema(schema)) => {
            digest.named("json_schema", &schema.name);
            digest.option(schema.description.as_ref());
            digest.option(schema.schema.as_ref());
            digest.option(schema.strict.as_ref());
        }
        Some(ResponseFormat::Other(other)) => {
            digest.named("other", &other.kind);
            digest.text(&other.json);
        }
    }
}

fn add_fields<'f>(fields: impl Iterator<Item = &'f Field>, digest: &mut Digest) {
    for Field { name, value } in fields {
        digest.named(name, value);
    }
    digest.text("");
}

/// Fields that label a request and change no reply.
const IDLE: [&str; 4] = ["metadata", "session_id", "stream_options", "trace"];

/// A longer text is no question that others ask too, and past what most models embed.
const QUESTION_BYTES_MAX: usize = 8192;
