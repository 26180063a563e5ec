//! The core is read in a process that can do nothing else: what happens where a parser is taken
//! over, and that the sandbox changes nothing otherwise.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Output;

use obit::redact::without_digests;
use serde_json::Value;

use crate::fixture::{Case, obit, stderr, stdout};

/// A bug in obit, or an attack.
const BUG: i32 = 70;

fn core() -> std::path::PathBuf {
    Case::named("null-field").core()
}

/// A run on a core in which the worker tries `what`.
fn tried(what: &str) -> Output {
    obit().arg("--sandbox=require").arg(core()).env("OBIT_TEST_EVIL", what).output().unwrap()
}

#[test]
fn files_cannot_be_opened_and_the_report_is_complete() {
    let plain = stdout(&obit().arg(core()).output().unwrap());
    for what in ["open", "open-proc", "write", "ptrace"] {
        let output = tried(what);
        assert!(stderr(&output).contains("evil: refused"), "{what}: {}", stderr(&output));
        assert_eq!(stdout(&output), plain, "{what}");
    }
    assert!(!Path::new("/tmp/obit-evil").exists());
}

#[test]
fn network_programs_and_signals_end_the_worker_and_the_page_says_so() {
    for what in ["connect", "exec", "kill"] {
        let output = tried(what);
        assert_eq!(output.status.code(), Some(BUG), "{what}: {}", stderr(&output));
        let page = stdout(&output);
        assert!(page.contains("SIGSEGV"), "{what}: what was known is on the page\n{page}");
        assert!(page.contains("a system call that the sandbox forbids"), "{what}: {page}");
        assert!(!stderr(&output).contains("evil: done"));
    }
}

#[test]
fn memory_and_bugs_end_the_worker_and_the_page_says_so() {
    for (what, why) in [("memory", "ran out of memory"), ("panic", "met a bug in obit")] {
        let output = tried(what);
        assert_eq!(output.status.code(), Some(BUG), "{what}: {}", stderr(&output));
        assert!(stdout(&output).contains(why), "{what}: {}", stdout(&output));
    }
    let json = obit().args(["--json"]).arg(core()).env("OBIT_TEST_EVIL", "exec").output().unwrap();
    let report: Value = serde_json::from_str(&stdout(&json)).unwrap();
    assert_eq!(report["notices"][0]["code"], "analysis-ended");
    assert_eq!(report["signal"]["name"], "SIGSEGV");
}

#[test]
fn a_batch_loses_the_core_alone() {
    let directory = tempfile::tempdir().unwrap();
    fs::copy(core(), directory.path().join("core.zst")).unwrap();
    let batch = |what: &str| {
        let mut command = obit();
        command.args(["triage", "--no-db", "--format", "ndjson"]).arg(directory.path());
        command.env("OBIT_TEST_EVIL", what).output().unwrap()
    };
    for (what, why) in [
        ("exec", "a system call that the sandbox forbids"),
        ("kill", "a system call that the sandbox forbids"),
        ("memory", "more memory than --max-memory allows"),
    ] {
        let output = batch(what);
        let text = stdout(&output) + &stderr(&output);
        assert!(text.contains(why), "{what}: {text}");
    }
    assert!(stdout(&batch("open")).contains("SIGSEGV"));
}

#[test]
fn with_and_without_a_sandbox_the_answers_are_the_same() {
    let fixtures = core().parent().and_then(Path::parent).unwrap().to_owned();
    // Names of the second are indexed by several threads.
    for case in ["null-field/core.zst", "containers-libstdcxx/core.zst", "canary-cpp/null.core.zst"]
    {
        let core = fixtures.join(case);
        for arguments in [&["--json", "--locals=all"][..], &["-v"], &["modules"], &["signature"]] {
            let run = |mode: &str| {
                let mut command = obit();
                command.args(arguments).arg(&core).env("OBIT_SANDBOX", mode);
                let output = command.output().unwrap();
                // Each run has its own key of tokens.
                let answer = without_digests(&stdout(&output)).into_owned();
                (output.status.code(), answer, stderr(&output))
            };
            assert_eq!(run("require"), run("off"), "{case} {arguments:?}");
        }
    }
}

#[test]
fn a_program_that_is_cut_while_it_is_read_costs_no_page() {
    let directory = tempfile::tempdir().unwrap();
    let case = Case::named("null-field");
    let core = directory.path().join("core.zst");
    fs::copy(case.core(), &core).unwrap();
    let program = directory.path().join("prog");
    fs::copy(case.core().with_file_name("prog"), &program).unwrap();
    let whole = fs::read(&program).unwrap();
    for round in 0..6_u64 {
        fs::write(&program, &whole).unwrap();
        let mut child = obit();
        child.arg(&core).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let child = child.spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(4 * round));
        fs::File::options().write(true).open(&program).unwrap().set_len(4096).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(stdout(&output).contains("SIGSEGV"), "{}", stdout(&output));
    }
}

#[test]
fn root_follows_the_names_in_a_core_with_the_rights_of_its_owner() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    fs::set_permissions(place, Permissions::from_mode(0o1777)).unwrap();
    let core = place.join("core.zst");
    fs::copy(Case::named("null-field").core(), &core).unwrap();
    std::os::unix::fs::chown(&core, Some(4711), Some(4711)).unwrap();
    let private = tempfile::tempdir().unwrap();
    fs::set_permissions(private.path(), Permissions::from_mode(0o700)).unwrap();
    let program = private.path().join("prog");
    fs::copy(Case::named("null-field").core().with_file_name("prog"), &program).unwrap();
    // The link leads where its owner cannot go.
    symlink(&program, place.join("prog")).unwrap();
    let output = obit().arg(&core).output().unwrap();
    assert!(!stdout(&output).contains("next_serial"), "{}", stdout(&output));
    assert!(stdout(&output).contains("was not opened: permission denied"), "{}", stdout(&output));
    // Whom the user names is read with their own rights.
    let output = obit().arg(&core).arg(&program).output().unwrap();
    assert!(stdout(&output).contains("next_serial"), "{}", stdout(&output));
}
