//! Memory that was refused, by who gave up for it.

use super::stack::Stack;
use super::{Said, Speaker};

/// Functions of Rust's library that are called when an allocator answers null
/// (`library/alloc/src/alloc.rs`, `library/std/src/alloc.rs`).
const RUST: [&str; 5] = [
    "alloc::alloc::handle_alloc_error",
    "alloc::alloc::handle_alloc_error::rt_error",
    "std::alloc::rust_oom",
    "__rust_alloc_error_handler",
    "__rg_oom",
];

/// An allocation of Rust that failed.
pub(super) fn said(stack: &Stack<'_>) -> Option<Said> {
    if !stack.is_aborted() && !stack.is_trapped() {
        return None;
    }
    let at = stack.find_one_of(&RUST).filter(|at| stack.is_library_up_to(*at))?;
    let frame = stack.raised_below(at);
    let text = String::new();
    Some(Said {
        speaker: Speaker::OutOfMemory,
        text,
        exception: None,
        frame,
        subject: None,
        is_inferred: false,
    })
}
