//! Sets of words that are asked often: of text where hardly any word is one.

/// Words without regard to the case of ASCII letters, found by their hash. Made by the
/// compiler: nothing is built when obit starts.
pub(super) struct WordSet<const SLOTS: usize> {
    slots: [&'static [u8]; SLOTS],
}

impl<const SLOTS: usize> WordSet<SLOTS> {
    /// The set of `words`, which are in lower case and fewer than half of `SLOTS`, a power
    /// of two: the next free slot is near.
    #[allow(clippy::indexing_slicing)]
    pub(super) const fn new(words: &[&'static [u8]]) -> Self {
        assert!(SLOTS.is_power_of_two() && words.len() * 2 <= SLOTS);
        let mut slots: [&'static [u8]; SLOTS] = [b""; SLOTS];
        let mut at = 0;
        while at < words.len() {
            let mut slot = hash(words[at]) % SLOTS;
            while !slots[slot].is_empty() {
                slot = (slot + 1) % SLOTS;
            }
            slots[slot] = words[at];
            at += 1;
        }
        Self { slots }
    }

    /// Whether `word` is one of them, in any case.
    pub(super) fn has(&self, word: &[u8]) -> bool {
        if word.is_empty() {
            return false;
        }
        let from = hash(word) % SLOTS;
        let (before, behind) = self.slots.split_at(from);
        behind
            .iter()
            .chain(before)
            .take_while(|known| !known.is_empty())
            .any(|known| known.eq_ignore_ascii_case(word))
    }
}

/// A number for a word, of its length and four letters, whatever their case.
#[allow(clippy::indexing_slicing)]
pub(super) const fn hash(word: &[u8]) -> usize {
    if word.is_empty() {
        return 0;
    }
    let last = word.len() - 1;
    let letters = u32::from_le_bytes([word[0], word[last], word[last / 2], word[last.div_ceil(4)]]);
    let mixed = ((letters | 0x2020_2020) ^ (word.len() as u32)).wrapping_mul(0x9e37_79b1);
    (mixed >> 16) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: WordSet<8> = WordSet::new(&[b"null", b"n/a", b"a"]);

    #[test]
    fn words_are_found_in_any_case_and_no_others_are() {
        for word in ["null", "NULL", "Null", "n/a", "N/A", "A"] {
            assert!(SET.has(word.as_bytes()), "{word}");
        }
        for word in ["", "nul", "nulls", "b", "n-a", "na"] {
            assert!(!SET.has(word.as_bytes()), "{word}");
        }
    }

    #[test]
    fn words_whose_hash_is_the_same_are_all_found() {
        const CROWDED: WordSet<4> = WordSet::new(&[b"abcde", b"abxde"]);
        assert!(CROWDED.has(b"abcde") && CROWDED.has(b"abxde") && !CROWDED.has(b"abyde"));
    }
}
