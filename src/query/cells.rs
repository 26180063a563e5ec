//! From a value and what may be shown of it to a cell. What is hidden of the value is hidden in
//! the cell: the type comes from the value, the content from what may be shown.

use obit_process::value::{Scalar, State, TextOrigin, Value};
use obit_query::{Cell, Datum, Unavailable};
use obit_redact::{Level, Redactor, Shown, is_token};
use obit_report::{Pointees, Variable, VariableStatus, VariableValue};

use crate::report::values::{Whose, variable};

/// Characters of an aggregate in words, and of a text.
const LONGEST: usize = 4096;
/// References to references that are followed.
const DEEPEST: usize = 8;
/// What stands for a value that is hidden without a token.
pub(super) const HIDDEN: &str = "<hidden>";

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
    let is_datum_cut = match &datum {
        Datum::Text(_) => shown.text_cut || is_longer(shown),
        Datum::Aggregate(_) => goes_on(shown),
        _ => false,
    };
    let mut cell = Cell::from(datum);
    // An array of which each element has the format says so in words.
    cell.formatted = shown.formatted.as_ref().map(|text| cut(text.as_str()));
    cell.is_cut = is_datum_cut;
    cell.is_partly_hidden = level != Level::Off && is_changed(value, shown);
    cell
}

/// Whether a part of the value is shown as something else.
fn is_changed(value: &Value, shown: &Variable) -> bool {
    match (&value.state, &value.text) {
        (_, Some(_)) => is_text_changed(value, shown),
        (State::Aggregate, None) => {
            let mut open = Redactor::new(Level::Off, "");
            let plain = variable(value, Whose::default(), &mut open);
            let plain = Variable { name: shown.name.clone(), ..plain };
            plain.words(usize::MAX, Pointees::Hidden) != shown.words(usize::MAX, Pointees::Hidden)
        }
        _ => false,
    }
}

/// Whether a text of the process is shown as something else, in part or as a whole.
fn is_text_changed(value: &Value, shown: &Variable) -> bool {
    match (&value.text, &shown.text) {
        (Some(text), Some(words)) => text.origin == TextOrigin::Data && text.text != words.as_str(),
        _ => false,
    }
}

/// Whether the text is longer than a cell.
fn is_longer(shown: &Variable) -> bool {
    let text = shown.text.as_ref().map_or("", Shown::as_str);
    text.char_indices().nth(LONGEST).is_some()
}

/// Whether something within is left out.
fn goes_on(shown: &Variable) -> bool {
    let mut parts = shown.members.iter().chain(&shown.elements);
    shown.omitted > 0
        || shown.text_cut
        || parts.any(goes_on)
        || shown.words(LONGEST + 1, Pointees::Hidden).chars().count() > LONGEST
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
            // Infinite, no number, or wider than a float.
            Some(VariableValue::Text(ref text)) => match text.parse::<f64>() {
                Ok(value) if !value.is_finite() && !text.contains('e') => Datum::Float(value),
                _ => Datum::Text(words(shown)),
            },
            _ => Datum::Text(words(shown)),
        },
        Scalar::Character { code, character } => Datum::Character(*code, *character),
        Scalar::Address(at) => match (&value.text, &shown.text) {
            (Some(text), Some(words)) if text.origin == TextOrigin::Data => {
                Datum::Text(start_of(words.as_str()).to_owned())
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
        Some(text) => Datum::Text(start_of(text.as_str()).to_owned()),
        None => Datum::Aggregate(words(shown)),
    }
}

fn words(shown: &Variable) -> String {
    cut(&shown.words(LONGEST, Pointees::Hidden))
}

