//! Types as debug information states them (DWARF 5 chapter 5): owned, each read once, and
//! free of the reader they were read with.

use std::sync::Arc;

use crate::model::language::Language;
use crate::model::location::{Bound, Expression};

/// A type of one image's debug information. Means something only to the
/// [`DebugInfo`](crate::DebugInfo) it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub(crate) u32);

/// One type.
#[derive(Clone, Debug)]
pub struct Type {
    /// `DW_AT_name`: its own name, without the scopes around it.
    pub name: Option<Arc<str>>,
    /// `DW_AT_byte_size`, in bytes; a size given in bits is rounded up. Of a pointer
    /// without one, the size of an address. `None` where nothing states it: arrays,
    /// functions, declarations.
    pub byte_size: Option<u64>,
    /// What it is.
    pub kind: TypeKind,
    /// The language of its unit.
    pub language: Language,
}

/// What a type is.
#[derive(Clone, Debug)]
pub enum TypeKind {
    /// A type without values or of which nothing is known: `void`, `decltype(nullptr)`,
    /// `!` (`DW_TAG_unspecified_type`).
    Unspecified,
    /// A number, a truth value, a character.
    Base(BaseType),
    /// A pointer or a reference.
    Pointer {
        /// Which of them.
        kind: PointerKind,
        /// What it points at; `None` for `void *`.
        target: Option<TypeId>,
    },
    /// `T C::*` (§ 5.14).
    MemberPointer {
        /// C.
        class: Option<TypeId>,
        /// T; a function type for a pointer to a method.
        target: Option<TypeId>,
    },
    /// `const`, `volatile` and their like (§ 5.3).
    Qualified {
        /// Which of them.
        qualifier: Qualifier,
        /// The type without it; `None` for `const void`.
        target: Option<TypeId>,
    },
    /// Another name (§ 5.4). `None` where it names `void`.
    Typedef(Option<TypeId>),
    /// An array or a vector register's type (§ 5.5).
    Array(Array),
    /// Fortran's `character(len=n)` (§ 5.11).
    String(StringType),
    /// A structure, class or union (§ 5.7).
    Record(Record),
    /// An enumeration (§ 5.8).
    Enumeration(Enumeration),
    /// A function (§ 5.10).
    Function(FunctionType),
    /// A type with values of another (§ 5.13), as Ada, Pascal and Rust's niche types use.
    Subrange(Subrange),
    /// One obit does not know, by its tag.
    Unsupported(u16),
}

/// A type with some of the values of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subrange {
    /// The type it takes its values from.
    pub base: Option<TypeId>,
    /// Whether its least value is stated, as a constant that is not negative.
    pub is_non_negative: bool,
}

/// A type the machine knows (§ 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BaseType {
    /// How its bits are read.
    pub encoding: Encoding,
    /// `DW_AT_bit_size`, where the value does not fill its bytes.
    pub bit_size: Option<u64>,
    /// `DW_AT_data_bit_offset`: where its bits begin within its bytes.
    pub bit_offset: u64,
    /// `DW_AT_endianity`, where it differs from the machine's.
    pub big_endian: Option<bool>,
    /// Of a fixed-point number what its integer is multiplied by, where that is stated.
    pub scale: Option<Scale>,
}

/// The factor of a fixed-point number (§ 5.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// `DW_AT_binary_scale`: 2 to this power.
    Binary(i32),
    /// `DW_AT_decimal_scale`: 10 to this power.
    Decimal(i32),
    /// `DW_AT_small`: this many times, by a rational number.
    Ratio {
        /// `DW_AT_GNU_numerator`.
        numerator: u64,
        /// `DW_AT_GNU_denominator`.
        denominator: u64,
    },
    /// `DW_AT_small`, but the factor is not stated in a way obit knows.
    Other,
}

