//! The same text as it is read through its encodings: UTF-16, escapes of strings, percent
//! signs of URLs. What is found in a view is reported by its place in the bytes themselves.

use std::ops::Range;

use memchr::{memchr, memchr2, memrchr};

use super::utf16;
use crate::find::Carried;
use crate::find::scan::scan;
use crate::find::{Span, in_order};

/// Everything to hide in `bytes`, in order, not overlapping. `looks_inside` says whether
/// base64 is unwrapped.
pub(crate) fn find(bytes: &[u8], carried: &mut Carried, looks_inside: bool) -> Vec<Span> {
    let mut found = Vec::new();
    let mut done = 0;
    for region in utf16::regions(bytes) {
        narrow(bytes, done..region.start, carried, looks_inside, &mut found);
        done = region.end;
        let (text, places) = utf16::decode(bytes, region);
        let mut inner = Vec::new();
        narrow(&text, 0..text.len(), carried, looks_inside, &mut inner);
        for span in inner {
            found.extend(placed(span.range, &places).map(|range| Span {
                range,
                is_wide: true,
                ..span
            }));
        }
    }
    narrow(bytes, done..bytes.len(), carried, looks_inside, &mut found);
    in_order(found)
}

/// The bytes that made the decoded bytes `range`.
fn placed(range: Range<usize>, places: &[usize]) -> Option<Range<usize>> {
    Some(*places.get(range.start)?..*places.get(range.end)?)
}

/// Finds in text of single bytes, as it is and as its escapes say.
fn narrow(
    bytes: &[u8],
    part: Range<usize>,
    carried: &mut Carried,
    looks_inside: bool,
    found: &mut Vec<Span>,
) {
    let base = part.start;
    let Some(text) = bytes.get(part).filter(|text| !text.is_empty()) else { return };
    let mut push = |span: Span, from: usize| {
        let range = span.range.start + from..span.range.end + from;
        found.push(Span { range, ..span });
    };
    let Some(view) = View::of(text) else {
        for span in scan(text, looks_inside, carried) {
            push(span, base);
        }
        return;
    };
    for span in scan(&view.text, looks_inside, carried) {
        let range = view.place(span.range.start)..view.place(span.range.end);
        push(Span { range, ..span }, base);
    }
    // Escaped characters may be part of a value: `?password=a%26b&x=1`.
    for line in view.mixed {
        let Some(raw) = text.get(line.clone()) else { continue };
        for span in scan(raw, looks_inside, &mut Carried::default()) {
            push(span, base + line.start);
        }
    }
}

/// A text without its escapes.
struct View {
    text: Vec<u8>,
    /// Where the bytes of `text` came from, in order.
    stretches: Vec<Stretch>,
    /// Lines that hold percent signs among plain separators: to be read both ways.
    mixed: Vec<Range<usize>>,
}

/// Bytes that are in the text unescaped, or that one escape stands for.
struct Stretch {
    /// In the view.
    at: usize,
    /// In the text.
    place: usize,
    is_escape: bool,
}

/// What a line is written in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    None,
    Percent,
    Backslash,
}

impl View {
    /// `None` if `text` has no escapes.
    fn of(text: &[u8]) -> Option<Self> {
        let mut view = Self { text: Vec::new(), stretches: Vec::new(), mixed: Vec::new() };
        let mut copied = 0;
        let mut from = 0;
        while let Some(mark) = text.get(from..).and_then(|rest| memchr2(b'%', b'\\', rest)) {
            let mark = from + mark;
            let before = text.get(from..mark).unwrap_or_default();
            let start = memrchr(b'\n', before).map_or(from, |at| from + at + 1);
            let behind = text.get(mark..).unwrap_or_default();
            let len = memchr(b'\n', behind).map_or(behind.len(), |at| at + 1);
            from = mark + len;
            let line = text.get(start..from).unwrap_or_default();
            let escapes = escapes(line);
            if escapes == Escapes::None {
                continue;
            }
            if view.text.is_empty() {
                view.text.reserve(text.len());
            }
            view.copy(text, copied..start);
            match escapes {
                Escapes::Percent => view.percent(text, start..from),
                _ => view.backslash(text, start..from),
            }
            copied = from;
            let is_plain = line.iter().any(|byte| b" =&\"<>".contains(byte));
            if escapes == Escapes::Percent && is_plain {
                view.mixed.push(start..from);
            }
        }
        if copied == 0 {
            return None;
        }
        view.copy(text, copied..text.len());
        Some(view)
    }

