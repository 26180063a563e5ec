//! A fault that a handler of the program caught. The core's own signal shows only what the
//! handler did then (`abort`, `raise`); the fault itself is in the frame that the kernel
//! made for the handler (Linux `arch/*/include/asm/sigframe.h`).

use super::codes::{FPE_INTDIV, ILL_ILLOPN, SEGV_ACCERR, SEGV_MAPERR, SI_KERNEL};
use super::instant::Instant;
use super::{Fault, Reason, SIGFPE, SIGILL, SIGSEGV, SIGTRAP, is_fault, of_instant, unexplained};
use obit_corefile::addr::Avma;
use obit_corefile::arch::SiginfoPlace;
use obit_corefile::dump::Signal;
use obit_process::process::{Process, Thread};
use obit_process::unwind::Activation;

/// Handlers within one another that are looked at. One that fails the same way again and
/// again leaves thousands; the first ones count.
const MOST_HANDLERS: usize = 64;
/// Bytes of `siginfo_t`.
const SIGINFO: usize = 128;

/// Exceptions of x86 (Intel SDM volume 3, 6.3.1).
const DIVIDE_ERROR: u64 = 0;
const BREAKPOINT: u64 = 3;
const INVALID_OPCODE: u64 = 6;
const STACK_FAULT: u64 = 12;
const GENERAL_PROTECTION: u64 = 13;
const PAGE_FAULT: u64 = 14;

/// A fault that a handler of the program caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caught {
    /// What the kernel reported to the handler.
    pub signal: Signal,
    /// The handler got no `siginfo_t` (it was set without `SA_SIGINFO`): the signal is inferred
    /// from the state of the processor that the kernel saved.
    pub is_inferred: bool,
}

