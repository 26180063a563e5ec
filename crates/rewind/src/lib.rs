//! What a thread executed last, read backwards from the state in which it ended.
//!
//! A [`Chain`] is a way that ends in that state, with what registers held before each of its
//! instructions as far as it follows. [`Walk`] makes the chain longer while only one instruction
//! can have come before. x86-64 only.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
// What reads files must survive any: no index, no sum that may overflow.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod bits;
mod calls;
mod chain;
mod frame_register;
mod function;
mod lines;
mod of_process;
mod relate;
mod variables;
mod walk;

pub use bits::Bits;
pub use chain::{Chain, Link, REGISTERS, State};
pub use function::Function;
pub use lines::{Branch, Line, lines};
pub use of_process::{NotRewound, OfProcess, rewind};
pub use variables::Held;
pub use walk::{End, Walk, Work};

use obit_corefile::arch::Register;
use std::rc::Rc;

/// What is known of the process besides registers.
pub trait World {
    /// The function around an address.
    fn function(&self, at: u64) -> Option<Rc<Function>>;
    /// The number of so many bytes at an address when the thread ended, if it is known that they
    /// were written by nothing but the thread's own instructions.
    fn memory(&self, at: u64, size: u64) -> Option<u64>;
    /// Whether the memory cannot have been written.
    fn is_constant(&self, at: u64, size: u64) -> bool;
    /// Whether a function returns on the stack and as often as it was called: not as `setjmp`.
    fn returns_once(&self, function: u64) -> bool;
    /// Whether stacks may be unwound: then functions are left otherwise than by a return.
    fn may_unwind(&self) -> bool;
    /// Whether other threads may have written what memory holds.
    fn is_shared(&self) -> bool;
    /// The base of a segment.
    fn segment(&self, register: Register) -> Option<u64>;
}
