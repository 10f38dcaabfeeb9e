//! What fixtures can't show: bytes that stay, errors by their words, streams that hooks made.

use super::*;
use crate::chunk::{Delta, FinishReason, Usage};
use crate::dialect::ReasoningStyle;
use crate::error::ErrorType;
use crate::json::Json;
use crate::provider::Quirks;
use crate::sse::Event;

fn head() -> Head {
    Head {
        id: "gen-1".to_owned(),
        created: 1,
        model: "a/b".to_owned(),
        provider: "P".to_owned(),
        ..Head::default()
    }
}

fn cost() -> Cost {
    let text = |text: &str| text.to_owned();
    Cost { total: text("0.3"), prompt: text("0.1"), completion: text("0.2"), is_byok: true }
}

fn target(quirks: &Quirks) -> Target<'_> {
    let reasoning = ReasoningStyle::Effort;
    Target { model: "m", stream: true, max_output_tokens: None, reasoning, efforts: &[], quirks }
}

#[test]
fn a_body_that_needs_no_change_goes_through_as_it_came() {
    let body = Bytes::from_static(
        b"{ \"messages\":[{\"role\":\"user\",\"content\":\"\\u00e9\"}],\"stream\":true,\n\"model\":\"m\",\"top_p\":1.0}",
    );
    let request = OpenaiChat.read_request(&body).unwrap();
    let outgoing = OpenaiChat.write_request(&request, &target(&Quirks::default())).unwrap();
    assert_eq!(outgoing.body.as_ptr(), body.as_ptr());
    assert_eq!(outgoing.path, "/chat/completions");
}

