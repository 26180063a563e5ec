//! Numbers of cards and accounts in messages of exchanges and switches: FIX, the tracks of a
//! magnetic stripe, ISO 8583.

use std::ops::Range;

use crate::find::number::check_digits::luhn;
use crate::find::scan::Scan;
use crate::find::text::{digits, is_blank, number};
use crate::kind::Kind;

/// Bytes of a message that are looked through.
const LONGEST_MESSAGE: usize = 8192;
/// Bytes of a data element.
const LONGEST_ELEMENT: usize = 512;

/// Tags of FIX whose values identify a person or open a session.
const TAGS: &[(u64, Kind)] = &[
    (1, Kind::Account),
    (96, Kind::Secret),
    (448, Kind::User),
    (523, Kind::User),
    (524, Kind::User),
    (525, Kind::User),
    (545, Kind::User),
    (553, Kind::User),
    (554, Kind::Password),
    (581, Kind::Account),
    (661, Kind::Account),
    (79, Kind::Account),
    (467, Kind::Account),
    (925, Kind::Password),
    (1402, Kind::Password),
    (1404, Kind::Password),
];

/// Elements of ISO 8583.
fn kind_of_element(number: u64) -> Option<Kind> {
    match number {
        2 | 34 | 35 | 36 | 45 => Some(Kind::Card),
        52 => Some(Kind::Code),
        102 | 103 => Some(Kind::Account),
        _ => None,
    }
}

