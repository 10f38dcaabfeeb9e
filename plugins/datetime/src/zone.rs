//! Time zones by name, and the time in them. The zones' rules are part of the plugin (jiff's copy of
//! the IANA database), for a sandbox has no files.

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::{self, TimeZone};

/// A moment as clocks in a zone show it.
#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) weekday: &'static str,
    /// `2026-11-21`
    pub(crate) day: String,
    pub(crate) hour: i8,
    pub(crate) minute: i8,
    pub(crate) second: i8,
    pub(crate) millisecond: i16,
    /// `+01:00`
    pub(crate) offset: String,
}

/// A time zone with its name as the database spells it.
#[derive(Debug, Clone)]
pub(crate) struct Zone {
    name: String,
    rules: TimeZone,
}

impl Zone {
    /// The zone of this name, in any case.
    ///
    /// # Errors
    /// A sentence that says what is wrong, with the nearest name there is.
    pub(crate) fn find(name: &str) -> Result<Self, String> {
        match tz::db().get(name) {
            Ok(rules) => {
                let name = rules.iana_name().unwrap_or(name).to_owned();
                Ok(Self { name, rules })
            }
            Err(_) => Err(unknown(name)),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The time there, at so many milliseconds since 1970. (Put together by hand: jiff's own
    /// formatter adds a third to the plugin.)
    pub(crate) fn at(&self, unix_ms: u64) -> Local {
        let time = i64::try_from(unix_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let time = time.unwrap_or(Timestamp::MAX);
        let offset = self.rules.to_offset(time);
        let local = offset.to_datetime(time);
        let minutes = offset.seconds().unsigned_abs() / 60;
        let sign = if offset.seconds() < 0 { '-' } else { '+' };
        Local {
            weekday: weekday(local.weekday()),
            day: format!("{:04}-{:02}-{:02}", local.year(), local.month(), local.day()),
            hour: local.hour(),
            minute: local.minute(),
            second: local.second(),
            millisecond: local.millisecond(),
            offset: format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60),
        }
    }
}

fn weekday(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

fn unknown(name: &str) -> String {
    let shown: String = name.chars().take(NAME_CHARS_MAX).collect();
    let shown = shown.escape_debug();
    let hint = nearest(name).map_or_else(
        || {
            "names are those of the IANA time zone database, such as `Europe/Berlin` or `UTC`"
                .into()
        },
        |near| format!("did you mean `{near}`?"),
    );
    format!("there is no time zone `{shown}`; {hint}")
}

/// A zone whose place is named so (`berlin`, `Europa/Berlin`, `new york`), the shortest of several.
fn nearest(name: &str) -> Option<String> {
    let place = |name: &str| {
        let place = name.rsplit('/').next().unwrap_or(name);
        place.trim().replace([' ', '-'], "_").to_ascii_lowercase()
    };
    let wanted = place(name);
    let names = tz::db().available().map(|known| known.as_str().to_owned());
    let same = names.filter(|known| place(known) == wanted);
    same.min_by_key(|known| (!known.contains('/'), known.len()))
}

/// Of a name that is not one.
const NAME_CHARS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::Zone;

    fn at(name: &str, unix_s: u64) -> String {
        let time = Zone::find(name).unwrap().at(unix_s * 1000);
        let (day, hour, minute, second) = (time.day, time.hour, time.minute, time.second);
        format!("{} {day} {hour}:{minute}:{second} {}", time.weekday, time.offset)
    }

    // What Python's `zoneinfo` says of these moments.
    #[test]
    fn zones_know_their_summers_past_and_to_come() {
        assert_eq!(at("Europe/Berlin", 1_690_000_000), "Saturday 2023-07-22 6:26:40 +02:00");
        assert_eq!(at("Europe/Berlin", 2_531_000_000), "Wednesday 2050-03-16 0:33:20 +01:00");
        assert_eq!(at("Europe/Berlin", 2_540_000_000), "Tuesday 2050-06-28 5:33:20 +02:00");
        assert_eq!(at("Asia/Kathmandu", 1_700_000_000), "Wednesday 2023-11-15 3:58:20 +05:45");
        assert_eq!(at("Pacific/Apia", 1_325_196_000), "Thursday 2011-12-29 12:0:0 -10:00");
        assert_eq!(at("Pacific/Apia", 1_325_282_400), "Saturday 2011-12-31 12:0:0 +14:00");
    }

    #[test]
    fn names_may_be_in_any_case_and_come_out_right() {
        assert_eq!(Zone::find("america/new_york").unwrap().name(), "America/New_York");
        assert_eq!(Zone::find("utc").unwrap().name(), "UTC");
    }

    #[test]
    fn a_name_that_is_none_is_told_the_nearest() {
        let error = |name: &str| Zone::find(name).unwrap_err();
        assert!(error("Berlin").ends_with("did you mean `Europe/Berlin`?"));
        assert!(error("America/New York").ends_with("did you mean `America/New_York`?"));
        assert!(error("Mars/Olympus").contains("such as `Europe/Berlin`"));
        assert!(error(&"x\n".repeat(5000)).len() < 400);
    }

    #[test]
    fn no_time_is_too_far() {
        assert!(Zone::find("UTC").unwrap().at(u64::MAX).day.starts_with("9999-12-"));
    }
}
