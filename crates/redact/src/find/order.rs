//! An ordered table of finders. Which rows a word may concern is decided by its first and
//! third byte, its length and the byte behind it, in tables that the compiler makes from
//! the rows: a row cannot be added without being asked.

use super::scan::Scan;

/// A finder: asked about the word at `start..end`, it gives where the scan goes on, or
/// `None` if the next row is to be asked. It may hide something and still give `None`.
pub(in crate::find) type Find = for<'s, 't> fn(&'s mut Scan<'t>, usize, usize) -> Option<usize>;

/// A row of the table.
pub(in crate::find) struct Finder {
    /// The words it is asked about.
    pub(in crate::find) of: Words,
    pub(in crate::find) find: Find,
}

/// Words by what is seen at a glance. Start from [`Words::ANY`].
#[derive(Clone, Copy)]
pub(in crate::find) struct Words {
    first: ByteSet,
    third: ByteSet,
    /// The byte behind the word; NUL at the end of the text.
    next: ByteSet,
    least: usize,
    most: usize,
}

impl Words {
    /// All words.
    pub(in crate::find) const ANY: Self = Self {
        first: ByteSet::ANY,
        third: ByteSet::ANY,
        next: ByteSet::ANY,
        least: 1,
        most: usize::MAX,
    };

    pub(in crate::find) const fn first(self, first: ByteSet) -> Self {
        Self { first, ..self }
    }

    pub(in crate::find) const fn third(self, third: ByteSet) -> Self {
        Self { third, ..self }
    }

    pub(in crate::find) const fn next(self, next: ByteSet) -> Self {
        Self { next, ..self }
    }

    /// Of `least` to `most` bytes. Lengths of [`LENGTHS`] and more are one.
    pub(in crate::find) const fn len(self, least: usize, most: usize) -> Self {
        assert!(least < LENGTHS && (most < LENGTHS || most == usize::MAX));
        Self { least, most, ..self }
    }
}

/// A set of bytes.
#[derive(Clone, Copy)]
pub(in crate::find) struct ByteSet([u64; 4]);

#[allow(clippy::indexing_slicing)]
impl ByteSet {
    pub(in crate::find) const ANY: Self = Self([u64::MAX; 4]);
    pub(in crate::find) const DIGITS: Self = Self::of(b"0123456789");
    pub(in crate::find) const CAPITALS: Self = Self::of(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ");

    pub(in crate::find) const fn of(bytes: &[u8]) -> Self {
        let mut set = Self([0; 4]);
        let mut at = 0;
        while at < bytes.len() {
            set = set.with(bytes[at]);
            at += 1;
        }
        set
    }

    pub(in crate::find) const fn with(mut self, byte: u8) -> Self {
        self.0[byte as usize / 64] |= 1 << (byte % 64);
        self
    }

    pub(in crate::find) const fn has(self, byte: u8) -> bool {
        self.0[byte as usize / 64] >> (byte % 64) & 1 == 1
    }
}

/// Lengths that are distinguished.
const LENGTHS: usize = 32;

/// Rows in the order in which they are asked, and which of them a word may concern: one bit
/// for each row.
pub(in crate::find) struct Order {
    rows: &'static [Finder],
    first: [u32; 256],
    third: [u32; 256],
    next: [u32; 256],
    len: [u32; LENGTHS],
}

impl Order {
    #[allow(clippy::indexing_slicing)]
    pub(in crate::find) const fn new(rows: &'static [Finder]) -> Self {
        assert!(rows.len() <= u32::BITS as usize);
        let mut order =
            Self { rows, first: [0; 256], third: [0; 256], next: [0; 256], len: [0; LENGTHS] };
        let mut row = 0;
        while row < rows.len() {
            let (of, bit) = (&rows[row].of, 1 << row);
            let mut byte = 0;
            while byte < 256 {
                order.first[byte] |= if of.first.has(byte as u8) { bit } else { 0 };
                order.third[byte] |= if of.third.has(byte as u8) { bit } else { 0 };
                order.next[byte] |= if of.next.has(byte as u8) { bit } else { 0 };
                byte += 1;
            }
            let mut len = 0;
            while len < LENGTHS {
                order.len[len] |= if of.least <= len && len <= of.most { bit } else { 0 };
                len += 1;
            }
            row += 1;
        }
        order
    }

    /// Whether some row is about words that begin with `byte`.
    #[allow(clippy::indexing_slicing)]
    pub(in crate::find) const fn begins_with(&self, byte: u8) -> bool {
        self.first[byte as usize] != 0
    }

    /// Asks about the word at `start..end`, one row after the other; gives where to go on.
    #[inline]
    pub(in crate::find) fn ask(
        &self,
        scan: &mut Scan<'_>,
        start: usize,
        end: usize,
    ) -> Option<usize> {
        let text = scan.text;
        let mut rows =
            self.concerned(text.at(start), text.at(start + 2), text.at(end), end - start);
        while rows != 0 {
            let row = rows.trailing_zeros();
            rows &= rows - 1;
            let finder = self.rows.get(row as usize)?;
            if let Some(next) = (finder.find)(scan, start, end) {
                return Some(next);
            }
        }
        None
    }

    #[inline]
    fn concerned(&self, first: u8, third: u8, next: u8, len: usize) -> u32 {
        let of = |table: &[u32], at: usize| table.get(at).copied().unwrap_or(0);
        of(&self.first, first.into())
            & of(&self.third, third.into())
            & of(&self.next, next.into())
            & of(&self.len, len.min(LENGTHS - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_asked_about_its_words_and_no_others() {
        static ROWS: &[Finder] = &[
            Finder { of: Words::ANY.len(3, 5), find: |_, _, _| None },
            Finder { of: Words::ANY.first(ByteSet::CAPITALS), find: |_, _, _| None },
            Finder {
                of: Words::ANY.third(ByteSet::DIGITS).len(4, usize::MAX),
                find: |_, _, _| None,
            },
            Finder { of: Words::ANY.next(ByteSet::of(b":").with(0)), find: |_, _, _| None },
        ];
        static ORDER: Order = Order::new(ROWS);
        let rows = |first, third, next, len| ORDER.concerned(first, third, next, len);
        assert_eq!(rows(b'a', b'x', b' ', 2), 0b0000);
        assert_eq!(rows(b'a', b'x', b' ', 5), 0b0001);
        assert_eq!(rows(b'A', b'7', b':', 4), 0b1111);
        assert_eq!(rows(b'A', b'7', 0, 1000), 0b1110);
        assert!(ORDER.begins_with(b'a'));
    }
}
