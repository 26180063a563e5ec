//! A digest that is delivered: by mail and by HTTP.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::thread::{self, JoinHandle};

use crate::fixture::script;
use crate::history::Sample;

const PERIOD: [&str; 5] = ["digest", "--since", "2026-03-02", "--now", "2026-04-01"];

/// A server that takes one request and gives it back.
fn server() -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook/secret-part", listener.local_addr().unwrap());
    let asked = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
        loop {
            let read = stream.read(&mut part).unwrap();
            bytes.extend_from_slice(&part[..read]);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
            });
            if read == 0 || body.len() >= length.unwrap_or(0) {
                stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").unwrap();
                return text;
            }
        }
    });
    (url, asked)
}

#[test]
fn a_digest_is_mailed_as_text_and_as_html() {
    let sample = Sample::new();
    let directory = tempfile::tempdir().unwrap();
    let (sendmail, sent) = (directory.path().join("sendmail"), directory.path().join("sent"));
    script(&sendmail, &format!("echo \"$@\" > {0}.args\ncat > {0}", sent.display()));
    let words = ["--mail", "ops@example.org", "--sendmail", sendmail.to_str().unwrap()];
    assert_eq!(sample.says(&[&PERIOD[..], &words].concat()), "", "nothing is printed");
    let mail = fs::read_to_string(&sent).unwrap();
    assert_eq!(fs::read_to_string(sent.with_extension("args")).unwrap(), "-t -i\n");
    assert!(mail.starts_with("To: ops@example.org\nSubject: [obit] "), "{mail}");
    assert!(mail.contains("Content-Type: text/plain") && mail.contains("text/html"), "{mail}");
    // One that fails ends with the code of output that was not written.
    script(&sendmail, "cat > /dev/null\nexit 75");
    let output = sample.run(&[&PERIOD[..], &words].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(74), "{said}");
    assert!(said.contains("ended with status 75"), "{said}");
}

#[test]
fn a_digest_is_posted_as_a_document_that_is_signed_or_as_a_message() {
    let sample = Sample::new();
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("secret");
    fs::write(&secret, "0123456789abcdef").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let (url, asked) = server();
    let words = ["--webhook", &url, "--webhook-secret", secret.to_str().unwrap()];
    sample.says(&[&PERIOD[..], &words].concat());
    let request = asked.join().unwrap();
    assert!(request.to_lowercase().contains("x-obit-signature-256: sha256="), "{request}");
    let body: serde_json::Value =
        serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(body["schema"], "obit.top/1");
    let (url, asked) = server();
    sample.says(&[&PERIOD[..], &["--webhook", &url, "--webhook-form", "slack"]].concat());
    let request = asked.join().unwrap();
    let body: serde_json::Value =
        serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    let text = body["text"].as_str().unwrap();
    assert!(text.starts_with("[obit] ") && text.contains("\nnew (weak) "), "{text}");
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    assert!(!text.contains('<'), "{text}");
}

#[test]
fn what_is_wrong_with_a_delivery_is_said_without_the_secret_in_its_address() {
    let sample = Sample::new();
    for (words, code, says) in [
        (&["--webhook", "ftp://secret-part/"][..], 64, "http:// or https://"),
        (&["--webhook-form", "slack"], 64, "--webhook"),
        (&["--mail", "a, b"], 64, "expected an address"),
        (&["--mail", "a@b", "--sendmail", "/nonexistent"], 64, "not a program"),
    ] {
        let output = sample.run(&[&PERIOD[..], words].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{words:?}: {said}");
        assert!(said.contains(says), "{words:?}: {said}");
    }
}
