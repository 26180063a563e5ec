//! `NT_PRSTATUS`: one thread and its integer registers (Linux `include/linux/elfcore.h`,
//! `struct elf_prstatus`; 32-bit programs on a 64-bit kernel: `compat_elf_prstatus`).

use crate::addr::Avma;
use crate::arch::{Facts, Machine, Registers, ThreadPointer};
use crate::elf::Encoding;

/// `pr_cursig`, a `short` after `struct elf_siginfo` (three `int`s), for every machine.
const CURSIG: usize = 12;

/// What one `NT_PRSTATUS` says.
pub(super) struct ThreadStatus {
    pub(super) tid: i64,
    pub(super) signal: u16,
    pub(super) registers: Registers,
    /// The registers of `pr_reg` that are only shown, by name.
    pub(super) others: Vec<(&'static str, u64)>,
    /// The system call it was in.
    pub(super) system_call: Option<u64>,
    /// Whether all of `elf_gregset_t` was there.
    pub(super) complete: bool,
    /// The thread pointer, where `pr_reg` holds it.
    pub(super) thread_pointer: Option<Avma>,
    /// i386: the segment selector in `gs`, which names the thread's TLS descriptor.
    pub(super) tls_selector: Option<u64>,
}

/// Where `pr_pid` lies on a machine without facts: after `pr_sigpend` and `pr_sighold`, two
/// `unsigned long`s.
fn customary_pid(encoding: Encoding) -> usize {
    if encoding.is_64 { 32 } else { 24 }
}

/// Reads the note's descriptor; `None` if it is too short for a thread id.
pub(super) fn parse(desc: &[u8], machine: Machine, encoding: Encoding) -> Option<ThreadStatus> {
    let facts = machine.facts();
    let pid = facts.map_or_else(|| customary_pid(encoding), |facts| facts.prstatus.pid);
    let tid = i64::from(encoding.u32(desc, pid)?.cast_signed());
    let signal = encoding.unsigned(desc, CURSIG, 2).and_then(|raw| u16::try_from(raw).ok());
    let mut status = ThreadStatus {
        tid,
        signal: signal.unwrap_or(0),
        registers: Registers::default(),
        others: Vec::new(),
        system_call: None,
        complete: true,
        thread_pointer: None,
        tls_selector: None,
    };
    if let Some(facts) = facts {
        read_registers(desc, facts, encoding, &mut status);
    }
    Some(status)
}

fn read_registers(desc: &[u8], facts: &Facts, encoding: Encoding, status: &mut ThreadStatus) {
    let layout = &facts.prstatus;
    let whole = desc.get(layout.registers..).unwrap_or(&[]);
    status.complete = whole.len() >= layout.size;
    for row in layout.saved {
        for (at, register) in row.places() {
            let at = usize::try_from(at).unwrap_or(usize::MAX);
            status.registers.set(register, encoding.unsigned(whole, at, usize::from(row.step)));
        }
    }
    let others = layout.others.iter();
    status.others = others
        .filter_map(|other| Some((other.name, encoding.unsigned(whole, other.at, other.size)?)))
        .collect();
    let word = usize::from(facts.word);
    let none = if word == 4 { u64::from(u32::MAX) } else { u64::MAX };
    let number = layout.system_call.and_then(|at| encoding.unsigned(whole, at, word));
    status.system_call = number.filter(|number| *number != none);
    match facts.thread_pointer {
        ThreadPointer::Register(register) => {
            status.thread_pointer = status.registers.get(register).map(Avma);
        }
        ThreadPointer::InPrstatus { at, size } => {
            status.thread_pointer = encoding.unsigned(whole, at, size).map(Avma);
        }
        ThreadPointer::Selector { at } => {
            status.tls_selector = encoding.unsigned(whole, at, word);
        }
        // In a note of its own, or nowhere.
        ThreadPointer::Note | ThreadPointer::Absent => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::Register;
    use crate::testkit::CoreBuilder;

    #[test]
    fn every_machine_finds_its_registers_by_name() {
        let cores = Machine::ALL.iter().copied().map(CoreBuilder::of);
        for core in cores.chain([CoreBuilder::aarch64().big_endian()]) {
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
        let core = CoreBuilder::without_facts();
        let desc = core.prstatus(77, 6, &[]);
        let status = parse(&desc, core.machine(), core.encoding()).unwrap();
        assert_eq!((status.tid, status.signal), (77, 6));
        assert!(status.registers.is_empty());
    }
}
