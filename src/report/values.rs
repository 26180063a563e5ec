//! From a value to the document's variable, through the redactor.

use super::judged;
use super::key_objects;
use std::borrow::Cow;

use super::{Hex, Variable, VariableStatus, VariableValue};
use obit_corefile::memory::AddressSpace;
use obit_dwarf::NoPlace;
use obit_process::process::{Frame, Process};
use obit_process::value::{Absence, FloatFormat, Scalar, State, TextOrigin, Value};
use obit_redact::{Kind, Level, Named, Origin, Reason, Redactor, Shown, Whole};

/// Bytes in a row that are looked at as if they were text.
const LEAST_TEXT: usize = 4;

/// Characters of the index of an element, with its brackets; longer ones are keys. Of several
/// indices, `[2,3]`, each has as many.
const LONGEST_INDEX: usize = 9;

/// Whose variable a value is, for rules that ask for it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Whose<'w> {
    /// The function.
    pub(crate) function: Option<&'w str>,
    /// The file that it is in.
    pub(crate) module: Option<&'w str>,
    /// Where the value was read: of a long list more than what is shown counts.
    pub(crate) memory: Option<&'w AddressSpace>,
}

impl<'w> Whose<'w> {
    /// Of a variable of `frame`, whose function is in `file` ([`file_of`]).
    pub(crate) fn of(process: &'w Process, frame: &'w Frame, file: Option<&'w str>) -> Self {
        let function = frame.function.as_deref();
        Self { function, module: file, memory: Some(&process.memory) }
    }
}

/// The name of the file that the function of `frame` is in, without its directory.
pub(crate) fn file_of<'p>(process: &'p Process, frame: &Frame) -> Option<Cow<'p, str>> {
    let module = process.modules.get(frame.module?)?;
    Some(module.path.file_name()?.to_string_lossy())
}

/// A value's way from the variable it is a part of.
#[derive(Clone, Copy)]
struct Way<'w> {
    whose: Whose<'w>,
    outer: Option<&'w Way<'w>>,
    name: Option<&'w str>,
    /// Whether a rule of the user's shows what it is a part of.
    is_allowed: bool,
    /// Whether something around it is called a key.
    is_in_key: bool,
    /// Whether it is the key and the value of a map's element.
    is_entry: bool,
}

impl Way<'_> {
    /// `config.db.password`; elements are called as what they are of.
    fn path(&self) -> String {
        let mut path = self.outer.map(Way::path).unwrap_or_default();
        if let Some(name) = self.name.filter(|name| !name.starts_with('[')) {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(name);
        }
        path
    }
}

/// What of `value` may leave.
pub(crate) fn variable(value: &Value, whose: Whose<'_>, redactor: &mut Redactor) -> Variable {
    let way = Way {
        whose,
        outer: None,
        name: None,
        is_allowed: false,
        is_in_key: false,
        is_entry: false,
    };
    let mut shown = part(value, way, redactor);
    shown.address = value.address.map(|at| Hex(at.0));
    shown
}

