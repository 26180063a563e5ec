//! What to follow back for a fault.

use super::{Origin, Wanted, origin};
use crate::analysis::fault::{Access, AccessKind, Fault};
use crate::disassembly::{InstructionKind, effects};
use crate::process::Process;

/// Where the value came from that made `fault`: a pointer, an index, a function, a divisor.
pub(in crate::analysis) fn of_fault(process: &Process, fault: &Fault) -> Option<Origin> {
    match &fault.access {
        Some(Access { operand: Some(operand), .. }) => {
            origin(process, fault.activation, Wanted::Address(*operand))
        }
        Some(Access { kind: AccessKind::Execute, .. }) => {
            // The call itself failed, or what it led to.
            [fault.activation, fault.activation.checked_add(1)?]
                .into_iter()
                .find_map(|index| target_of(process, index))
        }
        Some(_) => None,
        None => match kind_at(process, fault.activation)? {
            InstructionKind::Division(divisor) => {
                origin(process, fault.activation, Wanted::Operand(divisor))
            }
            _ => None,
        },
    }
}

fn target_of(process: &Process, index: usize) -> Option<Origin> {
    match kind_at(process, index)? {
        InstructionKind::IndirectBranch(source) => origin(process, index, Wanted::Operand(source)),
        _ => None,
    }
}

/// What the instruction is at which an activation was left.
fn kind_at(process: &Process, index: usize) -> Option<InstructionKind> {
    let thread = process.crashed()?;
    let moment = super::Moment::new(process, thread, index)?;
    let step = moment.body.steps.get(moment.stop)?;
    let code = process.memory.read_up_to(step.address, usize::try_from(step.len).ok()?);
    effects(process.dump.machine, step.address, &code).map(|effects| effects.kind)
}
