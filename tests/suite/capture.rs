//! `obit capture`, without the kernel: cores come by a pipe, machines are directories. What needs
//! the kernel's core pattern, which is one for the machine, is in scripts/check-capture.

use std::fs::{self, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use crate::fixture::{Case, obit, report, stderr, stdout};
use serde_json::Value;
use tempfile::TempDir;

const SYSTEMD: &str = "|/usr/lib/systemd/systemd-coredump %P %u %g %s %t %c %h %d";

/// A spool with settings, and a process that lives, in the part of one that crashed.
struct Captures {
    directory: TempDir,
    child: Child,
}

impl Captures {
    fn new(settings: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        // The user whom an analysis of root becomes must reach the core.
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        let spool = directory.path().join("cores");
        let text =
            format!("spool = {:?}\nkeep-free-percent = 0\n{settings}", spool.to_str().unwrap());
        fs::write(directory.path().join("capture.toml"), text).unwrap();
        let child = Command::new("sleep").arg("600").spawn().unwrap();
        Self { directory, child }
    }

    fn spool(&self) -> PathBuf {
        self.directory.path().join("cores")
    }

    fn capture(&self, words: &[&str], core: &Path) -> Output {
        let mut command = obit();
        command.args(["capture", "--config"]).arg(self.directory.path().join("capture.toml"));
        command.args(words).stdin(fs::File::open(core).unwrap()).output().unwrap()
    }

    /// What the kernel does when the child crashes.
    fn crash(&self, core: &Path) -> Output {
        let process = self.child.id().to_string();
        let unlimited = u64::MAX.to_string();
        let words =
            ["handle", &process, "11", "1767225600", &process, "", "1", &unlimited, "web-1"];
        self.capture(&words, core)
    }

    fn id(&self) -> String {
        format!("sleep-1767225600-{}", self.child.id())
    }

    fn json(&self, ending: &str) -> Value {
        let path = self.spool().join(format!("{}{ending}", self.id()));
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    }
}

impl Drop for Captures {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn plain_core(directory: &TempDir) -> PathBuf {
    let path = directory.path().join("plain");
    fs::write(&path, Case::named("null-field").plain_core()).unwrap();
    path
}

#[test]
fn a_crash_leaves_a_core_what_the_kernel_knew_and_the_report() {
    let captures = Captures::new("");
    let core = plain_core(&captures.directory);
    let output = captures.crash(&core);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let kept = captures.spool().join(format!("{}.core.zst", captures.id()));
    let unpacked = zstd::decode_all(fs::File::open(&kept).unwrap()).unwrap();
    assert!(unpacked == fs::read(&core).unwrap());
    for file in fs::read_dir(captures.spool()).unwrap() {
        assert_eq!(file.unwrap().metadata().unwrap().mode() & 0o777, 0o600);
    }
    let record = captures.json(".json");
    assert_eq!(record["facts"]["command_line"], serde_json::json!(["sleep", "600"]));
    assert_eq!(record["facts"]["identity"], "unverified", "it was not dumping");
    assert_eq!((&record["signal"], &record["host"]), (&11.into(), &"web-1".into()));
    let (made, direct) = (captures.json(".report.json"), report(&kept, &[]));
    assert_eq!(made["signature"], direct["signature"]);
    assert_eq!(made["circumstances"]["time"], "2026-01-01T00:00:00Z");
}

#[test]
fn a_host_that_is_called_like_an_option_is_a_name() {
    let captures = Captures::new("report = false\n");
    let process = captures.child.id().to_string();
    let words = ["handle", &process, "11", "1767225600", "", "", "", "999999999", "--connection"];
    let output = captures.capture(&words, &plain_core(&captures.directory));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(captures.json(".json")["host"], "--connection");
}

#[test]
fn the_status_lists_crashes_and_hides_what_the_process_had_for_itself() {
    let captures = Captures::new("");
    captures.crash(&plain_core(&captures.directory));
    let status = stdout(&captures.capture(&["status"], Path::new("/dev/null")));
    assert!(status.contains(&captures.id()) && status.contains("SIGSEGV"), "{status}");
    assert!(!status.contains("600\n"), "the command line is not shown: {status}");
    let status = captures.capture(&["status", "--json"], Path::new("/dev/null"));
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["crashes"], 1);
    assert_eq!(status["newest"][0]["signal"], "SIGSEGV");
    assert_eq!(status["newest"][0]["has_report"], true);
}

#[test]
fn without_reports_the_core_is_stored_alone() {
    let captures = Captures::new("report = false\nper-program = 1\n");
    let core = plain_core(&captures.directory);
    captures.crash(&core);
    captures.crash(&core);
    let status = captures.capture(&["status", "--json"], Path::new("/dev/null"));
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!((&status["crashes"], &status["refused"]), (&1.into(), &1.into()));
    assert_eq!(status["newest"][0]["has_report"], false);
}

#[test]
fn a_crash_that_finds_four_reports_being_made_has_none() {
    let captures = Captures::new("report-time-limit = 1\n");
    fs::DirBuilder::new().mode(0o755).create(captures.spool()).unwrap();
    let slot = |number| fs::File::create(captures.spool().join(format!(".report-{number}")));
    let slots: Vec<_> = (0..4).map(|number| slot(number).unwrap()).collect();
    slots.iter().for_each(|slot| slot.lock().unwrap());
    let core = plain_core(&captures.directory);
    assert_eq!(captures.crash(&core).status.code(), Some(0));
    assert!(captures.spool().join(format!("{}.core.zst", captures.id())).exists());
    assert!(!captures.spool().join(format!("{}.report.json", captures.id())).exists());
}

#[test]
fn the_kernel_dumps_no_core_of_a_reader() {
    let mut reader = obit()
        .args(["capture", "report", "--file-bytes=1000000"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let limits = || fs::read_to_string(format!("/proc/{}/limits", reader.id())).unwrap();
    // With 1 the kernel starts no handler; who has 0 for good may not raise it.
    let is_set = |line: &str| {
        let values: Vec<_> = line.split_whitespace().skip(4).take(2).collect();
        line.starts_with("Max core file size")
            && [["1", "1"], ["0", "0"]].contains(&[values[0], values[1]])
    };
    let is_taken = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        limits().lines().any(is_set)
    });
    reader.kill().unwrap();
    reader.wait().unwrap();
    assert!(is_taken);
}

#[test]
fn what_is_not_a_core_is_stored_and_has_no_report() {
    let captures = Captures::new("");
    let text = captures.directory.path().join("text");
    fs::write(&text, "not a core").unwrap();
    assert_eq!(captures.crash(&text).status.code(), Some(0));
    assert!(captures.spool().join(format!("{}.core.zst", captures.id())).exists());
    assert!(!captures.spool().join(format!("{}.report.json", captures.id())).exists());
}

#[test]
fn started_by_hand_it_says_what_it_is_for() {
    let captures = Captures::new("");
    let says = |words: &[&str], what: &str| {
        let output = captures.capture(words, Path::new("/dev/null"));
        assert_eq!(output.status.code(), Some(64), "{words:?}");
        assert!(stderr(&output).contains(what), "{words:?}: {}", stderr(&output));
    };
    says(&["handle"], "obit capture install");
    says(&["handle", "%P", "%s", "%t"], "%P was not replaced");
    says(&["handle", "1", "eleven", "0"], "%s is \"eleven\"");
    assert!(!captures.spool().exists());
}

#[test]
fn a_spool_that_cannot_be_used_is_named_with_what_to_do() {
    let captures = Captures::new("");
    fs::create_dir(captures.spool()).unwrap();
    fs::set_permissions(captures.spool(), Permissions::from_mode(0o777)).unwrap();
    let output = captures.crash(&plain_core(&captures.directory));
    assert_eq!(output.status.code(), Some(74));
    assert!(stderr(&output).contains("others may write to it; make it"), "{}", stderr(&output));
    fs::remove_dir(captures.spool()).unwrap();
    fs::write(captures.spool(), "a file").unwrap();
    let output = captures.crash(&plain_core(&captures.directory));
    assert!(stderr(&output).contains("cannot use the spool"), "{}", stderr(&output));
}

#[test]
fn a_process_that_connects_to_the_socket_is_not_a_crash() {
    let captures = Captures::new("");
    let path = captures.directory.path().join("socket");
    let mut command = obit();
    command.args(["capture", "--config"]).arg(captures.directory.path().join("capture.toml"));
    command.args(["listen", "--socket"]).arg(&path);
    let mut server = command.stderr(Stdio::null()).spawn().unwrap();
    let connected = (0..500).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        std::os::unix::net::UnixStream::connect(&path).ok()
    });
    let mut connection = connected.unwrap();
    assert_eq!(fs::symlink_metadata(&path).unwrap().mode() & 0o777, 0o600);
    std::io::Write::write_all(&mut connection, b"\x7fELF").unwrap();
    // It closes the connection.
    let mut rest = Vec::new();
    let _ = std::io::Read::read_to_end(&mut connection, &mut rest);
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(rest.is_empty() && !captures.spool().join("unknown").exists());
    let mut files = fs::read_dir(captures.spool()).into_iter().flatten().flatten();
    // It counts lines of the journal in a hidden file.
    assert!(files.all(|file| file.file_name().as_encoded_bytes().starts_with(b".")));
}

