//! Servers of debug files that are slow, silent or gone: what they cost a run, and what the
//! environment says of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::fixture::{Case, obit, stderr, stdout};

/// A server on this machine that keeps the heads of the requests.
struct Server {
    url: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(answer: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (kept, answer) = (Arc::clone(&heads), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                thread::spawn(move || {
                    let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                    let lines = lines.map_while(Result::ok).take_while(|line| !line.is_empty());
                    kept.lock().unwrap().push(lines.collect::<Vec<_>>().join("\n"));
                    answer(stream);
                });
            }
        });
        Self { url, heads }
    }

    /// Accepts connections and never answers.
    fn silent() -> Self {
        Self::new(|stream| {
            thread::sleep(Duration::from_secs(600));
            drop(stream);
        })
    }

    /// Sends a byte now and then.
    fn dribbling() -> Self {
        Self::new(|mut stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n").ok();
            while stream.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(100));
            }
        })
    }

    fn empty() -> Self {
        Self::new(|mut stream| {
            let head = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            stream.write_all(head).ok();
        })
    }

    fn requests(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// Three cores in three directories, without the programs.
fn cores(root: &Path) {
    for name in ["null-field", "deadlock", "inlines"] {
        let directory = root.join("cores").join(name);
        fs::create_dir_all(&directory).unwrap();
        fs::copy(Case::named(name).core(), directory.join("core.zst")).unwrap();
    }
}

fn command(root: &Path, words: &[&str]) -> Command {
    let mut command = obit();
    command.current_dir(root).env("DEBUGINFOD_CACHE_PATH", root.join("cache")).args(words);
    command
}

/// The first line that a batch writes.
fn summary(mut command: Command) -> String {
    let out = command.output().unwrap();
    assert_eq!(out.status.code(), Some(0), "{}", stderr(&out));
    stdout(&out).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_server_that_hangs_or_dribbles_fails_no_core_and_costs_its_timeout_once() {
    // One that has answered may be asked by both workers before it turns out to be slow.
    for (server, most) in [(Server::silent(), 1), (Server::dribbling(), 2)] {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        cores(root);
        let option = format!("--debuginfod={}", server.url);
        // One core may take less time than the server's silence.
        let words = ["triage", "cores", "--db", "db", "--timeout", "2", "-j", "2", &option];
        let mut run = command(root, &words);
        run.env("DEBUGINFOD_TIMEOUT", "3").env("DEBUGINFOD_MAXTIME", "5");
        let begun = Instant::now();
        let text = summary(run);
        assert!(text.starts_with("3 cores: 3 new, 0 known;"), "{text}");
        assert!(begun.elapsed() < Duration::from_secs(60));
        assert!((1..=most).contains(&server.requests().len()), "{:?}", server.requests());
        // What the server may have is looked for again, and then it is known.
        let offline = || command(root, &["triage", "cores", "--db", "db", "--offline"]);
        let text = summary(offline());
        assert!(text.starts_with("3 cores: 0 new, 0 known, 3 now complete;"), "{text}");
        let text = summary(offline());
        assert!(text.starts_with("3 cores: 0 new, 3 known;"), "{text}");
    }
}

#[test]
fn several_cores_of_one_command_share_the_budget() {
    let server = Server::silent();
    let directory = tempfile::tempdir().unwrap();
    cores(directory.path());
    let option = format!("--debuginfod={}", server.url);
    let words = ["cores/null-field/core.zst", "cores/deadlock/core.zst", &option];
    let out = command(directory.path(), &words).env("DEBUGINFOD_TIMEOUT", "1").output().unwrap();
    assert_eq!(out.status.code(), Some(0), "{}", stderr(&out));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn servers_of_the_command_line_are_asked_as_the_environment_says() {
    let server = Server::empty();
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    cores(root);
    fs::write(root.join("headers"), "X-Token: secret\n").unwrap();
    let option = format!("--debuginfod={}", server.url);
    let out = command(root, &["cores/null-field/core.zst", &option])
        .env("DEBUGINFOD_HEADERS_FILE", root.join("headers"))
        .env("DEBUGINFOD_MAXSIZE", "12345")
        .env("DEBUGINFOD_VERBOSE", "1")
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(0), "{}", stderr(&out));
    let requests = server.requests();
    assert!(!requests.is_empty());
    for head in &requests {
        let head = head.to_lowercase();
        assert!(head.contains("x-token: secret"), "{head}");
        assert!(head.contains("x-debuginfod-maxsize: 12345"), "{head}");
    }
    let said = stderr(&out);
    assert!(said.contains(&format!("obit: debuginfod: asking {}/buildid/", server.url)), "{said}");
    // That no server has it is noted there.
    assert!(fs::read_dir(root.join("cache")).unwrap().count() > 0);
}
