//! Go's built-in types as its compilers lay them out, from 1.17 on: by the shape of the
//! records its linker describes them with, since programs give them names of their own.

mod channel;
mod entries;
mod function;
mod interface;
mod map;
mod sequence;
mod swiss;
mod time;

use super::Readable;
use crate::value::{Object, Scene, TypeRef};
use obit_corefile::addr::Avma;
use obit_dwarf::TypeKind;

/// The readable form of `object`, whose type without typedefs is `ty`.
pub(super) fn readable<'d>(
    object: &Object<'d>,
    ty: TypeRef<'d>,
    scene: Scene<'d>,
    limit: usize,
) -> Option<Readable<'d>> {
    let view = GoObject { object: object.cast(ty), scene, limit };
    let entry = ty.get();
    match &entry.kind {
        TypeKind::Function(_) => function::readable(&view),
        TypeKind::Pointer { target: Some(target), .. } => {
            // Maps and channels are pointers to what holds them.
            let name = ty.other(*target).get().name.clone()?;
            let form = match name.split_once('<')?.0 {
                "hash" => map::readable,
                "map" => swiss::readable,
                "hchan" => channel::readable,
                _ => return None,
            };
            form(&GoObject { object: view.object.pointee(scene).ok()?, ..view })
        }
        TypeKind::Record(record) => {
            let names: Vec<_> = record.members.iter().map(|m| m.name.as_deref()).collect();
            match names.as_slice() {
                [Some("str"), Some("len")] => sequence::string(&view),
                [Some("array"), Some("len"), Some("cap")] => sequence::slice(&view),
                [Some("tab" | "_type"), Some("data")] => {
                    interface::readable(&view, &object.ty.name())
                }
                [Some("wall"), Some("ext"), Some("loc")] => time::time(&view),
                _ => None,
            }
        }
        _ => None,
    }
}

/// An object, and how much of it is wanted.
struct GoObject<'d> {
    /// Its type is without typedefs.
    object: Object<'d>,
    scene: Scene<'d>,
    /// Elements to look up at most.
    limit: usize,
}

impl<'d> GoObject<'d> {
    fn member(&self, name: &str) -> Option<Object<'d>> {
        self.object.member(self.scene, name)
    }

    /// The unsigned number or the pointer in the member called `name`.
    fn number(&self, name: &str) -> Option<u64> {
        self.member(name)?.unsigned(self.scene).ok()
    }

    /// The number in the member called `name`, an `int` that counts something.
    fn count(&self, name: &str) -> Option<u64> {
        u64::try_from(self.member(name)?.signed(self.scene).ok()?).ok()
    }

    /// What the pointer in the member called `name` points at; `None` if it is nil.
    fn pointee(&self, name: &str) -> Option<Object<'d>> {
        let pointee = self.member(name)?.pointee(self.scene).ok()?;
        (pointee.address()? != Avma(0)).then_some(pointee)
    }
}

/// What a pointer type points at.
fn target(ty: TypeRef<'_>) -> Option<TypeRef<'_>> {
    let TypeKind::Pointer { target, .. } = ty.get().kind else { return None };
    Some(ty.other(target?))
}
