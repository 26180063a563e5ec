//! `obit objects`: scrubbed cores and reports, kept by what is in them.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::fixture::{Case, obit, stderr, stdout};

struct Kept(TempDir);

impl Kept {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("objects")
    }

    fn run(&self, words: &[&str]) -> Output {
        obit().arg("objects").args(words).arg("--objects").arg(self.path()).output().unwrap()
    }

    fn put(&self, file: &Path, more: &[&str]) -> Output {
        self.run(&[&["put", file.to_str().unwrap()][..], more].concat())
    }

    fn of(&self, id: &str) -> PathBuf {
        self.path().join(&id[..2]).join(&id[2..])
    }

    fn get(&self, id: &str) -> (Output, PathBuf) {
        let path = self.0.path().join(format!("{id}.out"));
        (self.run(&["get", id, "-o", path.to_str().unwrap()]), path)
    }
}

/// Each object that was put in, by what it is.
fn ids(output: &Output) -> Vec<(String, String)> {
    let text = stdout(output);
    let line = |line: &str| {
        let mut words = line.split("  ");
        let (id, what) = (words.next().unwrap(), words.next().unwrap());
        (what.to_owned(), id.to_owned())
    };
    text.lines().map(line).collect()
}

#[track_caller]
fn ends(output: &Output, code: i32, why: &str) {
    assert_eq!(output.status.code(), Some(code), "{}{}", stdout(output), stderr(output));
    assert!(stderr(output).contains(why), "{}", stderr(output));
}

fn report_id(core: &Path) -> Value {
    let output = obit().arg("--json").arg(core).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["id"].clone()
}

#[test]
fn a_core_goes_in_scrubbed_with_its_report_and_comes_back_the_same() {
    let kept = Kept::new();
    let core = Case::named("null-field").core();
    let put = kept.put(&core, &[]);
    ends(&put, 0, "");
    let stored = ids(&put);
    let [(first, scrubbed), (second, report)] = stored.as_slice() else { panic!("{stored:?}") };
    assert_eq!((first.as_str(), second.as_str()), ("core", "report"));
    for id in [scrubbed, report] {
        let (output, path) = kept.get(id);
        ends(&output, 0, "as they were stored");
        let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(fs::read(path).unwrap()));
        assert_eq!(digest, *id);
    }
    let (_, of_core) = kept.get(scrubbed);
    let (_, of_report) = kept.get(report);
    let document: Value = serde_json::from_slice(&fs::read(of_report).unwrap()).unwrap();
    assert_eq!(report_id(&of_core), document["id"]);
    assert_eq!(report_id(&core), document["id"]);
    // It is what `obit scrub` says has nothing hidden in it.
    let line = ["scrub", "--verify", of_core.to_str().unwrap(), core.to_str().unwrap()];
    ends(&obit().args(line).output().unwrap(), 0, "");
    // The same core is the same object.
    let again = kept.put(&core, &["--no-report"]);
    ends(&again, 0, "was there already");
    assert_eq!(ids(&again), [("core".to_owned(), scrubbed.clone())]);
    assert_eq!(stdout(&kept.run(&["list"])).lines().count(), 2);
}

#[test]
fn nothing_that_is_not_scrubbed_goes_in_unless_the_user_says_so() {
    let kept = Kept::new();
    let notes = kept.0.path().join("notes");
    fs::write(&notes, "not a core").unwrap();
    ends(&kept.put(&notes, &[]), 2, "not a core");
    let core = Case::named("null-field").core();
    ends(&kept.put(&core, &["--redact=off"]), 64, "--as-is");
    assert!(!kept.path().exists());
    let put = kept.put(&notes, &["--as-is"]);
    ends(&put, 0, "");
    let [(what, id)] = ids(&put).try_into().unwrap();
    assert_eq!(what, "file");
    assert_eq!(fs::read(kept.of(&id)).unwrap(), b"not a core");
    // Of several files the others are stored.
    let missing = kept.0.path().join("missing");
    let both = kept.put(&notes, &[missing.to_str().unwrap(), "--as-is"]);
    ends(&both, 1, "missing");
    assert_eq!(ids(&both).len(), 1);
}

