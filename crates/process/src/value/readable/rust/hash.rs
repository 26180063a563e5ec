//! `HashMap` and `HashSet` (hashbrown): buckets that lie downwards from an array of
//! control bytes, one for each bucket.

use super::object::{self, RustObject};
use crate::value::readable::{Readable, extent};
use crate::value::{Object, TypeRef};
use obit_corefile::addr::Avma;

/// Control bytes that are looked through for elements: a table may be almost empty.
const CONTROL_BYTES: u64 = 1 << 22;
/// Control bytes read at a time.
const BLOCK: u64 = 4096;
/// Set in the control byte of a bucket that holds nothing.
const VACANT: u8 = 0x80;

/// A table of elements of one type.
struct Table<'d> {
    element: TypeRef<'d>,
    size: u64,
    control: u64,
    buckets: u64,
    items: u64,
}

/// `HashMap`.
pub(super) fn map<'d>(view: &RustObject<'d>) -> Option<Readable<'d>> {
    let (table, found) = elements(view)?;
    let mut readable = Readable::counted(&view.name(), table.items);
    for (name, element) in found {
        readable.keys.push(element.member(view.scene, "__0")?);
        readable.elements.push((name, element.member(view.scene, "__1")?));
    }
    Some(readable)
}

/// `HashSet`: a map to `()`.
pub(super) fn set<'d>(view: &RustObject<'d>) -> Option<Readable<'d>> {
    let (table, found) = elements(view)?;
    let mut readable = Readable::counted(&view.name(), table.items);
    for (name, element) in found {
        readable.elements.push((name, element.member(view.scene, "__0")?));
    }
    Some(readable)
}

type Elements<'d> = Vec<(std::sync::Arc<str>, Object<'d>)>;

fn elements<'d>(view: &RustObject<'d>) -> Option<(Table<'d>, Elements<'d>)> {
    let table = Table::of(view)?;
    let found = table.first(view)?;
    Some((table, found))
}

impl<'d> Table<'d> {
    fn of(view: &RustObject<'d>) -> Option<Self> {
        let scene = view.scene;
        let table = view.part("table")?;
        let number = |name| object::number(&object::part(&table, name, scene)?, scene);
        let element = object::argument(table.resolved(scene), 0)?;
        let size = extent::size_of(element, scene)?;
        let control = number("ctrl").filter(|control| *control != 0)?;
        let buckets = number("bucket_mask")?.checked_add(1).filter(|n| n.is_power_of_two())?;
        let (items, room) = (number("items")?, number("growth_left")?);
        // At most 7 of 8 buckets are in use, and one is free in small tables.
        let most =
            if buckets < 8 { buckets.wrapping_sub(1) } else { (buckets / 8).checked_mul(7)? };
        let below = buckets.checked_mul(size)?;
        let start = control.checked_sub(if items == 0 { 0 } else { below })?;
        let is_mapped = extent::is_mapped(scene, Avma(start), control.wrapping_sub(start))
            && extent::is_mapped(scene, Avma(control), buckets);
        let is_sound = items.checked_add(room)? <= most && is_mapped;
        is_sound.then_some(Self { element, size, control, buckets, items })
    }

    /// The first elements in the order of the buckets.
    fn first(&self, view: &RustObject<'d>) -> Option<Elements<'d>> {
        let wanted = extent::wanted(self.items, view.limit).end;
        let mut found = Vec::new();
        let looked_at = self.buckets.min(CONTROL_BYTES);
        let mut bucket = 0_u64;
        while bucket < looked_at && (found.len() as u64) < wanted {
            let count = BLOCK.min(looked_at.wrapping_sub(bucket));
            let mut bytes = vec![0; usize::try_from(count).ok()?];
            let at = Avma(self.control.checked_add(bucket)?);
            view.scene.memory.read(at, &mut bytes).ok()?;
            for byte in bytes {
                bucket = bucket.checked_add(1)?;
                if byte & VACANT == 0 && (found.len() as u64) < wanted {
                    let at = self.control.checked_sub(bucket.checked_mul(self.size)?)?;
                    let name = extent::element_name(found.len() as u64);
                    found.push((name, Object::at(self.element, Avma(at))));
                }
            }
        }
        // Fewer than it counts: it is not a table.
        let is_whole = looked_at < self.buckets || found.len() as u64 == wanted;
        is_whole.then_some(found)
    }
}
