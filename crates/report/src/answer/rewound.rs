//! What a thread executed last: `obit rewind`.

use serde::{Deserialize, Serialize};

use super::is_zero;
use crate::Hex;
use obit_redact::Shown;

/// The instructions before the end of the crashed thread, by source lines.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RewindReport {
    /// `obit.rewind/1`.
    pub schema: String,
    /// The crash's name.
    pub id: String,
    /// How much is hidden: `default`, `strict` or `off`.
    pub policy: String,
    /// The kernel's number of the thread.
    pub tid: i64,
    /// The frame before whose call the instructions were executed; 0 where it is the end of the
    /// thread. Before a call nothing is more than likely.
    #[serde(skip_serializing_if = "is_zero")]
    pub frame: u64,
    /// Instructions that were executed one after the other until the end, as far as they are known.
    pub instructions: u64,
    /// Of these, the last ones that are certain; the others are likely.
    pub proved: u64,
    /// Why no more are known: `enough`, `several-ways`, `no-way`, `jump-from-outside`,
    /// `call-not-followed`, `caller-unknown`, `system-call`, `work-done`; `machine`,
    /// `handler-ran`, `no-frame`, `function` where none is.
    pub end: String,
    /// The same in words.
    pub end_text: Shown,
    /// The lines, the last one first.
    pub blocks: Vec<RewindBlock>,
    /// Lines that are left out after these.
    #[serde(skip_serializing_if = "is_zero")]
    pub omitted: u64,
}

/// Lines that were executed one after the other, so many times.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RewindBlock {
    /// How many times.
    pub rounds: u64,
    /// The lines as they were executed the last time, the last one first.
    pub lines: Vec<RewindLine>,
}

/// Instructions of one line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RewindLine {
    /// The function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<Shown>,
    /// The source file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<Shown>,
    /// The line in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What the line says, where the file was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Shown>,
    /// The first instruction of the line that was executed.
    pub address: Hex,
    /// How many instructions of it were executed.
    pub instructions: u64,
    /// How many instructions before the end the last of them was executed, from 1.
    pub steps: u64,
    /// `proved` or `likely`: whether these are the instructions that were executed.
    pub confidence: String,
    /// Conditional jumps, the last one first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<RewindBranch>,
    /// Numbers and pointers of the function whose values are known after the line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<RewindVariable>,
}

/// A conditional jump.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RewindBranch {
    /// Where it lies.
    pub address: Hex,
    /// Its mnemonic: `jne`.
    pub jump: String,
    /// Whether it jumped.
    pub taken: bool,
}

/// A variable whose value is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RewindVariable {
    /// Its name.
    pub name: Shown,
    /// Its value after the line.
    pub value: Shown,
    /// Its value before the line, where that is known and another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Shown>,
    /// `proved` or `likely`.
    pub confidence: String,
}
