//! Go programs without DWARF and symbols (`-ldflags="-s -w"`): Go's own table of functions
//! gives the report that DWARF gives, but for the values of variables.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use fixture::{list, report};
use serde_json::Value;

/// A copy of `program` whose debug sections and symbol table have other names and types.
fn stripped(program: &Path) -> PathBuf {
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
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-stripped/prog");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    path
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
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/causes-go");
    let program = stripped(&directory.join("prog"));
    let mut cases = 0;
    for entry in fs::read_dir(&directory).unwrap() {
        let core = entry.unwrap().path();
        if core.extension() != Some(OsStr::new("zst")) {
            continue;
        }
        cases += 1;
        // Away from the program that has DWARF.
        let moved = program.with_file_name(core.file_name().unwrap());
        fs::copy(&core, &moved).unwrap();
        let described = report(&core, &[directory.join("prog").as_os_str()]);
        let bare = report(&moved, &[program.as_os_str()]);
        let debug =
            |report: &Value| list(report, "modules").iter().any(|module| module["debug"] == "full");
        assert!(debug(&described) && !debug(&bare), "{}", core.display());
        // Where a stack of the runtime ends only Go's own table tells: by DWARF it goes on.
        let (by_table, by_dwarf) = (frames(&bare), frames(&described));
        let beyond = by_dwarf.len().saturating_sub(by_table.len());
        assert!(by_dwarf.starts_with(&by_table) && beyond <= 2, "{by_table:?} {by_dwarf:?}");
        let cause = |report: &Value| {
            let cause = &report["cause"];
            let blame = &cause["blame"];
            let all =
                [&cause["class"], &cause["message"], &blame["function"], &blame["source"]["line"]];
            all.map(Value::clone)
        };
        assert_eq!(cause(&bare), cause(&described), "{}", core.display());
        assert_eq!(bare["signature"]["text"], described["signature"]["text"]);
    }
    assert!(cases >= 14, "only {cases} cores");
}
