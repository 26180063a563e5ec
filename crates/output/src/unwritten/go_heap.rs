//! What the heap of Go says of an address: whether the object there is still in use
//! (runtime/mheap.go, runtime/mgcsweep.go).
//!
//! The collector leaves what it frees as it was until it is used again, so that an object that
//! looks sound may be gone, and the memory it points to another's. Fields are found by the types
//! in the debug information, since they moved between versions.

use std::collections::HashMap;

use crate::memory::Fields;
use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::memory::AddressSpace;
use obit_process::process::Process;
use obit_process::value::{Object, Scene};

/// Spans that are read.
const MOST_SPANS: u64 = 1 << 20;
/// The longest `struct mspan` that is believed.
const LONGEST_SPAN: usize = 1024;
/// Bytes of a page of the heap.
const PAGE: u64 = 8192;
/// States of a span (`mSpanState`).
const IN_USE: u64 = 1;
const MANUAL: u64 = 2;
/// Bytes below the stack pointer that a function without calls may use.
const RED_ZONE: u64 = 128;

/// Whether the program has what lies at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    Yes,
    /// It was collected, or its function has returned.
    No,
    Unknown,
}

/// The spans of the heap, by their addresses.
pub(super) struct GoHeap<'p> {
    memory: &'p AddressSpace,
    spans: Vec<Span>,
    /// Of stacks whose thread is known, by the start of their span: the innermost stack pointer.
    stacks: HashMap<u64, u64>,
}

struct Span {
    range: AvmaRange,
    use_: Use,
}

enum Use {
    Stack,
    Objects {
        size: u64,
        has_pointers: bool,
        /// Objects before this one are allocated, whatever the bits say.
        allocated: u64,
        /// A bit for each object.
        bits: Option<Avma>,
    },
}

/// A field of `struct mspan`: its offset and its size.
#[derive(Clone, Copy)]
struct Field(usize, usize);

struct Layout {
    start: Field,
    pages: Field,
    state: Field,
    class: Field,
    size: Field,
    free_index: Field,
    allocated: Field,
    marked: Field,
    generation: Field,
    end: usize,
}

impl<'p> GoHeap<'p> {
    /// `None` where the types of the runtime are not known.
    pub(super) fn of(process: &'p Process) -> Option<Self> {
        let index = process.modules.executable()?;
        let debug = process.modules.debug(index)?;
        let variable = debug.variables_named("runtime.mheap_").into_iter().next()?;
        let mut frames = process.threads.iter().enumerate().flat_map(|(number, thread)| {
            (0..thread.frames.len().min(1)).map(move |at| (number, at))
        });
        let view = frames.find_map(|(thread, frame)| process.frame_view(thread, frame))?;
        let scene = view.scene();
        let heap = view.object(index, &variable)?;
        let generation = heap.member(scene, "sweepgen")?.unsigned(scene).ok()?;
        let all = heap.member(scene, "allspans")?;
        let count = all.member(scene, "len")?.unsigned(scene).ok()?;
        let array = all.member(scene, "array")?;
        let first = array.pointee(scene).ok()?;
        let layout = Layout::of(&first.pointee(scene).ok()?, scene)?;
        let memory = &process.memory;
        let generation = u32::try_from(generation).ok()?;
        let mut spans = Vec::new();
        let words = usize::try_from(count.min(MOST_SPANS)).ok()?.checked_mul(8)?;
        for word in memory.read_up_to(first.address()?, words).chunks_exact(8) {
            let at = Avma(memory.unsigned(word));
            spans.extend(layout.span(memory, at, generation));
        }
        spans.sort_unstable_by_key(|span| span.range.start);
        let mut heap = Self { memory, spans, stacks: HashMap::new() };
        heap.find_stacks(process);
        Some(heap)
    }

    /// Where the stacks are in use: those of goroutines are spans, and a frame above a signal
    /// handler is on another than the handler.
    fn find_stacks(&mut self, process: &Process) {
        let Some(facts) = process.dump.machine.facts() else { return };
        for frame in process.threads.iter().flat_map(|thread| &thread.stack.frames) {
            let Some(sp) = frame.registers.get(facts.sp) else { continue };
            let Some(span) = self.span(Avma(sp)) else { continue };
            let start = span.range.start.0;
            let known = self.stacks.entry(start).or_insert(sp);
            *known = sp.min(*known);
        }
    }

    fn span(&self, at: Avma) -> Option<&Span> {
        let after = self.spans.partition_point(|span| span.range.start <= at);
        self.spans.get(after.checked_sub(1)?).filter(|span| span.range.contains(at))
    }

