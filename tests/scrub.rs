//! `obit scrub`: what it writes says the same and holds no one's data.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use fixture::{Case, list, report, run, stderr};
use serde_json::Value;

/// Causes of all kinds, and machines that a file of the host's cannot stand in for.
const CASES: [&str; 14] = [
    "null-field",
    "use-after-free",
    "heap-overrun",
    "deadlock",
    "deadlock-rust",
    "libcxxabi",
    "cpp",
    "rust",
    "recursion",
    "sighandler",
    "jump-null",
    "i386",
    "aarch64",
    "riscv64",
];

fn words(words: &[&Path]) -> Vec<PathBuf> {
    words.iter().map(|word| word.to_path_buf()).collect()
}

fn scrubbed(case: &Case, name: &str) -> PathBuf {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("scrub-{}-{name}", case.name));
    let output = run(words(&["scrub".as_ref(), &case.core(), "-o".as_ref(), &out]));
    assert_eq!(output.status.code(), Some(0), "{}: {}", case.name, stderr(&output));
    out
}

fn files_of(case: &Case) -> Vec<std::ffi::OsString> {
    let directory = case.directory.as_os_str();
    ["-e".into(), case.program().into(), "--solib-search-path".into(), directory.into()].into()
}

/// Stacks, cause and names of a report; no value of a variable.
fn gist(report: &Value) -> Value {
    let threads = list(report, "threads").iter().map(|thread| {
        let frames = list(thread, "frames").iter();
        let frames = frames.map(|frame| {
            let source = &frame["source"];
            serde_json::json!([frame["pc"], frame["function"], source["file"], source["line"]])
        });
        serde_json::json!([thread["tid"], frames.collect::<Vec<_>>()])
    });
    let (cause, blame) = (&report["cause"], &report["cause"]["blame"]);
    serde_json::json!({
        "id": report["id"],
        "signal": report["signal"],
        "threads": threads.collect::<Vec<_>>(),
        "cause": [cause["class"], blame["thread"], blame["frame"], blame["function"]],
        "signature": report["signature"]["id"],
    })
}

#[test]
fn a_scrubbed_core_has_the_same_stacks_cause_and_id() {
    for name in CASES {
        let case = Case::named(name);
        let files = files_of(&case);
        let files: Vec<&OsStr> = files.iter().map(std::ffi::OsString::as_os_str).collect();
        let before = report(&case.core(), &files);
        let after = report(&scrubbed(&case, "core"), &files);
        assert_eq!(gist(&before), gist(&after), "{name}");
    }
}

#[test]
fn a_scrubbed_core_holds_no_text_that_was_masked() {
    for name in CASES {
        let case = Case::named(name);
        let out = scrubbed(&case, "core.zst");
        let output = run(words(&["scrub".as_ref(), &case.core(), "--verify".as_ref(), &out]));
        assert_eq!(output.status.code(), Some(0), "{name}: {}", stderr(&output));
    }
}

#[test]
fn no_more_is_kept_than_was_asked_for() {
    let case = Case::named("recursion");
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("scrub-small");
    let core = case.core();
    let (limit, size) = ("--max-size".as_ref(), "256K".as_ref());
    run(words(&["scrub".as_ref(), &core, "-o".as_ref(), &out, limit, size]));
    assert!(fs::metadata(&out).unwrap().len() < 300 << 10);
}

#[test]
fn a_scrubbed_core_is_never_written_over_the_core() {
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("scrub-input");
    fs::copy(Case::named("null-field").core(), &copy).unwrap();
    let output = run(words(&["scrub".as_ref(), &copy, "-o".as_ref(), &copy]));
    assert_eq!(output.status.code(), Some(64));
}
