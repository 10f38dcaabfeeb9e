//! The one text that a conversation becomes, and what follows from it for its reply.

use std::sync::LazyLock;

use minijinja::Environment;
use minijinja::value::Serde;

use super::family::{Calls, Family, family};
use super::request_read::is_prompt;
use super::request_write::cannot;
use super::talk::{self, Talk};
use crate::dialect::Target;
use crate::error::WriteError;
use crate::provider::ChatTemplate;
use crate::request::{Request, Tool, ToolChoice};

/// How the text of a reply is read.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    /// What ends the reply, wherever it stands.
    pub(super) stops: Vec<String>,
    /// How tools are called; `Calls::None` when none were offered.
    pub(super) calls: Calls,
    /// The names of the tools that were offered.
    pub(super) names: Vec<String>,
}

/// Whether a template is put around the request. A client's own prompt goes as it is.
pub(super) fn is_rendered(request: &Request) -> bool {
    !request.messages.iter().any(is_prompt)
}

/// Writes the conversation as one text.
pub(super) fn write(request: &Request, to: &Target<'_>) -> Result<String, WriteError> {
    let template = template_of(request, to);
    let family = family(template);
    let talk = talk::read(request, family)?;
    match family.template {
        Some(source) => render(source, &talk),
        None => Ok(joined(talk)),
    }
}

/// What ends a turn of the endpoint's family.
pub(super) fn stops(to: &Target<'_>) -> &'static [&'static str] {
    chosen(to).stops
}

/// How the reply to a request is read; nothing for a client's own prompt, whose continuation is
/// passed on as it is.
pub(super) fn rules(request: &Request, to: &Target<'_>) -> Option<Rules> {
    if !is_rendered(request) {
        return None;
    }
    let family = chosen(to);
    let is_forbidden = request.tool_choice == Some(ToolChoice::None);
    let names = request.tools.iter().filter(|_| !is_forbidden).filter_map(|tool| match tool {
        Tool::Function { name, .. } => Some(name.clone()),
        Tool::Other(_) => None,
    });
    let names: Vec<String> = names.collect();
    let stops = request.sampling.stop.iter().cloned();
    let stops = stops.chain(family.stops.iter().map(|stop| (*stop).to_owned()));
    Some(Rules {
        stops: stops.filter(|stop| !stop.is_empty()).collect(),
        calls: if names.is_empty() { Calls::None } else { family.calls },
        names,
    })
}

fn chosen(to: &Target<'_>) -> &'static Family {
    family(to.quirks.chat_template.unwrap_or_default())
}

fn template_of(request: &Request, to: &Target<'_>) -> ChatTemplate {
    match is_rendered(request) {
        true => to.quirks.chat_template.unwrap_or_default(),
        false => ChatTemplate::Raw,
    }
}

/// Texts with an empty line between them.
fn joined(talk: Talk) -> String {
    let system = Some(talk.system).filter(|system| !system.is_empty());
    let texts = talk.turns.into_iter().map(|turn| turn.text);
    system.into_iter().chain(texts).collect::<Vec<_>>().join("\n\n")
}

/// The templates are ours, so that an error here is a conversation nobody thought of.
fn render(source: &'static str, talk: &Talk) -> Result<String, WriteError> {
    static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(Environment::new);
    let rendered =
        ENVIRONMENT.template_from_str(source).and_then(|template| template.render(Serde(talk)));
    rendered.map_err(|error| cannot(format!("this conversation in its template ({error})")))
}
