//! A heap that is made by hand.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use obit_corefile::testkit::{CoreBuilder, CoreFile};

/// A static program whose data page holds `main_arena`, and its heap.
pub(crate) const PROGRAM: u64 = 0x40_0000;
pub(crate) const DATA: u64 = 0x40_2000;
pub(crate) const ARENA: u64 = DATA + 0x40;
pub(crate) const TOP: u64 = ARENA + 96;
pub(crate) const BINS: u64 = ARENA + 112;
pub(crate) const NEXT: u64 = BINS + 254 * 8 + 16;
/// The counts of `malloc_par` (since 2.35).
pub(crate) const COUNTS: u64 = DATA + 0xa00;
pub(crate) const HEAP: u64 = 0x5555_0000_0000;
pub(crate) const HEAP_BYTES: u64 = 0x2000;
/// The first chunk behind the cache.
pub const FIRST: u64 = HEAP + 0x290;

/// Words of memory by their addresses.
pub struct Memory {
    data: Vec<u8>,
    heap: Vec<u8>,
}

impl Memory {
    /// A heap of chunks of these sizes in use, one after the other, then the top chunk; no
    /// freed chunk.
    pub fn with_chunks(sizes: &[u64]) -> Self {
        let mut memory = Self { data: vec![0; 0x1000], heap: vec![0; HEAP_BYTES as usize] };
        for nth in 0..127 {
            let head = BINS + nth * 16 - 16;
            memory.put(head + 16, head);
            memory.put(head + 24, head);
        }
        memory.put(NEXT, ARENA);
        memory.put(NEXT + 24, HEAP_BYTES);
        // n_mmaps_max, sbrk_base.
        memory.put(COUNTS + 8, 65536);
        memory.put(COUNTS + 40, HEAP);
        memory.put(HEAP + 8, 0x291);
        let mut at = FIRST;
        for size in sizes {
            memory.put(at + 8, size | 1);
            at += size;
        }
        memory.put(at + 8, (HEAP + HEAP_BYTES - at) | 1);
        memory.put(TOP, at);
        memory
    }

    /// Puts a word.
    pub fn put(&mut self, at: u64, value: u64) {
        let (bytes, start) =
            if at >= HEAP { (&mut self.heap, HEAP) } else { (&mut self.data, DATA) };
        let into = usize::try_from(at - start).unwrap();
        bytes[into..into + 8].copy_from_slice(&value.to_le_bytes());
    }

    /// The list of the cache for chunks of `size` begins with `user`, and has no other.
    pub fn cache(&mut self, size: u64, user: u64) {
        let nth = (size - 0x20) / 16;
        self.put(HEAP + 16 + 128 + nth * 8, user);
        let count = usize::try_from(HEAP + 16 + nth * 2 - HEAP).unwrap();
        self.heap[count] = 1;
    }

    /// The core of a program with this heap.
    pub fn core(&self) -> CoreFile {
        self.builder().write()
    }

    /// A program without an interpreter, one page of code and one of data.
    pub(crate) fn builder(&self) -> CoreBuilder {
        let mut image = b"\x7fELF\x02\x01\x01".to_vec();
        image.resize(16, 0);
        let header = [(2, 2), (62, 2), (1, 4), (PROGRAM + 0x1000, 8), (64, 8), (0, 8), (0, 4)];
        let counts = [(64, 2), (56, 2), (2, 2), (0, 2), (0, 2), (0, 2)];
        let segment = |flags: u64, offset: u64, size: u64| {
            let vaddr = PROGRAM + offset;
            [
                (1, 4),
                (flags, 4),
                (offset, 8),
                (vaddr, 8),
                (vaddr, 8),
                (size, 8),
                (size, 8),
                (0x1000, 8),
            ]
        };
        let fields = header.into_iter().chain(counts);
        let fields = fields.chain(segment(5, 0, 0x2000)).chain(segment(6, 0x2000, 0x1000));
        for (value, size) in fields {
            image.extend(&u64::to_le_bytes(value)[..size]);
        }
        CoreBuilder::x86_64()
            .signal(11)
            .thread(1, &[("rip", PROGRAM + 0x1000)])
            .auxv(&[(3, PROGRAM + 64), (9, PROGRAM + 0x1000)])
            .files(&[(PROGRAM, PROGRAM + 0x2000, 0, "/p"), (DATA, DATA + 0x1000, 0x2000, "/p")])
            .segment_with(PROGRAM, &image, 0x2000, "rx")
            .segment(DATA, &self.data, 0x1000)
            .segment(HEAP, &self.heap, HEAP_BYTES)
    }
}
