//! Signatures of the fixtures: crashes of one bug share them, whatever the compiler did.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::fixture::{Case, list, report, run, stdout};
use serde_json::Value;

/// What each case's source did: the library function it called, and the function that did.
const SIGNATURES: [(&str, &str); 14] = [
    ("null-field", "next_serial in prog"),
    ("recursion", "(recursion) | parse_factor | parse_sum in prog"),
    ("jump-null", "(no code) | finish in prog"),
    ("inlines", "toll_of in prog"),
    ("cpp", "ledger::refund in prog"),
    ("rust", "index::{impl}::visit in prog"),
    ("i386", "assert_fail | convert in prog"),
    ("no-cfi", "letters in prog"),
    ("deadlock", "pthread_mutex_lock | transfer in prog"),
    ("deadlock-rust", "syscall | bank::main in prog"),
    ("sighandler", "checksum in prog"),
    ("ubsan-trap", "jars_on in prog"),
    ("use-after-free", "weigh in prog"),
    ("aarch64", "weight in prog"),
];

/// Programs built at several levels, and the ways to crash of which one level gives a
/// function that another has lost: it ended in a jump, or made another check.
const LEVELS: [(&[&str], &[&str]); 3] = [
    (
        &["causes-c-O0", "causes-c-O2"],
        &["heap_uninitialised", "ops_tail", "second_thread", "truncated"],
    ),
    (&["causes-cpp-O0", "causes-cpp-O2"], &["double_delete", "probe_tail"]),
    (&["causes-rust-O0", "causes-rust-O3"], &["null_read"]),
];

#[test]
fn a_signature_gives_the_function_that_failed_and_what_it_called() {
    for (name, wanted) in SIGNATURES {
        let report = report(&Case::named(name).core(), &[]);
        assert_eq!(report["signature"]["text"], wanted, "{name}");
    }
}

#[test]
fn optimisation_does_not_change_it() {
    for (levels, lost) in LEVELS {
        let mut ways: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for level in levels {
            for core in cores(level) {
                let name = crate::fixture::base_name(core.to_str().unwrap());
                let way = name.strip_suffix(".core.zst").unwrap().to_owned();
                ways.entry(way).or_default().push(id_of(&core));
            }
        }
        ways.retain(|_, ids| ids.len() == levels.len());
        assert!(ways.len() >= 15, "only {} ways to die in {levels:?}", ways.len());
        let differ = ways.iter().filter(|(_, ids)| ids.iter().any(|id| *id != ids[0]));
        let differ: Vec<&str> = differ.map(|(way, _)| way.as_str()).collect();
        let mut lost = lost.to_vec();
        lost.sort_unstable();
        assert_eq!(differ, lost, "{levels:?}");
    }
}

#[test]
fn neither_symbols_beside_the_program_nor_redaction_change_it() {
    let id = |name: &str| id_of(&Case::named(name).core());
    assert_eq!(id("no-cfi"), id("debug-frame"));
    assert_eq!(id("no-cfi"), id("split-dwarf"));
    let core = Case::named("null-field").core();
    for more in ["--redact=strict", "--redact=off", "--no-source", "--locals=none", "--frames=2"] {
        let other = report(&core, &[OsStr::new(more)]);
        assert_eq!(other["signature"]["id"], Value::from(id_of(&core)), "{more}");
    }
}

#[test]
fn each_frame_that_was_looked_at_is_explained() {
    let core = fixtures().join("causes-c-O2/memcpy_null.core.zst");
    let core = core.to_str().unwrap();
    let report = report(Path::new(core), &[]);
    let short = stdout(&run(["signature", core]));
    let id = report["signature"]["id"].as_str().unwrap();
    assert_eq!(short, format!("{id}  memmove | fill_packet in prog\n"));
    let explained = stdout(&run(["signature", "--explain", core]));
    let rules: Vec<_> = explained.lines().skip(1).collect();
    assert_eq!(rules.len(), list(&report["signature"], "decisions").len(), "{explained}");
    assert!(rules[0].starts_with("#0    prefix"), "{explained}");
    assert!(rules[rules.len() - 1].contains("stop    fill_packet"), "{explained}");
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn cores(directory: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(fixtures().join(directory)).unwrap();
    let mut cores: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    cores.retain(|path| path.to_str().unwrap().ends_with(".core.zst"));
    cores.sort();
    cores
}

fn id_of(core: &Path) -> String {
    let report = report(core, &[OsStr::new("--no-source"), OsStr::new("--locals=none")]);
    let id = report["signature"]["id"].as_str();
    id.unwrap_or_else(|| panic!("{} has no signature", core.display())).to_owned()
}
