//! What must hold in every dialect: a reply that is streamed says what the same reply says whole.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::availability::{Availability, Unavailable};
use crate::chunk::{Delta, FinishReason};
use crate::error::ErrorType;
use crate::reply::{Choice, ToolCall};

/// What a dialect's replies can't carry, or not back, and why.
const LOST: [(&str, Kind, &str); 1] = [(
    "openai-completions",
    Kind::Calls,
    "its form has none; what is written beside the text is for people",
)];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Calls,
    Tokens,
    Finish,
}

/// What of a reply counts here.
#[derive(Debug, PartialEq)]
struct Said {
    text: String,
    /// Names and arguments.
    calls: Vec<(String, String)>,
    prompt: Option<u64>,
    completion: Option<u64>,
    finish: Option<FinishReason>,
}

impl Said {
    fn of(reply: &Reply, dialect: &dyn Dialect) -> Self {
        let choice = reply.choices.first().cloned().unwrap_or_default();
        let is_lost =
            |kind| LOST.iter().any(|(name, lost, _)| (*name, *lost) == (dialect.name(), kind));
        let keeps = |kind: Kind| !is_lost(kind);
        let calls = choice.tool_calls.into_iter().map(|call| (call.name, call.arguments));
        Self {
            text: Some(choice.text).filter(|_| keeps(Kind::Text)).unwrap_or_default(),
            calls: calls.filter(|_| keeps(Kind::Calls)).collect(),
            prompt: reply.usage.prompt.filter(|_| keeps(Kind::Tokens)),
            completion: reply.usage.completion.filter(|_| keeps(Kind::Tokens)),
            finish: choice.finish.map(|(reason, _)| reason).filter(|_| keeps(Kind::Finish)),
        }
    }
}

fn head() -> Head {
    let text = |text: &str| text.to_owned();
    Head {
        id: text("gen-1"),
        created: 1,
        model: text("a/b"),
        provider: text("P"),
        ..Head::default()
    }
}

fn cost() -> Cost {
    let zero = || "0".to_owned();
    Cost { total: zero(), prompt: zero(), completion: zero(), is_byok: false }
}

fn whole(dialect: &dyn Dialect, reply: &Reply) -> Reply {
    let body = Bytes::from(dialect.write_reply(reply, &head(), &cost()));
    Reply::fold(&dialect.read_reply(&body).unwrap())
}

fn streamed(dialect: &dyn Dialect, chunks: &[Chunk], usage: &Usage) -> Reply {
    let mut out = Vec::new();
    let mut writer = dialect.write_stream(&head());
    for chunk in chunks {
        writer.chunk(chunk, &mut out);
        writer.keep_alive(&mut out);
    }
    writer.end(usage, &cost(), &mut out);
    let mut frames = dialect.framing().reader(1 << 20);
    frames.push(out.into());
    let mut reader = dialect.read_stream();
    let mut read = Vec::new();
    while let Some(event) = frames.next_event() {
        reader.read(&event.unwrap(), &mut read).unwrap();
    }
    assert!(reader.is_done(), "{} does not see its own end", dialect.name());
    Reply::fold(&read)
}

/// The reply in pieces of so many characters.
fn pieces(reply: &Reply, length: usize) -> Vec<Chunk> {
    let cut = |text: &str| -> Vec<String> {
        let characters: Vec<char> = text.chars().collect();
        characters.chunks(length).map(|piece| piece.iter().collect()).collect()
    };
    let mut chunks = Vec::new();
    for delta in reply.chunks().into_iter().flat_map(|chunk| chunk.deltas) {
        let deltas: Vec<Delta> = match delta {
            Delta::Text { choice, text } => {
                cut(&text).into_iter().map(|text| Delta::Text { choice, text }).collect()
            }
            Delta::Reasoning { choice, text, detail } => cut(&text)
                .into_iter()
                .map(|text| Delta::Reasoning { choice, text, detail: detail.clone() })
                .collect(),
            Delta::ToolCall { choice, index, id, name, arguments } => {
                let first = Delta::ToolCall { choice, index, id, name, arguments: String::new() };
                let rest = cut(&arguments).into_iter().map(|arguments| Delta::ToolCall {
                    choice,
                    index,
                    id: None,
                    name: None,
                    arguments,
                });
                std::iter::once(first).chain(rest).collect()
            }
            other => vec![other],
        };
        chunks.extend(deltas.into_iter().map(|delta| Chunk::of(vec![delta])));
    }
    chunks
}

