//! The program as its users run it: arguments, exit codes, what goes to which stream.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use crate::fixture::{Case, base_name, list, obit, report, run, stderr, stdout, thread};
use serde_json::Value;
use tempfile::TempDir;

/// A report was written.
const OK: i32 = 0;
/// Nothing usable: not a core, no threads.
const UNUSABLE: i32 = 2;
/// Bad usage.
const USAGE: i32 = 64;

#[track_caller]
fn ends_with(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}{}", stdout(output), stderr(output));
}

/// A failure is one line that names the file and goes to stderr, nothing to stdout.
#[track_caller]
fn refuses(core: &Path, why: &str) {
    let output = run([core]);
    ends_with(&output, UNUSABLE);
    assert_eq!(stdout(&output), "");
    let message = stderr(&output);
    assert!(message.starts_with("obit: "), "{message}");
    assert!(message.contains(why), "{message}");
}

fn file(directory: &TempDir, name: impl AsRef<OsStr>, content: &[u8]) -> std::path::PathBuf {
    let path = directory.path().join(name.as_ref());
    fs::write(&path, content).unwrap();
    path
}

#[test]
fn the_crash_of_the_readme_is_reported_in_full() {
    let output = run([Case::named("null-field").core()]);
    ends_with(&output, OK);
    let text = stdout(&output);
    for word in ["SIGSEGV", "next_serial", "book", "run_job", "worker", "jobd.c", "63"] {
        assert!(text.contains(word), "no {word} in\n{text}");
    }
}

#[test]
fn threads_asleep_in_the_same_place_are_reported_once() {
    let text = stdout(&run([Case::named("null-field").core()]));
    assert_eq!(text.matches("pthread_cond_wait").count(), 1, "{text}");
}

#[test]
fn the_output_in_the_readme_is_the_real_one() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let (_, after) = readme.split_once("<!-- output:null-field -->\n```text\n").unwrap();
    let (sample, _) = after.split_once("```\n<!-- /output -->").unwrap();
    assert_eq!(sample, stdout(&run([Case::named("null-field").core()])));
}

#[test]
fn a_table_without_a_terminal_is_whole_and_a_narrow_one_keeps_file_names() {
    let core = Case::named("shared-lib").core();
    let whole = stdout(&run([OsStr::new("modules"), core.as_os_str()]));
    assert!(!whole.contains('\u{2026}'), "{whole}");
    let narrow = obit().env("COLUMNS", "80").arg("modules").arg(&core).output().unwrap();
    let narrow = stdout(&narrow);
    assert!(narrow.contains('\u{2026}') && narrow.contains("/libshapes.so"), "{narrow}");
}

#[test]
fn frames_asked_for_by_number_are_on_the_page() {
    let core = Case::named("recursion").core();
    let lines = |more: &[&str]| {
        let output = obit().arg(&core).args(more).output().unwrap();
        stdout(&output).lines().filter(|line| line.starts_with('#')).count()
    };
    assert!(lines(&[]) < 60);
    // The outermost 20 are kept besides.
    assert_eq!(lines(&["--frames", "100"]), 120);
}

#[test]
fn the_source_around_the_crash_is_as_long_as_was_asked_for() {
    let core = Case::named("null-field").core();
    let lines = |more: &[&str]| {
        let output = obit().arg(&core).args(more).output().unwrap();
        stdout(&output).lines().filter(|line| line.contains('\u{2502}')).count()
    };
    let usual = lines(&[]);
    assert!(lines(&["-C", "0"]) < usual && usual < lines(&["--context", "9"]));
    assert_eq!(lines(&["--no-source"]), 0);
}

#[test]
fn a_source_file_that_was_moved_is_found_where_the_user_says() {
    let case = Case::named("null-field");
    let directory = tempfile::tempdir().unwrap();
    let core = directory.path().join("core.zst");
    fs::copy(case.core(), &core).unwrap();
    let fixture = case.core().parent().unwrap().to_owned();
    let page = |more: &[&OsStr]| {
        let program = fixture.join("prog");
        stdout(&obit().arg(&core).arg(program).args(more).output().unwrap())
    };
    let line = "return owner->finished + 1;";
    assert!(!page(&[]).contains(line));
    assert!(page(&[OsStr::new("--source-path"), fixture.as_os_str()]).contains(line));
    let rule = format!("/tmp/obit-fixture/null-field={}", fixture.display());
    assert!(page(&[OsStr::new("--substitute-path"), OsStr::new(&rule)]).contains(line));
}

