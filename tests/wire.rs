//! Every dialect against recorded and hand-made bodies: folders under `tests/wire/<dialect>/`.
//!
//! To add a case, make `tests/wire/<dialect>/<case>/` with an `about.md` (a line: where it is from,
//! why it is kept) and any of these, then run `UPDATE=1 cargo test -p wire --test wire` and review:
//! - `request.json`, a client's body -> `upstream.<dialect>.json` for every dialect, or `error.txt`;
//!   `target.json` (`model`, `stream`, `max_output_tokens`, `reasoning`, `quirks`) says where it goes
//! - `chat.json`, a chat request -> `prompt.txt`, the one text that it is for an upstream of this
//!   dialect
//! - `stream.sse`, an upstream's (`stream.jsonl` where the framing is another: an object a line, of
//!   binary messages `{"<type>": <payload>}`) -> `chunks.json`, `stream.<dialect>.<sse or jsonl>` for
//!   every surface
//! - `reply.json`, an upstream's -> `reply.<dialect>.json` for every surface
//! - `failed.json`, the `status` and `body` of an upstream's error -> `failed.<dialect>.json` for
//!   every surface

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says what is wrong by panicking"
)]

use std::path::{Path, PathBuf};
use std::{env, fs};

use bytes::Bytes;
use wire::{
    Chunk, DIALECTS, Dialect, Framing, Quirks, ReasoningStyle, Reply, Source, StreamError, Target,
    dialect,
};

#[path = "wire/agents.rs"]
mod agents;
#[path = "wire/replay.rs"]
mod replay;
#[path = "wire/turns.rs"]
mod turns;

#[test]
fn requests_are_written_as_recorded() {
    for_each_case("request.json", |case| {
        let body = case.input("request.json");
        let request = match case.dialect.read_request(&body) {
            Ok(request) => request,
            Err(error) => return case.expect("error.txt", &format!("{error}\n")),
        };
        let settings = case.target(request.stream);
        for &to in DIALECTS {
            let written = match to.write_request(&request, &settings.target()) {
                Ok(outgoing) => {
                    let body = String::from_utf8(outgoing.body.to_vec()).expect("UTF-8");
                    serde_json::from_str::<serde_json::Value>(&body).expect("JSON");
                    format!("{}\n", indent(&body))
                }
                Err(error) => format!("{error}\n"),
            };
            case.expect(&format!("upstream.{}.json", to.name()), &written);
        }
    });
}

#[test]
fn the_canonical_form_of_a_request_says_as_much_as_its_bytes() {
    for_each_case("request.json", |case| {
        let Ok(mut request) = case.dialect.read_request(&case.input("request.json")) else {
            return;
        };
        let settings = match case.dialect.name() {
            "openai-chat" => {
                let quirks = Quirks { openrouter_reasoning: true, ..Quirks::default() };
                let (model, stream) = (request.model.clone(), Some(request.stream));
                Settings { quirks, model, stream, ..Settings::default() }
            }
            // Another provider's thoughts are not for Bedrock.
            "bedrock-converse" if !case.folder.ends_with("foreign-thought") => {
                case.target(request.stream)
            }
            _ => return,
        };
        request.source = None;
        request.controls = Default::default();
        let outgoing =
            case.dialect.write_request(&request, &settings.target()).expect("it was read");
        let mut back = case.dialect.read_request(&outgoing.body).expect("it was written here");
        back.source = None;
        assert_eq!(back, request, "{}", case.folder.display());
    });
}

#[test]
fn conversations_are_rendered_as_recorded() {
    for_each_case("chat.json", |case| {
        let chat = dialect("openai-chat").expect("a dialect");
        let request = chat.read_request(&case.input("chat.json")).expect("a chat request");
        let settings = case.target(request.stream);
        let written = match case.dialect.write_request(&request, &settings.target()) {
            Ok(outgoing) => {
                let body: serde_json::Value = serde_json::from_slice(&outgoing.body).expect("JSON");
                format!("{}\n", body["prompt"].as_str().expect("one text"))
            }
            Err(error) => format!("{error}\n"),
        };
        case.expect("prompt.txt", &written);
    });
}