fn any_reply() -> impl Strategy<Value = Reply> {
    let call = ("[a-z_]{1,8}", "[a-z]{1,4}", "[^\u{0}-\u{1f}]{0,6}", 0u32..1000);
    let calls = proptest::collection::vec(call, 0..3);
    let usage = (0u64..10_000, 1u64..10_000);
    let parts = ("(?s).{0,30}", "[a-z \n]{0,20}", calls, usage, any::<bool>());
    parts.prop_map(|(text, thought, calls, (prompt, completion), is_cut)| {
        let calls = calls.into_iter().enumerate().map(|(number, (name, key, value, count))| {
            let value = Json::of(&value);
            let arguments = format!(r#"{{"{key}": {}, "count":{count}}}"#, value.as_str());
            ToolCall { id: format!("call_{number}"), name, arguments }
        });
        let tool_calls: Vec<ToolCall> = calls.collect();
        let reason = match (tool_calls.is_empty(), is_cut) {
            (false, _) => FinishReason::ToolCalls,
            (true, true) => FinishReason::Length,
            (true, false) => FinishReason::Stop,
        };
        let reasoning = Some((thought, None)).filter(|(text, _)| !text.is_empty());
        let choice = Choice {
            text,
            reasoning: reasoning.into_iter().collect(),
            tool_calls,
            finish: Some((reason, None)),
            ..Choice::default()
        };
        let (prompt, completion) = (Some(prompt), Some(completion));
        let usage = Usage { prompt, completion, ..Usage::default() };
        Reply { choices: vec![choice], usage, ..Reply::default() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_reply_says_the_same_whole_and_in_pieces(reply in any_reply(), length in 1usize..9) {
        let chunks = pieces(&reply, length);
        for &dialect in DIALECTS {
            let said = Said::of(&reply, dialect);
            let whole = whole(dialect, &reply);
            prop_assert_eq!(Said::of(&whole, dialect), said, "{}, whole", dialect.name());
            let said = Said::of(&reply, dialect);
            let streamed = streamed(dialect, &chunks, &reply.usage);
            prop_assert_eq!(Said::of(&streamed, dialect), said, "{}, streamed", dialect.name());
            let thought = |reply: &Reply| -> String {
                let blocks = reply.choices.iter().flat_map(|choice| &choice.reasoning);
                blocks.map(|(text, _)| text.as_str()).collect()
            };
            prop_assert_eq!(thought(&streamed), thought(&whole), "{}, thought", dialect.name());
        }
    }
}

#[test]
fn every_dialect_tells_why_nobody_serves_and_nothing_of_what_is_masked() {
    let mut failure = Failure::new(ErrorType::NotFound, "Nobody.");
    failure.availability = Some(Box::new(Availability::new(Unavailable::NoEndpoints)));
    let mut masked = Failure::new(ErrorType::Server, "Internal.");
    masked.provider_code = Some("secret-code".to_owned());
    masked.metadata.push(("raw".to_owned(), Json::of(&"secret-raw")));
    for &dialect in DIALECTS {
        let written = |failure: &Failure| {
            let body = dialect.write_error(failure, Some(&head()));
            let (mut early, mut late) = (Vec::new(), Vec::new());
            dialect.write_stream(&head()).error(failure, &mut early);
            let mut writer = dialect.write_stream(&head());
            let text = Delta::Text { choice: 0, text: "a".to_owned() };
            writer.chunk(&Chunk::of(vec![text]), &mut late);
            writer.error(failure, &mut late);
            [body, early, late].map(|out| String::from_utf8_lossy(&out).into_owned())
        };
        for out in written(&failure) {
            assert!(out.contains("no_endpoints"), "{}: {out}", dialect.name());
        }
        for out in written(&masked) {
            assert!(!out.contains("secret"), "{}: {out}", dialect.name());
        }
    }
}
