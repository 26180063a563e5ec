//! Processes that run: reported on, and unharmed.
#![allow(clippy::indexing_slicing)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::fixture::{list, obit, report, stderr, stdout};

/// Two threads that wait for each other, one that spins, one that only waits.
const HANGS: &str = r#"
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
static pthread_mutex_t stock = PTHREAD_MUTEX_INITIALIZER, orders = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;
static void *sell(void *p) {
    pthread_mutex_lock(&stock);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&orders);
    return p;
}
static void *buy(void *p) {
    pthread_mutex_lock(&orders);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&stock);
    return p;
}
static volatile unsigned long count;
static void *poll_flag(void *p) {
    for (;;) count++;
    return p;
}
int main(void) {
    pthread_t t;
    pthread_barrier_init(&both, 0, 3);
    pthread_create(&t, 0, sell, 0);
    pthread_create(&t, 0, buy, 0);
    pthread_create(&t, 0, poll_flag, 0);
    pthread_barrier_wait(&both);
    usleep(100000);
    puts("ready");
    fflush(stdout);
    for (;;) pause();
}
"#;

/// Has touched 400 MB.
const LARGE: &str = r#"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(void) {
    memset(malloc(400ul << 20), 7, 400ul << 20);
    puts("ready");
    fflush(stdout);
    for (;;) pause();
}
"#;

struct Running {
    child: Child,
    directory: TempDir,
    path: PathBuf,
}

impl Running {
    fn start(source: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("shop.c");
        fs::write(&file, source).unwrap();
        let path = directory.path().join("shop");
        let mut compiler = Command::new("cc");
        compiler.args(["-g", "-pthread", "-o"]).arg(&path).arg(&file);
        assert!(compiler.status().unwrap().success());
        let mut child = Command::new(&path).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Self { child, directory, path }
    }

    fn pid(&self) -> String {
        self.child.id().to_string()
    }

    fn snapshot(&self, more: &[&str]) -> Output {
        let mut command = obit();
        command.args(["snapshot", &self.pid()]).args(more).current_dir(self.directory.path());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        output
    }

    /// State as in ps(1), and who traces it.
    fn state(&self) -> (String, String) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().to_owned()
        };
        (field("State:"), field("TracerPid:"))
    }

    #[track_caller]
    fn goes_on(&self) {
        let begin = Instant::now();
        while self.state() != ("S".to_owned(), "0".to_owned()) {
            assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", self.state());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn kinds(report: &Value) -> Vec<&str> {
    list(report, "findings").iter().map(|finding| finding["kind"].as_str().unwrap()).collect()
}

#[test]
fn a_process_that_hangs_is_reported_with_its_locks_and_goes_on() {
    let shop = Running::start(HANGS);
    let page = stdout(&shop.snapshot(&[]));
    for word in ["deadlock", "`stock`", "`orders`", "sell", "buy", "other threads"] {
        assert!(page.contains(word), "no {word} in\n{page}");
    }
    assert!(!page.contains("crashed"), "{page}");
    shop.goes_on();
    let short = obit().arg(shop.pid()).output().unwrap();
    assert!(stdout(&short).contains("`stock`"), "{}", stderr(&short));
    assert!(stderr(&short).contains("was stopped for"), "{}", stderr(&short));
    shop.goes_on();
}

#[test]
fn the_core_that_is_kept_gives_the_same_report_and_is_private() {
    let shop = Running::start(HANGS);
    let page = stdout(&shop.snapshot(&["-o", "core"]));
    let core = shop.directory.path().join("core");
    assert_eq!(fs::metadata(&core).unwrap().permissions().mode() & 0o777, 0o600);
    let report = report(&core, &[]);
    assert!(page.contains(report["id"].as_str().unwrap()), "{page}");
    assert_eq!(report["signal"]["name"], "SIGSTOP");
    assert_eq!(report["process"]["pid"].as_u64(), Some(u64::from(shop.child.id())));
    assert_eq!(list(&report, "threads").len(), 4);
    assert_eq!(list(&report, "notices"), [] as [Value; 0]);
}

#[test]
fn several_snapshots_show_what_spins_and_what_is_stuck() {
    let shop = Running::start(HANGS);
    let output = shop.snapshot(&["--every", "400ms", "--count", "3", "--json", "--core", "c"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(kinds(&report), ["deadlock", "spinning", "stuck"]);
    let findings = list(&report, "findings");
    let text = |finding: &Value| finding["evidence"].to_string();
    assert!(text(&findings[1]).contains("poll_flag"), "{}", findings[1]);
    assert!(text(&findings[2]).contains("called by sell"), "{}", findings[2]);
    assert_eq!(list(&findings[2], "threads").len(), 3);
    for name in ["c.1", "c.2", "c.3"] {
        assert!(shop.directory.path().join(name).is_file());
    }
    shop.goes_on();
}

#[test]
fn a_program_that_was_deleted_still_has_names() {
    let shop = Running::start(HANGS);
    fs::remove_file(&shop.path).unwrap();
    let page = stdout(&shop.snapshot(&["-a"]));
    assert!(page.contains("poll_flag"), "{page}");
}

#[test]
fn a_snapshot_that_is_killed_leaves_the_process_running() {
    let large = Running::start(LARGE);
    let mut taking = obit()
        .args(["snapshot", &large.pid()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    while large.state().0 != "t" && taking.try_wait().unwrap().is_none() {
        assert!(begin.elapsed() < Duration::from_secs(20));
    }
    taking.kill().unwrap();
    taking.wait().unwrap();
    large.goes_on();
}

#[test]
fn less_memory_is_copied_on_request_and_the_stacks_are_kept() {
    let large = Running::start(LARGE);
    let output = large.snapshot(&["--max-core", "2M"]);
    assert!(stderr(&output).contains("MiB of its memory are left out"), "{}", stderr(&output));
    assert!(stdout(&output).contains("main"), "{}", stdout(&output));
}

#[test]
fn a_process_of_another_user_is_refused_with_what_to_do() {
    if !fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
        eprintln!("skipped: only root can run obit as another user");
        return;
    }
    let large = Running::start(HANGS);
    let mut command = Command::new(env!("CARGO_BIN_EXE_obit"));
    let Ok(output) = command.arg(large.pid()).current_dir("/").uid(65534).gid(65534).output()
    else {
        eprintln!("skipped: the program cannot be run by another user");
        return;
    };
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let problem = stderr(&output);
    assert!(problem.contains("belongs to user 0; run obit as that user or as root"), "{problem}");
    large.goes_on();
}
