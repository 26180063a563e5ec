//! What a text is: a request, a statement, a command. By its beginning, and by as much of its
//! grammar as no other text has by chance.

/// What was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestKind {
    /// The request line of HTTP/1, and its header.
    Http,
    /// A statement of SQL.
    Sql,
    /// A command in the protocol of Redis.
    Redis,
    /// The path of a method of gRPC.
    Grpc,
    /// A call of JSON-RPC.
    JsonRpc,
}

/// A text that was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// What it is.
    pub kind: RequestKind,
    /// The request line, the statement, the command, the method.
    pub text: Vec<u8>,
    /// Fields of a header.
    pub headers: Vec<Vec<u8>>,
    /// There is more of it.
    pub is_cut: bool,
}

/// What statements create, alter and drop.
const OBJECTS: [&[u8]; 12] = [
    b"TABLE",
    b"INDEX",
    b"VIEW",
    b"TRIGGER",
    b"FUNCTION",
    b"SCHEMA",
    b"DATABASE",
    b"SEQUENCE",
    b"TYPE",
    b"ROLE",
    b"USER",
    b"EXTENSION",
];
/// Bytes of a text that are kept.
pub(super) const LONGEST: usize = 64 << 10;
/// Fields of a header that are kept, and bytes of each.
const MOST_HEADERS: usize = 100;
const LONGEST_HEADER: usize = 8 << 10;
/// Words of a command.
const MOST_WORDS: u64 = 1024;

const METHODS: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE"];

/// What the bytes, which begin where something points to, are.
pub fn recognise(bytes: &[u8]) -> Option<Recognised> {
    let found = match bytes.first()? {
        b'*' => redis(bytes),
        b'/' => grpc(bytes),
        b'{' => json_rpc(bytes),
        b'Q' | b'P' if bytes.get(1) == Some(&0) => postgresql(bytes),
        b'A'..=b'Z' | b'a'..=b'z' => http(bytes).or_else(|| sql(bytes)),
        b' ' | b'\n' | b'\r' | b'\t' | b'-' | b'(' => sql(bytes),
        _ => None,
    };
    // The first byte of a packet may be any.
    found.or_else(|| mysql(bytes))
}

