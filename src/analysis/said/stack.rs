//! The stack of the crashed thread, as the search for its last words goes through it.

use std::borrow::Cow;

use crate::addr::Avma;
use crate::process::{Frame, Process};

/// The frames of the crashed thread.
pub(super) struct Stack<'p> {
    pub(super) process: &'p Process,
    /// Index of the thread.
    pub(super) thread: usize,
    pub(super) frames: &'p [Frame],
}

/// Shared objects that a program calls, but that nobody wrote for it: C and C++ libraries.
const LIBRARIES: [&str; 11] = [
    "libc.so",
    "libc-2",
    "libpthread",
    "ld-linux",
    "ld-2",
    "ld-musl",
    "libstdc++.so",
    "libc++.so",
    "libc++abi.so",
    "libgcc_s",
    "libunwind.so",
];

/// How the functions of C++'s, Rust's and Go's own libraries are called, which are
/// compiled into the program.
const LIBRARY_PREFIXES: [&str; 18] = [
    "std::",
    "__gnu_cxx::",
    "__cxxabiv1::",
    "__cxa_",
    "__gxx_",
    "__clang_call_terminate",
    "_Unwind_",
    "operator new",
    "operator delete",
    "core::",
    "alloc::",
    "panic_abort::",
    "panic_unwind::",
    "<core::",
    "<alloc::",
    "<std::",
    "runtime.",
    "internal/",
];

/// Functions of Rust's runtime without scope, and those of the C library that stand above
/// a failed check: what they are called in a static program.
const LIBRARY_FUNCTIONS: [&str; 45] = [
    "rust_panic",
    "rust_begin_unwind",
    "__rust_start_panic",
    "__rust_abort",
    "abort",
    "raise",
    "gsignal",
    "__GI_abort",
    "__GI_raise",
    "pthread_kill",
    "__pthread_kill",
    "__pthread_kill_implementation",
    "__pthread_kill_internal",
    "__libc_message",
    "__libc_message_impl",
    "__libc_message_wrapper",
    "__libc_fatal",
    "__assert",
    "__assert_fail",
    "__assert_fail_base",
    "__assert_perror_fail",
    "__fortify_fail",
    "__chk_fail",
    "__stack_chk_fail",
    "__stack_chk_fail_local",
    "malloc_printerr",
    "malloc_consolidate",
    "munmap_chunk",
    "unlink_chunk",
    "_int_free",
    "_int_free_merge_chunk",
    "_int_free_create_chunk",
    "_int_malloc",
    "_int_realloc",
    "_int_memalign",
    "sysmalloc",
    "tcache_thread_shutdown",
    "malloc",
    "free",
    "calloc",
    "realloc",
    "__libc_malloc",
    "__libc_free",
    "__libc_calloc",
    "__libc_realloc",
];

impl<'p> Stack<'p> {
    /// That of the crashed thread.
    pub(super) fn of_crashed(process: &'p Process) -> Option<Self> {
        let thread = process.threads.iter().position(|thread| thread.crashed)?;
        let frames = &process.threads.get(thread)?.frames;
        Some(Self { process, thread, frames })
    }

    /// Whether the process ended by SIGABRT.
    pub(super) fn is_aborted(&self) -> bool {
        const SIGABRT: u16 = 6;
        self.process.dump.signal.as_ref().is_some_and(|signal| signal.number == SIGABRT)
    }

    /// Whether it ended by an instruction that is there to end it: SIGILL or SIGTRAP.
    pub(super) fn is_trapped(&self) -> bool {
        let signal = self.process.dump.signal.as_ref();
        signal.is_some_and(|signal| matches!(signal.number, 4 | 5))
    }

    /// The memory that the frames inward of frame `end` take.
    pub(super) fn extent(&self, end: usize) -> Option<(Avma, Avma)> {
        let thread = self.process.threads.get(self.thread)?;
        let machine = self.process.dump.machine.facts()?;
        let start = thread.registers.get(machine.sp)?;
        let outside = self.frames.get(end)?.activation;
        let last = thread.stack.frames.get(outside.checked_sub(1)?)?;
        Some((Avma(start), last.cfa?))
    }

