//! What the program itself left as its last words.

mod allocation;
mod cpp;
mod errno;
mod exception;
mod fact;
mod facts;
mod glibc;
mod glibc_missing;
mod go;
mod go_memory;
mod log_record;
mod logging;
mod message_buffer;
mod musl;
mod printed;
mod rust;
mod rust_exception;
mod rust_stripped;
mod sanitizer;
mod stack;
mod system_calls;
mod watchdog;
mod what;

pub use fact::Fact;
pub(super) use facts::facts;
pub(super) use sanitizer::check;

use obit_corefile::addr::Avma;
use obit_corefile::escape::visible_utf8;
use obit_corefile::memory::AddressSpace;
use obit_process::process::Process;
use stack::Stack;

/// A text the program left, and who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Who wrote it.
    pub speaker: Speaker,
    /// What it says; bytes that are not UTF-8 are written as `\xff`. Empty where only the fact
    /// is known (`pure virtual method called`).
    pub text: String,
    /// The type of an exception.
    pub exception: Option<String>,
    /// Index of the frame of the crashed thread that raised it, where that is known.
    pub frame: Option<usize>,
    /// What it complains of, where that is known.
    pub subject: Option<Subject>,
    /// No name says who wrote it: it was recognised by the layout of what is in memory.
    pub is_inferred: bool,
}

/// What a complaint is about, where it is about a value the program gave or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The block that was given to the allocator, not what it found when it was asked for
    /// one.
    GivenBlock,
    /// The same, and the allocator has marked that block as free.
    FreedBlock,
    /// A pointer that the language checked when it was used. That does not show where it
    /// came from.
    UsedPointer,
    /// An exception that had been caught and was thrown again. That does not show where it
    /// was thrown first.
    CaughtException,
    /// An exception that left a function which it may not leave, after the frame that threw it was
    /// unwound.
    LostException,
    /// A panic of a deferred function while another one was on its way, which may be the cause.
    LaterPanic,
}

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Speaker {
    /// `assert` of the C library.
    Assertion,
    /// An allocator: `malloc(): corrupted top size`, `free(): double free …`.
    Allocator,
    /// `*** stack smashing detected ***`.
    StackProtector,
    /// `*** buffer overflow detected ***`: `_FORTIFY_SOURCE`.
    Fortify,
    /// Another message of glibc's `abort`.
    Abort,
    /// An exception of C++ for which no handler was found.
    CppException,
    /// An exception of C++ that would have left a `noexcept` function.
    NoexceptViolation,
    /// An exception of JavaScript for which no handler was found.
    ScriptException,
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
    /// A sanitizer's runtime.
    Sanitizer,
    /// A fatal message of GLib, glog, Abseil or Qt.
    FatalLog,
    /// Who asked for memory and was refused.
    OutOfMemory,
}

/// The last words that brought the process down, if there are any.
pub(super) fn said(process: &Process) -> Option<Said> {
    last_words(&Stack::of_crashed(process)?)
}

/// What the frames of the crashed thread inward of frame `end`, that of the kernel for a
/// handler, said.
pub(super) fn said_before(process: &Process, end: usize) -> Option<Said> {
    let stack = Stack::of_crashed(process)?;
    last_words(&Stack { frames: stack.frames.get(..end)?, ..stack })
}

fn last_words(stack: &Stack<'_>) -> Option<Said> {
    glibc::message(stack)
        .or_else(|| go::said(stack))
        .or_else(|| sanitizer::said(stack))
        .or_else(|| allocation::said(stack))
        .or_else(|| logging::said(stack))
        .or_else(|| printed::said(stack))
        .or_else(|| rust::said(stack).map(|said| rust_exception::with_panics(stack, said)))
        .or_else(|| cpp::said(stack))
        .or_else(|| glibc::by_function(stack))
        .or_else(|| glibc_missing::message(stack))
        .or_else(|| rust_stripped::said(stack).map(|said| rust_exception::with_panics(stack, said)))
        .or_else(|| musl::said(stack))
}

/// Bytes of a message that are reported.
const TEXT_BYTES: usize = 4096;

/// The C string at `at`, cut at [`TEXT_BYTES`]; `None` if there is none.
fn c_text(memory: &AddressSpace, at: Avma) -> Option<String> {
    let mut bytes = memory.read_up_to(at, TEXT_BYTES);
    match bytes.iter().position(|byte| *byte == 0) {
        Some(end) => bytes.truncate(end),
        None if bytes.len() < TEXT_BYTES => return None,
        None => {}
    }
    Some(visible_utf8(&bytes))
}

/// The `length` bytes of text at `at`, cut at [`TEXT_BYTES`].
fn text_at(memory: &AddressSpace, at: Avma, length: u64) -> Option<String> {
    let wanted = usize::try_from(length).map_or(TEXT_BYTES, |length| length.min(TEXT_BYTES));
    let bytes = memory.read_up_to(at, wanted);
    (bytes.len() == wanted).then(|| visible_utf8(&bytes))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use obit_corefile::limits::Limits;
    use obit_corefile::testkit::CoreBuilder;
    use obit_dwarf::locate::{Locator, SearchRules};

    /// A memory of a 64-bit machine that holds these bytes.
    pub(super) fn memory(pages: &[(u64, &[u8])]) -> AddressSpace {
        let core = CoreBuilder::x86_64().signal(6).thread(1, &[]);
        let core = pages.iter().fold(core, |core, (at, bytes)| {
            core.segment(*at, bytes, 0x800.max(bytes.len() as u64))
        });
        let limits = Limits::default();
        let locator = Arc::new(Locator::new(SearchRules::default(), limits.clone()));
        obit_process::module::load(
            &core.open().unwrap(),
            &Arc::new(obit_process::module::Library::new(locator, None, limits)),
        )
        .memory
    }

    #[test]
    fn bytes_that_are_not_text_are_written_as_numbers() {
        assert_eq!(visible_utf8(b"caf\xc3\xa9 \xff!"), "caf\u{e9} \\xff!");
    }
}
