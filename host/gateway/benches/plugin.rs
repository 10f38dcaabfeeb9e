//! What plugins cost: an instance, a delta, a delta outside the interest, three plugins, beside
//! the same change made natively. Prints how far a call runs past its CPU limit.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints, and may stop")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use gateway::bench::{Guest, text_chunk, usage_chunk};

fn benchmarks(criterion: &mut Criterion) {
    let template = std::fs::read(env!("PATCHBAY_TEMPLATE_WASM")).unwrap();
    let guest = Guest::load(&template, r#"{"replace":{"cat":"dog"}}"#).unwrap();

    criterion.bench_function("instantiate", |bench| bench.iter(|| guest.instantiate().unwrap()));
    criterion.bench_function("instantiate and first delta", |bench| {
        bench.iter(|| guest.stream(1).push(text_chunk("a word ")).unwrap());
    });
    // Making the chunk is not measured; dropping it is, and is part of every row alike.
    for (name, count, piece) in [
        ("no plugin", 0, "a word "),
        ("one delta, unchanged", 1, "a word "),
        ("one delta, changed", 1, "a cat "),
        ("one delta, three plugins", 3, "a word "),
    ] {
        let mut stream = guest.stream(count);
        criterion.bench_function(name, |bench| {
            let push = |chunk| stream.push(chunk).unwrap();
            bench.iter_batched(|| text_chunk(piece), push, BatchSize::SmallInput);
        });
    }
    let mut stream = guest.stream(1);
    stream.push(text_chunk("a word ")).unwrap();
    criterion.bench_function("a delta outside the interest", |bench| {
        bench.iter_batched(usage_chunk, |it| stream.push(it).unwrap(), BatchSize::SmallInput);
    });
    criterion.bench_function("native: the same change", |bench| {
        bench.iter(|| black_box("a cat ").replace(black_box("cat"), "dog"));
    });

    let hostile = std::fs::read(env!("PATCHBAY_HOSTILE_WASM")).unwrap();
    let endless = Guest::load(&hostile, r#"{"do":"loop"}"#).unwrap();
    let mut overruns: Vec<_> = (0..20).map(|_| endless.overrun().unwrap()).collect();
    overruns.sort_unstable();
    let (median, most) = (overruns.get(overruns.len() / 2), overruns.last());
    println!("past the CPU limit: median {:?}, most {:?} of 20", median.unwrap(), most.unwrap());
}

criterion_group!(plugin, benchmarks);
criterion_main!(plugin);
