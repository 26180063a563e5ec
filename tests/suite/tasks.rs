//! `obit tasks` of stored cores of Go: with debug information, and stripped.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::fixture::{list, obit, report, stderr, stdout};
use crate::stripped::stripped;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The runtimes that `obit tasks` finds in a core.
fn runtimes(core: &Path, more: &[&str]) -> Vec<Value> {
    let mut command = obit();
    command.args(["tasks", "--json"]).arg(core).args(more);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let answer: Value = serde_json::from_str(&stdout(&output)).unwrap();
    list(&answer, "runtimes").to_vec()
}

/// The only runtime, which is Go's.
fn go(core: &Path, more: &[&str]) -> Value {
    let found = runtimes(core, more);
    let [only] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(only["kind"], "go");
    only.clone()
}

/// Functions of a task with the lines of those of the program.
fn frames(runtime: &Value, task: &Value) -> Vec<String> {
    let number = usize::try_from(task["stack"].as_u64().unwrap()).unwrap();
    let frames = list(&runtime["stacks"][number], "frames").iter();
    let line = |frame: &Value| match frame["function"].as_str().unwrap_or("?") {
        name if name.starts_with("main.") => format!("{name}:{}", frame["line"]),
        name => name.to_owned(),
    };
    frames.map(line).collect()
}

fn task(runtime: &Value, number: u64) -> &Value {
    list(runtime, "tasks").iter().find(|task| task["id"] == number).unwrap()
}

#[test]
fn goroutines_that_are_all_asleep_are_shown_where_they_wait() {
    let runtime = go(&fixture("causes-go/deadlock.core.zst"), &[]);
    assert_eq!(runtime["version"], "go1.24.11");
    assert_eq!(runtime["total"], 5);
    let [main] = list(&runtime, "tasks") else { panic!("{runtime}") };
    assert_eq!((&main["id"], &main["state"]), (&1.into(), &"waiting".into()));
    assert_eq!(
        (&main["wait"]["reason"], &main["wait"]["kind"]),
        (&"chan receive".into(), &"receive".into())
    );
    assert!(main["wait"]["object"].is_string(), "{main}");
    assert_eq!(
        frames(&runtime, main),
        [
            "runtime.gopark",
            "runtime.chanrecv",
            "runtime.chanrecv1",
            "main.wait:72",
            "main.deadlock:110",
            "main.main:147",
            "runtime.main",
            "runtime.goexit"
        ]
    );
    assert_eq!(runtime["verdicts"][0]["kind"], "all-asleep");
}

#[test]
fn the_goroutine_that_panicked_is_the_crashed_one_and_shows_who_made_it() {
    let runtime = go(&fixture("causes-go/goroutine.core.zst"), &[]);
    let crashed: Vec<&Value> =
        list(&runtime, "tasks").iter().filter(|task| task["crashed"] == true).collect();
    let [crashed] = crashed.as_slice() else { panic!("{runtime}") };
    assert_eq!(crashed["id"], 18);
    assert_eq!(crashed["created"]["function"], "main.goroutine");
    assert_eq!((&crashed["created"]["line"], &crashed["created"]["by"]), (&116.into(), &1.into()));
    let shown = frames(&runtime, crashed);
    assert!(shown.contains(&"main.customerID:39".to_owned()), "{shown:?}");
    assert!(runtime.get("verdicts").is_none_or(|all| all.as_array().unwrap().is_empty()));
    assert_eq!(task(&runtime, 1)["state"], "waiting");
}

#[test]
fn the_runtimes_own_goroutines_are_shown_where_all_are_asked_for() {
    let core = fixture("containers-go119/core.zst");
    assert_eq!(list(&go(&core, &[]), "tasks").len(), 1);
    let all = go(&core, &["--all"]);
    assert_eq!((&all["version"], list(&all, "tasks").len()), (&"go1.19.8".into(), 4));
    let of_runtime = list(&all, "tasks").iter().filter(|task| task["is_of_runtime"] == true);
    assert!(of_runtime.clone().all(|task| task["state"] == "waiting"), "{all}");
    assert_eq!(of_runtime.count(), 3);
}

