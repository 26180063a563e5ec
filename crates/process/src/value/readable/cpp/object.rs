//! An object of a library's type with all its parts.

use std::sync::Arc;

use super::family;
use super::form_result::{FormResult, Trouble};
use super::layout::{self, Field, Shape};
pub(super) use crate::value::readable::extent::element_name;
use crate::value::readable::{Readable, extent};
use crate::value::{Object, Scene, TypeRef};
use obit_corefile::addr::Avma;
use obit_dwarf::TypeKind;
use obit_dwarf::types::{MemberOffset, MemberRole};

/// What libc++ calls `std::thread::id`.
const THREAD_ID: &str = "std::__thread_id";

/// Reads the container that another is made of.
pub(super) type ReadInner = for<'v, 'd> fn(&'v CppObject<'d>, &Object<'d>) -> Option<Readable<'d>>;

/// An object and its parts.
pub(super) struct CppObject<'d> {
    pub(super) object: Object<'d>,
    pub(super) scene: Scene<'d>,
    /// Elements to look up at most.
    pub(super) limit: usize,
    /// The public name of its type.
    pub(super) family: &'static str,
    /// The name people know it by.
    label: &'static str,
    /// Reads the container that another is made of.
    read_inner: ReadInner,
    /// All parts, outer ones before those within them.
    pub(super) fields: Vec<Field<'d>>,
}

impl<'d> CppObject<'d> {
    /// `object` is of a type without typedefs.
    pub(super) fn new(
        object: Object<'d>,
        scene: Scene<'d>,
        limit: usize,
        family: &'static str,
        read_inner: ReadInner,
    ) -> Self {
        let fields = layout::fields(object.ty, scene);
        let character =
            layout::type_arguments(object.ty, scene).first().and_then(|ty| ty.get().name.clone());
        let label = character.and_then(|character| family::label(family, &character));
        let label = label.unwrap_or(if family == THREAD_ID { "std::thread::id" } else { family });
        Self { object, scene, limit, family, label, read_inner, fields }
    }

    /// The readable form of `inner`, a container that this one is made of.
    pub(super) fn inner(&self, inner: &Object<'d>) -> Option<Readable<'d>> {
        (self.read_inner)(self, inner)
    }

    /// A part's object.
    pub(super) fn part(&self, field: &Field<'d>) -> Object<'d> {
        field.of(&self.object)
    }

    /// A part that is one number or pointer.
    pub(super) fn number(&self, field: &Field<'d>) -> Result<u64, Trouble> {
        Ok(self.part(field).unsigned(self.scene)?)
    }

    /// The outermost part with one of these names.
    pub(super) fn named(&self, names: &[&str]) -> Option<&Field<'d>> {
        let named = self.fields.iter().filter(|field| field.is_named(names));
        named.min_by_key(|field| field.depth)
    }

    /// The number in the outermost part with one of these names.
    pub(super) fn named_number(&self, names: &[&str]) -> Result<u64, Trouble> {
        self.number(self.named(names).ok_or(Trouble::Unfamiliar)?)
    }

    /// Integers and pointers that lie in no union, in order.
    pub(super) fn words(&self) -> impl Iterator<Item = &Field<'d>> {
        self.fields.iter().filter(|field| field.shape.is_word() && !field.in_union)
    }

    /// The first words of these shapes that follow one another.
    pub(super) fn run<const N: usize>(&self, shapes: [Shape; N]) -> Option<[&Field<'d>; N]> {
        let words: Vec<&Field<'d>> = self.words().collect();
        let run = words.windows(N).find(|run| run.iter().map(|field| field.shape).eq(shapes))?;
        <[&Field<'d>; N]>::try_from(run.to_vec()).ok()
    }

    /// The numbers of [`CppObject::run`].
    pub(super) fn run_numbers<const N: usize>(
        &self,
        shapes: [Shape; N],
    ) -> Result<[u64; N], Trouble> {
        let run = self.run(shapes).ok_or(Trouble::Unfamiliar)?;
        let mut numbers = [0; N];
        for (number, field) in numbers.iter_mut().zip(run) {
            *number = self.number(field)?;
        }
        Ok(numbers)
    }

    /// The address of the object itself.
    pub(super) fn address(&self) -> Result<u64, Trouble> {
        self.object.address().map(|at| at.0).ok_or(Trouble::Absent)
    }

    /// Type argument number `index` of its template.
    pub(super) fn argument(&self, index: usize) -> Option<TypeRef<'d>> {
        layout::type_arguments(self.object.ty, self.scene).get(index).copied()
    }

