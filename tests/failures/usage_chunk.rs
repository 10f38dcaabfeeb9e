//! Failure: a stream's counts are lost or come in a form that clients stumble over: a chunk without
//! choices, counts beside text that are dropped, zeros at a message's start that nothing corrects,
//! more than one end, or an end that is not the last.

use serde_json::{Value, json};

use crate::answers::{ask_stream, finish, said, usage, with};
use crate::harness::{Double, Gateway, Streamed};
use crate::spoken::{Surface, saying, surfaces};
use crate::transcript::Transcript;
use crate::upstream::DIALECTS;

/// Streams of OpenAI's chat that count in another place each, and what they count.
fn places() -> Vec<(&'static str, Vec<Value>, (u64, u64))> {
    let counts = |prompt, completion| usage(prompt, completion)["usage"].clone();
    let counted = |event: Value, counts: Value| with(event, &json!({"usage": counts}));
    let (one, two) = (said("Hel"), said("lo"));
    vec![
        ("apart", vec![one.clone(), two.clone(), finish(), usage(10, 5)], (10, 5)),
        ("with-the-end", vec![one.clone(), two.clone(), counted(finish(), counts(10, 5))], (10, 5)),
        ("with-text", vec![one.clone(), counted(two.clone(), counts(10, 5)), finish()], (10, 5)),
        (
            "running",
            vec![
                counted(one.clone(), counts(10, 1)),
                counted(two.clone(), counts(10, 2)),
                counted(finish(), counts(10, 3)),
                usage(10, 5),
            ],
            (10, 5),
        ),
        (
            "null-before",
            vec![counted(one.clone(), Value::Null), two.clone(), finish(), usage(10, 5)],
            (10, 5),
        ),
        ("zero", vec![one, two, finish(), usage(0, 0)], (0, 0)),
    ]
}

#[tokio::test]
async fn a_chat_client_gets_its_counts_once_and_last_wherever_the_upstream_put_them() {
    let double = Double::start();
    let mut config = String::new();
    for (name, mut events, _) in places() {
        events.push(json!("[DONE]"));
        double.script(name, &json!({"sse": events})).await;
        config.push_str(&double.model(name, "openai-chat", true));
    }
    let gateway = Gateway::start(&config).await;
    let asked = [
        json!({}),
        json!({"stream_options": {"include_usage": true}}),
        json!({"stream_options": {"include_usage": false}}),
        json!({"usage": {"include": true}}),
    ];
    for (name, _, (prompt, completion)) in places() {
        for more in &asked {
            let case = format!("{name}, {more}");
            let body = with(ask_stream(name), more);
            let streamed = gateway.stream(&body).await;
            check_chat(&streamed, &case);
            let used = streamed.usage();
            assert_eq!(used["prompt_tokens"], prompt, "{case}: {used}");
            assert_eq!(used["completion_tokens"], completion, "{case}: {used}");
            assert_eq!(used["total_tokens"], prompt + completion, "{case}: {used}");
            let micros = f64::from(u32::try_from(prompt + 2 * completion).unwrap());
            assert_eq!(used["cost"].as_f64(), Some(micros / 1e6), "{case}: {used}");
            assert_eq!(streamed.joined("content"), "Hello", "{case}");
        }
        let log = double.log(name).await;
        for asked in log.as_array().unwrap() {
            let options = &asked["body"]["stream_options"];
            assert_ne!(options["include_usage"], false, "what is billed is counted: {asked}");
        }
    }
}

/// What every chat stream that ended well must be.
fn check_chat(streamed: &Streamed, case: &str) {
    assert!(streamed.is_done, "{case}");
    let chunks = &streamed.chunks;
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant", "{case}: {}", chunks[0]);
    for (at, chunk) in chunks.iter().enumerate() {
        let is_last = at + 1 == chunks.len();
        assert_eq!(chunk["choices"].as_array().map(Vec::len), Some(1), "{case}: {chunk}");
        assert_eq!(chunk["usage"].is_object(), is_last, "{case}: {chunk}");
        let delta = &chunk["choices"][0]["delta"];
        assert!(at == 0 || delta["role"].is_null() || is_last, "{case}: {chunk}");
    }
    assert_eq!(streamed.finishes(), ["stop"], "{case}: {chunks:?}");
}

