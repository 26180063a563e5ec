use super::sizes::size_of;
use super::*;
use crate::{Census, Doubt, Leaks, Reach, Roots};
use obit_corefile::testkit::CoreBuilder;
use obit_process::process::Options;

const PROGRAM: u64 = 0x40_0000;
const DATA: u64 = 0x40_2000;
const DATA_BYTES: u64 = 0x30_0000;
const ROOT: u64 = DATA + 0x1008;
/// A block of records: a leaf, then the records of extents.
const RECORDS: u64 = 0x7f00_0020_0000;
const RECORD_BYTES: u64 = 0x40_0000;
const LEAF: u64 = RECORDS + 0x1000;
const EXTENTS: u64 = RECORDS + 0x28_0000;
const HEAP: u64 = 0x7f00_4000_0000;
const STORAGE: u64 = 0x7f10_0000_0000;
const STORAGE_BYTES: u64 = 0x2000;
/// Where the bins of the thread's cache are.
const BINS: u64 = STORAGE + 0x808;
/// A slab of 64 blocks, a large block, freed pages, a slab with the stacks of the cache.
const SMALL_SLAB: u64 = HEAP;
const LARGE: u64 = HEAP + 0x1000;
const FREED: u64 = HEAP + 0x6000;
const STACKS: u64 = HEAP + 0x8000;
/// A slab for caches that the program makes.
const EXPLICIT: u64 = HEAP + 0xd000;
const HEAP_BYTES: u64 = 0x14000;
/// Slots of each stack.
const SLOTS: u64 = 8;

fn class_of(size: u64) -> u64 {
    (0..232).find(|class| size_of(*class) == Some(size)).unwrap() as u64
}

struct Memory {
    ranges: [(u64, Vec<u8>); 4],
}

impl Memory {
    /// Of the 64 blocks of the slab the first `live` are handed out, and of those the first is in
    /// the cache of the thread.
    fn with_live(live: u64) -> Self {
        let zeros = |start: u64, size: u64| (start, vec![0; size as usize]);
        let ranges = [
            zeros(DATA, DATA_BYTES),
            zeros(RECORDS, RECORD_BYTES),
            zeros(HEAP, HEAP_BYTES),
            zeros(STORAGE, STORAGE_BYTES),
        ];
        let mut memory = Self { ranges };
        memory.put(ROOT + (HEAP >> 30) * 8, LEAF);
        let header = [RECORD_BYTES, 0, 0, RECORDS + 0x30_0000, 0x10_0000];
        for (nth, word) in (0..).zip(header) {
            memory.put(RECORDS + nth * 8, word);
        }
        memory.extent(0, (SMALL_SLAB, 0x1000), true, 0, class_of(64), 64 - live);
        memory.put(EXTENTS + 64, u64::MAX << live);
        memory.extent(1, (LARGE, 0x5000), false, 0, class_of(0x4000), 0);
        memory.extent(2, (FREED, 0x2000), false, 1, 232, 0);
        memory.extent(3, (STACKS, 0x5000), true, 0, class_of(2560), 7);
        memory.put(EXTENTS + 3 * 128 + 64, 0xfe);
        memory.cache(BINS, STACKS + 8, SMALL_SLAB);
        memory
    }

    /// A cache whose only block is `block` of 64 bytes.
    fn cache(&mut self, bins: u64, stacks: u64, block: u64) {
        for class in 0..36 {
            let full = stacks + class * SLOTS * 8;
            let empty = full + SLOTS * 8;
            let head = if class == class_of(64) { empty - 8 } else { empty };
            let low = (empty & 0xffff) << 32 | (full & 0xffff) << 16 | head & 0xffff;
            self.put(bins + class * 24, head);
            self.put(bins + class * 24 + 16, low);
            if head < empty {
                self.put(head, block);
            }
        }
    }

