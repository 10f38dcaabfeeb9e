//! The cases, and the corpus.

mod corpus;

use crate::{CASES, ResponseHealing};
use patchbay_sdk::testing::{Failures, check};

#[test]
fn every_case_holds_however_the_reply_is_cut() -> Result<(), Failures> {
    check::<ResponseHealing>(env!("CARGO_MANIFEST_DIR"), CASES)
}
