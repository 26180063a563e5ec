//! What people type who come from gdb, lldb, coredumpctl, git or ripgrep, and what they get.
//!
//! Each row is a command line as typed in a directory that has `core`, `core.zst`,
//! `core.1.zst` and `core.2.zst`, their program `prog`, the program of another crash
//! `other`, a text `notes.txt`, and a directory `crash` with one core and `many` with two.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use crate::fixture::{Case, obit, stderr, stdout};
use serde_json::Value;
use tempfile::TempDir;

const OK: i32 = 0;
const INCOMPLETE: i32 = 1;
const UNUSABLE: i32 = 2;
const GATE: i32 = 3;
const USAGE: i32 = 64;

/// On the standard output of a report.
const REPORT: &str = "obit: SIGSEGV at 0x20";

/// The words behind `obit`, the exit code, and a text that is in the output: on the standard
/// output if the run succeeds, else in the one line on the standard error.
type Row = (&'static str, i32, &'static str);

const A_CORE: &[Row] = &[
    ("core", OK, REPORT),
    ("./core", OK, REPORT),
    ("core.zst", OK, REPORT),
    ("core.zst -q", OK, REPORT),
    ("-v core", OK, REPORT),
    ("analyze core", OK, REPORT),
    ("core prog", OK, REPORT),
    ("prog core", OK, REPORT),
    ("./prog ./core", OK, REPORT),
    ("--core core", OK, REPORT),
    ("--core=core prog", OK, REPORT),
    ("-c core", OK, REPORT),
    ("-c core -e prog", OK, REPORT),
    ("-- core", OK, REPORT),
    ("core -a", OK, "threads"),
    ("core --all-threads", OK, REPORT),
    ("core --summary", OK, REPORT),
    ("--color=never core", OK, REPORT),
    ("--color never core", OK, REPORT),
    ("--no-pager core", OK, REPORT),
    ("core --redact=off", OK, "nothing redacted"),
    ("core --frames 0", OK, REPORT),
    ("core --registers", OK, "rip"),
];

const OUTPUT: &[Row] = &[
    ("--json core", OK, "{\"schema\":\"obit.report/1\""),
    ("core --json", OK, "{\"schema\":\"obit.report/1\""),
    ("core --format json", OK, "{\"schema\":\"obit.report/1\""),
    ("core -o -", OK, REPORT),
    ("core --format=html -o out.html", OK, ""),
    ("core -o out.html", OK, ""),
    ("core -o /no/such/out.html", 74, "cannot write /no/such/out.html"),
    ("core -o core", USAGE, "core is being read"),
    ("core --format yaml", USAGE, "no such value 'yaml'; it is one of human, json"),
    ("core --format jsn", USAGE, "did you mean 'json'?"),
    ("core --format csv", USAGE, "csv cannot hold a report; formats that can: human, json"),
    ("core --yaml", USAGE, "--json writes JSON"),
    ("core --json --format html", USAGE, "--json and --format cannot be used together"),
    ("core --strict prog", OK, REPORT),
    ("core --fail-on class=null-read", GATE, ""),
    ("core --fail-on class=nul-read", USAGE, "did you mean null-read?"),
];

const SEVERAL: &[Row] = &[
    ("core.1.zst core.2.zst", OK, "==> core.2.zst <=="),
    ("core.1.zst core.2.zst --summary", OK, "==> core.1.zst <=="),
    ("core.1.zst core.2.zst --format brief", OK, "SIGSEGV"),
    ("core.1.zst core.2.zst --format html", USAGE, "html cannot hold several reports"),
    ("core.1.zst nosuch", USAGE, "no such file: nosuch"),
    ("core.1.zst notes.txt", USAGE, "notes.txt is neither a core nor a program"),
    ("core.1.zst prog other", USAGE, "other is a program, too"),
    ("modules core.1.zst core.2.zst", USAGE, "too many files"),
];

