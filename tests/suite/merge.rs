//! Parts of a directory read apart, and brought together: the same as one run.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use crate::fixture::{Case, obit, stderr, stdout};
use serde_json::Value;
use tempfile::TempDir;

const OK: i32 = 0;
const UNUSABLE: i32 = 2;
const USAGE: i32 = 64;

/// A directory with cores, and a key that gives hidden values equal tokens in all runs.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::write(place.path("key"), "a key of thirty-two bytes, or more").unwrap();
        for case in ["null-field", "shared-lib", "recursion", "no-cfi", "inlines"] {
            let from = Case::named(case).core();
            let to = place.path("cores").join(case);
            fs::create_dir_all(&to).unwrap();
            fs::copy(&from, to.join("core.zst")).unwrap();
        }
        let copies = place.path("cores/copies");
        fs::create_dir(&copies).unwrap();
        for n in 0..6 {
            // A copy is the same dump; one that cannot be read is counted, too.
            fs::copy(Case::named("recursion").core(), copies.join(format!("core.{n}"))).unwrap();
            fs::write(
                copies.join(format!("core-broken-{n}")),
                [b"\x7fELF", [n; 9].as_slice()].concat(),
            )
            .unwrap();
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = obit();
        command.args(words).current_dir(self.0.path());
        command.env("XDG_STATE_HOME", self.path("state"));
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    #[track_caller]
    fn ok(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert_eq!(output.status.code(), Some(OK), "{words:?}: {}", stderr(&output));
        stdout(&output)
    }

    #[track_caller]
    fn triage(&self, more: &[&str]) -> String {
        self.ok(&[&["triage", "cores", "--redact-key", "key", "-q"], more].concat())
    }

    /// The list of one run over all.
    fn single(&self) -> String {
        self.triage(&["--db", "single.db"]);
        self.ok(&["top", "--json", "--db", "single.db"])
    }

    /// The files of the shards.
    fn shards(&self, of: usize, form: &str) -> Vec<String> {
        let shard = |number: usize| {
            let file = format!("{number}.{form}");
            let part = format!("{number}/{of}");
            self.triage(&["--shard", &part, "--emit", form, "-o", &file]);
            file
        };
        (1..=of).map(shard).collect()
    }

    #[track_caller]
    fn refuses(&self, files: &[&str], why: &[&str]) {
        let output = self.run(&[&["merge"], files, &["--db", "refused.db"]].concat());
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(UNUSABLE), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
        for why in why {
            assert!(message.contains(why), "no {why:?} in {message}");
        }
        assert!(!self.path("refused.db").exists(), "{message}");
    }
}

#[test]
fn shards_in_any_order_and_more_than_once_give_what_one_run_gives() {
    let place = Place::new();
    let wanted = place.single();
    for form in ["ndjson", "parquet"] {
        let files = place.shards(3, form);
        let [one, two, three] = [0, 1, 2].map(|at| files[at].as_str());
        let db = format!("{form}.db");
        place.ok(&["merge", three, one, two, one, "--db", &db]);
        assert_eq!(place.ok(&["top", "--json", "--db", &db]), wanted, "{form}");
        assert_eq!(place.ok(&["merge", two, three, one, "--no-db", "--json"]), wanted, "{form}");
        // Added once more, nothing is new.
        place.ok(&["merge", one, two, three, "--db", &db]);
        assert_eq!(place.ok(&["top", "--json", "--db", &db]), wanted, "{form}");
        place.ok(&["db", "check", "--db", &db]);
    }
    let text = place.ok(&["merge", "1.ndjson", "2.parquet", "3.ndjson", "--no-db"]);
    assert!(text.starts_with("shards: 3, records: 17"), "{text}");
}

#[test]
fn each_file_is_in_one_shard_and_the_directory_may_be_elsewhere() {
    let place = Place::new();
    fs::create_dir(place.path("mounted")).unwrap();
    let records = |directory: &str, shard: &str| -> (Value, Vec<String>) {
        let arguments = ["triage", directory, "--shard", shard, "--emit", "ndjson", "-q"];
        let text = place.ok(&arguments);
        let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let head = lines.next().unwrap();
        let dumps = lines.map(|record| record["dump"].as_str().unwrap().to_owned()).collect();
        (head, dumps)
    };
    let parts: Vec<_> = (1..=4).map(|n| records("cores", &format!("{n}/4"))).collect();
    let all: usize = parts.iter().map(|(_, dumps)| dumps.len()).sum();
    assert_eq!(all, 17);
    for (n, (head, dumps)) in parts.iter().enumerate() {
        assert_eq!(head["schema"], "obit.shard/1");
        assert_eq!((&head["shard"], &head["of"]), (&(n + 1).into(), &4.into()));
        assert_eq!((&head["records"], &head["files"]), (&dumps.len().into(), &17.into()));
        assert_eq!(head["listing"], parts[0].0["listing"]);
    }
    fs::rename(place.path("cores"), place.path("mounted/cores")).unwrap();
    assert_eq!(records("mounted/cores", "2/4"), parts[1]);
}

