//! An object of Go, as the formatters of this folder ask it.

use crate::value::{Object, Scene, TypeRef};
use obit_corefile::addr::Avma;
use obit_dwarf::TypeKind;

/// An object, and how much of it is wanted.
pub(super) struct GoObject<'d> {
    /// Its type is without typedefs.
    pub(super) object: Object<'d>,
    /// The type it was declared with.
    pub(super) declared: TypeRef<'d>,
    pub(super) scene: Scene<'d>,
    /// Elements to look up at most.
    pub(super) limit: usize,
}

impl<'d> GoObject<'d> {
    pub(super) fn member(&self, name: &str) -> Option<Object<'d>> {
        self.object.member(self.scene, name)
    }

    /// The unsigned number or the pointer in the member called `name`.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.member(name)?.unsigned(self.scene).ok()
    }

    /// The number in the member called `name`, an `int` that counts something.
    pub(super) fn count(&self, name: &str) -> Option<u64> {
        u64::try_from(self.member(name)?.signed(self.scene).ok()?).ok()
    }

    /// What the pointer in the member called `name` points at; `None` if it is nil.
    pub(super) fn pointee(&self, name: &str) -> Option<Object<'d>> {
        let pointee = self.member(name)?.pointee(self.scene).ok()?;
        (pointee.address()? != Avma(0)).then_some(pointee)
    }
}

/// What a pointer type points at.
pub(super) fn target(ty: TypeRef<'_>) -> Option<TypeRef<'_>> {
    let TypeKind::Pointer { target, .. } = ty.get().kind else { return None };
    Some(ty.other(target?))
}
