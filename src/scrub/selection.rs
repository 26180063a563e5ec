//! Which memory a scrubbed core keeps, the most needed first.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::MOST;
use super::write::{PAGE, present};
use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::dump::AuxKind;
use obit_corefile::elf::SegmentKind;
use obit_ownership::is_c_library;
use obit_process::module::ModuleKind;
use obit_process::process::{Process, Thread};
use obit_redact::memory::Ranges;

/// Bytes below the stack pointer that belong to the running function (System V ABI AMD64
/// 3.2.2: 128), and as many again.
const RED_ZONE: u64 = 256;
/// Beyond this a stack is kept only as far as its frames go, and so are those of
/// goroutines, which lie in the heap.
const LONG_STACK: u64 = 16 << 20;
/// Bytes kept beyond the outermost frame of such a stack.
const BEYOND: u64 = 1 << 14;
/// Bytes at the top of a stack that control block, arguments and environment may take.
const TOP: u64 = 128 << 10;
/// Bytes around a thread pointer: control block and the first thread-local variables.
const THREAD_BLOCK: u64 = 2400;
/// Bytes of `struct link_map` and of the dynamic linker's own part behind it.
const LINK_MAP: u64 = 1200;
/// Bytes kept of what a word of a stack points at.
const WINDOW: u64 = 256;
/// Data of the runtime that tools list threads by; larger segments are the program's own.
const RUNTIME_DATA: u64 = 256 << 10;
/// A single read that is longer says nothing of what is needed.
const LONGEST_READ: u64 = 1 << 20;

/// Memory that is kept.
#[derive(Debug, Default)]
pub(super) struct Selection {
    /// Numbers of the pages.
    pub(super) pages: BTreeSet<u64>,
    /// What of them is wanted.
    pub(super) wanted: Ranges,
    /// What stays as it is.
    pub(super) plain: Ranges,
    /// What the analysis of the crash read.
    pub(super) facts: Ranges,
    /// Numbers that were read: start and length.
    pub(super) numbers: Vec<(u64, u64)>,
    /// Paths that stay but for people's names.
    pub(super) paths: Vec<(u64, u64)>,
}

/// Builds a [`Selection`].
pub(super) struct Selector<'p> {
    process: &'p Process,
    /// Thread pointers, by thread.
    blocks: HashMap<i64, u64>,
    /// Pages that may still be taken.
    room: u64,
    pages: BTreeSet<u64>,
    wanted: Vec<(u64, u64)>,
    plain: Vec<(u64, u64)>,
    paths: Vec<(u64, u64)>,
    facts: Vec<(u64, u64)>,
    numbers: BTreeSet<(u64, u64)>,
    is_cut: bool,
}

impl<'p> Selector<'p> {
    /// Nothing yet; `most` bytes at most.
    pub(super) fn new(process: &'p Process, most: u64) -> Self {
        let threads = process.dump.threads.iter();
        let blocks = threads.filter_map(|thread| Some((thread.tid, thread.thread_pointer?.0)));
        Self {
            process,
            blocks: blocks.collect(),
            room: most / PAGE,
            pages: BTreeSet::new(),
            wanted: Vec::new(),
            plain: Vec::new(),
            paths: Vec::new(),
            facts: Vec::new(),
            numbers: BTreeSet::new(),
            is_cut: false,
        }
    }

    /// No more than `most` bytes from now on, what was taken included.
    pub(super) fn limit(&mut self, most: u64) {
        self.room = (most / PAGE).saturating_sub(self.pages.len() as u64).min(self.room);
    }

    /// `most` bytes from now on, what was taken included.
    pub(super) fn allow(&mut self, most: u64) {
        self.room = (most / PAGE).saturating_sub(self.pages.len() as u64);
        self.is_cut = false;
    }

    /// Whether something had to be left out so far.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Bytes that are taken.
    pub(super) fn taken(&self) -> u64 {
        (self.pages.len() as u64).saturating_mul(PAGE)
    }

    /// What is chosen.
    pub(super) fn finish(self) -> Selection {
        Selection {
            pages: self.pages,
            wanted: Ranges::of(self.wanted),
            plain: Ranges::of(self.plain),
            facts: Ranges::of(self.facts),
            numbers: self.numbers.into_iter().collect(),
            paths: self.paths,
        }
    }