/// `DW_AT_encoding` (§ 7.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names of DWARF
pub enum Encoding {
    Address,
    Boolean,
    ComplexFloat,
    Float,
    ImaginaryFloat,
    Signed,
    SignedChar,
    Unsigned,
    UnsignedChar,
    /// UTF-8, UTF-16 or UTF-32 by its size.
    Utf,
    DecimalFloat,
    SignedFixed,
    UnsignedFixed,
    Other(u8),
}

/// Pointers and references (§ 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum PointerKind {
    Pointer,
    LvalueReference,
    RvalueReference,
}

/// Type modifiers that change no bit (§ 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Qualifier {
    Const,
    Volatile,
    Restrict,
    Atomic,
    /// `packed`, `immutable`, `shared`: nothing a name shows.
    Other,
}

/// An array.
#[derive(Clone, Debug)]
pub struct Array {
    /// Type of the elements.
    pub element: Option<TypeId>,
    /// The one whose index changes slowest in memory first: `int a[2][3]` has 2, 3, and
    /// Fortran's `a(3,2)` has 2, 3, too.
    pub dimensions: Vec<Dimension>,
    /// `DW_ORD_col_major`: the source writes the indices in the reverse order of
    /// `dimensions`.
    pub is_column_major: bool,
    /// `DW_AT_GNU_vector`: the content of a vector register.
    pub is_vector: bool,
    /// Bits from one element to the next, where it is not the element's size.
    pub stride_bits: Option<u64>,
    /// What its descriptor says; empty for an array that lies where its variable does.
    pub descriptor: Descriptor,
}

/// Attributes of a type whose data is reached through a descriptor (§ 5.18): the object
/// they are computed for is the descriptor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Descriptor {
    /// `DW_AT_data_location`: where the data is.
    pub data_location: Option<Expression>,
    /// `DW_AT_allocated`: 0 for an allocatable object that is not allocated.
    pub allocated: Option<Bound>,
    /// `DW_AT_associated`: 0 for a pointer that is not associated.
    pub associated: Option<Bound>,
}

impl Descriptor {
    /// Whether it has none of the attributes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A string of a stated length (§ 5.11).
#[derive(Clone, Debug)]
pub struct StringType {
    /// `DW_AT_type`: the type of its characters, where it is stated.
    pub character: Option<TypeId>,
    /// `DW_AT_string_length`: its length in bytes, where it is not the type's size.
    pub length: Option<Bound>,
    /// What its descriptor says.
    pub descriptor: Descriptor,
}

/// One dimension of an array.
#[derive(Clone, Debug)]
pub struct Dimension {
    /// The type of the index, where it is stated.
    pub index: Option<TypeId>,
    /// The first index.
    pub lower: Bound,
    /// Where it ends.
    pub end: DimensionEnd,
    /// The distance from one index to the next, where it is not that of the elements within.
    pub stride: Option<Stride>,
}

/// A distance between elements (§ 5.13).
#[derive(Clone, Debug)]
pub enum Stride {
    /// `DW_AT_byte_stride`.
    Bytes(Bound),
    /// `DW_AT_bit_stride`.
    Bits(Bound),
}

/// Where a dimension ends.
#[derive(Clone, Debug)]
pub enum DimensionEnd {
    /// `DW_AT_count`: so many elements.
    Count(Bound),
    /// `DW_AT_upper_bound`: the last index.
    Upper(Bound),
    /// Not stated: a flexible array member, `extern int a[]`.
    Open,
}

/// A structure, class or union.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Which of them.
    pub keyword: RecordKeyword,
    /// `DW_AT_declaration`, and no definition in this unit or a type unit.
    pub is_declaration: bool,
    /// Bases and data members in the order of their entries.
    pub members: Vec<Member>,
    /// Static data members.
    pub statics: Vec<StaticMember>,
    /// Parts of which one is there at a time (§ 5.7.10): Rust's enums.
    pub variant_parts: Vec<VariantPart>,
    /// `DW_TAG_template_type_parameter` and `DW_TAG_template_value_parameter`.
    pub template_arguments: Vec<TemplateArgument>,
    /// `DW_AT_containing_type`: of a class, the one that holds its vtable pointer; of a
    /// Rust vtable's type, the concrete type.
    pub containing_type: Option<TypeId>,
}

