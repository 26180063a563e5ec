//! The time that a line of a log begins with.

use obit_triage::time::seconds_from_calendar;

/// Nanoseconds in a second.
const SECOND: i64 = 1_000_000_000;
/// Bytes of a line in which its time begins: an address and a user may be before it.
const BEFORE: usize = 200;
/// The first and last second that a bare number is taken for: 2001 to 2100.
const FIRST: i64 = 1_000_000_000;
const LAST: i64 = 4_102_444_800;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// When a line was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    /// Nanoseconds since 1970.
    pub(crate) nanoseconds: i64,
    /// The line says no zone: it was taken as UTC.
    pub(crate) is_without_zone: bool,
}

/// The time of a line: ISO 8601, syslog's, nginx's and Apache's, seconds since 1970. `year` is for
/// those that have none.
pub(super) fn of_line(line: &[u8], year: Option<i32>) -> Option<Moment> {
    let start = line.get(..BEFORE.min(line.len()))?;
    let text = start.utf8_chunks().next()?.valid();
    let text = text.trim_start_matches(['[', '<', '"', '{', ' ']);
    iso(text)
        .or_else(|| syslog(text, year))
        .or_else(|| slashed(text))
        .or_else(|| epoch(text))
        .or_else(|| of_server(text))
        // A label or a level may come first.
        .or_else(|| later(text))
}

/// A time after the first words.
fn later(text: &str) -> Option<Moment> {
    text.char_indices()
        .filter(|(_, c)| matches!(c, ' ' | '[' | '"' | '='))
        .take(6)
        .find_map(|(at, _)| iso(text.get(at.checked_add(1)?..)?))
}

/// `2026-11-30T12:00:01.25+01:00`, with a space for the `T`, a comma for the point.
pub(super) fn iso(text: &str) -> Option<Moment> {
    let mut rest = text;
    let year = digits(&mut rest, 4)?;
    let month = after(&mut rest, "-", 2)?;
    let day = after(&mut rest, "-", 2)?;
    rest = rest.strip_prefix(['T', ' ', 't'])?;
    clock(rest, (year, month, day))
}

/// `2026/11/30 12:00:01`: nginx's log of errors, Go's package log.
fn slashed(text: &str) -> Option<Moment> {
    let mut rest = text;
    let year = digits(&mut rest, 4)?;
    let month = after(&mut rest, "/", 2)?;
    let day = after(&mut rest, "/", 2)?;
    rest = rest.strip_prefix(' ')?;
    clock(rest, (year, month, day))
}

/// `Nov 30 12:00:01` (RFC 3164), perhaps after a priority `<30>`.
fn syslog(text: &str, year: Option<i32>) -> Option<Moment> {
    let text = match text.split_once('>') {
        Some((priority, rest)) if priority.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => text,
    };
    let (name, rest) = text.split_once(' ')?;
    let month = month(name)?;
    let mut rest = rest.trim_start();
    let length = rest.bytes().take(2).take_while(u8::is_ascii_digit).count();
    let day = digits(&mut rest, length.max(1))?;
    rest = rest.strip_prefix(' ')?;
    clock(rest, (i64::from(year?), month, day))
}

/// `[30/Nov/2026:12:00:01 +0000]`: the log of requests of nginx and Apache.
fn of_server(text: &str) -> Option<Moment> {
    let (_, after_bracket) = text.split_once('[')?;
    let mut rest = after_bracket;
    let day = digits(&mut rest, 2)?;
    rest = rest.strip_prefix('/')?;
    let (name, after_month) = rest.split_once('/')?;
    let month = month(name)?;
    rest = after_month;
    let year = digits(&mut rest, 4)?;
    rest = rest.strip_prefix(':')?;
    clock(rest, (year, month, day))
}

/// `1764504001.25`: seconds; with three digits more milliseconds.
pub(super) fn epoch(text: &str) -> Option<Moment> {
    let length = text.bytes().take(20).take_while(u8::is_ascii_digit).count();
    let number: i64 = text.get(..length)?.parse().ok()?;
    let rest = text.get(length..)?;
    let (seconds, scale) = match length {
        10 => (number, 1),
        13 => (number.checked_div(1_000)?, 1_000),
        16 => (number.checked_div(1_000_000)?, 1_000_000),
        19 => (number.checked_div(SECOND)?, SECOND),
        _ => return None,
    };
    if !(FIRST..=LAST).contains(&seconds) || rest.starts_with(|c: char| c.is_alphanumeric()) {
        return None;
    }
    let nanoseconds = number.checked_mul(SECOND.checked_div(scale)?)?;
    let (fraction, _) = fraction(rest);
    let nanoseconds = nanoseconds.checked_add(if scale == 1 { fraction } else { 0 })?;
    Some(Moment { nanoseconds, is_without_zone: false })
}

