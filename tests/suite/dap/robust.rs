//! Broken messages, connections, and what is hidden.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use super::client::{Editor, framed};
use crate::fixture::{Case, obit};
use serde_json::json;

#[test]
fn a_broken_body_is_an_error_with_its_number_and_the_next_message_is_answered() {
    let mut editor = Editor::on("null-field");
    let huge = vec![b' '; (4 << 20) + 1];
    for (body, seq) in [
        (&b"{"[..], 0),
        (b"\xff\xfe", 0),
        (b"[]", 0),
        (b"", 0),
        (b"{\"seq\":77,\"type\":\"request\"}", 77),
        (b"{\"seq\":78,\"type\":\"event\",\"event\":\"x\"}", 78),
        (b"{\"seq\":79,\"type\":\"request\",\"command\":\"threads\",\"arguments\":3}", 79),
        (&huge, 0),
    ] {
        editor.write_body(body);
        let answer = editor.receive().unwrap();
        let start = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert_eq!(
            (&answer["success"], &answer["request_seq"]),
            (&json!(false), &json!(seq)),
            "{start}"
        );
    }
    // An answer to something that was never asked is nothing.
    editor.write_body(br#"{"seq":80,"type":"response","request_seq":1,"success":true}"#);
    for (command, arguments) in [
        ("stackTrace", json!({})),
        ("stackTrace", json!({ "threadId": 7 })),
        ("stackTrace", json!({ "threadId": "x" })),
        ("scopes", json!({ "frameId": 12_345 })),
        ("variables", json!({ "variablesReference": -1 })),
        ("variables", json!({ "variablesReference": 0 })),
        ("evaluate", json!({ "expression": "" })),
        ("evaluate", json!({ "expression": "x".repeat(5000) })),
        ("evaluate", json!({ "expression": "job", "frameId": 0 })),
        ("source", json!({ "sourceReference": 9 })),
        ("disassemble", json!({ "memoryReference": "0x0", "instructionCount": -1 })),
        ("completions", json!({ "text": "x" })),
    ] {
        editor.refusal(command, &arguments);
    }
    assert_eq!(editor.body("threads", &json!({}))["threads"].as_array().unwrap().len(), 6);
    assert_eq!(editor.end(), 0);
}

#[test]
fn what_is_no_message_at_all_is_said_once_and_ends_the_adapter() {
    for bytes in ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "Content-Length: x\r\n\r\n", "\r\n\r\n"] {
        let mut editor = Editor::new(&[], |_| {});
        editor.try_write(bytes.as_bytes());
        let answer = editor.receive().unwrap();
        assert!(answer["message"].as_str().unwrap().contains("Content-Length"), "{answer}");
        assert!(editor.receive().is_none());
        assert_ne!(editor.end(), 0);
    }
}

#[test]
fn a_client_that_sends_nothing_more_is_still_answered_and_half_a_message_is_none() {
    let mut editor = Editor::new(&[], |_| {});
    let seq = editor.send("initialize", &json!({ "adapterID": "obit" }));
    editor.write(b"Content-Length: 100\r\n\r\n{\"seq\":");
    editor.close();
    assert_eq!(editor.answer_to(seq)["success"], true);
    assert_eq!(editor.end(), 0);
}

/// `obit dap --listen`, and its address.
struct Listening(Child, String);

impl Listening {
    fn start(root: &str) -> Self {
        let mut command = obit();
        command.args(["dap", "--listen", "127.0.0.1:0", "--root", root]);
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        said.read_line(&mut line).unwrap();
        let address = line.trim().rsplit(' ').next().unwrap().to_owned();
        // What is said later has to go somewhere.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Self(child, address)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn two_connections_have_a_session_each_and_do_not_see_each_other() {
    let root = Case::named("null-field").directory.parent().unwrap().to_owned();
    let server = Listening::start(root.to_str().unwrap());
    let (mut one, mut other) = (Editor::connect(&server.1), Editor::connect(&server.1));
    one.begin(&json!({ "coreFile": Case::named("null-field").core() }));
    other.body("initialize", &json!({ "adapterID": "obit" }));
    assert!(other.refusal("threads", &json!({})).contains("no core is open"));
    other.event("initialized");
    let frame = one.frame(1);
    other.body("launch", &json!({ "coreFile": Case::named("cpp").core() }));
    // The number of a frame is that of a session.
    assert!(other.refusal("scopes", &json!({ "frameId": frame })).contains("no such frame"));
    one.body("disconnect", &json!({}));
    assert!(one.receive().is_none());
    assert!(other.body("threads", &json!({}))["threads"].is_array());
}

#[test]
fn a_listener_opens_nothing_outside_its_roots_and_hears_no_other_protocol() {
    let root = Case::named("null-field").directory;
    let server = Listening::start(root.to_str().unwrap());
    let mut editor = Editor::connect(&server.1);
    editor.body("initialize", &json!({ "adapterID": "obit" }));
    for core in [Case::named("cpp").core(), "/etc/passwd".into(), "../cpp/core.zst".into()] {
        let said = editor.refusal("launch", &json!({ "coreFile": core }));
        assert!(said.contains("not below an allowed directory"), "{said}");
    }
    let mut browser = Editor::connect(&server.1);
    browser.write(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}");
    assert_eq!(browser.receive().unwrap()["success"], false);
    assert!(browser.receive().is_none());
    let options = ["dap", "--listen", "0.0.0.0:0"];
    let output = obit().args(options).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(64));
}

