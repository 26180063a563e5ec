//! How frames are linked where no table describes them.

use super::{Register, Saved};

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
    /// The stack pointer points at the caller's stack pointer, and the return address lies so
    /// many bytes into the caller's frame.
    BackChain {
        /// Bytes from the caller's stack pointer.
        return_address: i64,
    },
    /// A window of registers of its own: the caller's stack pointer is the frame pointer, and
    /// its registers are saved there when others need the place (SPARC).
    Window {
        /// Bytes from a stack pointer to the frame.
        bias: i64,
        /// The register that holds the return address.
        return_address: Register,
        /// The window's registers, from its frame.
        saved: Saved,
    },
}

/// What shows that a function still has its return address in the link register.
#[derive(Clone, Copy, Debug)]
pub struct Leaf {
    /// Instructions of four bytes after which it has not: calls, returns, and those that
    /// change the register, each as a mask and what is left of the instruction under it.
    pub ends: &'static [(u32, u32)],
    /// Instructions that lower the stack pointer and begin a back chain.
    pub lowers_stack: &'static [(u32, u32)],
}

impl Leaf {
    /// The code is not known well enough to say.
    pub(super) const UNKNOWN: Self = Self { ends: &[(0, 0)], lowers_stack: &[] };

    /// Whether the link register may have changed after `code`.
    pub fn is_ended_by(&self, code: u32) -> bool {
        self.ends.iter().any(|(mask, value)| code & mask == *value)
    }

    /// Whether `code` lowers the stack pointer.
    pub fn is_frame_built_by(&self, code: u32) -> bool {
        self.lowers_stack.iter().any(|(mask, value)| code & mask == *value)
    }
}

/// How functions begin, for machines whose frames are not chained. Instructions of four bytes.
#[derive(Clone, Copy, Debug)]
pub struct Prologue {
    /// Lowers the stack pointer.
    pub lowers: &'static [PrologueForm],
    /// Saves the link register on the stack.
    pub saves_link: &'static [PrologueForm],
    /// Saves the caller's frame pointer on the stack.
    pub saves_frame: &'static [PrologueForm],
    /// Makes the stack pointer the frame pointer.
    pub sets_frame: &'static [u32],
}

/// An instruction whose low 16 bits are a signed number of bytes.
#[derive(Clone, Copy, Debug)]
pub struct PrologueForm {
    /// The bits that count.
    pub mask: u32,
    /// What they are.
    pub value: u32,
}

impl PrologueForm {
    /// The number in `code`, if it is of this form.
    pub fn number_in(&self, code: u32) -> Option<i64> {
        (code & self.mask == self.value).then(|| i64::from((code as u16).cast_signed()))
    }
}
