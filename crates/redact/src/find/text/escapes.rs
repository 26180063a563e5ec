//! Escapes of strings, of URLs, of HTML and of mail. A line is read in one of them: in the
//! one that all its marks belong to.

use std::ops::Range;

use memchr::{memchr, memchr_iter, memchr3, memmem, memrchr};

use super::view::{Decoded, View};

/// A text without one layer of escapes.
pub(super) struct Unescaped {
    pub(super) view: View,
    /// Lines of the view that had escapes.
    pub(super) changed: Vec<Range<usize>>,
    /// Lines of the source whose marks may be plain separators: they are to be read both
    /// ways.
    pub(super) mixed: Vec<Range<usize>>,
}

/// What a line is written in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    Backslash,
    Percent,
    Entity,
    /// Quoted-printable (RFC 2045).
    Equals,
}

impl Escapes {
    fn mark(self) -> u8 {
        match self {
            Self::Backslash => b'\\',
            Self::Percent => b'%',
            Self::Entity => b'&',
            Self::Equals => b'=',
        }
    }

    /// What the escape at `place` stands for, and its length.
    fn decode(self, line: &[u8], place: usize) -> Option<(Decoded, usize)> {
        match self {
            Self::Backslash => backslash(line, place),
            Self::Percent => percent(line, place).map(|byte| (Decoded::byte(byte), 3)),
            Self::Entity => entity(line, place),
            Self::Equals => equals(line, place),
        }
    }
}

