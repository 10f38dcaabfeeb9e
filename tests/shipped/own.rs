//! Plugins whose cases need what a gateway has by itself: each once on every surface, streamed and
//! not.

use serde_json::{Value, json};
use wire::{Content, Delta, Extra, FinishReason, Media, MediaData, MediaKind, Message, Part, Role};

use super::case;
use super::upstream::{self, asked, say};
use crate::harness::{Double, Gateway};
use crate::spoken::{Surface, Told, saying, surfaces};

/// What the model says.
const TEXT: &str = "Fine.";

async fn start() -> (Double, Gateway) {
    let double = Double::start();
    let gateway = Gateway::start(&upstream::config(&double, &[])).await;
    let finish = Delta::Finish { choice: 0, reason: FinishReason::Stop, native: None };
    say(&double, &[Delta::Text { choice: 0, text: TEXT.to_owned() }, finish]).await;
    (double, gateway)
}

/// Every surface that has plugins, streamed and not.
fn ways() -> Vec<(Surface, bool)> {
    let known = ["openai-chat", "openai-responses", "anthropic-messages"];
    let surfaces = surfaces().into_iter().filter(|it| known.contains(&it.dialect.name()));
    surfaces.flat_map(|surface| [(surface, false), (surface, true)]).collect()
}

fn assert_answered(told: &Told, text: &str, place: &str) {
    assert_eq!((told.status, &told.failure), (200, &None), "{place}: {}", told.body);
    assert_eq!(told.reply.choices[0].text, text, "{place}: {}", told.body);
}

