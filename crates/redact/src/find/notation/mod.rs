//! Notations of programs, protocols and industries, in which a password or a person has its
//! place and no name. They are rows of one table ([`rows::ROWS`]), by the words that begin
//! them: which words are asked about is made from it by the compiler, so a row is all that a
//! notation takes, and none is unreachable.
//!
//! | file | what it reads for the rows |
//! |---|---|
//! | [`segment`] | messages of segments, whose fields have numbers |
//! | [`judge`] | whether something is written at a place, or a code, a mask, nothing |
//! | the others | notations with a grammar of their own |

mod accounts;
mod call;
mod chat;
mod claims;
mod cryptographic;
mod dicom;
mod directory;
pub(in crate::find) mod elements;
mod fhir;
mod finance;
mod forms;
mod index;
mod judge;
mod literal;
mod log_line;
mod login;
mod mail;
mod messages;
mod modem;
mod mrz;
mod netrc;
mod parcels;
mod passwd;
mod payments;
mod records;
mod rows;
mod segment;
mod services;
mod settings;
pub(in crate::find) mod sql;
mod swift;
mod travel;
mod vcard;

use super::order::{ByteSet, Find, Words};
use super::scan::Scan;
use super::text::{Text, is_word};
use index::{INDEX, SIGNS};

/// A notation.
struct Notation {
    /// What begins it: a word (`AUTH`), words of which a beginning is given (`DAQ*`), or a
    /// text that begins with a sign (`:50K:`).
    words: &'static [&'static [u8]],
    is_caseless: bool,
    /// What must be around the word; all else is asked by `find`.
    around: Around,
    /// Asked about the word at `start..end`; gives where the scan goes on.
    find: Find,
    /// A text in this notation, and what is hidden in it.
    example: (&'static str, &'static [&'static str]),
    /// A text with the same words in which nothing is hidden.
    keeps: &'static str,
}

/// The words of one byte at which marks that begin with the sign number `sign` may be.
#[allow(clippy::indexing_slicing)]
pub(super) const fn marks(sign: usize) -> Words {
    Words::ANY.first(ByteSet::of(&[SIGNS[sign]])).next(INDEX.second(sign))
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
                let prior = text.before(from);
                // `.NET user`, `subnet user` have another word before.
                let is_longer = (is_word(prior) || prior == b'.')
                    && word.first().is_some_and(|first| is_word(*first));
                text.before(start) == b' '
                    && !is_longer
                    && text.slice(from..start - 1).eq_ignore_ascii_case(word)
            }
        }
    }
}

impl Scan<'_> {
    /// What the word at `start..end` begins in a notation of its own; gives where to go on.
    #[inline]
    pub(in crate::find) fn notation(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        if !INDEX.may_have(text.at(start), text.before(end), end - start) {
            return None;
        }
        let rows = INDEX.rows(text.slice(start..end));
        let mut fitting = rows.filter(|row| row.around.is_at(text, start, end));
        fitting.find_map(|row| (row.find)(self, start, end))
    }

    /// What the mark at `place` begins, whose first byte is a sign; gives where to go on.
    pub(in crate::find) fn mark(&mut self, place: usize) -> Option<usize> {
        let text = self.text;
        let mut fitting =
            INDEX.marked(text, place).filter(|(row, end)| row.around.is_at(text, place, *end));
        fitting.find_map(|(row, end)| (row.find)(self, place, end))
    }

    /// Whether what begins at `start` was read ahead already; if not, it is now, to `end`:
    /// no byte is read ahead twice.
    fn is_read(&mut self, start: usize, end: usize) -> bool {
        let is_read = start < self.ahead;
        self.ahead = self.ahead.max(end);
        is_read
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::find::hidden;

    /// The words of `row` as they are written, without the mark of a beginning.
    fn words(row: &'static Notation) -> impl Iterator<Item = &'static str> {
        let words = row.words.iter().map(|word| std::str::from_utf8(word).unwrap());
        words.map(|word| word.trim_end_matches('*'))
    }

    #[test]
    fn the_example_of_each_row_is_hidden_through_one_of_its_words() {
        let mut wrong = Vec::new();
        for row in rows::ROWS.iter().copied().flatten() {
            let (text, wanted) = row.example;
            if hidden(text) != wanted {
                wrong.push((text.to_owned(), hidden(text).join(" # ")));
            }
            // A letter more, and no word of the table begins the notation.
            let mut other = text.to_owned();
            for word in row.words.iter().map(|word| std::str::from_utf8(word).unwrap()) {
                let known = word.trim_end_matches('*');
                let is_whole = known == word && known.starts_with(|c: char| c.is_alphanumeric());
                let first = known.chars().next().map_or(1, char::len_utf8);
                let letter = known.find(|c: char| c.is_ascii_alphanumeric()).unwrap_or(first);
                let (before, behind) = known.split_at(if is_whole { known.len() } else { letter });
                other = other.replace(known, &format!("{before}x{behind}"));
            }
            if hidden(&other).len() == wanted.len() {
                wrong.push((other, "hidden without the word".to_owned()));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn in_what_a_row_keeps_nothing_is_hidden() {
        let mut wrong = Vec::new();
        for row in rows::ROWS.iter().copied().flatten() {
            let has_word = |word: &str| {
                let is_same = |at: &str| at.eq_ignore_ascii_case(word);
                row.keeps.contains(word)
                    || row.is_caseless
                        && row.keeps.split(|c: char| !c.is_alphanumeric()).any(is_same)
            };
            if !hidden(row.keeps).is_empty() || !words(row).any(has_word) {
                wrong.push((row.keeps, hidden(row.keeps)));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn places_of_known_notations_are_hidden() {
        for (text, wanted) in [
            ("AUTH hunter2\r\n", &["hunter2"][..]),
            ("1.5 [0 127.0.0.1:9] \"AUTH\" \"hunter2\"", &["hunter2"]),
            ("*2\r\n$4\r\nAUTH\r\n$7\r\nhunter2\r\n", &["hunter2"]),
            ("AUTH PLAIN AGFubgBodW50ZXIy\r\n", &["AGFubgBodW50ZXIy"]),
            ("a1 LOGIN \"ann.lee\" \"tulip 99\"\r\n", &["ann.lee", "tulip 99"]),
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