/// `GET /x HTTP/1.1`, and the fields until the empty line.
fn http(bytes: &[u8]) -> Option<Recognised> {
    let line_end = bytes.iter().take(LONGEST).position(|byte| *byte == b'\n')?;
    let line = bytes.get(..line_end)?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut words = line.split(|byte| *byte == b' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let is_version = version.strip_prefix(b"HTTP/1.").is_some_and(|minor| minor.len() == 1);
    let is_one = METHODS.iter().any(|known| known.as_bytes() == method)
        && is_version
        && words.next().is_none()
        && !target.is_empty()
        && target.iter().all(|byte| *byte > b' ' && *byte != 0x7f);
    if !is_one {
        return None;
    }
    let mut headers = Vec::new();
    let mut rest = bytes.get(line_end.checked_add(1)?..)?;
    let mut is_cut = true;
    while headers.len() < MOST_HEADERS {
        let Some(end) = rest.iter().take(LONGEST_HEADER).position(|byte| *byte == b'\n') else {
            break;
        };
        let field = rest.get(..end)?;
        let field = field.strip_suffix(b"\r").unwrap_or(field);
        if field.is_empty() {
            is_cut = false;
            break;
        }
        if !is_field(field) {
            break;
        }
        headers.push(field.to_vec());
        rest = rest.get(end.checked_add(1)?..)?;
    }
    Some(Recognised { kind: RequestKind::Http, text: line.to_vec(), headers, is_cut })
}

/// `Name: value` (RFC 9112, section 5).
fn is_field(field: &[u8]) -> bool {
    let Some(colon) = field.iter().position(|byte| *byte == b':') else { return false };
    let (name, value) = field.split_at_checked(colon).unwrap_or_default();
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !name.is_empty()
        && name.iter().all(is_token)
        && value.iter().all(|byte| *byte >= b' ' || *byte == b'\t')
}

/// A statement: its first words, and nothing that no text has until its end.
fn sql(bytes: &[u8]) -> Option<Recognised> {
    let end = bytes.iter().take(LONGEST).position(|byte| is_no_text(*byte));
    let text = bytes.get(..end.unwrap_or(bytes.len().min(LONGEST)))?;
    // A character that is cut is no text either.
    let valid = text.utf8_chunks().next()?.valid().as_bytes();
    let text = if valid.len() == text.len() || end.is_none() { valid } else { return None };
    let is_ended = end.is_some_and(|end| bytes.get(end) == Some(&0));
    if !is_statement(text) {
        return None;
    }
    let text = text.trim_ascii_end().to_vec();
    Some(Recognised { kind: RequestKind::Sql, text, headers: Vec::new(), is_cut: !is_ended })
}

fn is_no_text(byte: u8) -> bool {
    (byte < b' ' && !matches!(byte, b'\n' | b'\r' | b'\t')) || byte == 0x7f
}

/// Whether a text begins as a statement does. Words of English do, too: so the words after it
/// count.
fn is_statement(text: &[u8]) -> bool {
    let text = without_comments(text);
    let mut words = text
        .split(|byte| {
            !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'"' | b'`' | b'.' | b'*'))
        })
        .filter(|word| !word.is_empty());
    let mut next = || words.next().map(<[u8]>::to_ascii_uppercase).unwrap_or_default();
    let (first, second, third) = (next(), next(), next());
    let has = |word: &[u8]| contains_word(text, word);
    let is_object = |word: &[u8]| OBJECTS.contains(&word);
    // A name of a program has its words joined: `create-or-move`.
    let behind = text.get(first.len()).copied().unwrap_or(b' ');
    if !behind.is_ascii_whitespace() && !b"(*\"'`/@:".contains(&behind) {
        return false;
    }
    match first.as_slice() {
        b"SELECT" => {
            let is_short = second.first().is_some_and(u8::is_ascii_digit)
                || has_call(text)
                || has_quoted(text)
                || second == b"*"
                || second == b"SELECT";
            let is_named = second != b"AS" && has(b"AS");
            !second.is_empty() && (has(b"FROM") || is_short || is_named)
        }
        b"INSERT" | b"REPLACE" => {
            let is_into = second == b"INTO" || (second == b"OR" && has(b"INTO"));
            is_into && (has(b"VALUES") || has(b"SELECT") || has(b"DEFAULT"))
        }
        b"UPDATE" => has(b"SET") && text.contains(&b'='),
        b"DELETE" => second == b"FROM" && !third.is_empty(),
        b"MERGE" => second == b"INTO" && has(b"USING"),
        b"WITH" => has(b"AS") && text.contains(&b'(') && (has(b"SELECT") || has(b"INSERT")),
        b"CREATE" => {
            let modifiers: [&[u8]; 6] =
                [b"TEMP", b"TEMPORARY", b"UNIQUE", b"OR", b"VIRTUAL", b"MATERIALIZED"];
            let is_modified = modifiers.contains(&second.as_slice())
                && (is_object(&third) || third == b"REPLACE" || OBJECTS.iter().any(|it| has(it)));
            is_object(&second) || is_modified
        }
        b"ALTER" | b"DROP" => is_object(&second) && !third.is_empty(),
        b"TRUNCATE" => second == b"TABLE" && !third.is_empty(),
        b"COPY" => has(b"FROM") || has(b"TO"),
        b"EXPLAIN" => has(b"SELECT") || has(b"INSERT") || has(b"UPDATE") || has(b"DELETE"),
        b"DO" => text.windows(2).any(|two| two == b"$$"),
        b"PREPARE" => third == b"AS" || (has(b"AS") && text.contains(&b'(')),
        b"DECLARE" => has(b"CURSOR") && has(b"FOR"),
        b"REFRESH" => second == b"MATERIALIZED" && third == b"VIEW",
        b"GRANT" => has(b"ON") && has(b"TO"),
        b"REVOKE" => has(b"ON") && has(b"FROM"),
        b"LOCK" => second == b"TABLE" && !third.is_empty(),
        b"REINDEX" => is_object(&second) && !third.is_empty(),
        b"CALL" => text.contains(&b'(') && !second.is_empty(),
        _ => false,
    }
}