/// `None` if `text` has no escapes.
pub(super) fn unescaped(text: &[u8]) -> Option<Unescaped> {
    let has_equals = has_quoted_printable(text);
    let mut next_equals = if has_equals { Some(0) } else { None };
    let mut next_other = Some(0);
    let mut next_mark = |from: usize| {
        if next_equals.is_some_and(|at| at <= from) {
            next_equals = text.get(from..).and_then(|rest| memchr(b'=', rest)).map(|at| from + at);
        }
        if next_other.is_some_and(|at| at <= from) {
            next_other = next_escape(text, from);
        }
        match (next_equals, next_other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    };
    let mut unescaped = Unescaped { view: View::default(), changed: Vec::new(), mixed: Vec::new() };
    let mut copied = 0;
    let mut from = 0;
    while let Some(mark) = next_mark(from) {
        let before = text.get(from..mark).unwrap_or_default();
        let start = memrchr(b'\n', before).map_or(from, |at| from + at + 1);
        let behind = text.get(mark..).unwrap_or_default();
        from = mark + memchr(b'\n', behind).map_or(behind.len(), |at| at + 1);
        let Some(line) = text.get(start..from) else { break };
        let Some(escapes) = escapes(line, has_equals) else { continue };
        let view = &mut unescaped.view;
        if view.text.is_empty() {
            view.text.reserve(text.len());
        }
        view.copy(text, copied..start);
        let at = view.text.len();
        decode(view, text, start..from, escapes);
        unescaped.changed.push(at..unescaped.view.text.len());
        copied = from;
        let is_plain = line.iter().any(|byte| b" =&\"<>".contains(byte));
        if escapes == Escapes::Percent && is_plain {
            unescaped.mixed.push(start..from);
        }
    }
    if copied == 0 {
        return None;
    }
    unescaped.view.copy(text, copied..text.len());
    Some(unescaped)
}

/// The first mark from `from` on that begins an escape: `&self`, `100 %` and `\(` begin none.
fn next_escape(text: &[u8], from: usize) -> Option<usize> {
    let mut place = from;
    loop {
        place += memchr3(b'%', b'\\', b'&', text.get(place..)?)?;
        let is_escape = match text.get(place) {
            Some(b'%') => percent(text, place).is_some(),
            Some(b'&') => entity(text, place).is_some(),
            _ => backslash(text, place).is_some(),
        };
        if is_escape {
            return Some(place);
        }
        place += 1;
    }
}

fn decode(view: &mut View, text: &[u8], line: Range<usize>, escapes: Escapes) {
    let start = line.start;
    let line = text.get(line).unwrap_or_default();
    let mut place = 0;
    while let Some(byte) = line.get(place) {
        let code = if *byte == escapes.mark() { escapes.decode(line, place) } else { None };
        match code {
            Some((decoded, len)) => {
                view.push(decoded.bytes(), start + place..start + place + len);
                place += len;
            }
            None => {
                let next = behind(line, place, escapes.mark());
                view.copy(text, start + place..start + next);
                place = next;
            }
        }
    }
}

/// The next `mark` behind `place`, or the end.
fn behind(line: &[u8], place: usize, mark: u8) -> usize {
    let rest = line.get(place + 1..).unwrap_or_default();
    place + 1 + memchr(mark, rest).unwrap_or(rest.len())
}

/// What `line` is written in. Backslashes and `=` count only if all of them are escapes:
/// `C:\new\path`, `a=3D b=x`.
fn escapes(line: &[u8], may_be_mail: bool) -> Option<Escapes> {
    let has_any = |escapes: Escapes| {
        memchr_iter(escapes.mark(), line).any(|at| escapes.decode(line, at).is_some())
    };
    let has_only = |escapes: Escapes| {
        let Some(first) = memchr(escapes.mark(), line) else { return false };
        let mut place = first;
        while place < line.len() {
            let Some((_, len)) = escapes.decode(line, place) else { return false };
            // Behind the escape, to the next.
            place = behind(line, place + len - 1, escapes.mark());
        }
        true
    };
    if has_only(Escapes::Backslash) {
        Some(Escapes::Backslash)
    } else if has_any(Escapes::Percent) {
        Some(Escapes::Percent)
    } else if has_any(Escapes::Entity) {
        Some(Escapes::Entity)
    } else if may_be_mail && has_quoted_printable(line) && has_only(Escapes::Equals) {
        Some(Escapes::Equals)
    } else {
        None
    }
}

/// Whether `text` has an escape that is hardly anything else, as `=12` of `x=12` is: that of
/// `=` itself.
fn has_quoted_printable(text: &[u8]) -> bool {
    memmem::find(text, b"=3D").is_some()
}

/// What `=XX` at `place` stands for; at the end of a line, nothing.
fn equals(line: &[u8], place: usize) -> Option<(Decoded, usize)> {
    let rest = line.get(place + 1..)?;
    if rest == b"\n" || rest == b"\r\n" {
        return Some((Decoded::NOTHING, rest.len() + 1));
    }
    let digits = rest.get(..2).filter(|digits| !digits.iter().any(u8::is_ascii_lowercase))?;
    Some((Decoded::byte(hexadecimal(digits)? as u8), 3))
}

/// What `&name;` or `&#64;` at `place` stands for.
fn entity(line: &[u8], place: usize) -> Option<(Decoded, usize)> {
    const NAMED: &[(&[u8], char)] = &[
        (b"amp", '&'),
        (b"lt", '<'),
        (b"gt", '>'),
        (b"quot", '"'),
        (b"apos", '\''),
        (b"nbsp", ' '),
        (b"commat", '@'),
        (b"colon", ':'),
        (b"equals", '='),
        (b"shy", '\u{ad}'),
    ];
    let rest = line.get(place + 1..(place + 12).min(line.len()))?;
    let name = rest.get(..memchr(b';', rest)?)?;
    let character = match name.strip_prefix(b"#") {
        Some([b'x' | b'X', digits @ ..]) => char::from_u32(hexadecimal(digits)?)?,
        Some(digits) => char::from_u32(crate::find::text::number(digits)?.try_into().ok()?)?,
        None => NAMED.iter().find(|(known, _)| *known == name)?.1,
    };
    Some((Decoded::character(character), name.len() + 2))
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

/// What the escape at `place` stands for, and its length: those of JSON, C, Python, PHP,
/// Perl and Rust.
fn backslash(line: &[u8], place: usize) -> Option<(Decoded, usize)> {
    let plain = |character: char| Some((Decoded::character(character), 2));
    let code = |value: u32, len: usize| Some((Decoded::character(char::from_u32(value)?), len));
    match line.get(place + 1)? {
        b'n' => plain('\n'),
        b'r' => plain('\r'),
        b't' => plain('\t'),
        b'a' | b'b' | b'f' | b'v' => plain(' '),
        sign @ (b'"' | b'\'' | b'\\' | b'/' | b'$' | b'@') => plain(char::from(*sign)),
        b'x' => {
            // `\x68756e74…` is how PostgreSQL writes bytes.
            let digits = line.get(place + 2..)?.iter().take(8);
            if digits.take_while(|digit| digit.is_ascii_hexdigit()).count() == 8 {
                return None;
            }
            let value = hexadecimal(line.get(place + 2..place + 4)?)?;
            Some((Decoded::byte(value as u8), 4))
        }
        b'u' if line.get(place + 2) == Some(&b'{') => {
            let rest = line.get(place + 3..(place + 10).min(line.len()))?;
            let digits = rest.get(..memchr(b'}', rest)?)?;
            code(hexadecimal(digits)?, digits.len() + 4)
        }
        b'U' => code(hexadecimal(line.get(place + 2..place + 10)?)?, 10),
        b'u' => {
            let value = hexadecimal(line.get(place + 2..place + 6)?)?;
            if let Some(character) = char::from_u32(value) {
                return Some((Decoded::character(character), 6));
            }
            // Two halves of a pair.
            let is_pair = line.get(place + 6..place + 8) == Some(b"\\u");
            let low = is_pair.then(|| hexadecimal(line.get(place + 8..place + 12)?))??;
            code(0x10000 + ((value & 0x3ff) << 10) + (low & 0x3ff), 12)
        }
        b'0'..=b'7' => {
            let digits = line.get(place + 1..place + 4)?;
            if !digits.iter().all(|digit| (b'0'..=b'7').contains(digit)) {
                return plain('\0').filter(|_| line.get(place + 1) == Some(&b'0'));
            }
            // `\303\251`: bytes, not characters.
            let value = digits.iter().fold(0, |sum, digit| sum * 8 + u32::from(digit - b'0'));
            Some((Decoded::byte(u8::try_from(value).ok()?), 4))
        }
        _ => None,
    }
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 8 {
        return None;
    }
    digits.iter().try_fold(0, |sum, digit| Some((sum << 4) + char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        unescaped(text.as_bytes()).map(|read| String::from_utf8(read.view.text).unwrap())
    }

    #[test]
    fn escapes_of_languages_and_formats_are_read() {
        for (written, wanted) in [
            (r#"{"a":"x\u0040y\n"}"#, "{\"a\":\"x@y\n\"}"),
            (r"\x68\x75\u{6e}\U00000074\145\162\@", "hunter@"),
            (r"\ud83d\ude00", "\u{1f600}"),
            ("a%40b%20c", "a@b c"),
            ("a&#64;b&#x40;c&amp;d&lt;", "a@b@c&d<"),
            ("x=3Dy=\nz=C3=A9=3D\n", "x=yzé=\n"),
        ] {
            assert_eq!(read(written).as_deref(), Some(wanted), "{written}");
        }
    }

    #[test]
    fn marks_that_are_no_escapes_stay() {
        for text in [
            r"C:\Users\ann",
            r"\d+\s",
            "100% of %DB_NAME%",
            "a && b & c; x?a=1&copy=2",
            "a=1 b=2",
            "a=3D b=x",
            "YTpiYzpkZQ=\n",
            r"'\x70617373776f7264'",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
