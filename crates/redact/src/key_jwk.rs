//! JSON Web Keys (RFC 7517, RFC 7518): the members that make a key a private one.

use std::ops::Range;

use crate::find::{Span, Unit};
use crate::kind::Kind;

/// RFC 7518, 6.2.2, 6.3.2 and 6.4.1.
const PRIVATE: &[&[u8]] = &[b"d", b"p", b"q", b"dp", b"dq", b"qi", b"k", b"r", b"t"];
/// Bytes of a key around the member that says what type it is of.
const BEFORE: usize = 1 << 13;
const BEHIND: usize = 1 << 14;

/// The values of private members in `text`.
pub(crate) fn find(text: &[u8]) -> Vec<Span> {
    let mut found = Vec::new();
    let mut done = 0;
    for at in memchr::memmem::find_iter(text, b"\"kty\"") {
        if at < done {
            continue;
        }
        let from = at.saturating_sub(BEFORE).max(done);
        let before = text.get(from..at).unwrap_or_default();
        let start = memchr::memrchr(b'{', before).map_or(at, |open| from + open);
        let rest = text.get(at..at.saturating_add(BEHIND).min(text.len())).unwrap_or_default();
        done = at + memchr::memchr(b'}', rest).unwrap_or(rest.len());
        let members = text.get(start..done).unwrap_or_default();
        found.extend(private_values(members).into_iter().map(|range| Span {
            range: start + range.start..start + range.end,
            kind: Kind::PrivateKey,
            unit: Unit::Byte,
        }));
    }
    found
}

/// Strings behind the names of private members.
fn private_values(object: &[u8]) -> Vec<Range<usize>> {
    let mut values = Vec::new();
    let mut quotes = memchr::memchr_iter(b'"', object);
    let mut name: &[u8] = &[];
    let mut name_end = 0;
    while let (Some(open), Some(close)) = (quotes.next(), quotes.next()) {
        let text = object.get(open + 1..close).unwrap_or_default();
        let between = object.get(name_end..open).unwrap_or_default();
        let is_value = between.contains(&b':')
            && between.iter().all(|byte| matches!(byte, b':' | b' ' | b'\t' | b'\n' | b'\r'));
        if is_value && PRIVATE.contains(&name) && !text.is_empty() {
            values.push(open + 1..close);
        }
        name = text;
        name_end = close + 1;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(text: &str) -> Vec<&str> {
        find(text.as_bytes()).into_iter().map(|span| &text[span.range]).collect()
    }

    #[test]
    fn private_members_of_a_key_are_found_and_public_ones_are_not() {
        let key = r#"{"e":"AQAB", "d" : "X4c-T_1", "kty":"RSA","n":"0vx7","p":"83i-","qi":"aa","kid":"d"}"#;
        assert_eq!(hidden(key), ["X4c-T_1", "83i-", "aa"]);
        let keys = format!("{key}\n{{\"kty\":\"oct\",\"k\":\"Gawgg\"}}");
        assert_eq!(hidden(&keys), ["X4c-T_1", "83i-", "aa", "Gawgg"]);
        for other in [r#"{"kty":"RSA","n":"0vx7","e":"AQAB"}"#, r#"{"d":"X4c"}"#, "\"kty\"", ""] {
            assert_eq!(hidden(other), Vec::<&str>::new(), "{other}");
        }
    }

    #[test]
    fn hostile_text_takes_linear_time() {
        let text = "\"kty\"{\"".repeat(200_000);
        let started = std::time::Instant::now();
        find(text.as_bytes());
        assert!(started.elapsed().as_secs() < 5);
    }
}
