//! glibc's arenas (`struct malloc_state`), found by what they hold: the C library's own
//! symbols are stripped, and its version is not asked for.
//!
//! The lists of free chunks (`bins`) are a landmark: of 127 heads most are empty, and an
//! empty one points at itself. All else lies at fixed distances from them: the top chunk
//! two words before, before that the fastbins; behind them a bit map of 16 bytes and the
//! next arena.

use super::chunk::Layout;
use obit_corefile::addr::Avma;
use obit_corefile::dump::AuxKind;
use obit_corefile::elf::SegmentKind;
use obit_corefile::memory::Cursor;
use obit_process::module::{Module, ModuleKind};
use obit_process::process::Process;

/// List heads of an arena (`NBINS` - 1).
const HEADS: u64 = 127;
/// Empty heads that are asked for: programs use some dozens of sizes.
const MOST_IN_USE: u64 = 100;
/// Bytes of `binmap`.
const MAP_BYTES: u64 = 16;
/// Bytes of a library's data that are searched. glibc has 70 KiB.
const DATA_BYTES: u64 = 4 << 20;
/// Arenas that are followed: eight for each processor at most.
const MOST_ARENAS: usize = 4096;

/// One arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arena {
    /// Its address.
    pub(super) at: u64,
    /// `bins`: two words a head.
    pub(super) bins: u64,
    /// `top`: the chunk that new ones are cut from.
    pub(super) top: u64,
    /// `system_mem`: bytes that it took from the kernel.
    pub(super) system_bytes: u64,
    /// First byte behind it.
    pub(super) end: u64,
    /// Whether it is `main_arena`, whose chunks lie above the program's data.
    pub(super) is_main: bool,
}

impl Arena {
    /// Lists of the smallest chunks.
    pub(super) fn fastbins(layout: Layout) -> u64 {
        if layout.word == 4 { 11 } else { 10 }
    }

    /// The words of fastbin number `nth`.
    pub(super) fn fastbin(&self, layout: Layout, nth: u64) -> u64 {
        let back = Self::fastbins(layout).saturating_sub(nth).saturating_add(2);
        self.bins.wrapping_sub(back.wrapping_mul(layout.word))
    }

    /// Head number `nth` as if it were a chunk: `bin_at`, counted from 0 here.
    pub(super) fn head(&self, layout: Layout, nth: u64) -> u64 {
        head(self.bins, layout, nth)
    }

    /// All list heads, of any bin.
    pub(super) fn heads() -> u64 {
        HEADS
    }

    /// Whether `at` is a list head, as free chunks point at it.
    pub(super) fn holds_head(&self, layout: Layout, at: u64) -> bool {
        let first = self.head(layout, 0);
        let pair = layout.word.saturating_mul(2);
        let into = at.wrapping_sub(first);
        into < HEADS.saturating_mul(pair) && into.is_multiple_of(pair)
    }

    /// The arena of these bins, whose address is `before` bytes before its fastbins.
    fn at_bins(
        cursor: &mut Cursor<'_>,
        layout: Layout,
        bins: u64,
        before: u64,
        is_main: bool,
    ) -> Option<Self> {
        let word = layout.word;
        let back = Self::fastbins(layout).saturating_add(2).saturating_mul(word);
        let after = bins.checked_add(after_bins(layout))?;
        let mut read = |at: u64| cursor.read_word(Avma(at)).ok();
        // next, next_free, since 2.23 attached_threads, system_mem, max_system_mem.
        let third = read(after.checked_add(word.saturating_mul(2))?)?;
        let fourth = read(after.checked_add(word.saturating_mul(3))?)?;
        let is_old = third != 0 && third.is_multiple_of(4096) && third <= fourth;
        let (system_bytes, words) = if is_old { (third, 4_u64) } else { (fourth, 5) };
        let end = after.checked_add(word.saturating_mul(words))?;
        Some(Self {
            at: bins.checked_sub(back)?.checked_sub(before)?,
            bins,
            top: read(bins.checked_sub(word.saturating_mul(2))?)?,
            system_bytes,
            end,
            is_main,
        })
    }
}

