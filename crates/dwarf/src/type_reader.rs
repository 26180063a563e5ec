//! From entries to [`Type`]s (DWARF 5 chapter 5).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use gimli::constants as dw;

use super::arrays;
use super::attributes::{Attributes, Children, IntegerType, Reference};
use super::demangle::Language;
use super::entry::Entry;
use super::enumerations;
use super::members;
use super::reader::Slice;
use super::type_names;
use super::types::{
    BaseType, Encoding, FunctionType, PointerKind, Qualifier, RecordKeyword, Type, TypeId, TypeKind,
};
use super::units::{DieKey, DwarfFile};

/// The types of one image that were asked about, each under a number of its own.
pub(super) struct TypeTable {
    numbers: Mutex<HashMap<DieKey, TypeId>>,
    slots: Slots,
    unknown: Type,
}

impl Default for TypeTable {
    fn default() -> Self {
        Self { numbers: Mutex::default(), slots: Slots::default(), unknown: Type::unknown() }
    }
}

/// What is known of one type.
#[derive(Default)]
struct Slot {
    entry: OnceLock<DieKey>,
    ty: OnceLock<Box<Type>>,
    name: OnceLock<Arc<str>>,
}

/// Slots by their number. They stay where they are, so that a type is borrowed without a
/// lock: values ask for types more often than for anything else. Each block is twice as
/// long as the one before.
#[derive(Default)]
struct Slots {
    blocks: [OnceLock<Box<[Slot]>>; BLOCKS],
}

const BLOCKS: usize = 26;
const FIRST_BLOCK: u32 = 64;

impl Slots {
    /// The block of a number, and the place in it.
    fn place(number: u32) -> Option<(usize, usize)> {
        let from_first = number.checked_add(FIRST_BLOCK)?;
        let block = from_first.ilog2().checked_sub(FIRST_BLOCK.ilog2())?;
        let place = from_first.checked_sub(FIRST_BLOCK.checked_shl(block)?)?;
        Some((usize::try_from(block).ok()?, usize::try_from(place).ok()?))
    }

    fn get(&self, number: u32) -> Option<&Slot> {
        let (block, place) = Self::place(number)?;
        self.blocks.get(block)?.get()?.get(place)
    }

    /// The slot, and the block around it if it is the first there.
    fn make(&self, number: u32) -> Option<&Slot> {
        let (block, place) = Self::place(number)?;
        let length = usize::try_from(FIRST_BLOCK).ok()?.checked_shl(u32::try_from(block).ok()?)?;
        let slots = self
            .blocks
            .get(block)?
            .get_or_init(|| std::iter::repeat_with(Slot::default).take(length).collect());
        slots.get(place)
    }
}

impl TypeTable {
    /// The number of the type at `entry`.
    pub(super) fn intern(&self, entry: DieKey) -> TypeId {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = numbers.get(&entry) {
            return *id;
        }
        let number = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        if let Some(slot) = self.slots.make(number) {
            slot.entry.get_or_init(|| entry);
        }
        let id = TypeId(number);
        numbers.insert(entry, id);
        id
    }

    /// The number of the type that `name` (`DW_AT_type` and its like) of an entry refers
    /// to. A reference that leads nowhere is to a type of which nothing is known; none at
    /// all is `void`.
    pub(super) fn referred(&self, of: &Attributes<'_, '_>, name: gimli::DwAt) -> Option<TypeId> {
        Some(self.intern(match of.reference(name)? {
            Reference::To(entry) => entry.key(),
            // No entry starts where its unit does.
            Reference::Broken => DieKey { offset: 0, ..of.at.key() },
        }))
    }

    /// The entry of the type with this number.
    pub(super) fn entry(&self, id: TypeId) -> Option<DieKey> {
        self.slots.get(id.0)?.entry.get().copied()
    }

    /// The type with this number, if it was read before.
    pub(super) fn known(&self, id: TypeId) -> Option<&Type> {
        self.slots.get(id.0)?.ty.get().map(|ty| &**ty)
    }

    /// Stands for what cannot be read.
    pub(super) fn unknown(&self) -> &Type {
        &self.unknown
    }

    /// The name of the type with this number, if it was spelled before.
    pub(super) fn known_name(&self, id: TypeId) -> Option<Arc<str>> {
        self.slots.get(id.0)?.name.get().cloned()
    }

    /// These types, numbered in their order, each called by its own name.
    #[cfg(any(test, feature = "testkit"))]
    pub(super) fn of(types: Vec<Type>) -> Self {
        use super::units::{List, Part};
        let table = Self::default();
        for (offset, ty) in types.into_iter().enumerate() {
            let (part, list) = (Part::Main, List::Info);
            let id = table.intern(DieKey { part, list, unit: u32::MAX, offset });
            let slot = table.slots.get(id.0).unwrap();
            slot.name.set(ty.name.clone().unwrap_or_default()).unwrap();
            slot.ty.set(Box::new(ty)).unwrap();
        }
        table
    }

