//! The examples of docs/ci.md, run by a shell on real cores.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The shell script that follows the line `start` of the example, less its indent.
fn script(start: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci.md");
    let text = fs::read_to_string(path).unwrap();
    let after = text.split_once(start).expect("the step is in the example").1;
    let (_, body) = after.split_once("|\n").expect("a script follows");
    let indent = body.len() - body.trim_start_matches(' ').len();
    let lines = body.lines().take_while(|line| line.len() - line.trim_start().len() >= indent);
    let lines: Vec<&str> = lines.map(|line| &line[indent..]).collect();
    lines.join("\n")
}

/// Runs `script` beside a directory `cores` with two cores in it.
fn run(script: &str) -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let cores = directory.path().join("cores");
    fs::create_dir(&cores).unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    for case in ["null-field", "deadlock"] {
        fs::copy(fixtures.join(case).join("core.zst"), cores.join(format!("{case}.zst"))).unwrap();
    }
    let program = Path::new(env!("CARGO_BIN_EXE_obit")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let out = Command::new("bash")
        .args(["-euc", script])
        .current_dir(directory.path())
        .env("PATH", path)
        .env("HOME", directory.path())
        .env("GITHUB_STEP_SUMMARY", directory.path().join("summary.md"))
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", crate::fixture::stderr(&out));
    (directory, crate::fixture::stdout(&out))
}

#[test]
fn the_step_of_github_annotates_summarises_and_leaves_sarif() {
    let (directory, said) = run(&script("- name: What crashed, and why"));
    assert_eq!(said.lines().filter(|line| line.starts_with("::error ")).count(), 2, "{said}");
    let summary = fs::read_to_string(directory.path().join("summary.md")).unwrap();
    assert_eq!(summary.matches("\n### ").count() + 1, 2, "{summary}");
    let sarif = fs::read(directory.path().join("crashes.sarif")).unwrap();
    let sarif: Value = serde_json::from_slice(&sarif).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let mut rules: Vec<&str> = results.iter().map(|one| one["ruleId"].as_str().unwrap()).collect();
    rules.sort_unstable();
    assert_eq!(rules, ["deadlock", "null-access"]);
}

#[test]
fn the_script_of_gitlab_leaves_its_reports() {
    let script = script("after_script:");
    let (directory, _) = run(&script);
    let read = |name: &str| fs::read_to_string(directory.path().join(name)).unwrap();
    // Without the program no line is known, and without a line GitLab shows nothing.
    let issues: Value = serde_json::from_str(&read("gl-code-quality-report.json")).unwrap();
    assert_eq!(issues, Value::Array(Vec::new()));
    assert_eq!(read("crashes.xml").matches("<failure").count(), 2);
    assert!(read("crashes/deadlock.zst.html").starts_with("<!DOCTYPE html>"));
}
