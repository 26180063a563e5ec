//! Things that point: smart pointers, references, exceptions in flight.

use super::form_result::{FormResult, Trouble};
use super::layout::{self, Field, Shape};
use super::object::CppObject;
use crate::value::{Object, TypeRef};
use obit_corefile::addr::Avma;
use obit_dwarf::TypeKind;

/// More owners than any program has: the counter is something else.
const OWNERS: i64 = 1 << 32;

/// `std::unique_ptr`: a pointer, and a deleter that may be one too.
pub(super) fn unique_ptr<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let pointed = view.argument(0).map(|ty| match &ty.get().kind {
        TypeKind::Array(array) => array.element.map_or(ty, |element| ty.other(element)),
        _ => ty,
    });
    let pointed = pointed.map(|ty| ty.resolved(view.scene)).ok_or(Trouble::Unfamiliar)?;
    let is_pointer = |field: &&Field<'d>| {
        let target = field.target(view.scene);
        target.is_some_and(|target| target.id == pointed.id || target.name() == pointed.name())
    };
    let matching: Vec<_> = view.words().filter(is_pointer).collect();
    let pointers = view.words().filter(|field| field.shape != Shape::Integer);
    let pointer = match matching.first() {
        Some(pointer) => *pointer,
        // `void`, or a type that another image defines.
        None => match <[_; 1]>::try_from(pointers.collect::<Vec<_>>()) {
            Ok([only]) => only,
            Err(_) => return Err(Trouble::Unfamiliar),
        },
    };
    Ok(pointing(view, pointer, view.number(pointer)?))
}

/// `std::reference_wrapper`.
pub(super) fn reference_wrapper<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let pointer = view.words().next().ok_or(Trouble::Unfamiliar)?;
    Ok(pointing(view, pointer, view.number(pointer)?))
}

fn pointing<'d>(
    view: &CppObject<'d>,
    pointer: &Field<'d>,
    at: u64,
) -> crate::value::readable::Readable<'d> {
    match at {
        0 => view.summarized(", empty"),
        _ => view.summarized_with("", "get()", view.part(pointer)),
    }
}

/// `std::shared_ptr`.
pub(super) fn shared_ptr<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let (pointer, control) = shared(view)?;
    let at = view.number(pointer)?;
    let Some(counts) = counts(view, control)? else {
        return Ok(match at {
            0 => view.summarized(", empty"),
            _ => view.summarized_with(", owning nothing", "get()", view.part(pointer)),
        });
    };
    if counts.owners <= 0 {
        return Err(Trouble::Damaged("its owner count is below 1"));
    }
    Ok(match at {
        0 => view.summarized(&format!(" to nothing, {}", counts.spelled())),
        _ => view.summarized_with(&format!(", {}", counts.spelled()), "get()", view.part(pointer)),
    })
}

/// `std::weak_ptr`.
pub(super) fn weak_ptr<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let (pointer, control) = shared(view)?;
    let Some(counts) = counts(view, control)? else { return Ok(view.summarized(", empty")) };
    if counts.weak <= 0 {
        return Err(Trouble::Damaged("its weak count is below 1"));
    }
    Ok(match counts.owners {
        0 => view.summarized(", expired"),
        _ => view.summarized_with(&format!(", {}", counts.spelled()), "get()", view.part(pointer)),
    })
}

/// The two pointers of a shared pointer: to the object and to the counts.
fn shared<'v, 'd>(view: &'v CppObject<'d>) -> Result<(&'v Field<'d>, &'v Field<'d>), Trouble> {
    let words: Vec<_> = view.words().collect();
    match words.as_slice() {
        [pointer, control]
            if [pointer, control].iter().all(|word| word.shape != Shape::Integer) =>
        {
            Ok((pointer, control))
        }
        _ => Err(Trouble::Unfamiliar),
    }
}

/// Who shares an object.
struct Counts {
    owners: i64,
    weak: i64,
}

impl Counts {
    fn spelled(&self) -> String {
        let owners = match self.owners {
            1 => "1 owner".to_owned(),
            owners => format!("{owners} owners"),
        };
        match self.weak {
            0 => owners,
            weak => format!("{owners}, {weak} weak"),
        }
    }
}

