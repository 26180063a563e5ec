//! A fault without the kernel's record of it: a handler restored the default action and sent
//! the signal again (`raise`, `kill`), or what wrote the core left `NT_SIGINFO` out. The
//! thread is still at the instruction that failed, and its registers say what the
//! instruction does.

use super::codes::{BUS_ADRERR, FPE_INTDIV, ILL_ILLOPN, SEGV_ACCERR, SEGV_MAPERR, SI_KERNEL};
use super::instant::Instant;
use super::{Division, Fault, Reason, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP, of_instant};
use crate::outside::sender;
use obit_corefile::addr::Avma;
use obit_corefile::dump::{Signal, SignalDetail};
use obit_disassembly::{AccessMode, InstructionKind};
use obit_process::process::{Process, Thread};

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
    let must_fail = match fault.reason {
        Reason::Unknown | Reason::IllegalInstruction => false,
        Reason::DivideOverflow => fault.division.is_some_and(|division| is_overflow(&division)),
        _ => true,
    };
    must_fail.then_some(Fault { is_computed: true, ..fault })
}

/// Whether the quotient surely is too large: the least number by -1.
fn is_overflow(division: &Division) -> bool {
    const LEAST: [i128; 4] =
        [i8::MIN as i128, i16::MIN as i128, i32::MIN as i128, i64::MIN as i128];
    division.divisor == -1 && division.dividend.is_some_and(|number| LEAST.contains(&number))
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
        // A page that was there is in the core, or in the file that was mapped.
        let mut accesses = instant.accesses();
        let (_, at) = accesses.next().filter(|_| accesses.next().is_none())?;
        if memory.read(at, &mut [0]).is_ok() {
            return None;
        }
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
    use crate::signals::{SIGBUS, SIGFPE, SIGSEGV};
    use crate::{CauseClass, Confidence, analyze};
    use obit_corefile::testkit::CoreBuilder;
    use obit_process::process::{Options, Process};

    const CODE: u64 = 0x40_1000;
    /// `mov 0x18(%rax),%rbx`
    const LOAD: [u8; 4] = [0x48, 0x8b, 0x58, 0x18];

    /// A thread at `LOAD` with `rax`, ended by SIGSEGV that process `sender` sent; `None`
    /// leaves the record out.
    fn class(rax: u64, sender: Option<i32>) -> (CauseClass, Confidence) {
        class_at(&LOAD, SIGSEGV, &[("rax", rax)], sender)
    }

    fn class_at(
        code: &[u8],
        signal: u16,
        registers: &[(&str, u64)],
        sender: Option<i32>,
    ) -> (CauseClass, Confidence) {
        let core = CoreBuilder::x86_64().signal(signal).process(7, "prog", "./prog");
        let place = [("rip", CODE), ("rsp", 0x7ffe_0000_0800)];
        let core = core.thread(7, &[&place, registers].concat());
        let core = match sender {
            Some(pid) => core.siginfo(i32::from(signal), -6, u64::from(pid.unsigned_abs())),
            None => core,
        };
        let core = core
            .segment_with(CODE, code, 0x1000, "rx")
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

    #[test]
    fn a_division_that_gives_a_number_is_not_the_cause() {
        // idiv %ecx
        let class = |a: u64, d: u64, c: u64| {
            class_at(&[0xf7, 0xf9], SIGFPE, &[("rax", a), ("rdx", d), ("rcx", c)], Some(7)).0
        };
        assert_eq!(class(12, 0, 0), CauseClass::DivideByZero);
        assert_eq!(class(0x8000_0000, 0xffff_ffff, 0xffff_ffff), CauseClass::DivideOverflow);
        assert_eq!(class(12, 0, 3), CauseClass::Signal);
    }

    #[test]
    fn a_bus_error_sent_where_memory_is_there_is_not_the_cause() {
        assert_eq!(class_at(&LOAD, SIGBUS, &[("rax", CODE)], Some(7)).0, CauseClass::Signal);
    }
}
