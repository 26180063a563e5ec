//! The numbers over HTTP, for a collector on the same machine.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::Metrics;

/// Bytes of a request that are read.
const LONGEST: usize = 8 << 10;
/// How long a request may take, and its answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long nothing is accepted when the system has no descriptors for a connection.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers `GET /metrics` on `listener`, one connection after the other, for as long as the
/// process lives.
///
/// # Errors
/// When no thread can be started.
pub fn serve_metrics(listener: TcpListener, metrics: Arc<Metrics>) -> io::Result<()> {
    thread::Builder::new().name("metrics".to_owned()).spawn(move || {
        for connection in listener.incoming() {
            match connection {
                // A client that went away, or is too slow, loses its answer and nothing else.
                Ok(stream) => drop(answer(&stream, &metrics)),
                Err(_) => thread::sleep(PAUSE),
            }
        }
    })?;
    Ok(())
}

fn answer(mut stream: &TcpStream, metrics: &Metrics) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = head(stream)?;
    let mut words = request.split_ascii_whitespace();
    let (status, body) = match (words.next(), words.next()) {
        (Some("GET"), Some("/metrics")) => ("200 OK", metrics.text()),
        (Some("GET"), Some(_)) => ("404 Not Found", "the numbers are at /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed", "GET /metrics\n".to_owned()),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// The lines of a request before its body; what has come if it is too long.
fn head(mut stream: &TcpStream) -> io::Result<String> {
    let end = Instant::now() + PATIENCE;
    let mut head = Vec::new();
    let mut some = [0; 1024];
    while head.len() < LONGEST && !head.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        let length = stream.read(&mut some)?;
        if length == 0 {
            break;
        }
        head.extend_from_slice(some.get(..length).unwrap_or_default());
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_gets_the_numbers_and_others_a_status() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let metrics = Arc::new(Metrics::default());
        serve_metrics(listener, Arc::clone(&metrics)).unwrap();
        let ask = |request: &str| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        let answer = ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
        assert_eq!(body, metrics.text());
        assert!(ask("GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
        assert!(ask("POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405"));
        assert!(ask("\u{0}\r\n\r\n").starts_with("HTTP/1.1 405"));
    }
}
