//! Telephone numbers: international ones by country code and length, national ones by
//! the way they are written.

use std::ops::Range;

use crate::find::text::{Text, is_blank, is_letter, is_word};
use crate::word_set::WordSet;

/// A number as it is in a text: where it ends, and how its digits are grouped.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Written {
    end: usize,
    digits: [u8; MOST_DIGITS],
    digit_count: usize,
    /// Digits of each group.
    groups: [usize; MOST_DIGITS],
    group_count: usize,
    has_parentheses: bool,
}

impl Written {
    fn digits(&self) -> &[u8] {
        self.digits.get(..self.digit_count).unwrap_or_default()
    }

    fn groups(&self) -> &[usize] {
        self.groups.get(..self.group_count).unwrap_or_default()
    }

    /// Takes a group of digits, if there is room.
    fn push(&mut self, group: &[u8]) -> Option<()> {
        let end = self.digit_count + group.len();
        self.digits.get_mut(self.digit_count..end)?.copy_from_slice(group);
        *self.groups.get_mut(self.group_count)? = group.len();
        self.digit_count = end;
        self.group_count += 1;
        Some(())
    }
}

/// A telephone number that starts at `start` with a digit, `+` or `(`. `is_expected` says
/// that something nearby announces one; then groups need not look like those of a
/// telephone number alone.
pub(in crate::find) fn phone(
    text: Text<'_>,
    start: usize,
    is_expected: bool,
) -> Option<Range<usize>> {
    let prior = text.before(start);
    if is_word(prior) || (matches!(prior, b'.' | b',') && text.before(start - 1).is_ascii_digit()) {
        return None;
    }
    // `06/10/23 20:06:29` is a time.
    let is_pair = |at: usize| {
        text.at(at).is_ascii_digit()
            && text.at(at + 1).is_ascii_digit()
            && !text.at(at + 2).is_ascii_digit()
    };
    if is_pair(start)
        && text.at(start + 2) == b'/'
        && is_pair(start + 3)
        && text.at(start + 5) == b'/'
    {
        return None;
    }
    // The seconds of a time: `22:47:00.233242`.
    let is_second = prior == b':' && is_pair(start);
    if is_second && is_pair(start.saturating_sub(3)) && text.before(start - 3) == b':' {
        return None;
    }
    // The rest of a date: `04/06/2025 09:45:58`.
    let is_rest = prior == b'/' && text.at(start + 2) == b'/' && is_pair(start);
    if is_rest && is_pair(start.saturating_sub(3)) {
        return None;
    }
    let written = read(text, start)?;
    let is_phone = match text.at(start) {
        b'+' => is_international(written.digits()),
        _ if written.digits().starts_with(b"00") && !written.digits().starts_with(b"000") => {
            let number = written.digits().get(2..)?;
            (is_international(number) && (is_expected || written.groups().len() > 1))
                || (is_expected && is_plausible(&written))
        }
        _ => is_national(text, start, &written) || (is_expected && is_plausible(&written)),
    };
    is_phone.then(|| start..extension_end(text, written.end))
}

/// Reads groups of digits with one separator between, or a closing parenthesis.
fn read(text: Text<'_>, start: usize) -> Option<Written> {
    let mut written = Written {
        end: start,
        digits: [0; MOST_DIGITS],
        digit_count: 0,
        groups: [0; MOST_DIGITS],
        group_count: 0,
        has_parentheses: false,
    };
    let mut place = start;
    if text.at(place) == b'+' {
        place += 1;
    }
    let mut is_open = false;
    loop {
        if text.at(place) == b'(' && !is_open {
            is_open = true;
            place += 1;
        }
        let end = text.run(place, MOST_DIGITS + 1, |byte| byte.is_ascii_digit());
        if end == place || written.push(text.slice(place..end)).is_none() {
            break;
        }
        place = end;
        if is_open && text.at(place) == b')' {
            written.has_parentheses = true;
            is_open = false;
            place += 1;
        } else if is_open {
            break;
        }
        written.end = place;
        match text.at(place) {
            b' ' | b'-' | b'.' | b'/' => {
                place += 1;
                // `030 / 123`, `(555) - 123`
                if matches!(text.at(place), b'-' | b'/') && text.at(place + 1) == b' ' {
                    place += 2;
                } else if text.at(place) == b' ' && text.before(place) != b' ' {
                    place += 1;
                }
            }
            b'(' => {}
            0xc2 if text.at(place + 1) == 0xa0 => place += 2,
            byte if byte.is_ascii_digit() => {}
            _ => break,
        }
    }
    if is_word(text.at(written.end)) || written.groups().len() > 8 || written.digits().is_empty() {
        return None;
    }
    Some(written)
}

