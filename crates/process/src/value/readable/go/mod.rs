//! Go's built-in types as its compilers lay them out, from 1.17 on: by the shape of the
//! records its linker describes them with, since programs give them names of their own.

mod channel;
mod entries;
mod function;
mod interface;
mod map;
mod object;
mod sequence;
mod swiss;
mod time;

use super::Readable;
use crate::value::{Object, Scene, TypeRef};
use obit_dwarf::TypeKind;
use object::GoObject;

type Form = for<'v, 'd> fn(&'v GoObject<'d>) -> Option<Readable<'d>>;

/// Maps and channels are pointers to what holds them: its name before the arguments.
const POINTED_AT: &[(&str, Form)] =
    &[("hash", map::readable), ("hchan", channel::readable), ("map", swiss::readable)];

/// Records, by the names of all their members.
const RECORDS: &[(&[&str], Form)] = &[
    (&["_type", "data"], interface::readable),
    (&["array", "len", "cap"], sequence::slice),
    (&["str", "len"], sequence::string),
    (&["tab", "data"], interface::readable),
    (&["wall", "ext", "loc"], time::time),
];

/// The readable form of `object`, whose type without typedefs is `ty`.
pub(super) fn readable<'d>(
    object: &Object<'d>,
    ty: TypeRef<'d>,
    scene: Scene<'d>,
    limit: usize,
) -> Option<Readable<'d>> {
    let view = GoObject { object: object.cast(ty), declared: object.ty, scene, limit };
    match &ty.get().kind {
        TypeKind::Function(_) => function::readable(&view),
        TypeKind::Pointer { target: Some(target), .. } => {
            let name = ty.other(*target).get().name.clone()?;
            let own = name.split_once('<')?.0;
            let (_, form) = POINTED_AT.iter().find(|(known, _)| *known == own)?;
            form(&GoObject { object: view.object.pointee(scene).ok()?, ..view })
        }
        TypeKind::Record(record) => {
            let names: Vec<_> = record.members.iter().map(|m| m.name.as_deref()).collect();
            let fits = |known: &[&str]| names.iter().copied().eq(known.iter().copied().map(Some));
            let (_, form) = RECORDS.iter().find(|(known, _)| fits(known))?;
            form(&view)
        }
        _ => None,
    }
}
