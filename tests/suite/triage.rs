//! Many cores: what is found, what becomes of those that cannot be read, and what the store
//! holds whatever happens to a run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::fixture::{Case, base_name, obit, stderr, stdout};
use serde_json::Value;
use tempfile::TempDir;

/// A directory of cores, and a store.
pub(super) struct Place {
    pub(super) root: TempDir,
}

impl Place {
    pub(super) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("cores")).unwrap();
        Self { root }
    }

    pub(super) fn cores(&self) -> PathBuf {
        self.root.path().join("cores")
    }

    pub(super) fn db(&self) -> PathBuf {
        self.root.path().join("state/triage.db")
    }

    pub(super) fn put(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.cores().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    pub(super) fn command(&self, verb: &[&str]) -> Command {
        let mut command = obit();
        command.args(verb).arg("--db").arg(self.db());
        command
    }

    pub(super) fn triage(&self, more: &[&str]) -> Output {
        self.command(&["triage"]).arg(self.cores()).args(more).output().unwrap()
    }

    /// The records of a run.
    pub(super) fn records(&self, more: &[&str]) -> Vec<Value> {
        let output = self.triage(&[&["--format", "ndjson"], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        lines(&output)
    }

    /// The records of the store.
    pub(super) fn list(&self) -> Vec<Value> {
        let output = self.command(&["list", "--format", "ndjson"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        lines(&output)
    }

    #[track_caller]
    pub(super) fn is_whole(&self) {
        let output = self.command(&["db", "check"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
}

pub(super) fn lines(output: &Output) -> Vec<Value> {
    stdout(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(super) fn file_of(record: &Value) -> &str {
    base_name(record["core"]["path"].as_str().unwrap())
}

pub(super) fn reason_of(record: &Value) -> &str {
    record["reason"]["code"].as_str().unwrap_or("ok")
}

/// A small core with a thread of this number.
pub(super) fn numbered(number: u32) -> Vec<u8> {
    let mut core = Case::named("aarch64").plain_core();
    // `NT_PRSTATUS`: type 1, then the owner; `pr_pid` is 32 bytes into what follows.
    let note = core.windows(12).position(|bytes| bytes == b"\x01\0\0\0CORE\0\0\0\0").unwrap();
    core[note + 12 + 32..][..4].copy_from_slice(&number.to_le_bytes());
    core
}

/// A core that takes for ever: 300 GB of zeros in a few megabytes.
pub(super) fn endless() -> Vec<u8> {
    let mut head = vec![0; 1 << 20];
    head[..20].copy_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x04\0\x3e\0");
    head[20] = 1;
    head[32] = 64;
    head[52..58].copy_from_slice(&[64, 0, 56, 0, 1, 0]);
    // PT_LOAD at 1 MB, 1 TB long.
    head[64] = 1;
    head[72..80].copy_from_slice(&(1_u64 << 20).to_le_bytes());
    head[96..104].copy_from_slice(&(1_u64 << 40).to_le_bytes());
    head[104..112].copy_from_slice(&(1_u64 << 40).to_le_bytes());
    let zeros = zstd::encode_all(&vec![0; 64 << 20][..], 1).unwrap();
    let mut packed = zstd::encode_all(&head[..], 1).unwrap();
    for _ in 0..5000 {
        packed.extend_from_slice(&zeros);
    }
    packed
}

#[test]
fn a_core_counts_once_however_often_and_however_packed_it_is_there() {
    let place = Place::new();
    let case = Case::named("null-field");
    place.put("core.1.zst", &fs::read(case.core()).unwrap());
    place.put("core.2", &case.plain_core());
    fs::create_dir(place.cores().join("core.d")).unwrap();
    place.put("core.d/core.3", &case.plain_core());
    let records = place.records(&[]);
    let files: Vec<_> = records.iter().map(file_of).collect();
    assert_eq!(files, ["core.1.zst", "core.2", "core.3"]);
    let dumps: BTreeSet<_> = records.iter().map(|record| record["dump"].to_string()).collect();
    assert_eq!(dumps.len(), 1, "{dumps:?}");
    assert!(records.iter().all(|record| record["group"] == records[0]["group"]));
    assert_eq!(place.list().len(), 1);
    place.is_whole();
}

#[test]
fn what_cannot_be_read_is_a_record_with_a_reason_and_the_rest_is_read() {
    let place = Place::new();
    let core = numbered(1);
    place.put("core.good", &core);
    place.put("core.empty", b"");
    place.put("core.cut", &core[..200]);
    place.put("core.header", &[&core[..18], &[0xff; 20]].concat());
    place.put("core.packed.zst", b"\x28\xb5\x2f\xfd and then nonsense");
    place.put("notes.txt", b"not a core");
    place.put("core.c", b"int main;");
    place.put(
        "text.gz",
        b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xcbH\xcd\xc9\xc9\x07\0\x86\xa6\x106\x05\0\0\0",
    );
    fs::copy("/bin/true", place.cores().join("true")).unwrap();
    symlink("/dev/zero", place.cores().join("core.zero")).unwrap();
    symlink("core.loop", place.cores().join("core.loop")).unwrap();
    let fifo = place.cores().join("core.fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let records = place.records(&["--timeout", "30"]);
    let reasons: BTreeMap<_, _> =
        records.iter().map(|record| (file_of(record), reason_of(record))).collect();
    let expected = [
        ("core.cut", "no-threads"),
        ("core.empty", "empty"),
        ("core.good", "ok"),
        ("core.header", "damaged"),
        ("core.packed.zst", "packing"),
    ];
    assert_eq!(reasons, BTreeMap::from(expected));
    let output = place.triage(&["--rescan", "-v"]);
    let shown = stderr(&output);
    for (file, why) in [
        ("notes.txt", "not-a-core"),
        ("core.c", "not-a-core"),
        ("text.gz", "not-a-core"),
        ("true", "not-a-core"),
        ("core.zero", "link-outside"),
        ("core.fifo", "special"),
        ("core.loop", "link-loop"),
    ] {
        assert!(shown.contains(&format!("{file} ({why})")), "{file}: {shown}");
    }
    assert!(stdout(&output).contains("skipped 7 other files"), "{}", stdout(&output));
}

#[test]
fn a_file_that_was_named_and_is_not_a_core_is_a_failure() {
    let place = Place::new();
    let text = place.put("notes.txt", b"not a core");
    let gone = place.cores().join("gone");
    let fifo = place.cores().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let output = place
        .command(&["triage", "--format", "ndjson"])
        .args([&text, &gone, &fifo])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let reasons: Vec<_> = lines(&output).iter().map(|r| reason_of(r).to_owned()).collect();
    // A slip of the hand is reported, and is no crash.
    assert_eq!(reasons, ["not-a-core", "special"]);
    assert!(stderr(&output).contains("missing: "), "{}", stderr(&output));
    assert_eq!(place.list().len(), 2);
    // Nothing at all was there.
    let output = place.command(&["triage"]).arg(&gone).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let output = place.command(&["triage"]).output().unwrap();
    assert_eq!(output.status.code(), Some(64));
}

#[test]
fn lists_and_patterns_name_cores_too() {
    let place = Place::new();
    let one = place.put("core.1\nx", &numbered(1));
    let two = place.put("core.2", &numbered(2));
    place.put("other.3", &numbered(3));
    let listed = |args: &[&str], list: Vec<u8>| {
        let mut child = place
            .command(&["triage", "--format", "ndjson"])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&list).unwrap();
        lines(&child.wait_with_output().unwrap()).len()
    };
    let bytes = |path: &Path| path.as_os_str().as_encoded_bytes().to_vec();
    let list = [bytes(&one), vec![0], bytes(&two), vec![0]].concat();
    assert_eq!(listed(&["-0", "-"], list.clone()), 2);
    assert_eq!(listed(&["--files-from", "-", "--null"], list), 2);
    assert_eq!(listed(&["-"], [bytes(&two), b"\n".to_vec()].concat()), 1);
    let pattern = place.cores().join("core.*");
    assert_eq!(listed(&[pattern.to_str().unwrap()], Vec::new()), 2);
}

#[test]
fn a_second_run_reads_what_is_new_or_has_changed() {
    let place = Place::new();
    place.put("core.1", &numbered(1));
    place.put("core.2", &numbered(2));
    assert!(stdout(&place.triage(&[])).starts_with("2 cores: 2 new, 0 known"));
    place.put("core.3", &numbered(3));
    assert!(stdout(&place.triage(&[])).starts_with("3 cores: 1 new, 2 known"));
    // Records of earlier runs are written, too.
    assert_eq!(place.records(&[]).len(), 3);
    assert_eq!(place.records(&["--rescan"]).len(), 3);
    assert_eq!(place.list().len(), 3);
}

#[test]
fn a_cut_core_gives_way_to_the_whole_one_and_another_crash_counts_beside() {
    let place = Place::new();
    let whole = numbered(1);
    place.put("core", &whole[..whole.len() - 100]);
    let records = place.records(&[]);
    assert_eq!(records[0]["core"]["truncated"], true);
    place.put("core", &whole);
    let records = place.records(&[]);
    assert_eq!(records[0]["core"]["truncated"], false);
    assert_eq!(place.list().len(), 1);
    // A cut copy elsewhere is no other dump.
    place.put("core.copy", &whole[..whole.len() - 100]);
    place.records(&[]);
    assert_eq!(place.list().len(), 1);
    // The same name, another crash.
    place.put("core", &numbered(2));
    place.records(&[]);
    assert_eq!(place.list().len(), 2);
    // One that is cut, and then overwritten by another.
    place.put("core.x", &numbered(3)[..whole.len() - 100]);
    place.records(&[]);
    place.put("core.x", &numbered(4));
    place.records(&[]);
    assert_eq!(place.list().len(), 4);
    place.is_whole();
}

#[test]
fn an_empty_file_gives_way_to_the_core_that_is_written_to_it() {
    let place = Place::new();
    place.put("core.1", b"");
    assert_eq!(reason_of(&place.records(&[])[0]), "empty");
    place.put("core.1", &numbered(1));
    assert_eq!(reason_of(&place.records(&[])[0]), "ok");
    assert_eq!(place.list().len(), 1);
}

#[test]
fn a_core_that_hangs_or_swells_costs_its_own_record_only() {
    let place = Place::new();
    place.put("core.1", &numbered(1));
    place.put("core.2.zst", &endless());
    place.put("core.3", &numbered(3));
    let begun = Instant::now();
    let output = place.triage(&["--format", "ndjson", "--timeout", "1", "--jobs", "1"]);
    assert!(begun.elapsed() < Duration::from_secs(30));
    let records = lines(&output);
    let reasons: Vec<_> = records.iter().map(reason_of).collect();
    assert_eq!(reasons, ["ok", "timeout", "ok"], "{}", stderr(&output));
    assert!(stderr(&output).contains("--timeout"), "{}", stderr(&output));
    assert_eq!(output.status.code(), Some(0));
    let strict = place.triage(&["--rescan", "--strict", "--timeout", "0.5"]);
    assert_eq!(strict.status.code(), Some(1));
}

/// The processes that `parent` started.
fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_child = |number: &u32| {
        let Ok(stat) = fs::read_to_string(format!("/proc/{number}/stat")) else { return false };
        // pid (comm) state ppid
        let after = stat.rsplit(')').next().unwrap();
        after.split(' ').nth(2).and_then(|ppid| ppid.parse().ok()) == Some(parent)
    };
    numbers.filter(is_child).collect()
}

fn kill(signal: &str, process: u32) {
    let status = Command::new("kill").args([signal, &process.to_string()]).status().unwrap();
    assert!(status.success());
}

/// Waits until `what` gives something.
fn awaited<T>(mut what: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = what() {
            return found;
        }
        assert!(Instant::now() < end, "it did not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_worker_that_dies_costs_the_record_of_its_core() {
    let place = Place::new();
    place.put("core.1.zst", &endless());
    place.put("core.2", &numbered(2));
    let child = place
        .command(&["triage", "--jobs", "1", "--format", "ndjson"])
        .arg(place.cores())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let worker = awaited(|| children(child.id()).first().copied());
    kill("-ILL", worker);
    let records = lines(&child.wait_with_output().unwrap());
    let reasons: Vec<_> = records.iter().map(reason_of).collect();
    assert_eq!(reasons, ["crashed", "ok"]);
    let text = records[0]["reason"]["text"].as_str().unwrap();
    assert!(text.contains("signal 4"), "{text}");
}

#[test]
fn a_worker_has_so_much_memory_and_no_more() {
    let place = Place::new();
    place.put("core.1", &Case::named("recursion").plain_core());
    let records = place.records(&["--max-memory", "3M"]);
    assert_eq!(reason_of(&records[0]), "memory", "{}", records[0]["reason"]);
    let records = place.records(&["--rescan"]);
    assert_eq!(reason_of(&records[0]), "ok");
}

#[test]
fn a_killed_run_leaves_no_worker_and_the_next_goes_on_where_it_was() {
    let place = Place::new();
    const CORES: usize = 150;
    for number in 0..CORES {
        place.put(&format!("core.{number:03}"), &numbered(u32::try_from(number).unwrap() + 1));
    }
    place.put("core.zzz.zst", &endless());
    let mut child = place
        .command(&["triage", "--jobs", "2"])
        .arg(place.cores())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The last one keeps it until all others are committed.
    awaited(|| (place.db().exists() && place.list().len() >= 64).then_some(()));
    let workers = children(child.id());
    assert!(!workers.is_empty());
    kill("-KILL", child.id());
    child.wait().unwrap();
    for worker in workers {
        awaited(|| {
            let stat = fs::read_to_string(format!("/proc/{worker}/stat")).unwrap_or_default();
            (stat.is_empty() || stat.contains(") Z ")).then_some(())
        });
    }
    place.is_whole();
    fs::remove_file(place.cores().join("core.zzz.zst")).unwrap();
    let shown = stdout(&place.triage(&[]));
    assert!(shown.starts_with("150 cores: "), "{shown}");
    let files: BTreeSet<_> = place.list().iter().map(|r| file_of(r).to_owned()).collect();
    assert_eq!((files.len(), place.list().len()), (CORES, CORES));
}

#[test]
fn an_interrupted_run_keeps_what_it_has() {
    let place = Place::new();
    place.put("core.1", &numbered(1));
    place.put("core.2.zst", &endless());
    let mut child = place
        .command(&["triage", "--jobs", "1", "-q"])
        .arg(place.cores())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    awaited(|| (place.db().exists() && place.list().len() == 1).then_some(()));
    // Not `INT`, which a run of tests in the background inherits as ignored.
    kill("-TERM", child.id());
    let status = child.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(15));
    place.is_whole();
    assert_eq!(place.list().len(), 1);
}

#[test]
fn ctrl_c_says_what_was_kept_and_how_to_go_on() {
    let place = Place::new();
    place.put("core.1", &numbered(1));
    place.put("core.2.zst", &endless());
    let child = place
        .command(&["triage", "--jobs", "1"])
        .arg(place.cores())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    awaited(|| (place.db().exists() && place.list().len() == 1).then_some(()));
    kill("-INT", child.id());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let said = stderr(&output);
    assert!(said.contains("1 of 2 dumps were stored"), "{said}");
    assert!(said.contains("the same command"), "{said}");
    place.is_whole();
    assert!(place.list().iter().all(|record| record["group"] != Value::Null));
}

#[test]
fn two_runs_at_once_end_with_every_core_once() {
    let place = Place::new();
    for number in 0..60 {
        place.put(&format!("core.{number:03}"), &numbered(number + 1));
    }
    let start = || {
        let mut command = place.command(&["triage"]);
        command.arg(place.cores()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let both = [start(), start()];
    for child in both {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    assert_eq!(place.list().len(), 60);
    place.is_whole();
}

#[test]
fn groups_do_not_depend_on_jobs_or_on_how_the_input_was_split() {
    let cases = ["null-field", "no-cfi", "use-after-free", "shared-lib", "aarch64", "recursion"];
    let groups = |runs: &[&[&str]], jobs: &str| {
        let place = Place::new();
        for run in runs {
            for case in *run {
                let core = fs::read(Case::named(case).core()).unwrap();
                place.put(&format!("core.{case}.zst"), &core);
            }
            place.records(&["--jobs", jobs]);
        }
        let records = place.list().into_iter();
        let groups: BTreeMap<_, _> =
            records.map(|r| (file_of(&r).to_owned(), r["group"].to_string())).collect();
        groups
    };
    let at_once = groups(&[&cases], "1");
    assert_eq!(at_once.len(), cases.len());
    assert_eq!(at_once, groups(&[&cases], "3"));
    let mut backwards = cases;
    backwards.reverse();
    assert_eq!(at_once, groups(&[&backwards[..2], &backwards[2..]], "2"));
}

#[test]
fn records_can_be_had_as_they_are_done_and_without_a_store() {
    let place = Place::new();
    place.put("core.1", &numbered(1));
    place.put("core.2", &numbered(2));
    assert_eq!(place.records(&["--order", "finished"]).len(), 2);
    let mut command = obit();
    command.arg("triage").arg(place.cores()).args(["--no-db", "--json"]);
    let output = command.env("XDG_STATE_HOME", place.root.path().join("home")).output().unwrap();
    let all: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert!(all[0]["group"].is_string());
    assert!(!place.root.path().join("home").exists());
}