    fn extent(
        &mut self,
        nth: u64,
        (start, size): (u64, u64),
        is_slab: bool,
        state: u64,
        class: u64,
        free: u64,
    ) {
        let record = EXTENTS + nth * 128;
        let slab = u64::from(is_slab);
        self.put(record, slab << 12 | state << 17 | class << 20 | free << 28);
        self.put(record + 8, start);
        self.put(record + 16, size);
        for page in (start..start + size).step_by(0x1000) {
            if is_slab || page == start || page + 0x1000 == start + size {
                self.put(
                    LEAF + (page - HEAP) / 0x1000 * 8,
                    class << 48 | record | state << 2 | slab,
                );
            }
        }
    }

    fn put(&mut self, at: u64, value: u64) {
        let holds = |(start, bytes): &&mut (u64, Vec<u8>)| {
            (*start..*start + bytes.len() as u64).contains(&at)
        };
        let (start, bytes) = self.ranges.iter_mut().find(holds).unwrap();
        let into = (at - *start) as usize;
        bytes[into..into + 8].copy_from_slice(&value.to_le_bytes());
    }

    fn core(&self) -> CoreBuilder {
        let mut image = b"\x7fELF\x02\x01\x01".to_vec();
        image.resize(16, 0);
        let header = [(2, 2), (62, 2), (1, 4), (PROGRAM + 0x1000, 8), (64, 8), (0, 8), (0, 4)];
        let counts = [(64, 2), (56, 2), (2, 2), (0, 2), (0, 2), (0, 2)];
        let segment = |flags: u64, offset: u64, size: u64, memory: u64| {
            let at = PROGRAM + offset;
            let sizes = [(size, 8), (memory, 8), (0x1000, 8)];
            [(1, 4), (flags, 4), (offset, 8), (at, 8), (at, 8)].into_iter().chain(sizes)
        };
        let fields = header.into_iter().chain(counts);
        let fields = fields.chain(segment(5, 0, 0x2000, 0x2000));
        let fields = fields.chain(segment(6, 0x2000, 0x1000, DATA_BYTES));
        for (value, size) in fields {
            image.extend(&u64::to_le_bytes(value)[..size]);
        }
        let registers = [("rip", PROGRAM + 0x1000), ("fs_base", STORAGE + 0x1800)];
        let mut core = CoreBuilder::x86_64()
            .signal(11)
            .thread(1, &registers)
            .auxv(&[(3, PROGRAM + 64), (9, PROGRAM + 0x1000)])
            .files(&[(PROGRAM, PROGRAM + 0x2000, 0, "/p"), (DATA, DATA + 0x1000, 0x2000, "/p")])
            .segment_with(PROGRAM, &image, 0x2000, "rx");
        for (start, bytes) in &self.ranges {
            core = core.segment(*start, bytes, bytes.len() as u64);
        }
        core
    }

    fn ask<T>(&self, ask: impl FnOnce(&Process, &Census) -> T) -> T {
        let core = self.core().write();
        let process = Process::open(core.path(), Options::default(), &()).unwrap();
        let census = Census::of(&process).expect("a heap");
        ask(&process, &census)
    }

    /// What is at odds.
    fn odds(&self) -> Vec<&'static str> {
        let what = |doubt: &Doubt| match doubt {
            Doubt::AtOdds { what, .. } => *what,
            other => panic!("{other:?}"),
        };
        self.ask(|_, census| census.doubts.iter().map(what).collect())
    }
}

fn state_at(census: &Census, at: u64) -> Option<(State, u64)> {
    let block = census.blocks.get(census.blocks.index_at(at)?)?;
    Some((block.state, block.room))
}

