//! Every recorded reply of every provider, replayed through the running gateway to every surface,
//! streamed and not: what a surface can carry arrives, and what it can't is listed here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use wire::sse::Event;
use wire::{Chunk, Dialect, FinishReason, Reply, StreamError, dialect};

use crate::clients;
use crate::harness::{Double, Gateway};
use crate::spoken::{Surface, saying, surfaces};

/// Folders, the dialects of their files, and what the names of those begin with. A file belongs to
/// the first row that fits.
const FOLDERS: [(&str, &str, &str); 18] = [
    ("alibaba", "openai-chat", ""),
    ("amazon-bedrock", "bedrock-converse", ""),
    ("anthropic", "anthropic-messages", ""),
    ("azure", "openai-responses", ""),
    ("cohere", "cohere-chat", "cohere-"),
    ("cohere", RERANK, "reranking."),
    ("deepseek", "openai-chat", ""),
    ("google", "gemini-generate", ""),
    ("groq", "openai-chat", ""),
    ("mistral", "openai-chat", ""),
    ("moonshotai", "openai-chat", ""),
    ("open-responses", "openai-responses", ""),
    ("openai", "openai-chat", "chat."),
    ("openai", "openai-responses", "responses."),
    ("openai", "openai-completions", "completion."),
    ("xai", "openai-responses", "responses."),
    ("togetherai", RERANK, ""),
    ("", "openai-chat", ""),
];

/// No conversation: those files have a test of their own.
const RERANK: &str = "rerank";

/// What a surface has no form for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Loss {
    /// Thoughts.
    Thoughts,
    /// Tool calls.
    Calls,
    /// Which pages were cited.
    Citations,
    /// Pictures.
    Images,
    /// How many tokens came from the cache.
    Cached,
    /// How many tokens were thought.
    Thought,
    /// That something was not to be said: it ends like any other reply there.
    Filter,
}

/// Which surface loses what. One that loses no more is taken off the list.
const LOSSES: [(&str, &[Loss]); 5] = [
    ("anthropic-messages", &[Loss::Images]),
    ("bedrock-converse", &[Loss::Thought]),
    ("cohere-chat", &[Loss::Images, Loss::Thought]),
    ("ollama-chat", &[Loss::Citations, Loss::Cached, Loss::Thought, Loss::Filter]),
    // They stand beside the text there, in OpenRouter's words, which no upstream of text uses.
    ("openai-completions", &[Loss::Thoughts, Loss::Calls, Loss::Citations, Loss::Images]),
];

/// Several messages in one file: which of their ends counts, no dialect says.
const GLUED: [&str; 2] =
    ["anthropic-tool-search-deferred-regex.chunks.txt", "anthropic-tool-search-regex.1.chunks.txt"];

/// What is compared: all that a client is told of a reply.
#[derive(Debug, Default, Clone, PartialEq)]
struct View {
    text: String,
    thoughts: String,
    calls: Vec<(String, Value)>,
    /// Gemini tells a page once, however often it is cited.
    citations: BTreeSet<String>,
    images: usize,
    finish: Option<FinishReason>,
    tokens: (Option<u64>, Option<u64>),
    cached: u64,
    thought: u64,
}

impl View {
    fn of(reply: &Reply) -> Self {
        let choice = reply.choices.first().cloned().unwrap_or_default();
        let arguments = |text: &str| match text.trim() {
            "" => json!({}),
            text => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
        };
        let calls = choice.tool_calls.iter();
        let url = |json: &wire::Json| {
            let value: Value = json.read().unwrap();
            value["url_citation"]["url"].as_str().map(str::to_owned)
        };
        Self {
            text: choice.text + &choice.refusal,
            thoughts: choice.reasoning.iter().map(|(text, _)| text.as_str()).collect(),
            calls: calls.map(|call| (call.name.clone(), arguments(&call.arguments))).collect(),
            citations: choice.annotations.iter().filter_map(url).collect(),
            images: choice.images.len(),
            finish: choice.finish.map(|(reason, _)| reason),
            tokens: (reply.usage.prompt, reply.usage.completion),
            cached: reply.usage.cached.unwrap_or(0),
            thought: reply.usage.reasoning.unwrap_or(0),
        }
    }

    /// What differs, each with both sides.
    fn differences(&self, other: &Self) -> Vec<String> {
        let parts = |view: &Self| {
            [
                format!("text {:?}", view.text),
                format!("thoughts {:?}", view.thoughts),
                format!("calls {:?}", view.calls),
                format!("citations {:?}", view.citations),
                format!("images {}", view.images),
                format!("finish {:?}", view.finish),
                format!("tokens {:?}", view.tokens),
                format!("cached {}, thought {}", view.cached, view.thought),
            ]
        };
        let pairs = parts(self).into_iter().zip(parts(other));
        pairs.filter(|(one, two)| one != two).map(|(one, two)| format!("{one} != {two}")).collect()
    }

    /// What is left of it on a surface that loses that.
    fn without(&self, loss: Loss) -> Self {
        let mut view = self.clone();
        match loss {
            Loss::Thoughts => view.thoughts.clear(),
            Loss::Calls => view.calls.clear(),
            Loss::Citations => view.citations.clear(),
            Loss::Images => view.images = 0,
            Loss::Cached => view.cached = 0,
            Loss::Thought => view.thought = 0,
            Loss::Filter if view.finish == Some(FinishReason::ContentFilter) => {
                view.finish = Some(FinishReason::Stop);
            }
            Loss::Filter => {}
        }
        view
    }
}

