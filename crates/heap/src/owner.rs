//! In whose memory an address lies: a variable, a frame, a block, a register.

use crate::blocks::State;
use crate::census::Census;
use crate::reach::{From, Reach};
use crate::roots::RootKind;
use crate::stack;
use obit_corefile::addr::Avma;
use obit_process::process::Process;

/// In which memory a word is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// In a variable: its name and bytes from its start, where it has one, and its module.
    Global {
        /// The name.
        symbol: Option<(String, u64)>,
        /// The number of the module.
        module: usize,
    },
    /// On the stack of a thread.
    Stack {
        /// Its id.
        tid: i64,
        /// The function in whose frame it is.
        function: Option<String>,
    },
    /// Below the stack pointer: what a function left that has returned.
    BelowStack {
        /// The thread's id.
        tid: i64,
    },
    /// In a block of the heap, by its number.
    Block {
        /// Its number.
        index: usize,
        /// Bytes from its start.
        offset: u64,
        /// What it is.
        state: State,
    },
    /// In memory of the allocator that is in no block.
    Allocator,
    /// In other memory.
    Other,
}

/// Whose word lies at `at`.
pub fn owner_of(process: &Process, census: Option<&Census>, at: Avma) -> Owner {
    if let Some(census) = census {
        if let Some(index) = census.blocks.index_at(at.0)
            && let Some(block) = census.blocks.get(index)
        {
            let offset = at.0.wrapping_sub(block.start.0);
            return Owner::Block { index, offset, state: block.state };
        }
        let is_own = |range: &obit_corefile::addr::AvmaRange| range.contains(at);
        if census.pieces.iter().any(is_own) || census.reserved.iter().any(is_own) {
            return Owner::Allocator;
        }
    }
    if let Some(module) = process.modules.index_at(at) {
        return Owner::Global { symbol: symbol_at(process, module, at), module };
    }
    stack_owner(process, at).unwrap_or(Owner::Other)
}

fn symbol_at(process: &Process, module: usize, at: Avma) -> Option<(String, u64)> {
    let svma = process.modules.get(module)?.to_svma(at);
    let symbol = process.modules.debug(module)?.symbol_at(svma)?;
    (symbol.offset < symbol.size.max(1)).then_some((symbol.name, symbol.offset))
}

fn stack_owner(process: &Process, at: Avma) -> Option<Owner> {
    let whole = process.memory.range_at(at)?;
    let sp = process.dump.machine.facts()?.sp;
    let threads = process.threads.iter().enumerate().filter_map(|(number, thread)| {
        let pointer = thread.registers.get(sp)?;
        whole.contains(Avma(pointer)).then_some((number, thread, pointer))
    });
    let (number, thread, pointer) =
        threads.min_by_key(|(_, _, pointer)| at.0.abs_diff(*pointer))?;
    let thread_pointer = process.dump.threads.get(number).and_then(|one| one.thread_pointer);
    let stack = stack::of(process, thread_pointer, pointer);
    if stack.is_some_and(|stack| !stack.range.contains(at)) {
        return None;
    }
    if at.0 < pointer.saturating_sub(128) {
        return Some(Owner::BelowStack { tid: thread.tid });
    }
    let nth = thread.stack.frames.iter().position(|frame| frame.cfa.is_some_and(|cfa| at < cfa));
    let frames = thread.frames.iter();
    let function = nth
        .and_then(|nth| frames.rev().find(|frame| frame.activation == nth))
        .and_then(|frame| frame.function.as_deref().map(str::to_owned));
    Some(Owner::Stack { tid: thread.tid, function })
}

/// The blocks and bytes that are reached from one root first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The root.
    pub by: Holder,
    /// Blocks.
    pub blocks: u64,
    /// Bytes in them.
    pub bytes: u64,
}

/// Who holds blocks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Holder {
    /// A variable of a module, by number; without a name all that have none.
    Global(usize, Option<String>),
    /// The stack of a thread: its id and the function.
    Stack(i64, Option<String>),
    /// A register of a thread.
    Register(i64),
    /// Other memory.
    Other,
}

/// Who reaches the live blocks first: by the shortest way, variables before stacks, stacks before
/// registers and other memory. Each block is counted once.
pub fn holders(process: &Process, census: &Census, reach: &Reach) -> Vec<Held> {
    use std::collections::HashMap;
    let count = census.blocks.len();
    // The root of each block, found once: a way is as long as a list.
    let mut root: Vec<u32> = vec![u32::MAX; count];
    let mut by_place: HashMap<From, u32> = HashMap::new();
    let mut sums: Vec<(From, u64, u64)> = Vec::new();
    let mut way = Vec::new();
    for index in 0..count {
        let Some(block) = census.blocks.get(index).filter(|block| block.state.is_live()) else {
            continue;
        };
        let mut at = index;
        way.clear();
        let found = loop {
            if let Some(known) = root.get(at).copied().filter(|known| *known != u32::MAX) {
                break Some(known);
            }
            way.push(at);
            match reach.from(at) {
                None => break None,
                Some(From::Block(before)) => at = before,
                Some(place) => {
                    let number = *by_place.entry(place).or_insert_with(|| {
                        sums.push((place, 0, 0));
                        (sums.len() as u32).wrapping_sub(1)
                    });
                    break Some(number);
                }
            }
        };
        let Some(found) = found else { continue };
        for at in &way {
            if let Some(place) = root.get_mut(*at) {
                *place = found;
            }
        }
        if let Some((_, blocks, bytes)) = sums.get_mut(found as usize) {
            *blocks = blocks.saturating_add(1);
            *bytes = bytes.saturating_add(block.room);
        }
    }
    let mut named: HashMap<Holder, (u64, u64)> = HashMap::new();
    // Names cost more than counting: small ones are not asked for theirs.
    sums.sort_unstable_by_key(|(_, _, bytes)| std::cmp::Reverse(*bytes));
    for (nth, (place, blocks, bytes)) in sums.into_iter().enumerate() {
        let holder = holder_of(process, place, nth < MOST_NAMED);
        let sum = named.entry(holder).or_default();
        sum.0 = sum.0.saturating_add(blocks);
        sum.1 = sum.1.saturating_add(bytes);
    }
    let mut held: Vec<Held> =
        named.into_iter().map(|(by, (blocks, bytes))| Held { by, blocks, bytes }).collect();
    held.sort_unstable_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.by.cmp(&b.by)));
    held
}

/// Roots that are named.
const MOST_NAMED: usize = 20_000;

pub(crate) fn holder_of(process: &Process, place: From, is_named: bool) -> Holder {
    match place {
        From::Register(tid) => Holder::Register(tid),
        From::Root(_, RootKind::Other | RootKind::Register) | From::Block(_) => Holder::Other,
        From::Root(at, _) => match is_named.then(|| owner_of(process, None, at)) {
            Some(Owner::Global { symbol, module }) => {
                Holder::Global(module, symbol.map(|(name, _)| name))
            }
            Some(Owner::Stack { tid, function }) => Holder::Stack(tid, function),
            _ => match process.modules.index_at(at) {
                Some(module) => Holder::Global(module, None),
                None => Holder::Other,
            },
        },
    }
}
