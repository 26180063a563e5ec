//! Who may do what, and which requests are not those of a page of the server.

use std::fs;

use super::server::{NAME, SECRET, Server, token};
use crate::fixture::{obit, stderr};

/// Every address, as method, path and body, and the least role that may ask it; `""` is no one.
fn matrix(group: &str, dump: &str) -> Vec<(&'static str, String, &'static str, &'static str)> {
    let json = r#"{"state": "open"}"#;
    vec![
        ("GET", "/".to_owned(), "", "viewer"),
        ("GET", format!("/groups/{group}"), "", "viewer"),
        ("POST", format!("/groups/{group}"), "action=state&state=open", "analyst"),
        ("POST", format!("/groups/{group}/share"), "hours=1", "analyst"),
        ("GET", format!("/crashes/{dump}"), "", "viewer"),
        ("GET", format!("/crashes/{dump}/reveal"), "", "owner"),
        ("POST", format!("/crashes/{dump}/reveal"), "reason=because", "owner"),
        ("GET", "/compare".to_owned(), "", "viewer"),
        ("GET", "/builds".to_owned(), "", "viewer"),
        ("GET", "/query".to_owned(), "", "analyst"),
        ("POST", "/query".to_owned(), "query=main", "analyst"),
        ("GET", "/audit".to_owned(), "", "owner"),
        ("GET", "/feed.atom".to_owned(), "", "viewer"),
        ("GET", "/login".to_owned(), "", ""),
        ("GET", "/shared".to_owned(), "", ""),
        ("GET", "/assets/style.css".to_owned(), "", ""),
        ("GET", "/assets/page.js".to_owned(), "", ""),
        ("GET", "/api/v1/openapi.json".to_owned(), "", ""),
        ("GET", "/api/v1/groups".to_owned(), "", "viewer"),
        ("GET", format!("/api/v1/groups/{group}"), "", "viewer"),
        ("PATCH", format!("/api/v1/groups/{group}"), json, "analyst"),
        ("GET", "/api/v1/dumps".to_owned(), "", "viewer"),
        ("GET", format!("/api/v1/dumps/{dump}"), "", "viewer"),
        ("POST", format!("/api/v1/dumps/{dump}/reveal"), r#"{"reason": "because"}"#, "owner"),
        ("GET", "/api/v1/builds".to_owned(), "", "viewer"),
        ("POST", "/api/v1/query".to_owned(), r#"{"query": "main"}"#, "analyst"),
        ("GET", "/api/v1/series".to_owned(), "", "viewer"),
        ("GET", "/api/v1/search?q=main".to_owned(), "", "viewer"),
        ("GET", "/api/v1/audit".to_owned(), "", "owner"),
    ]
}

fn media(path: &str) -> &'static str {
    if path.starts_with("/api") {
        "Content-Type: application/json"
    } else {
        "Content-Type: application/x-www-form-urlencoded"
    }
}

#[test]
fn each_role_may_ask_what_it_may_and_nothing_else() {
    let (server, tokens) = Server::with_users();
    let as_owner = format!("Authorization: Bearer {}", tokens[2]);
    let group = server.groups(&[&as_owner])[0].clone();
    let roles = ["", "viewer", "analyst", "owner"];
    for (method, path, body, least) in matrix(&group, "made-9-58") {
        let needed = roles.iter().position(|role| *role == least).unwrap();
        for (rank, role) in roles.iter().enumerate() {
            let authorization = match rank {
                0 => "X-None: 1".to_owned(),
                rank => format!("Authorization: Bearer {}", tokens[rank - 1]),
            };
            let fields = [authorization.as_str(), media(&path), "If-Match: \"0\""];
            let answer = server.ask(method, &path, &fields, body);
            let what = format!("{method} {path} as {role:?}: {answer:?}");
            let is_page = method == "GET" && !path.starts_with("/api");
            match answer.status {
                303 => assert!(rank == 0 && is_page && needed > 0 || method == "POST", "{what}"),
                401 => assert!(rank == 0 && needed > 0 && !is_page, "{what}"),
                403 => assert!(rank > 0 && rank < needed, "{what}"),
                // A change at another revision than the one that was seen.
                200 | 409 | 412 => assert!(rank >= needed, "{what}"),
                _ => panic!("{what}"),
            }
            if rank > 0 && rank < needed {
                assert_eq!(answer.status, 403, "{what}");
            }
        }
        for wrong in ["DELETE", "PUT", "OPTIONS", "TRACE", "QUERY"] {
            let answer = server.ask(wrong, &path, &[&as_owner], "");
            assert!(answer.status == 405 || answer.status == 404, "{wrong} {path}: {answer:?}");
            assert!(answer.header("allow").is_some_and(|all| all.contains(method)), "{answer:?}");
        }
    }
}

#[test]
fn a_viewer_sees_strictly_and_an_owner_reveals_with_a_reason_that_is_kept() {
    let (server, [viewer, analyst, owner]) = Server::with_users();
    for path in ["/crashes/made-9-59", "/api/v1/dumps/made-9-59"] {
        assert!(!server.get_as(&viewer, path).body.contains(NAME), "{path}");
        assert!(server.get_as(&analyst, path).body.contains(NAME), "{path}");
    }
    let path = "/api/v1/dumps/made-9-58";
    for token in [&viewer, &analyst, &owner] {
        let answer = server.get_as(token, path);
        assert!(answer.status == 200 && !answer.body.contains(SECRET), "{answer:?}");
    }
    for token in [&viewer, &analyst, &owner] {
        for path in ["/api/v1/dumps?limit=100", "/api/v1/groups?limit=500", "/"] {
            assert!(!server.get_as(token, path).body.contains(SECRET), "{path}");
        }
    }
    let reveal = |token: &str, dump: &str, reason: &str| {
        let fields = [&format!("Authorization: Bearer {token}"), "Content-Type: application/json"];
        let body = format!(r#"{{"reason": "{reason}"}}"#);
        server.ask("POST", &format!("/api/v1/dumps/{dump}/reveal"), &fields, &body)
    };
    assert_eq!(reveal(&owner, "made-9-58", "").status, 422);
    let shown = reveal(&owner, "made-9-58", "customer asked, ticket 12");
    assert!(shown.status == 200 && shown.body.contains(SECRET), "{shown:?}");
    // What was stored redacted is not there.
    let none = reveal(&owner, "made-9-59", "customer asked");
    assert!(none.status == 422 && none.body.contains("nothing to reveal"), "{none:?}");
    let audit = server.get_as(&owner, "/api/v1/audit").json();
    let lines = audit["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 1, "{audit}");
    assert_eq!(lines[0]["user"], "owner");
    assert_eq!(lines[0]["target"], "made-9-58");
    assert_eq!(lines[0]["detail"], "customer asked, ticket 12");
}

#[test]
fn a_viewer_sees_neither_who_works_on_a_group_nor_its_ticket_nor_names_of_hosts() {
    let (server, [viewer, analyst, _]) = Server::with_users();
    let group = server.groups(&[&format!("Authorization: Bearer {analyst}")])[0].clone();
    let link = format!("https://bugs.example/?for={SECRET}");
    let set = obit()
        .args(["state", &group, "--assign", "rosalind", "--link", &link, "--db"])
        .arg(&server.db)
        .output()
        .unwrap();
    assert_eq!(set.status.code(), Some(0), "{}", stderr(&set));
    let named = obit()
        .args(["group", "name", &group, &format!("mail to {SECRET}"), "--db"])
        .arg(&server.db)
        .output()
        .unwrap();
    assert_eq!(named.status.code(), Some(0), "{}", stderr(&named));
    let pages = [
        "/".to_owned(),
        format!("/groups/{group}"),
        "/feed.atom".to_owned(),
        format!("/compare?one={group}&other={group}"),
        "/api/v1/groups?limit=500".to_owned(),
        format!("/api/v1/groups/{group}"),
        format!("/api/v1/search?q={group}"),
    ];
    let mut shown = String::new();
    for path in &pages {
        let page = server.get_as(&viewer, path);
        assert_eq!(page.status, 200, "{path}: {page:?}");
        assert!(!page.body.contains(NAME) && !page.body.contains(SECRET), "{path}: {page:?}");
        shown.push_str(&server.get_as(&analyst, path).body);
    }
    assert!(shown.contains(NAME) && shown.contains(SECRET));
    let groups = |token: &str| {
        let list = server.get_as(token, "/api/v1/groups?where=assignee%3Drosalind").json();
        list["groups_total"].as_u64().unwrap()
    };
    assert_eq!((groups(&viewer), groups(&analyst)), (0, 1));
}

#[test]
fn a_session_begins_by_a_token_and_ends_with_it() {
    let (server, [_, analyst, _]) = Server::with_users();
    let refused = server.post("/login", &[], "token=wrong");
    assert!(refused.status == 401 && refused.header("set-cookie").is_none(), "{refused:?}");
    let cookie = server.log_in(&analyst);
    let page = server.ask("GET", "/", &[&cookie], "");
    assert!(page.body.contains("analyst (analyst)"), "{page:?}");
    // A secret is in no address and on no page.
    assert!(!page.body.contains(&analyst));
    let csrf = page.field("csrf");
    let out = server.post("/logout", &[&cookie], "csrf=wrong");
    assert_eq!(out.status, 403, "{out:?}");
    assert_eq!(server.post("/logout", &[&cookie], &format!("csrf={csrf}")).status, 303);
    assert_eq!(server.ask("GET", "/", &[&cookie], "").header("location"), Some("/login"));
    // A token that is taken back ends the sessions that it began.
    let cookie = server.log_in(&analyst);
    assert_eq!(server.ask("GET", "/", &[&cookie], "").status, 200);
    let users = fs::read_to_string(&server.users).unwrap();
    let without: String = users
        .lines()
        .filter(|line| !line.starts_with("analyst"))
        .map(|l| format!("{l}\n"))
        .collect();
    fs::write(&server.users, &without).unwrap();
    assert_eq!(server.ask("GET", "/", &[&cookie], "").header("location"), Some("/login"));
    assert_eq!(server.get_as(&analyst, "/api/v1/groups").status, 401);
    // With a new token it stays ended.
    let new = token(&server.users, "analyst", "analyst");
    assert_eq!(server.ask("GET", "/", &[&cookie], "").header("location"), Some("/login"));
    assert_eq!(server.get_as(&new, "/api/v1/groups").status, 200);
}

#[test]
fn a_form_without_its_secret_changes_nothing() {
    let (server, [_, analyst, owner]) = Server::with_users();
    let (cookie, other) = (server.log_in(&analyst), server.log_in(&owner));
    let group = server.groups(&[&cookie])[0].clone();
    let path = format!("/groups/{group}");
    let page = server.ask("GET", &path, &[&cookie], "");
    let foreign = server.ask("GET", &path, &[&other], "").field("csrf");
    let (csrf, revision) = (page.field("csrf"), page.field("revision"));
    assert_ne!(csrf, foreign);
    let form = |csrf: &str| format!("csrf={csrf}&revision={revision}&action=state&state=ignored");
    for bad in ["", "x", &foreign, &csrf[1..]] {
        assert_eq!(server.post(&path, &[&cookie], &form(bad)).status, 403, "{bad}");
    }
    // Another type than a form, which a page elsewhere may send without asking.
    let plain = ["Content-Type: text/plain", cookie.as_str()];
    assert_eq!(server.ask("POST", &path, &plain, &form(&csrf)).status, 415);
    let state =
        || server.get_as(&analyst, &format!("/api/v1{path}")).json()["group"]["state"].clone();
    assert_eq!(state(), "open");
    assert_eq!(server.post(&path, &[&cookie], &form(&csrf)).status, 303);
    assert_eq!(state(), "ignored");
}

#[test]
fn a_page_of_another_site_can_neither_change_nor_read_anything() {
    let server = Server::open();
    let group = server.groups(&[])[0].clone();
    let path = format!("/groups/{group}");
    let page = server.get(&path);
    let form = format!(
        "csrf={}&revision={}&action=state&state=ignored",
        page.field("csrf"),
        page.field("revision")
    );
    let here = format!("Origin: http://{}", server.address);
    for foreign in [
        "Origin: http://evil.example",
        "Origin: null",
        "Origin: https://127.0.0.1",
        "Origin: ",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
    ] {
        assert_eq!(server.post(&path, &[foreign], &form).status, 403, "{foreign}");
        let json = [foreign, "Content-Type: application/json", "If-Match: \"0\""];
        let answer = server.ask("PATCH", &format!("/api/v1{path}"), &json, "{}");
        assert_eq!(answer.status, 403, "{foreign}");
    }
    let twice = [here.as_str(), "Origin: http://evil.example"];
    assert_eq!(server.post(&path, &twice, &form).status, 403);
    // No answer lets another site read it.
    let answer = server.ask("GET", "/api/v1/groups", &["Origin: http://evil.example"], "");
    assert!(answer.header("access-control-allow-origin").is_none(), "{answer:?}");
    // A name of someone else that leads to this machine.
    for host in ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1:1", ""] {
        for path in ["/", "/login", "/api/v1/groups", "/assets/style.css"] {
            let answer = server.ask("GET", path, &[&format!("Host: {host}")], "");
            assert_eq!(answer.status, 421, "{host} {path}");
        }
    }
    assert_eq!(server.ask("GET", "/", &["Host: localhost", "Host: evil"], "").status, 421);
    let local = format!("Host: localhost:{}", server.address.port());
    assert_eq!(server.ask("GET", "/", &[&local], "").status, 200);
    assert_eq!(server.post(&path, &[&here], &form).status, 303);
}

#[test]
fn every_answer_says_what_a_browser_may_do_with_it() {
    let (server, [_, analyst, _]) = Server::with_users();
    for path in ["/", "/login", "/nothing", "/crashes/made-9-57", "/api/v1/groups", "/feed.atom"] {
        let answer = server.get_as(&analyst, path);
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
}

#[test]
fn a_proxy_is_believed_only_where_it_is_trusted() {
    let directory = tempfile::tempdir().unwrap();
    let users = directory.path().join("users");
    token(&users, "ada", "owner");
    let users = users.to_str().unwrap().to_owned();
    let auth = ["--auth", "proxy-header", "X-Remote-User", "--users", &users, "--trusted-proxy"];
    let server = Server::start_in(directory, &[&auth[..], &["127.0.0.1"]].concat());
    let role = |name: &str| {
        let page = server.ask("GET", "/", &[&format!("X-Remote-User: {name}")], "");
        let (_, rest) = page.body.split_once("who-is\">").unwrap_or(("", ""));
        (page.status, rest.split('<').next().unwrap().to_owned())
    };
    assert_eq!(role("ada"), (200, "ada (owner)".to_owned()));
    assert_eq!(role("eve"), (200, "eve (viewer)".to_owned()));
    assert_eq!(role("<b>").0, 403);
    assert_eq!(server.get("/").status, 401);
    // Twice: the client's own and the proxy's.
    let twice = ["X-Remote-User: ada", "X-Remote-User: eve"];
    assert_eq!(server.ask("GET", "/", &twice, "").status, 401);
    let auth = ["--auth", "proxy-header", "X-Remote-User", "--trusted-proxy", "10.0.0.0/8"];
    let server = Server::start(&auth);
    assert_eq!(server.ask("GET", "/", &["X-Remote-User: ada"], "").status, 403);
}

#[test]
fn a_server_for_everyone_needs_users_and_a_file_that_is_closed() {
    let directory = tempfile::tempdir().unwrap();
    let db = super::server::store(directory.path());
    let refused = |arguments: &[&str]| {
        let output = obit().arg("serve").arg("--db").arg(&db).args(arguments).output().unwrap();
        (output.status.code(), stderr(&output))
    };
    let (code, said) = refused(&["--listen", "0.0.0.0:0"]);
    assert!(code == Some(64) && said.contains("--auth"), "{said}");
    let users = directory.path().join("open");
    fs::write(&users, "").unwrap();
    let path = users.to_str().unwrap();
    let (code, said) = refused(&["--listen", "127.0.0.1:0", "--auth", "token-file", path]);
    assert!(code == Some(64) && said.contains("chmod 600"), "{said}");
    for (arguments, word) in [
        (&["--auth", "oidc"][..], "--auth takes"),
        (&["--auth", "proxy-header", "X-User"], "--trusted-proxy"),
        (&["--new-token", "ada", "--role", "owner"], "token-file"),
        (&["--users", "x"], "proxy-header"),
        (&["--listen", "everywhere"], "127.0.0.1:7878"),
        (&["--url", "crashes.example"], "https://"),
    ] {
        let (code, said) = refused(arguments);
        assert!(code == Some(64) && said.contains(word), "{arguments:?}: {said}");
    }
}

#[test]
fn a_shared_link_shows_one_group_strictly_and_nothing_else() {
    let (server, [_, analyst, _]) = Server::with_users();
    let cookie = server.log_in(&analyst);
    let groups = server.groups(&[&cookie]);
    let path = format!("/groups/{}", groups[0]);
    let csrf = server.ask("GET", &path, &[&cookie], "").field("csrf");
    let made = server.post(&format!("{path}/share"), &[&cookie], &format!("csrf={csrf}&hours=1"));
    let (_, token) = made.body.split_once("/shared#").unwrap();
    let token: String = token.chars().take_while(|c| *c != '<').collect();
    assert_eq!(server.post("/shared", &[], "token=wrong").status, 410);
    let opened = server.post("/shared", &[], &format!("token={token}"));
    assert_eq!(opened.header("location"), Some(path.as_str()), "{opened:?}");
    let link = opened.header("set-cookie").unwrap().split(';').next().unwrap();
    let link = format!("Cookie: {link}");
    let page = server.ask("GET", &path, &[&link], "");
    assert!(page.status == 200 && !page.body.contains("<form method=\"post\""), "{page:?}");
    for other in ["/", "/builds", "/api/v1/groups", &format!("/groups/{}", groups[1]), "/audit"] {
        assert_eq!(server.ask("GET", other, &[&link], "").status, 403, "{other}");
    }
    assert_eq!(server.post(&path, &[&link], &format!("csrf={csrf}")).status, 403);
}

/// Makes a shared link to the first group; gives its secret.
fn share(server: &Server, fields: &[&str], path: &str, csrf: &str) -> String {
    let made = server.post(&format!("{path}/share"), fields, &format!("csrf={csrf}&hours=1"));
    let (_, token) = made.body.split_once("/shared#").unwrap_or_else(|| panic!("{made:?}"));
    token.chars().take_while(|c| *c != '<').collect()
}

#[test]
fn a_shared_link_ends_when_the_one_who_made_it_may_no_more_and_its_openings_are_logged() {
    let (server, [_, analyst, owner]) = Server::with_users();
    let cookie = server.log_in(&analyst);
    let path = format!("/groups/{}", server.groups(&[&cookie])[0]);
    let csrf = server.ask("GET", &path, &[&cookie], "").field("csrf");
    let by_session = share(&server, &[&cookie], &path, &csrf);
    let by_token = share(&server, &[&format!("Authorization: Bearer {analyst}")], &path, "");
    let of_owner = share(&server, &[&format!("Authorization: Bearer {owner}")], &path, "");
    let open = |token: &str| server.post("/shared", &[], &format!("token={token}"));
    let opened = open(&by_session);
    let link = opened.header("set-cookie").unwrap().split(';').next().unwrap();
    let link = format!("Cookie: {link}");
    assert_eq!(server.ask("GET", &path, &[&link], "").status, 200);
    assert_eq!(open(&by_token).status, 303);
    let audit = server.get_as(&owner, "/api/v1/audit").json();
    let detail = |action: &str| -> Vec<String> {
        let lines = audit["lines"].as_array().unwrap().iter();
        let lines = lines.filter(|line| line["action"] == action);
        lines.map(|line| line["detail"].as_str().unwrap().to_owned()).collect()
    };
    let (made, opened) = (detail("share"), detail("open-link"));
    assert_eq!((made.len(), opened.len()), (3, 2), "{audit}");
    let mark = made[0].strip_prefix("for 1 h, link ").unwrap();
    assert_eq!((mark.len(), opened[0].clone()), (8, format!("link {mark}, by 127.0.0.1")));
    assert!(!audit.to_string().contains(&by_session), "{audit}");
    let users = fs::read_to_string(&server.users).unwrap();
    let with = |role: &str| users.replace("analyst analyst", &format!("analyst {role}"));
    fs::write(&server.users, with("viewer")).unwrap();
    assert_eq!((open(&by_session).status, open(&by_token).status), (410, 410));
    assert_eq!(server.ask("GET", &path, &[&link], "").header("location"), Some("/login"));
    assert_eq!(open(&of_owner).status, 303);
    fs::write(&server.users, with("owner")).unwrap();
    assert_eq!(open(&by_session).status, 303);
    let without = users.lines().filter(|line| !line.starts_with("analyst"));
    fs::write(&server.users, without.map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    token(&server.users, "analyst", "analyst");
    assert_eq!((open(&by_session).status, open(&by_token).status), (410, 410));
}

#[test]
fn an_owner_whom_every_process_of_the_machine_can_be_is_said() {
    let warning = "every process of this machine can";
    for (role, trusted, is_said) in [
        ("owner", "127.0.0.1", true),
        ("owner", "0.0.0.0/0", true),
        ("analyst", "127.0.0.1", false),
        ("owner", "10.0.0.0/8", false),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let users = directory.path().join("users");
        token(&users, "ada", role);
        let users = users.to_str().unwrap().to_owned();
        let auth = ["--auth", "proxy-header", "X-User", "--users", &users, "--trusted-proxy"];
        let server = Server::start_in(directory, &[&auth[..], &[trusted]].concat());
        let (_, said) = server.end();
        assert_eq!(said.contains(warning), is_said, "{role} {trusted}: {said}");
    }
}

#[test]
fn cookies_behind_tls_are_of_this_host_alone() {
    let directory = tempfile::tempdir().unwrap();
    let users = directory.path().join("users");
    let analyst = token(&users, "analyst", "analyst");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (place, users) = (free.to_string(), users.to_str().unwrap().to_owned());
    let url = ["--url", "https://crashes.example", "--listen", &place];
    let auth = ["--auth", "token-file", &users];
    let mut server = Server::start_in(directory, &[&url[..], &auth].concat());
    server.address = free;
    let host = "Host: crashes.example";
    let answer = server.post("/login", &[host], &format!("token={analyst}"));
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-obit_session=") && cookie.contains("; Secure"), "{cookie}");
    let value = cookie.split([';', '=']).nth(1).unwrap();
    let ask =
        |name: &str| server.ask("GET", "/", &[host, &format!("Cookie: {name}={value}")], "").status;
    assert_eq!((ask("__Host-obit_session"), ask("obit_session")), (200, 303));
}
