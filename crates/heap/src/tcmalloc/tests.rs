use super::*;
use crate::{Census, Doubt, Leaks, Reach, Roots};
use obit_corefile::testkit::CoreBuilder;
use obit_process::process::Options;

const PROGRAM: u64 = 0x40_0000;
const DATA: u64 = 0x40_2000;
const DATA_BYTES: u64 = 0x20_0000;
const ROOT: u64 = DATA + 0x1008;
/// Sizes need not be aligned to a word.
const SIZES: u64 = DATA + 0x11_0004;
const PAGES: u64 = DATA + 0x11_0208;
const CENTRAL: u64 = DATA + 0x12_0000;
const CENTRAL_BYTES: u64 = 1216;
/// A leaf, the records of spans, the cache of a thread.
const LEAF: u64 = 0x7f00_0020_0000;
const SPANS: u64 = LEAF + 0x20_0000;
const CACHE: u64 = LEAF + 0x20_1000;
const RECORD_BYTES: u64 = 0x20_4000;
/// A span of 128 objects of 64 bytes, a large block, pages that were freed, and returned.
const HEAP: u64 = 0x7f00_8000_0000;
const LARGE: u64 = HEAP + 0x2000;
const FREED: u64 = HEAP + 0x6000;
const RETURNED: u64 = HEAP + 0x8000;
const HEAP_BYTES: u64 = 0xa000;
const CLASS: u64 = 4;

fn object(nth: u64) -> u64 {
    HEAP + nth * 64
}

struct Memory {
    ranges: [(u64, Vec<u8>); 3],
}

impl Memory {
    /// The last two objects are in the list of the span, the first in the cache of the thread,
    /// the second in the list between threads.
    fn new() -> Self {
        let zeros = |start: u64, size: u64| (start, vec![0; size as usize]);
        let ranges = [zeros(DATA, DATA_BYTES), zeros(LEAF, RECORD_BYTES), zeros(HEAP, HEAP_BYTES)];
        let mut memory = Self { ranges };
        for (nth, size) in (0..).zip([0, 8, 16, 32, 64, 256 << 10]) {
            memory.put_half(SIZES + nth * 4, size);
            memory.put(PAGES + nth * 8, if size > 64 { 32 } else { 1 });
            memory.put_half(CACHE + nth * 32 + 24, size);
        }
        for class in 0..128 {
            memory.put(CENTRAL + class * CENTRAL_BYTES + 8, class);
        }
        memory.put(ROOT + (HEAP >> 31) * 8, LEAF);
        memory.span(0, (HEAP, 1), 0, CLASS, 126, object(126));
        memory.span(1, (LARGE, 2), 0, 0, 0, 0);
        memory.span(2, (FREED, 1), 1, 0, 0, 0);
        memory.span(3, (RETURNED, 1), 2, 0, 0, 0);
        memory.put(object(126), object(127));
        memory.put(DATA + 8, CACHE);
        memory.put(CACHE + CLASS * 32, object(0));
        memory.put_half(CACHE + CLASS * 32 + 8, 1);
        memory.put(CENTRAL + CLASS * CENTRAL_BYTES + 128, object(1));
        memory.put(CENTRAL + CLASS * CENTRAL_BYTES + 1152, 1);
        memory
    }

    fn span(
        &mut self,
        nth: u64,
        (start, pages): (u64, u64),
        location: u64,
        class: u64,
        used: u64,
        objects: u64,
    ) {
        let record = SPANS + nth * 48;
        let words = [start >> 13, pages, 0, 0, objects, used | class << 16 | location << 24];
        for (nth, word) in (0..).zip(words) {
            self.put(record + nth * 8, word);
        }
        for page in [0, pages - 1] {
            self.put(LEAF + ((start - HEAP) / 0x2000 + page) * 8, record);
        }
    }

    fn bytes(&mut self, at: u64) -> &mut [u8] {
        let holds = |(start, bytes): &&mut (u64, Vec<u8>)| {
            (*start..*start + bytes.len() as u64).contains(&at)
        };
        let (start, bytes) = self.ranges.iter_mut().find(holds).unwrap();
        &mut bytes[(at - *start) as usize..]
    }

