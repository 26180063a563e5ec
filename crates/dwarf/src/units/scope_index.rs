//! The entries of a unit that can be scopes of others.

use gimli::UnitOffset;

use crate::sections::context::{Context, Meter};
use crate::sections::sources::Slice;
use crate::units::skim::Walk;

/// All entries with children of a unit that can be scopes of others, for units whose
/// entries cannot be jumped over.
#[derive(Default)]
pub(crate) struct ScopeIndex {
    scopes: Vec<Scope>,
}

struct Scope {
    tag: gimli::DwTag,
    start: UnitOffset,
    end: usize,
    parent: Option<usize>,
}

impl ScopeIndex {
    /// Adds those of `unit`.
    pub(crate) fn read(
        &mut self,
        unit: &gimli::Unit<Slice<'_>>,
        context: &Context,
    ) -> gimli::Result<()> {
        let mut walk = Walk::new(unit)?;
        let mut open: Vec<(isize, usize)> = Vec::new();
        let mut meter = Meter::new(context, context.limits.entries_per_lookup);
        while let Some(entry) = walk.next(|tag, _| tag)? {
            if !meter.step() {
                break;
            }
            while let Some((_, closed)) = open.pop_if(|scope| scope.0 >= entry.depth) {
                if let Some(closed) = self.scopes.get_mut(closed) {
                    closed.end = entry.offset.0;
                }
            }
            if entry.has_children {
                let parent = open.last().map(|scope| scope.1);
                open.push((entry.depth, self.scopes.len()));
                let (tag, start) = (entry.note, entry.offset);
                self.scopes.push(Scope { tag, start, end: usize::MAX, parent });
            }
            walk.pass()?;
        }
        Ok(())
    }

    /// The entries around `target`, the outermost first.
    pub(crate) fn around(&self, target: UnitOffset) -> Vec<(gimli::DwTag, UnitOffset)> {
        let after = self.scopes.partition_point(|scope| scope.start.0 < target.0);
        let mut here = after.checked_sub(1);
        let mut found = Vec::new();
        // A parent always comes before its children, so this ends.
        while let Some(scope) = here.and_then(|number| self.scopes.get(number)) {
            if target.0 < scope.end {
                found.push((scope.tag, scope.start));
            }
            here = scope.parent;
        }
        found.reverse();
        found
    }
}
