//! Text of a crashed process that is a command to a CI runner: in no format does a runner
//! find one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use obit_corefile::testkit::{CoreBuilder, CoreFile};
use serde_json::Value;

use crate::fixture::{run, stderr, stdout};

const NAME: &str = "::debug::##[x]";

/// A core of a program that is called like a command.
fn core() -> CoreFile {
    let registers = [("rsp", 0x7ffd_0000_0800), ("rip", 0x40_1000)];
    CoreBuilder::x86_64()
        .signal(11)
        .thread(42, &registers)
        .process(42, NAME, "::set-output name=a::b ##vso[task.complete]")
        .segment(0x7ffd_0000_0000, &[0; 0x1000], 0x1000)
        .write()
}

/// The lines that GitHub's or Azure's runner would obey.
fn obeyed(text: &str) -> Vec<&str> {
    let is_obeyed = |line: &&str| {
        let after = line.trim_start().strip_prefix("::");
        after.is_some_and(|after| after.contains("::"))
            || ["##[", "##vso[", "##teamcity["].iter().any(|start| line.contains(start))
    };
    text.lines().filter(is_obeyed).collect()
}

#[test]
fn a_runner_finds_no_command_in_any_text() {
    let core = core();
    let path = core.path().to_str().unwrap();
    for format in ["human", "brief", "markdown", "json", "ndjson", "sarif", "junit", "sentry"] {
        let out = run([path, "--format", format, "--redact=off"]);
        let text = stdout(&out);
        // SARIF does not name the program.
        assert!(format == "sarif" || text.contains("debug:"), "{format}: {text}");
        assert_eq!(obeyed(&text), [""; 0], "{format}");
    }
    let brief = stdout(&run([path, "--format", "brief"]));
    assert!(brief.starts_with("\\::debug::##\\[x]: SIGSEGV"), "{brief}");
}

#[test]
fn json_holds_the_text_itself() {
    let core = core();
    let out = run([core.path().to_str().unwrap(), "--json", "--redact=off"]);
    let report: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(report["process"]["comm"], NAME);
}

#[test]
fn groups_and_lists_are_written_in_the_same_way() {
    let core = core();
    let directory = tempfile::tempdir().unwrap();
    let (db, path) = (directory.path().join("db"), directory.path().join("##[x]debug::"));
    std::fs::copy(core.path(), &path).unwrap();
    let (db, path) = (db.to_str().unwrap(), path.to_str().unwrap());
    for words in [&["triage", path, "--db", db][..], &["top", "--db", db], &["list", "--db", db]] {
        let out = run(words);
        let text = stdout(&out);
        assert!(words[0] != "list" || text.contains("debug:"), "{text}{}", stderr(&out));
        assert_eq!(obeyed(&text), [""; 0], "{words:?}");
    }
}

#[test]
fn messages_on_the_standard_error_are_no_commands() {
    let core = core();
    let path = core.path().to_str().unwrap();
    let words = [&["print", path, "::error file=a::b"][..], &["::stop-commands::x ##vso[a]"]];
    for words in words {
        let said = stderr(&run(words));
        assert!(said.contains("::"), "{said}");
        assert_eq!(obeyed(&said), [""; 0], "{words:?}");
    }
}
