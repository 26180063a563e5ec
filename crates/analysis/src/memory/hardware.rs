//! Signs that the machine, not the program, is at fault.

use crate::signals::SIGSEGV;
use crate::{AccessKind, Fault, Reason};
use obit_corefile::addr::{Avma, Svma};
use obit_corefile::dump::FaultCause;
use obit_corefile::dump::SignalDetail;
use obit_corefile::elf::SegmentKind;
use obit_disassembly::{InstructionKind, effects};
use obit_process::module::FileState;
use obit_process::process::Process;

/// A sign that the machine may be at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hardware {
    /// The kernel itself reported a memory error at this address (`BUS_MCEERR_AR`).
    MemoryError(Avma),
    /// Code differs from the file of the same build: where it begins to, and in how many
    /// bits.
    Code {
        /// The first byte that differs.
        at: Avma,
        /// Bits that differ.
        bits: u32,
        /// The object.
        module: usize,
    },
    /// The kernel reports a fault at this address, which is mapped with all rights that
    /// are needed, and the instruction accesses no memory at all.
    Impossible {
        /// The kernel's address.
        address: Avma,
        /// The instruction.
        instruction: String,
    },
}

/// Bits that may differ before it is a program that changes its own code.
const MOST_BITS: u32 = 32;
const PAGE: u64 = 4096;
const SEGV_ACCERR: i32 = 2;
/// `int3`: a debugger put it there.
const BREAKPOINT: u8 = 0xcc;
/// Tags of a dynamic section (gABI, "Dynamic Section").
const DT_TEXTREL: u64 = 22;
const DT_FLAGS: u64 = 30;
const DF_TEXTREL: u64 = 4;

pub(super) fn findings(process: &Process, fault: Option<&Fault>) -> Vec<Hardware> {
    let found = [
        memory_error(process),
        fault.and_then(|fault| code(process, fault.pc)),
        fault.and_then(|fault| impossible(process, fault)),
    ];
    found.into_iter().flatten().collect()
}

fn memory_error(process: &Process) -> Option<Hardware> {
    match process.dump.signal.as_ref()?.detail {
        SignalDetail::Fault { address, cause: FaultCause::PoisonedMemory(_), .. } => {
            Some(Hardware::MemoryError(address))
        }
        _ => None,
    }
}

/// Compares the page of code around `pc`, if the core has it, with the file's.
fn code(process: &Process, pc: Avma) -> Option<Hardware> {
    let region = process.memory.region_at(pc)?;
    let start = Avma(pc.0 & !(PAGE - 1)).max(region.range.start);
    let into = start.0.checked_sub(region.range.start.0)?;
    let dumped = region.backing.core_len.checked_sub(into).filter(|left| *left >= PAGE);
    dumped.filter(|_| region.permissions.execute && !region.permissions.write)?;
    let number = process.modules.index_at(pc)?;
    let module = process.modules.get(number)?;
    let image = module.image.as_ref().filter(|_| module.file == FileState::Found)?;
    let dynamic = image.segments().iter().find(|s| s.kind == SegmentKind::Dynamic);
    let dynamic = dynamic.and_then(|segment| image.bytes_at(segment.vaddr)).unwrap_or_default();
    let word = process.memory.word();
    let words = dynamic.chunks_exact(word).map(|word| process.memory.unsigned(word));
    let words: Vec<u64> = words.collect();
    let relocates = words.chunks_exact(2).take_while(|pair| pair.first() != Some(&0)).any(|pair| {
        matches!(pair, [DT_TEXTREL, _])
            || matches!(pair, [DT_FLAGS, flags] if flags & DF_TEXTREL != 0)
    });
    if relocates {
        return None;
    }
    let Svma(stated) = module.to_svma(start);
    let of_file = image.bytes_at(Svma(stated))?;
    let of_core = process.memory.read_up_to(start, PAGE as usize);
    let differing =
        of_core.iter().zip(of_file).enumerate().filter(|(_, (core, file))| core != file);
    let mut first = None;
    let mut bits = 0_u32;
    for (index, (core, file)) in differing {
        if *core == BREAKPOINT {
            return None;
        }
        first.get_or_insert(index);
        bits = bits.saturating_add((core ^ file).count_ones());
    }
    let at = start.checked_add(first? as u64)?;
    (bits <= MOST_BITS).then_some(Hardware::Code { at, bits, module: number })
}

fn impossible(process: &Process, fault: &Fault) -> Option<Hardware> {
    // Other codes have other reasons: a protection key, a failed read of a file.
    let signal = process.dump.signal.as_ref()?;
    if (signal.number, signal.code) != (SIGSEGV, Some(SEGV_ACCERR)) {
        return None;
    }
    let is_for_rights = matches!(fault.reason, Reason::Unknown | Reason::Forbidden);
    let access = fault.access.as_ref().filter(|_| is_for_rights)?;
    let is_unexplained = access.kind == AccessKind::Unknown && access.base.is_none();
    let rights = process.memory.region_at(access.address)?.permissions;
    if !is_unexplained || !rights.read || !rights.write {
        return None;
    }
    let code = process.memory.read_up_to(fault.pc, 16);
    let effects = effects(process.decoder_at(fault.pc)?, fault.pc, &code)?;
    let touches_nothing = effects.accesses.is_empty() && effects.kind == InstructionKind::Plain;
    let instruction = fault.instruction.clone().filter(|_| touches_nothing)?;
    Some(Hardware::Impossible { address: access.address, instruction })
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_corefile::testkit::CoreBuilder;
    use obit_process::process::Options;

    const CODE: u64 = 0x40_1000;
    const DATA: u64 = 0x60_0000;

    fn found(signal: u16, si_code: i32, address: u64, code: &[u8]) -> Vec<Hardware> {
        let core = CoreBuilder::x86_64()
            .signal(signal)
            .thread(1, &[("rip", CODE), ("rax", DATA), ("rsp", DATA + 0x800)])
            .siginfo(i32::from(signal), si_code, address)
            .segment_with(CODE, code, 0x1000, "rx")
            .segment(DATA, &[0; 8], 0x1000)
            .write();
        let process = Process::open(core.path(), Options::default(), &()).unwrap();
        let fault = crate::fault::fault(&process);
        findings(&process, fault.as_ref())
    }

    #[test]
    fn a_memory_error_that_the_kernel_reports_is_the_machines() {
        const BUS_MCEERR_AR: i32 = 4;
        assert_eq!(found(7, BUS_MCEERR_AR, DATA, &[0x90]), [Hardware::MemoryError(Avma(DATA))]);
        assert_eq!(found(7, 2, DATA, &[0x90]), []);
    }

    #[test]
    fn an_instruction_without_memory_cannot_fail_at_memory_that_is_there() {
        // add %rbx,%rax
        let add = [0x48, 0x01, 0xd8];
        let [Hardware::Impossible { address, .. }] = &found(SIGSEGV, SEGV_ACCERR, DATA, &add)[..]
        else {
            panic!("one finding");
        };
        assert_eq!(*address, Avma(DATA));
        // mov (%rax),%rbx
        assert_eq!(found(SIGSEGV, SEGV_ACCERR, DATA, &[0x48, 0x8b, 0x18]), []);
        let unmapped = found(SIGSEGV, SEGV_ACCERR, 0x1234_0000, &add);
        assert_eq!(unmapped, [], "it may be a race with munmap");
    }
}
