//! `obit audit`: who did what, and whether the log is as it was written.

use std::fs;
use std::path::Path;

use super::server::Server;
use crate::fixture::{obit, stderr, stdout};

fn audit(db: &Path, words: &[&str]) -> (Option<i32>, String, String) {
    let output = obit().arg("audit").args(words).arg("--db").arg(db).output().unwrap();
    (output.status.code(), stdout(&output), stderr(&output))
}

#[test]
fn what_people_do_is_in_the_log_and_what_is_changed_in_it_is_found() {
    let (server, [_, analyst, owner]) = Server::with_users();
    let (code, _, said) = audit(&server.db, &["verify"]);
    assert!(code == Some(2) && said.contains("no audit log at"), "{said}");
    let cookie = server.log_in(&analyst);
    server.post("/login", &[], "token=wrong");
    let group = server.groups(&[&cookie])[0].clone();
    let path = format!("/groups/{group}");
    let page = server.ask("GET", &path, &[&cookie], "");
    let form = format!(
        "csrf={}&revision={}&action=assign&assignee=Ada",
        page.field("csrf"),
        page.field("revision")
    );
    assert_eq!(server.post(&path, &[&cookie], &form).status, 303);
    let (code, shown, _) = audit(&server.db, &["show"]);
    assert_eq!(code, Some(0));
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 3, "{shown}");
    assert!(lines[0].contains("analyst (analyst)  login  127.0.0.1"), "{shown}");
    assert!(lines[1].contains("- (viewer)  login-refused  127.0.0.1"), "{shown}");
    assert!(lines[2].contains(&format!("state  {group}  assigned to Ada")), "{shown}");
    assert!(!shown.contains(&analyst));
    let (code, verified, _) = audit(&server.db, &["verify"]);
    assert!(code == Some(0) && verified.starts_with("3 lines, none changed; anchor 3:"));
    let anchor = verified.trim().rsplit(' ').next().unwrap().to_owned();
    let page = server.get_as(&owner, "/audit");
    assert!(page.body.contains(&anchor[..40]) && page.body.contains("assigned to Ada"), "{page:?}");

    let log = format!("{}-audit.jsonl", server.db.display());
    let whole = fs::read_to_string(&log).unwrap();
    let refused = |text: &str, words: &[&str], why: &str| {
        fs::write(&log, text).unwrap();
        let (code, _, said) = audit(&server.db, words);
        assert!(code == Some(2) && said.contains(why), "{why}: {said}");
    };
    refused(&whole.replace("Ada", "Eve"), &["verify"], "line 3");
    let first_two: String = whole.lines().take(2).map(|line| format!("{line}\n")).collect();
    let last_two: String = whole.lines().skip(1).map(|line| format!("{line}\n")).collect();
    refused(&last_two, &["verify"], "line 1");
    // That lines are gone from the end shows by the anchor alone.
    fs::write(&log, &first_two).unwrap();
    assert_eq!(audit(&server.db, &["verify"]).0, Some(0));
    refused(&first_two, &["verify", "--anchor", &anchor], "the anchor is of line 3");
    // The server knows what it wrote.
    let page = server.get_as(&owner, "/audit");
    assert!(page.body.contains("cut or written anew"), "{page:?}");
    fs::write(&log, &whole).unwrap();
    assert_eq!(audit(&server.db, &["verify", "--anchor", &anchor]).0, Some(0));
    let json = audit(&server.db, &["show", "--json", "-n", "1"]).1;
    assert_eq!(json, format!("{}\n", whole.lines().last().unwrap()));
}

