//! A text as it reads without an encoding, and where each of its bytes came from.

use std::ops::Range;

/// A decoded text.
#[derive(Debug, Default)]
pub(super) struct View {
    pub(super) text: Vec<u8>,
    /// Where the bytes of `text` came from, in order.
    stretches: Vec<Stretch>,
}

/// Bytes that are in the source as they are, or that one code of it stands for.
#[derive(Debug)]
struct Stretch {
    /// In the view.
    at: usize,
    /// In the source.
    place: usize,
    is_coded: bool,
}

impl View {
    /// `source` with every code that `next` gives replaced by what it stands for: `next` is
    /// asked for the first code at or behind a place. `None` if there are no codes.
    pub(super) fn of(
        source: &[u8],
        mut next: impl FnMut(usize) -> Option<(Range<usize>, Decoded)>,
    ) -> Option<Self> {
        let (first, decoded) = next(0)?;
        let mut view = Self { text: Vec::with_capacity(source.len()), stretches: Vec::new() };
        view.copy(source, 0..first.start);
        let mut done = first.end;
        view.push(decoded.bytes(), first);
        while let Some((code, decoded)) = next(done) {
            view.copy(source, done..code.start);
            done = code.end;
            view.push(decoded.bytes(), code);
        }
        view.copy(source, done..source.len());
        Some(view)
    }

    /// The bytes of the source that `range` of the view came from.
    pub(super) fn source(&self, range: Range<usize>) -> Range<usize> {
        let start = match self.stretch(range.start) {
            Some((Stretch { at, place, is_coded: false }, _)) => place + (range.start - at),
            Some((stretch, _)) => stretch.place,
            None => range.start,
        };
        if range.is_empty() {
            return start..start;
        }
        let end = match self.stretch(range.end - 1) {
            Some((Stretch { at, place, is_coded: false }, _)) => place + (range.end - at),
            // A code ends where the next stretch begins.
            Some((_, Some(next))) => next.place,
            _ => range.end,
        };
        start..end
    }

    /// The stretch that the byte at `at` is in, and the next one.
    fn stretch(&self, at: usize) -> Option<(&Stretch, Option<&Stretch>)> {
        let behind = self.stretches.partition_point(|stretch| stretch.at <= at);
        let last = self.stretches.get(behind.checked_sub(1)?)?;
        Some((last, self.stretches.get(behind)))
    }

    /// Takes `part` of `source` as it is.
    pub(super) fn copy(&mut self, source: &[u8], part: Range<usize>) {
        let copied = source.get(part.clone()).unwrap_or_default();
        if copied.is_empty() {
            return;
        }
        let goes_on = self.stretches.last().is_some_and(|last| {
            !last.is_coded && last.place + (self.text.len() - last.at) == part.start
        });
        if !goes_on {
            self.begin(part.start, false);
        }
        self.text.extend_from_slice(copied);
    }

    /// Takes what the code at `part` of the source stands for; nothing, if that is empty.
    pub(super) fn push(&mut self, decoded: &[u8], part: Range<usize>) {
        if !decoded.is_empty() {
            self.begin(part.start, true);
            self.text.extend_from_slice(decoded);
        }
        // What follows begins behind the code, the end of the text included.
        self.begin(part.end, false);
    }

    fn begin(&mut self, place: usize, is_coded: bool) {
        let at = self.text.len();
        self.stretches.pop_if(|last| !last.is_coded && last.at == at);
        self.stretches.push(Stretch { at, place, is_coded });
    }
}

/// What a code stands for: a byte, a character, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    bytes: [u8; 5],
    len: usize,
}

impl Decoded {
    pub(super) const NOTHING: Self = Self { bytes: [0; 5], len: 0 };

    pub(super) fn byte(byte: u8) -> Self {
        Self { bytes: [byte, 0, 0, 0, 0], len: 1 }
    }

    pub(super) fn character(character: char) -> Self {
        let mut bytes = [0; 5];
        let len = character.encode_utf8(&mut bytes).len();
        Self { bytes, len }
    }

    /// At most five bytes; of more, none.
    pub(super) fn text(text: &[u8]) -> Self {
        let mut decoded = Self::NOTHING;
        if let Some(bytes) = decoded.bytes.get_mut(..text.len()) {
            bytes.copy_from_slice(text);
            decoded.len = text.len();
        }
        decoded
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_whole_codes_and_without_what_was_left_out_around_them() {
        // `<` is nothing, `+` stands for `ab`.
        let source = b"x<+y<z";
        let mut marks = [(1..2, Decoded::NOTHING), (4..5, Decoded::NOTHING)].to_vec();
        marks.insert(1, (2..3, Decoded::text(b"ab")));
        let mut marks = marks.into_iter();
        let view = View::of(source, |_| marks.next()).unwrap();
        assert_eq!(view.text, b"xabyz");
        assert_eq!(view.source(0..1), 0..1);
        assert_eq!(view.source(1..2), 2..3);
        assert_eq!(view.source(1..4), 2..4);
        assert_eq!(view.source(3..4), 3..4);
        assert_eq!(view.source(3..5), 3..6);
        assert_eq!(view.source(4..5), 5..6);
    }
}
