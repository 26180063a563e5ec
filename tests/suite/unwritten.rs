//! `obit memory` shows exactly the bytes that no file got.
//!
//! The programs of `unwritten/` are compiled here and crash for real. What they write when they
//! end well, minus what is on disk after the crash, is the truth.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::fixture::{Case, list, obit, run, stderr, stdout};

/// The files of a run, and its core.
struct Ran {
    directory: TempDir,
}

impl Ran {
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.directory.path().join("files")).unwrap();
        let mut files: BTreeMap<_, _> = entries
            .map(|entry| {
                let entry = entry.unwrap();
                (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
            })
            .collect();
        let output = fs::read(self.directory.path().join("standard-output")).unwrap();
        files.insert("standard-output".to_owned(), output);
        files
    }

    fn core(&self) -> PathBuf {
        let entries = fs::read_dir(self.directory.path().join("cwd")).unwrap();
        entries
            .map(|entry| entry.unwrap().path())
            .find(|path| path.file_name().unwrap().to_string_lossy().starts_with("core"))
            .unwrap()
    }

    fn memory(&self, options: &[&str]) -> Value {
        let core = self.core();
        let words = [&["memory", core.to_str().unwrap(), "--json", "-q"], options].concat();
        let output = run(words);
        serde_json::from_str(&stdout(&output)).unwrap_or_else(|_| panic!("{}", stderr(&output)))
    }
}

/// Runs a program with its files in a directory of its own; `None` where the kernel gives cores to
/// another program.
fn ran(program: &Path, arguments: &[&str]) -> Option<Ran> {
    ran_with(program, &[], arguments)
}

/// As [`ran`], with arguments before the directory.
fn ran_with(program: &Path, before: &[&str], arguments: &[&str]) -> Option<Ran> {
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    if pattern.trim() != "core" {
        eprintln!("skipped: the kernel's core_pattern is {}, not core", pattern.trim());
        return None;
    }
    let directory = tempfile::tempdir().unwrap();
    let (files, cwd) = (directory.path().join("files"), directory.path().join("cwd"));
    fs::create_dir(&files).unwrap();
    fs::create_dir(&cwd).unwrap();
    let output = fs::File::create(directory.path().join("standard-output")).unwrap();
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -c unlimited; exec \"$@\"", "sh"])
        .arg(program)
        .args(before)
        .arg(&files);
    command.args(arguments).current_dir(cwd).env("LC_ALL", "C.UTF-8").env("GOTRACEBACK", "crash");
    command.stdout(output).stderr(Stdio::null()).status().unwrap();
    Some(Ran { directory })
}

fn built(source: &str, compiler: &[&str]) -> Option<PathBuf> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("unwritten");
    fs::create_dir_all(&directory).unwrap();
    let name = format!("{source}{}", compiler.join("")).replace(['/', ' '], "-");
    let program = directory.join(name);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/unwritten").join(source);
    let (first, options) = compiler.split_first().unwrap();
    let mut line = Command::new(first);
    line.arg(&source).args(options).arg("-o").arg(&program).stderr(Stdio::null());
    match line.status() {
        Ok(status) => assert!(status.success(), "{first} {}", source.display()),
        Err(_) => return None,
    }
    Some(program)
}

/// A program of Go; `None` where there is no compiler.
fn built_go(source: &str, options: &[&str]) -> Option<PathBuf> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("unwritten");
    fs::create_dir_all(&directory).unwrap();
    let program = directory.join(format!("{source}{}", options.join("").replace(['/', ' '], "-")));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/unwritten").join(source);
    let mut line = Command::new("go");
    line.arg("build").args(options).arg("-o").arg(&program).arg(&source).stderr(Stdio::null());
    let status = line.env("GO111MODULE", "off").status().ok()?;
    assert!(status.success(), "go build {}", source.display());
    Some(program)
}

/// The text of each writer, and whether it is shown as never written.
fn states(found: &Value) -> Vec<(String, bool)> {
    let writers = list(&found["unwritten"], "writers").iter();
    let is_sure =
        |writer: &Value| list(writer, "lines").iter().all(|line| line["state"] == "never-written");
    let mut states: Vec<_> = writers.map(|writer| (text_of(writer), is_sure(writer))).collect();
    states.sort();
    states
}

