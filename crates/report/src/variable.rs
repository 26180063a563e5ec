//! Variables and their members.

use std::fmt;
use std::ops::RangeInclusive;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize};

use super::Hex;
use obit_redact::Shown;

/// One variable or member.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Variable {
    /// Its name; `[3]` for an element.
    pub name: Shown,
    /// Its type's name.
    #[serde(rename = "type")]
    pub type_name: Option<Shown>,
    /// Whether it has a value.
    pub status: VariableStatus,
    /// Why it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Shown>,
    /// A scalar's value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<VariableValue>,
    /// The value as a person would write it: an enumerator, a character, a string, the
    /// function a pointer points to. Bytes that are not UTF-8 are written as `\xff`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Shown>,
    /// The value in the format that was asked for (`obit print CORE '/x flags'`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formatted: Option<Shown>,
    /// What a literal of its type begins with: `L`, `u`, `U` or `u8`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text_prefix: String,
    /// Whether the string goes on after `text`.
    #[serde(skip_serializing_if = "is_false")]
    pub text_cut: bool,
    /// By how many characters, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_left_out: Option<u64>,
    /// The plain structure that debug information states.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Variable>,
    /// What a container or smart pointer is, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Shown>,
    /// A container's content.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub elements: Vec<Variable>,
    /// What a pointer points at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointee: Option<Box<Variable>>,
    /// Members or elements left out.
    #[serde(skip_serializing_if = "is_zero")]
    pub omitted: u64,
    /// Where it lies, if in memory. Of whole variables alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Hex>,
}

/// Whether a variable has a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum VariableStatus {
    /// It has.
    #[default]
    Ok,
    /// The compiler kept it nowhere at this pc.
    OptimizedOut,
    /// It is where the core holds nothing.
    Unavailable,
    /// A pointer that was optimised away; what it points at is known.
    ImplicitPointer,
}

/// A scalar.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum VariableValue {
    /// A truth value.
    Bool(bool),
    /// An integer that every JSON reader keeps exact.
    Integer(i64),
    /// A finite floating-point number.
    Float(f64),
    /// A pointer (`0x…`), an integer beyond ±2^53, NaN or an infinity.
    Text(String),
}

/// By the kind of JSON value. What serde derives tries one variant after the other, and the
/// errors of those that do not fit took a fifth of the time of reading a report.
impl<'de> Deserialize<'de> for VariableValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl Visitor<'_> for ScalarVisitor {
    type Value = VariableValue;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a truth value, a number or a text")
    }

    fn visit_bool<E>(self, value: bool) -> Result<VariableValue, E> {
        Ok(VariableValue::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<VariableValue, E> {
        Ok(VariableValue::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<VariableValue, E> {
        let exact = i64::try_from(value).map(VariableValue::Integer);
        Ok(exact.unwrap_or(VariableValue::Float(value as f64)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<VariableValue, E> {
        Ok(VariableValue::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<VariableValue, E> {
        Ok(VariableValue::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<VariableValue, E> {
        Ok(VariableValue::Text(value))
    }
}

/// Integers that a double holds exactly.
const EXACT: RangeInclusive<i128> = -(1 << 53)..=1 << 53;

impl VariableValue {
    /// An integer: a number where every reader keeps it exact, else decimal text.
    pub fn integer(value: i128) -> Self {
        match i64::try_from(value) {
            Ok(exact) if EXACT.contains(&value) => Self::Integer(exact),
            _ => Self::Text(value.to_string()),
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the signature serde asks for
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the signature serde asks for
fn is_false(flag: &bool) -> bool {
    !*flag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scalar_is_read_by_the_kind_of_its_json_and_nothing_else_is_one() {
        let read = |json: &str| serde_json::from_str::<VariableValue>(json).ok();
        assert_eq!(read("true"), Some(VariableValue::Bool(true)));
        assert_eq!(read("-7"), Some(VariableValue::Integer(-7)));
        assert_eq!(
            read("9223372036854775808"),
            Some(VariableValue::Float(9_223_372_036_854_775_808.0))
        );
        assert_eq!(read("1.5"), Some(VariableValue::Float(1.5)));
        assert_eq!(read("\"0x10\""), Some(VariableValue::Text("0x10".to_owned())));
        assert_eq!(read("\"a\\nb\""), Some(VariableValue::Text("a\nb".to_owned())));
        assert_eq!((read("null"), read("[1]"), read("{}")), (None, None, None));
    }
}
