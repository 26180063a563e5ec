//! What a cell may not say as it is computed from what is hidden: else `key[0] == 104` would say
//! what `key` may not.

use super::cells::{HIDDEN, cell, concealed};
use crate::report::{Judge, Variable};
use obit_corefile::addr::{Avma, AvmaRange};
use obit_process::print::Part;
use obit_process::value::{Scalar, State, TextOrigin, Value};
use obit_query::{Cell, Datum};
use obit_redact::Level;

/// Arrays within arrays that are looked into.
const DEEPEST: usize = 4;

/// What a question was asked of the process for.
pub(super) enum For {
    /// The cell itself; whether it is read at an address that no type of the program gives.
    Cell { is_computed: bool },
    /// A part that the cell is computed from.
    Part(Part),
}

/// Fills a cell with the value that it is for, of which `shown` may be shown, or hides it if the
/// value of a part is hidden. The cell itself comes first.
pub(super) fn fill(
    cell: &mut Cell,
    (value, shown): (&Value, &Variable),
    what: &For,
    level: Level,
    judge: &mut Judge<'_>,
) {
    let token = match what {
        For::Cell { is_computed } => {
            *cell = self::cell(value, shown, level);
            let is_piece = *is_computed && is_rest_of_text(value, judge);
            let is_hidden = is_piece || reads_hidden(value, *is_computed, DEEPEST, judge);
            is_hidden.then(|| HIDDEN.to_owned())
        }
        // The text at an address is of the object there.
        For::Part(part) if part.is_place => {
            concealed(value, shown).filter(|_| matches!(cell.datum, Datum::Text(_)))
        }
        For::Part(part) => concealed(value, shown).or_else(|| {
            let is_hidden = reads_hidden(value, part.is_computed, DEEPEST, judge);
            is_hidden.then(|| HIDDEN.to_owned())
        }),
    };
    let is_open = !matches!(cell.datum, Datum::Hidden(_));
    if let Some(token) = token.filter(|_| level != Level::Off && is_open) {
        *cell = Datum::Hidden(token).into();
    }
}

/// Whether the memory that a value was read from is of a text that is hidden. Members of a
/// record have names and types, by which they are judged.
fn reads_hidden(value: &Value, is_computed: bool, depth: usize, judge: &mut Judge<'_>) -> bool {
    match (&value.state, value.span) {
        (State::Scalar(Scalar::Address(_)), _) if !is_computed => false,
        (State::Scalar(_), Some(bytes)) => judge.hides(bytes, is_computed),
        (State::Aggregate, _) if is_computed => {
            let Some(depth) = depth.checked_sub(1) else { return true };
            let is_element = |value: &&Value| value.name.as_deref().unwrap_or("[").starts_with('[');
            let mut elements = value.members.iter().filter(is_element);
            elements.any(|element| reads_hidden(element, true, depth, judge))
        }
        _ => false,
    }
}

/// Whether a text that was found at an address that was made is the rest of a longer one.
fn is_rest_of_text(value: &Value, judge: &mut Judge<'_>) -> bool {
    let is_data = value.text.as_ref().is_some_and(|text| text.origin == TextOrigin::Data);
    match value.state {
        State::Scalar(Scalar::Address(at)) if is_data => {
            at > 0 && judge.hides(AvmaRange { start: Avma(at - 1), end: Avma(at) }, true)
        }
        _ => false,
    }
}
