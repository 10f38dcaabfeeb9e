//! Coding agents' requests, written for every provider and read again: the conversation, its tools
//! and their results are all there. `request.json` in the folders named here has their shape.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::Value;
use wire::{
    Content, DIALECTS, Dialect, Part, Quirks, ReasoningStyle, Request, Role, Target, Tool, dialect,
};

/// Dialect and case.
const AGENTS: [(&str, &str); 2] =
    [("anthropic-messages", "claude-code"), ("openai-responses", "codex")];

/// What of a request must survive.
#[derive(Debug, Default, PartialEq)]
struct View {
    instructions: String,
    /// Who speaks, and what: text, calls, results.
    said: Vec<(Role, String)>,
    /// Name, description and every name in the schema of its arguments.
    tools: Vec<(String, Option<String>, BTreeSet<String>)>,
    limit: Option<u32>,
}

#[test]
fn an_agents_request_reaches_every_provider_whole() {
    for (spoken, case) in AGENTS {
        let Some(surface) = dialect(spoken) else { continue };
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/wire");
        let body = std::fs::read(format!("{root}/{spoken}/{case}/request.json")).unwrap();
        let mut request = surface.read_request(&Bytes::from(body)).unwrap();
        request.source = None;
        let asked = View::of(&request);
        assert!(asked.tools.len() > 2 && asked.said.len() > 3, "{case}: {asked:?}");
        // Text-only hosts take no tools that their template has no words for.
        for upstream in DIALECTS.iter().filter(|it| it.name() != "openai-completions") {
            let written = written(*upstream, &request);
            let mut read = upstream.read_request(&written).unwrap();
            // Some dialects demand a limit where the client has none.
            read.sampling.max_tokens = read.sampling.max_tokens.and(asked.limit);
            let text = String::from_utf8_lossy(&written);
            assert_eq!(View::of(&read), asked, "{case} for {}: {text}", upstream.name());
        }
    }
}

fn written(upstream: &dyn Dialect, request: &Request) -> Bytes {
    let quirks = Quirks::default();
    let target = Target {
        model: "upstream-model",
        stream: request.stream,
        max_output_tokens: Some(64_000),
        reasoning: ReasoningStyle::Budget,
        efforts: &[],
        quirks: &quirks,
    };
    upstream.write_request(request, &target).unwrap().body
}

impl View {
    fn of(request: &Request) -> Self {
        let mut view = Self { limit: request.sampling.max_tokens, ..Self::default() };
        for message in &request.messages {
            for part in &message.parts {
                match message.role {
                    Role::System | Role::Developer => view.instructions += &text(part),
                    role => view.say(role, part),
                }
            }
        }
        view.tools = request.tools.iter().filter_map(tool).collect();
        view
    }

    fn say(&mut self, role: Role, part: &Part) {
        let (role, text) = match &part.content {
            Content::ToolCall { name, arguments, .. } => {
                let arguments: Value = serde_json::from_str(arguments).unwrap();
                (Role::Assistant, format!("{name}({arguments})"))
            }
            Content::ToolResult { parts, .. } => (Role::Tool, parts.iter().map(text).collect()),
            // Other providers' thought is not theirs to read.
            Content::Reasoning { .. } => return,
            _ => (role, text(part)),
        };
        match self.said.last_mut() {
            Some((last, said)) if *last == role && role != Role::Tool => said.push_str(&text),
            _ => self.said.push((role, text)),
        }
    }
}

/// What is said, without the white space: what stands between two parts is for each dialect to say.
fn text(part: &Part) -> String {
    match &part.content {
        Content::Text(text) => text.split_whitespace().collect(),
        other => format!("{other:?}"),
    }
}

fn tool(tool: &Tool) -> Option<(String, Option<String>, BTreeSet<String>)> {
    let Tool::Function { name, description, parameters, .. } = tool else { return None };
    let mut names = BTreeSet::new();
    if let Some(parameters) = parameters {
        property_names(&parameters.read().unwrap(), &mut names);
    }
    Some((name.clone(), description.clone(), names))
}

fn property_names(schema: &Value, names: &mut BTreeSet<String>) {
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        names.insert(name.clone());
        property_names(inner, names);
    }
    property_names_of(&schema["items"], names);
}

fn property_names_of(items: &Value, names: &mut BTreeSet<String>) {
    if items.is_object() {
        property_names(items, names);
    }
}
