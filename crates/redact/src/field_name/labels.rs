//! Labels of several words, and labels in scripts without blanks between words. The
//! vocabulary is data: `labels.txt`.

use super::{Field, Sureness, begins_word, for_each_word, is_letter};
use crate::kind::Kind;

const VOCABULARY: &str = include_str!("labels.txt");

/// Words of a label, and bytes of one.
const MOST_WORDS: usize = 6;
const LONGEST: usize = 64;

/// What the last words of `name`, which is in lower case beyond ASCII, announce together:
/// the longest label counts.
pub(super) fn label(name: &[u8]) -> Option<Field> {
    let end = name.iter().rposition(|byte| is_letter(*byte))? + 1;
    let letters = name.get(..end)?.iter().rev().take_while(|byte| is_letter(**byte)).count();
    let last = name.get(end - letters..end)?;
    // A word within may begin with a capital: `licensePlate`.
    let inner = (end - letters + 1..end).rev().find(|at| begins_word(name, *at));
    if !ends_label(inner.and_then(|at| name.get(at..end)).unwrap_or(last)) {
        return None;
    }
    let mut words = Words::default();
    for_each_word(name, |word| words.push(word));
    // `plate` is a label, and so is `the plate`; `boiler_plate` and `BoilerPlate` are not.
    let last = name.len() - name.iter().rev().take_while(|byte| is_letter(**byte)).count();
    let is_apart = last.checked_sub(1).is_none_or(|before| name.get(before) == Some(&b' '))
        && !(last + 1..name.len()).any(|at| begins_word(name, at));
    let mut fitting = words.tails().filter(|tail| {
        is_apart || !tail.is_ascii() || tail.len() == words.len || tail.contains(&b' ')
    });
    fitting.find_map(find)
}

/// Whether a label ends with `word`, in any case: most words of a text are not looked at
/// further.
pub(crate) fn ends_label(word: &[u8]) -> bool {
    if word.first().is_some_and(|first| *first >= 0x80) {
        return true;
    }
    let slot = last_slot(word);
    LAST_WORDS.get(slot / 64).is_some_and(|bits| bits >> (slot % 64) & 1 == 1)
}

/// The last words of a name, separated by one blank.
struct Words {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Default for Words {
    fn default() -> Self {
        Self { bytes: [0; LONGEST], len: 0 }
    }
}

impl Words {
    /// Adds a word; drops the first ones where there is no room.
    fn push(&mut self, word: &[u8]) {
        let blank = usize::from(self.len > 0);
        if word.len() >= LONGEST {
            self.len = 0;
            return;
        }
        let needed = self.len + blank + word.len();
        if let Some(excess) = needed.checked_sub(LONGEST) {
            let text = self.bytes.get(..self.len).unwrap_or_default();
            let cut = text.iter().skip(excess).position(|byte| *byte == b' ');
            let from = cut.map_or(self.len, |at| excess + at + 1);
            self.bytes.copy_within(from..self.len, 0);
            self.len -= from;
        }
        if self.len > 0
            && let Some(free) = self.bytes.get_mut(self.len)
        {
            *free = b' ';
            self.len += 1;
        }
        if let Some(free) = self.bytes.get_mut(self.len..self.len + word.len()) {
            free.copy_from_slice(word);
            self.len += word.len();
        }
    }

