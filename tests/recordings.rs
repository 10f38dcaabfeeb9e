//! Replies that real providers sent, read by their dialects: no error, the same chunks in every
//! split, and nothing lost. What a recording says is found by a walk over its JSON that knows
//! nothing of the readers.
//!
//! They lie beside the project, where `PATCHBAY_FIXTURES` says (`<there>/wire/<provider>/`).

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test says what is wrong by panicking, and when it is skipped"
)]

use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::Value;
use wire::{Chunk, Dialect, Reply, StreamError, dialect};

#[path = "wire/replay.rs"]
mod replay;

#[test]
fn recorded_streams_are_read_whole_in_every_split() {
    for_each_recording(".chunks.txt", |recording| {
        let lines = fs::read_to_string(&recording.path).expect("readable");
        let lines: Vec<&str> = lines.lines().filter(|line| !line.trim().is_empty()).collect();
        let stream = recording.stream(&lines);
        let stream = replay::framed(recording.dialect.framing(), &stream);
        let (chunks, error) = replay::read_in_every_split(recording.dialect, &stream);
        assert_eq!(error, None, "{}", recording.path.display());
        let values: Vec<Value> = lines.iter().map(|line| recording.value(line)).collect();
        recording.check(&values, &chunks);
    });
}

#[test]
fn recorded_replies_are_read_whole() {
    for_each_recording(".json", |recording| {
        let body = fs::read(&recording.path).expect("readable");
        let value = recording.value(std::str::from_utf8(&body).expect("UTF-8"));
        match recording.dialect.read_reply(&body.into()) {
            Ok(chunks) => recording.check(&[value], &chunks),
            Err(StreamError::Upstream(failure)) => {
                let message = value.pointer("/error/message").and_then(Value::as_str);
                assert_eq!(Some(&*failure.message), message, "{}", recording.path.display());
            }
            Err(error) => panic!("{}: {error}", recording.path.display()),
        }
    });
}

/// Runs every recording, and tells of all that went wrong.
fn for_each_recording(suffix: &str, run: impl Fn(&Recording)) {
    let is_wrong = |recording: &Recording| {
        let run = std::panic::AssertUnwindSafe(|| run(recording));
        std::panic::catch_unwind(run).is_err()
    };
    let wrong = recordings(suffix).into_iter().filter(is_wrong);
    let wrong: Vec<PathBuf> = wrong.map(|recording| recording.path).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// One recorded reply.
struct Recording {
    path: PathBuf,
    dialect: &'static dyn Dialect,
}

/// Whose replies are in which dialect.
const PROVIDERS: [(&str, &str); 13] = [
    ("amazon-bedrock", "bedrock-converse"),
    ("anthropic", "anthropic-messages"),
    ("google", "gemini-generate"),
    ("cohere", "cohere-chat"),
    ("openai", "openai-chat"),
    ("alibaba", "openai-chat"),
    ("deepseek", "openai-chat"),
    ("groq", "openai-chat"),
    ("mistral", "openai-chat"),
    ("moonshotai", "openai-chat"),
    ("openai-compatible", "openai-chat"),
    ("perplexity", "openai-chat"),
    ("xai", "openai-chat"),
];

fn recordings(suffix: &str) -> Vec<Recording> {
    let Some(root) = env::var_os("PATCHBAY_FIXTURES") else {
        eprintln!("skipped: PATCHBAY_FIXTURES does not say where the recordings are");
        return Vec::new();
    };
    let mut found = Vec::new();
    for (provider, name) in PROVIDERS {
        let folder = Path::new(&root).join("wire").join(provider);
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("readable").path();
            let file = path.file_name().and_then(|name| name.to_str()).expect("a name");
            let is_other = ["responses.", "reranking."].iter().any(|kind| file.starts_with(kind));
            let name = if file.starts_with("completion.") { "openai-completions" } else { name };
            if file.ends_with(suffix) && !is_other {
                found.push(Recording { path, dialect: dialect(name).expect("a dialect") });
            }
        }
    }
    assert!(!found.is_empty(), "no recordings in {}", Path::new(&root).display());
    found
}

impl Recording {
    fn value(&self, text: &str) -> Value {
        serde_json::from_str(text)
            .unwrap_or_else(|error| panic!("{}: {error}", self.path.display()))
    }

    /// The stream as it was sent.
    fn stream(&self, lines: &[&str]) -> String {
        let event = |line: &&str| match self.dialect.name() {
            "anthropic-messages" | "cohere-chat" => {
                let kind = self.value(line)["type"].as_str().expect("a type").to_owned();
                format!("event: {kind}\ndata: {line}\n\n")
            }
            "gemini-generate" => format!("data: {line}\r\n\r\n"),
            "bedrock-converse" => format!("{line}\n"),
            _ => format!("data: {line}\n\n"),
        };
        let is_openai = ["openai-chat", "openai-completions"].contains(&self.dialect.name());
        let end = if is_openai { "data: [DONE]\n\n" } else { "" };
        lines.iter().map(event).chain([end.to_owned()]).collect()
    }

