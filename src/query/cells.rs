//! From a value and what may be shown of it to a cell. What is hidden of the value is hidden in
//! the cell: the type comes from the value, the content from what may be shown.

use obit_process::value::{Scalar, State, TextOrigin, Value};
use obit_query::{Cell, Datum, Unavailable};
use obit_redact::{Level, is_token};
use obit_report::{Pointees, Variable, VariableStatus, VariableValue};

/// Characters of an aggregate in words, and of a text.
const LONGEST: usize = 4096;
/// References to references that are followed.
const DEEPEST: usize = 8;
/// What stands for a value that is hidden without a token.
const HIDDEN: &str = "<hidden>";

/// The cell of `value`, of which `shown` may be shown at `level`.
pub(super) fn cell(value: &Value, shown: &Variable, level: Level) -> Cell {
    within(value, shown, level, DEEPEST)
}

fn within(value: &Value, shown: &Variable, level: Level, depth: usize) -> Cell {
    if let Some(token) = hidden(value, shown).filter(|_| level != Level::Off) {
        return Datum::Hidden(token).into();
    }
    let is_leaf = shown.members.is_empty() && shown.elements.is_empty();
    match shown.status {
        VariableStatus::OptimizedOut if is_leaf => {
            return Datum::Unavailable(Unavailable::OptimizedOut).into();
        }
        VariableStatus::Unavailable if is_leaf => {
            let reason = shown.reason.as_ref().map_or("", |reason| reason.as_str());
            return Cell::unknown(reason);
        }
        // What it points at may be known; an address it has none.
        VariableStatus::ImplicitPointer if is_leaf => {
            return Cell::unknown("synthetic pointer: what it points at is in no memory");
        }
        _ => {}
    }
    // A reference is what it refers to.
    if let (Some(referent), Some(pointee), Some(depth)) =
        (shown.referent(), value.pointee.as_deref(), depth.checked_sub(1))
    {
        return within(pointee, referent, level, depth);
    }
    let datum = match &value.state {
        State::Scalar(scalar) => scalar_datum(scalar, value, shown),
        State::Aggregate | State::Absent(_) => aggregate(shown),
    };
    let formatted = shown.formatted.as_ref().map(|text| cut(text.as_str()));
    // An array of which each element has the format says so in words.
    Cell { datum, formatted }
}

fn scalar_datum(scalar: &Scalar, value: &Value, shown: &Variable) -> Datum {
    let symbol = value.text.as_ref().filter(|text| text.origin == TextOrigin::Symbol);
    let integer = |number: i128| match symbol {
        Some(_) => match &shown.text {
            Some(name) => Datum::Enumerator(name.as_str().to_owned(), number),
            None => Datum::Integer(number),
        },
        None => Datum::Integer(number),
    };
    match scalar {
        Scalar::Signed(number) => integer(*number),
        Scalar::Unsigned(number) => match i128::try_from(*number) {
            Ok(number) => integer(number),
            Err(_) => Datum::Text(number.to_string()),
        },
        Scalar::Boolean(value) => Datum::Boolean(*value),
        Scalar::Float(_) => match shown.value {
            Some(VariableValue::Float(value)) => Datum::Float(value),
            // Not finite, or wider than JSON has it.
            _ => Datum::Text(words(shown)),
        },
        Scalar::Character { code, character } => Datum::Character(*code, *character),
        Scalar::Address(at) => match (&value.text, &shown.text) {
            (Some(text), Some(words)) if text.origin == TextOrigin::Data => {
                Datum::Text(text_of(words.as_str(), shown.text_cut))
            }
            (Some(_), Some(name)) => Datum::Pointer(*at, Some(name.as_str().to_owned())),
            _ => Datum::Pointer(*at, None),
        },
        Scalar::Raw(_) => Datum::Text(words(shown)),
    }
}

/// A structure in words; an array or container of characters is a text.
fn aggregate(shown: &Variable) -> Datum {
    match &shown.text {
        Some(text) => Datum::Text(text_of(text.as_str(), shown.text_cut)),
        None => Datum::Aggregate(words(shown)),
    }
}

fn words(shown: &Variable) -> String {
    cut(&shown.words(LONGEST, Pointees::Hidden))
}

/// A text that goes on ends with an ellipsis.
fn text_of(text: &str, is_cut: bool) -> String {
    if is_cut { format!("{}\u{2026}", cut(text)) } else { cut(text) }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST).and_then(|(end, _)| text.get(..end)) {
        Some(start) => format!("{start}\u{2026}"),
        None => text.to_owned(),
    }
}

