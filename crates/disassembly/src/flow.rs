//! What one instruction moves from where to where, and where execution goes on: enough to
//! follow a value backwards through a function.

use super::effects::{MemoryOperand, Part};
use obit_corefile::addr::Avma;

/// One instruction as a movement of data. All its terms and addresses speak of what
/// registers and memory held before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its first byte.
    pub address: Avma,
    /// Its length in bytes.
    pub len: u64,
    /// All it writes: registers (general and vector, by their DWARF numbers) and memory. A
    /// register whose new content no [`Term`] expresses is there with [`Term::Unknown`];
    /// none of these that is changed, even if only sometimes, is left out. Calls name none:
    /// what a call leaves alone is for a caller that knows the psABI.
    pub writes: Vec<Write>,
    /// Where execution goes on.
    pub next: Next,
}

/// One thing that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    /// Where to.
    pub to: Target,
    /// What.
    pub from: Term,
}

/// Where something is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A register. A write of its low four bytes that clears the rest (x86_64, aarch64) is
    /// one of the whole with the zero-extended [`Term`]; a write that keeps the rest (`al`,
    /// `ax`) has the part. On x86 a vector register is 64 bytes wide, on aarch64 16.
    Register(Part),
    /// Memory. One without a size may be anywhere.
    Memory(MemoryOperand),
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// A number in the instruction; `xor %eax,%eax` is 0.
    Constant(u64),
    /// What the part of a register held, zero-extended.
    Register(Part),
    /// The same, sign-extended to so many bytes and zero-extended from there.
    SignExtended(Part, u64),
    /// What lay in memory, zero-extended.
    Memory(MemoryOperand),
    /// The same, sign-extended to so many bytes and zero-extended from there.
    SignExtendedMemory(MemoryOperand, u64),
    /// The operand's address itself: `lea`; also sums of a register and a constant or of
    /// two registers, products with a constant, shifts to the left, `adrp`. As wide as
    /// [`MemoryOperand::address_size`], zero-extended.
    Address(MemoryOperand),
    /// Something else.
    Unknown,
}

/// Where execution goes on after an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// At the next instruction.
    Falls,
    /// Elsewhere; `None` where the target is not in the instruction.
    Jumps(Option<Avma>),
    /// At the next instruction or elsewhere.
    Branches(Avma),
    /// At the next instruction, after a call of this function.
    Calls(Option<Avma>),
    /// Nowhere in this function: a return, a trap.
    Ends,
}
