//! The specification of the client, against servers of a few lines.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread;

use tempfile::TempDir;

use super::*;
use crate::locate::debuginfod::Network;
use crate::locate::{ImageState, Locator, Role, SearchRules};
use obit_corefile::testkit::elf_builder::ElfBuilder;

/// A server on this machine that counts the connections made to it.
struct TestServer {
    url: String,
    connections: Arc<AtomicUsize>,
}

impl TestServer {
    /// Answers each request for a path with what `reply` says: head and body.
    fn new(reply: impl Fn(&str) -> (String, Vec<u8>) + Send + 'static) -> Self {
        Self::with(move |mut stream| {
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let first = lines.next().unwrap().unwrap();
            lines.map_while(Result::ok).take_while(|line| !line.is_empty()).count();
            let (head, body) = reply(first.split(' ').nth(1).unwrap());
            // The client hangs up on a body it does not want.
            stream
                .write_all(format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").as_bytes())
                .ok();
            stream.write_all(&body).ok();
            None
        })
    }

    fn file(bytes: Vec<u8>) -> Self {
        Self::new(move |_| (format!("200 OK\r\nContent-Length: {}", bytes.len()), bytes.clone()))
    }

    /// Accepts connections and never answers.
    fn silent() -> Self {
        Self::with(Some)
    }

    /// Handles connections; those that `handle` returns stay open.
    fn with(handle: impl Fn(TcpStream) -> Option<TcpStream> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        thread::spawn(move || {
            let mut open = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                counter.fetch_add(1, Ordering::SeqCst);
                open.extend(handle(stream));
            }
        });
        Self { url, connections }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn settings(servers: &[&TestServer], cache: &TempDir) -> Debuginfod {
    let urls = servers.iter().map(|server| server.url.clone()).collect();
    let settings = Debuginfod::new(urls, cache.path().to_owned());
    Debuginfod { timeout: Duration::from_millis(300), ..settings }
}

fn client(servers: &[&TestServer], cache: &TempDir) -> Client {
    Client::new(settings(servers, cache), Limits::default())
}

fn id(byte: u8) -> BuildId {
    BuildId::new(&[byte; 20]).unwrap()
}

fn elf(byte: u8) -> Vec<u8> {
    ElfBuilder::x86_64().text(b"\xc3").build_id(&[byte; 20]).build()
}

fn not_found(_: &str) -> (String, Vec<u8>) {
    ("404 Not Found\r\nContent-Length: 0".to_owned(), Vec::new())
}

fn files_below(path: &Path) -> usize {
    fs::read_dir(path)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .fold(0, |count, path| count + if path.is_dir() { files_below(&path) } else { 1 })
}

#[test]
fn a_file_is_fetched_once_and_then_comes_from_the_cache() {
    let cache = tempfile::tempdir().unwrap();
    let server = TestServer::new(|path| {
        assert_eq!(path, format!("/buildid/{}/debuginfo", "01".repeat(20)));
        (format!("200 OK\r\nContent-Length: {}", elf(1).len()), elf(1))
    });
    let path = cache.path().join("01".repeat(20)).join("debuginfo");
    for _ in 0..2 {
        let fetched = client(&[&server], &cache).fetch(&id(1), Artifact::DebugInfo);
        assert_eq!(fetched.path.as_ref(), Some(&path));
        assert_eq!(fetched.notices, []);
    }
    assert_eq!(fs::read(path).unwrap(), elf(1));
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_source_file_is_asked_for_by_its_path_and_needs_no_build_id_of_its_own() {
    let cache = tempfile::tempdir().unwrap();
    let server = TestServer::new(|path| {
        assert_eq!(path, format!("/buildid/{}/source/src/a%20b.c", "01".repeat(20)));
        ("200 OK\r\nContent-Length: 4".to_owned(), b"int\n".to_vec())
    });
    for _ in 0..2 {
        let fetched = client(&[&server], &cache).fetch(&id(1), Artifact::Source("/src/a b.c"));
        assert_eq!(fs::read(fetched.path.unwrap()).unwrap(), b"int\n");
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn what_no_server_has_is_no_failure_and_is_not_asked_for_again() {
    let cache = tempfile::tempdir().unwrap();
    let server = TestServer::new(not_found);
    for _ in 0..2 {
        let fetched = client(&[&server], &cache).fetch(&id(1), Artifact::DebugInfo);
        assert_eq!(fetched.path, None);
        assert_eq!(fetched.notices, []);
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn the_second_server_is_asked_when_the_first_has_nothing() {
    let cache = tempfile::tempdir().unwrap();
    let (first, second) = (TestServer::new(not_found), TestServer::file(elf(1)));
    let fetched = client(&[&first, &second], &cache).fetch(&id(1), Artifact::Executable);
    assert!(fetched.path.is_some());
}

#[test]
fn a_silent_server_costs_its_timeout_once_and_one_notice() {
    let cache = tempfile::tempdir().unwrap();
    let server = TestServer::silent();
    let client = client(&[&server], &cache);
    let started = Instant::now();
    let notices: Vec<Notice> = thread::scope(|scope| {
        let ask = |byte| {
            let client = &client;
            scope.spawn(move || client.fetch(&id(byte), Artifact::DebugInfo).notices)
        };
        let threads: Vec<_> = (0..20).map(ask).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(started.elapsed() < Duration::from_secs(2));
    assert_eq!(server.connections(), 1);
    assert!(matches!(&notices[..], [Notice::DebuginfodFailed { .. }]), "{notices:?}");
}

#[test]
fn a_server_that_is_not_there_is_noticed_once() {
    let cache = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let settings = Debuginfod::new(vec![url], cache.path().to_owned());
    let client = Client::new(settings, Limits::default());
    let first = client.fetch(&id(1), Artifact::DebugInfo).notices;
    assert!(matches!(&first[..], [Notice::DebuginfodFailed { .. }]), "{first:?}");
    assert_eq!(client.fetch(&id(2), Artifact::DebugInfo).notices, []);
}

#[test]
fn an_error_of_the_server_turns_it_off() {
    let cache = tempfile::tempdir().unwrap();
    let server = TestServer::new(|_| ("503 Busy\r\nContent-Length: 0".to_owned(), Vec::new()));
    let client = client(&[&server], &cache);
    let notices = client.fetch(&id(1), Artifact::DebugInfo).notices;
    let error = "HTTP status 503".to_owned();
    assert_eq!(notices, [Notice::DebuginfodFailed { url: server.url.clone(), error }]);
    client.fetch(&id(2), Artifact::DebugInfo);
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_file_of_another_build_never_reaches_the_cache() {
    let cache = tempfile::tempdir().unwrap();
    for bytes in [elf(2), b"<html>".repeat(20)] {
        let server = TestServer::file(bytes);
        let fetched = client(&[&server], &cache).fetch(&id(1), Artifact::DebugInfo);
        assert_eq!(fetched.path, None);
        assert!(matches!(&fetched.notices[..], [Notice::FileRefused { .. }]));
        assert_eq!(files_below(cache.path()), 0);
    }
}

#[test]
fn a_huge_body_is_refused_by_its_length_or_when_the_limit_is_reached() {
    let cache = tempfile::tempdir().unwrap();
    let announced =
        TestServer::new(|_| ("200 OK\r\nContent-Length: 1000000000000".to_owned(), Vec::new()));
    let endless = TestServer::new(|_| ("200 OK".to_owned(), vec![0; 4 << 20]));
    for server in [announced, endless] {
        let settings = settings(&[&server], &cache);
        let settings = Debuginfod { max_bytes: Some(1 << 20), ..settings };
        let client = Client::new(settings, Limits::default());
        let fetched = client.fetch(&id(1), Artifact::DebugInfo);
        let [Notice::FileRefused { reason, .. }] = &fetched.notices[..] else { panic!() };
        assert_eq!(reason, "is larger than 1048576 bytes");
        assert_eq!(files_below(cache.path()), 0);
    }
}

#[test]
fn a_body_that_stops_midway_is_a_failure_not_a_file() {
    let cache = tempfile::tempdir().unwrap();
    let server = TestServer::new(|_| {
        (format!("200 OK\r\nContent-Length: {}", elf(1).len()), elf(1)[..100].to_vec())
    });
    let fetched = client(&[&server], &cache).fetch(&id(1), Artifact::DebugInfo);
    assert_eq!(fetched.path, None);
    assert!(matches!(&fetched.notices[..], [Notice::DebuginfodFailed { .. }]));
    assert_eq!(files_below(cache.path()), 0);
}

#[test]
fn a_server_that_dribbles_is_cut_off_by_the_budget_of_the_run() {
    let cache = tempfile::tempdir().unwrap();
    let server = TestServer::with(|mut stream| {
        thread::spawn(move || {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n").ok();
            while stream.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(20));
            }
        });
        None
    });
    let settings = settings(&[&server], &cache);
    let settings = Debuginfod { max_time: Duration::from_millis(500), ..settings };
    let client = Client::new(settings, Limits::default());
    let started = Instant::now();
    let first = client.fetch(&id(1), Artifact::DebugInfo).notices;
    assert!(matches!(&first[..], [Notice::DebuginfodFailed { .. }]), "{first:?}");
    client.fetch(&id(2), Artifact::DebugInfo);
    assert!(started.elapsed() < Duration::from_secs(2));
    assert_eq!(server.connections(), 1);
}

#[test]
fn redirects_end_and_other_schemes_are_not_followed() {
    let cache = tempfile::tempdir().unwrap();
    let circular = TestServer::new(|path| {
        (format!("302 Found\r\nLocation: {path}\r\nContent-Length: 0"), Vec::new())
    });
    let to_a_file = TestServer::new(|_| {
        ("302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0".to_owned(), Vec::new())
    });
    for server in [circular, to_a_file] {
        let fetched = client(&[&server], &cache).fetch(&id(1), Artifact::DebugInfo);
        assert_eq!(fetched.path, None);
        assert_eq!(fetched.notices.len(), 1, "{:?}", fetched.notices);
        assert!(server.connections() <= 7);
    }
}

#[test]
fn headers_of_the_user_do_not_go_to_another_host() {
    let cache = tempfile::tempdir().unwrap();
    let seen = |token: &'static str| {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let heads = Arc::clone(&seen);
        let server = move |to: Option<String>| {
            TestServer::with(move |mut stream| {
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let head: Vec<String> =
                    lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
                let has_token = head.iter().any(|line| line.to_lowercase().contains(token));
                heads.lock().unwrap().push(has_token);
                let path = head[0].split(' ').nth(1).unwrap();
                let answer = match &to {
                    Some(to) if path.starts_with("/buildid") => {
                        format!("302 Found\r\nLocation: {to}\r\nContent-Length: 0")
                    }
                    _ => "404 Not Found\r\nContent-Length: 0".to_owned(),
                };
                let answer = format!("HTTP/1.1 {answer}\r\nConnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).ok();
                None
            })
        };
        (seen, server)
    };
    let ask = |server: &TestServer, byte| {
        let mut settings = settings(&[server], &cache);
        settings.headers = vec![("X-Token".to_owned(), "secret".to_owned())];
        Client::new(settings, Limits::default()).fetch(&id(byte), Artifact::DebugInfo)
    };
    let (own, make) = seen("x-token: secret");
    ask(&make(Some("/other/place".to_owned())), 1);
    assert_eq!(*own.lock().unwrap(), [true, true], "within one host");
    let (other, make) = seen("x-token: secret");
    let elsewhere = make(None);
    ask(&TestServer::new(redirect_to(&elsewhere.url)), 2);
    assert_eq!(*other.lock().unwrap(), [false], "to another host");
}

/// Redirects each request to the same path below `url`.
fn redirect_to(url: &str) -> impl Fn(&str) -> (String, Vec<u8>) + Send + 'static {
    let url = url.to_owned();
    move |path| {
        let head = format!("307 Temporary Redirect\r\nLocation: {url}{path}\r\nContent-Length: 0");
        (head, Vec::new())
    }
}

#[test]
fn a_server_that_another_client_of_the_run_found_dead_is_not_asked() {
    let cache = tempfile::tempdir().unwrap();
    let server = TestServer::silent();
    let run = Network::default();
    let notices = |network: Network| {
        let settings = Debuginfod { network, ..settings(&[&server], &cache) };
        let client = Client::new(settings, Limits::default());
        (0..3).flat_map(|byte| client.fetch(&id(byte), Artifact::DebugInfo).notices).count()
    };
    let started = Instant::now();
    let counts = [notices(run.clone()), notices(run.clone()), notices(run.clone())];
    assert_eq!(counts, [1, 1, 1], "each says it once");
    assert_eq!(server.connections(), 1);
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[test]
fn a_server_that_sends_almost_nothing_costs_its_timeout() {
    let cache = tempfile::tempdir().unwrap();
    let server = TestServer::with(|mut stream| {
        thread::spawn(move || {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n").ok();
            while stream.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(20));
            }
        });
        None
    });
    let started = Instant::now();
    let notices = client(&[&server], &cache).fetch(&id(1), Artifact::DebugInfo).notices;
    let [Notice::DebuginfodFailed { error, .. }] = &notices[..] else { panic!("{notices:?}") };
    assert!(error.contains("less than 100 KiB"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[test]
fn only_http_and_https_servers_are_asked() {
    let cache = tempfile::tempdir().unwrap();
    let settings = Debuginfod::new(vec!["file:///etc".into()], cache.path().to_owned());
    let notices = Client::new(settings, Limits::default()).fetch(&id(1), Artifact::DebugInfo);
    assert!(matches!(&notices.notices[..], [Notice::DebuginfodFailed { .. }]));
}

#[test]
fn a_module_and_its_debug_file_come_from_a_server() {
    let cache = tempfile::tempdir().unwrap();
    let debug = ElfBuilder::x86_64().text_without_bytes().section(".debug_info", &[1; 16]);
    let debug = debug.build_id(&[1; 20]).build();
    let server = TestServer::new(move |path| {
        let bytes = if path.ends_with("/executable") { elf(1) } else { debug.clone() };
        (format!("200 OK\r\nContent-Length: {}", bytes.len()), bytes)
    });
    let rules = SearchRules {
        debuginfod: Some(settings(&[&server], &cache)),
        debug_directories: Vec::new(),
        ..SearchRules::default()
    };
    let locator = Locator::new(rules, Limits::default());
    let module = Path::new("/nowhere/prog");
    let found = locator.image(module, Some(&id(1)), Role::Executable);
    assert_eq!(found.state, ImageState::Found);
    let (files, notices) = locator.debug_files(&found.image.unwrap(), module);
    assert!(files.with_dwarf().is_some());
    assert_eq!(notices, []);
}