#[test]
fn a_socket_that_systemd_made_is_served() {
    let captures = Captures::new("");
    let path = captures.directory.path().join("socket");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    // As sd_listen_fds(3) has it: descriptor 3, and whose it is.
    let script = "exec 3<&0 0</dev/null; export LISTEN_PID=$$ LISTEN_FDS=1; exec \"$@\"";
    let mut server = Command::new("sh")
        .args(["-c", script, "sh", env!("CARGO_BIN_EXE_obit"), "capture", "--config"])
        .arg(captures.directory.path().join("capture.toml"))
        .args(["listen", "--socket", "/nonexistent/socket"])
        .stdin(std::os::fd::OwnedFd::from(listener))
        .spawn()
        .unwrap();
    let mut connection = std::os::unix::net::UnixStream::connect(&path).unwrap();
    connection.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    std::io::Write::write_all(&mut connection, b"\x7fELF").unwrap();
    let closed = std::io::Read::read(&mut connection, &mut [0]);
    server.kill().unwrap();
    server.wait().unwrap();
    // With bytes that no one read, the end is a reset.
    assert!(closed.map_or_else(|e| e.raw_os_error() == Some(104), |read| read == 0));
}

/// A machine whose kernel has this core pattern.
fn machine(pattern: &str) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let kernel = root.path().join("proc/sys/kernel");
    fs::create_dir_all(&kernel).unwrap();
    fs::write(kernel.join("core_pattern"), format!("{pattern}\n")).unwrap();
    fs::write(kernel.join("core_pipe_limit"), "0\n").unwrap();
    fs::write(kernel.join("core_modes"), "file\npipe\n").unwrap();
    root
}

