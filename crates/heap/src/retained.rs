//! What would be freed if a root, or a block, went: the blocks that all ways lead through it.

use std::collections::HashMap;

use crate::State;
use crate::census::Census;
use crate::dominators::{Dominators, Edges};
use crate::owner::{Holder, holder_of};
use crate::reach::{From, Reach, Words};
use crate::roots::{RootKind, Roots};
use obit_corefile::addr::{Avma, AvmaRange};
use obit_process::process::Process;

/// Pointers between blocks that are followed: each takes 8 bytes.
const MOST_EDGES: usize = 60_000_000;
/// Names of variables and functions that are looked up.
const MOST_NAMED: usize = 200_000;

/// Why nothing is known of what is held alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRetained {
    /// There are more pointers than are followed.
    TooManyPointers(usize),
    /// There are more roots than are named.
    TooManyRoots(usize),
}

/// What is held by one root or block alone.
#[derive(Debug)]
pub struct Retained {
    dominators: Dominators,
    /// Blocks and bytes under each place of the dominators' order, its own included.
    sums: Vec<(u32, u64)>,
    holders: Vec<Holder>,
}

impl Retained {
    /// Finds it for all that is reached.
    pub fn of(
        process: &Process,
        census: &Census,
        roots: &Roots,
        reach: &Reach,
    ) -> Result<Self, NotRetained> {
        let blocks = &census.blocks;
        let (holders, held) = root_targets(process, census, roots)?;
        let count = holders.len() as u32;
        // The start, the holders, the blocks.
        let first = count.saturating_add(1);
        let mut edges = Edges::new();
        (1..first).for_each(|holder| edges.add(holder));
        edges.end_node();
        for targets in held {
            targets.iter().for_each(|target| edges.add(target.saturating_add(first)));
            edges.end_node();
        }
        let extent = blocks.extent().unwrap_or((0, 0));
        let mut memory = Words::of(process);
        for (index, block) in blocks.iter().enumerate() {
            let is_followed = block.state.is_live() || block.state == State::Unknown;
            if is_followed && reach.is_reached(index) {
                let mut last = index;
                memory.each(AvmaRange::from_len(block.start, block.room), extent, |_, value| {
                    if let Some(target) = blocks.index_at(value)
                        && target != last
                        && target != index
                    {
                        last = target;
                        edges.add((target as u32).saturating_add(first));
                    }
                });
            }
            edges.end_node();
            if edges.len() > MOST_EDGES {
                return Err(NotRetained::TooManyPointers(MOST_EDGES));
            }
        }
        let dominators = Dominators::of(edges);
        let mut sums: Vec<(u32, u64)> = dominators
            .order
            .iter()
            .map(|node| {
                let block = node.checked_sub(first).and_then(|index| blocks.get(index as usize));
                block.filter(|block| block.state.is_live()).map_or((0, 0), |block| (1, block.room))
            })
            .collect();
        for place in (1..sums.len()).rev() {
            let own = sums.get(place).copied().unwrap_or_default();
            let above = dominators.idom.get(place).and_then(|above| sums.get_mut(*above as usize));
            if let Some(above) = above {
                above.0 = above.0.saturating_add(own.0);
                above.1 = above.1.saturating_add(own.1);
            }
        }
        Ok(Self { dominators, sums, holders })
    }

    /// What each holder holds alone.
    pub fn by_holder(&self) -> HashMap<Holder, (u64, u64)> {
        let places = self.dominators.order.iter().zip(&self.sums);
        let holders = places.filter_map(|(node, (blocks, bytes))| {
            let holder = self.holders.get(node.checked_sub(1)? as usize)?;
            Some((holder.clone(), (u64::from(*blocks), *bytes)))
        });
        holders.collect()
    }

