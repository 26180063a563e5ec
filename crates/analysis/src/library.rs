//! Whose code a frame is: the program's, or that of a library or a language's runtime,
//! which pass on what they were given.

use std::borrow::Cow;

use obit_corefile::addr::Svma;
use obit_dwarf::{SourceFrame, SourceLocation};
use obit_process::process::{Frame, FrameKind, Process};

/// Shared objects that a program calls, but that nobody wrote for it: C and C++ libraries.
const LIBRARIES: [&str; 19] = [
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
    "libasan.so",
    "libtsan.so",
    "libubsan.so",
    "liblsan.so",
    "libclang_rt.",
    "libglib-2.0.so",
    "libglog.so",
    "libabsl_",
];

/// How the functions of C++'s, Rust's and Go's own libraries are called, which are
/// compiled into the program.
const LIBRARY_PREFIXES: [&str; 30] = [
    "std::",
    "__gnu_cxx::",
    "__gnu_debug::",
    "__sanitizer::",
    "__asan",
    "__ubsan",
    "__tsan",
    "__msan",
    "__lsan",
    "__hwasan",
    "__interceptor_",
    "google::LogMessage",
    "absl::",
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
    "__rustc::",
    "<core::",
    "<alloc::",
    "<std::",
    "runtime.",
    "internal/",
];

/// Directories that no program's own sources lie in: those of distributions' libraries and
/// of compilers.
const LIBRARY_SOURCES: [&str; 13] = [
    "/rustc/",
    "/library/std/",
    "/library/core/",
    "/library/alloc/",
    "/usr/include/",
    "/include/bits/",
    "/usr/lib/",
    "/sysdeps/",
    "/nptl/",
    "/libgcc/",
    "/libstdc++-v3/",
    "/usr/local/go/src/",
    "/.cargo/registry/",
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

/// Whether a frame is of a library, by its module, by its name and by its source file:
/// what a header of the C library defines (`memcpy` of a checked program) is inlined.
pub(super) fn is_of_library(process: &Process, frame: &Frame) -> bool {
    let module = frame.module.and_then(|index| process.modules.get(index));
    let file = module.and_then(|module| module.path.file_name());
    let file = file.map(|name| name.to_string_lossy()).unwrap_or_default();
    LIBRARIES.iter().any(|prefix| file.starts_with(prefix))
        || names(frame).any(|name| {
            LIBRARY_FUNCTIONS.contains(&&*name)
                || is_checked_function(&name)
                || LIBRARY_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        })
        || has_library_source(process, frame)
}

/// Whether a function that was inlined is of a library, by its name and its source.
pub(super) fn is_library_call(inlined: &SourceFrame) -> bool {
    let name = inlined.function.as_deref().unwrap_or_default();
    LIBRARY_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || LIBRARY_FUNCTIONS.contains(&name)
        || inlined.location.as_ref().is_none_or(is_library_file)
}

/// Whether a function is one that the C library puts for another in a checked program
/// (`_FORTIFY_SOURCE`): `__memcpy_chk` for `memcpy`.
fn is_checked_function(name: &str) -> bool {
    name.starts_with("__") && name.ends_with("_chk")
}

/// The line of a physical function may be that of a header, where something of it was
/// inlined and no record of that was left: the lines it begins and ends at tell whose it
/// is.
fn has_library_source(process: &Process, frame: &Frame) -> bool {
    let is_library = frame.source.as_ref().is_some_and(is_library_file);
    is_library && (frame.kind == FrameKind::Inline || !has_own_ends(process, frame))
}

fn is_library_file(source: &SourceLocation) -> bool {
    // glibc's sources are named from its own root: `./nptl/pthread_kill.c`.
    let path = format!("/{}", source.file.trim_start_matches("./"));
    LIBRARY_SOURCES.iter().any(|part| path.contains(part))
        || is_header_of_machine(&path)
        || source.directory.as_deref().is_some_and(|directory| directory.contains("/glibc"))
}

/// Whether a header is of the C library of another machine than the compiler ran on:
/// `/usr/aarch64-linux-gnu/include/bits/string_fortified.h`.
fn is_header_of_machine(path: &str) -> bool {
    let below = path.trim_start_matches('/').strip_prefix("usr/");
    let parts = below.and_then(|below| below.split_once('/'));
    parts.is_some_and(|(machine, rest)| machine.contains("-linux-") && rest.starts_with("include/"))
}

/// Whether the physical function of a frame begins or ends in a source of the program.
fn has_own_ends(process: &Process, frame: &Frame) -> bool {
    let own = || {
        let index = frame.module?;
        let debug = process.modules.debug(index)?;
        let symbol = debug.symbol_at(process.modules.get(index)?.to_svma(frame.pc))?;
        let last = Svma(symbol.address.0.checked_add(symbol.size.checked_sub(1)?)?);
        Some([symbol.address, last].into_iter().any(|at| {
            let outermost = debug.frames_at(at).pop().and_then(|frame| frame.location);
            outermost.is_some_and(|source| !is_library_file(&source))
        }))
    };
    own().unwrap_or(false)
}

/// What a frame's function and those it tail-called are called.
pub(super) fn names(frame: &Frame) -> impl Iterator<Item = Cow<'_, str>> {
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
    use super::{is_checked_function, is_header_of_machine, without_hashes};

    #[test]
    fn the_checked_functions_of_the_c_library_are_its_own() {
        assert!(is_checked_function("__memcpy_chk"));
        assert!(is_checked_function("__vsnprintf_chk"));
        assert!(!is_checked_function("parity_chk"));
        assert!(!is_checked_function("__memcpy_chk_test"));
    }

    #[test]
    fn headers_for_another_machine_lie_beside_those_of_this() {
        let header = "/usr/aarch64-linux-gnu/include/bits/string_fortified.h";
        assert!(is_header_of_machine(header));
        assert!(!is_header_of_machine("/usr/src/app/include/desk.h"));
    }

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
