//! What the types and names of a program say of places in its memory.

use std::collections::HashSet;

use crate::key_bytes::KeyBytes;

/// What is known of single places. Addresses and lengths are in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Numbers and pointers: start and length, sorted.
    pub numbers: Vec<(u64, u64)>,
    /// Arrays of characters, whole: what lies behind the end of a text is older text.
    pub texts: Vec<(u64, u64)>,
    /// What a report hides: start, length and what it is, sorted.
    pub hidden: Vec<(u64, u64, Hidden)>,
    /// Hidden numbers, wherever they are.
    pub values: HashSet<u64>,
    /// Hidden bytes, wherever they are.
    pub keys: KeyBytes,
}

/// The smallest number that is looked for in the other order of bytes, too.
const SWAPPED: u64 = 1 << 24;

impl Places {
    /// Whether `value` is a hidden number, in either order of bytes.
    pub fn is_hidden_value(&self, value: u64) -> bool {
        let swapped = |value: u64| match u32::try_from(value) {
            Ok(half) => u64::from(half.swap_bytes()),
            Err(_) => value.swap_bytes(),
        };
        self.values.contains(&value) || (value >= SWAPPED && self.values.contains(&swapped(value)))
    }
}

/// What is hidden at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hidden {
    /// Becomes 1 or, below zero, -1; zero stays.
    Integer,
    /// Becomes zero, and so does what shares bytes with other members.
    Other,
    /// An array of characters.
    Text,
}
