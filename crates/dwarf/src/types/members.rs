//! What structures, classes and unions are made of (DWARF 5 § 5.7).

use gimli::constants as dw;

use crate::model::location::Expression;
use crate::model::types::{
    Member, MemberOffset, MemberRole, Record, RecordKeyword, StaticMember, TemplateArgument,
    Variant, VariantPart,
};
use crate::sections::sources::{Slice, Value};
use crate::types::described::{Described, endian, integer_type, is_big_endian, size_of};
use crate::types::table::TypeTable;
use crate::units::attributes::{Attributes, Children, IntegerType, Number, Reference};

/// Members, variants, and arguments of one type that are kept, each. Generated structures
/// have some thousand, Rust's largest enums as many variants.
const MAX_MEMBERS: usize = 1 << 16;

/// The structure, class or union at `it`.
pub(crate) fn record(table: &TypeTable, it: &Described<'_, '_>, keyword: RecordKeyword) -> Record {
    let holder = it.stating(dw::DW_AT_containing_type);
    let mut record = Record {
        keyword,
        is_declaration: it.is_declaration(),
        containing_type: holder.and_then(|of| table.referred(of, dw::DW_AT_containing_type)),
        ..Record::default()
    };
    let mut children = it.children();
    while let Some(child) = children.as_mut().and_then(Children::next) {
        match child.tag() {
            dw::DW_TAG_member if !is_static(child) => {
                push(&mut record.members, || member(table, child));
            }
            dw::DW_TAG_member | dw::DW_TAG_variable if record.statics.len() < MAX_MEMBERS => {
                record.statics.extend(static_member(table, child));
            }
            dw::DW_TAG_inheritance => push(&mut record.members, || member(table, child)),
            dw::DW_TAG_variant_part => {
                push(&mut record.variant_parts, || variant_part(table, child));
            }
            dw::DW_TAG_template_type_parameter | dw::DW_TAG_template_value_parameter => {
                push(&mut record.template_arguments, || template_argument(table, child));
            }
            dw::DW_TAG_GNU_template_parameter_pack => {
                let mut pack = Children::of(child);
                while let Some(child) = pack.as_mut().and_then(Children::next) {
                    push(&mut record.template_arguments, || template_argument(table, child));
                }
            }
            _ => {}
        }
    }
    record
}

fn push<T>(to: &mut Vec<T>, read: impl FnOnce() -> T) {
    if to.len() < MAX_MEMBERS {
        to.push(read());
    }
}

/// Before DWARF 5 a static member was a `DW_TAG_member` that is declared only.
fn is_static(of: &Attributes<'_, '_>) -> bool {
    of.flag(dw::DW_AT_declaration)
        || (of.flag(dw::DW_AT_external) && !of.has(dw::DW_AT_data_member_location))
}

/// The data member or base at `of`.
fn member(table: &TypeTable, of: &Attributes<'_, '_>) -> Member {
    let role = match of.tag() {
        dw::DW_TAG_inheritance => match of.unsigned(dw::DW_AT_virtuality) {
            Some(1..) => MemberRole::VirtualBase,
            _ => MemberRole::Base,
        },
        _ => MemberRole::Field,
    };
    Member {
        name: if role == MemberRole::Field { of.text(dw::DW_AT_name) } else { None },
        ty: table.referred(of, dw::DW_AT_type),
        offset: member_offset(of),
        bit_size: of.unsigned(dw::DW_AT_bit_size),
        role,
        is_artificial: of.flag(dw::DW_AT_artificial),
        line: of.unsigned(dw::DW_AT_decl_line).and_then(|line| u32::try_from(line).ok()),
        file: of.unsigned(dw::DW_AT_decl_file),
    }
}

fn member_offset(of: &Attributes<'_, '_>) -> MemberOffset {
    if let Some(bits) = of.unsigned(dw::DW_AT_data_bit_offset) {
        return MemberOffset::Bits(bits);
    }
    let bytes = match of.value(dw::DW_AT_data_member_location) {
        None => 0,
        Some(value) => {
            if let Some(code) = of.expression(dw::DW_AT_data_member_location) {
                match constant_offset(of, &code) {
                    Some(bytes) => bytes,
                    None => return MemberOffset::Computed(code),
                }
            } else {
                let number = Number::read(value).map(Number::plain);
                match number.and_then(|bytes| u64::try_from(bytes).ok()) {
                    Some(bytes) => bytes,
                    None => return MemberOffset::Computed(nowhere(of)),
                }
            }
        }
    };
    let bits = bytes.saturating_mul(8);
    MemberOffset::Bits(old_bit_offset(of, bits).unwrap_or(bits))
}

/// What leads to no place, for members whose own makes no sense.
fn nowhere(of: &Attributes<'_, '_>) -> Expression {
    Expression { bytes: [].into(), unit: of.at.key() }
}

/// The offset in bytes that `code` adds to the address of the object, if that is all it
/// does: DWARF 2 had no other way to say it.
fn constant_offset(of: &Attributes<'_, '_>, code: &Expression) -> Option<u64> {
    let encoding = of.at.unit.inner.header.encoding();
    let mut rest = Slice::new(&code.bytes, endian(of));
    let first = gimli::Operation::parse(&mut rest, encoding).ok()?;
    let offset = match first {
        gimli::Operation::PlusConstant { value } => value,
        gimli::Operation::UnsignedConstant { value } => {
            let second = gimli::Operation::parse(&mut rest, encoding).ok()?;
            (second == gimli::Operation::Plus).then_some(value)?
        }
        _ => return None,
    };
    gimli::Reader::is_empty(&rest).then_some(offset)
}

