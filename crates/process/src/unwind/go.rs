//! A row from Go's own table of frame sizes, for Go programs whose DWARF was left out.

use super::row::{Cfa, Convention, Row, Rule};
use obit_corefile::arch::Facts;
use obit_dwarf::GoFrame;

/// The row of a Go function's frame.
pub(super) fn row(frame: GoFrame, facts: &'static Facts) -> Option<Row<'static>> {
    let size = i64::try_from(frame.size).ok()?;
    let word = i64::from(facts.word);
    // A call pushes the return address, or the callee stores it at its stack pointer.
    let (offset, return_address, place) = match facts.link {
        None => (size.checked_add(word)?, facts.pc, Some(Rule::Offset(word.checked_neg()?))),
        Some(link) => (size, link, (size > 0).then_some(Rule::Offset(size.checked_neg()?))),
    };
    let rule = match frame.is_outermost {
        true => Some(Rule::Undefined),
        false => place,
    };
    Some(Row {
        cfa: Cfa::RegisterOffset(facts.sp, offset),
        rules: rule.into_iter().map(|rule| (return_address, rule)).collect(),
        return_address,
        is_signal: false,
        convention: Convention::Go,
        encoding: gimli::Encoding {
            address_size: facts.word,
            format: gimli::Format::Dwarf32,
            version: 4,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_corefile::arch::Machine;

    fn of(machine: Machine, size: u64, is_outermost: bool) -> (i64, Option<i64>) {
        let facts = machine.facts().unwrap();
        let row = row(GoFrame { size, is_outermost }, facts).unwrap();
        let Cfa::RegisterOffset(register, offset) = row.cfa else { panic!("{:?}", row.cfa) };
        assert_eq!(register, facts.sp);
        let place = row.rules.iter().find_map(|(register, rule)| match rule {
            Rule::Offset(at) if *register == row.return_address => Some(*at),
            _ => None,
        });
        (offset, place)
    }

    #[test]
    fn a_pushed_return_address_is_above_the_frame() {
        assert_eq!(of(Machine::X86_64, 0x18, false), (0x20, Some(-8)));
        assert_eq!(of(Machine::X86_64, 0, false), (8, Some(-8)));
    }

    #[test]
    fn a_stored_return_address_is_at_the_stack_pointer() {
        assert_eq!(of(Machine::Aarch64, 0x20, false), (0x20, Some(-0x20)));
        // Still in the link register.
        assert_eq!(of(Machine::Aarch64, 0, false), (0, None));
    }

    #[test]
    fn the_outermost_function_has_no_return_address() {
        assert_eq!(of(Machine::X86_64, 8, true).1, None);
    }
}