fn part(value: &Value, outer: Way<'_>, redactor: &mut Redactor) -> Variable {
    // What is under a map's key is judged as the map is.
    let is_key = outer.is_entry && value.name.as_deref() == Some("key");
    let name = value.name.as_deref().filter(|_| !is_key);
    let mut way =
        Way { outer: Some(&outer), name, is_entry: key_objects::is_entry(value), ..outer };
    redactor.enter(2, || way.path());
    let mut shown = Variable {
        name: match value.name.as_deref() {
            Some(name) if way.is_allowed => redactor.show_allowed(name),
            Some(name) => name_of(name, redactor),
            None => Shown::default(),
        },
        type_name: value.type_name.as_deref().map(|name| redactor.show(Origin::SymbolName, name)),
        omitted: value.omitted,
        ..Variable::default()
    };
    if !way.is_allowed && redactor.has_rules() {
        let path = way.path();
        match judged::whole(value, &named(&path, value, &way), redactor) {
            Whole::Hidden(token, _) => {
                shown.omitted = 0;
                shown.value = Some(VariableValue::Text(token.into_string()));
                return shown;
            }
            Whole::Allowed => way.is_allowed = true,
            _ => {}
        }
    }
    if !way.is_allowed && hide_key(value, &mut shown, &mut way, is_key, redactor) {
        return shown;
    }
    let is_number_hidden = state(value, &mut shown, &way, redactor);
    shown.summary =
        value.summary.as_deref().map(|summary| redactor.show(Origin::SymbolName, summary));
    let is_text_hidden = text(value, &mut shown, &way, redactor);
    format(value, &mut shown, is_number_hidden || is_text_hidden, redactor);
    if !(is_number_hidden || is_text_hidden || way.is_allowed) {
        judged::note_unjudged(value, redactor);
    }
    let is_data = matches!(&value.text, Some(text) if text.origin == TextOrigin::Data);
    // What is hidden as a text must not be shown letter by letter.
    let mut children = |values: &[Value], left_out: &mut u64| {
        if is_text_hidden || (!is_data && !way.is_allowed && spells_secret(values, redactor)) {
            *left_out = left_out.saturating_add(values.len() as u64);
            return Vec::new();
        }
        values.iter().map(|value| part(value, way, redactor)).collect()
    };
    shown.members = children(&value.members, &mut shown.omitted);
    shown.elements = children(&value.elements, &mut shown.omitted);
    shown.pointee = value.pointee.as_deref().map(|pointee| Box::new(part(pointee, way, redactor)));
    shown
}

/// Fills in the token of a key, which has no parts to be seen; whether it is one.
fn hide_key(
    value: &Value,
    shown: &mut Variable,
    way: &mut Way<'_>,
    is_key: bool,
    redactor: &mut Redactor,
) -> bool {
    let is_leaf = value.members.is_empty() && value.elements.is_empty();
    if redactor.level() == Level::Off || is_leaf && value.pointee.is_none() {
        return false;
    }
    let path = way.path();
    let is_in_key = way.is_in_key && !is_key;
    let named = named(&path, value, way);
    if let Some(object) = key_objects::judge(value, &named, is_in_key, way.whose.memory, redactor) {
        let bytes = object.bytes();
        let token = redactor.hide_object(object.kind, object.reason, &bytes);
        shown.value = Some(VariableValue::Text(token.into_string()));
        shown.omitted = 0;
        let summary = value.summary.as_deref();
        shown.summary = summary.map(|summary| redactor.show(Origin::SymbolName, summary));
        return true;
    }
    way.is_in_key = is_in_key || !is_key && redactor.names_key(&path);
    false
}

/// The value in the format that was asked for, in place of the text that says the same:
/// neither where one of them may not be shown.
fn format(value: &Value, shown: &mut Variable, is_hidden: bool, redactor: &mut Redactor) {
    let has_format = |value: &Value| value.formatted.is_some();
    let is_array = matches!(value.state, State::Aggregate) && value.summary.is_none();
    let is_spelled = has_format(value) || (is_array && value.members.iter().any(has_format));
    if is_hidden || !is_spelled {
        return;
    }
    let formatted = value.formatted.as_deref();
    shown.formatted = formatted.map(|text| redactor.show(Origin::SymbolName, text));
    shown.text = None;
    shown.text_cut = false;
    shown.text_left_out = None;
}

/// Fills in what it holds; whether a number in it may not be shown.
fn state(value: &Value, shown: &mut Variable, way: &Way<'_>, redactor: &mut Redactor) -> bool {
    match (&value.state, &value.partly) {
        (State::Scalar(scalar), _) => {
            let token = hidden_number(scalar, value, way, redactor);
            let mut is_hidden = token.is_some();
            shown.value = Some(match (token, scalar) {
                (Some(token), _) => VariableValue::Text(token.into_string()),
                (None, Scalar::Address(at)) if !way.is_allowed => {
                    let word = redactor.show_word(*at);
                    is_hidden = word != *at;
                    scalar_value(&Scalar::Address(word))
                }
                (None, scalar) => scalar_value(scalar),
            });
            return is_hidden;
        }
        (State::Absent(why), _) => {
            shown.status = status(why);
            shown.reason = Some(redactor.show(Origin::OwnWords, &why.to_string()));
        }
        (State::Aggregate, Some(why)) => {
            shown.status = status(why);
            let reason = format!("partly: {why}");
            shown.reason = Some(redactor.show(Origin::OwnWords, &reason));
        }
        (State::Aggregate, None) => {}
    }
    false
}

