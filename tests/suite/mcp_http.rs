//! `obit mcp --listen` as clients see it, and those that have no business there.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixture::{Case, obit};

struct Server {
    child: Child,
    address: SocketAddr,
    token: String,
    directory: TempDir,
}

/// Status, head, body.
struct Answer {
    status: u16,
    head: String,
    body: Value,
}

impl Answer {
    fn session(&self) -> String {
        let field = self.head.lines().find_map(|line| line.strip_prefix("mcp-session-id: "));
        field.expect("no session").to_owned()
    }
}

impl Server {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let token = directory.path().join("token");
        let mut child = command(&token, "127.0.0.1:0").stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        let url = line.split(' ').find_map(|word| word.strip_prefix("http://")).expect(&line);
        let address = url.strip_suffix("/mcp").unwrap().parse().unwrap();
        let token = std::fs::read_to_string(token).unwrap().trim().to_owned();
        Self { child, address, token, directory }
    }

    fn raw(&self, request: &str, body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        // A server that has refused already closes its end.
        let _ = stream.write_all(body);
        let mut text = Vec::new();
        let _ = stream.read_to_end(&mut text);
        let text = String::from_utf8_lossy(&text).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        let body = serde_json::from_str(body).unwrap_or(Value::Null);
        Answer { status, head: head.to_owned(), body }
    }

    fn send(&self, method: &str, path: &str, fields: &[&str], body: &[u8]) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        for field in fields {
            request += &format!("{field}\r\n");
        }
        request += &format!("content-length: {}\r\n\r\n", body.len());
        self.raw(&request, body)
    }

    fn usual(&self) -> Vec<String> {
        vec![
            format!("host: {}", self.address),
            format!("authorization: Bearer {}", self.token),
            "content-type: application/json".to_owned(),
            "accept: application/json, text/event-stream".to_owned(),
        ]
    }

    fn post(&self, more: &[&str], body: &Value) -> Answer {
        let usual = self.usual();
        let fields: Vec<_> = usual.iter().map(String::as_str).chain(more.iter().copied()).collect();
        self.send("POST", "/mcp", &fields, body.to_string().as_bytes())
    }

    /// A client that has introduced itself.
    fn client(&self) -> Client<'_> {
        let answer = self.post(&[], &initialize());
        assert_eq!(answer.status, 200, "{}", answer.head);
        assert_eq!(answer.body["result"]["protocolVersion"], "2025-11-25");
        let client =
            Client { server: self, session: format!("mcp-session-id: {}", answer.session()) };
        let said = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert_eq!(client.post(&said).status, 202);
        client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Client<'s> {
    server: &'s Server,
    session: String,
}

impl Client<'_> {
    fn post(&self, body: &Value) -> Answer {
        self.server.post(&[&self.session, "mcp-protocol-version: 2025-11-25"], body)
    }

    fn call(&self, tool: &str, arguments: Value) -> Value {
        let params = json!({ "name": tool, "arguments": arguments });
        let call = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params });
        let answer = self.post(&call);
        assert_eq!(answer.status, 200, "{}", answer.head);
        answer.body["result"].clone()
    }
}

fn command(token: &Path, address: &str) -> std::process::Command {
    let root = Case::named("null-field").directory;
    let mut command = obit();
    command.args(["mcp", "--listen", address, "--token-file"]).arg(token);
    command.arg("--root").arg(root).stdin(Stdio::null());
    command
}

fn initialize() -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": { "name": "test", "version": "1" },
    } })
}

#[test]
fn a_client_opens_a_core_and_asks_why_and_leaves() {
    use std::os::unix::fs::PermissionsExt;
    let server = Server::start();
    let token = std::fs::metadata(server.directory.path().join("token")).unwrap();
    assert_eq!(token.permissions().mode() & 0o777, 0o600);
    let client = server.client();
    let opened = client.call("open", json!({ "path": "core.zst" }));
    assert_eq!(opened["structuredContent"]["core"], "c1", "{opened}");
    let why = client.call("why", json!({}));
    assert_eq!(why["structuredContent"]["class"], "null-read", "{why}");
    let usual = server.usual();
    let fields: Vec<_> = usual.iter().map(String::as_str).chain([&*client.session]).collect();
    assert_eq!(server.send("DELETE", "/mcp", &fields, b"").status, 204);
    let ping = json!({ "jsonrpc": "2.0", "id": 2, "method": "ping" });
    assert_eq!(client.post(&ping).status, 404);
    assert_eq!(server.send("DELETE", "/mcp", &fields, b"").status, 404);
}