fn text_of(writer: &Value) -> String {
    let lines = list(writer, "lines").iter().map(|line| {
        let end = if line["is_partial"] == true { "" } else { "\n" };
        format!("{}{end}", line["text"].as_str().unwrap())
    });
    lines.collect()
}

/// The text of each writer, which all have this state.
fn texts(found: &Value, state: &str) -> Vec<String> {
    let writers = list(&found["unwritten"], "writers").iter();
    let text = |writer: &Value| {
        assert!(list(writer, "lines").iter().all(|line| line["state"] == state), "{writer}");
        text_of(writer)
    };
    let mut texts: Vec<_> = writers.map(text).collect();
    texts.sort();
    texts
}

/// What no file got, by the files.
fn truth(whole: &Ran, crashed: &Ran) -> Vec<String> {
    let disk = crashed.files();
    let mut rest: Vec<String> = whole
        .files()
        .iter()
        .filter_map(|(name, bytes)| {
            let have = disk.get(name).map_or(&[][..], Vec::as_slice);
            let rest = bytes.strip_prefix(have).unwrap_or_else(|| panic!("{name} differs"));
            (!rest.is_empty()).then(|| String::from_utf8(rest.to_vec()).unwrap())
        })
        .collect();
    rest.sort();
    rest
}

/// What is shown is the truth, and in this state.
#[track_caller]
fn assert_exact(program: Option<PathBuf>, least: usize, state: &str) {
    let Some(program) = program else { return };
    let Some(crashed) = ran(&program, &[]) else { return };
    let whole = ran(&program, &["whole"]).unwrap();
    let wanted = truth(&whole, &crashed);
    assert!(wanted.len() >= least, "{} writers have something left", wanted.len());
    let found = crashed.memory(&["--redact=off", "--lines=1000000"]);
    let shown = texts(&found, state);
    assert_eq!(shown.len(), wanted.len(), "{found}");
    for (shown, wanted) in shown.iter().zip(&wanted) {
        assert!(shown == wanted, "{shown}\nis not\n{wanted}");
    }
}

const SURE: &str = "never-written";
const UNSURE: &str = "unsure";

#[test]
fn what_streams_of_c_had_left_to_write_is_shown_and_nothing_else() {
    assert_exact(built("streams.c", &["cc", "-g", "-O1", "-pthread"]), 14, SURE);
}

#[test]
fn streams_of_a_static_program_without_symbols_are_found_by_their_layout() {
    let program = built("streams.c", &["cc", "-O1", "-s", "-static", "-pthread"]);
    assert_exact(program, 14, UNSURE);
}

#[test]
fn what_file_streams_of_cpp_had_left_to_write_is_shown_and_nothing_else() {
    assert_exact(built("streams.cc", &["c++", "-g", "-O1"]), 10, SURE);
}

#[test]
fn what_writers_of_go_had_left_to_write_is_shown_and_nothing_else() {
    assert_exact(built_go("writers.go", &[]), 5, SURE);
}

#[test]
fn writers_of_go_are_in_doubt_where_the_heap_is_not_known() {
    assert_exact(built_go("writers.go", &["-ldflags=-w"]), 5, UNSURE);
}

#[test]
fn writers_of_go_that_were_collected_are_not_shown_and_copies_are_in_doubt() {
    let Some(program) = built_go("collected.go", &[]) else { return };
    let Some(crashed) = ran(&program, &[]) else { return };
    let found = crashed.memory(&["--redact=off"]);
    let wanted = [("of a copy\n".to_owned(), false), ("of one that is kept\n".to_owned(), true)];
    assert_eq!(states(&found), wanted);
    let notes = found["unwritten"]["notes"].to_string();
    assert!(notes.contains("were taken by the garbage collector"), "{notes}");
}

#[test]
fn what_writers_of_rust_had_left_to_write_is_shown_and_nothing_else() {
    let Some(program) = built("writers.rs", &["rustc", "-g"]) else { return };
    let Some(crashed) = ran(&program, &[]) else { return };
    let whole = ran(&program, &["whole"]).unwrap();
    let states = states(&crashed.memory(&["--redact=off", "--lines=1000000"]));
    let shown: Vec<_> = states.iter().map(|(text, _)| text.clone()).collect();
    assert_eq!(shown, truth(&whole, &crashed));
    // Statics are not moved from; other variables may have been.
    for (text, is_sure) in &states {
        let is_static = ["after the flush", "a line of it"].iter().any(|it| text.starts_with(it));
        assert_eq!(*is_sure, is_static, "{text}");
    }
}

