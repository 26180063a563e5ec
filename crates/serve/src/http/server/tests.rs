//! Which requests wait for which, and which connections end.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Instant as StdInstant;

use super::*;

/// Answers of a test: by the path.
struct Made {
    asked: AtomicUsize,
    /// What `/slow` waits for.
    gate: Mutex<mpsc::Receiver<()>>,
}

impl Answers for Made {
    fn is_light(&self, request: &Request) -> bool {
        request.path == "/light"
    }

    fn answer(&self, request: &Request) -> Response {
        match request.path.as_str() {
            "/slow" => {
                let _ = self.gate.lock().unwrap().recv();
            }
            "/large" => return Response::of(200, "text/plain", vec![b'x'; LARGE]),
            "/later" => {
                let before = self.asked.fetch_add(1, Ordering::SeqCst);
                assert_eq!(request.is_again, before > 0);
                if before < 2 {
                    return Response::of(503, "text/plain", "").with("retry-after", "1");
                }
            }
            "/never" => return Response::of(503, "text/plain", "").with("retry-after", "1"),
            _ => {}
        }
        Response::of(200, "text/plain", request.path.clone())
    }

    fn busy(&self, _: &Request) -> Response {
        Response::of(503, "text/plain", "").with("retry-after", "5")
    }
}

/// More than the buffers of a connection hold.
const LARGE: usize = 64 << 20;

/// Runs a server with these limits while `test` asks it.
fn with(limits: Limits, test: impl FnOnce(&dyn Fn(&str) -> TcpStream)) {
    let listener = StdTcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = StdUnixStream::pair().unwrap();
    let (open, gate) = mpsc::channel();
    let made = Arc::new(Made { asked: AtomicUsize::new(0), gate: Mutex::new(gate) });
    let server =
        std::thread::spawn(move || run(Bound::Tcp(listener), stopped, limits, made).unwrap());
    test(&|path| {
        let mut stream = TcpStream::connect(address).unwrap();
        let text = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(text.as_bytes()).unwrap();
        stream
    });
    drop((open, stop));
    server.join().unwrap();
}

fn status(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[test]
fn requests_that_need_no_store_do_not_wait_for_those_that_do() {
    let patience = Duration::from_millis(500);
    with(Limits { patience, ..Limits::default() }, |ask| {
        let _slow: Vec<_> = (0..4).map(|_| ask("/slow")).collect();
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(status(&mut ask("/light")), "200");
        // One that needs it learns that it has to come back.
        assert_eq!(status(&mut ask("/other")), "503");
    });
}

#[test]
fn an_answer_that_is_not_there_yet_is_waited_for_as_long_as_patience_is() {
    let patience = Duration::from_secs(2);
    with(Limits { patience, ..Limits::default() }, |ask| {
        assert_eq!(status(&mut ask("/later")), "200");
        let begun = StdInstant::now();
        assert_eq!(status(&mut ask("/never")), "503");
        assert!(begun.elapsed() >= Duration::from_secs(1));
    });
}

#[test]
fn a_client_that_takes_its_answer_bit_by_bit_is_let_go() {
    let (life, grace) = (Duration::from_millis(300), Duration::from_millis(300));
    with(Limits { life, grace, ..Limits::default() }, |ask| {
        let mut stream = ask("/large");
        let mut some = [0; 1024];
        for _ in 0..15 {
            stream.read_exact(&mut some).unwrap();
            std::thread::sleep(Duration::from_millis(100));
        }
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.len() < LARGE - 15 * 1024, "it got all of it");
        // Who takes it at once gets it all.
        let mut whole = Vec::new();
        ask("/large").read_to_end(&mut whole).unwrap();
        assert!(whole.len() > LARGE);
    });
}

#[test]
fn only_without_room_for_connections_none_is_accepted_for_a_while() {
    for (errno, wanted) in [(Errno::MFILE, true), (Errno::NFILE, true), (Errno::CONNABORTED, false)]
    {
        assert_eq!(is_exhausted(&errno.into()), wanted, "{errno}");
    }
}
