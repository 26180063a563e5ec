//! Threads as Delve writes them on machines whose own notes it does not know (`dlv` command
//! `dump`, its `pkg/proc/dump.go`), little-endian: thread id, pc, sp, bp, thread pointer
//! (8 bytes each), whether there is a goroutine (1) and which (8), the number of registers
//! (4), then for each the length of its name (2), the name, the length of its value (2) and
//! the value.

use super::prstatus::ThreadStatus;
use crate::addr::Avma;
use crate::arch::{Facts, Machine, Registers};
use crate::elf::Encoding;

/// The type of such a note: `DLVT`.
pub(super) const THREAD: u32 = 0x444c_5654;

/// The longest name and the longest value, bytes, as Delve reads them back.
const LONGEST_NAME: usize = 20;
const LONGEST_VALUE: usize = 2048;
/// Where the number of registers is.
const COUNT: usize = 5 * 8 + 1 + 8;

/// Reads the note's descriptor; `None` if it is too short for the registers all threads have.
pub(super) fn parse(desc: &[u8], machine: Machine, encoding: Encoding) -> Option<ThreadStatus> {
    let word = |at: usize| encoding.unsigned(desc, at, 8);
    let (tid, pc, sp, thread_pointer) = (word(0)?, word(8)?, word(16)?, word(32)?);
    let count = encoding.u32(desc, COUNT)?;
    let mut registers = Registers::default();
    let mut complete = true;
    if let Some(facts) = machine.facts() {
        let mut rest = desc.get(COUNT + 4..).unwrap_or(&[]);
        for _ in 0..count {
            let Some((name, value, after)) = register(rest, encoding) else {
                complete = false;
                break;
            };
            rest = after;
            set(&mut registers, facts, name, value, encoding);
        }
        registers.set(facts.pc, Some(pc));
        registers.set(facts.sp, Some(sp));
    }
    Some(ThreadStatus {
        tid: tid.cast_signed(),
        signal: 0,
        registers,
        others: Vec::new(),
        system_call: None,
        complete,
        thread_pointer: Some(Avma(thread_pointer)).filter(|at| at.0 != 0),
        tls_selector: None,
    })
}

/// The name and the value of the first register, and what is behind it.
fn register(bytes: &[u8], encoding: Encoding) -> Option<(&[u8], &[u8], &[u8])> {
    let (name, rest) = counted(bytes, LONGEST_NAME, encoding)?;
    let (value, rest) = counted(rest, LONGEST_VALUE, encoding)?;
    Some((name, value, rest))
}

fn counted(bytes: &[u8], longest: usize, encoding: Encoding) -> Option<(&[u8], &[u8])> {
    let length = usize::try_from(encoding.unsigned(bytes, 0, 2)?).ok()?;
    if length > longest {
        return None;
    }
    bytes.get(2..)?.split_at_checked(length)
}

/// Delve's names differ from DWARF's in case only: `Rax`, `X0`.
fn set(registers: &mut Registers, facts: &Facts, name: &[u8], value: &[u8], encoding: Encoding) {
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    if let Some(register) = facts.register_named(&name)
        && let Some(value) = encoding.unsigned(value, 0, 8)
    {
        registers.set(register, Some(value));
    }
}

#[cfg(test)]
mod tests {
    use crate::testkit::CoreBuilder;

    fn thread(registers: &[(&str, u64)]) -> Vec<u8> {
        let fixed = [71_u64, 0x40_1000, 0xc000_0f00, 0xc000_0f40, 0x7000];
        let mut desc: Vec<u8> = fixed.iter().flat_map(|word| word.to_le_bytes()).collect();
        desc.extend([1; 9]);
        desc.extend((registers.len() as u32).to_le_bytes());
        for (name, value) in registers {
            desc.extend((name.len() as u16).to_le_bytes());
            desc.extend(name.as_bytes());
            desc.extend(8_u16.to_le_bytes());
            desc.extend(value.to_le_bytes());
        }
        desc
    }

    #[test]
    fn a_thread_of_delve_is_read_by_the_names_of_its_registers() {
        let desc = thread(&[("X0", 7), ("X29", 9), ("V0", 5)]);
        let core = CoreBuilder::aarch64().note(b"Delve Header", 0x444c_5645, b"linux/arm64\n");
        let dump = core.note(b"", super::THREAD, &desc).segment(0xc000_0000, &[0; 16], 16);
        let dump = dump.open().unwrap();
        let facts = dump.machine.facts().unwrap();
        let of = |name: &str| dump.threads[0].registers.get(facts.register_named(name).unwrap());
        assert_eq!(dump.threads[0].tid, 71);
        assert_eq!((of("pc"), of("sp")), (Some(0x40_1000), Some(0xc000_0f00)));
        assert_eq!((of("x0"), of("x29"), of("x1")), (Some(7), Some(9), None));
        assert!(dump.threads[0].complete);
    }

    #[test]
    fn a_thread_that_is_cut_has_the_registers_before_the_cut() {
        let desc = thread(&[("Rax", 7), ("Rbx", 9)]);
        let core = CoreBuilder::x86_64().note(b"", super::THREAD, &desc[..desc.len() - 3]);
        let dump = core.segment(0xc000_0000, &[0; 16], 16).open().unwrap();
        let facts = dump.machine.facts().unwrap();
        let of = |name: &str| dump.threads[0].registers.get(facts.register_named(name).unwrap());
        assert_eq!((of("rax"), of("rbx")), (Some(7), None));
        assert!(!dump.threads[0].complete);
    }

    #[test]
    fn notes_without_an_owner_are_those_of_the_kernel() {
        let core = CoreBuilder::x86_64();
        let status = core.prstatus(33, 0, &[("rip", 0x40_1000), ("rsp", 0xc000_0000)]);
        let core = core.note(b"Delve Header", 0x444c_5645, b"linux/amd64\n").note(b"", 1, &status);
        let dump = core.note(b"", 6, &[9, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0]);
        let dump = dump.segment(0xc000_0000, &[0; 16], 16).open().unwrap();
        assert_eq!(dump.threads[0].tid, 33);
        assert_eq!(dump.auxv.get(crate::dump::AuxKind::Entry), Some(0x201));
    }
}
