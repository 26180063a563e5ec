//! Things that hold one value: atomics, `std::any`, source locations.

use super::form_result::{FormResult, Trouble};
use super::function::first_argument;
use super::layout::{self, Shape};
use super::object::CppObject;
use crate::value::readable::Readable;
use crate::value::{Object, TypeRef};
use obit_corefile::addr::Avma;

/// `std::atomic`: as large as what it holds.
pub(super) fn atomic<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let only = view.fields.iter().find(|field| field.shape != Shape::Record);
    let ty = view.argument(0).or(only.map(|field| field.ty)).ok_or(Trouble::Unfamiliar)?;
    let size = view.size_of(ty)?;
    // A type of three bytes is kept in four.
    let room = size.checked_next_power_of_two();
    let whole = view.object.size(view.scene);
    if whole != Some(size) && whole != room {
        return Err(Trouble::Unfamiliar);
    }
    Ok(view.summarized_with("", "value", view.object.cast(ty)))
}

/// `std::any`: a function that knows the type, and the value or a pointer to it.
pub(super) fn any<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let manager = view.named_number(&["_M_manager", "__h_", "__h"])?;
    if manager == 0 {
        return Ok(view.summarized(", empty"));
    }
    if view.scene.memory.range_at(Avma(manager)).is_none() {
        return Err(Trouble::Damaged("its manager is not mapped"));
    }
    let Some((symbol, _)) = view.scene.around.symbol_at(Avma(manager)) else {
        return Ok(view.summarized(""));
    };
    let held = MANAGERS
        .iter()
        .find_map(|(class, is_inside)| Some((first_argument(&symbol, class)?, *is_inside)));
    let Some((name, is_inside)) = held else { return Ok(view.summarized("")) };
    let rest = format!(" of {name}");
    match any_value(view, name, is_inside) {
        Some(value) => Ok(view.summarized_with(&rest, "value", value)),
        None => Ok(view.summarized(&rest)),
    }
}

/// Classes whose functions manage an `any`, and whether the value lies inside it.
const MANAGERS: [(&str, bool); 4] = [
    ("_Manager_internal<", true),
    ("_Manager_external<", false),
    ("_SmallHandler<", true),
    ("_LargeHandler<", false),
];

/// The value of an `any` that holds a type of this name.
fn any_value<'d>(view: &CppObject<'d>, name: &str, is_inside: bool) -> Option<Object<'d>> {
    let debug = view.object.ty.debug;
    let plain = |ty: TypeRef<'d>| ty.resolved(view.scene);
    let has_size = |id| view.size_of(plain(TypeRef { debug, id })).is_ok();
    let ty = plain(TypeRef { debug, id: debug.find_type(name, has_size)? });
    let storage = match is_inside {
        true => view.named(&["_M_buffer", "__buf", "__buf_"])?,
        false => view.named(&["_M_ptr", "__ptr", "__ptr_"])?,
    };
    if is_inside {
        let room = view.part(storage).size(view.scene)?;
        return (view.size_of(ty).ok()? <= room).then(|| view.part(storage).cast(ty));
    }
    Some(Object::at(ty, Avma(view.number(storage).ok()?)))
}

/// `std::source_location`: a pointer to what the compiler wrote down.
pub(super) fn source_location<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let pointer = view.words().next().ok_or(Trouble::Unfamiliar)?;
    if view.number(pointer)? == 0 {
        return Ok(view.summarized(", empty"));
    }
    let written = view.part(pointer).pointee(view.scene)?;
    let fields = layout::fields(written.ty, view.scene);
    let elements: Vec<_> = fields
        .iter()
        .filter_map(|field| {
            let name = field.name.as_deref()?.trim_start_matches("_M").trim_matches('_');
            Some((name.into(), field.of(&written)))
        })
        .collect();
    let total = u64::try_from(elements.len()).ok();
    Ok(Readable { elements, total, ..view.summarized("") })
}
