//! What the views say of a store that was filled release by release.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use obit::triage::store::{FileStamp, Store};
use obit::triage::{PackedRecord, Record, read_record};
use serde_json::json;

const DAY: i64 = 86_400;
/// 2026-01-01.
const START: i64 = 1_767_225_600;

/// A store of three releases of one program, a month each.
pub(crate) struct Sample {
    _directory: tempfile::TempDir,
    pub(crate) db: PathBuf,
    made: u64,
}

/// A group's function, the class and severity of its cause, and its dumps in each release.
const GROUPS: [(&str, &str, &str, [u64; 3]); 6] = [
    ("walk", "null-read", "low", [6, 7, 8]),
    ("append", "unmapped-write", "high", [0, 0, 5]),
    ("render", "assertion", "low", [9, 0, 4]),
    ("save", "null-read", "low", [9, 6, 0]),
    ("load", "null-write", "medium", [2, 2, 22]),
    ("<img src=x>|`rm`\u{1b}[31m", "null-call", "high", [1, 1, 1]),
];

impl Sample {
    pub(crate) fn new() -> Self {
        Self::of(&GROUPS)
    }

    fn of(groups: &[(&str, &str, &str, [u64; 3])]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let db = directory.path().join("t.db");
        let mut sample = Self { _directory: directory, db, made: 0 };
        for release in 0..3 {
            sample.fill(groups, release);
        }
        sample
    }

    fn fill(&mut self, groups: &[(&str, &str, &str, [u64; 3])], release: usize) {
        let mut store = Store::create(&self.db).unwrap();
        for &(function, class, severity, counts) in groups {
            for i in 0..counts[release] {
                let day = release as i64 * 30 + (i * 29 / counts[release]) as i64;
                let record = self.record(function, class, severity, release, START + day * DAY, i);
                let stamp = self.stamp();
                store
                    .add(&[(stamp, PackedRecord::of(&record).unwrap())], START + 90 * DAY)
                    .unwrap();
            }
        }
        store.regroup().unwrap();
    }

    fn stamp(&self) -> FileStamp {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.made.to_be_bytes());
        FileStamp { key, size: self.made, mtime: 0, inode: self.made, device: 1 }
    }

    fn record(
        &mut self,
        function: &str,
        class: &str,
        severity: &str,
        release: usize,
        time: i64,
        i: u64,
    ) -> Record {
        self.made += 1;
        let id = format!("obit-{:016x}", self.made * 0x1111_2222_3333);
        let version = ["1.0", "2.0", "3.0"][release];
        let host = ["web-1", "web-2", "web-3"][(i % 3) as usize];
        let host = if function == "append" { "db-1" } else { host };
        let build_id = [1, 2, 3].map(|digit: u32| digit.to_string().repeat(40))[release].clone();
        let record = json!({
            "schema": "obit.record/1", "status": "ok", "dump": id, "id": id, "time": time,
            "host": host,
            "core": {"path": format!("/cores/{id}.core"), "size": 4096, "arch": "x86_64"},
            "process": {"pid": 7, "comm": "shopd", "exe": format!("/opt/shop/{version}/bin/shopd"),
                "args": ["shopd", "--serve"], "build_id": build_id},
            "signal": {"number": 11, "name": "SIGSEGV"},
            "cause": {"class": class, "severity": severity, "title": format!("{class} it was"),
                "confidence": "proved", "blame": {"frame": 0, "confidence": "proved",
                    "function": function, "source": {"file": "shop.c", "line": 12}}},
            "signature": {"id": format!("{:016x}", digest(function)), "version": 1,
                "text": format!("{function} in shopd")},
            "frames": [function, "main"],
            "threads": [{"tid": 7, "crashed": true, "frames": [
                {"index": 0, "function": function,
                 "module": {"path": "/opt/shop/bin/shopd"},
                 "source": {"file": "shop.c", "line": 12},
                 "args": [{"name": "n", "type": "struct node *", "value": "0x0"},
                          {"name": "depth", "type": "int", "value": i}]},
                {"index": 1, "function": "main"}]}],
        });
        read_record(record.to_string().as_bytes()).unwrap()
    }

    pub(crate) fn run(&self, words: &[&str]) -> Output {
        run(&self.db, words)
    }

    /// What a run prints, where it ends well.
    pub(crate) fn says(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{words:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn json(&self, words: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.says(words)).unwrap()
    }

    /// The group of a function.
    fn group(&self, function: &str) -> serde_json::Value {
        let top = self.json(&["top", "--json"]);
        let groups = top["groups"].as_array().unwrap().clone();
        let signature = format!("{function} in shopd");
        groups.into_iter().find(|group| group["signature"] == signature.as_str()).unwrap()
    }
}

