//! The plugin's cases, and its reading of files.

mod formats;
mod pages;
mod recall;
mod refusals;

use crate::options::{Options, SCHEMA};
use crate::{CASES, FileParser};
use patchbay_sdk::testing::{Failures, check};

#[test]
fn every_case_holds_however_the_reply_is_cut() -> Result<(), Failures> {
    check::<FileParser>(env!("CARGO_MANIFEST_DIR"), CASES)
}

#[test]
fn the_schema_names_the_defaults() {
    let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
    let defaults = Options::default();
    let default = |name: &str| schema["properties"][name]["default"].clone();
    assert_eq!(default("max_files"), defaults.max_files);
    assert_eq!(default("max_bytes"), defaults.max_bytes);
    assert_eq!(default("max_pages"), defaults.max_pages);
    assert_eq!(default("max_characters"), defaults.max_characters);
    assert_eq!(default("max_images"), defaults.max_images);
    assert_eq!(default("text_only"), defaults.text_only);
}
