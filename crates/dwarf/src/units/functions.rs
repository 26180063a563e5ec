//! The functions of a unit, and what lies inside one: inlined calls, blocks, call sites.

use std::sync::{Arc, OnceLock};

use gimli::UnitOffset;

use crate::model::language::Language;
use crate::units::range_map::RangeMap;

/// The functions of one unit that have code, by address.
pub(crate) struct Functions {
    pub(crate) map: RangeMap,
    pub(crate) all: Vec<Function>,
}

/// A concrete `DW_TAG_subprogram`.
pub(crate) struct Function {
    pub(crate) offset: UnitOffset,
    /// Where it is entered: the start of its first range.
    pub(crate) entry: u64,
    pub(crate) name: OnceLock<FunctionName>,
    pub(crate) body: OnceLock<Body>,
}

/// What lies inside one function.
#[derive(Default)]
pub(crate) struct Body {
    /// In the order of the entries: a parent comes before its children.
    pub(crate) blocks: Vec<Block>,
    /// The same blocks in the order in which they end.
    pub(crate) ended: Vec<u32>,
    /// From addresses to places in `ended`: of all blocks that claim an address, the one
    /// that ends first has it, so children go before their parents.
    pub(crate) map: RangeMap,
    pub(crate) inlines: Vec<Inline>,
    pub(crate) calls: Vec<CallSite>,
    /// The producer promises that every tail call has its call site entry.
    pub(crate) lists_tail_calls: bool,
}

/// A lexical block or an inlined call.
pub(crate) struct Block {
    pub(crate) offset: UnitOffset,
    pub(crate) parent: Option<u32>,
    pub(crate) inline: Option<u32>,
}

/// A block around an address.
pub(crate) struct BlockAt<'b> {
    pub(crate) offset: UnitOffset,
    /// What it is, if it is an inlined call.
    pub(crate) inline: Option<&'b Inline>,
}

/// A `DW_TAG_inlined_subroutine`.
pub(crate) struct Inline {
    pub(crate) offset: UnitOffset,
    /// Where it was called: `DW_AT_call_file`, `_line`, `_column`; 0 means not known.
    pub(crate) call_file: u64,
    pub(crate) call_line: u64,
    pub(crate) call_column: u64,
    pub(crate) name: OnceLock<FunctionName>,
}

/// A `DW_TAG_call_site` (DWARF 5 § 3.4) or its GNU forerunner.
#[derive(Debug)]
pub(crate) struct CallSite {
    pub(crate) offset: UnitOffset,
    /// `DW_AT_call_return_pc`: just past the call or the jump.
    pub(crate) return_pc: u64,
    /// `DW_AT_call_tail_call`.
    pub(crate) is_tail: bool,
    /// Which entry says what is called.
    pub(crate) target: StatedTarget,
    /// The address that was found for it.
    pub(crate) goes_to: OnceLock<Option<u64>>,
}

/// What a call site says about its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatedTarget {
    /// Nothing, or an expression that needs the registers at the call.
    Computed,
    /// The site's entry refers to the function by `DW_AT_call_origin`; the offset is the
    /// site's.
    Origin(UnitOffset),
}

impl Functions {
    /// The ranges of all functions.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (u64, u64)> {
        self.map.segments().iter().map(|(start, end, _)| (*start, *end))
    }
}

impl Body {
    /// The calls inlined at `at`, the innermost first, at most `limit`.
    pub(crate) fn inlined_at(&self, at: u64, limit: usize) -> Vec<&Inline> {
        self.blocks_at(at, limit).filter_map(|block| block.inline).collect()
    }

    /// The blocks around `at`, the innermost first, among them at most `limit` inlined
    /// calls.
    pub(crate) fn blocks_at(&self, at: u64, limit: usize) -> impl Iterator<Item = BlockAt<'_>> {
        let mut here = self.map.find(at).and_then(|place| nth(&self.ended, place)).copied();
        let mut left = limit;
        // A parent always comes before its children, so this ends.
        std::iter::from_fn(move || {
            let block = nth(&self.blocks, here?)?;
            here = block.parent;
            let inline = block.inline.and_then(|number| nth(&self.inlines, number));
            if inline.is_some() {
                left = left.checked_sub(1)?;
            }
            Some(BlockAt { offset: block.offset, inline })
        })
    }
}

pub(crate) fn nth<T>(all: &[T], number: u32) -> Option<&T> {
    all.get(usize::try_from(number).ok()?)
}

/// The names of one function.
#[derive(Clone, Debug, Default)]
pub(crate) struct FunctionName {
    /// For people.
    pub(crate) shown: Option<Arc<str>>,
    /// For linkers: `DW_AT_linkage_name`.
    pub(crate) linkage: Option<Arc<str>>,
    /// The language of the unit that defines it.
    pub(crate) language: Option<Language>,
}
