//! Enums that carry data: which variant is there, and what it carries.

use std::sync::Arc;

use super::object::{self, RustObject};
use crate::value::Object;
use crate::value::readable::Readable;

/// An enum's active variant.
pub(super) fn readable<'d>(view: &RustObject<'d>) -> Option<Readable<'d>> {
    let (name, variant) = active(view)?;
    Some(view.summarized(name, payload(&variant, view)))
}

/// The active variant and its name; `None` if that is not known.
pub(super) fn active<'d>(view: &RustObject<'d>) -> Option<(String, Object<'d>)> {
    if view.object.unknown_variant(view.scene).is_some() {
        return None;
    }
    let members = view.object.members(view.scene);
    let [(member, variant)] = members.as_slice() else { return None };
    let own = variant.ty.get().name.clone().filter(|_| object::is_record(variant, view.scene));
    let own = own.or_else(|| member.clone())?;
    Some((object::without_arguments(&own).to_owned(), variant.clone()))
}

/// The fields of a variant, called `0`, `1` if they have no names.
pub(super) fn payload<'d>(
    variant: &Object<'d>,
    view: &RustObject<'d>,
) -> Vec<(Arc<str>, Object<'d>)> {
    let parts = variant.members(view.scene).into_iter();
    let named = parts.filter_map(|(name, part)| {
        let name = name?;
        let number = name.strip_prefix("__").filter(|rest| rest.parse::<u32>().is_ok());
        Some((number.map_or_else(|| Arc::clone(&name), Arc::from), part))
    });
    named.collect()
}
