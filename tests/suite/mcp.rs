//! `obit mcp` as its clients see it: lines of JSON to and from the built program.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::fixture::{Case, obit, report};
use serde_json::{Value, json};

/// A client that waits for each answer.
pub struct Agent {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    last_id: u64,
    /// What came that was no answer.
    others: Vec<Value>,
}

impl Agent {
    /// One that has introduced itself.
    pub fn start(options: &[&str]) -> Self {
        let mut agent = Self::without_greeting(options, |_| {});
        let answer = agent.ask("initialize", &greeting("2025-11-25"));
        assert_eq!(answer["result"]["protocolVersion"], "2025-11-25", "{answer}");
        agent.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        agent
    }

    fn without_greeting(options: &[&str], set: impl FnOnce(&mut Command)) -> Self {
        let mut command = obit();
        command.arg("mcp").args(options);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        set(&mut command);
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { input: child.stdin.take(), child, output, last_id: 0, others: Vec::new() }
    }

    fn on(name: &str) -> Self {
        let root = Case::named(name).directory;
        let mut agent = Self::start(&["--root", root.to_str().unwrap()]);
        let opened = agent.call("open", &json!({ "path": "core.zst" }));
        assert_eq!(opened["structuredContent"]["core"], "c1", "{opened}");
        agent
    }

    fn write(&mut self, line: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(line).and_then(|()| input.write_all(b"\n")).unwrap();
        input.flush().unwrap();
    }

    fn send(&mut self, message: &Value) {
        self.write(message.to_string().as_bytes());
    }

    fn receive(&mut self) -> Value {
        let mut line = String::new();
        assert!(self.output.read_line(&mut line).unwrap() > 0, "the server is gone");
        serde_json::from_str(&line).unwrap()
    }

