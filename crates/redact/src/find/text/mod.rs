//! The bytes that are searched, and the few questions every finder asks of them.

mod characters;
mod dump;
pub(crate) mod encodings;
mod escapes;
mod view;
mod wide;
pub(in crate::find) mod wrapped;

use std::ops::Range;

/// Bytes of some text: ASCII is examined, all else counts as letters, so that UTF-8
/// and Latin-1 need no decoding. Nothing here fails: past the end lies NUL.
#[derive(Clone, Copy, Debug)]
pub(in crate::find) struct Text<'t>(pub(in crate::find) &'t [u8]);

impl<'t> Text<'t> {
    pub(in crate::find) fn len(self) -> usize {
        self.0.len()
    }

    /// The byte at `place`; NUL past the end.
    #[inline]
    pub(in crate::find) fn at(self, place: usize) -> u8 {
        self.0.get(place).copied().unwrap_or(0)
    }

    /// The byte before `place`; NUL before the start.
    #[inline]
    pub(in crate::find) fn before(self, place: usize) -> u8 {
        place.checked_sub(1).map_or(0, |place| self.at(place))
    }

    /// The bytes of `range`; none if it is not inside.
    #[inline]
    pub(in crate::find) fn slice(self, range: Range<usize>) -> &'t [u8] {
        self.0.get(range).unwrap_or_default()
    }

    /// Whether `word` is at `place`.
    #[inline]
    pub(in crate::find) fn has(self, place: usize, word: &[u8]) -> bool {
        self.0.get(place..).is_some_and(|rest| rest.starts_with(word))
    }

    /// The same, without regard to the case of ASCII letters.
    pub(in crate::find) fn has_caseless(self, place: usize, word: &[u8]) -> bool {
        let there = self.slice(place..place.saturating_add(word.len()));
        there.len() == word.len() && there.eq_ignore_ascii_case(word)
    }

    /// The first place from `from` on whose byte is not `wanted`, at most `most` further.
    #[inline]
    pub(in crate::find) fn run(
        self,
        from: usize,
        most: usize,
        wanted: impl Fn(u8) -> bool,
    ) -> usize {
        let end = from.saturating_add(most).min(self.len());
        let mut place = from;
        while place < end && wanted(self.at(place)) {
            place += 1;
        }
        place
    }

    /// The first place from which on all bytes up to `to` are `wanted`, at most `most` back.
    #[inline]
    pub(in crate::find) fn run_back(
        self,
        to: usize,
        most: usize,
        wanted: impl Fn(u8) -> bool,
    ) -> usize {
        let mut place = to;
        while place > 0 && to - place < most && wanted(self.before(place)) {
            place -= 1;
        }
        place
    }

    /// The line around `place`, at most `most` bytes to either side.
    pub(in crate::find) fn line(self, place: usize, most: usize) -> Range<usize> {
        let inside = |byte: u8| byte != b'\n' && byte != 0;
        self.run_back(place, most, inside)..self.run(place, most, inside)
    }
}

/// ASCII letters and digits, `_`, and every byte beyond ASCII.
#[inline]
pub(in crate::find) fn is_word(byte: u8) -> bool {
    WORD.get(usize::from(byte)).copied().unwrap_or(false)
}

static WORD: [bool; 256] = table(b"_", true);

/// For each byte whether it is a letter, a digit, beyond ASCII if `beyond`, or one of
/// `others`: quicker to ask than to compute.
#[allow(clippy::indexing_slicing)]
pub(in crate::find) const fn table(others: &[u8], beyond: bool) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric() || (beyond && byte >= 0x80);
        byte += 1;
    }
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
}

/// Letters of any alphabet.
#[inline]
pub(in crate::find) fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte >= 0x80
}

/// Blanks within a line.
#[inline]
pub(in crate::find) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Whether `word` begins with `start`, in any case; short ones must be the whole word.
pub(in crate::find) fn starts_caseless(word: &[u8], start: &[u8]) -> bool {
    if start.len() <= 3 && word.len() != start.len() {
        return false;
    }
    word.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// The digits of `bytes`, at most `N`; `None` if there are more.
pub(in crate::find) fn digits<const N: usize>(bytes: &[u8]) -> Option<([u8; N], usize)> {
    let mut kept = [0; N];
    let mut count = 0;
    for byte in bytes.iter().filter(|byte| byte.is_ascii_digit()) {
        *kept.get_mut(count)? = byte - b'0';
        count += 1;
    }
    Some((kept, count))
}

/// The number that `bytes` spell, if they are digits alone.
pub(in crate::find) fn number(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() || bytes.len() > 18 {
        return None;
    }
    bytes.iter().try_fold(0u64, |sum, byte| {
        byte.is_ascii_digit().then(|| sum * 10 + u64::from(byte - b'0'))
    })
}

/// Whether the word at `start` goes on with something before it: `x-ab:cd`, `v1.2`.
pub(in crate::find) fn is_joined(text: Text<'_>, start: usize) -> bool {
    let prior = text.before(start);
    is_word(prior)
        || (matches!(prior, b'-' | b'.' | b'+' | b'/')
            && is_word(text.before(start - 1))
            && prior != b'/')
}

/// Whether what is before `:12:` is a file of a program's source.
pub(in crate::find) fn is_source_file(name: &[u8]) -> bool {
    const ENDS: &[&[u8]] = &[
        b".c", b".h", b".cc", b".cpp", b".hpp", b".rs", b".go", b".py", b".js", b".ts", b".java",
        b".rb", b".php", b".log", b".txt", b".conf", b".sh",
    ];
    let has_dot = name.iter().rev().take(5).any(|byte| *byte == b'.');
    name.is_empty() || has_dot && ENDS.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_either_end_lies_nothing() {
        let text = Text(b"ab\ncd");
        assert_eq!((text.at(9), text.before(0), text.slice(4..9)), (0, 0, &b""[..]));
        assert_eq!(text.line(4, 9), 3..5);
        assert!(text.has_caseless(0, b"AB") && !text.has_caseless(4, b"DE"));
    }

    #[test]
    fn too_many_digits_are_no_number() {
        assert_eq!(digits::<3>(b"1-2 3"), Some(([1, 2, 3], 3)));
        assert_eq!(digits::<2>(b"1-2 3"), None);
        assert_eq!(number(b"0042"), Some(42));
        assert_eq!(number(b"99999999999999999999"), None);
    }
}
