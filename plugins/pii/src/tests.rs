//! The plugin as the host uses it: fifty values in many languages and contexts, at every split, in
//! every place of a request and every kind of reply.

mod entities;

use super::{CASES, OPTIONS, Pii};
use crate::options::Options;
use entities::ENTITIES;
use patchbay_sdk::testing::{Facts, Failures, check, generation};
use patchbay_sdk::{
    Content, Decision, Delta, Generation, Media, MediaData, MediaKind, Message, Part, Plugin,
    Reasoning, ReasoningDelta, Rejection, Request, Role, Stream, Tool, ToolCall, ToolCallDelta,
    Verdict,
};
use serde_json::{Value, json};

#[test]
fn every_case_holds_however_the_reply_is_cut() -> Result<(), Failures> {
    check::<Pii>(env!("CARGO_MANIFEST_DIR"), CASES)
}

#[test]
fn the_schema_has_the_defaults() {
    let schema: Value = serde_json::from_str(OPTIONS).unwrap();
    let default = |name: &str| schema["properties"][name]["default"].clone();
    let written = json!({
        "action": default("action"), "scan_scope": default("scan_scope"), "output": default("output"),
        "content_filters": default("content_filters"), "allow": default("allow"),
    });
    let read: Options = serde_json::from_value(written).unwrap();
    assert_eq!(format!("{read:?}"), format!("{:?}", Options::default()));
}

fn begin(options: &Value) -> (Pii, Generation) {
    let generation = generation(Facts { options: options.to_string(), ..Facts::default() });
    (Pii::new(&generation).unwrap(), generation)
}

/// What goes upstream.
fn sent(plugin: &mut Pii, generation: &Generation, request: Request) -> Request {
    match plugin.on_request(generation, request.clone()).unwrap() {
        Decision::Replace(request) => request,
        Decision::Pass => request,
        other => panic!("{other:?}"),
    }
}

/// A request that has the text in every place where one can stand.
fn everywhere(text: &str) -> Request {
    let arguments = json!({"note": text, "list": [text]}).to_string();
    let call = ToolCall { id: "a".into(), name: "f".into(), arguments };
    let thought = Reasoning { text: text.into(), detail: None };
    let data = MediaData::Id("file-1".into());
    let file = Media { kind: MediaKind::File, data, name: Some(text.into()), detail: None };
    let schema = json!({"type": "object", "properties": {"x": {"description": text}}});
    let mut user = Message::user(text).part(Part::new(Content::Media(file)));
    user.name = Some(text.into());
    user.extra_set("note", text);
    let assistant = Message::assistant(text)
        .part(Part::new(Content::ToolCall(call)))
        .part(Part::new(Content::Reasoning(thought)))
        .part(Part::new(Content::Refusal(text.into())));
    let mut request = Request::new("m").system(text).message(user).message(assistant);
    request =
        request.message(Message::tool("a", text)).tool(Tool::function("f", text, schema.clone()));
    request = request.json_schema("reply", schema);
    request.user = Some(text.into());
    request.sampling.stop = vec![text.into()];
    request.extra_set("metadata", json!({"about": text}));
    request
}

#[test]
fn the_upstream_sees_no_value_in_any_place() {
    for (value, context) in ENTITIES {
        let text = context.replace("{}", value);
        let (mut plugin, generation) = begin(&json!({}));
        let request = sent(&mut plugin, &generation, everywhere(&text));
        let seen = format!("{request:?}");
        let escaped = format!("{value:?}");
        let coded = format!("{escaped:?}");
        for spelling in [value, escaped.trim_matches('"'), coded.trim_matches(['"', '\\'])] {
            assert!(!seen.contains(spelling), "{value} in {seen}");
        }
        let texts = request.messages.iter().filter(|message| message.role != Role::Tool);
        let texts: Vec<String> = texts.map(Message::text).collect();
        assert!(texts.windows(2).all(|two| two[0] == two[1]), "one value, one name: {texts:?}");
        for part in &request.messages[2].parts {
            if let Content::ToolCall(call) = &part.content {
                let arguments: Value = serde_json::from_str(&call.arguments).unwrap();
                assert_eq!(arguments["note"], texts[0]);
            }
        }
    }
}

/// What the client reads, after `pieces` of one kind of text.
fn replied(stream: &mut dyn Stream, pieces: &[&str], form: Form) -> Result<String, Rejection> {
    let mut out = String::new();
    let mut settle = |verdict: Verdict, came: &[Delta]| {
        let deltas = match verdict {
            Verdict::Pass => came.to_vec(),
            Verdict::Hold => Vec::new(),
            Verdict::Emit(deltas) => deltas,
            Verdict::Stop(rejection) => return Err(rejection),
        };
        for delta in deltas {
            out.push_str(form.text(&delta).unwrap());
        }
        Ok(())
    };
    for piece in pieces {
        let delta = form.delta(piece);
        settle(stream.push(vec![delta.clone()]).unwrap(), &[delta])?;
    }
    settle(stream.finish().unwrap(), &[])?;
    Ok(out)
}

