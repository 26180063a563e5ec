//! A typed place of a Rust program, read by names of members: light enough for thousands of
//! tasks, since it keeps nothing of the members that are not asked for.

use std::cell::RefCell;
use std::sync::Arc;

use obit_corefile::addr::Avma;
use obit_corefile::memory::Cursor;
use obit_dwarf::TypeKind;
use obit_dwarf::types::{Member, MemberOffset, Record};
use obit_process::process::Process;
use obit_process::value::TypeRef;

/// Typedefs and qualifiers that are followed.
const MOST_NAMES: usize = 16;
/// Members that are looked at for one.
const MOST_SEARCHED: usize = 1024;

/// Reads typed places.
pub(super) struct Reader<'p> {
    pub(super) process: &'p Process,
    cursor: RefCell<Cursor<'p>>,
}

/// A type and where an object of it lies.
#[derive(Clone, Copy)]
pub(super) struct Spot<'p> {
    pub(super) ty: TypeRef<'p>,
    pub(super) at: Avma,
}

impl<'p> Reader<'p> {
    pub(super) fn new(process: &'p Process) -> Self {
        Self { process, cursor: RefCell::new(process.memory.cursor()) }
    }

    pub(super) fn word(&self, at: Avma) -> Option<u64> {
        self.cursor.borrow_mut().read_word(at).ok()
    }

    pub(super) fn unsigned(&self, at: Avma, size: u64) -> Option<u64> {
        let size = usize::try_from(size).ok().filter(|size| matches!(size, 1 | 2 | 4 | 8))?;
        self.cursor.borrow_mut().read_unsigned(at, size).ok()
    }

    /// The members of `spot` that are there: of an enum those of its active variant.
    pub(super) fn fields(&self, spot: Spot<'p>) -> Vec<(&'p Member, Spot<'p>)> {
        let Some(record) = spot.record() else { return Vec::new() };
        let active = record.variant_parts.iter().filter_map(|_| self.active(spot)).next();
        let members = record.members.iter().chain(active.into_iter().flatten());
        members.filter_map(|member| Some((member, spot.member(member)?))).collect()
    }

