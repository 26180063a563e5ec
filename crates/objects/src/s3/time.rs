//! Times as S3 writes them. By the proleptic Gregorian calendar, in UTC.

/// Days of the months of a common year before each month.
const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

fn is_leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

/// Days from 1970 to the first of January.
fn days_before(year: i64) -> i64 {
    let past = year - 1;
    let leaps = past / 4 - past / 100 + past / 400;
    // 477 leap days are before 1970.
    (year - 1970) * 365 + leaps - 477
}

/// `20260301T123005Z`.
pub(super) fn stamp(seconds: u64) -> String {
    let (days, rest) = ((seconds / 86_400).min(2_900_000) as i64, seconds % 86_400);
    let mut year = 1970 + days / 366;
    while days_before(year + 1) <= days {
        year += 1;
    }
    let day = days - days_before(year);
    let start = |month: usize| {
        BEFORE.get(month).copied().unwrap_or(0) + i64::from(month >= 2 && is_leap(year))
    };
    let month = (0..12).rev().find(|month| start(*month) <= day).unwrap_or(0);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    let day = day - start(month) + 1;
    let month = month + 1;
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// The seconds since 1970 of `2026-03-01T12:30:05.000Z`.
pub(super) fn parse(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let before = *BEFORE.get(usize::try_from(month.checked_sub(1)?).ok()?)?;
    let days = days_before(year) + before + i64::from(month > 2 && is_leap(year)) + day - 1;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "19700101T000000Z"),
            (951_782_400, "20000229T000000Z"),
            (1_369_353_600, "20130524T000000Z"),
            (1_709_164_799, "20240228T235959Z"),
            (1_735_689_599, "20241231T235959Z"),
            (4_102_444_800, "21000101T000000Z"),
        ] {
            assert_eq!(stamp(seconds), text);
            let (date, time) = text.split_once('T').unwrap();
            let plain = format!(
                "{}-{}-{}T{}:{}:{}.000Z",
                &date[..4],
                &date[4..6],
                &date[6..],
                &time[..2],
                &time[2..4],
                &time[4..6]
            );
            assert_eq!(parse(&plain), i64::try_from(seconds).ok(), "{plain}");
        }
        for wrong in
            ["", "2026", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "x026-01-01T00:00:00Z"]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        stamp(u64::MAX);
    }
}
