//! A server with a store of invented crashes, and a client that sends anything.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use obit::redact::Shown;
use obit::triage::testkit::crash;
use obit::triage::{PackedRecord, Record, Rules, Store};
use serde_json::Value;
use tempfile::TempDir;

use crate::fixture::{obit, stdout};

/// What a core of an attacker may have for a name.
pub const HOSTILE: &str = "<script>alert(1)</script>\"'\u{1b}[31m\u{202e}\u{0}";
/// In a thread's name: shown by default, not strictly.
pub const NAME: &str = "rosalind";
/// In a message of a crash that was stored without redaction.
pub const SECRET: &str = "ada.lovelace@example.com";

/// A store of 60 crashes. The last three: one with hostile names, one stored without redaction,
/// one with a thread's name.
pub fn store(directory: &Path) -> PathBuf {
    let path = directory.join("triage.db");
    let mut store = Store::create(&path).unwrap();
    let rules = Rules::built_in();
    let shown = |text: &str| Shown::from_report(text.to_owned());
    let crashes: Vec<_> = (0..60)
        .map(|n| {
            let mut crash = crash(9, n, &rules);
            let record: &mut Record = &mut crash.record;
            match n {
                57 => {
                    for frame in &mut record.threads[0].frames {
                        frame.function = Some(shown(HOSTILE));
                    }
                    record.process.exe = Some(shown(HOSTILE));
                    record.host = Some(shown(HOSTILE));
                    record.core.path = shown(HOSTILE);
                    let cause = record.cause.as_mut().unwrap();
                    cause.title = shown(HOSTILE);
                    cause.message = Some(shown(HOSTILE));
                    let signature = record.signature.as_mut().unwrap();
                    signature.text = shown(HOSTILE);
                    signature.id = "hostile".to_owned();
                }
                58 => {
                    record.redactions.policy = "off".to_owned();
                    let cause = record.cause.as_mut().unwrap();
                    cause.message = Some(shown(&format!("cannot mail {SECRET}")));
                }
                59 => {
                    record.redactions.policy = "default".to_owned();
                    record.threads[0].name = Some(shown(&format!("desk {NAME}")));
                }
                _ => {}
            }
            (crash.stamp, PackedRecord::of(&crash.record).unwrap())
        })
        .collect();
    store.add(&crashes, 7).unwrap();
    store.regroup().unwrap();
    path
}

/// A running server; ended when dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    pub db: PathBuf,
    pub users: PathBuf,
    pub directory: TempDir,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// A field.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (one, value) = line.split_once(": ")?;
            one.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// The value of a hidden field.
    pub fn field(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let (_, rest) = self.body.split_once(&start).unwrap_or_else(|| panic!("{self:?}"));
        rest.split('"').next().unwrap().to_owned()
    }
}

impl Server {
    /// Without users: everyone is an analyst.
    pub fn open() -> Self {
        Self::start(&[])
    }

    /// With the users of a file; gives the tokens of a viewer, an analyst and an owner.
    pub fn with_users() -> (Self, [String; 3]) {
        let directory = tempfile::tempdir().unwrap();
        let users = directory.path().join("users");
        let tokens = ["viewer", "analyst", "owner"].map(|role| token(&users, role, role));
        let cores = directory.path().join("cores");
        fs::create_dir(&cores).unwrap();
        let cores = cores.to_str().unwrap();
        let auth = ["--auth", "token-file", users.to_str().unwrap(), "--cores", cores];
        (Self::start_in(directory, &auth), tokens)
    }

    pub fn start(arguments: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), arguments)
    }

    pub fn start_in(directory: TempDir, arguments: &[&str]) -> Self {
        store(directory.path());
        Self::start_with(directory, arguments)
    }

    /// Ends it by force, and starts another with its store and its users.
    pub fn again(mut self) -> Self {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let other = tempfile::tempdir().unwrap();
        let directory = std::mem::replace(&mut self.directory, other);
        let users = self.users.to_str().unwrap().to_owned();
        Self::start_with(directory, &["--auth", "token-file", &users])
    }

    fn start_with(directory: TempDir, arguments: &[&str]) -> Self {
        let db = directory.path().join("triage.db");
        let mut command = obit();
        command.arg("serve").arg("--db").arg(&db);
        if !arguments.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        if !arguments.contains(&"--rate") {
            command.args(["--rate", "0"]);
        }
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        if line.is_empty() {
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("{said}");
        }
        let address = line.trim().strip_prefix("http://").and_then(|url| url.strip_suffix('/'));
        let address = address.and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
        let users = directory.path().join("users");
        Self { child, address, db, users, directory }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// Sends `text` as it is, and reads until the connection is closed.
    pub fn raw(&self, text: &[u8]) -> Answer {
        let mut stream = self.connect();
        // A server that refuses may close while it is still being written to.
        let _ = stream.write_all(text);
        read(&mut stream)
    }

    /// A request with these fields; `Host` and `Connection` are added.
    pub fn ask(&self, method: &str, path: &str, fields: &[&str], body: &str) -> Answer {
        let mut text = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !fields.iter().any(|field| field.starts_with("Host:")) {
            text.push_str(&format!("Host: {}\r\n", self.address));
        }
        for field in fields {
            text.push_str(&format!("{field}\r\n"));
        }
        if !body.is_empty() || method != "GET" {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        self.raw(format!("{text}\r\n{body}").as_bytes())
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "")
    }

    /// By a token.
    pub fn get_as(&self, token: &str, path: &str) -> Answer {
        self.ask("GET", path, &[&format!("Authorization: Bearer {token}")], "")
    }

    /// A form.
    pub fn post(&self, path: &str, fields: &[&str], form: &str) -> Answer {
        let mut all = vec!["Content-Type: application/x-www-form-urlencoded"];
        all.extend(fields);
        self.ask("POST", path, &all, form)
    }

    /// Logs in by the form; gives the field with the cookie.
    pub fn log_in(&self, token: &str) -> String {
        let answer = self.post("/login", &[], &format!("token={token}"));
        assert_eq!(answer.status, 303, "{answer:?}");
        let cookie = answer.header("set-cookie").unwrap();
        for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        format!("Cookie: {}", cookie.split(';').next().unwrap())
    }

    /// The first groups of the list.
    pub fn groups(&self, fields: &[&str]) -> Vec<String> {
        let answer = self.ask("GET", "/api/v1/groups", fields, "");
        let list = answer.json();
        let groups = list["groups"].as_array().unwrap_or_else(|| panic!("{answer:?}"));
        groups.iter().map(|group| group["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Asks it to end; gives its exit code and its messages.
    pub fn end(mut self) -> (Option<i32>, String) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = self.child.wait().unwrap();
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (status.code(), said)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads one answer, until the connection is closed.
pub fn read(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// A new user's token.
pub fn token(users: &Path, name: &str, role: &str) -> String {
    let output = obit()
        .args(["serve", "--auth", "token-file"])
        .arg(users)
        .args(["--new-token", name, "--role", role])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", crate::fixture::stderr(&output));
    assert_eq!(fs::metadata(users).unwrap().permissions(), Permissions::from_mode(0o100_600));
    stdout(&output).trim().to_owned()
}