    /// The member called `name` that is there.
    pub(super) fn field(&self, spot: Spot<'p>, name: &str) -> Option<Spot<'p>> {
        let record = spot.record()?;
        let called = |member: &&Member| member.name.as_deref() == Some(name);
        if let Some(member) = record.members.iter().find(called) {
            return spot.member(member);
        }
        spot.member(self.active(spot)?.iter().find(called)?)
    }

    /// The members of the active variant of an enum.
    pub(super) fn active(&self, spot: Spot<'p>) -> Option<&'p [Member]> {
        let part = spot.record()?.variant_parts.first()?;
        let default = || part.variants.iter().find(|variant| variant.selectors.is_empty());
        let Some(discriminant) = &part.discriminant else {
            return default().or(part.variants.first()).map(|variant| variant.members.as_slice());
        };
        let place = spot.member(discriminant)?;
        let size = place.ty.get().byte_size?;
        let value = self.unsigned(place.at, size)?;
        let bits = u32::try_from(size.checked_mul(8)?).ok()?;
        let mask = u64::MAX.checked_shr(u64::BITS.checked_sub(bits)?)?;
        let is_selected = |(first, last): &(i128, i128)| match first == last {
            true => (*first as u64) & mask == value & mask,
            false => (*first..=*last).contains(&i128::from(value)),
        };
        let selected = part.variants.iter().find(|one| one.selectors.iter().any(is_selected));
        Some(selected.or_else(default)?.members.as_slice())
    }

    /// What a pointer of one word points to.
    pub(super) fn pointee(&self, spot: Spot<'p>) -> Option<Spot<'p>> {
        let target = spot.target()?;
        let at = self.word(spot.at).filter(|at| *at != 0)?;
        Some(Spot { ty: target, at: Avma(at) })
    }

    /// What a `&dyn Trait` or `Box<dyn Trait>` points to, by its vtable.
    pub(super) fn behind_vtable(&self, spot: Spot<'p>) -> Option<Spot<'p>> {
        let at = self.word(self.field(spot, "pointer")?.at).filter(|at| *at != 0)?;
        let vtable = self.word(self.field(spot, "vtable")?.at)?;
        let ty = self.process.rust_type_of_vtable(Avma(vtable))?;
        Some(Spot { ty, at: Avma(at) })
    }

    /// The elements of a slice or of a boxed slice, at most so many.
    pub(super) fn elements(&self, spot: Spot<'p>, most: u64) -> Option<Vec<Spot<'p>>> {
        let first = self.field(spot, "data_ptr")?;
        let length = self.word(self.field(spot, "length")?.at)?;
        let element = first.target()?;
        let size = plain(element).get().byte_size.filter(|size| *size > 0)?;
        let start = self.word(first.at)?;
        let at = |index: u64| start.checked_add(index.checked_mul(size)?);
        let places = (0..length.min(most)).map_while(at);
        Some(places.map(|at| Spot { ty: element, at: Avma(at) }).collect())
    }

    /// The text that a `&str` or what has its shape refers to.
    pub(super) fn text(&self, spot: Spot<'p>, most: u64) -> Option<String> {
        let start = self.word(self.field(spot, "data_ptr")?.at)?;
        let length = self.word(self.field(spot, "length")?.at)?.min(most);
        let bytes = self.process.memory.read_up_to(Avma(start), usize::try_from(length).ok()?);
        let text = String::from_utf8(bytes).ok()?;
        Some(text.trim_end_matches('\0').to_owned())
    }
}

impl<'p> Spot<'p> {
    pub(super) fn name(self) -> Arc<str> {
        plain(self.ty).name()
    }

    pub(super) fn record(self) -> Option<&'p Record> {
        record(self.ty)
    }

    pub(super) fn member(self, member: &Member) -> Option<Self> {
        let MemberOffset::Bits(bits) = member.offset else { return None };
        let at = self.at.checked_add(bits / 8)?;
        Some(Self { ty: self.ty.other(member.ty?), at })
    }

    /// The type that a pointer points to.
    pub(super) fn target(self) -> Option<TypeRef<'p>> {
        match plain(self.ty).get().kind {
            TypeKind::Pointer { target: Some(target), .. } => Some(self.ty.other(target)),
            _ => None,
        }
    }

    /// The nearest member called `name` within this object, however deep, enums and pointers
    /// left out.
    pub(super) fn inside(self, name: &str) -> Option<Self> {
        let mut level = vec![self];
        let mut left = MOST_SEARCHED;
        while !level.is_empty() {
            let mut deeper = Vec::new();
            for spot in level {
                for member in spot.record().into_iter().flat_map(|it| &it.members) {
                    left = left.checked_sub(1)?;
                    let Some(found) = spot.member(member) else { continue };
                    if member.name.as_deref() == Some(name) {
                        return Some(found);
                    }
                    deeper.push(found);
                }
            }
            level = deeper;
        }
        None
    }

    /// The first pointer that begins where this object does, as `Option<NonNull<T>>` has one:
    /// its type.
    pub(super) fn pointer_here(self) -> Option<Self> {
        let mut spot = self;
        for _ in 0..MOST_NAMES {
            if spot.target().is_some() {
                return Some(Self { at: self.at, ..spot });
            }
            let record = spot.record()?;
            let variants = record.variant_parts.iter().flat_map(|part| &part.variants);
            let members = record.members.iter().chain(variants.flat_map(|one| &one.members));
            let found = members.filter_map(|member| spot.member(member));
            // Of `None` nothing is there.
            spot = found.filter(|found| found.at == self.at).find(|found| {
                found.target().is_some() || found.record().is_some_and(|it| !is_empty(it))
            })?;
        }
        None
    }
}

fn is_empty(record: &Record) -> bool {
    record.members.is_empty() && record.variant_parts.is_empty()
}

pub(super) fn record(ty: TypeRef<'_>) -> Option<&Record> {
    match &plain(ty).get().kind {
        TypeKind::Record(record) => Some(record),
        _ => None,
    }
}

/// The type without typedefs and qualifiers.
pub(super) fn plain(ty: TypeRef<'_>) -> TypeRef<'_> {
    let mut plain = ty;
    for _ in 0..MOST_NAMES {
        match plain.get().kind {
            TypeKind::Typedef(Some(target)) | TypeKind::Qualified { target: Some(target), .. } => {
                plain = plain.other(target);
            }
            _ => break,
        }
    }
    plain
}
