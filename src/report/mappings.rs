//! From the address space to the list of what was mapped.

use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;

use super::Hex;
use super::memory::{MemoryReport, RangeKind, RangeReport, StackReport};
use obit_corefile::addr::Avma;
use obit_corefile::memory::{Permissions, Region};
use obit_process::module::ModuleKind;
use obit_process::process::Process;
use obit_redact::{Origin, Redactor, Shown};

/// Ranges that are listed.
const MOST_RANGES: usize = 512;
/// Stacks that are listed.
const MOST_STACKS: usize = 1024;
/// Bytes behind the program within which the kernel puts the break: at most 1 GiB, on
/// aarch64 (`arch_randomize_brk`).
const BREAK: u64 = 1 << 30;

/// What of the address space may be shown.
pub(super) fn memory(process: &Process, redactor: &mut Redactor) -> MemoryReport {
    let stacks = stacks(process);
    let mut whose = HashMap::new();
    for stack in &stacks {
        whose.entry(stack.start.0).or_insert(stack.thread);
    }
    let mut mapped = Mapped { process, whose, heap: None, paths: HashMap::new(), redactor };
    mapped.heap = mapped.find_break();
    let mut ranges: Vec<RangeReport> = Vec::new();
    for region in process.memory.regions().iter().filter(|region| !region.range.is_empty()) {
        let range = mapped.range(region);
        match ranges.last_mut().filter(|last| continues(last, &range)) {
            Some(last) => {
                last.size = last.size.saturating_add(range.size);
                last.in_core = last.in_core.saturating_add(range.in_core);
            }
            None => ranges.push(range),
        }
    }
    let omitted = ranges.len().saturating_sub(MOST_RANGES);
    if omitted > 0 {
        ranges.sort_by_key(|range| std::cmp::Reverse(range.size));
        ranges.truncate(MOST_RANGES);
        ranges.sort_by_key(|range| range.start);
    }
    MemoryReport { ranges, omitted: omitted as u64, stacks }
}

fn continues(last: &RangeReport, next: &RangeReport) -> bool {
    last.start.0.checked_add(last.size) == Some(next.start.0)
        && (last.kind, last.thread) == (next.kind, next.thread)
        && last.permissions == next.permissions
        && last.path == next.path
}

fn stacks(process: &Process) -> Vec<StackReport> {
    let Some(facts) = process.dump.machine.facts() else { return Vec::new() };
    let stacks = process.threads.iter().take(MOST_STACKS).filter_map(|thread| {
        let pointer = Avma(thread.registers.get(facts.sp)?);
        let range = process.memory.range_at(pointer)?;
        let used = range.end.0.saturating_sub(pointer.0);
        let start = Hex(range.start.0);
        Some(StackReport { thread: thread.tid, start, size: range.len(), used })
    });
    stacks.collect()
}

struct Mapped<'p, 'r> {
    process: &'p Process,
    /// Threads by the start of the range that holds their stack pointer.
    whose: HashMap<u64, i64>,
    /// Start of the break.
    heap: Option<u64>,
    /// One redaction for each path.
    paths: HashMap<Vec<u8>, Shown>,
    redactor: &'r mut Redactor,
}