    fn put(&mut self, at: u64, value: u64) {
        self.bytes(at)[..8].copy_from_slice(&value.to_le_bytes());
    }

    fn put_half(&mut self, at: u64, value: u64) {
        self.bytes(at)[..4].copy_from_slice(&value.to_le_bytes()[..4]);
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
        let file = "/libtcmalloc.so.4";
        let mut core = CoreBuilder::x86_64()
            .signal(11)
            .thread(1, &[("rip", PROGRAM + 0x1000)])
            .auxv(&[(3, PROGRAM + 64), (9, PROGRAM + 0x1000)])
            .files(&[(PROGRAM, PROGRAM + 0x2000, 0, file), (DATA, DATA + 0x1000, 0x2000, file)])
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

    /// What is at odds, and the live blocks.
    fn odds(&self) -> (Vec<&'static str>, u64) {
        let what = |doubt: &Doubt| match doubt {
            Doubt::AtOdds { what, .. } => *what,
            other => panic!("{other:?}"),
        };
        self.ask(|_, census| (census.doubts.iter().map(what).collect(), census.total().live_blocks))
    }
}

fn state_at(census: &Census, at: u64) -> Option<(State, u64)> {
    let block = census.blocks.get(census.blocks.index_at(at)?)?;
    Some((block.state, block.room))
}

#[test]
fn objects_are_live_unless_they_are_in_a_list() {
    Memory::new().ask(|process, census| {
        assert_eq!((&census.doubts[..], census.trust), (&[][..], Trust::Proved));
        let state = |at| state_at(census, at);
        assert_eq!(state(object(0)), Some((State::Cached, 64)));
        assert_eq!(state(object(1)), Some((State::Free, 64)));
        assert_eq!(state(object(2) + 63), Some((State::Live, 64)));
        assert_eq!(state(object(127)), Some((State::Free, 64)));
        assert_eq!(state(LARGE), Some((State::Mapping, 0x4000)));
        assert_eq!(state(FREED), Some((State::Free, 0x2000)));
        assert_eq!(state(RETURNED), Some((State::Top, 0x2000)));
        assert_eq!(census.total().live_blocks, 124 + 1);
        let reach = Reach::of(process, census, &Roots::of(process, census));
        assert_eq!(Leaks::of(process, census, &reach).blocks, 125, "the records hold none");
    });
}

#[test]
fn with_a_damaged_list_it_is_unknown_which_objects_of_its_class_are_freed() {
    // A ring, a link to nowhere, an object that is in two lists.
    for next in [object(126), 0x4141_4141_4141_4141, object(0)] {
        let mut memory = Memory::new();
        memory.put(object(126), next);
        let (odds, live) = memory.odds();
        assert!(!odds.is_empty(), "{next:#x}");
        assert_eq!(live, 1, "the large one");
    }
}

#[test]
fn a_count_that_is_not_that_of_the_list_leaves_the_objects_of_the_span_unknown() {
    let mut memory = Memory::new();
    memory.span(0, (HEAP, 1), 0, CLASS, 200, object(126));
    let (odds, live) = memory.odds();
    assert!(odds.contains(&COUNTS), "{odds:?}");
    assert_eq!(live, 1);
}

#[test]
fn a_record_that_does_not_lie_where_the_map_says_is_left_out() {
    let mut memory = Memory::new();
    memory.put(SPANS + 48, HEAP >> 13);
    let (odds, live) = memory.odds();
    assert!(!odds.is_empty());
    assert_eq!(live, 124);
}

#[test]
fn without_the_cache_of_a_thread_small_objects_are_freed_or_not() {
    let mut memory = Memory::new();
    memory.put(DATA + 8, 0);
    let (odds, live) = memory.odds();
    assert_eq!((odds.len(), live), (1, 1));
}

#[test]
fn a_library_whose_structures_are_others_is_named_and_not_read() {
    let mut memory = Memory::new();
    memory.put_half(SIZES + 8, 24);
    let core = memory.core().write();
    let process = Process::open(core.path(), Options::default(), &()).unwrap();
    let missing = Doubt::NotRead { allocator: NAME, missing: NOT_FOUND };
    assert_eq!(Census::or_missing(&process).unwrap_err(), [missing]);
}
