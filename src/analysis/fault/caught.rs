//! A fault that a handler of the program caught. What the handler did then (`abort`,
//! `raise`) is all that the core's own signal tells; the fault itself lies in the frame
//! the kernel made for the handler (Linux `arch/*/include/asm/sigframe.h`).

use super::instant::Instant;
use super::{Fault, Reason, SIGFPE, SIGILL, SIGSEGV, SIGTRAP, is_fault, of_instant, unexplained};
use crate::addr::Avma;
use crate::arch::Machine;
use crate::dump::Signal;
use crate::process::{Process, Thread};
use crate::unwind::Activation;

/// Bytes of `siginfo_t`.
const SIGINFO: usize = 128;
/// From the stack pointer of the trampoline on x86_64, which is that of `ucontext`, to
/// the `siginfo` behind it: flags, link, stack (24), `sigcontext` (256), mask (8).
const BEHIND_UCONTEXT: u64 = 304;
/// From there to `err`, `trapno` and `cr2` in `uc_mcontext` (x86_64).
const TRAP_NUMBER: u64 = 40 + 160;
const FAULT_ADDRESS: u64 = 40 + 176;
/// From the stack pointer to `uc_mcontext.fault_address` on aarch64.
const FAULT_ADDRESS_OF_ARM: u64 = 128 + 176;

/// Exceptions of x86 (Intel SDM volume 3, 6.3.1).
const DIVIDE_ERROR: u64 = 0;
const BREAKPOINT: u64 = 3;
const INVALID_OPCODE: u64 = 6;
const STACK_FAULT: u64 = 12;
const GENERAL_PROTECTION: u64 = 13;
const PAGE_FAULT: u64 = 14;

const SI_KERNEL: i32 = 0x80;
const SEGV_MAPERR: i32 = 1;
const SEGV_ACCERR: i32 = 2;
const FPE_INTDIV: i32 = 1;
const ILL_ILLOPN: i32 = 2;

/// A fault that a handler of the program caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caught {
    /// What the kernel told the handler.
    pub signal: Signal,
    /// The handler was not told (it was set without `SA_SIGINFO`): made up from the state of
    /// the processor that the kernel saved.
    pub is_inferred: bool,
}

/// The first fault on the stack of `thread` whose handler has not returned. Signals that
/// somebody sent are none.
pub(super) fn caught(process: &Process, thread: &Thread) -> Option<Fault> {
    let places = thread.stack.frames.iter().enumerate();
    let handlers = places.rev().filter(|(_, place)| place.is_signal);
    handlers.into_iter().find_map(|(index, handler)| {
        let index = index.checked_add(1)?;
        let place = thread.stack.frames.get(index)?;
        let instant = Instant::new(process, thread, place);
        let (fault, caught) = of_handler(process, handler, &instant)?;
        Some(Fault { activation: index, caught: Some(caught), ..fault })
    })
}

fn of_handler(
    process: &Process,
    handler: &Activation,
    instant: &Instant<'_>,
) -> Option<(Fault, Caught)> {
    if let Some(signal) = told(process, handler, instant.pc()) {
        let fault = of_instant(&signal, instant).unwrap_or_else(|| unexplained(&signal, instant));
        return Some((fault, Caught { signal, is_inferred: false }));
    }
    // What the processor said last may be of a fault long before: it must fit.
    let signal = inferred(process, handler, instant.pc())?;
    let fault = of_instant(&signal, instant)?;
    // It is the processor's first exception, too, before there was any.
    let fits = match fault.reason {
        Reason::Unknown | Reason::IllegalInstruction | Reason::DivideOverflow => false,
        _ => true,
    };
    fits.then_some((fault, Caught { signal, is_inferred: true }))
}

/// The `siginfo_t` in the frame of a handler, if it is of a fault and agrees with what else
/// the kernel put there: without `SA_SIGINFO` x86_64 and aarch64 leave its place as it was.
fn told(process: &Process, handler: &Activation, pc: Avma) -> Option<Signal> {
    let memory = &process.memory;
    let sp = stack_pointer(process, handler)?;
    let at = match process.dump.machine {
        Machine::X86_64 => sp.checked_add(BEHIND_UCONTEXT)?,
        Machine::Aarch64 | Machine::Riscv64 => sp,
        // `sig`, then the pointer to the record behind the three arguments.
        Machine::I386 => {
            let record = memory.read_word(sp.checked_add(4)?).ok()?;
            sp.checked_add(12).filter(|at| at.0 == record)?
        }
        Machine::Arm | Machine::Other(_) => return None,
    };
    let record = memory.read_up_to(at, SIGINFO);
    let signal = Signal::from_siginfo(&record, process.dump.encoding)?;
    let is_address_right = match (process.dump.machine, signal.address()) {
        (_, Some(address)) if matches!(signal.number, SIGILL | SIGFPE | SIGTRAP) => address == pc,
        (Machine::X86_64, Some(address)) => {
            memory.read_word(sp.checked_add(FAULT_ADDRESS)?).ok()? == address.0
        }
        (Machine::Aarch64, Some(address)) => {
            memory.read_word(sp.checked_add(FAULT_ADDRESS_OF_ARM)?).ok()? == address.0
        }
        (Machine::X86_64, None) => {
            let trap = memory.read_word(sp.checked_add(TRAP_NUMBER)?).ok()?;
            matches!(trap, BREAKPOINT | STACK_FAULT | GENERAL_PROTECTION)
        }
        _ => true,
    };
    (is_fault(&signal) && is_address_right).then_some(signal)
}

/// What the last exception of the processor says (`struct sigcontext` of x86_64).
fn inferred(process: &Process, handler: &Activation, pc: Avma) -> Option<Signal> {
    if process.dump.machine != Machine::X86_64 {
        return None;
    }
    let sp = stack_pointer(process, handler)?;
    let word = |offset| process.memory.read_word(sp.checked_add(offset)?).ok();
    let (number, code, address) = match word(TRAP_NUMBER)? {
        PAGE_FAULT => {
            let address = Avma(word(FAULT_ADDRESS)?);
            let is_mapped = process.memory.region_at(address).is_some();
            (SIGSEGV, if is_mapped { SEGV_ACCERR } else { SEGV_MAPERR }, address)
        }
        STACK_FAULT | GENERAL_PROTECTION => (SIGSEGV, SI_KERNEL, Avma(0)),
        DIVIDE_ERROR => (SIGFPE, FPE_INTDIV, pc),
        INVALID_OPCODE => (SIGILL, ILL_ILLOPN, pc),
        BREAKPOINT => (SIGTRAP, SI_KERNEL, Avma(0)),
        _ => return None,
    };
    Some(Signal::of_fault(number, code, address))
}

fn stack_pointer(process: &Process, handler: &Activation) -> Option<Avma> {
    handler.registers.get(process.dump.machine.facts()?.sp).map(Avma)
}