#[tokio::test]
async fn the_auto_router_chooses_a_model_that_is_served() {
    let (double, gateway) = start().await;
    for (surface, stream) in ways() {
        let place = format!("{} ({stream})", surface.dialect.name());
        let (_, before) = asked(&double).await;
        let request = saying("openrouter/auto", "Write a Python function.", stream);
        let only = json!({"plugins": [{"id": "auto-router", "allowed_models": ["test/*"]}]});
        let told = surface.ask(&gateway, &request, &only).await;
        assert_answered(&told, TEXT, &place);
        assert!(told.body.contains(r#""model":"test/model""#), "{place}: {}", told.body);
        assert_eq!(asked(&double).await.1, before + 1, "{place}");
        let none = json!({"plugins": [{"id": "auto-router", "allowed_models": ["nobody/*"]}]});
        let told = surface.ask(&gateway, &request, &none).await;
        assert_eq!(told.status, 404, "{place}: {}", told.body);
        assert_eq!(asked(&double).await.1, before + 1, "{place}");
    }
}

#[tokio::test]
async fn a_long_conversation_is_compressed() {
    let (double, gateway) = start().await;
    let words = ["One.", "Two.", "Three.", "Four.", "Five.", "Six.", "And now?"];
    for (surface, stream) in ways() {
        let place = format!("{} ({stream})", surface.dialect.name());
        let mut request = saying("test/model", "", stream);
        request.messages = words.iter().enumerate().map(said).collect();
        let told = surface.ask(&gateway, &request, &json!({})).await;
        assert_answered(&told, TEXT, &place);
        assert_eq!(messages(&asked(&double).await.0), words, "{place}");
        let most = json!({"plugins": [{"id": "context-compression", "max_messages": 4}]});
        let told = surface.ask(&gateway, &request, &most).await;
        assert_answered(&told, TEXT, &place);
        let kept = messages(&asked(&double).await.0);
        assert_eq!(kept, ["One.", "Five.", "Six.", "And now?"], "{place}");
    }
}

/// Each of the two speaks in turn.
fn said((at, words): (usize, &&str)) -> Message {
    let role = if at % 2 == 0 { Role::User } else { Role::Assistant };
    let parts = vec![Part::new(Content::Text((*words).to_owned()))];
    Message { role, name: None, parts, extra: Extra::default() }
}

fn messages(body: &Value) -> Vec<String> {
    let messages = body["messages"].as_array().unwrap().iter();
    messages.map(|message| message["content"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_question_that_was_asked_in_other_words_is_answered_from_the_cache() {
    let (double, gateway) = start().await;
    for (at, (surface, stream)) in ways().into_iter().enumerate() {
        let place = format!("{} ({stream})", surface.dialect.name());
        // Nothing is shared between users.
        let more = json!({"user": format!("user-{at}"),
            "plugins": [{"id": "semantic-cache", "model": "patchbay/sim-embed"}]});
        let (_, before) = asked(&double).await;
        for question in ["What is the capital of France?", "The capital of France is what?"] {
            let request = saying("test/model", question, stream);
            assert_answered(&surface.ask(&gateway, &request, &more).await, TEXT, &place);
            assert_eq!(asked(&double).await.1, before + 1, "{place}: {question}");
        }
    }
}

#[tokio::test]
async fn a_model_that_asks_for_the_time_is_told_it() {
    let (double, gateway) = start().await;
    let call = Delta::ToolCall {
        choice: 0,
        index: 0,
        id: Some("call_1".to_owned()),
        name: Some("openrouter_datetime".to_owned()),
        arguments: r#"{"timezone":"Asia/Tokyo"}"#.to_owned(),
    };
    let finish = |reason| Delta::Finish { choice: 0, reason, native: None };
    let calls = upstream::script(&[call, finish(FinishReason::ToolCalls)]);
    let text = Delta::Text { choice: 0, text: TEXT.to_owned() };
    let mut answers = upstream::script(&[text, finish(FinishReason::Stop)]);
    for form in ["stream", "whole"] {
        answers[form]["when"] = json!(r#""role":"tool""#);
        answers[form] = json!([answers[form], calls[form]]);
    }
    double.script(upstream::NAME, &answers).await;
    for (surface, stream) in ways() {
        let place = format!("{} ({stream})", surface.dialect.name());
        let (_, before) = asked(&double).await;
        let request = saying("test/model", "What time is it in Tokyo?", stream);
        let tools = json!({"tools": [{"type": "openrouter:datetime"}]});
        let told = surface.ask(&gateway, &request, &tools).await;
        assert_answered(&told, TEXT, &place);
        assert_eq!(told.reply.choices[0].tool_calls, [], "{place}: {}", told.body);
        let (sent, after) = asked(&double).await;
        assert_eq!(after, before + 2, "{place}");
        let result = sent["messages"].as_array().unwrap().last().unwrap();
        let said = result["content"].as_str().unwrap();
        assert!(said.contains("Asia/Tokyo") && said.contains("+09:00"), "{place}: {said}");
    }
}

#[tokio::test]
async fn a_model_that_reads_files_gets_the_file_and_another_its_text() {
    let double = Double::start();
    let reader = "[[model]]\nid = \"test/reader\"\ncontext_length = 100000\n\
        input_modalities = [\"text\", \"file\"]\n[[model.endpoint]]\nprovider = \"up\"\n\
        model = \"up\"\nmax_output_tokens = 1000\nprice = { prompt = \"1\", completion = \"2\" }\n";
    let config = format!("{}{reader}", upstream::config(&double, &[]));
    let gateway = Gateway::start(&config).await;
    let finish = Delta::Finish { choice: 0, reason: FinishReason::Stop, native: None };
    say(&double, &[Delta::Text { choice: 0, text: TEXT.to_owned() }, finish]).await;
    for (surface, stream) in ways() {
        for (model, is_read) in [("test/model", true), ("test/reader", false)] {
            let place = format!("{model} on {} ({stream})", surface.dialect.name());
            let mut request = saying(model, "What is in it?", stream);
            request.messages[0].parts.push(Part::new(Content::Media(report())));
            let told = surface.ask(&gateway, &request, &json!({})).await;
            assert_answered(&told, TEXT, &place);
            let sent = asked(&double).await.0.to_string();
            assert_eq!(sent.contains("The pier opens in May."), is_read, "{place}: {sent}");
            assert_eq!(sent.contains(&pdf()), !is_read, "{place}: {sent}");
        }
    }
}

#[tokio::test]
async fn who_gets_no_reply_gets_what_was_read_of_the_file() {
    let (double, gateway) = start().await;
    let down = json!({"status": 503, "body": {"error": {"message": "It is down."}}});
    double.script(upstream::NAME, &down).await;
    let data = format!("data:application/pdf;base64,{}", pdf());
    let file = json!({"type": "file", "file": {"filename": "report.pdf", "file_data": data}});
    let mut body =
        json!({"model": "test/model", "messages": [{"role": "user", "content": [file]}]});
    for stream in [false, true] {
        body["stream"] = json!(stream);
        let (status, answer) = gateway.chat(&body).await;
        assert!(status >= 500, "{answer}");
        let told = &answer["error"]["metadata"]["file_annotations"];
        assert_eq!((told.as_array().unwrap().len(), &told[0]["type"]), (1, &json!("file")));
        assert!(told.to_string().contains("The pier opens in May."), "{told}");
    }
    // A stream that breaks off says it at its end.
    let mut broken = upstream::script(&[Delta::Text { choice: 0, text: TEXT.to_owned() }]);
    let raw = broken["stream"]["sse"][0]["raw"].as_str().unwrap();
    let (said, _) = raw.split_once(TEXT).unwrap();
    broken["stream"]["cut_bytes"] = json!(said.len() + raw[said.len()..].find("\n\n").unwrap() + 2);
    double.script(upstream::NAME, &broken).await;
    let streamed = gateway.stream(&body).await;
    let told = &streamed.chunks.last().unwrap()["error"]["metadata"]["file_annotations"];
    assert_eq!(streamed.joined("content"), TEXT);
    assert!(told.to_string().contains("The pier opens in May."), "{streamed:?}");
    double.script(upstream::NAME, &down).await;
    // With what it was told, the client's next try reads nothing.
    let (_, answer) = gateway.chat(&body).await;
    let annotations = answer["error"]["metadata"]["file_annotations"].clone();
    let finish = Delta::Finish { choice: 0, reason: FinishReason::Stop, native: None };
    say(&double, &[Delta::Text { choice: 0, text: TEXT.to_owned() }, finish]).await;
    body["stream"] = json!(false);
    let told = json!({"role": "assistant", "content": "…", "annotations": annotations});
    body["messages"].as_array_mut().unwrap().insert(0, told);
    let (status, answer) = gateway.chat(&body).await;
    assert_eq!(status, 200, "{answer}");
    assert!(asked(&double).await.0.to_string().contains("The pier opens in May."));
    let message = &answer["choices"][0]["message"];
    assert!(message.get("annotations").is_none_or(Value::is_null), "{message}");
}

/// The file of one of the plugin's cases.
fn pdf() -> String {
    let mut parts = case::of("file-parser")
        .into_iter()
        .find(|case| case.name == "file-parser/pdf")
        .map(|case| case.request["messages"][0]["parts"].clone())
        .unwrap();
    let Value::String(base64) = parts[1]["file"]["base64"].take() else { panic!("{parts}") };
    base64
}

fn report() -> Media {
    let data = MediaData::Inline { mime: "application/pdf".to_owned(), base64: pdf() };
    Media { kind: MediaKind::File, data, name: Some("report.pdf".to_owned()), detail: None }
}
