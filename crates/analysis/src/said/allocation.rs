//! Memory that was refused, by who gave up for it.

use super::stack::Stack;
use super::{Said, Speaker};
use obit_corefile::addr::Avma;

/// Functions of Rust's library that are called when an allocator answers null
/// (`library/alloc/src/alloc.rs`, `library/std/src/alloc.rs`).
const RUST: [&str; 5] = [
    "alloc::alloc::handle_alloc_error",
    "alloc::alloc::handle_alloc_error::rt_error",
    "std::alloc::rust_oom",
    "__rust_alloc_error_handler",
    "__rg_oom",
];

/// Bytes of a frame that are searched.
const FRAME_BYTES: u64 = 256;

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

/// Bytes that were asked for. The function that reports a failed allocation keeps its
/// `Layout { size, align }` on the stack for the hook it calls, the members in the order that
/// rustc likes.
fn size(stack: &Stack<'_>, at: usize) -> Option<u64> {
    let functions = stack.frames.iter().enumerate().skip(at).take(16);
    let mut ours =
        functions.filter(|(index, _)| RUST.iter().any(|name| stack.is_called(*index, name)));
    let thread = stack.process.threads.get(stack.thread)?;
    let memory = &stack.process.memory;
    let cfa = |activation: usize| thread.stack.frames.get(activation)?.cfa;
    ours.find_map(|(_, frame)| {
        let inner = cfa(frame.activation.checked_sub(1)?)?;
        let size = cfa(frame.activation)?.0.checked_sub(inner.0)?.min(FRAME_BYTES);
        let bytes = memory.read_up_to(inner, usize::try_from(size).ok()?);
        let words: Vec<u64> =
            bytes.chunks_exact(memory.word()).map(|word| memory.unsigned(word)).collect();
        let is_number = |value: u64| memory.region_at(Avma(value)).is_none();
        let sizes = words.windows(2).filter_map(|pair| match pair {
            [first, second] if is_number(*first) && is_number(*second) => {
                of_layout(*first, *second)
            }
            _ => None,
        });
        let sizes: Vec<u64> = sizes.collect();
        // Of two it could be either.
        if let [size] = sizes.as_slice() { Some(*size) } else { None }
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
    // No bytes are always to be had: the value was cleared.
    .filter(|size| *size != 0)
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
