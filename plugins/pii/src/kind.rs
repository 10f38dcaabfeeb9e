//! The kinds of personal data and secrets that are known without a pattern of the client's.

use crate::find::Number;

/// A kind that the plugin knows by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Email,
    Phone,
    CreditCard,
    Iban,
    IpAddress,
    Ssn,
    Secret,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] = [
        Self::Email,
        Self::Phone,
        Self::CreditCard,
        Self::Iban,
        Self::IpAddress,
        Self::Ssn,
        Self::Secret,
    ];

    /// What stands in the place of a masked value, in brackets, and in messages.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Email => "EMAIL",
            Self::Phone => "PHONE",
            Self::CreditCard => "CREDIT_CARD",
            Self::Iban => "IBAN",
            Self::IpAddress => "IP_ADDRESS",
            Self::Ssn => "SSN",
            Self::Secret => "SECRET",
        }
    }
}

impl From<Number> for Kind {
    fn from(number: Number) -> Self {
        match number {
            Number::Card => Self::CreditCard,
            Number::Ssn => Self::Ssn,
            Number::Phone => Self::Phone,
        }
    }
}
