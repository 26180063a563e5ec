//! Values that were hidden because of the name of their variable or field. The same value
//! elsewhere in a report, in a line of source or a message, looks like nothing in
//! particular, and is hidden, too.

use std::collections::BTreeSet;
use std::ops::Range;

use super::kind::Kind;
use crate::key_bytes::KeyBytes;
use crate::key_text;
use crate::text_in_numbers;

/// Values that are remembered; those of more would cost more than they hide.
const MOST: usize = 256;
/// Bytes of a value: a shorter one occurs in other words by chance.
const SHORTEST: usize = 6;
const LONGEST: usize = 256;
/// The same for a value of letters alone, which may be a word of a language.
const SHORTEST_WORD: usize = 10;
/// The smallest number that is not a usual size, count or port.
const LEAST_NUMBER: u64 = 100_000;

/// What was hidden so far.
#[derive(Debug)]
pub(super) struct Remembered {
    /// The first bytes of all texts.
    firsts: [bool; 256],
    texts: BTreeSet<(Vec<u8>, Kind)>,
    numbers: BTreeSet<u64>,
    /// Keys that were hidden as numbers.
    pub(super) keys: KeyBytes,
}

impl Default for Remembered {
    fn default() -> Self {
        Self {
            firsts: [false; 256],
            texts: BTreeSet::new(),
            numbers: BTreeSet::new(),
            keys: KeyBytes::default(),
        }
    }
}

impl Remembered {
    /// Remembers `text`, if it is of a kind that no other text is by chance.
    pub(super) fn add(&mut self, kind: Kind, text: &[u8]) {
        let is_plain = text.iter().all(u8::is_ascii_alphabetic);
        let is_own = match kind {
            Kind::Place | Kind::Birth | Kind::Ip | Kind::Text => false,
            // `root`, `www-data`; but not `lee.marsh@sales`.
            Kind::User | Kind::Name | Kind::Address => {
                text.len() >= SHORTEST_WORD && !text.iter().all(u8::is_ascii_alphanumeric)
            }
            _ => true,
        };
        let shortest = if is_plain { SHORTEST_WORD } else { SHORTEST };
        if !is_own || text.len() < shortest || text_in_numbers::is_dull(text) {
            return;
        }
        if text.len() <= LONGEST && self.texts.len() < MOST {
            let first = text.first().and_then(|first| self.firsts.get_mut(usize::from(*first)));
            if let Some(is_first) = first {
                *is_first = true;
            }
            self.texts.insert((text.to_vec(), kind));
        }
        let number = std::str::from_utf8(text).ok().and_then(|digits| digits.parse().ok());
        if let Some(number) = number.filter(|number| *number >= LEAST_NUMBER)
            && self.numbers.len() < MOST
        {
            self.numbers.insert(number);
        }
    }

    /// Whether the number was hidden before, or is a part of a key.
    pub(super) fn has_number(&self, number: u64) -> bool {
        self.numbers.contains(&number) || self.keys.has(number)
    }

    /// Where in `text` a remembered one occurs as a word of its own, or a part of a key does.
    pub(super) fn find(&self, text: &[u8]) -> Vec<(Range<usize>, Kind)> {
        let keys = key_text::find_known(text, &self.keys).into_iter();
        let mut found: Vec<_> = keys.map(|range| (range, Kind::Secret)).collect();
        if self.texts.is_empty() {
            return found;
        }
        let mut place = 0;
        while let Some(byte) = text.get(place) {
            let candidate = self.firsts.get(usize::from(*byte)).copied().unwrap_or(false);
            let hit = if candidate { self.at(text, place) } else { None };
            match hit {
                Some((length, kind)) => {
                    found.push((place..place + length, kind));
                    place += length;
                }
                None => place += 1,
            }
        }
        found
    }

    /// The longest that is at `place`.
    fn at(&self, text: &[u8], place: usize) -> Option<(usize, Kind)> {
        let rest = text.get(place..)?;
        let first = vec![*rest.first()?];
        let is_end = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
        if !is_end(place.checked_sub(1).and_then(|before| text.get(before))) {
            return None;
        }
        let same_first = self.texts.range((first.clone(), Kind::Email)..);
        let same_first = same_first.take_while(|(known, _)| known.first() == first.first());
        let fits = same_first
            .filter(|(known, _)| rest.starts_with(known) && is_end(rest.get(known.len())));
        fits.map(|(known, kind)| (known.len(), *kind)).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_value_is_known_again_as_a_word_of_its_own() {
        let mut known = Remembered::default();
        known.add(Kind::Password, b"hunter2");
        known.add(Kind::Password, b"hunter2-more");
        known.add(Kind::Card, b"4929804463622139");
        let found = known.find(b"no \"hunter2\", xhunter2, hunter2-more");
        assert_eq!(found, [(4..11, Kind::Password), (24..36, Kind::Password)]);
        assert!(known.has_number(4_929_804_463_622_139) && !known.has_number(7));
    }

    #[test]
    fn what_may_be_a_word_or_a_count_is_not_remembered() {
        let mut known = Remembered::default();
        for text in ["default", "root", "aaaaaaaa", "12345"] {
            known.add(Kind::Password, text.as_bytes());
        }
        known.add(Kind::User, b"www-data");
        assert!(known.find(b"default root aaaaaaaa 12345 www-data").is_empty());
        assert!(!known.has_number(12_345));
    }
}
