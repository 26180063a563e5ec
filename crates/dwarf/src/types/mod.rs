//! Types of variables, from their entries (DWARF 5 chapter 5), and what they are made of.
//! [`TypeKind`](crate::TypeKind) holds one of these.

pub(crate) mod arrays;
pub(crate) mod described;
pub(crate) mod enumerations;
pub(crate) mod fortran_names;
pub(crate) mod go_types;
pub(crate) mod members;
pub(crate) mod reader;
pub(crate) mod strings;
pub(crate) mod table;
#[cfg(test)]
mod tests;
pub(crate) mod type_names;

pub use crate::model::types::{
    Array, BaseType, Descriptor, Dimension, DimensionEnd, Encoding, Enumeration, FunctionType,
    Member, MemberOffset, MemberRole, PointerKind, Qualifier, Record, RecordKeyword, Scale,
    StaticMember, Stride, StringType, Subrange, TemplateArgument, Variant, VariantPart,
};
