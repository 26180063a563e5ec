//! Objects that are reached from typed roots through members and pointers.

use std::collections::{HashSet, VecDeque};

use super::spot::{Reader, Spot, plain};
use obit_dwarf::{TypeId, TypeKind};

/// Elements of a slice that are looked at.
const MOST_ELEMENTS: u64 = 64;
/// Objects that wait to be looked at.
const MOST_QUEUED: usize = 1 << 18;
/// Members and pointers on the way from a root.
const DEEPEST: usize = 24;

/// What was seen by the searches of a process, and what they may still cost.
pub(super) struct Search<'r, 'p> {
    reader: &'r Reader<'p>,
    seen: HashSet<(u64, usize, TypeId)>,
    left: usize,
}

impl<'r, 'p> Search<'r, 'p> {
    /// One that looks at so many objects in all.
    pub(super) fn new(reader: &'r Reader<'p>, most: usize) -> Self {
        Self { reader, seen: HashSet::new(), left: most }
    }

    /// Calls `take` with each object that is reached from `root`, the nearest first, and its
    /// type's name; what it returns `true` for is not looked into.
    pub(super) fn from(&mut self, root: Spot<'p>, mut take: impl FnMut(Spot<'p>, &str) -> bool) {
        let mut queue = VecDeque::from([(root, DEEPEST)]);
        while let Some((spot, depth)) = queue.pop_front() {
            let ty = plain(spot.ty);
            let key = (spot.at.0, std::ptr::from_ref(ty.debug).addr(), ty.id);
            if self.left == 0 || !self.seen.insert(key) {
                continue;
            }
            self.left = self.left.saturating_sub(1);
            let Some(deeper) = depth.checked_sub(1).filter(|_| queue.len() < MOST_QUEUED) else {
                continue;
            };
            match &ty.get().kind {
                TypeKind::Record(_) => {
                    if take(spot, &ty.name()) {
                        continue;
                    }
                    if let Some(elements) = self.reader.elements(spot, MOST_ELEMENTS) {
                        queue.extend(elements.into_iter().map(|element| (element, deeper)));
                        continue;
                    }
                    let fields = self.reader.fields(spot).into_iter();
                    let typed = fields.filter(|(_, field)| is_of_interest(*field));
                    queue.extend(typed.map(|(_, field)| (field, deeper)));
                }
                TypeKind::Pointer { .. } => {
                    let target = self.reader.pointee(spot).filter(|it| it.record().is_some());
                    queue.extend(target.map(|target| (target, deeper)));
                }
                _ => {}
            }
        }
    }
}

fn is_of_interest(spot: Spot<'_>) -> bool {
    matches!(plain(spot.ty).get().kind, TypeKind::Record(_) | TypeKind::Pointer { .. })
}
