//! With the feature: what people do with such a store.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use obit_triage::testkit::postgres::{PASSWORD, Server};
use tempfile::TempDir;

use crate::fixture::{obit, stderr, stdout};
use crate::triage::numbered;

/// A machine: its cores, and its directory of caches.
struct Machine {
    root: TempDir,
}

impl Machine {
    fn new(cores: std::ops::Range<u32>) -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("cores")).unwrap();
        for number in cores {
            let path = root.path().join(format!("cores/core.{number}"));
            std::fs::write(path, numbered(number)).unwrap();
        }
        Self { root }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = obit();
        command.args(arguments).env("XDG_CACHE_HOME", self.root.path().join("caches"));
        command.env_remove("PGPASSWORD").env("HOME", self.root.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn triage(&self, db: &str) -> Command {
        let mut command = self.command(&["triage", "--db", db]);
        command.arg(self.root.path().join("cores"));
        command
    }

    #[track_caller]
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
        stdout(&output)
    }

    fn path(&self, name: &str) -> String {
        self.root.path().join(name).to_str().unwrap().to_owned()
    }
}

/// One line, the exit code, and no password.
#[track_caller]
fn is_one_error(output: &Output, code: i32, words: &str) {
    let error = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{error}");
    assert!(error.contains(words), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(!error.contains(PASSWORD) && !error.contains("wrong-secret"), "{error}");
}

#[test]
fn a_store_goes_to_the_server_and_back_and_answers_the_same() {
    let Some(server) = Server::start() else { return };
    server.database("crashes");
    let db = server.tcp("crashes", "owner");
    let machine = Machine::new(1..5);
    let (file, back) = (machine.path("file.db"), machine.path("back.db"));
    assert!(machine.triage(&file).status().unwrap().success());
    let group = |db: &str| {
        let top = machine.says(&["top", "--json", "--db", db]);
        let top: serde_json::Value = serde_json::from_str(&top).unwrap();
        top["groups"][0]["id"].as_str().unwrap().to_owned()
    };
    let id = group(&file);
    machine.says(&["state", &id, "ignored", "--note", "known", "--db", &file]);
    let copied = machine.says(&["db", "copy", &file, &db]);
    assert!(copied.starts_with("4 dumps copied") && !copied.contains(PASSWORD), "{copied}");
    machine.says(&["db", "copy", &db, &back]);
    let (near, far) = (Machine::new(0..0), Machine::new(0..0));
    for arguments in [
        &["top", "--json"][..],
        &["show", &id, "--json"],
        &["builds", "--json"],
        &["list", "--format", "ndjson"],
        &["db", "export", "-"],
    ] {
        let of = |machine: &Machine, db: &str| machine.says(&[arguments, &["--db", db]].concat());
        let expected = of(&machine, &file);
        assert_eq!(of(&machine, &back), expected, "{arguments:?}");
        for machine in [&machine, &near, &far] {
            assert_eq!(of(machine, &db), expected, "{arguments:?}");
        }
    }
    // What one says of a group the others see.
    near.says(&["state", &id, "open", "--note", "again", "--db", &db]);
    let shown = far.says(&["show", &id, "--db", &db]);
    assert!(shown.contains("again"), "{shown}");
    let full = machine.run(&["db", "copy", &file, &db]);
    is_one_error(&full, 64, "is not empty");
}

#[test]
fn a_writer_that_is_killed_leaves_nothing_half_written() {
    let Some(server) = Server::start() else { return };
    server.database("crashes");
    let db = server.socket("crashes");
    let machine = Machine::new(0..24);
    for milliseconds in (60..).step_by(90).take(12) {
        let mut command = machine.triage(&db);
        let mut writer = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(milliseconds));
        let _ = writer.kill();
        let _ = writer.wait();
        // Whatever is there belongs to a dump, and each dump is complete.
        let other = Machine::new(0..0);
        if other.run(&["top", "--db", &db]).status.code() == Some(0) {
            other.says(&["db", "check", "--db", &db]);
        }
    }
    assert!(machine.triage(&db).status().unwrap().success());
    let checked = machine.says(&["db", "check", "--db", &db]);
    assert!(checked.contains("dumps: 24, "), "{checked}");
}

