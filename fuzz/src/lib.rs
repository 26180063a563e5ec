//! What the fuzz targets share: crashes to start from, and changes to them that keep the
//! containers whole, so that an input gets past the headers.
//!
//! An input of the targets that read files is a [`Script`]: which crash of `tests/fixtures`
//! to take, and what to change in it. It is small whatever the size of the core, it can be
//! read by a person who looks into a finding, and [`mutate()`] can keep what the rest depends
//! on: headers, tables of sections, framing of notes, lengths of DWARF units.

mod bases;
mod files;
mod framing;
mod layout;
mod mutate;
mod opened;
mod random;
mod script;

pub use bases::{Base, bases, program_image};
pub use files::{Handed, MemoryFile};
pub use framing::{Framing, frames};
pub use layout::{Layout, Region};
pub use mutate::{mutate, mutate_behind, mutate_frames};
pub use opened::{open, process_of};
pub use random::Random;
pub use script::{Edit, Operation, Part, Script};

/// What the fuzzer's library calls: not here.
#[cfg(test)]
#[unsafe(no_mangle)]
extern "C" fn rust_fuzzer_test_input(_: *const u8, _: usize) -> i32 {
    0
}
