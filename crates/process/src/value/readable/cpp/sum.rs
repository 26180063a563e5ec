//! Things of which one form is there at a time: optionals, variants, expected values.

use super::form_result::{FormResult, Trouble};
use super::layout::{self, Field};
use super::object::CppObject;

/// `std::optional`: a flag and storage for the value.
pub(super) fn optional<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let is_engaged = flag(view, &["_M_engaged", "__engaged_"])?;
    if !is_engaged {
        return Ok(view.summarized(", empty"));
    }
    let value = view.named(&["_M_value", "__val_"]).ok_or(Trouble::Unfamiliar)?;
    let ty = view.argument(0).unwrap_or(value.ty);
    Ok(view.summarized_with("", "value", view.part(value).cast(ty)))
}

/// `std::expected`: a flag, and storage for the value or the error.
pub(super) fn expected<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let (rest, names) = match flag(view, &["_M_has_value", "__has_val_"])? {
        true => (", value", ["_M_val", "__val_"]),
        false => (", error", ["_M_unex", "__unex_"]),
    };
    let name = rest.trim_start_matches(", ");
    match view.named(&names).filter(|field| field.in_union) {
        Some(part) => Ok(view.summarized_with(rest, name, view.part(part))),
        // Of `void`.
        None if name == "value" => Ok(view.summarized(rest)),
        None => Err(Trouble::Unfamiliar),
    }
}

fn flag(view: &CppObject<'_>, names: &[&str]) -> Result<bool, Trouble> {
    match view.named_number(names)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Trouble::Damaged("its flag is neither true nor false")),
    }
}

/// `std::variant`: an index, and unions within one another: each has one alternative
/// first and the union of all others after it.
pub(super) fn variant<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let index = view.named(&["_M_index", "__index", "__index_"]).ok_or(Trouble::Unfamiliar)?;
    let number = view.number(index)?;
    let bits = view.part(index).size(view.scene).unwrap_or(8).saturating_mul(8);
    // `variant_npos`, in as many bits as the index has.
    if 64_u64.checked_sub(bits).and_then(|unused| u64::MAX.checked_shr(u32::try_from(unused).ok()?))
        == Some(number)
    {
        return Ok(view.summarized(", valueless"));
    }
    let is_storage = |field: &&Field<'d>| field.is_named(&["_M_u", "__data", "__data_"]);
    let storage = view.fields.iter().filter(is_storage).min_by_key(|field| field.depth);
    let mut alternatives = view.part(storage.ok_or(Trouble::Unfamiliar)?);
    let member = |of: &crate::value::Object<'d>, names: [&str; 3]| {
        names.into_iter().find_map(|name| of.member(view.scene, name))
    };
    let beyond = Trouble::Damaged("its index is out of range");
    for _ in 0..number {
        match member(&alternatives, ["_M_rest", "__tail", "__tail_"]) {
            Some(rest) => alternatives = rest,
            None => return Err(beyond),
        }
    }
    let Some(active) = member(&alternatives, ["_M_first", "__head", "__head_"]) else {
        return Err(beyond);
    };
    let ty = layout::type_arguments(active.resolved(view.scene), view.scene).first().copied();
    let value = active.cast(ty.ok_or(Trouble::Unfamiliar)?);
    Ok(view.summarized_with(&format!(", alternative {number}"), "value", value))
}
