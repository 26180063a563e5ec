//! Where a program keeps pointers besides its heap: variables, stacks, registers, and whatever
//! else it mapped.

use crate::census::Census;
use crate::stack;
use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::arch::{Register, Registers};
use obit_process::process::Process;

/// Of what kind a root is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RootKind {
    /// A variable of a module.
    Global,
    /// A stack from its pointer up, thread-local storage included where it lies there.
    Stack,
    /// A register of a thread.
    Register,
    /// Other memory that can or could be written.
    Other,
}

/// Memory that may hold pointers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootRange {
    /// Where.
    pub range: AvmaRange,
    /// What it is.
    pub kind: RootKind,
}

/// All roots of a process.
#[derive(Debug, Default)]
pub struct Roots {
    /// Memory, in the order in which it is followed.
    pub ranges: Vec<RootRange>,
    /// Values of registers, with the id of the thread.
    pub registers: Vec<(i64, u64)>,
    /// Bytes of memory that may hold pointers and are not in the core.
    pub missing_bytes: u64,
    /// Bytes of whole mappings without a file that are not in the core: they were never written, or
    /// the program excluded them.
    pub untouched_bytes: u64,
    /// The same as `missing_bytes` of mapped files, which the kernel leaves out by default.
    pub missing_file_bytes: u64,
    /// Threads whose stack pointer leads to no memory that is there.
    pub lost_stacks: u64,
    /// Threads of whose stack it is not known how far it goes down: nothing below its pointer is a
    /// root.
    pub unbounded_stacks: u64,
}

/// Bytes below the stack pointer that a leaf function uses (psABI of x86_64).
const RED_ZONE: u64 = 128;

impl Roots {
    /// Those of `process`; what `census` knows as heap is none.
    pub fn of(process: &Process, census: &Census) -> Self {
        let mut roots = Self::default();
        let stacks = roots.stacks(process, census);
        let mut held: Vec<AvmaRange> = census.pieces.clone();
        held.extend(stacks.iter().map(|stack| stack.whole));
        // The allocator's own records among variables hold nothing for the program.
        held.extend(census.reserved.iter().copied());
        held.sort_unstable_by_key(|range| range.start);
        let (mut globals, mut others) = (Vec::new(), Vec::new());
        // The kernel leaves out what was never written: of a core that has all of the heap no more
        // is missing.
        let is_heap_whole = census.pieces.iter().all(|piece| is_dumped(process, *piece));
        for region in process.memory.regions() {
            let is_global = process.modules.index_at(region.range.start).is_some();
            let is_file = is_global || region.name.is_some();
            // The kernel dumps what was written, whether it still can be or not: relocated data,
            // and memory that the program protected.
            let dumped = AvmaRange::from_len(
                region.range.start,
                region.backing.core_len.min(region.range.len()),
            );
            let range = match region.permissions.write {
                true => region.range,
                false if is_file && region.permissions.execute => continue,
                false => dumped,
            };
            let kind = if is_global { RootKind::Global } else { RootKind::Other };
            let to = if is_global { &mut globals } else { &mut others };
            for range in without(range, &held) {
                to.push(RootRange { range, kind });
            }
            // A file has other bytes in the place of written ones that the core has lost.
            let backing = &region.backing;
            let promised = backing.core_offset.saturating_add(backing.core_len);
            let cut = promised.saturating_sub(process.dump.bytes.len()).min(backing.core_len);
            if region.permissions.write {
                roots.missing_bytes = roots.missing_bytes.saturating_add(cut);
            }
            let is_in_heap = census.pieces.iter().any(|piece| piece.contains(region.range.start));
            if region.permissions.write && region.backing.file.is_none() && !is_in_heap {
                let missing = region.range.len().saturating_sub(region.backing.core_len);
                let is_untouched = is_heap_whole && backing.core_len == 0;
                let sum = match (is_file, is_global, is_untouched) {
                    (true, false, _) => &mut roots.missing_file_bytes,
                    // Variables are all 0 there.
                    (_, true, true) if region.name.is_none() => continue,
                    (false, false, true) => &mut roots.untouched_bytes,
                    _ => &mut roots.missing_bytes,
                };
                *sum = sum.saturating_add(missing);
            }
        }
        roots.ranges.append(&mut globals);
        roots.ranges.extend(stacks.iter().filter_map(|stack| {
            let kind = RootKind::Stack;
            stack.used.map(|range| RootRange { range, kind })
        }));
        roots.ranges.append(&mut others);
        for thread in &process.dump.threads {
            let values =
                known_registers(&thread.registers).chain(thread.thread_pointer.map(|at| at.0));
            roots.registers.extend(values.map(|value| (thread.tid, value)));
        }
        roots
    }