impl Mapped<'_, '_> {
    fn range(&mut self, region: &Region) -> RangeReport {
        let start = region.range.start;
        let module = self.process.modules.index_at(start);
        let module = module.and_then(|index| self.process.modules.get(index));
        let thread = self.whose.get(&start.0).copied();
        let Permissions { read, write, execute } = region.permissions;
        let is_guard = !(read || write || execute);
        let kind = match (module, &region.name) {
            (Some(module), _) if module.kind == ModuleKind::Vdso => RangeKind::Vdso,
            (Some(_), _) => RangeKind::Image,
            _ if thread.is_some() => RangeKind::Stack,
            _ if is_guard => RangeKind::Guard,
            (None, Some(_)) => RangeKind::File,
            (None, None) if self.heap == Some(start.0) => RangeKind::Heap,
            (None, None) => RangeKind::Anonymous,
        };
        let path = match (module, &region.name) {
            (Some(module), _) => Some(module.path.as_os_str().as_bytes()),
            (None, Some((path, _))) => Some(path.as_os_str().as_bytes()),
            (None, None) => None,
        };
        let path = path.map(|path| self.path(path));
        let right = |is: bool, letter| if is { letter } else { '-' };
        RangeReport {
            start: Hex(start.0),
            size: region.range.len(),
            kind,
            permissions: [right(read, 'r'), right(write, 'w'), right(execute, 'x')]
                .iter()
                .collect(),
            path,
            thread: thread.filter(|_| kind == RangeKind::Stack),
            in_core: region.backing.core_len.min(region.range.len()),
        }
    }

    fn path(&mut self, path: &[u8]) -> Shown {
        if let Some(shown) = self.paths.get(path) {
            return shown.clone();
        }
        let shown = self.redactor.show_bytes(Origin::Path, path);
        self.paths.insert(path.to_owned(), shown.clone());
        shown
    }

    /// The first writable memory of no file behind the program.
    fn find_break(&self) -> Option<u64> {
        let modules = &self.process.modules;
        let end = modules.get(modules.executable()?)?.range.end;
        let regions = self.process.memory.regions();
        let behind = regions.partition_point(|region| region.range.start < end);
        let first = regions.get(behind..)?.iter().find(|region| region.permissions.write)?;
        let start = first.range.start;
        let is_near = start.0.saturating_sub(end.0) <= BREAK;
        let is_free = first.name.is_none()
            && modules.index_at(start).is_none()
            && !self.whose.contains_key(&start.0);
        (is_near && is_free).then_some(start.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_corefile::testkit::CoreBuilder;
    use obit_process::process::Options;
    use obit_redact::Level;

    const STACK: u64 = 0x7ffd_0000_0000;

    fn printed(core: CoreBuilder) -> MemoryReport {
        let core = core.write();
        let process = Process::open(core.path(), Options::default(), &()).unwrap();
        memory(&process, &mut Redactor::new(Level::Default, "obit-0123"))
    }

    #[test]
    fn a_range_says_what_it_holds_and_how_much_of_it_is_in_the_core() {
        let memory = printed(
            CoreBuilder::x86_64()
                .signal(11)
                .thread(7, &[("rsp", STACK + 0x800)])
                .files(&[(0x10_0000, 0x10_2000, 0, "/var/data")])
                .segment(STACK, &[0; 8], 0x1000)
                .segment_with(0x10_0000, &[0; 8], 0x2000, "r"),
        );
        let printed: Vec<_> = memory
            .ranges
            .iter()
            .map(|range| (range.start.0, range.size, range.kind, range.thread, range.in_core))
            .collect();
        let file = (0x10_0000, 0x2000, RangeKind::File, None, 8);
        assert_eq!(printed, [file, (STACK, 0x1000, RangeKind::Stack, Some(7), 8)]);
        assert_eq!(memory.ranges[0].permissions, "r--");
        let stack = StackReport { thread: 7, start: Hex(STACK), size: 0x1000, used: 0x800 };
        assert_eq!(memory.stacks, [stack]);
    }

    #[test]
    fn of_very_many_ranges_the_largest_are_listed() {
        let mut core = CoreBuilder::x86_64().signal(11).thread(7, &[("rsp", STACK)]);
        for at in 0..600 {
            // No two are neighbours.
            let size = if at == 599 { 0x8000 } else { 0x1000 };
            core = core.segment(0x10_0000 + at * 0x10000, &[], size);
        }
        let memory = printed(core);
        assert_eq!((memory.ranges.len(), memory.omitted), (MOST_RANGES, 88));
        assert!(memory.ranges.iter().any(|range| range.size == 0x8000));
        assert!(memory.ranges.is_sorted_by_key(|range| range.start));
    }
}