/// The text after blanks, comments and an open parenthesis.
fn without_comments(mut text: &[u8]) -> &[u8] {
    for _ in 0..8 {
        text = text.trim_ascii_start();
        let after = if let Some(rest) = text.strip_prefix(b"--") {
            rest.iter().position(|byte| *byte == b'\n').and_then(|end| rest.get(end..))
        } else if let Some(rest) = text.strip_prefix(b"/*") {
            let end = rest.windows(2).take(4096).position(|two| two == b"*/");
            end.and_then(|end| rest.get(end.checked_add(2)?..))
        } else {
            text.strip_prefix(b"(")
        };
        match after {
            Some(after) => text = after,
            None => break,
        }
    }
    text
}

/// Whether a call is in a text: a name, and its parenthesis directly after it. One after a blank
/// is of a sentence: `select (no cases)`.
fn has_call(text: &[u8]) -> bool {
    text.windows(2).any(|two| {
        matches!(two, [before, b'('] if before.is_ascii_alphanumeric() || matches!(before, b'_' | b'"'))
    })
}

/// Whether a literal begins in a text; an apostrophe is within a word.
fn has_quoted(text: &[u8]) -> bool {
    text.windows(2).any(|two| matches!(two, [before, b'\''] if !before.is_ascii_alphanumeric()))
}

fn contains_word(text: &[u8], word: &[u8]) -> bool {
    let is_of_word =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    text.windows(word.len()).enumerate().take(LONGEST).any(|(at, found)| {
        found.eq_ignore_ascii_case(word)
            && !at.checked_sub(1).is_some_and(|before| is_of_word(text.get(before)))
            && !is_of_word(text.get(at.saturating_add(word.len())))
    })
}

/// `*2\r\n$3\r\nGET\r\n$1\r\nk\r\n`: an array of strings with their lengths.
fn redis(bytes: &[u8]) -> Option<Recognised> {
    let mut rest = bytes;
    let count = number_line(&mut rest, b'*').filter(|count| (1..=MOST_WORDS).contains(count))?;
    let mut words: Vec<Vec<u8>> = Vec::new();
    let mut is_cut = false;
    for _ in 0..count {
        let Some(length) = number_line(&mut rest, b'$') else {
            is_cut = true;
            break;
        };
        let length = usize::try_from(length).ok()?;
        let Some(word) = rest.get(..length) else {
            words.push(rest.iter().copied().take(LONGEST).collect());
            is_cut = true;
            break;
        };
        words.push(word.to_vec());
        rest = rest.get(length..)?.strip_prefix(b"\r\n")?;
    }
    let is_command = words.first().is_some_and(|first| {
        !first.is_empty() && first.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'.')
    });
    let text = words.join(&b' ');
    is_command.then_some(Recognised { kind: RequestKind::Redis, text, headers: Vec::new(), is_cut })
}

/// The number in a line that begins with `sign`; what follows is left.
fn number_line(rest: &mut &[u8], sign: u8) -> Option<u64> {
    let line = rest.strip_prefix(&[sign])?;
    let end = line.iter().take(12).position(|byte| *byte == b'\r')?;
    let number = std::str::from_utf8(line.get(..end)?).ok()?.parse().ok()?;
    *rest = line.get(end..)?.strip_prefix(b"\r\n")?;
    Some(number)
}