#[test]
fn the_buffer_of_a_writer_of_rust_that_was_moved_from_may_be_of_something_else() {
    let Some(program) = built("reused.rs", &["rustc", "-g"]) else { return };
    let Some(crashed) = ran(&program, &[]) else { return };
    let found = crashed.memory(&["--redact=off"]);
    assert!(states(&found).iter().all(|(_, is_sure)| !is_sure), "{found}");
    let text = stdout(&run(["memory", crashed.core().to_str().unwrap()]));
    assert!(!text.contains("never written"), "{text}");
}

#[test]
fn the_descriptors_of_writers_of_python_are_those_of_their_files() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/unwritten/writers.py");
    let python = Path::new("/usr/bin/python3");
    if !python.exists() {
        return;
    }
    let Some(crashed) = ran_with(python, &[source.to_str().unwrap()], &[]) else { return };
    let found = crashed.memory(&["--redact=off"]);
    let writers = list(&found["unwritten"], "writers");
    assert!(writers.len() >= 7, "{found}");
    for writer in writers {
        let is_in_memory = text_of(writer).starts_with("to no file");
        assert_eq!(writer["descriptor"].is_null(), is_in_memory, "{writer}");
        let doubts = writer["doubts"].to_string();
        assert_eq!(doubts.contains("no descriptor is known"), is_in_memory, "{writer}");
    }
}

#[test]
fn a_damaged_list_of_streams_is_said_and_shows_no_wrong_line() {
    let Some(program) = built("damaged.c", &["cc", "-O1"]) else { return };
    for (way, wanted) in [
        ("sound", &["of the first\n", "of the second\n"][..]),
        ("circle", &["of the first\n", "of the second\n"]),
        ("nowhere", &["of the second\n"]),
        ("beyond", &[]),
        ("before", &[]),
    ] {
        let Some(crashed) = ran(&program, &[way]) else { return };
        let found = crashed.memory(&["--redact=off"]);
        let shown: Vec<_> = states(&found).into_iter().map(|(text, _)| text).collect();
        assert_eq!(shown, wanted, "{way}: {found}");
        let notes = found["unwritten"]["notes"].to_string();
        let is_said = notes.contains("damaged");
        assert_eq!(is_said, !matches!(way, "sound" | "circle"), "{way}: {notes}");
    }
}

#[test]
fn the_request_of_the_crashed_thread_has_its_header_and_its_trace() {
    let Some(program) = built("secrets.c", &["cc", "-g", "-O0"]) else { return };
    let Some(crashed) = ran(&program, &[]) else { return };
    let found = crashed.memory(&[]);
    let request = &list(&found, "in_flight")[0];
    assert_eq!((&request["kind"], &request["trust"]), (&"http".into(), &"variable".into()));
    let text = request["text"].as_str().unwrap();
    assert!(text.starts_with("GET /cart?token=<") && text.ends_with(" HTTP/1.1"), "{text}");
    assert_eq!(list(request, "headers")[0], "Host: shop.example");
    let trace = &list(request, "ids")[0];
    assert_eq!(trace["kind"], "trace id");
    assert_eq!(trace["id"], "7bf92f3577b34da6a3ce929d0e0e4799");
    let place = request["place"].as_str().unwrap();
    assert_eq!(place, "variable in_flight of frame #0 main");
}

#[test]
fn the_template_of_a_request_is_no_request_and_one_of_another_connection_is_in_doubt() {
    for optimised in ["-O0", "-O2"] {
        let Some(program) = built("requests.c", &["cc", "-g", optimised]) else { return };
        for (arguments, own) in [(&[][..], false), (&["own"][..], true)] {
            let Some(crashed) = ran(&program, arguments) else { return };
            let found = crashed.memory(&[]);
            for request in list(&found, "in_flight") {
                let text = request["text"].as_str().unwrap();
                assert!(!text.contains("%d"), "{optimised}: {request}");
                assert_eq!(request["trust"], "object", "{optimised}: {request}");
                let place = request["place"].as_str().unwrap();
                assert!(place.ends_with("may be of another request"), "{place}");
            }
            let is_own = |request: &Value| request["text"] == "GET /connection2 HTTP/1.1";
            let has_own = list(&found, "in_flight").iter().any(is_own);
            assert_eq!(has_own, own, "{optimised}: {found}");
            let core = crashed.core();
            let text = stdout(&run(["memory", core.to_str().unwrap()]));
            assert!(text.contains("in flight, perhaps: "), "{text}");
        }
    }
}

