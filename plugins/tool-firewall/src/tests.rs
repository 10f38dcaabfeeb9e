//! The cases, and what they can't say: arguments cut at every character.

use super::{CASES, ToolFirewall};
use patchbay_sdk::testing::{Facts, Failures, check, generation, kit};
use patchbay_sdk::{
    Decision, Delta, Error, FinishReason, Plugin, Rejection, Request, ToolCallDelta, Verdict,
};
use serde_json::{Value, json};

#[test]
fn every_case_holds_however_the_reply_is_cut() -> Result<(), Failures> {
    check::<ToolFirewall>(env!("CARGO_MANIFEST_DIR"), CASES)
}

fn firewall(options: &Value) -> Result<ToolFirewall, Error> {
    kit();
    ToolFirewall::new(&generation(Facts { options: options.to_string(), ..Facts::default() }))
}

fn piece(index: u16, begins: bool, arguments: &str) -> Delta {
    let id = begins.then(|| format!("id{index}"));
    let name = begins.then(|| "fetch".to_owned());
    let arguments = arguments.to_owned();
    Delta::ToolCall(ToolCallDelta { choice: 0, index, id, name, arguments })
}

/// What goes on, delta by delta; a stop is its message.
fn gone_on(options: &Value, deltas: Vec<Delta>) -> Result<Vec<Delta>, String> {
    let mut firewall = firewall(options).unwrap();
    let mut stream = firewall.stream(&generation(Facts::default()), 0).unwrap();
    let mut out = Vec::new();
    for delta in deltas {
        match stream.push(vec![delta.clone()]).unwrap() {
            Verdict::Pass => out.push(delta),
            Verdict::Hold => {}
            Verdict::Emit(given) => out.extend(given),
            Verdict::Stop(rejection) => return Err(rejection.message),
        }
    }
    Ok(out)
}

#[test]
fn a_call_goes_on_whole_or_not_at_all_wherever_two_calls_are_cut() {
    let options = json!({"rules": [{"name": "hosts", "path": "url", "hosts": ["example.com"]}]});
    let good = r#"{"url":"https://example.com/{}\"","n":[1]}"#;
    let bad = r#"{"url":"https://ev\u0069l.org"}"#;
    for cut in 1..good.len() {
        for other in 1..bad.len() {
            let deltas = vec![
                piece(0, true, &bad[..other]),
                piece(1, true, &good[..cut]),
                piece(0, false, &bad[other..]),
                piece(1, false, &good[cut..]),
                Delta::finish(0, FinishReason::ToolCalls),
            ];
            let expected = vec![
                Delta::text(0, "[Tool call `fetch` denied: hosts]"),
                Delta::ToolCall(ToolCallDelta {
                    choice: 0,
                    index: 0,
                    id: Some("id1".into()),
                    name: Some("fetch".into()),
                    arguments: good.into(),
                }),
                Delta::finish(0, FinishReason::ToolCalls),
            ];
            assert_eq!(gone_on(&options, deltas), Ok(expected), "{cut} {other}");
        }
    }
}

#[test]
fn arguments_that_programs_read_differently_are_refused() {
    let options = json!({"rules": [{"name": "paths", "path": "path", "path_prefixes": ["/srv"]}]});
    let refused = [
        r#"{"path":"/etc/passwd","path":"/srv/a"}"#,
        r#"{"path":"/srv/a"} {"path":"/etc/passwd"}"#,
        r#"{"path":"/srv/../etc/passwd"}"#,
        r#"{"path":"/srv/a""#,
        r#"{'path':'/srv/a'}"#,
        r#"["/srv/a"]"#,
        r#"{"path":["/srv/a"]}"#,
    ];
    for arguments in refused {
        let deltas = vec![piece(0, true, arguments), Delta::finish(0, FinishReason::ToolCalls)];
        let out = gone_on(&options, deltas).unwrap();
        assert!(!out.iter().any(|it| matches!(it, Delta::ToolCall(_))), "{arguments} {out:?}");
        assert_eq!(out.last(), Some(&Delta::finish(0, FinishReason::Stop)), "{arguments}");
    }
}

#[test]
fn what_comes_after_a_call_that_has_gone_on_stops_the_reply() {
    let options = json!({"rules": [{"name": "none", "terms": ["zebra"]}]});
    let deltas = vec![piece(0, true, "{}"), piece(0, false, " \n"), piece(0, false, "{\"a\":1}")];
    let stop = "Response blocked by tool firewall: malformed arguments";
    assert_eq!(gone_on(&options, deltas), Err(stop.to_owned()));
}

#[test]
fn arguments_that_are_too_long_are_dropped_before_they_end() {
    let options =
        json!({"max_arguments_bytes": 10, "rules": [{"name": "none", "terms": ["zebra"]}]});
    let deltas = vec![piece(0, true, "{\"a\":\""), piece(0, false, "12345"), piece(0, false, "6")];
    let out = gone_on(&options, deltas).unwrap();
    assert_eq!(out, [Delta::text(0, "[Tool call `fetch` denied: max_arguments_bytes]")]);
}

#[test]
fn a_rule_that_cannot_be_used_is_named() {
    let table = [
        (
            json!({"name": "a", "terms": ["x"], "patterns": ["ok", "("]}),
            "rules[0].patterns[1] is not",
        ),
        (json!({"name": "a", "path_prefixes": ["../x"]}), "rules[0].path_prefixes[0] leads above"),
    ];
    for (rule, expected) in table {
        let mut firewall = firewall(&json!({"rules": [rule]})).unwrap();
        let request = Request::new("test/model");
        let decision = firewall.on_request(&generation(Facts::default()), request);
        let Ok(Decision::Reject(Rejection { status: 400, message: reason, .. })) = decision else {
            panic!("{decision:?}")
        };
        assert!(reason.contains(expected), "{reason}");
    }
}
