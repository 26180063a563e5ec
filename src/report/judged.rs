//! What the user's rules say of a value as a whole, and of what kind the values are that nothing
//! judged.

use obit_process::value::{Scalar, State, Text, TextOrigin, Value};
use obit_redact::{Named, Redactor, Whole};

/// Levels of a hidden value whose texts are hidden elsewhere, too.
const DEPTH: usize = 8;

/// What the user's rules say of `value`. The texts in one that they hide are remembered.
pub(crate) fn whole(value: &Value, named: &Named<'_>, redactor: &mut Redactor) -> Whole {
    if !redactor.has_rules() {
        return Whole::Unjudged;
    }
    if matches!(value.state, State::Absent(_)) {
        // Nothing is shown of it.
        redactor.rules().verdict(named, b"");
        return Whole::Unjudged;
    }
    let forms = forms(value);
    let forms: Vec<&str> = forms.iter().map(String::as_str).collect();
    let whole = redactor.judge(named, &forms);
    if let Whole::Hidden(_, kind) = whole {
        for_texts(value, DEPTH, &mut |text| redactor.remember(kind, text));
    }
    whole
}

/// How the value is written, what says most first; nothing for a structure.
fn forms(value: &Value) -> Vec<String> {
    let mut forms = Vec::new();
    let text = value.text.as_ref();
    if let Some(Text { text, origin: TextOrigin::Data, .. }) = text {
        forms.push(text.clone());
    }
    match &value.state {
        State::Scalar(Scalar::Signed(number)) => forms.push(number.to_string()),
        State::Scalar(Scalar::Unsigned(number)) => forms.push(number.to_string()),
        // The first form has few digits, so the token does not say which of the two it is.
        State::Scalar(Scalar::Boolean(value)) => {
            forms.extend([u8::from(*value).to_string(), value.to_string()]);
        }
        State::Scalar(Scalar::Float(float)) => forms.push(float.text()),
        State::Scalar(Scalar::Character { code, .. }) => forms.push(code.to_string()),
        State::Scalar(Scalar::Address(at)) => forms.push(format!("{at:#x}")),
        State::Scalar(Scalar::Raw(bytes)) => {
            forms.push(bytes.iter().map(|byte| char::from(*byte)).collect());
            forms.push(bytes.iter().map(|byte| format!("{byte:02x}")).collect());
        }
        State::Aggregate if forms.is_empty() => {
            let parts = if value.elements.is_empty() { &value.members } else { &value.elements };
            let bytes = bytes(parts).filter(|bytes| !bytes.is_empty());
            forms.extend(bytes.map(|bytes| bytes.iter().map(|byte| char::from(*byte)).collect()));
        }
        State::Aggregate | State::Absent(_) => {}
    }
    if let Some(Text { text, origin: TextOrigin::Symbol | TextOrigin::Number, .. }) = text {
        forms.push(text.clone());
    }
    forms
}

/// The bytes of an array of them; `None` if it is another array.
pub(super) fn bytes(values: &[Value]) -> Option<Vec<u8>> {
    let byte = |value: &Value| {
        let is_byte = value
            .type_name
            .as_deref()
            .is_some_and(|name| ["char", "8", "byte"].iter().any(|part| name.contains(part)));
        match value.state {
            State::Scalar(Scalar::Unsigned(number)) if is_byte => u8::try_from(number).ok(),
            State::Scalar(Scalar::Signed(number)) if is_byte => u8::try_from(number).ok(),
            State::Scalar(Scalar::Character { code, .. }) => u8::try_from(code).ok(),
            _ => None,
        }
    };
    values.iter().map(byte).collect()
}

/// The texts in `value`, and its numbers.
fn for_texts(value: &Value, depth: usize, found: &mut impl FnMut(&str)) {
    for form in forms(value) {
        found(&form);
    }
    let Some(depth) = depth.checked_sub(1) else { return };
    let parts = value.members.iter().chain(&value.elements).chain(value.pointee.as_deref());
    for part in parts {
        for_texts(part, depth, found);
    }
}

