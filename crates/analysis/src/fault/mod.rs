//! The instruction that failed and the memory access it failed at.

mod access;
mod by_code;
mod caught;
mod codes;
mod flows;
mod go;
mod instant;
mod linked;
mod reraised;
mod stack_overflow;
#[cfg(test)]
mod tests;

use crate::signals::{SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP};
use obit_corefile::addr::Avma;
use obit_corefile::arch::Decoder;
use obit_corefile::dump::{AddressMeaning, Signal, SignalDetail};
use obit_disassembly::{InstructionKind, MemoryOperand, Source, effects};
use obit_process::process::{Process, Thread};

pub use caught::Caught;
pub(crate) use caught::given_first;
use codes::{FPE_FLTDIV, FPE_INTDIV, ILL_PRVOPC, ILL_PRVREG, TRAP_BRKPT};
pub use flows::Purpose;
use instant::Instant;

/// What a fault signal (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP) of the kernel's own
/// making says, together with the instruction at the pc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The instruction: where execution was, but for `int3`, after which it stops.
    pub pc: Avma,
    /// The instruction there as text; `None` where its bytes are not available.
    pub instruction: Option<String>,
    /// The access that failed; `None` for what is no failed access (a division, an illegal
    /// instruction).
    pub access: Option<Access>,
    /// Why it failed.
    pub reason: Reason,
    /// Index among the physical frames of the crashed thread: 0, or that of the frame which
    /// a signal handler interrupted.
    pub activation: usize,
    /// A handler of the program caught it, and the core's own signal is of what came after.
    pub caught: Option<Caught>,
    /// The core has no record of the kernel's for it: computed from the instruction and the
    /// registers.
    pub is_computed: bool,
    /// Go's runtime made a panic of it.
    pub is_panic: bool,
    /// What a value that could not be read was to be, where that makes it worse.
    pub purpose: Option<Purpose>,
    /// What was divided by what, of a failed division.
    pub division: Option<Division>,
    /// The check of a sanitizer that the trap belongs to.
    pub check: Option<&'static str>,
}

/// The numbers of a division.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Division {
    /// What was to be divided; `None` where a register of it is not known.
    pub dividend: Option<i128>,
    /// By what.
    pub divisor: i128,
}

impl Fault {
    /// Index of the frame that failed among the named frames of the crashed thread.
    pub fn frame(&self, process: &Process) -> usize {
        let frames = process.crashed().map_or(&[][..], |thread| &thread.frames);
        frames.partition_point(|frame| frame.activation < self.activation)
    }

    /// What was used as a pointer and was none. Where the compiler put the address into the
    /// instruction, it knew the pointer to be null.
    pub fn bad_pointer(&self) -> Option<Avma> {
        let pointer = self.access.as_ref()?.pointer();
        pointer.or_else(|| (self.reason == Reason::Null).then_some(Avma(0)))
    }
}

/// One access to memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Read, write or execute.
    pub kind: AccessKind,
    /// The address: the kernel's, or computed from the registers where the kernel does not
    /// report it (non-canonical addresses on x86).
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
    /// No address of this machine: bits 47 to 63 are not all the same (x86_64); bits 48 to
    /// 55 are not, whatever tag is above them (aarch64).
    NonCanonical,
    /// Below the stack, within its guard or just beyond, by stack pointer or recursion.
    StackOverflow,
    /// A file's mapping beyond the end of the file (SIGBUS, BUS_ADRERR).
    BeyondFile,
    /// A write to a file's mapping for which the kernel had no page (SIGBUS, BUS_ADRERR): the
    /// file system is full, the device failed, or the file is shorter than the mapping.
    NoPage,
    /// Not aligned (SIGBUS, BUS_ADRALN).
    Misaligned,
    /// A function returned to an address that is not code: its return address was overwritten.
    Returned,
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
    /// The core does not show it.
    Unknown,
}

/// The fault of the crashed thread; `None` if a person or the program itself sent the
/// signal, and not from within the handler of a fault.
pub(super) fn fault(process: &Process) -> Option<Fault> {
    let signal = process.dump.signal.as_ref()?;
    let thread = process.crashed()?;
    if !is_fault(signal) {
        let caught = caught::caught(process, thread);
        let caught = caught.or_else(|| reraised::reraised(process, thread, signal));
        return caught.or_else(|| go::injected(process, thread));
    }
    let instants = instants(process, thread);
    let found = instants.iter().find_map(|(index, instant)| {
        Some(Fault { activation: *index, ..of_instant(signal, instant)? })
    });
    found.or_else(|| {
        let (_, innermost) = instants.first()?;
        Some(unexplained(signal, innermost))
    })
}

/// A fault before the one that ended the process, whose handler had not returned.
pub(super) fn earlier(process: &Process, thread: &Thread) -> Option<Caught> {
    caught::caught(process, thread)?.caught
}