    /// Takes what of `[start, end)` is in the core; `false` if there was no room.
    fn take(&mut self, start: u64, end: u64) -> bool {
        let mut at = start;
        // No range that a core states is walked for longer than memory may be kept.
        let end = end.min(start.saturating_add(MOST));
        while at < end {
            let Some(segment) = self.process.dump.segment_at(Avma(at)) else {
                // The next page may be mapped again.
                at = (at / PAGE + 1).saturating_mul(PAGE);
                continue;
            };
            let held = segment.range.start.0.saturating_add(present(&self.process.dump, segment));
            let to = end.min(segment.range.end.0);
            let kept = to.min(held);
            for page in at / PAGE..kept.max(at).div_ceil(PAGE) {
                if self.pages.contains(&page) || at >= kept {
                    continue;
                }
                let Some(room) = self.room.checked_sub(1) else {
                    self.is_cut = true;
                    return false;
                };
                self.room = room;
                self.pages.insert(page);
            }
            if at < kept {
                self.wanted.push((at, kept));
            }
            at = to.max(at + 1);
        }
        true
    }

    /// What the analysis read, which makes the cause.
    pub(super) fn take_facts(&mut self, reads: &[AvmaRange]) {
        for read in reads.iter().filter(|read| read.len() <= LONGEST_READ) {
            self.facts.push((read.start.0, read.end.0));
        }
        self.take_reads(reads);
    }

    /// What was read of variables, numbers as numbers.
    pub(super) fn take_reads(&mut self, reads: &[AvmaRange]) {
        for read in reads.iter().filter(|read| read.len() <= LONGEST_READ) {
            let segment = self.process.dump.segment_at(read.start);
            if let Some(segment) = segment.filter(|_| self.is_of_image(read.start)) {
                // A part of a page of code would hide what its file has for the rest.
                let (start, end) = whole_pages(read, &segment.range);
                self.take_plain(start, end);
                self.take(end, read.end.0);
            } else if self.take(read.start.0, read.end.0) && matches!(read.len(), 1 | 2 | 4 | 8) {
                self.numbers.insert((read.start.0, read.len()));
            }
        }
    }

    /// The stack of the thread that crashed, innermost frames first.
    pub(super) fn take_crashed_stack(&mut self) {
        let process = self.process;
        self.take_stacks_of(process.threads.iter().filter(|thread| thread.crashed));
    }

