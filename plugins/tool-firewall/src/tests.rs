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

/// Why these options are refused.
fn refusal(options: &Value) -> String {
    let mut firewall = firewall(options).unwrap();
    let decision = firewall.on_request(&generation(Facts::default()), Request::new("test/model"));
    match decision {
        Ok(Decision::Reject(Rejection { status: 400, message, .. })) => message,
        other => panic!("{options}: {other:?}"),
    }
}

#[test]
fn a_rule_that_can_never_act_is_named() {
    let table = [
        (json!({}), "rules[0] demands nothing: give it `terms`"),
        (json!({"terms": [], "path": "url"}), "rules[0] demands nothing"),
        (json!({"terms": ["x"], "patterns": ["ok", "("]}), "rules[0].patterns[1] is not"),
        (json!({"terms": ["x"], "patterns": ["a{300}"]}), "rules[0].patterns[0] can never match"),
        (json!({"path_prefixes": ["../x"]}), "rules[0].path_prefixes[0]: it leads above"),
        (json!({"path_prefixes": ["/", "/srv/*"]}), "rules[0].path_prefixes[1]: it is no pattern"),
        (json!({"path_prefixes": ["/srv/*/x"]}), "write `/srv`"),
        (json!({"path_prefixes": ["/*"]}), "write `/`"),
        (
            json!({"hosts": ["example.com", "https://example.com/a"]}),
            "rules[0].hosts[1]: `https://example.com/a` is no host: write `example.com`",
        ),
        (json!({"tools": ["read_file", "^read_"], "terms": ["x"]}), "rules[0].tools[1]: no tool"),
        (json!({"tools": [".*"], "terms": ["x"]}), "rules[0].tools[0]: no tool is called `.*`"),
        (json!({"path": "$.url", "terms": ["x"]}), "rules[0].path: `$.url` leads to no value"),
        (json!({"path": "/url", "terms": ["x"]}), "such as `files.0.path`"),
        (json!({"path": "files[0].path", "terms": ["x"]}), "such as `files.0.path`"),
        (json!({"path": "a..b", "terms": ["x"]}), "such as `files.0.path`"),
    ];
    for (mut rule, expected) in table {
        rule["name"] = "a".into();
        let told = refusal(&json!({"rules": [rule]}));
        assert!(told.contains(expected), "{told}");
    }
    let told = refusal(&json!({"allowed_tools": ["search", "read file"]}));
    assert!(told.contains("allowed_tools[1]: no tool is called `read file`"), "{told}");
}

#[test]
fn rules_that_can_act_are_taken() {
    let rules = [
        json!({"required": true, "path": "$filter.0.*"}),
        json!({"max_bytes": 0}),
        json!({"tools": ["*", "mcp.files.*", "a:b/c-d_*"], "values": [1]}),
        json!({"hosts": ["*.example.com", "[::1]"]}),
        json!({"path_prefixes": [".", "~/work", "C:\\\\data"]}),
    ];
    for mut rule in rules {
        rule["name"] = "a".into();
        let mut firewall = firewall(&json!({"allowed_tools": [], "rules": [rule]})).unwrap();
        let request = Request::new("test/model");
        let decision = firewall.on_request(&generation(Facts::default()), request);
        assert!(matches!(decision, Ok(Decision::Pass)), "{decision:?}");
    }
}