    /// The innermost frame of a function that `is_wanted` by its name.
    pub(super) fn find(&self, is_wanted: impl Fn(&str) -> bool) -> Option<usize> {
        self.frames.iter().position(|frame| names(frame).any(|name| is_wanted(&name)))
    }

    /// The innermost frame of one of `functions`.
    pub(super) fn find_one_of(&self, functions: &[&str]) -> Option<usize> {
        self.find(|name| functions.contains(&name))
    }

    /// Whether frame `at` is of `function`.
    pub(super) fn is_called(&self, at: usize, function: &str) -> bool {
        self.frames.get(at).is_some_and(|frame| names(frame).any(|name| name == function))
    }

    /// The innermost frame outward of frame `from` that is of no library. What is known
    /// to be called at `from` decides where the libraries end: the program may be called
    /// back by a library further out.
    pub(super) fn raised_below(&self, from: usize) -> Option<usize> {
        let mut outward = self.frames.iter().enumerate().skip(from);
        let (index, frame) = outward.find(|(_, frame)| !self.is_of_library(frame))?;
        // Of what has neither name nor file nobody knows whose it is.
        (frame.function.is_some() || frame.module.is_some()).then_some(index)
    }

    /// Whether every frame inward of frame `to` is of a library.
    pub(super) fn is_library_up_to(&self, to: usize) -> bool {
        self.frames.iter().take(to).all(|frame| self.is_of_library(frame))
    }

    fn is_of_library(&self, frame: &Frame) -> bool {
        let module = frame.module.and_then(|index| self.process.modules.get(index));
        let file = module.and_then(|module| module.path.file_name());
        let file = file.map(|name| name.to_string_lossy()).unwrap_or_default();
        LIBRARIES.iter().any(|prefix| file.starts_with(prefix))
            || names(frame).any(|name| {
                LIBRARY_FUNCTIONS.contains(&&*name)
                    || LIBRARY_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            })
    }

    /// The linkage name of the symbol that holds `at`, and bytes from its start.
    pub(super) fn symbol_at(&self, at: Avma) -> Option<(String, u64)> {
        let modules = &self.process.modules;
        let index = modules.index_at(at)?;
        let symbol = modules.debug(index)?.symbol_at(modules.get(index)?.to_svma(at))?;
        (symbol.offset < symbol.size).then_some((symbol.linkage_name, symbol.offset))
    }
}

/// What a frame's function and those it tail-called are called.
fn names(frame: &Frame) -> impl Iterator<Item = Cow<'_, str>> {
    std::iter::once(frame)
        .chain(&frame.tail_calls)
        .flat_map(|frame| [frame.function.as_deref(), frame.linkage_name.as_deref()])
        .flatten()
        .map(whole_function)
        .map(without_hashes)
}

/// The name of the function that gcc split a part from: `__assert_fail_base` for
/// `__assert_fail_base.cold`.
fn whole_function(name: &str) -> &str {
    let parts = [".cold", ".part.", ".constprop.", ".isra."];
    let ends = parts.iter().filter_map(|part| name.find(part)).min();
    ends.and_then(|end| name.get(..end)).unwrap_or(name)
}

/// `core::panicking::panic` for `core[1b2c3d4e5f607182]::panicking::panic`: Rust's crates
/// have their hashes where a symbol alone names a function.
fn without_hashes(name: &str) -> Cow<'_, str> {
    const DIGITS: usize = 16;
    let Some((crate_name, rest)) = name.split_once('[') else { return Cow::Borrowed(name) };
    match rest.split_once("]::") {
        Some((hash, path))
            if hash.len() <= DIGITS && hash.bytes().all(|b| b.is_ascii_hexdigit()) =>
        {
            Cow::Owned(format!("{crate_name}::{path}"))
        }
        _ => Cow::Borrowed(name),
    }
}

#[cfg(test)]
mod tests {
    use super::without_hashes;

    #[test]
    fn the_hash_of_a_crate_is_no_part_of_a_functions_name() {
        let name = "core[1b2c3d4e5f607182]::panicking::panic_fmt";
        assert_eq!(without_hashes(name), "core::panicking::panic_fmt");
        assert_eq!(
            without_hashes("operator new[](unsigned long)"),
            "operator new[](unsigned long)"
        );
        assert_eq!(without_hashes("int at<int [2]>::of"), "int at<int [2]>::of");
    }
}
