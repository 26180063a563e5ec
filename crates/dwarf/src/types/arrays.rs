//! Arrays and the bounds of their dimensions (DWARF 5 § 5.5, 5.13).

use gimli::constants as dw;

use crate::model::language::Language;
use crate::model::location::{Bound, MemberBound, VariableId};
use crate::model::types::{Array, Descriptor, Dimension, DimensionEnd, Stride, TypeId};
use crate::types::described::{Described, integer_type};
use crate::types::table::TypeTable;
use crate::units::attributes::{Attributes, Children, Number, Reference};

/// Dimensions of an array that are kept. Fortran allows 15.
const MAX_DIMENSIONS: usize = 64;

/// The array type at `it`.
pub(crate) fn array(table: &TypeTable, it: &Described<'_, '_>) -> Array {
    let element = it.stating(dw::DW_AT_type);
    let is_column_major = is_column_major(it);
    let index = |of: &Attributes<'_, '_>| table.referred(of, dw::DW_AT_type);
    let mut dimensions = with_indices(it, index);
    if is_column_major {
        dimensions.reverse();
    }
    Array {
        element: element.and_then(|of| table.referred(of, dw::DW_AT_type)),
        dimensions,
        is_column_major,
        is_vector: it.own().flag(dw::DW_AT_GNU_vector),
        stride_bits: stride_bits(it.own()),
        descriptor: descriptor(it),
    }
}

/// `DW_AT_ordering`; the default is the language's (§ 5.5).
fn is_column_major(it: &Described<'_, '_>) -> bool {
    match it.unsigned(dw::DW_AT_ordering) {
        Some(order) => order == u64::from(dw::DW_ORD_col_major.0),
        None => it.language() == Language::Fortran,
    }
}

/// What the type at `it` says of the descriptors of its objects.
pub(crate) fn descriptor(it: &Described<'_, '_>) -> Descriptor {
    let stated = |name| it.stating(name).and_then(|of| bound(of, name));
    let data = it.stating(dw::DW_AT_data_location);
    Descriptor {
        data_location: data.and_then(|of| of.expression(dw::DW_AT_data_location)),
        allocated: stated(dw::DW_AT_allocated),
        associated: stated(dw::DW_AT_associated),
    }
}

/// The dimensions of the array type at `it` in the order of the source.
pub(crate) fn dimensions(it: &Described<'_, '_>) -> Vec<Dimension> {
    with_indices(it, |_| None)
}

fn with_indices(
    it: &Described<'_, '_>,
    index: impl Fn(&Attributes<'_, '_>) -> Option<TypeId>,
) -> Vec<Dimension> {
    let mut found = Vec::new();
    let mut children = it.children();
    while let Some(child) = children.as_mut().and_then(Children::next) {
        if found.len() >= MAX_DIMENSIONS {
            break;
        }
        match child.tag() {
            dw::DW_TAG_subrange_type | dw::DW_TAG_generic_subrange => {
                found.push(Dimension { index: index(child), ..dimension(child) });
            }
            dw::DW_TAG_enumeration_type => found.push(enumerators(child)),
            _ => {}
        }
    }
    found
}

fn stride_bits(of: &Attributes<'_, '_>) -> Option<u64> {
    let bytes = || of.unsigned(dw::DW_AT_byte_stride)?.checked_mul(8);
    of.unsigned(dw::DW_AT_bit_stride).or_else(bytes)
}

fn stride(of: &Attributes<'_, '_>) -> Option<Stride> {
    let bytes = || bound(of, dw::DW_AT_byte_stride).map(Stride::Bytes);
    bound(of, dw::DW_AT_bit_stride).map(Stride::Bits).or_else(bytes)
}

fn dimension(of: &Attributes<'_, '_>) -> Dimension {
    let lower = bound(of, dw::DW_AT_lower_bound);
    let count = bound(of, dw::DW_AT_count);
    // clang 3 wrote -1 for the count of `int a[]`.
    let count = count.filter(|count| !matches!(count, Bound::Constant(..0)));
    let lower = lower.unwrap_or(Bound::Constant(first_index(of)));
    let upper = bound(of, dw::DW_AT_upper_bound);
    let count = count.or_else(|| values_between(of, &lower, upper.as_ref()?));
    let upper = || upper.map(DimensionEnd::Upper);
    Dimension {
        index: None,
        end: count.map(DimensionEnd::Count).or_else(upper).unwrap_or(DimensionEnd::Open),
        lower,
        stride: stride(of),
    }
}