    fn begin(&mut self, method: &str, params: &Value) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        id
    }

    /// The message that answers a request.
    pub fn ask(&mut self, method: &str, params: &Value) -> Value {
        let id = self.begin(method, params);
        loop {
            let message = self.receive();
            if message["id"] == id {
                return message;
            }
            self.others.push(message);
        }
    }

    /// The result of a tool.
    pub fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        let params = json!({ "name": tool, "arguments": arguments });
        let answer = self.ask("tools/call", &params);
        assert!(answer["error"].is_null(), "{tool}: {answer}");
        answer["result"].clone()
    }

    fn end(mut self) -> i32 {
        drop(self.input.take());
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn greeting(version: &str) -> Value {
    let client = json!({ "name": "test", "version": "1" });
    json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": client })
}

fn words(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap()
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

#[test]
fn a_version_that_is_spoken_is_agreed_on_and_any_other_is_answered_by_the_newest() {
    for (wanted, agreed) in [
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2024-11-05", "2025-11-25"),
        ("3000-01-01", "2025-11-25"),
    ] {
        let mut agent = Agent::without_greeting(&[], |_| {});
        let answer = agent.ask("initialize", &greeting(wanted));
        assert_eq!(answer["result"]["protocolVersion"], agreed);
        assert_eq!(agent.end(), 0);
    }
}

#[test]
fn before_a_client_has_introduced_itself_only_a_ping_is_answered() {
    let mut agent = Agent::without_greeting(&[], |_| {});
    assert_eq!(agent.ask("ping", &json!({}))["result"], json!({}));
    assert_eq!(agent.ask("tools/list", &json!({}))["error"]["code"], -32600);
    let call = json!({ "name": "why", "arguments": {} });
    assert_eq!(agent.ask("tools/call", &call)["error"]["code"], -32600);
    assert_eq!(agent.ask("server/discover", &json!({}))["error"]["code"], -32601);
    assert_eq!(agent.ask("initialize", &json!({}))["error"]["code"], -32602);
    assert!(agent.ask("initialize", &greeting("2025-06-18"))["error"].is_null());
    assert_eq!(agent.ask("initialize", &greeting("2025-06-18"))["error"]["code"], -32600);
}

#[test]
fn what_is_no_request_is_an_error_of_the_protocol_and_the_next_one_is_answered() {
    let mut agent = Agent::start(&[]);
    let long = vec![b'a'; (4 << 20) + 1];
    for (line, code) in [
        (&b"{"[..], -32700),
        (b"\xff\xfe", -32700),
        (b"[]", -32600),
        (b"{\"jsonrpc\":\"1.0\",\"id\":7,\"method\":\"ping\"}", -32600),
        (b"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}", -32600),
        (&long, -32600),
    ] {
        agent.write(line);
        let start = String::from_utf8_lossy(&line[..line.len().min(40)]).into_owned();
        assert_eq!(agent.receive()["error"]["code"], code, "{start}");
    }
    assert_eq!(agent.ask("no/such", &json!({}))["error"]["code"], -32601);
    assert_eq!(agent.ask("tools/call", &json!({ "name": "nope" }))["error"]["code"], -32602);
    assert_eq!(agent.ask("tools/list", &json!({ "cursor": "x" }))["error"]["code"], -32602);
    assert_eq!(agent.ask("prompts/get", &json!({ "name": "x" }))["error"]["code"], -32602);
    let resource = json!({ "uri": "file:///etc/passwd" });
    assert_eq!(agent.ask("resources/read", &resource)["error"]["code"], -32002);
    assert_eq!(agent.ask("ping", &json!({}))["result"], json!({}));
    assert_eq!(agent.end(), 0);
}

#[test]
fn why_has_the_class_and_the_frame_of_the_report_on_every_crash() {
    let root = fixtures();
    let mut agent = Agent::start(&["--root", root.to_str().unwrap()]);
    for case in Case::all() {
        let report = report(&case.core(), &[]);
        let core = agent.call("open", &json!({ "path": case.core() }));
        let core = core["structuredContent"]["core"].clone();
        let why = agent.call("why", &json!({ "core": core }))["structuredContent"].clone();
        let (cause, blame) = (&report["cause"], &report["cause"]["blame"]);
        assert_eq!(why["class"], cause["class"], "{}", case.name);
        assert_eq!(why["confidence"], cause["confidence"], "{}", case.name);
        assert_eq!(why["blame"]["function"], blame["function"], "{}", case.name);
        assert_eq!(why["blame"]["line"], blame["source"]["line"], "{}", case.name);
        assert_eq!(why["blame"]["expression"], blame["expression"], "{}", case.name);
    }
}

#[test]
fn every_answer_is_as_the_schema_of_its_tool_says() {
    let mut agent = Agent::on("null-field");
    let tools = agent.ask("tools/list", &json!({}))["result"]["tools"].clone();
    let calls = [
        ("open", json!({ "path": "core.zst" })),
        ("why", json!({})),
        ("stack", json!({})),
        ("stack", json!({ "groups": true })),
        ("variables", json!({})),
        ("variables", json!({ "of": "job" })),
        ("print", json!({ "expressions": ["*job", "x/4gx $sp", "ptype job", "nosuch"] })),
        ("memory", json!({ "address": "job" })),
        ("memory", json!({ "address": "$pc", "format": "i" })),
        ("find", json!({ "pointer_to": "0x4c4cf0" })),
        ("locks", json!({})),
        ("tasks", json!({})),
        ("heap", json!({})),
        ("who_points_to", json!({ "expression": "job" })),
        ("modules", json!({})),
        ("registers", json!({})),
        ("source", json!({})),
        ("verify", json!({ "claim": "job->owner is NULL" })),
        ("triage", json!({ "path": "." })),
        ("compare", json!({ "first": "c1", "second": "c1" })),
    ];
    let mut called = std::collections::BTreeSet::new();
    for (tool, arguments) in &calls {
        let described = tools.as_array().unwrap().iter().find(|one| one["name"] == *tool).unwrap();
        let input = jsonschema::validator_for(&described["inputSchema"]).unwrap();
        assert!(input.is_valid(arguments), "{tool}: {arguments}");
        let result = agent.call(tool, arguments);
        assert_eq!(result["isError"], false, "{tool}: {result}");
        assert!(!words(&result).is_empty(), "{tool}");
        let output = jsonschema::validator_for(&described["outputSchema"]).unwrap();
        let problems: Vec<_> =
            output.iter_errors(&result["structuredContent"]).map(|e| e.to_string()).collect();
        assert_eq!(problems, [""; 0], "{tool}");
        called.insert(*tool);
    }
    // `group` needs an id that `triage` gives.
    let groups = agent.call("triage", &json!({ "path": "." }));
    let group = groups["structuredContent"]["groups"][0]["group"].clone();
    let found = agent.call("group", &json!({ "path": ".", "group": group }));
    assert_eq!(found["structuredContent"]["group"]["class"], "null-read", "{found}");
    called.insert("group");
    assert_eq!(called.len(), tools.as_array().unwrap().len(), "a tool is not called");
}

#[test]
fn parts_of_variables_are_reached_by_the_expressions_that_are_listed() {
    let mut agent = Agent::on("null-field");
    let variables = agent.call("variables", &json!({}))["structuredContent"].clone();
    let of_job = variables["variables"][0]["of"].clone();
    assert_eq!(of_job, "job");
    let parts = agent.call("variables", &json!({ "of": of_job }))["structuredContent"].clone();
    let names: Vec<_> =
        parts["variables"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["id", "command", "owner", "next"]);
    let command = agent.call("variables", &json!({ "of": "job->command" }));
    assert_eq!(command["isError"], false, "{command}");
}

#[test]
fn lists_go_on_where_the_page_before_ended() {
    let mut agent = Agent::on("recursion");
    let (mut frames, mut cursor) = (Vec::new(), Value::Null);
    let total = loop {
        let mut arguments = json!({ "limit": 50 });
        if !cursor.is_null() {
            arguments["cursor"] = cursor;
        }
        let page = agent.call("stack", &arguments)["structuredContent"].clone();
        frames.extend(page["frames"].as_array().unwrap().clone());
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            break page["total"].as_u64().unwrap();
        }
    };
    assert!(total > 50, "{total}");
    assert_eq!(frames.len() as u64, total);
    let handles: std::collections::BTreeSet<_> =
        frames.iter().map(|frame| frame["frame"].to_string()).collect();
    assert_eq!(handles.len() as u64, total, "a frame came twice");
}

#[test]
fn claims_hold_do_not_hold_or_are_unknown_with_the_bytes() {
    let mut agent = Agent::on("null-field");
    let mut verdict = |arguments: Value| {
        let answer = agent.call("verify", &arguments);
        let answer = answer["structuredContent"].clone();
        (answer["verdict"].as_str().unwrap().to_owned(), answer)
    };
    for (claim, wanted) in [
        ("job->owner is NULL in frame 1", "holds"),
        ("job->owner is not NULL", "does-not-hold"),
        ("job->id == 2", "holds"),
        ("job->id > 2", "does-not-hold"),
        ("job->owner->finished == 1", "unknown"),
        ("nosuch is NULL", "unknown"),
        ("job points to freed memory", "does-not-hold"),
        ("the class is null-read", "holds"),
        ("the class is deadlock", "does-not-hold"),
        ("run_job is on the stack", "holds"),
        ("take is on the stack", "does-not-hold"),
        ("thread 1 waits for thread 2", "unknown"),
    ] {
        assert_eq!(verdict(json!({ "claim": claim })).0, wanted, "{claim}");
    }
    let (_, answer) = verdict(json!({ "claim": "run_job is on the stack" }));
    assert_eq!(answer["claim"], "run_job is on the stack of thread 16961");
    let compare = json!({
        "kind": "compare", "expression": "job->owner", "value": "0", "frame": "16961/1",
    });
    let (holds, answer) = verdict(compare);
    assert_eq!(holds, "holds");
    let evidence = answer["evidence"].to_string();
    assert!(evidence.contains("job->owner = 0x0") && evidence.contains("0x00 0x00"), "{evidence}");
    let mut agent = Agent::on("deadlock");
    let waits = agent.call("locks", &json!({}))["structuredContent"]["waits"][0].clone();
    let (one, other) = (waits["thread"].clone(), waits["waits_for"].clone());
    let claim = json!({ "claim": format!("thread {one} waits for thread {other}") });
    assert_eq!(agent.call("verify", &claim)["structuredContent"]["verdict"], "holds");
    let claim = json!({ "kind": "waits", "thread": one, "waits_for": one });
    assert_eq!(agent.call("verify", &claim)["structuredContent"]["verdict"], "does-not-hold");
}

#[test]
fn nothing_outside_the_roots_is_opened_whatever_leads_there() {
    let directory = tempfile::tempdir().unwrap();
    let core = Case::named("null-field").core();
    symlink(&core, directory.path().join("link")).unwrap();
    fs::create_dir(directory.path().join("root")).unwrap();
    let root = directory.path().join("root");
    symlink(core.parent().unwrap(), root.join("directory")).unwrap();
    let mut agent = Agent::start(&["--root", root.to_str().unwrap()]);
    let absolute = core.display().to_string();
    for path in ["../link", "directory/core.zst", &absolute, "/proc/self/environ", "/etc/passwd"] {
        for (tool, argument) in [("open", "path"), ("why", "core"), ("triage", "path")] {
            let result = agent.call(tool, &json!({ argument: path }));
            assert_eq!(result["isError"], true, "{tool} {path}");
            let said = words(&result);
            assert!(said.contains("not below an allowed directory"), "{said}");
            assert!(said.contains("Call instead"), "{said}");
        }
    }
    fs::copy(&core, root.join("core")).unwrap();
    let wrong = json!({ "path": "core", "program": absolute.replace("core.zst", "prog") });
    assert_eq!(agent.call("open", &wrong)["isError"], true);
    assert_eq!(agent.call("open", &json!({ "path": "core" }))["isError"], false);
}

#[test]
fn two_servers_do_not_see_each_other() {
    let _one = Agent::on("null-field");
    let mut other = Agent::start(&["--root", fixtures().to_str().unwrap()]);
    let result = other.call("why", &json!({ "core": "c1" }));
    assert!(words(&result).contains("no core has the handle c1"), "{result}");
    let resources = other.ask("resources/list", &json!({}));
    assert_eq!(resources["result"]["resources"], json!([]));
}

#[test]
fn reports_are_resources_of_the_cores_that_are_open() {
    let mut agent = Agent::on("null-field");
    let list = agent.ask("resources/list", &json!({}))["result"]["resources"].clone();
    let others = agent.others.iter().map(|one| one["method"].clone()).collect::<Vec<_>>();
    assert_eq!(others, ["notifications/resources/list_changed"]);
    assert_eq!(list.as_array().unwrap().len(), 2);
    for resource in list.as_array().unwrap() {
        let read = agent.ask("resources/read", &json!({ "uri": resource["uri"] }));
        let content = read["result"]["contents"][0].clone();
        assert_eq!(content["mimeType"], resource["mimeType"]);
        assert!(content["text"].as_str().unwrap().contains("null-read"), "{content}");
    }
    let prompt = json!({ "name": "explain_crash", "arguments": { "path": "a\"b\n" } });
    let prompt = agent.ask("prompts/get", &prompt)["result"].clone();
    let text = prompt["messages"][0]["content"]["text"].as_str().unwrap();
    assert!(text.contains(r#""a\"b\n""#), "{text}");
}

#[test]
fn a_core_that_vanishes_is_said_to_be_gone_once_and_still_answered() {
    let root = tempfile::tempdir().unwrap();
    let case = Case::named("null-field");
    fs::copy(case.core(), root.path().join("core")).unwrap();
    fs::copy(case.program(), root.path().join("prog")).unwrap();
    let mut agent = Agent::start(&["--root", root.path().to_str().unwrap()]);
    agent.call("open", &json!({ "path": "core" }));
    fs::remove_file(root.path().join("core")).unwrap();
    let first = agent.call("why", &json!({}));
    assert!(words(&first).starts_with("Note: the file of this core was removed"), "{first}");
    assert_eq!(first["structuredContent"]["class"], "null-read");
    let second = agent.call("why", &json!({}));
    assert!(words(&second).starts_with("null-read"), "{second}");
}

#[test]
fn each_call_is_logged_with_how_much_was_revealed() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("audit");
    let root = Case::named("null-field").directory;
    let options = ["--root", root.to_str().unwrap(), "--audit", log.to_str().unwrap()];
    let mut agent = Agent::start(&[&options[..], &["--redact", "strict"]].concat());
    agent.call("open", &json!({ "path": "core.zst" }));
    agent.call("why", &json!({ "core": "c7" }));
    agent.ask("resources/read", &json!({ "uri": "obit://c1/report.md" }));
    let text = fs::read_to_string(&log).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let tools: Vec<_> = lines.iter().map(|line| line["tool"].clone()).collect();
    assert_eq!(tools, ["open", "why", "resources/read"]);
    let outcomes: Vec<_> = lines.iter().map(|line| line["outcome"].clone()).collect();
    assert_eq!(outcomes, ["answered", "error", "answered"]);
    assert_eq!(lines[0]["client"], "test");
    assert_eq!(lines[0]["redaction"], "strict");
    assert_eq!(lines[0]["arguments"], json!({ "path": "core.zst" }));
    assert!(lines[0]["bytes"].as_u64().unwrap() > 100);
    // What cannot be logged is not answered.
    let mut agent = Agent::start(&["--root", root.to_str().unwrap(), "--audit", "/dev/full"]);
    let result = agent.call("open", &json!({ "path": "core.zst" }));
    assert!(words(&result).contains("audit log cannot be written"), "{result}");
    assert!(result["structuredContent"].is_null());
}

#[test]
fn progress_is_reported_to_who_asks_for_it() {
    let mut agent = Agent::start(&["--root", fixtures().to_str().unwrap()]);
    let params = json!({
        "name": "triage", "arguments": { "path": "null-field" },
        "_meta": { "progressToken": "t" },
    });
    let answer = agent.ask("tools/call", &params);
    assert_eq!(answer["result"]["structuredContent"]["dumps"], 1, "{answer}");
    let progress: Vec<_> = agent
        .others
        .iter()
        .filter(|one| one["method"] == "notifications/progress")
        .map(|one| (one["params"]["progressToken"].clone(), one["params"]["progress"].as_u64()))
        .collect();
    assert_eq!(progress, [(json!("t"), Some(0)), (json!("t"), Some(1))]);
}

/// What a worker does that was taken over.
#[cfg(debug_assertions)]
fn with_evil(what: &str, more: &[&str]) -> Agent {
    let root = Case::named("null-field").directory;
    let options = [&["--root", root.to_str().unwrap()][..], more].concat();
    let mut agent = Agent::without_greeting(&options, |command| {
        command.env("OBIT_TEST_EVIL", what);
    });
    agent.ask("initialize", &greeting("2025-11-25"));
    agent
}

#[cfg(debug_assertions)]
#[test]
fn a_cancelled_request_ends_its_worker_and_is_not_answered() {
    let mut agent = with_evil("hang", &[]);
    let open = json!({ "name": "open", "arguments": { "path": "core.zst" } });
    let id = agent.begin("tools/call", &open);
    assert_eq!(agent.ask("ping", &json!({}))["result"], json!({}), "others are answered");
    std::thread::sleep(std::time::Duration::from_millis(300));
    let params = json!({ "requestId": id, "reason": "test" });
    let method = "notifications/cancelled";
    agent.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    // An id that is not under way is nothing.
    let params = json!({ "requestId": "none" });
    agent.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    assert_eq!(agent.ask("ping", &json!({}))["result"], json!({}));
    assert!(agent.others.is_empty(), "{:?}", agent.others);
    // It ends at once, which it would not if it waited for the worker.
    assert_eq!(agent.end(), 0);
}

#[cfg(debug_assertions)]
#[test]
fn a_worker_that_hangs_or_dies_costs_its_request_and_says_so() {
    let mut agent = with_evil("hang", &["--timeout", "1"]);
    let result = agent.call("open", &json!({ "path": "core.zst" }));
    assert!(words(&result).contains("no answer within 1 s"), "{result}");
    let mut agent = with_evil("panic", &[]);
    for _ in 0..2 {
        let result = agent.call("open", &json!({ "path": "core.zst" }));
        assert!(words(&result).contains("this is a bug in obit"), "{result}");
    }
    assert_eq!(agent.ask("ping", &json!({}))["result"], json!({}));
}

#[test]
fn messages_that_are_broken_at_random_end_nothing() {
    let mut agent = Agent::on("null-field");
    let tools =
        ["why", "stack", "variables", "print", "memory", "find", "verify", "source", "open"];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    for number in 0..400 {
        let call = json!({
            "jsonrpc": "2.0", "id": format!("f{number}"), "method": "tools/call", "params": {
                "name": tools[random(tools.len())], "arguments": {
                    "core": "c1", "frame": "16961/1", "expressions": ["job->owner", "x/4gx $sp"],
                    "address": "job", "claim": "job is NULL in frame 1", "text": "report",
                    "path": "core.zst", "limit": 3,
                },
            },
        });
        let mut line = call.to_string().into_bytes();
        for _ in 0..random(4) {
            let at = random(line.len());
            match random(4) {
                0 => line[at] = u8::try_from(random(256)).unwrap(),
                1 => drop(line.remove(at)),
                2 => line.truncate(at.max(1)),
                _ => line.insert(at, b"{}[]\",:0\\/$*&"[random(13)]),
            }
        }
        line.retain(|byte| *byte != b'\n');
        if line.is_empty() {
            continue;
        }
        agent.write(&line);
        if number % 8 == 7 {
            agent.ask("ping", &json!({}));
        }
    }
    assert_eq!(agent.ask("ping", &json!({}))["result"], json!({}));
    let why = agent.call("why", &json!({ "core": "c1" }));
    assert_eq!(why["structuredContent"]["class"], "null-read");
    assert_eq!(agent.end(), 0);
}
