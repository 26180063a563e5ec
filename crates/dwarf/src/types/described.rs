//! A type's entry together with those it continues.

use std::sync::Arc;

use gimli::constants as dw;

use crate::model::language::Language;
use crate::model::types::{Encoding, Qualifier};
use crate::sections::sources::Slice;
use crate::types::table::TypeKey;
use crate::units::attributes::{Attributes, Children, IntegerType, Reference};
use crate::units::entry::Entry;
use crate::units::file::DwarfFile;

/// The entry of `key`, unless it stands for a broken reference.
pub(crate) fn entry_of<'x, 'd>(
    root: &'x DwarfFile<'d>,
    key: impl Into<TypeKey>,
) -> Option<Entry<'x, 'd>> {
    let TypeKey { entry, referrer } = key.into();
    if entry.offset == 0 {
        return None;
    }
    Entry::at(root, entry).map(|entry| entry.referred_from(referrer))
}

/// The modifier an entry with this tag is.
pub(crate) fn qualifier(tag: gimli::DwTag) -> Option<Qualifier> {
    Some(match tag {
        dw::DW_TAG_const_type => Qualifier::Const,
        dw::DW_TAG_volatile_type => Qualifier::Volatile,
        dw::DW_TAG_restrict_type => Qualifier::Restrict,
        dw::DW_TAG_atomic_type => Qualifier::Atomic,
        dw::DW_TAG_packed_type | dw::DW_TAG_immutable_type | dw::DW_TAG_shared_type => {
            Qualifier::Other
        }
        _ => return None,
    })
}

/// A type's entry and those it continues: the declaration it completes
/// (`DW_AT_specification`), the abstract instance it is made of (`DW_AT_abstract_origin`).
/// For a declaration that names a type unit (`DW_AT_signature`), the entry there is read
/// instead.
pub(crate) struct Described<'x, 'd> {
    own: Attributes<'x, 'd>,
    continued: Vec<Attributes<'x, 'd>>,
}

impl<'x, 'd> Described<'x, 'd> {
    pub(crate) fn read(entry: Entry<'x, 'd>) -> Option<Self> {
        let limit = entry.file.context().limits.reference_depth;
        let mut own = Attributes::read(entry)?;
        for _ in 0..limit {
            let Some(Reference::To(unit)) = own.reference(dw::DW_AT_signature) else { break };
            let Some(there) = Attributes::read(unit) else { break };
            own = there;
        }
        let mut continued: Vec<Attributes<'x, 'd>> = Vec::new();
        while continued.len() < limit {
            let last = continued.last().unwrap_or(&own);
            let origin = last
                .reference(dw::DW_AT_specification)
                .or_else(|| last.reference(dw::DW_AT_abstract_origin));
            let Some(Reference::To(origin)) = origin else { break };
            let Some(origin) = Attributes::read(origin) else { break };
            continued.push(origin);
        }
        Some(Self { own, continued })
    }

    pub(crate) fn own(&self) -> &Attributes<'x, 'd> {
        &self.own
    }

    /// The entry whose place in its unit says in which scopes the type was declared.
    pub(crate) fn declared(&self) -> Entry<'x, 'd> {
        self.continued.last().unwrap_or(&self.own).at
    }

    pub(crate) fn tag(&self) -> gimli::DwTag {
        self.own.tag()
    }

    pub(crate) fn language(&self) -> Language {
        self.own.at.language()
    }

    /// The first of the entries that has the attribute.
    pub(crate) fn stating(&self, name: gimli::DwAt) -> Option<&Attributes<'x, 'd>> {
        std::iter::once(&self.own).chain(&self.continued).find(|entry| entry.has(name))
    }

    pub(crate) fn text(&self, name: gimli::DwAt) -> Option<Arc<str>> {
        self.stating(name)?.text(name)
    }

    pub(crate) fn unsigned(&self, name: gimli::DwAt) -> Option<u64> {
        self.stating(name)?.unsigned(name)
    }

    /// The entries below the first that has any.
    pub(crate) fn children(&self) -> Option<Children<'x, 'd>> {
        std::iter::once(&self.own).chain(&self.continued).find_map(Children::of)
    }

    /// Whether only a declaration is available.
    pub(crate) fn is_declaration(&self) -> bool {
        self.own.flag(dw::DW_AT_declaration)
    }
}

