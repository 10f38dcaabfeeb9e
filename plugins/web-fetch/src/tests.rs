//! The cases, and the schema.

use super::settings::Settings;
use super::{CASES, OPTIONS, WebFetch};
use patchbay_sdk::testing::{Failures, check};
use serde_json::{Map, Value, json};

#[test]
fn every_case_holds_however_the_reply_is_cut() -> Result<(), Failures> {
    check::<WebFetch>(env!("CARGO_MANIFEST_DIR"), CASES)
}

#[test]
fn the_schema_names_the_bounds_that_are_held() {
    let schema: Value = serde_json::from_str(OPTIONS).unwrap();
    for name in ["max_uses", "max_content_tokens"] {
        let most = schema["properties"][name]["maximum"].as_u64().unwrap();
        let read = |value: u64| {
            let fields = Map::from_iter([(name.to_owned(), json!(value))]);
            Settings::read(&Map::new(), &fields)
        };
        assert!(read(most).is_ok() && read(most + 1).is_err() && read(0).is_err(), "{name}");
    }
    let default = &schema["properties"]["max_content_tokens"]["default"];
    assert_eq!(default, Settings::default().tokens());
}