#[derive(Clone, Copy)]
enum Form {
    Text,
    Reasoning,
    Refusal,
    Arguments,
}

impl Form {
    fn delta(self, text: &str) -> Delta {
        match self {
            Self::Text => Delta::text(0, text),
            Self::Reasoning => Delta::reasoning(0, text),
            Self::Refusal => Delta::refusal(0, text),
            Self::Arguments => Delta::ToolCall(ToolCallDelta {
                choice: 0,
                index: 0,
                id: None,
                name: None,
                arguments: text.into(),
            }),
        }
    }

    fn text(self, delta: &Delta) -> Option<&str> {
        match (self, delta) {
            (Self::Text, Delta::Text(it)) | (Self::Refusal, Delta::Refusal(it)) => Some(&it.text),
            (Self::Reasoning, Delta::Reasoning(ReasoningDelta { text, .. })) => Some(text),
            (Self::Arguments, Delta::ToolCall(it)) => Some(&it.arguments),
            _ => None,
        }
    }
}

/// Calls `test` with the text cut at every place in two, at every character, and not at all.
fn cuts(text: &str, mut test: impl FnMut(&[&str])) {
    for (at, _) in text.char_indices() {
        test(&[&text[..at], &text[at..]]);
    }
    test(&text.split_inclusive(|_| true).collect::<Vec<_>>());
}

#[test]
fn the_client_gets_every_value_back_at_every_split() {
    for (value, context) in ENTITIES {
        let text = context.replace("{}", value);
        let (mut plugin, generation) = begin(&json!({}));
        let request = sent(&mut plugin, &generation, Request::new("m").user(&text));
        let echo = request.last_user_text().unwrap();
        assert_ne!(echo, text);
        for form in [Form::Text, Form::Reasoning, Form::Refusal] {
            cuts(&echo, |pieces| {
                let mut stream = plugin.stream(&generation, 0).unwrap();
                let reply = replied(stream.as_mut(), pieces, form).unwrap();
                assert_eq!(reply, text, "{pieces:?}");
            });
        }
        let arguments = json!({"a": &echo, "b": [1, &echo]}).to_string();
        cuts(&arguments, |pieces| {
            let mut stream = plugin.stream(&generation, 0).unwrap();
            let reply = replied(stream.as_mut(), pieces, Form::Arguments).unwrap();
            let read: Value = serde_json::from_str(&reply).unwrap();
            assert_eq!(read, json!({"a": &text, "b": [1, &text]}), "{pieces:?}");
        });
    }
}

#[test]
fn a_value_that_the_model_makes_is_masked_at_every_split_and_no_part_of_it_leaves() {
    for (value, context) in ENTITIES {
        let text = context.replace("{}", value);
        let (mut plugin, generation) = begin(&json!({"output": "mask"}));
        let mut stream = plugin.stream(&generation, 0).unwrap();
        let whole = replied(stream.as_mut(), &[&text], Form::Text).unwrap();
        assert!(!whole.contains(value) && whole.contains('['), "{whole}");
        for form in [Form::Text, Form::Reasoning] {
            cuts(&text, |pieces| {
                let mut stream = plugin.stream(&generation, 0).unwrap();
                assert_eq!(replied(stream.as_mut(), pieces, form).unwrap(), whole, "{pieces:?}");
            });
        }
    }
}

#[test]
fn a_value_in_arguments_is_masked_however_json_writes_it() {
    let (mut plugin, generation) = begin(&json!({"output": "mask"}));
    let arguments = r#"{"to": "\nj\u00f6rg\u0040m\u00fcller.de", "tel": "\u002b49\u00a030 901820", "x": "\\u00e9\ud83d\ude00\u0022"}"#;
    let expected = r#"{"to": "\n[EMAIL]", "tel": "[PHONE]", "x": "\\u00e9\ud83d\ude00\u0022"}"#;
    cuts(arguments, |pieces| {
        let mut stream = plugin.stream(&generation, 0).unwrap();
        let reply = replied(stream.as_mut(), pieces, Form::Arguments).unwrap();
        assert_eq!(reply, expected, "{pieces:?}");
    });
}

#[test]
fn the_name_of_a_field_says_what_a_number_is() {
    let (mut plugin, generation) = begin(&json!({}));
    let arguments = r#"{"phone_number": "4155550123", "numbers": {"text": "4155550124"},
        "call_id": "4155550125", "mobile": [4155550126, "4155550127"], "ssn": "219099999"}"#;
    let call = ToolCall { id: "a".into(), name: "f".into(), arguments: arguments.into() };
    let part = Part::new(Content::ToolCall(call));
    let request = Request::new("m").message(Message::assistant("").part(part));
    let seen = format!("{:?}", sent(&mut plugin, &generation, request));
    for (number, stays) in [(123, false), (124, true), (125, true), (126, false), (127, false)] {
        assert_eq!(seen.contains(&format!("4155550{number}")), stays, "{number} in {seen}");
    }
    assert!(!seen.contains("219099999"), "{seen}");
}

