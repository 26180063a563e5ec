//! From a thread's registers and memory to its stack of activations.

mod activation;

pub use activation::{Activation, Left, Trust};

/// A stack, innermost activation first.
#[derive(Clone, Debug, Default)]
pub struct Stack {
    /// The physical frames.
    pub frames: Vec<Activation>,
    /// Why unwinding ended, unless at the outermost frame.
    pub stopped: Option<String>,
}
