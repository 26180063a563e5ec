//! Times as people write them, in UTC.

use std::fmt::Write as _;

const DAY: i64 = 86_400;

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
#[error("{text:?} is no time: write 24h, 7d, 2026-03-01, 2026-03-01T12:30 or @SECONDS")]
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
    let mut parts = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let is_date = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let mut parts = time.splitn(3, ':').map(|part| part.parse::<i64>().ok());
    let (hour, minute) = (parts.next()??, parts.next().unwrap_or(Some(0))?);
    let second = parts.next().unwrap_or(Some(0))?;
    let is_time = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..61).contains(&second);
    (is_date && is_time)
        .then(|| days_before(year, month, day) * DAY + hour * 3_600 + minute * 60 + second)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. Years are counted from March,
/// so that the leap day is the last of its year.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// `2026-03-01`.
pub fn day_of(time: i64) -> String {
    let days = time.div_euclid(DAY).clamp(-719_468, 2_932_896) + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `2026-03-01 12:30`.
pub fn minute_of(time: i64) -> String {
    let mut text = day_of(time);
    let second = time.rem_euclid(DAY);
    // Writing to a String cannot fail.
    let _ = write!(text, " {:02}:{:02}", second / 3_600, second % 3_600 / 60);
    text
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
    }

    #[test]
    fn lengths_are_counted_back_from_now() {
        for (text, seconds) in [("24h", DAY), ("7d", 7 * DAY), ("90 min", 5_400), ("now", 0)] {
            assert_eq!(When::parse(text).unwrap().seconds(10 * DAY), 10 * DAY - seconds, "{text}");
        }
        assert_eq!(When::parse("@12"), Ok(When::At(12)));
    }

    #[test]
    fn what_is_no_time_says_what_would_be_one() {
        for text in ["", "soon", "2026-13-01", "2026-3", "7 moons", "99999999999999999d", "12"] {
            assert!(When::parse(text).unwrap_err().to_string().contains("write 24h"), "{text}");
        }
    }
}
