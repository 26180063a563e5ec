//! What a client may cost, and what is no request.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use super::server::{Server, read};

#[test]
fn what_is_no_request_is_refused_and_the_server_goes_on() {
    let server = Server::open();
    let host = format!("Host: {}", server.address);
    for (text, wanted) in [
        ("nonsense\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/9.9\r\n\r\n".to_owned(), 400),
        (format!("GET /\0 HTTP/1.1\r\n{host}\r\n\r\n"), 400),
        (format!("GET / HTTP/1.1\r\n{host}\r\nA\0b: c\r\n\r\n"), 400),
        (format!("GET / HTTP/1.1\r\n{host}\r\nContent-Length: x\r\n\r\n"), 400),
        (
            format!(
                "POST /login HTTP/1.1\r\n{host}\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"
            ),
            400,
        ),
        (
            format!("POST /login HTTP/1.1\r\n{host}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            400,
        ),
        (
            format!(
                "GET http://{0}/ HTTP/1.1\r\n{host}\r\nConnection: close\r\n\r\n",
                server.address
            ),
            400,
        ),
        ("GET / HTTP/1.1\r\nConnection: close\r\n\r\n".to_owned(), 421),
        (format!("GET /{} HTTP/1.1\r\n{host}\r\n\r\n", "a".repeat(70_000)), 414),
        (format!("GET / HTTP/1.1\r\n{host}\r\nA: {}\r\n\r\n", "a".repeat(70_000)), 431),
        (format!("GET / HTTP/1.1\r\n{host}\r\n{}\r\n", "A: b\r\n".repeat(100)), 431),
    ] {
        let answer = server.raw(text.as_bytes());
        let is_head = matches!(wanted, 414 | 431) && matches!(answer.status, 414 | 431);
        assert!(answer.status == wanted || is_head, "{:.60}: {answer:?}", text.escape_debug());
    }
    for path in [
        "/../etc/passwd",
        "/groups/../../x",
        "/groups/%2e%2e%2fx",
        "/%00",
        "/groups/%ff",
        "/groups/%",
    ] {
        let answer = server.get(path);
        assert!(matches!(answer.status, 400 | 404), "{path}: {answer:?}");
    }
    assert_eq!(server.get("/").status, 200);
}

#[test]
fn a_body_that_is_too_large_is_refused_before_it_comes() {
    let server = Server::open();
    let host = format!("Host: {}", server.address);
    let head = format!("POST /groups/x HTTP/1.1\r\n{host}\r\nContent-Length: 999999999\r\n\r\n");
    let begun = Instant::now();
    let answer = server.raw(head.as_bytes());
    assert_eq!((answer.status, answer.header("connection")), (413, Some("close")), "{answer:?}");
    assert!(begun.elapsed() < Duration::from_secs(5));
    let mut chunked =
        format!("POST /groups/x HTTP/1.1\r\n{host}\r\nTransfer-Encoding: chunked\r\n\r\n");
    for _ in 0..100 {
        chunked.push_str(&format!("400\r\n{}\r\n", "a".repeat(1024)));
    }
    assert_eq!(server.raw(chunked.as_bytes()).status, 413);
}

#[test]
fn a_slow_client_is_let_go_and_others_do_not_wait() {
    let server = Server::open();
    let begun = Instant::now();
    let mut head = server.connect();
    head.write_all(b"GET / HTTP/1.1\r\nHost: ").unwrap();
    let mut body = server.connect();
    let text = format!(
        "POST /login HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: 10\r\n\r\na",
        server.address
    );
    body.write_all(text.as_bytes()).unwrap();
    let mut idle = server.connect();
    idle.write_all(format!("GET /login HTTP/1.1\r\nHost: {}\r\n\r\n", server.address).as_bytes())
        .unwrap();
    assert_eq!(server.get("/").status, 200);
    assert!(begun.elapsed() < Duration::from_secs(8), "others waited");
    assert_eq!(read(&mut body).status, 408);
    let mut rest = Vec::new();
    let _ = head.read_to_end(&mut rest);
    let answer = read(&mut idle);
    assert_eq!(answer.status, 303);
    assert!(begun.elapsed() < Duration::from_secs(45), "{:?}", begun.elapsed());
}

#[test]
fn connections_of_one_client_have_a_number() {
    let server = Server::open();
    let mut held: Vec<_> = (0..64).map(|_| server.connect()).collect();
    // They are counted when they are accepted.
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(read(&mut server.connect()).status, 503);
    held.clear();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(server.get("/").status, 200);
}

#[test]
fn requests_sent_together_are_answered_in_their_order() {
    let server = Server::open();
    let one = |path: &str, more: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{more}\r\n", server.address)
    };
    let text = one("/api/v1/nothing", "")
        + &one("/api/v1/builds", "")
        + &one("/nothing", "Connection: close\r\n");
    let mut stream = server.connect();
    stream.write_all(text.as_bytes()).unwrap();
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    let statuses: Vec<&str> =
        all.match_indices("HTTP/1.1 ").map(|(at, _)| &all[at + 9..at + 12]).collect();
    assert_eq!(statuses, ["404", "200", "404"], "{all}");
}

#[test]
fn a_client_that_asks_too_often_learns_when_to_ask_again() {
    let server = Server::start(&["--rate", "2"]);
    let statuses: Vec<u16> = (0..20).map(|_| server.get("/login").status).collect();
    assert_eq!(statuses[0], 303);
    assert!(statuses.contains(&429), "{statuses:?}");
    let answer = server.get("/api/v1/builds");
    assert!(answer.status == 429 && answer.header("retry-after").is_some(), "{answer:?}");
    std::thread::sleep(Duration::from_millis(1_100));
    assert_eq!(server.get("/login").status, 303);
}

#[test]
fn many_wrong_tokens_get_429_and_keep_no_one_of_the_same_address_out() {
    let bearer = |token: &str| format!("Authorization: Bearer {token}");
    let json = "Content-Type: application/json";
    for way in ["login", "shared", "bearer"] {
        let (server, [viewer, analyst, _]) = Server::with_users();
        let guess = |n: usize| match way {
            "bearer" => server.get_as(&n.to_string(), "/api/v1/groups").status,
            path => server.post(&format!("/{path}"), &[], &format!("token={n}")).status,
        };
        let guesses: Vec<u16> = (0..15).map(guess).collect();
        let refused = if way == "shared" { 410 } else { 401 };
        let is_refused = guesses.starts_with(&[refused; 10]) && guesses.ends_with(&[429; 3]);
        assert!(is_refused, "{way}: {guesses:?}");
        // A right token is one nevertheless.
        server.log_in(&viewer);
        let shown = server.ask("GET", "/api/v1/groups", &[&bearer(&analyst), json], "");
        assert_eq!(shown.status, 200, "{way}");
    }
}

#[test]
fn refused_logins_do_not_fill_the_audit_log() {
    let (server, [_, _, owner]) = Server::with_users();
    for n in 0..40 {
        server.post("/login", &[], &format!("token={n}"));
        server.get_as(&n.to_string(), "/api/v1/groups");
    }
    let audit = server.get_as(&owner, "/api/v1/audit").json();
    let lines = audit["lines"].as_array().unwrap();
    assert!(lines.iter().all(|line| line["action"] == "login-refused"), "{audit}");
    assert!((1..=11).contains(&lines.len()), "{audit}");
}

#[test]
fn head_has_the_fields_of_get_and_no_body() {
    let server = Server::open();
    let (head, get) = (server.ask("HEAD", "/api/v1/builds", &[], ""), server.get("/api/v1/builds"));
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), get.header("content-length"));
}
