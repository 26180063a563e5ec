//! Crashes over time: periods, surges, and who works on a group.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::process::{Command, Output};

use obit::triage::store::{FileStamp, Store};
use obit::triage::{PackedRecord, read_record};
use serde_json::{Value, json};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// 2026-03-01.
const START: i64 = 1_772_323_200;

struct Sample {
    directory: tempfile::TempDir,
    db: PathBuf,
}

/// `print_item` fails once a day for 20 days and 12 times in one hour of the last, `save` five
/// times on the third day.
fn sample() -> Sample {
    let directory = tempfile::tempdir().unwrap();
    let db = directory.path().join("t.db");
    let mut store = Store::create(&db).unwrap();
    let daily = (0..20).map(|day| ("print_item", START + day * DAY + 9 * HOUR));
    let burst = (0..12).map(|n| ("print_item", START + 19 * DAY + 14 * HOUR + n * 60));
    let save = (0..5).map(|n| ("save", START + 2 * DAY + n * HOUR));
    for (n, (function, time)) in daily.chain(burst).chain(save).enumerate() {
        let id = format!("obit-{:016x}", (n + 1) * 0x1111_2222);
        let record = json!({
            "schema": "obit.record/1", "status": "ok", "dump": id, "id": id, "time": time,
            "process": {"exe": "/opt/shop/bin/shopd", "build_id": "1".repeat(40)},
            "signal": {"number": 11, "name": "SIGSEGV"},
            "cause": {"class": "null-read", "severity": "low", "title": "NULL pointer read",
                "explanation": "`items[3].name` is NULL; reading 1 byte at 0x0",
                "confidence": "proved", "blame": {"frame": 0, "function": function}},
            "signature": {"id": format!("{:016x}", function.len()), "version": 1,
                "text": format!("{function} in shopd")},
            "frames": [function],
            "threads": [{"tid": 7, "crashed": true, "frames": [
                {"index": 0, "function": function, "module": {"path": "/opt/shop/bin/shopd"}}]}],
        });
        let record = read_record(record.to_string().as_bytes()).unwrap();
        let mut key = [0; 32];
        key[0] = n as u8;
        let stamp = FileStamp { key, size: 1, mtime: 0, inode: n as u64, device: 1 };
        store.add(&[(stamp, PackedRecord::of(&record).unwrap())], START + 30 * DAY).unwrap();
    }
    store.regroup().unwrap();
    Sample { directory, db }
}

impl Sample {
    fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_obit"));
        command.args(words).arg("--db").arg(&self.db).env("NO_COLOR", "1").output().unwrap()
    }

    /// The exit code, and what was printed.
    fn ends(&self, words: &[&str]) -> (Option<i32>, String, String) {
        let output = self.run(words);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    fn says(&self, words: &[&str]) -> String {
        let (code, out, errors) = self.ends(words);
        assert_eq!(code, Some(0), "{words:?}: {errors}");
        out
    }

    fn top(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.says(&[&["top", "--json"], words].concat())).unwrap()
    }

    /// The id of the group that most dumps are in.
    fn first(&self) -> String {
        self.top(&["--sort", "count"])["groups"][0]["id"].as_str().unwrap().to_owned()
    }
}

#[test]
fn lengths_count_back_from_now_in_every_verb() {
    let sample = sample();
    let words = ["--since", "2d", "--now", "2026-03-05"];
    assert_eq!(sample.top(&words)["dumps"], 7);
    let digest = sample.says(&[&["digest"], words.as_slice()].concat());
    assert!(digest.contains("# Crashes since 2026-03-03 00:00 UTC"), "{digest}");
    assert!(digest.contains("7 dumps in 2 groups; 2 in the preceding period"), "{digest}");
    let digest: Value =
        serde_json::from_str(&sample.says(&[&["digest", "--json"], words.as_slice()].concat()))
            .unwrap();
    assert_eq!(digest["series"]["start"], START + 2 * DAY);
    assert_eq!(digest["groups"][0]["trend"]["from"], START + 2 * DAY);
    let list = sample.says(&[&["list"], words.as_slice()].concat());
    assert_eq!(list.lines().count(), 7);
    let group = sample.first();
    let show = sample.says(&[&["show", &group, "--json"], words.as_slice()].concat());
    assert_eq!(serde_json::from_str::<Value>(&show).unwrap()["group"]["count"], 2);
    // A condition too, and a difference by its sides.
    assert_eq!(sample.top(&["--where", "since=2d", "--now", "2026-03-05"])["dumps"], 7);
    let db = sample.db.to_str().unwrap();
    let mut diff = Command::new(env!("CARGO_BIN_EXE_obit"));
    let diff = diff.args(["diff", db, db, "--json"]).args(words).output().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&diff.stdout).unwrap()["current"]["dumps"], 7);
}

