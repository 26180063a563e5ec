//! Threads asleep in the kernel on a futex (futex(2)): the word they wait at.

use obit_corefile::addr::Avma;
use obit_corefile::arch::{Register, Registers};
use obit_process::process::Process;

/// A wait for a futex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FutexWait {
    /// The futex word.
    pub(super) word: Avma,
    /// It ends by itself at some time.
    pub(super) is_timed: bool,
}

/// The futex that thread number `thread` sleeps on.
pub(super) fn of_thread(process: &Process, thread: usize) -> Option<FutexWait> {
    // Threads are kept in the order of the core.
    let dumped = process.dump.threads.get(thread)?;
    let registers = &dumped.registers;
    let facts = process.dump.machine.facts()?;
    let arguments = facts.futex?;
    let is_futex = match arguments.numbers {
        // The core does not have the number of the system call: the code at the pc must show it.
        [] => is_at_arm_futex(process, registers),
        numbers => {
            let result = registers.get(facts.result?)?;
            let is_futex = dumped.system_call.is_some_and(|call| numbers.contains(&call));
            is_futex && is_interrupted(result)
        }
    };
    if !is_futex {
        return None;
    }
    let word = Avma(registers.get(arguments.word)?);
    let is_timed = registers.get(arguments.timeout).is_none_or(|at| at != 0);
    let is_wait = is_wait(registers.get(arguments.operation)?);
    (is_wait && word.0 != 0 && word.0.is_multiple_of(4)).then_some(FutexWait { word, is_timed })
}

/// Whether a system call's result says that a signal woke the thread: `ERESTARTSYS` and its
/// like, which the kernel keeps to itself (Linux `include/linux/errno.h`).
fn is_interrupted(result: u64) -> bool {
    // An `int`: i386 has no more of it.
    matches!((result as u32).cast_signed(), -516 | -514..=-512)
}

/// Whether an operation waits until somebody gives the word away (Linux
/// `include/uapi/linux/futex.h`).
fn is_wait(operation: u64) -> bool {
    const PRIVATE: u64 = 0x80;
    const CLOCK_REALTIME: u64 = 0x100;
    const WAIT: u64 = 0;
    const LOCK_PI: u64 = 6;
    const WAIT_BITSET: u64 = 9;
    const LOCK_PI2: u64 = 13;
    // An `int`: the upper half of the register may hold anything.
    let operation = operation & 0xffff_ffff & !(PRIVATE | CLOCK_REALTIME);
    matches!(operation, WAIT | LOCK_PI | WAIT_BITSET | LOCK_PI2)
}

/// aarch64 is about to do the call anew when it is dumped: the pc is at the `svc` again and
/// x0 holds the argument again (Linux `arch/arm64/kernel/signal.c`, `do_signal`).
fn is_at_arm_futex(process: &Process, registers: &Registers) -> bool {
    const FUTEX: u64 = 98;
    const SVC: [u8; 4] = 0xd400_0001_u32.to_le_bytes();
    let mut code = [0; 4];
    let pc = registers.get(Register(32)).map(Avma);
    registers.get(Register(8)) == Some(FUTEX)
        && pc.is_some_and(|pc| process.memory.read(pc, &mut code).is_ok())
        && code == SVC
}

#[cfg(test)]
mod tests {
    use super::super::tests::process;
    use super::*;
    use obit_corefile::testkit::CoreBuilder;

    const ASLEEP: u64 = -512_i64 as u64;

    fn wait(registers: &[(&str, u64)]) -> Option<FutexWait> {
        of_thread(&process(CoreBuilder::x86_64().signal(6).thread(1, registers)), 0)
    }

    #[test]
    fn a_thread_asleep_in_futex_waits_for_the_word_in_its_registers() {
        let call = [("orig_rax", 202), ("rax", ASLEEP), ("rdi", 0x1000), ("rsi", 0x80)];
        assert_eq!(wait(&call), Some(FutexWait { word: Avma(0x1000), is_timed: false }));
        let timed = [&call[..], &[("r10", 0x7000)]].concat();
        assert_eq!(wait(&timed), Some(FutexWait { word: Avma(0x1000), is_timed: true }));
    }

    #[test]
    fn a_thread_that_was_woken_wakes_others_or_reads_a_file_waits_for_no_word() {
        let call = |number, result, operation| {
            wait(&[("orig_rax", number), ("rax", result), ("rdi", 0x1000), ("rsi", operation)])
        };
        assert!(call(202, ASLEEP, 0x189).is_some());
        assert_eq!(call(202, 0, 0x80), None);
        assert_eq!(call(202, ASLEEP, 0x81), None);
        assert_eq!(call(0, ASLEEP, 0x80), None);
    }

    #[test]
    fn on_aarch64_the_pc_is_at_the_call_again() {
        let wait = |code: u32| {
            let registers = [("pc", 0x4000), ("x8", 98), ("x0", 0x1000), ("x1", 0x80)];
            let core = CoreBuilder::aarch64().signal(6).thread(1, &registers);
            of_thread(&process(core.segment(0x4000, &code.to_le_bytes(), 0x1000)), 0)
        };
        assert_eq!(wait(0xd400_0001).map(|wait| wait.word), Some(Avma(0x1000)));
        assert_eq!(wait(0xd503_201f), None);
    }
}
