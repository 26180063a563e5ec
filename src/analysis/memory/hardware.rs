//! Signs that the machine, not the program, is at fault.

use crate::addr::{Avma, Svma};
use crate::analysis::{AccessKind, Fault, Reason};
use crate::disassembly::{InstructionKind, effects};
use crate::dump::FaultCause;
use crate::dump::SignalDetail;
use crate::elf::SegmentKind;
use crate::module::FileState;
use crate::process::Process;

/// A sign that the machine may be at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hardware {
    /// The kernel itself told of a memory error at this address (`BUS_MCEERR_AR`).
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
    /// The kernel tells of a fault at this address, which is mapped with all rights that
    /// are needed, and the instruction touches no memory at all.
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
    let access = fault.access.as_ref().filter(|_| fault.reason == Reason::Unknown)?;
    let is_unexplained = access.kind == AccessKind::Unknown && access.base.is_none();
    let rights = process.memory.region_at(access.address)?.permissions;
    if !is_unexplained || !rights.read || !rights.write {
        return None;
    }
    let code = process.memory.read_up_to(fault.pc, 16);
    let effects = effects(process.dump.machine, fault.pc, &code)?;
    let touches_nothing = effects.accesses.is_empty() && effects.kind == InstructionKind::Plain;
    let instruction = fault.instruction.clone().filter(|_| touches_nothing)?;
    Some(Hardware::Impossible { address: access.address, instruction })
}
