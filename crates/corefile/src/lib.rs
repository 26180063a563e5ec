//! Reads ELF core files of the Linux kernel and of gcore: what the dump itself holds.
//!
//! [`dump::Dump`] is the core file: threads with their registers, the signal, mappings, the
//! auxiliary vector. [`memory::AddressSpace`] serves bytes of the crashed process by address
//! and says why a byte is absent. [`elf`] reads headers, notes, symbols and sections of any
//! ELF image, [`arch`] holds the facts of each machine. Addresses have types ([`addr`]), what
//! could not be known is a [`notice::Notice`], and what input may cost is bounded by
//! [`limits::Limits`].
//!
//! Not for: debug information (`obit-dwarf`), stacks and values (`obit-process`), live
//! processes.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
// What reads files must survive any: no index, no sum that may overflow.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

pub mod addr;
pub mod arch;
pub mod archive;
pub mod dump;
pub mod elf;
pub mod escape;
pub mod limits;
pub mod mapped_file;
pub mod memory;
pub mod notice;
pub mod parallel;
#[doc(hidden)]
#[cfg(any(test, feature = "testkit"))]
#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]
pub mod testkit;
