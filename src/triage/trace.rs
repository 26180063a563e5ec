//! What grouping sees of a crash.

use serde::{Deserialize, Serialize};

/// A crash as grouping sees it. Crashes with equal traces are one to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Trace {
    /// The signature's id.
    pub signature: String,
    /// The signature in words.
    pub text: String,
    /// Functions of the program on the stack, innermost first, by normal name.
    pub frames: Vec<String>,
}

impl Trace {
    /// Functions that are looked at.
    pub const FRAMES: usize = 8;
}