    fn check(&self, values: &[Value], chunks: &[Chunk]) {
        let path = self.path.display();
        let mut said = Said::default();
        values.iter().for_each(|value| said.walk(self.dialect.name(), value));
        let reply = Reply::fold(chunks);
        let texts: String = reply.choices.iter().map(|choice| choice.text.as_str()).collect();
        assert_eq!(texts, said.text, "text of {path}");
        let thoughts: String = reply
            .choices
            .iter()
            .flat_map(|c| &c.reasoning)
            .map(|(text, _)| text.as_str())
            .collect();
        assert_eq!(thoughts, said.thought, "reasoning of {path}");
        let kept = replay::dump(chunks) + &replay::dump(&reply.chunks());
        for piece in said.kept {
            let json = Value::String(piece).to_string();
            assert!(kept.contains(json.trim_matches('"')), "{json} is lost of {path}");
        }
        for name in said.calls {
            let is_call = |calls: &[wire::ToolCall]| calls.iter().any(|call| call.name == name);
            let is_kept = reply.choices.iter().any(|choice| is_call(&choice.tool_calls));
            assert!(is_kept || kept.contains(&name), "the call of {name} is lost of {path}");
        }
        let arguments: String = reply
            .choices
            .iter()
            .flat_map(|choice| &choice.tool_calls)
            .map(|call| call.arguments.as_str())
            .collect();
        if matches!(self.dialect.name(), "openai-chat" | "cohere-chat") {
            assert_eq!(arguments, said.arguments, "arguments of {path}");
        }
        if let Some(completion) = said.completion {
            let read = reply.usage.completion;
            assert!(read >= Some(completion), "usage of {path}: {read:?} of {completion}");
        }
        let is_said = !said.text.is_empty() || !said.arguments.is_empty();
        assert!(!is_said || reply.choices.iter().all(|choice| choice.finish.is_some()), "{path}");
        comes_back(&reply, &path.to_string());
    }
}

/// What is written as `openai-chat` is read back equal, as far as that dialect can say it.
fn comes_back(reply: &Reply, path: &str) {
    let chat = dialect("openai-chat").expect("a dialect");
    let body = chat.write_reply(reply, &replay::head(), &replay::cost());
    let back = Reply::fold(&chat.read_reply(&body.into()).expect("it was written here"));
    let mut stream = chat.write_stream(&replay::head());
    let mut out = Vec::new();
    for chunk in reply.chunks() {
        stream.chunk(&chunk, &mut out);
    }
    stream.end(&reply.usage, &replay::cost(), &mut out);
    let (chunks, error) = replay::read_stream(chat, &[&out]);
    assert_eq!(error, None, "{path}");
    for back in [back, Reply::fold(&chunks)] {
        assert_eq!(back.choices.len(), reply.choices.len(), "{path}");
        for (ours, theirs) in back.choices.iter().zip(&reply.choices) {
            assert_eq!(ours.text, theirs.text, "{path}");
            assert_eq!(ours.reasoning, theirs.reasoning, "{path}");
            assert_eq!(ours.tool_calls, theirs.tool_calls, "{path}");
            assert_eq!(ours.refusal, theirs.refusal, "{path}");
            assert_eq!(ours.annotations, theirs.annotations, "{path}");
            assert_eq!(ours.images, theirs.images, "{path}");
            assert_eq!(ours.finish, theirs.finish, "{path}");
        }
        let count =
            |reply: &Reply| [reply.usage.prompt, reply.usage.completion, reply.usage.reasoning];
        let counts = |reply: &Reply| count(reply).map(Option::unwrap_or_default);
        assert_eq!(counts(&back), counts(reply), "{path}");
    }
}

/// What a recording says.
#[derive(Default)]
struct Said {
    text: String,
    thought: String,
    /// All arguments, one call after the other.
    arguments: String,
    /// Names of called functions.
    calls: Vec<String>,
    /// What must be found somewhere: signatures, encrypted thoughts, addresses.
    kept: Vec<String>,
    completion: Option<u64>,
}

impl Said {
    fn walk(&mut self, dialect: &str, value: &Value) {
        match dialect {
            "anthropic-messages" => self.anthropic(value),
            "gemini-generate" => self.gemini(value),
            "bedrock-converse" => self.bedrock(value),
            "cohere-chat" => self.cohere(value),
            _ => self.openai(value),
        }
        self.kept(value);
    }

    fn kept(&mut self, value: &Value) {
        const KEPT: [&str; 6] = [
            "signature",
            "thoughtSignature",
            "encrypted_content",
            "cited_text",
            "uri",
            "tool_use_id",
        ];
        match value {
            Value::Array(values) => values.iter().for_each(|value| self.kept(value)),
            Value::Object(fields) => {
                for (name, value) in fields {
                    match value.as_str() {
                        Some(text) if KEPT.contains(&&**name) => self.kept.push(text.to_owned()),
                        _ => self.kept(value),
                    }
                }
            }
            _ => {}
        }
    }

