//! The cases, and the schema.

use super::settings::Settings;
use super::{CASES, OPTIONS, WebFetch};
use patchbay_sdk::testing::{Failures, check};
use serde_json::Value;

#[test]
fn every_case_holds_however_the_reply_is_cut() -> Result<(), Failures> {
    check::<WebFetch>(env!("CARGO_MANIFEST_DIR"), CASES)
}

#[test]
fn the_schema_names_what_is_meant_by_saying_nothing() {
    let schema: Value = serde_json::from_str(OPTIONS).unwrap();
    assert_eq!(schema["properties"]["max_uses"]["maximum"], Settings::default().tool_uses());
    let default = &schema["properties"]["max_content_tokens"]["default"];
    assert_eq!(default, Settings::default().tokens());
}