#[test]
fn code_without_source_is_shown_in_either_spelling() {
    let page = |flavor: &str| {
        let core = Case::named("mini-debuginfo").core();
        stdout(&obit().arg(core).args(["--disassembly-flavor", flavor]).output().unwrap())
    };
    assert!(page("att").contains("cmpb   $0x0,(%rcx)"), "{}", page("att"));
    assert!(page("intel").contains("cmp    byte ptr [rcx],0x0"), "{}", page("intel"));
}

#[test]
fn raw_names_are_the_linkers() {
    let page = stdout(&run([OsStr::new("-r"), Case::named("cpp").core().as_os_str()]));
    // Of the unnamed namespace, which DWARF gives no linkage name.
    assert!(page.contains("_ZN6ledger12_GLOBAL__N_1"), "{page}");
    assert!(page.contains("_ZN6ledger5apply"), "{page}");
}

#[test]
fn no_arguments_and_unknown_options_are_usage_errors() {
    ends_with(&run([] as [&str; 0]), USAGE);
    ends_with(&run(["--no-such-option", "core"]), USAGE);
}

/// Each verb, and what is needed beside options.
const VERBS: &[(&str, &[&str])] = &[
    ("analyze", &["core"]),
    ("run", &["true"]),
    ("modules", &["core"]),
    ("print", &["core", "x"]),
    ("memory", &["core"]),
    ("tasks", &["core"]),
    ("rewind", &["core"]),
    ("heap", &["core"]),
    ("who-points-to", &["core", "x"]),
    ("find", &["core", "--string", "x"]),
    ("shell", &["core"]),
    ("query", &["main", "cores"]),
    ("incident", &["cores"]),
    ("export", &["otlp", "core"]),
    ("signature", &["core"]),
    ("snapshot", &["999999999"]),
    ("scrub", &["core"]),
    ("pack", &["core"]),
    ("unpack", &["core"]),
    ("objects", &["list"]),
    ("redact", &[]),
    ("triage", &["cores"]),
    ("merge", &["records"]),
    ("watch", &["cores"]),
    ("top", &[]),
    ("show", &["ID"]),
    ("list", &[]),
    ("diff", &["old", "new"]),
    ("differ", &["GROUP"]),
    ("digest", &[]),
    ("serve", &["--listen", "127.0.0.1:0"]),
    ("audit", &["verify"]),
    ("mcp", &[]),
    ("dap", &[]),
    ("state", &["GROUP", "open"]),
    ("group", &["signatures", "GROUP"]),
    ("forget", &["DUMP"]),
    ("db", &["check"]),
    ("cache", &["status"]),
    ("capture", &["status"]),
    ("explain", &["null-read"]),
    ("schema", &[]),
    ("help", &[]),
    ("version", &[]),
    ("completions", &["bash"]),
    ("man", &[]),
];

#[test]
fn an_option_of_another_verb_is_refused_and_the_verb_is_named() {
    let of_core = "`obit CORE`";
    for (verb, option, owner) in [
        ("modules", "--tail-calls", of_core),
        ("modules", "--fail-on=new", of_core),
        ("print", "--locals=all", of_core),
        ("print", "--no-source", of_core),
        ("signature", "--registers", of_core),
        ("scrub", "--json", of_core),
        ("redact", "--all-threads", of_core),
        ("triage", "--thread=7", of_core),
        ("triage", "--core=x", of_core),
        ("top", "--sysroot=/nowhere", of_core),
        ("top", "--frames=7", of_core),
        ("show", "--locals=all", of_core),
        ("list", "--width=80", of_core),
        ("diff", "--db=x", "`obit triage`"),
        ("digest", "--sort=count", "`obit top`"),
        ("state", "--json", of_core),
        ("group", "--where=count>=2", "`obit top`"),
        ("db", "--max-size=2", "`obit scrub`"),
        ("explain", "--tail-calls", of_core),
        ("explain", "--sysroot=/nowhere", of_core),
        ("explain", "--core=/no/such", of_core),
        ("schema", "--format=html", of_core),
        ("schema", "--keep=2d", "`obit db`"),
        ("analyze", "--db=x", "`obit triage`"),
    ] {
        let (_, words) = VERBS.iter().find(|(known, _)| *known == verb).unwrap();
        for line in [[&[verb], *words, &[option]].concat(), [&[option, verb], *words].concat()] {
            let output = obit().args(&line).stdin(std::process::Stdio::null()).output().unwrap();
            ends_with(&output, USAGE);
            let message = stderr(&output);
            let option = option.split('=').next().unwrap();
            let what = format!("obit: `obit {verb}` has no option {option}; ");
            assert!(message.starts_with(&what) && message.contains(owner), "{line:?}: {message}");
            assert_eq!((message.lines().count(), stdout(&output).as_str()), (1, ""), "{message}");
        }
    }
    let unknown = stderr(&run(["top", "--no-such-option"]));
    assert!(unknown.contains("'--no-such-option'") && unknown.contains("`obit top --help`"));
}