/// The token for a number that is a card's, a person's or a secret, or of which all bytes
/// are letters.
fn hidden_number(
    scalar: &Scalar,
    value: &Value,
    way: &Way<'_>,
    redactor: &mut Redactor,
) -> Option<Shown> {
    if redactor.level() == Level::Off || way.is_allowed {
        return None;
    }
    let (digits, words) = match scalar {
        Scalar::Signed(number) => (number.to_string(), words(number.cast_unsigned())),
        Scalar::Unsigned(number) => (number.to_string(), words(*number)),
        Scalar::Float(float) => (float.text(), words(float.bits)),
        Scalar::Raw(bytes) => return hidden_bytes(bytes, value, way, redactor),
        _ => return None,
    };
    if let Some(token) = hidden_address(scalar, value, redactor) {
        return Some(token);
    }
    let path = way.path();
    let token = redactor.hide_number(&named(&path, value, way), &digits);
    let token = token.or_else(|| words.into_iter().find_map(|word| redactor.hide_key_word(word)));
    token.or_else(|| words.into_iter().find_map(|word| redactor.hide_spelled(word)))
}

/// The token for `s_addr` of an address that is not kept for private use.
fn hidden_address(scalar: &Scalar, value: &Value, redactor: &mut Redactor) -> Option<Shown> {
    let Scalar::Unsigned(number) = scalar else { return None };
    let is_address = value.type_name.as_deref() == Some("in_addr_t");
    let octets = u32::try_from(*number).ok().filter(|_| is_address)?.to_le_bytes();
    let is_public = redactor.is_public_address(&std::net::Ipv4Addr::from(octets).to_string());
    is_public.then(|| redactor.hide_object(Kind::Ip, Reason::Type, &octets))
}

/// The lower and the upper half of a number; of a negative one that has no upper half,
/// it is only punctuation.
fn words(number: u128) -> [u64; 2] {
    let lower = u64::try_from(number & u128::from(u64::MAX)).unwrap_or(0);
    [lower, u64::try_from(number >> 64).unwrap_or(0)]
}

/// The token for bytes of unknown meaning, if they hold text.
fn hidden_bytes(
    bytes: &[u8],
    value: &Value,
    way: &Way<'_>,
    redactor: &mut Redactor,
) -> Option<Shown> {
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let path = way.path();
    let shown = redactor.show_value(Origin::VariableText, &named(&path, value, way), &text);
    if shown.as_str() != text && redactor.level() == Level::Default {
        return Some(shown);
    }
    let word = |part: &[u8]| part.iter().rfold(0, |word, byte| word << 8 | u64::from(*byte));
    bytes.chunks(8).find_map(|part| redactor.hide_spelled(word(part)))
}

fn named<'n>(path: &'n str, value: &'n Value, way: &Way<'n>) -> Named<'n> {
    let Whose { function, module, .. } = way.whose;
    Named { name: path, type_name: value.type_name.as_deref(), function, module }
}

fn status(why: &Absence) -> VariableStatus {
    match why {
        Absence::NoPlace(NoPlace::OptimizedOut | NoPlace::NoEntryValue(_)) => {
            VariableStatus::OptimizedOut
        }
        Absence::ImplicitPointer => VariableStatus::ImplicitPointer,
        Absence::NoPlace(_)
        | Absence::Memory(_)
        | Absence::Incomplete
        | Absence::Malformed(_)
        | Absence::TooLarge(_)
        | Absence::NotAllocated
        | Absence::NotAssociated
        | Absence::DescriptorNotInMemory
        | Absence::UnknownLength
        | Absence::NotContiguous => VariableStatus::Unavailable,
    }
}