/// The place of a bit-field by `DW_AT_bit_offset` (DWARF 3 § 5.6.6): how far its most
/// significant bit is from that of the integer that holds it, which lies at `unit` bits
/// from the start of the object and is as large as `DW_AT_byte_size` or else the type says.
fn old_bit_offset(of: &Attributes<'_, '_>, unit: u64) -> Option<u64> {
    // Negative for a field that reaches beyond the integer.
    let from_top = of.number(dw::DW_AT_bit_offset)?.sharing_sign(LONG);
    let from_top = i64::try_from(from_top).ok()?;
    if is_big_endian(of) {
        return unit.checked_add_signed(from_top);
    }
    let size = of.unsigned(dw::DW_AT_byte_size).or_else(|| size_of(of))?;
    let bits = unit.checked_add(size.checked_mul(8)?)?;
    let bits = bits.checked_sub(of.unsigned(dw::DW_AT_bit_size)?)?;
    bits.checked_add_signed(from_top.checked_neg()?)
}

const LONG: Option<IntegerType> = Some(IntegerType { is_signed: true, bits: 64 });

fn static_member(table: &TypeTable, of: &Attributes<'_, '_>) -> Option<StaticMember> {
    Some(StaticMember {
        name: of.text(dw::DW_AT_name)?,
        ty: table.referred(of, dw::DW_AT_type),
        linkage_name: of
            .text(dw::DW_AT_linkage_name)
            .or_else(|| of.text(dw::DW_AT_MIPS_linkage_name)),
        constant: constant(of),
    })
}

/// `DW_AT_const_value` as a number of the entry's type.
fn constant(of: &Attributes<'_, '_>) -> Option<i128> {
    Some(of.number(dw::DW_AT_const_value)?.of_type(integer_type(of)))
}

fn template_argument(table: &TypeTable, of: &Attributes<'_, '_>) -> TemplateArgument {
    TemplateArgument {
        name: of.text(dw::DW_AT_name),
        ty: table.referred(of, dw::DW_AT_type),
        value: constant(of),
    }
}

/// The variant part at `of`. Its discriminant is a member of it; or only the discriminant's
/// integer type is given, and then it is nowhere in memory.
fn variant_part(table: &TypeTable, of: &Attributes<'_, '_>) -> VariantPart {
    let mut part = VariantPart { discriminant: None, variants: Vec::new() };
    let mut ty = integer_type(of);
    if let Some(Reference::To(entry)) = of.reference(dw::DW_AT_discr)
        && let Some(discriminant) = Attributes::read(entry)
    {
        ty = integer_type(&discriminant);
        part.discriminant = Some(member(table, &discriminant));
    }
    let mut children = Children::of(of);
    while let Some(child) = children.as_mut().and_then(Children::next) {
        if child.tag() == dw::DW_TAG_variant {
            push(&mut part.variants, || variant(table, child, ty));
        }
    }
    part
}

fn variant(table: &TypeTable, of: &Attributes<'_, '_>, ty: Option<IntegerType>) -> Variant {
    let mut variant = Variant { selectors: Vec::new(), members: Vec::new() };
    // LLVM picks the shortest form that holds the value with its sign.
    if let Some(value) = of.number(dw::DW_AT_discr_value) {
        let value = value.sharing_sign(ty);
        variant.selectors.push((value, value));
    }
    if let Some(gimli::AttributeValue::Block(list)) = of.value(dw::DW_AT_discr_list) {
        variant.selectors.extend(selectors(list, ty));
    }
    let mut children = Children::of(of);
    while let Some(child) = children.as_mut().and_then(Children::next) {
        if child.tag() == dw::DW_TAG_member {
            push(&mut variant.members, || member(table, child));
        }
    }
    variant
}

/// `DW_AT_discr_list` (§ 5.7.10): labels and ranges, as LEB128 numbers of the
/// discriminant's sign.
fn selectors(mut list: Slice<'_>, ty: Option<IntegerType>) -> Vec<(i128, i128)> {
    let mut found = Vec::new();
    let mut read = || {
        while !gimli::Reader::is_empty(&list) && found.len() < MAX_MEMBERS {
            let kind = gimli::Reader::read_u8(&mut list)?;
            let mut number = || {
                let value = match ty {
                    Some(IntegerType { is_signed: true, .. }) => {
                        Value::Sdata(gimli::Reader::read_sleb128(&mut list)?)
                    }
                    _ => Value::Udata(gimli::Reader::read_uleb128(&mut list)?),
                };
                Ok::<_, gimli::Error>(Number::read(value).map_or(0, Number::plain))
            };
            let first = number()?;
            let last = if gimli::DwDsc(kind) == dw::DW_DSC_range { number()? } else { first };
            found.push((first, last));
        }
        Ok::<_, gimli::Error>(())
    };
    // A list that is cut short holds as far as it goes.
    read().ok();
    found
}
