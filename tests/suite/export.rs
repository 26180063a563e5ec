//! `obit export`: documents that other services take, written, handed to a program, sent to a
//! server that is made here.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::fixture::{Case, list, obit, script, stderr, stdout};

const FORMATS: [&str; 6] = ["otlp", "sentry", "cloudevents", "github", "gitlab", "jira"];

fn export(format: &str, more: &[&str]) -> Output {
    let mut line = obit();
    line.args(["export", format]).arg(Case::named("null-field").core());
    if ["github", "gitlab", "jira"].contains(&format) {
        line.args(["--project", "shop/app"]);
    }
    line.args(more).output().unwrap()
}

#[track_caller]
fn ends_with(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}{}", stdout(output), stderr(output));
}

#[track_caller]
fn documents(format: &str) -> Vec<Value> {
    let output = export(format, &[]);
    ends_with(&output, 0);
    stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What one request was: its head and its body.
type Request = (String, String);

/// A server that gives each of `answers` in turn, and what it was asked. An empty answer is none:
/// the connection is closed.
fn server(answers: Vec<String>) -> (String, JoinHandle<Vec<Request>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = thread::spawn(move || {
        let answer = |answer: String| {
            let mut stream = listener.accept().unwrap().0;
            let request = request(&mut stream);
            // The other side may be gone by then.
            let _ = stream.write_all(answer.as_bytes());
            request
        };
        answers.into_iter().map(answer).collect()
    });
    (url, asked)
}

fn request(stream: &mut TcpStream) -> Request {
    let mut bytes = Vec::new();
    let mut some = [0; 64 << 10];
    loop {
        let length = stream.read(&mut some).unwrap();
        bytes.extend(&some[..length]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_owned();
        let wanted = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
        });
        if length == 0 || wanted.is_some_and(|wanted: usize| body.len() >= wanted) {
            return (head, body.to_owned());
        }
    }
}

fn status(status: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}")
}

