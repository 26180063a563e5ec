//! `obit run`: a command runs as it would alone, and what crashes or hangs in it is recorded.
//!
//! The programs are compiled here; `run/crashes.c` has one crash for each word.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::fixture::{list, obit, report, stderr, stdout};

/// The program of `run/crashes.c`.
fn crashes() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("run");
        fs::create_dir_all(&directory).unwrap();
        let program = directory.join("crashes");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/run/crashes.c");
        let flags = ["-g", "-O0", "-fno-omit-frame-pointer", "-pthread", "-o"];
        let built = Command::new("cc").args(flags).arg(&program).arg(source).status();
        assert!(built.unwrap().success());
        program
    })
}

/// A run in a directory of its own.
struct Run {
    directory: TempDir,
    output: Output,
}

impl Run {
    /// `obit run OPTIONS -- COMMAND`; `crashes` in the command is the program.
    fn of(options: &[&str], command: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let output = line(directory.path(), options, command).output().unwrap();
        Self { directory, output }
    }

    fn code(&self) -> Option<i32> {
        self.output.status.code()
    }

    fn messages(&self) -> String {
        stderr(&self.output)
    }

    /// The files with this extension, by name.
    fn files(&self, extension: &str) -> Vec<PathBuf> {
        let directory = self.directory.path().join("obit-crashes");
        let entries = fs::read_dir(directory).into_iter().flatten();
        let files = entries.map(|entry| entry.unwrap().path());
        let mut found: Vec<_> =
            files.filter(|file| file.extension().is_some_and(|end| end == extension)).collect();
        found.sort();
        found
    }

    /// The only report, which was asked for as JSON.
    #[track_caller]
    fn report(&self) -> Value {
        let files = self.files("json");
        assert_eq!(files.len(), 1, "{files:?}\n{}", self.messages());
        serde_json::from_slice(&fs::read(&files[0]).unwrap()).unwrap()
    }
}

fn line(directory: &Path, options: &[&str], command: &[&str]) -> Command {
    let mut line = obit();
    line.current_dir(directory).env("PATH", std::env::var_os("PATH").unwrap_or_default());
    line.arg("run").args(options).arg("--").stdin(Stdio::null());
    for word in command {
        line.arg(word.replace("crashes", crashes().to_str().unwrap()));
    }
    line
}

fn shell(script: &str) -> [&str; 3] {
    ["sh", "-c", script]
}

/// The functions of the crashed thread, innermost first.
fn functions(report: &Value) -> Vec<String> {
    let threads = list(report, "threads");
    let crashed = threads.iter().find(|thread| thread["crashed"] == true).unwrap_or(&threads[0]);
    let names = list(crashed, "frames").iter().filter_map(|frame| frame["function"].as_str());
    names.map(str::to_owned).collect()
}

/// Waits until `holds`, or fails.
#[track_caller]
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what} did not come true");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn state_of(process: u32) -> Option<char> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("State:"))?.trim().chars().next()
}

fn kill(signal: &str, target: &str) {
    let line = format!("kill -{signal} {target}");
    assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success(), "{line}");
}

/// The first line that a child writes.
fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    line.trim().to_owned()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn a_command_that_does_not_crash_runs_as_it_would_alone() {
    for (script, code) in [("exit 0", 0), ("exit 3", 3), ("exit 255", 255)] {
        let run = Run::of(&[], &shell(&format!("echo out; echo err >&2; {script}")));
        assert_eq!(run.code(), Some(code));
        assert_eq!((&*stdout(&run.output), &*run.messages()), ("out\n", "err\n"));
        assert!(!run.directory.path().join("obit-crashes").exists());
    }
}

#[test]
fn a_command_that_a_signal_ends_gives_128_and_its_number() {
    for (signal, code) in [("TERM", 143), ("KILL", 137), ("INT", 130)] {
        // Who tests in the background of a shell has SIGINT ignored.
        let script = format!("kill -{signal} $$");
        let run = Run::of(&[], &["env", "--default-signal", "sh", "-c", &script]);
        assert_eq!((run.code(), &*run.messages()), (Some(code), ""));
    }
}

