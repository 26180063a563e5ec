//! The heap of a crashed process: which block holds an address, all blocks, who holds them.
//!
//! [`glibc`] reads the heap of the GNU C library from the data that it keeps.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(not(any(test, feature = "testkit")), deny(clippy::indexing_slicing))]

mod blocks;
mod census;
mod contents;
mod dominators;
mod evidence;
mod flow;
pub mod glibc;
mod jemalloc;
mod leaks;
mod library_types;
mod owner;
mod paths;
mod pointers;
mod reach;
mod retained;
mod roots;
mod slots;
mod stack;
mod tcmalloc;
mod types;

pub use blocks::{Blocks, HeapBlock, State};
pub use census::{Allocator, ArenaTotals, Census, Doubt, Trust};
pub use contents::{Budget, Contents, Step, TooLarge, Way};
pub use leaks::Leaks;
pub use owner::{Held, Holder, Owner, holders, owner_of};
pub use paths::Collection;
pub use pointers::{Pointer, pointers_to};
pub use reach::{From, Reach};
pub use retained::{NotRetained, Retained};
pub use roots::{RootKind, RootRange, Roots};
pub use types::{BlockType, Former, TypedBy, Types};
