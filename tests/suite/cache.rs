//! `obit cache`, and `--cache-dir`.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::fixture::{Case, obit, stderr, stdout};
use serde_json::Value;
use tempfile::TempDir;

/// A program with compressed debug sections, and a cache of its own.
struct Program {
    directory: TempDir,
}

impl Program {
    fn new() -> Self {
        let program = Self { directory: tempfile::tempdir().unwrap() };
        let source = program.directory.path().join("main.c");
        // Enough names to be kept.
        let line = |n| format!("struct type_{n} {{ int member; struct type_{n} *next; }} v_{n};\n");
        let lines: String = (0..12_000).map(line).collect();
        fs::write(&source, lines + "int main(int argc, char **argv)\n{ return argc > 1 ? *(volatile int *)0 : v_0.member; }\n").unwrap();
        let mut compiler = Command::new("cc");
        compiler.args(["-g", "-gz=zlib", "-o"]).arg(program.path()).arg(source);
        assert!(compiler.status().unwrap().success());
        program
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("prog")
    }

    fn cache(&self) -> PathBuf {
        self.directory.path().join("cache")
    }

    fn command<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Command {
        let mut command = obit();
        command.args(words).env("OBIT_CACHE_DIR", self.cache()).stdin(Stdio::null());
        command
    }

    fn warm(&self) -> Command {
        let mut command = self.command(["cache", "warm"]);
        command.arg(self.path());
        command
    }

    fn status(&self) -> Value {
        let text = done(self.command(["cache", "status", "--check", "--json"]));
        serde_json::from_str(&text).unwrap()
    }

    fn entries(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.cache()).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

#[track_caller]
fn done(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stdout(&output)
}

#[track_caller]
fn refused(mut command: Command, code: i32, why: &str) {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
    assert!(stderr(&output).contains(why), "{}", stderr(&output));
    assert_eq!(stdout(&output), "");
}

fn number(status: &Value, pointer: &str) -> u64 {
    status.pointer(pointer).unwrap().as_u64().unwrap()
}

#[test]
fn a_program_is_unpacked_and_indexed_once_and_cleared() {
    let program = Program::new();
    let empty = program.status();
    assert_eq!((number(&empty, "/entries"), &empty["oldest_use"]), (0, &Value::Null));
    let stored = done(program.warm());
    assert!(stored.contains(": stored ") && stored.contains("and the name index"), "{stored}");
    let full = program.status();
    assert!(number(&full, "/sections/entries") > 0, "{full}");
    assert_eq!(number(&full, "/name_indexes/entries"), 1, "{full}");
    let files: u64 = program.entries().iter().map(|path| path.metadata().unwrap().len()).sum();
    assert_eq!(number(&full, "/bytes"), files);
    let known = done(program.warm());
    assert_eq!(known, stored.replace(": stored ", ": already stored "));
    assert_eq!(program.status(), full);
    let notes = program.cache().join("notes");
    fs::write(&notes, "mine").unwrap();
    let count = number(&full, "/entries");
    let cleared = done(program.command(["cache", "clear"]));
    assert!(cleared.contains(&format!(": {count} entries removed, ")), "{cleared}");
    assert_eq!(program.entries(), [notes]);
    assert_eq!(done(program.warm()), stored);
}

#[test]
fn the_cache_of_a_program_is_the_same_without_a_sandbox() {
    let program = Program::new();
    let stored = done(program.warm());
    let full = program.status();
    done(program.command(["cache", "clear"]));
    let mut alone = program.warm();
    alone.arg("--sandbox=off");
    assert_eq!(done(alone), stored);
    assert_eq!(number(&program.status(), "/bytes"), number(&full, "/bytes"));
}

#[test]
fn damaged_entries_are_reported_and_made_again() {
    let program = Program::new();
    let stored = done(program.warm());
    let entries = program.entries();
    for (path, at) in entries.iter().zip([0, 5, 70, 71]) {
        let file = fs::OpenOptions::new().write(true).read(true).open(path).unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 0x55], at).unwrap();
        // As if the machine had been started again since: only then content is checked.
        file.write_all_at(&[7; 8], 56).unwrap();
    }
    let damaged = number(&program.status(), "/damaged/entries");
    assert_eq!(damaged, entries.len().min(4) as u64);
    done(program.warm());
    assert_eq!(number(&program.status(), "/damaged/entries"), 0);
    assert_eq!(done(program.warm()), stored.replace(": stored ", ": already stored "));
}

