//! Failure: a reply that began with status 200 fails. Before anything was shown another endpoint
//! can still answer; after that the client must be told so in its own dialect, once, and never see
//! a second beginning. A stream that just stops is such a failure, not a short reply.

use serde_json::json;
use wire::Reply;

use crate::answers::{attempts, provider, record, stream, whole};
use crate::harness::{Double, Gateway};
use crate::spoken::{Surface, Told, saying, surfaces};
use crate::transcript::Transcript;
use crate::upstream::{DIALECTS, folder, text};

/// How an upstream of each dialect says in mid-stream that it failed.
fn failing(dialect: &str) -> &'static str {
    match dialect {
        "openai-chat" | "openai-completions" => {
            "data: {\"error\":{\"message\":\"No more.\",\"type\":\"server_error\",\"code\":503}}\n\n"
        }
        "openai-responses" => {
            "event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\
             \"message\":\"No more.\",\"param\":null,\"sequence_number\":9}\n\n"
        }
        "anthropic-messages" => {
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\
             \"message\":\"No more.\"}}\n\n"
        }
        "gemini-generate" => {
            "data: {\"error\":{\"code\":503,\"message\":\"No more.\",\
             \"status\":\"UNAVAILABLE\"}}\n\n"
        }
        "bedrock-converse" => {
            r#"{"event":"serviceUnavailableException","data":{"message":"No more."},"is_exception":true}"#
        }
        "cohere-chat" => {
            "event: message-end\ndata: {\"type\":\"message-end\",\"delta\":{\
             \"finish_reason\":\"ERROR\",\"error\":\"No more.\"}}\n\n"
        }
        "ollama-chat" => "{\"error\":\"No more.\"}\n",
        other => panic!("how does {other} fail?"),
    }
}

/// What a surface's stream begins with, what ends it well, and what ends it in failure; empty where
/// it has no such mark.
fn marks(surface: Surface) -> (&'static str, &'static str, &'static str) {
    match surface.dialect.name() {
        "openai-chat" => {
            ("\"role\":\"assistant\"", "\"finish_reason\":\"stop\"", "\"finish_reason\":\"error\"")
        }
        "openai-completions" => ("", "\"finish_reason\":\"stop\"", "\"finish_reason\":\"error\""),
        "openai-responses" => {
            ("event: response.created", "event: response.completed", "event: response.failed")
        }
        "anthropic-messages" => ("event: message_start", "event: message_stop", "event: error"),
        "gemini-generate" => ("", "\"finishReason\":\"STOP\"", "\"error\":{"),
        "bedrock-converse" => ("messageStart", "messageStop", ":exception-type"),
        "cohere-chat" => ("event: message-start", "\"COMPLETE\"", "event: message-end"),
        "ollama-chat" => ("", "\"done\":true", "{\"error\":"),
        other => panic!("what are the marks of {other}?"),
    }
}

/// The position of the event with the first words: all before it only announce them.
fn words_at(transcript: &Transcript) -> usize {
    transcript.events.iter().position(|event| event.contains("Hello from th")).unwrap()
}

/// How many events come without a word. An item of Responses has fields of its own, which a client
/// of that dialect is shown when the item begins.
fn silent(transcript: &Transcript) -> usize {
    let item = transcript.events.iter().position(|event| event.contains("output_item.added"));
    item.unwrap_or_else(|| words_at(transcript))
}

/// Model `test/{name}`: the script of that name in its dialect, then one that answers.
fn pair(double: &Double, name: &str, dialect: &str) -> String {
    let model = double.model(name, dialect, true);
    format!(
        "{model}[[model.endpoint]]\nprovider = \"second\"\nmodel = \"up\"\n\
         max_output_tokens = 1000\nprice = {{ prompt = \"1\", completion = \"2\" }}\n"
    )
}

async fn second(double: &Double) -> String {
    double
        .script("second", &json!({"stream": stream(&["sec", "ond"]), "whole": whole("second")}))
        .await;
    provider("second", &format!("{}/second", double.url))
}