#[tokio::test]
async fn a_messages_client_gets_its_counts_with_the_end_whoever_counts_them_and_when() {
    let double = Double::start();
    let mut config = String::new();
    let anthropic = Transcript::chat("anthropic-messages");
    let start = r#"{"input_tokens":12,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1}"#;
    let zeros = r#"{"input_tokens":0,"output_tokens":0}"#;
    let (partly, wholly) = (r#"{"output_tokens":8}"#, r#"{"input_tokens":12,"output_tokens":8}"#);
    // Some hosts count nothing at the start and all of it at the end.
    let late = anthropic.replace(start, zeros).replace(partly, wholly);
    let nothing = anthropic.replace(start, zeros).replace(partly, zeros);
    let mut scripts = vec![("late", late, (12, 8)), ("nothing", nothing, (0, 0))];
    scripts.extend(DIALECTS.map(|dialect| (dialect, Transcript::chat(dialect), (12, 8))));
    for (name, transcript, _) in &scripts {
        double.script(name, &transcript.streamed(&json!({}))).await;
        config.push_str(&double.model(name, transcript.dialect, true));
    }
    let gateway = Gateway::start(&config).await;
    let surface = surface("anthropic-messages");
    for (name, _, (input, output)) in &scripts {
        let request = saying(&format!("test/{name}"), "Hi", true);
        let told = surface.ask(&gateway, &request, &json!({})).await;
        let events = Streamed::read(&told.body).chunks;
        let kinds: Vec<&str> = events.iter().map(|it| it["type"].as_str().unwrap()).collect();
        let count = |kind: &str| kinds.iter().filter(|it| **it == kind).count();
        for kind in ["message_start", "message_delta", "message_stop"] {
            assert_eq!(count(kind), 1, "{name}: {kind}: {}", told.body);
        }
        assert_eq!(kinds[0], "message_start", "{name}");
        assert_eq!(kinds[kinds.len() - 2..], ["message_delta", "message_stop"], "{name}");
        let begun = &events[0]["message"]["usage"];
        for field in ["input_tokens", "output_tokens"] {
            assert!(begun[field].is_u64(), "{name}: clients add to it: {begun}");
        }
        let used = &events[events.len() - 2]["usage"];
        // Clients take what the end does not count from the beginning.
        let count = |field: &str| used.get(field).unwrap_or(&begun[field]).as_u64().unwrap();
        let counts = (count("input_tokens"), count("output_tokens"));
        assert_eq!(counts, (*input, *output), "{name}: {}", told.body);
    }
}

#[tokio::test]
async fn every_surface_counts_at_its_one_end_whoever_answers() {
    let double = Double::start();
    let mut config = String::new();
    for dialect in DIALECTS {
        double.script(dialect, &Transcript::chat(dialect).streamed(&json!({}))).await;
        config.push_str(&double.model(dialect, dialect, true));
    }
    let gateway = Gateway::start(&config).await;
    for dialect in DIALECTS {
        for surface in surfaces() {
            let case = format!("{dialect} at {}", surface.dialect.name());
            let request = saying(&format!("test/{dialect}"), "Hi", true);
            let told = surface.ask(&gateway, &request, &json!({})).await;
            assert_eq!((told.status, &told.failure), (200, &None), "{case}: {}", told.body);
            let used = &told.reply.usage;
            assert_eq!((used.prompt, used.completion), (Some(12), Some(8)), "{case}");
            let End { mark, last, counts } = end(surface);
            assert_eq!(told.body.matches(mark).count(), 1, "{case}: one {mark}: {}", told.body);
            let at = told.body.rfind(last).unwrap_or_else(|| panic!("{case}: {}", told.body));
            assert!(!told.body[at..].trim_end().contains("\n\n"), "{case}: {}", told.body);
            // Nothing is said behind the counts.
            let counted = told.body.rfind(counts);
            assert!(counted > told.body.rfind("e other side."), "{case}: {}", told.body);
            if surface.dialect.name() == "openai-chat" {
                check_chat(&Streamed::read(&told.body), &case);
            }
        }
    }
}

/// How a surface's stream ends.
struct End {
    /// Stands in it once.
    mark: &'static str,
    /// Where its last event begins.
    last: &'static str,
    /// What counts, for the last time.
    counts: &'static str,
}

fn end(surface: Surface) -> End {
    let (mark, last, counts) = match surface.dialect.name() {
        "openai-chat" | "openai-completions" => {
            ("\"finish_reason\":\"stop\"", "data: [DONE]", "\"prompt_tokens\":12")
        }
        "openai-responses" => ("event: response.completed", "data: [DONE]", "\"output_tokens\":8"),
        "anthropic-messages" => {
            ("event: message_stop", "event: message_stop", "\"output_tokens\":8")
        }
        "gemini-generate" => ("\"finishReason\"", "data: ", "\"candidatesTokenCount\":8"),
        "bedrock-converse" => ("messageStop", "metadata", "\"outputTokens\":8"),
        "cohere-chat" => ("event: message-end", "event: message-end", "\"output_tokens\":8"),
        "ollama-chat" => ("\"done\":true", "{\"model\"", "\"eval_count\":8"),
        other => panic!("how does {other} end?"),
    };
    End { mark, last, counts }
}

fn surface(name: &str) -> Surface {
    surfaces().into_iter().find(|it| it.dialect.name() == name).unwrap()
}
