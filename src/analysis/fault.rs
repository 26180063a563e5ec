//! The instruction that failed and the memory access it failed at.

use crate::addr::Avma;
use crate::process::Process;

/// What a fault signal (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP) of the kernel's own
/// making says, together with the instruction at the pc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where execution was.
    pub pc: Avma,
    /// The instruction there as text; `None` where its bytes are not at hand.
    pub instruction: Option<String>,
    /// The access that failed; `None` for what is no failed access (a division, an illegal
    /// instruction).
    pub access: Option<Access>,
    /// Why it failed.
    pub reason: Reason,
}

/// One access to memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Read, write or execute.
    pub kind: AccessKind,
    /// The address: the kernel's, or computed from the registers where the kernel does not
    /// tell it (non-canonical addresses on x86).
    pub address: Avma,
    /// Bytes; `None` where not known.
    pub size: Option<u64>,
    /// The register that held the base of the address, by its name, and what it held.
    pub base: Option<(String, u64)>,
    /// The register that held the index, and what it held.
    pub index: Option<(String, u64)>,
    /// The constant added to them, in bytes.
    pub displacement: i64,
}

/// What was done to memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum AccessKind {
    Read,
    Write,
    Execute,
    /// The instruction is not known or does both.
    Unknown,
}

/// Why an instruction failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Within the first page (or the first 64 KiB by a constant offset): a null pointer and
    /// an offset.
    Null,
    /// Nothing is mapped there.
    Unmapped,
    /// Mapped without the right that was needed.
    Forbidden,
    /// No address of this machine: bits 48 to 63 are not all the same (x86_64).
    NonCanonical,
    /// Below the stack, within its guard or just beyond, by stack pointer or recursion.
    StackOverflow,
    /// A file's mapping beyond the end of the file (SIGBUS, BUS_ADRERR).
    BeyondFile,
    /// Not aligned (SIGBUS, BUS_ADRALN).
    Misaligned,
    /// A division by zero.
    DivideByZero,
    /// A quotient too large for its register: `INT_MIN / -1`.
    DivideOverflow,
    /// `ud2`, `int3`, `brk`: the compiler put it where nothing should come by.
    Trap,
    /// An instruction this machine does not know.
    IllegalInstruction,
    /// An instruction for the kernel alone.
    Privileged,
    /// The core does not tell.
    Unknown,
}

/// The fault of the crashed thread; `None` if a person or the program itself sent the
/// signal.
pub(super) fn fault(process: &Process) -> Option<Fault> {
    let _ = process;
    None
}
