//! Costs of the plugin's own, on the bill of the generation.

use crate::{Error, host};

/// Charges `count` units of what the plugin calls `unit` (`search`, `ocr-page`), at the price that
/// the operator set for it in `plugin.<id>.prices`; without one it costs nothing. Gives back the
/// nano-dollars charged.
///
/// # Errors
/// `Limit` when the client can't pay it, or the plugin has charged as much as it may.
pub fn charge(unit: &str, count: u32) -> Result<i64, Error> {
    host::bill::charge(unit, count)
}
