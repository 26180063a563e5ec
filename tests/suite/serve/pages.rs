//! The pages and what is done in them.

use super::server::{HOSTILE, Server};
use crate::fixture::{obit, stdout};

#[test]
fn the_list_of_groups_is_the_one_of_the_command_line() {
    let server = Server::open();
    let output = obit().args(["top", "--json", "--db"]).arg(&server.db).output().unwrap();
    let listed: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    let served = server.get("/api/v1/groups?limit=500").json();
    // What is redacted on the way out has other tokens each time.
    let alike = |list: &serde_json::Value| -> Vec<serde_json::Value> {
        let groups = list["groups"].as_array().unwrap().iter();
        groups.filter(|group| group["example"] != "made-9-58").cloned().collect()
    };
    assert_eq!(alike(&served), alike(&listed));
    let page = server.get("/");
    let ids: Vec<&str> = listed["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["id"].as_str().unwrap())
        .collect();
    let mut last = 0;
    for id in ids.iter().take(50) {
        let at = page.body.find(&format!("href=\"/groups/{id}\"")).unwrap();
        assert!(at > last, "{id} is out of order");
        last = at;
    }
    assert!(page.body.contains("Dumps by class") && page.body.contains("Dumps by build"));
}

#[test]
fn groups_are_filtered_sorted_and_found() {
    let server = Server::open();
    let all = server.groups(&[]);
    let page = server.get("/?where=class%3Dnull-read");
    assert!(page.body.contains("No group matches"), "{page:?}");
    let count = |path: &str| server.get(path).body.matches("<tr data-group").count();
    assert_eq!(count("/?where=class%3Dunmapped-read"), all.len().min(50));
    assert!(count("/?find=function_") > 0);
    // The id of a group leads to it, and so does its start.
    let found = server.get(&format!("/?find={}", &all[0][..7]));
    assert_eq!(found.header("location"), Some(format!("/groups/{}", all[0]).as_str()));
    let crash = server.get("/?find=made-9-57");
    assert_eq!(crash.header("location"), Some("/crashes/made-9-57"));
    for bad in
        ["/?where=colour%3Dred", "/?since=x", "/?page=x", "/?sort=x", "/?what=1", "/?find=%1b"]
    {
        let page = server.get(bad);
        assert!(page.status == 400 && page.body.contains("role=\"alert\""), "{bad}: {page:?}");
    }
    assert_eq!(server.get("/groups/none").status, 404);
    assert_eq!(server.get("/crashes/none").status, 404);
}

#[test]
fn a_group_is_resolved_assigned_linked_and_noted_in_its_page() {
    let server = Server::open();
    let path = format!("/groups/{}", server.groups(&[])[0]);
    let send = |form: &str| {
        let page = server.get(&path);
        let (csrf, revision) = (page.field("csrf"), page.field("revision"));
        server.post(&path, &[], &format!("csrf={csrf}&revision={revision}&{form}"))
    };
    for form in [
        "action=state&state=resolved&build=2.1",
        "action=assign&assignee=Ada+Lovelace",
        "action=link&link=https%3A%2F%2Fbugs.example%2F7",
        "action=note&note=seen+by+%3Cb%3EAda%3C%2Fb%3E",
    ] {
        let answer = send(form);
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, Some(path.as_str())),
            "{form}"
        );
    }
    let page = server.get(&path).body;
    for part in [
        "resolved in 2.1",
        "Ada Lovelace",
        "href=\"https://bugs.example/7\"",
        "seen by &lt;b&gt;Ada&lt;/b&gt;",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    // The command line sees the same.
    let shown = obit().arg("show").arg(&path[8..]).arg("--db").arg(&server.db).output().unwrap();
    assert!(stdout(&shown).contains("Ada Lovelace"), "{}", stdout(&shown));
    for (form, word) in [
        ("action=link&link=javascript%3Aalert(1)", "http or https"),
        ("action=assign&assignee=none", "without a name"),
        ("action=state&state=closed", "open, resolved or ignored"),
        ("action=note&note=", "at least one character"),
        ("action=other", "expected state"),
    ] {
        let page = send(form);
        assert!(page.status == 422 && page.body.contains(word), "{form}: {page:?}");
    }
    // An empty field removes.
    assert_eq!(send("action=assign&assignee=").status, 303);
    assert!(server.get(&path).body.contains("no one"));
}

