//! All blocks of a heap: what each allocator's reader fills in, and what is asked of it.

use obit_corefile::addr::Avma;

/// What a block is to its allocator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum State {
    /// The program has it.
    Live = 0,
    /// The program has it, as a mapping of its own.
    Mapping = 1,
    /// Freed, and in a list that all threads share.
    Free = 2,
    /// Freed, and in the cache of a thread.
    Cached = 3,
    /// Freed, in a list of small blocks that are not merged.
    Fast = 4,
    /// Never handed out, or freed and merged with what never was.
    Top = 5,
    /// A record of the allocator itself.
    Own = 6,
    /// It is not known: the lists that would say are damaged.
    Unknown = 7,
}

impl State {
    /// Whether the program has it.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Live | Self::Mapping)
    }

    /// Whether it was freed.
    pub fn is_freed(self) -> bool {
        matches!(self, Self::Free | Self::Cached | Self::Fast)
    }

    fn of_bits(bits: u64) -> Self {
        match bits {
            0 => Self::Live,
            1 => Self::Mapping,
            2 => Self::Free,
            3 => Self::Cached,
            4 => Self::Fast,
            5 => Self::Top,
            6 => Self::Own,
            _ => Self::Unknown,
        }
    }
}

/// One block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeapBlock {
    /// Where the program's bytes begin.
    pub start: Avma,
    /// Bytes that the program may use: at least as many as it asked for.
    pub room: u64,
    /// What it is.
    pub state: State,
}

impl HeapBlock {
    /// Whether `at` is one of the program's bytes.
    pub fn holds(&self, at: u64) -> bool {
        at.wrapping_sub(self.start.0) < self.room
    }
}

/// 16 bytes a block: heaps have tens of millions.
#[derive(Clone, Copy, Debug)]
struct Packed {
    start: u64,
    /// Room, and in the lowest bits the state.
    room_and_state: u64,
}

const STATE_BITS: u32 = 3;

impl Packed {
    fn new(block: HeapBlock) -> Self {
        // Rooms end below the highest address, so the bits that are shifted out are clear.
        let room_and_state = (block.room << STATE_BITS) | u64::from(block.state as u8);
        Self { start: block.start.0, room_and_state }
    }

    fn get(self) -> HeapBlock {
        HeapBlock {
            start: Avma(self.start),
            room: self.room_and_state >> STATE_BITS,
            state: State::of_bits(self.room_and_state & ((1 << STATE_BITS) - 1)),
        }
    }
}

/// Blocks that are further apart than this have directories of their own.
const GAP: u64 = 1 << 20;
/// An entry of a directory is for 2 to the power of so many bytes at least.
const SMALLEST_PAGE: u32 = 8;
/// And at most: of larger heaps the blocks are found by halving alone.
const LARGEST_PAGE: u32 = 40;

/// Blocks close to each other.
#[derive(Debug)]
struct Run {
    start: u64,
    end: u64,
    /// For each page the number of the first block that ends behind its start.
    pages: Vec<u32>,
}

/// All blocks, by address.
#[derive(Debug, Default)]
pub struct Blocks {
    all: Vec<Packed>,
    runs: Vec<Run>,
    /// Bytes of a page of the directories, as a power of 2.
    page: u32,
}

impl Blocks {
    /// Sorts what was found. Of two that overlap the first is kept.
    pub(crate) fn of(found: Found) -> Self {
        let mut all = found.0;
        if !all.is_sorted_by_key(|block| block.start) {
            all.sort_unstable_by_key(|block| block.start);
        }
        let mut end = 0;
        all.retain(|block| {
            let block = block.get();
            let is_apart = block.start.0 >= end;
            if is_apart {
                end = block.start.0.saturating_add(block.room);
            }
            is_apart
        });
        // Numbers of blocks have 32 bits, one of which marks roots.
        all.truncate((u32::MAX >> 1) as usize);
        let (runs, page) = runs(&all);
        Self { all, runs, page }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Block number `index`, in the order of addresses.
    pub fn get(&self, index: usize) -> Option<HeapBlock> {
        self.all.get(index).map(|block| block.get())
    }

    /// All, in the order of addresses.
    pub fn iter(&self) -> impl Iterator<Item = HeapBlock> + '_ {
        self.all.iter().map(|block| block.get())
    }

