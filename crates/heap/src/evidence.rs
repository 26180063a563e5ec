//! What readers of allocators share: variables of modules, storage of threads, records at odds.

use std::collections::BTreeMap;

use crate::census::{Answer, Doubt};
use obit_corefile::addr::{Avma, AvmaRange};
use obit_process::module::ModuleKind;
use obit_process::process::Process;

/// Bytes of a module's read-only data that are searched for a text.
const TEXT_BYTES: usize = 64 << 20;
/// Thread-local storage of all modules together is looked for so far below the thread pointer.
const STORAGE_BYTES: u64 = 1 << 20;

/// The variables of a module: memory that can be written, joined where nothing lies between.
pub(crate) fn variables(process: &Process, module: usize) -> Vec<AvmaRange> {
    let Some(module) = process.modules.get(module) else { return Vec::new() };
    let mut ranges: Vec<AvmaRange> = Vec::new();
    for region in process.memory.regions() {
        if !region.permissions.write
            || region.range.end <= module.range.start
            || region.range.start >= module.range.end
        {
            continue;
        }
        let start = region.range.start.max(module.range.start);
        let end = region.range.end.min(module.range.end);
        match ranges.last_mut() {
            Some(last) if last.end == start => last.end = end,
            _ => ranges.push(AvmaRange { start, end }),
        }
    }
    ranges
}

/// What `find` makes of the first place of `mark` in a module's read-only data for which it
/// makes something: it is given the bytes from the mark on.
pub(crate) fn text<T>(
    process: &Process,
    module: usize,
    mark: &[u8],
    find: impl Fn(&[u8]) -> Option<T>,
) -> Option<T> {
    let module = process.modules.get(module)?;
    let (first, mut left) = (*mark.first()?, TEXT_BYTES);
    let regions = process.memory.regions().iter().filter(|region| {
        !region.permissions.write
            && !region.permissions.execute
            && module.range.contains(region.range.start)
    });
    for region in regions {
        let size = usize::try_from(region.range.len()).unwrap_or(usize::MAX).min(left);
        left = left.saturating_sub(size);
        let bytes = process.memory.peek_up_to(region.range.start, size);
        let mut rest = bytes.as_slice();
        while let Some(at) = rest.iter().position(|byte| *byte == first) {
            rest = rest.get(at..).unwrap_or_default();
            if rest.starts_with(mark)
                && let Some(found) = find(rest)
            {
                return Some(found);
            }
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    None
}

/// By what an allocator is known in a module whose structures say nothing.
pub(crate) struct Marks {
    /// A part of the name of its library.
    pub(crate) file: &'static str,
    /// Functions of a program that it is linked into.
    pub(crate) functions: &'static [&'static str],
}

/// Allocators that are known by name alone.
const OTHERS: [(&str, Marks); 2] = [
    ("mimalloc", Marks { file: "mimalloc", functions: &["mi_malloc"] }),
    ("musl", Marks { file: "ld-musl", functions: &["__malloc_alloc_meta", "__bin_chunk"] }),
];
const NO_READER: &str = "its structures are not known";

/// Whether the allocator is in a module.
pub(crate) fn is_in(process: &Process, module: usize, marks: &Marks) -> bool {
    let Some(known) = process.modules.get(module) else { return false };
    let path = known.path.to_string_lossy();
    if path.rsplit('/').next().is_some_and(|file| file.contains(marks.file)) {
        return true;
    }
    known.kind == ModuleKind::Executable
        && process.modules.debug(module).is_some_and(|debug| {
            marks.functions.iter().any(|name| debug.function_named(name).is_some())
        })
}

/// The allocators in `process` that are not read.
pub(crate) fn not_read(process: &Process) -> Vec<Answer> {
    let is_there = |marks: &Marks| {
        let mut modules = process.modules.list().iter().enumerate();
        modules.any(|(module, _)| is_in(process, module, marks))
    };
    let all = OTHERS.iter().filter(|(_, marks)| is_there(marks));
    all.map(|(name, _)| Answer::NotRead(name, NO_READER)).collect()
}

/// The thread-local storage of the modules that were there at the start, which ends at the thread
/// pointer (psABI of x86_64); none for a thread without one.
pub(crate) fn storage(process: &Process) -> Vec<(i64, Option<AvmaRange>)> {
    let threads = process.dump.threads.iter().map(|thread| {
        let range = thread.thread_pointer.and_then(|end| {
            let whole = process.memory.range_at(end)?;
            let start = Avma(end.0.saturating_sub(STORAGE_BYTES)).max(whole.start);
            Some(AvmaRange { start, end })
        });
        (thread.tid, range)
    });
    threads.collect()
}

/// The words of a range, as far as it is there.
pub(crate) fn words(process: &Process, range: AvmaRange) -> Vec<u64> {
    let size = usize::try_from(range.len()).unwrap_or(0);
    let bytes = process.memory.read_up_to(range.start, size);
    bytes.chunks_exact(8).map(|word| process.memory.unsigned(word)).collect()
}

/// Records that are at odds, each kind once.
#[derive(Debug, Default)]
pub(crate) struct AtOdds(BTreeMap<&'static str, (u64, u64)>);

impl AtOdds {
    pub(crate) fn add(&mut self, what: &'static str, at: u64) {
        let entry = self.0.entry(what).or_insert((at, 0));
        entry.1 = entry.1.saturating_add(1);
    }

    pub(crate) fn doubts(self, allocator: &'static str) -> Vec<Doubt> {
        let all = self.0.into_iter();
        all.map(|(what, (at, times))| Doubt::AtOdds { allocator, what, at: Avma(at), times })
            .collect()
    }
}
