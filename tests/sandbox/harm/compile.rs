//! Files that are work to compile: a process of its own does it, which ends when it takes too much
//! time or memory. Requests do not wait for it.

use std::fmt::Write as _;

use futures_util::future::join;
use serde_json::json;

use super::super::upstream::{ask, reply};
use super::super::wasm;
use super::{ID, assemble};
use crate::harness::{Double, Gateway};

/// A gateway, and healthy requests until `work` is done. How many there were.
async fn beside_requests(
    gateway: &Gateway,
    work: impl Future<Output = (u16, String)>,
) -> (u16, String, usize) {
    let is_over = std::cell::Cell::new(false);
    let work = async {
        let done = work.await;
        is_over.set(true);
        done
    };
    let healthy = async {
        let body = ask("free", &json!([{"id": "template", "replace": {"cat": "dog"}}]));
        let mut count = 0;
        while !is_over.get() {
            assert_eq!(gateway.stream(&body).await.joined("content"), "a dog");
            count += 1;
        }
        count
    };
    let ((status, message), count) = join(work, healthy).await;
    (status, message, count)
}

async fn begin(config: &str) -> (Double, Gateway) {
    let double = Double::start();
    double.script("free", &reply(&["a cat"])).await;
    let model = double.model("free", "openai-chat", true);
    let config = format!("[plugins]\nlimits.cpu_ms = 10000\n{config}{model}");
    let gateway = Gateway::start(&config).await;
    let (status, body) = gateway.upload("template", wasm::template()).await;
    assert_eq!(status, 201, "{body}");
    (double, gateway)
}

async fn upload(gateway: &Gateway, wasm: Vec<u8>) -> (u16, String) {
    let (status, body) = gateway.upload(ID, wasm).await;
    (status, body["error"]["message"].as_str().unwrap_or_default().to_owned())
}

/// Loops within loops around many variables that each of them changes: the compiler must know each
/// of them at the head of each loop.
fn bomb() -> Vec<u8> {
    let mut text = "(func (param i32)".to_owned();
    for _ in 0..VARIABLES {
        text.push_str(" (local i32)");
    }
    text.push('\n');
    for _ in 0..LOOPS {
        text.push_str("loop ");
    }
    for variable in 1..=VARIABLES {
        write!(text, "local.get {variable} i32.const 1 i32.add local.set {variable} ").unwrap();
    }
    for _ in 0..LOOPS {
        text.push_str("local.get 0 br_if 0 end ");
    }
    assemble(&(text + ")"), &[])
}

const VARIABLES: usize = 20_000;
const LOOPS: usize = 4_000;

#[tokio::test]
async fn a_file_that_takes_too_long_to_compile_is_refused_and_nobody_waits_for_it() {
    let (_double, gateway) = begin("compile_ms = 2500\n").await;
    let (status, message, count) = beside_requests(&gateway, upload(&gateway, bomb())).await;
    assert_eq!(status, 422, "{message}");
    assert!(message.starts_with("refused at `compile`: "), "{message}");
    assert!(message.contains("plugins.compile_ms"), "{message}");
    assert!(count > 10, "{count} requests while it was compiled");
    assert_eq!(gateway.get(&format!("/plugins/{ID}")).await.0, 404);
}

#[tokio::test]
async fn a_file_that_takes_too_much_memory_to_compile_is_refused() {
    let (_double, gateway) = begin("compile_bytes_max = 200000000\ncompile_ms = 60000\n").await;
    let (status, message, count) = beside_requests(&gateway, upload(&gateway, bomb())).await;
    assert_eq!(status, 422, "{message}");
    assert!(message.starts_with("refused at `compile`: "), "{message}");
    assert!(message.contains("plugins.compile_bytes_max"), "{message}");
    assert!(count > 0, "{count} requests while it was compiled");
    assert_eq!(gateway.get(&format!("/plugins/{ID}")).await.0, 404);
}

#[tokio::test]
async fn large_files_within_the_limits_are_loaded_and_serve() {
    let (_double, gateway) = begin("compile_ms = 120000\n").await;
    let functions = "(func (result i32) (i32.const 7))\n".repeat(50_000);
    let blocks = format!("(func {}{})", "block ".repeat(100_000), "end ".repeat(100_000));
    let data = format!("(data \"{}\")", "x".repeat(20 << 20));
    for (name, fields) in [("functions", functions), ("blocks", blocks), ("data", data)] {
        let (status, message) = upload(&gateway, assemble(&fields, &[])).await;
        assert_eq!(status, 201, "{name}: {message}");
        let (status, body) = gateway.chat(&ask("free", &json!([{"id": ID}]))).await;
        assert_eq!(body["choices"][0]["message"]["content"], json!("a cat"), "{name}: {status}");
    }
}
