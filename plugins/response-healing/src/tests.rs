//! The cases, the corpus, mistakes made by rule, and when text is held.

mod corpus;
mod mutations;

use crate::{CASES, ResponseHealing};
use patchbay_sdk::testing::{Facts, Failures, check, generation, kit};
use patchbay_sdk::{Delta, Plugin, Request, ResponseFormat, Verdict};

#[test]
fn every_case_holds_however_the_reply_is_cut() -> Result<(), Failures> {
    check::<ResponseHealing>(env!("CARGO_MANIFEST_DIR"), CASES)
}

/// What the hook answers to each character of a streamed reply that must be JSON.
fn verdicts(text: &str, options: &str) -> Vec<Verdict> {
    kit();
    let generation = generation(Facts { options: options.into(), ..Facts::default() });
    let mut plugin = ResponseHealing::new(&generation).unwrap();
    let mut request = Request::new("test/model").user("Hello");
    request.stream = true;
    request.response_format = Some(ResponseFormat::JsonObject);
    plugin.on_request(&generation, request).unwrap();
    let mut stream = plugin.stream(&generation, 0).unwrap();
    text.chars().map(|it| stream.push(vec![Delta::text(0, it)]).unwrap()).collect()
}

#[test]
fn text_is_held_before_the_json_alone_and_goes_on_at_its_pace_then() {
    let prose = "Sure:\n";
    let verdicts = verdicts(&format!("{prose}{{\"text\": \"Once upon a time\"}}"), "{}");
    let (before, json) = verdicts.split_at(prose.len() + 1);
    assert!(before.iter().all(|verdict| *verdict == Verdict::Hold));
    assert!(json.iter().skip(8).all(|verdict| *verdict != Verdict::Hold));
    let story = json.iter().skip(r#""text": "O"#.len()).take("nce upon a time".len());
    assert!(story.clone().count() > 0 && story.clone().all(|verdict| *verdict == Verdict::Pass));
}

#[test]
fn a_reply_that_is_to_be_held_is_held_to_its_end() {
    let verdicts = verdicts(r#"{"text": "Once upon a time"}"#, r#"{"hold": true}"#);
    assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Hold));
}
