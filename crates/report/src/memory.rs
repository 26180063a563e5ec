//! What was mapped where.

use serde::{Deserialize, Serialize};

use super::Hex;
use obit_redact::Shown;

/// The address space when the process crashed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct MemoryReport {
    /// Mapped ranges by address. Neighbours of one kind, one file and the same rights are
    /// one range.
    pub ranges: Vec<RangeReport>,
    /// Ranges left out: of very many the smallest.
    pub omitted: u64,
    /// How much of their stacks the threads use, in the order of the threads.
    pub stacks: Vec<StackReport>,
}

/// One mapped range.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RangeReport {
    /// Address of its first byte.
    pub start: Hex,
    /// Bytes from there to its end.
    pub size: u64,
    /// What it holds.
    pub kind: RangeKind,
    /// Rights as in `/proc/PID/maps`: `r-x`.
    pub permissions: String,
    /// The image or file, if it is of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Shown>,
    /// Whose stack it is, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<i64>,
    /// Bytes of it that the core holds.
    pub in_core: u64,
}

/// What a mapped range holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RangeKind {
    /// A part of a loaded image.
    Image,
    /// A part of another file.
    File,
    /// The break, where `malloc` begins: by its place behind the program.
    Heap,
    /// The stack pointer of a thread points into it.
    Stack,
    /// The kernel's code in the process.
    Vdso,
    /// No access at all: room held back, or a guard below a stack.
    Guard,
    /// Memory of no file.
    #[default]
    Anonymous,
}

/// The use of one thread's stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct StackReport {
    /// Whose it is.
    pub thread: i64,
    /// The first byte of the mapping that holds the stack pointer.
    pub start: Hex,
    /// Its bytes.
    pub size: u64,
    /// Bytes from the stack pointer to the mapping's end.
    pub used: u64,
}
