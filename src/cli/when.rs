//! Points in time, read and written for people, in UTC.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970, now.
pub(crate) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}

/// `2026-11-21 10:04`.
pub(crate) fn utc(seconds: i64) -> String {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days since 0000-03-01, in eras of 400 years; years that begin in March have their
    // leap day at the end.
    let days = days.saturating_add(719_468);
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * of_era + of_era / 4 - of_era / 100);
    let march = (5 * day + 2) / 153;
    let day = day - (153 * march + 2) / 5 + 1;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let year = era * 400 + of_era + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", second / 3600, second / 60 % 60)
}

/// Seconds of `90d`, `24h`, `30m`, `10s`, `2w`.
pub(crate) fn span(text: &str) -> Result<i64, String> {
    let wrong = || "a time, as in 90d, 24h or 30m".to_owned();
    let (at, unit) = text.char_indices().last().ok_or_else(wrong)?;
    let unit = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return Err(wrong()),
    };
    let number = text[..at].parse::<u32>().map_err(|_| wrong())?;
    Ok(i64::from(number) * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(utc(0), "1970-01-01 00:00");
        assert_eq!(utc(1_709_251_199), "2024-02-29 23:59");
        assert_eq!(utc(1_773_146_096), "2026-03-10 12:34");
        assert_eq!(utc(-1), "1969-12-31 23:59");
    }

    #[test]
    fn spans_have_a_unit() {
        assert_eq!(span("90d"), Ok(90 * 86_400));
        assert_eq!(span("24h"), Ok(86_400));
        assert!(span("90").is_err() && span("d").is_err() && span("").is_err());
    }
}