#[test]
fn what_is_wrong_with_an_address_is_one_error_without_the_password() {
    let Some(mut server) = Server::start() else { return };
    server.database("empty");
    let machine = Machine::new(0..0);
    let top = |db: &str| machine.run(&["top", "--db", db]);
    let of = |user: &str, database: &str| server.tcp(database, user);
    is_one_error(&top(&of("owner", "nowhere")), 2, "\"nowhere\" does not exist");
    is_one_error(&top(&of("owner", "empty")), 2, "no store at postgres://owner@localhost:");
    let wrong = of("owner", "empty").replace(PASSWORD, "wrong-secret");
    is_one_error(&top(&wrong), 2, "refuses the user or the password");
    let none = of("owner", "empty").replace(&format!(":{PASSWORD}"), "");
    is_one_error(&top(&none), 2, "set PGPASSWORD");
    let tls = of("owner", "empty") + "?sslmode=require";
    is_one_error(&top(&tls), 2, "no TLS with the server");
    is_one_error(&top(&(of("owner", "empty") + "?sslmode=prefer")), 64, "sslmode");
    is_one_error(&top(&format!("postgres://owner:{PASSWORD}@localhost")), 64, "no database");
    let address = of("owner", "empty");
    server.stop();
    is_one_error(&top(&address), 2, "the server cannot be reached");
}

#[test]
fn passwords_come_from_the_environment_or_a_file_and_are_in_no_output() {
    let Some(server) = Server::start() else { return };
    server.database("crashes");
    let machine = Machine::new(1..3);
    let db = server.tcp("crashes", "owner");
    let output = machine.triage(&db).arg("-v").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!(stdout(&output) + &stderr(&output)).contains(PASSWORD));
    for arguments in [&["db", "check"][..], &["db", "check", "--repair"], &["db", "gc"], &["top"]] {
        let said = machine.says(&[arguments, &["--db", &db]].concat());
        assert!(!said.contains(PASSWORD), "{said}");
    }
    let bare = db.replace(&format!(":{PASSWORD}"), "");
    let by_environment =
        machine.command(&["top", "--db", &bare]).env("PGPASSWORD", PASSWORD).output();
    assert_eq!(by_environment.unwrap().status.code(), Some(0));
    let pgpass = machine.root.path().join(".pgpass");
    std::fs::write(&pgpass, format!("localhost:*:crashes:owner:{PASSWORD}\n")).unwrap();
    set_mode(&pgpass, 0o644);
    is_one_error(&machine.run(&["top", "--db", &bare]), 2, "set PGPASSWORD");
    set_mode(&pgpass, 0o600);
    machine.says(&["top", "--db", &bare]);
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// The SQL of docs/central-store.md, with a password of the tests.
fn roles() -> String {
    let page = include_str!("../../../docs/central-store.md");
    let (_, from) = page.split_once("```sql\n").expect("the SQL of the roles");
    let (sql, _) = from.split_once("```").expect("its end");
    sql.replace("'…'", &format!("'{PASSWORD}'"))
}

#[test]
fn each_role_may_do_what_the_documentation_says_and_no_more() {
    let Some(server) = Server::start() else { return };
    server.database("crashes");
    let (owner, machine) = (server.tcp("crashes", "owner"), Machine::new(1..3));
    // The owner makes the tables, then the rights are given.
    assert!(machine.triage(&owner).status().unwrap().success());
    server.sql("crashes", &roles());
    let reader = server.tcp("crashes", "obit_reader");
    let writer = server.tcp("crashes", "obit_writer");
    let top = machine.says(&["top", "--json", "--db", &reader]);
    let top: serde_json::Value = serde_json::from_str(&top).unwrap();
    let group = top["groups"][0]["id"].as_str().unwrap();
    is_one_error(
        &machine.run(&["state", group, "ignored", "--db", &reader]),
        74,
        "the user may not do that",
    );
    machine.says(&["state", group, "ignored", "--db", &writer]);
    assert!(Machine::new(3..5).triage(&writer).status().unwrap().success());
    machine.says(&["db", "check", "--db", &reader]);
    for sql in ["DROP TABLE obit.dump", "TRUNCATE obit.revision", "DELETE FROM obit.revision"] {
        let refused = Command::new("psql").args(["-X", &writer, "-c", sql]).output().unwrap();
        assert!(!refused.status.success(), "{sql}");
    }
}

#[test]
fn over_tls_the_server_s_certificate_is_checked() {
    let Some(server) = Server::with_tls() else { return };
    server.database("crashes");
    let machine = Machine::new(1..3);
    let db = server.tcp("crashes", "owner") + "?sslmode=verify-full";
    is_one_error(&machine.triage(&db).output().unwrap(), 2, "no TLS with the server");
    let trusted = format!("{db}&sslrootcert={}", server.authority().display());
    assert!(machine.triage(&trusted).status().unwrap().success());
    machine.says(&["top", "--db", &trusted]);
    // The certificate is of another name.
    let other = trusted.replace("@localhost", "@127.0.0.1");
    is_one_error(&machine.run(&["top", "--db", &other]), 2, "no TLS with the server");
    let encrypted = "SELECT count(*) FROM obit.dump";
    assert_eq!(server.sql("crashes", encrypted), "2");
}
