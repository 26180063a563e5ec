//! Readable forms of structures: the content of containers, strings and smart pointers,
//! recognized by their layout.

mod ada;
mod cpp;
mod d;
mod d_map;
mod date;
mod extent;
mod form;
mod go;
mod nim;
mod rust;
mod user;
mod zig;

pub use form::Readable;
pub use user::{FormatterError, FormatterProblem, UserFormatters};

use super::{Object, Scene};
use obit_dwarf::Language;

/// The readable form of `object`, `None` if its plain structure is the best one. At most
/// `limit` elements are looked up.
pub fn readable<'d>(object: &Object<'d>, scene: Scene<'d>, limit: usize) -> Option<Readable<'d>> {
    if let Some(declared) = scene.formatters.readable(object, scene, limit) {
        return Some(declared);
    }
    let ty = object.resolved(scene);
    match ty.get().language {
        Language::Cpp => cpp::readable(object, ty, scene, limit),
        Language::Rust => rust::readable(object, ty, scene, limit),
        Language::Go => go::readable(object, ty, scene, limit),
        Language::Ada => ada::readable(object, scene, limit),
        Language::Scoped => d::readable(object, ty, scene, limit)
            .or_else(|| d_map::readable(object, ty, scene, limit)),
        // Nim is compiled by way of C, and Zig's compiler says that its language is C if it
        // uses LLVM. Their types have names that C does not have.
        Language::C => zig::readable(object, ty, scene, limit)
            .or_else(|| nim::readable(object, ty, scene, limit)),
        Language::Fortran | Language::Unknown => None,
    }
}
