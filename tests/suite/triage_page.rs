//! `--html`: the page of many crashes, and the pages of single ones beside it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::fixture::{obit, stderr, stdout};

/// Runs obit among the fixtures.
fn run(directory: &Path, arguments: &[&str]) -> Output {
    let out = obit()
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"))
        .env("XDG_STATE_HOME", directory.join("state"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(out.status.success(), "{arguments:?}: {}", stderr(&out));
    out
}

fn links(page: &str, start: &str) -> Vec<String> {
    let mark = format!("href=\"{start}");
    let found = page.split(&mark).skip(1);
    found.map(|rest| format!("{start}{}", rest.split('"').next().unwrap())).collect()
}

#[test]
fn a_directory_has_the_groups_and_a_page_of_one_crash_of_each() {
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("out");
    let broken = directory.path().join("broken.core");
    fs::write(&broken, "no core").unwrap();
    let arguments = ["triage", "null-field", "recursion", broken.to_str().unwrap(), "--html"];
    let out = run(directory.path(), &[&arguments[..], &[pages.to_str().unwrap()]].concat());
    assert!(stdout(&out).contains("2 groups"), "the summary stays: {}", stdout(&out));
    let index = fs::read_to_string(pages.join("index.html")).unwrap();
    assert!(index.contains("<code>not-a-core</code>"), "unreadable files are reported");
    let crashes = links(&index, "crash-");
    assert_eq!(crashes.len(), 2);
    for crash in crashes {
        let page = fs::read_to_string(pages.join(&crash)).unwrap();
        assert!(page.contains("<h1 id=\"cause-title\">"), "{crash}");
        let home = links(&page, "index.html#");
        assert_eq!(home.len(), 1, "{crash}");
        let anchor = home[0].trim_start_matches("index.html#");
        assert!(index.contains(&format!("<details class=\"group\" id=\"{anchor}\"")), "{anchor}");
    }
    // The same again from the store, without a scan.
    let again = directory.path().join("again");
    run(directory.path(), &["top", "--html", again.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(again.join("index.html")).unwrap(), index);
}

#[test]
fn one_file_needs_no_other_and_says_how_to_make_the_page_of_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("groups.html");
    let db = directory.path().join("my store.db");
    let db = db.to_str().unwrap();
    run(directory.path(), &["triage", "null-field", "--db", db, "--html", file.to_str().unwrap()]);
    let page = fs::read_to_string(&file).unwrap();
    assert!(links(&page, "crash-").is_empty());
    let command = page.split("<code>obit show obit-").nth(1).expect("a command");
    let command = command.split("</code>").next().unwrap().replace("&#39;", "'");
    let (dump, rest) = command.split_once(' ').unwrap();
    assert!(rest.contains(" --db '") && rest.contains("my store.db'"), "{rest}");
    let dump = format!("obit-{dump}");
    let out = run(directory.path(), &["show", &dump, "--db", db, "--format", "html"]);
    assert!(stdout(&out).starts_with("<!DOCTYPE html>"));
}

#[test]
fn a_page_that_cannot_be_written_ends_with_74() {
    let directory = tempfile::tempdir().unwrap();
    let taken = directory.path().join("taken");
    fs::write(&taken, "").unwrap();
    let out = obit()
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"))
        .args(["triage", "null-field", "--no-db", "--html"])
        .arg(&taken)
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(74), "{}", stderr(&out));
    assert_eq!(fs::read(&taken).unwrap(), b"");
}