#[test]
fn a_number_of_entries_is_asked_for_in_the_same_way_everywhere_and_frames_in_another() {
    let refused = run(["-n", "5", "core"]);
    ends_with(&refused, USAGE);
    assert!(stderr(&refused).contains("--frames"), "{}", stderr(&refused));
    for verb in ["top", "show", "triage"] {
        let help = stdout(&run([verb, "-h"]));
        assert!(help.contains("-n, --limit <N>"), "{help}");
    }
}

#[test]
fn options_for_a_core_are_refused_where_a_text_is_redacted() {
    for option in ["--json", "--sysroot=/nowhere", "--locals=all", "--width=80"] {
        let output = run(["redact", option]);
        ends_with(&output, USAGE);
        assert!(stderr(&output).contains("--explain"), "{}", stderr(&output));
    }
}

#[test]
fn the_short_help_of_each_verb_fits_a_screen() {
    for verb in VERBS.iter().map(|(verb, _)| Some(*verb)).chain([None]) {
        let help = obit().args(verb).arg("-h").output().unwrap();
        ends_with(&help, OK);
        let lines = stdout(&help).lines().count();
        assert!(lines <= 50, "obit {} -h has {lines} lines", verb.unwrap_or_default());
    }
}

#[test]
fn options_of_a_verb_may_come_before_it() {
    let core = Case::named("null-field").core();
    let core = core.to_str().unwrap();
    let after = run(["modules", "--json", core]);
    ends_with(&after, OK);
    for line in [["--json", "modules", core], ["--json", core, "modules"]] {
        assert_eq!(run(line).stdout, after.stdout, "{line:?}");
    }
    let before = run(["-c", core, "--json", "print", "job"]);
    assert_eq!(before.stdout, run(["print", core, "job", "--json"]).stdout);
    ends_with(&run(["--no-pager", "--color", "never", "explain", "null-read"]), OK);
}

#[test]
fn help_and_version_are_no_errors() {
    let help = run(["--help"]);
    ends_with(&help, OK);
    assert!(stdout(&help).contains("CORE"));
    let version = run(["--version"]);
    ends_with(&version, OK);
    assert_eq!(stdout(&version), format!("obit {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn what_is_not_a_core_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    refuses(&file(&directory, "text", b"int main(void) { return 0; }\n"), "text");
    refuses(&file(&directory, "empty", b""), "empty");
    refuses(directory.path(), "directory");
    refuses(&directory.path().join("missing"), "missing");
    refuses(&Case::named("cpp").program(), "not a core");
}

#[test]
fn a_core_without_its_notes_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut core = Case::named("jump-null").plain_core();
    core.truncate(64);
    refuses(&file(&directory, "header-only", &core), "header-only");
}

#[test]
fn a_fifo_is_refused_and_not_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    refuses(&fifo, "FIFO");
}

#[test]
fn a_core_that_may_not_be_read_is_refused() {
    if rustix::process::geteuid().is_root() {
        return; // root may read everything
    }
    let directory = tempfile::tempdir().unwrap();
    let core = file(&directory, "core", &Case::named("jump-null").plain_core());
    fs::set_permissions(&core, Permissions::from_mode(0o000)).unwrap();
    refuses(&core, "ermission denied");
}

