//! Debug information of one image: symbols, DWARF, and the files they lie in. Serves a
//! bare ELF file as well as a module of a core: no threads, no bias of its own.

pub mod locate;
mod symbolize;

pub use symbolize::{DebugLevel, SourceFrame, SourceLocation, TailCall};
