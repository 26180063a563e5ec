//! Times as people write them, in UTC.

use time::{Date, Month, OffsetDateTime, Time};

/// Seconds of a day.
const DAY: i64 = 86_400;
/// 0000-01-01, the first day that is written with four digits.
const FIRST: i64 = -62_167_219_200;
/// The last second of 9999.
const LAST: i64 = 253_402_300_799;

/// A time that a user gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Seconds since 1970.
    At(i64),
    /// Seconds before now.
    Ago(i64),
}

/// What is no time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a time: expected 24h, 7d, 2026-03-01, 2026-03-01T12:30 or @SECONDS")]
pub struct TimeError {
    /// What was written.
    pub text: String,
}

impl When {
    /// `24h`, `7d`, `30min`, `2w`; `2026-03-01`, `2026-03-01T12:30`, `2026-03-01 12:30:05Z`;
    /// `@1772323200`; `now`, `today`, `yesterday`. Dates are in UTC.
    ///
    /// # Errors
    /// What is possible, where `text` is none of these.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let text = text.trim();
        let found = match text {
            "now" => Some(Self::Ago(0)),
            _ => match text.strip_prefix('@') {
                Some(seconds) => seconds.parse().ok().map(Self::At),
                None => seconds_of(text).map(Self::Ago).or_else(|| date(text).map(Self::At)),
            },
        };
        found.ok_or_else(|| TimeError { text: text.to_owned() })
    }

    /// Seconds since 1970.
    pub fn seconds(self, now: i64) -> i64 {
        match self {
            Self::At(time) => time,
            Self::Ago(seconds) => now.saturating_sub(seconds),
        }
    }
}

/// A length of time: `90s`, `30min`, `24h`, `7d`, `2w`.
pub fn seconds_of(text: &str) -> Option<i64> {
    let text = text.strip_suffix("ago").unwrap_or(text).trim();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let number: i64 = text.get(..digits)?.parse().ok()?;
    let unit = match text.get(digits..)?.trim() {
        "s" | "sec" | "seconds" => 1,
        "m" | "min" | "minutes" => 60,
        "h" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => DAY,
        "w" | "week" | "weeks" => 7 * DAY,
        _ => return None,
    };
    number.checked_mul(unit)
}

fn date(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
    let is_plain = date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let mut parts = date.splitn(3, '-').map(|part| part.parse::<u16>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let mut parts = time.splitn(3, ':').map(|part| part.parse::<u8>().ok());
    let (hour, minute) = (parts.next()??, parts.next().unwrap_or(Some(0))?);
    let second = parts.next().unwrap_or(Some(0))?;
    let (month, day) = (u8::try_from(month).ok()?, u8::try_from(day).ok()?);
    if !is_plain {
        return None;
    }
    seconds_from_calendar((i32::from(year), month, day), (hour, minute, second))
}

/// Seconds from 1970 to a date and time in UTC, of the years from 1970 to 9999. A leap
/// second is the first of the next minute.
pub fn seconds_from_calendar(
    (year, month, day): (i32, u8, u8),
    (hour, minute, second): (u8, u8, u8),
) -> Option<i64> {
    if !(1970..=9999).contains(&year) || second > 60 {
        return None;
    }
    let date = Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()?;
    let minute = date.with_time(Time::from_hms(hour, minute, 0).ok()?).assume_utc();
    Some(minute.unix_timestamp() + i64::from(second))
}

fn of(time: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(time.clamp(FIRST, LAST))
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// `2026-03-01`.
pub fn day_of(time: i64) -> String {
    let date = of(time).date();
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}

/// `2026-03-01 12:30`.
pub fn minute_of(time: i64) -> String {
    let clock = of(time).time();
    format!("{} {:02}:{:02}", day_of(time), clock.hour(), clock.minute())
}

/// `2026-03-01T12:30:05Z` (RFC 3339).
pub fn instant_of(time: i64) -> String {
    let clock = of(time).time();
    format!("{}T{:02}:{:02}:{:02}Z", day_of(time), clock.hour(), clock.minute(), clock.second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_there_and_back() {
        for (text, time) in [
            ("1970-01-01", 0),
            ("2000-02-29", 951_782_400),
            ("2026-03-10", 1_773_100_800),
            ("2100-03-01", 4_107_542_400),
        ] {
            assert_eq!(When::parse(text), Ok(When::At(time)), "{text}");
            assert_eq!(day_of(time), text);
            assert_eq!(day_of(time + DAY - 1), text);
        }
        let time = When::parse("2026-03-10T21:34:45Z").unwrap();
        assert_eq!(time, When::At(1_773_178_485));
        assert_eq!(When::parse("2026-03-10 21:34"), Ok(When::At(1_773_178_440)));
        assert_eq!(minute_of(1_773_178_485), "2026-03-10 21:34");
        assert_eq!(When::parse("2026-3-1T9"), Ok(When::At(1_772_355_600)));
        // Of hostile files and clocks.
        assert_eq!(
            (day_of(i64::MAX), day_of(i64::MIN)),
            ("9999-12-31".into(), "0000-01-01".into())
        );
    }

    #[test]
    fn lengths_are_counted_back_from_now() {
        for (text, seconds) in [("24h", DAY), ("7d", 7 * DAY), ("90 min", 5_400), ("now", 0)] {
            assert_eq!(When::parse(text).unwrap().seconds(10 * DAY), 10 * DAY - seconds, "{text}");
        }
        assert_eq!(When::parse("@12"), Ok(When::At(12)));
    }

    #[test]
    fn what_is_not_a_time_is_refused_with_what_would_be_one() {
        for text in [
            "",
            "soon",
            "2026-13-01",
            "2026-02-30",
            "2026-3",
            "7 moons",
            "99999999999999999d",
            "12",
        ] {
            assert!(When::parse(text).unwrap_err().to_string().contains("expected 24h"), "{text}");
        }
    }
}