#[test]
fn blocks_are_live_free_or_cached_and_records_are_the_allocators_own() {
    Memory::with_live(3).ask(|_, census| {
        assert_eq!(census.doubts, []);
        assert_eq!((census.allocators.len(), census.trust), (1, Trust::Proved));
        let state = |at| state_at(census, at);
        assert_eq!(state(SMALL_SLAB), Some((State::Cached, 64)));
        assert_eq!(state(SMALL_SLAB + 64), Some((State::Live, 64)));
        assert_eq!(state(SMALL_SLAB + 3 * 64), Some((State::Free, 64)));
        assert_eq!(state(LARGE + 0x3fff), Some((State::Mapping, 0x4000)));
        assert_eq!(state(LARGE + 0x4000), None, "behind its last byte");
        assert_eq!(state(FREED), Some((State::Free, 0x2000)));
        assert_eq!(state(STACKS), Some((State::Own, 2560)));
        let total = census.total();
        assert_eq!((total.live_blocks, total.live_bytes), (3, 2 * 64 + 0x4000));
        assert_eq!(total.cached_blocks, 1);
    });
}

#[test]
fn records_and_caches_hold_nothing_for_the_program() {
    let mut memory = Memory::with_live(3);
    // A variable holds the large block; the records of extents hold none.
    memory.put(DATA + 0x100, LARGE + 8);
    memory.ask(|process, census| {
        let roots = Roots::of(process, census);
        let reach = Reach::of(process, census, &roots);
        assert_eq!(Leaks::of(process, census, &reach).blocks, 2, "those of the slab");
    });
}

#[test]
fn of_a_slab_whose_counts_disagree_no_block_is_live_or_lost() {
    let mut memory = Memory::with_live(3);
    memory.put(EXTENTS + 64, u64::MAX << 5);
    assert_eq!(memory.odds(), [COUNTS]);
    memory.ask(|process, census| {
        assert_eq!(state_at(census, SMALL_SLAB + 64), Some((State::Unknown, 64)));
        assert_eq!((census.trust, census.total().unknown_blocks), (Trust::Likely, 64));
        let reach = Reach::of(process, census, &Roots::of(process, census));
        assert_eq!(Leaks::of(process, census, &reach).blocks, 1, "the large one");
    });
}

#[test]
fn with_a_damaged_cache_blocks_of_its_classes_are_freed_or_not() {
    let mut memory = Memory::with_live(3);
    memory.put(BINS + 30 * 24, 0x4141_4141_4141_4141);
    // No sequence of bins is left that is long enough to be no chance.
    memory.ask(|_, census| {
        assert_eq!(census.total().live_blocks, 0);
        assert_eq!(state_at(census, SMALL_SLAB + 64), Some((State::Unknown, 64)));
    });
    assert_eq!(memory.odds().len(), 1);
}

#[test]
fn records_of_extents_that_lie_or_overlap_are_left_out_with_a_notice() {
    for (word, value) in [(8, HEAP + 0x100_0000), (16, 1 << 60), (16, 0)] {
        let mut memory = Memory::with_live(3);
        memory.put(EXTENTS + 128 + word, value);
        let odds = memory.odds();
        assert!(
            odds.iter().any(|what| what.contains("map of pages")),
            "{word} {value:#x} {odds:?}"
        );
        memory.ask(|_, census| assert_eq!(state_at(census, LARGE), None));
    }
}

#[test]
fn a_map_whose_nodes_are_all_the_same_is_read_once() {
    let mut memory = Memory::with_live(3);
    for nth in HEAP >> 30..1 << 18 {
        memory.put(ROOT + nth * 8, LEAF);
    }
    let odds = memory.odds();
    assert!(odds.iter().any(|what| what.contains("more nodes")), "{odds:?}");
}

#[test]
fn blocks_in_a_cache_that_the_program_made_are_freed() {
    let mut memory = Memory::with_live(3);
    memory.extent(4, (EXPLICIT, 0x7000), true, 0, class_of(3584), 7);
    memory.put(EXTENTS + 4 * 128 + 64, 0xfe);
    memory.cache(EXPLICIT + 8 + 36 * SLOTS * 8 + 16, EXPLICIT + 8, SMALL_SLAB + 64);
    memory.ask(|_, census| {
        assert_eq!(census.doubts, []);
        assert_eq!(state_at(census, SMALL_SLAB + 64), Some((State::Cached, 64)));
        assert_eq!(state_at(census, EXPLICIT), Some((State::Own, 3584)));
    });
}
