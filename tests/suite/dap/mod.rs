//! `obit dap` as editors see it: messages to and from the built program.

mod client;
mod order;
mod robust;
mod values;

pub use client::Editor;

use crate::fixture::{Case, report};
use serde_json::{Value, json};

/// The functions of a thread's stack.
fn functions(frames: &Value) -> Vec<String> {
    let frames = frames["stackFrames"].as_array().unwrap();
    frames.iter().map(|frame| frame["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_crash_stops_as_an_exception_whose_text_is_the_cause() {
    let editor = Editor::on("null-field");
    let stopped = &editor.stopped;
    assert_eq!(stopped["reason"], "exception");
    assert_eq!(stopped["threadId"], 16961);
    assert_eq!(stopped["allThreadsStopped"], true);
    let report = report(&Case::named("null-field").core(), &[]);
    assert_eq!(stopped["description"], report["cause"]["title"]);
    assert_eq!(stopped["text"], report["cause"]["explanation"]);
    assert!(editor.output.starts_with("null-read (proved): "), "{}", editor.output);
    assert!(editor.output.contains("Blame frame"), "{}", editor.output);
}

#[test]
fn an_exception_has_the_class_sentence_and_evidence_of_the_report_on_every_crash() {
    for case in Case::all() {
        let report = report(&case.core(), &[]);
        let mut editor = Editor::open(&case.core());
        let thread = editor.stopped["threadId"].clone();
        let info = editor.body("exceptionInfo", &json!({ "threadId": thread }));
        let cause = &report["cause"];
        assert_eq!(info["exceptionId"], cause["class"], "{}", case.name);
        assert_eq!(info["breakMode"], "unhandled");
        let message = info["details"]["message"].as_str().unwrap();
        assert!(message.contains(cause["confidence"].as_str().unwrap()), "{message}");
        for fact in cause["evidence"].as_array().unwrap() {
            let text = fact["text"].as_str().unwrap();
            let shown = obit::render::visible(text);
            assert!(message.contains(&*shown), "{}: {text} is not in {message}", case.name);
        }
    }
}

#[test]
fn stacks_are_those_of_gdb_on_every_crash_with_calls_that_were_inlined() {
    for case in Case::all() {
        let mut editor = Editor::open(&case.core());
        for thread in &case.expect.threads {
            let wanted = json!({ "threadId": thread.tid, "levels": 200 });
            let stack = editor.body("stackTrace", &wanted);
            let frames = stack["stackFrames"].as_array().unwrap();
            // Tail calls have no frame of their own, and are not in gdb's list.
            let mut frames =
                frames.iter().filter(|frame| frame.get("instructionPointerReference").is_some());
            let expected = thread.frames.iter().filter(|frame| frame.kind != "tailcall");
            for expected in expected {
                let frame = frames.next();
                let is_own =
                    expected.module.as_ref().is_some_and(|module| case.expect.own.contains(module));
                // Behind a frame of a file that is not kept here nothing is compared.
                if !is_own {
                    break;
                }
                let Some(frame) = frame else { panic!("{}: no {expected:?}", case.name) };
                let place = format!("{} {} {expected:?}: {frame}", case.name, thread.tid);
                assert_eq!(frame["instructionPointerReference"], expected.pc.as_str(), "{place}");
                if let Some(line) = expected.line {
                    assert_eq!(frame["line"], line, "{place}");
                    let name = frame["source"]["name"].as_str().unwrap();
                    assert_eq!(name, expected.file.as_deref().unwrap(), "{place}");
                }
            }
        }
    }
}

#[test]
fn frames_of_libraries_are_subtle_and_those_of_the_program_are_not() {
    let mut editor = Editor::on("null-field");
    let stack = editor.body("stackTrace", &json!({ "threadId": 16961 }));
    assert_eq!(stack["totalFrames"], 6);
    let names =
        ["next_serial", "book", "run_job", "worker", "start_thread", "clone3"].map(str::to_owned);
    assert_eq!(functions(&stack), names);
    let hints: Vec<_> = stack["stackFrames"]
        .as_array()
        .unwrap()
        .iter()
        .map(|frame| frame["presentationHint"].clone())
        .collect();
    assert_eq!(hints, ["normal", "normal", "normal", "normal", "subtle", "subtle"]);
}

#[test]
fn a_deep_stack_is_paged_and_what_is_left_out_of_it_is_a_line() {
    let mut editor = Editor::on("recursion");
    let thread = editor.stopped["threadId"].clone();
    let page = |editor: &mut Editor, start: usize, levels: usize| {
        let wanted = json!({ "threadId": thread, "startFrame": start, "levels": levels });
        editor.body("stackTrace", &wanted)
    };
    let whole = page(&mut editor, 0, 0);
    let total = usize::try_from(whole["totalFrames"].as_u64().unwrap()).unwrap();
    assert_eq!(whole["stackFrames"].as_array().unwrap().len(), total);
    let mut paged = Vec::new();
    while paged.len() < total {
        let some = page(&mut editor, paged.len(), 50);
        assert_eq!(some["totalFrames"], total);
        paged.extend(some["stackFrames"].as_array().unwrap().clone());
    }
    assert_eq!(Value::Array(paged), whole["stackFrames"]);
    let labels = whole["stackFrames"].as_array().unwrap().iter();
    let mut labels = labels.filter(|frame| frame["presentationHint"] == "label");
    let gap = labels.next().unwrap();
    assert!(gap["name"].as_str().unwrap().contains("frames left out"), "{gap}");
    assert!(labels.next().is_none());
    // It has no variables.
    let scopes = editor.body("scopes", &json!({ "frameId": gap["id"] }));
    assert_eq!(scopes["scopes"], json!([]));
    assert_eq!(page(&mut editor, 1_000_000, 5)["stackFrames"], json!([]));
}

#[test]
fn a_tail_call_is_a_line_of_the_stack_that_says_what_it_is() {
    let report = report(&Case::named("inlines").core(), &[]);
    let crashed = report["threads"].as_array().unwrap().iter().find(|one| one["crashed"] == true);
    let frames = crashed.unwrap()["frames"].as_array().unwrap().clone();
    let call = frames.iter().find_map(|frame| Some(frame.get("tail_calls")?[0].clone())).unwrap();
    let mut editor = Editor::on("inlines");
    let thread = editor.stopped["threadId"].clone();
    let stack = editor.body("stackTrace", &json!({ "threadId": thread }));
    let name = format!("{} [tail call]", call["function"].as_str().unwrap());
    assert!(functions(&stack).contains(&name), "{stack}");
}

#[test]
fn source_that_is_found_has_a_path_and_what_is_not_has_none_that_pretends() {
    let mut editor = Editor::on("null-field");
    let sources = editor.body("loadedSources", &json!({}))["sources"].clone();
    let own = sources.as_array().unwrap().iter().find(|one| one["name"] == "jobd.c").unwrap();
    let path = Case::named("null-field").directory.join("jobd.c");
    let path = path.canonicalize().unwrap();
    let is_there = own["path"].as_str().is_some_and(|path| std::path::Path::new(path).exists());
    assert!(is_there || own["origin"] == "the file was not found", "{own}");
    // A source map leads to it.
    let directory = path.parent().unwrap();
    let map = json!({ "/tmp/obit-fixture/null-field": directory });
    let mut editor = Editor::launch(&json!({
        "coreFile": Case::named("null-field").core(), "sourceMap": map,
    }));
    let stack = editor.body("stackTrace", &json!({ "threadId": 16961 }));
    let source = &stack["stackFrames"][1]["source"];
    assert_eq!(source["path"], path.to_str().unwrap(), "{source}");
}

#[test]
fn a_module_has_its_build_id_its_range_and_what_is_known_of_its_code() {
    let mut editor = Editor::on("null-field");
    let modules = editor.body("modules", &json!({}));
    let first = &modules["modules"][0];
    assert_eq!(first["name"], "prog");
    assert_eq!(first["version"], "build ID 3dc81b180f4ff39bb65744336025f5d39d7f920c");
    assert_eq!(first["symbolStatus"], "full debug information");
    let total = modules["totalModules"].as_u64().unwrap();
    let page = editor.body("modules", &json!({ "startModule": 1, "moduleCount": 1 }));
    let rest = page["modules"].as_array().unwrap().len() as u64;
    assert_eq!(rest, (total - 1).min(1));
}