fn scalar_value(scalar: &Scalar) -> VariableValue {
    match scalar {
        Scalar::Signed(value) => VariableValue::integer(*value),
        Scalar::Unsigned(value) => match i128::try_from(*value) {
            Ok(value) => VariableValue::integer(value),
            Err(_) => VariableValue::Text(value.to_string()),
        },
        Scalar::Boolean(value) => VariableValue::Bool(*value),
        Scalar::Character { code, .. } => VariableValue::integer((*code).into()),
        Scalar::Address(at) => VariableValue::Text(format!("{at:#x}")),
        Scalar::Raw(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            VariableValue::Text(format!("0x{digits}"))
        }
        Scalar::Float(float) => match (float.format, float.finite()) {
            (_, Some(number)) => VariableValue::Float(number),
            // No number of JSON holds all their bits.
            (FloatFormat::Extended80, None) => VariableValue::Text(format!("{:#022x}", float.bits)),
            (FloatFormat::Binary128, None) => VariableValue::Text(format!("{:#034x}", float.bits)),
            (_, None) => {
                let text = float.text();
                let payload = text.find('(').unwrap_or(text.len());
                VariableValue::Text(text[..payload].to_owned())
            }
        },
    }
}

/// Fills in the text; whether it holds data that may not be shown.
fn text(value: &Value, shown: &mut Variable, way: &Way<'_>, redactor: &mut Redactor) -> bool {
    let Some(text) = &value.text else { return false };
    let is_character = matches!(value.state, State::Scalar(Scalar::Character { .. }));
    let origin = match text.origin {
        // One letter is no secret; whole rows of them are judged as such.
        TextOrigin::Data if is_character && redactor.level() != Level::Strict => Origin::SymbolName,
        TextOrigin::Data => Origin::VariableText,
        TextOrigin::Symbol | TextOrigin::Number => Origin::SymbolName,
    };
    let allowed = match origin {
        _ if way.is_allowed => redactor.show_allowed(&text.text),
        Origin::VariableText if redactor.level() != Level::Off => {
            let path = way.path();
            if text.text.contains("\\x") && (way.is_in_key || redactor.names_key(&path)) {
                let bytes = text.text.as_bytes();
                shown.text = Some(redactor.hide_object(Kind::Secret, Reason::Name, bytes));
                return true;
            }
            let named = named(&path, value, way);
            match text.left_out {
                Some(_) => redactor.show_value(origin, &named, &text.text),
                // It ends where memory ends, or its end is not known.
                None => redactor.show_part(origin, &named, &text.text),
            }
        }
        _ => redactor.show(origin, &text.text),
    };
    let is_hidden = text.origin == TextOrigin::Data && allowed.as_str() != text.text;
    if is_hidden && is_character {
        shown.value = None;
    }
    shown.text = Some(allowed);
    shown.text_prefix = value.text_prefix.to_owned();
    shown.text_cut = text.left_out != Some(0);
    shown.text_left_out = text.left_out.filter(|count| *count > 0);
    is_hidden
}

/// Whether numbers in a row spell a text that may not be shown: a `Vec<u8>` is as often a
/// buffer of text.
fn spells_secret(values: &[Value], redactor: &mut Redactor) -> bool {
    if values.len() < LEAST_TEXT {
        return false;
    }
    let Some(bytes) = judged::bytes(values) else { return false };
    // Binary data spells nothing.
    let Ok(spelled) = String::from_utf8(bytes) else { return false };
    let spelled = spelled.trim_end_matches('\0');
    if spelled.len() < LEAST_TEXT || spelled.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return false;
    }
    redactor.show(Origin::VariableText, spelled).as_str() != spelled
}

/// A name is a program's, or made by obit: `[3]`. The key of a map may be in its place.
fn name_of(name: &str, redactor: &mut Redactor) -> Shown {
    let is_plain = |c: char| c.is_alphanumeric() || "_[]$.:<>+-".contains(c);
    // `[4111111111111111]` is no index of an array.
    let is_index = !name.starts_with('[') || name.len() <= LONGEST_INDEX;
    let origin = match is_index && name.chars().all(is_plain) || are_indices(name) {
        true => Origin::SymbolName,
        false => Origin::VariableText,
    };
    redactor.show(origin, name)
}

