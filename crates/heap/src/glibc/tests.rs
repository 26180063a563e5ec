use super::*;
use obit_corefile::testkit::CoreBuilder;
use obit_process::process::Options;

use super::testkit::*;

impl Memory {
    fn ask<T>(&self, ask: impl FnOnce(&mut Heap<'_>) -> T) -> T {
        let core = self.core();
        let process = Process::open(core.path(), Options::default(), &()).unwrap();
        ask(&mut Heap::of(&process).expect("a heap"))
    }

    fn block(&self, at: u64) -> Option<Block> {
        self.ask(|heap| heap.block_at(Avma(at)))
    }

    fn damage(&self) -> Option<Damage> {
        #[allow(clippy::redundant_closure_for_method_calls)] // the method alone is of one lifetime
        self.ask(|heap| heap.damage())
    }
}

/// `PROTECT_PTR`.
fn mangled(at: u64, next: u64) -> u64 {
    (at >> 12) ^ next
}

#[test]
fn a_chunk_in_use_is_reported_with_its_size_and_the_offset_into_it() {
    let memory = Memory::with_chunks(&[0x30, 0x70]);
    let block = memory.block(FIRST + 0x30 + 16 + 5).unwrap();
    let start = Avma(FIRST + 0x40);
    let state = BlockState::InUse;
    assert_eq!(block, Block { start, chunk_size: 0x70, room: 0x68, state, offset: 5 });
    assert_eq!(memory.block(FIRST + 0xa0 + 0x100).unwrap().state, BlockState::Top);
    assert_eq!(memory.block(DATA + 8), None, "not in the heap");
    assert_eq!(memory.damage(), None);
}

#[test]
fn freed_chunks_of_a_cache_are_found_through_mangled_links_and_through_plain_ones() {
    for is_mangled in [true, false] {
        let mut memory = Memory::with_chunks(&[0x30, 0x30, 0x30]);
        let (first, second) = (FIRST + 16, FIRST + 0x60 + 16);
        memory.cache(0x30, first);
        memory.put(first, if is_mangled { mangled(first, second) } else { second });
        memory.put(second, if is_mangled { mangled(second, 0) } else { 0 });
        for user in [first, second] {
            let block = memory.block(user).unwrap();
            assert_eq!(block.state, BlockState::Freed(Some(Bin::Tcache)), "{is_mangled}");
            assert_eq!((block.start, block.room), (Avma(user), 0x28));
        }
        assert_eq!(memory.block(FIRST + 0x40).unwrap().state, BlockState::InUse);
    }
}

#[test]
fn the_number_that_a_cache_keeps_in_a_freed_chunk_leads_to_that_chunk() {
    let mut memory = Memory::with_chunks(&[0x30, 0x30]);
    let (first, second) = (FIRST + 16, FIRST + 0x30 + 16);
    memory.cache(0x30, first);
    memory.put(first, mangled(first, second));
    memory.put(second, mangled(second, 0));
    memory.put(second + 8, 0x1234_5678_9abc_def0);
    let link = |value| memory.ask(|heap| heap.with_link(value)).map(|block| block.start);
    assert_eq!(link(mangled(first, second)), Some(Avma(first)));
    assert_eq!(link(0x1234_5678_9abc_def0), Some(Avma(second)), "the mark");
    assert_eq!(link(0x1234), None);
}

#[test]
fn a_chunk_in_a_fastbin_is_freed_though_the_next_one_says_in_use() {
    let mut memory = Memory::with_chunks(&[0x30, 0x30, 0x30]);
    let (first, second) = (FIRST, FIRST + 0x30);
    // The list for chunks of 0x30.
    memory.put(ARENA + 16 + 8, first);
    memory.put(first + 16, mangled(first + 16, second));
    memory.put(second + 16, mangled(second + 16, 0));
    for chunk in [first, second] {
        let state = memory.block(chunk + 20).unwrap().state;
        assert_eq!(state, BlockState::Freed(Some(Bin::Fastbin)));
    }
}

#[test]
fn a_chunk_in_the_unsorted_bin_is_found_from_the_head_of_the_list() {
    let mut memory = Memory::with_chunks(&[0x500, 0x30]);
    let head = BINS - 16;
    for (at, value) in
        [(head + 16, FIRST), (head + 24, FIRST), (FIRST + 16, head), (FIRST + 24, head)]
    {
        memory.put(at, value);
    }
    memory.put(FIRST + 0x500, 0x500);
    memory.put(FIRST + 0x500 + 8, 0x30);
    let state = memory.block(FIRST + 0x100).unwrap().state;
    assert_eq!(state, BlockState::Freed(Some(Bin::Unsorted)));
    assert!(memory.ask(|heap| heap.is_list_head(Avma(head))));
    assert_eq!(memory.damage(), None);
}

#[test]
fn a_size_that_was_overwritten_is_damage_behind_the_chunk_before() {
    let mut memory = Memory::with_chunks(&[0x30, 0x70]);
    memory.put(FIRST + 0x38, u64::from_le_bytes(*b"overrun!"));
    let damage = memory.damage().unwrap();
    assert!(damage.is_senseless);
    assert_eq!(damage.at, Avma(FIRST + 0x30));
    let before = damage.before.unwrap();
    assert_eq!((before.start, before.room), (Avma(FIRST + 16), 0x28));
    assert_eq!(damage.text.as_deref(), Some("overrun!"));
    assert_eq!(memory.block(FIRST + 0x60), None, "behind the damage nothing is known");
}

#[test]
fn the_pointer_to_the_block_before_the_damage_is_found_in_the_one_block_that_has_it() {
    let mut memory = Memory::with_chunks(&[0x40, 0x40, 0x30, 0x70]);
    let block = FIRST + 0x80 + 16;
    memory.put(FIRST + 0x80 + 0x38, 0x2a);
    assert_eq!(memory.damage().unwrap().pointed_from, None);
    memory.put(FIRST + 0x40 + 16 + 24, block);
    let damage = memory.damage().unwrap();
    assert_eq!(damage.before.map(|before| before.start), Some(Avma(block)));
    assert_eq!(damage.pointed_from, Some(PointedFrom::Block(0x40, 24)));
    let overrun = Overrun { written: Written::Integers, pattern: Some(Pattern::Value(0x2a)) };
    assert_eq!(damage.overrun, Some(overrun));
    // Two keep it: which of them wrote is not known.
    memory.put(FIRST + 16 + 8, block);
    assert_eq!(memory.damage().unwrap().pointed_from, None);
}

#[test]
fn one_byte_too_many_shows_in_the_flag_of_the_next_chunk() {
    let mut memory = Memory::with_chunks(&[0x30, 0x100]);
    // A terminating NUL: PREV_INUSE is gone, and there is no size before it.
    memory.put(FIRST + 0x38, 0x100);
    let damage = memory.damage().unwrap();
    assert!(!damage.is_senseless);
    assert_eq!(damage.at, Avma(FIRST + 0x30));
}

#[test]
fn a_top_chunk_that_was_overwritten_is_damage() {
    let mut memory = Memory::with_chunks(&[0x30]);
    memory.put(FIRST + 0x38, 0x4141_4141_4141_4141);
    let damage = memory.damage().unwrap();
    assert_eq!((damage.at, damage.size_field), (Avma(FIRST + 0x30), 0x4141_4141_4141_4141));
}

#[test]
fn while_a_thread_works_on_an_arena_nothing_is_called_damage() {
    let mut memory = Memory::with_chunks(&[0x30, 0x70]);
    memory.put(FIRST + 0x38, 0x4141_4141_4141_4141);
    let near = |memory: &Memory| memory.ask(|heap| heap.damage_near(Avma(FIRST + 16)));
    assert!(near(&memory).is_some());
    memory.put(ARENA, 1);
    assert_eq!(near(&memory), None);
    assert!(memory.damage().is_some(), "but if the allocator itself says so");
}

#[test]
fn a_ring_of_freed_chunks_ends_and_nothing_is_called_in_use_then() {
    let mut memory = Memory::with_chunks(&[0x30, 0x30]);
    let first = FIRST + 16;
    memory.cache(0x30, first);
    memory.put(first, mangled(first, first));
    assert_eq!(memory.block(first).unwrap().state, BlockState::Freed(Some(Bin::Tcache)));
    assert_eq!(memory.block(FIRST + 0x40), None);
}

#[test]
fn a_large_block_is_a_mapping_of_its_own() {
    let mut header = vec![0; 0x1000];
    header[8..16].copy_from_slice(&0x3002_u64.to_le_bytes());
    let mapped = CoreBuilder::x86_64()
        .thread(1, &[("rip", 0x1000)])
        .segment(0x7000_0000, &header, 0x3000)
        .write();
    let process = Process::open(mapped.path(), Options::default(), &()).unwrap();
    let mut cursor = process.memory.cursor();
    let block = mapping::block_at(&process, &mut cursor, Layout { word: 8 }, Avma(0x7000_0110));
    let block = block.unwrap();
    assert_eq!((block.room, block.offset, block.state), (0x2ff0, 0x100, BlockState::Mapping));
}

#[test]
fn on_i386_the_header_of_a_mapping_is_further_in() {
    let mut header = vec![0; 0x1000];
    header[8..12].copy_from_slice(&8_u32.to_le_bytes());
    header[12..16].copy_from_slice(&0x2ffa_u32.to_le_bytes());
    let mapped = CoreBuilder::i386()
        .thread(1, &[("eip", 0x1000)])
        .segment(0x7000_0000, &header, 0x3000)
        .write();
    let process = Process::open(mapped.path(), Options::default(), &()).unwrap();
    let mut cursor = process.memory.cursor();
    let block = mapping::block_at(&process, &mut cursor, Layout { word: 4 }, Avma(0x7000_0110));
    let block = block.unwrap();
    assert_eq!((block.room, block.offset, block.state), (0x2ff0, 0x100, BlockState::Mapping));
}

#[test]
fn without_a_heap_there_is_none() {
    let core = CoreBuilder::x86_64().thread(1, &[("rip", 0x1000)]).write();
    let process = Process::open(core.path(), Options::default(), &()).unwrap();
    assert!(Heap::of(&process).is_none());
}
