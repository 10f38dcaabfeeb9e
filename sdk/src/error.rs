//! What a failure says.

use crate::Error;

impl Error {
    /// The cause, for people. (`Display` and `Debug` write the value as Rust does.)
    ///
    /// ```
    /// let error = patchbay_sdk::Error::Upstream("the reply took too long".into());
    /// assert_eq!(error.reason(), "the reply took too long");
    /// ```
    pub fn reason(&self) -> &str {
        match self {
            Self::Options(reason)
            | Self::Denied(reason)
            | Self::Limit(reason)
            | Self::Upstream(reason)
            | Self::Internal(reason) => reason,
        }
    }
}
