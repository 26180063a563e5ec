//! `Rc`, `Arc` and their `Weak`: a pointer to two counts and the value.

use super::fat::{self, Fat, FatKind};
use super::object::{self, RustObject};
use crate::value::Object;
use crate::value::readable::Readable;
use obit_corefile::addr::Avma;

/// What a counted pointer points at.
struct Counted<'d> {
    strong: u64,
    /// All the strong ones together count as one.
    weak: u64,
    value: CountedValue<'d>,
}

/// The value, as far as it is known.
enum CountedValue<'d> {
    Object(Object<'d>),
    /// The readable form of a slice or text.
    Slice(Readable<'d>),
    /// A concrete type behind a trait, by its name.
    Named(String),
}

/// `Rc` and `Arc`.
pub(super) fn strong<'d>(view: &RustObject<'d>) -> Option<Readable<'d>> {
    let counted = read(view, view.pointer_of_any_width()?)?;
    if counted.strong == 0 || counted.weak == 0 {
        return None;
    }
    let weak = counted.weak.wrapping_sub(1);
    let summary = format!("{}, {} strong, {weak} weak", view.name(), counted.strong);
    Some(counted_form(view, summary, counted.value))
}

/// `Weak`: the value may be gone, the counts are still there.
pub(super) fn weak<'d>(view: &RustObject<'d>) -> Option<Readable<'d>> {
    let pointer = view.pointer_of_any_width()?;
    let no_place = if view.scene.memory.word() == 4 { u64::from(u32::MAX) } else { u64::MAX };
    if pointer.unsigned(view.scene).ok() == Some(no_place) {
        return Some(view.summarized("Weak, to nothing".to_owned(), Vec::new()));
    }
    let counted = read(view, pointer)?;
    if counted.weak == 0 {
        return None;
    }
    if counted.strong == 0 {
        let summary = format!("Weak, its value is dropped, {} weak", counted.weak);
        return Some(view.summarized(summary, Vec::new()));
    }
    let weak = counted.weak.wrapping_sub(1);
    let summary = format!("Weak, {} strong, {weak} weak", counted.strong);
    Some(counted_form(view, summary, counted.value))
}

fn counted_form<'d>(
    view: &RustObject<'d>,
    summary: String,
    content: CountedValue<'d>,
) -> Readable<'d> {
    match content {
        CountedValue::Object(value) => view.summarized_value(summary, value),
        CountedValue::Slice(slice) => {
            let inner = slice.summary.map_or(String::new(), |inner| format!(", {inner}"));
            Readable { summary: Some(format!("{summary}{inner}")), ..slice }
        }
        CountedValue::Named(name) => view.summarized(format!("{summary}, {name}"), Vec::new()),
    }
}

impl<'d> RustObject<'d> {
    /// The part called `ptr` without wrappers: a pointer of one word or of two.
    fn pointer_of_any_width(&self) -> Option<Object<'d>> {
        Some(object::only(&self.part("ptr")?, self.scene))
    }
}

fn read<'d>(view: &RustObject<'d>, pointer: Object<'d>) -> Option<Counted<'d>> {
    let scene = view.scene;
    let word = scene.memory.word() as u64;
    let fat = Fat::of(&pointer, scene);
    let thin = fat.as_ref().map_or(&pointer, |fat| &fat.pointer);
    let inner = thin.pointee(scene).ok()?;
    let start = inner.address().filter(|at| at.0 != 0 && at.0.is_multiple_of(word))?;
    let count = |at: Avma| {
        let count = scene.memory.read_word(at).ok()?;
        i64::try_from(count).is_ok().then_some(count)
    };
    // Both are at the start, in this order (`#[repr(C)]`).
    let (strong, weak) = (count(start)?, count(start.checked_add(word)?)?);
    let value = || {
        let value = inner.member(scene, "value").or_else(|| inner.member(scene, "data"))?;
        // rustc has stated a size of zero bits for what has no size of its own.
        let value = value.cast(value.ty);
        value.address().is_some().then_some(value)
    };
    let value = match fat.as_ref().map(|fat| fat.kind) {
        None => CountedValue::Object(value()?),
        Some(FatKind::Length(len)) => {
            let name = view.object.ty.name();
            let target = fat::target_name(&name);
            let first = value()?;
            let at = first.address()?;
            CountedValue::Slice(fat::content(target, first.ty, at, len, scene, view.limit)?)
        }
        Some(FatKind::Vtable(vtable)) => {
            let counts = word.checked_mul(2)?;
            let into = fat::aligned(counts, fat::alignment(vtable, scene)?)?;
            match fat::behind_vtable(vtable, start.checked_add(into)?, scene)? {
                (_, Some(object)) => CountedValue::Object(object),
                (name, None) => CountedValue::Named(name),
            }
        }
    };
    Some(Counted { strong, weak, value })
}
