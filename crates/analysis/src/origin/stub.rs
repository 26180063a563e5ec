//! Calls of other modules' functions, which lead through a stub of the linker's: the procedure
//! linkage table of the psABI.

use obit_corefile::addr::Avma;
use obit_corefile::arch::Register;
use obit_disassembly::{MemoryOperand, Next, Target, Term, effects, steps};
use obit_process::process::Process;

/// Instructions of a stub: a mark for indirect branches, a load in several parts, the jump.
const MOST: usize = 5;
/// Bytes of a stub.
const MOST_CODE: usize = 32;

/// Where the stub at `entry` jumps, by the address that the dynamic linker stored; `None` if the
/// code there does anything but that.
pub(super) fn target(process: &Process, entry: Avma) -> Option<Avma> {
    let decoder = process.decoder_at(entry)?;
    let code = process.memory.read_up_to(entry, MOST_CODE);
    // Only registers that calls do not pass anything in are written: two at most.
    let mut known: Vec<(Register, u64)> = Vec::new();
    let mut slot = None;
    for step in steps(decoder, entry, &code).iter().take(MOST) {
        match step.next {
            Next::Falls => {}
            Next::Jumps(None) => {
                let into = usize::try_from(step.address.0.checked_sub(entry.0)?).ok()?;
                let found = effects(decoder, step.address, code.get(into..)?);
                let operand = found.and_then(|effects| effects.accesses.first().copied());
                let slot = operand.and_then(|operand| address(&operand, &known)).or(slot)?;
                let to = process.memory.read_word(Avma(slot)).ok()?;
                return (to != 0 && to != entry.0).then_some(Avma(to));
            }
            _ => return None,
        }
        for write in &step.writes {
            let Target::Register(part) = write.to else { return None };
            let value = match write.from {
                Term::Constant(value) => Some(value),
                Term::Address(operand) => address(&operand, &known),
                Term::Memory(operand) => {
                    slot = address(&operand, &known);
                    None
                }
                _ => return None,
            };
            known.retain(|(register, _)| *register != part.register);
            known.extend(value.map(|value| (part.register, value)));
        }
    }
    None
}

/// The address of an operand that is made of constants.
fn address(operand: &MemoryOperand, known: &[(Register, u64)]) -> Option<u64> {
    if operand.index.is_some() || operand.segment.is_some() {
        return None;
    }
    let base = match operand.base {
        Some(part) => known.iter().find(|(register, _)| *register == part.register)?.1,
        None => 0,
    };
    Some(base.wrapping_add_signed(operand.displacement))
}
