//! Messages: a header that says how long the body is, and a body of JSON.

use std::io::{self, BufRead, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use obit_report::json::read_nested;
use serde_json::{Map, Value, json};

/// Bytes of one body.
pub(super) const LONGEST: usize = 4 << 20;
/// Bytes of a longer body that are read over. Behind more of them nothing is expected.
const MOST_SKIPPED: usize = 1 << 30;
/// Bytes of one header.
const LONGEST_HEADER: usize = 4096;

/// What came in.
#[derive(Debug, PartialEq)]
pub(super) enum Incoming {
    Request(Request),
    /// An answer to something that was never asked.
    Response,
    /// A body that is no request: the number to answer to, its command, what is wrong.
    Invalid {
        seq: i64,
        command: String,
        problem: String,
    },
}

/// A request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Request {
    pub(super) seq: i64,
    pub(super) command: String,
    pub(super) arguments: Map<String, Value>,
}

/// Why no more messages can be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    #[error("the header of a message is longer than {LONGEST_HEADER} bytes")]
    LongHeader,
    #[error("expected `Content-Length: BYTES` and an empty line before each message")]
    Header,
    #[error("a message of {0} bytes: at most {LONGEST} are read")]
    Huge(usize),
}

/// The next message; `None` at the end.
pub(super) fn next(input: &mut impl BufRead) -> Result<Option<Incoming>, Broken> {
    let Some(length) = header(input)? else { return Ok(None) };
    if length > MOST_SKIPPED {
        return Err(Broken::Huge(length));
    }
    if length > LONGEST {
        let skipped = io::copy(&mut input.take(length as u64), &mut io::sink())?;
        if skipped < length as u64 {
            return Ok(None);
        }
        let problem = Broken::Huge(length).to_string();
        return Ok(Some(Incoming::Invalid { seq: 0, command: String::new(), problem }));
    }
    let mut body = Vec::new();
    input.take(length as u64).read_to_end(&mut body)?;
    // The other side ended in the middle of it.
    Ok((body.len() == length).then(|| read(&body)))
}

/// The length that the next header gives; `None` at the end of the input.
fn header(input: &mut impl BufRead) -> Result<Option<usize>, Broken> {
    let (mut length, mut left) = (None, LONGEST_HEADER);
    loop {
        let mut line = Vec::new();
        input.by_ref().take(left as u64).read_until(b'\n', &mut line)?;
        left = left.saturating_sub(line.len());
        if !line.ends_with(b"\n") {
            return if left == 0 { Err(Broken::LongHeader) } else { Ok(None) };
        }
        let line = line.strip_suffix(b"\n").unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match (line.is_empty(), length) {
            (true, Some(length)) => return Ok(Some(length)),
            // Only what is a header: a page in a browser can send other protocols' requests.
            (true, None) => return Err(Broken::Header),
            (false, _) => {}
        }
        let line = std::str::from_utf8(line).map_err(|_| Broken::Header)?;
        let (name, value) = line.split_once(':').ok_or(Broken::Header)?;
        if name.eq_ignore_ascii_case("content-length") {
            let value = value.trim();
            let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
            if length.is_some() || !is_number {
                return Err(Broken::Header);
            }
            length = Some(value.parse().unwrap_or(usize::MAX));
        } else if !name.eq_ignore_ascii_case("content-type") {
            return Err(Broken::Header);
        }
    }
}

/// Reads one body.
fn read(body: &[u8]) -> Incoming {
    let mut message = match read_nested::<Value>(body) {
        Ok(Value::Object(message)) => message,
        Ok(_) => return invalid(0, "", "a message is an object"),
        Err(_) => return invalid(0, "", "this is not JSON"),
    };
    let seq = message.get("seq").and_then(Value::as_i64);
    let command = message.get("command").and_then(Value::as_str).unwrap_or_default();
    let command: String = command.chars().take(100).collect();
    let for_error = seq.unwrap_or(0);
    match message.get("type").and_then(Value::as_str) {
        Some("request") => {}
        Some("response") => return Incoming::Response,
        Some("event") => return invalid(for_error, &command, "a client sends no events"),
        _ => return invalid(for_error, &command, "`type` has to be \"request\""),
    }
    let Some(seq) = seq else { return invalid(0, &command, "`seq` is a whole number") };
    if command.is_empty() {
        return invalid(seq, "", "`command` is missing");
    }
    let arguments = match message.remove("arguments") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(arguments)) => arguments,
        Some(_) => return invalid(seq, &command, "`arguments` is an object"),
    };
    Incoming::Request(Request { seq, command, arguments })
}

fn invalid(seq: i64, command: &str, problem: &str) -> Incoming {
    Incoming::Invalid { seq, command: command.to_owned(), problem: problem.to_owned() }
}

/// Where messages go.
pub(super) struct Output {
    out: Mutex<(Box<dyn Write + Send>, i64)>,
    is_closed: AtomicBool,
}

impl Output {
    pub(super) fn new(out: Box<dyn Write + Send>) -> Self {
        Self { out: Mutex::new((out, 0)), is_closed: AtomicBool::new(false) }
    }

