//! Questions to cores, in the page and by the API.

use std::fs;
use std::net::Shutdown;
use std::path::Path;
use std::time::{Duration, Instant};

use super::server::Server;
use crate::fixture::Case;
use serde_json::json;

/// The core of a fixture, with its program.
fn copy(case: &str, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(Case::named(case).directory).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

const JSON: &str = "Content-Type: application/json";

#[test]
fn an_analyst_asks_the_cores_in_the_page_and_by_the_api_and_the_log_has_the_question() {
    let (server, [_, analyst, owner]) = Server::with_users();
    copy("null-field", &server.directory.path().join("cores/one"));
    let cookie = server.log_in(&analyst);
    let page = server.ask("GET", "/query", &[&cookie], "");
    assert!(page.status == 200 && page.body.contains("aria-current=\"page\""), "{page:?}");
    let csrf = page.field("csrf");
    let form = format!("csrf={csrf}&query=main+%7B+%24pc+%7D&where=frame+%3E+0");
    let page = server.post("/query", &[&cookie], &form);
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.body.contains("<th scope=\"col\">$pc</th>"), "{page:?}");
    assert!(page.body.contains("1 of 1 cores have the place"), "{page:?}");
    let as_analyst = format!("Authorization: Bearer {analyst}");
    let body = json!({"query": "main { $pc }", "limit": 1}).to_string();
    let answer = server.ask("POST", "/api/v1/query", &[&as_analyst, JSON], &body);
    let answer = answer.json();
    assert_eq!(answer["schema"], "obit.query/1");
    assert_eq!(answer["rows"].as_array().unwrap().len(), 1, "{answer}");
    let audit = server.get_as(&owner, "/api/v1/audit").json();
    let asked: Vec<&str> = audit["lines"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|line| line["action"] == "query" && line["user"] == "analyst")
        .map(|line| line["detail"].as_str().unwrap())
        .collect();
    assert_eq!(asked, ["main { $pc } frame > 0", "main { $pc } "]);
}

#[test]
fn a_question_that_makes_no_sense_is_refused_with_the_reason() {
    let (server, [_, analyst, _]) = Server::with_users();
    let as_analyst = format!("Authorization: Bearer {analyst}");
    let ask = |body: &str| server.ask("POST", "/api/v1/query", &[&as_analyst, JSON], body);
    for (body, status, says) in [
        (r#"{"query": "main {"}"#, 422, "the brace is not closed"),
        (r#"{"query": " "}"#, 422, "expected a place"),
        (r#"{"query": "main", "where": "depth >"}"#, 422, "where"),
        (r#"{"query": "main\nx"}"#, 422, "one line"),
        (r#"{"query": "main", "limit": 0}"#, 422, "1 to 500"),
        (r#"{"query": "main", "directory": "/"}"#, 400, "unknown field"),
        ("[]", 400, "object"),
    ] {
        let answer = ask(body);
        assert!(answer.status == status && answer.body.contains(says), "{body}: {answer:?}");
    }
    // It is no option of the command.
    for query in ["--help", "-n 1", "--db=/tmp/x"] {
        let answer = ask(&json!({ "query": query }).to_string());
        assert!(matches!(answer.status, 200 | 422), "{query}: {answer:?}");
        assert!(!answer.body.contains("Usage"), "{query}: {answer:?}");
    }
    let form = server.post("/query", &[&server.log_in(&analyst)], "csrf=wrong&query=main");
    assert_eq!(form.status, 403, "{form:?}");
    // Without a directory there is nothing to ask.
    let server = Server::open();
    assert_eq!(server.get("/query").status, 404);
    assert!(!server.get("/").body.contains("href=\"/query\""));
}

#[test]
fn a_question_that_no_one_waits_for_is_given_up_and_the_next_is_asked() {
    use std::io::Write;
    let (server, [_, analyst, _]) = Server::with_users();
    let cores = server.directory.path().join("cores");
    // A directory that takes a while to search.
    for at in 0..40 {
        copy("null-field", &cores.join(at.to_string()));
    }
    let body = json!({"query": "* { $pc }"}).to_string();
    let text = format!(
        "POST /api/v1/query HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {analyst}\r\n{JSON}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        server.address,
        body.len()
    );
    let as_analyst = format!("Authorization: Bearer {analyst}");
    let small = json!({"query": "nosuchfunction"}).to_string();
    let ask = || server.ask("POST", "/api/v1/query", &[&as_analyst, JSON], &small);
    let begun = Instant::now();
    // The long one may itself be refused, if the small one before it is still being answered.
    let (stream, busy) = loop {
        let mut stream = server.connect();
        stream.write_all(text.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        let answer = ask();
        if answer.status == 503 || begun.elapsed() > Duration::from_secs(30) {
            break (stream, answer);
        }
        // Not more often than the server allows.
        std::thread::sleep(Duration::from_millis(if answer.status == 429 { 1000 } else { 100 }));
    };
    assert!(busy.status == 503 && busy.header("retry-after").is_some(), "{busy:?}");
    stream.shutdown(Shutdown::Both).unwrap();
    drop(stream);
    for entry in fs::read_dir(&cores).unwrap() {
        fs::remove_dir_all(entry.unwrap().path()).unwrap();
    }
    let given_up = Instant::now();
    let mut next = ask();
    while matches!(next.status, 429 | 503) && given_up.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(100));
        next = ask();
    }
    assert_eq!(next.status, 200, "{next:?}");
}
