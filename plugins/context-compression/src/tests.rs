//! What cases don't say: bounds, and all cuts of a long conversation.

use super::{CASES, Compressed, ContextCompression, Limits, OPTIONS, Options, Weighed, fraction};
use patchbay_sdk::catalog::Model;
use patchbay_sdk::testing::{self, Failures, check};
use patchbay_sdk::{Content, Message, Request, Role};

#[test]
fn every_case_holds() -> Result<(), Failures> {
    check::<ContextCompression>(env!("CARGO_MANIFEST_DIR"), CASES)
}

#[test]
fn the_schema_names_the_defaults() {
    let schema: serde_json::Value = serde_json::from_str(OPTIONS).unwrap();
    let default = |name: &str| schema["properties"][name]["default"].clone();
    let Options { threshold, reserve, keep_last, max_messages } = Options::default();
    assert_eq!(default("threshold"), threshold);
    assert_eq!(default("reserve"), reserve);
    assert_eq!(default("keep_last"), keep_last);
    assert_eq!((default("max_messages").is_null(), max_messages), (true, None));
}

#[test]
fn the_reply_has_its_room() {
    let model = |context: u64, most: Option<u64>| Model {
        context_length: Some(context),
        completion_max: most,
        ..Model::new("a/b")
    };
    let options = Options { threshold: 1.0, ..Options::default() };
    let tokens = |model: &Model, max: Option<u32>| options.limits(model, max).tokens;
    assert_eq!(tokens(&model(200_000, Some(64_000)), None), Some(195_904));
    assert_eq!(tokens(&model(200_000, Some(1000)), None), Some(199_000));
    assert_eq!(tokens(&model(8000, None), None), Some(6000));
    assert_eq!(tokens(&model(8000, None), Some(7000)), Some(1000));
    assert_eq!(tokens(&model(8000, None), Some(9000)), Some(0));
    assert_eq!(tokens(&Model::new("a/b"), None), None);
}

#[test]
fn anthropic_takes_a_thousand_messages() {
    let messages = |id: &str| Options::default().limits(&Model::new(id), None).messages;
    assert_eq!(messages("anthropic/claude-x"), Some(1000));
    assert_eq!(messages("acme/claude-x"), None);
}

#[test]
fn a_fraction_is_rounded() {
    assert_eq!(fraction(1000, 0.95), 950);
    assert_eq!(fraction(8191, 1.0), 8191);
    assert_eq!(fraction(10, 0.333), 3);
}

/// A request that was made shorter.
struct Done {
    request: Request,
    told: Compressed,
}

fn compress(request: Request, limits: &Limits, keep_last: usize) -> Option<Done> {
    let weighed = Weighed::of(&request, limits)?;
    let (request, told) = super::compress(request, weighed, limits, keep_last);
    Some(Done { request, told: told? })
}

/// Turns with tools, of many lengths.
fn conversation(turns: usize) -> Request {
    let mut request = Request::new("test/model").system("You are kind.");
    for turn in 0..turns {
        let id = format!("call-{turn}");
        let call = patchbay_sdk::ToolCall {
            id: id.clone(),
            name: "look".into(),
            arguments: "{\"at\":1}".into(),
        };
        let mut asks = Message::assistant("I look.");
        asks.parts.push(patchbay_sdk::Part::new(Content::ToolCall(call)));
        request = request
            .user(format!("{turn} {}", "question ".repeat(turn * 7 % 50)))
            .message(asks)
            .message(Message::tool(&id, "result ".repeat(turn * 13 % 300)))
            .message(Message::assistant(format!("{turn} {}", "answer ".repeat(turn % 20))));
    }
    request.user("And now?")
}

#[test]
fn whatever_the_room_it_is_kept_to_and_no_call_loses_its_result() {
    let request = conversation(40);
    let limits = |tokens: u64| Limits { tokens: Some(tokens), messages: None };
    for most in (120..9000).step_by(97) {
        testing::kit();
        let Some(done) = compress(request.clone(), &limits(most), 2) else { continue };
        assert!(done.told.after <= most, "{} of {most}", done.told.after);
        let again = compress(done.request.clone(), &limits(done.told.after), 2);
        assert!(again.is_none_or(|again| again.told.before <= most), "{most}");
        let parts = || done.request.messages.iter().flat_map(|message| &message.parts);
        let calls = parts().filter_map(|part| match &part.content {
            Content::ToolCall(call) => Some(&call.id),
            _ => None,
        });
        let results = parts().filter_map(|part| match &part.content {
            Content::ToolResult(result) => Some(&result.call_id),
            _ => None,
        });
        assert_eq!(calls.collect::<Vec<_>>(), results.collect::<Vec<_>>(), "{most}");
        let (first, last) = (&done.request.messages[0], done.request.messages.last().unwrap());
        assert_eq!((first.role, last.text().as_str()), (Role::System, "And now?"));
        assert_eq!(done.request.messages[1].role, Role::User, "{most}");
    }
}

#[test]
fn a_long_conversation_loses_its_middle_and_fills_its_room() {
    let limits = Limits { tokens: Some(3000), messages: Some(100) };
    let done = compress(conversation(200), &limits, 2).unwrap();
    assert!(done.told.after > 2700, "{}", done.told.after);
    assert!(done.request.messages.len() <= 101);
    assert!(done.request.messages[1].text().starts_with("0 "));
}

#[test]
fn hostile_shapes_end() {
    let limits = Limits { tokens: Some(500), messages: Some(1000) };
    let many = (0..20_000).fold(Request::new("m"), |request, _| request.user("x"));
    assert_eq!(compress(many, &limits, 1).unwrap().told.messages_removed, 19_904);
    let long = Request::new("m").user("\u{1F600}".repeat(2_000_000));
    assert!(compress(long, &limits, 1).unwrap().told.after <= 500);
    let results = (0..20_000).fold(Request::new("m"), |request, turn| {
        request.message(Message::tool(&(turn % 2).to_string(), "y"))
    });
    assert!(compress(results, &limits, 1).is_some());
}
