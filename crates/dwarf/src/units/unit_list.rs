//! The units of one section, each opened when it is first asked for.

use std::sync::OnceLock;

use gimli::{DebugInfoOffset, DebugTypes, Reader, Section, UnitHeader};

use crate::model::keys::List;
use crate::sections::sources::{Dwarf, Slice};
use crate::units::unit::Unit;

/// Where the units of a section start, and those that were opened. The headers are read with
/// the units: there are thousands of them.
#[derive(Default)]
pub(crate) struct UnitList<'d> {
    starts: Vec<usize>,
    units: Vec<OnceLock<Option<Box<Unit<'d>>>>>,
}

/// Bytes of the shortest header after the length: version, abbreviations, size of an address
/// (DWARF 4 § 7.5.1.1).
const SHORTEST: usize = 7;

impl<'d> UnitList<'d> {
    /// Finds the units by the lengths that their headers state. What comes after one that
    /// cannot be is given with the error.
    pub(crate) fn read(list: List, dwarf: &Dwarf<'d>) -> (Self, Option<gimli::Error>) {
        let section = section_of(list, dwarf);
        let mut rest = section;
        let mut starts = Vec::new();
        let mut read = || {
            while !rest.is_empty() {
                let start = section.len().saturating_sub(rest.len());
                let (length, _) = rest.read_initial_length()?;
                if length < SHORTEST {
                    return Err(gimli::Error::UnexpectedEof(rest.offset_id()));
                }
                rest.skip(length)?;
                starts.push(start);
            }
            Ok(())
        };
        let error = read().err();
        let units = starts.iter().map(|_| OnceLock::new()).collect();
        (Self { starts, units }, error)
    }

    /// The number of units.
    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Offset of the header of unit number `index` in the section.
    pub(crate) fn start(&self, index: usize) -> Option<usize> {
        self.starts.get(index).copied()
    }

    /// The number of the unit whose header is at `offset` of the section.
    pub(crate) fn starting_at(&self, offset: usize) -> Option<usize> {
        self.starts.binary_search(&offset).ok()
    }

    /// The number of the unit that holds the byte at `offset` of the section.
    pub(crate) fn index_at(&self, offset: usize) -> Option<usize> {
        self.starts.partition_point(|start| *start <= offset).checked_sub(1)
    }

    /// Where unit number `index` is kept.
    pub(crate) fn cell(&self, index: usize) -> Option<&OnceLock<Option<Box<Unit<'d>>>>> {
        self.units.get(index)
    }

    /// The header of unit number `index`.
    pub(crate) fn header(
        &self,
        list: List,
        index: usize,
        dwarf: &Dwarf<'d>,
    ) -> gimli::Result<UnitHeader<Slice<'d>>> {
        let start = self.start(index).ok_or(gimli::Error::MissingUnitDie)?;
        match list {
            List::Info | List::Supplement => {
                dwarf.debug_info.header_from_offset(DebugInfoOffset(start))
            }
            List::Types => {
                let mut here = section_of(list, dwarf);
                here.skip(start)?;
                let header = DebugTypes::from(here).units().next()?;
                header.ok_or(gimli::Error::MissingUnitDie)
            }
        }
    }
}

fn section_of<'d>(list: List, dwarf: &Dwarf<'d>) -> Slice<'d> {
    match list {
        List::Info | List::Supplement => *dwarf.debug_info.reader(),
        List::Types => *dwarf.debug_types.reader(),
    }
}
