//! `obit query` and `obit differ` as their users run them: over directories of real cores and
//! over groups of a store.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::fixture::{Case, obit, stderr, stdout};
use serde_json::Value;
use tempfile::TempDir;

const OK: i32 = 0;
/// As of grep.
const NOTHING_FOUND: i32 = 1;
const USAGE: i32 = 64;

/// A directory with cores and their programs, a store and a cache.
struct Place(TempDir);

impl Place {
    fn with(cases: &[&str]) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for case in cases {
            let to = place.cores().join(case);
            fs::create_dir_all(&to).unwrap();
            for entry in fs::read_dir(Case::named(case).directory).unwrap() {
                let entry = entry.unwrap();
                fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
            }
        }
        place
    }

    fn cores(&self) -> std::path::PathBuf {
        self.0.path().join("cores")
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = obit();
        command.args(words).env("XDG_CACHE_HOME", self.0.path().join("cache"));
        command.env("XDG_STATE_HOME", self.0.path().join("state"));
        command.current_dir(self.0.path());
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// The rows of a query over all cores.
    fn rows(&self, query: &str, more: &[&str]) -> Vec<Value> {
        let words = [&["query", "--format=ndjson", "-q", query, "cores"], more].concat();
        let output = self.run(&words);
        assert_eq!(output.status.code(), Some(OK), "{}", stderr(&output));
        stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The exit code, and the lines of the standard error.
    fn refused(&self, words: &[&str]) -> (i32, Vec<String>) {
        let output = self.run(&[&["query", "-q"], words].concat());
        let lines = stderr(&output).lines().map(str::to_owned).collect();
        (output.status.code().unwrap(), lines)
    }

    fn triage(&self) -> Vec<Value> {
        let output = self.run(&["triage", "-q", "cores"]);
        assert_eq!(output.status.code(), Some(OK), "{}", stderr(&output));
        let top = self.run(&["top", "--json"]);
        let top: Value = serde_json::from_str(&stdout(&top)).unwrap();
        top["groups"].as_array().unwrap().clone()
    }
}

#[test]
fn expressions_are_evaluated_in_each_frame_of_a_function_with_their_types() {
    let place = Place::with(&["null-field", "deadlock"]);
    let rows = place.rows("run_job { job->id, what = job->command, job->owner, /x job->id }", &[]);
    let found: Vec<&Value> = rows.iter().filter(|row| row["job->owner"] == "0x0").collect();
    let [row] = found[..] else { panic!("{rows:?}") };
    assert_eq!(row["job->id"], 2);
    assert_eq!(row["what"], "report");
    assert_eq!(row["/x job->id"], "0x2");
    assert_eq!(row["function"], "run_job");
    assert_eq!(row["signal"], "SIGSEGV");
    assert!(row["trust"] == "context" || row["trust"] == "cfi", "{row}");
    assert!(row["file"].as_str().unwrap().ends_with("jobd.c"));
    assert!(row["core"].as_str().unwrap().ends_with("null-field/core.zst"));
    assert!(rows.iter().all(|row| row["function"] == "run_job"));
}

#[test]
fn a_line_is_that_of_the_frame_and_inlined_calls_are_frames() {
    let place = Place::with(&["null-field"]);
    let all = place.rows("*", &["--crashed"]);
    let line = &all.iter().find(|row| row["function"] == "run_job").unwrap()["line"];
    let at_line = place.rows(&format!("jobd.c:{line} {{ job->id }}"), &["--crashed"]);
    assert_eq!(at_line.len(), 1);
    assert_eq!(at_line[0]["job->id"], 2);
    let in_range = place.rows(&format!("null-field/jobd.c:1-{line}"), &["--crashed"]).len();
    let in_file = place.rows("jobd.c:", &["--crashed"]).len();
    assert!(in_range >= 1 && in_file >= in_range, "{in_range} {in_file}");
    let inlined = place.rows("next_serial { owner }", &["--crashed"]);
    assert_eq!(inlined[0]["owner"], "0x0");
}

#[test]
fn rows_are_filtered_counted_sorted_and_cut() {
    let place = Place::with(&["null-field", "deadlock"]);
    let rows =
        place.rows("*", &["--where", "function ~ '^run_' and frame < 3", "--columns", "frame"]);
    assert!(!rows.is_empty() && rows.iter().all(|row| row["frame"].as_i64().unwrap() < 3));
    assert_eq!(rows[0].as_object().unwrap().len(), 1);
    let groups = place.rows("*", &["--group-by", "function", "--sort", "-count", "-n", "2"]);
    assert_eq!(groups.len(), 2);
    assert!(groups[0]["count"].as_i64() >= groups[1]["count"].as_i64());
    assert!(groups[0]["cores"].as_i64().unwrap() >= 1);
    let classes = place.rows("*", &["--crashed", "--where", "frame == 0", "--group-by", "class"]);
    assert!(classes.iter().any(|row| row["class"] == "null-read"), "{classes:?}");
    let none = place.refused(&["*", "cores", "--where", "function == no_such_function"]);
    assert_eq!(none.0, NOTHING_FOUND);
}

#[test]
fn what_has_no_value_says_why_and_equals_nothing() {
    let place = Place::with(&["null-field"]);
    let query = "run_job { name = job->owner->name, id = job->id }";
    let rows = place.rows(query, &["--crashed"]);
    let why = rows[0]["name"]["unavailable"].as_str().unwrap();
    assert!(why.contains("not mapped") || why.contains("0x"), "{why}");
    for condition in ["name == x", "name != x", "not name == x", "not name != x"] {
        let found = place.refused(&[query, "cores", "--crashed", "--where", condition]);
        assert_eq!(found.0, NOTHING_FOUND, "{condition}");
    }
    assert_eq!(place.rows(query, &["--crashed", "--where", "not known(name)"]).len(), 1);
}

#[test]
fn a_hidden_value_is_hidden_in_what_is_computed_from_it_and_in_every_condition() {
    let place = Place::with(&["null-field"]);
    let query = "run_job { what = job->command, first = job->command[0], \
                 is_r = job->command[0] == 114, later = *(job->command + 1) }";
    let off = place.rows(query, &["--crashed", "--redact=off"]);
    assert_eq!((&off[0]["what"], &off[0]["is_r"]), (&"report".into(), &true.into()));
    let strict = place.rows(query, &["--crashed", "--redact=strict"]);
    for column in ["what", "first", "is_r", "later"] {
        assert!(strict[0][column]["hidden"].is_string(), "{column}: {}", strict[0][column]);
    }
    let strict = ["cores", "--crashed", "--redact=strict", "--where"];
    for condition in ["is_r", "not is_r", "what ~ '^r'", "not what ~ '^r'", "first == 114"] {
        let found = place.refused(&[&[query], &strict[..], &[condition]].concat());
        assert_eq!(found.0, NOTHING_FOUND, "{condition}");
    }
}

#[test]
fn a_place_that_is_live_nowhere_is_reported_with_what_may_be_meant() {
    let place = Place::with(&["null-field"]);
    let (code, lines) = place.refused(&["run_jobb { job }", "cores"]);
    assert_eq!(code, NOTHING_FOUND);
    assert_eq!(lines, ["obit: no frame of 1 dump is at `run_jobb`; did you mean `run_job`?"]);
    let (code, lines) = place.refused(&["jobd.c:9999", "cores"]);
    assert_eq!(code, NOTHING_FOUND);
    assert!(lines[0].starts_with("obit: no frame of 1 dump is at `jobd.c:9999`"), "{lines:?}");
}

#[test]
fn what_is_wrong_with_a_query_is_pointed_at() {
    let place = Place::with(&["null-field"]);
    let refused = |words: &[&str]| {
        let (code, lines) = place.refused(words);
        assert_eq!(code, USAGE, "{lines:?}");
        lines
    };
    let lines = refused(&["run_job { job->id", "cores"]);
    assert_eq!(lines[0], "obit: the brace is not closed at column 9");
    assert_eq!(lines[2].trim_end(), "            ^");
    let lines = refused(&["run_job { job-> }", "cores"]);
    assert!(lines[0].starts_with("obit: syntax error at column"), "{lines:?}");
    let lines = refused(&["run_job { id = job->id }", "cores", "--where", "idd == 2"]);
    assert_eq!(lines[0], "obit: --where: no column `idd` at column 1; did you mean `id`?");
    let lines = refused(&["run_job", "cores", "--group-by", "functoin"]);
    assert!(lines[0].contains("did you mean `function`?"), "{lines:?}");
    let lines = refused(&["run_job { thread = job->id }", "cores"]);
    assert!(lines[0].contains("built-in column"), "{lines:?}");
    let lines = refused(&["run_job { count = job->id }", "cores"]);
    assert!(lines[0].contains("built-in column") && lines[0].contains("my_count"), "{lines:?}");
    let lines = refused(&["run_job(int)", "cores"]);
    assert!(lines[0].contains("without its parameters"), "{lines:?}");
    // Every frame refuses it: the values are written all the same.
    let lines = refused(&["run_job { jobb->id }", "cores", "--crashed"]);
    assert!(lines[0].contains("`jobb->id`: ") && lines[0].contains("the only frame"), "{lines:?}");
    let (code, lines) = place.refused(&["run_job", "no-such-directory/"]);
    assert_eq!(code, 2, "{lines:?}");
}

#[test]
fn cores_that_cannot_be_read_are_counted_and_do_not_end_the_run() {
    let place = Place::with(&["null-field"]);
    let mut damaged = Case::named("null-field").plain_core();
    damaged.truncate(100);
    fs::write(place.cores().join("core.1"), &damaged).unwrap();
    let output = place.run(&["query", "run_job { job->id }", "cores", "--json"]);
    assert_eq!(output.status.code(), Some(OK), "{}", stderr(&output));
    let found: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(found["schema"], "obit.query/1");
    assert_eq!((&found["cores"], &found["cores_with_place"]), (&2.into(), &1.into()));
    assert_eq!(found["failures"].as_array().unwrap().len(), 1);
    assert!(found["failures"][0]["reason"].as_str().unwrap().contains("core.1"));
    assert!(stderr(&output).contains("core.1"), "{}", stderr(&output));
}

#[test]
fn a_question_is_answered_again_without_reading_the_cores() {
    let place = Place::with(&["null-field", "deadlock"]);
    let ask = |more: &[&str]| {
        let words = [&["query", "--json", "run_job { job->id }", "cores"], more].concat();
        let found: Value = serde_json::from_str(&stdout(&place.run(&words))).unwrap();
        (found["rows"].clone(), found["notes"].to_string().contains("from the cache"))
    };
    let (first, was_kept) = ask(&[]);
    assert!(!was_kept);
    let (second, was_kept) = ask(&[]);
    assert!(was_kept);
    assert_eq!(first, second);
    for more in ["--rescan", "--no-cache", "--redact=strict", "--crashed"] {
        assert!(!ask(&[more]).1, "{more}");
    }
    // What is shown as it is is not kept.
    let kept = || fs::read_dir(place.0.path().join("cache/obit/queries")).unwrap().count();
    let before = kept();
    for _ in 0..2 {
        assert!(!ask(&["--redact=off"]).1);
    }
    assert_eq!(kept(), before);
    // A core that changed is read again; the other is not.
    let core = place.cores().join("deadlock/core.zst");
    let bytes = fs::read(&core).unwrap();
    fs::remove_file(&core).unwrap();
    fs::write(&core, bytes).unwrap();
    let words = ["query", "--json", "run_job { job->id }", "cores"];
    let found: Value = serde_json::from_str(&stdout(&place.run(&words))).unwrap();
    assert!(found["notes"].to_string().contains("(--rescan reads them again): 1"), "{found}");
}

#[test]
fn an_answer_counts_as_long_as_the_files_it_was_made_with_are_the_same_and_all_there() {
    let place = Place(tempfile::tempdir().unwrap());
    compile_server(&place);
    fs::create_dir_all(place.cores()).unwrap();
    crash(&place, 1, true);
    let was_kept = || {
        let output = place.run(&["query", "--json", "in_a { use_cache }", "cores"]);
        let found: Value = serde_json::from_str(&stdout(&output)).unwrap();
        assert_eq!(found["frames"], 1, "{}", stderr(&output));
        found["notes"].to_string().contains("from the cache")
    };
    assert_eq!([was_kept(), was_kept()], [false, true]);
    let program = place.0.path().join("server");
    let bytes = fs::read(&program).unwrap();
    let time = program.metadata().unwrap().modified().unwrap();
    fs::OpenOptions::new().append(true).open(&program).unwrap().set_modified(time).unwrap();
    assert_eq!([was_kept(), was_kept()], [false, true]);
    // Without a program, which may be there another time, nothing is final.
    fs::remove_file(&program).unwrap();
    let ask = || stdout(&place.run(&["query", "--json", "*", "cores"]));
    assert!(!ask().contains("from the cache") && !ask().contains("from the cache"));
    fs::write(&program, bytes).unwrap();
    assert!(!ask().contains("from the cache"));
}

#[test]
fn a_core_that_is_encrypted_is_said_to_be() {
    let place = Place::with(&[]);
    fs::create_dir_all(place.cores()).unwrap();
    let sealed = place.cores().join("core.7.age");
    fs::write(&sealed, b"age-encryption.org/v1\n-> X25519 abc\n").unwrap();
    for path in ["cores", "cores/core.7.age"] {
        for words in [&["query", "*"][..], &["triage"]] {
            let output = place.run(&[words, &[path]].concat());
            let said = stderr(&output);
            assert!(
                said.contains("core.7.age is encrypted") && said.contains("--identity"),
                "{said}"
            );
        }
    }
}

#[test]
fn groups_of_the_store_are_asked_by_their_ids() {
    let place = Place::with(&["null-field", "deadlock"]);
    let groups = place.triage();
    let group = groups.iter().find(|group| group["class"] == "null-read").unwrap();
    let id = group["id"].as_str().unwrap();
    let output = place.run(&["query", "--json", "*", id, "--group-by", "group,core"]);
    let found: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(found["cores"], 1, "{}", stderr(&output));
    assert_eq!(found["rows"][0]["group"], id);
    let all = place.run(&["query", "--json", "*", "--group-by", "core"]);
    let all: Value = serde_json::from_str(&stdout(&all)).unwrap();
    assert_eq!(all["cores"], 2);
    let (code, lines) = place.refused(&["*", "no-such-group"]);
    assert_eq!(code, USAGE);
    assert!(lines[0].contains("no group of the store"), "{lines:?}");
}

#[test]
fn a_table_for_a_person_and_one_for_a_spreadsheet_have_the_same_cells() {
    let place = Place::with(&["null-field"]);
    let query = "run_job { job->id, job->owner }";
    let page = stdout(&place.run(&["query", query, "cores", "--crashed"]));
    assert!(page.starts_with("1 frame in 1 of 1 core\n"), "{page}");
    assert!(page.contains("run_job") && page.contains("0x0"), "{page}");
    let csv = stdout(&place.run(&["query", query, "cores", "--crashed", "--format=csv"]));
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines[0].starts_with("core,pid,thread,frame,function,"), "{csv}");
    assert!(lines[0].ends_with(",job->id,job->owner"), "{csv}");
    assert!(lines[1].ends_with(",2,0x0"), "{csv}");
    let refused = place.run(&["query", query, "cores", "--format=sarif"]);
    assert_eq!(refused.status.code(), Some(USAGE));
    assert!(stderr(&refused).contains("formats that can: human, json, ndjson, csv"));
}

