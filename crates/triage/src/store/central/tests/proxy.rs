//! A network that fails: what lies between a client and the server.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Passes bytes on, and cuts both connections once.
pub(super) struct Proxy {
    pub(super) port: u16,
    has_cut: Arc<AtomicBool>,
}

/// When connections are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// After so many bytes to the server.
    ToServer(usize),
    /// After so many bytes to the client.
    ToClient(usize),
    /// At the request to make a change permanent that so many come before: the server does not
    /// get it.
    BeforeCommit(usize),
    /// The server gets it, and its answer does not come back.
    AfterCommit(usize),
}

impl Proxy {
    pub(super) fn that_cuts(cut: Cut, server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let has_cut = Arc::new(AtomicBool::new(false));
        let (flag, left) = (Arc::clone(&has_cut), Arc::new(Mutex::new(Some(cut))));
        thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                let Ok(upstream) = TcpStream::connect(("127.0.0.1", server)) else { return };
                for (from, to, to_server) in
                    [(&client, &upstream, true), (&upstream, &client, false)]
                {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let (left, flag) = (Arc::clone(&left), Arc::clone(&flag));
                    thread::spawn(move || pass(from, to, to_server, &left, &flag));
                }
            }
        });
        Self { port, has_cut }
    }

    /// Whether the cut has happened.
    pub(super) fn has_cut(&self) -> bool {
        self.has_cut.load(Ordering::SeqCst)
    }
}

fn pass(
    mut from: TcpStream,
    mut to: TcpStream,
    to_server: bool,
    left: &Mutex<Option<Cut>>,
    has_cut: &AtomicBool,
) {
    let mut bytes = [0; 4096];
    while let Ok(count) = from.read(&mut bytes) {
        if count == 0 {
            break;
        }
        let chunk = &bytes[..count];
        let passed = passed(chunk, to_server, &mut left.lock().unwrap());
        if passed.is_some() {
            has_cut.store(true, Ordering::SeqCst);
        }
        let chunk = &chunk[..passed.unwrap_or(count)];
        if to.write_all(chunk).is_err() || passed.is_some() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// How much of a chunk passes before the cut, if it comes now.
fn passed(chunk: &[u8], to_server: bool, left: &mut Option<Cut>) -> Option<usize> {
    let is_commit = to_server && chunk.windows(7).any(|word| word == b"COMMIT\0");
    let (next, passed) = match (*left)? {
        Cut::ToServer(bytes) if to_server && bytes < chunk.len() => (None, Some(bytes)),
        Cut::ToServer(bytes) if to_server => (Some(Cut::ToServer(bytes - chunk.len())), None),
        Cut::ToClient(bytes) if !to_server && bytes < chunk.len() => (None, Some(bytes)),
        Cut::ToClient(bytes) if !to_server => (Some(Cut::ToClient(bytes - chunk.len())), None),
        Cut::BeforeCommit(0) if is_commit => (None, Some(0)),
        Cut::BeforeCommit(more) if is_commit => (Some(Cut::BeforeCommit(more - 1)), None),
        Cut::AfterCommit(0) if is_commit => (None, Some(chunk.len())),
        Cut::AfterCommit(more) if is_commit => (Some(Cut::AfterCommit(more - 1)), None),
        same => (Some(same), None),
    };
    *left = next;
    passed
}
