//! Whether a failed access was by way of NULL: the pointer, not the address, decides.

use super::fault::{Fault, Reason};
use super::origin::{Origin, Source};
use obit_process::process::Process;

/// `fault` as that of a NULL pointer, if the bad pointer was 0 before an index or an offset led
/// away from there.
pub(super) fn of_null_array(fault: Fault, origin: Option<&Origin>) -> Fault {
    let is_null = origin.is_some_and(|of| of.is_certain && !of.is_index && of.value == Some(0));
    let reason = match fault.reason {
        Reason::Unmapped if is_null => Reason::Null,
        reason => reason,
    };
    Fault { reason, ..fault }
}

/// Whether it is sure that the pointer of a failed access was NULL, or that it was not.
pub(super) fn is_sure_of_null(process: &Process, fault: &Fault, origin: Option<&Origin>) -> bool {
    match fault.reason {
        Reason::Null => is_of_zero(fault, origin),
        Reason::Unmapped => !may_be_of_zero(process, fault, origin),
        _ => true,
    }
}

/// Whether the pointer of a failed access was 0 and not another number that is too small for
/// an address: an error's number, a tag, a mark of a list, a number of another type.
fn is_of_zero(fault: &Fault, origin: Option<&Origin>) -> bool {
    let Some(access) = &fault.access else { return false };
    let pointer = match origin {
        Some(origin) if origin.is_index => None,
        Some(Origin { value: Some(value), .. }) => Some(*value),
        _ => access.pointer().map(|at| at.0),
    };
    // An address that is part of the instruction is the program's own.
    let is_absolute = access.operand.is_some_and(|operand| {
        operand.base.is_none() && operand.index.is_none() && operand.segment.is_none()
    });
    pointer.map_or(is_absolute, |pointer| pointer == 0)
}

/// Whether an address below all that is mapped may be that of an element of a NULL array: it
/// is a sum, and what it is the sum of is not known.
fn may_be_of_zero(process: &Process, fault: &Fault, origin: Option<&Origin>) -> bool {
    let Some(access) = &fault.access else { return false };
    let lowest = process.memory.regions().first().map(|region| region.range.start);
    let is_low = lowest.is_none_or(|lowest| access.address < lowest);
    let is_sum = origin.is_none_or(|origin| {
        matches!(origin.source, Source::Computed | Source::Unclear | Source::Passed)
            || origin.is_part
    });
    is_low && is_sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Access, AccessKind};
    use obit_corefile::addr::Avma;
    use obit_corefile::testkit::CoreBuilder;
    use obit_process::process::Options;

    /// A read at `address` by way of a register that held `base`.
    fn fault(reason: Reason, base: u64, address: u64) -> Fault {
        Fault {
            pc: Avma(0x40_1000),
            instruction: None,
            access: Some(Access {
                kind: AccessKind::Read,
                address: Avma(address),
                size: Some(8),
                base: Some(("rax".to_owned(), base)),
                index: None,
                displacement: address.wrapping_sub(base).cast_signed(),
                operand: None,
            }),
            reason,
            activation: 0,
            caught: None,
            purpose: None,
            is_computed: false,
            is_panic: false,
            division: None,
            check: None,
        }
    }

    fn is_sure(fault: &Fault) -> bool {
        let core = CoreBuilder::x86_64().signal(11).thread(1, &[]);
        let core = core.segment(0x40_0000, &[0; 8], 0x1000).write();
        let process = Process::open(core.path(), Options::default(), &()).unwrap();
        is_sure_of_null(&process, fault, None)
    }

    #[test]
    fn only_a_pointer_of_0_is_surely_null() {
        assert!(is_sure(&fault(Reason::Null, 0, 0x18)));
        assert!(!is_sure(&fault(Reason::Null, 7, 7)), "a number as a pointer");
        assert!(!is_sure(&fault(Reason::Null, 0x100, 0x108)), "the mark of a removed element");
        let error = 12_u64.wrapping_neg();
        assert!(!is_sure(&fault(Reason::Null, error, 12)), "an error's number");
    }

    #[test]
    fn a_sum_below_all_mappings_may_be_of_a_null_array() {
        assert!(!is_sure(&fault(Reason::Unmapped, 0x11_1700, 0x11_1708)));
        assert!(is_sure(&fault(Reason::Unmapped, 0x5000_0000, 0x5000_0008)));
    }
}