/// Counts a value that is shown.
pub(super) fn note_unjudged(value: &Value, redactor: &mut Redactor) {
    let is_data = |origin| value.text.as_ref().is_some_and(|text| text.origin == origin);
    let kind = match &value.state {
        State::Scalar(Scalar::Character { .. }) => "character",
        State::Scalar(_) | State::Aggregate if is_data(TextOrigin::Data) => "text",
        State::Scalar(Scalar::Signed(_) | Scalar::Unsigned(_)) if is_data(TextOrigin::Symbol) => {
            "enumerator"
        }
        State::Scalar(Scalar::Signed(_) | Scalar::Unsigned(_)) => "integer",
        State::Scalar(Scalar::Boolean(_)) => "boolean",
        State::Scalar(Scalar::Float(_)) => "float",
        State::Scalar(Scalar::Address(_)) => "address",
        State::Scalar(Scalar::Raw(_)) => "bytes",
        State::Aggregate | State::Absent(_) => return,
    };
    redactor.note_unjudged(kind);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::report::VariableValue;
    use crate::report::values::{Whose, variable};
    use obit_redact::{Level, Rules};

    fn of(name: &str, type_name: &str) -> Value {
        Value {
            name: Some(Arc::from(name)),
            type_name: Some(Arc::from(type_name)),
            ..Value::default()
        }
    }

    fn number(name: &str, type_name: &str, number: i128) -> Value {
        Value { state: State::Scalar(Scalar::Signed(number)), ..of(name, type_name) }
    }

    /// What stands for a value with these rules; `None` if it is shown.
    fn token(value: &Value, rules: &str) -> Option<String> {
        let rules = Rules::parse(rules).unwrap();
        let mut redactor = Redactor::without_key(Level::Default).with_rules(rules);
        let shown = variable(value, Whose::default(), &mut redactor);
        match shown.value {
            Some(VariableValue::Text(token)) if token.starts_with('<') => {
                assert!(shown.members.is_empty() && shown.elements.is_empty());
                Some(token)
            }
            _ => None,
        }
    }

    #[test]
    fn a_structure_is_hidden_by_its_type() {
        let members = vec![number("tm_year", "int", 84), number("tm_mon", "int", 2)];
        let when = Value { members, ..of("when", "const struct tm") };
        let rules = "[[deny]]\ntype = 'std::tm'\nkind = 'dob'\n";
        assert_eq!(token(&when, rules).as_deref(), Some("<dob>"));
        assert_eq!(token(&when, "[[deny]]\ntype = 'time_t'\n"), None);
    }

    #[test]
    fn an_array_of_bytes_is_hidden_by_its_name_or_by_what_it_spells() {
        let bytes = [0x43, 0x2d, 0x31, 0xff].map(|byte| number("[0]", "unsigned char", byte));
        let value =
            Value { elements: bytes.to_vec(), ..of("buffer", "std::vector<unsigned char>") };
        for rule in ["name = 'buffer'", "name = '*'\nregex = '^C-1'", "type = 'std::vector<*>'"] {
            assert!(token(&value, &format!("[[deny]]\n{rule}\n")).is_some(), "{rule}");
        }
        assert_eq!(token(&value, "[[deny]]\nname = '*'\nregex = '^D'\n"), None);
    }

    #[test]
    fn what_is_hidden_as_a_part_is_hidden_elsewhere_too() {
        let text =
            Text { text: "no. 4711-0815".to_owned(), origin: TextOrigin::Data, left_out: Some(0) };
        let member = Value { text: Some(text), ..of("number", "std::string") };
        let value = Value { members: vec![member], ..of("contract", "Contract") };
        let rules = Rules::parse("[[deny]]\ntype = 'Contract'\n").unwrap();
        let mut redactor = Redactor::without_key(Level::Default).with_rules(rules);
        variable(&value, Whose::default(), &mut redactor);
        let line = redactor.show(obit_redact::Origin::MessageText, "for no. 4711-0815.");
        assert_eq!(line.as_str(), "for <rule>.");
    }
}
