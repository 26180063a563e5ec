//! Headers of cookies: which of them stand for a session.

use crate::find::plausible::placeholder::is_no_value;
use crate::find::scan::Scan;
use crate::find::secret;
use crate::find::text::{is_blank, is_word};
use crate::kind::Kind;

impl Scan<'_> {
    /// The pairs of a cookie header from `start` on: values that stand for a session.
    pub(in crate::find) fn cookies(&mut self, start: usize) -> usize {
        let text = self.text;
        let line = text.line(start, 8192).end;
        let mut place = text.run(start, 4, |byte| is_blank(byte) || byte == b'"' || byte == b'\'');
        // `cookie=4f…`, without pairs.
        let bare = text.run(place, 512, |byte| is_word(byte) || b"-_+/.".contains(&byte));
        if matches!(text.at(bare), b' ' | b'\n' | b'\r' | b',' | b'"' | 0)
            && bare - place >= 16
            && secret::is_mixed(text.slice(place..bare))
        {
            return self.hide(place..bare, Kind::Cookie);
        }
        while place < line {
            let name_end = text.run(place, 256, |byte| byte > b' ' && !b"=;\"',".contains(&byte));
            if text.at(name_end) != b'=' {
                // `HttpOnly`, or the end.
                place = text.run(name_end, 2, |byte| byte == b';' || byte == b' ');
                if place == name_end {
                    break;
                }
                continue;
            }
            let name = text.slice(place..name_end);
            let from = name_end + 1;
            let until = text
                .run(from, 8192, |byte| {
                    byte > b' ' && byte != b';' && byte != b'"' && byte != b'\''
                })
                .min(line);
            let value = text.slice(from..until);
            if !is_no_value(value) && is_session_cookie(name, value) {
                self.hide(from..until, Kind::Cookie);
            }
            place = text.run(until, 3, |byte| byte == b';' || byte == b' ' || byte == b'"');
            if place == until {
                break;
            }
        }
        place
    }
}

/// By its name, or by being too random for a preference.
fn is_session_cookie(name: &[u8], value: &[u8]) -> bool {
    const ATTRIBUTES: &[&[u8]] = &[
        b"path",
        b"domain",
        b"expires",
        b"max-age",
        b"samesite",
        b"version",
        b"comment",
        b"priority",
    ];
    const HARMLESS: &[&[u8]] =
        &[b"theme", b"lang", b"locale", b"tz", b"timezone", b"currency", b"consent"];
    let is_one = |known: &[&[u8]]| known.iter().any(|word| name.eq_ignore_ascii_case(word));
    if is_one(ATTRIBUTES) || is_one(HARMLESS) || value.len() < 4 {
        return false;
    }
    let lower = name.to_ascii_lowercase();
    let says = [
        &b"sess"[..],
        b"sid",
        b"auth",
        b"token",
        b"jwt",
        b"csrf",
        b"xsrf",
        b"login",
        b"remember",
        b"user",
        b"ident",
        b"secret",
        b"key",
    ]
    .iter()
    .any(|word| lower.windows(word.len()).any(|part| part == *word));
    if value.first() == Some(&b'%') && value.len() < 4 {
        return false;
    }
    (says && value.len() >= 6) || (value.len() >= 16 && secret::is_mixed(value))
}