    /// The type that its allocator was made for.
    pub(super) fn allocated_type(&self) -> Option<TypeRef<'d>> {
        let arguments = layout::type_arguments(self.object.ty, self.scene);
        arguments.iter().rev().find_map(|argument| {
            let name = layout::own_name(*argument)?;
            let is_allocator = name.to_ascii_lowercase().contains("alloc");
            layout::type_arguments(*argument, self.scene).first().copied().filter(|_| is_allocator)
        })
    }

    /// A base with the same public name.
    pub(super) fn base_of_same_family(&self) -> Option<Object<'d>> {
        let entry = self.object.ty.get();
        let TypeKind::Record(record) = &entry.kind else { return None };
        record.members.iter().find_map(|member| {
            let is_base = member.role == MemberRole::Base;
            let ty = self.object.ty.other(member.ty.filter(|_| is_base)?).resolved(self.scene);
            let own = layout::own_name(ty)?;
            if !self.family.ends_with(&*own) || family::of(&ty.name())? != self.family {
                return None;
            }
            let MemberOffset::Bits(bits) = member.offset else { return None };
            Some(self.object.part_at(ty, i128::from(bits), None))
        })
    }

    /// Whether `[start, start + len)` begins and ends in memory that was mapped.
    pub(super) fn check_mapped(&self, start: u64, len: u64) -> Result<(), Trouble> {
        match extent::is_mapped(self.scene, Avma(start), len) {
            true => Ok(()),
            false => Err(Trouble::Damaged("its memory is not mapped")),
        }
    }

    /// The pointer-sized number at `at`.
    pub(super) fn word(&self, at: u64) -> Result<u64, Trouble> {
        Ok(self.scene.memory.read_word(Avma(at)).map_err(crate::value::Absence::from)?)
    }

    /// `count` elements of type `ty` that lie one after the other from `start`.
    pub(super) fn contiguous(&self, ty: TypeRef<'d>, start: u64, count: u64) -> FormResult<'d> {
        let size = self.size_of(ty)?;
        let len = count.checked_mul(size).ok_or(Trouble::Damaged("it is larger than memory"))?;
        self.check_mapped(start, len)?;
        let first = Object::at(ty, Avma(start));
        let bits = i128::from(size).saturating_mul(8);
        let elements = self.wanted(count).map(|index| {
            let object = first.part_at(ty, i128::from(index).saturating_mul(bits), None);
            (element_name(index), object)
        });
        Ok(self.container(count, elements.collect()))
    }

    /// A type's size in bytes, if elements can have it.
    pub(super) fn size_of(&self, ty: TypeRef<'d>) -> Result<u64, Trouble> {
        let size = Object::at(ty, Avma(0)).size(self.scene).filter(|size| *size > 0);
        size.ok_or(Trouble::Unfamiliar)
    }

    /// Indices of the elements to look up, of `count`.
    pub(super) fn wanted(&self, count: u64) -> std::ops::Range<u64> {
        extent::wanted(count, self.limit)
    }

    /// A container of `count` elements, these the first of them.
    pub(super) fn container(
        &self,
        count: u64,
        elements: Vec<(Arc<str>, Object<'d>)>,
    ) -> Readable<'d> {
        Readable { elements, total: Some(count), ..self.summarized(&counted(count)) }
    }

    /// A form whose summary is the name of the type and `rest`.
    pub(super) fn summarized(&self, rest: &str) -> Readable<'d> {
        Readable { summary: Some(format!("{}{rest}", self.label)), ..Readable::default() }
    }

    /// The same with one element.
    pub(super) fn summarized_with(
        &self,
        rest: &str,
        name: &str,
        element: Object<'d>,
    ) -> Readable<'d> {
        Readable { elements: vec![(name.into(), element)], total: Some(1), ..self.summarized(rest) }
    }

    /// The form of an object that breaks a rule of its kind.
    pub(super) fn damaged(&self, how: &str) -> Readable<'d> {
        self.summarized(&format!(", damaged: {how}"))
    }
}

/// ` of 3` or `, empty`.
pub(super) fn counted(count: u64) -> String {
    match count {
        0 => ", empty".to_owned(),
        count => format!(" of {count}"),
    }
}