pub(crate) fn run(db: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_obit"));
    command.args(words).arg("--db").arg(db);
    let has_page = ["top", "show", "diff"].contains(&words[0]);
    if has_page && !words.contains(&"--width") {
        command.args(["--width", "100"]);
    }
    command.env("NO_COLOR", "1").output().unwrap()
}

/// A number that differs from name to name.
fn digest(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[test]
fn top_lists_what_to_look_at_first() {
    insta::assert_snapshot!(Sample::new().says(&["top"]));
}

#[test]
fn a_wide_page_has_releases_and_dates_in_columns() {
    insta::assert_snapshot!(Sample::new().says(&["top", "--width", "160"]));
}

#[test]
fn the_rank_and_the_status_are_explained() {
    insta::assert_snapshot!(Sample::new().says(&["top", "--explain-rank", "-n", "2"]));
}

#[test]
fn show_prints_all_of_one_group() {
    let sample = Sample::new();
    let group = sample.group("render");
    insta::assert_snapshot!(sample.says(&["show", group["id"].as_str().unwrap()]));
}

#[test]
fn the_digest_is_markdown_in_which_no_name_is_markup() {
    let sample = Sample::new();
    let page = sample.says(&["digest", "--since", "2026-03-02", "--now", "2026-04-01"]);
    let names = page.matches("<img").count();
    assert!(names > 0, "{page}");
    assert_eq!(page.matches("`<img").count(), names, "{page}");
    assert!(!page.contains('\u{1b}'), "{page}");
    insta::assert_snapshot!(page);
}

#[test]
fn statuses_are_those_of_the_history() {
    let sample = Sample::new();
    for (function, status, in_latest) in [
        ("walk", "active", true),
        ("append", "new", true),
        ("render", "regressed", true),
        ("save", "fading", false),
        ("load", "increasing", true),
    ] {
        let group = sample.group(function);
        assert_eq!((&group["status"], &group["in_latest"]), (&json!(status), &json!(in_latest)));
    }
}

#[test]
fn a_group_that_was_resolved_regresses_when_a_later_build_has_it() {
    let mut sample = Sample::new();
    let id = sample.group("save")["id"].as_str().unwrap().to_owned();
    sample.says(&["state", &id[..5], "resolved", "--in", "3.0", "--note", "see bug 12"]);
    assert_eq!(sample.group("save")["status"], "resolved");
    assert!(sample.says(&["show", &id]).contains("see bug 12"));

    let record = sample.record("save", "null-read", "low", 2, START + 200 * DAY, 0);
    let stamp = sample.stamp();
    let mut store = Store::create(&sample.db).unwrap();
    store.add(&[(stamp, PackedRecord::of(&record).unwrap())], i64::from(i32::MAX)).unwrap();
    store.regroup().unwrap();
    assert_eq!(sample.group("save")["status"], "regressed");

    sample.says(&["state", &id, "ignored"]);
    assert_eq!(sample.group("save")["status"], "ignored");
    sample.says(&["state", &id, "open"]);
    assert_ne!(sample.group("save")["status"], "ignored");
}

#[test]
fn the_reason_of_what_is_new_within_one_release_counts_back_from_now() {
    let mut sample = Sample::of(&[("walk", "null-read", "low", [20, 0, 0])]);
    let record = sample.record("late", "null-read", "low", 0, START + 27 * DAY, 0);
    let mut store = Store::create(&sample.db).unwrap();
    let stamp = sample.stamp();
    store.add(&[(stamp, PackedRecord::of(&record).unwrap())], START + 90 * DAY).unwrap();
    store.regroup().unwrap();
    let late = sample.group("late");
    let reason = late["reason"].as_str().unwrap();
    assert!(reason.starts_with("first seen in the last 7 days: 1 dump; none of "), "{late}");
}

#[test]
fn the_gate_ends_with_3_and_says_why() {
    let sample = Sample::new();
    let output = sample.run(&["top", "--fail-on", "new,severity>=high"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("append in shopd: new (weak): first seen in 3.0"), "{said}");
    assert!(!said.contains('\u{1b}'), "{said}");
    let output = sample.run(&["top", "--fail-on", "regressed", "--where", "status!=regressed"]);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_gate_and_a_condition_may_ask_for_sure_statuses_only() {
    let sample =
        Sample::of(&[("walk", "null-read", "low", [9, 9, 9]), ("load", "abort", "low", [0, 0, 1])]);
    let gate = |condition: &str| sample.run(&["top", "--fail-on", condition]).status.code();
    assert_eq!((gate("new"), gate("new:sure"), gate("new:weak")), (Some(3), Some(0), Some(3)));
    let listed = |condition: &str| {
        let top = sample.json(&["top", "--json", "--where", condition]);
        top["groups_total"].as_u64().unwrap()
    };
    assert_eq!((listed("sure"), listed("weak"), listed("status=new:sure|active")), (1, 1, 1));
    for format in ["human", "markdown", "brief", "github", "junit"] {
        let text = sample.says(&["top", "--format", format]);
        assert!(text.contains("new (weak)"), "{format}: {text}");
    }
    assert!(sample.says(&["digest", "--since", "2020-01-01"]).contains("weak: first seen in 3.0"));
    let top = sample.json(&["top", "--json"]);
    assert_eq!(top["groups"][0]["is_sure"], true, "what is read first is sure");
}

#[test]
fn builds_are_listed_with_those_that_are_no_releases_and_the_order_can_be_corrected() {
    let mut sample = Sample::of(&[("walk", "null-read", "low", [9, 9, 9])]);
    let mut store = Store::create(&sample.db).unwrap();
    let mut stray = |exe: &str, build: &str| {
        let mut record = sample.record("walk", "null-read", "low", 2, START + 95 * DAY, 0);
        record.process =
            serde_json::from_value(json!({"comm": "shopd", "exe": exe, "build_id": build}))
                .unwrap();
        store
            .add(&[(sample.stamp(), PackedRecord::of(&record).unwrap())], START + 96 * DAY)
            .unwrap();
    };
    stray("/home/ann/shop/target/debug/shopd", &"4".repeat(40));
    stray("/srv/shopd", &"5".repeat(40));
    stray("/srv/shopd", "");
    drop(store);
    let builds = sample.json(&["builds", "--json"]);
    let program = &builds["programs"][0];
    let names = |list: &serde_json::Value, key: &str| -> Vec<String> {
        let list = list.as_array().unwrap().iter();
        list.map(|one| one[key].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&program["releases"], "name"), ["1.0", "2.0", "3.0"]);
    let mut others = names(&program["others"], "not_a_release");
    others.sort_unstable();
    assert_eq!(others, ["few-dumps", "local-build", "no-build-id"]);
    assert_eq!(program["ordered_by"], "version");
    let text = sample.says(&["builds", "shopd"]);
    assert!(text.contains("too few dumps to be a release") && text.contains("newest"), "{text}");
    let order = sample.says(&["builds", "--as-order"]);
    let file = sample.db.with_file_name("order.txt");
    std::fs::write(
        &file,
        order.replace(&format!("# {}", "5".repeat(40)), &format!("hotfix {} #", "5".repeat(40))),
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let builds = sample.json(&["builds", "--json", "--build-order", file]);
    assert_eq!(names(&builds["programs"][0]["releases"], "name"), ["1.0", "2.0", "3.0", "hotfix"]);
    let unknown = sample.run(&["builds", "shop"]);
    assert_eq!(unknown.status.code(), Some(64));
}

#[test]
fn conditions_select_dumps_and_groups() {
    let sample = Sample::new();
    let counts = |conditions: &str| -> Vec<u64> {
        let top = sample.json(&["top", "--json", "--sort", "count", "--where", conditions]);
        let groups = top["groups"].as_array().unwrap();
        groups.iter().map(|group| group["count"].as_u64().unwrap()).collect()
    };
    assert_eq!(counts("build=3.0"), [22, 8, 5, 4, 1]);
    assert_eq!(counts("class=null-*,build=1.0"), [9, 6, 2, 1]);
    assert_eq!(counts("host=db-1"), [5]);
    assert_eq!(counts("status=new|regressed"), [13, 5]);
    assert_eq!(counts("severity>=high"), [5, 3]);
    assert_eq!(counts("since=2026-03-29"), [1]);
    let output = sample.run(&["top", "--where", "colour=red"]);
    assert_eq!(output.status.code(), Some(64));
}

#[test]
fn every_format_has_every_group() {
    let sample = Sample::new();
    let lines = |format: &str| sample.says(&["top", "--format", format]).lines().count();
    assert_eq!((lines("json"), lines("ndjson"), lines("csv")), (1, 6, 7));
    let markdown = sample.says(&["top", "--format", "markdown"]);
    assert_eq!(markdown.lines().filter(|line| line.starts_with("| `")).count(), 6);
    assert!(!markdown.contains("<img src=x>|"), "{markdown}");
}

/// The groups of the other side: `save` is gone, `append` new, of `load` there are far more
/// and of `render` far fewer, `walk` is as it was.
const OTHER: [(&str, &str, &str, [u64; 3]); 5] = [
    ("walk", "null-read", "low", [6, 7, 8]),
    ("render", "assertion", "low", [0, 0, 14]),
    ("save", "null-read", "low", [9, 6, 0]),
    ("load", "null-write", "medium", [0, 0, 3]),
    ("<img src=x>|`rm`\u{1b}[31m", "null-call", "high", [1, 1, 1]),
];

#[test]
fn a_difference_lists_what_is_new_gone_more_and_fewer() {
    let now: Vec<_> = GROUPS
        .into_iter()
        .filter(|group| group.0 != "save")
        .map(
            |group| {
                if group.0 == "render" { (group.0, group.1, group.2, [1, 0, 0]) } else { group }
            },
        )
        .collect();
    let (old, new) = (Sample::of(&OTHER), Sample::of(&now));
    let directory = tempfile::tempdir().unwrap();
    let [before, after] = ["release.db", "nightly.db"].map(|name| directory.path().join(name));
    std::fs::copy(&old.db, &before).unwrap();
    std::fs::copy(&new.db, &after).unwrap();
    let diff = |more: &[&str]| {
        let out = Command::new(env!("CARGO_BIN_EXE_obit"))
            .arg("diff")
            .args([&before, &after])
            .args(more)
            .output()
            .unwrap();
        (String::from_utf8(out.stdout).unwrap(), out.status.code())
    };
    for columns in ["60", "100", "140"] {
        let (page, _) = diff(&["--width", columns]);
        insta::assert_snapshot!(format!("difference-{columns}"), page);
        let most: usize = columns.parse().unwrap();
        let widest = page.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(most), "{page}");
    }
    insta::assert_snapshot!("difference-markdown", diff(&["--format", "markdown"]).0);
    let json: serde_json::Value = serde_json::from_str(&diff(&["--json"]).0).unwrap();
    let changes: Vec<&str> =
        json["groups"].as_array().unwrap().iter().map(|g| g["change"].as_str().unwrap()).collect();
    assert_eq!(changes, ["new", "more", "same", "same", "fewer", "gone"]);
    assert_eq!(diff(&["--fail-on", "new"]).1, Some(3));
    let (log, code) = diff(&["--format", "sarif", "--fail-on", "new"]);
    let log: serde_json::Value = serde_json::from_str(&log).unwrap();
    let states: Vec<&str> = log["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["baselineState"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["new", "updated", "unchanged", "unchanged", "updated", "absent"]);
    assert_eq!(code, Some(3));
    insta::assert_snapshot!("difference-brief", diff(&["--format", "brief"]).0);
    insta::assert_snapshot!("difference-github", diff(&["--format", "github"]).0);
    insta::assert_snapshot!("difference-csv", diff(&["--format", "csv"]).0);
    assert_eq!(diff(&["--fail-on", "regressed"]).1, Some(0));
}

#[test]
fn a_narrow_list_has_signatures_in_lines_of_their_own() {
    let sample = Sample::new();
    for columns in ["60", "80"] {
        let page = sample.says(&["top", "--width", columns]);
        insta::assert_snapshot!(format!("top-{columns}"), page);
        let most: usize = columns.parse().unwrap();
        let widest = page.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(most), "{page}");
    }
}

#[test]
fn a_digest_lists_all_statuses_and_the_time_before() {
    let sample = Sample::new();
    let page = sample.says(&["digest", "--since", "2026-02-01", "--now", "2026-04-01"]);
    insta::assert_snapshot!(page);
    let nothing = sample.says(&["digest", "--since", "2026-05-01", "--now", "2026-05-02"]);
    insta::assert_snapshot!("digest-of-nothing", nothing);
}

#[test]
fn two_stores_are_compared_by_group() {
    let (old, new) = (Sample::new(), Sample::new());
    let same = Command::new(env!("CARGO_BIN_EXE_obit"))
        .args(["diff", "--fail-on", "new"])
        .args([&old.db, &new.db])
        .output()
        .unwrap();
    assert_eq!(same.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&same.stdout).contains("no group differs"));
}

#[test]
fn an_id_that_is_for_nothing_or_for_several_is_reported() {
    let sample = Sample::new();
    for (id, word) in [("nothing", "has the id or name"), ("obit-0000", "is ambiguous")] {
        let output = sample.run(&["show", id]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(64), "{said}");
        assert!(said.contains(word), "{said}");
    }
    let crash = sample.group("walk")["example"].as_str().unwrap().to_owned();
    assert!(sample.says(&["show", &crash]).contains("null-read it was"));
}

#[test]
fn the_json_of_the_views_is_what_its_schema_says() {
    let sample = Sample::new();
    let id = sample.group("walk")["id"].as_str().unwrap().to_owned();
    for (of, document) in [
        ("top", sample.json(&["top", "--json"])),
        ("group", sample.group("walk")),
        ("show", sample.json(&["show", &id, "--json"])),
    ] {
        let schema = Command::new(env!("CARGO_BIN_EXE_obit")).args(["schema", "--of", of]).output();
        let schema: serde_json::Value = serde_json::from_slice(&schema.unwrap().stdout).unwrap();
        let properties = schema["properties"].as_object().unwrap();
        for name in document.as_object().unwrap().keys() {
            assert!(properties.contains_key(name), "{of}: {name}");
        }
    }
}

#[test]
fn sarif_has_the_count_of_a_group_and_what_became_of_it() {
    let sample = Sample::new();
    let id = |function: &str| sample.group(function)["id"].as_str().unwrap().to_owned();
    sample.says(&["state", &id("walk"), "ignored"]);
    sample.says(&["state", &id("save"), "resolved", "--at", "2026-03-30"]);
    let log = sample.json(&["top", "--format", "sarif"]);
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 6);
    for (function, state, count) in [
        ("append", "new", 5),
        ("render", "new", 13),
        ("load", "updated", 26),
        ("walk", "unchanged", 21),
        ("save", "absent", 15),
    ] {
        let result = results
            .iter()
            .find(|result| result["properties"]["group"] == id(function).as_str())
            .unwrap();
        assert_eq!(result["baselineState"], state, "{function}");
        assert_eq!(result["occurrenceCount"], count, "{function}");
        let signature = format!("{:016x}", digest(function));
        assert_eq!(result["partialFingerprints"]["obitSignature/v1"], signature.as_str());
        assert_eq!(result["suppressions"].is_array(), function == "walk");
    }
}

#[test]
fn what_is_resolved_or_ignored_neither_fails_nor_annotates() {
    let sample = Sample::new();
    let id = |function: &str| sample.group(function)["id"].as_str().unwrap().to_owned();
    sample.says(&["state", &id("walk"), "ignored"]);
    sample.says(&["state", &id("save"), "resolved", "--at", "2026-03-30"]);
    let junit = sample.says(&["top", "--format", "junit"]);
    let report = quick_junit::Report::deserialize_from_str(&junit).unwrap();
    assert_eq!((report.tests, report.failures), (6, 4), "{junit}");
    assert_eq!(report.test_suites[0].skipped, 1);
    assert!(junit.contains("13 crashes, regressed"), "{junit}");
    let annotations = sample.says(&["top", "--format", "github"]);
    assert_eq!(annotations.lines().count(), 4, "{annotations}");
    let issues = sample.json(&["top", "--format", "gitlab"]);
    assert_eq!(issues.as_array().unwrap().len(), 4);
    let brief = sample.says(&["top", "--format", "brief"]);
    assert_eq!(brief.lines().count(), 6, "{brief}");
    assert!(!brief.contains('\u{1b}'), "{brief}");
}

#[test]
fn a_group_whose_records_were_deleted_is_reported_from_its_history() {
    let sample = Sample::new();
    sample.says(&["db", "gc", "--keep", "1s", "--keep-per-group", "0"]);
    for format in ["sarif", "junit", "github", "brief", "sentry"] {
        assert!(sample.says(&["top", "--format", format]).contains("null-write"), "{format}");
    }
}

#[test]
fn a_group_that_is_not_there_is_bad_usage_and_says_where_groups_are_listed() {
    let sample = Sample::new();
    for words in [
        &["group", "name", "zzz", "x"][..],
        &["group", "split", "zzz", "x"],
        &["group", "merge", "zzz", "yyy"],
        &["group", "signatures", "zzz"],
        &["show", "zzz"],
        &["state", "zzz", "ignored"],
    ] {
        let output = sample.run(words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(64), "{words:?}: {said}");
        assert!(said.contains("`obit top`") && said.lines().count() == 1, "{words:?}: {said}");
    }
}

#[test]
fn a_state_directory_that_cannot_be_written_names_the_way_out() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    std::fs::create_dir(directory.path().join("cores")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_obit"))
        .arg("triage")
        .arg(directory.path().join("cores"))
        // no one, not even root, makes a directory below a file.
        .env("XDG_STATE_HOME", file.join("state"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(74), "{said}");
    assert!(said.contains("--db FILE") && said.lines().count() == 1, "{said}");
}
