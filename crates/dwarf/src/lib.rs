//! Debug information of one image: symbols, DWARF, and the files they lie in. Serves a
//! bare ELF file as well as a module of a core: no threads, no bias of its own.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
// What reads files must survive any: no index, no sum that may overflow.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod code;
mod debug_info;
mod index;
pub mod locate;
mod model;
mod names;
mod sections;
#[doc(hidden)]
#[cfg(any(test, feature = "testkit"))]
pub mod testing;
mod types;
mod units;
mod variables;

pub use debug_info::DebugInfo;
pub use locate::DebugFiles;
pub use model::call::{Call, CallTarget, Passed};
pub use model::code::{
    DebugLevel, NamedFunction, SourceContent, SourceFrame, SourceLocation, SymbolAt, TailCall,
};
pub use model::language::Language;
pub use model::location::{
    Bound, EntryValue, Expression, Location, LocationList, NoPlace, Piece, Place, Surroundings,
    VariableId,
};
pub use model::scope::{Scope, Scopes, Variable};
pub use model::types::{
    Array, BaseType, Dimension, DimensionEnd, Encoding, Enumeration, FunctionType, Member,
    MemberOffset, MemberRole, PointerKind, Qualifier, Record, RecordKeyword, StaticMember,
    TemplateArgument, Type, TypeId, TypeKind, Variant, VariantPart,
};
pub use names::demangle::demangle;
pub use sections::context::SplitLoader;
pub use sections::section_cache::{CachedSection, SectionCache, SectionKey};
#[doc(hidden)]
#[cfg(any(test, feature = "testkit"))]
pub use testing::sample_types;
