//! `obit shell` as scripts see it: commands by `-ex`, by a file and by the standard input.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::fixture::{Case, captured, obit};
use crate::planted_numbers::{CARD, crash};

/// The shell on a case, its state in a directory of its own.
fn shell(name: &str, state: &Path) -> Command {
    let case = Case::named(name);
    let mut command = obit();
    command.arg("shell").arg(case.directory.join("core.zst"));
    command.env("XDG_STATE_HOME", state).stdin(Stdio::null());
    command
}

/// What commands print, and how the run ends.
fn run(name: &str, commands: &[&str], options: &[&str]) -> Output {
    let state = tempfile::tempdir().unwrap();
    let mut command = shell(name, state.path());
    command.arg("-batch").args(options);
    for one in commands {
        command.args(["-ex", one]);
    }
    command.output().unwrap()
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn answer(commands: &[&str]) -> String {
    text(&run("null-field", commands, &[]))
}

/// The one line of a command that has no answer.
fn refusal(command: &str) -> String {
    let output = run("null-field", &[command], &[]);
    assert_eq!(output.status.code(), Some(64), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{command}");
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!(line.lines().count(), 1, "{line}");
    line
}

#[test]
fn the_stack_is_listed_frame_by_frame_as_gdb_numbers_it() {
    let stack = answer(&["bt"]);
    let lines: Vec<_> = stack.lines().collect();
    assert_eq!(lines.len(), 6, "{stack}");
    assert!(
        lines[0].starts_with("#0 ") && lines[0].contains("next_serial (owner=0x0) at jobd.c:63")
    );
    let book = "#1  0x401680 in book (job=0x4c4cf0, status=0) at jobd.c:68  <- blame";
    assert_eq!(lines[1], book);
    assert!(lines[5].starts_with("#5  0x") && lines[5].contains("in clone3 ()"), "{stack}");
    assert_eq!(answer(&["bt 2"]).lines().count(), 3);
    assert!(answer(&["bt 2"]).ends_with("(More stack frames follow...)\n"));
    let outermost = answer(&["bt -1"]);
    assert!(outermost.starts_with("#5 ") && outermost.lines().count() == 1, "{outermost}");
    assert!(answer(&["bt full 2"]).contains("        serial = <optimized out>"));
}

#[test]
fn frames_and_threads_are_chosen_and_what_follows_is_of_them() {
    let moved = answer(&["frame 1", "p job->id", "up", "info locals", "down", "frame"]);
    assert!(moved.contains("68\t    unsigned long serial = next_serial(job->owner);"), "{moved}");
    assert!(moved.contains("job->id = 2\n"), "{moved}");
    assert!(moved.contains("#2  0x4016e0 in run_job") && moved.contains("status = 0"), "{moved}");
    assert!(moved.trim_end().ends_with("next_serial(job->owner);"), "{moved}");
    assert_eq!(answer(&["f 16961/2"]), answer(&["frame function run_job"]));
    assert_eq!(answer(&["blame"]), answer(&["frame 1"]));
    assert!(refusal("down").contains("innermost"));
    assert!(refusal("frame 99").contains("the last is 5"));
    let by_number = answer(&["thread 4"]);
    assert!(by_number.starts_with("[Switching to thread 4 (LWP 16964"), "{by_number}");
    assert_eq!(by_number, answer(&["thread 16964"]));
    assert!(refusal("thread 99").contains("no thread `99`"));
}

#[test]
fn commands_run_in_all_threads_and_frames() {
    let all = answer(&["thread apply all bt 1"]);
    assert_eq!(all.matches("Thread ").count(), 6, "{all}");
    assert!(all.find("Thread 6 ").unwrap() < all.find("Thread 1 ").unwrap(), "{all}");
    let two = answer(&["thread apply 1 3-4 bt 1", "thread apply 1 3-4 bt 1"]);
    assert_eq!(two.matches("\nThread ").count(), 6, "{two}");
    let frames = answer(&["frame apply all -s p status"]);
    assert!(frames.contains("in book") && frames.contains("in run_job"), "{frames}");
    assert!(!frames.contains("in worker"), "{frames}");
    assert_eq!(frames, answer(&["faas p status"]));
    assert_eq!(
        answer(&["thread apply 3 bt 1", "thread"]).lines().last(),
        answer(&["thread"]).lines().last()
    );
    let nested = "thread apply all thread apply all thread apply all thread apply all bt";
    assert!(refusal(nested).contains("nested"));
}

#[test]
fn values_memory_and_types_are_those_of_obit_print() {
    let case = Case::named("null-field");
    let core = case.directory.join("core.zst");
    for (of_shell, of_print) in [
        ("p *job", "*job"),
        ("print/x job->id", "/x job->id"),
        ("p $rip", "$rip"),
        ("x/4xb job", "x/4xb job"),
        ("x/2i $pc", "x/2i $pc"),
        ("ptype job", "ptype job"),
        ("whatis job->command", "whatis job->command"),
        ("info args", "info args"),
        ("i lo", "info locals"),
        ("i ar", "info args"),
        ("p jobs", "jobs"),
    ] {
        let printed = obit().arg("print").arg(&core).args([of_print, "-f", "1", "-q"]).output();
        let printed = String::from_utf8(printed.unwrap().stdout).unwrap();
        let shown = answer(&["frame 1", of_shell]);
        let shown = shown.splitn(3, '\n').nth(2).unwrap();
        assert_eq!(shown, printed, "{of_shell}");
    }
    assert!(refusal("p nothing_of_this").contains("no variable `nothing_of_this`"));
    assert!(refusal("p $1").contains("not numbered"));
    let call = refusal("p main()");
    assert!(call.starts_with("syntax error: function calls"), "{call}");
    assert!(refusal("p status = 1").len() > 10);
}

#[test]
fn memory_and_source_go_on_where_the_last_command_ended() {
    let state = tempfile::tempdir().unwrap();
    let mut child = shell("null-field", state.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = "frame 1\nx/2i $pc\n\nx/2xg $sp\nx\nlist\n\nlist -\n";
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let found = text(&child.wait_with_output().unwrap());
    assert!(found.contains("=> 0x401680 <book+11>:") && found.contains("   0x401684 <book+15>:"));
    // An empty line is one instruction more.
    assert_eq!(found.matches("0x401688 <book+19>:").count(), 1, "{found}");
    assert!(!found.contains("0x40168c"), "{found}");
    let second = found.lines().filter(|line| line.starts_with("0x7fff")).count();
    assert_eq!(second, 2, "{found}");
    let numbers: Vec<u32> =
        found.lines().filter_map(|line| line.split_once('\t')?.0.parse().ok()).collect();
    let listed: Vec<u32> = (63..73).chain(73..83).chain(63..73).collect();
    assert!(numbers.ends_with(&listed), "{numbers:?}");
}

#[test]
fn source_is_listed_by_line_range_and_function() {
    let numbers = |command: &str| -> Vec<u32> {
        let found = answer(&["frame 1", command]);
        let numbers =
            found.lines().skip(2).filter_map(|line| line.split_once('\t')?.0.parse().ok());
        numbers.collect()
    };
    assert_eq!(numbers("list 20"), (15..25).collect::<Vec<_>>());
    assert_eq!(numbers("list 3,5"), [3, 4, 5]);
    assert_eq!(numbers("list 7,"), (7..17).collect::<Vec<_>>());
    assert!(numbers("list run_job").contains(&74), "{:?}", numbers("list run_job"));
    assert!(refusal("list 99999").contains("no such line"));
    assert!(refusal("list no_such_function").contains("no_such_function"));
}

#[test]
fn a_function_is_disassembled_from_its_start_to_its_end() {
    let code = answer(&["frame 1", "disassemble"]);
    assert!(code.contains("Dump of assembler code for function book:"), "{code}");
    assert!(code.contains("   0x0000000000401675 <+0>:\t"), "{code}");
    assert_eq!(code.matches("\n=> ").count(), 1, "{code}");
    assert!(code.contains("=> 0x0000000000401680 <+11>:"), "{code}");
    assert!(code.ends_with("End of assembler dump.\n"), "{code}");
    let part = answer(&["disassemble 0x401680,+8"]);
    assert_eq!(part.lines().count(), 4, "{part}");
}

#[test]
fn registers_modules_and_the_signal_are_shown() {
    let registers = answer(&["info registers"]);
    assert!(registers.starts_with("rax            0x0"), "{registers}");
    assert!(registers.contains("[ PF IF RF ]") && registers.contains("<book+11>"), "{registers}");
    assert_eq!(answer(&["i r rip"]).lines().count(), 1);
    let of_caller = answer(&["frame 2", "info registers rip"]);
    assert!(of_caller.contains("<run_job+"), "{of_caller}");
    assert!(answer(&["info sharedlibrary"]).contains("prog"));
    let signal = answer(&["info signals"]);
    let wanted =
        "Program terminated with signal SIGSEGV (SEGV_MAPERR) at 0x20: nothing is mapped there.\n";
    assert_eq!(signal, wanted);
    assert!(answer(&["info symbol $pc"]).contains("book+11"));
    assert!(answer(&["info line"]).starts_with("Line 63 of \""));
    assert!(answer(&["info proc mappings"]).contains("r-x"));
    assert!(answer(&["info frame"]).contains("called by frame 1"));
    assert!(answer(&["why"]).contains("null-read"));
}

#[test]
fn locks_and_claims_are_answered_as_elsewhere() {
    let locks = text(&run("deadlock", &["locks"], &[]));
    assert!(locks.contains("waits for") && locks.contains("held by thread"), "{locks}");
    assert!(answer(&["frame 1", "verify job->owner is NULL"]).contains("holds: "));
}

#[test]
fn a_thread_that_waits_alone_is_listed_and_claims_about_it_are_judged() {
    let source = "#include <pthread.h>
        #include <semaphore.h>
        #include <stdlib.h>
        #include <unistd.h>
        pthread_mutex_t jobs = PTHREAD_MUTEX_INITIALIZER;
        pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
        pthread_mutex_t of_ready = PTHREAD_MUTEX_INITIALIZER;
        pthread_barrier_t line;
        sem_t rooms;
        static void *work(void *of) { pthread_mutex_lock(&jobs); return of; }
        static void *wait(void *of) {
            pthread_mutex_lock(&of_ready);
            pthread_cond_wait(&ready, &of_ready);
            return of; }
        static void *line_up(void *of) { pthread_barrier_wait(&line); return of; }
        static void *enter(void *of) { sem_wait(&rooms); return of; }
        int main(void) {
            pthread_t one;
            pthread_barrier_init(&line, 0, 2);
            sem_init(&rooms, 0, 0);
            pthread_mutex_lock(&jobs);
            pthread_create(&one, 0, work, 0);
            pthread_create(&one, 0, wait, 0);
            pthread_create(&one, 0, line_up, 0);
            pthread_create(&one, 0, enter, 0);
            usleep(200000);
            abort(); }";
    let place = tempfile::tempdir().unwrap();
    let core = captured(place.path(), "cc", &["-g", "-O0", "-pthread"], "a.c", source);
    let ask = |command: &str| {
        let mut shell = obit();
        shell.arg("shell").arg(&core).env("XDG_STATE_HOME", place.path()).stdin(Stdio::null());
        text(&shell.args(["-batch", "-ex", command]).output().unwrap())
    };
    let locks = ask("locks");
    for waited in ["condition variable `ready`", "barrier `line`", "semaphore `rooms`"] {
        assert!(
            locks.lines().any(|line| line.ends_with(&format!(" waits for {waited}"))),
            "{locks}"
        );
    }
    let held = locks.lines().find(|line| line.contains("`jobs`")).unwrap();
    let words: Vec<&str> = held.split_whitespace().collect();
    let [_, waiter, "waits", "for", "mutex", "`jobs`,", "held", "by", "thread", holder] = *words
    else {
        panic!("{locks}")
    };
    assert!(ask(&format!("verify thread {waiter} waits for thread {holder}")).contains("holds: "));
    let turned = ask(&format!("verify thread {holder} waits for thread {waiter}"));
    assert!(turned.contains("unknown: "), "{turned}");
}

#[test]
fn what_a_dump_has_no_answer_to_is_refused_in_a_line_that_says_why() {
    for command in ["run", "c", "b main", "next", "watch x", "kill"] {
        assert!(refusal(command).contains("the process has ended"), "{command}");
    }
    assert!(refusal("set var x = 1").contains("only read"));
    assert!(refusal("call main()").contains("calls no function"));
    assert!(refusal("shell ls").contains("no other program"));
    assert!(refusal("python print(1)").contains("no scripts"));
    assert!(refusal("info breakpoints").contains("nothing runs"));
    assert!(refusal("xyzzy").contains("no command \"xyzzy\""));
    assert!(refusal("di").contains("ambiguous command"));
    assert!(refusal("\u{1b}[2J").contains("no command"));
}

#[test]
fn help_names_every_command_and_each_of_them_has_a_page() {
    let help = answer(&["help"]);
    for command in ["why", "backtrace", "frame", "thread", "info", "print", "x[/NFU]", "list"] {
        assert!(help.contains(command), "{command}");
    }
    assert!(answer(&["help bt"]).contains("also: bt, where"));
    assert!(refusal("help run").contains("the process has ended"));
}

#[test]
fn commands_come_from_options_files_and_the_standard_input_in_this_order() {
    let state = tempfile::tempdir().unwrap();
    let script = state.path().join("script");
    std::fs::write(&script, "# a comment\n\necho one\\n\n").unwrap();
    let mut child = shell("null-field", state.path())
        .arg("-x")
        .arg(&script)
        .args(["-ex", "echo two\\n"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"echo three\\n\nquit\necho four\\n\n").unwrap();
    assert_eq!(text(&child.wait_with_output().unwrap()), "one\ntwo\nthree\n");
    // One that fails does not keep the others from running, and the exit code says it.
    let output = run("null-field", &["p nothing", "echo after\\n"], &[]);
    assert_eq!(output.status.code(), Some(64));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "after\n");
    // No history is written by what is no prompt.
    assert!(!state.path().join("obit/shell-history").exists());
}

#[test]
fn what_is_hidden_is_hidden_and_so_is_what_is_computed_from_it() {
    let Some((core, program)) = crash("shell", &["-g", "-O0"]) else { return };
    let ask = |options: &[&str]| {
        let mut command = obit();
        command.arg("shell").arg(&core).arg(&program).arg("-batch").args(options);
        command.args(["-ex", "bt full", "-ex", "p customer"]);
        command.args(["-ex", "echo computed:\\n", "-ex", "p customer.pin[0] == 55"]);
        text(&command.stdin(Stdio::null()).output().unwrap())
    };
    let (hidden, open) = (ask(&[]), ask(&["--redact", "off"]));
    assert!(open.ends_with("== 55 = true\n"), "{open}");
    assert!(hidden.contains("computed:") && !hidden.contains("true"), "{hidden}");
    assert!(open.contains("\"7391") && !hidden.contains("\"7391"), "{hidden}");
    assert!(!hidden.contains(&CARD.to_string()), "{hidden}");
}

#[test]
fn who_reads_no_more_ends_the_shell_quietly() {
    let state = tempfile::tempdir().unwrap();
    let mut command = shell("null-field", state.path());
    command.arg("-batch").stdout(Stdio::piped()).stderr(Stdio::piped());
    for _ in 0..200 {
        command.args(["-ex", "thread apply all bt"]);
    }
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(141), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn what_cannot_be_opened_is_refused_before_any_command() {
    let output = obit().args(["shell", "/no/such/core", "-ex", "bt"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let output = obit().args(["shell", "-", "-ex", "bt"]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(64), "{output:?}");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("text");
    std::fs::write(&file, "no core at all, but some text that is long enough").unwrap();
    let output = obit().arg("shell").arg(&file).args(["-ex", "bt"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn the_line_of_a_program_is_left_as_it_is() {
    let output =
        obit().args(["run", "-q", "--", "echo", "shell", "-quiet", "-ex"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "shell -quiet -ex\n");
}
