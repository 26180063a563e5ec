//! Things that hold one value: atomics, `std::any`, source locations.

use super::function::first_argument;
use super::layout::{self, Shape};
use super::view::View;
use super::{Told, Trouble};
use crate::addr::Avma;
use crate::value::readable::Readable;

/// `std::atomic`: as large as what it holds.
pub(super) fn atomic<'d>(view: &View<'d>) -> Told<'d> {
    let only = view.fields.iter().find(|field| field.shape != Shape::Record);
    let ty = view.argument(0).or(only.map(|field| field.ty)).ok_or(Trouble::Unfamiliar)?;
    let size = view.size_of(ty)?;
    // A type of three bytes is kept in four.
    let room = size.checked_next_power_of_two();
    let whole = view.object.size(view.scene);
    if whole != Some(size) && whole != room {
        return Err(Trouble::Unfamiliar);
    }
    Ok(view.told_with("", "value", view.object.cast(ty)))
}

/// `std::any`: a function that knows the type, and the value or a pointer to it.
pub(super) fn any<'d>(view: &View<'d>) -> Told<'d> {
    let manager = view.named_number(&["_M_manager", "__h_", "__h"])?;
    if manager == 0 {
        return Ok(view.told(", empty"));
    }
    if view.scene.memory.range_at(Avma(manager)).is_none() {
        return Err(Trouble::Damaged("its manager is not mapped"));
    }
    let symbol = view.scene.around.symbol_at(Avma(manager));
    let managers = ["_Manager_internal<", "_Manager_external<", "_SmallHandler<", "_LargeHandler<"];
    let name = symbol
        .as_ref()
        .and_then(|(name, _)| managers.iter().find_map(|manager| first_argument(name, manager)));
    Ok(view.told(&name.map_or(String::new(), |name| format!(" of {name}"))))
}

/// `std::source_location`: a pointer to what the compiler wrote down.
pub(super) fn source_location<'d>(view: &View<'d>) -> Told<'d> {
    let pointer = view.words().next().ok_or(Trouble::Unfamiliar)?;
    if view.number(pointer)? == 0 {
        return Ok(view.told(", empty"));
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
    Ok(Readable { elements, total, ..view.told("") })
}
