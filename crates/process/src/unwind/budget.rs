//! What the stacks of one process may cost together. Each stack and each table has limits
//! of its own; a hostile core has a hundred thousand threads to spend them on.

/// Frames of a stack that are unwound even when others have spent the budget.
pub(super) const FEWEST_FRAMES: usize = 16;

/// What is left. Real cores of any size stay far below; each limit is a few seconds of work
/// or less than a gigabyte.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// Physical frames, each a few hundred bytes for as long as the process is looked at.
    pub(super) frames: usize,
    /// Bytes of call frame information that are executed. One instruction of one byte may
    /// copy a row of some kilobytes.
    pub(super) table_bytes: usize,
    /// Operations of DWARF expressions in call frame information.
    pub(super) operations: usize,
    /// Words of memory that are looked at for a return address.
    pub(super) words: usize,
}

impl Budget {
    /// The budget of one process.
    pub(super) fn new() -> Self {
        Self { frames: 2 << 20, table_bytes: 32 << 20, operations: 64 << 20, words: 16 << 20 }
    }
}

/// Takes `cost` from what is left. A cost too high leaves nothing: work that is refused
/// has already cost the reading of its size.
pub(super) fn take(left: &mut usize, cost: usize) -> bool {
    let rest = left.checked_sub(cost);
    *left = rest.unwrap_or(0);
    rest.is_some()
}
