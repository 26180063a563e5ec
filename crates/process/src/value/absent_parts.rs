//! Whether a whole is absent because its parts are.

use super::object::Absence;
use super::{State, Value};
use obit_dwarf::NoPlace;

/// Why a whole is absent: all its parts are, for reasons of one kind.
pub(super) fn absence_of_all(members: &[Value]) -> Option<Absence> {
    let mut first: Option<&Absence> = None;
    for member in members.iter().filter(|member| !is_hollow(member)) {
        let State::Absent(why) = &member.state else { return None };
        match first {
            Some(first) if kind_of(first) != kind_of(why) => return None,
            Some(_) => {}
            None => first = Some(why),
        }
    }
    first.filter(|why| **why != Absence::ImplicitPointer).cloned()
}

/// Whether there is nothing to show: an empty structure.
pub(super) fn is_hollow(value: &Value) -> bool {
    matches!(value.state, State::Aggregate)
        && value.members.is_empty()
        && value.elements.is_empty()
        && value.omitted == 0
        && value.text.is_none()
        && value.summary.is_none()
}

#[derive(PartialEq, Eq)]
enum AbsenceKind {
    OptimizedOut,
    ImplicitPointer,
    Unavailable,
}

fn kind_of(absence: &Absence) -> AbsenceKind {
    match absence {
        Absence::NoPlace(NoPlace::OptimizedOut | NoPlace::NoEntryValue(_)) => {
            AbsenceKind::OptimizedOut
        }
        Absence::ImplicitPointer => AbsenceKind::ImplicitPointer,
        _ => AbsenceKind::Unavailable,
    }
}
