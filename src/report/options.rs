//! What a report is to hold, where the user has a choice.

pub use crate::disassembly::Flavor;
use crate::redact::Level;

/// Choices of the user that change the document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BuildOptions {
    /// How much is hidden.
    pub redaction: Level,
    /// Where inferred tail calls stand.
    pub tail_calls: TailCalls,
    /// Whose registers are written.
    pub registers: WhichRegisters,
    /// What is said of the places of the crashed stack.
    pub context: Context,
    /// How x86 instructions are written.
    pub flavor: Flavor,
    /// Whose variables are written.
    pub locals: WhoseLocals,
    /// Levels of members that are written; `None` for the default.
    pub max_depth: Option<usize>,
    /// Elements of an array or a container that are written; `None` for the default.
    pub max_elements: Option<usize>,
}

/// How much source, or code where there is none, is shown around a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// None at all: no source file is looked for.
    Nothing,
    /// So many lines before and after it.
    Lines(u32),
}

impl Default for Context {
    fn default() -> Self {
        Self::Lines(2)
    }
}

/// Where inferred tail calls stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TailCalls {
    /// Under the frame they lie beyond, so that `frames` holds what the stack shows.
    #[default]
    Nested,
    /// Among the frames and counted, as gdb does.
    Frames,
}

/// Whose variables are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhoseLocals {
    /// Nobody's.
    None,
    /// The crashed thread's.
    #[default]
    Crashed,
    /// Every thread's.
    All,
}

/// Whose registers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhichRegisters {
    /// The crashed thread's.
    #[default]
    Crashed,
    /// Every thread's.
    All,
}