    fn openai(&mut self, value: &Value) {
        for choice in value["choices"].as_array().into_iter().flatten() {
            let message = choice.get("delta").unwrap_or(&choice["message"]);
            self.content(&message["content"]);
            self.text.push_str(choice["text"].as_str().unwrap_or_default());
            for name in ["reasoning", "reasoning_content"] {
                self.thought.push_str(message[name].as_str().unwrap_or_default());
            }
            for call in message["tool_calls"].as_array().into_iter().flatten() {
                let function = &call["function"];
                self.arguments.push_str(function["arguments"].as_str().unwrap_or_default());
                self.calls.extend(function["name"].as_str().map(str::to_owned));
            }
        }
        for url in value["citations"].as_array().into_iter().flatten() {
            self.kept.extend(url.as_str().map(str::to_owned));
        }
        self.completion = value["usage"]["completion_tokens"].as_u64().or(self.completion);
    }

    fn content(&mut self, content: &Value) {
        self.text.push_str(content.as_str().unwrap_or_default());
        for part in content.as_array().into_iter().flatten() {
            self.text.push_str(part["text"].as_str().unwrap_or_default());
            for thought in part["thinking"].as_array().into_iter().flatten() {
                self.thought.push_str(thought["text"].as_str().unwrap_or_default());
            }
        }
    }

    fn anthropic(&mut self, value: &Value) {
        let blocks = value["content"].as_array().into_iter().flatten();
        for block in blocks.chain([&value["content_block"], &value["delta"]]) {
            match block["type"].as_str() {
                Some("text" | "text_delta") => {
                    self.text.push_str(block["text"].as_str().unwrap_or_default());
                }
                Some("thinking" | "thinking_delta") => {
                    self.thought.push_str(block["thinking"].as_str().unwrap_or_default());
                }
                Some("tool_use" | "server_tool_use") => {
                    self.calls.extend(block["name"].as_str().map(str::to_owned));
                }
                Some("redacted_thinking") => {
                    self.kept.extend(block["data"].as_str().map(str::to_owned));
                }
                _ => {}
            }
        }
        self.completion = value["usage"]["output_tokens"].as_u64().or(self.completion);
    }

    fn bedrock(&mut self, value: &Value) {
        let blocks = value.pointer("/output/message/content").and_then(Value::as_array);
        let pieces = [&value["contentBlockStart"]["start"], &value["contentBlockDelta"]["delta"]];
        for block in blocks.into_iter().flatten().chain(pieces) {
            self.text.push_str(block["text"].as_str().unwrap_or_default());
            let thought = &block["reasoningContent"];
            let thought = thought.get("reasoningText").unwrap_or(thought);
            self.thought.push_str(thought["text"].as_str().unwrap_or_default());
            self.calls.extend(block["toolUse"]["name"].as_str().map(str::to_owned));
        }
        let usage = value["metadata"].get("usage").unwrap_or(&value["usage"]);
        self.completion = usage["outputTokens"].as_u64().or(self.completion);
    }

    fn cohere(&mut self, value: &Value) {
        let delta = &value["delta"];
        let message = value.get("message").unwrap_or(&delta["message"]);
        let content = &message["content"];
        for block in content.as_array().into_iter().flatten().chain([content]) {
            self.text.push_str(block["text"].as_str().unwrap_or_default());
            self.thought.push_str(block["thinking"].as_str().unwrap_or_default());
        }
        self.thought.push_str(message["tool_plan"].as_str().unwrap_or_default());
        let calls = &message["tool_calls"];
        for call in calls.as_array().into_iter().flatten().chain([calls]) {
            let function = &call["function"];
            self.arguments.push_str(function["arguments"].as_str().unwrap_or_default());
            self.calls.extend(function["name"].as_str().map(str::to_owned));
        }
        for citation in message["citations"].as_array().into_iter().flatten() {
            self.kept.extend(citation["text"].as_str().map(str::to_owned));
        }
        // A call that ends without arguments was one without any.
        if value["type"] == "tool-call-end" && self.arguments.is_empty() {
            self.arguments.push_str("{}");
        }
        let usage = value.get("usage").unwrap_or(&delta["usage"]);
        self.completion = usage["billed_units"]["output_tokens"].as_u64().or(self.completion);
    }

    fn gemini(&mut self, value: &Value) {
        for candidate in value["candidates"].as_array().into_iter().flatten() {
            for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
                let text = part["text"].as_str().unwrap_or_default();
                if part["thought"] == true {
                    self.thought.push_str(text);
                } else {
                    self.text.push_str(text);
                }
                self.calls.extend(part["functionCall"]["name"].as_str().map(str::to_owned));
            }
        }
        let tokens = value["usageMetadata"]["candidatesTokenCount"].as_u64();
        self.completion = tokens.or(self.completion);
    }
}
