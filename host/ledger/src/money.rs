//! The one money type: a whole number of nano-dollars. Checked arithmetic only, exact text in and
//! out; it never rounds (`price.rs` does, in one function).

use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

use crate::decimal::{self, DecimalError};

/// An amount in nano-dollars (10⁻⁹ USD), of either sign, up to about 9.2 billion USD.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount.
    pub const MAX: Self = Self(i64::MAX);

    /// An amount given in nano-dollars.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// The amount in nano-dollars.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// The sum; none when it does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Adds, up to the largest amount that there is.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference; none when it does not fit.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The difference, or zero where it would be less (or would not fit).
    #[must_use]
    pub fn less_or_zero(self, other: Self) -> Self {
        self.checked_sub(other).unwrap_or(Self::ZERO).max(Self::ZERO)
    }

    /// Whether it is less than nothing.
    pub fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Reads a USD number from JSON, where floats can't be avoided: the shortest decimal that means
    /// this float is what the caller wrote, and that is read exactly.
    ///
    /// # Errors
    /// Not a finite number, more than nine decimal places, or too large.
    pub fn from_usd_f64(usd: f64) -> Result<Self, DecimalError> {
        if !usd.is_finite() {
            return Err(DecimalError::Malformed);
        }
        // `Display` of a float never uses an exponent.
        usd.to_string().parse()
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Self::saturating_add)
    }
}

impl FromStr for Money {
    type Err = DecimalError;

    /// Reads decimal USD such as `12.5`; at most nine decimal places.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        decimal::read(text, PLACES).map(Self)
    }
}

impl fmt::Display for Money {
    /// Exact decimal USD, which is also a JSON number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&decimal::write(self.0, PLACES))
    }
}

const PLACES: u32 = 9;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn usd_text_is_read_exactly_or_refused() {
        let cases = "
            0              0
            -0             0
            1              1000000000
            0.15           150000000
            -2.5           -2500000000
            0.000000001    1
            1.0000000000   1000000000
            0.0000000001   more than 9 decimal places
            9223372036.854775807    9223372036854775807
            9223372036.854775808    too large
            -9223372036.854775808   -9223372036854775808
            99999999999999999999    too large
            .5             not a decimal
            5.             not a decimal
            1e3            not a decimal
            +1             not a decimal
            1,5            not a decimal
            --1            not a decimal
            -              not a decimal
        ";
        for case in cases.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (text, expected) = case.split_once(char::is_whitespace).unwrap();
            let expected = expected.trim();
            match text.parse::<Money>() {
                Ok(money) => assert_eq!(money.nanos().to_string(), expected, "{case}"),
                Err(error) => assert!(error.to_string().contains(expected), "{case}: {error}"),
            }
        }
        assert_eq!("".parse::<Money>(), Err(DecimalError::Malformed));
    }

    #[test]
    fn json_numbers_mean_what_was_written() {
        for (usd, text) in [(0.1, "0.1"), (1e-9, "0.000000001"), (25.0, "25"), (-3.5, "-3.5")] {
            assert_eq!(Money::from_usd_f64(usd).unwrap().to_string(), text);
        }
        for usd in [f64::NAN, f64::INFINITY, 1e300, 1e-10] {
            assert!(Money::from_usd_f64(usd).is_err(), "{usd}");
        }
    }

    proptest! {
        #[test]
        fn text_and_back_is_the_same(nanos: i64) {
            let money = Money::from_nanos(nanos);
            prop_assert_eq!(money.to_string().parse(), Ok(money));
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text: String) {
            let _ = text.parse::<Money>();
        }
    }
}
