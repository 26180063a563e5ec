//! Commands and answers of modems (3GPP TS 27.007, 27.005, and those of Wi-Fi modules).

use std::ops::Range;

use crate::find::scan::Scan;
use crate::find::text::{Text, is_blank};
use crate::kind::Kind;

/// A command, and which of its arguments are what, counted from 0; the same in an answer.
type Command = (&'static [u8], &'static [(usize, Kind)]);

const COMMANDS: &[Command] = &[
    (b"CPIN", &[(0, Kind::Code), (1, Kind::Code)]),
    (b"CPWD", &[(1, Kind::Code), (2, Kind::Code)]),
    (b"CLCK", &[(2, Kind::Code)]),
    (b"CMGS", &[(0, Kind::Phone)]),
    (b"CMGW", &[(0, Kind::Phone)]),
    (b"CMGL", &[(2, Kind::Phone)]),
    (b"CMGR", &[(1, Kind::Phone)]),
    (b"CMT", &[(0, Kind::Phone)]),
    (b"CLIP", &[(0, Kind::Phone)]),
    (b"COLP", &[(0, Kind::Phone)]),
    (b"CCWA", &[(0, Kind::Phone)]),
    (b"CNUM", &[(1, Kind::Phone)]),
    (b"CLCC", &[(5, Kind::Phone)]),
    (b"CPBR", &[(1, Kind::Phone), (3, Kind::Name)]),
    (b"CPBF", &[(1, Kind::Phone), (3, Kind::Name)]),
    (b"CPBW", &[(1, Kind::Phone), (3, Kind::Name)]),
    (b"CWJAP", &[(1, Kind::Password)]),
    (b"CWJAP_DEF", &[(1, Kind::Password)]),
    (b"CWJAP_CUR", &[(1, Kind::Password)]),
    (b"CWSAP", &[(1, Kind::Password)]),
    (b"CSTT", &[(1, Kind::User), (2, Kind::Password)]),
    (b"CGAUTH", &[(2, Kind::User), (3, Kind::Password)]),
    (b"QICSGP", &[(3, Kind::User), (4, Kind::Password)]),
    (b"MQTTUSERCFG", &[(3, Kind::User), (4, Kind::Password)]),
];

/// Bytes of a line.
const LONGEST: usize = 256;

/// The arguments from `from` on to the end of the line, without their quotes.
fn arguments(text: Text<'_>, from: usize) -> impl Iterator<Item = Range<usize>> {
    let mut place = Some(from);
    std::iter::from_fn(move || {
        let start = text.run(place?, 2, is_blank);
        let is_quoted = text.at(start) == b'"';
        let ends = |byte: u8| {
            matches!(byte, b'\r' | b'\n' | 0) || byte == if is_quoted { b'"' } else { b',' }
        };
        let start = start + usize::from(is_quoted);
        let end = text.run(start, LONGEST, |byte| !ends(byte));
        let comma = end + usize::from(is_quoted && text.at(end) == b'"');
        place = (text.at(comma) == b',').then_some(comma + 1);
        Some(start..end)
    })
}

impl Scan<'_> {
    /// `AT+CPIN="4711"`, `+CMGL: 1,"REC READ","0135…"`, with the command at `start..end`.
    pub(super) fn modem_command(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let from = match text.at(end) {
            b'=' if text.at(end + 1) != b'?' => end + 1,
            b':' => end + 1,
            _ => return None,
        };
        let name = text.slice(start..end);
        let (_, places) = COMMANDS.iter().find(|(known, _)| *known == name)?;
        for (number, argument) in arguments(text, from).take(8).enumerate() {
            let kind = places.iter().find(|(wanted, _)| *wanted == number);
            if let Some((_, kind)) = kind {
                self.hide_filled(argument, *kind);
            }
        }
        None
    }

    /// `AT+CGSN⏎359417676298840`, `+CCID: 8944…`: the number of a device or a card behind the
    /// command that ends at `end`.
    pub(super) fn number_of_device(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let mut start =
            text.run(end, 12, |byte| byte.is_ascii_whitespace() || b"?:=\"".contains(&byte));
        // The answer repeats the command.
        if text.at(start) == b'+' {
            start = text.run(start, 12, |byte| byte != b':' && byte > b' ');
            start = text.run(start, 4, |byte| b": \"".contains(&byte));
        }
        let stop = text.run(start, 24, |byte| byte.is_ascii_digit());
        let is_number = (14..=20).contains(&(stop - start)) && !text.at(stop).is_ascii_alphabetic();
        if is_number && self.hide_filled(start..stop, Kind::Mac) { Some(stop) } else { None }
    }

    /// `ATD0135355501;`, with the word at `start`.
    pub(super) fn dialled(&mut self, start: usize) -> Option<usize> {
        let text = self.text;
        let from = start + 3 + usize::from(matches!(text.at(start + 3), b'T' | b'P'));
        let end = text.run(from, 24, |byte| byte.is_ascii_digit());
        let ends = matches!(text.at(end), b';' | b'\r' | b'\n' | 0 | b'"' | b',' | b' ');
        if ends && self.hide_filled(from..end, Kind::Phone) { Some(end) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn arguments_are_known_by_their_place() {
        for (text, wanted) in [
            ("AT+CPIN=\"4711\"\r\nOK", &["4711"][..]),
            ("AT+CPWD=\"SC\",\"4711\",\"8822\"", &["4711", "8822"]),
            ("+CMGL: 1,\"REC READ\",\"0135355501\",,\"26/01/02,09:30:00+00\"", &["0135355501"]),
            ("+CPBR: 1,\"0135355501\",129,\"Ann\"", &["0135355501", "Ann"]),
            ("AT+CWJAP=\"home\",\"tulip99\"", &["tulip99"]),
            ("AT+CGSN\r\n\r\n359417676298840\r\nOK", &["359417676298840"]),
            ("AT+CIMI\n234150999999999\nOK", &["234150999999999"]),
            ("+CCID: 8944110068822882211", &["8944110068822882211"]),
            ("ATD0135355501;", &["0135355501"]),
        ] {
            assert_eq!(hidden(text), wanted, "{text}");
        }
    }

    #[test]
    fn states_and_questions_stay() {
        for text in [
            "AT+CPIN?\r\n+CPIN: READY\r\nOK",
            "+CPIN: SIM PIN",
            "AT+CMGL=\"ALL\"",
            "AT+CMGF=1\r\nOK\r\n+CSQ: 21,99",
            "AT+CGSN=?\r\nOK",
            "AT+CWJAP?\nNo AP",
            "ATDEBUG 17 ATD;",
            "+CLCK: 0",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
