//! The order of messages, refusals and cancelling.

use std::fs;

use super::client::Editor;
use crate::fixture::Case;
use serde_json::json;

#[test]
fn what_is_said_to_be_supported_is_answered_and_stepping_back_is_not_said_to_be() {
    let mut editor = Editor::new(&[], |_| {});
    let capabilities = editor.body("initialize", &json!({ "adapterID": "obit" }));
    assert_eq!(capabilities["supportsConfigurationDoneRequest"], true);
    assert_eq!(capabilities["supportsStepBack"], false);
    for absent in ["supportsSetVariable", "supportsWriteMemoryRequest", "supportsDataBreakpoints"] {
        assert!(capabilities.get(absent).is_none(), "{absent}");
    }
}

#[test]
fn requests_have_an_order_and_what_comes_too_early_is_refused() {
    let mut editor = Editor::new(&[], |_| {});
    assert!(editor.refusal("threads", &json!({})).contains("initialize"));
    assert!(editor.refusal("launch", &json!({})).contains("initialize"));
    assert!(editor.refusal("nosuch", &json!({})).contains("no request"));
    assert!(editor.refusal("initialize", &json!({})).contains("adapterID"));
    let uri = json!({ "adapterID": "obit", "pathFormat": "uri" });
    assert!(editor.refusal("initialize", &uri).contains("pathFormat"));
    editor.body("initialize", &json!({ "adapterID": "obit" }));
    assert!(editor.refusal("initialize", &json!({ "adapterID": "obit" })).contains("once"));
    assert!(editor.refusal("threads", &json!({})).contains("launch"));
    assert!(editor.refusal("launch", &json!({})).contains("coreFile"));
    let missing = json!({ "coreFile": "/nowhere/core" });
    assert!(editor.refusal("launch", &missing).contains("does not exist"));
    let program = json!({ "coreFile": Case::named("null-field").program() });
    assert!(editor.refusal("launch", &program).contains("not a core"));
    assert!(editor.refusal("attach", &json!({ "pid": 1 })).contains("obit snapshot"));
    // One that failed is no reason not to try again.
    let core = json!({ "coreFile": Case::named("null-field").core() });
    editor.body("launch", &core);
    assert!(editor.refusal("attach", &core).contains("already"));
    assert_eq!(editor.end(), 0);
}

#[test]
fn the_process_stops_once_the_client_is_configured_and_the_core_is_open_whichever_is_first() {
    let core = json!({ "coreFile": Case::named("null-field").core() });
    let mut editor = Editor::new(&[], |_| {});
    editor.body("initialize", &json!({ "adapterID": "obit" }));
    editor.event("initialized");
    editor.body("configurationDone", &json!({}));
    assert!(editor.events.is_empty());
    editor.body("attach", &core);
    assert_eq!(editor.event("process")["startMethod"], "attach");
    assert_eq!(editor.event("stopped")["reason"], "exception");
}

#[test]
fn what_a_core_cannot_do_is_refused_with_the_reason() {
    let mut editor = Editor::on("null-field");
    let thread = json!({ "threadId": 16961 });
    for command in ["continue", "next", "stepIn", "stepOut", "restart", "goto"] {
        assert!(editor.refusal(command, &thread).contains("a core dump cannot run"), "{command}");
    }
    for command in ["stepBack", "reverseContinue"] {
        assert!(editor.refusal(command, &thread).contains("no recorded history"), "{command}");
    }
    let variable = json!({ "variablesReference": 1, "name": "job", "value": "0" });
    assert!(editor.refusal("setVariable", &variable).contains("only reads"));
    let written = json!({ "memoryReference": "0x0", "data": "" });
    assert!(editor.refusal("writeMemory", &written).contains("only reads"));
    let lines = json!({ "source": { "path": "jobd.c" }, "breakpoints": [{ "line": 68 }] });
    let points = editor.body("setBreakpoints", &lines)["breakpoints"].clone();
    assert_eq!(points[0]["verified"], false);
    assert!(points[0]["message"].as_str().unwrap().contains("cannot run"));
    let data = editor.body("dataBreakpointInfo", &json!({ "name": "job" }));
    assert_eq!(data["dataId"], json!(null));
    // It has stopped already.
    editor.body("pause", &thread);
    assert_eq!(editor.event("stopped")["threadId"], 16961);
}

#[test]
fn a_client_that_disconnects_ends_the_adapter_and_one_that_terminates_may_still_ask_nothing() {
    let mut editor = Editor::on("null-field");
    editor.body("terminate", &json!({}));
    editor.event("terminated");
    assert!(editor.refusal("threads", &json!({})).contains("no core is open"));
    editor.body("disconnect", &json!({}));
    assert!(editor.receive().is_none());
    assert_eq!(editor.end(), 0);
}

