//! Sanitizers: their runtimes end the process once they have reported
//! (compiler-rt `lib/sanitizer_common`, `lib/asan`, `lib/ubsan`, `lib/tsan`, `lib/msan`).

use super::logging::is_function;
use super::stack::Stack;
use super::{Said, Speaker};
use obit_corefile::addr::Avma;
use obit_corefile::escape::visible_utf8;

/// Bytes of a report that are searched for the line that says what was found.
const REPORT_BYTES: usize = 4096;
/// Bytes of the stack that are searched for the report: those of a handful of frames.
const STACK_BYTES: u64 = 1 << 14;
/// How a report begins.
const BANNER: &[u8] = b"================";

/// How the functions begin that compiled code calls for nothing but a report: all that is
/// named of a runtime without symbols.
const ENTRIES: [&str; 4] =
    ["__asan_report_", "__ubsan_handle_", "__msan_warning", "__hwasan_report"];

/// What a sanitizer ended the process for.
pub(super) fn said(stack: &Stack<'_>) -> Option<Said> {
    if !stack.is_aborted() {
        return None;
    }
    let is_end = |name: &str| {
        is_function(name, "__sanitizer::Die")
            || is_function(name, "__sanitizer::Abort")
            || ENTRIES.iter().any(|entry| name.starts_with(entry))
    };
    let died = stack.find(is_end).filter(|at| stack.is_library_up_to(*at))?;
    let frame = stack.raised_below(died);
    let end = frame.unwrap_or(stack.frames.len());
    let text = report(stack, end).or_else(|| by_function(stack, died, end)).unwrap_or_default();
    Some(Said {
        speaker: Speaker::Sanitizer,
        text,
        exception: None,
        frame,
        subject: None,
        is_inferred: false,
    })
}

/// The line of AddressSanitizer's report that says what it found. The runtime has made a
/// copy of the report to hand on, and the pointer to it is in one of the runtime's frames,
/// which are those inward of frame `end` (`ScopedInErrorReport::~ScopedInErrorReport`).
fn report(stack: &Stack<'_>, end: usize) -> Option<String> {
    let memory = &stack.process.memory;
    let (start, end) = stack.extent(end)?;
    let length = usize::try_from(end.0.checked_sub(start.0)?.min(STACK_BYTES)).ok()?;
    let bytes = memory.read_up_to(start, length);
    let words = bytes.chunks_exact(memory.word()).map(|word| memory.unsigned(word));
    let mut beginning = [0; BANNER.len()];
    let mut is_report =
        |at: &u64| memory.read(Avma(*at), &mut beginning).is_ok() && beginning == *BANNER;
    let at = words.into_iter().find(|word| *word != 0 && is_report(word))?;
    line(&memory.read_up_to(Avma(at), REPORT_BYTES))
}

/// `AddressSanitizer: heap-buffer-overflow on address …`.
fn line(report: &[u8]) -> Option<String> {
    const ERROR: &[u8] = b"==ERROR: ";
    let start = report.windows(ERROR.len()).position(|window| window == ERROR)?;
    let from = report.get(start.checked_add(ERROR.len())?..)?;
    let end = from.iter().position(|byte| matches!(byte, b'\n' | 0))?;
    Some(visible_utf8(from.get(..end)?)).filter(|line| !line.is_empty())
}

/// What the functions say that report and nothing else.
fn by_function(stack: &Stack<'_>, died: usize, end: usize) -> Option<String> {
    let frames = stack.frames.get(died..end)?;
    let mut names = frames.iter().flat_map(super::super::owner::names);
    names.find_map(|name| {
        let of_ubsan = name.rsplit("__ubsan_handle_").next().filter(|rest| rest.len() < name.len());
        if let Some(check) = of_ubsan {
            let check = check.trim_end_matches("_abort");
            let check = ["_v1", "_v2"].iter().find_map(|v| check.strip_suffix(v)).unwrap_or(check);
            return Some(format!("UndefinedBehaviorSanitizer: {}", check.replace('_', "-")));
        }
        REPORTERS
            .iter()
            .find_map(|(start, text)| name.starts_with(start).then(|| (*text).to_owned()))
    })
}

