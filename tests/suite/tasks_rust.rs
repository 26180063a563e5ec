//! `obit tasks` on a program of tokio that waits for a lock, a channel, time, a handle, one of
//! several. Marks in its source say in which line each waits. `scripts/check-tasks-rust` builds
//! programs of several versions of tokio and compares more kinds of waits.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;

use crate::fixture::{run, stderr, stdout};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tokio")
}

/// The core beside its program.
fn core() -> &'static Path {
    static CORE: OnceLock<PathBuf> = OnceLock::new();
    CORE.get_or_init(|| {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tasks-rust");
        fs::create_dir_all(&place).unwrap();
        let program = fs::File::open(directory().join("prog.zst")).unwrap();
        fs::write(place.join("prog"), zstd::decode_all(program).unwrap()).unwrap();
        fs::copy(directory().join("dump.zst"), place.join("core.zst")).unwrap();
        place.join("core.zst")
    })
}

fn tokio() -> &'static Value {
    static FOUND: OnceLock<Value> = OnceLock::new();
    FOUND.get_or_init(|| {
        let output = run([Path::new("tasks"), core(), Path::new("--json")]);
        assert!(output.status.success(), "{}", stderr(&output));
        let found: Value = serde_json::from_str(&stdout(&output)).unwrap();
        let runtimes = found["runtimes"].as_array().unwrap();
        runtimes.iter().find(|runtime| runtime["kind"] == "tokio").unwrap().clone()
    })
}

/// The line with the mark `at: name`.
fn line(name: &str) -> u64 {
    let source = fs::read_to_string(directory().join("main.rs")).unwrap();
    let mark = format!("// at: {name}");
    let at = source.lines().position(|line| line.ends_with(&mark)).unwrap();
    at as u64 + 1
}

fn frames(task: &Value) -> &[Value] {
    let stack = task["stack"].as_u64().unwrap() as usize;
    tokio()["stacks"][stack]["frames"].as_array().unwrap()
}

/// The tasks of which a frame is in the line that is marked so.
fn at(name: &str) -> Vec<&'static Value> {
    let line = line(name);
    let is_there = |frame: &Value| {
        frame["line"] == line && frame["file"].as_str().unwrap().ends_with("main.rs")
    };
    let tasks = tokio()["tasks"].as_array().unwrap().iter();
    tasks.filter(|task| frames(task).iter().any(is_there)).collect()
}

#[test]
fn each_task_waits_in_the_line_that_the_source_marks_and_for_what_is_there() {
    for (name, count, kind, reason) in [
        ("inner", 2, "lock", "tokio::sync::mutex::Mutex::lock"),
        ("middle", 2, "lock", "tokio::sync::mutex::Mutex::lock"),
        ("receive", 2, "receive", "tokio::sync::mpsc::bounded::Receiver::recv"),
        ("boxed", 1, "receive", "tokio::sync::mpsc::bounded::Receiver::recv"),
        ("sleep", 4, "timer", "tokio::time::sleep::Sleep"),
        ("join set", 1, "join", "tokio::task::join_set::JoinSet::join_next"),
        ("handle", 2, "join", "tokio::runtime::task::join::JoinHandle"),
        ("main", 1, "timer", "tokio::time::sleep::Sleep"),
    ] {
        let found = at(name);
        assert_eq!(found.len(), count, "{name}");
        for task in found {
            assert_eq!(task["state"], "waiting", "{name}");
            assert_eq!(task["wait"]["kind"], kind, "{name}");
            assert_eq!(task["wait"]["reason"], reason, "{name}");
        }
    }
}

#[test]
fn the_chain_of_awaits_goes_from_the_leaf_through_boxes_to_the_task() {
    let task = at("boxed")[0];
    let functions: Vec<_> = frames(task).iter().map(|frame| &frame["function"]).collect();
    assert_eq!(
        functions,
        ["tokio::sync::mpsc::bounded::Receiver<u8>::recv", "prog::receives", "prog::calls"]
    );
    assert!(frames(task).iter().all(|frame| frame["kind"] == "await"));
}

#[test]
fn a_timer_says_how_much_time_is_left_and_a_set_whom_it_waits_for() {
    let mut left: Vec<u64> =
        at("sleep").iter().map(|task| task["wait"]["remaining_ms"].as_u64().unwrap()).collect();
    left.sort_unstable();
    // When the driver last ran it was a little later than when the tasks were spawned.
    let within =
        |left: u64, seconds: u64| (seconds * 1000 - 500..=seconds * 1000 + 5).contains(&left);
    let whole = [9, 300, 1000, 1000];
    assert!(left.iter().zip(whole).all(|(left, seconds)| within(*left, seconds)), "{left:?}");
    let set = &at("join set")[0]["wait"]["held_by_tasks"];
    let spawned: Vec<_> = set.as_array().unwrap().iter().filter_map(Value::as_u64).collect();
    assert_eq!(spawned.len(), 2);
    let is_sleeper = |id: &u64| at("sleep").iter().any(|task| task["id"] == *id);
    assert!(spawned.iter().all(is_sleeper));
}

#[test]
fn what_select_polls_are_futures_of_the_task_that_runs_it() {
    let tasks = tokio()["tasks"].as_array().unwrap();
    let select = tasks.iter().find(|task| task["wait"]["reason"] == "select!").unwrap();
    assert_eq!(select["wait"]["kind"], "select");
    let mut kinds: Vec<_> = tasks
        .iter()
        .filter(|task| task["kind"] == "future" && task["created"]["by"] == select["id"])
        .map(|task| task["wait"]["kind"].as_str().unwrap())
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["notification", "receive"]);
}

#[test]
fn tasks_that_await_each_other_are_a_deadlock() {
    let verdicts = tokio()["verdicts"].as_array().unwrap();
    assert_eq!(verdicts.len(), 1);
    assert_eq!(verdicts[0]["kind"], "deadlock");
    let ids: Vec<_> = at("handle").iter().map(|task| task["id"].clone()).collect();
    assert_eq!(verdicts[0]["tasks"], Value::from(ids));
}

#[test]
fn the_task_that_crashed_has_the_frames_of_its_thread() {
    let tasks = tokio()["tasks"].as_array().unwrap();
    let crashed: Vec<_> = tasks.iter().filter(|task| task["crashed"] == true).collect();
    assert_eq!(crashed.len(), 1);
    assert_eq!(crashed[0]["state"], "running");
    assert!(crashed[0]["tid"].is_number());
    let own = "prog::run::{async_fn#0}::{async_block";
    let is_own = |frame: &Value| frame["function"].as_str().is_some_and(|it| it.starts_with(own));
    assert!(frames(crashed[0]).iter().any(is_own));
}

#[test]
fn people_see_equal_tasks_once_and_the_version_of_tokio() {
    let output = run([Path::new("tasks"), core()]);
    let text = stdout(&output);
    assert!(text.starts_with("tokio 1.54.1: "), "{text}");
    assert!(text.contains("2 tokio tasks, waiting, tokio::sync::mutex::Mutex::lock: "), "{text}");
}

#[test]
fn without_the_program_nothing_is_made_up() {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tasks-rust-alone");
    fs::create_dir_all(&place).unwrap();
    fs::copy(directory().join("dump.zst"), place.join("core.zst")).unwrap();
    let core = place.join("core.zst");
    let output = run([Path::new("tasks"), &core, Path::new("--json")]);
    let found: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(found["runtimes"], Value::Array(Vec::new()));
}
