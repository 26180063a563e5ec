//! How frames hang together where no table tells.

use super::Saved;

/// What a function leaves on the stack for a walk without tables.
#[derive(Clone, Copy, Debug)]
pub enum FrameRecord {
    /// Nothing to rely on.
    None,
    /// The frame pointer points at the caller's frame pointer and the return address. All in
    /// bytes from the frame pointer.
    FramePointer {
        /// The caller's frame pointer.
        saved: i64,
        /// The return address.
        return_address: i64,
        /// Where the caller's frame begins: its stack pointer.
        sp: i64,
    },
    /// The stack pointer points at the caller's stack pointer.
    BackChain {
        /// Bytes from the stack pointer to the frame (SPARC's bias).
        bias: i64,
        /// Bytes from there to the caller's stack pointer.
        chain: i64,
        /// Where the return address lies.
        return_address: ChainedReturn,
        /// What the caller finds in its own frame, from its stack pointer plus `bias`.
        saved: &'static [Saved],
    },
}

/// Where the return address of a function lies that keeps a back chain.
#[derive(Clone, Copy, Debug)]
pub enum ChainedReturn {
    /// Bytes into its own frame.
    Own(i64),
    /// Bytes into its caller's frame.
    Callers(i64),
}

/// What shows that a function still has its return address in the link register.
#[derive(Clone, Copy, Debug)]
pub struct Leaf {
    /// Instructions of four bytes after which it has not: calls, returns, and those that
    /// change the register, each as a mask and what is left of the instruction under it.
    pub ends: &'static [(u32, u32)],
}

impl Leaf {
    /// The code is not known well enough to say.
    pub(super) const UNKNOWN: Self = Self { ends: &[(0, 0)] };

    /// Whether the link register may have changed after `code`.
    pub fn is_ended_by(&self, code: u32) -> bool {
        self.ends.iter().any(|(mask, value)| code & mask == *value)
    }
}
