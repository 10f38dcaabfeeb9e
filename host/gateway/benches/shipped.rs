//! What the shipped plugins weigh: the size of each, how long the gateway takes to be ready with all
//! of them, and what one piece of text costs in the plugins that look for many patterns. Each table
//! has its baseline, measured in the same run.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints, and may stop")]

mod measure;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use gateway::bench::{Guest, shipped, text_chunk};
use measure::{measure, now};

fn main() {
    sizes();
    start();
    patterns();
}

fn sizes() {
    println!("| plugin | bytes of wasm |\n|---|---:|");
    let plugins = shipped();
    for (id, wasm) in plugins {
        println!("| {id} | {} |", wasm.len());
    }
    let all: usize = plugins.iter().map(|(_, wasm)| wasm.len()).sum();
    println!("| all {} | {all} |\n", plugins.len());
}

/// The whole program, from its start until it says that it takes requests. The second start finds
/// what the first one compiled.
fn start() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("patchbay.toml");
    fs::write(&config, CONFIG).unwrap();
    let first = ready(folder.path());
    let again = (0..STARTS).map(|_| ready(folder.path())).min().unwrap_or_default();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!("| from the start until `/health/ready` says yes | ms |\n|---|---:|");
    println!("| the first time, with all plugins to compile | {:.0} |", ms(first));
    println!("| with what was compiled, best of {STARTS} | {:.0} |\n", ms(again));
}

/// How long a gateway takes to be ready, in a folder with its configuration.
fn ready(folder: &Path) -> Duration {
    let begun = now();
    let mut gateway = Command::new(env!("CARGO_BIN_EXE_patchbay"))
        .args(["--config", "patchbay.toml"])
        .current_dir(folder)
        .env("XDG_CACHE_HOME", folder)
        .env("RUST_LOG", "error")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut printed = BufReader::new(gateway.stdout.take().unwrap()).lines().map(Result::unwrap);
    let address = printed.find_map(|line| {
        let url = line.split_whitespace().find_map(|word| word.strip_prefix("http://"));
        url.map(|url| url.split('/').next().unwrap_or_default().to_owned())
    });
    let is_ready = is_ready(&address.unwrap());
    let took = now() - begun;
    gateway.kill().unwrap();
    gateway.wait().unwrap();
    assert!(is_ready, "it is ready once it has said where it listens");
    took
}

fn is_ready(address: &str) -> bool {
    let mut connection = TcpStream::connect(address).unwrap();
    let ask = format!("GET /health/ready HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    connection.write_all(ask.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer.starts_with("HTTP/1.1 200")
}

/// A reply's pieces through one plugin that looks for a thousand patterns, beside one that looks for
/// none. The text has none of them, so it should go on as it comes: what is held is a word at most.
fn patterns() {
    println!(
        "| one delta | p50 / p99 | of 100 deltas, so many let text through |\n|---|---:|---:|"
    );
    for (id, few, many) in SEEKERS {
        let wasm = shipped().iter().find(|(known, _)| *known == id).unwrap().1;
        for (options, what) in [(few(), "its least"), (many(), "1,000 patterns")] {
            let guest = Guest::load_shipped(wasm, &options).unwrap();
            let mut stream = guest.stream(1);
            stream.push(text_chunk("a word ")).unwrap();
            let mut words = WORDS.iter().cycle();
            let (mut pushed, mut passed) = (0, 0);
            let delta = measure(CALLS, || {
                pushed += 1;
                passed += stream.push(text_chunk(words.next().unwrap())).unwrap().min(1);
            });
            println!("| {id}, {what} | {delta} | {} |", 100 * passed / pushed);
        }
    }
}

type Options = fn() -> String;

/// Plugins with options without and with many patterns.
const SEEKERS: [(&str, Options, Options); 2] =
    [("guard", guard_few, guard_many), ("pii", pii_few, pii_many)];

fn guard_few() -> String {
    r#"{"rules":[{"terms":["nothing of this"],"action":"mask"}]}"#.to_owned()
}

fn guard_many() -> String {
    let terms: Vec<_> = (0..1_000).map(|number| format!("secret project {number}")).collect();
    serde_json::json!({"rules": [{"terms": terms, "action": "mask"}]}).to_string()
}

fn pii_few() -> String {
    r#"{"output":"mask"}"#.to_owned()
}

fn pii_many() -> String {
    let filters = (0..1_000).map(|number| {
        let pattern = format!("employee-{number:04}-[0-9]{{4}}");
        serde_json::json!({"pattern": pattern, "action": "mask"})
    });
    let filters: Vec<_> = filters.collect();
    serde_json::json!({"output": "mask", "content_filters": filters}).to_string()
}

/// What models write a piece at a time.
const WORDS: [&str; 8] =
    ["The ", "quick", " brown", " fox,", " 42", " jumps", " over\n", " the lazy dog. "];

const CALLS: u32 = 20_000;
const STARTS: usize = 5;

/// All that a gateway needs is in its folder.
const CONFIG: &str = "\
[server]
listen = \"127.0.0.1:0\"
[store]
url = \"sqlite:patchbay.db\"
[plugins]
dir = \"plugins.d\"
";
