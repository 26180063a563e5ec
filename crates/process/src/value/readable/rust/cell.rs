//! Cells and locks: a value and the state of who may use it.

use super::object::{self, RustObject};
use crate::value::Object;
use crate::value::readable::Readable;

/// The lower 30 bits of a futex-based `RwLock` count readers; all set: a writer has it.
const READERS: u64 = (1 << 30) - 1;

/// `Cell`, `UnsafeCell`, `ManuallyDrop`: the value.
pub(super) fn plain<'d>(view: &RustObject<'d>) -> Option<Readable<'d>> {
    let value = value(view, "value")?;
    Some(view.summarized_value(view.name(), value))
}

/// `Pin`: the pointer.
pub(super) fn pin<'d>(view: &RustObject<'d>) -> Option<Readable<'d>> {
    let pointer = view.part("pointer").or_else(|| view.part("__pointer"))?;
    Some(view.summarized_value(view.name(), pointer))
}

/// `Ref` and `RefMut`: what is borrowed.
pub(super) fn guard<'d>(view: &RustObject<'d>) -> Option<Readable<'d>> {
    let value = view.pointer("value")?.pointee(view.scene).ok()?;
    value.address().filter(|at| at.0 != 0)?;
    Some(view.summarized_value(view.name(), value))
}

/// `RefCell`: borrows are counted up, a mutable one down.
pub(super) fn ref_cell<'d>(view: &RustObject<'d>) -> Option<Readable<'d>> {
    let borrow = object::only(&view.part("borrow")?, view.scene).signed(view.scene).ok()?;
    let state = match borrow {
        0 => "not borrowed".to_owned(),
        1.. => format!("borrowed {borrow} times"),
        _ => "mutably borrowed".to_owned(),
    };
    let state = if borrow == 1 { "borrowed once".to_owned() } else { state };
    Some(view.summarized_value(format!("RefCell, {state}"), value(view, "value")?))
}

/// `OnceCell`: an `Option`.
pub(super) fn once<'d>(view: &RustObject<'d>) -> Option<Readable<'d>> {
    let option = view.part("inner")?.member(view.scene, "value")?;
    option.unknown_variant(view.scene).is_none().then_some(())?;
    match option.member(view.scene, "Some") {
        Some(some) => {
            let value = some.member(view.scene, "__0")?;
            Some(view.summarized_value("OnceCell, set".to_owned(), value))
        }
        None => Some(view.summarized("OnceCell, not set".to_owned(), Vec::new())),
    }
}

/// `Mutex`, where a futex is behind it: 0 while it is free.
pub(super) fn mutex<'d>(view: &RustObject<'d>) -> Option<Readable<'d>> {
    let state = match futex(view)? {
        0 => "not locked",
        1 | 2 => "locked",
        _ => return None,
    };
    let summary = format!("Mutex, {state}{}", poisoned(view)?);
    Some(view.summarized_value(summary, value(view, "data")?))
}

/// `RwLock`, where a futex is behind it.
pub(super) fn rw_lock<'d>(view: &RustObject<'d>) -> Option<Readable<'d>> {
    let state = match futex(view)? & READERS {
        0 => "not locked".to_owned(),
        READERS => "locked by a writer".to_owned(),
        1 => "locked by 1 reader".to_owned(),
        readers => format!("locked by {readers} readers"),
    };
    let summary = format!("RwLock, {state}{}", poisoned(view)?);
    Some(view.summarized_value(summary, value(view, "data")?))
}

/// The first 32-bit number in the lock within.
fn futex(view: &RustObject<'_>) -> Option<u64> {
    let inner = view.object.member(view.scene, "inner")?;
    let named = ["futex", "state"].into_iter().find_map(|n| object::part(&inner, n, view.scene));
    let word = object::only(&named.unwrap_or(inner), view.scene);
    (word.size(view.scene)? == 4).then(|| object::number(&word, view.scene))?
}

fn poisoned(view: &RustObject<'_>) -> Option<&'static str> {
    let poison = view.object.member(view.scene, "poison")?;
    match object::number(&object::part(&poison, "failed", view.scene)?, view.scene)? {
        0 => Some(""),
        1 => Some(", poisoned"),
        _ => None,
    }
}

/// The member called `name`, without the cells around it.
fn value<'d>(view: &RustObject<'d>, name: &str) -> Option<Object<'d>> {
    let member = view.object.member(view.scene, name)?;
    let ty = view.argument()?;
    let fits =
        member.size(view.scene) == Object::at(ty, obit_corefile::addr::Avma(0)).size(view.scene);
    fits.then(|| member.cast(ty))
}