/// The first fault on the stack of `thread` whose handler has not returned. Signals that
/// somebody sent are none.
pub(super) fn caught(process: &Process, thread: &Thread) -> Option<Fault> {
    let places = thread.stack.frames.iter().enumerate();
    let mut handlers = places.rev().filter(|(_, place)| place.is_signal).take(MOST_HANDLERS);
    handlers.find_map(|(index, handler)| {
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
    if let Some(signal) = reported(process, handler, instant.pc()) {
        let fault = of_instant(&signal, instant).unwrap_or_else(|| unexplained(&signal, instant));
        return Some((fault, Caught { signal, is_inferred: false }));
    }
    // What the processor said last may be of a fault long before: it must fit.
    let signal = inferred(process, handler, instant.pc())?;
    let fault = of_instant(&signal, instant)?;
    // It is the processor's first exception, too, before there was any.
    let fits = !matches!(
        fault.reason,
        Reason::Unknown | Reason::IllegalInstruction | Reason::DivideOverflow
    );
    fits.then_some((fault, Caught { signal, is_inferred: true }))
}

/// What the first handler on the stack of `thread` was given. A handler without `SA_SIGINFO` was
/// given nothing, and what lies in its place is older.
pub(crate) fn given_first(process: &Process, thread: &Thread) -> Option<Signal> {
    let mut handlers = thread.stack.frames.iter().rev().filter(|place| place.is_signal);
    record(process, handlers.next()?)
}

/// The `siginfo_t` in the frame of a handler, if it is of a fault and agrees with what else
/// the kernel put there: without `SA_SIGINFO` x86_64 and aarch64 leave its place as it was.
fn reported(process: &Process, handler: &Activation, pc: Avma) -> Option<Signal> {
    let signal = record(process, handler)?;
    let sp = stack_pointer(process, handler)?;
    let layout = &process.dump.machine.facts()?.handler_frame;
    let word = |offset| process.memory.read_word(sp.checked_add(offset)?).ok();
    let is_address_right = match (signal.address(), layout.fault_address, layout.trap_number) {
        (Some(address), ..) if matches!(signal.number, SIGILL | SIGFPE | SIGTRAP) => address == pc,
        (Some(address), Some(last), _) => word(last)? == address.0,
        (None, _, Some(trap)) => {
            matches!(word(trap)?, BREAKPOINT | STACK_FAULT | GENERAL_PROTECTION)
        }
        (Some(_), None, _) | (None, _, None) => true,
    };
    (is_fault(&signal) && is_address_right).then_some(signal)
}

/// The bytes at the place of the `siginfo_t` in the frame of a handler, read as one.
fn record(process: &Process, handler: &Activation) -> Option<Signal> {
    let memory = &process.memory;
    let sp = stack_pointer(process, handler)?;
    let at = match process.dump.machine.facts()?.handler_frame.siginfo {
        SiginfoPlace::At(offset) => sp.checked_add(offset)?,
        SiginfoPlace::PointedTo { pointer, at } => {
            let record = memory.read_word(sp.checked_add(pointer)?).ok()?;
            sp.checked_add(at).filter(|at| at.0 == record)?
        }
        SiginfoPlace::Unknown => return None,
    };
    let record = memory.read_up_to(at, SIGINFO);
    Signal::from_siginfo(&record, process.dump.encoding)
}

/// What the last exception of the processor says (`struct sigcontext` of x86_64).
fn inferred(process: &Process, handler: &Activation, pc: Avma) -> Option<Signal> {
    let layout = &process.dump.machine.facts()?.handler_frame;
    let (trap, fault_address) = (layout.trap_number?, layout.fault_address?);
    let sp = stack_pointer(process, handler)?;
    let word = |offset| process.memory.read_word(sp.checked_add(offset)?).ok();
    let (number, code, address) = match word(trap)? {
        PAGE_FAULT => {
            let address = Avma(word(fault_address)?);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze;
    use crate::signals::SIGABRT;
    use crate::{CauseClass, Confidence, Fact};
    use obit_corefile::testkit::{CoreBuilder, siginfo_64};
    use obit_process::process::Options;

    const CODE: u64 = 0x40_1000;
    const TRAMPOLINE: u64 = 0x40_5000;
    const CONTEXT: u64 = 0x7ffd_0000_0000;
    const STACK: u64 = 0x7ffe_0000_0000;
    const SIGALRM: i32 = 14;
    /// `mov $15,%rax; syscall`
    const RETURN: [u8; 9] = [0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05];
    /// `mov 0x18(%rax),%rbx`
    const LOAD: [u8; 4] = [0x48, 0x8b, 0x58, 0x18];
    /// `idiv %ecx`
    const DIVIDE: [u8; 2] = [0xf7, 0xf9];

    /// A process that ended by SIGABRT in a handler that was run for what `siginfo` says
    /// (nothing if it is empty), when `code` was to be executed; `trap` and `cr2` are what
    /// the processor said last.
    fn handled(siginfo: &[u8], trap: u64, cr2: u64, code: &[u8]) -> Process {
        handled_and_ended_by(SIGABRT, siginfo, trap, cr2, code)
    }

    fn handled_and_ended_by(
        signal: u16,
        siginfo: &[u8],
        trap: u64,
        cr2: u64,
        code: &[u8],
    ) -> Process {
        let mut frame = vec![0; 304];
        let words =
            [(104, 0), (112, 3), (120, STACK + 0x800), (128, CODE), (160, trap), (176, cr2)];
        for (at, value) in words {
            let at = 40 + at;
            frame[at..at + 8].copy_from_slice(&u64::to_le_bytes(value));
        }
        frame.extend(siginfo);
        let core = CoreBuilder::x86_64().signal(signal).process(1, "prog", "./prog");
        let core = core.thread(1, &[("rip", TRAMPOLINE), ("rsp", CONTEXT)]);
        let core = core
            .siginfo(i32::from(signal), -6, 1)
            .segment_with(CODE, code, 0x1000, "rx")
            .segment_with(TRAMPOLINE, &RETURN, 0x1000, "rx")
            .segment(CONTEXT, &frame, 0x1000)
            .segment(STACK, &[0; 0x1000], 0x1000)
            .write();
        Process::open(core.path(), Options::default(), &()).unwrap()
    }

    fn judged(process: &Process) -> (CauseClass, Confidence) {
        let cause = analyze(process).cause.unwrap();
        (cause.class, cause.confidence)
    }

    #[test]
    fn the_fault_that_a_handler_caught_is_the_cause_and_not_the_abort_of_the_handler() {
        let process = handled(&siginfo_64(11, 1, 0x18), PAGE_FAULT, 0x18, &LOAD);
        assert_eq!(judged(&process), (CauseClass::NullRead, Confidence::Proved));
        let cause = analyze(&process).cause.unwrap();
        assert_eq!((cause.failed, cause.blame), (Some(1), None));
        let caught = cause.fault.unwrap().caught.unwrap();
        assert_eq!(caught.signal.code_name(), Some("SEGV_MAPERR"));
    }

    #[test]
    fn without_a_siginfo_the_state_of_the_processor_is_used() {
        let process = handled(&[], PAGE_FAULT, 0x18, &LOAD);
        assert_eq!(judged(&process), (CauseClass::NullRead, Confidence::Likely));
        // The last page fault was another.
        let other = handled(&[], PAGE_FAULT, 0x5000, &LOAD);
        assert_eq!(judged(&other).0, CauseClass::Abort);
    }

    #[test]
    fn a_handler_of_a_signal_that_came_by_chance_hides_no_fault() {
        let timer = siginfo_64(SIGALRM, 0x80, 0);
        assert_eq!(judged(&handled(&timer, 0, 0, &LOAD)).0, CauseClass::Abort);
        // Before its first exception a thread has number 0, which is that of a division.
        assert_eq!(judged(&handled(&timer, 0, 0, &DIVIDE)).0, CauseClass::Abort);
        // Sent by `raise`.
        let sent = siginfo_64(11, -6, 1);
        assert_eq!(judged(&handled(&sent, 0, 0, &LOAD)).0, CauseClass::Abort);
        // An older record that a handler without one left in place.
        let stale = siginfo_64(11, 1, 0x18);
        assert_eq!(judged(&handled(&stale, 0, 0, &DIVIDE)).0, CauseClass::Abort);
    }

    #[test]
    fn a_signal_of_another_process_that_its_handler_sent_again_is_still_from_outside() {
        let judged = |siginfo: &[u8]| {
            let process = handled_and_ended_by(SIGSEGV, siginfo, 0, 0, &LOAD);
            let cause = analyze(&process).cause.unwrap();
            (cause.class, cause.class_confidence, cause.facts)
        };
        let sent_again = vec![Fact::SentAgain(99)];
        let from_outside = (CauseClass::ExternalSignal, Confidence::Likely, sent_again);
        assert_eq!(judged(&siginfo_64(11, 0, 99)), from_outside);
        let by_itself = (CauseClass::Signal, Confidence::Proved, Vec::new());
        assert_eq!(judged(&siginfo_64(11, -6, 1)), by_itself);
        // The handler was run for another signal.
        assert_eq!(judged(&siginfo_64(10, 0, 99)), by_itself);
    }

    #[test]
    fn on_aarch64_the_record_comes_first() {
        let process = |reported: u64, address: u64| {
            let mut frame = siginfo_64(11, 1, reported);
            frame.resize(128 + 176, 0);
            frame.extend(address.to_le_bytes());
            frame.resize(128 + 176 + 8 + 248, 0);
            frame.extend([STACK + 0x800, CODE].map(u64::to_le_bytes).as_flattened());
            // mov x8, #139; svc #0
            let trampoline = [0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4];
            // str x1, [x0, #8]
            let store = 0xf900_0401_u32.to_le_bytes();
            let core = CoreBuilder::aarch64().signal(SIGABRT);
            let core = core.thread(1, &[("pc", TRAMPOLINE), ("sp", CONTEXT)]).siginfo(6, -6, 0);
            let core = core
                .segment_with(CODE, &store, 0x1000, "rx")
                .segment_with(TRAMPOLINE, &trampoline, 0x1000, "rx")
                .segment(CONTEXT, &frame, 0x1000)
                .segment(STACK, &[0; 0x1000], 0x1000)
                .write();
            Process::open(core.path(), Options::default(), &()).unwrap()
        };
        assert_eq!(judged(&process(8, 8)), (CauseClass::NullWrite, Confidence::Proved));
        assert_eq!(judged(&process(8, 0x5000)).0, CauseClass::Abort);
    }

    #[test]
    fn a_fault_in_a_handler_of_a_fault_is_the_cause_and_the_first_is_reported() {
        let mut frame = vec![0; 304];
        for (at, value) in [(120, STACK + 0x800), (128, CODE), (160, PAGE_FAULT), (176, 0x18)] {
            let at = 40 + at;
            frame[at..at + 8].copy_from_slice(&u64::to_le_bytes(value));
        }
        frame.extend(siginfo_64(11, 1, 0x18));
        // The trampoline itself cannot be read any more.
        let core = CoreBuilder::x86_64().signal(SIGSEGV);
        let core = core.thread(1, &[("rip", TRAMPOLINE), ("rsp", CONTEXT), ("rax", 0x5000_0000)]);
        let core = core
            .siginfo(11, 2, TRAMPOLINE)
            .segment_with(CODE, &LOAD, 0x1000, "rx")
            .segment_with(TRAMPOLINE, &RETURN, 0x1000, "r")
            .segment(CONTEXT, &frame, 0x1000)
            .segment(STACK, &[0; 0x1000], 0x1000)
            .write();
        let process = Process::open(core.path(), Options::default(), &()).unwrap();
        let cause = analyze(&process).cause.unwrap();
        assert_eq!(cause.class, CauseClass::ExecuteProtected);
        let first = Signal::of_fault(SIGSEGV, SEGV_MAPERR, Avma(0x18));
        assert_eq!(cause.facts, [Fact::Earlier(first)]);
    }
}
