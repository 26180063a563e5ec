//! Text wrapped in letters: base64 and base32 (RFC 4648) and hexadecimal digits, in one line
//! or in many.

use std::ops::Range;

use super::{Text, table};

/// The letters that wrap a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::find) enum Alphabet {
    /// Both alphabets of base64.
    Base64,
    /// Capitals and digits.
    Base32,
    Hexadecimal,
}

impl Alphabet {
    /// Bits of a letter, letters of a group, and bytes of it.
    fn sizes(self) -> (u32, usize, usize) {
        match self {
            Self::Base64 => (6, 4, 3),
            Self::Base32 => (5, 8, 5),
            Self::Hexadecimal => (4, 2, 1),
        }
    }

    pub(in crate::find) fn holds(self, byte: u8) -> bool {
        match self {
            Self::Base64 => BASE64.get(usize::from(byte)).copied().unwrap_or(false),
            Self::Base32 => matches!(byte, b'A'..=b'Z' | b'2'..=b'7'),
            Self::Hexadecimal => byte.is_ascii_hexdigit(),
        }
    }

    fn value(self, byte: u8) -> Option<u32> {
        let value = match (self, byte) {
            (Self::Base64, b'A'..=b'Z') => byte - b'A',
            (Self::Base64, b'a'..=b'z') => byte - b'a' + 26,
            (Self::Base64, b'0'..=b'9') => byte - b'0' + 52,
            (Self::Base64, b'+' | b'-') => 62,
            (Self::Base64, b'/' | b'_') => 63,
            (Self::Base32, b'A'..=b'Z') => byte - b'A',
            (Self::Base32, b'2'..=b'7') => byte - b'2' + 26,
            (Self::Hexadecimal, _) => return char::from(byte).to_digit(16),
            _ => return None,
        };
        Some(u32::from(value))
    }

    /// Adds what `letters` stand for to `decoded`; `None` if one is of another alphabet.
    fn decode(self, letters: impl Iterator<Item = u8>, decoded: &mut Vec<u8>) -> Option<()> {
        let width = self.sizes().0;
        let (mut bits, mut count) = (0u32, 0);
        for letter in letters {
            bits = bits << width | self.value(letter)?;
            count += width;
            if count >= 8 {
                count -= 8;
                decoded.push((bits >> count) as u8);
            }
        }
        Some(())
    }
}

static BASE64: [bool; 256] = table(b"+/-_", false);

/// A text that was wrapped.
pub(in crate::find) struct Inner {
    pub(in crate::find) text: Vec<u8>,
    alphabet: Alphabet,
    /// Where its letters are: one stretch for each line.
    lines: Vec<Range<usize>>,
    /// Where the signs that fill the last group end.
    end: usize,
}

/// Whether the letters at `range` may wrap a text: most runs of letters are names or numbers,
/// and their first groups show it.
pub(in crate::find) fn may_be_text(
    text: Text<'_>,
    range: Range<usize>,
    alphabet: Alphabet,
) -> bool {
    const HEAD: usize = 12;
    let (width, ..) = alphabet.sizes();
    let mut head = [0; HEAD];
    let mut letters = text.slice(range).iter();
    let (mut bits, mut count) = (0u32, 0);
    for len in 0..HEAD {
        while count < 8 {
            let Some(value) = letters.next().and_then(|letter| alphabet.value(*letter)) else {
                return len > 0 && is_head(head.get(..len).unwrap_or_default());
            };
            bits = bits << width | value;
            count += width;
        }
        count -= 8;
        let byte = (bits >> count) as u8;
        // No text begins with a control, or in the middle of a character.
        if len == 0 && matches!(byte, 1..=7 | 0xe..=0x1f | 0x7f..=0xc1) {
            return false;
        }
        if let Some(free) = head.get_mut(len) {
            *free = byte;
        }
    }
    is_head(&head)
}

/// Whether a text may begin so.
fn is_head(head: &[u8]) -> bool {
    let plain = head.iter().filter(|byte| is_plain(**byte)).count();
    let may_be_other = plain * 2 >= head.len() || head.first().is_some_and(|byte| *byte >= 0xc2);
    // A character may be cut at the end.
    plain * 10 >= head.len() * 7
        || may_be_other
            && str::from_utf8(head).map_or_else(|error| error.error_len().is_none(), |_| true)
            && plain * 2 >= head.len().saturating_sub(beyond(head))
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t' | 0)
}

/// What the letters on `lines` say; `None` if that is no text.
pub(in crate::find) fn unwrap(
    text: Text<'_>,
    lines: Vec<Range<usize>>,
    alphabet: Alphabet,
) -> Option<Inner> {
    let (_, letters, bytes) = alphabet.sizes();
    let len: usize = lines.iter().map(Range::len).sum();
    let mut decoded = Vec::with_capacity(len / letters * bytes + bytes);
    let letters = lines.iter().flat_map(|line| text.slice(line.clone())).copied();
    alphabet.decode(letters, &mut decoded)?;
    let end = lines.last().map_or(0, |line| text.run(line.end, 6, |byte| byte == b'='));
    is_text(&decoded, 7).then_some(Inner { text: decoded, alphabet, lines, end })
}