#[test]
fn streams_are_read_in_every_split_and_written_as_recorded() {
    for_each_case("stream.sse", streamed);
    for_each_case("stream.jsonl", streamed);
}

fn streamed(case: &Case) {
    let framing = case.dialect.framing();
    let text = case.input(&format!("stream.{}", ending(framing)));
    let stream = replay::framed(framing, std::str::from_utf8(&text).expect("UTF-8"));
    let (chunks, error) = replay::read_in_every_split(case.dialect, &stream);
    let mut dump = replay::dump(&chunks);
    if let Some(error) = &error {
        dump.push_str(&format!("{error:?}\n"));
    }
    case.expect("chunks.json", &dump);
    for &surface in DIALECTS {
        let written = write_stream(surface, &chunks, error.as_ref());
        let ending = ending(surface.framing());
        case.expect(&format!("stream.{}.{ending}", surface.name()), &written);
    }
}

#[test]
fn replies_are_written_as_recorded() {
    for_each_case("reply.json", |case| {
        let body = case.input("reply.json");
        let chunks = match case.dialect.read_reply(&body) {
            Ok(chunks) => chunks,
            Err(error) => return case.expect("error.txt", &format!("{error:?}\n")),
        };
        let mut reply = Reply::fold(&chunks);
        reply.source = Some(Source { dialect: case.dialect.name(), bytes: body });
        for &surface in DIALECTS {
            let written = surface.write_reply(&reply, &replay::head(), &replay::cost());
            let written = String::from_utf8(written).expect("UTF-8");
            serde_json::from_str::<serde_json::Value>(&written).expect("JSON");
            case.expect(
                &format!("reply.{}.json", surface.name()),
                &format!("{}\n", indent(&written)),
            );
        }
    });
}

#[test]
fn errors_are_written_as_recorded() {
    for_each_case("failed.json", |case| {
        let input = case.input("failed.json");
        let failed: Failed = serde_json::from_slice(&input).expect("a status and a body");
        let failure = case.dialect.read_error(failed.status, failed.body.as_str().as_bytes());
        for &surface in DIALECTS {
            let written = surface.write_error(&failure, Some(&replay::head()));
            let written = String::from_utf8(written).expect("UTF-8");
            case.expect(
                &format!("failed.{}.json", surface.name()),
                &format!("{}\n", indent(&written)),
            );
        }
    });
}

/// An upstream's error.
#[derive(serde::Deserialize)]
struct Failed {
    status: u16,
    body: wire::Json,
}

fn write_stream(surface: &dyn Dialect, chunks: &[Chunk], error: Option<&StreamError>) -> String {
    let mut stream = surface.write_stream(&replay::head());
    let mut out = Vec::new();
    stream.keep_alive(&mut out);
    for chunk in chunks {
        stream.chunk(chunk, &mut out);
    }
    match error {
        None => stream.end(&Reply::fold(chunks).usage, &replay::cost(), &mut out),
        Some(StreamError::Upstream(failure)) => stream.error(failure, &mut out),
        Some(StreamError::Read(error)) => panic!("{error}"),
    }
    unframed(surface.framing(), &out)
}

/// How a file of streams is called.
fn ending(framing: Framing) -> &'static str {
    match framing {
        Framing::Sse => "sse",
        Framing::Lines | Framing::EventStream => "jsonl",
    }
}

/// A stream as it is kept.
fn unframed(framing: Framing, stream: &[u8]) -> String {
    if framing != Framing::EventStream {
        return String::from_utf8(stream.to_vec()).expect("UTF-8");
    }
    let line = |event: wire::sse::Event| {
        let payload = std::str::from_utf8(&event.data).expect("UTF-8");
        format!("{{\"{}\":{payload}}}\n", event.name.expect("a type"))
    };
    replay::events(framing, &[stream]).into_iter().map(line).collect()
}

