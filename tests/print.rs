//! `obit print` as its users run it: expressions over real cores.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;

use std::process::Output;

use fixture::{Case, run, stderr, stdout};
use serde_json::Value;

/// Printed, or the reason why there is no value.
const OK: i32 = 0;
/// Nothing usable: not a core, no threads.
const UNUSABLE: i32 = 2;
/// An expression that makes no sense.
const USAGE: i32 = 64;

fn print(case: &str, options: &[&str], expressions: &[&str]) -> Output {
    let core = Case::named(case).core();
    let core = core.to_str().unwrap();
    let words = [&["print"], options, &["--", core], expressions].concat();
    run(words)
}

/// What each expression prints, after its own words and ` = `.
#[track_caller]
fn prints(case: &str, options: &[&str], expected: &[(&str, &str)]) {
    let expressions: Vec<_> = expected.iter().map(|(text, _)| *text).collect();
    let output = print(case, options, &expressions);
    let lines: String =
        expected.iter().map(|(text, value)| format!("{text} = {value}\n")).collect();
    assert_eq!(stdout(&output), lines, "{}", stderr(&output));
    assert_eq!(output.status.code(), Some(OK));
}

/// The number of the frame of `function` in a thread's stack.
fn frame_of(case: &str, tid: i64, function: &str) -> String {
    let report = fixture::report(&Case::named(case).core(), &[]);
    let frames = fixture::list(fixture::thread(&report, tid), "frames").to_vec();
    let frame = frames.iter().find(|frame| frame["function"] == function).unwrap();
    frame["index"].to_string()
}

/// What is said of one that makes no sense.
#[track_caller]
fn refuses(case: &str, options: &[&str], expression: &str, message: &str) {
    let output = print(case, options, &[expression]);
    assert_eq!(output.status.code(), Some(USAGE), "{}", stdout(&output));
    assert_eq!(stdout(&output), "");
    assert_eq!(stderr(&output), format!("obit: {message}\n"));
}

#[test]
fn locals_of_c_are_followed_through_members_and_pointers() {
    let expected = [
        ("job->command", "0x48d02e \"report\""),
        ("job.id", "2"),
        ("(*job).id", "2"),
        ("job[0].id", "2"),
        ("job->owner", "0x0"),
        ("job->command[0]", "114 'r'"),
        ("*job->command", "114 'r'"),
        ("job->command[0]@3", "{114 'r', 101 'e', 112 'p'}"),
        ("job->command[1..3]", "{101 'e', 112 'p'}"),
        ("sizeof(struct job)", "32"),
        ("sizeof(*job)", "32"),
        ("sizeof job->next", "8"),
        ("job + 1", "0x4c4d10"),
        ("job + 1 - job", "1"),
        ("&job->command", "0x4c4cf8"),
        ("*&job->id", "2"),
    ];
    prints("null-field", &["--frame", "1"], &expected);
}

#[test]
fn arithmetic_and_comparison_follow_c() {
    let expected = [
        ("status + 1 << 2 == 4", "true"),
        ("-1 < 1u", "false"),
        ("(unsigned)-1", "4294967295"),
        ("(unsigned char)300", "44 ','"),
        ("-7 / 2", "-3"),
        ("7 / 2.0", "3.5"),
        ("job && !job->owner", "true"),
        ("job->owner == NULL ? 10 : 20", "10"),
        ("job->command == \"report\"", "true"),
        ("job->command < \"s\"", "true"),
        ("job->command[0] == 'r'", "true"),
        ("~status", "-1"),
        ("010 + 0x10 + 0b11", "27"),
    ];
    prints("null-field", &["--frame", "1"], &expected);
}

#[test]
fn globals_statics_enumerators_and_functions_are_found_from_any_frame() {
    let expected = [
        ("jobs.waiting", "3"),
        ("::jobs.waiting", "3"),
        ("'jobd.c'::jobs.waiting", "3"),
        ("&jobs", "0x4bb140 <jobs>"),
        ("main::alice.name == \"alice\"", "true"),
        ("{unsigned}&main::alice", "7"),
        ("WORKERS * 2", "8"),
        ("&run_job == run_job", "true"),
    ];
    prints("null-field", &[], &expected);
}

#[test]
fn casts_read_memory_as_the_type_that_is_asked_for() {
    let expected = [
        ("((struct job *)0x4c4cf0)->id", "2"),
        ("*(unsigned *)job", "2"),
        ("({struct job}job).id", "2"),
        ("(int)job", "5000432"),
        ("(struct queue *)0", "0x0"),
        ("(char)('a' + 1)", "98 'b'"),
        ("(unsigned char[4])job->id", "{2 '\\x02', 0 '\\0', 0 '\\0', 0 '\\0'}"),
    ];
    prints("null-field", &["--frame", "1"], &expected);
}

#[test]
fn what_cannot_be_known_is_told_with_its_reason_and_is_no_failure() {
    let expected = [
        ("serial", "<optimized out>"),
        ("serial + 1", "<optimized out>"),
        ("job->owner->name", "<unavailable: memory at 0x4 is not mapped>"),
        ("*job->owner", "<unavailable: memory at 0x0 is not mapped>"),
        ("main::threads", "<unavailable: it needs a frame of its function>"),
    ];
    prints("null-field", &["--frame", "1"], &expected);
}

#[test]
fn registers_are_those_of_the_frame() {
    let output = print("cpp", &["--frame", "8"], &["$rip == $pc", "$sp > 0", "$rax"]);
    let lost = "<unavailable: rax was not kept by the functions called from here>";
    assert_eq!(stdout(&output), format!("$rip == $pc = true\n$sp > 0 = true\n$rax = {lost}\n"));
}