    /// No one reads any more.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    fn send(&self, mut message: Value) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let (out, seq) = &mut *out;
        *seq = seq.saturating_add(1);
        if let Some(fields) = message.as_object_mut() {
            fields.insert("seq".to_owned(), (*seq).into());
        }
        let body = message.to_string();
        let sent = write!(out, "Content-Length: {}\r\n\r\n{body}", body.len());
        if sent.and_then(|()| out.flush()).is_err() {
            self.is_closed.store(true, Ordering::Release);
        }
    }

    pub(super) fn event(&self, event: &str, body: Value) {
        self.send(json!({ "type": "event", "event": event, "body": body }));
    }

    pub(super) fn answer(&self, seq: i64, command: &str, answer: Result<Value, Failed>) {
        let mut message =
            json!({ "type": "response", "request_seq": seq, "command": command, "success": true });
        let Some(fields) = message.as_object_mut() else { return };
        match answer {
            Ok(Value::Null) => {}
            Ok(body) => drop(fields.insert("body".to_owned(), body)),
            Err(failed) => {
                fields.insert("success".to_owned(), false.into());
                fields.insert("message".to_owned(), failed.word().into());
                // Braces in a format are names of variables.
                let error = json!({
                    "id": failed.id(),
                    "format": "{text}",
                    "variables": { "text": failed.text() },
                    "showUser": matches!(failed, Failed::Shown(_)),
                });
                fields.insert("body".to_owned(), json!({ "error": error }));
            }
        }
        self.send(message);
    }
}

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Failed {
    /// It was cancelled.
    Cancelled,
    /// A person should see why.
    Shown(String),
    /// The client should know why.
    Refused(String),
}

impl Failed {
    pub(super) fn because(text: &str) -> Self {
        Self::Refused(text.to_owned())
    }

    /// In the short form that some clients show alone, and others compare.
    fn word(&self) -> &str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Shown(text) | Self::Refused(text) => text,
        }
    }

    fn text(&self) -> &str {
        self.word()
    }

    fn id(&self) -> i64 {
        match self {
            Self::Cancelled => 1,
            Self::Shown(_) => 2,
            Self::Refused(_) => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut input: &[u8]) -> Vec<Result<Incoming, String>> {
        let mut found = Vec::new();
        loop {
            match next(&mut input) {
                Ok(Some(message)) => found.push(Ok(message)),
                Ok(None) => return found,
                Err(broken) => {
                    found.push(Err(broken.to_string()));
                    return found;
                }
            }
        }
    }

    fn framed(body: &str) -> Vec<u8> {
        format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }

    #[test]
    fn a_message_is_a_request_or_an_error_with_its_number_if_that_is_known() {
        let problem = |body: &str| match all(&framed(body)).remove(0) {
            Ok(Incoming::Invalid { seq, problem, .. }) => (seq, problem),
            other => panic!("{other:?}"),
        };
        assert_eq!(problem("{").1, "this is not JSON");
        assert_eq!(problem(&"[".repeat(100_000)).1, "this is not JSON");
        assert_eq!(problem("[]").1, "a message is an object");
        assert_eq!(problem(r#"{"seq":7}"#), (7, "`type` has to be \"request\"".to_owned()));
        let text = r#"{"seq":"7","type":"request","command":"threads"}"#;
        assert_eq!(problem(text), (0, "`seq` is a whole number".to_owned()));
        assert_eq!(problem(r#"{"seq":7,"type":"request"}"#).0, 7);
        let text = r#"{"seq":7,"type":"request","command":"threads","arguments":[]}"#;
        assert_eq!(problem(text), (7, "`arguments` is an object".to_owned()));
        let threads = framed(r#"{"seq":7,"type":"request","command":"threads"}"#);
        assert!(matches!(all(&threads)[..], [Ok(Incoming::Request(_))]));
    }

    #[test]
    fn a_header_is_a_length_and_nothing_that_another_protocol_would_send() {
        let threads = r#"{"seq":1,"type":"request","command":"threads"}"#;
        let two = [framed(threads), framed(threads)].concat();
        assert_eq!(all(&two).len(), 2);
        let with_type = format!(
            "content-type: application/json\ncontent-length:{}\n\n{threads}",
            threads.len()
        );
        assert!(matches!(all(with_type.as_bytes())[..], [Ok(Incoming::Request(_))]));
        for header in [
            "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
            "Host: localhost\r\nContent-Length: 2\r\n\r\n{}",
            "Content-Length: -2\r\n\r\n{}",
            "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
            "\r\n{}",
            "\u{ff}: 2\r\n\r\n",
        ] {
            assert!(matches!(all(header.as_bytes())[..], [Err(_)]), "{header}");
        }
        let endless = vec![b'a'; 1 << 20];
        assert!(all(&endless)[0].as_ref().is_err_and(|why| why.contains("header")));
        // What ends in the middle is no message.
        assert_eq!(all(b"Content-Length: 10\r\n\r\n{}"), []);
        assert_eq!(all(b"Content-Le"), []);
    }

    #[test]
    fn a_body_that_is_too_long_is_skipped_and_the_next_one_is_read() {
        let huge = framed(&" ".repeat(LONGEST + 1));
        let threads = framed(r#"{"seq":1,"type":"request","command":"threads"}"#);
        let found = all(&[huge, threads].concat());
        assert!(matches!(found[..], [Ok(Incoming::Invalid { .. }), Ok(Incoming::Request(_))]));
        let found = all(b"Content-Length: 99999999999999999999999\r\n\r\n");
        assert!(found[0].is_err());
    }
}
