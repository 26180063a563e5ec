//! From entries to [`Type`]s (DWARF 5 chapter 5).

use std::sync::Arc;

use gimli::constants as dw;

use crate::model::location::Bound;
use crate::model::types::{
    BaseType, FunctionType, PointerKind, RecordKeyword, Scale, Subrange, Type, TypeId, TypeKind,
};
use crate::types::described::{Described, byte_size, encoding, entry_of, is_big_endian, qualifier};
use crate::types::table::TypeTable;
use crate::types::{arrays, enumerations, members, strings, type_names};
use crate::units::attributes::{Attributes, Children, IntegerType, Reference};
use crate::units::file::DwarfFile;

impl TypeTable {
    /// The type with this number.
    pub(crate) fn get<'d>(&self, root: &DwarfFile<'d>, id: TypeId) -> &Type {
        let Some(slot) = self.slots.get(id.0) else { return &self.unknown };
        slot.ty.get_or_init(|| {
            let entry = slot.entry.get().and_then(|entry| entry_of(root, *entry));
            let described = entry.and_then(Described::read);
            Box::new(described.map_or_else(Type::unknown, |described| self.read(&described)))
        })
    }

    /// Its name as a programmer would write it.
    pub(crate) fn name<'d>(&self, root: &DwarfFile<'d>, id: TypeId) -> Arc<str> {
        let Some(slot) = self.slots.get(id.0) else { return type_names::UNKNOWN.into() };
        if let Some(name) = slot.name.get() {
            return name.clone();
        }
        let entry = slot.entry.get().and_then(|entry| entry_of(root, *entry));
        let name =
            entry.map_or_else(|| type_names::UNKNOWN.to_owned(), |entry| type_names::spell(entry));
        slot.name.get_or_init(|| name.into()).clone()
    }

    fn read(&self, it: &Described<'_, '_>) -> Type {
        let target = || it.stating(dw::DW_AT_type).and_then(|of| self.referred(of, dw::DW_AT_type));
        let pointer = |kind| TypeKind::Pointer { kind, target: target() };
        let record = |keyword| TypeKind::Record(members::record(self, it, keyword));
        let qualified = |qualifier| TypeKind::Qualified { qualifier, target: target() };
        let kind = match it.tag() {
            dw::DW_TAG_base_type => TypeKind::Base(base_type(it)),
            dw::DW_TAG_unspecified_type => TypeKind::Unspecified,
            dw::DW_TAG_pointer_type => pointer(PointerKind::Pointer),
            dw::DW_TAG_reference_type => pointer(PointerKind::LvalueReference),
            dw::DW_TAG_rvalue_reference_type => pointer(PointerKind::RvalueReference),
            dw::DW_TAG_ptr_to_member_type => TypeKind::MemberPointer {
                class: self.referred(it.own(), dw::DW_AT_containing_type),
                target: target(),
            },
            dw::DW_TAG_typedef | dw::DW_TAG_template_alias => TypeKind::Typedef(target()),
            dw::DW_TAG_array_type => TypeKind::Array(arrays::array(self, it)),
            dw::DW_TAG_string_type => TypeKind::String(strings::string(self, it)),
            dw::DW_TAG_structure_type => record(RecordKeyword::Struct),
            dw::DW_TAG_class_type | dw::DW_TAG_interface_type => record(RecordKeyword::Class),
            dw::DW_TAG_union_type => record(RecordKeyword::Union),
            dw::DW_TAG_enumeration_type => {
                TypeKind::Enumeration(enumerations::enumeration(self, it))
            }
            dw::DW_TAG_subroutine_type => TypeKind::Function(self.function(it)),
            dw::DW_TAG_subrange_type => {
                let lower = arrays::bound(it.own(), dw::DW_AT_lower_bound);
                let is_non_negative = matches!(lower, Some(Bound::Constant(0..)));
                TypeKind::Subrange(Subrange { base: target(), is_non_negative })
            }
            tag => qualifier(tag).map_or(TypeKind::Unsupported(tag.0), qualified),
        };
        Type {
            name: it.text(dw::DW_AT_name),
            byte_size: byte_size(it),
            kind,
            language: it.language(),
        }
    }

    fn function(&self, it: &Described<'_, '_>) -> FunctionType {
        let mut function = FunctionType {
            result: self.referred(it.own(), dw::DW_AT_type),
            ..FunctionType::default()
        };
        let mut children = it.children();
        while let Some(child) = children.as_mut().and_then(Children::next) {
            match child.tag() {
                dw::DW_TAG_formal_parameter if function.parameters.len() < MAX_PARAMETERS => {
                    function.parameters.push(self.referred(child, dw::DW_AT_type));
                }
                dw::DW_TAG_unspecified_parameters => function.is_variadic = true,
                _ => {}
            }
        }
        function
    }
}

/// Parameters of a function's type that are kept. C++ asks for 256 at least.
const MAX_PARAMETERS: usize = 4096;

fn base_type(it: &Described<'_, '_>) -> BaseType {
    let own = it.own();
    let bytes = own.unsigned(dw::DW_AT_byte_size);
    let bits = bytes.and_then(|bytes| bytes.checked_mul(8));
    let bit_size =
        own.unsigned(dw::DW_AT_bit_size).filter(|size| bits.is_none_or(|all| *size < all));
    let stated = own.unsigned(dw::DW_AT_data_bit_offset);
    // DWARF 2 and 3 count from the most significant bit.
    let counted = || {
        let from_top = own.unsigned(dw::DW_AT_bit_offset)?;
        if is_big_endian(own) {
            return Some(from_top);
        }
        bits?.checked_sub(from_top)?.checked_sub(bit_size?)
    };
    let big_endian = match own.unsigned(dw::DW_AT_endianity) {
        Some(1) => Some(true),
        Some(2) => Some(false),
        _ => None,
    };
    BaseType {
        encoding: encoding(own.unsigned(dw::DW_AT_encoding).unwrap_or(0)),
        bit_size,
        bit_offset: stated.or_else(counted).unwrap_or(0),
        big_endian: big_endian.filter(|big| *big != is_big_endian(own)),
        scale: scale(own),
    }
}

/// What the integer of a fixed-point number is multiplied by.
fn scale(of: &Attributes<'_, '_>) -> Option<Scale> {
    let power = |name| i32::try_from(of.number(name)?.sharing_sign(SIGNED_WORD)).ok();
    let binary = || power(dw::DW_AT_binary_scale).map(Scale::Binary);
    let decimal = || power(dw::DW_AT_decimal_scale).map(Scale::Decimal);
    let other = || of.has(dw::DW_AT_small).then(|| ratio(of).unwrap_or(Scale::Other));
    binary().or_else(decimal).or_else(other)
}

/// The constant that `DW_AT_small` refers to, as GNAT writes it.
fn ratio(of: &Attributes<'_, '_>) -> Option<Scale> {
    let Some(Reference::To(constant)) = of.reference(dw::DW_AT_small) else { return None };
    let constant = Attributes::read(constant)?;
    let numerator = constant.unsigned(dw::DW_AT_GNU_numerator)?;
    let denominator = constant.unsigned(dw::DW_AT_GNU_denominator).filter(|below| *below > 0)?;
    Some(Scale::Ratio { numerator, denominator })
}

/// Scales in forms without sign share that of their attribute, which has one.
const SIGNED_WORD: Option<IntegerType> = Some(IntegerType { is_signed: true, bits: 64 });