/// One folder.
struct Case {
    folder: PathBuf,
    dialect: &'static dyn Dialect,
    is_update: bool,
    wrong: std::cell::RefCell<Vec<String>>,
}

impl Case {
    fn input(&self, name: &str) -> Bytes {
        fs::read(self.folder.join(name)).expect("readable").into()
    }

    /// Compares with the expected file; with `UPDATE` set, writes it.
    fn expect(&self, name: &str, actual: &str) {
        let path = self.folder.join(name);
        if self.is_update {
            return fs::write(&path, actual).expect("writable");
        }
        match fs::read_to_string(&path) {
            Ok(expected) if expected == actual => {}
            Ok(_) => self.wrong.borrow_mut().push(format!("{}: now\n{actual}", path.display())),
            Err(_) => self.wrong.borrow_mut().push(format!("{}: missing", path.display())),
        }
    }

    fn target(&self, stream: bool) -> Settings {
        let defaults = Settings { stream: Some(stream), ..Settings::default() };
        let Ok(text) = fs::read_to_string(self.folder.join("target.json")) else { return defaults };
        let mut settings: Settings = serde_json::from_str(&text).expect("a target");
        settings.stream = settings.stream.or(Some(stream));
        settings
    }
}

/// Where a case's request goes.
#[derive(serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    model: String,
    stream: Option<bool>,
    max_output_tokens: Option<u32>,
    reasoning: ReasoningStyle,
    efforts: Vec<wire::Effort>,
    quirks: Quirks,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: "upstream-model".to_owned(),
            stream: None,
            max_output_tokens: Some(4096),
            reasoning: ReasoningStyle::Effort,
            efforts: Vec::new(),
            quirks: Quirks::default(),
        }
    }
}

impl Settings {
    fn target(&self) -> Target<'_> {
        Target {
            model: &self.model,
            stream: self.stream.unwrap_or_default(),
            max_output_tokens: self.max_output_tokens,
            reasoning: self.reasoning,
            efforts: &self.efforts,
            quirks: &self.quirks,
        }
    }
}

/// Runs every folder that has this input, and tells of all that went wrong.
fn for_each_case(input: &str, run: impl Fn(&Case)) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/wire");
    let mut wrong = Vec::new();
    for folder in folders(&root) {
        let name = folder.file_name().and_then(|name| name.to_str()).expect("a name");
        let dialect = dialect(name).unwrap_or_else(|| panic!("tests/wire/{name}: no such dialect"));
        for folder in folders(&folder) {
            let about = folder.join("about.md");
            assert!(about.exists(), "{}: say where the case is from", about.display());
            if !folder.join(input).exists() {
                continue;
            }
            let is_update = env::var_os("UPDATE").is_some();
            let case = Case { folder, dialect, is_update, wrong: Default::default() };
            run(&case);
            wrong.extend(case.wrong.into_inner());
        }
    }
    let count = wrong.len();
    assert!(wrong.is_empty(), "{}\n{count} differ; UPDATE=1 accepts", wrong.join("\n"));
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root).into_iter().flatten();
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.expect("readable").path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// JSON text with line breaks and nothing else changed: number text and escapes stay.
fn indent(json: &str) -> String {
    let mut out = String::new();
    let (mut depth, mut in_string, mut is_escaped) = (0usize, false, false);
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        if in_string {
            out.push(c);
            in_string = is_escaped || c != '"';
            is_escaped = c == '\\' && !is_escaped;
            continue;
        }
        match c {
            '"' => in_string = true,
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            _ if c.is_whitespace() => continue,
            _ => {}
        }
        let line = |out: &mut String| {
            out.push('\n');
            out.push_str(&"  ".repeat(depth));
        };
        if matches!(c, '}' | ']') && !matches!(out.chars().next_back(), Some('{' | '[')) {
            line(&mut out);
        }
        out.push(c);
        match c {
            '{' | '[' if !matches!(chars.peek(), Some('}' | ']')) => line(&mut out),
            ',' => line(&mut out),
            ':' => out.push(' '),
            _ => {}
        }
    }
    out
}
