//! Rust's standard library as rustc lays it out, from 1.63 on. The public path of a type
//! shows what it is; its parts are searched for in its members, since the wrappers around
//! pointers and capacities change between versions. An object that breaks a rule of its kind
//! has no readable form.

mod btree;
mod cell;
mod closure;
mod counted;
mod fat;
mod hash;
mod linked_list;
mod number;
mod object;
mod sequence;
mod sum;
mod text;

use super::Readable;
use crate::value::{Object, Scene, TypeRef};
use obit_dwarf::TypeKind;
use object::{RustObject, without_arguments};

type Form = for<'v, 'd> fn(&'v RustObject<'d>) -> Option<Readable<'d>>;

/// Public paths and how to read objects of these types. Private modules in between changed over
/// time, so only the crate and the last name count.
const FORMS: &[(&str, &str, Form)] = &[
    ("alloc", "Arc", counted::strong),
    ("alloc", "BTreeMap", btree::map),
    ("alloc", "BTreeSet", btree::set),
    ("alloc", "BinaryHeap", sequence::heap),
    ("alloc", "CString", text::c_string),
    ("alloc", "LinkedList", linked_list::list),
    ("alloc", "Rc", counted::strong),
    ("alloc", "String", text::owned),
    ("alloc", "Vec", sequence::vec),
    ("alloc", "VecDeque", sequence::deque),
    ("alloc", "Weak", counted::weak),
    ("core", "Cell", cell::plain),
    ("core", "Duration", number::duration),
    ("core", "ManuallyDrop", cell::plain),
    ("core", "NonZero", number::wrapped),
    ("core", "OnceCell", cell::once),
    ("core", "Pin", cell::pin),
    ("core", "Range", number::range),
    ("core", "RangeInclusive", number::range),
    ("core", "Ref", cell::guard),
    ("core", "RefCell", cell::ref_cell),
    ("core", "RefMut", cell::guard),
    ("core", "Saturating", number::wrapped),
    ("core", "UnsafeCell", cell::plain),
    ("core", "Wrapping", number::wrapped),
    ("hashbrown", "HashMap", hash::map),
    ("hashbrown", "HashSet", hash::set),
    ("std", "HashMap", hash::map),
    ("std", "HashSet", hash::set),
    ("std", "CString", text::c_string),
    ("std", "Mutex", cell::mutex),
    ("std", "OsString", text::owned),
    ("std", "PathBuf", text::owned),
    ("std", "RwLock", cell::rw_lock),
    ("std", "SystemTime", number::system_time),
];

/// The readable form of `object`, whose type without typedefs is `ty`.
pub(super) fn readable<'d>(
    object: &Object<'d>,
    ty: TypeRef<'d>,
    scene: Scene<'d>,
    limit: usize,
) -> Option<Readable<'d>> {
    let entry = ty.get();
    let TypeKind::Record(record) = &entry.kind else { return None };
    let own = entry.name.as_deref()?;
    let view = RustObject { object: object.cast(ty), scene, limit };
    if let Some(fat) = fat::Fat::of(&view.object, scene) {
        return fat.readable(&ty.name(), scene, limit);
    }
    if own.starts_with('{') {
        return closure::readable(&view, own, record);
    }
    let own = without_arguments(own);
    let is_counter = own.starts_with("Atomic") || own.starts_with("NonZero");
    let named = FORMS.iter().filter(|(_, name, _)| *name == own);
    if is_counter || named.clone().next().is_some() {
        // Most types are none of these: their full names need not be made.
        let full = ty.name();
        let krate = full.split("::").next().unwrap_or_default();
        if is_counter && krate == "core" {
            return number::wrapped(&view);
        }
        if let Some((.., form)) = named.clone().find(|(from, ..)| *from == krate) {
            return form(&view);
        }
    }
    if record.variant_parts.is_empty() { None } else { sum::readable(&view) }
}
