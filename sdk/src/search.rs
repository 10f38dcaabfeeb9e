//! The host's indexes of documents. Wanted as `search=docs`, or `search` for any index that the
//! operator grants.

pub use crate::bindings::base::patchbay::plugin::search::Hit;
use crate::{Error, host};

/// The passages of an index that fit `text`, the best first, at most `count`.
///
/// # Errors
/// `Denied` without a grant or such an index, `Limit` after too many queries.
pub fn query(index: &str, text: &str, count: u32) -> Result<Vec<Hit>, Error> {
    host::search::query(index, text, count)
}
