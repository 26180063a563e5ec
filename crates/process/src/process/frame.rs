//! One frame as a person counts them: physical, inlined, of the kernel, or inferred.

use std::sync::Arc;

use crate::unwind::Trust;
use obit_corefile::addr::Avma;
use obit_dwarf::{Language, SourceLocation};

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrameKind {
    /// A function with a return address of its own.
    Normal,
    /// A call inlined into the next frame.
    Inline,
    /// The frame the kernel made to run a signal handler.
    Signal,
    /// A function that ended in a tail call to the one above: it is known from call-site
    /// entries, not from a return address.
    TailCall,
}

/// One frame. Frames at one place share their names and their line: threads that wait in one
/// place have the same stack.
#[derive(Clone, Debug)]
pub struct Frame {
    /// What it is.
    pub kind: FrameKind,
    /// How it is known.
    pub trust: Trust,
    /// Index of the physical frame in the thread's stack; of a tail call, that of the
    /// frame it led to.
    pub activation: usize,
    /// Where execution goes on; of an inline frame, that of its physical frame.
    pub pc: Avma,
    /// Name for people.
    pub function: Option<Arc<str>>,
    /// Raw symbol name.
    pub linkage_name: Option<Arc<str>>,
    /// The name came from a symbol table, not from DWARF.
    pub from_symbol: bool,
    /// The language of its unit, where there is one.
    pub language: Option<Language>,
    /// Index into [`crate::module::Modules`].
    pub module: Option<usize>,
    /// Source place.
    pub source: Option<Arc<SourceLocation>>,
    /// Functions that jumped instead of calling, between this physical frame and its
    /// caller, innermost first.
    pub tail_calls: Vec<Frame>,
}

impl Frame {
    /// A frame of which only the place is known yet.
    pub(super) fn unnamed(
        kind: FrameKind,
        trust: Trust,
        activation: usize,
        pc: Avma,
        module: Option<usize>,
    ) -> Self {
        Self {
            kind,
            trust,
            activation,
            pc,
            function: None,
            linkage_name: None,
            from_symbol: false,
            language: None,
            module,
            source: None,
            tail_calls: Vec::new(),
        }
    }
}
