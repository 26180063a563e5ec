//! Blocks that nothing leads to, in groups.

use std::collections::{HashMap, HashSet};

use crate::census::Census;
use crate::reach::{Reach, Words};
use obit_corefile::addr::AvmaRange;
use obit_process::process::Process;

/// Blocks that cannot be reached.
#[derive(Debug, Default)]
pub struct Leaks {
    /// Numbers of the blocks that no other of them leads to: what was lost itself. Of a ring the
    /// first stands for it.
    pub heads: Vec<u32>,
    /// All of them.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Leaks {
    /// Finds them.
    pub fn of(process: &Process, census: &Census, reach: &Reach) -> Self {
        let blocks = &census.blocks;
        let mut lost: Vec<u32> = Vec::new();
        let mut bytes = 0_u64;
        // Whether the block before a damaged header was freed, that header would say.
        let in_doubt: HashSet<u64> = census
            .damages
            .iter()
            .filter_map(|damage| damage.before.map(|before| before.start.0))
            .collect();
        for (index, block) in blocks.iter().enumerate() {
            if block.state.is_live()
                && !in_doubt.contains(&block.start.0)
                && !reach.is_reached(index)
            {
                lost.push(index as u32);
                bytes = bytes.saturating_add(block.room);
            }
        }
        let mut lost_set = Lost { census, memory: Words::of(process), seen: HashMap::new() };
        lost_set.seen.extend(lost.iter().map(|number| (*number, false)));
        let mut pointed: HashSet<u32> = HashSet::new();
        for number in &lost {
            pointed.extend(lost_set.targets(*number));
        }
        let mut heads = Vec::new();
        // First what no other leads to; of what is left each ring by its first block.
        let alone = lost.iter().filter(|number| !pointed.contains(*number));
        for number in alone.chain(&lost) {
            if lost_set.follow(*number) {
                heads.push(*number);
            }
        }
        heads.sort_unstable();
        Self { heads, blocks: lost.len() as u64, bytes }
    }
}

struct Lost<'p> {
    census: &'p Census,
    memory: Words<'p>,
    /// The lost blocks, and whether another one that was followed leads to them.
    seen: HashMap<u32, bool>,
}

impl Lost<'_> {
    /// Other lost blocks that a lost block points to.
    fn targets(&mut self, number: u32) -> Vec<u32> {
        let blocks = &self.census.blocks;
        let Some(block) = blocks.get(number as usize) else { return Vec::new() };
        let extent = blocks.extent().unwrap_or((0, 0));
        let (seen, mut found) = (&self.seen, Vec::new());
        self.memory.each(AvmaRange::from_len(block.start, block.room), extent, |_, value| {
            let target = blocks.index_at(value).map(|index| index as u32);
            found.extend(target.filter(|target| *target != number && seen.contains_key(target)));
        });
        found
    }

    /// Marks a block and all that it leads to; `false` if it was marked before.
    fn follow(&mut self, number: u32) -> bool {
        if self.seen.insert(number, true) != Some(false) {
            return false;
        }
        let mut next = vec![number];
        while let Some(number) = next.pop() {
            for target in self.targets(number) {
                if let Some(seen) = self.seen.get_mut(&target).filter(|seen| !**seen) {
                    *seen = true;
                    next.push(target);
                }
            }
        }
        true
    }
}