/// Whether a name is the indices of an element of a multidimensional array: `[2,3]`, `[:,3]`.
fn are_indices(name: &str) -> bool {
    let indices = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_index = |index: &str| {
        let number = index.strip_prefix('-').unwrap_or(index);
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        index == ":" || is_number && index.len() + 2 <= LONGEST_INDEX
    };
    indices.is_some_and(|indices| indices.split(',').all(is_index))
}

/// A way into a variable, `ns[1]` or `(*m).rows[3]`: names of the program, unless a key of
/// a map is among them.
pub(super) fn path_of(path: &str, redactor: &mut Redactor) -> Shown {
    let is_plain = |c: char| c.is_alphanumeric() || "_[]$.:<>+-*()".contains(c);
    let indices = path.split('[').skip(1).map(|rest| rest.find(']').unwrap_or(rest.len()));
    let are_indices = indices.max().is_none_or(|longest| longest + 2 <= LONGEST_INDEX);
    let origin = match are_indices && path.chars().all(is_plain) {
        true => Origin::SymbolName,
        false => Origin::VariableText,
    };
    redactor.show(origin, path)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use obit_corefile::addr::Avma;
    use obit_corefile::memory::{Absent, ReadError};
    use obit_process::value::{Float, Text};

    fn shown_at(level: Level, value: &Value) -> Variable {
        variable(value, Whose::default(), &mut Redactor::new(level, "obit-0123"))
    }

    fn shown(value: &Value) -> Variable {
        shown_at(Level::Default, value)
    }

    fn scalar(scalar: Scalar) -> Value {
        Value { state: State::Scalar(scalar), ..Value::default() }
    }

    fn data(text: &str, left_out: Option<u64>) -> Option<Text> {
        Some(Text { text: text.to_owned(), origin: TextOrigin::Data, left_out })
    }

    fn characters(text: &str) -> Vec<Value> {
        let of = |c: char| Scalar::Character { code: i64::from(u32::from(c)), character: Some(c) };
        text.chars()
            .map(|c| Value { text: data(&c.to_string(), Some(0)), ..scalar(of(c)) })
            .collect()
    }

    fn json(of: Scalar) -> String {
        serde_json::to_string(&shown(&scalar(of)).value).unwrap()
    }

    #[test]
    fn indices_of_several_dimensions_are_no_data_unless_they_are_long() {
        for indices in ["[2,3]", "[:,3]", "[:,:,-1]", "[7]"] {
            assert!(are_indices(indices), "{indices}");
        }
        for key in ["[]", "[2,]", "[4111111111111111,1]", "[a,b]", "[2, 3]", "2,3"] {
            assert!(!are_indices(key), "{key}");
        }
    }

    #[test]
    fn numbers_that_json_readers_would_round_are_text() {
        assert_eq!(json(Scalar::Signed(-7)), "-7");
        assert_eq!(json(Scalar::Signed(1 << 53)), "9007199254740992");
        assert_eq!(json(Scalar::Signed((1 << 53) + 1)), "\"9007199254740993\"");
        let largest = "\"340282366920938463463374607431768211455\"";
        assert_eq!(json(Scalar::Unsigned(u128::MAX)), largest);
        assert_eq!(json(Scalar::Address(0x7ffd_0000_0010)), "\"0x7ffd00000010\"");
        assert_eq!(json(Scalar::Raw(vec![1, 0xff])), "\"0x01ff\"");
    }

    #[test]
    fn floats_are_the_shortest_decimal_or_all_their_bits() {
        let float = |format, bits| json(Scalar::Float(Float { format, bits }));
        assert_eq!(float(FloatFormat::Binary32, 0x3dcc_cccd), "0.1");
        assert_eq!(float(FloatFormat::Binary64, 0x8000_0000_0000_0000), "-0.0");
        assert_eq!(float(FloatFormat::Binary64, 0x7ff8_0000_0000_0000), "\"NaN\"");
        assert_eq!(float(FloatFormat::Binary32, 0xff80_0000), "\"-inf\"");
        let one = 0x3fff_8000_0000_0000_0000;
        assert_eq!(float(FloatFormat::Extended80, one), "\"0x3fff8000000000000000\"");
        let half = "\"0x3ffe0000000000000000000000000000\"";
        assert_eq!(float(FloatFormat::Binary128, 0x3ffe << 112), half);
        assert_eq!(float(FloatFormat::Decimal32, (100 << 23) | 12), "\"1.2\"");
    }

    #[test]
    fn what_cannot_be_known_says_why() {
        let absent = |why: Absence| {
            let shown = shown(&Value { state: State::Absent(why), ..Value::default() });
            (shown.status, shown.reason.unwrap().into_string())
        };
        let lost = absent(NoPlace::OptimizedOut.into());
        assert_eq!(lost, (VariableStatus::OptimizedOut, "optimized out".to_owned()));
        let unmapped = ReadError { at: Avma(0x10), reason: Absent::Unmapped };
        let (status, reason) = absent(unmapped.into());
        assert_eq!(status, VariableStatus::Unavailable);
        assert_eq!(reason, "memory at 0x10 is not mapped");
        assert_eq!(absent(Absence::ImplicitPointer).0, VariableStatus::ImplicitPointer);
        assert_eq!(absent(Absence::Incomplete).0, VariableStatus::Unavailable);
    }

    #[test]
    fn a_variable_of_which_a_part_is_lost_keeps_what_is_known() {
        let members = vec![scalar(Scalar::Signed(3))];
        let partly = Some(NoPlace::OptimizedOut.into());
        let shown = shown(&Value { members, partly, ..Value::default() });
        assert_eq!(shown.status, VariableStatus::OptimizedOut);
        assert_eq!(shown.reason.unwrap().as_str(), "partly: optimized out");
        assert_eq!(shown.members.len(), 1);
    }

    #[test]
    fn a_hidden_text_is_not_shown_letter_by_letter() {
        let secret = "alice@example.com";
        let members = characters(secret);
        let value =
            Value { members: members.clone(), text: data(secret, Some(0)), ..Value::default() };
        let hidden = shown(&value);
        assert!(hidden.text.unwrap().as_str().starts_with("<email:"));
        assert_eq!((hidden.members.len(), hidden.omitted), (0, secret.len() as u64));
        // Nor where nothing took it for a text.
        let hidden = shown(&Value { elements: members, ..Value::default() });
        assert_eq!((hidden.elements.len(), hidden.omitted), (0, secret.len() as u64));
        let bytes = secret.bytes().map(|byte| Value {
            type_name: Some(Arc::from("u8")),
            ..scalar(Scalar::Unsigned(byte.into()))
        });
        let hidden = shown(&Value { elements: bytes.collect(), ..Value::default() });
        assert_eq!(hidden.elements.len(), 0);
        assert_eq!(shown_at(Level::Off, &value).members.len(), secret.len());
    }

    #[test]
    fn the_strict_policy_shows_no_text_of_the_process() {
        let value =
            Value { text: data("abc", Some(0)), members: characters("abc"), ..Value::default() };
        let hidden = shown_at(Level::Strict, &value);
        assert_eq!(hidden.text.unwrap().as_str(), "<redacted:3>");
        assert!(hidden.members.is_empty());
        let letter = shown_at(Level::Strict, &characters("a")[0]);
        assert_eq!((letter.value, letter.text.unwrap().as_str()), (None, "<redacted:1>"));
        let text = Text { text: "main".into(), origin: TextOrigin::Symbol, left_out: Some(0) };
        let pointer = Value { text: Some(text), ..scalar(Scalar::Address(0x10)) };
        assert_eq!(shown_at(Level::Strict, &pointer).text.unwrap().as_str(), "main");
    }

    #[test]
    fn a_text_that_was_cut_says_so() {
        let cut = |left_out| {
            let shown = shown(&Value { text: data("abc", left_out), ..Value::default() });
            (shown.text_cut, shown.text_left_out)
        };
        assert_eq!(cut(Some(0)), (false, None));
        assert_eq!(cut(Some(9)), (true, Some(9)));
        assert_eq!(cut(None), (true, None));
    }
}
