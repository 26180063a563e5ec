//! What docs/privacy.md promises: requests of data subjects, and the policy on paper.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::fixture::{Case, run, stderr, stdout};

fn stored(directory: &Path) -> String {
    let store = directory.join("store.db").to_str().unwrap().to_owned();
    let cores = directory.join("trevanion-desk");
    fs::create_dir(&cores).unwrap();
    let case = Case::named("clinic");
    fs::copy(case.core(), cores.join("core.zst")).unwrap();
    let program = case.program();
    let words = [
        "--db",
        &store,
        "triage",
        cores.to_str().unwrap(),
        "--redact=off",
        "-e",
        program.to_str().unwrap(),
    ];
    let output = run(words);
    assert!(output.status.success(), "{}", stderr(&output));
    store
}

#[test]
fn a_person_is_taken_out_of_a_store_and_a_dry_run_says_where_it_is() {
    let directory = TempDir::new().unwrap();
    let store = stored(directory.path());
    let obit = |words: &[&str]| {
        let output = run([&["--db", &store], words].concat());
        (stdout(&output), stderr(&output), output.status.code())
    };
    let export = || obit(&["db", "export", "-"]).0;
    let before = export();
    for text in ["Rosalind Trevanion", "rosalind.trevanion@mail.example", "trevanion-desk"] {
        assert!(before.contains(text), "{text}: {before}");
    }
    let person = ["db", "forget", "--person", "Rosalind Trevanion"];
    let (would, ..) = obit(&[&person[..], &["--dry-run"]].concat());
    assert!(would.starts_with("would mask ") && would.contains("threads."), "{would}");
    assert_eq!(export(), before);
    let (done, ..) = obit(&person);
    assert_eq!(
        done.replace("masked", "would mask").replace("; the store was compacted", ""),
        would
    );
    let after = export();
    assert!(!after.contains("Rosalind Trevanion"), "{after}");
    assert!(!after.contains("rosalind.trevanion"), "{after}");
    let (again, ..) = obit(&[&person[..], &["--dry-run"]].concat());
    assert_eq!(again, "the store does not hold it in clear text\n");
    // One word of the name is no form of it.
    let (rest, ..) = obit(&["db", "forget", "--value", "trevanion-desk"]);
    assert!(rest.contains("path.shown"), "{rest}");
    assert!(!export().contains("trevanion-desk"));
    let (_, refused, code) = obit(&["db", "forget", "--value", "abc"]);
    assert_eq!((code, refused.contains("at least 4 characters")), (Some(64), true), "{refused}");
    let (checked, ..) = obit(&["db", "check"]);
    assert!(checked.contains("is intact"), "{checked}");
}

#[test]
fn the_policy_in_force_is_printed_with_the_rules_of_the_user() {
    let directory = TempDir::new().unwrap();
    let rules = directory.path().join("rules.toml");
    fs::write(&rules, "[[deny]]\nname = 'customer_ref'\n").unwrap();
    let output =
        run(["redact", "--policy", "--level", "strict", "--rules", rules.to_str().unwrap()]);
    let page = stdout(&output);
    assert!(page.starts_with("REDACTION POLICY\n"), "{page} {}", stderr(&output));
    for text in [
        "level           strict",
        "random for each report",
        "deny name = \"customer_ref\"",
        "user's rules    1 (SHA-256 ",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
}
