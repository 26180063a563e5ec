//! Memory that was refused, by who gave up for it.

use super::stack::Stack;
use super::{Said, Speaker};
use crate::origin::argument_value;

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
    let text = size(stack, at).map(|size| format!("memory allocation of {size} bytes failed"));
    let text = text.unwrap_or_default();
    Some(Said {
        speaker: Speaker::OutOfMemory,
        text,
        exception: None,
        frame,
        subject: None,
        is_inferred: false,
    })
}

/// Bytes that were asked for: `Layout { size, align }` is passed as two arguments, in the
/// order that rustc likes, to each of the functions from frame `at` outward.
fn size(stack: &Stack<'_>, at: usize) -> Option<u64> {
    let functions = stack.frames.iter().enumerate().skip(at).take(16);
    let ours = functions.filter(|(index, _)| RUST.iter().any(|name| stack.is_called(*index, name)));
    ours.map(|(_, frame)| frame.activation).find_map(|activation| {
        let caller = activation.checked_add(1)?;
        let caller = stack.frames.iter().position(|frame| frame.activation == caller)?;
        let argument = |number| Some(argument_value(stack.process, caller, number)?.0);
        of_layout(argument(0)?, argument(1)?)
    })
}

/// The size, of a size and an alignment in either order.
fn of_layout(first: u64, second: u64) -> Option<u64> {
    /// More is never asked for but for pages, and refused for its size.
    const MOST: u64 = 4096;
    let is_alignment = |value: u64| value.is_power_of_two() && value <= MOST;
    match (is_alignment(first), is_alignment(second)) {
        (true, false) => Some(second),
        (false, true) => Some(first),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::of_layout;

    #[test]
    fn of_a_layout_the_number_that_is_no_alignment_is_the_size() {
        assert_eq!(of_layout(8, 1 << 53), Some(1 << 53));
        assert_eq!(of_layout(1 << 53, 8), Some(1 << 53));
        assert_eq!(of_layout(8, 16), None);
        assert_eq!(of_layout(24, 48), None);
    }
}