#[test]
fn a_truncated_core_is_reported_with_what_is_missing() {
    let case = Case::named("null-field");
    let directory = tempfile::tempdir().unwrap();
    let mut bytes = case.plain_core();
    let whole = bytes.len() as u64;
    bytes.truncate(bytes.len() * 2 / 3);
    let cut = bytes.len() as u64;
    let core = file(&directory, "core", &bytes);
    fs::copy(case.program(), directory.path().join("prog")).unwrap();

    let report = report(&core, &[]);
    assert_eq!(report["core"]["truncated"], true);
    assert_eq!(report["core"]["missing_bytes"], whole - cut);
    assert!(codes(&report).contains(&"core-truncated".to_owned()), "{:?}", codes(&report));
    assert_eq!(list(&report, "threads").len(), case.expect.threads.len());
    let crashed = thread(&report, case.expect.crashed);
    assert_eq!(crashed["frames"][0]["function"], "next_serial");
}

#[test]
fn a_core_cut_anywhere_is_a_report_or_a_refusal() {
    let bytes = Case::named("jump-null").plain_core();
    let directory = tempfile::tempdir().unwrap();
    for part in 0..16 {
        let core = file(&directory, "core", &bytes[..bytes.len() * part / 16]);
        let output = run([core]);
        assert!(matches!(output.status.code(), Some(OK | UNUSABLE)), "{part}/16: {output:?}");
    }
}

#[test]
fn the_wrong_executable_is_named_with_both_build_ids() {
    let (case, other) = (Case::named("jump-null"), Case::named("inlines"));
    let output = run([case.core(), other.program()]);
    ends_with(&output, OK);
    let shown = stdout(&output) + &stderr(&output);
    for build_id in [&case.expect.build_ids["prog"], &other.expect.build_ids["prog"]] {
        assert!(shown.contains(build_id.as_str()), "{build_id} is not in\n{shown}");
    }
    let report = report(&case.core(), &[other.program().as_os_str()]);
    assert!(
        codes(&report).iter().any(|code| code == "executable-refused" || code == "module-mismatch"),
        "{:?}",
        codes(&report)
    );
    let names: Vec<_> = frames(&report, &case).iter().map(|frame| &frame["function"]).collect();
    assert!(!names.iter().any(|name| **name == "toll_of"), "{names:?}");
}

#[test]
fn a_missing_executable_is_named_with_what_to_look_for() {
    let case = Case::named("jump-null");
    let directory = tempfile::tempdir().unwrap();
    let core = directory.path().join("core.zst");
    fs::copy(case.core(), &core).unwrap();
    let output = run([&core]);
    ends_with(&output, OK);
    let shown = stdout(&output) + &stderr(&output);
    assert!(shown.contains(case.expect.build_ids["prog"].as_str()), "{shown}");
    assert!(codes(&report(&core, &[])).contains(&"module-missing".to_owned()));
}

#[test]
fn control_characters_of_a_file_name_reach_no_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let name = OsStr::from_bytes(b"core\x1b]0;title\x07\n\xc2\x9b31m\xff");
    let core = file(&directory, name, &Case::named("jump-null").plain_core());
    let bad = file(&directory, OsStr::from_bytes(b"bad\x1b[31m"), b"no core");
    for output in [run([&core]), run([&bad])] {
        let shown = stdout(&output) + &stderr(&output);
        let control = shown.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t');
        assert_eq!(control, None, "{shown:?}");
    }
    let report = report(&core, &[]);
    assert!(report["core"]["path"].is_string());
}

#[test]
fn output_that_is_piped_has_no_colours() {
    let core = Case::named("null-field").core();
    assert!(!stdout(&run([&core])).contains('\x1b'));
    let output = obit().env("NO_COLOR", "1").arg(&core).output().unwrap();
    assert!(!stdout(&output).contains('\x1b'));
}

