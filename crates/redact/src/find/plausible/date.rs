//! Dates, in any of the usual orders.

use std::ops::Range;

use crate::find::field::value::Value;
use crate::find::number::check_digits::is_day;
use crate::find::text::{Text, is_letter, number};

/// The date at the start of `value`, in any of the usual orders.
pub(in crate::find) fn date(text: Text<'_>, value: &Value) -> Option<Range<usize>> {
    let start = text.run(value.range.start, 8, |byte| byte == b' ');
    let start = behind_constructor(text, start);
    let bytes = text.slice(start..value.range.end.max(start).min(start + 40));
    let end = start
        + date_len(bytes).or_else(|| {
            // `datetime.date(1984, 5, 3)`, which no bare value goes on in.
            let close = text.run(start, 16, |byte| byte.is_ascii_digit() || b", -".contains(&byte));
            let is_call = text.before(start) == b'(' && text.at(close) == b')';
            if is_call { date_len(text.slice(start..close)) } else { None }
        })?;
    let is_time = text.at(end) == b'T' && value.is_delimited;
    Some(start..if is_time { value.range.end } else { end })
}

/// Behind `datetime.date(`, `LocalDate.of(`, `new Date(`: what makes a date.
fn behind_constructor(text: Text<'_>, start: usize) -> usize {
    let word = text.run(start, 32, |byte| byte.is_ascii_alphabetic() || b".: _".contains(&byte));
    let is_call = word > start + 3 && text.at(word) == b'(' && text.at(word + 1).is_ascii_digit();
    if is_call { word + 1 } else { start }
}

/// Whether a date as ISO 8601 writes it, and no longer number, is at `place`: of the years
/// 1000 to 2999, or of the year 1, which stands for none in Go and .NET.
pub(in crate::find) fn is_iso_date(text: Text<'_>, place: usize) -> bool {
    let is_digit = |at: usize| text.at(place + at).is_ascii_digit();
    let is_year = matches!(text.at(place), b'1' | b'2') || text.has(place, b"0001");
    is_year
        && [1, 2, 3, 5, 6, 8, 9].into_iter().all(is_digit)
        && text.at(place + 4) == b'-'
        && text.at(place + 7) == b'-'
        && !is_digit(10)
}

/// How names of months begin.
const MONTHS: &[&str] = &[
    // English, German, Dutch, Scandinavian.
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "mai",
    "okt", "dez", "mrt", "mei", "maj", "jän", "mär",
    // French, Spanish, Portuguese, Italian, Romanian.
    "fév", "avr", "juin", "juil", "aoû", "déc", "ene", "abr", "ago", "dic", "fev", "set", "out",
    "gen", "mag", "giu", "lug", "ott", "ian", "iun", "iul", "noi", // Polish, Czech.
    "sty", "lut", "kwi", "cze", "lip", "sie", "wrz", "paź", "lis", "gru", "led", "úno", "bře",
    "dub", "kvě", "čer", "srp", "zář", "říj", "pro", // Turkish, Finnish, Indonesian.
    "oca", "şub", "nis", "haz", "tem", "ağu", "eyl", "eki", "kas", "ara", "tam", "hel", "maa",
    "huh", "tou", "kes", "hei", "elo", "syy", "lok", "jou", "agu", "des",
    // Russian, Ukrainian.
    "янв", "фев", "мар", "апр", "мая", "май", "июн", "июл", "авг", "сен", "окт", "ноя", "дек",
    "січ", "лют", "бер", "кві", "тра", "чер", "лип", "сер", "вер", "жов", "лис", "гру",
    // Greek.
    "ιαν", "φεβ", "μαρ", "απρ", "μαΐ", "μαϊ", "ιουν", "ιουλ", "αυγ", "σεπ", "οκτ", "νοε", "δεκ",
];

/// Bytes of a date at the start of `bytes`.
fn date_len(bytes: &[u8]) -> Option<usize> {
    let text = Text(bytes);
    let mut parts = [0u32; 3];
    let mut place = 0;
    let mut count = 0;
    let mut has_month = false;
    let mut is_counted = false;
    while count < 3 {
        let digits = text.run(place, 9, |byte| byte.is_ascii_digit());
        if digits > place {
            let value = number(text.slice(place..digits))? as u32;
            if digits - place == 8 && count == 0 {
                let (year, month, day) = (value / 10000, value / 100 % 100, value % 100);
                let other = (value % 10000, value / 10000 % 100, value / 1_000_000);
                return (is_day(year, month, day)
                    || is_day(other.0, other.1, other.2)
                    || is_day(other.0, other.2, other.1))
                .then_some(8);
            }
            if digits - place > 4 {
                return None;
            }
            *parts.get_mut(count)? = value;
            place = digits;
            // `3rd`, `1er`
            place = text.run(place, 2, |byte| byte.is_ascii_lowercase());
            // `1984年5月3日`
            const COUNTERS: &[&str] = &["年", "月", "日", "년", "월", "일"];
            let blank = text.run(place, 1, |byte| byte == b' ');
            if let Some(counter) = COUNTERS.iter().find(|sign| text.has(blank, sign.as_bytes())) {
                place = blank + counter.len();
                is_counted = true;
            }
        } else {
            let word = text.run(place, 12, is_letter);
            let name = text.slice(place..word);
            let is_month = MONTHS.iter().any(|month| Text(name).has_caseless(0, month.as_bytes()));
            if !is_month || has_month {
                return None;
            }
            has_month = true;
            *parts.get_mut(count)? = 1;
            place = word;
        }
        count += 1;
        if count < 3 {
            let gap = text.run(place, 4, |byte| b" -./,".contains(&byte));
            // `05JUL1948`
            let is_glued =
                text.at(place).is_ascii_alphabetic() != text.at(place - 1).is_ascii_alphabetic();
            if gap == place && !is_counted && !is_glued {
                return None;
            }
            place = gap;
            if text.has(place, b"de ") {
                place += 3;
            }
        }
    }
    let [first, second, third] = parts;
    let year = |value: u32| if value < 100 { 1900 + value } else { value };
    let fits = is_day(first, second, third)
        || is_day(year(third), second, first)
        || is_day(year(third), first, second)
        || (has_month && (is_day(year(third), 1, first.max(second))));
    fits.then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_of_iso_8601_is_one_of_digits_and_of_a_likely_year() {
        for date in ["2026-01-02", "1980-12-31", "0001-01-01", "2026-01-02T03:04"] {
            assert!(is_iso_date(Text(date.as_bytes()), 0), "{date}");
        }
        for (date, len) in
            [("05JUL1948", 9), ("1984年5月3日", 15), ("3 мая 1984", 13), ("5x1984", 0)]
        {
            assert_eq!(date_len(date.as_bytes()).unwrap_or(0), len, "{date}");
        }
        for other in ["2026-01-023", "0800-12-34", "9026-01-02", "202a-01-02", "2026/01/02", "20"] {
            assert!(!is_iso_date(Text(other.as_bytes()), 0), "{other}");
        }
    }
}