#[test]
fn two_clients_see_neither_cores_nor_requests_of_each_other() {
    let server = Server::start();
    let (one, other) = (server.client(), server.client());
    assert_ne!(one.session, other.session);
    one.call("open", json!({ "path": "core.zst" }));
    let why = other.call("why", json!({}));
    assert_eq!(why["isError"], true, "{why}");
    let why = other.call("why", json!({ "core": "c1" }));
    assert_eq!(why["isError"], true, "{why}");
    // The same id of another client is another request.
    let cancel = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled",
        "params": { "requestId": 7 } });
    std::thread::scope(|scope| {
        let asked =
            scope.spawn(|| one.call("find", json!({ "value": "0x7c3a91e51234f678", "size": 8 })));
        for _ in 0..20 {
            assert_eq!(other.post(&cancel).status, 202);
        }
        assert_eq!(asked.join().unwrap()["isError"], false);
    });
}

#[test]
fn who_is_not_asked_for_is_refused_before_a_message_is_read() {
    let server = Server::start();
    let body = initialize().to_string();
    let usual = server.usual();
    let without = |name: &str| -> Vec<&str> {
        let kept = usual.iter().map(String::as_str);
        kept.filter(|field| !field.starts_with(name)).collect()
    };
    let send = |fields: &[&str]| server.send("POST", "/mcp", fields, body.as_bytes()).status;
    assert_eq!(send(&without("authorization")), 401);
    let wrong = [without("authorization"), vec!["authorization: Bearer wrong"]].concat();
    assert_eq!(send(&wrong), 401);
    assert_eq!(send(&[without("none"), vec!["origin: http://evil.example"]].concat()), 403);
    assert_eq!(send(&[without("none"), vec!["origin: http://localhost:5173"]].concat()), 200);
    assert_eq!(send(&[without("host"), vec!["host: evil.example"]].concat()), 421);
    assert_eq!(send(&[without("content-type"), vec!["content-type: text/plain"]].concat()), 415);
    assert_eq!(send(&[without("accept"), vec!["accept: text/html"]].concat()), 406);
    assert_eq!(server.send("POST", "/", &without("none"), body.as_bytes()).status, 404);
    assert_eq!(server.send("GET", "/mcp", &without("none"), b"").status, 405);
    assert_eq!(server.send("PUT", "/mcp", &without("none"), b"").status, 405);
}

#[test]
fn messages_that_break_the_protocol_are_errors_and_the_server_goes_on() {
    let server = Server::start();
    let usual = server.usual();
    let fields: Vec<_> = usual.iter().map(String::as_str).collect();
    let code = |body: &[u8]| {
        let answer = server.send("POST", "/mcp", &fields, body);
        (answer.status, answer.body["error"]["code"].as_i64().unwrap_or(0))
    };
    assert_eq!(code(b"{"), (400, -32_700));
    assert_eq!(code(b""), (400, -32_700));
    assert_eq!(code(b"[]"), (400, -32_600));
    assert_eq!(code("[".repeat(100_000).as_bytes()), (400, -32_700));
    assert_eq!(code(br#"{"jsonrpc":"2.0","id":1}"#), (400, -32_600));
    // Before there is a session, and of one that there is not.
    assert_eq!(code(br#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#), (400, -32_600));
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    assert_eq!(server.post(&["mcp-session-id: none"], &list).status, 404);
    assert_eq!(server.post(&["mcp-protocol-version: 1999-01-01"], &list).status, 400);
    let large = vec![b' '; (4 << 20) + 1];
    assert_eq!(server.send("POST", "/mcp", &fields, &large).status, 413);
    let client = server.client();
    let unknown = json!({ "jsonrpc": "2.0", "id": 1, "method": "no/such" });
    assert_eq!(client.post(&unknown).body["error"]["code"], -32_601);
    let tools = client.post(&list).body["result"]["tools"].clone();
    assert!(tools.as_array().unwrap().iter().any(|tool| tool["name"] == "why"));
    let again = server.post(&[&client.session], &initialize());
    assert_eq!(again.status, 200, "a new session");
    assert_ne!(again.session(), client.session);
}

#[test]
fn sessions_are_limited_and_one_that_ends_makes_room() {
    let server = Server::start();
    let clients: Vec<_> = (0..8).map(|_| server.client()).collect();
    assert_eq!(server.post(&[], &initialize()).status, 503);
    let usual = server.usual();
    let fields: Vec<_> = usual.iter().map(String::as_str).chain([&*clients[0].session]).collect();
    assert_eq!(server.send("DELETE", "/mcp", &fields, b"").status, 204);
    server.client();
}

#[test]
fn an_address_of_others_a_token_that_others_read_and_half_of_the_options_are_refused() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let token = directory.path().join("token");
    let refused = |token: &Path, address: &str| {
        let output = command(token, address).output().unwrap();
        assert_eq!(output.status.code(), Some(64), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused(&token, "0.0.0.0:0").contains("this machine alone"));
    std::fs::write(&token, "0123456789abcdef0123456789abcdef\n").unwrap();
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(refused(&token, "127.0.0.1:0").contains("others may read it"));
    std::fs::write(&token, "short").unwrap();
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(refused(&token, "127.0.0.1:0").contains("a token is"));
    let output = obit().args(["mcp", "--listen", "127.0.0.1:0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(64), "{output:?}");
}
