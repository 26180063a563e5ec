//! An editor that waits for each answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::fixture::{Case, obit};
use serde_json::{Value, json};

/// One that has opened a core, or is about to.
pub struct Editor {
    child: Option<Child>,
    to: Option<Box<dyn Write>>,
    from: Box<dyn BufRead>,
    last_seq: i64,
    /// Events that came and were not waited for.
    pub events: Vec<Value>,
    /// The body of the event that said that the process has stopped.
    pub stopped: Value,
    /// What the console showed then.
    pub output: String,
}

impl Editor {
    /// One that has said nothing yet.
    pub fn new(options: &[&str], set: impl FnOnce(&mut Command)) -> Self {
        let mut command = obit();
        command.arg("dap").args(options);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        set(&mut command);
        let mut child = command.spawn().unwrap();
        let from = Box::new(BufReader::new(child.stdout.take().unwrap()));
        let to: Box<dyn Write> = Box::new(child.stdin.take().unwrap());
        Self::of(to, from, Some(child))
    }

    /// The same over a connection.
    pub fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        let from = Box::new(BufReader::new(stream.try_clone().unwrap()));
        Self::of(Box::new(stream), from, None)
    }

    fn of(to: Box<dyn Write>, from: Box<dyn BufRead>, child: Option<Child>) -> Self {
        let (events, stopped, output) = (Vec::new(), Value::Null, String::new());
        Self { child, to: Some(to), from, last_seq: 0, events, stopped, output }
    }

    /// One that has opened a crash case.
    pub fn on(name: &str) -> Self {
        Self::open(&Case::named(name).core())
    }

    pub fn open(core: &Path) -> Self {
        Self::launch(&json!({ "coreFile": core }))
    }

    pub fn launch(configuration: &Value) -> Self {
        let mut editor = Self::new(&[], |_| {});
        editor.begin(configuration);
        editor
    }

    /// Introduces itself, opens a core and waits until it has stopped.
    pub fn begin(&mut self, configuration: &Value) {
        self.body("initialize", &json!({ "adapterID": "obit" }));
        self.event("initialized");
        let opened = self.ask("launch", configuration);
        assert_eq!(opened["success"], true, "{opened}");
        self.body("configurationDone", &json!({}));
        self.output = self.event("output")["output"].as_str().unwrap().to_owned();
        self.stopped = self.event("stopped");
    }

    pub fn write(&mut self, bytes: &[u8]) {
        let to = self.to.as_mut().unwrap();
        to.write_all(bytes).and_then(|()| to.flush()).unwrap();
    }

    /// Whether it could be written.
    pub fn try_write(&mut self, bytes: &[u8]) -> bool {
        let to = self.to.as_mut().unwrap();
        to.write_all(bytes).and_then(|()| to.flush()).is_ok()
    }

    pub fn write_body(&mut self, body: &[u8]) {
        self.write(&framed(body));
    }

    /// The next message; `None` at the end.
    pub fn receive(&mut self) -> Option<Value> {
        let mut length = None;
        loop {
            let mut line = String::new();
            if self.from.read_line(&mut line).unwrap_or(0) == 0 {
                return None;
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            let value = line.strip_prefix("Content-Length: ").unwrap();
            length = Some(value.parse::<usize>().unwrap());
        }
        let mut body = vec![0; length.unwrap()];
        self.from.read_exact(&mut body).unwrap();
        Some(serde_json::from_slice(&body).unwrap())
    }

    pub fn send(&mut self, command: &str, arguments: &Value) -> i64 {
        self.last_seq += 1;
        let seq = self.last_seq;
        let message =
            json!({ "seq": seq, "type": "request", "command": command, "arguments": arguments });
        self.write_body(message.to_string().as_bytes());
        seq
    }

    /// The message that answers request `seq`.
    pub fn answer_to(&mut self, seq: i64) -> Value {
        let is_it =
            |message: &Value| message["type"] == "response" && message["request_seq"] == seq;
        // It may have come while the answer to a later request was waited for.
        if let Some(at) = self.events.iter().position(is_it) {
            return self.events.remove(at);
        }
        loop {
            let message = self.receive().expect("the adapter is gone");
            if is_it(&message) {
                return message;
            }
            self.events.push(message);
        }
    }

    pub fn ask(&mut self, command: &str, arguments: &Value) -> Value {
        let seq = self.send(command, arguments);
        self.answer_to(seq)
    }

    /// What a request that is answered has in its answer.
    pub fn body(&mut self, command: &str, arguments: &Value) -> Value {
        let answer = self.ask(command, arguments);
        assert_eq!(answer["success"], true, "{command} {arguments}: {answer}");
        answer["body"].clone()
    }

    /// Why a request has no answer.
    pub fn refusal(&mut self, command: &str, arguments: &Value) -> String {
        let answer = self.ask(command, arguments);
        assert_eq!(answer["success"], false, "{command} {arguments}: {answer}");
        let error = &answer["body"]["error"];
        assert_eq!(error["variables"]["text"], answer["message"], "{answer}");
        answer["message"].as_str().unwrap().to_owned()
    }

    /// The body of the next event of this name.
    pub fn event(&mut self, name: &str) -> Value {
        if let Some(at) = self.events.iter().position(|event| event["event"] == name) {
            return self.events.remove(at)["body"].clone();
        }
        loop {
            let message = self.receive().expect("the adapter is gone");
            if message["event"] == name {
                return message["body"].clone();
            }
            self.events.push(message);
        }
    }

    /// The id of frame `number` of the thread that crashed.
    pub fn frame(&mut self, number: usize) -> i64 {
        let thread = self.stopped["threadId"].clone();
        let stack = self.body("stackTrace", &json!({ "threadId": thread }));
        stack["stackFrames"][number]["id"].as_i64().unwrap()
    }

    /// The variables of a scope of a frame.
    pub fn scope(&mut self, frame: i64, name: &str) -> Vec<Value> {
        let scopes = self.body("scopes", &json!({ "frameId": frame }));
        let scopes = scopes["scopes"].as_array().unwrap().clone();
        let scope = scopes.iter().find(|scope| scope["name"] == name).unwrap();
        self.parts(scope)
    }

    /// The variables that a scope or a variable has.
    pub fn parts(&mut self, of: &Value) -> Vec<Value> {
        let wanted = json!({ "variablesReference": of["variablesReference"] });
        self.body("variables", &wanted)["variables"].as_array().unwrap().clone()
    }

    /// Sends nothing more.
    pub fn close(&mut self) {
        drop(self.to.take());
    }

    /// How the adapter ended, after nothing more was sent.
    pub fn end(mut self) -> i32 {
        self.close();
        while self.receive().is_some() {}
        self.child.as_mut().unwrap().wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        drop(self.to.take());
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A body behind its header.
pub fn framed(body: &[u8]) -> Vec<u8> {
    [format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}