    /// Whether the program has the `size` bytes at `at`, which hold pointers.
    pub(super) fn has_object(&self, at: Avma, size: u64) -> Held {
        let Some(span) = self.span(at) else { return Held::Unknown };
        match span.use_ {
            Use::Stack => self.of_stack(span, at),
            Use::Objects { has_pointers: false, .. } => Held::No,
            Use::Objects { .. } => match self.object(span, at) {
                Some((start, length, true)) => {
                    let into = at.0.saturating_sub(start);
                    let is_whole = into.saturating_add(size) <= length;
                    if is_whole { Held::Yes } else { Held::Unknown }
                }
                Some((_, _, false)) => Held::No,
                None => Held::Unknown,
            },
        }
    }

    /// Whether the program has the buffer at `at`, which was allocated for itself.
    pub(super) fn has_buffer(&self, at: Avma, size: u64) -> Held {
        let Some(span) = self.span(at) else { return Held::Unknown };
        match (&span.use_, self.object(span, at)) {
            (Use::Stack, _) => self.of_stack(span, at),
            (_, Some((start, length, true))) if start == at.0 && size <= length => Held::Yes,
            (_, Some((_, _, false))) => Held::No,
            _ => Held::Unknown,
        }
    }

    fn of_stack(&self, span: &Span, at: Avma) -> Held {
        match self.stacks.get(&span.range.start.0) {
            Some(sp) if at.0 >= *sp => Held::Yes,
            Some(sp) if at.0 < sp.saturating_sub(RED_ZONE) => Held::No,
            _ => Held::Unknown,
        }
    }

    /// The start and the size of the object around `at`, and whether it is allocated.
    fn object(&self, span: &Span, at: Avma) -> Option<(u64, u64, bool)> {
        let Use::Objects { size, allocated, bits, .. } = span.use_ else { return None };
        let index = at.0.checked_sub(span.range.start.0)?.checked_div(size)?;
        let start = span.range.start.0.checked_add(index.checked_mul(size)?)?;
        let byte = || {
            let byte = self.memory.read_up_to(Avma(bits?.0.checked_add(index / 8)?), 1);
            byte.first().copied()
        };
        let is_allocated = index < allocated || byte()? >> (index % 8) & 1 == 1;
        Some((start, size, is_allocated))
    }
}

impl Layout {
    fn of<'v>(span: &Object<'v>, scene: Scene<'v>) -> Option<Self> {
        let base = span.address()?.0;
        let mut end = 0;
        let mut field = |name: &str, size: Option<usize>| {
            let member = span.member(scene, name)?;
            let offset = usize::try_from(member.address()?.0.checked_sub(base)?).ok()?;
            let size = size.or_else(|| usize::try_from(member.size(scene)?).ok())?;
            end = end.max(offset.checked_add(size)?);
            ((1..=8).contains(&size) && end <= LONGEST_SPAN).then_some(Field(offset, size))
        };
        let (start, pages) = (field("startAddr", None)?, field("npages", None)?);
        // A record around one byte.
        let state = field("state", Some(1))?;
        let (class, size) = (field("spanclass", None)?, field("elemsize", None)?);
        let free_index = field("freeindex", None)?;
        let (allocated, marked) = (field("allocBits", None)?, field("gcmarkBits", None)?);
        let generation = field("sweepgen", None)?;
        Some(Self {
            start,
            pages,
            state,
            class,
            size,
            free_index,
            allocated,
            marked,
            generation,
            end,
        })
    }

    /// The span at `at`, if it has objects or a stack.
    fn span(&self, memory: &AddressSpace, at: Avma, current: u32) -> Option<Span> {
        let fields = Fields::read(memory, at, self.end)?;
        let field = |Field(offset, size): Field| fields.number(offset, size);
        let (start, pages) = (field(self.start)?, field(self.pages)?);
        let end = start.checked_add(pages.checked_mul(PAGE)?)?;
        let use_ = match field(self.state)? {
            IN_USE => self.objects(&field, current)?,
            MANUAL => Use::Stack,
            _ => return None,
        };
        Some(Span { range: AvmaRange { start: Avma(start), end: Avma(end) }, use_ })
    }

    fn objects(&self, field: &dyn Fn(Field) -> Option<u64>, current: u32) -> Option<Use> {
        let generation = u32::try_from(field(self.generation)?).ok()?;
        // Before a span is swept, what the collector marked is what is left of it; afterwards
        // those are the allocated objects, and new ones are before the index.
        let (allocated, bits) = match generation.wrapping_sub(current).cast_signed() {
            -2 | 1 => (0, Some(field(self.marked)?)),
            0 | 3 => (field(self.free_index)?, Some(field(self.allocated)?)),
            // It is being swept.
            _ => (0, None),
        };
        let size = field(self.size).filter(|size| *size > 0)?;
        let has_pointers = field(self.class)? & 1 == 0;
        Some(Use::Objects { size, has_pointers, allocated, bits: bits.map(Avma) })
    }
}
