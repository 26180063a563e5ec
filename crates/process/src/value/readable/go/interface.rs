//! Interfaces: a runtime type, in one with methods by way of a table of those, and a
//! pointer to the value, or the value itself if that is a pointer.

use super::object::GoObject;
use super::sequence;
use crate::value::readable::Readable;
use crate::value::{Object, Scene, Text, TypeRef};
use obit_corefile::addr::Avma;
use obit_dwarf::TypeKind;

/// Records and arrays of one element within one another.
const DEPTH: usize = 8;
/// Errors of the standard library that are a text, and where that is.
const ERRORS: &[(&str, &str)] =
    &[("errors.errorString", "s"), ("fmt.wrapError", "msg"), ("fmt.wrapErrors", "msg")];

/// An interface, by the concrete type and value in it.
pub(super) fn readable<'d>(view: &GoObject<'d>) -> Option<Readable<'d>> {
    let scene = view.scene;
    let data = view.member("data")?;
    let is_plain = view.member("_type").is_some();
    let word = view.number(if is_plain { "_type" } else { "tab" })?;
    if word == 0 {
        let is_nil = data.unsigned(scene).ok()? == 0;
        let summary = Some("nil".to_owned());
        return is_nil.then(|| Readable { summary, ..Readable::default() });
    }
    let runtime_type = if is_plain {
        word
    } else {
        // runtime.itab: the interface's type, then the concrete one.
        let second = word.checked_add(scene.memory.word() as u64)?;
        scene.memory.read_word(Avma(second)).ok()?
    };
    let ty = scene.around.go_type(Avma(runtime_type))?;
    let value = if is_direct(ty, scene, DEPTH) {
        data.cast(ty)
    } else {
        Object::at(ty, Avma(data.unsigned(scene).ok()?))
    };
    let text = if &*view.declared.name() == "error" { message(&value, view) } else { None };
    let elements = [("value".into(), value)].into_iter().take(view.limit).collect();
    let summary = Some(format!("holds {}", ty.name()));
    Some(Readable { summary, text, elements, total: Some(1), ..Readable::default() })
}

/// Whether values of the type are a pointer, which lies in the interface itself.
fn is_direct<'d>(ty: TypeRef<'d>, scene: Scene<'d>, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let object = Object::at(ty, Avma(0));
    let ty = object.resolved(scene);
    match &ty.get().kind {
        TypeKind::Pointer { .. } | TypeKind::Function(_) => true,
        TypeKind::Record(record) => match record.members.as_slice() {
            [only] => only.ty.is_some_and(|only| is_direct(ty.other(only), scene, depth)),
            _ => false,
        },
        TypeKind::Array(array) => {
            object.length(scene) == Some(1)
                && array.element.is_some_and(|element| is_direct(ty.other(element), scene, depth))
        }
        _ => false,
    }
}

/// The text of an error of the standard library.
fn message<'d>(error: &Object<'d>, view: &GoObject<'d>) -> Option<Text> {
    let value = error.pointee(view.scene).ok()?;
    let name = value.ty.name();
    let (_, field) = ERRORS.iter().find(|(known, _)| *known == &*name)?;
    let object = value.member(view.scene, field)?;
    sequence::string(&GoObject { object, limit: 0, ..*view })?.text
}
