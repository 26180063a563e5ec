//! The machine-readable zone of passports, identity cards and visas (ICAO 9303).

use std::ops::Range;

use crate::find::scan::Scan;
use crate::find::text::Text;
use crate::kind::Kind;

/// Characters of the longest line.
const LONGEST: usize = 44;

fn is_part(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'<'
}

/// Where in a line a number and its check digit behind it are.
type Checked = (usize, usize);

/// The number of the document, and the date of birth, of lines of a length.
const CHECKED: &[(usize, Checked, Checked)] = &[
    // Second lines: TD3 and visas of size A, TD2 and visas of size B.
    (44, (0, 9), (13, 19)),
    (36, (0, 9), (13, 19)),
    // TD1: the number in the first line, the dates in the second.
    (30, (5, 14), (5, 14)),
    (30, (0, 6), (8, 14)),
];

/// Whether the digit at `end` checks what is from `start` on: weights 7, 3, 1.
fn checks(line: &[u8], (start, end): Checked) -> bool {
    let value = |byte: u8| match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A'..=b'Z' => u32::from(byte - b'A') + 10,
        _ => 0,
    };
    let weights = [7, 3, 1].into_iter().cycle();
    let part = line.get(start..end).unwrap_or_default();
    let sum: u32 = part.iter().zip(weights).map(|(byte, weight)| value(*byte) * weight).sum();
    part.iter().any(u8::is_ascii_digit)
        && line.get(end).is_some_and(|digit| u32::from(digit.wrapping_sub(b'0')) == sum % 10)
}

/// Whether a line of TD1 is the one with the number of the document, behind its type.
fn is_first(line: &[u8]) -> bool {
    line.len() == 30 && line.first().is_some_and(u8::is_ascii_uppercase)
}

impl Scan<'_> {
    /// The lines of a zone in which the `<` at `place` is the first; gives their end.
    pub(super) fn zone(&mut self, place: usize) -> Option<usize> {
        let text = self.text;
        let start = text.run_back(place, LONGEST, is_part);
        let end = text.run(place, LONGEST + LONGEST, is_part);
        if is_part(text.before(start)) || is_part(text.at(end)) {
            return None;
        }
        // Two or three lines may be written as one.
        let len = match end - start {
            len @ (30 | 36 | 44) => len,
            90 => 30,
            72 => 36,
            88 => 44,
            _ => return None,
        };
        let mut line = start;
        let mut is_zone = false;
        while line < end {
            is_zone |= self.zone_line(line, line + len, line > start);
            line += len;
        }
        is_zone.then_some(end)
    }

    /// Hides a line of numbers, of as many characters as the names have.
    fn numbers(&mut self, line: Range<usize>, len: usize) {
        let bytes = self.text.slice(line.clone());
        let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
        let is_first = is_first(bytes);
        if line.len() == len && digits >= if is_first { 1 } else { 6 } {
            self.parts_of_zone(line);
        }
    }

    /// Hides the number of the document, the date of birth and what a state adds about the
    /// holder; check digits, country, sex and the date of expiry stay.
    fn parts_of_zone(&mut self, line: Range<usize>) {
        let text = self.text;
        let parts: &[(usize, usize, Kind)] = match line.len() {
            44 => &[(0, 9, Kind::Passport), (13, 19, Kind::Birth), (28, 42, Kind::NationalId)],
            36 => &[(0, 9, Kind::Passport), (13, 19, Kind::Birth), (28, 35, Kind::NationalId)],
            _ if is_first(text.slice(line.clone())) => {
                &[(5, 14, Kind::Passport), (15, 30, Kind::NationalId)]
            }
            _ => &[(0, 6, Kind::Birth), (18, 29, Kind::NationalId)],
        };
        for (from, to, kind) in parts {
            let (start, end) = (line.start + from, line.start + to);
            self.hide(start..text.run_back(end, end - start, |byte| byte == b'<'), *kind);
        }
    }

    /// Hides what is personal in the line at `start..end` of a zone, if it is one.
    fn zone_line(&mut self, start: usize, end: usize, is_joined: bool) -> bool {
        let text = self.text;
        let line = text.slice(start..end);
        let checked = |(len, number, birth): &(usize, Checked, Checked)| {
            *len == line.len() && checks(line, *number) && checks(line, *birth)
        };
        if CHECKED.iter().any(checked)
            && line.iter().filter(|byte| byte.is_ascii_digit()).count() >= 4
        {
            self.parts_of_zone(start..end);
            return true;
        }
        let Some(names) = names(text, start, line, is_joined) else { return false };
        let stop = text.run_back(end, end - names, |byte| byte == b'<');
        self.hide(names..stop, Kind::Name);
        // The lines of the numbers, even if they were typed wrong: one below, or two above.
        let gap = |byte: u8| matches!(byte, b'\r' | b'\n');
        if line.len() > 30 {
            let below = text.run(end, 2, gap);
            self.numbers(below..text.run(below, LONGEST + 1, is_part), line.len());
        } else {
            let mut below = start;
            for _ in 0..2 {
                let stop = text.run_back(below, 2, gap);
                let from = text.run_back(stop, LONGEST + 1, is_part);
                self.numbers(from..stop, line.len());
                below = from;
            }
        }
        true
    }
}

