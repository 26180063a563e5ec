//! The bytes of keys that were hidden. A key is copied, to registers, buffers and messages
//! that nothing names; eight bytes of it in a row are it, whatever they are a part of.

use std::collections::HashSet;
use std::ops::Range;

use crate::memory::is_printable;

/// Bytes that are compared.
pub(crate) const PART: usize = 8;
/// Parts that are kept at most: of 16 thousand keys of 32 bytes, or a few of hostile size.
const MOST: usize = 1 << 19;
/// Different values among eight bytes of a key, which looks like chance. Sizes, small numbers,
/// pointers and filling have fewer.
const LEAST_DIFFERENT: usize = 5;
/// Bits of the filter that most parts fail at.
const FILTER: usize = 1 << 16;

/// Parts of keys, in either order of bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyBytes {
    parts: HashSet<u64>,
    /// One bit for each value of some bits of the parts.
    filter: Vec<u64>,
}

impl KeyBytes {
    /// Remembers all parts of `key`.
    pub fn add(&mut self, key: &[u8]) {
        for part in key.windows(PART) {
            let Ok(part) = <[u8; PART]>::try_from(part) else { continue };
            if !is_random(part) {
                continue;
            }
            for word in [u64::from_le_bytes(part), u64::from_be_bytes(part)] {
                if self.parts.len() < MOST && self.parts.insert(word) {
                    self.mark(word);
                }
            }
        }
    }

    /// Remembers what `others` has.
    pub fn add_all(&mut self, others: &Self) {
        for word in &others.parts {
            if self.parts.len() < MOST && self.parts.insert(*word) {
                self.mark(*word);
            }
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether the eight bytes of `word`, in either order, are a part.
    pub fn has(&self, word: u64) -> bool {
        let (at, bit) = place(word);
        self.filter.get(at).is_some_and(|bits| bits & bit != 0) && self.parts.contains(&word)
    }

    /// The stretches of `bytes` that are parts of keys.
    pub fn find(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        if self.is_empty() {
            return found;
        }
        for (at, part) in bytes.windows(PART).enumerate() {
            let Ok(part) = <[u8; PART]>::try_from(part) else { continue };
            if self.has(u64::from_le_bytes(part)) {
                match found.last_mut() {
                    Some(last) if last.end >= at => last.end = at + PART,
                    _ => found.push(at..at + PART),
                }
            }
        }
        found
    }

    /// Whether a part of a key is in `bytes`.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        let mut parts = bytes.windows(PART).filter_map(|part| part.try_into().ok());
        !self.is_empty() && parts.any(|part| self.has(u64::from_le_bytes(part)))
    }

    fn mark(&mut self, word: u64) {
        if self.filter.is_empty() {
            self.filter.resize(FILTER / 64, 0);
        }
        let (at, bit) = place(word);
        if let Some(bits) = self.filter.get_mut(at) {
            *bits |= bit;
        }
    }
}

/// Where the bit of `word` is in the filter.
fn place(word: u64) -> (usize, u64) {
    let mixed = word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
    let at = usize::try_from(mixed).unwrap_or(0) % FILTER;
    (at / 64, 1 << (at % 64))
}

/// Whether eight bytes look like chance: all else occurs elsewhere and reveals nothing.
fn is_random(part: [u8; PART]) -> bool {
    let mut sorted = part;
    sorted.sort_unstable();
    // Text is judged as text, and is in paths and messages.
    if part.iter().all(|byte| is_printable(*byte)) {
        return false;
    }
    let different = sorted.windows(2).filter(|pair| pair.first() != pair.last()).count() + 1;
    different >= LEAST_DIFFERENT && part.iter().filter(|byte| **byte == 0).count() < 2
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"\x52\x73\xe8\x41\xea\xe7\xf4\xa7\xe7\x67\x6b\xcc";

    #[test]
    fn a_part_of_a_key_is_known_again_in_either_order() {
        let mut known = KeyBytes::default();
        known.add(KEY);
        let bytes = [b"\0\0\0", &KEY[1..11], b"\0\0"].concat();
        assert_eq!(known.find(&bytes).as_slice(), std::slice::from_ref(&(3..13)));
        assert!(known.has(u64::from_le_bytes(*b"\x52\x73\xe8\x41\xea\xe7\xf4\xa7")));
        assert!(known.has(u64::from_be_bytes(*b"\x52\x73\xe8\x41\xea\xe7\xf4\xa7")));
        assert!(!known.is_in(&KEY[1..8]) && known.is_in(&KEY[1..9]));
    }

    #[test]
    fn what_is_no_chance_is_not_remembered() {
        let mut known = KeyBytes::default();
        known.add(&[0; 64]);
        known.add(&[1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0]);
        known.add(b"\x10\xe0\x55\xd2\xfd\x7f\0\0");
        known.add(b"short");
        known.add(b"/usr/lib/libcrypto.so.3");
        assert!(known.is_empty() && known.find(&[0; 64]).is_empty());
    }

    #[test]
    fn hostile_keys_take_bounded_memory() {
        let mut known = KeyBytes::default();
        let mut state = 1_u64;
        let mut key = Vec::new();
        for _ in 0..(MOST / 4) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            key.extend(state.to_le_bytes());
        }
        known.add(&key);
        assert_eq!(known.parts.len(), MOST);
    }
}