#[tokio::test]
async fn before_anything_was_shown_the_next_endpoint_answers() {
    let double = Double::start();
    let mut config = second(&double).await;
    for dialect in DIALECTS {
        let transcript = Transcript::chat(dialect);
        for sent in 0..=silent(&transcript) {
            let mut events = transcript.events[..sent].to_vec();
            let truncated = transcript.stream_of(&events, &json!({}));
            let cut = transcript.stream_of(&events, &json!({"cut_after": sent}));
            events.push(failing(dialect).to_owned());
            let failed = transcript.stream_of(&events, &json!({}));
            let error = text(&folder("upstreams").join(dialect).join("error/error.json"));
            let body = json!({"body": error});
            for (how, script) in
                [("fails", failed), ("stops", truncated), ("is-cut", cut), ("is-an-error", body)]
            {
                let name = format!("{dialect}-{how}-{sent}");
                double.script(&name, &script).await;
                config.push_str(&pair(&double, &name, dialect));
            }
        }
    }
    let gateway = Gateway::start(&config).await;
    for dialect in DIALECTS {
        for sent in 0..=silent(&Transcript::chat(dialect)) {
            for how in ["fails", "stops", "is-cut", "is-an-error"] {
                let name = format!("test/{dialect}-{how}-{sent}");
                for surface in surfaces() {
                    let case = format!("{name} at {}", surface.dialect.name());
                    let told = surface.ask(&gateway, &saying(&name, "Hi", true), &json!({})).await;
                    assert_eq!((told.status, &told.failure), (200, &None), "{case}: {told:?}");
                    assert_eq!(said(&told.reply), "second", "{case}");
                    assert_eq!(begins(&told, surface), 1, "{case}: {}", told.body);
                }
                if how == "is-an-error" {
                    let body = json!({"model": name, "messages":
                        [{"role": "user", "content": "Hi"}]});
                    let (status, reply) = gateway.chat(&body).await;
                    assert_eq!(status, 200, "{name}: {reply}");
                    assert_eq!(reply["choices"][0]["message"]["content"], "second", "{name}");
                    let record = record(&gateway, reply["id"].as_str().unwrap()).await;
                    let attempts = attempts(&record);
                    assert_eq!(attempts.len(), 2, "{name}: {record}");
                    assert_ne!(attempts[0], 200, "{name}: {record}");
                }
            }
        }
    }
}

#[tokio::test]
async fn after_a_word_was_shown_every_surface_ends_in_its_own_error_once() {
    let double = Double::start();
    let mut config = second(&double).await;
    for dialect in DIALECTS {
        let transcript = Transcript::chat(dialect);
        let sent = words_at(&transcript) + 1;
        let mut events = transcript.events[..sent].to_vec();
        let truncated = transcript.stream_of(&events, &json!({}));
        let cut = transcript.stream_of(&events, &json!({"cut_after": sent}));
        events.push(failing(dialect).to_owned());
        // What comes after it counts no more.
        events.extend_from_slice(&transcript.events[sent..]);
        let failed = transcript.stream_of(&events, &json!({}));
        for (how, script) in [("fails", failed), ("stops", truncated), ("is-cut", cut)] {
            let name = format!("{dialect}-{how}");
            double.script(&name, &script).await;
            config.push_str(&pair(&double, &name, dialect));
        }
    }
    let gateway = Gateway::start(&config).await;
    let mut wrong = Vec::new();
    for dialect in DIALECTS {
        for how in ["fails", "stops", "is-cut"] {
            for surface in surfaces() {
                let name = format!("test/{dialect}-{how}");
                let told = surface.ask(&gateway, &saying(&name, "Hi", true), &json!({})).await;
                let case = format!("{name} at {}", surface.dialect.name());
                wrong.extend(faults(surface, how, &told).map(|it| format!("{case}: {it}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(double.log("second").await, json!([]), "nothing was tried again");
}

/// What is wrong with the end of a stream that failed behind a word.
fn faults(surface: Surface, how: &str, told: &Told) -> Option<String> {
    let (_, good, bad) = marks(surface);
    let (goods, bads) = (told.body.matches(good).count(), told.body.matches(bad).count());
    let fault = match &told.failure {
        _ if told.status != 200 => format!("status {}", told.status),
        None => "no failure was told".to_owned(),
        Some(failure) if how == "fails" && !failure.message.contains("No more.") => {
            format!("told as {failure:?}")
        }
        Some(_) if said(&told.reply) != "Hello from th" => {
            format!("said {:?}", said(&told.reply))
        }
        Some(_) if begins(told, surface) != 1 => "not one beginning".to_owned(),
        Some(_) if bads != 1 => format!("{bads} errors"),
        Some(_) if goods != 0 => format!("{goods} good ends"),
        Some(_) => return None,
    };
    Some(format!("{fault}: {}", told.body))
}

/// How often the stream begins; once where that can't be seen.
fn begins(told: &Told, surface: Surface) -> usize {
    match marks(surface).0 {
        "" => 1,
        mark => told.body.matches(mark).count(),
    }
}

fn said(reply: &Reply) -> String {
    reply.choices.first().map(|choice| choice.text.clone()).unwrap_or_default()
}
