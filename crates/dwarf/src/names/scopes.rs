//! The namespaces and types around an entry.

use std::sync::atomic::Ordering;

use gimli::{UnitOffset, constants as dw};

use crate::names::naming::Naming;
use crate::sections::context::Meter;
use crate::units::entry::Entry;
use crate::units::file::DwarfFile;
use crate::units::scope_index::ScopeIndex;
use crate::units::skim::Walk;
use crate::units::unit::{Die, Unit};

/// `name` behind the namespaces and types around `entry`, by gdb's rule: a type without a
/// name hides the scopes further out, and so does a function.
pub(crate) fn with_scopes(entry: Entry<'_, '_>, name: String) -> String {
    let limits = &entry.file.context().limits;
    let mut scopes: Vec<String> = Vec::new();
    let mut length = name.len();
    let mut inside = Some((entry, ancestors(entry.file, entry.die())));
    let mut jumps = 0_usize;
    while let Some((entry, mut around)) = inside.take() {
        while let Some((tag, offset)) = around.pop() {
            let is_type = matches!(
                tag,
                dw::DW_TAG_class_type
                    | dw::DW_TAG_structure_type
                    | dw::DW_TAG_union_type
                    | dw::DW_TAG_interface_type
                    | dw::DW_TAG_enumeration_type
            );
            if tag == dw::DW_TAG_subprogram {
                break;
            }
            if !is_type && !matches!(tag, dw::DW_TAG_namespace | dw::DW_TAG_module) {
                continue;
            }
            let scope = entry.sibling(offset);
            let naming = Naming::read(scope.file, scope.die());
            // What is described elsewhere, in a type unit or earlier, has its scopes there.
            // A declaration may have the name only, at the top of a unit, and leave the
            // scopes to the type unit.
            let elsewhere = naming.origin.or(naming.signature);
            let mut elsewhere = elsewhere.and_then(|value| scope.follow(value));
            let mut found = naming.name;
            // The definition in a type unit may refer to a declaration in its turn.
            while let Some(there) = elsewhere {
                let naming = Naming::read(there.file, there.die());
                found = found.or(naming.name);
                let further = naming.origin.and_then(|origin| there.follow(origin));
                if further.is_none() || jumps >= limits.reference_depth {
                    break;
                }
                jumps = jumps.saturating_add(1);
                elsewhere = further;
            }
            let scope = match found {
                Some(found) => found.to_string_lossy().into_owned(),
                None if is_type => break,
                None => "(anonymous namespace)".to_owned(),
            };
            length = length.saturating_add(scope.len()).saturating_add(2);
            if length > limits.name_bytes {
                break;
            }
            scopes.push(scope);
            if let Some(there) = elsewhere
                && jumps < limits.reference_depth
            {
                jumps = jumps.saturating_add(1);
                inside = Some((there, ancestors(there.file, there.die())));
                break;
            }
        }
    }
    let mut text = String::with_capacity(length);
    for scope in scopes.iter().rev() {
        text.push_str(scope);
        text.push_str("::");
    }
    text.push_str(&name);
    text
}

/// Entries looked at one by one before a unit's scopes are indexed.
const WALK: usize = 2048;

/// Such walks in one unit before its scopes are indexed: what names many types gains.
const WALKS: u32 = 32;

/// The entries around `die`, the outermost first.
fn ancestors<'d>(file: &DwarfFile<'d>, die: Die<'_, 'd>) -> Vec<(gimli::DwTag, UnitOffset)> {
    let may_walk = die.unit.scopes_asked.fetch_add(1, Ordering::Relaxed) < WALKS;
    let walked = if may_walk && die.unit.scopes.get().is_none() {
        walk_to(file, die.unit, None, die.offset, WALK).unwrap_or_else(|error| {
            file.context().report("the entries of a unit", error);
            Some(Vec::new())
        })
    } else {
        None
    };
    walked.unwrap_or_else(|| {
        let index = die.unit.scopes.get_or_init(|| {
            let mut index = ScopeIndex::default();
            if let Err(error) = index.read(&die.unit.inner, file.context()) {
                file.context().report("the entries of a unit", error);
            }
            index
        });
        let (mut around, may_be_more) = index.around(die.offset);
        if let Some((_, function)) = around.last().copied().filter(|_| may_be_more) {
            let most = file.context().limits.entries_per_lookup;
            let inside = walk_to(file, die.unit, Some(function), die.offset, most);
            let inside = inside.unwrap_or_else(|error| {
                file.context().report("the entries of a unit", error);
                None
            });
            around.extend(inside.unwrap_or_default());
        }
        around
    })
}

/// Walks to `target` from the root, or from inside the entry `from`, jumping over what does not
/// contain it; `None` when that takes more than `most` entries.
fn walk_to<'d>(
    file: &DwarfFile<'d>,
    unit: &Unit<'d>,
    from: Option<UnitOffset>,
    target: UnitOffset,
    most: usize,
) -> gimli::Result<Option<Vec<(gimli::DwTag, UnitOffset)>>> {
    let mut walk = Walk::new(&unit.inner)?;
    let mut around: Vec<(isize, gimli::DwTag, UnitOffset)> = Vec::new();
    let mut meter = Meter::new(file.context(), most);
    if let Some(from) = from {
        walk.begin_at(from);
        walk.next(|tag, _| tag)?;
        walk.pass()?;
    }
    while meter.step() {
        let head = walk.next(|tag, _| tag)?;
        let Some(head) = head.filter(|head| head.offset.0 < target.0) else {
            let depth = head.map_or(0, |head| head.depth);
            around.retain(|scope| scope.0 < depth);
            return Ok(Some(around.into_iter().map(|(_, tag, at)| (tag, at)).collect()));
        };
        while around.pop_if(|scope| scope.0 >= head.depth).is_some() {}
        let sibling = walk.pass()?.sibling.filter(|to| head.has_children && *to <= target.0);
        if head.has_children && !sibling.is_some_and(|to| walk.jump(to, head.depth)) {
            around.push((head.depth, head.note, head.offset));
        }
    }
    Ok(None)
}