#[test]
fn the_command_has_the_signal_mask_and_dispositions_it_would_have_alone() {
    let words = ["grep", "Sig", "/proc/self/status"];
    let alone = Command::new(words[0]).args(&words[1..]).output().unwrap();
    // What of the signals waits is of the moment.
    let masks = |output: &Output| {
        let text = stdout(output);
        text.lines().filter(|line| !line.starts_with("SigQ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(masks(&Run::of(&[], &words).output), masks(&alone));
}

#[test]
fn a_crash_is_recorded_wherever_in_the_tree_it_happens() {
    // The word, the exit code, threads in the core, functions of the crashed thread.
    let cases: &[(&str, i32, usize, &[&str])] = &[
        ("main", 139, 1, &["fault", "run", "main"]),
        ("thread", 139, 2, &["fault", "in_thread"]),
        ("without-main", 139, 1, &["fault", "exiting_first_thread"]),
        ("exec-by-thread", 139, 2, &["fault", "in_thread"]),
        ("grandchild", 0, 1, &["fault", "run", "main"]),
        ("vfork", 0, 1, &["fault", "run", "main"]),
        ("in-handler", 139, 1, &["fault", "faulting_handler"]),
        ("in-its-handler", 139, 1, &["fault", "faulting_handler"]),
        ("abort", 134, 1, &["abort", "run", "main"]),
        ("overflow", 139, 1, &["deep", "run", "main"]),
        ("overflow-with-handler", 139, 1, &["deep", "run", "main"]),
    ];
    for (word, code, threads, wanted) in cases {
        let run = Run::of(&["--format", "json"], &["crashes", word]);
        assert_eq!(run.code(), Some(*code), "{word}: {}", run.messages());
        let found = run.report();
        let functions = functions(&found);
        for function in *wanted {
            assert!(functions.iter().any(|name| name == function), "{word}: {functions:?}");
        }
        assert_eq!(list(&found, "threads").len(), *threads, "{word}");
        // The same as from the core that is kept.
        let cores = run.files("core");
        assert_eq!(cores.len(), 1, "{word}");
        assert_eq!(report(&cores[0], &[])["id"], found["id"], "{word}");
        assert!(run.messages().contains("recorded in obit-crashes"), "{}", run.messages());
    }
}

#[test]
fn a_program_that_is_deleted_before_its_crash_is_explained_too() {
    let script = "cp crashes gone; ./gone hang & sleep 0.3; rm gone; kill -SEGV $!; wait; true";
    let run = Run::of(&["--format", "json"], &shell(script));
    assert!(functions(&run.report()).iter().any(|name| name == "run"), "{}", run.messages());
}

#[test]
fn a_process_of_many_threads_is_recorded_with_all_of_them() {
    let run = Run::of(&["--format", "json"], &["crashes", "threads", "200"]);
    assert_eq!(list(&run.report(), "threads").len(), 201);
}

#[test]
fn a_fault_that_the_program_handles_is_no_crash() {
    let run = Run::of(&[], &["crashes", "handled"]);
    assert_eq!((run.code(), &*stdout(&run.output)), (Some(0), "survived\n"));
    assert_eq!(run.messages(), "");
    assert!(run.files("core").is_empty());
}

#[test]
fn the_page_of_a_crash_and_a_line_about_its_files_are_on_the_standard_error() {
    let run = Run::of(&[], &["crashes", "main"]);
    let messages = run.messages();
    assert!(
        messages.contains("NULL pointer write") && messages.contains("#0  fault"),
        "{messages}"
    );
    let last = messages.lines().last().unwrap();
    assert!(last.starts_with("obit:   crashes-") && last.contains(".core, crashes-"), "{last}");
    assert_eq!(stdout(&run.output), "");
    for file in run.files("core").iter().chain(&run.files("txt")) {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_hundred_crashes_at_once_are_recorded_or_counted_and_explained_once() {
    let run = Run::of(&[], &["crashes", "many", "100"]);
    assert_eq!(run.code(), Some(0));
    assert_eq!((run.files("core").len(), run.files("txt").len()), (20, 20));
    let messages = run.messages();
    assert!(messages.contains("obit: 20 processes were recorded"), "{messages}");
    assert!(messages.contains("obit: 80 more of crashes (SIGSEGV) not recorded"), "{messages}");
    assert_eq!(messages.matches("NULL pointer write").count(), 1, "{messages}");
}

#[test]
fn a_signal_that_is_sent_to_obit_reaches_the_command() {
    let directory = tempfile::tempdir().unwrap();
    let mut line = line(directory.path(), &[], &["crashes", "end-on-term"]);
    let mut child = line.stdout(Stdio::piped()).spawn().unwrap();
    assert_eq!(first_line(&mut child), "ready");
    kill("TERM", &child.id().to_string());
    assert_eq!(child.wait().unwrap().code(), Some(7));
}

#[test]
fn a_signal_that_is_sent_to_the_group_reaches_the_command_once() {
    let directory = tempfile::tempdir().unwrap();
    let mut line = line(directory.path(), &[], &["crashes", "count"]);
    let mut child = line.stdout(Stdio::piped()).process_group(0).spawn().unwrap();
    assert_eq!(first_line(&mut child), "ready");
    kill("USR1", &format!("-{}", child.id()));
    let output = child.wait_with_output().unwrap();
    assert_eq!(stdout(&output), "got\n");
}

#[test]
fn a_command_that_hangs_is_recorded_with_its_whole_tree_and_ended() {
    let begun = Instant::now();
    let run = Run::of(&["--timeout", "1s"], &shell("crashes hang; true"));
    // Far more than it takes: the tests run side by side.
    assert!(begun.elapsed() < Duration::from_secs(15));
    assert_eq!(run.code(), Some(124), "{}", run.messages());
    assert_eq!((run.files("core").len(), run.files("txt").len()), (2, 2));
    assert!(run.messages().contains("the command has run for 1 s"), "{}", run.messages());
}

#[test]
fn what_does_not_end_when_it_is_asked_to_is_killed() {
    let options = ["--timeout", "0.5", "--kill-after", "0.5"];
    let run = Run::of(&options, &["crashes", "hang-on"]);
    assert_eq!(run.code(), Some(124), "{}", run.messages());
}

#[test]
fn a_process_that_forks_and_ends_all_the_time_does_not_escape() {
    let options = ["--timeout", "0.3", "--kill-after", "0.1", "--max-crashes", "0"];
    let run = Run::of(&options, &["crashes", "flee"]);
    assert_eq!(run.code(), Some(124), "{}", run.messages());
    let lines = fs::read_dir("/proc").unwrap().flatten();
    let lines = lines.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let wanted = [crashes().as_os_str().as_encoded_bytes(), b"\0flee\0"].concat();
    assert_eq!(lines.filter(|line| *line == wanted).count(), 0);
}

#[test]
fn a_process_that_exits_with_the_status_asked_for_is_recorded_too() {
    let options = ["--on-exit", "3", "--format", "json"];
    let run = Run::of(&options, &shell("crashes exit 3; crashes exit 4; true"));
    assert_eq!(run.code(), Some(0));
    assert!(functions(&run.report()).iter().any(|name| name == "exit"));
    assert!(run.messages().contains("exit status 3"), "{}", run.messages());
    let none = Run::of(&["--on-exit", "nonzero"], &["crashes", "exit", "0"]);
    assert!(none.files("core").is_empty());
}

#[test]
fn only_exits_of_processes_of_the_command_are_recorded() {
    let failed = Run::of(&["--on-exit", "nonzero"], &["no-such-command"]);
    assert_eq!((failed.code(), failed.files("core").len()), (Some(127), 0));
    let run = Run::of(&["--on-exit", "3", "--format", "json"], &["crashes", "thread-exit"]);
    assert_eq!(run.code(), Some(139));
    assert!(functions(&run.report()).iter().any(|name| name == "fault"), "{}", run.messages());
}

#[test]
fn a_signal_that_the_first_process_of_a_namespace_ignores_is_no_crash() {
    if !is_root() {
        return;
    }
    let script = "kill -QUIT $$; echo on; exit 3";
    let command = ["unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", script];
    let run = Run::of(&[], &command);
    assert_eq!((run.code(), &*stdout(&run.output)), (Some(3), "on\n"), "{}", run.messages());
    assert!(run.files("core").is_empty());
    let fault = Run::of(&[], &["unshare", "--pid", "--fork", "--mount-proc", "crashes", "main"]);
    // unshare ends itself by the same signal.
    let of_fault = |core: &&PathBuf| core.to_str().unwrap().contains("/crashes-");
    assert_eq!(fault.files("core").iter().filter(of_fault).count(), 1, "{}", fault.messages());
}

#[test]
fn a_process_that_does_not_let_itself_be_dumped_is_left_alone() {
    let run = Run::of(&[], &["crashes", "not-dumpable"]);
    assert_eq!(run.code(), Some(139));
    let messages = run.messages();
    assert!(messages.starts_with("obit: no core of ") && messages.contains("PR_SET_DUMPABLE"));
    assert_eq!(messages.lines().count(), 1, "{messages}");
    assert!(run.files("core").is_empty());
}

#[test]
fn what_is_left_of_a_crash_is_what_was_asked_for() {
    let report_only = Run::of(&["--keep", "report"], &["crashes", "main"]);
    assert_eq!((report_only.files("core").len(), report_only.files("txt").len()), (0, 1));
    let scrubbed = Run::of(&["--scrub"], &["crashes", "main"]);
    let cores = scrubbed.files("core");
    assert!(cores.len() == 1 && cores[0].to_str().unwrap().ends_with(".scrubbed.core"));
}

#[test]
fn a_gate_fails_a_command_that_succeeded_though_something_crashed_in_it() {
    let gate = ["--fail-on", "class=null-write"];
    assert_eq!(Run::of(&gate, &["crashes", "grandchild"]).code(), Some(3));
    assert_eq!(Run::of(&gate, &["crashes", "main"]).code(), Some(139));
    let other = ["--fail-on", "class=abort"];
    assert_eq!(Run::of(&other, &["crashes", "grandchild"]).code(), Some(0));
}

#[test]
fn a_link_in_the_place_of_the_directory_is_not_followed_and_the_command_is_not_harmed() {
    let directory = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    symlink(other.path(), directory.path().join("obit-crashes")).unwrap();
    let output = line(directory.path(), &[], &["crashes", "main"]).output().unwrap();
    assert_eq!(output.status.code(), Some(139));
    assert!(stderr(&output).contains("obit-crashes"), "{}", stderr(&output));
    assert_eq!(fs::read_dir(other.path()).unwrap().count(), 0);
}

#[test]
fn a_command_that_cannot_run_is_named_with_the_reason() {
    for (command, code, why) in [
        ("no-such-command", 127, "no-such-command was not found"),
        ("/etc/passwd", 126, "cannot execute /etc/passwd: Permission denied"),
        ("/tmp", 126, "cannot execute /tmp"),
    ] {
        let run = Run::of(&[], &[command]);
        assert_eq!(run.code(), Some(code), "{}", run.messages());
        assert!(run.messages().contains(why), "{}", run.messages());
    }
}

#[test]
fn a_command_that_would_lose_its_rights_is_refused() {
    let su = ["/bin/su", "/usr/bin/su"].into_iter().find(|path| Path::new(path).exists());
    let Some(su) = su.filter(|_| is_root()) else { return };
    let mut line = Command::new("setpriv");
    line.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    // The directories above the built program may be closed to others.
    let program = "/proc/self/fd/0";
    line.stdin(fs::File::open(env!("CARGO_BIN_EXE_obit")).unwrap());
    let output = line.args([program, "run", su]).output().unwrap();
    assert_eq!(output.status.code(), Some(126), "{}", stderr(&output));
    assert!(stderr(&output).contains("set-user-ID"), "{}", stderr(&output));
}

#[test]
fn a_process_that_outlives_the_command_is_let_go() {
    let run = Run::of(&[], &shell("crashes hang >/dev/null 2>&1 & echo $!"));
    assert_eq!(run.code(), Some(0));
    let daemon: u32 = stdout(&run.output).trim().parse().unwrap();
    eventually("the daemon waits", || state_of(daemon) == Some('S'));
    let status = fs::read_to_string(format!("/proc/{daemon}/status")).unwrap();
    assert!(status.contains("TracerPid:\t0"), "{status}");
    kill("KILL", &daemon.to_string());
}

#[test]
fn it_is_let_go_before_the_cores_are_analysed() {
    let directory = tempfile::tempdir().unwrap();
    let script = "crashes hang >/dev/null 2>&1 & echo $!; exec crashes main";
    let mut line = line(directory.path(), &[], &shell(script));
    let mut child = line.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let daemon = first_line(&mut child);
    let is_traced = || {
        let status = fs::read_to_string(format!("/proc/{daemon}/status")).unwrap();
        !status.contains("TracerPid:\t0")
    };
    while child.try_wait().unwrap().is_none() && is_traced() {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(child.try_wait().unwrap(), None, "it was traced to the end");
    kill("KILL", &daemon);
    assert_eq!(child.wait().unwrap().code(), Some(139));
}

#[test]
fn a_command_that_is_stopped_alone_continues_alone() {
    let script = "(sleep 0.3; kill -CONT $$) & kill -STOP $$; echo on";
    let run = Run::of(&[], &shell(script));
    assert_eq!((run.code(), &*stdout(&run.output)), (Some(0), "on\n"));
}

#[test]
fn job_control_stops_the_command_and_obit_and_resumes_both() {
    let directory = tempfile::tempdir().unwrap();
    let mut line = line(directory.path(), &[], &["crashes", "end-on-term"]);
    // A group of its own, as a shell gives each job.
    let mut child = line.stdout(Stdio::piped()).process_group(0).spawn().unwrap();
    assert_eq!(first_line(&mut child), "ready");
    let (obit, group) = (child.id(), format!("-{}", child.id()));
    let children = fs::read_to_string(format!("/proc/{obit}/task/{obit}/children")).unwrap();
    let command: u32 = children.trim().parse().unwrap();
    kill("TSTP", &group);
    eventually("obit is stopped", || state_of(obit) == Some('T'));
    eventually("the command is stopped", || matches!(state_of(command), Some('t' | 'T')));
    kill("CONT", &group);
    eventually("the command runs", || state_of(command) == Some('S'));
    kill("TERM", &obit.to_string());
    assert_eq!(child.wait().unwrap().code(), Some(7));
}

#[test]
fn obit_stops_though_some_of_the_foreground_are_never_quiet() {
    let directory = tempfile::tempdir().unwrap();
    let script = "(trap '' TSTP; while :; do /bin/true; done) & echo ready; wait";
    let mut line = line(directory.path(), &[], &shell(script));
    let mut child = line.stdout(Stdio::piped()).process_group(0).spawn().unwrap();
    assert_eq!(first_line(&mut child), "ready");
    std::thread::sleep(Duration::from_millis(100));
    let group = format!("-{}", child.id());
    kill("TSTP", &group);
    eventually("obit is stopped", || state_of(child.id()) == Some('T'));
    kill("CONT", &group);
    kill("TERM", &group);
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

#[test]
fn where_no_thread_can_be_started_the_analysis_waits_for_the_end() {
    if !is_root() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let mut line = Command::new("setpriv");
    // A user who has no other process; the directories above obit may be closed to it.
    line.args(["--reuid", "54321", "--regid", "54321", "--clear-groups"]);
    line.args(["prlimit", "--nproc=2", "/proc/self/fd/0", "run", "-o", "crashes", "--"]);
    line.stdin(fs::File::open(env!("CARGO_BIN_EXE_obit")).unwrap());
    let output = line.args(shell("kill -SEGV $$")).current_dir(directory.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(139), "{}", stderr(&output));
    let files = fs::read_dir(directory.path().join("crashes")).unwrap().count();
    assert_eq!(files, 2, "{}", stderr(&output));
}

#[test]
fn as_the_first_process_of_a_container_it_reaps_orphans() {
    if !is_root() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    // The orphan ends while the command runs, and nothing but obit can reap it.
    let script = "(sh -c 'sleep 0.1 & exit' ); sleep 0.5; \
        cat /proc/[0-9]*/status | grep -c '^State:.Z'; crashes main; exit 4";
    let run = line(directory.path(), &[], &shell(script));
    let mut unshare = Command::new("unshare");
    unshare.args(["--pid", "--fork", "--mount-proc"]).arg(run.get_program());
    unshare.args(run.get_args()).current_dir(directory.path()).stdin(Stdio::null());
    let output = unshare.output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert_eq!(stdout(&output), "0\n");
    let files = fs::read_dir(directory.path().join("obit-crashes")).unwrap();
    assert_eq!(files.count(), 2);
}

#[test]
fn where_nothing_can_be_recorded_the_command_runs_with_a_warning() {
    if !is_root() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let run = line(directory.path(), &[], &["crashes", "main"]);
    // /proc shows the processes of the other namespace.
    let mut unshare = Command::new("unshare");
    unshare.args(["--pid", "--fork"]).arg(run.get_program()).args(run.get_args());
    let output = unshare.current_dir(directory.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(139));
    assert!(stderr(&output).starts_with("obit: crashes are not recorded: "), "{}", stderr(&output));
}

#[test]
fn a_filter_that_forbids_ptrace_is_named_and_the_command_runs() {
    let directory = tempfile::tempdir().unwrap();
    let run = line(directory.path(), &[], &["crashes", "exit", "3"]);
    let mut filtered = Command::new(crashes());
    filtered.arg("without-ptrace").arg(run.get_program()).args(run.get_args());
    let output = filtered.current_dir(directory.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let messages = stderr(&output);
    assert!(messages.contains("ptrace is not permitted") && messages.contains("seccomp"));
    assert_eq!(messages.lines().count(), 1, "{messages}");
}

#[test]
fn a_process_that_seccomp_kills_has_no_core_and_is_named() {
    let run = Run::of(&[], &["crashes", "forbidden-call"]);
    assert_eq!(run.code(), Some(128 + 31));
    assert!(run.messages().contains("SIGSYS): the kernel killed it at once"), "{}", run.messages());
}

#[test]
fn the_standard_input_is_the_commands() {
    let directory = tempfile::tempdir().unwrap();
    let mut line = line(directory.path(), &[], &["cat"]);
    let mut child = line.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), b"text").unwrap();
    drop(child.stdin.take());
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(child.wait().unwrap().success() && text == "text");
}

#[test]
fn a_scrubbed_core_has_pages_of_code_as_they_were_or_not_at_all() {
    // With the pages of files.
    let script = "echo 0x7f >/proc/self/coredump_filter; exec crashes in-handler";
    let run = Run::of(&[], &shell(script));
    let core = run.files("core").remove(0);
    let out = core.with_extension("scrubbed");
    let scrubbed = obit().arg("scrub").args([&core, crashes(), "-o".as_ref(), &out]).output();
    assert_eq!(scrubbed.as_ref().unwrap().status.code(), Some(0), "{}", stderr(&scrubbed.unwrap()));
    let open = |path| obit::dump::Dump::open(path, &obit::limits::Limits::default()).unwrap();
    let (before, after) = (open(&core), open(&out));
    let code = after.segments.iter().filter(|part| part.permissions.execute && part.dumped > 0);
    let mut compared = 0;
    for part in code {
        let whole = before.segment_at(part.range.start).unwrap();
        let offset = whole.offset + (part.range.start.0 - whole.range.start.0);
        let was = before.bytes.read_vec(offset, part.dumped);
        assert!(after.bytes.read_vec(part.offset, part.dumped) == was, "{:?}", part.range);
        compared += part.dumped;
    }
    assert!(compared > 4096, "only {compared} bytes of code are kept");
}
