//! Finding the files of a crashed process on the analyst's machine: images, separate debug
//! files, dwz files, split DWARF, and what debuginfod servers hold.
//!
//! The rules are gdb's. Names that come from the core or from a file are hints: they
//! never lead out of the directories that are searched, nothing but regular files is
//! opened, and a file stands in for another only with an equal build ID.

mod access;
mod alternate;
mod companions;
mod content;
mod debug_file;
mod debuginfod;
mod files;
mod found;
mod image;
mod jit_dump;
mod jit_names;
mod locator;
mod memo;
mod mini;
mod names;
mod rules;
mod source;
mod source_text;
mod split;

pub use access::{BuiltFrom, ChosenBy, FileAccess, LocalFiles, Purpose};
pub use debuginfod::{Artifact, Debuginfod, Fetched, Network};
pub use found::{DebugFiles, FoundImage, FoundSource, ImageState, Role};
pub use jit_names::JitNames;
pub use locator::Locator;
pub use rules::SearchRules;
pub use source_text::SourceText;