/// What stands for the value as a whole, if it is hidden.
pub(super) fn hidden(value: &Value, shown: &Variable) -> Option<String> {
    if let Some(VariableValue::Text(text)) = &shown.value
        && is_token(text)
    {
        return Some(text.clone());
    }
    if let Some(text) = shown.text.as_ref().filter(|text| is_token(text.as_str())) {
        return Some(text.as_str().to_owned());
    }
    // An address that spells a text is shown as another.
    if let (State::Scalar(Scalar::Address(at)), Some(VariableValue::Text(word))) =
        (&value.state, &shown.value)
        && *word != format!("{at:#x}")
    {
        return Some(HIDDEN.to_owned());
    }
    // A character that is hidden has no code.
    if let (State::Scalar(Scalar::Character { .. }), None) = (&value.state, &shown.value) {
        return Some(HIDDEN.to_owned());
    }
    // Numbers in a row that spell a text.
    let had_parts = !value.members.is_empty() || !value.elements.is_empty();
    let has_parts = !shown.members.is_empty() || !shown.elements.is_empty();
    (had_parts && !has_parts && shown.text.is_none() && shown.omitted > 0)
        .then(|| HIDDEN.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::values::{Whose, variable};
    use obit_process::value::Text;
    use obit_redact::Redactor;

    fn cell_at(level: Level, value: &Value) -> Cell {
        let mut redactor = Redactor::new(level, "obit-0123");
        cell(value, &variable(value, Whose::default(), &mut redactor), level)
    }

    fn data(text: &str) -> Option<Text> {
        Some(Text { text: text.to_owned(), origin: TextOrigin::Data, left_out: Some(0) })
    }

    fn scalar(scalar: Scalar) -> Value {
        Value { state: State::Scalar(scalar), ..Value::default() }
    }

    #[test]
    fn values_keep_their_types() {
        let symbol = Text { text: "RUNNING".into(), origin: TextOrigin::Symbol, left_out: Some(0) };
        for (value, datum) in [
            (scalar(Scalar::Signed(-3)), Datum::Integer(-3)),
            (scalar(Scalar::Unsigned(u64::MAX.into())), Datum::Integer(u64::MAX.into())),
            (scalar(Scalar::Boolean(true)), Datum::Boolean(true)),
            (scalar(Scalar::Address(16)), Datum::Pointer(16, None)),
            (
                Value { text: Some(symbol.clone()), ..scalar(Scalar::Unsigned(2)) },
                Datum::Enumerator("RUNNING".to_owned(), 2),
            ),
            (
                Value { text: Some(symbol), ..scalar(Scalar::Address(16)) },
                Datum::Pointer(16, Some("RUNNING".to_owned())),
            ),
            (
                Value { text: data("report"), ..scalar(Scalar::Address(16)) },
                Datum::Text("report".to_owned()),
            ),
            (Value { text: data("row"), ..Value::default() }, Datum::Text("row".to_owned())),
        ] {
            assert_eq!(cell_at(Level::Default, &value).datum, datum);
        }
    }

    #[test]
    fn a_hidden_value_is_hidden_in_its_cell_and_with_it_its_formats() {
        let secret = "alice@example.com";
        let text = Value { text: data(secret), ..scalar(Scalar::Address(16)) };
        let formatted = Value { formatted: Some("0x616c".into()), ..text.clone() };
        for value in [text, formatted] {
            let Cell { datum: Datum::Hidden(token), formatted: None } =
                cell_at(Level::Default, &value)
            else {
                panic!("shown");
            };
            assert!(token.starts_with("<email:"), "{token}");
        }
        let letters = secret.bytes().map(|byte| Value {
            type_name: Some("u8".into()),
            ..scalar(Scalar::Unsigned(byte.into()))
        });
        let value = Value { elements: letters.collect(), ..Value::default() };
        assert_eq!(cell_at(Level::Default, &value).datum, Datum::Hidden(HIDDEN.to_owned()));
        let letter = Scalar::Character { code: 97, character: Some('a') };
        let letter = Value { text: data("a"), ..scalar(letter) };
        assert!(!cell_at(Level::Strict, &letter).is_known());
        assert_eq!(cell_at(Level::Off, &letter).datum, Datum::Character(97, Some('a')));
    }
}
