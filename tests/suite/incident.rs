//! `obit incident`: dumps of processes that failed because of each other are joined, in the order
//! in which they failed, and others are not.
//!
//! The programs of `incident/stories.c` are compiled here and crash for real: under `obit run`,
//! whose cores have the kernel's word on sockets, and alone, with cores of the kernel.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::fixture::{list, obit, stderr, stdout};

/// The directory of the programs.
fn programs() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("incident");
        fs::create_dir_all(&directory).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/incident/stories.c");
        let parts =
            ["server", "client", "producer", "consumer", "parent", "lonely", "message", "constant"];
        for part in parts {
            let define = format!("-D{}", part.to_uppercase());
            let mut line = Command::new("cc");
            line.args(["-g", "-O0", &define, "-o"]).arg(directory.join(part)).arg(&source);
            assert!(line.arg("-lrt").status().unwrap().success(), "{part}");
        }
        directory
    })
}

/// A command line of programs, by their names.
fn shell(line: &str) -> String {
    let mut words = Vec::new();
    for word in line.split(' ') {
        let program = programs().join(word);
        words.push(match program.is_file() {
            true => program.display().to_string(),
            false => word.to_owned(),
        });
    }
    words.join(" ")
}

/// Cores of a shell's line under `obit run`.
fn recorded(line: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let mut run = obit();
    run.current_dir(directory.path()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
    run.args(["run", "-q", "-o", "crashes", "--", "sh", "-c"]).arg(shell(line));
    run.stdin(Stdio::null()).output().unwrap();
    directory
}

/// The kernel's cores of lines that run at the same time, each in a directory of its own; none
/// where the kernel gives cores to another program.
fn dumped(lines: &[&str]) -> Option<TempDir> {
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    if pattern.trim() != "core" {
        eprintln!("skipped: the kernel's core_pattern is {}, not core", pattern.trim());
        return None;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut running = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let own = directory.path().join(at.to_string());
        fs::create_dir(&own).unwrap();
        let script = format!("ulimit -c unlimited; exec {}", shell(line));
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).current_dir(own);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        running.push(command.spawn().unwrap());
    }
    for child in &mut running {
        child.wait().unwrap();
    }
    Some(directory)
}

fn incidents(directory: &TempDir, more: &[&str]) -> Value {
    let mut line = obit();
    line.args(["incident", "--format", "json"]).args(more).arg(directory.path());
    let output = line.output().unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}{}", stdout(&output), stderr(&output)))
}

