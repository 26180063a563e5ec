//! `obit tasks` shows the functions and lines that the threads of a Python program run.
//!
//! The truth is what `faulthandler` of the same process prints when it crashes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::fixture::{list, report, run, stderr, stdout};

const PYTHON: &str = "/usr/bin/python3";

/// Two threads that wait, and one that crashes in a library that Python called, below functions
/// of all kinds.
const PROGRAM: &str = "
import ctypes, threading
def decorated(f):
    def wrapper(*a):
        return f(*a)
    return wrapper
class Shop:
    @decorated
    def handler(self, n):
        if n > 0:
            return self.handler(n - 1)
        return max([1], key=lambda x: [crash(i) for i in [x]])
def crash(x):
    for _ in generator(x):
        pass
def generator(x):
    yield x
    (
        ctypes.string_at
    )(1)
def waits(n):
    waits(n - 1) if n else threading.Event().wait()
for k in range(2):
    threading.Thread(target=waits, args=(k + 3,), daemon=True).start()
sorted([1], key=lambda k: Shop().handler(3))
";

/// The directory with the core of the program and what it printed; `None` where there is no
/// Python, or the kernel gives cores to another program.
fn crashed() -> Option<(TempDir, String)> {
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    if pattern.trim() != "core" || !Path::new(PYTHON).exists() {
        eprintln!("skipped: no {PYTHON}, or core_pattern is {}, not core", pattern.trim());
        return None;
    }
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("app.py"), PROGRAM).unwrap();
    let output = Command::new("sh")
        .args(["-c", "ulimit -c unlimited; exec \"$@\"", "sh", PYTHON])
        .args(["-X", "faulthandler", "app.py"])
        .current_dir(directory.path())
        .stdout(Stdio::null())
        .output()
        .unwrap();
    Some((directory, String::from_utf8(output.stderr).unwrap()))
}

fn core_in(directory: &Path) -> PathBuf {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let is_core = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("core");
    entries.into_iter().find(is_core).unwrap()
}

fn runtime(directory: &Path) -> Value {
    let core = core_in(directory);
    let output = run(["tasks", core.to_str().unwrap(), "--json", "-q", "--redact=off"]);
    let found: Value =
        serde_json::from_str(&stdout(&output)).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    let all = list(&found, "runtimes");
    assert_eq!(all.len(), 1, "{found}");
    all[0].clone()
}

/// The frames of a task, innermost first, as `kind function line`.
fn frames(runtime: &Value, task: &Value) -> Vec<(String, String, u64)> {
    let stack = &runtime["stacks"][task["stack"].as_u64().unwrap() as usize];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    list(stack, "frames")
        .iter()
        .map(|frame| {
            let line = frame["line"].as_u64().unwrap_or_default();
            (text(&frame["kind"]), text(&frame["function"]), line)
        })
        .collect()
}

/// The frames that `faulthandler` printed, a list for each thread: functions and lines.
fn printed(text: &str) -> Vec<Vec<(String, u64)>> {
    let mut stacks = Vec::new();
    for line in text.lines() {
        if line.starts_with("Current thread 0x") || line.starts_with("Thread 0x") {
            stacks.push(Vec::new());
        } else if let Some((_, rest)) = line.split_once(", line ")
            && let Some((number, name)) = rest.split_once(" in ")
            && let Some(stack) = stacks.last_mut()
        {
            stack.push((name.to_owned(), number.parse().unwrap()));
        }
    }
    stacks
}

#[test]
fn each_thread_of_python_has_the_frames_that_faulthandler_prints() {
    let Some((directory, text)) = crashed() else { return };
    let mut wanted = printed(&text);
    assert_eq!(wanted.len(), 3, "{text}");
    let runtime = runtime(directory.path());
    let short = |name: String| name.rsplit('.').next().unwrap().to_owned();
    let mut found: Vec<Vec<_>> = list(&runtime, "tasks")
        .iter()
        .map(|task| {
            let frames = frames(&runtime, task).into_iter();
            let python = frames.filter(|(kind, ..)| kind == "interpreted");
            python.map(|(_, name, line)| (short(name), line)).collect()
        })
        .collect();
    // `faulthandler` has no qualified names, and Python 3.14 prints them.
    wanted.iter_mut().flatten().for_each(|(name, _)| *name = short(name.clone()));
    wanted.sort();
    found.sort();
    assert_eq!(found, wanted, "{runtime}");
}

#[test]
fn the_crashed_thread_has_the_functions_that_python_called_before_the_line_that_called_them() {
    let Some((directory, _)) = crashed() else { return };
    let runtime = runtime(directory.path());
    let crashed: Vec<_> =
        list(&runtime, "tasks").iter().filter(|task| task["crashed"] == true).collect();
    let [task] = crashed.as_slice() else { panic!("{runtime}") };
    assert_eq!(task["doubts"], Value::Null, "{task}");
    let frames = frames(&runtime, task);
    let first = frames.iter().position(|(kind, ..)| kind == "interpreted").unwrap();
    assert!(first > 0, "{frames:?}");
    assert!(frames[..first].iter().all(|(kind, ..)| kind != "interpreted"), "{frames:?}");
    let names: Vec<_> = frames[first..].iter().map(|(_, name, _)| name.as_str()).collect();
    assert_eq!(names[..3], ["string_at", "generator", "crash"], "{frames:?}");
}

#[test]
fn a_crash_below_python_names_the_line_of_python() {
    let Some((directory, text)) = crashed() else { return };
    let report = report(&core_in(directory.path()), &["--redact=off".as_ref()]);
    let finding = list(&report, "findings").iter().find(|one| one["kind"] == "python-stack");
    let finding = finding.unwrap_or_else(|| panic!("{report}"));
    let title = finding["title"].as_str().unwrap();
    // The library's function that called foreign code, and the program's that called it.
    let line = text.lines().find(|line| line.ends_with(" in generator")).unwrap();
    let number = line.split_once(", line ").unwrap().1.split_once(' ').unwrap().0;
    let own = format!(" \u{2190} generator at app.py:{number}");
    assert!(title.starts_with("in Python: string_at at __init__.py:") && title.ends_with(&own));
    assert_eq!(list(finding, "evidence").len(), 9, "eight frames, and how many more: {finding}");
    assert_eq!(report["cause"]["class"], "null-read", "{}", report["cause"]);
    assert!(list(&report["cause"], "next").iter().any(|step| step == "obit tasks CORE"));
}
