//! Debug information made of types alone, for tests of what reads values.

use std::sync::Arc;

use crate::DebugInfo;
use crate::locate::DebugFiles;
use crate::model::keys::{DieKey, DwarfPart, List};
use crate::model::language::Language;
use crate::model::location::{Bound, Expression, VariableId};
use crate::model::types::{
    Array, BaseType, Descriptor, Dimension, DimensionEnd, Encoding, Member, MemberOffset,
    MemberRole, PointerKind, Record, Type, TypeId, TypeKind,
};
use crate::types::table::TypeTable;
use obit_corefile::elf::test_image::TestImage;
use obit_corefile::limits::Limits;

/// Type number `n` of [`debug_info_of`].
pub fn id(n: u32) -> TypeId {
    TypeId(n)
}

/// Debug information of an x86-64 image that knows these types, with the numbers of their
/// order.
pub fn debug_info_of(types: Vec<Type>) -> DebugInfo {
    let image = Arc::new(TestImage::default().build());
    let files = DebugFiles { image, debug: None, alternate: None, mini: None, package: None };
    let split = Arc::new(|_: &_, _: &_, _: &_| Err(Vec::new()));
    DebugInfo::new(files, split, &Limits::default(), None).with_types(TypeTable::of(types))
}

/// A type of C++.
pub fn named(name: &str, byte_size: impl Into<Option<u64>>, kind: TypeKind) -> Type {
    let name = Some(name).filter(|name| !name.is_empty()).map(Arc::from);
    Type { name, byte_size: byte_size.into(), kind, language: Language::Cpp }
}

/// A base type.
pub fn base(name: &str, size: u64, encoding: Encoding) -> Type {
    let base = BaseType { encoding, bit_size: None, bit_offset: 0, big_endian: None, scale: None };
    named(name, size, TypeKind::Base(base))
}

/// A pointer of 8 bytes.
pub fn pointer(target: u32) -> Type {
    let kind = PointerKind::Pointer;
    named("", 8, TypeKind::Pointer { kind, target: Some(id(target)) })
}

/// An array with `(first, last)` indices for each dimension.
pub fn array(element: u32, dimensions: &[(i64, i64)]) -> Type {
    let dimensions = dimensions.iter().map(|(first, last)| Dimension {
        index: None,
        lower: Bound::Constant(*first),
        end: DimensionEnd::Upper(Bound::Constant(*last)),
        stride: None,
    });
    let array = Array {
        element: Some(id(element)),
        dimensions: dimensions.collect(),
        is_column_major: false,
        is_vector: false,
        stride_bits: None,
        descriptor: Descriptor::default(),
    };
    named("", None, TypeKind::Array(array))
}

/// A bound that is the value of variable `n`, which exists nowhere.
pub fn variable_bound(n: u64) -> Bound {
    let key = DieKey { part: DwarfPart::Main, list: List::Info, unit: 0, offset: n as usize };
    Bound::Variable(VariableId(key))
}

/// The number of a variable of [`variable_bound`].
pub fn number_of(variable: VariableId) -> u64 {
    variable.0.offset as u64
}

/// `DW_AT_data_location` of a type whose descriptor says so: no expression that is run.
pub fn data_location() -> Expression {
    let unit = DieKey { part: DwarfPart::Main, list: List::Info, unit: 0, offset: 0 };
    Expression::new(&[], unit)
}

/// A data member at a whole byte.
pub fn field(name: &str, ty: u32, byte: u64) -> Member {
    Member {
        name: Some(name).filter(|name| !name.is_empty()).map(Arc::from),
        ty: Some(id(ty)),
        offset: MemberOffset::Bits(byte.wrapping_mul(8)),
        bit_size: None,
        role: MemberRole::Field,
        is_artificial: false,
        line: None,
        file: None,
    }
}

/// A record of these members.
pub fn record(name: &str, size: u64, members: Vec<Member>) -> Type {
    named(name, size, TypeKind::Record(Record { members, ..Record::default() }))
}
