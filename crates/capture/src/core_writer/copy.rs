//! Copies memory of a process into the file, in pieces, by several threads: the process is
//! stopped as long as this takes.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Bytes read at a time.
const PIECE: u64 = 1 << 20;
/// Threads that copy. Reading `/proc/PID/mem` is bound by the kernel's copying, page by page.
const MOST_THREADS: usize = 4;
/// Below this, one thread is as quick.
const WORTH_THREADS: u64 = 16 << 20;

/// A part of memory that goes into the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) addresses: Range<u64>,
    /// Where its first byte lies in the file.
    pub(super) offset: u64,
}

impl Run {
    fn length(&self) -> u64 {
        self.addresses.end.saturating_sub(self.addresses.start)
    }
}

/// Bytes that went into the file, and that did not fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Copied {
    pub(super) written: u64,
    pub(super) left_out: u64,
    /// The memory was gone before the end: the process was killed.
    pub(super) is_cut: bool,
}

/// From where to where, and how much.
pub(super) struct Copy<'f> {
    /// `/proc/PID/mem`.
    memory: &'f File,
    out: &'f File,
    page: usize,
    /// Bytes that may be written.
    most: u64,
    written: AtomicU64,
    left_out: AtomicU64,
    is_full: AtomicBool,
    is_gone: AtomicBool,
}

impl<'f> Copy<'f> {
    pub(super) fn new(memory: &'f File, out: &'f File, page: u64, most: u64) -> Self {
        Self {
            memory,
            out,
            page: usize::try_from(page).unwrap_or(4096),
            most,
            written: AtomicU64::new(0),
            left_out: AtomicU64::new(0),
            is_full: AtomicBool::new(false),
            is_gone: AtomicBool::new(false),
        }
    }

    /// Copies `runs`, the first ones first. Pages of zeros, and those that cannot be read, stay
    /// holes. An error is one of writing.
    pub(super) fn run(self, runs: &[Run]) -> io::Result<Copied> {
        let total = runs.iter().fold(0_u64, |sum, run| sum.saturating_add(run.length()));
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let threads = if total < WORTH_THREADS { 1 } else { processors.min(MOST_THREADS) };
        let pieces = Mutex::new(runs.iter().flat_map(pieces));
        let next = || pieces.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || -> io::Result<()> {
            let mut buffer = vec![0; usize::try_from(PIECE).unwrap_or(1 << 20)];
            while let Some(piece) = next() {
                self.piece(&piece, &mut buffer)?;
            }
            Ok(())
        };
        thread::scope(|scope| {
            // One that cannot be started (RLIMIT_NPROC, pids.max) leaves its work to the others.
            let workers: Vec<_> = (1..threads)
                .map_while(|_| thread::Builder::new().spawn_scoped(scope, work).ok())
                .collect();
            let own = work();
            let results = workers.into_iter().map(|worker| {
                worker.join().unwrap_or_else(|_| Err(io::Error::other("a thread panicked")))
            });
            results.chain([own]).collect::<io::Result<Vec<()>>>().map(drop)
        })?;
        Ok(Copied {
            written: self.written.into_inner(),
            left_out: self.left_out.into_inner(),
            is_cut: self.is_gone.into_inner(),
        })
    }

    fn piece(&self, piece: &Run, buffer: &mut [u8]) -> io::Result<()> {
        if self.is_full.load(Ordering::Relaxed) || self.is_gone.load(Ordering::Relaxed) {
            self.left_out.fetch_add(piece.length(), Ordering::Relaxed);
            return Ok(());
        }
        let length = usize::try_from(piece.length()).unwrap_or(usize::MAX);
        let mut at = 0_usize;
        while at < length {
            let address = piece.addresses.start.saturating_add(at as u64);
            let room = buffer.get_mut(at..length).unwrap_or_default();
            match self.memory.read_at(room, address) {
                Ok(count @ 1..) => {
                    let bytes = buffer.get(at..at.saturating_add(count)).unwrap_or_default();
                    self.write(bytes, piece.offset.saturating_add(at as u64))?;
                    at = at.saturating_add(count);
                }
                // The kernel gives nothing of memory that is gone: the process was killed.
                Ok(_) => {
                    self.is_gone.store(true, Ordering::Relaxed);
                    let rest = length.saturating_sub(at) as u64;
                    self.left_out.fetch_add(rest, Ordering::Relaxed);
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // This page cannot be read (EIO, EFAULT); the next ones may be.
                Err(_) => at = at.saturating_add(1).next_multiple_of(self.page),
            }
        }
        Ok(())
    }

    /// Writes what is not zero, in runs of pages.
    fn write(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut rest = bytes;
        let mut at = offset;
        while !rest.is_empty() {
            let is_zero = |page: &&[u8]| page.iter().all(|byte| *byte == 0);
            let zeros = length_while(rest, self.page, |page| is_zero(&page));
            let (_, after) = rest.split_at_checked(zeros).unwrap_or((rest, &[]));
            at = at.saturating_add(zeros as u64);
            let used = length_while(after, self.page, |page| !is_zero(&page));
            let (used, after) = after.split_at_checked(used).unwrap_or((after, &[]));
            if !used.is_empty() {
                self.write_used(used, at)?;
                at = at.saturating_add(used.len() as u64);
            }
            rest = after;
        }
        Ok(())
    }

    fn write_used(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let length = bytes.len() as u64;
        let taken = self.written.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |written| {
            written.checked_add(length).filter(|sum| *sum <= self.most)
        });
        if taken.is_err() {
            self.is_full.store(true, Ordering::Relaxed);
            self.left_out.fetch_add(length, Ordering::Relaxed);
            return Ok(());
        }
        self.out.write_all_at(bytes, offset)
    }
}

