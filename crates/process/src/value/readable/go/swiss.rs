//! Maps since Go 1.24 (`internal/runtime/maps`): groups of eight slots with a control
//! byte for each. A small map is one group, a larger one a directory of tables of groups.

use super::entries::{Entries, LookedAt};
use super::object::{GoObject, target};
use crate::value::Object;
use crate::value::readable::Readable;
use obit_corefile::addr::Avma;

/// Groups looked at: a map may be almost empty.
const GROUPS: u64 = 1 << 18;
/// Tables looked at.
const TABLES: u64 = 1 << 16;
/// Set in the control byte of a slot that is empty or whose element was deleted.
const VACANT: u8 = 0x80;

/// A map, of which this is the `maps.Map`.
pub(super) fn readable<'d>(view: &GoObject<'d>) -> Option<Readable<'d>> {
    let scene = view.scene;
    let count = view.number("used").filter(|count| i64::try_from(*count).is_ok())?;
    let directory = view.number("dirPtr")?;
    let tables = view.count("dirLen")?;
    let table = target(target(view.member("dirPtr")?.ty)?)?;
    let groups = Object::at(table, Avma(0)).member(scene, "groups")?;
    let group = target(groups.member(scene, "data")?.ty)?;
    let mut search = TableReader { view, entries: Entries::new(count, view), left: GROUPS };
    if tables == 0 && directory != 0 {
        search.group(&Object::at(group, Avma(directory)))?;
    }
    let word = scene.memory.word() as u64;
    let mut before = 0;
    for index in 0..tables.min(TABLES) {
        if search.entries.is_full() {
            break;
        }
        let at = directory.checked_add(index.checked_mul(word)?)?;
        let at = scene.memory.read_word(Avma(at)).ok()?;
        // A table that was not split yet has several adjacent entries in the directory.
        if at != before {
            search.table(&Object::at(table, Avma(at)))?;
        }
        before = at;
    }
    let is_cut = search.left == 0 || tables > TABLES;
    search.entries.into_readable(count, if is_cut { LookedAt::Part } else { LookedAt::All })
}

struct TableReader<'v, 'd> {
    view: &'v GoObject<'d>,
    entries: Entries<'d>,
    /// Groups that may still be looked at.
    left: u64,
}

impl<'d> TableReader<'_, 'd> {
    fn table(&mut self, table: &Object<'d>) -> Option<()> {
        let scene = self.view.scene;
        let groups = table.member(scene, "groups")?;
        let first = groups.member(scene, "data")?.pointee(scene).ok()?;
        let count = groups.member(scene, "lengthMask")?.unsigned(scene).ok()?.checked_add(1)?;
        let (start, size) = (first.address()?, first.size(scene)?);
        for index in 0..count {
            let Some(left) = self.left.checked_sub(1).filter(|_| !self.entries.is_full()) else {
                break;
            };
            self.left = left;
            let at = start.checked_add(index.checked_mul(size)?)?;
            self.group(&Object::at(first.ty, at))?;
        }
        Some(())
    }

    fn group(&mut self, group: &Object<'d>) -> Option<()> {
        let scene = self.view.scene;
        let control = group.member(scene, "ctrl")?.unsigned(scene).ok()?;
        let slots = group.member(scene, "slots")?;
        for (index, control) in (0_i64..).zip(control.to_le_bytes()) {
            if control & VACANT == 0 && !self.entries.is_full() {
                let slot = slots.index(scene, index)?;
                let (key, value) = (slot.member(scene, "key")?, slot.member(scene, "elem")?);
                self.entries.push(self.view, "map<", key, value)?;
            }
        }
        Some(())
    }
}
