//! A record taken apart: its bases and members, theirs, and so on down to scalars and
//! arrays.

use std::sync::Arc;

use crate::value::{Object, Scene, TypeRef};
use obit_dwarf::TypeKind;
use obit_dwarf::types::{Encoding, MemberOffset, MemberRole};

/// Records within records: libraries nest about eight deep.
const DEPTH: usize = 20;
/// Parts of one object. A tuple of fifty strings has some thousand.
const PARTS: usize = 4096;

/// A base or member at any depth.
#[derive(Clone)]
pub(super) struct Field<'d> {
    /// Its name; a base has none.
    pub(super) name: Option<Arc<str>>,
    /// Its type without typedefs and qualifiers.
    pub(super) ty: TypeRef<'d>,
    /// Bits from the start of the whole object.
    pub(super) bits: u64,
    /// Bits, if it is a bit-field.
    pub(super) bit_size: Option<u64>,
    /// Records around it.
    pub(super) depth: usize,
    /// Whether a union is around it, so that it need not be what is there.
    pub(super) in_union: bool,
    /// What it is.
    pub(super) shape: Shape,
}

/// What is known about a part without its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A record or union; its parts follow.
    Record,
    /// A pointer to something else than a pointer.
    Pointer,
    /// A pointer to a pointer.
    PointerToPointer,
    /// An integer, not a truth value.
    Integer,
    /// A truth value.
    Boolean,
    /// Anything else: arrays, floats, enumerations.
    Other,
}

impl Shape {
    /// Whether it is one number or pointer.
    pub(super) fn is_word(self) -> bool {
        matches!(self, Self::Pointer | Self::PointerToPointer | Self::Integer)
    }
}

impl<'d> Field<'d> {
    /// This part of `whole`.
    pub(super) fn of(&self, whole: &Object<'d>) -> Object<'d> {
        whole.part_at(self.ty, i128::from(self.bits), self.bit_size)
    }

    /// Bytes from the start of the whole object.
    pub(super) fn offset(&self) -> u64 {
        self.bits / 8
    }

    /// What the pointer points at, without typedefs and qualifiers.
    pub(super) fn target(&self, scene: Scene<'d>) -> Option<TypeRef<'d>> {
        target(self.ty, scene)
    }

    /// Whether it has one of these names.
    pub(super) fn is_named(&self, names: &[&str]) -> bool {
        self.name.as_deref().is_some_and(|name| names.contains(&name))
    }
}

/// What a pointer type points at, without typedefs and qualifiers.
pub(super) fn target<'d>(ty: TypeRef<'d>, scene: Scene<'d>) -> Option<TypeRef<'d>> {
    let ty = ty.resolved(scene);
    match ty.get().kind {
        TypeKind::Pointer { target, .. } => Some(ty.other(target?).resolved(scene)),
        _ => None,
    }
}

/// Whether these types are one: units of one image may each describe it.
pub(super) fn are_same(types: &[TypeRef<'_>]) -> bool {
    let [first, rest @ ..] = types else { return true };
    rest.iter().all(|ty| ty.id == first.id || ty.name() == first.name())
}

/// All parts of a record, each before those within it, in the order of their entries.
pub(super) fn fields<'d>(ty: TypeRef<'d>, scene: Scene<'d>) -> Vec<Field<'d>> {
    let mut found = Vec::new();
    take_apart(ty, scene, 0, 0, false, &mut found);
    found
}

fn take_apart<'d>(
    ty: TypeRef<'d>,
    scene: Scene<'d>,
    bits: u64,
    depth: usize,
    in_union: bool,
    found: &mut Vec<Field<'d>>,
) {
    let ty = ty.resolved(scene);
    let entry = ty.get();
    let TypeKind::Record(record) = &entry.kind else { return };
    let in_union = in_union || record.keyword == obit_dwarf::types::RecordKeyword::Union;
    for member in &record.members {
        if found.len() >= PARTS {
            return;
        }
        let (Some(id), MemberOffset::Bits(offset)) = (member.ty, &member.offset) else { continue };
        let member_type = ty.other(id).resolved(scene);
        let bits = bits.saturating_add(*offset);
        let shape = shape_of(member_type, scene);
        let name = member.name.clone().filter(|_| member.role == MemberRole::Field);
        let bit_size = member.bit_size;
        found.push(Field { name, ty: member_type, bits, bit_size, depth, in_union, shape });
        if shape == Shape::Record && depth < DEPTH {
            take_apart(member_type, scene, bits, depth.saturating_add(1), in_union, found);
        }
    }
}

fn shape_of<'d>(ty: TypeRef<'d>, scene: Scene<'d>) -> Shape {
    match &ty.get().kind {
        TypeKind::Record(_) => Shape::Record,
        TypeKind::Pointer { .. } => {
            let target = target(ty, scene).map(TypeRef::get);
            match target.is_some_and(|target| matches!(target.kind, TypeKind::Pointer { .. })) {
                true => Shape::PointerToPointer,
                false => Shape::Pointer,
            }
        }
        TypeKind::Base(base) => match base.encoding {
            Encoding::Boolean => Shape::Boolean,
            Encoding::Signed
            | Encoding::Unsigned
            | Encoding::SignedChar
            | Encoding::UnsignedChar
            | Encoding::Utf => Shape::Integer,
            _ => Shape::Other,
        },
        _ => Shape::Other,
    }
}

/// The type arguments of a template, in order.
pub(super) fn type_arguments<'d>(ty: TypeRef<'d>, scene: Scene<'d>) -> Vec<TypeRef<'d>> {
    let TypeKind::Record(record) = &ty.get().kind else { return Vec::new() };
    let arguments = record.template_arguments.iter().filter(|argument| argument.value.is_none());
    arguments.filter_map(|argument| Some(ty.other(argument.ty?).resolved(scene))).collect()
}

/// The value arguments of a template, in order.
pub(super) fn value_arguments(ty: TypeRef<'_>) -> Vec<i128> {
    let TypeKind::Record(record) = &ty.get().kind else { return Vec::new() };
    record.template_arguments.iter().filter_map(|argument| argument.value).collect()
}

/// A type's own name without its arguments.
pub(super) fn own_name(ty: TypeRef<'_>) -> Option<Arc<str>> {
    ty.get().name.as_deref().map(|name| super::family::without_arguments(name).into())
}