#[test]
fn only_openrouter_is_told_which_features_of_anthropics_were_opted_into() {
    let body = Bytes::from_static(br#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#);
    let mut request = OpenaiChat.read_request(&body).unwrap();
    request.service.betas = vec!["a-1".to_owned(), "b-2".to_owned()];
    let openrouter = Quirks { openrouter_reasoning: true, ..Quirks::default() };
    for dialect in ["openai-chat", "openai-responses"] {
        let write = |quirks: &Quirks| {
            let dialect = crate::dialect::dialect(dialect).unwrap();
            dialect.write_request(&request, &target(quirks)).unwrap().headers
        };
        assert_eq!(write(&openrouter), [("x-anthropic-beta", "a-1,b-2".to_owned())]);
        assert_eq!(write(&Quirks::default()), []);
    }
}

#[test]
fn a_wrong_request_is_told_where_it_is_wrong() {
    let cases = [
        ("[]", "body: expected a JSON object"),
        (r#"{"model":"a"}"#, "messages: expected a list of at least one message, found nothing"),
        (r#"{"messages":[]}"#, "messages: expected a list of at least one message, found []"),
        (r#"{"messages":[7]}"#, "messages[0]: expected an object, found 7"),
        (
            r#"{"messages":[{"content":"x"}]}"#,
            "messages[0].role: expected system, developer, user,",
        ),
        (r#"{"messages":[{"role":"bot"}]}"#, "messages[0].role: expected system, developer, user,"),
        (r#"{"messages":[{"role":"user"}]}"#, "messages[0].content: expected a string or a list"),
        (
            r#"{"messages":[{"role":"user","content":[{"text":"x"}]}]}"#,
            "messages[0].content[0].type: expected a part's type",
        ),
        (
            r#"{"messages":[{"role":"tool","content":"x"}]}"#,
            "messages[0].tool_call_id: expected the id of the call it answers, found nothing",
        ),
        (
            r#"{"temperature":3,"messages":[]}"#,
            "temperature: expected a number from 0 to 2, found 3",
        ),
        (r#"{"max_tokens":0}"#, "max_tokens: expected a whole number of at least 1, found 0"),
        (r#"{"max_tokens":"9"}"#, "max_tokens: expected a whole number, found \"9\""),
        (r#"{"stop":["a",1]}"#, "stop[1]: expected a string, found 1"),
        (r#"{"tools":[{"type":"function"}]}"#, "tools[0].function: expected"),
        (r#"{"tool_choice":"maybe"}"#, "tool_choice: expected `none`, `auto`, `required`"),
        (r#"{"plugins":[{}]}"#, "plugins[0].id: expected a plugin's id, found nothing"),
        (r#"{"model":"a","model":"b"}"#, "model: expected the field once, found it twice"),
        (
            r#"{"messages":[{"role":"user","content":"x"}],"reasoning":{"effort":"very"}}"#,
            "reasoning.effort: expected one of max, xhigh, high, medium, low, minimal, none",
        ),
        (
            r#"{"messages":[{"role":"user","content":"x"}],"reasoning":{"effort":"low","max_tokens":9}}"#,
            "reasoning: expected either effort or max_tokens",
        ),
    ];
    for (body, expected) in cases {
        let error = OpenaiChat.read_request(&Bytes::from(body)).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{body}: {error}");
    }
}

#[test]
fn a_stream_that_hooks_made_keeps_to_the_contract() {
    let text = |text: &str| Delta::Text { choice: 0, text: text.to_owned() };
    let json = Json::parse("{\n\"type\":\"url_citation\"\r\n}").unwrap();
    let finish = Delta::Finish { choice: 0, reason: FinishReason::Stop, native: None };
    let other =
        |kind: &str| Delta::Other { choice: None, kind: kind.to_owned(), json: Json::null() };
    let chunks = [
        Chunk::of(vec![text("a"), text("b"), Delta::Annotation { choice: 0, json }]),
        Chunk::of(vec![other("openai-chat.x"), other("gemini-generate.y")]),
        Chunk::of(vec![finish, Delta::Usage(Usage::default())]),
    ];
    let mut out = Vec::new();
    let mut stream = OpenaiChat.write_stream(&head());
    chunks.iter().for_each(|chunk| stream.chunk(chunk, &mut out));
    stream.keep_alive(&mut out);
    stream.end(
        &Usage { prompt: Some(3), completion: Some(4), ..Usage::default() },
        &cost(),
        &mut out,
    );
    let out = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = out.split("\n\n").collect();
    assert!(lines[0].contains(r#""delta":{"role":"assistant","content":"ab","annotations":[{ "#));
    assert!(lines[1].contains(r#""finish_reason":"stop","native_finish_reason":"stop""#));
    assert_eq!(lines[2], ": OPENROUTER PROCESSING");
    let usage = r#""total_tokens":7,"#;
    assert!(lines[3].contains(usage) && lines[3].contains(r#""upstream_inference_cost":0.3"#));
    assert_eq!(&lines[4..], ["data: [DONE]", ""]);
}

#[test]
fn an_error_before_the_first_piece_ends_the_stream() {
    let mut out = Vec::new();
    let failure = Failure::new(ErrorType::ProviderOverloaded, "busy");
    OpenaiChat.write_stream(&head()).error(&failure, &mut out);
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains(
        r#""error":{"code":503,"message":"busy","metadata":{"error_type":"provider_overloaded"}}"#
    ));
    assert!(out.contains(r#""finish_reason":"error""#) && out.ends_with("data: [DONE]\n\n"));
}

#[test]
fn a_stream_is_done_when_it_says_so_or_when_nothing_more_is_due() {
    let is_done = |events: &[&'static str]| {
        let mut stream = OpenaiChat.read_stream();
        for data in events {
            let event = Event { name: None, data: Bytes::from_static(data.as_bytes()) };
            stream.read(&event, &mut Vec::new()).unwrap();
        }
        stream.is_done()
    };
    let (begin, finish) = (
        r#"{"choices":[{"index":0,"delta":{"content":"a"}}]}"#,
        r#"{"choices":[{"index":0,"finish_reason":"stop"}]}"#,
    );
    let usage = r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#;
    assert!(!is_done(&[]));
    assert!(!is_done(&[begin]));
    assert!(!is_done(&[begin, finish]));
    assert!(is_done(&[begin, "[DONE]"]));
    assert!(is_done(&[begin, finish, usage]));
}

#[test]
fn a_choice_or_a_body_out_of_bounds_is_an_error() {
    let read = |data: &'static str| {
        let event = Event { name: None, data: Bytes::from_static(data.as_bytes()) };
        OpenaiChat.read_stream().read(&event, &mut Vec::new())
    };
    let is_wrong = |data| matches!(read(data), Err(StreamError::Read(_)));
    assert!(is_wrong(r#"{"choices":[{"index":128,"delta":{}}]}"#));
    assert!(is_wrong("not json"));
    assert!(is_wrong(r#"{"choices":{}}"#));
    assert!(matches!(OpenaiChat.read_reply(&Bytes::from_static(b"{}")), Err(StreamError::Read(_))));
}