    /// The stacks of threads, each without what lies below its pointer.
    fn stacks(&mut self, process: &Process, census: &Census) -> Vec<Stack> {
        let mut found: Vec<Stack> = Vec::new();
        let Some(facts) = process.dump.machine.facts() else { return found };
        for (number, thread) in process.dump.threads.iter().enumerate() {
            let Some(sp) = thread.registers.get(facts.sp) else {
                self.lost_stacks = self.lost_stacks.saturating_add(1);
                continue;
            };
            // A handler may run on a stack of its own: what it interrupted has another.
            let frames = process.threads.get(number).map(|thread| thread.stack.frames.as_slice());
            let interrupted =
                frames.unwrap_or_default().iter().filter_map(|frame| frame.registers.get(facts.sp));
            for sp in std::iter::once(sp).chain(interrupted) {
                if process.memory.region_at(Avma(sp)).is_none() {
                    self.lost_stacks = self.lost_stacks.saturating_add(1);
                    break;
                }
                // Stacks of coroutines may be blocks of the heap, or parts of other memory.
                if census.pieces.iter().any(|piece| piece.contains(Avma(sp))) {
                    self.registers.push((thread.tid, sp));
                    continue;
                }
                let Some(stack) = stack::of(process, thread.thread_pointer, sp) else { continue };
                let whole = stack.range;
                let start = Avma(sp.saturating_sub(RED_ZONE).max(whole.start.0) & !7);
                match found.iter_mut().find(|known| known.whole == whole) {
                    // Of two pointers into one mapping all that is above the lower one is used.
                    Some(known) => {
                        let lower = known.used.map_or(start, |used| used.start.min(start));
                        known.used = Some(AvmaRange { start: lower, end: whole.end });
                    }
                    None => {
                        if !stack.is_exact {
                            self.unbounded_stacks = self.unbounded_stacks.saturating_add(1);
                        }
                        let used = Some(AvmaRange { start, end: whole.end });
                        found.push(Stack { whole, used });
                    }
                }
            }
        }
        found
    }
}

struct Stack {
    whole: AvmaRange,
    used: Option<AvmaRange>,
}

pub(crate) fn known_registers(registers: &Registers) -> impl Iterator<Item = u64> + '_ {
    (0..=65).filter_map(|number| registers.get(Register(number)))
}

/// Whether all regions of `range` are in the core.
fn is_dumped(process: &Process, range: AvmaRange) -> bool {
    let regions = process.memory.regions();
    let first = regions.partition_point(|region| region.range.end <= range.start);
    let inside = regions.iter().skip(first).take_while(|region| region.range.start < range.end);
    inside.into_iter().all(|region| region.backing.core_len == region.range.len())
}

/// The parts of `range` that none of `held`, which are sorted, covers.
fn without(range: AvmaRange, held: &[AvmaRange]) -> Vec<AvmaRange> {
    let mut left = Vec::new();
    let mut at = range.start;
    for hole in held {
        if hole.end <= at || hole.start >= range.end {
            continue;
        }
        if hole.start > at {
            left.push(AvmaRange { start: at, end: hole.start });
        }
        at = at.max(hole.end);
    }
    if at < range.end {
        left.push(AvmaRange { start: at, end: range.end });
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glibc::testkit::{FIRST, Memory};
    use crate::{Leaks, Reach, Trust};
    use obit_corefile::testkit::CoreBuilder;
    use obit_process::process::Options;

    fn lost(core: &CoreBuilder) -> (u64, Trust, Roots) {
        let core = core.write();
        let process = Process::open(core.path(), Options::default(), &()).unwrap();
        let census = Census::of(&process).unwrap();
        let roots = Roots::of(&process, &census);
        let reach = Reach::of(&process, &census, &roots);
        (Leaks::of(&process, &census, &reach).blocks, reach.trust, roots)
    }

    fn page_with(word: u64) -> Vec<u8> {
        let mut page = vec![0; 0x1000];
        page[0x100..0x108].copy_from_slice(&word.to_le_bytes());
        page
    }

    #[test]
    fn memory_that_was_written_and_then_protected_is_a_root() {
        let heap = Memory::with_chunks(&[0x800]);
        // The stack of the only thread is nowhere.
        assert_eq!(lost(&heap.builder()).0, 1);
        for rights in ["r", "", "rx"] {
            let page = page_with(FIRST + 16);
            let core = heap.builder().segment_with(0x7000_0000, &page, 0x1000, rights);
            assert_eq!(lost(&core).0, 0, "{rights}");
        }
    }

    #[test]
    fn what_was_never_written_is_less_of_a_doubt_than_what_the_core_lost() {
        let whole = Memory::with_chunks(&[0x800]).builder();
        let (_, _, roots) = lost(&whole);
        assert_eq!((roots.missing_bytes, roots.untouched_bytes), (0, 0));
        let untouched = whole.clone().promised_segment(0x7100_0000_0000, 1 << 43, 0);
        let (_, _, roots) = lost(&untouched);
        assert_eq!((roots.missing_bytes, roots.untouched_bytes), (0, 1 << 43));
        let cut = whole.segment(0x7100_0000_0000, &[0; 0x2000], 0x2000);
        let size = cut.build().len();
        let (_, trust, roots) = lost(&cut.truncated(size - 0x1000));
        assert_eq!((roots.missing_bytes, trust), (0x1000, Trust::Unknown));
    }

    #[test]
    fn what_is_held_is_cut_out() {
        let range = |start, end| AvmaRange { start: Avma(start), end: Avma(end) };
        let held = [range(0, 12), range(14, 16), range(15, 18), range(30, 40)];
        assert_eq!(without(range(10, 20), &held), [range(12, 14), range(18, 20)]);
        assert_eq!(without(range(31, 32), &held), []);
    }
}