const NO_CORE: &[Row] = &[
    ("", USAGE, "no core file given; try `obit CORE`"),
    ("core.99", UNUSABLE, "no such file: core.99"),
    ("/var/crash/nosuch", UNUSABLE, "no such file: /var/crash/nosuch"),
    ("prog", UNUSABLE, "not a core (type 4); did you mean `obit CORE prog`?"),
    ("notes.txt", UNUSABLE, "notes.txt is not a core file: it looks like text"),
    (".", UNUSABLE, "`obit triage .` reads the cores in it"),
    (
        "crash",
        UNUSABLE,
        "`obit triage crash` reads the cores in it, `obit crash/core` the only one",
    ),
    ("many", UNUSABLE, "`obit triage many` reads the cores in it"),
    ("modules crash", UNUSABLE, "`obit triage crash`"),
    ("core crash", UNUSABLE, "`obit triage crash`"),
    ("999999999", UNUSABLE, "there is no process 999999999, nor a file of that name"),
    ("core 999999999", USAGE, "`obit 999999999` alone reports on that process"),
    ("core nosuch", USAGE, "no such file: nosuch"),
    ("core -e nosuch", USAGE, "no such file: nosuch"),
    ("core ./nosuch --json", USAGE, "no such file: ./nosuch"),
    ("-c", USAGE, "--core needs a value"),
    ("core --sysroot /no/such", USAGE, "no such directory: /no/such"),
];

const GDB_AND_LLDB: &[Row] = &[
    ("bt", USAGE, "there is no verb `bt`; `obit CORE` shows the stack"),
    ("bt core", USAGE, "`obit core` shows the stack"),
    ("core bt", USAGE, "`obit core` shows the stack"),
    ("where", USAGE, "`obit CORE` shows the stack"),
    ("backtrace core", USAGE, "`obit core` shows the stack"),
    ("info threads", USAGE, "`obit CORE -a` shows every thread"),
    ("info registers core", USAGE, "`obit core --registers`"),
    ("info locals", USAGE, "`obit print CORE"),
    ("info sharedlibrary", USAGE, "`obit modules CORE`"),
    ("thread apply all bt", USAGE, "`obit CORE -a` shows every thread"),
    ("thread backtrace all", USAGE, "`obit CORE -a` shows every thread"),
    ("image list", USAGE, "`obit modules CORE`"),
    ("frame variable", USAGE, "`obit print CORE NAME -f N`"),
    ("p job", USAGE, "`obit print CORE EXPR`"),
    ("gdb", USAGE, "`obit shell CORE` is a prompt"),
    ("gdb core", USAGE, "`obit shell core` is a prompt"),
    ("debug prog core", USAGE, "is a prompt with gdb's commands"),
    ("start ./prog", USAGE, "obit run -- PROGRAM"),
    ("attach 1", USAGE, "`obit PID` reports on a process that runs"),
    ("quit", USAGE, "there is no prompt to leave"),
    ("core --batch", USAGE, "--batch is not needed"),
    ("--batch -ex bt core", USAGE, "`obit shell CORE -ex COMMAND`"),
    ("-ex bt prog core", USAGE, "`obit shell CORE -ex COMMAND`"),
    ("-p 1", USAGE, "`obit PID` reports on a process that runs"),
    ("--pid=1", USAGE, "`obit PID` reports on a process that runs"),
    ("--args prog core", USAGE, "obit run -- PROGRAM"),
    ("-nx core", USAGE, "-nx is not needed"),
    ("print core job", OK, "0x4c4cf0"),
    ("core print job", OK, "0x4c4cf0"),
    ("print core *job -f 99", USAGE, "no frame 99"),
    ("print core", USAGE, "no expression given"),
    ("core --thread 1", USAGE, "no thread 1 in this core"),
];

const COREDUMPCTL: &[Row] = &[
    ("list", UNUSABLE, "`obit triage DIR` creates one"),
    ("info 4711", USAGE, "`obit CORE` reports on a core"),
    ("dump 4711", USAGE, "`coredumpctl dump PID -o FILE`"),
    ("show", USAGE, "ID is missing, as in `obit show ID`"),
    ("debug", USAGE, "`obit shell CORE` is a prompt"),
    ("coredumpctl", USAGE, "/var/lib/systemd/coredump"),
];

const HELP: &[Row] = &[
    ("-h", OK, "Usage: obit [OPTIONS] CORE"),
    ("--help", OK, "Exit codes:"),
    ("help", OK, "Exit codes:"),
    ("help triage", OK, "Usage: obit triage"),
    ("help db gc", OK, "Usage: obit db gc"),
    ("triage --help", OK, "Usage: obit triage"),
    ("help traige", USAGE, "did you mean `obit triage`?"),
    ("help nosuch", USAGE, "`obit --help` lists the verbs"),
    ("-V", OK, "obit 0."),
    ("--version", OK, "obit 0."),
    ("version", OK, "obit 0."),
    ("man", OK, ".TH obit 1"),
    ("man triage", OK, ".TH obit-triage 1"),
    ("completions bash", OK, "complete -F _obit"),
    ("completions zsh", OK, "#compdef obit"),
    ("completions fish", OK, "complete -c obit"),
    ("completions nushell", OK, "export extern obit"),
    ("completions", USAGE, "SHELL is missing"),
    ("completions tcsh", USAGE, "no such value 'tcsh'; it is one of bash, zsh, fish, nushell"),
    ("completion bash", USAGE, "`obit completions SHELL`"),
];