/// `12:00:01.25+01:00` of a day.
fn clock(text: &str, (year, month, day): (i64, i64, i64)) -> Option<Moment> {
    let mut rest = text;
    let hour = digits(&mut rest, 2)?;
    let minute = after(&mut rest, ":", 2)?;
    let second = after(&mut rest, ":", 2)?;
    let (fraction, rest) = fraction(rest);
    let small = |number: i64| u8::try_from(number).ok();
    let date = (i32::try_from(year).ok()?, small(month)?, small(day)?);
    let seconds = seconds_from_calendar(date, (small(hour)?, small(minute)?, small(second)?))?;
    let zone = zone(rest);
    let seconds = seconds.checked_sub(zone.unwrap_or(0))?;
    let nanoseconds = seconds.checked_mul(SECOND)?.checked_add(fraction)?;
    Some(Moment { nanoseconds, is_without_zone: zone.is_none() })
}

/// Nanoseconds of `.25` or `,250`, and what follows.
fn fraction(text: &str) -> (i64, &str) {
    let Some(rest) = text.strip_prefix(['.', ',']) else { return (0, text) };
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let mut number = 0_i64;
    for place in 0..9 {
        let digit = rest.as_bytes().get(place).filter(|_| place < length);
        let digit = digit.map_or(0, |digit| i64::from(digit.wrapping_sub(b'0')));
        number = number.saturating_mul(10).saturating_add(digit);
    }
    (number, rest.get(length..).unwrap_or_default())
}

/// Seconds east of UTC: `Z`, `+01:00`, ` +0100`, ` UTC`.
fn zone(text: &str) -> Option<i64> {
    let text = text.strip_prefix(' ').unwrap_or(text);
    if text.starts_with('Z') || text.starts_with("UTC") || text.starts_with("GMT") {
        return Some(0);
    }
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let mut rest = text.get(1..)?;
    let hours = digits(&mut rest, 2)?;
    rest = rest.strip_prefix(':').unwrap_or(rest);
    let minutes = digits(&mut rest, 2).unwrap_or(0);
    let seconds = hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?;
    (hours < 15 && minutes < 60).then(|| seconds.checked_mul(sign))?
}

fn month(name: &str) -> Option<i64> {
    let at = MONTHS.iter().position(|month| *month == name)?;
    i64::try_from(at.checked_add(1)?).ok()
}

/// The next `count` digits.
fn digits(rest: &mut &str, count: usize) -> Option<i64> {
    let number = rest.get(..count)?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    *rest = rest.get(count..)?;
    number.parse().ok()
}

/// The same after a sign.
fn after(rest: &mut &str, sign: &str, count: usize) -> Option<i64> {
    *rest = rest.strip_prefix(sign)?;
    digits(rest, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-30T12:00:01Z.
    const NOON: i64 = 1_796_040_001;

    fn seconds(line: &str) -> Option<(i64, bool)> {
        let found = of_line(line.as_bytes(), Some(2026))?;
        Some((found.nanoseconds / SECOND, found.is_without_zone))
    }

    #[test]
    fn times_are_read_as_logs_write_them() {
        for line in [
            "2026-11-30T12:00:01Z started",
            "2026-11-30 13:00:01.250 +01:00 started",
            "[2026-11-30T12:00:01.25+00:00] started",
            "127.0.0.1 - - [30/Nov/2026:12:00:01 +0000] \"GET / HTTP/1.1\" 200",
            "1796040001.5 started",
            "1796040001500 started",
            "INFO [2026-11-30T12:00:01Z] started",
            "{\"ts\":\"2026-11-30T12:00:01Z\"}",
        ] {
            assert_eq!(seconds(line), Some((NOON, false)), "{line}");
        }
        for line in [
            "Nov 30 12:00:01 host prog[7]: started",
            "<30>Nov 30 12:00:01 host prog[7]: started",
            "2026/11/30 12:00:01 [error] 7#7: *1 open() failed",
            "2026-11-30 12:00:01,250 INFO started",
        ] {
            assert_eq!(seconds(line), Some((NOON, true)), "{line}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for line in ["", "started", "2026-13-30T12:00:01Z", "12345", "Foo 30 12:00:01", "[x/y/z"] {
            assert_eq!(seconds(line), None, "{line}");
        }
        assert_eq!(of_line(b"Nov 30 12:00:01 x", None), None, "no year");
    }

    #[test]
    fn fractions_count() {
        let found = of_line(b"2026-11-30T12:00:01.000000007Z", None).unwrap();
        assert_eq!(found.nanoseconds, NOON * SECOND + 7);
    }
}
