//! Which access of an instruction failed, and why (SIGSEGV, SIGBUS).

use super::codes::{BUS_ADRALN, BUS_ADRERR, SEGV_ACCERR, SEGV_MAPERR, SEGV_PKUERR};
use super::instant::{Instant, LONGEST};
use super::{Access, AccessKind, Fault, Reason, SIGBUS, fault_at, without_access};
use super::{flows, linked, stack_overflow};
use obit_corefile::addr::Avma;
use obit_corefile::arch::Decoder;
use obit_corefile::dump::{Signal, SignalDetail};
use obit_disassembly::{AccessMode, InstructionKind, MemoryOperand, Source};
use obit_process::unwind::Trust;

/// Nothing is mapped below: the default of `vm.mmap_min_addr`.
const NULL_ZONE: u64 = 1 << 16;
/// How far an access may reach if the instruction does not give its length, and how far a
/// string instruction may go beyond what its registers say.
const REACH: u64 = 4096;

/// The failed access of the instruction at `instant`, if it explains the signal.
pub(super) fn explain(signal: &Signal, instant: &Instant<'_>) -> Option<Fault> {
    match signal.detail {
        SignalDetail::Fault { address, .. } => {
            let access = fetch(instant, address).or_else(|| matching(instant, address))?;
            let reason = match reason(signal, instant, &access) {
                Reason::Unmapped | Reason::Forbidden | Reason::NonCanonical
                    if has_returned(instant, &access) =>
                {
                    Reason::Returned
                }
                reason => reason,
            };
            Some(with_access(instant, access, reason))
        }
        SignalDetail::Kernel => {
            let non_canonical = || {
                let access = non_canonical(instant)?;
                let is_return = is_return(instant) || has_returned(instant, &access);
                let reason = if is_return { Reason::Returned } else { Reason::NonCanonical };
                Some((access, reason))
            };
            let found = non_canonical().or_else(|| off_stack(instant)).or_else(|| skewed(instant));
            if let Some((access, reason)) = found {
                return Some(with_access(instant, access, reason));
            }
            let is_privileged = instant.kind() == Some(InstructionKind::Privileged);
            is_privileged.then(|| without_access(instant, Reason::Privileged))
        }
        _ => None,
    }
}

fn with_access(instant: &Instant<'_>, access: Access, reason: Reason) -> Fault {
    // What cannot be executed is no instruction.
    let is_data = access.kind == AccessKind::Execute && access.address == instant.pc();
    let instruction = instant.text().filter(|_| !is_data);
    let purpose = flows::purpose(instant, &access);
    Fault { purpose, ..fault_at(instant, instruction, Some(access), reason) }
}

/// The instruction itself could not be read: `address` is in it, and no code is there.
fn fetch(instant: &Instant<'_>, address: Avma) -> Option<Access> {
    let into = usize::try_from(address.0.checked_sub(instant.pc().0)?).ok()?;
    let region = instant.process.memory.region_at(address);
    let is_code = region.is_some_and(|region| region.permissions.execute);
    let is_missing = !is_code || instant.code().len() <= into;
    // Beyond its first byte only if it goes on there.
    let goes_on = into == 0 || into < LONGEST && instant.kind().is_none();
    (is_missing && goes_on).then(|| executed(address, None))
}

/// Whether the current instruction is a return (x86). Where calls go through a thunk
/// against speculation, any jump may be one.
fn is_return(instant: &Instant<'_>) -> bool {
    let is_thunk = || {
        let frame = instant.thread.frames.first();
        let name = frame.and_then(|frame| frame.function.as_deref());
        name.is_some_and(|name| name.contains("_thunk"))
    };
    is_return_instruction(instant) && !is_thunk()
}

/// Whether the current instruction is one that takes its target from the stack (x86).
pub(super) fn is_return_instruction(instant: &Instant<'_>) -> bool {
    matches!(instant.machine().decoder(), Some(Decoder::X86 { .. }))
        && matches!(instant.code(), [0xc2 | 0xc3, ..] | [0xf2 | 0xf3, 0xc3, ..])
}

