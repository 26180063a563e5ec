//! Who keeps a pointer to a block: what ran over its end is mostly what filled it, and that
//! knew it by this pointer.

use super::Heap;
use super::walk::{Reach, Span, walk};
use obit_corefile::addr::Avma;
use obit_corefile::memory::Region;

/// Where a pointer is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PointedFrom {
    /// In a variable, so many bytes from its start.
    Variable(String, u64),
    /// In another block that is in use: bytes of its chunk, and from its start.
    Block(u64, u64),
}

/// Bytes of memory that are searched.
const MOST_BYTES: u64 = 64 << 20;
/// Bytes that are read at once.
const AT_ONCE: u64 = 1 << 16;
/// Places that are looked at.
const MOST_PLACES: usize = 64;
/// Variables and blocks that are larger hold many pointers of a kind: which of them it is
/// says nothing.
const LARGEST: u64 = 1024;

impl Heap<'_> {
    /// Where the pointer `start` is kept: in the one variable that holds it, else in the one
    /// block before `damaged` in `span` that does.
    pub(super) fn pointed_from(
        &mut self,
        start: Avma,
        span: &Span,
        damaged: u64,
    ) -> Option<PointedFrom> {
        let places = self.places_of(start, span);
        let view = || {
            let crashed = self.process.threads.iter().position(|thread| thread.crashed)?;
            self.process.frame_view(crashed, 0)
        };
        let view = view();
        let mut variables = places.iter().filter_map(|at| {
            use obit_process::value::Surroundings as _;
            self.process.modules.index_at(*at)?;
            let (name, into) = view.as_ref()?.symbol_at(*at)?;
            (into < LARGEST).then_some(PointedFrom::Variable(name, into))
        });
        let only = variables.next();
        if only.is_some() {
            return only.filter(|_| variables.next().is_none());
        }
        drop(variables);
        let in_heap = places.into_iter().filter(|at| span.start <= at.0 && at.0 < damaged);
        let blocks: Vec<Avma> = in_heap.collect();
        let mut found = self.in_blocks(&blocks, start, span);
        found.pop().filter(|_| found.is_empty())
    }

    /// Where the word `value` is in variables and in `span`.
    fn places_of(&mut self, value: Avma, span: &Span) -> Vec<Avma> {
        let memory = &self.process.memory;
        let is_searched = |region: &&Region| {
            let holds_span = region.range.start.0 < span.end && span.start < region.range.end.0;
            let is_of_module = || self.process.modules.index_at(region.range.start).is_some();
            region.permissions.write && (holds_span || is_of_module())
        };
        let word = memory.word();
        let mut places = Vec::new();
        let mut left = MOST_BYTES;
        for region in memory.regions().iter().filter(is_searched) {
            let mut at = region.range.start.0;
            while at < region.range.end.0 && left > 0 && places.len() < MOST_PLACES {
                let size = AT_ONCE.min(region.range.end.0.saturating_sub(at));
                let bytes = memory.read_up_to(Avma(at), usize::try_from(size).unwrap_or(0));
                for (nth, bytes) in bytes.chunks_exact(word).enumerate() {
                    if memory.unsigned(bytes) == value.0 {
                        places.push(Avma(at.saturating_add((nth * word) as u64)));
                    }
                }
                left = left.saturating_sub(size);
                at = at.saturating_add(size);
            }
        }
        places
    }

    /// The blocks in use that hold `places`, other than the one that begins at `start`.
    fn in_blocks(&mut self, places: &[Avma], start: Avma, span: &Span) -> Vec<PointedFrom> {
        let layout = self.layout;
        let caches = self.caches();
        let mut sorted = places.iter().peekable();
        let mut found = Vec::new();
        if sorted.peek().is_none() {
            return found;
        }
        walk(&mut self.cursor, layout, span, span.start, Reach::Near, |chunk, _| {
            while let Some(at) = sorted.next_if(|at| at.0 < chunk.end()) {
                let user = layout.user(chunk.at);
                let is_block = user != start.0
                    && !caches.contains(&user)
                    && !self.free.chunks.contains_key(&chunk.at)
                    && chunk.size() <= LARGEST;
                if let Some(into) = at.0.checked_sub(user).filter(|_| is_block) {
                    found.push(PointedFrom::Block(chunk.size(), into));
                }
            }
            sorted.peek().is_none()
        });
        found
    }
}