fn private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn each_format_has_the_crash_in_its_own_terms() {
    let otlp = &documents("otlp")[0];
    let record = &otlp["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
    let attribute = |key: &str| {
        let found = list(record, "attributes").iter().find(|one| one["key"] == key);
        found.map(|one| one["value"]["stringValue"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(attribute("exception.type").as_deref(), Some("SIGSEGV (null-read)"));
    assert!(attribute("exception.stacktrace").unwrap().contains("#1 0x"));
    let sentry = documents("sentry");
    assert_eq!(sentry[1]["type"], "event");
    let event = &sentry[2];
    assert_eq!(event["exception"]["values"][0]["mechanism"]["handled"], false);
    assert!(!list(&event["debug_meta"], "images").is_empty());
    let event = &documents("cloudevents")[0];
    assert_eq!(event["data"]["class"], "null-read");
    for tracker in ["github", "gitlab", "jira"] {
        let issue = &documents(tracker)[0];
        assert_eq!((&issue["tracker"], &issue["method"]), (&tracker.into(), &"POST".into()));
        assert!(issue["body"].to_string().contains("next_serial"), "{issue}");
        // The same crash has the same fingerprint, by which a second run finds the first one's.
        assert_eq!(issue["fingerprint"], documents(tracker)[0]["fingerprint"]);
    }
}

#[test]
fn a_collector_gets_the_log_with_the_headers_that_were_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("header");
    private(&secret, "Authorization: Bearer 0123456789abcdef\n");
    let (url, asked) = server(vec![status("200 OK")]);
    let mut line = obit();
    line.args(["export", "otlp"]).arg(Case::named("null-field").core());
    line.args(["--send", "env", "--header", &format!("@{}", secret.display())]);
    line.env("OTEL_EXPORTER_OTLP_ENDPOINT", &url);
    line.env("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=shop%20one");
    let output = line.output().unwrap();
    ends_with(&output, 0);
    assert_eq!(stdout(&output), "", "what is sent is not written as well");
    let asked = asked.join().unwrap();
    let (head, body) = &asked[0];
    let head = head.to_lowercase();
    assert!(head.starts_with("post /v1/logs http/1.1"), "{head}");
    for wanted in
        ["content-type: application/json", "authorization: bearer 0123", "x-tenant: shop one"]
    {
        assert!(head.contains(wanted), "{head}");
    }
    assert!(serde_json::from_str::<Value>(body).unwrap()["resourceLogs"].is_array());
}

#[test]
fn a_server_that_is_busy_is_asked_again_and_one_that_refuses_is_not() {
    let busy = "HTTP/1.1 429 x\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let (url, asked) =
        server(vec![busy.to_owned(), status("503 x"), String::new(), status("204 No Content")]);
    ends_with(&export("cloudevents", &["--send", &url]), 0);
    let asked = asked.join().unwrap();
    assert_eq!(asked.len(), 4);
    assert_eq!(asked[0].1, asked[3].1);
    let (url, asked) = server(vec![status("400 Bad Request")]);
    let output = export("cloudevents", &["--send", &format!("{url}/secret-path")]);
    assert_ne!(output.status.code(), Some(0));
    assert!(stderr(&output).contains("status 400"), "{}", stderr(&output));
    assert!(!stderr(&output).contains("secret-path"), "{}", stderr(&output));
    assert_eq!(asked.join().unwrap().len(), 1);
}

#[test]
fn a_collector_that_rejects_the_record_is_a_failure_though_it_answers_with_200() {
    let body = r#"{"partialSuccess":{"rejectedLogRecords":"1"}}"#;
    let length = body.len();
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
    let (url, _asked) = server(vec![answer]);
    let output = export("otlp", &["--send", &url]);
    assert_ne!(output.status.code(), Some(0));
    assert!(stderr(&output).contains("rejected"), "{}", stderr(&output));
}

#[test]
fn an_answer_without_end_costs_no_more_than_its_start() {
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\nConnection: close\r\n\r\n{}",
        "x".repeat(1 << 20)
    );
    let (url, _asked) = server(vec![answer]);
    let begun = Instant::now();
    ends_with(&export("otlp", &["--send", &url]), 0);
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[test]
fn sentry_gets_an_envelope_at_the_address_of_its_dsn() {
    let (url, asked) = server(vec![status("200 OK")]);
    let dsn = format!("http://0123456789abcdef@{}/42", url.trim_start_matches("http://"));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("dsn");
    private(&file, &dsn);
    ends_with(&export("sentry", &["--send", &format!("@{}", file.display())]), 0);
    let (head, body) = asked.join().unwrap().remove(0);
    assert!(head.starts_with("POST /api/42/envelope/ HTTP/1.1"), "{head}");
    assert!(head.to_lowercase().contains("sentry_key=0123456789abcdef"), "{head}");
    assert_eq!(body.lines().count(), 3);
}

#[test]
fn a_program_gets_the_request_of_an_issue_and_nothing_is_sent() {
    let directory = tempfile::tempdir().unwrap();
    let (hook, out) = (directory.path().join("hook"), directory.path().join("out"));
    script(&hook, &format!("cat > {}", out.display()));
    ends_with(&export("github", &["--exec", hook.to_str().unwrap()]), 0);
    let issue: Value = serde_json::from_slice(&fs::read(&out).unwrap()).unwrap();
    assert_eq!(issue["url"], "https://api.github.com/repos/shop/app/issues");
    let refused = export("github", &["--send", "http://127.0.0.1:1"]);
    ends_with(&refused, 64);
    assert!(stderr(&refused).contains("--exec"), "{}", stderr(&refused));
    let shell = export("github", &["--exec", "cat; true"]);
    ends_with(&shell, 64);
}

#[test]
fn a_group_of_the_store_is_exported_with_its_numbers() {
    let directory = tempfile::tempdir().unwrap();
    let db = directory.path().join("t.db");
    let db = db.to_str().unwrap();
    let core = Case::named("null-field").core();
    ends_with(&obit().args(["triage", "--db", db]).arg(&core).output().unwrap(), 0);
    let top = obit().args(["top", "--db", db, "--json"]).output().unwrap();
    let top: Value = serde_json::from_slice(&top.stdout).unwrap();
    let group = top["groups"][0]["id"].as_str().unwrap();
    let line = ["export", "gitlab", group, "--db", db, "--project", "shop/app"];
    let output = obit().args(line).output().unwrap();
    ends_with(&output, 0);
    let issue: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(issue["fingerprint"], format!("obitfp{group}"));
    assert!(issue["body"]["title"].as_str().unwrap().contains("1 crash"), "{issue}");
    let unknown = obit().args(["export", "otlp", "no-such", "--db", db]).output().unwrap();
    ends_with(&unknown, 64);
}

#[test]
fn what_is_missing_or_wrong_is_said_without_repeating_secrets() {
    let core = Case::named("null-field").core();
    let refused = |more: &[&str], why: &str| {
        let output = obit().args(["export"]).args(more).arg(&core).output().unwrap();
        ends_with(&output, 64);
        let said = stderr(&output);
        assert!(said.contains(why) && !said.contains("hunter2hunter2"), "{said}");
    };
    refused(&["github"], "--project is needed");
    refused(&["otlp", "--send", "ftp://hunter2hunter2@host"], "begins with http");
    refused(&["sentry", "--send", "https://host/hunter2hunter2"], "not a DSN");
    let header = ["otlp", "--send", "http://127.0.0.1:1", "--header", "hunter2hunter2"];
    refused(&header, "expected `NAME: VALUE`");
    let header = ["otlp", "--send", "http://127.0.0.1:1", "--header", "host: hunter2hunter2"];
    refused(&header, "host is set by obit");
    let user = ["otlp", "--send", "http://a:hunter2hunter2@127.0.0.1:1"];
    refused(&user, "a user or a password in the URL is not sent: use --header @FILE");
    refused(&["otlp", "--send", "env"], "is not set");
    refused(&["otlp", "--send", "@/no/such"], "/no/such");
}

#[test]
fn headers_of_the_environment_go_to_the_collector_of_the_environment_alone() {
    let (url, asked) = server(vec![status("200 OK")]);
    let mut line = obit();
    line.args(["export", "otlp"]).arg(Case::named("null-field").core()).args(["--send", &url]);
    line.env("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=hunter2hunter2");
    ends_with(&line.output().unwrap(), 0);
    let asked = asked.join().unwrap();
    assert!(!asked[0].0.contains("hunter2hunter2"), "{}", asked[0].0);
}

#[test]
fn jira_shows_a_report_without_acting_on_its_markup() {
    let core = Case::named("null-field").core();
    let line = ["export", "jira", "--project", "OBIT"];
    let output = obit().args(line).arg(core).output().unwrap();
    ends_with(&output, 0);
    let issue: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let text = issue["body"]["fields"]["description"].as_str().unwrap();
    assert!(text.starts_with("{noformat}\n") && text.ends_with("\n{noformat}\n"), "{text}");
    assert_eq!(text.matches("{noformat").count(), 2);
}

#[test]
fn no_format_has_what_is_hidden_from_reports() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/canary-cpp");
    let secrets =
        ["AL-willow-Grebe73", "EN-tansy-Ocelot95", "LU-campion-Shrew74", "ex.lowri.gorse"];
    let mut cores = 0;
    for way in ["null", "what", "assert", "registers"] {
        let core = fixture.join(way).join("core.zst");
        let core = if core.is_file() { core } else { fixture.join(format!("{way}.core.zst")) };
        if !core.is_file() {
            continue;
        }
        cores += 1;
        for format in FORMATS {
            let line = ["export", format, core.to_str().unwrap(), "--project", "p"];
            let output = obit().args(line).output().unwrap();
            ends_with(&output, 0);
            let text = stdout(&output);
            for secret in secrets {
                assert!(!text.contains(secret), "{format} of {way} has {secret}");
            }
        }
    }
    assert!(cores > 0, "the canary's cores are elsewhere");
}
