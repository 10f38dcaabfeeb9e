//! The official clients as users have them, against the built binary: the programs in
//! `tests/clients` say what is checked. `PATCHBAY_PYTHON` names a Python that has `openai`,
//! `PATCHBAY_NODE_MODULES` the `node_modules` that hold it; `.ci/run` sets both.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::conversation::Upstream;
use crate::harness::{Double, Gateway};

#[tokio::test]
async fn the_official_python_client_works_with_every_dialect() {
    let Some(python) = python("the Python client") else { return };
    let stage = Stage::set().await;
    for models in stage.models() {
        let mut command = Command::new(&python);
        command.arg(program("openai_client.py"));
        stage.run(command, models).await;
    }
}

#[tokio::test]
async fn the_official_node_client_works_with_every_dialect() {
    let Some(modules) = set("PATCHBAY_NODE_MODULES", "the Node client") else { return };
    // Either the folder itself or the one that holds it is what people name.
    let is_inside = modules.join("openai").is_dir();
    let installed = if is_inside { modules.parent().unwrap().to_owned() } else { modules };
    let stage = Stage::set().await;
    for models in stage.models() {
        let mut command = Command::new("node");
        command.arg(program("openai_client.mjs")).arg("--module").arg(&installed);
        stage.run(command, models).await;
    }
}

/// The Python that has the client; says that `what` is skipped where there is none.
pub(crate) fn python(what: &str) -> Option<PathBuf> {
    set("PATCHBAY_PYTHON", what)
}

/// What a variable names; says that the test is skipped where it is not set.
fn set(variable: &str, what: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).filter(|value| !value.is_empty());
    if found.is_none() {
        skip(&format!("{what}, because {variable} is not set"));
    }
    found.map(PathBuf::from)
}

/// Says what is skipped, and why, past the capture: who runs the tests must see it when all pass.
pub(crate) fn skip(what_and_why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {what_and_why}");
}

/// A program of `tests/clients`.
pub(crate) fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients").join(name)
}

/// A gateway with the simulated model, a model per dialect that calls tools, and a slow one.
struct Stage {
    gateway: Gateway,
    _double: Double,
}

impl Stage {
    async fn set() -> Self {
        let double = Double::start();
        let mut config = String::new();
        for upstream in Upstream::ALL {
            double.script(upstream.name(), &upstream.weather_script()).await;
            config.push_str(&double.model(upstream.name(), upstream.dialect(), true));
        }
        let piece = |text: &str| json!({"choices": [{"index": 0, "delta": {"content": text}}]});
        let mut events: Vec<Value> = (0..40).map(|_| piece("so ")).collect();
        let end = json!({"index": 0, "delta": {}, "finish_reason": "stop"});
        events.extend([json!({"choices": [end]}), json!("[DONE]")]);
        double.script("slow", &json!({"sse": events, "pace_ms": 50})).await;
        config.push_str(&double.model("slow", "openai-chat", true));
        Self { gateway: Gateway::start(&config).await, _double: double }
    }

    /// Models that do both: talk, and call tools.
    fn models(&self) -> impl Iterator<Item = String> {
        let doubles = Upstream::ALL.map(|upstream| format!("test/{}", upstream.name()));
        doubles.into_iter().chain(["patchbay/sim".to_owned()])
    }

    async fn run(&self, mut command: Command, model: String) {
        command.args(["--model", &model, "--slow-model", "test/slow"]);
        let said = run(command, &self.gateway).await;
        let checks = said.lines().filter(|line| line.starts_with("ok "));
        assert!(checks.count() >= 10, "{model}: few checks ran\n{said}");
    }
}

/// Runs a client program against a gateway; returns what it printed.
pub(crate) async fn run(mut command: Command, gateway: &Gateway) -> String {
    command
        .args(["--base-url", &format!("{}/v1", gateway.url), "--key", &gateway.key])
        .envs([("NO_PROXY", "127.0.0.1"), ("no_proxy", "127.0.0.1")])
        .kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.unwrap_or_else(|_| panic!("{command:?} did not end")).unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{said}{errors}");
    said
}

/// How long one client program may take.
const PATIENCE: Duration = Duration::from_secs(120);
