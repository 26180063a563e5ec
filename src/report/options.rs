//! What a report is to hold, where the user has a choice.

use std::sync::Arc;

pub use obit_disassembly::Flavor;
use obit_process::process::Process;
use obit_redact::{Level, Redactor, Rules};

/// Choices of the user that change the document.
#[derive(Clone, Debug, Default)]
pub struct BuildOptions {
    /// How much is hidden.
    pub redaction: Level,
    /// What else is hidden or shown, by the user's rules.
    pub rules: Rules,
    /// The key of the tokens: equal values have equal tokens in all reports of one key;
    /// `None` for a random one that is kept nowhere.
    pub key: Option<Arc<[u8]>>,
    /// Where inferred tail calls are listed.
    pub tail_calls: TailCalls,
    /// Whose registers are written.
    pub registers: WhichRegisters,
    /// What is shown of the places of the crashed stack.
    pub context: Context,
    /// Whether the code around the place of the crash is shown where its source is, too.
    pub always_code: bool,
    /// Whether the report lists what was mapped where.
    pub memory: bool,
    /// How x86 instructions are written.
    pub flavor: Flavor,
    /// Whose variables are written.
    pub locals: WhoseLocals,
    /// Innermost frames whose variables are written; `None` for all.
    pub variable_frames: Option<usize>,
    /// Whose frames are written.
    pub stacks: WhichStacks,
    /// Levels of members that are written; `None` for the default.
    pub max_depth: Option<usize>,
    /// Elements of an array or a container that are written; `None` for the default.
    pub max_elements: Option<usize>,
}

impl BuildOptions {
    /// The redactor of a report on `process`.
    pub(crate) fn redactor(&self, process: &Process) -> Redactor {
        let regions = process.memory.regions().iter();
        let mapped =
            regions.map(|region| (region.range.start.0, region.range.end.0.saturating_sub(1)));
        self.redactor_of_texts().with_mapped(mapped)
    }

    /// The same where the mappings are not known.
    pub(crate) fn redactor_of_texts(&self) -> Redactor {
        let redactor = match &self.key {
            Some(key) => Redactor::with_key(self.redaction, key),
            None => Redactor::with_random_key(self.redaction),
        };
        redactor.with_rules(self.rules.clone())
    }
}

/// How much source, or code where there is none, is shown around a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// None at all. The cause is the same: the analysis reads the line it needs.
    Nothing,
    /// So many lines before and after it.
    Lines(u32),
}

impl Default for Context {
    fn default() -> Self {
        Self::Lines(2)
    }
}

/// Where inferred tail calls are listed.
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
    /// No one's.
    None,
    /// The crashed thread's.
    #[default]
    Crashed,
    /// Every thread's.
    All,
}

/// Whose frames are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhichStacks {
    /// Every thread's.
    #[default]
    All,
    /// The crashed thread's, and that of the thread to blame.
    ToBlame,
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
