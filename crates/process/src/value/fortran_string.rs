//! Strings whose length is in the type or stored beside them, as Fortran's.

use std::sync::Arc;

use super::object::{Absence, Contents, Object, Scene};
use super::text::counted_text;
use super::{Text, Value};
use obit_corefile::addr::Avma;
use obit_dwarf::TypeKind;

/// The text of a string of Fortran; `None` if `object` is of another type.
pub(super) fn text<'d>(
    object: &Object<'d>,
    scene: Scene<'d>,
    longest: usize,
) -> Option<Result<Text, Absence>> {
    let ty = object.resolved(scene);
    let TypeKind::String(_) = &ty.get().kind else { return None };
    Some(match object.size(scene) {
        // What gfortran writes where the length is kept elsewhere.
        None | Some(0) => Err(Absence::UnknownLength),
        Some(length) => of_length(object, length, scene, longest),
    })
}

/// Gives components that point at strings of deferred length, whose length is in a
/// component beside them, their text.
pub(super) fn add_texts<'d>(
    values: &mut [Value],
    members: &[(Option<Arc<str>>, Object<'d>)],
    scene: Scene<'d>,
    longest: usize,
) {
    for (value, (name, member)) in values.iter_mut().zip(members) {
        let Some(name) = name else { continue };
        let text = of_component(member, name, members, scene, longest);
        value.text = text.or_else(|| value.text.take());
    }
}

/// The text that a pointer of deferred length points at, a component of a derived type:
/// gfortran keeps the length of `title` in the component `_title_length`.
fn of_component<'d>(
    pointer: &Object<'d>,
    name: &str,
    siblings: &[(Option<Arc<str>>, Object<'d>)],
    scene: Scene<'d>,
    longest: usize,
) -> Option<Text> {
    let ty = pointer.resolved(scene);
    let TypeKind::Pointer { target: Some(target), .. } = ty.get().kind else { return None };
    let target = ty.other(target).resolved(scene).get();
    if !matches!(target.kind, TypeKind::String(_)) || target.byte_size != Some(0) {
        return None;
    }
    let wanted = format!("_{name}_length");
    let (_, length) = siblings.iter().find(|(name, _)| name.as_deref() == Some(&*wanted))?;
    let length = u64::try_from(length.signed(scene).ok()?).ok()?;
    let at = Avma(pointer.unsigned(scene).ok().filter(|at| *at != 0)?);
    of_length(&Object::at(ty, at), length, scene, longest).ok()
}

/// The first `length` bytes of `object` as text.
fn of_length<'d>(
    object: &Object<'d>,
    length: u64,
    scene: Scene<'d>,
    longest: usize,
) -> Result<Text, Absence> {
    let bytes = match &object.contents {
        Contents::Memory(_) => {
            let at = object.address().ok_or(Absence::Malformed("text within a byte"))?;
            let wanted = length.min(scene.limits.string_bytes as u64);
            let bytes = scene.memory.read_up_to(at, usize::try_from(wanted).unwrap_or(usize::MAX));
            if bytes.is_empty() {
                scene.memory.read(at, &mut [0])?;
            }
            bytes
        }
        Contents::Parts(_) => object.bytes(scene)?,
        Contents::Absent(why) => return Err(why.clone()),
    };
    let left_out = length.saturating_sub(bytes.len() as u64);
    let is_little_endian = scene.memory.is_little_endian();
    Ok(counted_text(&bytes, 1, is_little_endian, left_out).cut(longest))
}
