//! What the kernel's code for a signal (`si_code`) says by itself, where the instruction is
//! not available.

use super::Reason;
use super::codes::{
    FPE_FLTDIV, FPE_INTDIV, ILL_ILLOPC, ILL_ILLOPN, ILL_ILLTRP, ILL_PRVOPC, ILL_PRVREG, TRAP_BRKPT,
};
use crate::signals::{SIGFPE, SIGILL, SIGTRAP};
use obit_corefile::dump::Signal;

/// The likely reason: on x86 a quotient that is too large has the code of a division by zero,
/// and `ud2` that of an unknown instruction.
pub(super) fn reason(signal: &Signal) -> Option<Reason> {
    match (signal.number, signal.code?) {
        (SIGFPE, FPE_INTDIV | FPE_FLTDIV) => Some(Reason::DivideByZero),
        (SIGILL, ILL_ILLOPC | ILL_ILLOPN) => Some(Reason::IllegalInstruction),
        (SIGILL, ILL_ILLTRP) | (SIGTRAP, TRAP_BRKPT) => Some(Reason::Trap),
        (SIGILL, ILL_PRVOPC | ILL_PRVREG) => Some(Reason::Privileged),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::{CauseClass, Confidence, analyze};
    use obit_corefile::testkit::CoreBuilder;
    use obit_process::process::{Options, Process};

    /// The cause of a crash whose code is in no file.
    fn cause(number: u16, code: i32) -> (CauseClass, Confidence) {
        const PC: u64 = 0x40_1000;
        const STACK: u64 = 0x7ffd_0000_0000;
        let core = CoreBuilder::x86_64().signal(number).siginfo(i32::from(number), code, PC);
        let core = core.thread(1, &[("rip", PC), ("rsp", STACK)]).segment(STACK, &[0; 64], 0x1000);
        let core = core.write();
        let process = Process::open(core.path(), Options::default(), &()).unwrap();
        let cause = analyze(&process).cause.unwrap();
        (cause.class, cause.confidence)
    }

    #[test]
    fn the_code_of_a_signal_gives_the_class_where_the_program_is_missing() {
        let likely = |class| (class, Confidence::Likely);
        assert_eq!(cause(8, 1), likely(CauseClass::DivideByZero));
        assert_eq!(cause(4, 2), likely(CauseClass::IllegalInstruction));
        assert_eq!(cause(4, 5), likely(CauseClass::PrivilegedInstruction));
        assert_eq!(cause(8, 2).0, CauseClass::Signal);
    }
}