/// The commands of the only incident in their order, how sure the first is, and the strongest
/// evidence of the first link.
#[track_caller]
fn story(found: &Value) -> (Vec<String>, String, (String, String)) {
    let incidents = list(found, "incidents");
    assert_eq!(incidents.len(), 1, "{found:#}");
    let only = &incidents[0];
    assert_eq!(only["first"]["process"], 0, "{only:#}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let commands = list(only, "processes").iter().map(|one| text(&one["command"])).collect();
    let evidence = &only["links"][0]["evidence"][0];
    let evidence = (text(&evidence["kind"]), text(&evidence["strength"]));
    (commands, text(&only["first"]["strength"]), evidence)
}

#[track_caller]
fn is_story(found: &Value, commands: &[&str], first: &str, evidence: (&str, &str)) {
    let evidence = (evidence.0.to_owned(), evidence.1.to_owned());
    let commands = commands.iter().map(|word| (*word).to_owned()).collect();
    assert_eq!(story(found), (commands, first.to_owned(), evidence), "{found:#}");
}

/// A port that was free a moment ago.
fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Addresses of each kind, for one test each.
fn addresses(directory: &TempDir) -> [String; 4] {
    let socket = directory.path().join("shop.sock");
    [
        format!("tcp4:{}", port()),
        format!("tcp6:{}", port()),
        format!("unix:{}", socket.display()),
        format!("abstract:obit-shop-{}-{}", std::process::id(), port()),
    ]
}

fn name() -> String {
    format!("/obit-queue-{}-{}", std::process::id(), port())
}

#[test]
fn a_client_that_lost_its_server_failed_after_it() {
    let sockets = tempfile::tempdir().unwrap();
    for address in addresses(&sockets) {
        let run = recorded(&format!("server {address} & client {address} ; wait"));
        let found = incidents(&run, &[]);
        is_story(&found, &["server", "client"], "likely", ("socket", "proved"));
        let reason = found["incidents"][0]["processes"][1]["follows_reason"].as_str().unwrap();
        assert!(reason.contains("lost a connection"), "{address}: {reason}");
    }
}

#[test]
fn the_kernels_cores_alone_say_the_same_and_that_it_is_less_sure() {
    let sockets = tempfile::tempdir().unwrap();
    for address in addresses(&sockets) {
        // The client first: what is read first changes nothing.
        let lines = [format!("client {address}"), format!("server {address}")];
        let Some(cores) = dumped(&[&lines[0], &lines[1]]) else { return };
        is_story(&incidents(&cores, &[]), &["server", "client"], "likely", ("socket", "likely"));
    }
}

#[test]
fn a_client_that_crashed_by_itself_did_not_fail_because_of_its_server() {
    let address = format!("tcp4:{}", port());
    let run = recorded(&format!("server {address} & client {address} x ; wait"));
    is_story(&incidents(&run, &[]), &["client", "server"], "guess", ("socket", "proved"));
}

#[test]
fn a_queue_in_shared_memory_joins_its_producer_and_its_consumer() {
    let queue = name();
    let run = recorded(&format!("producer {queue} & consumer {queue} ; wait"));
    let found = incidents(&run, &[]);
    // It ended itself after the other had crashed, and nothing says that it was because of it.
    is_story(&found, &["consumer", "producer"], "guess", ("shared-memory", "proved"));
    let other = name();
    let cores = dumped(&[&format!("producer {other}"), &format!("consumer {other}")]);
    for name in [queue, other] {
        let _ = fs::remove_file(format!("/dev/shm{name}"));
    }
    let Some(cores) = cores else { return };
    let found = incidents(&cores, &[]);
    is_story(&found, &["consumer", "producer"], "guess", ("shared-memory", "likely"));
}

#[test]
fn a_parent_that_ends_itself_over_its_worker_failed_after_it() {
    let found = incidents(&recorded("parent"), &[]);
    // What it printed is in no core, so no message names the worker.
    is_story(&found, &["parent", "parent"], "guess", ("parent", "proved"));
    let processes = list(&found["incidents"][0], "processes");
    assert_eq!(processes[0]["signal"], "SIGSEGV");
    assert_eq!(processes[1]["signal"], "SIGABRT");
    let elsewhere = tempfile::tempdir().unwrap();
    let Some(cores) = dumped(&[&format!("parent {}", elsewhere.path().display())]) else { return };
    fs::copy(elsewhere.path().join("core"), cores.path().join("worker.core")).unwrap();
    let found = incidents(&cores, &[]);
    // Both hold the random bytes of one start.
    is_story(&found, &["parent", "parent"], "guess", ("parent", "proved"));
}

#[test]
fn two_clients_of_one_database_that_crash_in_the_same_second_are_not_joined() {
    let database = TcpListener::bind("127.0.0.1:0").unwrap();
    let line = format!("lonely tcp4:{}", database.local_addr().unwrap().port());
    let run = recorded(&format!("{line} & {line} ; wait"));
    let found = incidents(&run, &[]);
    assert_eq!(list(&found, "incidents").len(), 0, "{found:#}");
    assert_eq!(list(&found, "alone").len(), 2);
    let Some(cores) = dumped(&[&line, &line]) else { return };
    let found = incidents(&cores, &[]);
    assert_eq!(list(&found, "incidents").len(), 0, "{found:#}");
    assert_eq!(list(&found, "alone").len(), 2);
}

#[test]
fn a_message_that_two_got_joins_them_and_one_that_is_compiled_in_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("message");
    fs::write(&file, "message_id: ord-20261130-0471a\n").unwrap();
    let line = format!("message {}", file.display());
    let found = incidents(&recorded(&format!("{line} & {line} ; wait")), &[]);
    assert_eq!(list(&found, "incidents").len(), 1, "{found:#}");
    let evidence = &found["incidents"][0]["links"][0]["evidence"][0];
    assert_eq!((&evidence["kind"], &evidence["strength"]), (&"id".into(), &"likely".into()));
    let found = incidents(&recorded("constant & constant ; wait"), &[]);
    assert_eq!((list(&found, "incidents").len(), list(&found, "alone").len()), (0, 2), "{found:#}");
}

#[test]
fn dumps_of_two_incidents_are_two_incidents() {
    let (one, other) = (port(), port());
    let line = format!(
        "server tcp4:{one} & client tcp4:{one} & server tcp4:{other} & client tcp4:{other} ; wait"
    );
    let found = incidents(&recorded(&line), &[]);
    assert_eq!(list(&found, "incidents").len(), 2, "{found:#}");
    for incident in list(&found, "incidents") {
        let commands: Vec<&str> =
            list(incident, "processes").iter().filter_map(|one| one["command"].as_str()).collect();
        assert_eq!(commands, ["server", "client"]);
    }
}

#[test]
fn every_format_has_the_incident_and_a_directory_without_cores_is_refused() {
    let run = recorded("parent");
    for format in ["human", "markdown", "html"] {
        let mut line = obit();
        line.args(["incident", "--format", format]).arg(run.path());
        let output = line.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let text = stdout(&output);
        assert!(text.contains("first to fail") && text.contains("proved"), "{format}: {text}");
        assert!(!text.contains("<script>alert"), "{text}");
    }
    let empty = tempfile::tempdir().unwrap();
    let refused = |path: &Path, why: &str| {
        let output = obit().arg("incident").arg(path).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(why), "{}", stderr(&output));
    };
    refused(empty.path(), "there is no core dump");
    refused(Path::new("/no/such"), "no such file or directory: /no/such");
    let wrong = obit().args(["incident", "--window", "soon", "."]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(64), "{}", stderr(&wrong));
}
