//! Puts regions together, then freezes them.

use std::sync::Arc;

use super::{AddressSpace, CoreBytes, Region};
use crate::addr::AvmaRange;

/// Collects regions. Where two overlap, the one added first keeps the addresses.
#[derive(Debug)]
pub struct Builder {
    core: Arc<CoreBytes>,
    regions: Vec<Region>,
    little_endian: bool,
    word: usize,
}

impl Builder {
    /// `word` is the size of an address in bytes, 4 or 8.
    pub fn new(core: Arc<CoreBytes>, little_endian: bool, word: usize) -> Self {
        Self { core, regions: Vec::new(), little_endian, word: word.clamp(1, 8) }
    }

    /// Adds one region; an empty one is ignored.
    pub fn add(&mut self, region: Region) {
        if !region.range.is_empty() {
            self.regions.push(region);
        }
    }

    /// Sorts, cuts overlaps, and freezes.
    pub fn freeze(mut self) -> AddressSpace {
        // Stable: of two regions with one start, the first added stays first.
        self.regions.sort_by_key(|region| region.range.start);
        let mut regions: Vec<Region> = Vec::with_capacity(self.regions.len());
        for region in self.regions {
            let taken = regions.last().map_or(region.range.start, |last| last.range.end);
            regions.extend(without_head(region, taken));
        }
        AddressSpace {
            core: self.core,
            regions,
            little_endian: self.little_endian,
            word: self.word,
        }
    }
}

/// `region` without the addresses below `taken`.
fn without_head(mut region: Region, taken: crate::addr::Avma) -> Option<Region> {
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