    fn take_stacks_of<'t>(&mut self, threads: impl Iterator<Item = &'t Thread>) {
        for thread in threads {
            if let Some((start, end)) = self.stack_of(thread) {
                self.take(start, end);
            }
        }
    }

    /// The stack of each thread, and its control block.
    pub(super) fn take_stacks(&mut self) {
        let process = self.process;
        self.take_stacks_of(process.threads.iter());
        for thread in &process.dump.threads {
            if let Some(at) = thread.thread_pointer.filter(|at| at.0 != 0) {
                let block = (at.0.saturating_sub(THREAD_BLOCK), at.0.saturating_add(THREAD_BLOCK));
                self.take(block.0, block.1);
            }
        }
    }

    /// From the red zone below the stack pointer to the top of the mapping.
    fn stack_of(&self, thread: &Thread) -> Option<(u64, u64)> {
        let facts = self.process.dump.machine.facts()?;
        let sp = thread.registers.get(facts.sp)?;
        let segment = self.process.dump.segment_at(Avma(sp)).or_else(|| {
            // A stack overflow leaves the pointer in the guard below.
            self.process.dump.segment_at(Avma(sp.saturating_add(1 << 20)))
        })?;
        let (low, top) = (segment.range.start.0, segment.range.end.0);
        let start =
            sp.saturating_sub(RED_ZONE).max(low) / u64::from(facts.word) * u64::from(facts.word);
        let outermost = thread.stack.frames.iter().rev().find_map(|frame| frame.cfa);
        // glibc puts a thread's control block right below the top of its stack, the kernel the
        // program's path.
        let path = self.process.dump.auxv.get(AuxKind::ExecFn);
        let own = [path, self.blocks.get(&thread.tid).copied()];
        let at_top = top.saturating_sub(TOP).max(low)..top;
        let is_stack = own.iter().flatten().any(|at| at_top.contains(at));
        let is_long = top.saturating_sub(start) > LONG_STACK;
        let end = match outermost {
            Some(cfa) if is_long || (!is_stack && (start..top).contains(&cfa.0)) => {
                cfa.0.saturating_add(BEYOND).clamp(start, top)
            }
            _ => top,
        };
        Some((start, end))
    }

    /// What says which files were loaded where: their headers with the build ids, the
    /// dynamic linker's list, the vDSO, what the auxiliary vector names.
    pub(super) fn take_modules(&mut self) {
        let process = self.process;
        for file in process.dump.mapped_files.iter().filter(|file| file.offset == 0) {
            let start = file.range.start.0;
            let is_elf = process.memory.read_up_to(file.range.start, 4) == *b"\x7fELF";
            if is_elf && self.is_code_or_constant(start) {
                self.take_plain(start, start.saturating_add(PAGE).min(file.range.end.0));
            }
        }
        for module in process.modules.list() {
            if module.kind == ModuleKind::Vdso {
                self.take_plain(module.range.start.0, module.range.end.0);
            }
        }
        for kind in [3_u64, 15, 31, 33] {
            // AT_PHDR, AT_PLATFORM, AT_EXECFN, AT_SYSINFO_EHDR.
            let Some(at) = process.dump.auxv.get(kind) else { continue };
            match kind {
                3 if self.is_code_or_constant(at) => {
                    self.take_plain(at & !(PAGE - 1), (at & !(PAGE - 1)).saturating_add(PAGE));
                }
                15 | 31 => self.take_path(at),
                _ => {}
            }
        }
        // The kernel's own copy on the stack leads to the command line.
        if let Some(at) = process.auxiliary_vector_at() {
            let size = 2 * process.memory.word() * process.dump.auxv.entries().len();
            self.take_plain(at.0, at.0.saturating_add(size as u64));
        }
        // What the program was started as, `argv[0]`.
        // Programs write other things there: what they are busy with.
        let program = process.executable_path();
        if let Some(at) = process.program_name_at()
            && let Some(name) = process.memory.read_c_string(at, PAGE as usize)
            && let Some(file) = program.as_deref().and_then(std::path::Path::file_name)
            && name.split(|byte| *byte == b'/').next_back() == Some(file.as_encoded_bytes())
        {
            self.take_path(at.0);
        }
        self.take_link_map();
    }

    /// Whether nothing writes there, so that the bytes are a file's.
    fn is_code_or_constant(&self, at: u64) -> bool {
        self.process.dump.segment_at(Avma(at)).is_some_and(|segment| !segment.permissions.write)
    }

    /// Whether it is code or a constant of a program or a library.
    fn is_of_image(&self, at: Avma) -> bool {
        let is_image = || {
            let module = self.process.modules.module_at(at);
            module.is_some_and(|module| module.image.is_some())
        };
        self.is_code_or_constant(at.0) && is_image()
    }

    fn take_plain(&mut self, start: u64, end: u64) {
        if self.take(start, end) {
            self.plain.push((start, end));
        }
    }

    /// A path, a C string.
    fn take_path(&mut self, at: u64) {
        let Some(path) = self.process.memory.read_c_string(Avma(at), PAGE as usize) else { return };
        let end = at.saturating_add(path.len() as u64);
        if self.take(at, end.saturating_add(1)) {
            self.plain.push((at, end));
            self.paths.push((at, end));
        }
    }

    /// The name of a library, which stays if a file of this name was mapped. Any other is
    /// text like all text: the process may have written there what it liked.
    fn take_library(&mut self, at: u64) {
        let process = self.process;
        let Some(name) = process.memory.read_c_string(Avma(at), PAGE as usize) else { return };
        let base =
            |path: &[u8]| path.rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_vec();
        let is_library = name.windows(3).any(|part| part == b".so");
        let is_mapped = process.dump.mapped_files.iter().any(|file| {
            let path = file.path.as_os_str().as_encoded_bytes();
            let path = path.strip_suffix(b" (deleted)").unwrap_or(path);
            path == name || is_library && is_name_of(&base(&name), &base(path))
        });
        let is_vdso = name.starts_with(b"linux-") && !name.contains(&b'/');
        let is_unknown = process.dump.mapped_files.is_empty() || is_vdso;
        if is_mapped || is_library && is_unknown {
            self.take_path(at);
        } else {
            self.take(at, at.saturating_add(name.len() as u64).saturating_add(1));
        }
    }

    /// `r_debug` and the `link_map`s (`<link.h>`), from any node in both directions: the
    /// program's own and the vDSO's are no modules of the list.
    fn take_link_map(&mut self) {
        let process = self.process;
        let (memory, word) = (&process.memory, process.memory.word() as u64);
        let field = |at: u64, nth: u64| memory.read_word(Avma(at.checked_add(nth * word)?)).ok();
        let executable = process.modules.executable().and_then(|index| process.modules.get(index));
        if let Some(module) = executable
            && let Some(image) = &module.image
            && let Some(dynamic) = image.segments().iter().find(|s| s.kind == SegmentKind::Dynamic)
        {
            let start = module.to_avma(dynamic.vaddr).0;
            let end = start.saturating_add(dynamic.mem_size.min(PAGE));
            self.take_plain(start, end);
            let entries = (start..end).step_by(2 * word as usize);
            let debug = entries.take_while(|at| field(*at, 0) != Some(0));
            // DT_DEBUG.
            if let Some(at) = debug.into_iter().find(|at| field(*at, 0) == Some(21))
                && let Some(r_debug) = field(at, 1)
            {
                self.take_plain(r_debug, r_debug.saturating_add(5 * word));
            }
        }
        let linked = process.modules.list().iter().find_map(|module| module.linked);
        let Some(linked) = linked else { return };
        let mut seen = HashSet::new();
        for direction in [4, 3] {
            let mut at = linked.node.0;
            while at != 0 && seen.len() < process.limits.link_map_nodes {
                if !seen.insert((at, direction)) {
                    break;
                }
                if self.take(at, at.saturating_add(LINK_MAP)) {
                    self.plain.push((at, at.saturating_add(5 * word)));
                }
                if let Some(name) = field(at, 1) {
                    self.take_library(name);
                }
                at = field(at, direction).unwrap_or(0);
            }
        }
    }

    /// What the dynamic linker and the C library know of threads: debuggers list them by it.
    pub(super) fn take_runtime(&mut self) {
        let process = self.process;
        let is_runtime = |path: &std::path::Path| is_c_library(&path.to_string_lossy());
        let modules: Vec<_> = process.modules.list().iter().collect();
        let ranges = modules.iter().filter(|module| is_runtime(&module.path)).map(|m| m.range);
        let ranges: Vec<_> = ranges.collect();
        for segment in &process.dump.segments {
            let range = segment.range;
            let inside = ranges.iter().any(|runtime| {
                // Data without content in the file follow the mapping.
                range.start <= runtime.end && runtime.start < range.end
            });
            if inside && segment.permissions.write && range.len() <= RUNTIME_DATA {
                self.take(range.start.0, range.end.0);
            }
        }
    }

    /// What words of stacks and registers point at, in memory that was written.
    pub(super) fn take_windows(&mut self) {
        let process = self.process;
        let word = process.memory.word();
        let mut targets = BTreeSet::new();
        for thread in &process.threads {
            let registers = (0..=63).map(obit_corefile::arch::Register);
            targets.extend(registers.filter_map(|register| thread.registers.get(register)));
            let Some((start, end)) = self.stack_of(thread) else { continue };
            let bytes = process.memory.read_up_to(Avma(start), (end - start).min(1 << 20) as usize);
            targets.extend(bytes.chunks_exact(word).map(|bytes| process.memory.unsigned(bytes)));
        }
        for at in targets {
            let segment = process.dump.segment_at(Avma(at));
            let is_data = segment.is_some_and(|segment| segment.permissions.write);
            if is_data && !self.take(at.saturating_sub(16), at.saturating_add(WINDOW)) {
                return;
            }
        }
    }
}