    /// The type with this number.
    pub(super) fn get<'d>(&self, root: &DwarfFile<'d>, id: TypeId) -> &Type {
        let Some(slot) = self.slots.get(id.0) else { return &self.unknown };
        slot.ty.get_or_init(|| {
            let entry = slot.entry.get().and_then(|entry| entry_of(root, *entry));
            let described = entry.and_then(Described::read);
            Box::new(described.map_or_else(Type::unknown, |described| self.read(&described)))
        })
    }

    /// Its name as a programmer would write it.
    pub(super) fn name<'d>(&self, root: &DwarfFile<'d>, id: TypeId) -> Arc<str> {
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
            dw::DW_TAG_structure_type => record(RecordKeyword::Struct),
            dw::DW_TAG_class_type | dw::DW_TAG_interface_type => record(RecordKeyword::Class),
            dw::DW_TAG_union_type => record(RecordKeyword::Union),
            dw::DW_TAG_enumeration_type => {
                TypeKind::Enumeration(enumerations::enumeration(self, it))
            }
            dw::DW_TAG_subroutine_type => TypeKind::Function(self.function(it)),
            dw::DW_TAG_subrange_type => TypeKind::Subrange(target()),
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

/// The entry of `key`, unless it stands for a broken reference.
pub(super) fn entry_of<'x, 'd>(root: &'x DwarfFile<'d>, key: DieKey) -> Option<Entry<'x, 'd>> {
    if key.offset == 0 { None } else { Entry::at(root, key) }
}

/// The modifier an entry with this tag is.
pub(super) fn qualifier(tag: gimli::DwTag) -> Option<Qualifier> {
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
/// A declaration that names a type unit (`DW_AT_signature`) is passed over for what stands
/// there.
pub(super) struct Described<'x, 'd> {
    own: Attributes<'x, 'd>,
    continued: Vec<Attributes<'x, 'd>>,
}

impl<'x, 'd> Described<'x, 'd> {
    pub(super) fn read(entry: Entry<'x, 'd>) -> Option<Self> {
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

    pub(super) fn own(&self) -> &Attributes<'x, 'd> {
        &self.own
    }

    /// The entry whose place in its unit says in which scopes the type was declared.
    pub(super) fn declared(&self) -> Entry<'x, 'd> {
        self.continued.last().unwrap_or(&self.own).at
    }

    pub(super) fn tag(&self) -> gimli::DwTag {
        self.own.tag()
    }

    pub(super) fn language(&self) -> Language {
        match self.own.at.unit.language {
            Language::Unknown => self.own.at.root.main_language(),
            known => known,
        }
    }

    /// The first of the entries that has the attribute.
    pub(super) fn stating(&self, name: gimli::DwAt) -> Option<&Attributes<'x, 'd>> {
        std::iter::once(&self.own).chain(&self.continued).find(|entry| entry.has(name))
    }

    pub(super) fn text(&self, name: gimli::DwAt) -> Option<Arc<str>> {
        self.stating(name)?.text(name)
    }

    pub(super) fn unsigned(&self, name: gimli::DwAt) -> Option<u64> {
        self.stating(name)?.unsigned(name)
    }

    /// The entries below the first that has any.
    pub(super) fn children(&self) -> Option<Children<'x, 'd>> {
        std::iter::once(&self.own).chain(&self.continued).find_map(Children::of)
    }

    /// Whether nothing but a declaration is at hand.
    pub(super) fn is_declaration(&self) -> bool {
        self.own.flag(dw::DW_AT_declaration)
    }
}

fn byte_size(it: &Described<'_, '_>) -> Option<u64> {
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
    }
}

/// The byte order of the file an entry stands in.
pub(super) fn endian(of: &Attributes<'_, '_>) -> gimli::RunTimeEndian {
    let section: &Slice<'_> = gimli::Section::reader(&of.at.file.dwarf_of(of.at.unit).debug_abbrev);
    gimli::Reader::endian(section)
}

/// Whether the file an entry stands in is big-endian.
pub(super) fn is_big_endian(of: &Attributes<'_, '_>) -> bool {
    gimli::Endianity::is_big_endian(endian(of))
}

fn encoding(code: u64) -> Encoding {
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
pub(super) fn size_of(of: &Attributes<'_, '_>) -> Option<u64> {
    let found = stripped(of)?;
    match found.unsigned(dw::DW_AT_byte_size) {
        None if found.tag() == dw::DW_TAG_enumeration_type => {
            stripped(found.own())?.unsigned(dw::DW_AT_byte_size)
        }
        size => size,
    }
}

/// How the integers of the type `of` refers to are read; `None` if it has none.
pub(super) fn integer_type(of: &Attributes<'_, '_>) -> Option<IntegerType> {
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
