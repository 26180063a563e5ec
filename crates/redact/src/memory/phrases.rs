//! What runtimes say by themselves. A message that the analysis read keeps these words: the
//! class of the cause hangs on them, and they are the same in every process.

/// Fixed words of glibc's `malloc`, `assert` and `__fortify_fail`, of Go's runtime and of
/// Rust's panics. Longer ones first where one begins like another.
pub const PHRASES: &[&[u8]] = &[
    b"*** stack smashing detected ***",
    b"*** buffer overflow detected ***",
    b"break adjusted to free malloc space",
    b"free(): double free detected in tcache 2",
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
    b"runtime error: ",
    b"index out of range",
    b"misaligned pointer dereference: address must be a multiple of 0x",
    b"vector::_M_range_check: __n (which is ",
    b") >= this->size() (which is ",
    // What `_Unwind_Exception` is of: C++ of libstdc++ and of libc++abi, and Rust
    // (Itanium C++ ABI, Level II, 2.2.1), as the words lie in memory.
    b"\0++CCUNG",
    b"\x01++CCUNG",
    b"\0++CGNLC",
    b"\x01++CGNLC",
    b"MOZ\0RUST",
    // glibc's fixed texts as whole ones.
    b"*** stack smashing detected ***: terminated",
    b"*** buffer overflow detected ***: terminated",
    b"munmap_chunk(): invalid pointer",
    b"free(): invalid pointer",
    b"free(): invalid size",
    b"malloc(): corrupted top size",
    b"realloc(): invalid next size",
    b"free(): invalid next size",
    b"out of memory",
];

/// Where phrases are in `text`: offset and length.
pub fn find(text: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for phrase in PHRASES {
        let places = memchr::memmem::find_iter(text, phrase);
        found.extend(places.map(|at| (at, phrase.len())));
    }
    found
}
