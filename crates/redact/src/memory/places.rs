//! What the types and names of a program say of places in its memory.

use std::collections::HashSet;

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