/// The counts that `control` points at, `None` if it is null. All owners together hold
/// one weak reference, which does not count here. libc++ counts from -1.
fn counts<'d>(view: &CppObject<'d>, control: &Field<'d>) -> Result<Option<Counts>, Trouble> {
    let at = view.number(control)?;
    if at == 0 {
        return Ok(None);
    }
    let block = control.target(view.scene).ok_or(Trouble::Unfamiliar)?;
    if let Some(counts) = counts_of_declared(view, block, at)? {
        return valid(counts, 1).map(Some);
    }
    view.check_mapped(at, view.size_of(block)?)?;
    let fields = layout::fields(block, view.scene);
    let count = |names: &[&str]| {
        let field = fields.iter().find(|field| field.is_named(names))?;
        Some(field.of(&Object::at(block, Avma(at))).signed(view.scene))
    };
    let (owners, weak, from) = match count(&["_M_use_count"]) {
        Some(owners) => (owners?, count(&["_M_weak_count"]).ok_or(Trouble::Unfamiliar)??, 0),
        None => {
            let owners = count(&["__shared_owners_"]).ok_or(Trouble::Unfamiliar)??;
            (owners, count(&["__shared_weak_owners_"]).ok_or(Trouble::Unfamiliar)??, 1)
        }
    };
    valid((owners, weak), from).map(Some)
}

/// Owners and weak references as libc++ stores them, where only its library defines their
/// class, as is usual: clang describes a class beside its vtable, and distributions ship
/// the library without debug information. They are after the vtable pointer, in the same
/// places since the first version of the ABI.
fn counts_of_declared<'d>(
    view: &CppObject<'d>,
    block: TypeRef<'d>,
    at: u64,
) -> Result<Option<(i64, i64)>, Trouble> {
    let TypeKind::Record(record) = &block.get().kind else { return Ok(None) };
    let is_known = block.get().name.as_deref() == Some("__shared_weak_count");
    if !record.is_declaration || !is_known {
        return Ok(None);
    }
    let word = view.scene.memory.word();
    let size = u64::try_from(word.saturating_mul(3)).unwrap_or(0);
    view.check_mapped(at, size)?;
    let count = |index: usize| {
        let offset = u64::try_from(word.saturating_mul(index)).ok();
        let place = offset.and_then(|offset| at.checked_add(offset));
        let bits = u32::try_from(word.saturating_mul(8)).unwrap_or(64);
        let stored = view.word(place.ok_or(Trouble::Absent)?)?;
        let unused = 64_u32.saturating_sub(bits);
        Ok::<i64, Trouble>(stored.cast_signed().wrapping_shl(unused).wrapping_shr(unused))
    };
    Ok(Some((count(1)?, count(2)?)))
}

/// The counts, `from` more than what is stored.
fn valid((owners, weak): (i64, i64), from: i64) -> Result<Counts, Trouble> {
    let owners = owners.saturating_add(from);
    let weak = weak.saturating_add(from).saturating_sub(i64::from(owners > 0));
    if !(0..OWNERS).contains(&owners) || !(0..OWNERS).contains(&weak) {
        return Err(Trouble::Damaged("its reference counts are not valid"));
    }
    Ok(Counts { owners, weak })
}

/// From an exception object down to the pointer to its `std::type_info` in the header
/// before it, in bytes: of `__cxa_exception` on 64-bit machines in libstdc++ and in
/// libc++abi alike.
const TYPE_INFO: u64 = 112;

/// `std::exception_ptr`.
pub(super) fn exception_ptr<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let pointer = view.words().next().ok_or(Trouble::Unfamiliar)?;
    let at = view.number(pointer)?;
    if at == 0 {
        return Ok(view.summarized(", empty"));
    }
    if view.part(pointer).size(view.scene) != Some(8) {
        return Err(Trouble::Unfamiliar);
    }
    let header = at.checked_sub(TYPE_INFO).ok_or(Trouble::Damaged("its memory is not mapped"))?;
    view.check_mapped(header, TYPE_INFO)?;
    let symbol = view.scene.around.symbol_at(Avma(view.word(header)?));
    let named = symbol.filter(|(_, offset)| *offset == 0);
    let name = named.as_ref().and_then(|(name, _)| name.strip_prefix("typeinfo for "));
    let rest = name.map_or(String::new(), |name| format!(" to {name}"));
    let class =
        view.word(at).ok().and_then(|vtable| view.scene.around.class_of_vtable(Avma(vtable)));
    let class: Option<TypeRef<'d>> = class.filter(|(_, into)| *into == 0).map(|(class, _)| class);
    Ok(match class.filter(|class| name.is_none_or(|name| *class.name() == *name)) {
        Some(class) => view.summarized_with(&rest, "exception", Object::at(class, Avma(at))),
        None => view.summarized(&rest),
    })
}
