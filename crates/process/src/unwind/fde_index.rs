//! An index of FDEs by address, for sections without a search table.

use std::collections::HashMap;

use gimli::{
    BaseAddresses, CieOrFde, CommonInformationEntry, FrameDescriptionEntry, UnwindSection,
};

use super::row::Slice;
use obit_corefile::addr::Svma;

/// Entries of one section that are indexed.
const MOST_ENTRIES: usize = 8 << 20;
/// CIEs that are remembered at a time while a section is read; FDEs follow theirs.
const CIES_KEPT: usize = 1 << 18;
/// FDEs whose CIE is read once more because it was not met before them.
const CIES_READ_AGAIN: usize = 4096;

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
        // Each CIE is read once: one of a megabyte may serve each of a million FDEs.
        let mut cies = HashMap::new();
        let mut read_again = 0_usize;
        let mut iterator = section.entries(bases);
        let mut steps = 0_usize;
        while let Ok(Some(entry)) = iterator.next() {
            steps = steps.saturating_add(1);
            if steps > MOST_ENTRIES {
                break;
            }
            let partial = match entry {
                CieOrFde::Fde(partial) => partial,
                CieOrFde::Cie(cie) => {
                    if cies.len() >= CIES_KEPT {
                        cies.clear();
                    }
                    cies.insert(cie.offset(), cie);
                    continue;
                }
            };
            let fde = partial.parse(|section, bases, offset| {
                let at: usize = gimli::UnwindOffset::into(offset);
                if let Some(cie) = cies.get(&at) {
                    return Ok(CommonInformationEntry::clone(cie));
                }
                read_again = read_again.saturating_add(1);
                if read_again > CIES_READ_AGAIN {
                    return Err(gimli::Error::NotCiePointer(at as u64));
                }
                section.cie_from_offset(bases, offset)
            });
            let Ok(fde) = fde else { continue };
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
