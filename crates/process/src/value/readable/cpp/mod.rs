//! The C++ standard library as gcc (libstdc++) and LLVM (libc++) lay it out. A type's
//! public name shows what it is, the shape of its layout where its parts are; private names
//! decide only where two parts have the same shape. An object that breaks a rule of its kind
//! is reported as damaged and not followed.

mod deque;
mod family;
mod form_result;
mod function;
mod hash;
mod layout;
mod list;
mod node;
mod object;
mod product;
mod sequence;
mod smart;
mod string;
mod sum;
mod sync;
#[cfg(test)]
mod tests;
mod time;
mod tree;
mod wrapper;

use super::Readable;
use crate::value::{Object, Scene, TypeRef};
use form_result::{FormResult, Trouble};
use obit_dwarf::TypeKind;
use object::CppObject;

type Form = for<'v, 'd> fn(&'v CppObject<'d>) -> FormResult<'d>;

/// Public names and how to read objects of these types.
const FORMS: &[(&str, Form)] = &[
    ("std::__thread_id", sync::thread),
    ("std::any", wrapper::any),
    ("std::array", sequence::array),
    ("std::atomic", wrapper::atomic),
    ("std::atomic_flag", wrapper::atomic),
    ("std::basic_string", string::owned),
    ("std::basic_string_view", string::borrowed),
    ("std::bitset", sequence::bitset),
    ("std::chrono::duration", time::duration),
    ("std::chrono::time_point", time::time_point),
    ("std::complex", product::complex),
    ("std::condition_variable", sync::condition_variable),
    ("std::deque", deque::deque),
    ("std::exception_ptr", smart::exception_ptr),
    ("std::expected", sum::expected),
    ("std::filesystem::path", string::path),
    ("std::forward_list", list::forward_list),
    ("std::function", function::function),
    ("std::initializer_list", sequence::slice),
    ("std::list", list::list),
    ("std::map", tree::tree),
    ("std::multimap", tree::tree),
    ("std::multiset", tree::tree),
    ("std::mutex", sync::mutex),
    ("std::optional", sum::optional),
    ("std::pair", product::pair),
    ("std::priority_queue", sequence::adaptor),
    ("std::queue", sequence::adaptor),
    ("std::recursive_mutex", sync::mutex),
    ("std::recursive_timed_mutex", sync::mutex),
    ("std::reference_wrapper", smart::reference_wrapper),
    ("std::set", tree::tree),
    ("std::shared_mutex", sync::shared_mutex),
    ("std::shared_ptr", smart::shared_ptr),
    ("std::shared_timed_mutex", sync::shared_mutex),
    ("std::source_location", wrapper::source_location),
    ("std::span", sequence::slice),
    ("std::stack", sequence::adaptor),
    ("std::thread", sync::thread),
    ("std::thread::id", sync::thread),
    ("std::timed_mutex", sync::mutex),
    ("std::tuple", product::tuple),
    ("std::unique_ptr", smart::unique_ptr),
    ("std::unordered_map", hash::hash_table),
    ("std::unordered_multimap", hash::hash_table),
    ("std::unordered_multiset", hash::hash_table),
    ("std::unordered_set", hash::hash_table),
    ("std::variant", sum::variant),
    ("std::vector", sequence::vector),
    ("std::weak_ptr", smart::weak_ptr),
];

/// The readable form of `object`, whose type without typedefs is `ty`.
pub(super) fn readable<'d>(
    object: &Object<'d>,
    ty: TypeRef<'d>,
    scene: Scene<'d>,
    limit: usize,
) -> Option<Readable<'d>> {
    let (family, form) = form_of(ty)?;
    let view = CppObject::new(object.cast(ty), scene, limit, family, inner_readable);
    // Libraries that check iterators wrap the plain container in one of the same name.
    let plain = view.base_of_same_family();
    let plain = plain.map(|base| CppObject::new(base, scene, limit, family, inner_readable));
    apply(plain.as_ref().unwrap_or(&view), form)
}

/// How a library type is read, with its public name.
fn form_of(ty: TypeRef<'_>) -> Option<(&'static str, Form)> {
    let entry = ty.get();
    let own = entry.name.as_deref().filter(|_| matches!(entry.kind, TypeKind::Record(_)))?;
    // Most types are not containers: their full names need not be made.
    let last = family::without_arguments(own).rsplit("::").next()?;
    FORMS
        .iter()
        .find(|(name, _)| name.strip_suffix(last).is_some_and(|scopes| scopes.ends_with("::")))?;
    let family = family::of(&ty.name())?;
    FORMS.iter().find(|(name, _)| **name == family).copied()
}

/// The readable form of the container that another is made of. Never one that is itself
/// made of a container: a malformed type may be made of itself.
fn inner_readable<'d>(view: &CppObject<'d>, inner: &Object<'d>) -> Option<Readable<'d>> {
    let ty = inner.resolved(view.scene);
    let (family, _) = form_of(ty)?;
    (!MADE_OF_OTHERS.contains(&family)).then(|| readable(inner, ty, view.scene, view.limit))?
}

/// Those that [`inner_readable`] serves.
const MADE_OF_OTHERS: &[&str] =
    &["std::filesystem::path", "std::priority_queue", "std::queue", "std::stack"];

fn apply<'d>(view: &CppObject<'d>, form: Form) -> Option<Readable<'d>> {
    match form(view) {
        Ok(readable) => Some(readable),
        Err(Trouble::Damaged(how)) => Some(view.damaged(how)),
        Err(Trouble::Unfamiliar | Trouble::Absent) => None,
    }
}
