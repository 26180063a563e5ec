//! A heap with all that is known of its blocks: what reaches them, and their types.

use std::sync::Arc;

use crate::blocks::HeapBlock;
use crate::census::{Census, Doubt};
use crate::reach::{From, Reach};
use crate::roots::Roots;
use crate::types::Types;
use obit_process::process::Process;

/// Blocks of a way that is followed.
const LONGEST_WAY: usize = 1 << 20;
/// Blocks of a way that are named.
const MOST_STEPS: usize = 12;

/// What reading a heap may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Bytes of memory that can be written.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
}

/// A heap is larger than a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooLarge {
    /// So many bytes of memory that can be written.
    Bytes(u64),
    /// So many blocks.
    Blocks(u64),
}

/// A heap and what leads to its blocks.
#[derive(Debug)]
pub struct Contents {
    /// All blocks.
    pub census: Census,
    /// Where pointers are kept besides.
    pub roots: Roots,
    /// Which blocks are reached.
    pub reach: Reach,
    /// What they hold.
    pub types: Types,
}

/// A block of a way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The block.
    pub block: HeapBlock,
    /// What it holds, where that is known.
    pub type_name: Option<Arc<str>>,
}

/// The way from a root to a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Where it begins.
    pub root: From,
    /// Blocks between, the nearest to the root first.
    pub steps: Vec<Step>,
    /// Blocks that are left out in the middle of `steps`.
    pub omitted: usize,
}

impl Contents {
    /// Those of `process`; where no heap is known, what is missing to read the allocators that are
    /// in it.
    pub fn or_missing(process: &Process) -> Result<Self, Vec<Doubt>> {
        Ok(Self::with(process, Census::or_missing(process)?))
    }

    /// The same, unless that costs more than `budget`.
    pub fn within(process: &Process, budget: Budget) -> Result<Option<Self>, TooLarge> {
        let regions = process.memory.regions().iter().filter(|region| region.permissions.write);
        let bytes = regions.map(|region| region.backing.core_len).fold(0, u64::saturating_add);
        if bytes > budget.bytes {
            return Err(TooLarge::Bytes(bytes));
        }
        let Some(census) = Census::of(process) else { return Ok(None) };
        let blocks = census.blocks.len() as u64;
        if blocks > budget.blocks {
            return Err(TooLarge::Blocks(blocks));
        }
        Ok(Some(Self::with(process, census)))
    }

    fn with(process: &Process, census: Census) -> Self {
        let roots = Roots::of(process, &census);
        let reach = Reach::of(process, &census, &roots);
        let types = Types::of(process, &census);
        Self { census, roots, reach, types }
    }

    /// The way from a root to block number `index`; `None` if nothing reaches it.
    pub fn way(&self, index: usize) -> Option<Way> {
        let (root, between) = self.reach.path(index, LONGEST_WAY)?;
        let half = MOST_STEPS / 2;
        let omitted = between.len().saturating_sub(MOST_STEPS);
        // Of a long list its middle says nothing.
        let is_shown = |nth: usize| nth < half || nth >= half.saturating_add(omitted);
        let shown = between.into_iter().enumerate().filter(|(nth, _)| is_shown(*nth));
        let steps = shown.filter_map(|(_, index)| {
            let type_name = self.types.get(index).map(|ty| Arc::clone(&ty.name));
            Some(Step { block: self.census.blocks.get(index)?, type_name })
        });
        Some(Way { root, steps: steps.collect(), omitted })
    }
}

impl Way {
    /// Before which step the omitted ones are; `None` if there are none.
    pub fn gap(&self) -> Option<usize> {
        (self.omitted > 0).then_some(MOST_STEPS / 2)
    }
}