/// The lines of letters that `first` begins: behind it lines of nothing else, all of one
/// length but the last, with blanks, quotes and commas around.
pub(in crate::find) fn lines(
    text: Text<'_>,
    first: Range<usize>,
    alphabet: Alphabet,
) -> Vec<Range<usize>> {
    let mut end = first.end;
    let mut lines = vec![first];
    loop {
        let start = next_line(text, end);
        let Some(start) = start else { break };
        let until = text.run(start, LONGEST_LINE, |byte| alphabet.holds(byte));
        let width = lines.get(1).map(Range::len);
        let fits = width.is_none_or(|width| until - start <= width)
            && !matches!(text.at(until), b':' | b'.' | b'(' | b'[' | b'{' | b'@')
            && (text.at(until) != b' ' || text.run(until, 8, |byte| byte == b' ') == until + 8)
            && (text.at(until) != b'=' || alphabet != Alphabet::Hexadecimal);
        if until == start || !fits {
            break;
        }
        lines.push(start..until);
        end = until;
        if width.is_some_and(|width| until - start < width) {
            break;
        }
    }
    lines
}

/// Bytes of a line of a wrapped text.
const LONGEST_LINE: usize = 1 << 12;

/// Where the letters of the next line begin, if nothing but signs is between.
fn next_line(text: Text<'_>, end: usize) -> Option<usize> {
    const MOST_INDENT: usize = 64;
    let behind = text.run(end, 8, |byte| b"\"', \t\\+.\r".contains(&byte));
    if text.at(behind) != b'\n' {
        // A list of lines on one line: `"…", "…"`.
        let quotes = text.slice(end..behind);
        let is_list = quotes.first() == Some(&b'"')
            && quotes.last() == Some(&b'"')
            && quotes.get(1) == Some(&b',');
        return is_list.then_some(behind);
    }
    Some(text.run(behind + 1, MOST_INDENT, |byte| b" \t\"'>|#*".contains(&byte)))
}

impl Inner {
    /// Where the bytes `range` of the inner text are, widened to whole groups of letters so
    /// that what is left can still be decoded.
    pub(in crate::find) fn wrapped(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let (_, letters, bytes) = self.alphabet.sizes();
        let (from, to) = (range.start / bytes * letters, range.end.div_ceil(bytes) * letters);
        let mut before = 0;
        let mut places = Vec::new();
        for line in &self.lines {
            let start = from.saturating_sub(before).min(line.len());
            let end = to.saturating_sub(before).min(line.len());
            if start < end {
                places.push(line.start + start..line.start + end);
            }
            before += line.len();
        }
        if to >= before
            && let Some(last) = places.last_mut()
        {
            last.end = self.end;
        }
        places
    }

    pub(in crate::find) fn end(&self) -> usize {
        self.end
    }

    /// Whether it is text throughout: letters that were not meant to wrap anything are not.
    pub(in crate::find) fn is_plain(&self) -> bool {
        is_text(&self.text, 9)
    }
}

/// Whether at least so many tenths of it are printable ASCII, UTF-8, or NULs between.
pub(in crate::find) fn is_text(bytes: &[u8], tenths: usize) -> bool {
    let plain = bytes.iter().filter(|byte| is_plain(**byte)).count();
    let beyond = beyond(bytes);
    let zeros = bytes.iter().filter(|byte| **byte == 0).count();
    (plain + beyond) * 10 >= bytes.len() * tenths && zeros * 10 <= bytes.len() * 8
}

/// Bytes of characters beyond ASCII.
fn beyond(bytes: &[u8]) -> usize {
    if bytes.is_ascii() {
        return 0;
    }
    let count = |text: &str| text.bytes().filter(|byte| !byte.is_ascii()).count();
    bytes.utf8_chunks().map(|chunk| count(chunk.valid())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unwrapped(letters: &str, alphabet: Alphabet) -> Option<Inner> {
        let text = Text(letters.as_bytes());
        let end = text.run(0, usize::MAX, |byte| alphabet.holds(byte));
        may_be_text(text, 0..end, alphabet)
            .then(|| unwrap(text, lines(text, 0..end, alphabet), alphabet))?
    }

    #[test]
    fn text_is_unwrapped_and_names_are_not() {
        let inner = unwrapped("cGFzc3dvcmQ9aHVudGVyMjsgeD0x", Alphabet::Base64).unwrap();
        assert_eq!(inner.text, b"password=hunter2; x=1");
        // `hunter2` is bytes 9 to 16: groups three to six.
        assert_eq!(inner.wrapped(9..16), vec![12..24]);
        assert!(unwrapped("getApplicationContextFactoryBean", Alphabet::Base64).is_none());
        let inner = unwrapped("OBQXG43XN5ZGIPLIOVXHIZLSGI", Alphabet::Base32).unwrap();
        assert_eq!(inner.text, b"password=hunter2");
        let inner = unwrapped("70617373776f72643d68756e74657232", Alphabet::Hexadecimal).unwrap();
        assert_eq!(inner.text, b"password=hunter2");
        assert_eq!(inner.wrapped(9..16), vec![18..32]);
    }

    #[test]
    fn lines_are_joined_and_places_are_those_of_each_line() {
        for gap in ["\n", "\r\n", "\n    ", "\",\n  \"", "' +\n  '", "\n> "] {
            let text = ["cGFzc3dv", "cmQ9aHVu", "dGVyMjsg", "eD0x"].join(gap);
            let inner = unwrapped(&text, Alphabet::Base64).unwrap();
            assert_eq!(inner.text, b"password=hunter2; x=1", "{gap:?}");
            assert_eq!(inner.end(), text.len());
            let hidden: Vec<_> =
                inner.wrapped(9..16).into_iter().map(|range| &text[range]).collect();
            assert_eq!(hidden, ["aHVu", "dGVyMjsg"], "{gap:?}");
        }
    }
}
