//! `NT_PRSTATUS`: one thread and its integer registers (Linux `include/linux/elfcore.h`,
//! `struct elf_prstatus`; 32-bit programs on a 64-bit kernel: `compat_elf_prstatus`).

use crate::addr::Avma;
use crate::arch::{Machine, Register, Registers};
use crate::elf::Encoding;

/// `pr_cursig`, a `short` after `struct elf_siginfo` (three `int`s), for every machine.
const CURSIG: usize = 12;

/// What one `NT_PRSTATUS` says.
pub(super) struct ThreadStatus {
    pub(super) tid: i64,
    pub(super) signal: u16,
    pub(super) registers: Registers,
    /// The system call it was in.
    pub(super) system_call: Option<u64>,
    /// Whether all of `elf_gregset_t` was there.
    pub(super) complete: bool,
    /// i386: the segment selector in `gs`, which names the thread's TLS descriptor.
    pub(super) tls_selector: Option<u64>,
}

/// Offset of `pr_pid`: after `pr_sigpend` and `pr_sighold`, two `unsigned long`s.
fn pid_offset(encoding: Encoding) -> usize {
    if encoding.is_64 { 32 } else { 24 }
}

/// Which word of `elf_gregset_t` holds the number of the system call a thread is in, -1 for
/// none (Linux `arch/x86/include/asm/user_64.h`, `user_32.h`: `orig_ax`).
fn system_call_word(machine: Machine) -> Option<usize> {
    match machine {
        Machine::X86_64 => Some(15),
        Machine::I386 => Some(11),
        Machine::Aarch64 | Machine::Arm | Machine::Riscv64 | Machine::Other(_) => None,
    }
}

/// Reads the note's descriptor; `None` if it is too short for a thread id.
pub(super) fn parse(desc: &[u8], machine: Machine, encoding: Encoding) -> Option<ThreadStatus> {
    let tid = i64::from(encoding.u32(desc, pid_offset(encoding))?.cast_signed());
    let signal = encoding.unsigned(desc, CURSIG, 2).and_then(|raw| u16::try_from(raw).ok());
    let mut registers = Registers::default();
    let mut complete = true;
    let mut tls_selector = None;
    let mut system_call = None;
    if let Some(facts) = machine.facts() {
        let word = usize::from(facts.word);
        let words = (facts.prstatus_registers..).step_by(word.max(1));
        for (at, register) in words.zip(facts.gregset) {
            let value = encoding.unsigned(desc, at, word);
            complete &= value.is_some();
            if let Some(register) = register {
                registers.set(*register, value);
            }
        }
        let nth = system_call_word(machine).and_then(|nth| nth.checked_mul(word));
        let at = nth.and_then(|nth| facts.prstatus_registers.checked_add(nth));
        let none = if word == 4 { u64::from(u32::MAX) } else { u64::MAX };
        let number = at.and_then(|at| encoding.unsigned(desc, at, word));
        system_call = number.filter(|number| *number != none);
        if machine == Machine::I386 {
            let gs = facts.prstatus_registers.saturating_add(10 * 4);
            tls_selector = encoding.unsigned(desc, gs, 4);
        }
    }
    let signal = signal.unwrap_or(0);
    Some(ThreadStatus { tid, signal, registers, system_call, complete, tls_selector })
}

/// The thread pointer where a general register holds it.
pub(super) fn thread_pointer(machine: Machine, registers: &Registers) -> Option<Avma> {
    let register = match machine {
        Machine::X86_64 => Register(58), // fs_base
        Machine::Riscv64 => Register(4), // tp
        // In notes of their own, or nowhere.
        Machine::I386 | Machine::Aarch64 | Machine::Arm | Machine::Other(_) => return None,
    };
    registers.get(register).map(Avma)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::CoreBuilder;

    #[test]
    fn every_machine_finds_its_registers_by_name() {
        let cores = [
            CoreBuilder::x86_64(),
            CoreBuilder::i386(),
            CoreBuilder::aarch64(),
            CoreBuilder::arm(),
            CoreBuilder::riscv64(),
            CoreBuilder::aarch64().big_endian(),
        ];
        for core in cores {
            let machine = core.machine();
            let facts = machine.facts().unwrap();
            let (pc, sp) = (facts.register_name(facts.pc), facts.register_name(facts.sp));
            let values = [(pc.unwrap(), 0x4_1000), (sp.unwrap(), 0x7fff_0000)];
            let desc = core.prstatus(77, 11, &values);
            let status = parse(&desc, machine, core.encoding()).unwrap();
            assert_eq!((status.tid, status.signal, status.complete), (77, 11, true));
            assert_eq!(status.registers.get(facts.pc), Some(0x4_1000), "{machine:?}");
            assert_eq!(status.registers.get(facts.sp), Some(0x7fff_0000), "{machine:?}");
        }
    }

    #[test]
    fn a_register_behind_the_end_of_a_short_note_is_unknown_not_zero() {
        let core = CoreBuilder::x86_64();
        let desc = core.prstatus(77, 11, &[("r15", 5), ("rip", 6)]);
        let status = parse(&desc[..120], Machine::X86_64, core.encoding()).unwrap();
        assert!(!status.complete);
        assert_eq!(status.registers.get(Register(15)), Some(5));
        assert_eq!(status.registers.get(Register(16)), None);
        assert!(parse(&desc[..35], Machine::X86_64, core.encoding()).is_none());
    }

    #[test]
    fn the_system_call_a_thread_is_in_is_known_and_none_is_none() {
        let call = |core: CoreBuilder, number: u64| {
            let desc = core.prstatus(77, 11, &[("orig_rax", number)]);
            parse(&desc, core.machine(), core.encoding()).unwrap().system_call
        };
        assert_eq!(call(CoreBuilder::x86_64(), 202), Some(202));
        assert_eq!(call(CoreBuilder::x86_64(), u64::MAX), None);
    }

    #[test]
    fn a_machine_without_facts_still_names_its_threads() {
        let core = CoreBuilder::ppc64();
        let desc = core.prstatus(77, 6, &[]);
        let status = parse(&desc, core.machine(), core.encoding()).unwrap();
        assert_eq!((status.tid, status.signal), (77, 6));
        assert!(status.registers.is_empty());
    }
}