/// Bytes of the pages at the start that are all as `is_wanted` says.
fn length_while(bytes: &[u8], page: usize, is_wanted: impl Fn(&[u8]) -> bool) -> usize {
    bytes.chunks(page).take_while(|page| is_wanted(page)).map(<[u8]>::len).sum()
}

/// A run in pieces that are read at once.
fn pieces(run: &Run) -> impl Iterator<Item = Run> {
    let run = run.clone();
    let count = run.length().div_ceil(PIECE);
    (0..count).map(move |nth| {
        let skipped = nth.saturating_mul(PIECE);
        let start = run.addresses.start.saturating_add(skipped);
        let end = start.saturating_add(PIECE).min(run.addresses.end);
        Run { addresses: start..end, offset: run.offset.saturating_add(skipped) }
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    const PAGE: u64 = 4096;

    /// A file that stands for memory: `pages` of it, each filled with its number.
    fn memory(pages: u64) -> File {
        let file = tempfile::tempfile().unwrap();
        for page in 0..pages {
            let byte = u8::try_from(page % 256).unwrap();
            file.write_all_at(&[byte; PAGE as usize], page * PAGE).unwrap();
        }
        file
    }

    fn run(addresses: Range<u64>, offset: u64) -> Run {
        Run { addresses, offset }
    }

    #[test]
    fn pages_of_zeros_are_holes_and_everything_else_is_where_it_belongs() {
        let (memory, out) = (memory(256), tempfile::tempfile().unwrap());
        let runs = [run(0..3 * PAGE, PAGE), run(255 * PAGE..256 * PAGE, 16 * PAGE)];
        let copied = Copy::new(&memory, &out, PAGE, u64::MAX).run(&runs).unwrap();
        assert_eq!(copied, Copied { written: 3 * PAGE, left_out: 0, is_cut: false });
        let byte_at = |offset: u64| {
            let mut byte = [9];
            out.read_exact_at(&mut byte, offset).unwrap();
            byte[0]
        };
        assert_eq!([0, 1, 2].map(|page| byte_at((page + 1) * PAGE)), [0, 1, 2]);
        assert_eq!(byte_at(16 * PAGE), 255);
        assert!(out.metadata().unwrap().blocks() * 512 <= 4 * PAGE);
    }

    #[test]
    fn what_does_not_fit_is_counted_and_what_comes_first_is_kept() {
        let (memory, out) = (memory(8), tempfile::tempfile().unwrap());
        let runs = [run(4 * PAGE..6 * PAGE, 0), run(PAGE..4 * PAGE, 2 * PAGE)];
        let copied = Copy::new(&memory, &out, PAGE, 2 * PAGE).run(&runs).unwrap();
        assert_eq!(copied, Copied { written: 2 * PAGE, left_out: 3 * PAGE, is_cut: false });
    }

    #[test]
    fn many_threads_copy_the_same_as_one() {
        let pages = WORTH_THREADS / PAGE + 300;
        let (memory, out) = (memory(pages), tempfile::tempfile().unwrap());
        let all = [run(0..pages * PAGE, 0)];
        Copy::new(&memory, &out, PAGE, u64::MAX).run(&all).unwrap();
        for page in [1, 255, 257, 4095, pages - 1] {
            let mut byte = [0];
            out.read_exact_at(&mut byte, page * PAGE + 17).unwrap();
            assert_eq!(u64::from(byte[0]), page % 256);
        }
    }

    #[test]
    fn memory_that_is_gone_is_counted_and_known() {
        let (memory, out) = (memory(2), tempfile::tempfile().unwrap());
        let runs = [run(PAGE..2 * PAGE, 0), run(64 * PAGE..128 * PAGE, PAGE)];
        let copied = Copy::new(&memory, &out, PAGE, u64::MAX).run(&runs).unwrap();
        assert_eq!(copied, Copied { written: PAGE, left_out: 64 * PAGE, is_cut: true });
    }
}
