//! The dead process: its threads and their frames, named.

mod frame;
mod thread;

pub use frame::{Frame, FrameKind, FrameTrust};
pub use thread::{Recursion, Thread};
