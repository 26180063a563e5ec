//! Pointers of two words: to slices and text, with a length; to trait objects, with a
//! vtable.

use crate::value::readable::{Readable, extent};
use crate::value::{Object, Scene, TypeRef};
use obit_corefile::addr::Avma;

/// A pointer of two words.
pub(super) struct Fat<'d> {
    /// A thin pointer to the first byte.
    pub(super) pointer: Object<'d>,
    pub(super) kind: FatKind,
}

/// What its second word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FatKind {
    Length(u64),
    Vtable(Avma),
}

impl<'d> Fat<'d> {
    /// What `object` is, if it has the shape of one: `data_ptr` and `length`, or `pointer`
    /// and `vtable`.
    pub(super) fn of(object: &Object<'d>, scene: Scene<'d>) -> Option<Self> {
        let members = object.members(scene);
        let [(Some(first), pointer), (Some(second), word)] = members.as_slice() else {
            return None;
        };
        let word = || word.unsigned(scene).ok();
        let kind = match (&**first, &**second) {
            ("data_ptr", "length") => FatKind::Length(word()?),
            ("pointer", "vtable") => FatKind::Vtable(Avma(word()?)),
            _ => return None,
        };
        Some(Self { pointer: pointer.clone(), kind })
    }

    /// The address of the first byte.
    pub(super) fn address(&self, scene: Scene<'d>) -> Option<Avma> {
        self.pointer.unsigned(scene).ok().map(Avma)
    }

    /// Of a pointer whose type is called `name`.
    pub(super) fn readable(
        &self,
        name: &str,
        scene: Scene<'d>,
        limit: usize,
    ) -> Option<Readable<'d>> {
        let start = self.address(scene)?;
        let target = target_name(name);
        match self.kind {
            FatKind::Vtable(vtable) => {
                let (concrete, object) = behind_vtable(vtable, start, scene)?;
                let summary = Some(format!("{concrete} as {target}"));
                let elements = object.into_iter().map(|object| ("value".into(), object));
                let elements: Vec<_> = elements.take(limit).collect();
                Some(Readable { summary, elements, total: Some(1), ..Readable::default() })
            }
            FatKind::Length(len) => {
                let element = self.pointer.pointee(scene).ok()?.ty;
                content(target, element, start, len, scene, limit)
            }
        }
    }
}

/// The content of a slice or text of type `target` whose elements, of type `element`,
/// begin at `start`.
pub(super) fn content<'d>(
    target: &str,
    element: TypeRef<'d>,
    start: Avma,
    len: u64,
    scene: Scene<'d>,
    limit: usize,
) -> Option<Readable<'d>> {
    if start.0 == 0 {
        return None;
    }
    let last = target.rsplit("::").next().unwrap_or(target);
    if matches!(last, "str" | "Path" | "OsStr" | "CStr") {
        // A C string's length counts the NUL at its end.
        let len = if last == "CStr" { len.checked_sub(1)? } else { len };
        let text = Some(extent::text(start, len, scene)?);
        return Some(Readable { text, ..Readable::default() });
    }
    if !target.starts_with('[') {
        return None;
    }
    extent::contiguous("slice", element, start, len, scene, limit)
}

/// What a pointer type points at, by its name: `str` of `&mut str`, of
/// `alloc::boxed::Box<str, alloc::alloc::Global>`.
pub(super) fn target_name(name: &str) -> &str {
    let plain = ["&mut ", "&", "*const ", "*mut "].iter().find_map(|p| name.strip_prefix(p));
    if let Some(target) = plain {
        return target;
    }
    let inner = name.split_once('<').map_or(name, |(_, inner)| inner);
    let mut depth = 0_usize;
    for (at, c) in inner.char_indices() {
        match c {
            '<' | '(' | '[' => depth = depth.saturating_add(1),
            ')' | ']' => depth = depth.saturating_sub(1),
            // The arrow of a function's type closes nothing.
            '>' if inner.get(..at).unwrap_or_default().ends_with('-') => {}
            ',' | '>' if depth == 0 => return inner.get(..at).unwrap_or(inner),
            '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    inner
}

/// The name of the concrete type whose vtable this is, and the object at `data` if the
/// type is known.
pub(super) fn behind_vtable<'d>(
    vtable: Avma,
    data: Avma,
    scene: Scene<'d>,
) -> Option<(String, Option<Object<'d>>)> {
    if let Some((ty, _)) = scene.around.class_of_vtable(vtable) {
        return Some((ty.name().to_string(), Some(Object::at(ty, data))));
    }
    // The first word of a vtable is the function that drops the concrete type, if that
    // needs any dropping.
    let drop = scene.memory.read_word(vtable).ok().filter(|at| *at != 0)?;
    let (function, offset) = scene.around.symbol_at(Avma(drop))?;
    let (_, rest) = function.split_once("drop_in_place<").filter(|_| offset == 0)?;
    Some((rest.strip_suffix('>')?.to_owned(), None))
}

/// The alignment of the concrete type, which is the third word of a vtable.
pub(super) fn alignment(vtable: Avma, scene: Scene<'_>) -> Option<u64> {
    let word = scene.memory.word() as u64;
    let at = vtable.checked_add(word.checked_mul(2)?)?;
    scene.memory.read_word(at).ok().filter(|align| align.is_power_of_two())
}

/// Where a field that follows `before` bytes lies if it is aligned to `align`.
pub(super) fn aligned(before: u64, align: u64) -> Option<u64> {
    before.checked_next_multiple_of(align)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_of_a_pointer_is_found_in_its_name() {
        for (name, target) in [
            ("&str", "str"),
            ("&mut [u8]", "[u8]"),
            ("*const dyn core::any::Any", "dyn core::any::Any"),
            ("alloc::boxed::Box<str, alloc::alloc::Global>", "str"),
            ("alloc::boxed::Box<[(u8, i32)], alloc::alloc::Global>", "[(u8, i32)]"),
            ("alloc::boxed::Box<dyn FnOnce<(), Output = u8>>", "dyn FnOnce<(), Output = u8>"),
            ("alloc::boxed::Box<dyn Fn(u8) -> u16, A>", "dyn Fn(u8) -> u16"),
        ] {
            assert_eq!(target_name(name), target);
        }
    }
}
