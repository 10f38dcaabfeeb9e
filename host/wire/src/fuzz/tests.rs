//! The same functions over fixtures, mutated by a generator that always draws the same numbers.

use std::fs;
use std::path::Path;

use super::*;

/// Xorshift: enough to mutate bytes, the same in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

/// Pieces that parsers trip over.
const PIECES: [&str; 20] = [
    "\n",
    "\r\n\r\n",
    "null",
    "[]",
    "{}",
    "\"\"",
    "-1",
    "1e999",
    "\\ud83d",
    "\u{feff}",
    "{\"type\":",
    "\"index\":65536,",
    "true",
    "[[[[",
    "\\",
    "\"",
    ",",
    ":",
    "99999999999999999999",
    "\u{0}",
];

fn mutate(seed: &[u8], other: &[u8], draw: &mut Draw) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=draw.below(4) {
        let at = draw.below(bytes.len() + 1);
        let end = (at + draw.below(12)).min(bytes.len());
        match draw.below(5) {
            0 => drop(bytes.drain(at..end)),
            1 => drop(bytes.splice(at..at, PIECES[draw.below(PIECES.len())].bytes())),
            2 => drop(bytes.splice(at..end, PIECES[draw.below(PIECES.len())].bytes())),
            3 => bytes.truncate(at.max(1)),
            _ => {
                let from = draw.below(other.len());
                let to = (from + draw.below(60)).min(other.len());
                drop(bytes.splice(at..end, other[from..to].iter().copied()));
            }
        }
    }
    bytes
}

/// A stream's file is named after its framing.
const STREAMS: [&str; 2] = ["stream.sse", "stream.jsonl"];

fn seeds(names: &[&str]) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/wire");
    let mut found = Vec::new();
    for dialect in fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()) {
        for case in fs::read_dir(dialect).into_iter().flatten() {
            let path = case.unwrap().path();
            found.extend(names.iter().filter_map(|name| fs::read(path.join(name)).ok()));
        }
    }
    found.retain(|seed| seed.len() < 8 * 1024);
    found.sort();
    assert!(!found.is_empty());
    found
}

fn run(names: &[&str], check: fn(&[u8])) {
    run_on(&seeds(names), check);
}

fn run_on(seeds: &[Vec<u8>], check: fn(&[u8])) {
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
    for round in 0..1500 {
        let seed = &seeds[round % seeds.len()];
        let bytes = mutate(seed, &seeds[draw.below(seeds.len())], &mut draw);
        let result = std::panic::catch_unwind(|| check(&bytes));
        assert!(result.is_ok(), "{:?}", String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn mutated_streams_break_no_event_reader() {
    run(&STREAMS, sse);
}

/// Whole binary messages, so that some get past their checksums.
#[test]
fn mutated_binary_streams_break_no_reader() {
    let dialect = crate::dialect::dialect("bedrock-converse").unwrap();
    let head = Head { id: "gen-1".to_owned(), ..Head::default() };
    let texts = ["Hi", "", "Say so.", "\u{e9}"];
    let streams = texts.map(|text| {
        let mut out = Vec::new();
        let mut writer = dialect.write_stream(&head);
        let delta = crate::chunk::Delta::Text { choice: 0, text: text.to_owned() };
        writer.chunk(&Chunk::of(vec![delta]), &mut out);
        writer.error(&Failure::new(crate::error::ErrorType::Timeout, text), &mut out);
        out
    });
    run_on(&streams, sse);
    run_on(&streams, stream);
}

#[test]
fn mutated_streams_break_no_dialect() {
    run(&STREAMS, stream);
}

#[test]
fn mutated_requests_break_no_dialect() {
    run(&["request.json"], request);
}

#[test]
fn mutated_replies_break_no_dialect() {
    run(&["reply.json"], reply);
}

#[test]
fn mutated_replies_are_errors_when_their_status_says_so() {
    run(&["reply.json"], error);
}

#[test]
fn mutated_embeddings_break_no_dialect() {
    let replies = [
        r#"{"object":"list","data":[{"index":0,"embedding":[0.5,-1e-3]}],"usage":{"prompt_tokens":8}}"#,
        r#"{"data":[{"object":"embedding","embedding":"AAAAPwAAAMA="}],"model":"m"}"#,
        r#"{"embeddings":[{"values":[-0.02,0.013]}],"usageMetadata":{"promptTokenCount":3}}"#,
        r#"{"embeddings":{"float":[[0.1,-2]]},"meta":{"billed_units":{"input_tokens":3}}}"#,
        r#"{"model":"m","embeddings":[[0.1,-2]],"prompt_eval_count":3}"#,
    ];
    run_on(&replies.map(|reply| reply.as_bytes().to_vec()), reply);
}

#[test]
fn mutated_rankings_pictures_and_transcriptions_break_no_dialect() {
    let replies = [
        r#"{"results":[{"index":2,"relevance_score":0.9},{"index":0,"relevance_score":1e-3}],"meta":{"billed_units":{"search_units":1}}}"#,
        r#"{"data":[{"index":1,"relevance_score":0.4375}],"usage":{"total_tokens":26}}"#,
        r#"{"created":1,"data":[{"b64_json":"iVBORw0KGgo="}],"output_format":"png","usage":{"input_tokens":5,"output_tokens":9,"input_tokens_details":{"image_tokens":2}}}"#,
        r#"{"task":"transcribe","duration":8.47,"text":"Hi","segments":[{"id":0}],"usage":{"type":"duration","seconds":9}}"#,
    ];
    run_on(&replies.map(|reply| reply.as_bytes().to_vec()), reply);
}
