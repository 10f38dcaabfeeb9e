//! The cases as they lie in the plugins' folders (`sdk/src/testing/cases.rs` says what is in one).

use std::path::Path;

use serde_json::{Map, Value};
use wire::Delta;

use super::deltas;
use super::request::MODEL;

/// One case.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// The plugin's id.
    pub(super) plugin: String,
    /// `<plugin>/<file>`, without the ending.
    pub(super) name: String,
    /// The plugin's options.
    pub(super) options: Map<String, Value>,
    /// The request in the cases' notation; an object.
    pub(super) request: Value,
    /// What the request hook decides.
    pub(super) decision: Decision,
    /// What the model says; none where it is not asked.
    pub(super) deltas: Option<Vec<Delta>>,
    /// What the client gets.
    pub(super) expect: Vec<Delta>,
    /// The status with which the reply is stopped.
    pub(super) stop: Option<u16>,
    /// What its metadata has, among others.
    pub(super) stop_metadata: Map<String, Value>,
    /// What models answer that the plugin asks: name and text, in order.
    pub(super) asides: Vec<(String, String)>,
}

/// What a request hook decides.
#[derive(Debug, Clone)]
pub(super) enum Decision {
    /// Nothing.
    Pass,
    /// This request instead, in the cases' notation.
    Replace(Value),
    /// A status, and what its metadata has, among others.
    Reject(u16, Map<String, Value>),
}

/// What the host would have to answer; a gateway has its own.
const HOST: [&str; 8] =
    ["http", "embeddings", "search", "catalog", "secrets", "state", "expect_state", "calls"];

/// The shipped plugins' ids.
pub(super) fn plugins() -> Vec<String> {
    let mut ids: Vec<String> = folder(&root())
        .filter(|path| path.join("Cargo.toml").is_file())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

/// A plugin's cases that can be played, by name.
pub(super) fn of(plugin: &str) -> Vec<Case> {
    let files = folder(&root().join(plugin).join("cases"));
    let mut cases: Vec<Case> = files
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .filter_map(|path| read(plugin, &path))
        .collect();
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    cases
}

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("plugins")
}

fn folder(path: &Path) -> impl Iterator<Item = std::path::PathBuf> + use<> {
    std::fs::read_dir(path).into_iter().flatten().map(|entry| entry.unwrap().path())
}

/// The case, if it needs nothing of the host.
fn read(plugin: &str, path: &Path) -> Option<Case> {
    let file = path.file_stem().unwrap().to_str().unwrap();
    let case: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    if HOST.iter().any(|field| case.get(field).is_some()) {
        return None;
    }
    let asides = asides(&case)?;
    let list = |field: &str| case[field].as_array().cloned();
    let object = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let replies = |values: Vec<Value>| deltas::read_all(values).unwrap();
    let decision = &case["decision"];
    let decision = match (&decision["reject"], &decision["replace"], &decision["answer"]) {
        (Value::Null, Value::Null, Value::Null) => Decision::Pass,
        (Value::Null, replaced, Value::Null) => Decision::Replace(replaced.clone()),
        (status, Value::Null, Value::Null) => {
            Decision::Reject(number(status), object(&decision["metadata"]))
        }
        _ => panic!("{plugin}/{file}: an answer without a host: play it"),
    };
    Some(Case {
        plugin: plugin.to_owned(),
        name: format!("{plugin}/{file}"),
        options: object(&case["options"]),
        request: Value::Object(object(&case["request"])),
        decision,
        deltas: list("deltas").map(replies),
        expect: list("expect").map(replies).unwrap_or_default(),
        stop: case.get("stop").map(number),
        stop_metadata: object(&case["stop_metadata"]),
        asides,
    })
}

/// What models answer beside the one that is asked; none where it is the same, or fails.
fn asides(case: &Value) -> Option<Vec<(String, String)>> {
    let lines = case["models"].as_array().into_iter().flatten();
    let named = case["options"]["model"].as_str();
    let answers = lines.map(|line| {
        let model = line["model"].as_str().or(named)?;
        let is_other = case["request"]["model"] != model && model != MODEL;
        is_other.then_some((model.to_owned(), line["text"].as_str()?.to_owned()))
    });
    answers.collect()
}

fn number(value: &Value) -> u16 {
    u16::try_from(value.as_u64().unwrap()).unwrap()
}
