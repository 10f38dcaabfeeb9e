//! Reading OpenRouter's chat request. What it names is typed; what it does not is kept in `extra`
//! for upstreams of this dialect, or in the controls when it is meant for a gateway.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::NAME;
use super::field::{At, refuse_repeated};
use super::reply_read::excerpt;
use super::{message_read, service};
use crate::chunk::Role;
use crate::error::ReadError;
use crate::json::{Extra, Json, Object};
use crate::request::{
    Controls, Effort, Message, Other, Part, PluginEntry, Reasoning, Request, ResponseFormat,
    Sampling, Tool, ToolChoice,
};
use crate::source::Source;

/// Reads a client's body.
pub(super) fn read(body: &Bytes) -> Result<Request, ReadError> {
    let wrong = |expected: String| ReadError::new("body", expected, excerpt(body));
    let text = std::str::from_utf8(body).map_err(|_| wrong("JSON in UTF-8".to_owned()))?;
    let fields = Object::parse(text).map_err(|error| wrong(format!("a JSON object ({error})")))?;
    refuse_repeated(&fields)?;
    let mut request = Request::default();
    let mut thought = Thought::default();
    let mut prompt = None;
    for (name, raw) in &fields.0 {
        let at = At::top(name, raw);
        let is_known = match &**name {
            "prompt" => {
                prompt = Some(at);
                true
            }
            "reasoning" | "reasoning_effort" | "include_reasoning" => {
                thought.take(name, at);
                true
            }
            _ => {
                at.is_null()
                    || read_sampling(name, at, &mut request.sampling)?
                    || read_field(name, at, &mut request)?
                    || service::read(name, at, &mut request.service)?
                    || read_control(name, at, &mut request.controls)?
            }
        };
        if !is_known {
            request.extra.dialect = NAME;
            request.extra.fields.push((name.to_string(), Json::from(*raw)));
        }
    }
    // The newer name wins, wherever it stands.
    if let Some(raw) = fields.field("max_completion_tokens").filter(|raw| raw.get() != "null") {
        let at = At::top("max_completion_tokens", raw);
        request.sampling.max_tokens = Some(read_max_tokens(at)?);
    }
    request.reasoning = thought.read()?;
    request.source = Some(Source { dialect: NAME, bytes: body.clone() });
    if request.messages.is_empty() {
        let Some(prompt) = prompt.filter(|prompt| !prompt.is_null()) else {
            let found = fields.field("messages").map_or("nothing", RawValue::get);
            return Err(ReadError::new("messages", "a list of at least one message", found));
        };
        request.messages.push(Message {
            role: Role::User,
            name: None,
            parts: vec![Part::text(prompt.text()?)],
            extra: Extra::default(),
        });
        // The body has no messages, and upstreams know nothing else.
        request.source = None;
    }
    Ok(request)
}

fn read_field(name: &str, at: At<'_, '_>, request: &mut Request) -> Result<bool, ReadError> {
    match name {
        "model" => request.model = at.text()?,
        "stream" => request.stream = at.boolean()?,
        // Usage always comes; an option of the stream changes nothing.
        "stream_options" => {}
        "messages" => {
            for (number, raw) in at.list()?.into_iter().enumerate() {
                request.messages.push(message_read::read(at.index(number, raw))?);
            }
        }
        "tools" => {
            for (number, raw) in at.list()?.into_iter().enumerate() {
                request.tools.push(read_tool(at.index(number, raw))?);
            }
        }
        "tool_choice" => request.tool_choice = Some(read_tool_choice(at)?),
        "parallel_tool_calls" => request.parallel_tool_calls = Some(at.boolean()?),
        "response_format" => request.response_format = Some(read_format(at)?),
        "user" => request.user = Some(at.text()?),
        _ => return Ok(false),
    }
    Ok(true)
}

