//! Decimal text <-> integers scaled by a power of ten. The only place where digits are read or
//! written; nothing here rounds.

use std::fmt::Write;

/// Why a text is no decimal number, or not one that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Something other than digits with at most one point and a leading minus.
    #[error("it is not a decimal number such as \"1.25\"")]
    Malformed,
    /// More places than are kept.
    #[error("it has more than {places} decimal places")]
    TooFine {
        /// Places that are kept.
        places: u32,
    },
    /// More than fits.
    #[error("it is too large")]
    TooLarge,
}

/// Reads `text` as an integer number of `10^-places`. Zeros past the last place are accepted,
/// other digits there are an error.
pub(crate) fn read(text: &str, places: u32) -> Result<i64, DecimalError> {
    let (unsigned, is_negative) = match text.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let has_dangling_point = unsigned.contains('.') && fraction.is_empty();
    if whole.is_empty() || has_dangling_point || !is_digits(whole) || !is_digits(fraction) {
        return Err(DecimalError::Malformed);
    }
    let fraction = fraction.trim_end_matches('0');
    let digits = u32::try_from(fraction.len()).map_err(|_| DecimalError::TooLarge)?;
    let missing = places.checked_sub(digits).ok_or(DecimalError::TooFine { places })?;
    let mut scaled = 0i64;
    for digit in whole.bytes().chain(fraction.bytes()) {
        let digit = i64::from(digit - b'0');
        // Built up on the negative side, which reaches one further than the positive one.
        scaled = scaled
            .checked_mul(10)
            .and_then(|tens| tens.checked_sub(digit))
            .ok_or(DecimalError::TooLarge)?;
    }
    let unit = 10i64.checked_pow(missing).ok_or(DecimalError::TooLarge)?;
    let scaled = scaled.checked_mul(unit).ok_or(DecimalError::TooLarge)?;
    if is_negative { Ok(scaled) } else { scaled.checked_neg().ok_or(DecimalError::TooLarge) }
}

/// Writes an integer number of `10^-places`, exactly and without needless zeros.
pub(crate) fn write(scaled: i64, places: u32) -> String {
    let width = usize::try_from(places).unwrap_or(0);
    let digits = format!("{:0>width$}", scaled.unsigned_abs(), width = width + 1);
    let (whole, fraction) = digits.split_at(digits.len() - width);
    let sign = if scaled < 0 { "-" } else { "" };
    let mut text = format!("{sign}{whole}");
    let fraction = fraction.trim_end_matches('0');
    if !fraction.is_empty() {
        let _ = write!(text, ".{fraction}");
    }
    text
}
