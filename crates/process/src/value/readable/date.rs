//! Points in time as ISO 8601 writes them, in the proleptic Gregorian calendar and UTC.

const SECONDS_PER_DAY: i64 = 86_400;
/// Days from 0000-03-01 to 1970-01-01.
const DAYS_TO_1970: i64 = 719_468;
/// Days of 400 years.
const DAYS_PER_ERA: i64 = 146_097;

/// `2024-02-29T12:30:15.5Z`: `seconds` after 1970-01-01, and billionths of one.
/// `None` outside the years 0 to 9999 or if the billionths are out of range.
pub(super) fn utc(seconds: i64, nanoseconds: u64) -> Option<String> {
    let days = seconds.div_euclid(SECONDS_PER_DAY).checked_add(DAYS_TO_1970)?;
    let second = seconds.rem_euclid(SECONDS_PER_DAY);
    let era = days.div_euclid(DAYS_PER_ERA);
    let (year, month, day) = of_era(days.rem_euclid(DAYS_PER_ERA));
    let year = era.checked_mul(400)?.checked_add(year)?;
    if !(0..=9999).contains(&year) {
        return None;
    }
    let (hours, minutes) = (second / 3600, second / 60 % 60);
    let seconds = decimal(u64::try_from(second % 60).ok()?, nanoseconds, 2)?;
    Some(format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds}Z"))
}

/// Year, month and day of a day of 400 years that begin on a 1 March.
#[allow(clippy::arithmetic_side_effects)] // of numbers below 1,000,000
fn of_era(day: i64) -> (i64, i64, i64) {
    // Years begin in March here, so that the leap day is their last. The last day of every
    // 4th year is one, except that of every 100th, but including that of the 400th.
    let skipped = day / 1460 - day / 36_524 + day / 146_096;
    let year = (day - skipped) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Months from March on have 31, 30, 31, 30, 31 days, and again.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

/// Seconds, of `digits` digits at least, and as many behind the point as it takes.
pub(super) fn decimal(seconds: u64, nanoseconds: u64, digits: usize) -> Option<String> {
    if nanoseconds >= 1_000_000_000 {
        return None;
    }
    let fraction = format!("{nanoseconds:09}");
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{seconds:0digits$}{point}{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leap_days_centuries_and_the_years_before_1970_are_counted() {
        for (seconds, date) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_209_815, "2024-02-29T12:30:15Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (-62_135_596_800, "0001-01-01T00:00:00Z"),
        ] {
            assert_eq!(utc(seconds, 0).as_deref(), Some(date));
        }
        assert_eq!(utc(i64::MAX, 0), None);
        assert_eq!(utc(i64::MIN, 0), None);
    }

    #[test]
    fn a_span_of_time_has_no_needless_digits() {
        assert_eq!(decimal(1, 500_000_000, 1).as_deref(), Some("1.5"));
        assert_eq!(decimal(0, 7, 1).as_deref(), Some("0.000000007"));
        assert_eq!(decimal(5, 0, 2).as_deref(), Some("05"));
        assert_eq!(decimal(0, 1_000_000_000, 1), None);
    }
}
