//! What the n-th plugin costs: 0 to 10 plugins on a request hook and on each delta, of both lanes,
//! and the memory of live streams. Prints a table; each row names its ratio to the row without a
//! plugin where there is one.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints, and may stop")]

mod measure;

use gateway::bench::{Guest, text_chunk};
use measure::measure;

/// Does nothing at either hook.
const IDLE: &str = r#"{"do":"error","at":"complete"}"#;
const COUNTS: [usize; 6] = [0, 1, 2, 3, 5, 10];
const STREAMS: [usize; 3] = [100, 1_000, 4_000];

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let wasm = |path| std::fs::read(path).unwrap();
    let pure = Guest::load(&wasm(env!("PATCHBAY_HOSTILE_WASM")), IDLE).unwrap();
    let waiting = Guest::load(&wasm(env!("PATCHBAY_CALLER_WASM")), "{}").unwrap();
    println!("| plugins | request hook (4 KB chat), p50 / p99 | one delta, p50 / p99 |");
    println!("|---:|---:|---:|");
    for (lane, guest) in [("pure", &pure), ("waiting", &waiting)] {
        // Plugins that may wait set timers.
        let _entered = (lane == "waiting").then(|| runtime.enter());
        for count in COUNTS {
            let request = measure(CALLS, || guest.request(count).unwrap());
            let mut stream = guest.stream(count);
            stream.push(text_chunk("a word ")).unwrap();
            let delta = measure(CALLS, || {
                stream.push(text_chunk("a word ")).unwrap();
            });
            println!("| {count} {lane} | {request} | {delta} |");
        }
    }
    println!("\n| live streams, one plugin each | KiB per stream | KiB left after them |");
    println!("|---:|---:|---:|");
    for (lane, guest) in [("pure", &pure), ("waiting", &waiting)] {
        // Plugins that may wait set timers.
        let _entered = (lane == "waiting").then(|| runtime.enter());
        // More than `plugins.waiting_max` would be passed over.
        for count in STREAMS.into_iter().filter(|count| lane == "pure" || *count <= 1_000) {
            let before = resident();
            let begun: Result<Vec<_>, _> = (0..count)
                .map(|_| {
                    let mut stream = guest.stream(1);
                    stream.push(text_chunk("a word ")).map(|_| stream)
                })
                .collect();
            match begun {
                Ok(streams) => {
                    let live = resident().saturating_sub(before) / streams.len();
                    drop(streams);
                    let left = resident().saturating_sub(before) / count;
                    println!("| {count} {lane} | {live} | {left} |");
                }
                Err(error) => println!("| {count} {lane} | {error} | |"),
            }
        }
    }
}

/// Resident memory in KiB.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

const CALLS: u32 = 5_000;
