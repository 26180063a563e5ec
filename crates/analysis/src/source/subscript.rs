//! Which index of an element's expression leads out of its array.

use super::Words;
use super::evaluated::{scalar_of, size_of, value_of};
use super::number_of;
use super::spelling::{Known, containing, spelled};
use crate::fault::Fault;
use obit_corefile::addr::Avma;
use obit_process::process::{FrameView, Process};
use obit_process::value::Scalar;

/// Bytes that an index must lead away from a pointer to be wrong without doubt.
const FAR: u128 = 64 << 10;

/// An index that is not one of its array's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// The index, as the line spells it.
    pub(super) expression: Words,
    /// What it gives.
    pub(super) number: i128,
    /// The array's length is known, and the index is outside.
    pub(super) is_outside: bool,
}

/// The index to blame for an access at which `fault` failed, where `line` spells the element
/// that lies there: the only one that is outside of its array, or leads far from a pointer that
/// is sound.
pub(super) fn wrong_index(
    process: &Process,
    view: &FrameView<'_>,
    line: &str,
    fault: &Fault,
) -> Option<Wrong> {
    let access = fault.access.as_ref()?;
    let known = Known::of(view);
    let global = global_of(process, fault);
    let is_in_reach = |text: &str| {
        known.has_all_of(text)
            || global.as_deref().is_some_and(|name| known.has_all_but(text, name))
    };
    let is_there = |text: &String| {
        let place = || value_of(process, view, &format!("&({text})"));
        text.ends_with(']') && is_in_reach(text) && place() == Some(access.address)
    };
    // A whole row and its first element are at one place.
    let element = spelled(line).into_iter().filter(is_there).max_by_key(String::len)?;
    let mut wrong = None;
    let mut whole = element.as_str();
    while let Some((array, index)) = subscript(whole) {
        if let Some(found) = of_array(process, view, array, index)
            && wrong.replace(found).is_some()
        {
            return None;
        }
        whole = array;
    }
    wrong
}

/// `index`, if it is outside of `array`.
fn of_array(process: &Process, view: &FrameView<'_>, array: &str, index: &str) -> Option<Wrong> {
    let number = number_of(&scalar_of(process, view, index)?)?;
    let step = u128::from(size_of(process, view, &format!("{array}[0]"))?);
    let is_outside = match scalar_of(process, view, array) {
        // The length of what a pointer leads to is not known.
        Some(Scalar::Address(at)) => {
            let is_sound = process.memory.region_at(Avma(at)).is_some();
            (is_sound && number.unsigned_abs().checked_mul(step)? > FAR).then_some(false)?
        }
        Some(_) => return None,
        None => {
            let length = u128::from(size_of(process, view, array)?).checked_div(step)?;
            u128::try_from(number).map_or(true, |number| number >= length).then_some(true)?
        }
    };
    let expression = Words::of_line(index.to_owned());
    Some(Wrong { expression, number, is_outside })
}

/// The variable of the program whose address the failed access is counted from.
fn global_of(process: &Process, fault: &Fault) -> Option<String> {
    let access = fault.access.as_ref()?;
    let registers = access.base.iter().chain(&access.index).map(|(_, value)| *value);
    let places = registers.chain([access.displacement.cast_unsigned()]);
    let name = |at: u64| {
        let index = process.modules.index_at(Avma(at))?;
        let (module, debug) = (process.modules.get(index)?, process.modules.debug(index)?);
        let (variable, _) = debug.variable_at(module.to_svma(Avma(at)))?;
        Some(variable.name?.to_string())
    };
    places.into_iter().find_map(name)
}

/// What the last subscript of `text` is of, and its index: `a[i]` and `j` of `a[i][j]`; `a` and `i` of
/// `a[i].b`.
fn subscript(text: &str) -> Option<(&str, &str)> {
    if !text.ends_with(']') {
        // The member of an element.
        let at = text.rfind(']')?.checked_add(1)?;
        return subscript(text.get(..at)?);
    }
    let array = text.get(..containing(text)?.len())?;
    let index = text.get(array.len()..)?.strip_prefix('[')?.strip_suffix(']')?;
    Some((array, index.trim()))
}

#[cfg(test)]
mod tests {
    use super::subscript;

    #[test]
    fn indexes_are_taken_from_the_last_to_the_first() {
        assert_eq!(subscript("grid[y][x + 1]"), Some(("grid[y]", "x + 1")));
        assert_eq!(subscript("grid[y]"), Some(("grid", "y")));
        assert_eq!(subscript("rows[r].cells"), Some(("rows", "r")));
        assert_eq!(subscript("a[b[i]]"), Some(("a", "b[i]")));
        assert_eq!(subscript("p->x"), None);
    }
}
