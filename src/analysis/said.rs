//! What the program itself left as its last words.

use crate::process::Process;

/// A text the program left, and who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Who wrote it.
    pub speaker: Speaker,
    /// What it says; bytes that are no UTF-8 stand as `\xff`. Empty where the fact alone is
    /// known (`pure virtual method called`).
    pub text: String,
    /// The type of an exception.
    pub exception: Option<String>,
    /// Index of the frame of the crashed thread that raised it, where that is known.
    pub frame: Option<usize>,
}

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Speaker {
    /// `assert` of the C library.
    Assertion,
    /// glibc's allocator: `malloc(): corrupted top size`, `free(): double free …`.
    Allocator,
    /// `*** stack smashing detected ***`.
    StackProtector,
    /// `*** buffer overflow detected ***`: `_FORTIFY_SOURCE`.
    Fortify,
    /// Another message of glibc's `abort`.
    Abort,
    /// An exception of C++ that nobody caught.
    CppException,
    /// `pure virtual method called`.
    PureVirtual,
    /// `std::terminate` for another reason.
    Terminate,
    /// A panic of Rust.
    RustPanic,
    /// A panic of Go.
    GoPanic,
    /// A fatal error of Go's runtime.
    GoFatal,
}

/// The last words that brought the process down, if there are any.
pub(super) fn said(process: &Process) -> Option<Said> {
    let _ = process;
    None
}
