//! The entries of a unit that can be scopes of others.

use gimli::UnitOffset;

use crate::sections::context::{Context, Meter};
use crate::sections::sources::Slice;

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
        let mut entries = unit.entries_raw(None)?;
        let mut open: Vec<(isize, usize)> = Vec::new();
        let mut meter = Meter::new(context, context.limits.entries_per_lookup);
        while !entries.is_empty() && meter.step() {
            let (offset, depth) = (entries.next_offset(), entries.next_depth());
            let Some(abbreviation) = entries.read_abbreviation()? else { continue };
            while let Some((_, closed)) = open.pop_if(|scope| scope.0 >= depth) {
                if let Some(closed) = self.scopes.get_mut(closed) {
                    closed.end = offset.0;
                }
            }
            if abbreviation.has_children() {
                let parent = open.last().map(|scope| scope.1);
                open.push((depth, self.scopes.len()));
                let tag = abbreviation.tag();
                self.scopes.push(Scope { tag, start: offset, end: usize::MAX, parent });
            }
            entries.skip_attributes(abbreviation.attributes())?;
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