    /// The text, and what remains of it without its first words; at last the ends of a word
    /// that is written in characters of three bytes, which needs no blanks.
    fn tails(&self) -> impl Iterator<Item = &[u8]> {
        let text = self.bytes.get(..self.len).unwrap_or_default();
        let first_words = text.split(|byte| *byte == b' ').count().saturating_sub(MOST_WORDS);
        let words = text.iter().enumerate().filter(|(_, byte)| **byte == b' ');
        let words = words.map(|(at, _)| at + 1).skip(first_words.saturating_sub(1));
        let words = (first_words == 0).then_some(0).into_iter().chain(words);
        let last = text.iter().rposition(|byte| *byte == b' ').map_or(0, |at| at + 1);
        // One character, as of `文件名`, is too little.
        let ends = (last + 1..self.len.saturating_sub(5)).filter(|at| {
            // CJK and Hangul: lead bytes of U+3000 and above.
            text.get(*at).is_some_and(|byte| (0xe3..=0xed).contains(byte))
        });
        words.chain(ends).filter_map(move |from| text.get(from..))
    }
}

/// What `label` announces, if it is one.
fn find(label: &[u8]) -> Option<Field> {
    let mut slot = hash(label) % SLOTS;
    loop {
        let Slot { start, len, kind } = *INDEX.0.get(slot)?;
        if len == 0 {
            return None;
        }
        let start = usize::from(start);
        if VOCABULARY.as_bytes().get(start..start + usize::from(len)) == Some(label) {
            return Some(field(*INDEX.1.get(usize::from(kind))?));
        }
        slot = (slot + 1) % SLOTS;
    }
}

fn field(kind: Kind) -> Field {
    let sureness = match kind {
        Kind::Password | Kind::Secret => Sureness::Sure,
        _ => Sureness::Likely,
    };
    Field { kind, sureness }
}

/// A label's place in [`VOCABULARY`]; without length where there is none.
#[derive(Clone, Copy)]
struct Slot {
    start: u16,
    len: u8,
    kind: u8,
}

/// More than twice the labels, so that the next free slot is near.
const SLOTS: usize = 8192;
/// Sections of the vocabulary.
const SECTIONS: usize = 32;

/// Where each label is, by its hash, and the kinds of the sections. Made by the compiler.
static INDEX: ([Slot; SLOTS], [Kind; SECTIONS]) = index();

/// Bits for the hashes of the last words of all labels.
static LAST_WORDS: [u64; LAST_BITS / 64] = last_words();
const LAST_BITS: usize = 1 << 14;

/// The next label behind `place`, and the place where its section's name begins if there is
/// a new one: `(start, end, section)`. An end of 0 is the end of the vocabulary.
#[allow(clippy::indexing_slicing)]
const fn next_label(place: usize) -> (usize, usize, usize) {
    let text = VOCABULARY.as_bytes();
    let mut place = place;
    let mut section = 0;
    while place < text.len() {
        match text[place] {
            b'|' | b'\n' => place += 1,
            b'#' => {
                while place < text.len() && text[place] != b'\n' {
                    place += 1;
                }
            }
            b'[' => {
                section = place + 1;
                while text[place] != b'\n' {
                    place += 1;
                }
            }
            _ => {
                let start = place;
                while place < text.len() && text[place] != b'|' && text[place] != b'\n' {
                    place += 1;
                }
                return (start, place, section);
            }
        }
    }
    (0, 0, 0)
}

/// The kind whose word is at `place`, before a bracket.
#[allow(clippy::indexing_slicing)]
const fn section_kind(place: usize) -> Kind {
    let text = VOCABULARY.as_bytes();
    let mut at = 0;
    while at < Kind::ALL.len() {
        let word = Kind::ALL[at].word().as_bytes();
        let mut same = 0;
        while same < word.len() && text[place + same] == word[same] {
            same += 1;
        }
        if same == word.len() && text[place + same] == b']' {
            return Kind::ALL[at];
        }
        at += 1;
    }
    assert!(at < Kind::ALL.len(), "a section of labels.txt is not named like a kind");
    Kind::Rule
}

#[allow(clippy::indexing_slicing, long_running_const_eval)]
const fn index() -> ([Slot; SLOTS], [Kind; SECTIONS]) {
    let text = VOCABULARY.as_bytes();
    let mut slots = [Slot { start: 0, len: 0, kind: 0 }; SLOTS];
    let mut kinds = [Kind::Rule; SECTIONS];
    let mut sections = 0;
    let mut count = 0;
    let mut place = 0;
    loop {
        let (start, end, section) = next_label(place);
        if end == 0 {
            return (slots, kinds);
        }
        if section > 0 {
            kinds[sections] = section_kind(section);
            sections += 1;
        }
        assert!(end - start <= LONGEST && start <= u16::MAX as usize);
        let label = text.split_at(end).0.split_at(start).1;
        let mut slot = hash(label) % SLOTS;
        while slots[slot].len > 0 {
            slot = (slot + 1) % SLOTS;
        }
        slots[slot] =
            Slot { start: start as u16, len: (end - start) as u8, kind: sections as u8 - 1 };
        count += 1;
        assert!(count * 2 < SLOTS, "the table of labels is too small");
        place = end;
    }
}

#[allow(clippy::indexing_slicing, long_running_const_eval)]
const fn last_words() -> [u64; LAST_BITS / 64] {
    let text = VOCABULARY.as_bytes();
    let mut bits = [0; LAST_BITS / 64];
    let mut place = 0;
    loop {
        let (start, end, _) = next_label(place);
        if end == 0 {
            return bits;
        }
        let mut from = end;
        while from > start && text[from - 1] != b' ' {
            from -= 1;
        }
        let slot = last_slot(text.split_at(end).0.split_at(from).1);
        bits[slot / 64] |= 1 << (slot % 64);
        place = end;
    }
}

/// FNV-1a: labels in one script differ in few bits of their bytes.
#[allow(clippy::indexing_slicing)]
const fn hash(label: &[u8]) -> usize {
    let mut sum: u32 = 0x811c_9dc5;
    let mut at = 0;
    while at < label.len() {
        sum = (sum ^ label[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    (sum ^ sum >> 15) as usize
}

/// The bit for a last word, whatever its case.
const fn last_slot(word: &[u8]) -> usize {
    crate::word_set::hash(word) % LAST_BITS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field_name;

    fn kind(name: &str) -> Option<Kind> {
        field_name::field(name.as_bytes()).map(|field| field.kind)
    }

    #[test]
    fn each_label_announces_its_kind_and_is_listed_once() {
        let mut seen = std::collections::BTreeSet::new();
        let mut section = None;
        for line in VOCABULARY.lines().filter(|line| !line.starts_with('#')) {
            if let Some(word) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                section = Kind::named(word);
                assert!(section.is_some(), "{word}");
                continue;
            }
            for label in line.split('|').filter(|label| !label.is_empty()) {
                assert_eq!(find(label.as_bytes()).map(|field| field.kind), section, "{label}");
                assert!(seen.insert(label), "{label} is listed twice");
                assert_eq!(label, label.to_lowercase(), "{label}");
                assert!(!label.contains("  "), "{label}");
            }
        }
        assert!(seen.len() > 1500, "{}", seen.len());
    }

    #[test]
    fn words_of_a_label_may_be_separated_by_anything() {
        for name in
            ["license_plate", "licensePlate", "License plate", "x.license-plate", "LICENSE_PLATE"]
        {
            assert_eq!(kind(name), Some(Kind::Vehicle), "{name}");
        }
        assert_eq!(kind("Numéro de sécurité sociale"), Some(Kind::NationalId));
        assert_eq!(kind("Plaque d'immatriculation"), Some(Kind::Vehicle));
        assert_eq!(kind("ДАТА РОЖДЕНИЯ"), Some(Kind::Birth));
    }

    #[test]
    fn a_label_may_end_a_word_of_a_script_without_blanks() {
        assert_eq!(kind("您的联系电话"), Some(Kind::Phone));
        assert_eq!(kind("ご登録のメールアドレス"), Some(Kind::Email));
        assert_eq!(kind("고객전화번호"), Some(Kind::Phone));
        assert_eq!(kind("文件名"), None);
    }

    #[test]
    fn words_that_end_no_label_are_distinguished() {
        assert!(ends_label(b"plate") && ends_label(b"PLATE") && ends_label("号".as_bytes()));
        assert!(!ends_label(b"boilerplate") && !ends_label(b"connection"));
    }
}
