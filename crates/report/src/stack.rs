//! Threads and their frames.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Hex, Variable};
use obit_ownership::Owner;
use obit_redact::Shown;

/// One thread.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ThreadReport {
    /// The kernel's id of it.
    pub tid: i64,
    /// What the program called it, where the core holds that.
    pub name: Option<Shown>,
    /// Whether it brought the process down.
    pub crashed: bool,
    /// What the kernel was doing with it: `running`, `sleeping`, `disk-sleep`, `stopped`,
    /// `zombie`, `dead`. Cores have it for the main thread only.
    pub state: Option<String>,
    /// The signal it was handling, where there was one.
    pub signal: Option<String>,
    /// Registers at the moment of death, by name. Of the crashed thread only, unless all
    /// were asked for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub registers: BTreeMap<String, Hex>,
    /// Floating-point and vector registers at the moment of death, by name: numbers in
    /// hexadecimal with all their digits, as wide as the core knows them. Only where the
    /// registers of all threads were asked for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub vector_registers: BTreeMap<String, String>,
    /// What of a deep stack is left out of `frames`.
    pub truncated: Option<Truncated>,
    /// Innermost first.
    pub frames: Vec<FrameReport>,
}

/// What of a deep stack is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Truncated {
    /// Physical frames of the whole stack.
    pub frames_total: u64,
    /// Physical frames in `frames`.
    pub shown: u64,
    /// Entries of `frames` before the gap; the rest are the outermost.
    pub gap_after: u64,
    /// How the stack repeats, in words.
    pub recursion: Option<Shown>,
}

/// One frame.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct FrameReport {
    /// Its number, counted from the innermost; inline frames count.
    pub index: u64,
    /// Where execution goes on. Of an inline frame, that of its physical frame.
    pub pc: Hex,
    /// What it is.
    pub kind: FrameKind,
    /// How it is known.
    pub trust: FrameTrust,
    /// The function's name for people.
    pub function: Option<Shown>,
    /// The symbol's raw name.
    pub linkage_name: Option<Shown>,
    /// Whose code it is. Absent where neither its function nor its module is known, and in
    /// reports of versions that did not state it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// The image the code is in.
    pub module: Option<ModulePlace>,
    /// The line.
    pub source: Option<SourcePlace>,
    /// The arguments.
    pub args: Vec<Variable>,
    /// The local variables.
    pub locals: Vec<Variable>,
    /// The instructions around the pc, where there is no source to show.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disassembly: Vec<InstructionReport>,
    /// Bytes of stack that it takes: from the end of the frame it called to its own. Of
    /// physical frames of the crashed thread, where both are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_bytes: Option<u64>,
    /// Functions that lay between this frame and its caller and jumped instead of
    /// calling, innermost first. Inferred from call-site entries.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tail_calls: Vec<FrameReport>,
}

/// What a frame is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FrameKind {
    /// A function with a return address of its own.
    #[default]
    Normal,
    /// A call inlined into the next frame.
    Inline,
    /// The frame the kernel made to run a signal handler.
    Signal,
    /// A function that jumped to the one above.
    #[serde(rename = "tailcall")]
    TailCall,
}

/// How a frame is known, best first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FrameTrust {
    /// The thread's own registers.
    Context,
    /// Call frame information.
    #[default]
    Cfi,
    /// What the function's code did to its stack since it began.
    Code,
    /// The chain of frame pointers.
    FramePointer,
    /// A word on the stack that looks like a return address.
    Scan,
    /// From call-site entries alone.
    Inferred,
}

impl FrameTrust {
    /// As documents have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Context => "context",
            Self::Cfi => "cfi",
            Self::Code => "code",
            Self::FramePointer => "frame-pointer",
            Self::Scan => "scan",
            Self::Inferred => "inferred",
        }
    }
}

/// A place in a loaded image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ModulePlace {
    /// As the process knew it.
    pub path: Shown,
    /// The image's build ID.
    pub build_id: Option<String>,
    /// The pc as the file states it: less the load bias.
    pub offset: Hex,
}

/// A place in a source file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SourcePlace {
    /// The file as the compiler wrote it.
    pub file: Shown,
    /// The directory it was compiled in.
    pub directory: Option<Shown>,
    /// Line from 1.
    pub line: Option<u32>,
    /// Column from 1.
    pub column: Option<u32>,
    /// The lines around it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<SourceLine>,
    /// The file that they were read from, where it is another than `file`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<Shown>,
    /// Why they may not be the lines that were compiled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Shown>,
}

/// One line of source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SourceLine {
    /// Its number.
    pub line: u32,
    /// Its text.
    pub text: Shown,
    /// What the names in it stood for.
    pub values: Vec<SourceValue>,
}

/// One instruction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct InstructionReport {
    /// Its address.
    pub address: Hex,
    /// The place as gdb writes it: `main+12`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Shown>,
    /// The instruction.
    pub text: Shown,
    /// Execution stopped here.
    #[serde(skip_serializing_if = "is_false")]
    pub current: bool,
    /// What its registers held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Shown>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the signature serde asks for
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// What a name in a line of source stood for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SourceValue {
    /// The name.
    pub name: Shown,
    /// The value in words.
    pub text: Shown,
}