/// E.164, 6: fifteen with the country code; two more for the prefix `00`.
const MOST_DIGITS: usize = 17;

/// Behind a number: `x123`, `ext. 123`, `;ext=123`.
fn extension_end(text: Text<'_>, end: usize) -> usize {
    let place = text.run(end, 2, |byte| is_blank(byte) || byte == b';');
    for mark in [&b"ext"[..], b"x"] {
        if text.has_caseless(place, mark) {
            let from = text.run(place + mark.len(), 3, |byte| b". =:".contains(&byte));
            let until = text.run(from, 6, |byte| byte.is_ascii_digit());
            if until > from && !is_word(text.at(until)) {
                return until;
            }
        }
    }
    end
}

/// Whether digits behind a `+` are a country code and as many digits as numbers there
/// have; also with the national prefix in parentheses, `+49 (0)171 …`.
fn is_international(digits: &[u8]) -> bool {
    let Some((code, least, most)) = country(digits) else { return false };
    let rest = digits.get(code..).unwrap_or_default();
    let most = if rest.first() == Some(&b'0') { most + 1 } else { most };
    (least..=most).contains(&rest.len())
}

/// Digits of the country code that `digits` begin with, and of a number behind it.
fn country(digits: &[u8]) -> Option<(usize, usize, usize)> {
    /// Code, fewest and most digits behind it, by the ITU's national numbering plans.
    const PLANS: &[(&str, usize, usize)] = &[
        ("1", 10, 10),
        ("7", 10, 10),
        ("20", 8, 10),
        ("27", 9, 9),
        ("30", 10, 10),
        ("31", 9, 9),
        ("32", 8, 9),
        ("33", 9, 9),
        ("34", 9, 9),
        ("36", 8, 9),
        ("39", 6, 11),
        ("40", 9, 9),
        ("41", 9, 9),
        ("43", 5, 13),
        ("44", 9, 10),
        ("45", 8, 8),
        ("46", 7, 10),
        ("47", 8, 8),
        ("48", 9, 9),
        ("49", 6, 13),
        ("51", 8, 9),
        ("52", 10, 11),
        ("53", 8, 8),
        ("54", 10, 11),
        ("55", 10, 11),
        ("56", 9, 9),
        ("57", 8, 10),
        ("58", 10, 10),
        ("60", 8, 10),
        ("61", 9, 9),
        ("62", 8, 12),
        ("63", 8, 10),
        ("64", 8, 10),
        ("65", 8, 8),
        ("66", 8, 9),
        ("81", 9, 10),
        ("82", 8, 10),
        ("84", 9, 10),
        ("86", 10, 11),
        ("90", 10, 10),
        ("91", 10, 10),
        ("92", 9, 10),
        ("93", 9, 9),
        ("94", 9, 9),
        ("95", 7, 10),
        ("98", 10, 10),
        ("212", 9, 9),
        ("213", 8, 9),
        ("216", 8, 8),
        ("351", 9, 9),
        ("352", 6, 9),
        ("353", 7, 9),
        ("354", 7, 9),
        ("358", 6, 10),
        ("359", 8, 9),
        ("370", 8, 8),
        ("371", 8, 8),
        ("372", 7, 8),
        ("380", 9, 9),
        ("381", 8, 9),
        ("385", 8, 9),
        ("386", 8, 8),
        ("420", 9, 9),
        ("421", 9, 9),
        ("852", 8, 8),
        ("886", 8, 9),
        ("966", 8, 9),
        ("971", 8, 9),
        ("972", 8, 9),
        ("974", 7, 8),
        ("977", 8, 10),
        ("998", 9, 9),
    ];
    let known = PLANS.iter().find(|(code, ..)| {
        code.as_bytes().first() == digits.first() && digits.starts_with(code.as_bytes())
    });
    if let Some((code, least, most)) = known {
        return Some((code.len(), *least, *most));
    }
    // The zones 2, 3, 4, 5, 6, 8 and 9 have codes of three digits besides.
    matches!(digits.first()?, b'2'..=b'6' | b'8' | b'9').then_some((3, 6, 10))
}

