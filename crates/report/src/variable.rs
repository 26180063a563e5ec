//! Variables and their members.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

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
    /// function a pointer points to. Bytes that are no UTF-8 stand as `\xff`.
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