/// How functions that report begin, and what they report.
const REPORTERS: [(&str, &str); 14] = [
    ("__tsan::ReportRace", "ThreadSanitizer: data race"),
    ("__tsan::ReportDeadlock", "ThreadSanitizer: lock-order-inversion (potential deadlock)"),
    ("__tsan::ReportMutex", "ThreadSanitizer: misuse of a mutex"),
    ("__tsan::ReportDestroyLocked", "ThreadSanitizer: destroy of a locked mutex"),
    ("__msan_warning", "MemorySanitizer: use-of-uninitialized-value"),
    ("__msan::PrintWarning", "MemorySanitizer: use-of-uninitialized-value"),
    ("__lsan::", "LeakSanitizer: detected memory leaks"),
    ("__hwasan::ReportTagMismatch", "HWAddressSanitizer: tag-mismatch"),
    ("__asan::ReportDoubleFree", "AddressSanitizer: attempting double-free"),
    (
        "__asan::ReportFreeNotMalloced",
        "AddressSanitizer: attempting free on address which was not malloc()-ed",
    ),
    ("__asan::ReportAllocTypeMismatch", "AddressSanitizer: alloc-dealloc-mismatch"),
    ("__asan::ReportStringFunction", "AddressSanitizer: parameters overlap"),
    ("__asan::ReportOutOfMemory", "AddressSanitizer: out of memory"),
    ("__asan::ReportGenericError", "AddressSanitizer: bad access"),
];

/// The check that put a `ud1` there: clang's `-fsanitize-trap` has its number as an
/// immediate (clang `lib/CodeGen/CodeGenFunction.h`, `LIST_SANITIZER_CHECKS`; LLVM's
/// `ubsantrap`), on x86 `ud1l number(%eax),%eax`, on aarch64 `brk #0x55XX`.
pub(crate) fn check(code: &[u8]) -> Option<&'static str> {
    const CHECKS: [&str; 25] = [
        "addition overflow",
        "unreachable code was reached",
        "control flow integrity was violated",
        "division overflow or division by zero",
        "an object does not have the dynamic type it is used as",
        "a floating-point number did not fit its new type",
        "a function was called through a pointer of another type",
        "an implicit conversion changed the value",
        "a builtin function was passed an invalid value",
        "an object was cast to a type it does not have",
        "a value was loaded that is not valid for its type",
        "a function ended without returning a value",
        "multiplication overflow",
        "negation overflow",
        "NULL passed as a nonnull argument",
        "NULL returned from a nonnull function",
        "NULL passed as a nonnull argument",
        "NULL returned from a nonnull function",
        "array index out of bounds",
        "pointer overflow",
        "shift out of bounds",
        "subtraction overflow",
        "NULL or misaligned pointer, or an object that is too small",
        "alignment assumption violated",
        "the length of a variable-length array is not positive",
    ];
    let number = match *code {
        [0x67, 0x0f, 0xb9, 0x40, number, ..] => number,
        // Number 0 needs no displacement.
        [0x67, 0x0f, 0xb9, 0x00, ..] => 0,
        _ => return None,
    };
    CHECKS.get(usize::from(number)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_report_that_says_what_was_found_is_quoted() {
        let report = b"================\n==31770==ERROR: AddressSanitizer: \
            heap-use-after-free on address 0x602\nREAD of size 4\n";
        let expected = "AddressSanitizer: heap-use-after-free on address 0x602";
        assert_eq!(line(report).as_deref(), Some(expected));
        assert_eq!(line(b"==31770==ABORTING\n\0"), None);
    }

    #[test]
    fn the_immediate_of_a_trap_names_the_check() {
        assert_eq!(check(&[0x67, 0x0f, 0xb9, 0x40, 0x12]), Some("array index out of bounds"));
        assert_eq!(check(&[0x67, 0x0f, 0xb9, 0x00, 0xc3]), Some("addition overflow"));
        assert_eq!(check(&[0x67, 0x0f, 0xb9, 0x40, 0x7f]), None);
        assert_eq!(check(&[0x0f, 0x0b]), None);
    }
}
