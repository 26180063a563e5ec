//! Debug information of ELF images: which function and line an address belongs to, what
//! was inlined there, where a variable is and what type it has; and where on this machine
//! the files are that say so.
//!
//! Made for the analysis of crashed processes. Reads DWARF 2 to 5 with split DWARF, `.dwp`
//! packages, dwz supplements and MiniDebugInfo, symbol tables where there is no DWARF. Input
//! is hostile: every walk has a limit ([`Limits`](obit_corefile::limits::Limits)), what cannot
//! be read costs what depends on it and is reported as a
//! [`Notice`](obit_corefile::notice::Notice), never as a panic.
//!
//! Not for: live processes, unwinding (`obit-process`), writing DWARF, PDB or Mach-O.
//!
//! ```
//! use std::path::Path;
//! use std::sync::Arc;
//!
//! use obit_corefile::elf::{ElfImage, ImageBytes};
//! use obit_corefile::limits::Limits;
//! use obit_corefile::mapped_file::MappedFile;
//! use obit_dwarf::{DebugFiles, DebugInfo};
//!
//! let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/null-field/prog");
//! let limits = Limits::default();
//! let file = MappedFile::open(Path::new(path))?;
//! let image = Arc::new(ElfImage::parse(ImageBytes::File(file), &limits)?);
//! let no_split = Arc::new(|_: &DebugFiles, _: &[u8], _: &[u8]| Err(Vec::new()));
//! let info = DebugInfo::new(DebugFiles::only(image), no_split, &limits, None);
//!
//! let at = info.function_named("main").ok_or("no such function")?;
//! let frames = info.frames_at(at);
//! assert_eq!(frames[0].function.as_deref(), Some("main"));
//! assert!(frames[0].location.as_ref().is_some_and(|place| place.line.is_some()));
//!
//! let scope = info.scopes_at(at).frames[0].clone();
//! let variable = scope.variables.first().ok_or("no variable")?;
//! let ty = variable.ty.ok_or("no type")?;
//! println!("{:?}: {}", variable.name, info.type_name(ty));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | question | names |
//! |---|---|
//! | the information of one image | [`DebugInfo`], [`DebugLevel`], [`SplitLoader`], [`SectionCache`] |
//! | what is in the cache on disk | [`SectionDirectory`], [`CacheEntry`], [`EntryState`], [`Depth`], [`Cleared`], [`CacheProblem`] |
//! | where the files are | [`locate`]: [`Locator`](locate::Locator), [`SearchRules`](locate::SearchRules), [`DebugFiles`] |
//! | code at an address | [`SourceFrame`], [`SourceLocation`], [`SourceContent`], [`SymbolAt`], [`TailCall`], [`NamedFunction`], [`GoFrame`] |
//! | what a call passed | [`Call`], [`CallTarget`], [`Passed`], [`EntryValue`] |
//! | variables in scope | [`Scopes`], [`Scope`], [`Variable`], [`VariableId`] |
//! | where a variable is | [`Location`], [`LocationList`], [`Expression`], [`Surroundings`] (what a frame answers), [`Piece`], [`Place`], [`NoPlace`] |
//! | types | [`Type`], [`TypeId`], [`TypeKind`] and what they are made of: [`types`] |
//! | names | [`demangle`], [`Language`] |
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
// What reads files must survive any: no index, no sum that may overflow.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod code;
mod debug_info;
mod go;
mod index;
pub mod locate;
mod model;
mod names;
mod sections;
#[doc(hidden)]
#[cfg(any(test, feature = "testkit"))]
pub mod testing;
pub mod types;
mod units;
mod variables;

pub use debug_info::DebugInfo;
pub use locate::DebugFiles;
pub use model::call::{Call, CallTarget, Passed};
pub use model::code::{
    DebugLevel, GoFrame, NamedFunction, SourceContent, SourceFrame, SourceLocation, SymbolAt,
    TailCall,
};
pub use model::language::Language;
pub use model::location::{
    Bound, EntryValue, Expression, Location, LocationList, MemberBound, NoPlace, Piece, Place,
    Surroundings, VariableId,
};
pub use model::scope::{Scope, Scopes, Variable};
pub use model::types::{Type, TypeId, TypeKind};
pub use names::demangle::demangle;
pub use sections::cache::{
    CacheEntry, CacheProblem, Cleared, Depth, EntryState, SectionCache, SectionDirectory,
    SectionStore,
};
pub use sections::context::SplitLoader;
#[doc(hidden)]
#[cfg(any(test, feature = "testkit"))]
pub use testing::sample_types;
