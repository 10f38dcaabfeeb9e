//! A guard that fails is as good as one that finds something: the client gets an error and nothing
//! that the guard has not let pass. Where the operator says `on_error = "open"`, the reply goes on
//! unchanged.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::hostile::{begin, until_faults};
use super::super::upstream::{ask, reply};
use super::script::{TEXT, WORD};
use super::{SURFACES, post};
use crate::harness::{Double, Gateway, Streamed, http};

const PIECES: [&str; 5] = ["a ", "forb", "id", "den", " b"];
const LIMITS: &str = "[plugins.breaker]\nfailures = 60000\n[plugins.limits]\ncpu_ms = 20000\n\
    [plugin.hostile-guard.limits]\ncpu_ms = 300\nmemory_bytes = 16777216\n";
/// For a guard that holds more than it may: two pieces, or the whole reply, are too much.
const TIGHT: &str = "held_bytes = 20\n";

/// How it fails, and what that counts as.
const FAILURES: [(&str, &str); 4] =
    [("trap", "trap"), ("loop", "timeout"), ("error", "error"), ("memory", "memory")];

/// Where; in a stream, after how many pieces, and whether those pass or are held.
fn places() -> Vec<Value> {
    let mut places = vec![
        json!({"at": "new"}),
        json!({"at": "request"}),
        json!({"at": "finish"}),
        json!({"at": "finish", "hold": true}),
        json!({"at": "push", "after": 1, "hold": true}),
    ];
    places.extend((0..PIECES.len()).map(|after| json!({"at": "push", "after": after})));
    places
}

/// Where a guard holds too much: one that lets all but the last piece pass never does.
fn holding() -> Vec<Value> {
    (0..PIECES.len() - 1).map(|after| json!({"at": "push", "after": after})).collect()
}

/// What of a stream the guard lets pass before it fails.
fn passed(place: &Value) -> String {
    let after = place["after"].as_u64().unwrap_or_default();
    let count = match (place["at"].as_str().unwrap(), place["hold"].as_bool()) {
        ("finish", None) => PIECES.len(),
        ("push", None) => usize::try_from(after).unwrap(),
        _ => 0,
    };
    PIECES[..count].concat()
}

/// A whole reply is one piece: a guard that lets the first pass sees no second.
fn is_reached(place: &Value, is_stream: bool) -> bool {
    let is_later = place["after"].as_u64().unwrap_or_default() > 0;
    is_stream || !is_later || place["hold"] == json!(true)
}

#[tokio::test]
async fn a_guard_that_fails_lets_nothing_pass_that_it_has_not_passed_before() {
    let cases = FAILURES.map(|failure| (String::new(), failure, places()));
    let held = (TIGHT.to_owned(), ("hold", "held"), holding());
    let mut last: Option<(String, Double, Gateway)> = None;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (limits, (deed, fault), places) in cases.into_iter().chain([held]) {
        if last.as_ref().is_none_or(|(of, ..)| *of != limits) {
            counts.clear();
            let (double, gateway) = begin(&format!("{LIMITS}{limits}")).await;
            double.script("free", &reply(&PIECES)).await;
            last = Some((limits, double, gateway));
        }
        let Some((.., gateway)) = &last else { unreachable!() };
        for place in &places {
            for (surface, is_stream) in SURFACES.iter().zip([true, false]) {
                if is_reached(place, is_stream) {
                    closed(gateway, (deed, fault), place, (surface, is_stream)).await;
                    *counts.entry(fault.to_owned()).or_default() += 1;
                }
            }
        }
        until_faults(gateway, "hostile-guard", &counts).await;
    }
}

async fn closed(
    gateway: &Gateway,
    (deed, fault): (&str, &str),
    place: &Value,
    (surface, is_stream): (&str, bool),
) {
    let mut entry = place.clone();
    entry["id"] = json!("hostile-guard");
    entry["do"] = json!(deed);
    let mut body = ask("free", &json!([entry]));
    body["stream"] = json!(is_stream);
    let (status, text) = post(gateway, &http(), surface, &body).await;
    let case = format!("{deed} {place} {surface} {is_stream}: {status} {text}");
    let has_begun = is_stream && matches!(place["at"].as_str(), Some("push" | "finish"));
    assert_eq!(status, if has_begun { 200 } else { 503 }, "{case}");
    let error = super::error(&text, has_begun);
    assert_eq!(error["code"], json!(503), "{case}");
    assert_eq!(error["metadata"]["fault"], json!(fault), "{case}");
    if !has_begun {
        assert!(!text.contains("choices") && !text.contains("forb"), "{case}");
        return;
    }
    let streamed = Streamed::read(&text);
    let came = streamed.joined("content");
    let passed = passed(place);
    assert!(passed.starts_with(&came), "{came:?} {case}");
    assert!(passed.contains(WORD) || !came.contains(WORD), "{case}");
    // What the upstream did is paid for, whether it was shown or not.
    let path = format!("/generation?id={}", streamed.chunks[0]["id"].as_str().unwrap());
    let (status, record) = gateway.get(&path).await;
    assert_eq!(status, 200, "{case} {record}");
    assert!(record["data"]["total_cost"].as_f64().unwrap() > 0.0, "{case} {record}");
}

#[tokio::test]
async fn where_the_operator_opens_a_guard_its_failure_changes_nothing() {
    let open = "[plugin.hostile-guard]\non_error = \"open\"\n[plugin.hostile-guard.limits]";
    let open = LIMITS.replace("[plugin.hostile-guard.limits]", open);
    for limits in ["", TIGHT] {
        let (double, gateway) = begin(&format!("{open}{limits}")).await;
        double.script("free", &reply(&PIECES)).await;
        let cases = match limits {
            "" => FAILURES.map(|(deed, _)| (deed, places())).to_vec(),
            _ => vec![("hold", holding())],
        };
        for (deed, places) in cases {
            for mut entry in places {
                entry["id"] = json!("hostile-guard");
                entry["do"] = json!(deed);
                unchanged(&gateway, &ask("free", &json!([entry]))).await;
            }
        }
    }
}

async fn unchanged(gateway: &Gateway, body: &Value) {
    let streamed = gateway.stream(body).await;
    assert_eq!(streamed.joined("content"), TEXT, "{body}");
    assert!(streamed.is_done && streamed.finishes() == ["stop"], "{body} {streamed:?}");
    let (status, whole) = gateway.chat(body).await;
    let content = &whole["choices"][0]["message"]["content"];
    assert_eq!((status, content), (200, &json!(TEXT)), "{body} {whole}");
}