const SLIPS: &[Row] = &[
    ("traige", USAGE, "did you mean `obit triage`?"),
    ("analyse core", USAGE, "`obit analyze core`"),
    ("modlues core", USAGE, "did you mean `obit modules`?"),
    ("--jsn core", USAGE, "there is no option '--jsn'; did you mean --json?"),
    ("core --al-threads", USAGE, "did you mean --all-threads?"),
    ("core --limit 3", USAGE, "it is an option of `obit tasks`, `obit heap`"),
    ("core --frames abc", USAGE, "--frames: 'abc' is not a number"),
    ("core --frames=-1", USAGE, "--frames: '-1' is not a number"),
    ("core --width 5", USAGE, "--width: 5 is not between 20 and 65535"),
    ("core --thread abc", USAGE, "--thread: 'abc' is not a number"),
    ("core --color=maybe", USAGE, "no such value 'maybe'; it is one of auto, always, never"),
    ("core -q -v", USAGE, "cannot be used together"),
    ("core --frames 1 --frames 2", USAGE, "--frames was given twice"),
    ("explain nul-read", USAGE, "did you mean null-read?"),
    ("run", USAGE, "COMMAND is missing, as in `obit run [OPTIONS] -- COMMAND [ARGS]…`"),
    ("diff old", USAGE, "CURRENT is missing, as in `obit diff BASELINE CURRENT`"),
    ("core --json=1", USAGE, "--json takes no value"),
    ("explain null-read abort", USAGE, "takes no further argument: abort"),
    ("db", USAGE, "`obit db` needs a verb: check, export, import, copy, forget, gc"),
    ("db chekc", USAGE, "did you mean `obit db check`?"),
    ("triage", USAGE, "no directory or file given; try `obit triage DIR`"),
    ("triage many --jobs 0", USAGE, "--jobs: 0 is too small"),
    ("triage many --max-memory lots", USAGE, "expected a size, such as 512M"),
    ("top --since yesterday", USAGE, "--since: 'yesterday'"),
    ("top --sort size", USAGE, "no such value 'size'; it is one of rank, count"),
    ("scrub core", USAGE, "try `obit scrub CORE -o OUT`"),
    ("schema --of repot", USAGE, "did you mean 'report'?"),
];

struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { directory: tempfile::tempdir().unwrap() };
        let (case, other) = (Case::named("null-field"), Case::named("jump-null"));
        for (name, from) in [
            ("core.zst", case.core()),
            ("core.1.zst", case.core()),
            ("core.2.zst", other.core()),
            ("prog", case.program()),
            ("other", other.program()),
        ] {
            fs::copy(from, place.path(name)).unwrap();
        }
        for (name, content) in [
            ("core", &case.plain_core()[..]),
            ("crash/core", &case.plain_core()[..]),
            ("crash/notes.txt", b"no core\n"),
            ("many/core.1", &case.plain_core()[..]),
            ("many/core.2", &other.plain_core()[..]),
            ("notes.txt", b"no core\n"),
        ] {
            let path = place.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs `obit` here with these words; `input` is its standard input.
    fn run(&self, line: &str, input: Stdio) -> Output {
        let mut command = obit();
        command.current_dir(&self.directory).env("XDG_STATE_HOME", self.path("state"));
        command.args(line.split_whitespace()).stdin(input).output().unwrap()
    }

    fn ends(&self, line: &str, code: i32, said: &str) {
        let output = self.run(line, Stdio::null());
        let (out, err) = (stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(code), "obit {line}: {out}{err}");
        let shown = if code == OK || code == INCOMPLETE { &out } else { &err };
        assert!(shown.contains(said), "obit {line}: no {said:?} in\n{shown}");
        if matches!(code, USAGE | UNUSABLE) {
            assert_eq!((err.lines().count(), out.as_str()), (1, ""), "obit {line}: {err}");
        }
    }
}

#[track_caller]
fn holds(rows: &[Row]) {
    let place = Place::new();
    for (line, code, said) in rows {
        place.ends(line, *code, said);
    }
    assert!(!place.path("state").exists(), "the store was made");
}

#[test]
fn a_core_is_given_in_any_usual_way() {
    holds(A_CORE);
}

#[test]
fn output_goes_where_and_as_the_user_says() {
    holds(OUTPUT);
}

