//! Words that begin a notation of one program or format, where a password or a person has
//! its place and no name. One table ([`rows::ROWS`]): which words are asked about is made
//! from it by the compiler, so a row is all that a notation takes, and none is unreachable.

mod call;
mod hl7;
mod literal;
mod log_line;
mod login;
mod netrc;
mod passwd;
mod rows;
mod vcard;

use super::order::Find;
use super::scan::Scan;
use super::text::Text;
use crate::word_set::hash;
use rows::ROWS;

/// A notation.
struct Notation {
    /// The words that begin it.
    words: &'static [&'static [u8]],
    is_caseless: bool,
    /// What must be around the word; all else is asked by `find`.
    around: Around,
    /// Asked about the word at `start..end`; gives where the scan goes on.
    find: Find,
    /// A text in this notation, and what is hidden in it.
    example: (&'static str, &'static [&'static str]),
}

/// What must be around a word that begins a notation.
#[derive(Clone, Copy)]
enum Around {
    Anything,
    /// This text, right behind the word.
    Behind(&'static [u8]),
    /// This text, right before the word.
    Before(&'static [u8]),
    /// This word in any case, and a blank, before the word.
    Word(&'static [u8]),
}

impl Around {
    fn is_at(self, text: Text<'_>, start: usize, end: usize) -> bool {
        match self {
            Self::Anything => true,
            Self::Behind(wanted) => text.has(end, wanted),
            Self::Before(wanted) => text.slice(start.saturating_sub(wanted.len())..start) == wanted,
            Self::Word(word) => {
                let from = start.saturating_sub(word.len() + 1);
                text.before(start) == b' ' && text.slice(from..start - 1).eq_ignore_ascii_case(word)
            }
        }
    }
}

impl Scan<'_> {
    /// What the word at `start..end` begins in a notation of its own; gives where to go on.
    #[inline]
    pub(in crate::find) fn notation(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        if !INDEX.may_have(text.at(start), end - start) {
            return None;
        }
        let rows = INDEX.rows(text.slice(start..end));
        let mut fitting = rows.filter(|row| row.around.is_at(text, start, end));
        fitting.find_map(|row| (row.find)(self, start, end))
    }
}

/// The rows by their words. Made by the compiler.
struct Index {
    /// For each first byte the lengths of the words that begin with it, as bits: hardly any
    /// other word of a text has both.
    lengths: [u64; 256],
    /// Words and the number of their row, found by their hash; the next free slot is near.
    slots: [Option<(&'static [u8], usize)>; SLOTS],
}

/// A power of two, and more than twice the words.
const SLOTS: usize = 128;

static INDEX: Index = Index::new(ROWS);

impl Index {
    #[allow(clippy::indexing_slicing)]
    const fn new(rows: &[Notation]) -> Self {
        let mut index = Self { lengths: [0; 256], slots: [None; SLOTS] };
        let mut count = 0;
        let mut row = 0;
        while row < rows.len() {
            assert!(!rows[row].example.1.is_empty(), "an example must have something to hide");
            let mut at = 0;
            while at < rows[row].words.len() {
                let word = rows[row].words[at];
                index.lengths[word[0] as usize] |= 1 << word.len();
                if rows[row].is_caseless {
                    index.lengths[word[0].to_ascii_lowercase() as usize] |= 1 << word.len();
                    index.lengths[word[0].to_ascii_uppercase() as usize] |= 1 << word.len();
                }
                let mut slot = hash(word) % SLOTS;
                while index.slots[slot].is_some() {
                    slot = (slot + 1) % SLOTS;
                }
                index.slots[slot] = Some((word, row));
                count += 1;
                assert!(count * 2 < SLOTS, "the table of words is too small");
                at += 1;
            }
            row += 1;
        }
        index
    }

    /// Whether some word begins with `first` and has this length.
    #[inline]
    fn may_have(&self, first: u8, len: usize) -> bool {
        let lengths = self.lengths.get(usize::from(first)).copied().unwrap_or(0);
        len < 64 && lengths >> len & 1 == 1
    }

    /// The rows of which `word` is one.
    fn rows<'w>(&'w self, word: &'w [u8]) -> impl Iterator<Item = &'static Notation> + 'w {
        let (before, behind) = self.slots.split_at(hash(word) % SLOTS);
        let slots = behind.iter().chain(before).map_while(|slot| *slot);
        slots.filter_map(move |(known, row)| {
            let row = ROWS.get(row)?;
            let is_it = match row.is_caseless {
                true => known.eq_ignore_ascii_case(word),
                false => known == word,
            };
            is_it.then_some(row)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::find::hidden;

    #[test]
    fn each_word_of_a_row_reaches_it() {
        for (number, row) in ROWS.iter().enumerate() {
            for word in row.words {
                let mut spelled = vec![word.to_vec()];
                if row.is_caseless {
                    spelled.extend([word.to_ascii_lowercase(), word.to_ascii_uppercase()]);
                }
                for word in spelled {
                    let name = String::from_utf8_lossy(&word);
                    assert!(INDEX.may_have(word[0], word.len()), "row {number}: {name}");
                    let is_asked = INDEX.rows(&word).any(|asked| std::ptr::eq(asked, row));
                    assert!(is_asked, "row {number}: {name}");
                }
            }
        }
    }

    #[test]
    fn the_example_of_each_row_is_hidden_through_one_of_its_words() {
        for row in ROWS {
            let (text, wanted) = row.example;
            assert_eq!(hidden(text), wanted, "{text}");
            // A letter more, and no word of the table begins the notation.
            let word = row.words.iter().map(|word| std::str::from_utf8(word).unwrap());
            let word = word.into_iter().find(|word| text.contains(word)).expect(text);
            let other = text.replace(word, &format!("{word}x"));
            assert_ne!(hidden(&other).len(), wanted.len(), "{other}");
        }
    }

    #[test]
    fn other_words_reach_no_row() {
        for word in ["", "AUT", "auth", "AUTHX", "tO", "zzz"] {
            assert_eq!(INDEX.rows(word.as_bytes()).count(), 0, "{word}");
        }
    }
    #[test]
    fn places_of_known_notations_are_hidden() {
        for (text, wanted) in [
            ("AUTH hunter2\r\n", &["hunter2"][..]),
            ("1.5 [0 127.0.0.1:9] \"AUTH\" \"hunter2\"", &["hunter2"]),
            ("*2\r\n$4\r\nAUTH\r\n$7\r\nhunter2\r\n", &["hunter2"]),
            ("AUTH PLAIN AGFubgBodW50ZXIy\r\n", &["AGFubgBodW50ZXIy"]),
            ("machine db.int\n login ann_l\n password dragon\n", &["ann_l", "dragon"]),
            ("FAILED SU (to root) ann77 on pts/5", &["ann77"]),
            ("ConvertTo-SecureString 'superman' -AsPlainText", &["superman"]),
            ("SET PASSWORD FOR 'app' = PASSWORD('hunter2');", &["hunter2"]),
            ("CREATE USER a IDENTIFIED BY 'hunter2'", &["hunter2"]),
            ("db.example.net:5432:appdb:ann_l:hunter2\n", &["ann_l", "hunter2"]),
            (
                "BEGIN:VCARD\nVERSION:4.0\nN:Lee;Ann;;;\nADR;TYPE=home:;;9 High St;Ely;;16932;\nEND:VCARD",
                &["Lee", "Ann", "9 High St", "Ely", "16932"],
            ),
        ] {
            assert_eq!(hidden(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_notation_stays() {
        for text in [
            "AUTH LOGIN\r\n",
            "250-AUTH LOGIN PLAIN\r\n",
            "the machine is off, login as before",
            "go (to root) and back on time",
            "set requirepass before you expose the port",
            "requirepass of the old server\n",
            "main.c:1024:int:foo:bar\n",
            "SHA256:6LTHN+h6meK/d/EVx8HEFWC7wiX34Fz8Fmxu3Xcweyo",
            "\"integrity\": \"sha512-Df0HD2ndtZWpZGpEZLh07flKV87aZwNt1tlHjPF8/OWkDrx6\"",
            "Content-MD5: NxlduEyojINFf1NkX6u7ZA==",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
