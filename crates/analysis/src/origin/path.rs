//! What lies at an offset of an object, as source names it: `.items[3].next`.

use obit_dwarf::{Language, TypeKind};
use obit_process::value::{Object, Scene};

/// Members within one another that are followed.
const DEEPEST: usize = 24;

/// A part of an object, and how source gets there from it.
#[derive(Clone, Debug)]
pub(super) struct Part<'t> {
    /// `.items[3].next`; empty for the object itself.
    pub(super) text: String,
    pub(super) object: Object<'t>,
}

/// The smallest part of `object` that begins `offset` bytes into it and has `size` bytes,
/// if one does; else the one without parts that holds it. An index that is a variable is
/// in `index` with the bytes of one element: it goes into the first array of such elements.
pub(super) fn part_at<'t>(
    scene: Scene<'t>,
    object: &Object<'t>,
    offset: u64,
    size: Option<u64>,
    mut index: Option<(&str, u64)>,
) -> Option<Part<'t>> {
    let mut part = Part { text: String::new(), object: object.clone() };
    let start = object.address()?;
    for _ in 0..DEEPEST {
        let into = start.0.wrapping_add(offset).wrapping_sub(part.object.address()?.0);
        let ty = part.object.resolved(scene);
        let found = match &ty.get().kind {
            TypeKind::Record(_) => member_at(scene, &part.object, into, size),
            TypeKind::Array(_) => element_at(scene, &part.object, into, &mut index),
            _ => break,
        };
        let is_whole = into == 0 && index.is_none() && part.object.size(scene) == size;
        match found {
            // A record of one member is that member, unless libraries hide it.
            Some((text, object)) => {
                let is_hidden = text.is_empty();
                if is_whole && !is_hidden && !matches!(ty.get().kind, TypeKind::Record(_)) {
                    break;
                }
                part.text.push_str(&text);
                part.object = object;
            }
            None if is_whole => break,
            None => return None,
        }
    }
    index.is_none().then_some(part)
}

/// A member with its name, and how well it fits.
type Ranked<'t> = ((bool, bool, u64), Option<std::sync::Arc<str>>, Object<'t>);

/// The member that holds the byte at `into`: of several (a union's, empty bases) one of the
/// size that is wanted, of those a pointer, else the largest.
fn member_at<'t>(
    scene: Scene<'t>,
    object: &Object<'t>,
    into: u64,
    wanted: Option<u64>,
) -> Option<(String, Object<'t>)> {
    let start = object.address()?;
    let ty = object.resolved(scene);
    let (owner, is_of_go) = (ty.name(), ty.get().language == Language::Go);
    let mut best: Option<Ranked<'t>> = None;
    for (name, member) in object.members(scene) {
        let place = member.address().map(|at| at.0.wrapping_sub(start.0));
        let (Some(before), Some(size)) = (place, member.size(scene)) else { continue };
        if into < before || into - before >= size {
            continue;
        }
        let fits = into == before && Some(size) == wanted;
        let kind = &member.resolved(scene).get().kind;
        let rank = (fits, fits && matches!(kind, TypeKind::Pointer { .. }), size);
        if best.as_ref().is_none_or(|best| best.0 < rank) {
            best = Some((rank, name, member));
        }
    }
    let (_, name, member) = best?;
    let bases = object.bases(scene);
    let is_base =
        bases.iter().any(|base| base.address() == member.address() && base.ty.id == member.ty.id);
    let is_hidden =
        |name: &str| is_internal(&owner, name) || is_of_go && is_of_header(&owner, name);
    let text = match name {
        Some(name) if !is_base && !is_hidden(&name) => format!(".{}", tuple_field(&name)),
        _ => String::new(),
    };
    Some((text, member))
}

/// `0` for `__0`: how Rust's tuples name their members.
fn tuple_field(name: &str) -> &str {
    match name.strip_prefix("__") {
        Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => number,
        _ => name,
    }
}

/// A member that only a library's own code names.
fn is_internal(owner: &str, name: &str) -> bool {
    const LIBRARIES: [&str; 4] = ["std::", "alloc::", "core::", "__gnu_cxx::"];
    let is_public = matches!(name, "first" | "second");
    let is_tuple = tuple_field(name) != name;
    !is_public && !is_tuple && LIBRARIES.iter().any(|prefix| owner.starts_with(prefix))
        || name.starts_with("_M_")
}

/// What source of Go has no name for: the pointer of a slice or a string, and the type of an
/// interface, by which the interface is nil.
fn is_of_header(owner: &str, name: &str) -> bool {
    match name {
        "array" => owner.starts_with("[]"),
        "str" => owner == "string",
        "tab" => owner == "runtime.iface",
        "_type" => owner == "runtime.eface",
        _ => false,
    }
}

fn element_at<'t>(
    scene: Scene<'t>,
    object: &Object<'t>,
    into: u64,
    index: &mut Option<(&str, u64)>,
) -> Option<(String, Object<'t>)> {
    // A descriptor holds no elements, and indices of Fortran are not written so.
    if is_of_fortran(scene, object) {
        return None;
    }
    let first = object.index(scene, 0)?;
    let size = first.size(scene).filter(|size| *size > 0)?;
    if let Some((name, _)) = index.filter(|(_, bytes)| *bytes == size) {
        *index = None;
        return Some((format!("[{name}]"), first));
    }
    let nth = i64::try_from(into / size).ok()?;
    let index = nth.checked_add(object.lower_bound(scene))?;
    Some((format!("[{index}]"), object.index(scene, nth)?))
}

fn is_of_fortran<'t>(scene: Scene<'t>, object: &Object<'t>) -> bool {
    match &object.resolved(scene).get().kind {
        TypeKind::Array(array) => array.is_column_major || !array.descriptor.is_empty(),
        _ => false,
    }
}