#[test]
fn processes_that_store_the_same_at_the_same_time_leave_whole_entries() {
    let program = Program::new();
    done(program.warm());
    let entries = number(&program.status(), "/entries");
    for _ in 0..3 {
        done(program.command(["cache", "clear"]));
        let mut running: Vec<_> = (0..4).map(|_| program.warm().spawn().unwrap()).collect();
        for process in &mut running {
            assert!(process.wait().unwrap().success());
        }
        let status = program.status();
        assert_eq!(number(&status, "/entries"), entries, "{status}");
        assert_eq!(number(&status, "/damaged/entries"), 0, "{status}");
        assert_eq!(number(&status, "/unfinished/entries"), 0, "{status}");
    }
}

#[test]
fn of_a_core_all_modules_are_prepared() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = obit();
    command.args(["cache", "warm", "--cache-dir"]).arg(directory.path().join("cache"));
    command.arg(Case::named("shared-lib").core());
    let text = done(command);
    assert!(text.contains("libshapes.so: "), "{text}");
    assert!(text.contains("prog: "), "{text}");
}

#[test]
fn a_report_finds_everything_that_was_prepared() {
    let program = Program::new();
    let crashes = program.directory.path().join("crashes");
    let mut run = program.command(["run", "-q", "-o"]);
    run.arg(&crashes).arg("--").arg(program.path()).arg("crash");
    assert!(!run.output().unwrap().status.success());
    let mut files = fs::read_dir(crashes).unwrap().map(|entry| entry.unwrap().path());
    let core = files.find(|path| path.extension().is_some_and(|end| end == "core")).unwrap();
    done(program.command(["cache", "clear"]));
    let mut warm = program.command(["cache", "warm"]);
    warm.arg(&core);
    assert!(done(warm).contains("prog: stored "));
    let before = program.status();
    let mut report = program.command(["--locals=all", "--json"]);
    report.arg(&core);
    assert!(done(report).contains("main.c"));
    assert_eq!(program.status(), before);
}

#[test]
fn a_directory_that_cannot_be_the_cache_is_named_once_and_costs_no_report() {
    let directory = tempfile::tempdir().unwrap();
    let open = directory.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, Permissions::from_mode(0o777)).unwrap();
    let core = Case::named("null-field").core();
    let cores = core.parent().unwrap();
    for (place, why) in [(open.as_path(), "others may write"), (Path::new("here"), "absolute")] {
        for line in [
            vec![core.as_os_str(), core.as_os_str()],
            vec![core.as_os_str(), OsStr::new("--sandbox=off")],
            vec![OsStr::new("triage"), OsStr::new("--no-db"), cores.as_os_str()],
        ] {
            let mut command = obit();
            command.args(&line).arg("--cache-dir").arg(place);
            let output = command.output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
            assert!(stdout(&output).contains("next_serial"), "{}", stdout(&output));
            let said = stderr(&output);
            assert_eq!(said.matches("--cache-dir: ").count(), 1, "{line:?}: {said}");
            assert!(said.contains(why), "{said}");
        }
        for verb in ["status", "clear"] {
            let mut command = obit();
            command.args(["cache", verb, "--cache-dir"]).arg(place);
            refused(command, 2, why);
        }
    }
    assert_eq!(fs::read_dir(&open).unwrap().count(), 0);
}

#[test]
fn what_has_no_debug_information_to_prepare_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let text = directory.path().join("text");
    fs::write(&text, "a text that is longer than the header of an ELF file has to be").unwrap();
    let cut = directory.path().join("cut");
    fs::write(&cut, [&b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0"[..], &[0; 4]].concat())
        .unwrap();
    let missing = directory.path().join("missing");
    for (path, why) in [
        (text.as_path(), "text is neither a program"),
        (&cut, "cut: "),
        (directory.path(), "is a directory"),
        (&missing, "no such file: "),
    ] {
        let mut command = obit();
        command.args(["cache", "warm", "--cache-dir"]).arg(directory.path().join("cache"));
        command.arg(path);
        refused(command, 2, why);
    }
    let mut command = obit();
    command.args(["cache", "warm", "--no-cache"]).arg(&text);
    refused(command, 64, "--no-cache");
}