#[test]
fn nothing_is_changed_while_the_log_cannot_be_written_or_was_changed() {
    let server = Server::open();
    let group = server.groups(&[])[0].clone();
    let path = format!("/api/v1/groups/{group}");
    let change = || {
        let tag = server.get(&path).header("etag").unwrap().to_owned();
        let fields = ["Content-Type: application/json", &format!("If-Match: {tag}")];
        server.ask("PATCH", &path, &fields, r#"{"assignee": "Ada"}"#)
    };
    let log = format!("{}-audit.jsonl", server.db.display());
    fs::write(&log, "nonsense\n").unwrap();
    let refused = change();
    assert!(refused.status == 503 && refused.body.contains("audit log"), "{refused:?}");
    assert!(!refused.body.contains(server.directory.path().to_str().unwrap()), "{refused:?}");
    assert_eq!(server.get(&path).json()["group"]["assignee"], serde_json::Value::Null);
    fs::remove_file(&log).unwrap();
    assert_eq!(change().status, 200);
}

#[test]
fn a_server_with_a_log_that_was_changed_only_shows() {
    let (server, [_, analyst, owner]) = Server::with_users();
    server.log_in(&analyst);
    let log = format!("{}-audit.jsonl", server.db.display());
    let text = fs::read_to_string(&log).unwrap().replace("analyst", "eve");
    fs::write(&log, &text).unwrap();
    let server = server.again();
    let cookie = server.log_in(&analyst);
    let group = server.groups(&[&cookie])[0].clone();
    let path = format!("/groups/{group}");
    let page = server.ask("GET", &path, &[&cookie], "");
    assert_eq!(page.status, 200, "{page:?}");
    let (csrf, revision) = (page.field("csrf"), page.field("revision"));
    let why = "the audit log was changed before";
    let form = format!("csrf={csrf}&revision={revision}&action=state&state=ignored");
    let refused = server.post(&path, &[&cookie], &form);
    assert!(refused.status == 503 && refused.body.contains(why), "{refused:?}");
    let refused = server.post(&format!("{path}/share"), &[&cookie], &format!("csrf={csrf}"));
    assert!(refused.status == 503 && refused.body.contains(why), "{refused:?}");
    let fields = [&format!("Authorization: Bearer {owner}"), "Content-Type: application/json"];
    let reveal = "/api/v1/dumps/made-9-58/reveal";
    let refused = server.ask("POST", reveal, &fields, r#"{"reason": "because"}"#);
    assert!(refused.status == 503 && refused.body.contains(why), "{refused:?}");
    assert_eq!(fs::read_to_string(&log).unwrap(), text);
    let (code, said) = server.end();
    assert_eq!(code, Some(0));
    assert!(said.contains("was changed: line 1") && said.contains("move this one away"), "{said}");
    assert!(said.contains("not in the audit log: login of analyst"), "{said}");
}

#[test]
fn a_server_goes_on_after_a_write_that_was_interrupted() {
    let (server, [_, analyst, _]) = Server::with_users();
    server.log_in(&analyst);
    server.log_in(&analyst);
    let log = format!("{}-audit.jsonl", server.db.display());
    let whole = fs::read_to_string(&log).unwrap();
    fs::write(&log, &whole[..whole.len() - 40]).unwrap();
    let (code, _, said) = audit(&server.db, &["verify"]);
    assert!(code == Some(2) && said.contains("incomplete last line"), "{said}");
    assert!(!said.contains("changed"), "{said}");
    let server = server.again();
    server.log_in(&analyst);
    let (_, shown, _) = audit(&server.db, &["show"]);
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines.len() == 3 && lines[1].contains("line-removed"), "{shown}");
    assert!(lines[1].contains("incomplete line of"), "{shown}");
    assert_eq!(audit(&server.db, &["verify"]).0, Some(0));
}

#[test]
fn a_server_with_a_log_that_cannot_be_read_only_shows() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("triage.db-audit.jsonl")).unwrap();
    let server = Server::start_in(directory, &[]);
    let path = format!("/api/v1/groups/{}", server.groups(&[])[0]);
    let tag = server.get(&path).header("etag").unwrap().to_owned();
    let fields = ["Content-Type: application/json", &format!("If-Match: {tag}")];
    let refused = server.ask("PATCH", &path, &fields, r#"{"assignee": "Ada"}"#);
    assert!(refused.status == 503 && refused.body.contains("could not be used"), "{refused:?}");
    assert_eq!(server.get(&path).json()["group"]["assignee"], serde_json::Value::Null);
}
