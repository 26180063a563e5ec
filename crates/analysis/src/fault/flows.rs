//! What the value that a failed read did not get was for, followed forward over the next few
//! instructions. A target of a call or the address of a store is worse than a number (CASR's
//! "tainted" accesses).

use super::access::is_return_instruction;
use super::instant::Instant;
use super::{Access, AccessKind};
use obit_corefile::addr::Avma;
use obit_corefile::arch::Register;
use obit_disassembly::{InstructionKind, Next, Source, Target, Term, effects, steps};

/// Bytes of code that are looked at.
const MOST_CODE: usize = 96;
/// Instructions that are followed.
const MOST_STEPS: usize = 12;

/// What a value that could not be read was to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Where to go on: the target of an indirect call or jump, a return address.
    CodeAddress,
    /// Where to write.
    WriteAddress,
}

/// What the value of the read `access` was to be; `None` for any other purpose, and where
/// the code does not show it before it branches.
pub(super) fn purpose(instant: &Instant<'_>, access: &Access) -> Option<Purpose> {
    if access.kind != AccessKind::Read {
        return None;
    }
    let decoder = instant.decoder()?;
    let code = instant.process.memory.read_up_to(instant.pc(), MOST_CODE);
    let kind_at = |at: Avma| {
        let into = usize::try_from(at.0.checked_sub(instant.pc().0)?).ok()?;
        Some(effects(decoder, at, code.get(into..)?)?.kind)
    };
    // `call *(%rax)` reads what it goes to, and so does a return.
    let is_branch = |kind: Option<InstructionKind>| {
        matches!(kind, Some(InstructionKind::IndirectBranch(Source::Memory(_))))
    };
    if is_return_instruction(instant) || is_branch(kind_at(instant.pc())) {
        return Some(Purpose::CodeAddress);
    }
    let mut holds: Vec<Register> = Vec::new();
    for (nth, step) in steps(decoder, instant.pc(), &code).iter().take(MOST_STEPS).enumerate() {
        let is_held = |register: Register| holds.contains(&register);
        if nth > 0 {
            if let Some(InstructionKind::IndirectBranch(Source::Register(part))) =
                kind_at(step.address)
                && is_held(part.register)
            {
                return Some(Purpose::CodeAddress);
            }
            let is_store = |write: &obit_disassembly::Write| match write.to {
                Target::Memory(operand) => operand.base.is_some_and(|base| is_held(base.register)),
                Target::Register(_) => false,
            };
            if step.writes.iter().any(is_store) {
                return Some(Purpose::WriteAddress);
            }
        }
        let is_read = |term: Term| match term {
            Term::Memory(_) | Term::SignExtendedMemory(..) => nth == 0,
            Term::Register(part) | Term::SignExtended(part, _) => is_held(part.register),
            Term::Address(operand) => operand.base.is_some_and(|base| is_held(base.register)),
            Term::Constant(_) | Term::Unknown => false,
        };
        let registers = step.writes.iter().filter_map(|write| match write.to {
            Target::Register(part) => Some((part.register, is_read(write.from))),
            Target::Memory(_) => None,
        });
        let written: Vec<(Register, bool)> = registers.collect();
        for (register, is_of_it) in written {
            holds.retain(|held| *held != register);
            if is_of_it {
                holds.push(register);
            }
        }
        if step.next != Next::Falls || holds.is_empty() {
            return None;
        }
    }
    None
}