/// Bytes from `bins` to `next`.
fn after_bins(layout: Layout) -> u64 {
    HEADS.saturating_mul(2).saturating_mul(layout.word).saturating_add(MAP_BYTES)
}

fn head(bins: u64, layout: Layout, nth: u64) -> u64 {
    layout.chunk(bins.wrapping_add(nth.wrapping_mul(2).wrapping_mul(layout.word)))
}

/// All arenas, the main one first; empty where there is no glibc or its heap was not used.
pub(super) fn arenas(process: &Process, cursor: &mut Cursor<'_>, layout: Layout) -> Vec<Arena> {
    let Some(bins) = main_bins(process, cursor, layout) else { return Vec::new() };
    from_bins(cursor, layout, bins)
}

/// The arena of these bins and those it is linked with.
pub(super) fn from_bins(cursor: &mut Cursor<'_>, layout: Layout, bins: u64) -> Vec<Arena> {
    // Before the fastbins lie a lock, flags and, since 2.27, `have_fastchunks`.
    [16, 12, 8]
        .into_iter()
        .find_map(|before| ring(cursor, layout, bins, before))
        .unwrap_or_default()
}

/// The ring of arenas, if it is one.
fn ring(cursor: &mut Cursor<'_>, layout: Layout, bins: u64, before: u64) -> Option<Vec<Arena>> {
    let first = Arena::at_bins(cursor, layout, bins, before, true)?;
    let into = bins.wrapping_sub(first.at);
    let mut found = vec![first];
    while found.len() < MOST_ARENAS {
        let next = found.last()?.bins.checked_add(after_bins(layout))?;
        let next = cursor.read_word(Avma(next)).ok()?;
        if next == first.at {
            return Some(found);
        }
        let bins = next.checked_add(into)?;
        found.push(Arena::at_bins(cursor, layout, bins, before, false)?);
    }
    None
}

/// The module that holds the allocator: the C library, or a static program.
pub(super) fn library(process: &Process) -> Option<usize> {
    let list = process.modules.list();
    let is_libc = |module: &Module| {
        let names = [Some(&module.path), module.linked_as.as_ref()];
        let mut files = names.into_iter().flatten().filter_map(|path| path.file_name());
        files.any(|file| {
            let name = file.as_encoded_bytes();
            name.starts_with(b"libc.so") || name.starts_with(b"libc-2")
        })
    };
    list.iter().position(is_libc).or_else(|| {
        let program = process.modules.executable()?;
        let is_static = match list.get(program)?.image.as_ref() {
            Some(image) => image.segments().iter().all(|s| s.kind != SegmentKind::Interp),
            // The kernel reports where it loaded the interpreter.
            None => process.dump.auxv.get(AuxKind::Base).unwrap_or(0) == 0,
        };
        is_static.then_some(program)
    })
}

fn main_bins(process: &Process, cursor: &mut Cursor<'_>, layout: Layout) -> Option<u64> {
    let found = in_data(process, layout, |start, words| find_bins(words, start, cursor, layout));
    found.or_else(|| {
        let number = library(process)?;
        by_symbol(process, number, process.modules.get(number)?, cursor, layout)
    })
}

/// What `find` finds in the variables of the module that holds the allocator: words, and where
/// they begin.
pub(super) fn in_data<T>(
    process: &Process,
    layout: Layout,
    mut find: impl FnMut(u64, &[u64]) -> Option<T>,
) -> Option<T> {
    let module = process.modules.get(library(process)?)?;
    let inside = process.memory.regions().iter().filter(|region| {
        region.permissions.write
            && region.range.start < module.range.end
            && module.range.start < region.range.end
    });
    let mut left = DATA_BYTES;
    for region in inside {
        let start = region.range.start.max(module.range.start);
        let end = region.range.end.min(module.range.end);
        let size = end.0.saturating_sub(start.0).min(left);
        left = left.saturating_sub(size);
        let bytes = process.memory.read_up_to(start, usize::try_from(size).unwrap_or(0));
        let size = usize::try_from(layout.word).ok()?;
        let words: Vec<u64> =
            bytes.chunks_exact(size).map(|word| process.memory.unsigned(word)).collect();
        if let Some(found) = find(start.0, &words) {
            return Some(found);
        }
    }
    None
}

