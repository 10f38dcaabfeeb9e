//! Replies that real providers sent, replayed by the double through the running gateway: they
//! arrive whole at a chat client, streamed and not. They lie where `PATCHBAY_FIXTURES` says.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokio::process::Command;

use crate::clients;
use crate::harness::{Double, Gateway, Streamed};
use crate::recording;
use crate::told::Told;

#[tokio::test]
async fn recorded_streams_arrive_whole() {
    let Some(stage) = Stage::set(".chunks.txt").await else { return };
    for recording in &stage.recordings {
        let told = stage.streamed(recording).await;
        check(recording, told);
    }
}

#[tokio::test]
async fn recorded_replies_arrive_whole() {
    let Some(stage) = Stage::set(".json").await else { return };
    for recording in stage.recordings.iter().filter(|one| one.status() == 200) {
        let (status, reply) = stage.gateway.chat(&ask(recording)).await;
        assert_eq!(status, 200, "{}: {reply}", recording.path.display());
        check(recording, Told::whole(&reply));
    }
}

#[tokio::test]
async fn recordings_arrive_whole_at_the_official_client() {
    let Some(python) = clients::python("recordings at the Python client") else { return };
    for (suffix, stream) in [(".chunks.txt", true), (".json", false)] {
        let Some(stage) = Stage::set(suffix).await else { return };
        let good = stage.recordings.iter().filter(|one| one.status() == 200);
        let good: Vec<&Recording> = good.collect();
        let mut command = Command::new(&python);
        command.arg(clients::program("openai_dump.py"));
        command.args(stream.then_some("--stream"));
        command.args(good.iter().map(|one| format!("test/{}", one.name)));
        let printed = clients::run(command, &stage.gateway).await;
        assert_eq!(printed.lines().count(), good.len());
        for (recording, line) in good.iter().zip(printed.lines()) {
            let told: Value = serde_json::from_str(line).unwrap();
            let told = match told {
                Value::Array(chunks) => {
                    Told::streamed(&Streamed { chunks, is_done: true, ..Streamed::default() })
                }
                reply => Told::whole(&reply),
            };
            check(recording, told);
        }
    }
}

#[tokio::test]
async fn a_provider_that_answers_a_stream_with_a_whole_reply_is_streamed_all_the_same() {
    let Some(stage) = Stage::set(".json").await else { return };
    for recording in stage.recordings.iter().filter(|one| one.status() == 200) {
        let told = stage.streamed(recording).await;
        check(recording, told);
    }
}

#[tokio::test]
async fn recorded_errors_are_mapped() {
    let Some(stage) = Stage::set(".json").await else { return };
    let errors = stage.recordings.iter().filter(|one| one.status() != 200);
    let mut seen = 0;
    for recording in errors {
        seen += 1;
        for stream in [false, true] {
            let mut ask = ask(recording);
            ask["stream"] = json!(stream);
            let response = stage.gateway.post(&ask).await;
            assert_eq!(response.status(), recording.status());
            let after = response.headers().get("retry-after").map(|value| value.to_str().unwrap());
            assert_eq!(after, retry_after(&recording.payloads[0]).as_deref());
            let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
            let error = &body["error"];
            assert_eq!(error["code"], recording.status(), "{body}");
            assert_eq!(error["message"], recording.payloads[0]["error"]["message"], "{body}");
            assert!(error["metadata"]["provider_name"].is_string(), "{body}");
        }
    }
    assert!(seen > 0, "there is a recorded error");
}

/// The delay that Google asks for, in whole seconds and none too few.
fn retry_after(payload: &Value) -> Option<String> {
    let details = payload["error"]["details"].as_array()?;
    let delay = details.iter().find_map(|detail| detail["retryDelay"].as_str())?;
    let seconds: f64 = delay.trim_end_matches('s').parse().unwrap();
    Some(format!("{:.0}", seconds.ceil()))
}

/// Compares what the client was told with what the recording says.
fn check(recording: &Recording, mut told: Told) {
    let said = recording::walk(recording.dialect, &recording.payloads);
    for (at, call) in told.calls.iter_mut().enumerate() {
        // A provider without ids has them made up; that they are there and differ is checked.
        if said.calls.get(at).is_some_and(|said| said.id.is_empty()) {
            call.id.clear();
        }
    }
    for detail in &mut told.details {
        let fields = detail.as_object_mut().unwrap();
        let format = fields.remove("format");
        let is_known = |format: &Value| *format == "google-gemini-v1";
        assert!(format.as_ref().is_some_and(is_known), "{format:?}");
        fields.retain(|name, _| name != "index" && name != "id");
    }
    assert_eq!(told, said, "{}", recording.path.display());
}

fn ask(recording: &Recording) -> Value {
    let messages = json!([{"role": "user", "content": "Say what you said then."}]);
    json!({"model": format!("test/{}", recording.name), "messages": messages})
}

/// All recordings of one form, each behind a model of its own of one gateway.
struct Stage {
    gateway: Gateway,
    recordings: Vec<Recording>,
    _double: Double,
}

struct Recording {
    /// The model and the script.
    name: String,
    path: PathBuf,
    dialect: &'static str,
    /// The body, or the stream's payloads.
    payloads: Vec<Value>,
}

impl Stage {
    async fn set(suffix: &str) -> Option<Self> {
        let recordings = recordings(suffix)?;
        let double = Double::start();
        let mut config = String::new();
        for recording in &recordings {
            let script = json!({"status": recording.status(), "recording": recording.path});
            double.script(&recording.name, &script).await;
            config.push_str(&double.model(&recording.name, recording.dialect, true));
        }
        let gateway = Gateway::start(&config).await;
        Some(Self { gateway, recordings, _double: double })
    }

    async fn streamed(&self, recording: &Recording) -> Told {
        let streamed: Streamed = self.gateway.stream(&ask(recording)).await;
        Told::streamed(&streamed)
    }
}

impl Recording {
    /// The status it came with.
    fn status(&self) -> u16 {
        let code = self.payloads[0]["error"]["code"].as_u64();
        code.map_or(200, |code| u16::try_from(code).unwrap())
    }
}

/// Folders, their dialects, and what the names of files begin with.
const FOLDERS: [(&str, &str, &str); 3] = [
    ("openai", "openai-chat", "chat."),
    ("anthropic", "anthropic-messages", ""),
    ("google", "gemini-generate", ""),
];

fn recordings(suffix: &str) -> Option<Vec<Recording>> {
    let Some(root) = std::env::var_os("PATCHBAY_FIXTURES") else {
        clients::skip("recorded replies, because PATCHBAY_FIXTURES is not set");
        return None;
    };
    let mut found = Vec::new();
    for (folder, dialect, prefix) in FOLDERS {
        let folder = Path::new(&root).join("wire").join(folder);
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths.retain(|path| {
            let file = path.file_name().unwrap().to_str().unwrap();
            file.starts_with(prefix) && file.ends_with(suffix)
        });
        assert!(!paths.is_empty(), "no recordings in {}", folder.display());
        for path in paths {
            let text = std::fs::read_to_string(&path).unwrap();
            let read = |text: &str| serde_json::from_str(text).unwrap();
            let payloads = match suffix {
                ".json" => vec![read(&text)],
                _ => text.lines().filter(|line| !line.trim().is_empty()).map(read).collect(),
            };
            let name = format!("recording-{}", found.len());
            found.push(Recording { name, path, dialect, payloads });
        }
    }
    Some(found)
}
