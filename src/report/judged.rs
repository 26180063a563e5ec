//! What the user's rules say of a value as a whole, and of what kind the values are that nothing
//! judged.

use obit_process::value::{Scalar, State, Text, TextOrigin, Value};
use obit_redact::{Named, Redactor, Whole};

/// Levels of a hidden value whose texts are hidden elsewhere, too.
const DEPTH: usize = 8;

/// What the user's rules say of `value`. The texts in one that they hide are remembered.
pub(crate) fn whole(value: &Value, named: &Named<'_>, redactor: &mut Redactor) -> Whole {
    let forms = forms(value);
    let forms: Vec<&str> = forms.iter().map(String::as_str).collect();
    if matches!(value.state, State::Absent(_)) {
        // Nothing is shown of it.
        redactor.rules().verdict(named, b"");
        return Whole::Unjudged;
    }
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