#[test]
fn two_crashes_are_compared_by_their_facts_and_stacks() {
    let server = Server::open();
    let page = server.get("/compare?one=made-9-1&other=made-9-57");
    assert_eq!(page.status, 200, "{page:?}");
    for part in
        ["Two groups or two crashes", "href=\"/crashes/made%2D9%2D1\"", "Images that differ"]
    {
        let part = part.replace("%2D", "-");
        assert!(page.body.contains(&part), "{part}: {page:?}");
    }
    assert!(page.body.contains("class=\"differs\"") && page.body.contains("class=\"same\""));
    assert!(!page.body.contains("<script>alert") && !page.body.contains('\u{1b}'), "{page:?}");
    let same = server.get("/compare?one=made-9-1&other=made-9-1");
    assert!(!same.body.contains("class=\"differs\""), "{same:?}");
    let group = &server.groups(&[])[0];
    let mixed = server.get(&format!("/compare?one=made-9-57&other={group}"));
    // A crash stands for its group beside another group.
    assert!(mixed.status == 200 && mixed.body.contains("Status"), "{mixed:?}");
    let none = server.get("/compare?one=made-9-1&other=none");
    assert!(none.body.contains("not two groups, nor two crashes"), "{none:?}");
}

#[test]
fn of_two_people_who_change_a_group_the_second_is_refused() {
    let server = Server::open();
    let path = format!("/groups/{}", server.groups(&[])[0]);
    let page = server.get(&path);
    let (csrf, revision) = (page.field("csrf"), page.field("revision"));
    let send = |name: &str| {
        let form = format!("csrf={csrf}&revision={revision}&action=assign&assignee={name}");
        server.post(&path, &[], &form)
    };
    assert_eq!(send("Ada").status, 303);
    let second = send("Grace");
    assert_eq!(second.status, 409, "{second:?}");
    assert!(second.body.contains("someone else changed the group") && second.body.contains("Ada"));
    assert!(!server.get(&path).body.contains("Grace"));
    // With what is there now it can be changed.
    assert_ne!(second.field("revision"), revision);
}

#[test]
fn a_change_by_someone_else_is_seen_at_once() {
    let server = Server::open();
    let group = server.groups(&[])[0].clone();
    assert!(!server.get("/").body.contains("Grace Hopper"));
    let state = obit()
        .args(["state", &group, "--assign", "Grace Hopper", "--db"])
        .arg(&server.db)
        .output()
        .unwrap();
    assert!(state.status.success());
    assert!(server.get("/").body.contains("Grace Hopper"));
    assert!(server.get("/api/v1/groups").body.contains("Grace Hopper"));
}

#[test]
fn names_of_a_hostile_core_are_text_on_every_page() {
    let server = Server::open();
    let group = server.get("/api/v1/search?q=made-9-57").json();
    assert_eq!(group["dumps"][0], "made-9-57");
    let found = server.get("/api/v1/dumps/made-9-57");
    assert_eq!(found.json()["threads"][0]["frames"][0]["function"], HOSTILE);
    let group = server.get("/groups/made-9-57").header("location").unwrap().to_owned();
    let compare = format!("/compare?one={0}&other={0}", &group[8..]);
    let find = "/?find=%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    for path in ["/", "/builds", &group, &compare, find, "/crashes/made-9-57", "/feed.atom"] {
        let page = server.get(path);
        assert_eq!(page.status, 200, "{path}: {page:?}");
        assert!(!page.body.contains("<script>alert"), "{path}");
        let is_bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!page.body.contains(is_bad), "{path}");
    }
    assert!(server.get(&group).body.contains("&lt;script&gt;alert(1)"), "it is not on the page");
    // JSON has no control character either.
    assert!(!found.body.contains(|c: char| c.is_control() && c != '\n'));
}

#[test]
fn the_feed_has_new_and_regressed_groups_with_whole_addresses() {
    let server = Server::open();
    let feed = server.get("/feed.atom");
    assert_eq!(feed.header("content-type"), Some("application/atom+xml"));
    assert!(feed.body.starts_with("<?xml version=\"1.0\""), "{feed:?}");
    let wanted = server.get("/api/v1/groups?status=new%7Cregressed&limit=50").json();
    let wanted = wanted["groups"].as_array().unwrap();
    assert!(!wanted.is_empty());
    assert_eq!(feed.body.matches("<entry>").count(), wanted.len());
    for group in wanted {
        let id = group["id"].as_str().unwrap();
        let link = format!("href=\"http://{}/groups/{id}\"", server.address);
        assert!(feed.body.contains(&link), "{id}: {feed:?}");
    }
}

#[test]
fn a_server_ends_on_sigterm_and_says_nothing() {
    let server = Server::open();
    let mut idle = server.connect();
    assert_eq!(server.get("/").status, 200);
    let (code, said) = server.end();
    assert_eq!((code, said.as_str()), (Some(0), "obit: Ctrl-C ends it\n"));
    assert_eq!(super::server::read(&mut idle).status, 0);
}

#[test]
fn a_socket_of_the_file_system_is_for_its_owner_and_is_removed() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixStream;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let place = format!("unix:{}", path.display());
    let server = Server::start_in(directory, &["--listen", &place]);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let mut stream = UnixStream::connect(&path).unwrap();
    let ask = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    std::io::Write::write_all(&mut stream, ask).unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let directory = server.directory.path().to_owned();
    assert!(directory.join("s").exists());
    // The directory goes with the server.
    assert_eq!(server.end().0, Some(0));
    assert!(!path.exists());
}
