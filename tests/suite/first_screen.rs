//! The first screen of a page: what a person sees of a crash without scrolling.

use std::path::{Path, PathBuf};

use crate::fixture::{obit, stdout};

/// A common terminal.
const LINES: usize = 25;
const COLUMNS: &str = "80";

/// Case, where its sources are, and words that must be seen at once: the class, the
/// function to blame, what held the bad value or what the program said, the instruction,
/// and the next step.
const SCREENS: &[(&str, &str, &[&str])] = &[
    (
        "null-field/core.zst",
        "null-field",
        &[
            "(null-read)",
            "in    #1 book, jobd.c:68",
            "`job->owner` is NULL",
            "next_serial(job->owner);",
            "mov 0x20(%rax),%rdx",
            "rax = 0x0",
            "obit print CORE '*job' -f 1",
        ],
    ),
    (
        "causes-c-O0/freed_read.core.zst",
        "causes-c",
        &[
            "(non-canonical)",
            "#0 next_value, pointers.c:166",
            "`node->next` is 0x4141414141414141",
            "mov (%rax),%rax",
            "looks like text: \"AAAAAAAA\"",
            "obit print CORE '*node'",
        ],
    ),
    (
        "causes-c-O2/deadlock.core.zst",
        "causes-c",
        &[
            "(deadlock)",
            "#2 lock_both, threads.c:49",
            "→ 49 │",
            "holds mutex `stock_lock` and waits for mutex `price_lock`",
            "holds mutex `price_lock` and waits for mutex `stock_lock`",
            "next  obit CORE --thread",
        ],
    ),
    (
        "causes-c-O2/heap_overflow.core.zst",
        "causes-c",
        &[
            "(heap-corruption)",
            "said  double free or corruption (out)",
            "drop_text, aborts.c:35",
            "also  corrupted heap metadata after",
            "AddressSanitizer",
        ],
    ),
    (
        "causes-cpp-O0/probe_vector.core.zst",
        "causes-cpp",
        &[
            "(null-read",
            "::walk, probes.cc:",
            "is NULL",
            "also  2 threads wait for each other",
            "points to a freed 32-byte heap",
            "next  obit print CORE '*n'",
            "obit CORE --thread 507 (and 508)",
        ],
    ),
    (
        "causes-cpp-O0/runtime_error.core.zst",
        "causes-cpp",
        &[
            "std::runtime_error",
            "(uncaught-exception)",
            "said  quota exceeded for tenant 7",
            "shop::Quota::charge, exceptions.cc:22",
            "next  obit explain uncaught-exception",
        ],
    ),
    (
        "causes-rust-O3/unwrap_none.core.zst",
        "causes-rust",
        &[
            "(rust-panic)",
            "called `Option::unwrap()` on a `None` value",
            "depot::driver_name, depot.rs:23",
            "next  obit explain rust-panic",
        ],
    ),
    (
        "recursion/core.zst",
        "recursion",
        &[
            "(stack-overflow)",
            "parse_factor ← parse_sum repeats 47658 times",
            "#0 parse_sum, parse.c:31",
            "push %rbx",
            "obit CORE --frames 0",
        ],
    ),
    (
        "mini-debuginfo/core.zst",
        "mini-debuginfo",
        &[
            "(null-read, likely)",
            "likely #0 letters, in prog",
            "cmpb $0x0,(%rcx)",
            "next  get debug information for prog",
        ],
    ),
];

fn path(of: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(of)
}

#[test]
fn a_screen_holds_the_cause_its_evidence_the_frame_to_blame_and_the_next_step() {
    for (core, sources, words) in SCREENS {
        let mut command = obit();
        command.env("COLUMNS", COLUMNS).arg(path(core)).arg("--source-path").arg(path(sources));
        let page = stdout(&command.output().unwrap());
        let screen: Vec<_> = page.lines().take(LINES).collect();
        let screen = screen.join("\n");
        for word in *words {
            assert!(screen.contains(word), "{core}: no {word} on\n{screen}");
        }
        // All of it is above the stack.
        let (head, _) = page.split_once("\n\n").unwrap();
        assert!(head.lines().count() < LINES, "{core}:\n{head}");
        assert!(head.contains("\nnext  "), "{core}:\n{head}");
    }
}

#[test]
fn what_a_next_step_asks_for_can_be_printed() {
    let core = path("null-field/core.zst");
    let page = stdout(&obit().env("COLUMNS", COLUMNS).arg(&core).output().unwrap());
    assert!(page.contains("obit print CORE '*job' -f 1"), "{page}");
    let printed = obit().arg("print").arg(&core).args(["*job", "-f", "1"]).output().unwrap();
    assert!(printed.status.success(), "{printed:?}");
    assert!(stdout(&printed).contains("owner = 0x0"), "{printed:?}");
}