impl Scan<'_> {
    /// `8=FIX.4.4|35=A|553=ann|554=…`, whose `FIX` is at `start..end`: parted by whatever
    /// is behind the version.
    pub(super) fn fix_message(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        if start < self.ahead {
            return None;
        }
        let mark = text.run(end, 10, |byte| byte == b'.' || byte.is_ascii_alphanumeric());
        // SOH, as it is and as it is printed.
        let sign: &[u8] =
            [&b"\x01"[..], b"|", b"^A", b";", b"\\x01", b"<SOH>", b" | ", b"\xe2\x90\x81", b" "]
                .into_iter()
                .find(|sign| text.has(mark, sign))?;
        let stop = text.run(mark, LONGEST_MESSAGE, |byte| !matches!(byte, b'\n' | b'\r' | 0));
        if self.is_read(start, stop) {
            return None;
        }
        let mut place = mark;
        while place < stop && text.has(place, sign) {
            let tag = place + sign.len();
            let equals = text.run(tag, 6, |byte| byte.is_ascii_digit());
            if text.at(equals) != b'=' {
                break;
            }
            let value = equals + 1;
            let rest = text.slice(value..stop);
            let until = memchr::memmem::find(rest, sign).map_or(stop, |at| value + at);
            let kind = number(text.slice(tag..equals))
                .and_then(|tag| TAGS.iter().find(|(known, _)| *known == tag));
            if let Some((_, kind)) = kind {
                self.hide_filled(value..until, *kind);
            }
            place = until;
        }
        None
    }

    /// `B4111…^LEE/ANN^2712…?`, the first track of a stripe (ISO/IEC 7813), whose number is
    /// behind the letter at `start`.
    pub(in crate::find) fn first_track(&mut self, start: usize) -> Option<usize> {
        let text = self.text;
        let account = start + 1;
        let caret = text.run(account, 19, |byte| byte.is_ascii_digit());
        let name = text.run(caret + 1, 26, |byte| byte != b'^' && byte >= b' ');
        if caret - account < 12 || text.at(caret) != b'^' || text.at(name) != b'^' {
            return None;
        }
        let rest = text.run(name + 1, 64, |byte| byte > b' ' && byte != b'?');
        self.hide(account..caret, Kind::Card);
        self.hide_filled(caret + 1..text.run_back(name, 26, |byte| byte == b' '), Kind::Name);
        Some(self.hide(name + 1..rest, Kind::Card))
    }

    /// `;4111…=2712…?`, the second track, whose number is at `start..end`.
    pub(in crate::find) fn second_track(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let stop = text.run(end + 1, 32, |byte| byte.is_ascii_digit());
        let is_track = stop - end > 7 && !text.at(stop).is_ascii_alphanumeric();
        is_track.then(|| self.hide(start..stop, Kind::Card))
    }

    /// `4111…D2712…`, the second track as terminals write it, if the check digit and the month
    /// of its end are right; the word is at `start..end`.
    pub(in crate::find) fn joined_track(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let sign = text.run(start, 20, |byte| byte.is_ascii_digit());
        let stop = text.run(sign + 1, 24, |byte| byte.is_ascii_digit());
        let stop = text.run(stop, 1, |byte| byte == b'F');
        if text.at(sign) != b'D' || stop != end || stop - sign < 8 {
            return None;
        }
        let (digits, count) = digits::<19>(text.slice(start..sign))?;
        let month = number(text.slice(sign + 3..sign + 5))?;
        let is_card = count >= 13 && luhn(digits.get(..count)?) && (1..=12).contains(&month);
        is_card.then(|| self.hide(start..end, Kind::Card))
    }

    /// `DE35: 4111…=2712…`: the element whose number is in `number_at`, and its value from
    /// `from` on.
    pub(super) fn data_element(&mut self, number_at: Range<usize>, from: usize) -> Option<usize> {
        let text = self.text;
        let kind = kind_of_element(number(text.slice(number_at))?)?;
        // `"DE2": "…"`, `DE2 (PAN) = …`, `id="2" value="…"`
        let mut place = text.run(from, 2, |byte| matches!(byte, b'"' | b'\'' | b']'));
        place = text.run(place, 4, is_blank);
        if text.at(place) == b'(' {
            place = text.run(place, 48, |byte| byte != b')' && byte != b'\n') + 1;
        }
        place = text.run(place, 12, is_blank);
        if text.has(place, b"value") {
            place += 5;
        }
        let value = text.run(place, 8, |byte| b" :=><[]\"'\t-".contains(&byte));
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"=^/*".contains(&byte);
        let is_named = |byte: u8| is_part(byte) || kind == Kind::Card && b" .".contains(&byte);
        let end = text.run(value, LONGEST_ELEMENT, is_part);
        let bytes = text.slice(value..end);
        // Track 1 has a name, which has blanks.
        let end = match bytes.iter().filter(|byte| **byte == b'^').count() {
            1 => text.run(value, LONGEST_ELEMENT, is_named),
            _ => end,
        };
        let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
        let is_masked = bytes.contains(&b'*');
        let is_joined = text.slice(from..value).iter().any(|byte| !is_blank(*byte));
        // Of a PIN's block, the digits may be few.
        let least = if kind == Kind::Code { 3 } else { 8 };
        if !is_joined || digits < least || end - value < 12 && kind != Kind::Account || is_masked {
            return None;
        }
        self.hide_filled(value..end, kind).then_some(end)
    }

    /// `field 35: …`, `DE 035 = …`, `<field id="35" value="…"/>`, whose word ends at `end`.
    pub(super) fn numbered_element(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let number = if text.has(end, b" id=\"") { end + 5 } else { end + 1 };
        let stop = text.run(number, 4, |byte| byte.is_ascii_digit());
        if stop == number { None } else { self.data_element(number..stop, stop) }
    }
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn messages_of_exchanges_are_parted_by_what_is_behind_the_version() {
        for sign in ["\x01", "|", "^A", "<SOH>", " | "] {
            let text = "8=FIX.4.2|9=70|35=A|49=BUY|553=ann|554=tulip|925=rose|1=4053201|10=017|";
            let text = text.replace('|', sign);
            assert_eq!(hidden(&text), ["ann", "tulip", "rose", "4053201"], "{text}");
        }
    }

    #[test]
    fn tracks_and_elements_are_hidden_with_all_that_is_on_them() {
        for (text, wanted) in [
            (
                "track2=;4111111111111111=27121011000000123?",
                &["4111111111111111=27121011000000123"][..],
            ),
            (
                "[DE45] B4111111111111111^LEE/ANN M^2712101",
                &["B4111111111111111^LEE/ANN M^2712101"],
            ),
            ("57: 4111111111111111D27121011234567890F", &["4111111111111111D27121011234567890F"]),
            ("\"DE52\": \"0123ABCD4567EF89\"", &["0123ABCD4567EF89"]),
            ("<field id=\"52\" value=\"C4A6A5554DEF0EBB\"/>", &["C4A6A5554DEF0EBB"]),
            ("F102 : 4053201388", &["4053201388"]),
        ] {
            assert_eq!(hidden(text), wanted, "{text}");
        }
    }

    #[test]
    fn elements_that_are_masked_or_of_other_numbers_stay() {
        for text in [
            "DE3: 000000\nDE4: 000000012500\nDE11: 123456\nDE37: 601234567890\nDE41: TERM0001",
            "DE2: 411111******1111",
            "<field id=\"37\" value=\"601234567890\"/>",
            "for bit 52 see the table of 64 elements",
            "ABC ;4=5;41=2;42",
            "1700000000000=3",
            "4111111111111112D27121011234567890F",
            "%B %d %Y^%B",
            "8=FIX.4.4 is the version",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