/// With heads that were overwritten: where the linker says that the arena is.
fn by_symbol(
    process: &Process,
    number: usize,
    module: &Module,
    cursor: &mut Cursor<'_>,
    layout: Layout,
) -> Option<u64> {
    // A debug file would have to be searched for; a static program has its own symbols.
    if module.kind != ModuleKind::Executable {
        return None;
    }
    let at = module.to_avma(process.modules.debug(number)?.datum_named("main_arena")?);
    let words = Arena::fastbins(layout).saturating_add(2).saturating_mul(layout.word);
    [16, 12, 8].into_iter().find_map(|before| {
        let bins = at.0.checked_add(before)?.checked_add(words)?;
        let heads = (0..HEADS).filter(|nth| is_empty(cursor, layout, bins, *nth)).count();
        (heads > 0).then_some(bins)
    })
}

fn is_empty(cursor: &mut Cursor<'_>, layout: Layout, bins: u64, nth: u64) -> bool {
    let head = head(bins, layout, nth);
    let at = layout.user(head);
    let mut holds = |at: u64| cursor.read_word(Avma(at)).ok() == Some(head);
    holds(at) && holds(at.wrapping_add(layout.word))
}

/// Where the 127 heads begin among `words`, which lie at `start`.
pub(super) fn find_bins(
    words: &[u64],
    start: u64,
    cursor: &mut Cursor<'_>,
    layout: Layout,
) -> Option<u64> {
    let word = layout.word;
    let address = |index: usize| start.wrapping_add((index as u64).wrapping_mul(word));
    let mut index = 0;
    while let Some([first, second]) = words.get(index..).and_then(|rest| rest.first_chunk()) {
        let at = address(index);
        if first != second || *first != layout.chunk(at) {
            index = index.saturating_add(1);
            continue;
        }
        // The first empty head. Back over those with chunks, then on to the last.
        let pair = word.saturating_mul(2);
        let mut empty = 0_u64;
        let mut bins = at;
        while at.wrapping_sub(bins) < HEADS.saturating_mul(pair)
            && is_linked(cursor, layout, bins.wrapping_sub(pair))
        {
            bins = bins.wrapping_sub(pair);
        }
        let mut count = 0;
        while count < HEADS {
            if is_empty(cursor, layout, bins, count) {
                empty = empty.saturating_add(1);
            } else {
                let entry = layout.user(head(bins, layout, count));
                if !is_linked(cursor, layout, entry) {
                    break;
                }
            }
            count = count.saturating_add(1);
        }
        if count == HEADS && empty >= HEADS.saturating_sub(MOST_IN_USE) {
            return Some(bins);
        }
        index = index.saturating_add(2);
    }
    None
}

/// Whether the head whose words lie at `entry` begins a list that leads back to it from
/// both sides.
fn is_linked(cursor: &mut Cursor<'_>, layout: Layout, entry: u64) -> bool {
    let head = layout.chunk(entry);
    let mut read = |at: u64| cursor.read_word(Avma(at)).ok();
    let links = read(entry).zip(read(entry.wrapping_add(layout.word)));
    let Some((forward, back)) = links else { return false };
    let comes_back = |chunk: u64, word: u64| layout.user(chunk).wrapping_add(word);
    layout.is_aligned(forward)
        && layout.is_aligned(back)
        && read(comes_back(forward, layout.word)) == Some(head)
        && read(comes_back(back, 0)) == Some(head)
}
