//! Messages: JSON-RPC 2.0, one in each line.

use std::io::{self, BufRead};

use obit_report::json::read_nested;
use serde_json::{Map, Value, json};

/// Bytes of one message.
pub(super) const LONGEST: usize = 4 << 20;

/// JSON-RPC 2.0, section 5.1.
pub(super) const PARSE_ERROR: i64 = -32_700;
pub(super) const INVALID_REQUEST: i64 = -32_600;
pub(super) const METHOD_NOT_FOUND: i64 = -32_601;
pub(super) const INVALID_PARAMS: i64 = -32_602;
/// Of the protocol: a resource that does not exist.
pub(super) const NO_RESOURCE: i64 = -32_002;

/// What came in.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Incoming {
    Request {
        id: Value,
        method: String,
        params: Map<String, Value>,
    },
    Notification {
        method: String,
        params: Map<String, Value>,
    },
    /// An answer to something that was never asked.
    Response,
    Invalid {
        id: Value,
        code: i64,
        problem: String,
    },
}

/// The next line; `None` at the end. One that is too long is read to its end and dropped.
pub(super) fn next_line(input: &mut impl BufRead) -> io::Result<Option<Result<Vec<u8>, ()>>> {
    let (mut line, mut is_too_long) = (Vec::new(), false);
    loop {
        let buffer = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if buffer.is_empty() {
            let is_end = line.is_empty() && !is_too_long;
            return Ok((!is_end).then_some(if is_too_long { Err(()) } else { Ok(line) }));
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
        if line.len().saturating_add(part.len()) > LONGEST {
            is_too_long = true;
            line = Vec::new();
        }
        if !is_too_long {
            line.extend_from_slice(part);
        }
        let taken = part.len().saturating_add(usize::from(end.is_some()));
        input.consume(taken);
        if end.is_some() {
            return Ok(Some(if is_too_long { Err(()) } else { Ok(line) }));
        }
    }
}

/// Reads one message.
pub(super) fn read(line: &[u8]) -> Incoming {
    let invalid = |id: Value, code, problem: &str| Incoming::Invalid {
        id,
        code,
        problem: problem.to_owned(),
    };
    let mut message = match read_nested::<Value>(line) {
        Ok(Value::Object(message)) => message,
        Ok(Value::Array(_)) => {
            return invalid(Value::Null, INVALID_REQUEST, "batches are not part of the protocol");
        }
        Ok(_) => return invalid(Value::Null, INVALID_REQUEST, "a message is an object"),
        Err(_) => return invalid(Value::Null, PARSE_ERROR, "this is not JSON"),
    };
    let id = message.remove("id");
    let known_id = id.clone().filter(|id| id.is_string() || id.is_i64() || id.is_u64());
    let for_error = known_id.clone().unwrap_or(Value::Null);
    if message.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return invalid(for_error, INVALID_REQUEST, "`jsonrpc` has to be \"2.0\"");
    }
    let method = match message.remove("method") {
        Some(Value::String(method)) => method,
        Some(_) => return invalid(for_error, INVALID_REQUEST, "`method` is a text"),
        None if message.contains_key("result") || message.contains_key("error") => {
            return Incoming::Response;
        }
        None => return invalid(for_error, INVALID_REQUEST, "`method` is missing"),
    };
    let params = match message.remove("params") {
        None => Map::new(),
        Some(Value::Object(params)) => params,
        Some(_) => return invalid(for_error, INVALID_REQUEST, "`params` is an object"),
    };
    match (id, known_id) {
        (None, _) => Incoming::Notification { method, params },
        (Some(_), Some(id)) => Incoming::Request { id, method, params },
        (Some(_), None) => {
            invalid(Value::Null, INVALID_REQUEST, "`id` is a text or a whole number")
        }
    }
}

/// A result.
pub(super) fn result(id: &Value, result: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

/// An error.
pub(super) fn error(id: &Value, code: i64, problem: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": problem } })
}

/// Something that is not answered.
pub(super) fn notification(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_requests_notifications_or_errors_with_the_id_if_it_is_known() {
        let code = |line: &str| match read(line.as_bytes()) {
            Incoming::Invalid { id, code, .. } => (id, code),
            other => panic!("{other:?}"),
        };
        assert_eq!(code("{"), (Value::Null, PARSE_ERROR));
        assert_eq!(code("[]"), (Value::Null, INVALID_REQUEST));
        assert_eq!(code("3"), (Value::Null, INVALID_REQUEST));
        assert_eq!(code(r#"{"id":1,"method":"ping"}"#), (json!(1), INVALID_REQUEST));
        assert_eq!(code(r#"{"jsonrpc":"2.0","id":"a"}"#), (json!("a"), INVALID_REQUEST));
        let null = r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#;
        assert_eq!(code(null), (Value::Null, INVALID_REQUEST));
        let params = r#"{"jsonrpc":"2.0","id":2,"method":"ping","params":[1]}"#;
        assert_eq!(code(params), (json!(2), INVALID_REQUEST));
        assert_eq!(code(&"[".repeat(100_000)), (Value::Null, PARSE_ERROR));
        let ping = read(br#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#);
        assert!(matches!(ping, Incoming::Request { .. }));
        let notified = read(br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        assert!(matches!(notified, Incoming::Notification { .. }));
        assert_eq!(read(br#"{"jsonrpc":"2.0","id":2,"result":{}}"#), Incoming::Response);
    }

    #[test]
    fn a_line_that_is_too_long_is_dropped_and_the_next_one_is_read() {
        let mut input = vec![b'x'; LONGEST + 1];
        input.extend_from_slice(b"\nnext\nlast");
        let mut input = io::BufReader::with_capacity(100, &input[..]);
        assert_eq!(next_line(&mut input).unwrap(), Some(Err(())));
        assert_eq!(next_line(&mut input).unwrap(), Some(Ok(b"next".to_vec())));
        assert_eq!(next_line(&mut input).unwrap(), Some(Ok(b"last".to_vec())));
        assert_eq!(next_line(&mut input).unwrap(), None);
    }
}