#[test]
fn too_few_dumps_distinguish_nothing() {
    let place = Place::with(&["null-field", "deadlock"]);
    let groups = place.triage();
    let output = place.run(&["differ", "-q", groups[0]["id"].as_str().unwrap()]);
    assert_eq!(output.status.code(), Some(NOTHING_FOUND), "{}", stderr(&output));
    assert!(stdout(&output).contains("too few dumps"), "{}", stdout(&output));
}

/// A program that crashes where its input says.
const SERVER: &str = "
    #include <stdio.h>
    #include <string.h>
    int use_cache;
    static volatile int *volatile nowhere;
    __attribute__((noinline)) void in_a(void) { *nowhere = 1; }
    __attribute__((noinline)) void in_b(void) { *nowhere = 2; }
    int main(int argc, char **argv) {
        static void (*const places[])(void) = { in_a, in_b };
        for (int i = 1; i < argc; i++) use_cache |= !strcmp(argv[i], \"--cache\");
        places[getchar() - '0']();
        return 0;
    }";

fn compile_server(place: &Place) {
    let source = place.0.path().join("server.c");
    fs::write(&source, SERVER).unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-g", "-O1", "-Wl,--build-id", "-o", "server"]).arg(&source);
    assert!(compiler.current_dir(place.0.path()).status().unwrap().success());
}

#[test]
fn what_a_group_shares_and_others_lack_comes_first_and_hidden_values_stay_hidden() {
    let place = Place(tempfile::tempdir().unwrap());
    compile_server(&place);
    for number in 0..16 {
        let in_group = number < 6;
        crash(&place, number, in_group);
    }
    let groups = place.triage();
    let is_a = |group: &&Value| group["signature"].as_str().unwrap().contains("in_a");
    let group = groups.iter().find(is_a).unwrap()["id"].as_str().unwrap();
    let output = place.run(&["differ", "-q", "--json", group]);
    assert_eq!(output.status.code(), Some(OK), "{}", stderr(&output));
    let found: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!((&found["dumps"], &found["cores"]), (&6.into(), &6.into()));
    let first = &found["distinctions"][0];
    let mut names = vec![first["name"].as_str().unwrap()];
    names
        .extend(first["alike"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()));
    for name in ["--cache", "use_cache", "MODE"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    assert_eq!((&first["count"], &first["known"]), (&6.into(), &6.into()));
    assert_eq!((&first["elsewhere"], &first["elsewhere_known"]), (&0.into(), &10.into()));
    assert!(!stdout(&output).contains("hunter2"), "{}", stdout(&output));
    // Without the cores, the record has the argument alone.
    let output = place.run(&["differ", "-q", "--json", "--no-cores", group]);
    assert!(stdout(&output).contains("--cache") && !stdout(&output).contains("use_cache"));
}

/// Records a crash. Those of the group have a flag and a variable of the environment.
fn crash(place: &Place, number: u32, in_group: bool) {
    let to = place.cores().join(number.to_string());
    let mut command = place.command(&["run", "-q", "-o"]);
    command.arg(&to).args(["--", "./server", if number.is_multiple_of(2) { "-v" } else { "-s" }]);
    command.env("API_TOKEN", format!("hunter2-{number}"));
    if in_group {
        command.arg("--cache").env("MODE", "fast");
    }
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null());
    let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
    let input: &[u8] = if in_group { b"0" } else { b"1" };
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input).unwrap();
    child.wait().unwrap();
    assert!(Path::new(&to).exists(), "no core of run {number}");
}
