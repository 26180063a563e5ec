//! An object of a library's type, and the search for its parts.

use std::sync::Arc;

use crate::value::readable::{Readable, extent};
use crate::value::{Object, Scene, TypeRef};
use obit_corefile::addr::Avma;
use obit_dwarf::TypeKind;

/// Wrappers within one another that are looked through.
const WRAPPERS: usize = 12;
/// Members looked at for one name.
const SEARCHED: usize = 64;

/// An object, and how much of it is wanted.
pub(super) struct RustObject<'d> {
    /// Its type is without typedefs.
    pub(super) object: Object<'d>,
    pub(super) scene: Scene<'d>,
    /// Elements to look up at most.
    pub(super) limit: usize,
}

impl<'d> RustObject<'d> {
    /// The outermost part called `name`.
    pub(super) fn part(&self, name: &str) -> Option<Object<'d>> {
        part(&self.object, name, self.scene)
    }

    /// The number in the outermost part called `name`.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        number(&self.part(name)?, self.scene)
    }

    /// The pointer in the outermost part called `name`.
    pub(super) fn pointer(&self, name: &str) -> Option<Object<'d>> {
        Some(only(&self.part(name)?, self.scene)).filter(|part| is_pointer(part, self.scene))
    }

    /// Its first type argument.
    pub(super) fn argument(&self) -> Option<TypeRef<'d>> {
        argument(self.object.ty, 0)
    }

    /// The name before its type arguments, without the modules around it.
    pub(super) fn name(&self) -> String {
        let entry = self.object.ty.get();
        let name = entry.name.as_deref().unwrap_or_default();
        without_arguments(name).to_owned()
    }

    /// A form with this summary and these parts.
    pub(super) fn summarized(
        &self,
        summary: String,
        parts: Vec<(Arc<str>, Object<'d>)>,
    ) -> Readable<'d> {
        let total = Some(parts.len() as u64);
        let elements: Vec<_> = parts.into_iter().take(self.limit).collect();
        Readable { summary: Some(summary), elements, total, ..Readable::default() }
    }

    /// The same with one part.
    pub(super) fn summarized_value(&self, summary: String, value: Object<'d>) -> Readable<'d> {
        self.summarized(summary, vec![("value".into(), value)])
    }

    /// A container of `count` elements of type `ty` that lie one after the other.
    pub(super) fn contiguous(
        &self,
        ty: TypeRef<'d>,
        start: u64,
        count: u64,
    ) -> Option<Readable<'d>> {
        let name = self.name();
        extent::contiguous(&name, ty, Avma(start), count, self.scene, self.limit)
    }
}

/// Type argument number `index` of a generic type.
pub(super) fn argument(ty: TypeRef<'_>, index: usize) -> Option<TypeRef<'_>> {
    let entry = ty.get();
    let TypeKind::Record(record) = &entry.kind else { return None };
    Some(ty.other(record.template_arguments.get(index)?.ty?))
}

/// The outermost part of `object` called `name`.
pub(super) fn part<'d>(object: &Object<'d>, name: &str, scene: Scene<'d>) -> Option<Object<'d>> {
    let mut level = vec![object.clone()];
    let mut searched = 0_usize;
    for _ in 0..WRAPPERS {
        let mut deeper = Vec::new();
        for object in level {
            for (found, member) in object.members(scene) {
                searched = searched.saturating_add(1);
                if searched > SEARCHED {
                    return None;
                }
                if found.as_deref() == Some(name) {
                    return Some(member);
                }
                deeper.push(member);
            }
        }
        level = deeper;
    }
    None
}

/// What is left of `object` without the records around it that hold nothing else: the
/// pointer in `Unique<T>`, the number in `Cell<usize>`.
pub(super) fn only<'d>(object: &Object<'d>, scene: Scene<'d>) -> Object<'d> {
    let mut object = object.clone();
    for _ in 0..WRAPPERS {
        let sized = |(_, member): &(_, Object<'d>)| member.size(scene) != Some(0);
        let members: Vec<_> = object.members(scene).into_iter().filter(sized).collect();
        let [(_, member)] = members.as_slice() else { break };
        if member.size(scene) != object.size(scene) {
            break;
        }
        object = member.clone();
    }
    object
}

/// The number in `object` without wrappers.
pub(super) fn number<'d>(object: &Object<'d>, scene: Scene<'d>) -> Option<u64> {
    let object = only(object, scene);
    let is_number = matches!(
        object.resolved(scene).get().kind,
        TypeKind::Base(_) | TypeKind::Pointer { .. } | TypeKind::Enumeration(_)
    );
    object.unsigned(scene).ok().filter(|_| is_number)
}

/// Whether it is a thin pointer.
pub(super) fn is_pointer<'d>(object: &Object<'d>, scene: Scene<'d>) -> bool {
    matches!(object.resolved(scene).get().kind, TypeKind::Pointer { .. })
}

/// Whether it has parts.
pub(super) fn is_record<'d>(object: &Object<'d>, scene: Scene<'d>) -> bool {
    matches!(object.resolved(scene).get().kind, TypeKind::Record(_))
}

/// A name before its type arguments.
pub(super) fn without_arguments(name: &str) -> &str {
    name.split('<').next().unwrap_or(name)
}
