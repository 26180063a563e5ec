//! A fault without the kernel's record of it: a handler restored the default action and sent
//! the signal again (`raise`, `kill`), or what wrote the core left `NT_SIGINFO` out. The
//! thread is still at the instruction that failed, and its registers say what the
//! instruction does.

use super::instant::Instant;
use super::{Fault, Reason, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP, of_instant};
use crate::outside::sender;
use obit_corefile::addr::Avma;
use obit_corefile::dump::{Signal, SignalDetail};
use obit_disassembly::{AccessMode, InstructionKind};
use obit_process::process::{Process, Thread};

const SEGV_MAPERR: i32 = 1;
const SEGV_ACCERR: i32 = 2;
const SI_KERNEL: i32 = 0x80;
const BUS_ADRERR: i32 = 2;
const FPE_INTDIV: i32 = 1;
const ILL_ILLOPN: i32 = 2;

/// The fault that the instruction at the pc of `thread` must cause, if `signal` is what it
/// would be sent for.
pub(super) fn reraised(process: &Process, thread: &Thread, signal: &Signal) -> Option<Fault> {
    let is_from_elsewhere =
        sender(process).is_some() || matches!(signal.detail, SignalDetail::Sent { pid: 0, .. });
    if is_from_elsewhere {
        return None;
    }
    let place = thread.stack.frames.first().filter(|place| !place.is_signal)?;
    let instant = Instant::new(process, thread, place);
    let record = record(&instant, signal.number)?;
    let fault = of_instant(&record, &instant)?;
    let is_certain = !matches!(fault.reason, Reason::Unknown | Reason::IllegalInstruction);
    is_certain.then_some(Fault { is_computed: true, ..fault })
}

/// What the kernel would say of the instruction.
fn record(instant: &Instant<'_>, number: u16) -> Option<Signal> {
    let pc = instant.pc();
    match number {
        SIGSEGV | SIGBUS => access(instant, number),
        SIGFPE => Some(Signal::of_fault(SIGFPE, FPE_INTDIV, pc)),
        SIGILL => Some(Signal::of_fault(SIGILL, ILL_ILLOPN, pc)),
        SIGTRAP => Some(Signal::of_fault(SIGTRAP, SI_KERNEL, Avma(0))),
        _ => None,
    }
}

/// The first access of the instruction that memory refuses.
fn access(instant: &Instant<'_>, number: u16) -> Option<Signal> {
    let memory = &instant.process.memory;
    let refused = |at: Avma, is_write: bool| {
        let Some(region) = memory.region_at(at) else { return Some(SEGV_MAPERR) };
        let allowed = if is_write { region.permissions.write } else { region.permissions.read };
        (!allowed).then_some(SEGV_ACCERR)
    };
    if number == SIGBUS {
        // Only a file that ends before shows in the core at all.
        let mut accesses = instant.accesses();
        let (_, at) = accesses.next().filter(|_| accesses.next().is_none())?;
        return Some(Signal::of_fault(SIGBUS, BUS_ADRERR, at));
    }
    let executable = memory.region_at(instant.pc()).map(|region| region.permissions.execute);
    if executable != Some(true) {
        let code = if executable.is_some() { SEGV_ACCERR } else { SEGV_MAPERR };
        return Some(Signal::of_fault(SIGSEGV, code, instant.pc()));
    }
    let found = instant.accesses().find_map(|(operand, start)| {
        let is_write = operand.mode != AccessMode::Read;
        let last = start.offset(operand.size.unwrap_or(1).saturating_sub(1).cast_signed());
        [start, last].into_iter().find_map(|at| Some((refused(at, is_write)?, at)))
    });
    if let Some((code, at)) = found {
        return Some(Signal::of_fault(SIGSEGV, code, at));
    }
    // General protection has no address; only what must raise it counts.
    let record = Signal::of_fault(SIGSEGV, SI_KERNEL, Avma(0));
    let is_privileged = instant.kind() == Some(InstructionKind::Privileged);
    is_privileged.then_some(record)
}

#[cfg(test)]
mod tests {
    use crate::signals::SIGSEGV;
    use crate::{CauseClass, Confidence, analyze};
    use obit_corefile::testkit::CoreBuilder;
    use obit_process::process::{Options, Process};

    const CODE: u64 = 0x40_1000;
    /// `mov 0x18(%rax),%rbx`
    const LOAD: [u8; 4] = [0x48, 0x8b, 0x58, 0x18];

    /// A thread at `LOAD` with `rax`, ended by SIGSEGV that process `sender` sent; `None`
    /// leaves the record out.
    fn class(rax: u64, sender: Option<i32>) -> (CauseClass, Confidence) {
        let core = CoreBuilder::x86_64().signal(SIGSEGV).process(7, "prog", "./prog");
        let core = core.thread(7, &[("rip", CODE), ("rsp", 0x7ffe_0000_0800), ("rax", rax)]);
        let core = match sender {
            Some(pid) => core.siginfo(11, -6, u64::from(pid.unsigned_abs())),
            None => core,
        };
        let core = core
            .segment_with(CODE, &LOAD, 0x1000, "rx")
            .segment(0x7ffe_0000_0000, &[0; 0x1000], 0x1000)
            .write();
        let process = Process::open(core.path(), Options::default(), &()).unwrap();
        let cause = analyze(&process).cause.unwrap();
        (cause.class, cause.confidence)
    }

    #[test]
    fn a_signal_sent_again_by_its_handler_is_that_of_the_instruction() {
        assert_eq!(class(0, Some(7)), (CauseClass::NullRead, Confidence::Likely));
        assert_eq!(class(0, None), (CauseClass::NullRead, Confidence::Likely));
    }

    #[test]
    fn an_instruction_that_would_go_on_is_not_the_cause() {
        assert_eq!(class(CODE, Some(7)).0, CauseClass::Signal);
    }

    #[test]
    fn a_signal_of_another_process_is_not_computed() {
        assert_eq!(class(0, Some(99)).0, CauseClass::ExternalSignal);
    }
}
