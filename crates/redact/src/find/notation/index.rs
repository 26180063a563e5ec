//! The rows by the words that begin them, in tables that the compiler makes from the rows:
//! hardly any word of a text is looked up.

use super::rows::ROWS;
use super::{Notation, Text};
use crate::find::order::ByteSet;
use crate::word_set::hash;

/// Where a row is: its domain's place in [`ROWS`], and its own in that.
type Place = (u8, u8);
/// A word and the row it begins.
type Slot = Option<(&'static [u8], Place)>;

/// A power of two, and more than twice the words of each table.
const SLOTS: usize = 2048;
/// Bytes by which a beginning is looked up.
const BEGINNING: usize = 3;
/// Bytes by which a mark is looked up.
const MARK: usize = 2;

/// Signs that marks may begin with: the scan stops at them anyway.
pub(super) const SIGNS: &[u8] = b":/<(";

/// The rows by their words.
pub(super) struct Index {
    /// For each first byte the lengths of the words that begin with it, as bits: hardly any
    /// other word of a text has both.
    lengths: [u64; 256],
    /// The same for each last byte.
    ends: [u64; 256],
    /// First bytes of words of which only the beginning is given.
    beginnings: ByteSet,
    /// For each of [`SIGNS`], the second bytes of marks that begin with it.
    marks: [ByteSet; SIGNS.len()],
    /// Words and their row, found by the hash of the word, or of its first bytes; the next
    /// free slot is near.
    whole: [Slot; SLOTS],
    begun: [Slot; SLOTS],
    marked: [Slot; SLOTS],
}

pub(super) static INDEX: Index = Index::new(ROWS);

/// How a word of a row is looked up.
enum Sort {
    /// `AUTH`: this word.
    Whole,
    /// `DAQ*`: words that begin so.
    Begun,
    /// `:50K:`: a text that begins with a sign.
    Mark,
}

#[allow(clippy::indexing_slicing)]
const fn sort(word: &[u8]) -> Sort {
    if !(word[0].is_ascii_alphanumeric() || word[0] == b'_' || word[0] >= 0x80) {
        assert!(word.len() >= MARK, "a mark has two bytes at least");
        Sort::Mark
    } else if word[word.len() - 1] == b'*' {
        assert!(word.len() > BEGINNING, "the beginning of a word has three bytes at least");
        Sort::Begun
    } else {
        assert!(word.len() < 64, "the word is too long");
        Sort::Whole
    }
}

impl Index {
    #[allow(clippy::indexing_slicing)]
    const fn new(rows: &[&[Notation]]) -> Self {
        let mut index = Self {
            lengths: [0; 256],
            ends: [0; 256],
            beginnings: ByteSet::of(b""),
            marks: [ByteSet::of(b""); SIGNS.len()],
            whole: [None; SLOTS],
            begun: [None; SLOTS],
            marked: [None; SLOTS],
        };
        let mut counts = [0; 3];
        let mut domain = 0;
        while domain < rows.len() {
            let mut row = 0;
            while row < rows[domain].len() {
                let notation = &rows[domain][row];
                assert!(!notation.example.1.is_empty(), "an example must have something to hide");
                assert!(
                    !notation.keeps.is_empty(),
                    "a row needs a text in which nothing is hidden"
                );
                let mut at = 0;
                while at < notation.words.len() {
                    let place = (domain as u8, row as u8);
                    counts = index.add(notation.words[at], notation.is_caseless, place, counts);
                    at += 1;
                }
                row += 1;
            }
            domain += 1;
        }
        index
    }

    #[allow(clippy::indexing_slicing)]
    const fn add(
        &mut self,
        word: &'static [u8],
        is_caseless: bool,
        row: Place,
        mut counts: [usize; 3],
    ) -> [usize; 3] {
        let first = word[0];
        let (table, key, kept) = match sort(word) {
            Sort::Whole => {
                let (bit, last) = (1 << word.len(), word[word.len() - 1]);
                self.lengths[first as usize] |= bit;
                self.ends[last as usize] |= bit;
                if is_caseless {
                    self.lengths[first.to_ascii_lowercase() as usize] |= bit;
                    self.lengths[first.to_ascii_uppercase() as usize] |= bit;
                    self.ends[last.to_ascii_lowercase() as usize] |= bit;
                    self.ends[last.to_ascii_uppercase() as usize] |= bit;
                }
                counts[0] += 1;
                (&mut self.whole, word, word)
            }
            Sort::Begun => {
                assert!(!is_caseless, "beginnings are compared as they are");
                self.beginnings = self.beginnings.with(first);
                counts[1] += 1;
                let kept = word.split_at(word.len() - 1).0;
                (&mut self.begun, kept.split_at(BEGINNING).0, kept)
            }
            Sort::Mark => {
                assert!(!is_caseless, "marks are compared as they are");
                let mut sign = 0;
                while SIGNS[sign] != first {
                    sign += 1;
                    assert!(sign < SIGNS.len(), "no mark begins with this sign");
                }
                self.marks[sign] = self.marks[sign].with(word[1]);
                counts[2] += 1;
                (&mut self.marked, word.split_at(MARK).0, word)
            }
        };
        let mut slot = hash(key) % SLOTS;
        while table[slot].is_some() {
            slot = (slot + 1) % SLOTS;
        }
        table[slot] = Some((kept, row));
        let mut at = 0;
        while at < counts.len() {
            assert!(counts[at] * 2 < SLOTS, "the tables are too small");
            at += 1;
        }
        counts
    }

    /// Whether some row may be about a word that begins with `first`, ends with `last` and
    /// has this length.
    #[inline]
    pub(super) fn may_have(&self, first: u8, last: u8, len: usize) -> bool {
        let of = |table: &[u64; 256], byte: u8| table.get(usize::from(byte)).copied().unwrap_or(0);
        let lengths = of(&self.lengths, first) & of(&self.ends, last);
        len < 64 && lengths >> len & 1 == 1 || self.beginnings.has(first) && len >= BEGINNING
    }

    /// The second bytes of marks that begin with the sign number `sign` of [`SIGNS`].
    #[allow(clippy::indexing_slicing)]
    pub(super) const fn second(&self, sign: usize) -> ByteSet {
        self.marks[sign]
    }

    /// The rows of which `word` is one, or has the beginning of one.
    pub(super) fn rows<'w>(
        &'w self,
        word: &'w [u8],
    ) -> impl Iterator<Item = &'static Notation> + 'w {
        let whole = slots(&self.whole, word).filter_map(move |(known, place)| {
            let row = row(place)?;
            let is_it = match row.is_caseless {
                true => known.eq_ignore_ascii_case(word),
                false => known == word,
            };
            is_it.then_some(row)
        });
        let begun = word.get(..BEGINNING).into_iter().flat_map(|key| slots(&self.begun, key));
        whole.chain(begun.filter_map(
            move |(known, place)| {
                if word.starts_with(known) { row(place) } else { None }
            },
        ))
    }

    /// The rows whose mark is at `place`, and where that ends.
    pub(super) fn marked<'t>(
        &'t self,
        text: Text<'t>,
        place: usize,
    ) -> impl Iterator<Item = (&'static Notation, usize)> + 't {
        slots(&self.marked, text.slice(place..place + MARK)).filter_map(move |(known, found)| {
            if text.has(place, known) { Some((row(found)?, place + known.len())) } else { None }
        })
    }
}