/// Bytes of the type, stated or by its kind.
pub(crate) fn byte_size(it: &Described<'_, '_>) -> Option<u64> {
    // There it is the size of the length (DWARF 4 § 5.9).
    if it.stating(dw::DW_AT_string_length).is_some() {
        return None;
    }
    let stated = it
        .unsigned(dw::DW_AT_byte_size)
        .or_else(|| Some(it.unsigned(dw::DW_AT_bit_size)?.div_ceil(8)));
    stated.or_else(|| match it.tag() {
        dw::DW_TAG_pointer_type | dw::DW_TAG_reference_type | dw::DW_TAG_rvalue_reference_type => {
            Some(it.own().at.unit.inner.header.address_size().into())
        }
        dw::DW_TAG_enumeration_type | dw::DW_TAG_subrange_type => {
            let of = it.stating(dw::DW_AT_type)?;
            size_of(of)
        }
        _ => None,
    })
}

/// The byte order of the file an entry is in.
pub(crate) fn endian(of: &Attributes<'_, '_>) -> gimli::RunTimeEndian {
    let section: &Slice<'_> = gimli::Section::reader(&of.at.file.dwarf_of(of.at.unit).debug_abbrev);
    gimli::Reader::endian(section)
}

/// Whether the file an entry is in is big-endian.
pub(crate) fn is_big_endian(of: &Attributes<'_, '_>) -> bool {
    gimli::Endianity::is_big_endian(endian(of))
}

/// The encoding with this code (DWARF 5 table 7.11).
pub(crate) fn encoding(code: u64) -> Encoding {
    let code = u8::try_from(code).unwrap_or(0);
    match gimli::DwAte(code) {
        dw::DW_ATE_address => Encoding::Address,
        dw::DW_ATE_boolean => Encoding::Boolean,
        dw::DW_ATE_complex_float => Encoding::ComplexFloat,
        dw::DW_ATE_float => Encoding::Float,
        dw::DW_ATE_imaginary_float => Encoding::ImaginaryFloat,
        dw::DW_ATE_signed => Encoding::Signed,
        dw::DW_ATE_signed_char => Encoding::SignedChar,
        dw::DW_ATE_unsigned => Encoding::Unsigned,
        dw::DW_ATE_unsigned_char => Encoding::UnsignedChar,
        dw::DW_ATE_UTF => Encoding::Utf,
        dw::DW_ATE_decimal_float => Encoding::DecimalFloat,
        dw::DW_ATE_signed_fixed => Encoding::SignedFixed,
        dw::DW_ATE_unsigned_fixed => Encoding::UnsignedFixed,
        _ => Encoding::Other(code),
    }
}

/// The type `of` refers to by `DW_AT_type`, without typedefs and qualifiers. Reads no more
/// of it than its entry.
fn stripped<'x, 'd>(of: &Attributes<'x, 'd>) -> Option<Described<'x, 'd>> {
    let mut next = of.reference(dw::DW_AT_type);
    for _ in 0..of.at.file.context().limits.reference_depth {
        let Some(Reference::To(entry)) = next else { return None };
        let found = Described::read(entry)?;
        let tag = found.tag();
        if tag != dw::DW_TAG_typedef && qualifier(tag).is_none() {
            return Some(found);
        }
        next = found.own().reference(dw::DW_AT_type);
    }
    None
}

/// Bytes of the type `of` refers to, where one number states it.
pub(crate) fn size_of(of: &Attributes<'_, '_>) -> Option<u64> {
    let found = stripped(of)?;
    match found.unsigned(dw::DW_AT_byte_size) {
        None if found.tag() == dw::DW_TAG_enumeration_type => {
            stripped(found.own())?.unsigned(dw::DW_AT_byte_size)
        }
        size => size,
    }
}

/// How the integers of the type `of` refers to are read; `None` if it has none.
pub(crate) fn integer_type(of: &Attributes<'_, '_>) -> Option<IntegerType> {
    let mut found = stripped(of)?;
    let stated = found.unsigned(dw::DW_AT_byte_size);
    if matches!(found.tag(), dw::DW_TAG_enumeration_type | dw::DW_TAG_subrange_type) {
        found = stripped(found.own())?;
    }
    let size = stated.or_else(|| found.unsigned(dw::DW_AT_byte_size))?;
    let bits = u32::try_from(size.checked_mul(8)?).ok().filter(|bits| (1..=128).contains(bits))?;
    let is_signed = match encoding(found.unsigned(dw::DW_AT_encoding)?) {
        Encoding::Signed | Encoding::SignedChar => true,
        Encoding::Unsigned
        | Encoding::UnsignedChar
        | Encoding::Boolean
        | Encoding::Utf
        | Encoding::Address => false,
        _ => return None,
    };
    Some(IntegerType { is_signed, bits })
}
