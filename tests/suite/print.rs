//! `obit print` as its users run it: expressions over real cores.

use std::process::Output;

use crate::fixture::{Case, run, stderr, stdout};
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
    let report = crate::fixture::report(&Case::named(case).core(), &[]);
    let frames = crate::fixture::list(crate::fixture::thread(&report, tid), "frames").to_vec();
    let frame = frames.iter().find(|frame| frame["function"] == function).unwrap();
    frame["index"].to_string()
}

/// The error for one that makes no sense.
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
fn what_cannot_be_known_is_reported_with_its_reason_and_is_no_failure() {
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
    let lost = "<unavailable: rax was clobbered by a call>";
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
    prints("cpp", &["-f", "0"], &[("reason == \"not enough\"", "true"), ("account", "0x0")]);
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
    let message = "index 3 is out of range: the length is 3\n    vec[3]\n    ^^^^^^";
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

/// The same as gdb 13 prints of this core, but where docs/expressions.md says so.
#[test]
fn values_are_printed_in_the_formats_of_gdb() {
    let expected = [
        ("/x values.sc", "0xff"),
        ("/x values.s", "0xfffe"),
        ("/x values.l", "0xfffffffffffffffe"),
        ("/x values.d", "0xbfb999999999999a"),
        ("/x values.yes", "0x1"),
        ("/x values.flags", "0x5"),
        ("/x values.text", "0x555555556010"),
        ("/x shorts", "{0x1, 0xffff, 0x12c, 0x0, 0x7fff, 0x8000}"),
        ("/x packet.at", "{x = 0x3, y = 0xfffc}"),
        ("/x packet.delta", "0xfd"),
        ("/x counter@2", "{0xfffffffe, 0x0}"),
        ("/x -1", "0xffffffff"),
        ("p/x values.i", "0xfffffffe"),
        ("/d values.ul", "-9223372036854775808"),
        ("/d values.uc", "-56"),
        ("/d &packet", "93824992248000"),
        ("/u values.sc", "255"),
        ("/u shorts", "{1, 65535, 300, 0, 32767, 32768}"),
        ("/o values.s", "0177776"),
        ("/o packet.grid", "{{01, 02, 03}, {04, 05, 06}}"),
        ("/t values.uc", "11001000"),
        ("/t packet.length", "10001000101110000"),
        ("/c words", "{1 '\\001', -1 '\\377', 97 'a', 97 'a', -37 '\\333'}"),
        ("/c values.f", "1 '\\001'"),
        ("/c packet.name[0]@3", "{112 'p', 97 'a', 99 'c'}"),
        ("/a packet.table", "{0x555555555148 <half>, 0x0}"),
        ("/a values.s", "0xfffffffffffffffe"),
        ("/a $pc", "0x555555555269 <main+164>"),
        ("/f longs[2]", "3.125"),
        ("/f words[4]", "3.1415927"),
        ("/f values.s", "-2"),
        ("/s message", "\"hello\\n\""),
        ("/s bytes + 1", "0x555555558031 \"ELF\\x02\\x01\\x01\""),
        ("/s values.uc", "200 '\\310'"),
        ("/s names", "{0x555555556008 \"one\", 0x55555555600c \"two\", 0x0}"),
        ("/z packet.at", "{x = 0x0003, y = 0xfffc}"),
        ("/z packet.length", "0x00011170"),
        ("/z values.to", "0x0000555555558010"),
    ];
    let texts: Vec<_> = expected.iter().map(|(text, _)| *text).collect();
    let output = print("formats", &["-f", "1"], &texts);
    let name = |text: &str| text.split_once(' ').unwrap().1.to_owned();
    let lines: String =
        expected.iter().map(|(text, value)| format!("{} = {value}\n", name(text))).collect();
    assert_eq!(stdout(&output), lines, "{}", stderr(&output));
}

#[test]
fn a_format_may_be_a_word_of_its_own_and_goes_before_the_next_expression() {
    let output = print("formats", &["-f", "1"], &["/x", "values.i", "values.i"]);
    assert_eq!(stdout(&output), "values.i = 0xfffffffe\nvalues.i = -2\n");
    let output = print("formats", &[], &["x/2dh", "shorts"]);
    assert_eq!(stdout(&output), "0x555555558018 <shorts>:\t1\t-1\n");
    let message = "no format `q`; formats are x d u o t c a f s z\n    /q counter\n    ^^";
    refuses("formats", &[], "/q counter", message);
}

/// As gdb 13 prints it.
#[test]
fn memory_is_printed_in_the_rows_of_gdb() {
    for (text, rows) in [
        (
            "x/16xb bytes",
            "0x555555558030 <bytes>:\t0x7f\t0x45\t0x4c\t0x46\t0x02\t0x01\t0x01\t0x00\n\
             0x555555558038 <bytes+8>:\t0xff\t0xfe\t0x0a\t0x09\t0x6f\t0x6b\t0x00\t0x00\n",
        ),
        (
            "x/8wd &words",
            "0x555555558040 <words>:\t1\t-1\t97\t353\n\
             0x555555558050 <words+16>:\t1078530011\t0\t0\t0\n",
        ),
        ("x/2gx longs", "0x555555558060 <longs>:\t0x0000000000000001\t0xffffffffffffffff\n"),
        ("x &counter", "0x555555558010 <counter>:\t0xfffffffe\n"),
        ("x/2a names", "0x5555555580a0 <names>:\t0x555555556008\t0x55555555600c\n"),
        ("x/a &packet.handler", "0x5555555580f8 <packet+56>:\t0x555555555129 <handle>\n"),
        ("x/3c message", "0x555555558078 <message>:\t104 'h'\t101 'e'\t108 'l'\n"),
        ("x/2tb bytes", "0x555555558030 <bytes>:\t01111111\t01000101\n"),
        ("x/2oh shorts", "0x555555558018 <shorts>:\t01\t0177777\n"),
        ("x/s message", "0x555555558078 <message>:\t\"hello\\n\"\n"),
        ("x/2s names[0]", "0x555555556008:\t\"one\"\n0x55555555600c:\t\"two\"\n"),
        (
            "x/3i $pc",
            "=> 0x5555555551c0 <crash+82>:\tmov    %edx,(%rax)\n   \
             0x5555555551c2 <crash+84>:\tnop\n   0x5555555551c3 <crash+85>:\tpop    %rbp\n",
        ),
    ] {
        let output = print("formats", &["-f", "0"], &[text]);
        assert_eq!(stdout(&output), rows, "{text}: {}", stderr(&output));
    }
}

#[test]
fn memory_that_is_not_in_the_core_says_why_and_how_much_is_left() {
    let output = print("formats", &[], &["x/8xb 0x555555558ffc", "x/3xg 0", "x/s 0"]);
    assert_eq!(
        stdout(&output),
        "0x555555558ffc:\t0x00\t0x00\t0x00\t0x00\t\
         <unavailable: memory at 0x555555559000 is not mapped>\n\u{2026} 3 more not shown\n\
         0x0:\t<unavailable: memory at 0x0 is not mapped>\n\u{2026} 2 more not shown\n\
         0x0:\t<unavailable: memory at 0x0 is not mapped>\n"
    );
    assert_eq!(output.status.code(), Some(OK));
    let many = print("formats", &[], &["x/99999999xb bytes"]);
    assert!(stdout(&many).lines().count() < 9000, "the count is bounded");
}

#[test]
fn text_among_memory_is_redacted_as_values_are() {
    let output =
        print("clinic", &[], &["x/24xb who", "x/s who->mail", "x/4c who->mail", "/x who->name"]);
    let shown = stdout(&output);
    assert!(!shown.contains("0x52\t0x6f") && shown.contains("<redacted>"), "{shown}");
    assert!(shown.contains("<email:") && !shown.contains('@'), "{shown}");
    assert!(!shown.contains("0x52, 0x6f"), "{shown}");
    let whole = print("clinic", &["--redact", "off"], &["x/2xb who", "/x who->name[0]"]);
    assert!(stdout(&whole).contains("0x52\t0x6f"), "{}", stdout(&whole));
}

#[test]
fn a_text_that_is_hidden_is_hidden_from_its_middle_on() {
    let whole = stdout(&print("clinic", &["--redact", "off"], &["x/s who->mail"]));
    let domain = whole.split('@').nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    for start in 1..10 {
        let shown = stdout(&print("clinic", &[], &[&format!("x/s who->mail+{start}")]));
        assert!(!shown.contains(domain), "{shown}");
        let bytes = stdout(&print("clinic", &[], &[&format!("x/4xb who->mail+{start}")]));
        assert!(bytes.contains("<redacted>"), "{bytes}");
    }
}

#[test]
fn types_are_printed_as_gdb_prints_them() {
    let ptype = |case, options: &[&str], text| {
        let output = print(case, options, &[text]);
        assert_eq!(output.status.code(), Some(OK), "{text}: {}", stderr(&output));
        stdout(&output)
    };
    let formats = |text| ptype("formats", &["-f", "1"], text);
    insta::assert_snapshot!(formats("ptype &packet"));
    for (text, name) in [
        ("whatis &packet", "struct packet *"),
        ("whatis packet.at", "point_t"),
        ("whatis point_t", "struct point"),
        ("whatis packet.grid[0]", "int [3]"),
        ("whatis packet.handler", "int (*)(struct packet *, int)"),
        ("whatis values.i + 1", "int"),
        ("ptype values.color", "enum color {RED, GREEN = 5, BLUE}"),
        ("ptype enum flag", "enum flag {READ = 1, WRITE, EXEC = 4}"),
        ("ptype packet.table", "double (*[2])(double)"),
        ("ptype names", "const char *[3]"),
        ("ptype unsigned long", "unsigned long"),
        ("ptype point_t", "struct point {\n    short x;\n    short y;\n}"),
    ] {
        assert_eq!(formats(text), format!("type = {name}\n"), "{text}");
    }
    let class = "type = class ledger::Account<int> {\n    int balance_;\n}\n";
    assert_eq!(ptype("cpp", &["-f", "8"], "ptype mine"), class);
    let rust = "type = &index::Node\nstruct index::Node {\n    weight: u64,\n    \
                next: *const index::Node,\n}\n";
    assert_eq!(ptype("rust", &[], "ptype node"), rust);
    let option = "type = enum core::option::Option<i32> {\n    None,\n    Some(i32),\n}\n";
    assert_eq!(ptype("containers-rust", &[], "ptype some"), option);
    let output = print("formats", &["--ptype"], &["point_t"]);
    assert!(stdout(&output).starts_with("type = struct point {"));
    let output = print("formats", &["--whatis"], &["point_t"]);
    assert_eq!(stdout(&output), "type = struct point\n");
    let message = "obit does not read the types of functions\n    ptype handle\n          ^^^^^^";
    refuses("formats", &[], "ptype handle", message);
}

#[test]
fn info_lists_the_frame_and_other_commands_are_named() {
    let output = print("formats", &["-f", "0", "--max-depth", "0"], &["info args"]);
    let names: Vec<_> =
        stdout(&output).lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert!(names.starts_with(&["packet".to_owned(), "values".to_owned()]), "{names:?}");
    prints_lines(
        "formats",
        &["-f", "0"],
        "info locals",
        "copy = 0x5555555580c0 <packet>\nnull = 0x0\n",
    );
    let output = print("formats", &[], &["info registers"]);
    assert_eq!(output.status.code(), Some(USAGE));
    let message = "obit: `info registers`: use `obit CORE --registers`\n";
    assert_eq!(stderr(&output), message);
}

#[track_caller]
fn prints_lines(case: &str, options: &[&str], text: &str, lines: &str) {
    let output = print(case, options, &[text]);
    assert_eq!(stdout(&output), lines, "{}", stderr(&output));
}

#[test]
fn it_starts_at_the_blame_frame_and_says_so() {
    let output = print("null-field", &[], &["job->id"]);
    assert_eq!(stdout(&output), "job->id = 2\n");
    assert_eq!(stderr(&output), "frame #1 book, jobd.c:68\n");
    let chosen = print("null-field", &["-f", "1"], &["job->id"]);
    assert_eq!(stderr(&chosen), "");
    let quiet = print("null-field", &["-q"], &["job->id"]);
    assert_eq!(stderr(&quiet), "");
    let message =
        "no variable `job` in frame #0; frame #1 has one (add -f 1)\n    job->id\n    ^^^";
    refuses("null-field", &["-f", "0"], "job->id", message);
    let message = "no variable `nosuch` in frame #1\n    nosuch\n    ^^^^^^";
    refuses("null-field", &[], "nosuch", message);
}

#[test]
fn a_syntax_error_names_its_column() {
    let message = "syntax error at column 1: expected a value, found `%`; a value is a name, a \
                   number or a `$register`\n    %x\n    ^";
    refuses("null-field", &[], "%x", message);
}

#[test]
fn json_has_the_frame_and_the_other_answers_too() {
    let texts = ["/x *job", "x/2xb job", "whatis job"];
    let output = print("null-field", &["--json"], &texts);
    let lines = stdout(&output);
    let values: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [job, memory, ty] = values.as_slice() else { panic!("{lines}") };
    assert_eq!((&job["frame"], &job["members"][0]["value"]), (&1.into(), &2.into()));
    assert_eq!(job["members"][0]["formatted"], "0x2");
    assert_eq!(memory["expression"], "x/2xb job");
    assert_eq!(memory["rows"][0]["values"], serde_json::json!(["0x02", "0x00"]));
    assert_eq!(ty["declaration"], serde_json::json!(["struct job *"]));
}

#[test]
fn a_name_that_nothing_has_is_reported_with_those_that_are_near() {
    let message = "no variable `jop` in frame #1; did you mean `job`?\n    jop->id\n    ^^^";
    refuses("null-field", &["--frame", "1"], "jop->id", message);
    let message = "`ledger::Account<int>` has no member `balance`; did you mean \
                   `balance_`?\n    mine.balance\n         ^^^^^^^";
    refuses("cpp", &["--frame", "8"], "mine.balance", message);
}

#[test]
fn what_makes_no_sense_is_reported_at_its_place() {
    let message = "division by zero\n    1 + 1/0\n        ^^^";
    refuses("null-field", &[], "1 + 1/0", message);
    let message = "no register `$foo` on this machine\n    $foo\n    ^^^^";
    refuses("null-field", &[], "$foo", message);
    let message = "no type `struct nothing`\n    (struct nothing *)0\n    \
                   ^^^^^^^^^^^^^^^^^^^";
    refuses("null-field", &[], "(struct nothing *)0", message);
    let output = print("null-field", &[], &["run_job(job)"]);
    assert_eq!(output.status.code(), Some(USAGE));
    assert!(stderr(&output).contains("function calls cannot be evaluated"));
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