/// A text as far as a cell has it.
fn start_of(text: &str) -> &str {
    let end = text.char_indices().nth(LONGEST).map(|(end, _)| end);
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

/// The same, with an ellipsis if it goes on.
fn cut(text: &str) -> String {
    let start = start_of(text);
    if start.len() < text.len() { format!("{start}\u{2026}") } else { start.to_owned() }
}

/// What stands for a cell that is computed from the value, if it is hidden or a part of its text
/// is: which part a letter is of is not looked for.
pub(super) fn concealed(value: &Value, shown: &Variable) -> Option<String> {
    let (mut value, mut shown) = (value, shown);
    for _ in 0..=DEEPEST {
        if let Some(token) = hidden(value, shown) {
            return Some(token);
        }
        if is_text_changed(value, shown) {
            return Some(HIDDEN.to_owned());
        }
        // A reference is what it refers to.
        match (shown.referent(), value.pointee.as_deref()) {
            (Some(referent), Some(pointee)) => (value, shown) = (pointee, referent),
            _ => return None,
        }
    }
    // Behind too many references nothing was looked at.
    Some(HIDDEN.to_owned())
}

/// What stands for the value as a whole, if it is hidden.
fn hidden(value: &Value, shown: &Variable) -> Option<String> {
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
    use obit_process::value::{Float, FloatFormat, Text};

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
    fn infinities_are_floats() {
        let of = |bits| scalar(Scalar::Float(Float { format: FloatFormat::Binary64, bits }));
        let float = |bits| cell_at(Level::Default, &of(bits)).datum;
        assert_eq!(float(0xfff0_0000_0000_0000), Datum::Float(f64::NEG_INFINITY));
        assert!(matches!(float(0x7ff8_0000_0000_0000), Datum::Float(nan) if nan.is_nan()));
        let wide = Float { format: FloatFormat::Extended80, bits: 0x3fff_8000_0000_0000_0000 };
        let wide = cell_at(Level::Default, &scalar(Scalar::Float(wide))).datum;
        assert!(!matches!(wide, Datum::Float(value) if !value.is_finite()), "{wide:?}");
    }

    #[test]
    fn a_text_of_which_a_part_is_hidden_is_shown_and_hides_what_is_computed_from_it() {
        let mail = "write to alice@example.com now";
        let pointer = Value { text: data(mail), ..scalar(Scalar::Address(16)) };
        let member = Value { name: Some("mail".into()), ..pointer.clone() };
        let array = Value { text: data(mail), ..Value::default() };
        let record = Value { members: vec![member], ..Value::default() };
        for value in [&pointer, &array, &record] {
            let cell = cell_at(Level::Default, value);
            assert!(cell.is_partly_hidden, "{cell:?}");
            assert!(cell.words().contains("write to <email:"), "{cell:?}");
            assert!(!cell_at(Level::Off, value).is_partly_hidden);
        }
        let is_concealed = |value: &Value| {
            let mut redactor = Redactor::new(Level::Default, "obit-0123");
            let shown = variable(value, Whose::default(), &mut redactor);
            concealed(value, &shown).is_some()
        };
        assert!(is_concealed(&pointer) && is_concealed(&array));
        // Of a record, another member may be meant.
        assert!(!is_concealed(&record));
        let plain = Value { text: data("report"), ..scalar(Scalar::Address(16)) };
        assert!(!is_concealed(&plain) && !cell_at(Level::Default, &plain).is_partly_hidden);
    }

    #[test]
    fn what_goes_on_says_so() {
        let text = |left_out| {
            let text = Text { left_out, ..data("report").unwrap() };
            cell_at(Level::Default, &Value { text: Some(text), ..Value::default() })
        };
        assert!(!text(Some(0)).is_cut);
        assert!(text(Some(3)).is_cut && text(None).is_cut);
        assert_eq!(text(None).words(), "report\u{2026}");
        let long = Value { text: data(&"long ".repeat(LONGEST)), ..Value::default() };
        assert!(cell_at(Level::Default, &long).is_cut);
        let members = vec![scalar(Scalar::Signed(3))];
        let array = Value { members, omitted: 1, ..Value::default() };
        assert!(cell_at(Level::Default, &array).is_cut);
        assert!(!cell_at(Level::Default, &Value { omitted: 0, ..array }).is_cut);
    }

    #[test]
    fn a_hidden_value_is_hidden_in_its_cell_and_with_it_its_formats() {
        let secret = "alice@example.com";
        let text = Value { text: data(secret), ..scalar(Scalar::Address(16)) };
        let formatted = Value { formatted: Some("0x616c".into()), ..text.clone() };
        for value in [text, formatted] {
            let Cell { datum: Datum::Hidden(token), formatted: None, .. } =
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
