//! Code of a just-in-time compiler that was registered by GDB's interface: it has names, lines
//! and variables as code of a file has.

use std::path::{Path, PathBuf};

use crate::fixture::{list, report};
use serde_json::Value;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/jit")
}

fn crash() -> Value {
    let directory = directory();
    report(&directory.join("core.zst"), &[directory.join("prog").as_os_str()])
}

#[test]
fn frames_of_compiled_code_have_names_and_lines() {
    let report = crash();
    let frames = list(&list(&report, "threads")[0], "frames");
    let shown: Vec<(&str, Option<i64>)> = frames
        .iter()
        .map(|frame| (frame["function"].as_str().unwrap(), frame["source"]["line"].as_i64()))
        .collect();
    // As gdb 13 has them.
    assert_eq!(shown, [("weigh", Some(10)), ("run", Some(72)), ("_start", None)]);
}

#[test]
fn the_cause_is_found_in_compiled_code_by_its_variables() {
    let report = crash();
    let cause = &report["cause"];
    assert_eq!(cause["class"], "null-read");
    assert_eq!(cause["blame"]["function"], "weigh");
    assert_eq!(cause["blame"]["expression"], "at");
}

#[test]
fn the_module_is_called_the_same_in_every_run() {
    let report = crash();
    let made: Vec<&Value> =
        list(&report, "modules").iter().filter(|module| module["role"] == "jit").collect();
    assert_eq!(made.len(), 1);
    assert_eq!(made[0]["path"], "[jit]");
    assert_eq!(report["signature"]["text"], "weigh in [jit]");
}
