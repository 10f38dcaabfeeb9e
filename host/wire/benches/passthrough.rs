//! What a body and an event cost: passed through in their own dialect, written anew in it, and
//! translated from OpenAI's chat. Prints a table; ratios are to reading and writing the same JSON
//! with nothing known of it, measured in the same run.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints, and may stop")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;
use wire::sse::Event;
use wire::{
    Chunk, Content, DIALECTS, Delta, Dialect, Extra, Head, Message, Part, Quirks, ReasoningStyle,
    Request, Role, Target,
};

/// Turns of the conversation, of a sentence each: about 16 KB.
const TURNS: usize = 200;

/// Words of the stream.
const WORDS: usize = 200;

fn main() {
    println!(
        "| dialect | body, µs: JSON | passed through | anew | event, µs: JSON | passed | anew |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for dialect in DIALECTS {
        let request = conversation();
        let body = written(*dialect, &request);
        let plain = measure(|| {
            let value: Value = serde_json::from_slice(&body).unwrap();
            serde_json::to_vec(&value).unwrap()
        });
        let passed = measure(|| written(*dialect, &dialect.read_request(&body).unwrap()));
        let anew = measure(|| {
            let mut request = dialect.read_request(&body).unwrap();
            request.source = None;
            written(*dialect, &request)
        });
        let events = events(*dialect);
        let each = |whole: Duration| whole / u32::try_from(events.len()).unwrap();
        let plain_event = each(measure(|| {
            let write = |event: &Event| {
                let value: Value = serde_json::from_slice(&event.data).unwrap();
                serde_json::to_vec(&value).unwrap()
            };
            events.iter().map(write).collect::<Vec<_>>()
        }));
        let passed_event = each(measure(|| stream(*dialect, &events, true)));
        let anew_event = each(measure(|| stream(*dialect, &events, false)));
        println!(
            "| {} | {} | {} | {} | {} | {} | {} |",
            dialect.name(),
            micros(plain),
            ratio(passed, plain),
            ratio(anew, plain),
            micros(plain_event),
            ratio(passed_event, plain_event),
            ratio(anew_event, plain_event),
        );
    }
}

fn conversation() -> Request {
    let message = |at: usize| Message {
        role: if at.is_multiple_of(2) { Role::User } else { Role::Assistant },
        name: None,
        parts: vec![Part::new(Content::Text(format!(
            "Turn {at} says \"something\" of the usual length, and a little more."
        )))],
        extra: Extra::default(),
    };
    let messages = (0..=TURNS).map(message).collect();
    Request { model: "m".to_owned(), stream: true, messages, ..Request::default() }
}

fn written(dialect: &dyn Dialect, request: &Request) -> Bytes {
    let quirks = Quirks::default();
    let target = Target {
        model: "m",
        stream: true,
        max_output_tokens: Some(4096),
        reasoning: ReasoningStyle::None,
        efforts: &[],
        quirks: &quirks,
    };
    dialect.write_request(request, &target).unwrap().body
}

/// A stream of words as the dialect's upstreams send it.
fn events(dialect: &dyn Dialect) -> Vec<Event> {
    let mut writer = dialect.write_stream(&head());
    let mut out = Vec::new();
    for word in 0..WORDS {
        let text = format!("word {word} ");
        writer.chunk(&Chunk::of(vec![Delta::Text { choice: 0, text }]), &mut out);
    }
    let mut frames = dialect.framing().reader(1 << 20);
    frames.push(out.into());
    std::iter::from_fn(|| frames.next_event()).map(Result::unwrap).collect()
}

fn stream(dialect: &dyn Dialect, events: &[Event], keeps_source: bool) -> Vec<u8> {
    let mut reader = dialect.read_stream();
    let mut writer = dialect.write_stream(&head());
    let (mut chunks, mut out) = (Vec::new(), Vec::new());
    for event in events {
        reader.read(event, &mut chunks).unwrap();
        for mut chunk in chunks.drain(..) {
            if !keeps_source {
                chunk.source = None;
            }
            writer.chunk(&chunk, &mut out);
        }
    }
    out
}

fn head() -> Head {
    Head {
        id: "gen-1700000000-abc".to_owned(),
        created: 1_700_000_000,
        model: "author/model".to_owned(),
        provider: "Provider".to_owned(),
        ..Head::default()
    }
}

/// The median of many runs.
fn measure<T>(mut run: impl FnMut() -> T) -> Duration {
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let begun = Instant::now();
            black_box(run());
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    times.get(RUNS / 2).copied().unwrap_or_default()
}

fn micros(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e6)
}

fn ratio(time: Duration, baseline: Duration) -> String {
    format!("{} ({:.1}x)", micros(time), time.as_secs_f64() / baseline.as_secs_f64())
}

const RUNS: usize = 501;
