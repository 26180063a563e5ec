//! Things of a fixed number of parts: pairs, tuples, complex numbers.

use super::form_result::{FormResult, Trouble};
use super::layout::{self, Shape};
use super::object::{CppObject, counted, element_name};
use crate::value::readable::Readable;

/// `std::pair`.
pub(super) fn pair<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let parts = ["first", "second"].map(|name| {
        let part = view.named(&[name]).filter(|field| field.depth == 0);
        part.map(|part| (name.into(), view.part(part)))
    });
    let [Some(first), Some(second)] = parts else { return Err(Trouble::Unfamiliar) };
    Ok(Readable { elements: vec![first, second], total: Some(2), ..view.summarized("") })
}

/// `std::tuple`: each element lies in a base whose template argument is its number.
pub(super) fn tuple<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let mut elements = Vec::new();
    let mut inside = None;
    for field in &view.fields {
        // A tuple within an element has elements of its own.
        if inside.is_some_and(|depth| field.depth > depth) {
            continue;
        }
        inside = None;
        let name = layout::own_name(field.ty);
        if !matches!(name.as_deref(), Some("_Head_base" | "__tuple_leaf")) {
            continue;
        }
        let index = layout::value_arguments(field.ty).first().copied();
        let index = index.and_then(|index| u64::try_from(index).ok()).ok_or(Trouble::Unfamiliar)?;
        let arguments = layout::type_arguments(field.ty, view.scene);
        let ty = arguments.first().copied().ok_or(Trouble::Unfamiliar)?;
        elements.push((index, view.part(field).cast(ty)));
        inside = Some(field.depth);
    }
    elements.sort_by_key(|(index, _)| *index);
    if (0..).zip(&elements).any(|(expected, (index, _))| expected != *index) {
        return Err(Trouble::Unfamiliar);
    }
    let total = u64::try_from(elements.len()).unwrap_or(u64::MAX);
    let named = elements.into_iter().map(|(index, object)| (element_name(index), object));
    let elements = named.take(view.limit).collect();
    Ok(Readable { elements, total: Some(total), ..view.summarized(&counted(total)) })
}

/// `std::complex`: the real part, then the imaginary.
pub(super) fn complex<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let ty = view.argument(0).ok_or(Trouble::Unfamiliar)?;
    let size = view.size_of(ty)?;
    let is_flat = view.fields.iter().all(|field| field.shape != Shape::Record);
    if !is_flat || view.object.size(view.scene) != size.checked_mul(2) {
        return Err(Trouble::Unfamiliar);
    }
    let at = |bits: u64| view.object.part_at(ty, i128::from(bits), None);
    let elements = vec![("real".into(), at(0)), ("imag".into(), at(size.saturating_mul(8)))];
    Ok(Readable { elements, total: Some(2), ..view.summarized("") })
}
