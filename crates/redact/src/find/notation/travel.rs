//! Travellers and drivers: reservations of airlines, and what the bar code of an American
//! driving licence says.

use std::ops::Range;

use super::judge::is_filled;
use crate::find::plausible::place::is_coordinate;
use crate::find::scan::Scan;
use crate::find::text::{Text, is_blank};
use crate::kind::Kind;

/// Elements of a driving licence (AAMVA, card design standard, D.12.5).
const ELEMENTS: &[(&[u8], Kind)] = &[
    (b"DAA", Kind::Name),
    (b"DAB", Kind::Name),
    (b"DAC", Kind::Name),
    (b"DAD", Kind::Name),
    (b"DAG", Kind::Address),
    (b"DAH", Kind::Address),
    (b"DAI", Kind::Address),
    (b"DAK", Kind::Address),
    (b"DAL", Kind::Address),
    (b"DAN", Kind::Address),
    (b"DAP", Kind::Address),
    (b"DAQ", Kind::Passport),
    (b"DBB", Kind::Birth),
    (b"DBG", Kind::Name),
    (b"DBK", Kind::NationalId),
    (b"DBN", Kind::Name),
    (b"DCF", Kind::Passport),
    (b"DCK", Kind::Passport),
    (b"DCS", Kind::Name),
    (b"DCT", Kind::Name),
];

/// Bytes of an element.
const LONGEST_ELEMENT: usize = 80;

/// Titles at the end of a traveller's name.
const TITLES: &[&[u8]] = &[b"MR", b"MRS", b"MISS", b"MSTR", b"CHD", b"INF", b"MS", b"DR", b"PROF"];
/// Those of them that mean little else, and make a traveller without a number.
const SURE_TITLES: usize = 6;

fn line_end(text: Text<'_>, place: usize) -> usize {
    text.run(place, LONGEST_ELEMENT, |byte| !matches!(byte, b'\n' | b'\r' | 0 | 0x1e))
}

