//! Who may read what obit writes, and whose files it believes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

use crate::fixture::{Case, obit, stderr, stdout};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o777
}

/// Runs obit in `directory` under the usual umask.
fn run(directory: &Path, words: &[&str]) -> Output {
    let program = obit();
    let mut shell = Command::new("sh");
    shell.env_clear().current_dir(directory);
    for (name, value) in program.get_envs() {
        if let Some(value) = value {
            shell.env(name, value);
        }
    }
    let out = shell
        .args(["-c", "umask 022; exec \"$@\"", "sh"])
        .arg(program.get_program())
        .args(words)
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(0), "{words:?}: {}", stderr(&out));
    out
}

#[test]
fn what_is_written_is_its_owners_alone_whatever_the_umask_is() {
    let case = Case::named("null-field");
    let core = case.core();
    let core = core.to_str().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    run(directory.path(), &[core, "-o", "report.html"]);
    run(directory.path(), &["scrub", core, "-o", "small.core"]);
    run(directory.path(), &["triage", core, "--db", "store/db", "--html", "pages/new/"]);
    run(directory.path(), &["db", "export", "export.ndjson", "--db", "store/db"]);
    let files = ["report.html", "small.core", "store/db", "export.ndjson", "pages/new/index.html"];
    for file in files {
        assert_eq!(mode(&at(file)), 0o600, "{file}");
    }
    let pages: Vec<_> = fs::read_dir(at("pages/new")).unwrap().flatten().collect();
    assert_eq!(pages.len(), 2);
    assert!(pages.iter().all(|page| mode(&page.path()) == 0o600), "{pages:?}");
    for made in ["store", "pages", "pages/new"] {
        assert_eq!(mode(&at(made)), 0o700, "{made}");
    }
    // Manual pages hold nothing of a crash.
    run(directory.path(), &["man", "--all", "man1"]);
    assert_eq!((mode(&at("man1")), mode(&at("man1/obit.1"))), (0o755, 0o644));
}

#[test]
fn a_file_that_is_overwritten_keeps_its_mode() {
    let case = Case::named("null-field");
    let core = case.core();
    let core = core.to_str().unwrap();
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("pages")).unwrap();
    let files = ["report.txt", "small.core", "pages/index.html"].map(|f| directory.path().join(f));
    for file in &files {
        fs::write(file, "old").unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o640)).unwrap();
    }
    run(directory.path(), &[core, "-o", "report.txt"]);
    run(directory.path(), &["scrub", core, "-o", "small.core"]);
    run(directory.path(), &["triage", core, "--no-db", "--html", "pages"]);
    for file in &files {
        assert_eq!(mode(file), 0o640, "{}", file.display());
        assert_ne!(fs::read(file).unwrap(), b"old", "{}", file.display());
    }
}

#[test]
fn a_page_of_a_directory_is_not_written_through_a_link_in_it() {
    let case = Case::named("null-field");
    let core = case.core();
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("pages");
    fs::create_dir(&pages).unwrap();
    fs::write(directory.path().join("other"), "keep").unwrap();
    symlink("../other", pages.join("index.html")).unwrap();
    let words = ["triage", core.to_str().unwrap(), "--no-db", "--html", "pages"];
    run(directory.path(), &words);
    assert_eq!(fs::read(directory.path().join("other")).unwrap(), b"keep");
    assert!(fs::symlink_metadata(pages.join("index.html")).unwrap().is_file());
}

#[test]
fn rules_above_the_working_directory_are_used_only_if_no_one_else_can_write_them() {
    let directory = tempfile::tempdir().unwrap();
    let inside = directory.path().join("a/b");
    fs::create_dir_all(&inside).unwrap();
    let place = directory.path().join(".obit");
    fs::create_dir(&place).unwrap();
    let rules = place.join("redact.toml");
    fs::write(&rules, "[[deny]]\nregex = \"plainword\"\n").unwrap();
    fs::write(inside.join("log"), "a plainword\n").unwrap();
    fs::set_permissions(&rules, fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).unwrap();
    let used = run(&inside, &["redact", "log"]);
    assert!(stdout(&used).contains("<rule:"), "{}", stdout(&used));
    fs::set_permissions(&place, fs::Permissions::from_mode(0o777)).unwrap();
    let ignored = run(&inside, &["redact", "log"]);
    assert_eq!(stdout(&ignored), "a plainword\n");
    let notice = stderr(&ignored);
    assert!(notice.contains("is ignored: other users may write to"), "{notice}");
    let named = rules.to_str().unwrap();
    assert!(notice.contains(&format!("--redact-rules {named}")), "{notice}");
    let named = run(&inside, &["redact", "log", "--redact-rules", named]);
    assert!(stdout(&named).contains("<rule:"), "{}", stdout(&named));
}

#[test]
fn a_link_out_of_a_directory_of_cores_is_reported_and_followed_on_request() {
    let case = Case::named("null-field");
    let directory = tempfile::tempdir().unwrap();
    let (cores, secret) = (directory.path().join("cores"), directory.path().join("secret"));
    fs::create_dir(&cores).unwrap();
    fs::create_dir(&secret).unwrap();
    fs::copy(case.core(), secret.join("core.1")).unwrap();
    symlink("../secret", cores.join("x")).unwrap();
    symlink("/proc", cores.join("p")).unwrap();
    let out = run(directory.path(), &["triage", "cores", "--no-db"]);
    assert!(stdout(&out).starts_with("0 cores"), "{}", stdout(&out));
    assert!(stdout(&out).contains("skipped 2 other files (2 link-outside)"), "{}", stdout(&out));
    let notice = "links out of what was given, not followed without --follow: 2";
    assert!(stderr(&out).contains(notice), "{}", stderr(&out));
    let out = run(directory.path(), &["triage", "cores", "--no-db", "--follow"]);
    assert!(stdout(&out).starts_with("1 core: 1 new"), "{}", stdout(&out));
    assert!(stdout(&out).contains("1 system-directory"), "{}", stdout(&out));
}