fn row((domain, row): Place) -> Option<&'static Notation> {
    ROWS.get(usize::from(domain))?.get(usize::from(row))
}

/// The filled slots from the place of `key` on.
fn slots(table: &[Slot; SLOTS], key: &[u8]) -> impl Iterator<Item = (&'static [u8], Place)> {
    let (before, behind) = table.split_at(hash(key) % SLOTS);
    behind.iter().chain(before).map_while(|slot| *slot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_of_a_row_reaches_it() {
        for row in ROWS.iter().copied().flatten() {
            for word in row.words {
                let name = String::from_utf8_lossy(word);
                let reaches = |word: &[u8]| match sort(word) {
                    Sort::Mark => {
                        INDEX.marked(Text(word), 0).any(|(asked, _)| std::ptr::eq(asked, row))
                    }
                    _ => {
                        INDEX.may_have(word[0], word[word.len() - 1], word.len())
                            && INDEX.rows(word).any(|asked| std::ptr::eq(asked, row))
                    }
                };
                assert!(reaches(word), "{name}");
                if row.is_caseless {
                    assert!(reaches(&word.to_ascii_lowercase()), "{name}");
                    assert!(reaches(&word.to_ascii_uppercase()), "{name}");
                }
            }
        }
    }

    #[test]
    fn other_words_reach_no_row() {
        for word in ["", "AUT", "auth", "AUTHX", "tO", "zzz"] {
            assert_eq!(INDEX.rows(word.as_bytes()).count(), 0, "{word}");
        }
        assert_eq!(INDEX.marked(Text(b":5x:"), 0).count(), 0);
    }
}
