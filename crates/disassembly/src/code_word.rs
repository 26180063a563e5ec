//! Instructions without what depends on where they are.

use std::ops::Range;

use obit_corefile::addr::Svma;

/// What is to be known of the image that a function is in.
pub struct CodePlace<'p> {
    /// Addresses of the image, if its code may hold some: it is loaded where it was linked
    /// for (`ET_EXEC`).
    pub fixed: Option<Range<u64>>,
    /// The address that 32-bit x86 code counts data from (`_GLOBAL_OFFSET_TABLE_`), and the
    /// addresses of the image.
    pub counted_from: Option<(u64, Range<u64>)>,
    /// The name of the function that begins at an address, if it is known.
    pub name_of: &'p dyn Fn(Svma) -> Option<String>,
}

/// One instruction without what depends on its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Bytes from the function's first.
    pub(super) at: u64,
    /// What remains of its bytes; empty for padding.
    pub(super) bytes: Vec<u8>,
    /// The address that it jumps to, calls or names.
    pub(super) target: Option<u64>,
}