/// How many values the enumeration has from `lower` to `upper`, which is the type of the
/// index of an array of Ada: a clause may give the values any numbers, and an array has no
/// elements for those between.
fn values_between(of: &Attributes<'_, '_>, lower: &Bound, upper: &Bound) -> Option<Bound> {
    if of.at.language() != Language::Ada {
        return None;
    }
    let (Bound::Constant(lower), Bound::Constant(upper)) = (lower, upper) else { return None };
    let index = enumeration_below(of)?;
    let ty = integer_type(of);
    let mut count = 0_i64;
    let mut children = Children::of(&index);
    while let Some(child) = children.as_mut().and_then(Children::next) {
        let value = child.number(dw::DW_AT_const_value).map(|value| value.of_type(ty));
        let value = value.and_then(|value| i64::try_from(value).ok());
        if value.is_some_and(|value| (*lower..=*upper).contains(&value)) {
            count = count.checked_add(1)?;
        }
    }
    // Without any its values are not known, which does not make the array empty.
    (count > 0).then_some(Bound::Constant(count))
}

/// The enumeration that a subrange takes its values from.
fn enumeration_below<'x, 'd>(of: &Attributes<'x, 'd>) -> Option<Attributes<'x, 'd>> {
    let mut next = of.reference(dw::DW_AT_type);
    for _ in 0..of.at.file.context().limits.reference_depth {
        let Some(Reference::To(entry)) = next else { return None };
        let found = Attributes::read(entry)?;
        if found.tag() == dw::DW_TAG_enumeration_type {
            return Some(found);
        }
        next = found.reference(dw::DW_AT_type);
    }
    None
}

/// The index arrays begin with where nothing states it. A unit without a language has none.
fn first_index(of: &Attributes<'_, '_>) -> i64 {
    match of.at.unit.language {
        Language::Unknown => i64::from(of.at.language() == Language::Fortran),
        _ => of.at.unit.first_index,
    }
}

/// A bound in any of the three classes § 2.19 allows. A constant in a form without sign is
/// negative if its index type is signed, has the form's size, and says so: old compilers
/// write 0xffffffff for the last index of `int a[0]`.
pub(crate) fn bound(of: &Attributes<'_, '_>, name: gimli::DwAt) -> Option<Bound> {
    let value = of.value(name)?;
    if let Some(code) = of.expression(name) {
        return Some(Bound::Expression(code));
    }
    if let Some(number) = Number::read(value) {
        let plain = number.plain();
        let may_be_negative = matches!(
            value,
            gimli::AttributeValue::Data1(0x80..)
                | gimli::AttributeValue::Data2(0x8000..)
                | gimli::AttributeValue::Data4(0x8000_0000..)
        );
        let plain = if may_be_negative { number.of_type(integer_type(of)) } else { plain };
        // Eight bytes of ones are -1 whatever the index type: no array is that long.
        let wrapped = || u64::try_from(plain).ok().map(u64::cast_signed);
        let bound = i64::try_from(plain).ok().or_else(wrapped);
        return Some(bound.map_or(Bound::Unknown, Bound::Constant));
    }
    Some(match of.reference(name) {
        Some(Reference::To(entry)) => match Attributes::read(entry) {
            Some(found)
                if matches!(found.tag(), dw::DW_TAG_variable | dw::DW_TAG_formal_parameter) =>
            {
                Bound::Variable(VariableId(entry.key()))
            }
            Some(found) if found.tag() == dw::DW_TAG_member => {
                member(&found).map_or(Bound::Unknown, Bound::Member)
            }
            _ => Bound::Unknown,
        },
        _ => Bound::Unknown,
    })
}

/// The bound that is a member at a whole byte.
fn member(of: &Attributes<'_, '_>) -> Option<MemberBound> {
    let ty = integer_type(of).filter(|ty| ty.bits <= 64 && ty.bits.is_multiple_of(8))?;
    let is_bit_field = of.has(dw::DW_AT_bit_size) || of.has(dw::DW_AT_data_bit_offset);
    let offset = of.unsigned(dw::DW_AT_data_member_location).filter(|_| !is_bit_field)?;
    let size = u8::try_from(ty.bits / 8).ok()?;
    Some(MemberBound { offset, size, is_signed: ty.is_signed })
}

/// An array with an element for each value of an enumeration: from the least to the
/// greatest.
fn enumerators(of: &Attributes<'_, '_>) -> Dimension {
    let ty = integer_type(of);
    let (mut least, mut greatest) = (None, None);
    let mut children = Children::of(of);
    while let Some(child) = children.as_mut().and_then(Children::next) {
        let Some(value) = child.number(dw::DW_AT_const_value) else { continue };
        let Ok(value) = i64::try_from(value.of_type(ty)) else { continue };
        least = Some(least.map_or(value, |least: i64| least.min(value)));
        greatest = Some(greatest.map_or(value, |greatest: i64| greatest.max(value)));
    }
    let constant = |value: Option<i64>| value.map_or(Bound::Unknown, Bound::Constant);
    let end = DimensionEnd::Upper(constant(greatest));
    Dimension { index: None, lower: constant(least), end, stride: stride(of) }
}