    /// From the first block's first byte to behind the last one's.
    pub fn extent(&self) -> Option<(u64, u64)> {
        Some((self.runs.first()?.start, self.runs.last()?.end))
    }

    /// The number of the block that holds `at`.
    pub fn index_at(&self, at: u64) -> Option<usize> {
        let after = self.runs.partition_point(|run| run.start <= at);
        let run = self.runs.get(after.checked_sub(1)?)?;
        if at >= run.end {
            return None;
        }
        let page = usize::try_from(at.checked_sub(run.start)? >> self.page).ok()?;
        let (low, high) = match run.pages.get(page) {
            Some(low) => {
                let next = run.pages.get(page.checked_add(1)?);
                let high = next.map_or(self.all.len(), |next| *next as usize + 1);
                (*low as usize, high.min(self.all.len()))
            }
            None => (0, self.all.len()),
        };
        let some = self.all.get(low..high)?;
        let before = some.partition_point(|block| block.start <= at);
        let index = low.checked_add(before)?.checked_sub(1)?;
        self.get(index)?.holds(at).then_some(index)
    }

    /// The number of the first block at or behind `at`.
    pub fn index_from(&self, at: u64) -> usize {
        self.all.partition_point(|block| block.start < at)
    }
}

/// Runs of blocks with their directories, and the size of a page: as small as it may be if there are
/// to be no more entries than blocks.
fn runs(all: &[Packed]) -> (Vec<Run>, u32) {
    let mut runs: Vec<Run> = Vec::new();
    for block in all {
        let block = block.get();
        let end = block.start.0.saturating_add(block.room);
        match runs.last_mut() {
            Some(run) if block.start.0.saturating_sub(run.end) < GAP => run.end = end,
            _ => runs.push(Run { start: block.start.0, end, pages: Vec::new() }),
        }
    }
    let bytes: u64 =
        runs.iter().map(|run| run.end.saturating_sub(run.start)).fold(0, u64::saturating_add);
    let most = (all.len() as u64).max(1);
    let fits = |page: &u32| bytes >> page <= most;
    let Some(page) = (SMALLEST_PAGE..=LARGEST_PAGE).find(fits) else {
        return (runs, LARGEST_PAGE);
    };
    let mut number = 0_usize;
    for run in &mut runs {
        let mut start = run.start;
        while start < run.end {
            let ends_before = |block: &Packed| {
                let block = block.get();
                block.start.0.saturating_add(block.room) <= start
            };
            while all.get(number).is_some_and(ends_before) {
                number = number.saturating_add(1);
            }
            run.pages.push(u32::try_from(number).unwrap_or(u32::MAX));
            start = start.saturating_add(1 << page);
        }
    }
    (runs, page)
}

/// Blocks as a reader finds them.
#[derive(Debug, Default)]
pub(crate) struct Found(Vec<Packed>);

impl Found {
    pub(crate) fn add(&mut self, start: u64, room: u64, state: State) {
        self.0.push(Packed::new(HeapBlock { start: Avma(start), room, state }));
    }

    pub(crate) fn append(&mut self, other: Self) {
        match self.0.is_empty() {
            true => self.0 = other.0,
            false => self.0.extend(other.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_found_by_any_of_its_bytes_and_by_none_between_two() {
        let mut found = Found::default();
        found.add(0x7000_0000_0010, 0x2_0000, State::Mapping);
        found.add(0x1010, 24, State::Live);
        found.add(0x1030, 0x3000, State::Cached);
        found.add(0x4040, 24, State::Top);
        // It overlaps the one before.
        found.add(0x4050, 24, State::Live);
        let blocks = Blocks::of(found);
        assert_eq!(blocks.len(), 4);
        let state = |at| blocks.get(blocks.index_at(at)?).map(|block| block.state);
        assert_eq!(state(0x1010), Some(State::Live));
        assert_eq!(state(0x1027), Some(State::Live));
        assert_eq!((state(0x1028), state(0x100f)), (None, None));
        assert_eq!((state(0x1030), state(0x402f)), (Some(State::Cached), Some(State::Cached)));
        assert_eq!((state(0x4030), state(0x4040)), (None, Some(State::Top)));
        assert_eq!(state(0x7000_0002_0009), Some(State::Mapping));
        assert_eq!(state(0x7000_0002_0010), None);
        assert_eq!(state(u64::MAX), None);
    }
}