#[test]
fn several_cores_have_a_report_each() {
    holds(SEVERAL);
}

#[test]
fn what_is_not_a_core_is_answered_with_what_to_type() {
    holds(NO_CORE);
}

#[test]
fn commands_of_gdb_and_lldb_are_answered_with_ours() {
    holds(GDB_AND_LLDB);
}

#[test]
fn commands_of_coredumpctl_are_answered_with_ours() {
    holds(COREDUMPCTL);
}

#[test]
fn help_is_where_it_is_looked_for() {
    holds(HELP);
}

#[test]
fn a_slip_is_answered_with_the_nearest_right_spelling() {
    holds(SLIPS);
}

#[test]
fn the_name_of_the_output_file_chooses_the_format_unless_an_option_does() {
    let place = Place::new();
    for (line, file, start) in [
        ("core -o out.html", "out.html", "<!DOCTYPE html>"),
        ("core -o out.json", "out.json", "{\"schema\""),
        ("core -o out.md", "out.md", "#"),
        ("core -o out.txt", "out.txt", "obit: SIGSEGV"),
        ("core -o report", "report", "obit: SIGSEGV"),
        ("core --format human -o human.html", "human.html", "obit: SIGSEGV"),
    ] {
        place.ends(line, OK, "");
        let text = fs::read_to_string(place.path(file)).unwrap();
        assert!(text.starts_with(start), "{line}: {}", text.lines().next().unwrap());
    }
}

#[test]
fn several_cores_are_lines_of_json_in_their_order() {
    let place = Place::new();
    let output = place.run("--json core.2.zst core.1.zst prog", Stdio::null());
    assert_eq!(output.status.code(), Some(OK), "{}", stderr(&output));
    let text = stdout(&output);
    let paths: Vec<_> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["core"]["path"].clone())
        .collect();
    assert_eq!(paths, ["core.2.zst", "core.1.zst"]);
    // The program is that of the second alone, and used for no other.
    assert!(stderr(&output).contains("prog is not used: its build ID is"), "{}", stderr(&output));
}

#[test]
fn of_several_cores_one_that_cannot_be_read_costs_its_own_report_only() {
    let place = Place::new();
    fs::write(place.path("core.3"), "").unwrap();
    let output = place.run("core.1.zst core.3 core.2.zst", Stdio::null());
    assert_eq!(output.status.code(), Some(UNUSABLE));
    let text = stdout(&output);
    assert!(text.contains("==> core.1.zst <==") && text.contains("==> core.2.zst <=="), "{text}");
    assert!(!text.contains("core.3"), "{text}");
    assert!(stderr(&output).contains("core.3 is empty"), "{}", stderr(&output));
    let gate = place.run("core.1.zst core.3 --fail-on class=null-read", Stdio::null());
    assert_eq!(gate.status.code(), Some(USAGE), "two words, one of which is not a core");
    let gate = place.run("core.1.zst core.3 core --fail-on class=null-read", Stdio::null());
    assert_eq!(gate.status.code(), Some(GATE), "the highest code counts");
}

#[test]
fn a_dash_is_a_core_on_the_standard_input_plain_or_packed_from_a_file_or_a_pipe() {
    let place = Place::new();
    let usual = stdout(&place.run("core", Stdio::null()));
    for name in ["core", "core.zst"] {
        let file = File::open(place.path(name)).unwrap();
        assert_eq!(stdout(&place.run("-", file.into())), usual, "obit - < {name}");
        assert_eq!(stdout(&piped(&place, "-", &place.path(name))), usual, "cat {name} | obit -");
    }
    let core = place.path("core");
    for (line, said) in [
        ("- prog", REPORT),
        ("prog -", REPORT),
        ("--json -", "\"path\":\"-\""),
        ("print - job", "0x4c4cf0"),
        ("signature -", "next_serial"),
        ("modules -", "prog"),
    ] {
        let output = piped(&place, line, &core);
        assert_eq!(output.status.code(), Some(OK), "obit {line}: {}", stderr(&output));
        assert!(stdout(&output).contains(said), "obit {line}: {}", stdout(&output));
    }
    let scrubbed = piped(&place, "scrub - -o small.zst", &core);
    assert_eq!(scrubbed.status.code(), Some(OK), "{}", stderr(&scrubbed));
    place.ends("small.zst", OK, REPORT);
}

