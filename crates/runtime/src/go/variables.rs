//! The runtime's variables: by symbol, else where the sections for variables hold what only they
//! can hold.

use obit_corefile::addr::Avma;
use obit_corefile::memory::AddressSpace;

use super::image::GoImage;
use super::layout::Layout;

/// Bytes of the sections for variables that are searched.
const SEARCHED: u64 = 64 << 20;
/// `SHF_WRITE` and `SHF_ALLOC`.
const VARIABLES: u64 = 3;
/// The number of the goroutine that runs `main.main`, which is the first that is made.
const FIRST: u64 = 1;
/// What looks like a slice and is looked at.
const CANDIDATES: usize = 1 << 18;
/// Entries of the list that are read in one go.
const PIECE: u64 = 1 << 13;

/// `runtime.allgs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct List {
    pub(super) start: u64,
    pub(super) count: u64,
}

impl List {
    /// The addresses of its goroutines; `None` for each that is not in the core.
    pub(super) fn addresses<'m>(
        &self,
        memory: &'m AddressSpace,
        most: u64,
    ) -> impl Iterator<Item = Option<Avma>> + use<'m> {
        let (start, count) = (self.start, self.count.min(most));
        let pieces = (0..count).step_by(usize::try_from(PIECE).unwrap_or(1));
        pieces.flat_map(move |from| {
            let wanted = PIECE.min(count.saturating_sub(from));
            let at = from.checked_mul(8).and_then(|into| start.checked_add(into));
            let bytes = usize::try_from(wanted.saturating_mul(8)).unwrap_or(0);
            let bytes = at.map(|at| memory.read_up_to(Avma(at), bytes)).unwrap_or_default();
            let words: Vec<Option<Avma>> = (0..wanted)
                .map(|index| {
                    let at = usize::try_from(index).ok()?.checked_mul(8)?;
                    let word = bytes.get(at..at.checked_add(8)?)?;
                    Some(Avma(memory.unsigned(word))).filter(|at| at.0 != 0 && at.0 % 8 == 0)
                })
                .collect();
            words
        })
    }
}

impl GoImage<'_> {
    /// The list of all goroutines.
    pub(super) fn all_goroutines(&self, layout: &Layout) -> Option<List> {
        let memory = &self.process.memory;
        let word = |at: u64| memory.read_word(Avma(at)).ok();
        if let Some(Avma(at)) = self.symbol("runtime.allgs") {
            let list = List { start: word(at)?, count: word(at.checked_add(8)?)? };
            let capacity = word(at.checked_add(16)?)?;
            return (list.count > 0 && list.count <= capacity).then_some(list);
        }
        // Snapshots of the list are there, too, and are no longer than it.
        let mut best: Vec<List> = Vec::new();
        let mut candidates = 0_usize;
        for (_, words) in self.words() {
            for window in words.windows(3) {
                let [start, count, capacity] = *window else { continue };
                let is_slice = count > 0 && count <= capacity && start != 0 && start % 8 == 0;
                let longest = best.first().map_or(0, |list| list.count);
                if !is_slice || count < longest || capacity > 1 << 32 {
                    continue;
                }
                candidates = candidates.saturating_add(1);
                if candidates > CANDIDATES {
                    return None;
                }
                let list = List { start, count };
                if !self.is_list(list, layout) || best.contains(&list) {
                    continue;
                }
                if count > longest {
                    best.clear();
                }
                best.push(list);
            }
        }
        match best.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    /// Whether the first and the last entry are goroutines, the first of them number 1.
    fn is_list(&self, list: List, layout: &Layout) -> bool {
        let memory = &self.process.memory;
        let word = |at: u64| memory.read_word(Avma(at)).ok();
        let number_of = |at: u64| {
            let goroutine = word(at).filter(|at| *at != 0 && at % 8 == 0)?;
            let of = word(goroutine.checked_add(layout.sched)?.checked_add(16)?)?;
            if of != goroutine {
                return None;
            }
            word(goroutine.checked_add(layout.number)?)
        };
        let last = list.count.checked_sub(1).and_then(|last| last.checked_mul(8));
        let last = last.and_then(|into| list.start.checked_add(into));
        number_of(list.start) == Some(FIRST) && last.is_some_and(|last| number_of(last).is_some())
    }

    /// The words of the sections for variables, with where they begin.
    pub(super) fn words(&self) -> impl Iterator<Item = (Avma, Vec<u64>)> + '_ {
        let memory = &self.process.memory;
        let mut left = SEARCHED;
        let sections = self.image.sections().iter();
        let variables = sections.filter(|section| section.flags & VARIABLES == VARIABLES);
        variables.map(move |section| {
            let size = section.size.min(left);
            left = left.saturating_sub(size);
            let start = self.module.to_avma(section.address);
            let bytes = memory.read_up_to(start, usize::try_from(size).unwrap_or(0));
            let words = bytes.chunks_exact(8).map(|word| memory.unsigned(word)).collect();
            (start, words)
        })
    }
}