#[test]
fn members_of_cpp_objects_and_bases_are_named_as_in_source() {
    let expected = [
        ("mine.balance_", "10"),
        ("&mine == closed", "false"),
        ("(&mine)->balance_ + 1", "11"),
        ("step.__closed", "0x0"),
    ];
    prints("cpp", &["--frame", "8"], &expected);
    prints("cpp", &[], &[("reason == \"not enough\"", "true"), ("account", "0x0")]);
}

#[test]
fn containers_are_indexed_and_smart_pointers_followed() {
    let expected = [
        ("vec[2]", "3"),
        ("vec[0..2]", "{1, 2}"),
        ("vec[1] * 10 == 20", "true"),
        ("vec_text[1] == \"bb\"", "true"),
        ("bits[2]", "true"),
        ("arr[1]", "8"),
        ("deq[1]", "5"),
        ("map[2].first", "\"two\""),
        ("*some", "\"yes\""),
        ("unique->x", "1"),
        ("(*unique).y", "2"),
        ("owner->y", "6"),
        ("unique_array[0]", "0"),
    ];
    prints("containers-libstdcxx", &["--frame", "2"], &expected);
    let message = "element 3 of 3 does not exist, at column 1\n    vec[3]\n    ^^^^^^";
    refuses("containers-libstdcxx", &["--frame", "2"], "vec[3]", message);
}

#[test]
fn paths_and_fields_of_rust_are_read_in_its_spelling() {
    let expected = [
        ("self.total + node.weight", "2"),
        ("node.next", "0x0"),
        ("!self.total", "18446744073709551614"),
        ("self.total as i32", "1"),
        ("(node as *const index::Node)[0].weight", "1"),
        ("*node", "{weight = 1, next = 0x0}"),
        ("next", "<optimized out>"),
    ];
    prints("rust", &[], &expected);
    let expected = [
        ("nodes[1].weight == 2u64", "true"),
        ("nodes[0..1]", "{{weight = 1, next = 0x0}}"),
        ("nodes[..]", "{{weight = 1, next = 0x0}, {weight = 2, next = 0x0}}"),
        ("sizeof(Node) / sizeof(u64)", "2"),
    ];
    prints("rust", &["--frame", "4"], &expected);
}

#[test]
fn a_name_that_nothing_has_is_told_with_those_that_are_near() {
    let message = "nothing in sight is called `jop`; did you mean `job`?, at column 1\n    \
                   jop->id\n    ^^^";
    refuses("null-field", &["--frame", "1"], "jop->id", message);
    let message = "`ledger::Account<int>` has no member `balance`; did you mean `balance_`?, \
                   at column 6\n    mine.balance\n         ^^^^^^^";
    refuses("cpp", &["--frame", "8"], "mine.balance", message);
}

#[test]
fn what_makes_no_sense_is_told_at_its_place() {
    let message = "division by zero, at column 5\n    1 + 1/0\n        ^^^";
    refuses("null-field", &[], "1 + 1/0", message);
    let message = "obit knows no register `$foo` of this machine, at column 1\n    $foo\n    ^^^^";
    refuses("null-field", &[], "$foo", message);
    let message = "no type is called `struct nothing`, at column 1\n    (struct nothing *)0\n    \
                   ^^^^^^^^^^^^^^^^^^^";
    refuses("null-field", &[], "(struct nothing *)0", message);
    let output = print("null-field", &[], &["run_job(job)"]);
    assert_eq!(output.status.code(), Some(USAGE));
    assert!(stderr(&output).contains("obit only reads"), "{}", stderr(&output));
}

#[test]
fn of_several_expressions_each_is_answered() {
    let output = print("null-field", &["--frame", "1"], &["job->id", "jop", "job->next"]);
    assert_eq!(output.status.code(), Some(USAGE));
    assert_eq!(stdout(&output), "job->id = 2\njob->next = 0x0\n");
}

#[test]
fn json_gives_one_variable_of_the_report_in_a_line() {
    let output = print("null-field", &["--json", "--frame", "1"], &["*job", "serial"]);
    let lines = stdout(&output);
    let values: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [job, serial] = values.as_slice() else { panic!("{lines}") };
    assert_eq!(job["name"], "*job");
    assert_eq!(job["type"], "struct job");
    assert_eq!(job["status"], "ok");
    assert_eq!(job["members"][0]["name"], "id");
    assert_eq!(job["members"][0]["value"], 2);
    assert_eq!(serial["status"], "optimized_out");
}

#[test]
fn a_thread_and_a_frame_are_chosen_by_their_numbers() {
    let frame = frame_of("null-field", 16959, "main");
    let options = ["--thread", "16959", "--frame", &frame];
    prints("null-field", &options, &[("alice.id", "7"), ("sizeof(threads)", "40")]);
    let output = print("null-field", &["--thread", "1"], &["jobs"]);
    assert_eq!(output.status.code(), Some(USAGE));
    assert!(stderr(&output).contains("no thread 1 in this core"), "{}", stderr(&output));
    let output = print("null-field", &["--frame", "77"], &["jobs"]);
    assert_eq!(output.status.code(), Some(USAGE));
    assert!(stderr(&output).contains("no frame 77 in thread"), "{}", stderr(&output));
}

#[test]
fn without_a_core_or_an_expression_nothing_is_printed() {
    let output = run(["print", "/dev/null", "x"]);
    assert_eq!(output.status.code(), Some(UNUSABLE));
    let core = Case::named("null-field").core();
    let output = run(["print".as_ref(), core.as_os_str()]);
    assert_eq!(output.status.code(), Some(USAGE));
    assert!(stderr(&output).contains("no expression given"), "{}", stderr(&output));
}