/// The pages of `segment` that `read`, which begins in it, touches: what lies behind the segment
/// may be the process' own.
fn whole_pages(read: &AvmaRange, segment: &AvmaRange) -> (u64, u64) {
    let end = read.end.0.checked_next_multiple_of(PAGE).unwrap_or(u64::MAX);
    let start = (read.start.0 / PAGE * PAGE).max(segment.start.0);
    (start, end.min(segment.end.0))
}

/// Whether `name` is what the file `mapped` is linked as: `libz.so.1` of `libz.so.1.2.13`.
fn is_name_of(name: &[u8], mapped: &[u8]) -> bool {
    mapped.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"."))
}

#[cfg(test)]
mod tests {
    use super::{AvmaRange, is_name_of, whole_pages};
    use obit_corefile::addr::Avma;

    #[test]
    fn pages_that_are_kept_whole_end_with_their_segment() {
        let range = |start, end| AvmaRange { start: Avma(start), end: Avma(end) };
        let code = range(0x40_1000, 0x40_3000);
        assert_eq!(whole_pages(&range(0x40_1010, 0x40_1018), &code), (0x40_1000, 0x40_2000));
        assert_eq!(whole_pages(&range(0x40_2ff8, 0x40_3010), &code), (0x40_2000, 0x40_3000));
        assert_eq!(whole_pages(&range(0x40_2ff8, u64::MAX), &code), (0x40_2000, 0x40_3000));
    }

    #[test]
    fn a_library_is_linked_by_a_name_that_its_file_continues() {
        for (name, mapped, is_of) in [
            ("libz.so.1", "libz.so.1.2.13", true),
            ("libz.so.1", "libz.so.1", true),
            ("libz.so.1", "libz.so.12", false),
            ("libz.so.1", "libzstd.so.1", false),
            ("libsecret.so.9", "libz.so.1", false),
        ] {
            assert_eq!(is_name_of(name.as_bytes(), mapped.as_bytes()), is_of, "{name} {mapped}");
        }
    }
}
