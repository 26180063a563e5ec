//! Programs without DWARF and symbols. Go's (`-ldflags="-s -w"`) have a table of their own,
//! which gives the report that DWARF gives, but for the values of variables; Rust's panics are
//! found in what the panic runtime keeps in memory.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::fixture::{list, report};
use serde_json::Value;

/// A copy of `program` for the tests of `of` whose debug sections and symbol table have other
/// names and types.
pub fn stripped(program: &Path, of: &str) -> PathBuf {
    let mut bytes = fs::read(program).unwrap();
    for (name, other) in [(".debug_", ".other_"), (".zdebug_", ".zother_"), (".symtab", ".nosyms")]
    {
        let mut from = 0;
        while let Some(into) = bytes[from..].windows(name.len()).position(|w| w == name.as_bytes())
        {
            from += into;
            bytes[from..from + name.len()].copy_from_slice(other.as_bytes());
        }
    }
    let number = |at: usize, size: usize| {
        bytes[at..at + size].iter().rev().fold(0, |value, byte| value << 8 | usize::from(*byte))
    };
    let (sections, size, count) = (number(40, 8), number(58, 2), number(60, 2));
    for section in (0..count).map(|index| sections + index * size) {
        const SHT_SYMTAB: u8 = 2;
        if bytes[section + 4] == SHT_SYMTAB {
            bytes[section + 4] = 1;
        }
    }
    let name = program.parent().unwrap().file_name().unwrap();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(of).join(name).join("prog");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    path
}

/// The cores of a directory of fixtures, each with its report, and that of the program when it
/// was stripped.
fn reports(fixture: &str) -> Vec<(String, Value, Value)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(fixture);
    let program = stripped(&directory.join("prog"), "stripped");
    let mut found = Vec::new();
    for entry in fs::read_dir(&directory).unwrap() {
        let core = entry.unwrap().path();
        if core.extension() != Some(OsStr::new("zst")) {
            continue;
        }
        // Away from the program that has DWARF.
        let moved = program.with_file_name(core.file_name().unwrap());
        fs::copy(&core, &moved).unwrap();
        let described = report(&core, &[directory.join("prog").as_os_str()]);
        let bare = report(&moved, &[program.as_os_str()]);
        let is_full =
            |report: &Value| list(report, "modules").iter().any(|module| module["debug"] == "full");
        assert!(is_full(&described) && !is_full(&bare), "{}", core.display());
        found.push((core.file_name().unwrap().to_string_lossy().into_owned(), described, bare));
    }
    found
}

/// Functions and lines of the crashed thread.
fn frames(report: &Value) -> Vec<(&str, Option<i64>)> {
    let crashed = list(report, "threads").iter().find(|thread| thread["crashed"] == true).unwrap();
    let frames = list(crashed, "frames").iter();
    let named = frames.filter(|frame| frame["kind"] != "signal" && frame["trust"] != "scan");
    named
        .map(|frame| (frame["function"].as_str().unwrap_or(""), frame["source"]["line"].as_i64()))
        .collect()
}

#[test]
fn a_stripped_program_of_go_has_the_report_of_one_with_dwarf() {
    let reports = reports("causes-go");
    assert!(reports.len() >= 14, "only {} cores", reports.len());
    for (core, described, bare) in &reports {
        // Where a stack of the runtime ends only Go's own table shows: by DWARF it goes on.
        let (by_table, by_dwarf) = (frames(bare), frames(described));
        let beyond = by_dwarf.len().saturating_sub(by_table.len());
        assert!(by_dwarf.starts_with(&by_table) && beyond <= 2, "{by_table:?} {by_dwarf:?}");
        let cause = |report: &Value| {
            let cause = &report["cause"];
            let line = &cause["blame"]["source"]["line"];
            [&cause["class"], &cause["message"], &cause["blame"]["function"], line]
                .map(Value::clone)
        };
        assert_eq!(cause(bare), cause(described), "{core}");
        assert_eq!(bare["signature"]["text"], described["signature"]["text"]);
    }
}

#[test]
fn a_panic_of_a_stripped_program_of_rust_has_its_message_and_its_place() {
    let mut panics = 0;
    for fixture in ["causes-rust-O0", "causes-rust-O3"] {
        for (core, described, bare) in &reports(fixture) {
            if described["cause"]["class"] != "rust-panic" {
                assert_ne!(bare["cause"]["class"], "rust-panic", "{fixture}/{core}");
                continue;
            }
            panics += 1;
            let (cause, known) = (&bare["cause"], &described["cause"]);
            assert_eq!(cause["class"], "rust-panic", "{fixture}/{core}");
            assert_eq!(cause["confidence"], "likely", "{fixture}/{core}");
            assert_eq!(cause["message"], known["message"], "{fixture}/{core}");
            let places: Vec<&str> = list(cause, "evidence")
                .iter()
                .filter_map(|fact| fact["text"].as_str()?.split_once("raised at "))
                .map(|(_, place)| place)
                .collect();
            let line = &known["blame"]["source"]["line"];
            let is_there = |place: &&str| place.starts_with(&format!("depot.rs:{line}:"));
            assert!(places.iter().any(is_there), "{fixture}/{core}: {places:?} {line}");
        }
    }
    assert!(panics >= 20, "only {panics} panics");
}