/// Whether a return led to the pc, where no code is: what it took from the stack still lies
/// just below the stack pointer (x86), and nothing looks like a call.
fn has_returned(instant: &Instant<'_>, access: &Access) -> bool {
    if access.kind != AccessKind::Execute || access.address != instant.pc() {
        return false;
    }
    match instant.machine().decoder() {
        Some(Decoder::X86 { .. }) => {}
        Some(Decoder::A32 | Decoder::Thumb) if linked::has_returned(instant) => return true,
        // `pop {r4, pc}` takes it from the stack, too.
        Some(Decoder::A32 | Decoder::Thumb) => {}
        Some(Decoder::Aarch64 | Decoder::Riscv) => return linked::has_returned(instant),
        None => return false,
    }
    let popped = || {
        let facts = instant.facts()?;
        let sp = Avma(instant.place.registers.get(facts.sp)?);
        let below = Avma(sp.0.checked_sub(u64::from(facts.word))?);
        let word = instant.process.memory.read_word(below).ok()?;
        Some(word & !facts.code_address.mode_bits)
    };
    let caller = instant.thread.stack.frames.get(1);
    let is_called = caller.is_some_and(|caller| caller.trust != Trust::Scan);
    !is_called && popped() == Some(instant.pc().0)
}

fn executed(address: Avma, base: Option<(String, u64)>) -> Access {
    let kind = AccessKind::Execute;
    Access { kind, address, size: None, base, index: None, displacement: 0, operand: None }
}

/// The access that touches `address`; of several the one that begins nearest.
fn matching(instant: &Instant<'_>, address: Avma) -> Option<Access> {
    let reaching = instant.accesses().filter_map(|(operand, start)| {
        let into = instant.untagged(address).0.wrapping_sub(instant.untagged(start).0);
        let once = operand.size.unwrap_or(REACH);
        let all = once.saturating_mul(instant.rounds(operand)).min(REACH.max(once));
        (into < all).then_some((into, operand))
    });
    let mut nearest: Option<(u64, &MemoryOperand, bool)> = None;
    for (into, operand) in reaching {
        nearest = match nearest {
            Some(best) if best.0 < into => Some(best),
            Some((best, first, _)) if best == into => {
                Some((best, first, first.mode == operand.mode))
            }
            _ => Some((into, operand, true)),
        };
    }
    let (_, operand, is_certain) = nearest?;
    let mut access = describe(instant, operand, address);
    if !is_certain {
        access.kind = AccessKind::Unknown;
    }
    Some(access)
}

/// `operand` with what its registers held, failed at `address`.
fn describe(instant: &Instant<'_>, operand: &MemoryOperand, address: Avma) -> Access {
    let kind = match operand.mode {
        AccessMode::Read => AccessKind::Read,
        // What was read was to be stored again, whichever of the two failed.
        AccessMode::Write | AccessMode::ReadWrite => AccessKind::Write,
    };
    let base = operand.base.and_then(|base| instant.named(base));
    let segment = || operand.segment.and_then(|segment| instant.named_segment(segment));
    Access {
        kind,
        address,
        size: operand.size,
        base: base.or_else(segment),
        index: operand.index.and_then(|(index, _)| instant.named(index)),
        displacement: operand.displacement,
        operand: Some(*operand),
    }
}

/// Why an access failed whose address the kernel reported.
pub(super) fn reason(signal: &Signal, instant: &Instant<'_>, access: &Access) -> Reason {
    let code = signal.code.unwrap_or(0);
    if signal.number == SIGBUS {
        let region = instant.process.memory.region_at(access.address);
        let is_code = region.is_some_and(|region| region.permissions.execute);
        let is_fetch = access.kind == AccessKind::Execute && access.address == instant.pc();
        return match code {
            // aarch64: a pc outside of code is seldom aligned.
            BUS_ADRALN if is_fetch && !is_code => Reason::Unmapped,
            BUS_ADRALN => Reason::Misaligned,
            // A hole is read as zeros: only writes need a page of the file system.
            BUS_ADRERR if is_mapped_file(instant, access.address) => match access.kind {
                AccessKind::Write => Reason::NoPage,
                _ => Reason::BeyondFile,
            },
            _ => Reason::Unknown,
        };
    }
    if !matches!(code, SEGV_MAPERR | SEGV_ACCERR | SEGV_PKUERR) {
        return Reason::Unknown;
    }
    if access.kind != AccessKind::Execute && stack_overflow::is_below(instant, access.address) {
        return Reason::StackOverflow;
    }
    let region = instant.process.memory.region_at(access.address);
    if region.is_none() && is_null(access, access.operand.as_ref()) {
        return Reason::Null;
    }
    if region.is_none() && !linked::is_canonical(instant, access.address) {
        return Reason::NonCanonical;
    }
    let rights = region.map(|region| region.permissions);
    match (code, access.kind) {
        (SEGV_MAPERR, _) => Reason::Unmapped,
        (SEGV_ACCERR, AccessKind::Read) if rights.is_some_and(|rights| rights.read) => {
            Reason::Unknown
        }
        (SEGV_ACCERR, AccessKind::Write) if rights.is_some_and(|rights| rights.write) => {
            Reason::Unknown
        }
        (SEGV_ACCERR, AccessKind::Execute) if rights.is_some_and(|rights| rights.execute) => {
            Reason::Unknown
        }
        _ => Reason::Forbidden,
    }
}

