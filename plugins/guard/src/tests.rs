//! The cases, and what they can't say: arguments cut at every character, bad options.

use super::{CASES, Guard};
use patchbay_sdk::testing::{Facts, Failures, check, generation, kit};
use patchbay_sdk::{
    Content, Decision, Delta, Error, FinishReason, Message, Other, Part, Plugin, Rejection,
    Request, Role, ToolCallDelta, Verdict,
};
use serde_json::{Value, json};

#[test]
fn every_case_holds_however_the_reply_is_cut() -> Result<(), Failures> {
    check::<Guard>(env!("CARGO_MANIFEST_DIR"), CASES)
}

fn guard(options: &Value) -> Result<Guard, Error> {
    kit();
    Guard::new(&generation(Facts { options: options.to_string(), ..Facts::default() }))
}

#[test]
fn a_block_of_a_surfaces_own_is_masked_for_what_its_json_means() {
    let options = json!({"rules": [{"terms": ["zebra"], "action": "mask", "label": "X"}]});
    let block = |text: &str| {
        let kind = "anthropic-messages".to_owned();
        let json = format!(r#"{{"type":"search_result","title":"a {text}"}}"#);
        let content = Content::Other(Other { kind, json });
        let parts = vec![Part { content, cache_control: None }];
        Message { parts, ..Message::new(Role::User, "") }
    };
    let messages = vec![block(r"z\u0065bra")];
    let request = Request { messages, ..Request::new("test/model") };
    let mut guard = guard(&options).unwrap();
    let Decision::Replace(replaced) =
        guard.on_request(&generation(Facts::default()), request).unwrap()
    else {
        panic!("it was not masked");
    };
    assert_eq!(replaced.messages, vec![block("[X]")]);
}

/// The arguments that go on when they come in these pieces.
fn arguments(options: &Value, pieces: &[&str]) -> String {
    let mut guard = guard(options).unwrap();
    let mut stream = guard.stream(&generation(Facts::default()), 0).unwrap();
    let mut out = String::new();
    let deltas = pieces.iter().map(|piece| {
        let (id, name) = (Some("a".to_owned()), Some("f".to_owned()));
        Delta::ToolCall(ToolCallDelta { choice: 0, index: 0, id, name, arguments: (*piece).into() })
    });
    for delta in deltas.chain([Delta::finish(0, FinishReason::ToolCalls)]) {
        let given = match stream.push(vec![delta.clone()]).unwrap() {
            Verdict::Pass => vec![delta],
            Verdict::Hold => vec![],
            Verdict::Emit(given) => given,
            Verdict::Stop(rejection) => return rejection.message,
        };
        for delta in given {
            if let Delta::ToolCall(it) = delta {
                out.push_str(&it.arguments);
            }
        }
    }
    out
}

#[test]
fn arguments_come_out_alike_wherever_they_are_cut() {
    let mask =
        json!({"rules": [{"terms": ["zebra", "🦓", "1234"], "action": "mask", "label": "X"}]});
    let block = json!({"rules": [{"terms": ["zebra"], "label": "X"}]});
    let table = [
        (&mask, r#"{"a\u007A":"\n🦓 z\u0065bra\""}"#, r#"{"a\u007A":"\n[X] [X]\""}"#),
        (&mask, r#"{"z\u0065bra":"\ud83e\udd93 \ud83ex"}"#, r#"{"[X]":"[X] \ud83ex"}"#),
        (&mask, r#"{"n":51234.5,"s":"1234","t":true}"#, r#"{"n":59999.5,"s":"[X]","t":true}"#),
        (&mask, r#"{"a":"zebr","b":"\u00"#, r#"{"a":"zebr","b":"\u00"#),
        (&mask, r#"{"a":"zeb\q\u00zebra"}"#, r#"{"a":"zeb\q\u00[X]"}"#),
        (&block, r#"{"a":"z\u0065bra"}"#, "Response blocked by content filter: [X]"),
    ];
    for (options, text, expected) in table {
        let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        for first in &ends {
            for second in ends.iter().filter(|second| *second >= first) {
                let pieces = [&text[..*first], &text[*first..*second], &text[*second..]];
                assert_eq!(arguments(options, &pieces), expected, "{pieces:?}");
            }
        }
    }
}

#[test]
fn a_rule_that_can_never_act_is_named() {
    let table = [
        (
            json!({"rules": [{"terms": ["x"]}, {"patterns": ["fine", "a("]}]}),
            "rules[1].patterns[1] is not valid",
        ),
        (json!({"rules": [{"patterns": ["ab.{300}"]}]}), "rules[0].patterns[0] can never match"),
        (
            json!({"rules": [{"terms": ["x"]}, {"terms": [], "label": "X"}]}),
            "rules[1] looks for nothing: give it `terms` or `patterns`",
        ),
        (json!({"rules": [{}]}), "rules[0] looks for nothing"),
        (
            json!({"content_filters": [{"pattern": "(?=a)", "action": "flag"}]}),
            "content_filters[0].pattern is not valid at byte 0: look-around",
        ),
        (json!({"rules": [{"terms": ["\u{200b}"]}]}), "rules[0].terms[0] has no visible character"),
    ];
    for (options, expected) in table {
        let mut guard = guard(&options).unwrap();
        let decision = guard.on_request(&generation(Facts::default()), Request::new("test/model"));
        let Ok(Decision::Reject(Rejection { status: 400, message: reason, .. })) = decision else {
            panic!("{decision:?}")
        };
        assert!(reason.contains(expected), "{reason}");
    }
}

/// Fifty things that must not leave, one rule each: half of them terms, half of them patterns.
fn secrets() -> Vec<(String, Value)> {
    let action = "mask";
    (0..50)
        .map(|number| {
            let label = format!("N{number}");
            let text = format!("Näme-{number:02} Zoë");
            let rule = match number % 2 {
                0 => json!({"label": label, "terms": [text], "action": action}),
                _ => json!({"label": label, "patterns": [format!("näme-{number:02}\\s+zoë")], "action": action}),
            };
            (text, rule)
        })
        .collect()
}

#[test]
fn fifty_secrets_are_masked_at_every_split_of_every_field() {
    let secrets = secrets();
    let rules: Vec<&Value> = secrets.iter().map(|(_, rule)| rule).collect();
    let mut guard = guard(&json!({"rules": rules})).unwrap();
    for (number, (secret, _)) in secrets.iter().enumerate() {
        let text = format!("Say {secret}, no less.");
        for (at, _) in text.char_indices() {
            for field in FIELDS {
                let mut stream = guard.stream(&generation(Facts::default()), 0).unwrap();
                let mut out = String::new();
                let end = Delta::finish(0, FinishReason::Stop);
                for delta in [field(0, text[..at].into()), field(0, text[at..].into()), end] {
                    match stream.push(vec![delta.clone()]).unwrap() {
                        Verdict::Pass => out.push_str(said(&delta)),
                        Verdict::Hold => {}
                        Verdict::Emit(given) => given.iter().for_each(|it| out.push_str(said(it))),
                        Verdict::Stop(rejection) => panic!("{rejection:?}"),
                    }
                    assert!(!out.contains(secret), "{at} {out}");
                }
                assert_eq!(out, format!("Say [N{number}], no less."), "cut at {at}");
            }
        }
    }
}

fn said(delta: &Delta) -> &str {
    match delta {
        Delta::Text(it) | Delta::Refusal(it) => &it.text,
        Delta::Reasoning(it) => &it.text,
        _ => "",
    }
}

const FIELDS: [fn(u16, String) -> Delta; 3] = [Delta::text, Delta::reasoning, Delta::refusal];
