//! Variables, expressions, memory and code.

use super::client::Editor;
use crate::fixture::Case;
use data_encoding::BASE64;
use serde_json::{Value, json};

fn named<'v>(all: &'v [Value], name: &str) -> &'v Value {
    let found = all.iter().find(|one| one["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {all:?}"))
}

#[test]
fn variables_are_lazy_and_each_has_an_expression_that_gives_it() {
    let mut editor = Editor::on("null-field");
    let book = editor.frame(1);
    let arguments = editor.scope(book, "Arguments");
    let job = named(&arguments, "job");
    assert_eq!(job["type"], "struct job *");
    assert_eq!(job["memoryReference"], "0x4c4cf0");
    assert_eq!(job["namedVariables"], 4);
    let parts = editor.parts(job);
    let names: Vec<_> = parts.iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["id", "command", "owner", "next"]);
    assert_eq!(named(&parts, "id")["value"], "2");
    // What is NULL leads nowhere.
    assert_eq!(named(&parts, "owner")["value"], "0x0");
    assert_eq!(named(&parts, "owner")["variablesReference"], 0);
    for part in &parts {
        let name = part["name"].as_str().unwrap();
        assert_eq!(part["evaluateName"], format!("job->{name}"));
        let wanted = json!({ "expression": part["evaluateName"], "frameId": book });
        let found = editor.body("evaluate", &wanted);
        assert_eq!(found["result"], part["value"], "{name}");
        assert_eq!(found["type"], part["type"], "{name}");
    }
}

#[test]
fn what_was_optimized_out_says_so_and_has_no_parts() {
    let mut editor = Editor::on("null-field");
    let book = editor.frame(1);
    let locals = editor.scope(book, "Locals");
    let serial = named(&locals, "serial");
    assert_eq!(serial["value"], "<optimized out>");
    assert_eq!(serial["variablesReference"], 0);
    // A hover shows nothing instead.
    let hover = json!({ "expression": "serial", "frameId": book, "context": "hover" });
    assert_eq!(editor.refusal("evaluate", &hover), "<optimized out>");
    let watch = json!({ "expression": "serial", "frameId": book, "context": "watch" });
    assert_eq!(editor.body("evaluate", &watch)["result"], "<optimized out>");
}

#[test]
fn globals_are_those_of_the_file_of_the_frame() {
    let mut editor = Editor::on("null-field");
    let book = editor.frame(1);
    let globals = editor.scope(book, "Globals of the file");
    let jobs = named(&globals, "jobs");
    assert_eq!(jobs["type"], "struct queue");
    assert_eq!(jobs["evaluateName"], "jobs");
    let parts = editor.parts(jobs);
    let names: Vec<_> = parts.iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["lock", "filled", "first", "last", "waiting"]);
    // The C library is in the program, too: its globals are of other files.
    assert!(globals.len() < 20, "{globals:?}");
}

#[test]
fn registers_of_a_frame_are_its_own_and_those_that_are_lost_say_so() {
    let mut editor = Editor::on("null-field");
    let (inner, outer) = (editor.frame(1), editor.frame(3));
    let value = |editor: &mut Editor, frame, name: &str| {
        named(&editor.scope(frame, "Registers"), name)["value"].as_str().unwrap().to_owned()
    };
    assert_eq!(value(&mut editor, inner, "rip"), "0x401680");
    assert_eq!(value(&mut editor, outer, "rip"), "0x40171e");
    assert_ne!(value(&mut editor, inner, "rsp"), value(&mut editor, outer, "rsp"));
    // Callees may change it, so what it was in the caller is not known.
    let lost = value(&mut editor, outer, "rcx");
    assert!(lost.starts_with('<'), "{lost}");
}

