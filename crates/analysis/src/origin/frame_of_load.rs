//! Which frame an instruction belongs to, calls inlined into its function included.

use super::Gone;
use super::trace::Trace;
use crate::owner::is_foreign_call;
use obit_corefile::addr::Avma;

impl Trace<'_> {
    /// The frame of an activation that the instruction at `at` belongs to: of calls inlined
    /// there the innermost that execution was still in; and the function itself, if a call of
    /// it was inlined there that execution had left. Of `depth` no deeper than that: what a
    /// variable of an outer function leads to was loaded for it, wherever the compiler put
    /// the load.
    pub(super) fn place(
        &self,
        activation: usize,
        at: Avma,
        depth: Option<usize>,
    ) -> Option<(usize, Option<Gone>)> {
        let frames = &self.thread.frames;
        let start = frames.partition_point(|frame| frame.activation < activation);
        let end = frames.partition_point(|frame| frame.activation <= activation);
        let modules = &self.process.modules;
        let index = modules.index_at(at)?;
        let there = modules.debug(index)?.frames_at(modules.get(index)?.to_svma(at));
        let mut there: Vec<_> = there.iter().rev().collect();
        there.truncate(depth.map_or(there.len(), |depth| depth.saturating_add(1)));
        let own = frames.get(start..end)?;
        let same = own.iter().rev().zip(&there);
        let same = same
            .take_while(|(frame, there)| frame.function.as_deref() == there.function.as_deref())
            .count();
        let left = there.get(same..).unwrap_or_default().iter();
        let mut left = left.rev().filter(|inlined| !is_foreign_call(self.process, index, inlined));
        let gone = left.next().filter(|_| same > 0).and_then(|inlined| {
            Some(Gone { function: inlined.function.clone()?, source: inlined.location.clone() })
        });
        let frame = end.checked_sub(same.max(1)).filter(|frame| *frame >= start)?;
        Some((frame, gone))
    }
}
