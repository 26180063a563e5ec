//! What glibc's `abort` said: the message it keeps in `__abort_msg` (`assert/assert.c`,
//! `sysdeps/posix/libc_fatal.c`) for a debugger of the core.

use super::stack::{Stack, aborted_from};
use super::{Said, Speaker, Subject, c_text};
use obit_corefile::addr::Avma;
use obit_corefile::memory::AddressSpace;

/// The functions that end a process by SIGABRT.
const ABORTING: [&str; 8] = [
    "abort",
    "__GI_abort",
    "raise",
    "__GI_raise",
    "gsignal",
    "pthread_kill",
    "__pthread_kill_implementation",
    "__pthread_kill_internal",
];

/// The functions that write a message and then end the process so.
const WRITING: [&str; 8] = [
    "__assert_fail",
    "__assert_perror_fail",
    "__libc_message",
    "__libc_message_impl",
    "__libc_fatal",
    "__stack_chk_fail",
    "__fortify_fail",
    "malloc_printerr",
];

/// Where `msg` lies in `struct abort_msg_s { unsigned int size; char msg[]; }`.
const MESSAGE_AT: u64 = 4;

/// The message of the abort that ended the process.
pub(super) fn message(stack: &Stack<'_>) -> Option<Said> {
    if !stack.is_aborted() {
        return None;
    }
    // A handler that ends the process again adds nothing to what it was called for.
    let aborting = match aborted_from(stack.frames, &ABORTING, &WRITING) {
        0 => stack.find_one_of(&ABORTING)?,
        from => from,
    };
    let frame = stack.raised_below(aborting);
    let modules = &stack.process.modules;
    // `abort` and the message are of one file; `raise` was of another before glibc 2.34.
    let above = stack.frames.get(aborting..frame.unwrap_or(stack.frames.len()))?;
    let mut files: Vec<usize> = above.iter().filter_map(|frame| frame.module).collect();
    files.dedup();
    let text = files.into_iter().find_map(|index| {
        let at = modules.debug(index)?.datum_named("__abort_msg")?;
        text_of(&stack.process.memory, modules.get(index)?.to_avma(at))
    })?;
    let (speaker, subject) = speaker(&text);
    Some(Said { speaker, text, exception: None, frame, subject, is_inferred: false })
}

/// What a failed check is known by if its message is not in the core.
pub(super) fn by_function(stack: &Stack<'_>) -> Option<Said> {
    const CHECKS: [(&str, Speaker); 10] = [
        ("__assert_fail", Speaker::Assertion),
        ("__assert_perror_fail", Speaker::Assertion),
        ("__stack_chk_fail", Speaker::StackProtector),
        ("__stack_chk_fail_local", Speaker::StackProtector),
        ("__chk_fail", Speaker::Fortify),
        ("__fortify_fail", Speaker::Fortify),
        ("malloc_printerr", Speaker::Allocator),
        // `_GLIBCXX_ASSERTIONS`, and libc++'s hardening.
        ("std::__glibcxx_assert_fail", Speaker::Assertion),
        ("std::__replacement_assert", Speaker::Assertion),
        ("std::__1::__libcpp_verbose_abort", Speaker::Assertion),
    ];
    if !stack.is_aborted() {
        return None;
    }
    let from = aborted_from(stack.frames, &ABORTING, &WRITING);
    CHECKS.iter().find_map(|(function, speaker)| {
        let at = stack
            .find_from(from, |name| is_function(name, function))
            .filter(|at| stack.is_library_between(from, *at))?;
        let frame = stack.raised_below(at);
        let text = String::new();
        Some(Said {
            speaker: *speaker,
            text,
            exception: None,
            frame,
            subject: None,
            is_inferred: false,
        })
    })
}

/// Whether `name` is `function`, with or without its arguments.
fn is_function(name: &str, function: &str) -> bool {
    name.strip_prefix(function).is_some_and(|rest| rest.is_empty() || rest.starts_with('('))
}