#[test]
fn elements_are_counted_and_paged() {
    let mut editor = Editor::on("containers-libstdcxx");
    let thread = editor.stopped["threadId"].clone();
    let stack = editor.body("stackTrace", &json!({ "threadId": thread }));
    let frames = stack["stackFrames"].as_array().unwrap().clone();
    let mut found = None;
    for frame in &frames {
        let locals = editor.scope(frame["id"].as_i64().unwrap(), "Locals");
        let is_long = |one: &&Value| one["indexedVariables"].as_u64().unwrap_or(0) > 2;
        found = found.or(locals.iter().find(is_long).cloned());
    }
    let vector = found.expect("no list of more than 2 elements");
    let total = vector["indexedVariables"].as_u64().unwrap();
    let whole = editor.parts(&vector);
    assert_eq!(whole.len() as u64, total);
    let reference = vector["variablesReference"].clone();
    let mut paged = Vec::new();
    for start in 0..total {
        let wanted = json!({
            "variablesReference": reference, "filter": "indexed", "start": start, "count": 1,
        });
        let page = editor.body("variables", &wanted)["variables"].clone();
        paged.extend(page.as_array().unwrap().clone());
    }
    let names = |all: &[Value]| all.iter().map(|one| one["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names(&paged), names(&whole));
    let none = json!({ "variablesReference": reference, "filter": "named" });
    assert_eq!(editor.body("variables", &none)["variables"], json!([]));
}

#[test]
fn every_variable_of_every_crash_can_be_opened_three_levels_down() {
    for case in Case::all() {
        let mut editor = Editor::open(&case.core());
        let thread = editor.stopped["threadId"].clone();
        let wanted = json!({ "threadId": thread, "levels": 4 });
        let stack = editor.body("stackTrace", &wanted);
        for frame in stack["stackFrames"].as_array().unwrap() {
            let scopes = editor.body("scopes", &json!({ "frameId": frame["id"] }));
            let mut level = scopes["scopes"].as_array().unwrap().clone();
            for _ in 0..3 {
                let mut next = Vec::new();
                for one in level.iter().take(40) {
                    let parts = editor.parts(one);
                    let is_open = |part: &Value| part["variablesReference"] != 0;
                    next.extend(parts.into_iter().filter(is_open));
                }
                level = next;
            }
        }
    }
}

#[test]
fn the_console_answers_what_obit_print_does_and_a_few_words() {
    let mut editor = Editor::on("null-field");
    let frame = editor.frame(1);
    let mut ask = |text: &str| {
        let wanted = json!({ "expression": text, "frameId": frame, "context": "repl" });
        editor.body("evaluate", &wanted)["result"].as_str().unwrap().to_owned()
    };
    assert_eq!(ask("p/x job->id"), "0x2");
    assert_eq!(ask("ptype struct account").lines().count(), 5);
    assert!(ask("x/2gx job").starts_with("0x4c4cf0"));
    assert!(ask("info locals").contains("serial"));
    assert!(ask("why").starts_with("null-read (proved)"));
    assert!(ask("bt").contains("next_serial < book"));
    assert!(ask("locks").contains("waits for the exit of thread"));
    assert!(ask("help").contains("obit print"));
    let wrong = json!({ "expression": "p/x nosuch", "frameId": frame, "context": "repl" });
    assert!(editor.refusal("evaluate", &wrong).contains("nosuch"));
    let wrong = json!({ "expression": "1 +", "frameId": frame, "context": "watch" });
    assert!(editor.refusal("evaluate", &wrong).contains("syntax error"));
}

#[test]
fn names_are_proposed_of_the_frame_of_its_registers_and_of_what_is_before_an_arrow() {
    let mut editor = Editor::on("null-field");
    let frame = editor.frame(1);
    let mut labels = |text: &str| {
        let column = text.chars().count() + 1;
        let wanted = json!({ "text": text, "column": column, "frameId": frame });
        let targets = editor.body("completions", &wanted)["targets"].clone();
        let targets = targets.as_array().unwrap().clone();
        targets.iter().map(|one| one["label"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(labels("1 + jo"), ["job"]);
    assert_eq!(labels("job->"), ["id", "command", "owner", "next"]);
    assert_eq!(labels("job->o"), ["owner"]);
    assert_eq!(labels("$ri"), ["$rip"]);
    assert_eq!(labels("wh"), ["why"]);
    assert_eq!(labels("nosuch->"), [""; 0]);
}

#[test]
fn memory_is_read_up_to_what_the_core_lacks() {
    let mut editor = Editor::on("null-field");
    let read = |editor: &mut Editor, reference: &str, offset: i64, count: u64| {
        let wanted = json!({ "memoryReference": reference, "offset": offset, "count": count });
        editor.body("readMemory", &wanted)
    };
    let job = read(&mut editor, "0x4c4cf0", 0, 4);
    assert_eq!(job["address"], "0x4c4cf0");
    assert_eq!(BASE64.decode(job["data"].as_str().unwrap().as_bytes()).unwrap(), [2, 0, 0, 0]);
    assert!(job.get("unreadableBytes").is_none());
    let moved = read(&mut editor, "0x4c4cf4", -4, 4);
    assert_eq!(moved["data"], job["data"]);
    let null = read(&mut editor, "0x20", 0, 16);
    assert_eq!((&null["data"], &null["unreadableBytes"]), (&json!(""), &json!(16)));
    assert_eq!(read(&mut editor, "0x4c4cf0", 0, 0)["data"], "");
    for (reference, offset) in [("job", 0), ("0x0", -1), ("0xffffffffffffffff", 1), ("", 0)] {
        let wanted = json!({ "memoryReference": reference, "offset": offset, "count": 4 });
        editor.refusal("readMemory", &wanted);
    }
    let wanted = json!({ "memoryReference": "0x0", "count": -1 });
    editor.refusal("readMemory", &wanted);
}

#[test]
fn instructions_before_and_after_a_place_are_as_many_as_were_asked_for() {
    let mut editor = Editor::on("null-field");
    let lines = |editor: &mut Editor, reference: &str, from: i64, count: u64| {
        let wanted = json!({
            "memoryReference": reference, "instructionOffset": from, "instructionCount": count,
            "resolveSymbols": true,
        });
        editor.body("disassemble", &wanted)["instructions"].as_array().unwrap().clone()
    };
    let around = lines(&mut editor, "0x401680", -40, 80);
    assert_eq!(around.len(), 80);
    assert_eq!(around[40]["address"], "0x401680");
    assert!(around[40]["symbol"].as_str().unwrap().starts_with("book"), "{}", around[40]);
    assert!(around[40]["instruction"].as_str().unwrap().contains("0x20"), "{}", around[40]);
    // Each begins where the one before ends.
    let place =
        |line: &Value| u64::from_str_radix(&line["address"].as_str().unwrap()[2..], 16).unwrap();
    for pair in around.windows(2) {
        let bytes = pair[0]["instructionBytes"].as_str().unwrap();
        let length = bytes.split(' ').count() as u64;
        assert_eq!(place(&pair[0]) + length, place(&pair[1]), "{pair:?}");
    }
    // The same, from other places.
    assert_eq!(lines(&mut editor, "0x401680", 3, 5), around[43..48]);
    assert_eq!(lines(&mut editor, "0x401680", -7, 5), around[33..38]);
    let unknown = lines(&mut editor, "0x10", -2, 4);
    assert_eq!(unknown.len(), 4);
    for line in &unknown {
        assert_eq!(line["presentationHint"], "invalid", "{line}");
    }
    // Memory that the program writes is not decoded.
    let data = lines(&mut editor, "0x4c4cf0", 0, 1);
    assert!(data[0]["instruction"].as_str().unwrap().contains("not executable"), "{data:?}");
    let many = json!({ "memoryReference": "0x401680", "instructionCount": 1_000_000 });
    editor.refusal("disassemble", &many);
}