/// Whether it is written as numbers are in some country, and as little else is.
fn is_national(text: Text<'_>, start: usize, written: &Written) -> bool {
    let separator = text.at(start + written.groups().first().copied().unwrap_or(0));
    let digits = written.digits();
    let is_north_american = |digits: &[u8]| {
        matches!(digits.first(), Some(b'2'..=b'9')) && matches!(digits.get(3), Some(b'2'..=b'9'))
    };
    match written.groups() {
        // (212) 555-0100, 212-555-0100, 212.555.0100, 1-212-…
        [3, 3, 4] if written.has_parentheses => is_north_american(digits),
        // `252.227-7013` is a clause of some law.
        [3, 3, 4] if matches!(separator, b'-' | b'.') => {
            separator == text.at(start + 7) && is_north_american(digits)
        }
        [1, 3, 3, 4] if digits.starts_with(b"1") => digits.get(1..).is_some_and(is_north_american),
        // 8 (912) 345-67-89
        [1, 3, 3, 2, 2] => digits.starts_with(b"8") || digits.starts_with(b"7"),
        // (11) 91234-5678
        [2, 4 | 5, 4] if written.has_parentheses => true,
        // 07700 900123, 020 7946 0123
        [5, 6] | [5, 3, 3] => digits.starts_with(b"07"),
        [3, 4, 4] => digits.starts_with(b"02") || digits.starts_with(b"01"),
        // 030/23125 123
        [2..=5, ..] if separator == b'/' && digits.starts_with(b"0") => {
            (8..=12).contains(&digits.len()) && written.groups().len() < 5
        }
        // 01 99 00 12 34
        [2, 2, 2, 2, 2] => digits.starts_with(b"0") && digits.get(1) != Some(&b'0'),
        // 070-174 06 12
        [2..=4, 2..=3, 2..=3, 2] => {
            digits.starts_with(b"0") && (9..=11).contains(&digits.len()) && separator == b'-'
        }
        _ => false,
    }
}

/// Whether digits that something announces can be a telephone number at all: neither a
/// date, nor a version, nor a time.
fn is_plausible(written: &Written) -> bool {
    let is_date = matches!(written.groups(), [4, 2, 2, ..] | [2, 2, 4, ..]);
    (7..=15).contains(&written.digits().len()) && !is_date
}