#[test]
fn a_damaged_object_is_found_and_not_given_out() {
    let kept = Kept::new();
    let notes = kept.0.path().join("notes");
    fs::write(&notes, "some text").unwrap();
    let [(_, id)] = ids(&kept.put(&notes, &["--as-is"])).try_into().unwrap();
    assert_eq!(stdout(&kept.run(&["check"])), "objects: 1, bytes: 9, damaged: 0\n");
    fs::write(kept.of(&id), "some Text").unwrap();
    let (output, path) = kept.get(&id);
    ends(&output, 2, "is damaged");
    assert!(!path.exists());
    let check = kept.run(&["check"]);
    ends(&check, 1, &id);
    assert_eq!(stdout(&check), "objects: 1, bytes: 0, damaged: 1\n");
    kept.put(&notes, &["--as-is"]);
    ends(&kept.get(&id).0, 0, "");
}

#[test]
fn what_lies_in_the_place_of_an_object_counts_as_damaged() {
    let kept = Kept::new();
    let notes = kept.0.path().join("notes");
    fs::write(&notes, "some text").unwrap();
    let [(_, id)] = ids(&kept.put(&notes, &["--as-is"])).try_into().unwrap();
    fs::remove_file(kept.of(&id)).unwrap();
    std::os::unix::fs::symlink(&notes, kept.of(&id)).unwrap();
    let check = kept.run(&["check"]);
    ends(&check, 1, "no object, but a link");
    assert_eq!(stdout(&check), "objects: 0, bytes: 0, damaged: 1\n");
    ends(&kept.put(&notes, &["--as-is"]), 0, "");
    ends(&kept.run(&["check"]), 0, "");
}

#[test]
fn the_name_of_a_file_forges_no_line() {
    let kept = Kept::new();
    let name = kept.0.path().join("a\u{1b}[31m\nforged  core  b");
    fs::write(&name, "some text").unwrap();
    let put = kept.put(&name, &["--as-is"]);
    ends(&put, 0, "");
    let text = stdout(&put);
    assert!(text.lines().count() == 1 && !text.contains('\u{1b}'), "{text:?}");
    assert!(text.contains(r"a\x1b[31m\nforged"), "{text:?}");
}

#[test]
fn old_objects_are_deleted_by_their_age() {
    let kept = Kept::new();
    let mut all = Vec::new();
    for text in ["old", "new"] {
        let file = kept.0.path().join(text);
        fs::write(&file, text).unwrap();
        let [(_, id)] = ids(&kept.put(&file, &["--as-is"])).try_into().unwrap();
        all.push(id);
    }
    let old = fs::File::options().write(true).open(kept.of(&all[0])).unwrap();
    let days = std::time::Duration::from_secs(100 * 86_400);
    old.set_modified(std::time::SystemTime::now() - days).unwrap();
    let dry = kept.run(&["gc", "--older-than", "90d", "--dry-run"]);
    assert_eq!(stdout(&dry), "would delete: 1 objects, 3 bytes; kept: 1\n");
    assert_eq!(stdout(&kept.run(&["list"])).lines().count(), 2);
    let gc = kept.run(&["gc", "--older-than", "90d"]);
    assert_eq!(stdout(&gc), "deleted: 1 objects, 3 bytes; kept: 1\n");
    ends(&kept.get(&all[0]).0, 2, "there is no object");
    ends(&kept.get(&all[1]).0, 0, "");
}

#[test]
fn what_is_no_object_and_no_store_is_a_usage_error() {
    let kept = Kept::new();
    ends(&kept.run(&["get", "5f0c"]), 64, "64 digits");
    ends(&kept.run(&["list"]), 2, "No such file");
    let of = |address: &str| {
        let line = ["objects", "list", "--objects", address];
        obit().args(line).env_remove("AWS_ACCESS_KEY_ID").env("HOME", "/").output().unwrap()
    };
    ends(&of("https://host/bucket"), 64, "no store of objects");
    let s3 = of("s3://bucket/crashes");
    ends(&s3, 64, if cfg!(feature = "s3") { "no credentials" } else { "--features s3" });
    ends(&obit().args(["objects", "list"]).output().unwrap(), 64, "OBIT_OBJECTS");
}
