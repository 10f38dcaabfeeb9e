//! Dates as models read them.

/// `2023-11-14`, in UTC.
pub fn date(unix_ms: u64) -> String {
    let (year, month, day) = civil(unix_ms / MS_PER_DAY);
    format!("{year}-{month:02}-{day:02}")
}

/// `2023-11-14T22:13:20Z`.
pub fn timestamp(unix_ms: u64) -> String {
    let seconds = unix_ms % MS_PER_DAY / 1000;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{}T{hour:02}:{minute:02}:{second:02}Z", date(unix_ms))
}

/// The day of the Gregorian calendar that is so many days after 1 January 1970, by counting from
/// 1 March 0000 in eras of 400 years.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days.saturating_add(719_468);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let leaps = (of_era / 1460).saturating_sub(of_era / 36_524).saturating_add(of_era / 146_096);
    let year = of_era.saturating_sub(leaps) / 365;
    let before = year.saturating_mul(365).saturating_add(year / 4).saturating_sub(year / 100);
    let of_year = of_era.saturating_sub(before);
    let month = of_year.saturating_mul(5).saturating_add(2) / 153;
    let day = of_year.saturating_sub(month.saturating_mul(153).saturating_add(2) / 5);
    let year = era.saturating_mul(400).saturating_add(year);
    match month {
        0..10 => (year, month.saturating_add(3), day.saturating_add(1)),
        _ => (year.saturating_add(1), month.saturating_sub(9), day.saturating_add(1)),
    }
}

const MS_PER_DAY: u64 = 86_400_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(timestamp(1_700_000_000_000), "2023-11-14T22:13:20Z");
        for (day, shown) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (10_956, "1999-12-31"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(date(day * MS_PER_DAY), shown);
        }
    }
}