    /// Where the byte at `at` of the view is in the text; its end is the text's.
    fn place(&self, at: usize) -> usize {
        let behind = self.stretches.partition_point(|stretch| stretch.at <= at);
        match behind.checked_sub(1).and_then(|last| self.stretches.get(last)) {
            Some(Stretch { at: start, place, is_escape: false }) => place + (at - start),
            Some(stretch) => stretch.place,
            None => at,
        }
    }

    /// Takes `part` of `text` as it is.
    fn copy(&mut self, text: &[u8], part: Range<usize>) {
        let copied = text.get(part.clone()).unwrap_or_default();
        if copied.is_empty() {
            return;
        }
        let goes_on = self.stretches.last().is_some_and(|last| {
            !last.is_escape && last.place + (self.text.len() - last.at) == part.start
        });
        if !goes_on {
            let at = self.text.len();
            self.stretches.push(Stretch { at, place: part.start, is_escape: false });
        }
        self.text.extend_from_slice(copied);
    }

    /// Takes what the escape at `place`, of `len` bytes, stands for.
    fn push(&mut self, decoded: &[u8], place: usize, len: usize) {
        self.stretches.push(Stretch { at: self.text.len(), place, is_escape: true });
        self.text.extend_from_slice(decoded);
        let at = self.text.len();
        // What follows begins behind the escape, the end of the text included.
        self.stretches.push(Stretch { at, place: place + len, is_escape: false });
    }

    fn percent(&mut self, text: &[u8], line: Range<usize>) {
        let start = line.start;
        let line = text.get(line).unwrap_or_default();
        let mut place = 0;
        while place < line.len() {
            match percent(line, place) {
                Some(decoded) => {
                    self.push(&[decoded], start + place, 3);
                    place += 3;
                }
                None => {
                    let next = behind(line, place, b'%');
                    self.copy(text, start + place..start + next);
                    place = next;
                }
            }
        }
    }

    fn backslash(&mut self, text: &[u8], line: Range<usize>) {
        let start = line.start;
        let line = text.get(line).unwrap_or_default();
        let mut place = 0;
        while let Some(byte) = line.get(place) {
            let escape = if *byte == b'\\' { escape(line, place) } else { None };
            match escape {
                Some((character, len)) if character <= '\u{ff}' && len == 4 => {
                    // `\303\251`: a byte, not a character.
                    self.push(&[character as u32 as u8], start + place, len);
                    place += len;
                }
                Some((character, len)) => {
                    let mut buffer = [0; 4];
                    self.push(character.encode_utf8(&mut buffer).as_bytes(), start + place, len);
                    place += len;
                }
                None => {
                    let next = behind(line, place, b'\\');
                    self.copy(text, start + place..start + next);
                    place = next;
                }
            }
        }
    }
}

/// The next `mark` behind `place`, or the end.
fn behind(line: &[u8], place: usize, mark: u8) -> usize {
    let rest = line.get(place + 1..).unwrap_or_default();
    place + 1 + memchr(mark, rest).unwrap_or(rest.len())
}

fn escapes(line: &[u8]) -> Escapes {
    if let Some(first) = memchr(b'\\', line) {
        let mut place = first;
        while place < line.len() {
            let Some((_, len)) = escape(line, place) else {
                place = usize::MAX;
                break;
            };
            // Behind the escape, to the next.
            place = behind(line, place + len - 1, b'\\');
        }
        if place != usize::MAX {
            return Escapes::Backslash;
        }
    }
    let has_percent = memchr::memchr_iter(b'%', line).any(|at| percent(line, at).is_some());
    if has_percent { Escapes::Percent } else { Escapes::None }
}