#[test]
fn the_words_of_the_runtime_of_go_are_no_statement() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/causes-go/nil_function.core.zst");
    let text = stdout(&run(["memory", core.to_str().unwrap()]));
    assert!(text.contains("in flight: no request or statement was recognised"), "{text}");
}

#[test]
fn texts_that_were_not_written_are_redacted_and_control_characters_are_escaped() {
    let Some(program) = built("secrets.c", &["cc", "-O1"]) else { return };
    let Some(crashed) = ran(&program, &[]) else { return };
    let core = crashed.core();
    for format in ["human", "json", "markdown", "html"] {
        for level in ["default", "strict"] {
            let redact = format!("--redact={level}");
            let words = ["memory", core.to_str().unwrap(), "--format", format, &redact];
            let output = run(words);
            let text = stdout(&output);
            assert!(text.to_lowercase().contains("unwritten"), "{format}: {}", stderr(&output));
            for secret in ["quentin.marsh@example.net", "hunter2-otter", "4929804463622139"] {
                assert!(!text.contains(secret), "{format} {level} has {secret}: {text}");
            }
            assert!(!text.contains('\u{1b}'), "{format} {level} has an escape: {text}");
        }
    }
    let found = crashed.memory(&["--redact=off"]);
    assert!(found.to_string().contains("hunter2-otter"), "it is there to be hidden");
}

#[test]
fn a_core_in_which_nothing_was_left_says_how_many_writers_were_looked_at() {
    let core = Case::named("null-field").core();
    let output = run(["memory", core.to_str().unwrap()]);
    let text = stdout(&output);
    assert!(text.starts_with("unwritten output: "), "{text}{}", stderr(&output));
    assert!(text.contains("in flight: no request or statement was recognised"), "{text}");
}

#[test]
fn lines_of_a_log_are_joined_by_process_and_time() {
    let Some(program) = built("secrets.c", &["cc", "-O1"]) else { return };
    let Some(crashed) = ran(&program, &[]) else { return };
    let core = crashed.core();
    let report = run([core.to_str().unwrap(), "--json", "-q"]);
    let report: Value = serde_json::from_str(&stdout(&report)).unwrap();
    let pid = report["process"]["pid"].as_i64().unwrap();
    let time = report["circumstances"]["time"].as_str().unwrap();
    let log = crashed.directory.path().join("app.log");
    let text = format!(
        "1999-01-01T00:00:00Z old\n{time} near\nNov  1 00:00:00 host prog[{pid}]: by its number\n"
    );
    let mut bytes = text.into_bytes();
    // What is no text, and no time.
    bytes.extend(b"\xff\xfe\x00 binary\n");
    fs::write(&log, bytes).unwrap();
    let found = crashed.memory(&["--log", log.to_str().unwrap()]);
    let entries: Vec<(String, String)> = list(&found, "timeline")
        .iter()
        .map(|entry| {
            let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            (text("kind"), text("text"))
        })
        .collect();
    let has = |kind: &str, part: &str| {
        entries.iter().any(|(found, text)| found == kind && text.contains(part))
    };
    assert!(has("log", "near") && has("log", "by its number"), "{entries:?}");
    assert!(!has("log", "old"), "{entries:?}");
    assert!(has("unwritten", "") && has("fault", "signal 11"), "{entries:?}");
}

#[test]
fn a_log_that_is_no_file_is_refused() {
    let core = Case::named("null-field").core();
    let output = obit().args(["memory", core.to_str().unwrap(), "--log", "/"]).output().unwrap();
    assert_eq!(output.status.code(), Some(64), "{}", stderr(&output));
    assert!(stderr(&output).contains("--log"), "{}", stderr(&output));
}
