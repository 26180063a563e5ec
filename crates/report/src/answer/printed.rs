//! What `obit print` answers: a value, memory, a type.

use serde::{Deserialize, Serialize};

use super::{is_false, is_zero};
use crate::{Hex, Variable};
use obit_redact::Shown;

/// One answer, and the frame it was found in.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Printed {
    /// Id of the thread.
    pub thread: i64,
    /// Number of the frame.
    pub frame: u64,
    /// The answer.
    #[serde(flatten)]
    pub answer: Answer,
}

/// An answer.
#[allow(clippy::large_enum_variant)] // one at a time, and nearly all are values
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Answer {
    /// The value of an expression, or a variable.
    Value(Variable),
    /// Memory.
    Memory(MemoryDump),
    /// The definition or the name of a type.
    Type(TypeText),
}

/// Memory, in rows: what `x/NFU ADDRESS` asks for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct MemoryDump {
    /// What was asked for.
    pub expression: Shown,
    /// Rows by address.
    pub rows: Vec<MemoryRow>,
    /// Units, strings or instructions that were asked for and are not shown.
    #[serde(skip_serializing_if = "is_zero")]
    pub omitted: u64,
}

/// A row of memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct MemoryRow {
    /// Of its first byte.
    pub address: Hex,
    /// The function or variable there, with the distance from its start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol: Option<Shown>,
    /// Whether execution stopped at this instruction.
    #[serde(skip_serializing_if = "is_false")]
    pub current: bool,
    /// Units as they were asked for: `0x7f`, `104 'h'`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Shown>,
    /// A string.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Shown>,
    /// Whether the string goes on after `text`.
    #[serde(skip_serializing_if = "is_false")]
    pub text_cut: bool,
    /// A machine instruction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instruction: Option<Shown>,
    /// Why what follows could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<Shown>,
}

/// A type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TypeText {
    /// What was asked for.
    pub expression: Shown,
    /// The lines of its definition, or its name.
    pub declaration: Vec<Shown>,
}