/// Whether the access went through a NULL pointer: to the first pages, or by a base of 0 with an
/// offset or the index of an element, however large. Of two registers that are only added
/// either may be the pointer.
fn is_null(access: &Access, operand: Option<&MemoryOperand>) -> bool {
    let is_from_zero = access.base.as_ref().is_some_and(|(_, value)| *value == 0);
    let is_sum = operand.is_some_and(|operand| matches!(operand.index, Some((_, 1))));
    access.address.0 < NULL_ZONE || is_from_zero && !is_sum
}

fn is_mapped_file(instant: &Instant<'_>, address: Avma) -> bool {
    let mut files = instant.process.dump.mapped_files.iter();
    files.any(|file| file.range.contains(address))
}

/// Whether bits 47 to 63 are all the same (x86_64 with tables of four levels; with five,
/// more addresses are canonical, and those do not raise general protection).
fn is_canonical(address: Avma) -> bool {
    let high = address.0.cast_signed() >> 47;
    high == 0 || high == -1
}

/// General protection, or a stack fault, on x86_64: the kernel reports no address.
fn non_canonical(instant: &Instant<'_>) -> Option<Access> {
    if instant.machine().decoder() != Some(Decoder::X86 { bits: 64 }) {
        return None;
    }
    if !is_canonical(instant.pc()) {
        return Some(executed(instant.pc(), None));
    }
    let found = instant.accesses().find_map(|(operand, start)| {
        let last = start.offset(operand.size.unwrap_or(1).saturating_sub(1).cast_signed());
        let bad = [start, last].into_iter().find(|at| !is_canonical(*at))?;
        Some(describe(instant, operand, bad))
    });
    if found.is_some() {
        return found;
    }
    let Some(InstructionKind::IndirectBranch(source)) = instant.kind() else { return None };
    let target = Avma(instant.value(source)?);
    let base = match source {
        Source::Register(part) => instant.named(part),
        Source::Memory(_) => None,
    };
    (!is_canonical(target)).then(|| executed(target, base))
}

/// The stack ran out, and there was no room to run the handler of the SIGSEGV: the kernel
/// then sends another, without an address (Linux `force_sigsegv`).
fn off_stack(instant: &Instant<'_>) -> Option<(Access, Reason)> {
    let below = |(_, at): &(_, Avma)| stack_overflow::is_below(instant, *at);
    let (operand, at) = instant.accesses().find(below)?;
    Some((describe(instant, operand, at), Reason::StackOverflow))
}

/// A vector in memory that is not aligned to its length: `movaps` and the like raise
/// general protection (Intel SDM volume 1, 4.1.1).
fn skewed(instant: &Instant<'_>) -> Option<(Access, Reason)> {
    if !matches!(instant.machine().decoder(), Some(Decoder::X86 { .. })) {
        return None;
    }
    let (operand, at) = instant.accesses().find(|(operand, at)| match operand.size {
        Some(16) => at.0 & 15 != 0,
        Some(32) => at.0 & 31 != 0,
        Some(64) => at.0 & 63 != 0,
        _ => false,
    })?;
    Some((describe(instant, operand, at), Reason::Misaligned))
}