#[test]
fn a_stripped_program_has_the_same_goroutines() {
    for (name, core) in [("causes-go", "goroutine.core.zst"), ("containers-go119", "core.zst")] {
        let original = fixture(name);
        let program = stripped(&original.join("prog"), "tasks");
        let moved = program.with_file_name(core);
        fs::copy(original.join(core), &moved).unwrap();
        let bare = go(&moved, &["--all", &program.to_string_lossy()]);
        let full = go(&original.join(core), &["--all"]);
        for key in ["version", "total", "verdicts", "notes"] {
            assert_eq!(bare[key], full[key], "{name}: {key}");
        }
        assert_eq!(list(&bare, "tasks").len(), list(&full, "tasks").len(), "{name}");
        for (bare_task, full_task) in list(&bare, "tasks").iter().zip(list(&full, "tasks")) {
            assert_eq!(frames(&bare, bare_task), frames(&full, full_task), "{name}");
            let (mut bare_task, mut full_task) = (bare_task.clone(), full_task.clone());
            // Of the same file debug information has another path.
            for task in [&mut bare_task, &mut full_task] {
                if let Some(created) = task["created"].as_object_mut() {
                    created.remove("file");
                }
            }
            assert_eq!(bare_task, full_task, "{name}");
        }
    }
}

#[test]
fn a_program_of_another_language_has_no_runtime_of_go() {
    assert!(runtimes(&fixture("null-field/core.zst"), &[]).is_empty());
}

#[test]
fn a_report_of_goroutines_that_are_all_asleep_shows_where_the_program_waits() {
    let program = fixture("causes-go/prog");
    let report = report(&fixture("causes-go/deadlock.core.zst"), &[program.as_os_str()]);
    let mut findings = list(&report, "findings").iter();
    let finding = findings.find(|finding| finding["kind"] == "all-asleep").unwrap();
    assert_eq!(finding["title"], "the only goroutine waits, and nothing can wake it");
    let place = finding["evidence"][0]["text"].as_str().unwrap();
    let wanted = "goroutine 1, chan receive: main.wait at kiosk.go:72 \u{2190} main.deadlock";
    assert!(place.starts_with(wanted), "{place}");
    let next = list(&report["cause"], "next");
    assert!(next.iter().any(|step| step == "obit tasks CORE"), "{next:?}");
    // The threads show the runtime only: the place is that of a goroutine, and the group's, too.
    let blame = &report["cause"]["blame"];
    assert_eq!((&blame["task"], &blame["thread"]), (&1.into(), &Value::Null));
    assert_eq!((&blame["function"], &blame["source"]["line"]), (&"main.wait".into(), &72.into()));
    assert_eq!((&blame["confidence"], &blame["frame"]), (&"likely".into(), &Value::Null));
    assert_eq!(report["signature"]["text"], "runtime.fatal | main.wait in prog");
    // Threads that let their goroutine go have nothing more on their stacks.
    let outermost = |thread: &Value| list(thread, "frames").last().unwrap()["function"].clone();
    let ends: Vec<Value> = list(&report, "threads").iter().map(outermost).collect();
    let is_end = |end: &Value| end == "runtime.mcall" || end == "runtime.clone";
    assert!(ends.iter().all(is_end), "{ends:?}");
}

#[test]
fn a_session_shows_goroutines_and_one_of_them_with_its_stack() {
    let state = tempfile::tempdir().unwrap();
    let mut shell = obit();
    shell.arg("shell").arg(fixture("causes-go/deadlock.core.zst"));
    shell.env("XDG_STATE_HOME", state.path()).stdin(std::process::Stdio::null());
    let output = shell.args(["-batch", "-ex", "tasks", "-ex", "tasks 1"]).output().unwrap();
    let said = stdout(&output);
    assert_eq!(said.matches("main.wait").count(), 2, "{said}");
    assert!(said.contains("chan receive"), "{said}");
}

/// Go's runtime ends the process by a SIGABRT of its own for most signals that another one sends.
#[test]
fn a_signal_for_which_the_runtime_aborted_is_the_cause_and_not_the_abort() {
    let place = tempfile::tempdir().unwrap();
    let unpacked = |name: &str, to: &str| {
        let packed = fs::File::open(fixture("go-signals").join(name)).unwrap();
        let file = place.path().join(to);
        fs::write(&file, zstd::decode_all(packed).unwrap()).unwrap();
        file
    };
    let program = unpacked("prog.zst", "prog");
    for (name, title) in [
        ("quit.zst", "asked to quit with a core dump (SIGQUIT) by another process (pid "),
        ("segv.zst", "killed by a signal from another process (SIGSEGV of pid "),
    ] {
        let report = report(&unpacked(name, "core"), &[program.as_os_str()]);
        let cause = &report["cause"];
        assert_eq!(cause["class"], "external-signal", "{name}");
        assert_eq!(cause["confidence"], "likely", "{name}");
        assert!(cause["title"].as_str().unwrap().starts_with(title), "{cause}");
        assert!(list(cause, "next").iter().any(|step| step == "obit tasks CORE"), "{cause}");
    }
}