/// `/shop.v1.Cart/AddItem`.
fn grpc(bytes: &[u8]) -> Option<Recognised> {
    let is_of_path = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'/');
    let length = bytes.iter().take(256).take_while(|byte| is_of_path(byte)).count();
    let text = bytes.get(..length)?;
    if bytes.get(length).is_some_and(u8::is_ascii_graphic) {
        return None;
    }
    let mut parts = text.get(1..)?.split(|byte| *byte == b'/');
    let (service, method) = (parts.next()?, parts.next()?);
    let name = service.rsplit(|byte| *byte == b'.').next()?;
    let is_camel = |name: &[u8]| {
        name.first().is_some_and(u8::is_ascii_uppercase)
            && name.iter().any(u8::is_ascii_lowercase)
            && name.iter().all(u8::is_ascii_alphanumeric)
    };
    let is_one =
        parts.next().is_none() && service.contains(&b'.') && is_camel(name) && is_camel(method);
    let text = text.to_vec();
    is_one.then_some(Recognised {
        kind: RequestKind::Grpc,
        text,
        headers: Vec::new(),
        is_cut: false,
    })
}

/// An object with the members `jsonrpc` and `method`.
fn json_rpc(bytes: &[u8]) -> Option<Recognised> {
    let end = bytes.iter().take(LONGEST).position(|byte| is_no_text(*byte));
    let text = bytes.get(..end.unwrap_or(bytes.len().min(LONGEST)))?;
    let text = text.utf8_chunks().next()?.valid();
    let has = |name: &str| text.contains(name);
    if !has("\"jsonrpc\"") || !has("\"method\"") {
        return None;
    }
    // One value: what follows it is another's.
    let mut depth = 0_usize;
    let mut is_string = false;
    let mut is_escaped = false;
    let mut length = None;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_string => is_escaped = true,
            b'"' => is_string = !is_string,
            b'{' if !is_string => depth = depth.saturating_add(1),
            b'}' if !is_string => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    length = Some(at.saturating_add(1));
                    break;
                }
            }
            _ => {}
        }
    }
    let is_cut = length.is_none();
    let text = text.get(..length.unwrap_or(text.len()))?;
    let is_whole = text.contains("\"method\"");
    let text = text.as_bytes().to_vec();
    is_whole.then_some(Recognised { kind: RequestKind::JsonRpc, text, headers: Vec::new(), is_cut })
}

/// `Q`, a length and a statement; or `P` with a name before it (protocol 3.0).
fn postgresql(bytes: &[u8]) -> Option<Recognised> {
    let length = u32::from_be_bytes(bytes.get(1..5)?.try_into().ok()?);
    let length = usize::try_from(length).ok()?.checked_sub(4)?;
    let mut text = bytes.get(5..)?;
    if bytes.first() == Some(&b'P') {
        let name = text.iter().take(64).position(|byte| *byte == 0)?;
        text = text.get(name.checked_add(1)?..)?;
    }
    let found = sql(text)?;
    (length >= found.text.len()).then_some(found)
}

