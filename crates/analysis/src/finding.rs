//! Something that is wrong in the process beside what ended it.

use super::locks::LockFinding;
use super::memory::MemoryFinding;

/// Something that is wrong in the process.
#[derive(Clone, Debug)]
pub enum Finding {
    /// Threads and the locks between them.
    Lock(LockFinding),
    /// Pointers and the heap metadata.
    Memory(MemoryFinding),
}