/// What `%XX` at `place` stands for, if that is text.
fn percent(line: &[u8], place: usize) -> Option<u8> {
    if line.get(place) != Some(&b'%') {
        return None;
    }
    let value = hexadecimal(line.get(place + 1..place + 3)?)? as u8;
    // Bytes of UTF-8 beyond ASCII are several; `%DB_NAME%` has none.
    let is_sign = |at: Option<usize>| at.and_then(|at| line.get(at)) == Some(&b'%');
    let is_alone = !is_sign(Some(place + 3)) && !is_sign(place.checked_sub(3));
    (matches!(value, 0 | b'\t' | b'\n' | b'\r') || value >= b' ' && (value < 0x80 || !is_alone))
        .then_some(value)
}

/// The character that the escape at `place` stands for, and its length: those of JSON,
/// C and Python.
fn escape(line: &[u8], place: usize) -> Option<(char, usize)> {
    let plain = |character: char| Some((character, 2));
    match line.get(place + 1)? {
        b'n' => plain('\n'),
        b'r' => plain('\r'),
        b't' => plain('\t'),
        b'b' | b'f' => plain(' '),
        b'"' => plain('"'),
        b'\'' => plain('\''),
        b'\\' => plain('\\'),
        b'/' => plain('/'),
        b'x' => {
            let value = hexadecimal(line.get(place + 2..place + 4)?)?;
            Some((char::from_u32(value)?, 4))
        }
        b'u' => {
            let value = hexadecimal(line.get(place + 2..place + 6)?)?;
            if let Some(character) = char::from_u32(value) {
                return Some((character, 6));
            }
            // Two halves of a pair.
            let is_pair = line.get(place + 6..place + 8) == Some(b"\\u");
            let low = is_pair.then(|| hexadecimal(line.get(place + 8..place + 12)?))??;
            let code = 0x10000 + ((value & 0x3ff) << 10) + (low & 0x3ff);
            Some((char::from_u32(code)?, 12))
        }
        b'0'..=b'7' => {
            let digits = line.get(place + 1..place + 4)?;
            if !digits.iter().all(|digit| (b'0'..=b'7').contains(digit)) {
                return plain('\0').filter(|_| line.get(place + 1) == Some(&b'0'));
            }
            let value = digits.iter().fold(0, |sum, digit| sum * 8 + u32::from(digit - b'0'));
            Some((char::from_u32(value).filter(|_| value < 256)?, 4))
        }
        _ => None,
    }
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, digit| Some(sum * 16 + char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(text: &str) -> Vec<String> {
        let found = find(text.as_bytes(), &mut Carried::default(), true);
        found.into_iter().map(|span| text[span.range].to_owned()).collect()
    }

    #[test]
    fn what_is_escaped_is_found_at_its_place() {
        assert_eq!(hidden("mail=ann%40example.com&x=1"), ["ann%40example.com"]);
        assert_eq!(hidden(r#"{"a":"to ann\u0040example.com\n"}"#), [r"ann\u0040example.com"]);
        assert_eq!(hidden(r#""{\"password\":\"hunter2\",\"x\":1}""#), ["hunter2"]);
        assert_eq!(hidden("password%3Dhunter2%0Ax%3D1"), ["hunter2"]);
        assert_eq!(hidden("x?password=a%26b%20c&y=1"), ["a%26b%20c"]);
        assert_eq!(hidden("C:\\Users\\ann\\x"), ["ann"]);
        assert_eq!(hidden("C:\\\\Users\\\\ann\\\\x"), ["ann"]);
    }

    #[test]
    fn what_is_wrapped_once_is_found_and_the_rest_can_still_be_decoded() {
        assert_eq!(
            hidden("data: cGFzc3dvcmQ9aHVudGVyMjsgeD0x"),
            ["dWRlcjI7".replace("dWRlcjI7", "aHVudGVyMjsg")]
        );
    }

    #[test]
    fn overlapping_findings_are_one() {
        let text = "user=ann@example.com;password=ann@example.com";
        assert_eq!(hidden(text), ["ann@example.com", "ann@example.com"]);
    }
}
