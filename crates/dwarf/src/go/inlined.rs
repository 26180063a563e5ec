//! Calls that were inlined into a Go function: its inline tree (`FUNCDATA_InlTree`).

use super::functions::{GoFunction, GoFunctions, text};
use super::header::{Format, u32_at};

/// `PCDATA_InlTreeIndex` and `FUNCDATA_InlTree`, since Go 1.12.
const INDEX: usize = 2;
const TREE: usize = 3;

/// One entry of an inline tree.
pub(super) struct InlinedCall {
    /// What was called.
    pub(super) name: String,
    /// Where the call is.
    pub(super) called: Called,
}

/// Where an inlined call is.
pub(super) enum Called {
    /// At this address, which may be of an inlined call itself: from Go 1.20 on.
    At(u64),
    /// In this file and line, in the call with this index.
    Line(Option<(String, u32)>, Option<usize>),
}

impl GoFunctions {
    /// The index in the inline tree of what runs at `at`; `None` where that is the function
    /// itself.
    pub(super) fn inlined_at(&self, function: GoFunction, at: u64) -> Option<usize> {
        usize::try_from(self.data_value(function, INDEX, at)?).ok()
    }

    /// The entry of the inline tree of `function` with this index.
    pub(super) fn inlined_call(&self, function: GoFunction, index: usize) -> Option<InlinedCall> {
        let is_new = self.header.format == Format::Go120;
        // u8 funcID, int32 name, int32 parentPc, int32 startLine; before: int16 parent,
        // u8 funcID, int32 file, int32 line, int32 name, int32 parentPc.
        let (size, name_at) = if is_new { (16, 4) } else { (20, 12) };
        let offset = u64::try_from(index.checked_mul(size)?).ok()?;
        let start = self.data(function, TREE)?.checked_add(offset)?;
        let (encoding, entry) = self.bytes_at(start)?;
        let name = self.string(self.header.names, u32_at(encoding, entry, name_at)?)?;
        let name = Some(text(name)).filter(|name| !name.is_empty())?;
        let called = if is_new {
            let at = function.entry.checked_add(u64::from(encoding.u32(entry, 8)?))?;
            Called::At(Some(at).filter(|at| *at < function.end)?)
        } else {
            let parent = u16::try_from(encoding.unsigned(entry, 0, 2)?).ok()?.cast_signed();
            let file = self.file(function, u32_at(encoding, entry, 4)?);
            Called::Line(file.zip(encoding.u32(entry, 8)), usize::try_from(parent).ok())
        };
        Some(InlinedCall { name, called })
    }
}