/// Where the names begin in the line at `start`: `P<GBRLEE<<ANN<<<`, or `LEE<<ANN<<<` below
/// the dates of TD1.
fn names(text: Text<'_>, start: usize, line: &[u8], is_joined: bool) -> Option<usize> {
    let from = match (line.len(), line.first()?) {
        (36 | 44, b'P' | b'V' | b'I' | b'A' | b'C') => 5,
        (30, _) => 0,
        _ => return None,
    };
    let names = line.get(from..)?;
    let two = memchr::memmem::find(names, b"<<")?;
    let is_written = !line.iter().any(u8::is_ascii_digit)
        && two >= 2
        && names.first().is_some_and(u8::is_ascii_uppercase);
    // Without numbers, the line before or behind must be of a zone as well.
    let rest = names.get(two..)?;
    let is_filled = rest.ends_with(b"<<") || rest.iter().any(u8::is_ascii_uppercase);
    let is_below = from > 0 || is_joined || {
        let before = text.run_back(start, 2, |byte| matches!(byte, b'\r' | b'\n' | b' '));
        before < start && is_part(text.before(before))
    };
    (is_written && is_filled && is_below).then_some(start + from)
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn lines_of_a_zone_are_known_by_length_and_check_digits() {
        for (text, wanted) in [
            (
                "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
                &["ERIKSSON<<ANNA<MARIA", "L898902C3", "740812", "ZE184226B"][..],
            ),
            (
                "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6",
                &["ERIKSSON<<ANNA<MARIA", "D23145890", "740812"],
            ),
            (
                "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<L898902C36UTO7408122F1204159ZE184226B<<<<<10",
                &["ERIKSSON<<ANNA<MARIA", "L898902C3", "740812", "ZE184226B"],
            ),
            (
                "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<",
                &["D23145890", "740812", "ERIKSSON<<ANNA<MARIA"],
            ),
        ] {
            assert_eq!(hidden(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_line_below_the_names_is_hidden_even_if_it_does_not_check() {
        let text = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C37UTO7408123F1204158ZE184226B<<<<<12";
        assert_eq!(hidden(text), ["ERIKSSON<<ANNA<MARIA", "L898902C3", "740812", "ZE184226B"]);
    }

    #[test]
    fn two_lines_above_the_names_are_hidden_even_if_they_do_not_check() {
        let text = "I<GBRAB12345671<<<<<<<<<<<<<<<\n8002037F3001014GBR<<<<<<<<<<<2\nLEE<<ANN<<<<<<<<<<<<<<<<<<<<<<";
        let wanted = ["AB1234567", "800203", "LEE<<ANN"];
        assert_eq!(hidden(text), wanted);
    }

    #[test]
    fn shifts_and_markers_of_merges_stay() {
        for text in [
            "x = A<<B<<C;",
            "<<<<<<< HEAD",
            "L898902C37UTO7408122F1204159ZE184226B<<<<<10",
            "cat <<EOF\nEOF",
            "std::cout<<A<<B;",
            "NAME<<OTHER<<<<<<<<<<<<<<<<<<<",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