/// A packet of MySQL: its length in three bytes, a number, `COM_QUERY` or `COM_STMT_PREPARE`.
fn mysql(bytes: &[u8]) -> Option<Recognised> {
    let [low, middle, high, _, command] = *bytes.first_chunk::<5>()?;
    let length = usize::try_from(u32::from_le_bytes([low, middle, high, 0])).ok()?;
    if !matches!(command, 3 | 22) || length < 6 {
        return None;
    }
    let end = length.checked_add(4)?.min(bytes.len());
    let text = bytes.get(5..end)?;
    let mut found = sql(text)?;
    found.is_cut = bytes.len() < length;
    (found.text.len() == text.trim_ascii_end().len() || found.is_cut).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> Option<(RequestKind, String)> {
        let found = recognise(bytes)?;
        Some((found.kind, String::from_utf8(found.text).unwrap()))
    }

    #[test]
    fn a_request_has_its_line_and_its_header() {
        let found = recognise(
            b"GET /a?b=1 HTTP/1.1\r\nHost: x\r\nX-Trace: 7\r\n\r\nGET /next HTTP/1.1\r\n",
        );
        let found = found.unwrap();
        assert_eq!(found.text, b"GET /a?b=1 HTTP/1.1");
        assert_eq!(found.headers, [b"Host: x".to_vec(), b"X-Trace: 7".to_vec()]);
        assert!(!found.is_cut);
        let cut = recognise(b"GET / HTTP/1.0\r\nHost: x\r\nX-").unwrap();
        assert!(cut.is_cut && cut.headers.len() == 1);
        for other in [&b"GET / HTTP/2\r\n\r\n"[..], b"GETS / HTTP/1.1\r\n\r\n", b"GET /"] {
            assert_eq!(of(other), None);
        }
    }

    #[test]
    fn statements_are_those_of_sql_and_no_sentences() {
        for text in [
            "SELECT * FROM users WHERE id = 7",
            "select pg_sleep(10)",
            "select (select 1)",
            "select 'a'",
            "select now() as n",
            "SELECT 1",
            "insert into t (a) values (1)",
            "UPDATE t SET a = 1",
            "delete from t where a = 1;",
            "-- why\n/* what */ WITH x AS (SELECT 1) SELECT * FROM x",
            "CREATE TABLE t (a int)",
            "CREATE OR REPLACE VIEW v AS SELECT 1",
            "CREATE UNIQUE INDEX i ON t (a)",
            "DO $$ BEGIN PERFORM 1; END $$",
        ] {
            let whole = [text.as_bytes(), b"\0more"].concat();
            assert_eq!(of(&whole), Some((RequestKind::Sql, text.to_owned())), "{text}");
        }
        for text in [
            "select a file\0",
            "select (no cases)\0",
            "select the user's file\0",
            "select as many\0",
            "Update the program\0",
            "insert coin\0",
            "delete\0",
            "create it\0",
            "create-or-move\0",
            "create or move\0",
            "with love\0",
            "copyright\0",
            "selection from here\0",
            "do not do this\0",
            "declare for me\0",
        ] {
            assert_eq!(of(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn commands_of_redis_have_their_lengths() {
        let found = of(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhe lo\r\n*1\r\n$4\r\nPING\r\n");
        assert_eq!(found, Some((RequestKind::Redis, "SET k he lo".to_owned())));
        assert_eq!(of(b"*3\r\n$3\r\nSETX\r\n"), None);
        assert_eq!(of(b"*** no command\r\n"), None);
        assert!(recognise(b"*2\r\n$4\r\nEVAL\r\n$90\r\nwhile").unwrap().is_cut);
    }

    #[test]
    fn packets_of_servers_hold_statements() {
        let postgres = [&b"Q\0\0\0\x0dSELECT 1\0"[..], b"X"].concat();
        assert_eq!(of(&postgres), Some((RequestKind::Sql, "SELECT 1".to_owned())));
        let mysql = b"\x09\0\0\0\x03SELECT 1";
        assert_eq!(of(mysql), Some((RequestKind::Sql, "SELECT 1".to_owned())));
    }

    #[test]
    fn methods_are_those_of_a_service() {
        let path = b"/shop.v1.Cart/AddItem\0";
        assert_eq!(of(path), Some((RequestKind::Grpc, "/shop.v1.Cart/AddItem".to_owned())));
        for other in [&b"/usr/lib/x.so\0"[..], b"/etc/conf.d/Main/x\0", b"/a/B\0"] {
            assert_eq!(of(other), None);
        }
        let call = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"a":"}"}}{"x":1}"#;
        let (kind, text) = of(call).unwrap();
        assert_eq!(kind, RequestKind::JsonRpc);
        assert!(text.ends_with("\"}\"}}"), "{text}");
    }

    #[test]
    fn any_bytes_are_survived() {
        for first in 0..=255_u8 {
            for rest in [&b""[..], b"\0", b"\xff\xff\xff\xff\xff", b"Q\xff\xff\xff\xffSELECT 1"] {
                let bytes = [&[first][..], rest].concat();
                let _ = recognise(&bytes);
            }
        }
    }
}