pub(in crate::dialects) fn read_sampling(
    name: &str,
    at: At<'_, '_>,
    sampling: &mut Sampling,
) -> Result<bool, ReadError> {
    match name {
        "max_tokens" => sampling.max_tokens = Some(read_max_tokens(at)?),
        "max_completion_tokens" => {}
        "temperature" => sampling.temperature = Some(at.number(0.0, 2.0)?),
        "top_p" => sampling.top_p = Some(at.number(0.0, 1.0)?),
        "top_k" => sampling.top_k = Some(at.whole()?),
        "min_p" => sampling.min_p = Some(at.number(0.0, 1.0)?),
        "top_a" => sampling.top_a = Some(at.number(0.0, 1.0)?),
        "frequency_penalty" => sampling.frequency_penalty = Some(at.number(-2.0, 2.0)?),
        "presence_penalty" => sampling.presence_penalty = Some(at.number(-2.0, 2.0)?),
        "repetition_penalty" => sampling.repetition_penalty = Some(at.number(0.0, 2.0)?),
        "seed" => sampling.seed = Some(at.whole()?),
        "n" => sampling.n = Some(at.whole()?),
        "logprobs" => sampling.logprobs = Some(at.boolean()?),
        "top_logprobs" => {
            let wanted: u32 = at.whole()?;
            if wanted > 20 {
                return Err(at.error("a whole number from 0 to 20"));
            }
            sampling.top_logprobs = Some(wanted);
        }
        "logit_bias" => {
            at.object()?;
            sampling.logit_bias = Some(at.json());
        }
        "stop" if at.is_text() => sampling.stop = vec![at.text()?],
        "stop" => {
            let list = at.list()?;
            if list.len() > MAX_STOPS {
                return Err(at.error(format!("at most {MAX_STOPS} texts")));
            }
            let list = list.into_iter().enumerate();
            sampling.stop =
                list.map(|(number, raw)| at.index(number, raw).text()).collect::<Result<_, _>>()?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn read_max_tokens(at: At<'_, '_>) -> Result<u32, ReadError> {
    match at.whole()? {
        0 => Err(at.error("a whole number of at least 1")),
        tokens => Ok(tokens),
    }
}

pub(in crate::dialects) fn read_control(
    name: &str,
    at: At<'_, '_>,
    controls: &mut Controls,
) -> Result<bool, ReadError> {
    match name {
        "models" => {
            let list = at.list()?.into_iter().enumerate();
            controls.models =
                list.map(|(number, raw)| at.index(number, raw).text()).collect::<Result<_, _>>()?;
        }
        "provider" => {
            at.object()?;
            controls.provider = Some(at.json());
        }
        "plugins" => {
            for (number, raw) in at.list()?.into_iter().enumerate() {
                controls.plugins.push(read_plugin(at.index(number, raw))?);
            }
        }
        "session_id" => {
            let id = at.text()?;
            if id.chars().count() > MAX_SESSION_ID {
                return Err(at.error(format!("at most {MAX_SESSION_ID} characters")));
            }
            controls.session_id = Some(id);
        }
        _ if CONTROLS.contains(&name) => controls.rest.push((name.to_owned(), at.json())),
        _ => return Ok(false),
    }
    Ok(true)
}

/// Whether a field is meant for a gateway and never sent upstream.
pub(in crate::dialects) fn is_control(name: &str) -> bool {
    const TYPED: [&str; 6] =
        ["models", "provider", "plugins", "session_id", "prompt", "include_reasoning"];
    TYPED.contains(&name) || CONTROLS.contains(&name)
}

fn read_plugin(at: At<'_, '_>) -> Result<PluginEntry, ReadError> {
    let fields = at.object()?;
    let (mut id, mut enabled) = (None, true);
    let mut options: Vec<String> = Vec::new();
    for (name, raw) in &fields.0 {
        match &**name {
            "id" => id = Some(at.key(name, raw).text()?),
            "enabled" => enabled = at.key(name, raw).boolean()?,
            _ => options.push(format!("{}:{}", Json::of(name).as_str(), raw.get())),
        }
    }
    let id = id.ok_or_else(|| at.missing("id", "a plugin's id"))?;
    let options = Json::parse(format!("{{{}}}", options.join(",")));
    let options = options.map_err(|_| at.error("an object of options"))?;
    Ok(PluginEntry { id, enabled, options })
}

fn read_tool(at: At<'_, '_>) -> Result<Tool, ReadError> {
    let fields = at.object()?;
    let Some(kind) = fields.field("type") else {
        return Err(at.missing("type", "a tool's type, like `function`"));
    };
    if at.key("type", kind).text()? != "function" {
        return Ok(Tool::Other(Other { dialect: NAME, json: at.json() }));
    }
    let Some(raw) = fields.field("function") else {
        return Err(at.missing("function", "the function's name and parameters"));
    };
    let at_function = at.key("function", raw);
    let function = at_function.object()?;
    let present = |name: &str| function.field(name).filter(|raw| raw.get() != "null");
    let Some(name) = function.field("name") else {
        return Err(at_function.missing("name", "the function's name"));
    };
    let text = |name: &'static str| present(name).map(|raw| at_function.key(name, raw).text());
    Ok(Tool::Function {
        name: at_function.key("name", name).text()?,
        description: text("description").transpose()?,
        parameters: present("parameters").map(Json::from),
        strict: present("strict")
            .map(|raw| at_function.key("strict", raw).boolean())
            .transpose()?,
        cache_control: fields.field("cache_control").filter(|r| r.get() != "null").map(Json::from),
    })
}

fn read_tool_choice(at: At<'_, '_>) -> Result<ToolChoice, ReadError> {
    const EXPECTED: &str = "`none`, `auto`, `required` or an object that names a tool";
    if at.is_text() {
        return match at.text()?.as_str() {
            "none" => Ok(ToolChoice::None),
            "auto" => Ok(ToolChoice::Auto),
            "required" | "any" => Ok(ToolChoice::Required),
            _ => Err(at.error(EXPECTED)),
        };
    }
    let fields = at.object().map_err(|_| at.error(EXPECTED))?;
    let Some(kind) = fields.field("type") else {
        return Err(at.missing("type", "`function` or a tool's type"));
    };
    if at.key("type", kind).text()? != "function" {
        return Ok(ToolChoice::Other(Other { dialect: NAME, json: at.json() }));
    }
    let Some(raw) = fields.field("function") else {
        return Err(at.missing("function", "an object with the function's name"));
    };
    let at_function = at.key("function", raw);
    let function = at_function.object()?;
    let Some(name) = function.field("name") else {
        return Err(at_function.missing("name", "the function's name"));
    };
    Ok(ToolChoice::Function(at_function.key("name", name).text()?))
}

fn read_format(at: At<'_, '_>) -> Result<ResponseFormat, ReadError> {
    let fields = at.object()?;
    let Some(kind) = fields.field("type") else {
        return Err(at.missing("type", "`text`, `json_object` or `json_schema`"));
    };
    match at.key("type", kind).text()?.as_str() {
        "text" => return Ok(ResponseFormat::Text),
        "json_object" => return Ok(ResponseFormat::JsonObject),
        "json_schema" => {}
        _ => return Ok(ResponseFormat::Other(Other { dialect: NAME, json: at.json() })),
    }
    let Some(raw) = fields.field("json_schema") else {
        return Err(at.missing("json_schema", "an object with the schema's name"));
    };
    let at_schema = at.key("json_schema", raw);
    let schema = at_schema.object()?;
    let present = |name: &str| schema.field(name).filter(|raw| raw.get() != "null");
    let text = |name: &'static str| present(name).map(|raw| at_schema.key(name, raw).text());
    let name = text("name").transpose()?;
    let strict = present("strict").map(|raw| at_schema.key("strict", raw).boolean());
    Ok(ResponseFormat::JsonSchema {
        name: name.ok_or_else(|| at_schema.missing("name", "the schema's name"))?,
        description: text("description").transpose()?,
        schema: present("schema").map(Json::from),
        strict: strict.transpose()?,
    })
}

/// The three ways to ask for thought.
#[derive(Debug, Default)]
struct Thought<'p, 'a> {
    object: Option<At<'p, 'a>>,
    effort: Option<At<'p, 'a>>,
    include: Option<At<'p, 'a>>,
}

impl<'p, 'a> Thought<'p, 'a> {
    fn take(&mut self, name: &str, at: At<'p, 'a>) {
        let at = Some(at).filter(|at| !at.is_null());
        match name {
            "reasoning" => self.object = at,
            "reasoning_effort" => self.effort = at,
            _ => self.include = at,
        }
    }

    fn read(self) -> Result<Option<Reasoning>, ReadError> {
        let mut reasoning = self.object.map(read_reasoning).transpose()?;
        if let Some(at) = self.effort {
            let effort = read_effort(at)?;
            let ours = reasoning.get_or_insert_default();
            match ours.effort {
                Some(theirs) if theirs != effort => {
                    let same = theirs.as_str();
                    return Err(
                        at.error(format!("`{same}` like reasoning.effort, or only one of the two"))
                    );
                }
                _ if ours.max_tokens.is_some() => {
                    return Err(at.error("nothing beside reasoning.max_tokens, its alternative"));
                }
                _ => ours.effort = Some(effort),
            }
        }
        if let Some(at) = self.include {
            let is_included = at.boolean()?;
            let exclude = !is_included;
            reasoning.get_or_insert(Reasoning { exclude, ..Reasoning::default() });
        }
        Ok(reasoning)
    }
}

pub(in crate::dialects) fn read_reasoning(at: At<'_, '_>) -> Result<Reasoning, ReadError> {
    let fields = at.object()?;
    let mut reasoning = Reasoning::default();
    for (name, raw) in &fields.0 {
        let field = at.key(name, raw);
        match &**name {
            _ if field.is_null() => {}
            "enabled" => reasoning.enabled = Some(field.boolean()?),
            "effort" => reasoning.effort = Some(read_effort(field)?),
            "max_tokens" => reasoning.max_tokens = Some(field.whole()?),
            "exclude" => reasoning.exclude = field.boolean()?,
            "summary" => reasoning.summary = Some(field.text()?),
            // What only some hosts know goes through with the source.
            _ => {}
        }
    }
    if reasoning.effort.is_some() && reasoning.max_tokens.is_some() {
        return Err(at.error("either effort or max_tokens: they are alternatives"));
    }
    Ok(reasoning)
}

fn read_effort(at: At<'_, '_>) -> Result<Effort, ReadError> {
    let name = at.text()?;
    Effort::read(&name).ok_or_else(|| {
        let names: Vec<&str> = Effort::ALL.iter().rev().map(|(_, name)| *name).collect();
        at.error(format!("one of {}", names.join(", ")))
    })
}

const MAX_STOPS: usize = 4;
const MAX_SESSION_ID: usize = 256;
const CONTROLS: [&str; 11] = [
    "route",
    "transforms",
    "preset",
    "usage",
    "trace",
    "metadata",
    "debug",
    "max_tool_calls",
    "stop_server_tools_when",
    "deferred_tools",
    // Asks for an endpoint that can, not for anything of it.
    "structured_outputs",
];