#[test]
fn a_value_keeps_its_name_in_every_turn_also_when_history_is_cut_short() {
    let values: Vec<&str> = ENTITIES.iter().map(|(value, _)| *value).collect();
    let said = |texts: &[&str]| {
        let (mut plugin, generation) = begin(&json!({}));
        let request = texts.iter().fold(Request::new("m"), |request, text| request.user(*text));
        let request = sent(&mut plugin, &generation, request);
        request.messages.last().unwrap().text()
    };
    let last = "Mail jo@x.com or +49 30 901820.";
    let alone = said(&[last]);
    assert!(!alone.contains("jo@x.com") && !alone.contains("901820"));
    assert_eq!(said(&[&values.join("\n"), last]), alone);
    assert_eq!(said(&["I am jo@x.com", "and +49 30 901820", last]), alone);
}

#[test]
fn a_value_that_was_found_once_is_replaced_wherever_it_stands() {
    let (mut plugin, generation) = begin(&json!({"scan_scope": "user_only"}));
    let request = Request::new("m")
        .system("Their number is x4155550123y, write to their.boss@x.com.")
        .user("My phone is 4155550123.");
    let request = sent(&mut plugin, &generation, request);
    let system = request.messages[0].text();
    assert!(!system.contains("4155550123") && system.contains("their.boss@x.com"), "{system}");
}

#[test]
fn a_text_without_values_keeps_its_pacing() {
    let tokens = [
        "Sure", "!", " Here", " are", " 3", " ways", ":", "\n", "-", " Ask", " the", " café", " (",
        "12", ":", "30", ")", ".", " E", " p", "eople", " say", " so", ".",
    ];
    let (mut plugin, generation) = begin(&json!({}));
    sent(&mut plugin, &generation, Request::new("m").user("I am jo@x.com"));
    let mut stream = plugin.stream(&generation, 0).unwrap();
    let mut verdicts = tokens.map(|token| stream.push(vec![Delta::text(0, token)]).unwrap());
    // " E" may begin `email_…`, and goes on with the next delta.
    assert_eq!(verdicts[18], Verdict::Emit(vec![Delta::text(0, " ")]));
    assert_eq!(verdicts[19], Verdict::Emit(vec![Delta::text(0, "E p")]));
    verdicts[18..20].fill(Verdict::Pass);
    assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Pass), "{verdicts:?}");
}

#[test]
fn a_word_at_most_is_held_where_replies_are_searched() {
    let (mut plugin, generation) = begin(&json!({"output": "mask"}));
    let mut stream = plugin.stream(&generation, 0).unwrap();
    let (mut came, mut left) = (0, 0);
    for token in "It is a plain answer with words, numbers 1 and 2, and no value in it. "
        .split_inclusive(' ')
    {
        came += token.len();
        left += match stream.push(vec![Delta::text(0, token)]).unwrap() {
            Verdict::Pass => token.len(),
            Verdict::Emit(deltas) => {
                deltas.iter().filter_map(|it| Form::Text.text(it)).map(str::len).sum()
            }
            _ => 0,
        };
        assert!(came - left <= 4, "{token}: {} held", came - left);
    }
}

#[test]
fn hostile_requests_end_in_time() {
    let many: String = (0..4000).map(|n| format!("user{n}@example.com +49151{n:08} ")).collect();
    let texts = [many, "a@".repeat(50_000), "1 ".repeat(50_000), "{\"".repeat(50_000)];
    for text in texts {
        let (mut plugin, generation) = begin(&json!({}));
        let request = sent(&mut plugin, &generation, Request::new("m").user(&text));
        assert!(!request.last_user_text().unwrap().contains("user17@"));
    }
}

#[test]
fn options_that_can_find_nothing_are_refused() {
    let table = [
        (
            json!({"content_filters": [{"pattern": "a"}, {"pattern": "(?=x)"}]}),
            "invalid_regex_pattern: `content_filters[1].pattern` is not valid",
        ),
        (
            json!({"content_filters": [{"pattern": "\\d{300}"}]}),
            "`content_filters[0].pattern` can never match",
        ),
        (json!({"content_filter_builtins": []}), "nothing is looked for: name kinds"),
    ];
    for (options, expected) in table {
        let generation = generation(Facts { options: options.to_string(), ..Facts::default() });
        let mut pii = Pii::new(&generation).unwrap();
        let decision = pii.on_request(&generation, Request::new("test/model").user("Hello"));
        let Ok(Decision::Reject(refused)) = decision else { panic!("{decision:?}") };
        assert_eq!(refused.status, 400);
        assert!(refused.message.contains(expected), "{}", refused.message);
    }
}
