//! The API: the JSON of the command line, problems, and changes that do not overwrite others'.

use jsonschema::Validator;
use serde_json::Value;

use super::server::{Answer, Server};
use crate::fixture::{obit, stdout};

const JSON: &str = "Content-Type: application/json";

/// What the published description says of an answer.
fn schema(path: &str, method: &str, status: &str) -> Validator {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
    let document: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let content = &document["paths"][path][method]["responses"][status]["content"];
    let of = content.as_object().unwrap().values().next().unwrap();
    let mut schema = of["schema"].clone();
    schema["components"] = document["components"].clone();
    jsonschema::validator_for(&schema).unwrap()
}

#[track_caller]
fn is_as_described(answer: &Answer, path: &str, method: &str) {
    let schema = schema(path, method, &answer.status.to_string());
    let json = answer.json();
    let errors: Vec<String> = schema.iter_errors(&json).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{path}: {errors:?}");
}

#[test]
fn answers_are_as_the_description_says() {
    let server = Server::open();
    let group = server.groups(&[])[0].clone();
    for (path, of) in [
        ("/api/v1/groups".to_owned(), "/api/v1/groups"),
        ("/api/v1/groups?limit=2&offset=1&per=week&sort=last".to_owned(), "/api/v1/groups"),
        (format!("/api/v1/groups/{group}"), "/api/v1/groups/{id}"),
        ("/api/v1/dumps?limit=100".to_owned(), "/api/v1/dumps"),
        ("/api/v1/dumps/made-9-3".to_owned(), "/api/v1/dumps/{id}"),
        ("/api/v1/builds".to_owned(), "/api/v1/builds"),
        ("/api/v1/series?since=9000d".to_owned(), "/api/v1/series"),
        ("/api/v1/search?q=function".to_owned(), "/api/v1/search"),
        ("/api/v1/openapi.json".to_owned(), "/api/v1/openapi.json"),
    ] {
        let answer = server.get(&path);
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
        is_as_described(&answer, of, "get");
    }
    for (path, of, status) in [
        ("/api/v1/groups?limit=x", "/api/v1/groups", 400),
        ("/api/v1/groups?limit=501", "/api/v1/groups", 400),
        ("/api/v1/groups?find=a&find=b", "/api/v1/groups", 400),
        ("/api/v1/groups/none", "/api/v1/groups/{id}", 404),
        ("/api/v1/dumps/none", "/api/v1/dumps/{id}", 404),
        ("/api/v1/search", "/api/v1/search", 400),
        ("/api/v1/audit", "/api/v1/audit", 403),
    ] {
        let answer = server.get(path);
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        is_as_described(&answer, of, "get");
    }
    assert_eq!(server.get("/api/v1/nothing").json()["status"], 404);
    assert_eq!(server.get("/api").json()["status"], 404);
}

#[test]
fn the_same_question_has_the_same_answer_on_the_command_line() {
    let server = Server::open();
    let group = server.groups(&[])[0].clone();
    let cli = |words: &[&str]| -> Value {
        let output = obit().args(words).arg("--db").arg(&server.db).output().unwrap();
        serde_json::from_str(&stdout(&output)).unwrap()
    };
    let served = server.get("/api/v1/builds").json();
    assert_eq!(served, cli(&["builds", "--json"]));
    let served = server.get(&format!("/api/v1/groups/{group}")).json();
    assert_eq!(served, cli(&["show", &group, "--json"]));
    let served = server.get("/api/v1/dumps/made-9-44").json();
    assert_eq!(served, cli(&["show", "made-9-44", "--json"]));
    let failed = server.get("/api/v1/dumps?failed=yes").json();
    assert_eq!(failed["dumps"], serde_json::json!([]));
}

#[test]
fn a_change_needs_the_state_that_was_seen() {
    let server = Server::open();
    let group = server.groups(&[])[0].clone();
    let path = format!("/api/v1/groups/{group}");
    let tag = || server.get(&path).header("etag").unwrap().to_owned();
    let change = |tag: &str, body: &str| {
        server.ask("PATCH", &path, &[JSON, &format!("If-Match: {tag}")], body)
    };
    let none = server.ask("PATCH", &path, &[JSON], r#"{"state": "ignored"}"#);
    assert_eq!(none.status, 428, "{none:?}");
    is_as_described(&none, "/api/v1/groups/{id}", "patch");
    let seen = tag();
    for bad in ["*", "W/\"1\"", "\"a\", \"b\"", "1", "\""] {
        assert_eq!(change(bad, r#"{"state": "ignored"}"#).status, 400, "{bad}");
    }
    let done = change(&seen, r#"{"state": "ignored", "assignee": "Ada", "note": "x"}"#);
    assert_eq!(done.status, 200, "{done:?}");
    is_as_described(&done, "/api/v1/groups/{id}", "patch");
    assert_eq!(done.header("etag"), Some(tag().as_str()));
    let late = change(&seen, r#"{"state": "open"}"#);
    assert_eq!(late.status, 412, "{late:?}");
    let now = server.get(&path).json();
    assert_eq!(
        (&now["group"]["state"], &now["group"]["assignee"]),
        (&"ignored".into(), &"Ada".into())
    );
    for (body, status) in [
        ("", 400),
        ("{", 400),
        ("[1]", 400),
        ("{}", 422),
        (r#"{"state": "closed"}"#, 422),
        (r#"{"colour": 1}"#, 400),
        (r#"{"link": "javascript:1"}"#, 422),
    ] {
        assert_eq!(change(&tag(), body).status, status, "{body}");
    }
    let form = ["Content-Type: application/x-www-form-urlencoded", "If-Match: \"0\""];
    assert_eq!(server.ask("PATCH", &path, &form, "state=open").status, 415);
    assert_eq!(change(&tag(), r#"{"assignee": null}"#).status, 200);
    assert_eq!(server.get(&path).json()["group"]["assignee"], Value::Null);
}

#[test]
fn of_many_who_change_a_group_at_once_one_is_first() {
    let server = Server::open();
    let group = server.groups(&[])[0].clone();
    let path = format!("/api/v1/groups/{group}");
    let tag = format!("If-Match: {}", server.get(&path).header("etag").unwrap());
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let (server, path, tag) = (&server, &path, &tag);
                let body = format!(r#"{{"assignee": "user {n}"}}"#);
                scope.spawn(move || server.ask("PATCH", path, &[JSON, tag], &body).status)
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 200 | 412)), "{statuses:?}");
}

#[test]
fn a_store_that_goes_away_is_said_without_its_place() {
    let server = Server::open();
    std::fs::remove_file(&server.db).unwrap();
    let answer = server.get("/api/v1/groups");
    assert_eq!(answer.status, 503, "{answer:?}");
    let place = server.directory.path().to_str().unwrap();
    assert!(!answer.body.contains(place), "{answer:?}");
    let page = server.get("/");
    assert!(page.status == 503 && !page.body.contains(place), "{page:?}");
    let (code, said) = server.end();
    assert_eq!(code, Some(0));
    assert!(said.contains("no store at"), "{said}");
}
