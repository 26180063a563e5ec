//! What a report is to hold, where the user has a choice.

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
    /// Whose variables are written.
    pub locals: WhoseLocals,
    /// Levels of members that are written; `None` for the default.
    pub max_depth: Option<usize>,
    /// Elements of an array or a container that are written; `None` for the default.
    pub max_elements: Option<usize>,
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