impl Scan<'_> {
    /// `DCSLEE`, a line of a licence, or `DCS: LEE`, with the word at `start`.
    pub(super) fn licence_line(&mut self, start: usize) -> Option<usize> {
        let text = self.text;
        let (_, kind) = ELEMENTS.iter().find(|(code, _)| text.has(start, code))?;
        let behind = start + 3;
        let end = line_end(text, behind);
        // The first one is glued to the type of the file: `DLDAQT642…`.
        let begins = matches!(text.before(start), b'\n' | b'\r' | 0);
        let colon = text.run(behind, 2, is_blank);
        let is_listed = matches!(text.at(colon), b':' | b'=');
        let is_code = |from: usize| {
            text.at(from) == b'D'
                && matches!(text.at(from + 1), b'A'..=b'D')
                && text.at(from + 2).is_ascii_uppercase()
        };
        // `"DCS": "LEE"`
        if text.has(behind, b"\"") && text.before(start) == b'"' {
            let colon = text.run(behind + 1, 2, is_blank);
            let quote = text.run(colon + 1, 2, is_blank);
            let stop = text.run(quote + 1, LONGEST_ELEMENT, |byte| byte != b'"' && byte != b'\n');
            let is_string = text.at(colon) == b':' && text.at(quote) == b'"';
            return (is_string && self.hide_filled(quote + 1..stop, *kind)).then_some(stop);
        }
        // One of several such lines, which have capitals only.
        let gap = |byte: u8| matches!(byte, b'\n' | b'\r');
        let next = text.run(end, 2, gap);
        let third = text.run(line_end(text, next), 2, gap);
        let above = |line: usize| {
            let end = text.run_back(line, 2, gap);
            text.run_back(end, LONGEST_ELEMENT, |byte| !gap(byte) && byte != 0)
        };
        let (prior, before) = (above(start), above(above(start)));
        let around = [next, third, prior, before];
        let others = around.into_iter().filter(|line| *line != start && is_code(*line)).count();
        let is_small = text.slice(behind..end).iter().any(u8::is_ascii_lowercase);
        if !begins || others < 2 || is_small {
            return None;
        }
        let from = if is_listed { text.run(colon + 1, 4, is_blank) } else { behind };
        let stop = text.run_back(end, end - from, |byte| byte == b' ' || byte == b',');
        self.hide_filled(from..stop, *kind).then_some(end)
    }

    /// `…DLDAQT64235789`: the first element behind the header of a licence, whose word is at
    /// `start`.
    pub(in crate::find) fn licence_header(&mut self, start: usize) -> Option<usize> {
        let text = self.text;
        let end = text.run(start, 128, |byte| byte > b' ');
        let mark = [&b"DLDAQ"[..], b"IDDAQ"]
            .into_iter()
            .find_map(|mark| memchr::memmem::find(text.slice(start..end), mark))?;
        self.hide_filled(start + mark + 5..end, Kind::Passport).then_some(end)
    }

    /// `1.1SMITH/JOHN MR`, whose `/` is at `slash`: the names around it.
    pub(super) fn traveller(&mut self, slash: usize) -> Option<usize> {
        let text = self.text;
        let is_letter = |byte: u8| byte.is_ascii_uppercase();
        if !is_letter(text.before(slash)) {
            return None;
        }
        // `.Y/LH146553383/FTL`: the number of a frequent flyer, on the tag of a bag.
        let line = slash.saturating_sub(3);
        if text.slice(line..slash) == b"\n.Y" {
            let end = text.run(slash + 1, 24, |byte| byte.is_ascii_alphanumeric());
            return self.hide_filled(slash + 1..end, Kind::Account).then_some(end);
        }
        let start = text.run_back(slash, 30, |byte| is_letter(byte) || b"- ".contains(&byte));
        // The number of the traveller, or of the name: `1.`, `1.1`.
        let is_point = text.before(start) == b'.';
        let is_numbered = text.before(start - usize::from(is_point)).is_ascii_digit();
        let is_second = is_numbered && !is_point && text.before(start - 1) == b'.';
        let start = match is_numbered {
            true => text.run(start, 1, |byte| byte == b' '),
            false => text.run_back(slash, 30, |byte| is_letter(byte) || byte == b'-'),
        };
        let given = text.run(slash + 1, 30, is_letter);
        if slash - start < 2 || given - slash < 3 || text.at(given) == b'/' {
            return None;
        }
        // `JOHN MR`, `JOHN PAUL MR`, `JOHNMR`
        let next = text.run(given + 1, 12, is_letter);
        let third = text.run(next + 1, 12, is_letter);
        let titles = TITLES.get(..SURE_TITLES).filter(|_| !is_numbered).unwrap_or(TITLES);
        let goes_on = |end: usize| {
            !is_numbered && text.at(end) == b' ' && text.at(end + 1).is_ascii_alphabetic()
        };
        let is_title = |range: Range<usize>| {
            titles.contains(&text.slice(range.clone())) && !goes_on(range.end)
        };
        let is_titled = text.at(given) == b' ' && is_title(given + 1..next);
        let is_titled_later = text.has(next, b" ") && next > given + 1 && is_title(next + 1..third);
        let word = text.slice(slash + 1..given);
        let has_title =
            TITLES.iter().any(|title| word.len() > title.len() + 1 && word.ends_with(title));
        // `LEE/BO(CHD/12JUL15)`
        let is_child = text.has(given, b"(CHD") || text.has(given, b"(INF");
        let is_whole = !text.at(given).is_ascii_alphanumeric();
        // `M1LEE/ANN            EABC123 …` of a boarding pass; `.P/1LEE/ANN` of a bag.
        let is_pass = text.slice(start.saturating_sub(2)..start) == b"M1"
            && text.at(start + 20) == b'E'
            && text.run(given, 20, |byte| is_letter(byte) || byte == b' ') > start + 20;
        let numbered = text.run_back(start, 2, |byte| byte.is_ascii_digit());
        let is_bag = text.slice(numbered.saturating_sub(3)..numbered) == b".P/" && is_whole;
        if is_bag || is_pass {
            let given_end = text.run(given, 20, |byte| is_letter(byte) || byte == b' ');
            let padded = text.run_back(given_end.min(start + 20), 20, |byte| byte == b' ');
            let stop = if is_pass { padded } else { given };
            return Some(self.hide(start..stop, Kind::Name));
        }
        let end = match is_titled_later && !is_titled {
            true => next,
            false => given,
        };
        let is_traveller = is_titled
            || is_child
            || is_titled_later
            || is_numbered && has_title
            || is_second && is_whole && text.before(start) != b' ';
        is_traveller.then(|| self.hide(start..end, Kind::Name))
    }

    /// `CTCM BA HK1/441353555012`, `FOID BA HK1 PP012345678/P1`: the value at the end of the
    /// line whose word is at `start..end`.
    pub(super) fn contact_of_traveller(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let line = text.run(end, 96, |byte| !matches!(byte, b'\n' | b'\r' | 0));
        let stop = text.run_back(line, 16, |byte| byte == b' ');
        // `/P1`: which traveller.
        let number = text.run_back(stop, 2, |byte| byte.is_ascii_digit());
        let is_numbered = number < stop && text.slice(number.saturating_sub(2)..number) == b"/P";
        let stop = if is_numbered { number - 2 } else { stop };
        let is_part = |byte: u8| byte > b' ' && byte != b'/';
        let is_mail = text.has(start, b"CTCE");
        let from = match is_mail {
            // `ANN.LEE//EXAMPLE.ORG`, whose signs are doubled.
            true => text.run(end, stop.saturating_sub(end), |byte| byte != b'/') + 1,
            false => text.run_back(stop, 64, is_part),
        };
        let kind = match text.slice(start..end) {
            b"FOID" => Kind::Passport,
            b"FQTV" => Kind::Account,
            b"CTCE" => Kind::Email,
            _ => Kind::Phone,
        };
        let is_foid =
            kind == Kind::Passport && text.slice(from..from + 2).iter().all(u8::is_ascii_uppercase);
        let from = if is_foid { from + 2 } else { from };
        // `FQTV BA HK1/BA478907970-1LEE/ANN`: whose it is is behind the number.
        let behind = text.run(end, line - end, |byte| byte != b'/') + 1;
        let dash = text.run(behind, 24, |byte| byte.is_ascii_alphanumeric());
        let is_named = kind == Kind::Account && text.at(dash) == b'-' && dash < line;
        let (from, stop) = if is_named { (behind, dash) } else { (from, stop) };
        let digits = text.slice(from..stop).iter().filter(|byte| byte.is_ascii_digit()).count();
        if from <= end || stop <= from + 4 || !is_mail && digits < 5 {
            return None;
        }
        self.hide_filled(from..stop, kind).then_some(if is_named { stop } else { line })
    }

    /// Longitudes and latitudes between blanks, from `from` to the end of the element.
    pub(super) fn list_of_places(&mut self, start: usize, from: usize) -> Option<usize> {
        let text = self.text;
        let end = text.run(from, 1 << 16, |byte| byte != b'<' && byte != 0);
        if self.is_read(start, end) {
            return None;
        }
        let mut place = text.run(from, end - from, |byte| byte.is_ascii_whitespace());
        while place < end {
            let stop = text.run(place, end - place, |byte| !byte.is_ascii_whitespace());
            let comma = text.run(place, stop - place, |byte| byte != b',');
            let second = text.run(comma + 1, stop.saturating_sub(comma + 1), |byte| byte != b',');
            let is_exact = is_coordinate(text.slice(place..comma), 2)
                && is_coordinate(text.slice(comma + 1..second), 2);
            if is_exact {
                self.hide(place..second, Kind::Place);
            }
            place = text.run(stop, end - stop, |byte| byte.is_ascii_whitespace());
        }
        Some(end)
    }

    /// `SSR DOCS BA HK1/P/GBR/012345678/GBR/12JUL76/M/23AUG26/SMITH/JOHN`, whose `DOCS` ends
    /// at `end`; and `DOCA`, an address.
    pub(super) fn travel_document(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let is_address = text.before(end) == b'A';
        let stop = text.run(end, 256, |byte| !matches!(byte, b'\n' | b'\r' | b'\'' | 0));
        let first = text.run(end, stop - end, |byte| byte != b'/' && byte != b'-');
        if self.is_read(start, first) || first == stop || first - end > 24 {
            return None;
        }
        let documents: &[(usize, Kind)] = &[
            (3, Kind::Passport),
            (5, Kind::Birth),
            (8, Kind::Name),
            (9, Kind::Name),
            (10, Kind::Name),
        ];
        let addresses: &[(usize, Kind)] =
            &[(3, Kind::Address), (4, Kind::Address), (6, Kind::Address)];
        let places = if is_address { addresses } else { documents };
        // `HK1 P/GBR/…`: the type of the document is before the first sign.
        let sign = text.at(first);
        let is_typed = text.before(first).is_ascii_uppercase() && text.before(first - 1) == b' ';
        let mut from = if is_typed { first - 1 } else { first + 1 };
        for number in 1..=10 {
            let until = text.run(from, stop.saturating_sub(from), |byte| byte != sign);
            let value = from..text.run_back(until, until - from, |byte| byte == b' ');
            let kind = places.iter().find(|(wanted, _)| *wanted == number).map(|(_, kind)| *kind);
            if let Some(kind) = kind {
                let bytes = text.slice(value.clone());
                // `12JUL76` has fewer digits than other dates; `P1` is a number of a name.
                let is_day = kind == Kind::Birth
                    && bytes.len() == 7
                    && bytes
                        .get(2..5)
                        .is_some_and(|month| month.iter().all(u8::is_ascii_uppercase));
                if is_day || is_filled(bytes, kind) && !bytes.ends_with(b"1") {
                    self.hide(value, kind);
                }
            }
            if until >= stop {
                break;
            }
            from = until + 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn travellers_are_read_from_reservations() {
        for (text, wanted) in [
            ("1.1SMITH/JOHN MR  2.1LEE/ANN MRS", &["SMITH/JOHN", "LEE/ANN"][..]),
            ("  1.SMITH/JOHNMR   2.LEE/ANNMRS\n", &["SMITH/JOHNMR", "LEE/ANNMRS"]),
            ("2.LEE/BO(CHD/12JUL15)", &["LEE/BO"]),
            (
                "SSR DOCS BA HK1 P/GBR/012345678/GBR/12JUL76/M/23AUG26/LEE/ANN",
                &["012345678", "12JUL76", "LEE", "ANN"],
            ),
            (
                "SR DOCS YY HK1-P-GBR-012345678-GBR-12JUL76-F-23AUG26-LEE-ANN-H/P1",
                &["012345678", "12JUL76", "LEE", "ANN"],
            ),
            ("SSR FQTV BA HK1/BA478907970-1LEE/ANN MR\n", &["BA478907970", "LEE/ANN"]),
            ("SSR CTCE BA HK1/ANN.LEE//EXAMPLE.ORG/P1", &["ANN.LEE//EXAMPLE.ORG"]),
            ("636014090002DL00410278DLDAQI2916575\n", &["I2916575"]),
            ("NM1SMITH/JOHN PAUL MR", &["SMITH/JOHN PAUL"]),
            ("M1SMITH/JOHN          EABC123 LHRJFKBA 0117 204Y055D0027 100", &["SMITH/JOHN"]),
            (
                "BSM\n.F/BA117/18MAR/JFK/Y\n.P/1SMITH/JOHN\n.Y/BA14655338/FTL\nENDBSM",
                &["SMITH/JOHN", "BA14655338"],
            ),
            (
                "SSR DOCS BA HK1/P/GBR/012345678/GBR/12JUL76/M/23AUG26/SMITH/JOHN/P1",
                &["012345678", "12JUL76", "SMITH", "JOHN"],
            ),
            (
                "SSR DOCA BA HK1/R/GBR/9 HIGH STREET/ELY//CB7 4AA",
                &["9 HIGH STREET", "ELY", "CB7 4AA"],
            ),
        ] {
            assert_eq!(hidden(text), wanted, "{text}");
        }
    }

    #[test]
    fn elements_of_a_licence_are_lines() {
        let text = "@\n\x1e\rANSI 636014040002DL00410477ZC05180089DLDAQD1234562\nDCSLEE\nDACANN\nDBB02031980\nDBC1\nDAYBRO\nDAG9 HIGH STREET\nDAIELY\nDAJCA\nDAK947110000  \n";
        assert_eq!(
            hidden(text),
            ["D1234562", "LEE", "ANN", "02031980", "9 HIGH STREET", "ELY", "947110000"]
        );
    }

    #[test]
    fn elements_of_a_licence_are_fields() {
        let text = "{\"DAQ\": \"D1234562\", \"DCS\":\"LEE\", \"DBC\": \"1\"}";
        assert_eq!(hidden(text), ["D1234562", "LEE"]);
    }

    #[test]
    fn flights_codes_and_paths_stay() {
        for text in [
            "2 BA 117 Y 12JUL 5 LHRJFK HK1",
            "RP/LON1A0980/LON1A0980",
            "READ/WRITE, AND/OR, CLIENT/SERVER",
            "1.READ/WRITE",
            "src/DATA/FILE and TCP/IP",
            "DATABASE\nDAMAGED\nDCSS\n",
            "DBC1\nDAU070 in\nDAYBRO\n",
            "DAGSTUHL\nDBBACKUP\nx\n",
            "DAC: digital to analog\nDCSS\n",
            "SEE DOCS FOR THE FORMAT",
            "1.2/3.4 GET/SET",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
