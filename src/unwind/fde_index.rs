//! An index of FDEs by address, for sections without a search table.

use gimli::{BaseAddresses, CieOrFde, FrameDescriptionEntry, UnwindSection};

use super::row::Slice;
use crate::addr::Svma;

/// Entries of one section that are indexed.
const MOST_ENTRIES: usize = 8 << 20;

/// Sorted by start: start, end, and offset of the FDE in its section.
pub(super) struct FdeIndex {
    entries: Vec<(u64, u64, usize)>,
}

impl FdeIndex {
    /// Reads all entries once. An entry that cannot be read ends the walk: its length
    /// is not to be trusted.
    pub(super) fn build<'m, S>(section: &S, bases: &BaseAddresses) -> Self
    where
        S: UnwindSection<Slice<'m>>,
        S::Offset: gimli::UnwindOffset<usize>,
    {
        let mut entries = Vec::new();
        let mut iterator = section.entries(bases);
        let mut steps = 0_usize;
        while let Ok(Some(entry)) = iterator.next() {
            steps = steps.saturating_add(1);
            if steps > MOST_ENTRIES {
                break;
            }
            let CieOrFde::Fde(partial) = entry else { continue };
            let Ok(fde) = partial.parse(S::cie_from_offset) else {
                continue;
            };
            if fde.initial_address() < fde.end_address() {
                entries.push((fde.initial_address(), fde.end_address(), fde.offset()));
            }
        }
        entries.sort_unstable();
        Self { entries }
    }

    /// The FDE that covers `at`.
    pub(super) fn entry<'m, S>(
        &self,
        section: &S,
        bases: &BaseAddresses,
        at: Svma,
    ) -> Option<FrameDescriptionEntry<Slice<'m>>>
    where
        S: UnwindSection<Slice<'m>>,
        S::Offset: gimli::UnwindOffset<usize>,
    {
        let after = self.entries.partition_point(|(start, _, _)| *start <= at.0);
        let (_, end, offset) = self.entries.get(after.checked_sub(1)?)?;
        if at.0 >= *end {
            return None;
        }
        let cie =
            |section: &S, bases: &BaseAddresses, offset| section.cie_from_offset(bases, offset);
        section.fde_from_offset(bases, S::Offset::from(*offset), cie).ok()
    }
}