/// Words of calls in some twenty languages.
static CALLS: WordSet<512> = WordSet::new(&[
    b"phone",
    b"tel",
    b"telephone",
    b"mobile",
    b"call",
    b"calling",
    b"caller",
    b"called",
    b"callee",
    b"dial",
    b"dialed",
    b"dialing",
    b"sms",
    b"otp",
    b"fax",
    b"whatsapp",
    b"msisdn",
    b"cell",
    b"sip",
    b"voicemail",
    b"texted",
    b"number",
    b"ring",
    b"contact",
    b"imsi",
    b"subscriber",
    b"hotline",
    b"cdr",
    b"callback",
    b"telefon",
    b"handy",
    b"mobil",
    b"anrufer",
    b"anrufen",
    b"erreichen",
    b"erreichbar",
    "rückruf".as_bytes(),
    "zurückrufen".as_bytes(),
    b"mobilnummer",
    b"rufnummer",
    b"telefono",
    "teléfono".as_bytes(),
    b"llamar",
    b"llame",
    "llámame".as_bytes(),
    "llámeme".as_bytes(),
    "móvil".as_bytes(),
    b"celular",
    b"telefone",
    b"telefonar",
    b"ligar",
    b"ligue",
    "telemóvel".as_bytes(),
    b"chiamare",
    b"chiamami",
    b"chiamatemi",
    b"richiamare",
    b"cellulare",
    "téléphone".as_bytes(),
    b"portable",
    b"joindre",
    b"rappeler",
    b"rappelez",
    b"appeler",
    b"appelez",
    b"bel",
    b"bellen",
    b"telefoonnummer",
    b"bereikbaar",
    b"mobiel",
    "zadzwonić".as_bytes(),
    "zadzwoń".as_bytes(),
    "dzwonić".as_bytes(),
    b"telefonu",
    "oddzwonić".as_bytes(),
    "komórka".as_bytes(),
    b"zavolejte",
    b"volejte",
    b"zavolat",
    b"telefonu",
    "telefonní".as_bytes(),
    b"ring",
    b"ringa",
    "nås".as_bytes(),
    b"mobilnummer",
    b"ringe",
    b"kontaktes",
    b"soita",
    b"soittakaa",
    b"puhelin",
    "hívjon".as_bytes(),
    "hívj".as_bytes(),
    "telefonszám".as_bytes(),
    "sunați".as_bytes(),
    "sună".as_bytes(),
    b"nazovite",
    b"pozovite",
    "arayın".as_bytes(),
    b"telefonum",
    b"ara",
    b"telefonumdan",
    "телефон".as_bytes(),
    "позвоните".as_bytes(),
    "звоните".as_bytes(),
    "перезвоните".as_bytes(),
    "перезвонить".as_bytes(),
    "мобильный".as_bytes(),
    "звонок".as_bytes(),
    "номер".as_bytes(),
    "тел".as_bytes(),
    "зателефонуйте".as_bytes(),
    "передзвоніть".as_bytes(),
    "передзвонити".as_bytes(),
    "телефонуйте".as_bytes(),
    "τηλέφωνο".as_bytes(),
    "καλέστε".as_bytes(),
    "κινητό".as_bytes(),
    "επικοινωνήστε".as_bytes(),
    "هاتف".as_bytes(),
    "هاتفي".as_bytes(),
    "رقم".as_bytes(),
    "اتصل".as_bytes(),
    "الجوال".as_bytes(),
    "جوالي".as_bytes(),
    "טלפון".as_bytes(),
    "הטלפון".as_bytes(),
    "להתקשר".as_bytes(),
    "נייד".as_bytes(),
    "मोबाइल".as_bytes(),
    "फ़ोन".as_bytes(),
    "फोन".as_bytes(),
    "कॉल".as_bytes(),
    "điện".as_bytes(),
    "thoại".as_bytes(),
    "gọi".as_bytes(),
    "liên".as_bytes(),
    b"hubungi",
    b"telepon",
    b"nomor",
    b"ponsel",
]);

/// Whether the word before the blanks before `start` names a call, or the line holds one.
pub(in crate::find) fn is_called(line: &[u8]) -> bool {
    line.split(|byte| !is_letter(*byte)).any(|word| CALLS.has(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str, is_expected: bool) -> Option<&str> {
        line.get(phone(Text(line.as_bytes()), 0, is_expected)?)
    }

    #[test]
    fn numbers_of_many_countries_are_found() {
        for number in [
            "+12125550100",
            "+1 (212) 555-0100",
            "+44 20 7946 0958",
            "+49 (0)171 3920012",
            "+33 6 39 98 12 34",
            "+81-90-1234-5678",
            "+7 (912) 345-67-89",
            "+353 1 234 5678",
            "+254 712 345678",
            "(212) 555-0100",
            "212-555-0100",
            "07700 900123",
            "030/23125 123",
            "01 99 00 12 34",
            "070-174 06 12",
            "0049 30 23125123",
            "8 (912) 345-67-89",
            "212-555-0100 x42",
            "1-800-555-0199",
        ] {
            assert_eq!(found(number, false), Some(number), "{number}");
        }
        assert_eq!(found("0791234567,", true), Some("0791234567"));
    }

    #[test]
    fn dates_counters_and_versions_are_no_numbers() {
        for number in [
            "2026-01-02",
            "1700000000",
            "1.2.3",
            "12:34:56",
            "0.123",
            "+1.5",
            "1024 2048 4096",
            "+123",
            "4096",
            "20260102 123456",
            "192.168.1.1",
        ] {
            assert_eq!(found(number, false), None, "{number}");
        }
        assert_eq!(found("2026-01-02", true), None);
        let text = "FILETIME 133518150945159113 -> 04/06/2025 09:45:58";
        assert_eq!(crate::find::hidden(text), [""; 0]);
    }
}