/// The text that the pointer at `at` (`__abort_msg`) leads to.
fn text_of(memory: &AddressSpace, at: Avma) -> Option<String> {
    let record = memory.read_word(at).ok().filter(|record| *record != 0)?;
    let text = c_text(memory, Avma(record).checked_add(MESSAGE_AT)?)?;
    let text = text.trim_end();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Who writes such a message, and what about.
pub(super) fn speaker(text: &str) -> (Speaker, Option<Subject>) {
    const BLOCK: Option<Subject> = Some(Subject::GivenBlock);
    const BY_ALLOCATOR: [(&str, Option<Subject>); 13] = [
        ("malloc():", None),
        ("malloc_consolidate():", None),
        ("free():", BLOCK),
        ("realloc():", BLOCK),
        ("calloc():", None),
        ("munmap_chunk():", BLOCK),
        ("mremap_chunk():", None),
        ("memalign():", None),
        ("corrupted ", None),
        ("corrupted_", None),
        ("double free or corruption", BLOCK),
        ("tcache_thread_shutdown():", None),
        ("break adjusted to free malloc space", None),
    ];
    if is_of_malloc(text) {
        return (Speaker::Allocator, None);
    }
    if let Some((_, subject)) = BY_ALLOCATOR.iter().find(|(start, _)| text.starts_with(start)) {
        return (Speaker::Allocator, *subject);
    }
    let speaker = if text.starts_with("*** stack smashing detected ***") {
        Speaker::StackProtector
    } else if text.starts_with("*** buffer overflow detected ***") {
        Speaker::Fortify
    } else if text.contains("Assertion `") && text.ends_with("failed.") {
        Speaker::Assertion
    } else {
        Speaker::Abort
    };
    (speaker, None)
}

/// Whether an assertion of `malloc.c` failed (`__malloc_assert`), which glibc words in three
/// ways; up to 2.35 as `assert` does, so the function has to be one of the allocator's.
fn is_of_malloc(text: &str) -> bool {
    const FUNCTIONS: [&str; 7] = [
        "sysmalloc",
        "_int_malloc",
        "_int_free",
        "_int_realloc",
        "_int_memalign",
        "__libc_malloc",
        "__libc_calloc",
    ];
    if let Some(rest) = text.strip_prefix("Fatal glibc error: ") {
        // 2.36 and 2.37: "malloc assertion failure in sysmalloc: …"; since: "malloc.c:2599 (…".
        return rest.starts_with("malloc assertion failure") || rest.starts_with("malloc.c:");
    }
    let Some((_, place)) = text.split_once("malloc.c:") else { return false };
    let function = place.split(": ").nth(1).unwrap_or_default();
    place.contains("Assertion `") && FUNCTIONS.contains(&function)
}

#[cfg(test)]
mod tests {
    use super::super::stack::testing::frames_of;
    use super::super::tests::memory;
    use super::*;

    fn kept(record: &[u8]) -> Option<String> {
        let mut bytes = 0x7000_0008_u64.to_le_bytes().to_vec();
        bytes.extend_from_slice(record);
        text_of(&memory(&[(0x7000_0000, &bytes)]), Avma(0x7000_0000))
    }

    #[test]
    fn the_message_follows_its_size_and_loses_its_line_end() {
        let text = kept(b"\x00\x10\x00\x00free(): invalid pointer\n\0");
        assert_eq!(text.as_deref(), Some("free(): invalid pointer"));
        assert_eq!(kept(b"\x00\x10\x00\x00\0"), None);
    }

    #[test]
    fn a_message_shows_who_wrote_it() {
        let of = |text| speaker(text).0;
        assert_eq!(of("prog: a.c:4: check: Assertion `x < 4' failed."), Speaker::Assertion);
        assert_eq!(of("free(): double free detected in tcache 2"), Speaker::Allocator);
        assert_eq!(of("double free or corruption (!prev)"), Speaker::Allocator);
        assert_eq!(of("corrupted size vs. prev_size"), Speaker::Allocator);
        assert_eq!(of("*** stack smashing detected ***: terminated"), Speaker::StackProtector);
        assert_eq!(of("*** buffer overflow detected ***: terminated"), Speaker::Fortify);
        assert_eq!(
            of("Fatal glibc error: malloc assertion failure in sysmalloc: (old_top == x)"),
            Speaker::Allocator
        );
        assert_eq!(
            of("Fatal glibc error: malloc.c:2599 (sysmalloc): assertion failed: (old_top == x)"),
            Speaker::Allocator
        );
        let before_2_36 = "prog: malloc.c:2379: sysmalloc: Assertion `(old_top == x)' failed.";
        assert_eq!(of(before_2_36), Speaker::Allocator);
        let of_a_program = "prog: malloc.c:4: check: Assertion `x < 4' failed.";
        assert_eq!(of(of_a_program), Speaker::Assertion);
        assert_eq!(of("The futex facility returned an unexpected error code."), Speaker::Abort);
    }

    #[test]
    fn only_a_complaint_of_a_given_block_is_of_what_was_freed() {
        let of = |text| speaker(text).1;
        assert_eq!(of("free(): invalid pointer"), Some(Subject::GivenBlock));
        assert_eq!(of("double free or corruption (out)"), Some(Subject::GivenBlock));
        assert_eq!(of("malloc(): corrupted top size"), None);
    }

    #[test]
    fn a_handler_that_ends_the_process_again_is_not_what_ended_it() {
        let from = |functions: &str| {
            let functions: Vec<&str> = functions.split(' ').collect();
            aborted_from(&frames_of(&functions), &ABORTING, &WRITING)
        };
        let below = "pthread_kill raise abort __assert_fail check main";
        assert_eq!(from(&format!("pthread_kill raise on_crash ! {below}")), 4);
        assert_eq!(from(&format!("pthread_kill raise abort on_crash ! {below}")), 5);
        // Its own assertion came last, and the message is of that.
        assert_eq!(from(&format!("raise abort __assert_fail on_crash ! {below}")), 0);
        // What was interrupted was no abort.
        assert_eq!(from("raise abort __assert_fail on_crash ! load main"), 0);
        assert_eq!(from(below), 0);
    }
}
