//! What a person would rather read than a structure: the content of containers, strings
//! and smart pointers, told by the shape of their layout.

mod cpp;
mod date;
mod extent;
mod go;
mod rust;
mod user;

use std::sync::Arc;

pub use user::{FormatterError, UserFormatters};

use super::{Object, Scene, Text};
use obit_dwarf::Language;

/// What a value is to a person.
#[derive(Clone, Debug, Default)]
pub struct Readable<'d> {
    /// What it is, in obit's words, type names and counts: `std::vector of 3`, `Some`.
    /// Never data.
    pub summary: Option<String>,
    /// Its content as text, if it is one.
    pub text: Option<Text>,
    /// Its content, the first ones up to the limit asked for. Of a map that keeps keys
    /// and values apart, the values.
    pub elements: Vec<(Arc<str>, Object<'d>)>,
    /// The key of each element, where `elements` are the values of a map; else empty.
    pub keys: Vec<Object<'d>>,
    /// How many elements there are in all, where that is known.
    pub total: Option<u64>,
}

/// The readable form of `object`, `None` if its plain structure says it best. At most
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
        Language::C | Language::Scoped | Language::Unknown => None,
    }
}
