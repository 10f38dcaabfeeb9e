//! What the shipped plugins weigh: the size of each, how long the sandbox takes to be ready with all
//! of them when they are compiled already, and what one piece of text costs in the plugins that
//! look for many patterns. Each table names its baseline, measured in the same run.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints, and may stop")]

mod measure;

use std::time::Duration;

use gateway::bench::{Guest, Start, shipped, text_chunk};
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

/// The second start finds what the first one compiled.
fn start() {
    let cache = tempfile::tempdir().unwrap();
    let start = Start::new(cache.path());
    start.all().unwrap();
    let (empty, all) = (best(|| start.none().unwrap()), best(|| start.all().unwrap()));
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!("| start of the sandbox, warm compile cache | ms |\n|---|---:|");
    println!("| without a plugin | {:.0} |", ms(empty));
    println!("| with all that are shipped | {:.0} |\n", ms(all));
}

fn best(call: impl Fn()) -> Duration {
    let times = (0..STARTS).map(|_| {
        let begun = now();
        call();
        now() - begun
    });
    times.min().unwrap_or_default()
}

/// A reply's pieces through one plugin that looks for a thousand patterns, beside one that looks for
/// none.
fn patterns() {
    println!("| one delta | p50 / p99 |\n|---|---:|");
    for (id, few, many) in SEEKERS {
        let wasm = shipped().iter().find(|(known, _)| *known == id).unwrap().1;
        for (options, what) in [(few(), "its least"), (many(), "1,000 patterns")] {
            let guest = Guest::load_shipped(wasm, &options).unwrap();
            let mut stream = guest.stream(1);
            stream.push(text_chunk("a word ")).unwrap();
            let mut words = WORDS.iter().cycle();
            let delta = measure(CALLS, || {
                stream.push(text_chunk(words.next().unwrap())).unwrap();
            });
            println!("| {id}, {what} | {delta} |");
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
