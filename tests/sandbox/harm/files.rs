//! Every file of `harm`, in one gateway: what its first lines say becomes of it, and of nothing
//! else anything.

use serde_json::{Value, json};

use super::super::upstream::{ask, reply};
use super::super::wasm;
use super::{Fate, Harm, ID};
use crate::harness::{Double, Gateway};

/// A failure is told to the client, so that the test can read it.
const CONFIG: &str = "[plugins.breaker]\nfailures = 60000\n[plugins.limits]\ncpu_ms = 10000\n\
    [plugin.harm]\non_error = \"closed\"\n[plugin.harm.limits]\ncpu_ms = 300\n";

#[tokio::test]
async fn each_file_of_harm_ends_as_its_first_lines_say_and_harms_nobody_else() {
    let double = Double::start();
    double.script("free", &reply(&["a cat"])).await;
    let model = double.model("free", "openai-chat", true);
    let gateway = Gateway::start(&format!("{CONFIG}{model}")).await;
    let (status, body) = gateway.upload("template", wasm::template()).await;
    assert_eq!(status, 201, "{body}");
    let all = Harm::all();
    assert!(all.iter().any(|harm| harm.fate == Fate::Serves), "nothing shows that the parts work");
    let mut problems = Vec::new();
    for harm in &all {
        if let Err(problem) = check(&gateway, harm).await {
            problems.push(format!("{}: {problem}", harm.name));
        }
        let healthy = json!([{"id": "template", "replace": {"cat": "dog"}}]);
        assert_eq!(text(&gateway, healthy).await, "a dog", "after {}", harm.name);
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Loads a file, and asks what could be loaded.
async fn check(gateway: &Gateway, harm: &Harm) -> Result<(), String> {
    let before = faults(gateway).await;
    let (status, body) = gateway.upload(ID, harm.wasm.clone()).await;
    let refusal = body["error"]["message"].as_str().unwrap_or_default().to_owned();
    let (want, told) = match &harm.fate {
        Fate::Refused(step) => {
            let step = format!("refused at `{step}`: ");
            let is_so = status == 422 && refusal.len() > step.len() && refusal.starts_with(&step);
            (is_so, refusal)
        }
        _ if status != 201 => (false, refusal),
        Fate::Serves => {
            let answered = text(gateway, json!([{"id": ID}])).await;
            (answered == "a cat", answered)
        }
        Fate::Fault(fault) => {
            let (status, body) = gateway.chat(&ask("free", &json!([{"id": ID}]))).await;
            let is_so = status == 503 && body["error"]["metadata"]["fault"] == json!(fault);
            (is_so, body["error"].to_string())
        }
    };
    let after = faults(gateway).await;
    let changed: Vec<_> = after.iter().filter(|line| !before.contains(line)).collect();
    let is_counted = match &harm.fate {
        Fate::Fault(fault) => {
            let own = format!("patchbay_plugin_faults_total{{plugin=\"{ID}\",fault=\"{fault}\"}}");
            changed.len() == 1 && changed[0].starts_with(&own)
        }
        _ => changed.is_empty(),
    };
    match want && is_counted && told.contains(&harm.says) {
        true => Ok(()),
        false => {
            Err(format!("wanted {:?} {:?}, and it was {told}; {changed:?}", harm.fate, harm.says))
        }
    }
}

async fn text(gateway: &Gateway, plugins: Value) -> String {
    let (status, body) = gateway.chat(&ask("free", &plugins)).await;
    assert_eq!(status, 200, "{body}");
    body["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
}

/// The lines that count faults.
async fn faults(gateway: &Gateway) -> Vec<String> {
    let text = gateway.metrics().await;
    let lines = text.lines().filter(|line| line.starts_with("patchbay_plugin_faults_total{"));
    lines.map(str::to_owned).collect()
}
