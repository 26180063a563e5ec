//! The entries of a unit that can be scopes of others.

use gimli::{UnitOffset, constants as dw};

use crate::sections::context::{Context, Meter};
use crate::sections::sources::Slice;
use crate::units::skim::Walk;

/// The entries with children of a unit that can be scopes of others, for units of which many are
/// asked for. What is in functions is left out where it can be jumped over: most entries.
#[derive(Default)]
pub(crate) struct ScopeIndex {
    scopes: Vec<Scope>,
}

struct Scope {
    tag: gimli::DwTag,
    start: UnitOffset,
    end: usize,
    parent: Option<usize>,
    /// What it contains is not here.
    is_closed: bool,
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
                let is_closed = false;
                self.scopes.push(Scope { tag, start, end: usize::MAX, parent, is_closed });
            }
            let sibling = walk.pass()?.sibling;
            if entry.has_children
                && entry.note == dw::DW_TAG_subprogram
                && sibling.is_some_and(|to| walk.jump(to, entry.depth))
                && let Some(function) = self.scopes.last_mut()
            {
                function.is_closed = true;
            }
        }
        Ok(())
    }

    /// The entries around `target`, the outermost first, and whether there may be more inside the
    /// last one.
    pub(crate) fn around(&self, target: UnitOffset) -> (Vec<(gimli::DwTag, UnitOffset)>, bool) {
        let after = self.scopes.partition_point(|scope| scope.start.0 < target.0);
        let mut here = after.checked_sub(1);
        let mut found = Vec::new();
        let mut is_closed = false;
        // A parent always comes before its children, so this ends.
        while let Some(scope) = here.and_then(|number| self.scopes.get(number)) {
            if target.0 < scope.end {
                is_closed |= scope.is_closed;
                found.push((scope.tag, scope.start));
            }
            here = scope.parent;
        }
        found.reverse();
        (found, is_closed)
    }
}
