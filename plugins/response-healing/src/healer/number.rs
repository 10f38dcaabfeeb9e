//! What a number means that JSON does not know as one.

/// The number in JSON's notation, or `None` if its meaning is not plain.
pub(super) fn number(token: &str) -> Option<String> {
    if is_json(token) {
        return Some(token.to_owned());
    }
    if is_date(token) {
        return Some(format!("\"{token}\""));
    }
    let (sign, rest) = match token.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", token.strip_prefix('+').unwrap_or(token)),
    };
    if matches!(rest, "Infinity" | "inf" | "NaN" | "nan") {
        return Some("null".into());
    }
    if let Some(digits) = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
        let value = u64::from_str_radix(digits, 16).ok()?;
        return (!digits.starts_with('+')).then(|| format!("{sign}{value}"));
    }
    let plain = without_groups(rest)?;
    let zeros = plain.trim_start_matches('0');
    // `0.5` keeps its zero, `007` none of them, `000` one.
    let mut number = if zeros.starts_with(|first: char| first.is_ascii_digit()) {
        zeros.to_owned()
    } else if plain.starts_with(['0', '.']) {
        format!("0{zeros}")
    } else {
        plain
    };
    if number.ends_with('.') {
        number.push('0');
    }
    let number = format!("{sign}{number}");
    is_json(&number).then_some(number)
}

/// Whether a text may be the beginning of a number and is none yet: `-`, `1e`, `.`.
pub(super) fn is_begun(token: &str) -> bool {
    token.len() < 400
        && !token.is_empty()
        && is_json(&format!("{}0", token.trim_start_matches('+')))
        || matches!(token, "+" | "-" | "." | "-." | "+.")
}

/// Digits without the marks between thousands: `1_000`, `1,299.50`, `1,000,000`. In `1,299` the
/// comma may as well stand before decimals.
fn without_groups(rest: &str) -> Option<String> {
    if rest.contains(',') {
        let (whole, fraction) = match rest.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (rest, None),
        };
        let mut groups = whole.split(',');
        let first = groups.next()?;
        let is_grouped = (1..=3).contains(&first.len())
            && !first.starts_with('0')
            && groups.all(|group| group.len() == 3);
        let is_plain = fraction.is_some() || whole.matches(',').count() > 1;
        let digits = whole.replace(',', "");
        let is_plain = is_plain && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = fraction.map_or(digits.clone(), |fraction| format!("{digits}.{fraction}"));
        return (is_grouped && is_plain).then_some(number);
    }
    let is_between = |(at, _): (usize, &str)| {
        let before = rest.get(..at).and_then(|text| text.chars().next_back());
        let after = rest.get(at..).and_then(|text| text.chars().nth(1));
        [before, after].iter().all(|side| side.is_some_and(|side| side.is_ascii_digit()))
    };
    rest.match_indices('_').all(is_between).then(|| rest.replace('_', ""))
}

/// Whether a text is a number as JSON writes it.
fn is_json(token: &str) -> bool {
    let rest = token.strip_prefix('-').unwrap_or(token);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.starts_with('0')) {
        return false;
    }
    let mut rest = rest.get(whole..).unwrap_or_default();
    if let Some(fraction) = rest.strip_prefix('.') {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = fraction.get(length..).unwrap_or_default();
    }
    let Some(exponent) = rest.strip_prefix(['e', 'E']) else { return rest.is_empty() };
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    !exponent.is_empty() && digits(exponent) == exponent.len()
}

/// Whether it is a date, perhaps with a time: that can only be meant as text.
fn is_date(token: &str) -> bool {
    let mut parts = token.splitn(3, '-');
    let mut is_part = |length: usize| {
        let part = parts.next().unwrap_or_default();
        digits(part) >= length && (part.len() == length || length == 2 && part.len() > 2)
    };
    let is_day = is_part(4) && is_part(2) && is_part(2);
    let time = token.get(10..).unwrap_or_default();
    let is_time = |c: char| c.is_ascii_digit() || matches!(c, ':' | '.' | '+' | '-' | 'Z');
    is_day
        && token.get(7..8) == Some("-")
        && (time.is_empty() || time.strip_prefix('T').is_some_and(|time| time.chars().all(is_time)))
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}
