//! The instruction that failed and the memory access it failed at.

mod access;
mod instant;
mod stack_overflow;
#[cfg(test)]
mod tests;

use crate::addr::Avma;
use crate::disassembly::{InstructionKind, MemoryOperand, effects};
use crate::dump::{AddressMeaning, Signal, SignalDetail};
use crate::process::{Process, Thread};

use instant::Instant;

/// What a fault signal (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP) of the kernel's own
/// making says, together with the instruction at the pc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Index of the activation in the thread's stack.
    pub activation: usize,
    /// The instruction: where execution was, but for `int3`, after which it stops.
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
    /// The instruction's operand, where the access is one of its own.
    pub operand: Option<MemoryOperand>,
}

impl Access {
    /// The value that was used as an address and was none: the base's, where there is one.
    pub fn pointer(&self) -> Option<Avma> {
        match (&self.base, self.kind) {
            (Some((_, value)), _) => Some(Avma(*value)),
            (None, AccessKind::Execute) => Some(self.address),
            (None, _) => None,
        }
    }
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
    /// Within the first 64 KiB, where Linux maps nothing (`vm.mmap_min_addr`), or as far
    /// below a register that is zero: a null pointer and an offset.
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

const SIGILL: u16 = 4;
const SIGTRAP: u16 = 5;
const SIGBUS: u16 = 7;
const SIGFPE: u16 = 8;
const SIGSEGV: u16 = 11;

const ILL_PRVOPC: i32 = 5;
const ILL_PRVREG: i32 = 6;
const FPE_INTDIV: i32 = 1;
const FPE_FLTDIV: i32 = 3;
const TRAP_BRKPT: i32 = 1;

/// The fault of the crashed thread; `None` if a person or the program itself sent the
/// signal.
pub(super) fn fault(process: &Process) -> Option<Fault> {
    let signal = process.dump.signal.as_ref()?;
    if !matches!(signal.detail, SignalDetail::Fault { .. } | SignalDetail::Kernel) {
        return None;
    }
    let explain = match signal.number {
        SIGSEGV | SIGBUS => access::explain,
        SIGFPE => division,
        SIGILL => illegal,
        SIGTRAP => trap,
        _ => return None,
    };
    let thread = process.crashed()?;
    let instants = instants(process, thread);
    let found = instants.iter().find_map(|instant| explain(signal, instant));
    found.or_else(|| Some(unexplained(signal, instants.first()?)))
}

/// Where the fault may have been: where the thread stopped or, if that is in the handler
/// of the signal, where the signal came. A handler that sends the signal on with what the
/// kernel told it leaves a core of itself.
fn instants<'p>(process: &'p Process, thread: &'p Thread) -> Vec<Instant<'p>> {
    let frames = &thread.stack.frames;
    let handled = frames.iter().position(|frame| frame.is_signal).map(|at| at + 1);
    let places = std::iter::once(0).chain(handled);
    places.filter_map(|index| Instant::new(process, thread, index)).collect()
}

/// What is left to say where no instruction fits what the kernel said.
fn unexplained(signal: &Signal, instant: &Instant<'_>) -> Fault {
    let access = match signal.detail {
        SignalDetail::Fault { address, meaning: AddressMeaning::Access, .. } => Some(Access {
            kind: AccessKind::Unknown,
            address,
            size: None,
            base: None,
            index: None,
            displacement: 0,
            operand: None,
        }),
        _ => None,
    };
    let reason = match &access {
        Some(access) => access::reason(signal, instant, access),
        None => Reason::Unknown,
    };
    Fault {
        activation: instant.index,
        pc: instant.pc(),
        instruction: instant.text(),
        access,
        reason,
    }
}

/// Whether the kernel's address, if it tells one, is that of the instruction.
fn is_at(signal: &Signal, instant: &Instant<'_>) -> bool {
    signal.address().is_none_or(|address| address == instant.pc())
}

fn without_access(instant: &Instant<'_>, reason: Reason) -> Fault {
    Fault {
        activation: instant.index,
        pc: instant.pc(),
        instruction: instant.text(),
        access: None,
        reason,
    }
}

/// SIGFPE. The kernel does not tell zero from a quotient that is too large.
fn division(signal: &Signal, instant: &Instant<'_>) -> Option<Fault> {
    if !is_at(signal, instant) {
        return None;
    }
    let reason = match (signal.code?, instant.kind()) {
        (FPE_INTDIV, Some(InstructionKind::Division(divisor))) => match instant.value(divisor)? {
            0 => Reason::DivideByZero,
            _ => Reason::DivideOverflow,
        },
        (FPE_FLTDIV, _) => Reason::DivideByZero,
        _ => return None,
    };
    Some(without_access(instant, reason))
}

/// SIGILL.
fn illegal(signal: &Signal, instant: &Instant<'_>) -> Option<Fault> {
    if !is_at(signal, instant) || instant.code().is_empty() {
        return None;
    }
    let reason = match (instant.kind(), signal.code) {
        (Some(InstructionKind::Trap), _) => Reason::Trap,
        (Some(InstructionKind::Privileged), _) | (_, Some(ILL_PRVOPC | ILL_PRVREG)) => {
            Reason::Privileged
        }
        // That it can be decoded does not mean that this processor has it.
        _ => Reason::IllegalInstruction,
    };
    Some(without_access(instant, reason))
}

/// SIGTRAP. x86 stops after `int3` and the kernel gives no address; other machines stop at
/// the instruction.
fn trap(signal: &Signal, instant: &Instant<'_>) -> Option<Fault> {
    if signal.detail != SignalDetail::Kernel {
        let is_trap = signal.code == Some(TRAP_BRKPT) && is_at(signal, instant);
        return is_trap.then(|| without_access(instant, Reason::Trap));
    }
    [1, 2].into_iter().find_map(|len| {
        let before = instant.before(len);
        let found = effects(before.machine(), before.pc(), before.code().get(..len)?)?;
        let is_trap = found.kind == InstructionKind::Trap;
        is_trap.then(|| without_access(&before, Reason::Trap))
    })
}