/// Whether the kernel itself sent a signal because of an instruction.
fn is_fault(signal: &Signal) -> bool {
    matches!(signal.detail, SignalDetail::Fault { .. } | SignalDetail::Kernel)
        && matches!(signal.number, SIGSEGV | SIGBUS | SIGFPE | SIGILL | SIGTRAP)
}

/// The fault by the instruction at `instant`, if that explains `signal`.
fn of_instant(signal: &Signal, instant: &Instant<'_>) -> Option<Fault> {
    match signal.number {
        SIGSEGV | SIGBUS => access::explain(signal, instant),
        SIGFPE => division(signal, instant),
        SIGILL => illegal(signal, instant),
        SIGTRAP => trap(signal, instant),
        _ => None,
    }
}

/// Where the fault may have been: where the thread stopped or, if that is in the handler
/// of the signal, where the signal came. A handler that sends the signal on with the
/// kernel's `siginfo_t` leaves a core of itself.
fn instants<'p>(process: &'p Process, thread: &'p Thread) -> Vec<(usize, Instant<'p>)> {
    let frames = thread.stack.frames.iter().enumerate();
    let handled = frames.clone().skip_while(|(_, frame)| !frame.is_signal).nth(1);
    let places = frames.take(1).chain(handled);
    places.map(|(index, place)| (index, Instant::new(process, thread, place))).collect()
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
        None => {
            by_code::reason(signal).filter(|_| instant.code().is_empty()).unwrap_or(Reason::Unknown)
        }
    };
    fault_at(instant, instant.text(), access, reason)
}

/// Whether the kernel's address, if it reports one, is that of the instruction.
fn is_at(signal: &Signal, instant: &Instant<'_>) -> bool {
    signal.address().is_none_or(|address| address == instant.pc())
}

fn without_access(instant: &Instant<'_>, reason: Reason) -> Fault {
    fault_at(instant, instant.text(), None, reason)
}

fn fault_at(
    instant: &Instant<'_>,
    instruction: Option<String>,
    access: Option<Access>,
    reason: Reason,
) -> Fault {
    Fault {
        pc: instant.pc(),
        instruction,
        access,
        reason,
        activation: 0,
        caught: None,
        is_computed: false,
        is_panic: false,
        purpose: None,
        division: None,
        check: None,
    }
}

/// SIGFPE. The kernel does not distinguish a division by zero from a quotient that is too large.
fn division(signal: &Signal, instant: &Instant<'_>) -> Option<Fault> {
    if !is_at(signal, instant) {
        return None;
    }
    if signal.code? == FPE_FLTDIV {
        return Some(without_access(instant, Reason::DivideByZero));
    }
    let Some(InstructionKind::Division(divisor)) = instant.kind() else { return None };
    let value = instant.value(divisor).filter(|_| signal.code == Some(FPE_INTDIV))?;
    let reason = if value == 0 { Reason::DivideByZero } else { Reason::DivideOverflow };
    let fault = without_access(instant, reason);
    let division = numbers(instant, fault.instruction.as_deref(), divisor, value);
    Some(Fault { division, ..fault })
}

/// The numbers that x86 divides: twice as many bits as the divisor has, in the registers a
/// and d (Intel SDM volume 2, DIV and IDIV).
fn numbers(
    instant: &Instant<'_>,
    text: Option<&str>,
    divisor: Source,
    value: u64,
) -> Option<Division> {
    let is_signed = text?.starts_with("idiv");
    let bits = instant.size(divisor)?.checked_mul(8)?;
    let extended = |value: u128, bits: u64| {
        let unused = u32::try_from(128_u64.checked_sub(bits)?).ok()?;
        let high = value.checked_shl(unused)?;
        let low = || i128::try_from(high.checked_shr(unused)?).ok();
        if is_signed { high.cast_signed().checked_shr(unused) } else { low() }
    };
    let register = |name| {
        let register = instant.facts()?.register_named(name)?;
        instant.place.registers.get(register).map(u128::from)
    };
    let (a, d) = match instant.machine().decoder()? {
        Decoder::X86 { bits: 64 } => ("rax", "rdx"),
        Decoder::X86 { .. } => ("eax", "edx"),
        Decoder::Aarch64 | Decoder::Riscv | Decoder::A32 | Decoder::Thumb => return None,
    };
    let dividend = || {
        // Of a byte both halves are in ax.
        if bits == 8 {
            return extended(register(a)? & 0xffff, 16);
        }
        let bits_of = u32::try_from(bits).ok()?;
        let mask = 1_u128.checked_shl(bits_of)?.wrapping_sub(1);
        let high = (register(d)? & mask).checked_shl(bits_of)?;
        extended(high | (register(a)? & mask), bits.checked_mul(2)?)
    };
    Some(Division { dividend: dividend(), divisor: extended(u128::from(value), bits)? })
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
    let check = super::said::check(instant.code());
    Some(Fault { check, ..without_access(instant, reason) })
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
        let found = effects(before.decoder()?, before.pc(), before.code().get(..len)?)?;
        let is_trap = found.kind == InstructionKind::Trap;
        is_trap.then(|| without_access(&before, Reason::Trap))
    })
}
