//! One unit: its header, what its root entry says, and what was read of it so far.

use std::sync::OnceLock;
use std::sync::atomic::AtomicU32;

use gimli::UnitOffset;

use crate::model::keys::List;
use crate::model::language::Language;
use crate::sections::sources::Slice;
use crate::units::functions::Functions;
use crate::units::line_rows::Lines;
use crate::units::range_attributes::RangeAttributes;
use crate::units::scope_index::ScopeIndex;

/// Attributes that are in the skeleton only (DWARF 5 § 3.1.3).
#[derive(Clone, Copy)]
pub(crate) struct Lent {
    pub(crate) low_pc: u64,
    pub(crate) addr_base: gimli::DebugAddrBase<usize>,
    pub(crate) ranges_base: gimli::DebugRngListsBase<usize>,
    pub(crate) language: Language,
}

/// One unit and what was found in it so far.
pub(crate) struct Unit<'d> {
    pub(crate) inner: gimli::Unit<Slice<'d>>,
    pub(crate) list: List,
    /// Its number there.
    pub(crate) index: u32,
    pub(crate) language: Language,
    /// The first index of arrays that state none (DWARF 5 table 7.17).
    pub(crate) first_index: i64,
    pub(crate) line_program: Option<gimli::DebugLineOffset<usize>>,
    /// The name of the `.dwo` file, if the unit is a skeleton.
    pub(crate) dwo_name: Option<Slice<'d>>,
    /// Of the root entry.
    pub(crate) tag: gimli::DwTag,
    /// The addresses the root entry claims.
    pub(crate) ranges: RangeAttributes<'d>,
    /// Some function or block may have `DW_AT_ranges`.
    pub(crate) has_scattered: bool,
    /// Some function may state its addresses.
    pub(crate) has_code: bool,
    pub(crate) shallow: OnceLock<Functions>,
    pub(crate) deep: OnceLock<Functions>,
    pub(crate) lines: OnceLock<Lines>,
    pub(crate) scopes: OnceLock<ScopeIndex>,
    /// How often the scopes around an entry were asked for.
    pub(crate) scopes_asked: AtomicU32,
}

/// An entry: its unit and its offset there.
#[derive(Clone, Copy)]
pub(crate) struct Die<'x, 'd> {
    pub(crate) unit: &'x Unit<'d>,
    pub(crate) offset: UnitOffset,
}