#[test]
fn what_is_not_a_core_on_the_standard_input_is_refused_in_one_line() {
    let place = Place::new();
    let text = place.path("notes.txt");
    for (line, input, code, said) in [
        ("-", &text, UNUSABLE, "the standard input is not a core file: it looks like text"),
        ("-", &place.path("prog"), UNUSABLE, "the standard input is an executable"),
        ("- -", &text, USAGE, "the standard input can be read only once"),
        ("", &text, USAGE, "`obit -` reads one from the standard input"),
    ] {
        for output in
            [piped(&place, line, input), place.run(line, File::open(input).unwrap().into())]
        {
            let message = stderr(&output);
            assert_eq!(output.status.code(), Some(code), "obit {line}: {message}");
            assert!(message.contains(said) && message.lines().count() == 1, "{message}");
        }
    }
    let core = File::open(place.path("core")).unwrap();
    let output = place.run("- -o core", core.into());
    assert_eq!(output.status.code(), Some(USAGE), "{}", stderr(&output));
    assert!(stderr(&output).contains("core is being read"), "{}", stderr(&output));
}

/// `cat input | obit line`.
fn piped(place: &Place, line: &str, input: &Path) -> Output {
    let mut command = obit();
    command.current_dir(&place.directory).args(line.split_whitespace());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let bytes = fs::read(input).unwrap();
    let writer = std::thread::spawn(move || {
        // It is closed where obit has seen enough.
        let _ = pipe.write_all(&bytes);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

#[test]
fn a_program_of_another_build_is_named_first_and_used_only_by_force() {
    let place = Place::new();
    let ids = |case: &str| Case::named(case).expect.build_ids["prog"].clone();
    let (wanted, found) = (ids("null-field"), ids("jump-null"));
    let refused = place.run("--json core other", Stdio::null());
    assert_eq!(refused.status.code(), Some(OK));
    let line = stderr(&refused);
    assert!(
        line.starts_with("obit: other is not used: ") && line.contains("--force-exe"),
        "{line}"
    );
    assert!(line.contains(&wanted) && line.contains(&found), "{line}");
    let forced = place.run("--json core other --force-exe", Stdio::null());
    assert!(
        stderr(&forced).contains("other is used because of --force-exe"),
        "{}",
        stderr(&forced)
    );
    let report: Value = serde_json::from_slice(&forced.stdout).unwrap();
    let notices = report["notices"].as_array().unwrap();
    let notice = notices.iter().find(|notice| notice["code"] == "executable-forced").unwrap();
    let text = notice["text"].as_str().unwrap();
    assert!(text.contains(&wanted) && text.contains(&found), "{text}");
    // Another build proves nothing.
    assert_ne!(report["cause"]["confidence"], "proved");
    let scrubbed = place.run("scrub core other --force-exe -o small", Stdio::null());
    assert_eq!(scrubbed.status.code(), Some(USAGE));
    assert!(!place.path("small").exists());
}

#[test]
fn a_mistyped_path_leaves_no_store_behind() {
    let place = Place::new();
    for line in [
        "triage /no/such",
        "triage nosuch other.core",
        "triage nosuch*",
        "triage many --baseline nosuch",
        "triage --files-from nosuch",
        "triage many --formt json",
        "db import nosuch",
        "top",
    ] {
        let output = place.run(line, Stdio::null());
        assert!(matches!(output.status.code(), Some(UNUSABLE | USAGE)), "obit {line}: {output:?}");
        assert_eq!(stderr(&output).lines().count(), 1, "obit {line}: {}", stderr(&output));
    }
    assert!(!place.path("state").exists());
}

#[test]
fn every_verb_has_its_manual_page_and_is_known_to_the_shells() {
    let place = Place::new();
    place.ends("man --all pages", OK, "");
    let bash = stdout(&place.run("completions bash", Stdio::null()));
    let help = stdout(&place.run("--help", Stdio::null()));
    let (_, verbs) = help.split_once("Verbs:\n").unwrap();
    let verbs: Vec<_> = verbs
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next().filter(|w| !w.is_empty()))
        .collect();
    assert!(verbs.len() >= 19, "{verbs:?}");
    for verb in verbs {
        let page = fs::read_to_string(place.path(&format!("pages/obit-{verb}.1"))).unwrap();
        assert!(page.contains(&format!(".TH obit-{verb} 1")), "{page}");
        assert!(bash.contains(&format!("obit,{verb})")), "{verb} is not in the completions");
    }
    let page = fs::read_to_string(place.path("pages/obit.1")).unwrap();
    assert!(page.contains("When to use colours") && page.contains("Exit codes:"), "{page}");
    assert!(place.path("pages/obit-db-gc.1").exists());
    assert!(!bash.contains("triage-worker"));
}