#[test]
fn an_archive_names_its_newest_dump_and_the_option_to_type() {
    let sample = sample();
    let hint = "--now 2026-03-20T14:11:00Z";
    for verb in ["top", "digest"] {
        let page = sample.says(&[verb, "--since", "7d", "--format", "markdown"]);
        assert!(page.contains("the newest is of 2026-03-20 14:11 UTC"), "{page}");
        assert!(page.contains(hint), "{page}");
    }
    assert_eq!(sample.top(&["--since", "7d", "--now", &hint[6..]])["dumps"], 19);
    let (code, _, errors) = sample.ends(&["show", &sample.first(), "--since", "7d"]);
    assert_eq!(code, Some(64));
    assert!(errors.contains(hint), "{errors}");
}

#[test]
fn an_hour_with_far_more_crashes_is_reported_and_fails_a_gate() {
    let sample = sample();
    let found = sample.top(&["--where", "surge"]);
    assert_eq!(found["groups"].as_array().unwrap().len(), 1);
    let surge = &found["groups"][0]["surge"];
    assert_eq!(
        (&surge["hour"], &surge["count"]),
        (&json!(START + 19 * DAY + 14 * HOUR), &json!(12))
    );
    let (code, _, errors) = sample.ends(&["top", "--fail-on", "surge"]);
    assert_eq!(code, Some(3));
    assert!(errors.contains("surge: 12 dumps in the hour from 2026-03-20 14:00 UTC"), "{errors}");
    // A day earlier there was none.
    assert_eq!(sample.ends(&["top", "--fail-on", "surge", "--now", "2026-03-20"]).0, Some(0));
    for format in ["human", "markdown"] {
        let page = sample.says(&["show", &sample.first(), "--format", format]);
        assert!(page.contains("12 dumps in the hour from 2026-03-20 14:00 UTC"), "{page}");
    }
}

#[test]
fn dumps_are_counted_by_the_hour_the_day_or_the_week() {
    let sample = sample();
    let series = |words: &[&str]| sample.top(words)["series"].clone();
    assert_eq!((&series(&[])["per"], &series(&[])["counts"][2]), (&json!("day"), &json!(6)));
    // From Monday 2026-02-23.
    let weeks = series(&["--per", "week"]);
    assert_eq!(
        (&weeks["start"], &weeks["counts"]),
        (&json!(START - 6 * DAY), &json!([1, 12, 7, 17]))
    );
    assert_eq!(series(&["--since", "2026-03-19"])["per"], "hour");
    let page = sample.says(&["show", &sample.first(), "--width", "80"]);
    assert!(page.contains("dumps per day\n13 \u{2524}"), "{page}");
    assert!(page.contains("2026-03-01") && page.contains("2026-03-20 UTC"), "{page}");
}

#[test]
fn every_format_has_the_same_title() {
    let sample = sample();
    let title = "items[3].name is NULL in print_item";
    for format in ["human", "json", "ndjson", "markdown", "csv", "brief", "sarif"] {
        let page = sample.says(&["top", "--format", format, "--width", "100"]);
        assert!(page.contains(title), "{format}: {page}");
    }
    let digest = sample.says(&["digest", "--since", "2026-03-01", "--now", "2026-04-01"]);
    assert!(digest.contains(&format!("`{title}` (null-read)")), "{digest}");
    let page = sample.directory.path().join("page.html");
    sample.says(&["top", "--html", page.to_str().unwrap()]);
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains(&format!("{title} <code class=\"class\">null-read</code>")));
}

#[test]
fn a_group_has_an_assignee_and_a_ticket_beside_its_state() {
    let sample = sample();
    let group = sample.first();
    let link = "https://bugs.example/4711";
    sample.says(&["state", &group, "--assign", "ada", "--link", link]);
    assert_eq!(sample.top(&["--where", "assignee=ada"])["groups"][0]["state"], "open");
    sample.says(&["state", &group, "ignored", "--note", "known"]);
    let top = sample.top(&["--where", "assignee=ada"]);
    assert_eq!(
        (&top["groups"][0]["link"], &top["groups"][0]["state"]),
        (&json!(link), &json!("ignored"))
    );
    for words in [&["top"][..], &["show", &group], &["show", &group, "--format", "md"]] {
        let page = sample.says(words);
        assert!(page.contains("assigned to ada") && page.contains(link), "{page}");
    }
    let (code, _, errors) = sample.ends(&["state", &group, "--link", "javascript:alert(1)"]);
    assert_eq!(code, Some(64), "{errors}");
    sample.says(&["state", &group, "--unassign", "--unlink"]);
    assert_eq!(sample.top(&["--where", "assignee=none"])["groups"].as_array().unwrap().len(), 2);
}