/// How a record was declared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum RecordKeyword {
    #[default]
    Struct,
    Class,
    Union,
}

/// A data member or a base.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name; `None` for an anonymous structure or union, and for a base.
    pub name: Option<Arc<str>>,
    /// Its type.
    pub ty: Option<TypeId>,
    /// Where it lies in its object.
    pub offset: MemberOffset,
    /// Bits, if it is a bit-field.
    pub bit_size: Option<u64>,
    /// What it is.
    pub role: MemberRole,
    /// `DW_AT_artificial`: made by the compiler, as `_vptr` and discriminants are.
    pub is_artificial: bool,
    /// `DW_AT_decl_line`: of a state of Rust's async code, where that waits.
    pub line: Option<u32>,
    /// `DW_AT_decl_file`: the number of its file in the table of its unit. See
    /// [`DebugInfo::file_of_unit`](crate::DebugInfo::file_of_unit).
    pub file: Option<u64>,
}

/// Whether a member is a data member or a base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum MemberRole {
    Field,
    Base,
    VirtualBase,
}

/// Where a member lies.
#[derive(Clone, Debug)]
pub enum MemberOffset {
    /// Bits from the start of the object. Of a bit-field, to its first bit in memory
    /// order: the least significant on a little-endian machine.
    Bits(u64),
    /// By an expression over the address of the object, as virtual bases do.
    Computed(Expression),
}

/// A static data member.
#[derive(Clone, Debug)]
pub struct StaticMember {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Option<TypeId>,
    /// The linker's name of it, where it is stated.
    pub linkage_name: Option<Arc<str>>,
    /// `DW_AT_const_value`, if the compiler folded it.
    pub constant: Option<i128>,
}

/// A part of a record of which one of several forms is there (§ 5.7.10).
#[derive(Clone, Debug)]
pub struct VariantPart {
    /// The member that shows which; `None` if there is only one.
    pub discriminant: Option<Member>,
    /// The forms.
    pub variants: Vec<Variant>,
}

/// One form of a variant part.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Values of the discriminant that select it, as inclusive ranges; empty for the
    /// default. In the discriminant's own signedness.
    pub selectors: Vec<(i128, i128)>,
    /// What is there then.
    pub members: Vec<Member>,
}

/// An argument of a template or a generic type.
#[derive(Clone, Debug)]
pub struct TemplateArgument {
    /// The parameter's name.
    pub name: Option<Arc<str>>,
    /// The type, or the type of the value.
    pub ty: Option<TypeId>,
    /// The value of a value parameter.
    pub value: Option<i128>,
}

/// An enumeration.
#[derive(Clone, Debug)]
pub struct Enumeration {
    /// The integer type behind it, where it is stated.
    pub underlying: Option<TypeId>,
    /// Names and values, in their order. Values are sign-extended if stated as signed.
    pub enumerators: Vec<(Arc<str>, i128)>,
    /// `enum class`.
    pub is_class: bool,
    /// `DW_AT_declaration`, and no definition available.
    pub is_declaration: bool,
}

/// A function's type.
#[derive(Clone, Debug, Default)]
pub struct FunctionType {
    /// What it returns; `None` for `void`.
    pub result: Option<TypeId>,
    /// What it takes.
    pub parameters: Vec<Option<TypeId>>,
    /// Whether more may follow.
    pub is_variadic: bool,
}

impl Type {
    /// A type of which nothing is known.
    pub(crate) fn unknown() -> Self {
        Self {
            name: None,
            byte_size: None,
            kind: TypeKind::Unspecified,
            language: Language::Unknown,
        }
    }
}
