//! Failure: a stream is framed in a way that its dialect allows and its reader does not expect, so
//! that events are lost, glued together or cut, and characters break in the middle.

use serde_json::{Value, json};

use crate::harness::{Double, Gateway};
use crate::spoken::{saying, surfaces};
use crate::transcript::{Form, Transcript};
use crate::upstream::DIALECTS;

/// Characters of two, three and four bytes, and what looks like framing.
const TEXT: &str = "Grüße, 日本 🦀 data: : end.";

/// One event, written another way.
type Change = fn(&str) -> String;

/// Ways to write the same events.
const WAYS: [(&str, Change); 7] = [
    ("as it is", str::to_owned),
    ("CRLF", |event| event.replace('\n', "\r\n")),
    ("CR", |event| event.replace('\n', "\r")),
    ("no space", no_space),
    ("several lines", several_lines),
    ("comments", |event| format!(": ping\n\n:\n{event}: pong\n\n")),
    ("other fields", |event| format!("id: 7\nretry: 10\nunknown: x\ndata\n\n{event}")),
];

/// Nothing between a field's colon and its value.
fn no_space(event: &str) -> String {
    let lines = event.split('\n').map(|line| line.replacen(": ", ":", 1));
    lines.collect::<Vec<_>>().join("\n")
}

/// An event's data over as many lines as it has top-level fields.
fn several_lines(event: &str) -> String {
    let write = |line: &str| match line.strip_prefix("data: {") {
        Some(rest) => format!("data: {{\ndata: {}", rest.replacen(",\"", "\ndata: ,\"", 1)),
        None => line.to_owned(),
    };
    event.split('\n').map(write).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn every_allowed_framing_is_read_whole_and_byte_by_byte() {
    let double = Double::start();
    let gateway = Gateway::start(&models(&double)).await;
    for dialect in DIALECTS {
        let plain = Transcript::chat(dialect).replace("Hello from th", TEXT);
        for (way, change) in WAYS {
            if plain.form != Form::Sse && way != "as it is" {
                continue;
            }
            let changed = each(&plain, change);
            for (marked, mark) in [("", ""), (" after a mark", "\u{feff}")] {
                // Only text can have a byte order mark.
                if plain.form != Form::Sse && !mark.is_empty() {
                    continue;
                }
                let mut marked_events = changed.clone();
                marked_events.events[0].insert_str(0, mark);
                for more in [json!({}), json!({"split": 1}), json!({"split": 3})] {
                    let case = format!("{dialect}, {way}{marked}, {more}");
                    double.script(dialect, &marked_events.streamed(&more)).await;
                    arrives(&gateway, dialect, &case).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn lines_may_end_as_windows_ends_them_and_be_apart_by_empty_ones() {
    let double = Double::start();
    let gateway = Gateway::start(&models(&double)).await;
    let plain = Transcript::chat("ollama-chat").replace("Hello from th", TEXT);
    assert_eq!(plain.form, Form::Lines);
    let ways: [(&str, Change); 2] = [
        ("CRLF", |line| line.replace('\n', "\r\n")),
        ("empty lines", |line| format!("\n{line}\n")),
    ];
    for (way, change) in ways {
        for more in [json!({}), json!({"split": 1})] {
            let case = format!("{way}, {more}");
            double.script(plain.dialect, &each(&plain, change).streamed(&more)).await;
            arrives(&gateway, plain.dialect, &case).await;
        }
    }
    // The last line need not end.
    let mut endless = plain.clone();
    let last = endless.events.last_mut().unwrap();
    *last = last.trim_end().to_owned();
    double.script(plain.dialect, &endless.streamed(&json!({}))).await;
    arrives(&gateway, plain.dialect, "no end of the last line").await;
}

fn each(transcript: &Transcript, change: Change) -> Transcript {
    let events = transcript.events.iter().map(|event| change(event)).collect();
    Transcript { events, ..transcript.clone() }
}

fn models(double: &Double) -> String {
    DIALECTS.map(|dialect| double.model(dialect, dialect, true)).concat()
}

async fn arrives(gateway: &Gateway, dialect: &str, case: &str) {
    let chat = surfaces().into_iter().find(|it| it.dialect.name() == "openai-chat").unwrap();
    let request = saying(&format!("test/{dialect}"), "Hello", true);
    let told = chat.ask(gateway, &request, &Value::Null).await;
    assert_eq!((told.status, &told.failure), (200, &None), "{case}: {}", told.body);
    let choice = &told.reply.choices[0];
    assert_eq!(choice.text, format!("{TEXT}e other side."), "{case}");
    assert_eq!(choice.finish.as_ref().unwrap().0, wire::FinishReason::Stop, "{case}");
    let usage = &told.reply.usage;
    assert_eq!((usage.prompt, usage.completion), (Some(12), Some(8)), "{case}");
}