fn pattern(root: &TempDir) -> String {
    let path = root.path().join("proc/sys/kernel/core_pattern");
    fs::read_to_string(path).unwrap().trim().to_owned()
}

fn on(root: &TempDir, words: &[&str]) -> Output {
    let mut command = obit();
    command.arg("capture").args(words).arg("--root").arg(root.path());
    command.stdin(Stdio::null()).output().unwrap()
}

#[test]
fn the_installation_is_shown_first_and_done_only_with_yes() {
    let root = machine("core");
    let shown = stdout(&on(&root, &["install"]));
    for part in ["would change", "core becomes |", "60-obit-capture.conf", "nothing was changed"] {
        assert!(shown.contains(part), "no {part:?} in\n{shown}");
    }
    assert_eq!(pattern(&root), "core");
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "only proc is there");
    let output = on(&root, &["install", "--yes"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(pattern(&root).ends_with("obit capture handle %P %s %t %I %F %d %c %h"));
    let sysctl = root.path().join("etc/sysctl.d/60-obit-capture.conf");
    assert!(fs::read_to_string(&sysctl).unwrap().contains(&pattern(&root)));
    assert!(root.path().join("var/lib/obit/cores").is_dir());
    // Again, it changes nothing that uninstall needs.
    assert_eq!(on(&root, &["install", "--yes"]).status.code(), Some(0));
    assert_eq!(on(&root, &["uninstall", "--yes"]).status.code(), Some(0));
    assert_eq!(pattern(&root), "core");
    assert!(!sysctl.exists());
    assert!(root.path().join("var/lib/obit/cores").is_dir(), "captured crashes stay");
    let again = on(&root, &["uninstall", "--yes"]);
    assert_eq!(again.status.code(), Some(64));
    assert!(stderr(&again).contains("nothing to take back"), "{}", stderr(&again));
}

#[test]
fn another_handler_is_not_replaced_unasked_and_is_set_again_afterwards() {
    let root = machine(SYSTEMD);
    let refused = on(&root, &["install", "--yes"]);
    assert_eq!(refused.status.code(), Some(64));
    let message = stderr(&refused);
    assert!(message.contains("systemd-coredump") && message.contains("--replace"), "{message}");
    assert_eq!(pattern(&root), SYSTEMD);
    assert_eq!(on(&root, &["install", "--yes", "--replace"]).status.code(), Some(0));
    assert!(pattern(&root).contains("obit capture handle"));
    assert_eq!(on(&root, &["uninstall", "--yes"]).status.code(), Some(0));
    assert_eq!(pattern(&root), SYSTEMD);
}

#[test]
fn a_handler_that_was_set_after_obit_stays() {
    let root = machine("core");
    on(&root, &["install", "--yes"]);
    fs::write(root.path().join("proc/sys/kernel/core_pattern"), SYSTEMD).unwrap();
    let shown = stdout(&on(&root, &["uninstall", "--yes"]));
    assert!(shown.contains("stays: it is no longer obit's"), "{shown}");
    assert_eq!(pattern(&root), SYSTEMD);
    assert!(!root.path().join("etc/sysctl.d/60-obit-capture.conf").exists());
}

#[test]
fn the_handler_that_the_last_installation_replaced_is_set_again() {
    let root = machine("core");
    let set = |pattern: &str| {
        fs::write(root.path().join("proc/sys/kernel/core_pattern"), pattern).unwrap();
    };
    let state = root.path().join("var/lib/obit/capture-state.json");
    on(&root, &["install", "--yes"]);
    set(SYSTEMD);
    assert_eq!(on(&root, &["install", "--yes", "--replace"]).status.code(), Some(0));
    on(&root, &["uninstall", "--yes"]);
    assert_eq!(pattern(&root), SYSTEMD);
    // Without a file of the former values, obit's own pattern is not taken for one.
    set("core.%p");
    on(&root, &["install", "--yes"]);
    fs::remove_file(&state).unwrap();
    on(&root, &["install", "--yes"]);
    on(&root, &["uninstall", "--yes"]);
    assert_eq!(pattern(&root), "core");
    on(&root, &["install", "--yes"]);
    fs::write(&state, "{\"core_pattern\":").unwrap();
    assert_eq!(on(&root, &["uninstall", "--yes"]).status.code(), Some(0));
    assert_eq!(pattern(&root), "core");
    assert!(!state.exists());
}

#[test]
fn the_socket_is_used_where_the_kernel_has_one() {
    let root = machine("core");
    let refused = on(&root, &["install", "--yes", "--socket"]);
    assert!(stderr(&refused).contains("no coredump socket"), "{}", stderr(&refused));
    let modes = root.path().join("proc/sys/kernel/core_modes");
    fs::write(modes, "file\npipe\nsocket\n").unwrap();
    assert_eq!(on(&root, &["install", "--yes", "--socket"]).status.code(), Some(0));
    assert_eq!(pattern(&root), "@@/run/obit/coredump.socket");
    on(&root, &["uninstall", "--yes"]);
    assert_eq!(pattern(&root), "core");
}