#[test]
fn a_client_for_which_there_is_no_room_is_refused_with_the_reason() {
    let root = Case::named("null-field").directory;
    let server = Listening::start(root.to_str().unwrap());
    let mut all: Vec<_> = (0..8).map(|_| Editor::connect(&server.1)).collect();
    for editor in &mut all {
        editor.body("initialize", &json!({ "adapterID": "obit" }));
    }
    let mut late = Editor::connect(&server.1);
    let answer = late.receive().unwrap();
    assert!(answer["message"].as_str().unwrap().contains("8 clients"), "{answer}");
    drop(all.pop());
    // There is room once it has left.
    for _ in 0..50 {
        let mut next = Editor::connect(&server.1);
        let seq = next.send("initialize", &json!({ "adapterID": "obit" }));
        let is_answered = next.receive().is_some_and(|one| one["request_seq"] == seq);
        if is_answered {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("a connection that ended still counts");
}

/// Messages that are broken; more of them by the environment.
fn count() -> usize {
    let count = std::env::var("OBIT_TEST_MESSAGES").ok().and_then(|text| text.parse().ok());
    count.unwrap_or(1500)
}

#[test]
fn messages_that_are_broken_at_random_end_nothing() {
    let root = Case::named("null-field").directory;
    let server = Listening::start(root.to_str().unwrap());
    let core = Case::named("null-field").core();
    let connect = || {
        let mut editor = Editor::connect(&server.1);
        editor.begin(&json!({ "coreFile": core }));
        editor
    };
    let mut editor = connect();
    let commands = [
        "initialize",
        "launch",
        "configurationDone",
        "threads",
        "stackTrace",
        "scopes",
        "variables",
        "evaluate",
        "exceptionInfo",
        "disassemble",
        "readMemory",
        "modules",
        "loadedSources",
        "source",
        "completions",
        "setBreakpoints",
        "dataBreakpointInfo",
        "continue",
        "pause",
        "cancel",
        "stepBack",
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    for number in 0..count() {
        let expression = ["job->owner", "x/4gx $sp", "ptype job", "*job@3"][random(4)];
        let (context, memory) = (["repl", "hover", "watch"], ["0x401680", "0x4c4cf0", "0x0"]);
        let (context, memory) = (context[random(3)], memory[random(3)]);
        let message = json!({
            "seq": 1_000_000 + number, "type": "request", "command": commands[random(21)],
            "arguments": {
                "threadId": 16961, "frameId": random(9), "variablesReference": random(40),
                "expression": expression,
                "context": context,
                "memoryReference": memory,
                "offset": random(99), "count": random(200), "instructionOffset": -3,
                "instructionCount": random(20), "text": "job->o", "column": random(9),
                "startFrame": random(4), "levels": random(9), "sourceReference": random(3),
                "breakpoints": [{ "line": 1 }], "requestId": 1_000_000 + random(number + 1),
            },
        });
        let mut body = message.to_string().into_bytes();
        for _ in 0..random(4) {
            let at = random(body.len());
            match random(4) {
                0 => body[at] = u8::try_from(random(256)).unwrap(),
                1 => drop(body.remove(at)),
                2 => body.truncate(at.max(1)),
                _ => body.insert(at, b"{}[]\",:0\\/$*&-"[random(14)]),
            }
        }
        let mut bytes = framed(&body);
        // A header that is broken costs the connection, and no other.
        let is_lost = random(50) == 0;
        if is_lost {
            let at = random(bytes.len());
            bytes[at] ^= 1 << random(8);
        }
        editor.try_write(&bytes);
        if is_lost {
            editor = connect();
        } else if number % 16 == 15 {
            editor.ask("threads", &json!({}));
        }
    }
    drop(editor);
    let mut editor = connect();
    let found = editor.body("exceptionInfo", &json!({ "threadId": 16961 }));
    assert_eq!(found["exceptionId"], "null-read");
    drop(TcpStream::connect(&server.1).unwrap());
}