    /// For each of `groups` the blocks and bytes that would be freed with its blocks: those that only
    /// one of them leads to. `group_of` says to which group a block belongs, by number.
    pub fn by_group(
        &self,
        groups: usize,
        group_of: impl Fn(usize) -> Option<usize>,
    ) -> Vec<(u64, u64)> {
        let order = &self.dominators.order;
        let first = self.holders.len().saturating_add(1);
        let group = |place: u32| {
            let node = *order.get(place as usize)? as usize;
            group_of(node.checked_sub(first)?).filter(|group| *group < groups)
        };
        let mut found = vec![(0_u64, 0_u64); groups];
        // How many blocks of each group lie on the way from the start.
        let mut open = vec![0_u32; groups];
        let (child, sibling) = children(&self.dominators.idom);
        let mut at = 0_u32;
        let mut is_down = true;
        loop {
            if is_down {
                if let Some(group) = group(at)
                    && let (Some(open), Some(sum)) = (open.get_mut(group), found.get_mut(group))
                {
                    if *open == 0 {
                        let (blocks, bytes) =
                            self.sums.get(at as usize).copied().unwrap_or_default();
                        sum.0 = sum.0.saturating_add(u64::from(blocks));
                        sum.1 = sum.1.saturating_add(bytes);
                    }
                    *open = open.saturating_add(1);
                }
                match child.get(at as usize) {
                    Some(below) if *below != u32::MAX => {
                        at = *below;
                        continue;
                    }
                    _ => is_down = false,
                }
            }
            if let Some(open) = group(at).and_then(|group| open.get_mut(group)) {
                *open = open.saturating_sub(1);
            }
            match sibling.get(at as usize) {
                Some(next) if *next != u32::MAX => {
                    at = *next;
                    is_down = true;
                }
                _ if at == 0 => return found,
                _ => match self.dominators.idom.get(at as usize) {
                    Some(above) => at = *above,
                    None => return found,
                },
            }
        }
    }
}

/// For each place the first that it dominates, and the next one of its own dominator.
fn children(idom: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut child = vec![u32::MAX; idom.len()];
    let mut sibling = vec![u32::MAX; idom.len()];
    for (place, above) in idom.iter().enumerate().skip(1).rev() {
        if let (Some(first), Some(next)) = (child.get_mut(*above as usize), sibling.get_mut(place))
        {
            *next = std::mem::replace(first, place as u32);
        }
    }
    (child, sibling)
}

/// The variables and functions that roots are in.
struct Namer<'p> {
    process: &'p Process,
    /// The variable that was found last, and where it is.
    last: Option<(AvmaRange, Holder)>,
    left: usize,
}

impl Namer<'_> {
    fn holder(&mut self, at: Avma, kind: RootKind) -> Option<Holder> {
        if kind == RootKind::Other {
            return Some(Holder::Other);
        }
        if let Some((_, known)) = self.last.as_ref().filter(|(range, _)| range.contains(at)) {
            return Some(known.clone());
        }
        self.left = self.left.checked_sub(1)?;
        let found = holder_of(self.process, From::Root(at, kind), true);
        if kind == RootKind::Global {
            let range = self.variable(at);
            self.last = range.map(|range| (range, found.clone()));
        }
        Some(found)
    }

    /// The bytes of the variable at `at`.
    fn variable(&self, at: Avma) -> Option<AvmaRange> {
        let modules = &self.process.modules;
        let module = modules.index_at(at)?;
        let symbol = modules.debug(module)?.symbol_at(modules.get(module)?.to_svma(at))?;
        let start = at.0.checked_sub(symbol.offset)?;
        (symbol.offset < symbol.size).then_some(AvmaRange::from_len(Avma(start), symbol.size))
    }
}

/// Holders, and the numbers of the blocks that each points to.
type RootTargets = (Vec<Holder>, Vec<Vec<u32>>);

fn root_targets(
    process: &Process,
    census: &Census,
    roots: &Roots,
) -> Result<RootTargets, NotRetained> {
    let blocks = &census.blocks;
    let extent = blocks.extent().unwrap_or((0, 0));
    let mut numbers: HashMap<Holder, usize> = HashMap::new();
    let mut held: Vec<Vec<u32>> = Vec::new();
    let mut add = |holder: Holder, target: usize| {
        let next = held.len();
        let number = *numbers.entry(holder).or_insert(next);
        if number == next {
            held.push(Vec::new());
        }
        if let Some(targets) = held.get_mut(number)
            && targets.last() != Some(&(target as u32))
        {
            targets.push(target as u32);
        }
    };
    let mut memory = Words::of(process);
    let mut namer = Namer { process, last: None, left: MOST_NAMED };
    for root in &roots.ranges {
        let mut is_whole = true;
        memory.each(root.range, extent, |at, value| {
            let Some(target) = blocks.index_at(value).filter(|_| is_whole) else { return };
            match namer.holder(Avma(at), root.kind) {
                Some(holder) => add(holder, target),
                None => is_whole = false,
            }
        });
        if !is_whole {
            return Err(NotRetained::TooManyRoots(MOST_NAMED));
        }
    }
    for (tid, value) in &roots.registers {
        if let Some(target) = blocks.index_at(*value) {
            add(Holder::Register(*tid), target);
        }
    }
    let mut holders = vec![Holder::Other; numbers.len()];
    for (holder, number) in numbers {
        if let Some(place) = holders.get_mut(number) {
            *place = holder;
        }
    }
    Ok((holders, held))
}