#[test]
fn an_exception_belongs_to_the_thread_that_crashed() {
    let mut editor = Editor::on("null-field");
    let threads = editor.body("threads", &json!({}))["threads"].clone();
    assert_eq!(threads[0]["id"], 16961);
    assert!(threads[0]["name"].as_str().unwrap().ends_with("crashed"), "{threads}");
    assert_eq!(threads.as_array().unwrap().len(), 6);
    let other = editor.refusal("exceptionInfo", &json!({ "threadId": 16959 }));
    assert!(other.contains("thread 16961 did"), "{other}");
    assert!(editor.refusal("exceptionInfo", &json!({ "threadId": 1 })).contains("no such thread"));
}

#[test]
fn lines_and_columns_are_counted_as_the_client_counts() {
    let core = json!({ "coreFile": Case::named("null-field").core() });
    let mut editor = Editor::new(&[], |_| {});
    let from_zero =
        json!({ "adapterID": "obit", "linesStartAt1": false, "columnsStartAt1": false });
    editor.body("initialize", &from_zero);
    editor.body("launch", &core);
    let stack = editor.body("stackTrace", &json!({ "threadId": 16961 }));
    assert_eq!(stack["stackFrames"][0]["line"], 62);
}

#[test]
fn a_core_that_vanishes_is_said_to_be_gone_once_and_still_answered() {
    let root = tempfile::tempdir().unwrap();
    let case = Case::named("null-field");
    fs::copy(case.core(), root.path().join("core")).unwrap();
    fs::copy(case.program(), root.path().join("prog")).unwrap();
    let mut editor = Editor::open(&root.path().join("core"));
    fs::remove_file(root.path().join("core")).unwrap();
    for _ in 0..2 {
        let found = editor.body("evaluate", &json!({ "expression": "job->id" }));
        assert_eq!(found["result"], "2");
    }
    editor.body("disconnect", &json!({}));
    while let Some(message) = editor.receive() {
        editor.events.push(message);
    }
    let gone = editor.events.iter().filter(|event| {
        event["body"]["output"].as_str().is_some_and(|text| text.contains("was removed"))
    });
    assert_eq!(gone.count(), 1, "{:?}", editor.events);
}

/// What a worker does that was taken over.
#[cfg(debug_assertions)]
fn with_evil(what: &str, more: &[&str]) -> Editor {
    let mut editor = Editor::new(more, |command| {
        command.env("OBIT_TEST_EVIL", what);
    });
    editor.body("initialize", &json!({ "adapterID": "obit" }));
    editor
}

#[cfg(debug_assertions)]
#[test]
fn a_cancelled_request_ends_its_worker_and_is_answered_as_cancelled() {
    let core = json!({ "coreFile": Case::named("null-field").core() });
    let mut editor = with_evil("hang", &[]);
    let opening = editor.send("launch", &core);
    let waiting = editor.send("threads", &json!({}));
    std::thread::sleep(std::time::Duration::from_millis(300));
    editor.body("cancel", &json!({ "requestId": waiting }));
    editor.body("cancel", &json!({ "requestId": opening }));
    // A number that is not under way is nothing.
    editor.body("cancel", &json!({ "requestId": 999 }));
    for seq in [opening, waiting] {
        let answer = editor.answer_to(seq);
        assert_eq!(answer["success"], false);
        assert_eq!(answer["message"], "cancelled");
    }
    assert_eq!(editor.end(), 0);
}

#[cfg(debug_assertions)]
#[test]
fn a_client_that_disconnects_does_not_wait_for_what_hangs() {
    let core = json!({ "coreFile": Case::named("null-field").core() });
    let mut editor = with_evil("hang", &[]);
    editor.send("launch", &core);
    std::thread::sleep(std::time::Duration::from_millis(300));
    editor.body("disconnect", &json!({}));
    assert_eq!(editor.end(), 0);
}

#[cfg(debug_assertions)]
#[test]
fn a_worker_that_hangs_or_dies_costs_its_request_and_says_so() {
    let core = json!({ "coreFile": Case::named("null-field").core() });
    let mut editor = with_evil("hang", &["--timeout", "1"]);
    assert!(editor.refusal("launch", &core).contains("no answer within 1 s"));
    let mut editor = with_evil("panic", &[]);
    for _ in 0..2 {
        assert!(editor.refusal("launch", &core).contains("this is a bug in obit"));
    }
}
