//! Groups of damaged heaps. The allocator finds the damage anywhere, so a group that is new
//! may be a known bug that was found elsewhere, and what became of the functions on its stack
//! says nothing of the bug.

use std::collections::{BTreeMap, BTreeSet};

use super::build::Event;
use super::status::Status;
use super::verdict::Verdict;

/// Classes of causes that the allocator reports of a damaged heap.
const CLASSES: [&str; 2] = ["heap-corruption", "invalid-free"];

/// Of each program the groups of damaged heaps, and when each was first seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeapDamage {
    first: BTreeMap<usize, BTreeMap<usize, i64>>,
    groups: BTreeSet<usize>,
}

impl HeapDamage {
    /// Counts a dump of a group, if the allocator reported it.
    pub(crate) fn add(&mut self, program: usize, group: usize, class: &str, time: i64) {
        if CLASSES.contains(&class) {
            let first = self.first.entry(program).or_default().entry(group).or_insert(time);
            *first = time.min(*first);
            self.groups.insert(group);
        }
    }

    /// Whether a group is one of damaged heaps.
    pub(crate) fn has(&self, group: usize) -> bool {
        self.groups.contains(&group)
    }

    /// The verdict, which is not sure if the group may be a part of another.
    pub(crate) fn doubted(
        &self,
        verdict: Verdict,
        program: usize,
        group: usize,
        events: &[Event],
    ) -> Verdict {
        let is_doubtful =
            verdict.is_sure && matches!(verdict.status, Status::New | Status::Regressed);
        let Some(first) = events.iter().map(|event| event.time).min() else { return verdict };
        let mut others = self.first.get(&program).into_iter().flatten();
        let is_known = |(other, seen): (&usize, &i64)| *other != group && *seen < first;
        if !is_doubtful || !self.has(group) || !others.any(is_known) {
            return verdict;
        }
        let reason = format!(
            "{}; the heap of the program was damaged before, and the same damage may be found \
             elsewhere: weak evidence",
            verdict.reason
        );
        Verdict { is_sure: false, reason, ..verdict }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: usize = 0;

    /// Group 0 was seen from time 10 on, group 1 from time 20 on.
    fn damage(classes: [&str; 2]) -> HeapDamage {
        let mut found = HeapDamage::default();
        for (group, class) in classes.into_iter().enumerate() {
            found.add(PROGRAM, group, class, 10 + 10 * group as i64);
        }
        found
    }

    fn is_sure(found: &HeapDamage, status: Status, group: usize, program: usize) -> bool {
        let sure = Verdict { status, is_sure: true, ..Verdict::default() };
        let event = Event { time: 10 + 10 * group as i64, ..Event::default() };
        found.doubted(sure, program, group, &[event]).is_sure
    }

    #[test]
    fn damage_that_is_new_is_not_sure_to_be_where_the_heap_was_damaged_before() {
        let both = damage(["invalid-free", "heap-corruption"]);
        assert!(!is_sure(&both, Status::New, 1, PROGRAM));
        assert!(!is_sure(&both, Status::Regressed, 1, PROGRAM));
        assert!(is_sure(&both, Status::New, 0, PROGRAM), "the first one");
        assert!(is_sure(&both, Status::Increasing, 1, PROGRAM), "of itself");
        assert!(is_sure(&both, Status::New, 1, PROGRAM + 1), "another program");
    }

    #[test]
    fn what_is_no_damage_is_as_sure_as_it_was() {
        assert!(is_sure(&damage(["heap-corruption", "null-read"]), Status::New, 1, PROGRAM));
        assert!(is_sure(&damage(["null-read", "heap-corruption"]), Status::New, 1, PROGRAM));
    }
}
