//! Puts regions together, then freezes them.

use std::sync::Arc;

use super::{AddressSpace, CoreBytes, Region};
use crate::addr::{Avma, AvmaRange};

/// Collects regions. What the core says of an address counts; files only fill the gaps.
#[derive(Debug)]
pub struct Builder {
    core: Arc<CoreBytes>,
    regions: Vec<Region>,
    gap_fillers: Vec<Region>,
    little_endian: bool,
    word: usize,
}

impl Builder {
    /// `word` is the size of an address in bytes, 4 or 8.
    pub fn new(core: Arc<CoreBytes>, little_endian: bool, word: usize) -> Self {
        Self {
            core,
            regions: Vec::new(),
            gap_fillers: Vec::new(),
            little_endian,
            word: word.clamp(1, 8),
        }
    }

    /// Adds one region; an empty one is ignored.
    pub fn add(&mut self, region: Region) {
        if !region.range.is_empty() {
            self.regions.push(region);
        }
    }

    /// Adds a region for those of its addresses that no region holds.
    pub fn fill(&mut self, region: Region) {
        if !region.range.is_empty() {
            self.gap_fillers.push(region);
        }
    }

    /// Sorts, cuts overlaps, and freezes.
    pub fn freeze(self) -> AddressSpace {
        let regions = disjoint(self.regions);
        let mut parts = Vec::new();
        for filler in disjoint(self.gap_fillers) {
            gaps(filler, &regions, &mut parts);
        }
        let mut all = regions;
        all.append(&mut parts);
        all.sort_by_key(|region| region.range.start);
        AddressSpace {
            core: self.core,
            mappings: mappings(&all),
            regions: all,
            little_endian: self.little_endian,
            word: self.word,
            log: None,
        }
    }
}

/// `regions`, sorted and disjoint, those put together that only absent pages cut apart.
fn mappings(regions: &[Region]) -> Vec<AvmaRange> {
    let mut mappings: Vec<AvmaRange> = Vec::with_capacity(regions.len());
    let mut below: Option<&Region> = None;
    for region in regions {
        let goes_on = below.is_some_and(|below| {
            below.range.end == region.range.start
                && below.backing.core_len < below.range.len()
                && below.permissions == region.permissions
                && below.name.is_none()
                && region.name.is_none()
        });
        match mappings.last_mut().filter(|_| goes_on) {
            Some(mapping) => mapping.end = region.range.end,
            None => mappings.push(region.range),
        }
        below = Some(region);
    }
    mappings
}

/// Sorted by start; of two that overlap, the one that starts later loses its head.
fn disjoint(mut regions: Vec<Region>) -> Vec<Region> {
    // Stable: of two regions with one start, the first added stays first.
    regions.sort_by_key(|region| region.range.start);
    let mut kept: Vec<Region> = Vec::with_capacity(regions.len());
    for region in regions {
        let taken = kept.last().map_or(region.range.start, |last| last.range.end);
        kept.extend(without_head(region, taken));
    }
    kept
}

/// The parts of `filler` that lie between `regions`, which are sorted and disjoint.
fn gaps(filler: Region, regions: &[Region], parts: &mut Vec<Region>) {
    let mut rest = Some(filler);
    let start = rest.as_ref().map_or(Avma(0), |rest| rest.range.start);
    let first = regions.partition_point(|region| region.range.end <= start);
    for region in regions.iter().skip(first) {
        let Some(filler) = rest else { return };
        if region.range.start >= filler.range.end {
            parts.push(filler);
            return;
        }
        if filler.range.start < region.range.start {
            let mut before = filler.clone();
            before.range.end = region.range.start;
            parts.push(before);
        }
        rest = without_head(filler, region.range.end);
    }
    parts.extend(rest);
}

/// `region` without the addresses below `taken`.
fn without_head(mut region: Region, taken: Avma) -> Option<Region> {
    let cut = taken.0.saturating_sub(region.range.start.0);
    if cut == 0 {
        return Some(region);
    }
    if cut >= region.range.len() {
        return None;
    }
    region.range = AvmaRange { start: taken, end: region.range.end };
    let backing = &mut region.backing;
    backing.core_offset = backing.core_offset.saturating_add(cut);
    backing.core_len = backing.core_len.saturating_sub(cut);
    if let Some(file) = &mut backing.file {
        file.offset = file.offset.saturating_add(cut);
    }
    if let Some((_, offset)) = &mut region.name {
        *offset = offset.saturating_add(cut);
    }
    Some(region)
}