#[test]
fn a_shard_that_is_missing_is_named() {
    let place = Place::new();
    place.shards(3, "ndjson");
    place.refuses(&["3.ndjson", "1.ndjson"], &["shard 2 of 3 is missing", "--allow-missing"]);
    let words = ["merge", "3.ndjson", "1.ndjson", "--allow-missing", "--no-db"];
    let output = place.run(&words);
    assert_eq!(output.status.code(), Some(OK));
    assert!(stderr(&output).contains("shard 2 of 3 is missing"), "{}", stderr(&output));
    fs::write(place.path("cores/core.new"), b"\x7fELF").unwrap();
    place.triage(&["--shard", "2/3", "--emit", "ndjson", "-o", "2.ndjson"]);
    let files = ["1.ndjson", "2.ndjson", "3.ndjson"];
    place.refuses(&files, &["shards 1, 3 of 3", "shard 2 of 3", "files came or went"]);
}

#[test]
fn of_a_broken_shard_nothing_is_merged_and_the_error_names_file_and_row() {
    let place = Place::new();
    place.shards(2, "ndjson");
    place.shards(2, "parquet");
    let write = |name: &str, bytes: &[u8]| fs::write(place.path(name), bytes).unwrap();
    let whole = fs::read(place.path("2.ndjson")).unwrap();
    write("cut.ndjson", &whole[..whole.len() - 9]);
    place.refuses(&["1.ndjson", "cut.ndjson"], &["cut.ndjson: row ", "truncated", "nothing was"]);
    let text = String::from_utf8(whole).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[2] = "garbage";
    write("garbage.ndjson", format!("{}\n", lines.join("\n")).as_bytes());
    place.refuses(&["1.ndjson", "garbage.ndjson"], &["garbage.ndjson: row 3: it is not a record"]);
    write("newer.ndjson", text.replacen("obit.shard/1", "obit.shard/2", 1).as_bytes());
    place.refuses(&["newer.ndjson"], &["obit.shard/2", "obit.shard/1"]);
    write("empty.ndjson", b"");
    place.refuses(&["empty.ndjson"], &["empty.ndjson: it is empty"]);
    write("other.ndjson", b"{\"a\":1}\n");
    place.refuses(&["other.ndjson"], &["row 1: it is not a file of records"]);
    let parquet = fs::read(place.path("2.parquet")).unwrap();
    write("cut.parquet", &parquet[..parquet.len() - 1]);
    place.refuses(&["1.parquet", "cut.parquet"], &["cut.parquet: the Parquet file is truncated"]);
    let mut damaged = parquet.clone();
    damaged[60] ^= 0xff;
    damaged[parquet.len() / 2] ^= 0xff;
    write("damaged.parquet", &damaged);
    place.refuses(&["1.parquet", "damaged.parquet"], &["damaged.parquet: "]);
    place.refuses(&["nosuch.ndjson"], &["nosuch.ndjson: No such file"]);
    // In a store that is there, nothing changes.
    let before = place.single();
    let output = place.run(&["merge", "1.ndjson", "garbage.ndjson", "--db", "single.db"]);
    assert_eq!(output.status.code(), Some(UNUSABLE));
    assert_eq!(place.ok(&["top", "--json", "--db", "single.db"]), before);
}

#[test]
fn a_file_of_records_has_its_name_when_it_is_whole() {
    let place = Place::new();
    fs::write(place.path("1.ndjson"), "as it was").unwrap();
    let arguments = ["triage", "nosuch", "--emit", "ndjson", "-o", "1.ndjson"];
    assert_eq!(place.run(&arguments).status.code(), Some(UNUSABLE));
    assert_eq!(fs::read(place.path("1.ndjson")).unwrap(), b"as it was");
    place.triage(&["--emit", "ndjson", "-o", "1.ndjson"]);
    let left: Vec<_> = fs::read_dir(place.0.path()).unwrap().map(|one| one.unwrap()).collect();
    assert!(left.iter().all(|one| !one.file_name().to_string_lossy().ends_with(".part")));
    assert!(!place.path("state").exists(), "no store is used");
    assert!(place.ok(&["merge", "1.ndjson", "--no-db"]).starts_with("shards: 1, records: 17"));
}

#[test]
fn records_come_by_a_pipe_and_files_one_after_the_other_are_one() {
    let place = Place::new();
    let wanted = place.single();
    let all: Vec<u8> = place
        .shards(2, "ndjson")
        .iter()
        .flat_map(|file| fs::read(place.path(file)).unwrap())
        .collect();
    let mut command = place.command(&["merge", "-", "--no-db", "--json"]);
    let mut running = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut running.stdin.take().unwrap(), &all).unwrap();
    let output = running.wait_with_output().unwrap();
    assert_eq!(stdout(&output), wanted);
}

#[test]
fn what_makes_no_sense_together_is_refused() {
    let place = Place::new();
    for words in [["--shard", "0/4"], ["--shard", "5/4"], ["--shard", "4"], ["--emit", "csv"]] {
        let output = place.run(&[&["triage", "cores"], words.as_slice()].concat());
        assert_eq!(output.status.code(), Some(USAGE), "{words:?}");
    }
    for more in ["--db=x.db", "--json", "--since=1d", "--html=x.html", "--fail-on=new"] {
        let output = place.run(&["triage", "cores", "--emit", "ndjson", more]);
        assert_eq!(output.status.code(), Some(USAGE), "{more}");
        assert!(!place.path("x.db").exists());
    }
    assert!(stderr(&place.run(&["merge"])).contains("FILE"));
}
