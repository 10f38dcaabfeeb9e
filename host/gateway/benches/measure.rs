//! How long calls take.

use std::time::{Duration, Instant};

/// Half and ninety-nine of a hundred calls are faster.
pub(crate) fn measure(calls: u32, mut call: impl FnMut()) -> String {
    for _ in 0..calls / 10 {
        call();
    }
    let mut took: Vec<Duration> = (0..calls)
        .map(|_| {
            let begun = now();
            call();
            now() - begun
        })
        .collect();
    took.sort_unstable();
    let at = |share: usize| took.get(took.len() * share / 100).copied().unwrap_or_default();
    let micros = |duration: Duration| duration.as_secs_f64() * 1e6;
    format!("{:.2} / {:.2} µs", micros(at(50)), micros(at(99)))
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
