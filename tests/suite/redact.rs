//! `obit redact` as people and scripts call it.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

fn redact(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_obit"))
        .arg("redact")
        .args(arguments)
        .env_remove("XDG_CONFIG_HOME")
        .env("HOME", "/nonexistent")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_log_keeps_what_debugging_needs() {
    let log = "2026-05-12T10:11:12Z WARN login user=ann.lee from 203.0.113.9 port 50122 failed\n\
               #3  0x00007f12aa in check_password_hash (len=5) at src/auth.c:41\n\
               build 4f2a6b1c9d8e7f60514233445566778899aabbcc listening on 127.0.0.1:80\n";
    let shown = text(&redact(&[], log.as_bytes()));
    let lines: Vec<_> = shown.lines().collect();
    let first = lines[0];
    assert!(first.starts_with("2026-05-12T10:11:12Z WARN login user=<user:"), "{first}");
    assert!(first.contains("> from <ip:") && first.ends_with("> port 50122 failed"), "{first}");
    assert!(shown.ends_with(log.split_once('\n').unwrap().1), "{shown}");
}

#[test]
fn a_key_makes_tokens_comparable_and_without_one_they_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let key = directory.path().join("key");
    fs::write(&key, "0123456789abcdef0123456789abcdef").unwrap();
    let with_key = || text(&redact(&["--key", key.to_str().unwrap()], b"to ann@example.com\n"));
    assert_eq!(with_key(), with_key());
    assert!(with_key().starts_with("to <email:"), "{}", with_key());
    let without: Vec<_> = (0..4).map(|_| text(&redact(&[], b"to ann@example.com\n"))).collect();
    assert!(without.iter().any(|shown| *shown != without[0]), "{without:?}");
    fs::write(&key, "short").unwrap();
    let refused = redact(&["--key", key.to_str().unwrap()], b"");
    assert_eq!(refused.status.code(), Some(64));
}

#[test]
fn wide_text_stays_wide() {
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let shown = redact(&[], &wide("password=hunter2; port=80\n")).stdout;
    let units: Vec<_> =
        shown.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let shown = String::from_utf16(&units).unwrap();
    assert!(shown.starts_with("password=<password:") && shown.ends_with(">; port=80\n"), "{shown}");
}

#[test]
fn rules_of_the_user_count_and_their_errors_name_file_and_line() {
    let directory = tempfile::tempdir().unwrap();
    let rules = directory.path().join("rules.toml");
    let path = rules.to_str().unwrap();
    fs::write(&rules, "[[deny]]\nregex = 'CUST-[0-9]+'\n[[allow]]\nkind = 'ip'\nregex = '^203'\n")
        .unwrap();
    let shown = text(&redact(&["--rules", path], b"CUST-42 from 203.0.113.9\n"));
    assert!(shown.starts_with("<rule:") && shown.ends_with("> from 203.0.113.9\n"), "{shown}");
    fs::write(&rules, "[[deny]]\nregexp = 'x'\n").unwrap();
    let refused = redact(&["--rules", path], b"");
    let message = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(64));
    assert!(message.contains("rules.toml:2: `regexp` is unknown"), "{message}");
}

#[test]
fn strict_hides_quoted_text_and_off_nothing() {
    let line = "name = \"some text\", id = 7, mail ann@example.com\n";
    let strict = text(&redact(&["--level", "strict"], line.as_bytes()));
    assert!(strict.starts_with("name = \"<text:") && strict.contains(">\", id = 7, "), "{strict}");
    assert_eq!(text(&redact(&["--level", "off"], line.as_bytes())), line);
}

#[test]
fn a_project_may_hide_and_only_the_user_may_show() {
    let project = tempfile::tempdir().unwrap();
    let inside = project.path().join("src/deep");
    fs::create_dir_all(&inside).unwrap();
    fs::create_dir(project.path().join(".obit")).unwrap();
    let rules = "[[deny]]\nregex = 'CUST-[0-9]+'\n[[allow]]\nkind = 'ip'\n";
    fs::write(project.path().join(".obit/redact.toml"), rules).unwrap();
    let run = |arguments: &[&str]| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_obit"))
            .arg("redact")
            .args(arguments)
            .env_remove("XDG_CONFIG_HOME")
            .env("HOME", "/nonexistent")
            .current_dir(&inside)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(b"CUST-42 from 203.0.113.9\n").unwrap();
        child.wait_with_output().unwrap()
    };
    let output = run(&[]);
    let shown = text(&output);
    assert!(shown.starts_with("<rule:") && shown.contains("> from <ip:"), "{shown}");
    let warning = String::from_utf8(output.stderr).unwrap();
    assert!(warning.contains("1 `allow` ignored"), "{warning}");
    assert!(warning.contains("--trust-project-rules"), "{warning}");
    let trusted = run(&["--trust-project-rules"]);
    assert!(text(&trusted).ends_with("> from 203.0.113.9\n"), "{}", text(&trusted));
    assert!(trusted.stderr.is_empty());
}

#[test]
fn explain_says_where_and_why_and_not_what() {
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/canary-cpp/");
    let (core, program) = (format!("{fixture}null.core.zst"), format!("{fixture}prog"));
    let directory = tempfile::tempdir().unwrap();
    let rules = directory.path().join("rules.toml");
    let rule = "[[deny]]\nname = 'words'\nfunction = 'check'\nmodule = 'prog'\n";
    fs::write(&rules, format!("# mine\n{rule}")).unwrap();
    let arguments = ["--explain", &core, &program, "--rules", rules.to_str().unwrap()];
    let page = text(&redact(&arguments, b""));
    assert!(page.contains("#1 check") || page.contains("#0 check"), "{page}");
    assert!(page.contains("its name says password"), "{page}");
    assert!(page.contains("rules.toml:2"), "{page}");
    let json = redact(&[&arguments[..], &["--json"]].concat(), b"").stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["schema"], "obit.hidden/1");
    let hidden = json["hidden"].as_array().unwrap();
    let of = |name: &str| {
        hidden.iter().find(|one| one["place"].as_array().unwrap().iter().any(|p| p == name))
    };
    assert_eq!(of("card_no").unwrap()["reason"], "name");
    assert_eq!(of("cloud_key").unwrap()["kind"], "key");
    assert_eq!(of("words").unwrap()["reason"], "rule");
    let total: u64 =
        json["counts"].as_object().unwrap().values().filter_map(serde_json::Value::as_u64).sum();
    assert_eq!(total, hidden.len() as u64);
}