#[test]
fn json_says_what_crashed_and_why_and_nothing_else_is_printed() {
    let case = Case::named("null-field");
    let output = run([OsStr::new("--json"), case.core().as_os_str()]);
    ends_with(&output, OK);
    assert_eq!(stderr(&output), "");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["schema"], "obit.report/1");
    assert_eq!(report["core"]["container"], "zstd");
    assert_eq!(report["core"]["arch"], "x86_64");
    assert_eq!(report["process"]["pid"], case.expect.threads[0].tid);
    assert_eq!(report["process"]["comm"], "prog");
    assert_eq!(report["process"]["build_id"], case.expect.build_ids["prog"].as_str());
    assert_eq!(report["signal"]["code_name"], "SEGV_MAPERR");
    let registers = &thread(&report, case.expect.crashed)["registers"];
    assert_eq!(registers["rip"], frames(&report, &case)[0]["pc"]);
}

#[test]
fn the_same_core_gives_the_same_bytes() {
    let core = Case::named("cpp").core();
    let args = [OsStr::new("--json"), core.as_os_str()];
    assert_eq!(run(args).stdout, run(args).stdout);
}

#[test]
fn a_32_bit_core_is_read_as_one() {
    let report = report(&Case::named("i386").core(), &[]);
    assert_eq!(report["core"]["arch"], "i386");
}

#[test]
fn modules_lists_what_was_loaded_with_build_ids() {
    let case = Case::named("shared-lib");
    let output = run([OsStr::new("modules"), case.core().as_os_str()]);
    ends_with(&output, OK);
    let text = stdout(&output);
    for (name, build_id) in &case.expect.build_ids {
        assert!(text.contains(name) && text.contains(build_id.as_str()), "{name} in\n{text}");
    }
}

#[test]
fn a_library_beside_the_core_is_found() {
    let case = Case::named("shared-lib");
    let report = report(&case.core(), &[]);
    for name in ["prog", "libshapes.so"] {
        let module = list(&report, "modules")
            .iter()
            .find(|module| base_name(module["path"].as_str().unwrap()) == name)
            .unwrap();
        assert_eq!(module["file"], "found", "{name}");
        assert_eq!(module["debug"], "full", "{name}");
    }
}

#[test]
fn schema_describes_the_report() {
    let output = run(["schema"]);
    ends_with(&output, OK);
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    let report = report(&Case::named("null-field").core(), &[]);
    for key in report.as_object().unwrap().keys() {
        assert!(properties.contains_key(key), "{key} is not in the schema");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_bug() {
    let mut child = obit()
        .args([OsStr::new("--json"), Case::named("null-field").core().as_os_str()])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
    assert_ne!(output.status.code(), Some(70));
}

fn codes(report: &Value) -> Vec<String> {
    let code = |notice: &Value| notice["code"].as_str().unwrap().to_owned();
    list(report, "notices").iter().map(code).collect()
}

fn frames<'r>(report: &'r Value, case: &Case) -> &'r [Value] {
    list(thread(report, case.expect.crashed), "frames")
}

#[test]
fn a_list_of_modules_claims_no_cause() {
    let core = Case::named("null-field").core();
    let output = run(["modules".as_ref(), "--json".as_ref(), core.as_os_str()]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["cause"].is_null(), "{}", report["cause"]);
    assert!(!report["modules"].as_array().unwrap().is_empty());
}

#[test]
fn a_rule_of_the_users_hides_a_variable_by_its_name_and_a_key_keeps_its_token() {
    let directory = TempDir::new().unwrap();
    let rules = directory.path().join("rules.toml");
    fs::write(&rules, "[[deny]]\nname = \"*command\"\nkind = \"secret\"\n").unwrap();
    let key = directory.path().join("key");
    fs::write(&key, "0123456789abcdef").unwrap();
    let core = Case::named("null-field").core();
    let shown = |key: &Path| {
        let options: [&OsStr; 4] = [
            "--redact-rules".as_ref(),
            rules.as_os_str(),
            "--redact-key".as_ref(),
            key.as_os_str(),
        ];
        let report = report(&core, &options).to_string();
        assert!(!report.contains("\"text\":\"report\""), "the text of `command` is reported");
        let token = report.find("<secret:").map(|at| report[at..at + 13].to_owned());
        token.expect("a token stands for it")
    };
    let token = shown(&key);
    assert_eq!(shown(&key), token);
    fs::write(&key, "another key of 16").unwrap();
    assert_ne!(shown(&key), token);
}
