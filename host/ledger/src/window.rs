//! Calendar windows in UTC that limits and spend counters restart with. Pure arithmetic on
//! milliseconds since 1970; nothing here reads a clock.

use std::fmt;
use std::str::FromStr;

/// When a limit's count restarts, always at midnight UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reset {
    /// Every day.
    Daily,
    /// Every Monday.
    Weekly,
    /// On the first of every month.
    Monthly,
}

/// The start of the window that `unix_ms` lies in, in milliseconds since 1970.
pub fn window_start(reset: Reset, unix_ms: u64) -> u64 {
    let day = unix_ms / DAY_MS;
    let start = match reset {
        Reset::Daily => day,
        // Day 0 was a Thursday; the week that it lies in began before 1970.
        Reset::Weekly => day.saturating_sub((day + 3) % 7),
        Reset::Monthly => day - month_of(day).0,
    };
    start * DAY_MS
}

/// The end of the window that `unix_ms` lies in: the start of the next.
pub fn window_end(reset: Reset, unix_ms: u64) -> u64 {
    let day = unix_ms / DAY_MS;
    let days_left = match reset {
        Reset::Daily => 1,
        Reset::Weekly => 7 - (day + 3) % 7,
        Reset::Monthly => {
            let (passed, length) = month_of(day);
            length - passed
        }
    };
    (day + days_left).saturating_mul(DAY_MS)
}

/// Days of the month that passed before this day (of 1970 and later), and the month's length.
fn month_of(day: u64) -> (u64, u64) {
    // Leap years repeat every 400 years, so this walk is short for any input.
    let mut rest = day % DAYS_PER_CYCLE;
    let mut year = 1970;
    while rest >= 365 + u64::from(is_leap(year)) {
        rest -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    for (month, days) in MONTHS.iter().enumerate() {
        let length = days + u64::from(month == 1 && is_leap(year));
        if rest < length {
            return (rest, length);
        }
        rest -= length;
    }
    (rest, 31)
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

impl Reset {
    /// The name in the API: `daily`, `weekly`, `monthly`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }
}

impl fmt::Display for Reset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Reset {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Daily, Self::Weekly, Self::Monthly]
            .into_iter()
            .find(|reset| reset.as_str() == text)
            .ok_or("it must be one of daily, weekly, monthly")
    }
}

const DAY_MS: u64 = 86_400_000;
const DAYS_PER_CYCLE: u64 = 146_097;
const MONTHS: [u64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn windows_begin_at_midnight_on_monday_and_on_the_first() {
        // Seconds since 1970, of the moment and of the three windows' starts.
        let cases = "
            1970-01-01T00:00:00  0           0           0           0
            1970-01-05T00:00:01  345601      345600      345600      0
            2000-02-29T23:59:59  951868799   951782400   951696000   949363200
            2000-03-01T00:00:00  951868800   951868800   951696000   951868800
            2024-12-31T12:00:00  1735646400  1735603200  1735516800  1733011200
            2026-11-21T07:22:19  1795245739  1795219200  1794787200  1793491200
            2026-11-23T00:00:00  1795392000  1795392000  1795392000  1793491200
            2100-03-01T00:00:00  4107542400  4107542400  4107542400  4107542400
        ";
        for case in cases.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let numbers: Vec<u64> =
                case.split_whitespace().skip(1).map(|text| text.parse().unwrap()).collect();
            let starts = [Reset::Daily, Reset::Weekly, Reset::Monthly]
                .map(|reset| window_start(reset, numbers[0] * 1000) / 1000);
            assert_eq!(starts, numbers[1..], "{case}");
        }
    }

    proptest! {
        #[test]
        fn a_window_holds_its_moment_and_touches_the_next(
            unix_ms in 400_000_000u64..10_000_000_000_000_000,
        ) {
            for reset in [Reset::Daily, Reset::Weekly, Reset::Monthly] {
                let start = window_start(reset, unix_ms);
                let end = window_end(reset, unix_ms);
                prop_assert!(start <= unix_ms && unix_ms < end);
                prop_assert_eq!(window_start(reset, start), start);
                prop_assert_eq!(window_start(reset, end - 1), start);
                prop_assert_eq!(window_start(reset, end), end);
            }
        }
    }
}
