//! What an upstream of each dialect sends, feature by feature: `upstreams/<dialect>/<feature>/`.
//! Its `steps.json` lists answers; the first one whose `needs` all occur in the request is given.
//! That is how a double checks that an image, a schema or a signature arrived: without it the answer
//! is an error. `no.json` says which features the dialect has not, and why.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::harness::Double;

/// The dialects that providers speak, in the order of the matrix.
pub(crate) const DIALECTS: [&str; 8] = [
    "openai-chat",
    "openai-responses",
    "openai-completions",
    "anthropic-messages",
    "gemini-generate",
    "bedrock-converse",
    "cohere-chat",
    "ollama-chat",
];

/// An upstream of one dialect.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) dialect: &'static str,
    folder: PathBuf,
    /// Why a feature is not there, by feature.
    no: BTreeMap<String, String>,
}

/// One answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    #[serde(default)]
    needs: Vec<String>,
    status: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    reply: String,
    stream: Option<String>,
}

impl Upstream {
    /// All of them, whether the gateway can speak to them or not.
    pub(crate) fn all() -> Vec<Self> {
        DIALECTS.into_iter().map(Self::read).collect()
    }

    fn read(dialect: &'static str) -> Self {
        let folder = folder("upstreams").join(dialect);
        let no = reasons(&folder);
        Self { dialect, folder, no }
    }

    /// Why a feature can't be asked of it; `None` when it can.
    pub(crate) fn obstacle(&self, feature: &str) -> Option<String> {
        if let Some(why) = self.no.get(feature) {
            return Some(why.clone());
        }
        let is_there = wire::dialect(self.dialect).is_some();
        (!is_there).then(|| format!("the gateway has no dialect {} yet", self.dialect))
    }

    /// Sets the double's answers for a feature; returns the provider and the model
    /// `{dialect}/{feature}` as configuration.
    pub(crate) async fn serve(&self, feature: &str, double: &Double) -> String {
        let name = format!("{}-{feature}", self.dialect);
        double.script(&name, &self.script(feature)).await;
        let output = if feature == "embeddings" { "embeddings" } else { "text" };
        let reasoning = match self.dialect {
            "anthropic-messages" => "adaptive",
            "bedrock-converse" => "budget",
            _ => "effort",
        };
        format!(
            "[[provider]]\nslug = \"{name}\"\nname = \"Cloudflare\"\ndialect = \"{dialect}\"\n\
             base_url = \"{url}/{name}\"\ncredential = \"none\"\ncancel = true\n\
             [[model]]\nid = \"{dialect}/{feature}\"\ncontext_length = 100000\n\
             input_modalities = [\"text\", \"image\", \"file\"]\n\
             output_modalities = [\"{output}\"]\nreasoning = \"{reasoning}\"\n\
             [[model.endpoint]]\nprovider = \"{name}\"\nmodel = \"up\"\nmax_output_tokens = 8000\n\
             price = {{ prompt = \"1\", completion = \"2\" }}\n",
            dialect = self.dialect,
            url = double.url,
        )
    }

    fn script(&self, feature: &str) -> Value {
        // Who aborts reads the beginning of an ordinary reply.
        let folder = self.folder.join(if feature == "abort" { "chat" } else { feature });
        let steps: Vec<Step> = serde_json::from_str(&text(&folder.join("steps.json"))).unwrap();
        let whole: Vec<Value> = steps.iter().map(|step| step.whole(&folder)).collect();
        let mut stream: Vec<Value> = steps.iter().map(|step| step.streamed(&folder)).collect();
        if feature == "abort" {
            stream.iter_mut().for_each(hold_back_the_end);
        }
        json!({"whole": whole, "stream": stream})
    }
}

impl Step {
    fn whole(&self, folder: &Path) -> Value {
        let mut answer = self.head();
        answer["body"] = text(&folder.join(&self.reply)).into();
        answer
    }

    fn streamed(&self, folder: &Path) -> Value {
        let Some(stream) = &self.stream else { return self.whole(folder) };
        let text = text(&folder.join(stream));
        let raw = |frame: &str| json!({"raw": frame});
        let (field, frames, kind): (_, Vec<Value>, _) = match stream.rsplit_once('.').unwrap().1 {
            "sse" => ("sse", text.split_inclusive("\n\n").map(raw).collect(), "text/event-stream"),
            "ndjson" => {
                ("sse", text.split_inclusive('\n').map(raw).collect(), "application/x-ndjson")
            }
            "jsonl" => {
                let frames = text.lines().map(|line| serde_json::from_str(line).unwrap());
                ("event_stream", frames.collect(), "application/vnd.amazon.eventstream")
            }
            other => panic!("{stream}: a stream is sse, ndjson or jsonl, not {other}"),
        };
        let mut answer = self.head();
        answer[field] = frames.into();
        answer["headers"]["content-type"] = kind.into();
        answer
    }

    fn head(&self) -> Value {
        let mut answer = json!({"status": self.status, "headers": self.headers});
        if !self.needs.is_empty() {
            answer["when"] = self.needs.clone().into();
        }
        answer
    }
}

/// The text is sent; what ends the stream never is.
fn hold_back_the_end(answer: &mut Value) {
    for field in ["sse", "event_stream"] {
        if let Some(frames) = answer[field].as_array() {
            let sent = frames.len().saturating_sub(2).max(1);
            answer["gate_after"] = sent.into();
        }
        // Looking has put a null there.
        if answer[field].is_null() {
            answer.as_object_mut().unwrap().remove(field);
        }
    }
}

/// A folder's `no.json`, where it has one: what can't be done, and why.
pub(crate) fn reasons(folder: &Path) -> BTreeMap<String, String> {
    let path = folder.join("no.json");
    if !path.exists() {
        return BTreeMap::new();
    }
    serde_json::from_str(&text(&path)).unwrap()
}

/// A folder of this suite's data.
pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance").join(name)
}

/// A file's text.
pub(crate) fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
