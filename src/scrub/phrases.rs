//! What runtimes say by themselves. A message that the analysis read keeps these words: the
//! class of the cause hangs on them, and they are the same in every process.

/// Fixed words of glibc's `malloc`, `assert` and `__fortify_fail`, of Go's runtime and of
/// Rust's panics. Longer ones first where one begins like another.
pub(super) const PHRASES: &[&[u8]] = &[
    b"*** stack smashing detected ***",
    b"*** buffer overflow detected ***",
    b"break adjusted to free malloc space",
    b"double free detected in tcache 2",
    b"double free or corruption",
    b"corrupted size vs. prev_size",
    b"corrupted double-linked list",
    b"corrupted ",
    b"corrupted_",
    b"malloc():",
    b"malloc_consolidate():",
    b"free():",
    b"realloc():",
    b"calloc():",
    b"munmap_chunk():",
    b"mremap_chunk():",
    b"memalign():",
    b"tcache_thread_shutdown():",
    b"invalid pointer",
    b"invalid next size",
    b"invalid old size",
    b"invalid size",
    b"unaligned tcache chunk detected",
    b"terminated",
    b"(fasttop)",
    b"(!prev)",
    b"(out)",
    b"(top)",
    b"Assertion `",
    b"' failed.",
    b"invalid memory address or nil pointer dereference",
    b"nil pointer dereference",
    b"null pointer dereference",
    b"index out of range",
    b"out of memory",
];

/// Where phrases stand in `text`: offset and length.
pub(super) fn find(text: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for phrase in PHRASES {
        let windows = text.windows(phrase.len()).enumerate();
        let places = windows.filter(|(_, window)| window == phrase);
        found.extend(places.map(|(at, window)| (at, window.len())));
    }
    found
}
