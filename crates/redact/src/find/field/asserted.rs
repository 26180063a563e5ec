//! Values that a failed assertion quotes, behind a message that names what they are.

use crate::field_name::{self, Field, Sureness};
use crate::find::field::value::{Separator, value};
use crate::find::plausible;
use crate::find::scan::Scan;
use crate::find::text::{Text, is_word};
use crate::kind::Kind;

/// Bytes between the message and its values.
const REACH: usize = 240;

/// What test frameworks and `assert_eq!` call the two values.
const SIDES: &[&[u8]] =
    &[b"left", b"right", b"expected", b"Expected", b"actual", b"Actual", b"got", b"received"];

impl Scan<'_> {
    /// `left: "…"` behind ``assertion `left == right` failed: session token mismatch``: what
    /// the message announces, for the name at `start..end`.
    pub(in crate::find) fn asserted(&self, start: usize, end: usize) -> Option<Field> {
        let text = self.text;
        if !SIDES.contains(&text.slice(start..end)) {
            return None;
        }
        let from = start.saturating_sub(REACH);
        let before = text.slice(from..start);
        let begin = [&b"assert"[..], b"Assert", b"panicked"]
            .iter()
            .find_map(|word| memchr::memmem::rfind(before, word))?;
        let named = first_secret(text, from + begin, start)?;
        Some(Field { sureness: Sureness::Likely, ..named })
    }

    /// `password: expected 'hunter2' to equal 'hunter3'`, whose value would begin at `after`:
    /// hides what is quoted in the rest of the line.
    pub(in crate::find) fn expectation(&mut self, after: usize, field: Field) -> Option<usize> {
        const WORDS: &[&[u8]] = &[b"expected", b"Expected", b"got", b"should", b"was", b"mismatch"];
        let text = self.text;
        let start = text.run(after, 2, |byte| byte == b' ');
        let end = text.run(start, 12, is_word);
        if !WORDS.contains(&text.slice(start..end)) {
            return None;
        }
        self.quoted_behind(end, field)
    }

    /// Hides up to two texts of the line that are quoted behind `end`.
    pub(in crate::find) fn quoted_behind(&mut self, end: usize, field: Field) -> Option<usize> {
        let text = self.text;
        let line = text.run(end, REACH, |byte| byte != b'\n' && byte != 0);
        let mut place = end;
        let mut last = None;
        for _ in 0..2 {
            let quote = text.run(place, line - place, |byte| !matches!(byte, b'"' | b'\''));
            let value = value(text, quote, Separator::Tight, field.kind)?;
            if !value.is_delimited || value.range.end > line {
                break;
            }
            place = value.range.end + 1;
            if let Some(range) = plausible::sensitive(text, &value, field) {
                last = Some(self.hide(range, field.kind));
            }
        }
        last
    }
}

/// What the first name of a secret between `from` and `to` announces.
fn first_secret(text: Text<'_>, from: usize, to: usize) -> Option<Field> {
    let mut place = from;
    while place < to {
        let start = text.run(place, to - place, |byte| !is_word(byte));
        let end = text.run(start, to - start, |byte| is_word(byte) || byte == b'.');
        let field = field_name::field(text.slice(start..end)).filter(|field| {
            !matches!(field.kind, Kind::Name | Kind::Address | Kind::Place)
                && field.sureness != Sureness::Maybe
        });
        if field.is_some() {
            return field;
        }
        place = end.max(start + 1);
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn values_of_assertions_are_judged_by_the_message() {
        let text = "assertion `left == right` failed: session token mismatch\n  \
                    left: \"k3j4h5k2j34h5\"\n right: \"9s8d7f98s7df9\"";
        assert_eq!(hidden(text), ["k3j4h5k2j34h5", "9s8d7f98s7df9"]);
        let text = "AssertionError: password: expected 'rotkohl7' to equal 'rotkohl8'";
        assert_eq!(hidden(text), ["rotkohl7", "rotkohl8"]);
        let text = "assertion failed: wrong pin\n  left: 4711\n right: 4712";
        assert_eq!(hidden(text), ["4711", "4712"]);
    }

    #[test]
    fn other_values_of_assertions_stay() {
        for text in [
            "assertion `left == right` failed\n  left: \"foo bar\"\n right: \"9s8d7f98s7df9\"",
            "assertion failed: token_count\n  left: 4\n right: 5",
            "password: expected a string",
            "left: \"k3j4h5k2j34h5\"",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
