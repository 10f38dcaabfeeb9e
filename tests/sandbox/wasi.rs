//! A component for WASI (`wasm32-wasip2`), as other languages make them: it loads, finds nothing
//! but time and randomness, and what it prints is bounded lines of its log.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::upstream::{ask, reply};
use crate::harness::{Double, Gateway};

const TARGET: &str = "wasm32-wasip2";

/// Builds `tests/plugins/wasi`; none where the toolchain lacks the target.
fn component() -> Option<Vec<u8>> {
    let printed = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .unwrap();
    let libraries = String::from_utf8(printed.stdout).unwrap();
    if !Path::new(libraries.trim()).is_dir() {
        return None;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wasi");
    let status = Command::new(env!("CARGO"))
        .current_dir(root)
        .args(["build", "--lib", "--release", "-p", "plugin-wasi", "--target", TARGET])
        .env("CARGO_TARGET_DIR", &target_dir)
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status()
        .unwrap();
    assert!(status.success());
    let built = target_dir.join(TARGET).join("release/plugin_wasi.wasm");
    Some(std::fs::read(built).unwrap())
}

#[tokio::test]
async fn a_component_for_wasi_finds_nothing_but_time() {
    let Some(component) = component() else {
        let _ = writeln!(std::io::stderr(), "skipped: rustup target add {TARGET}");
        return;
    };
    let double = Double::start();
    double.script("free", &reply(&["unused"])).await;
    let gateway = Gateway::start(&double.model("free", "openai-chat", true)).await;
    let (status, body) = gateway.upload("wasi", component).await;
    assert_eq!(status, 201, "{body}");
    assert_eq!(body["data"]["lane"], "waiting", "{body}");
    let (status, answer) = gateway.chat(&ask("free", &json!([{"id": "wasi"}]))).await;
    assert_eq!(status, 200, "{answer}");
    let text: &Value = &answer["choices"][0]["message"]["content"];
    assert_eq!(text, "open: [], dated: true");
    assert!(!gateway.folder().join("left-behind").exists());
}