/// A recording that is a good reply.
struct Recording {
    name: String,
    path: PathBuf,
    dialect: &'static dyn Dialect,
    view: View,
}

#[tokio::test]
async fn every_recording_arrives_at_every_surface() {
    let Some(root) = std::env::var_os("PATCHBAY_FIXTURES") else {
        return clients::skip("recorded replies everywhere, because PATCHBAY_FIXTURES is not set");
    };
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for (suffix, is_stream) in [(".chunks.txt", true), (".json", false)] {
        let recordings = recordings(Path::new(&root), suffix);
        let double = Double::start();
        let mut config = String::new();
        for recording in &recordings {
            double.script(&recording.name, &json!({"recording": recording.path})).await;
            config.push_str(&double.model(&recording.name, recording.dialect.name(), true));
        }
        let gateway = &Gateway::start(&config).await;
        let pairs = recordings.iter().flat_map(|one| surfaces().into_iter().map(move |s| (one, s)));
        let lost = stream::iter(pairs)
            .map(|(recording, surface)| arrives(gateway, recording, surface, is_stream))
            .buffer_unordered(8);
        for (lost, differences) in lost.collect::<Vec<_>>().await {
            seen.extend(lost);
            wrong.extend(differences);
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    let listed =
        LOSSES.iter().flat_map(|(surface, losses)| losses.iter().map(|it| (*surface, *it)));
    let listed: BTreeSet<_> = listed.collect();
    let stale: Vec<_> = listed.difference(&seen).collect();
    assert!(stale.is_empty(), "listed as lost, but nothing was: {stale:?}");
}

/// Replays one recording to one surface; says what was lost of it, which must be listed, and what
/// else differs.
async fn arrives(
    gateway: &Gateway,
    recording: &Recording,
    surface: Surface,
    is_stream: bool,
) -> (Vec<(&'static str, Loss)>, Option<String>) {
    let name = surface.dialect.name();
    let request = saying(&format!("test/{}", recording.name), "Say it again.", is_stream);
    let told = surface.ask(gateway, &request, &json!({})).await;
    let case = format!("{} at {name}", recording.path.display());
    if (told.status, &told.failure) != (200, &None) {
        return (Vec::new(), Some(format!("{case}: {} {}", told.status, told.body)));
    }
    let mut told = View::of(&told.reply);
    if GLUED.iter().any(|name| recording.path.ends_with(name)) {
        told.finish = recording.view.finish;
    }
    let known = LOSSES.iter().find(|(surface, _)| *surface == name).map_or(&[][..], |(_, it)| it);
    let lost: Vec<Loss> = known
        .iter()
        .copied()
        .filter(|loss| recording.view.without(*loss) != recording.view)
        .collect();
    let expected = lost.iter().fold(recording.view.clone(), |view, loss| view.without(*loss));
    let told = lost.iter().fold(told, |view, loss| view.without(*loss));
    let differences = told.differences(&expected);
    let wrong = (!differences.is_empty()).then(|| format!("{case}: {}", differences.join("; ")));
    (lost.into_iter().map(|loss| (name, loss)).collect(), wrong)
}

/// The good replies of one form.
fn recordings(root: &Path, suffix: &str) -> Vec<Recording> {
    let mut found = Vec::new();
    for folder in sorted(&root.join("wire")).into_iter().filter(|path| path.is_dir()) {
        let place = folder.file_name().unwrap().to_str().unwrap().to_owned();
        for path in sorted(&folder) {
            let file = path.file_name().unwrap().to_str().unwrap();
            if !file.ends_with(suffix) {
                continue;
            }
            let row = FOLDERS.iter().find(|(folder, _, prefix)| {
                (folder.is_empty() || *folder == place) && file.starts_with(prefix)
            });
            let (_, spoken, _) = row.unwrap();
            if *spoken == RERANK {
                continue;
            }
            let Some(dialect) = dialect(spoken) else { continue };
            let Ok(reply) = read(dialect, &std::fs::read_to_string(&path).unwrap(), suffix) else {
                // What the provider refused or broke off has a test of its own.
                continue;
            };
            let name = format!("recording-{}", found.len());
            found.push(Recording { name, path, dialect, view: View::of(&reply) });
        }
    }
    assert!(found.len() > 20, "there are recordings");
    found
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = entries.collect();
    paths.sort();
    paths
}

fn read(dialect: &dyn Dialect, text: &str, suffix: &str) -> Result<Reply, StreamError> {
    if suffix == ".json" {
        let chunks = dialect.read_reply(&Bytes::copy_from_slice(text.as_bytes()))?;
        return Ok(Reply::fold(&chunks));
    }
    let mut reader = dialect.read_stream();
    let mut chunks: Vec<Chunk> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        reader.read(&event(dialect, line), &mut chunks)?;
    }
    Ok(Reply::fold(&chunks))
}

/// A recorded line as the event that it was.
fn event(dialect: &dyn Dialect, line: &str) -> Event {
    let value: Value = serde_json::from_str(line).unwrap();
    let (name, data) = match value.as_object().and_then(|fields| fields.iter().next()) {
        Some((name, inner)) if dialect.name() == "bedrock-converse" => {
            (Some(name.clone()), inner.to_string())
        }
        _ => (value["type"].as_str().map(str::to_owned), line.to_owned()),
    };
    Event { name, data: data.into() }
}
