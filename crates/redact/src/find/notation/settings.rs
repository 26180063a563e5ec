//! Users and passwords by their place: in commands of Redis, in what Oracle and Go's drivers
//! connect with.

use std::ops::Range;

use crate::field_name;
use crate::find::field::value::{Separator, Value};
use crate::find::plausible;
use crate::find::plausible::person_name::is_role_account;
use crate::find::plausible::placeholder::is_no_value;
use crate::find::scan::Scan;
use crate::kind::Kind;

/// Bytes of a user or a password.
const LONGEST: usize = 128;

impl Scan<'_> {
    /// `ann on >secret <hash`, behind `SETUSER` (Redis).
    pub(super) fn rules_of_user(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let word = |from: usize| text.run(from, LONGEST, |byte| byte > b' ');
        let user = end + 1;
        let mut place = word(user);
        if !is_role_account(text.slice(user..place)) && text.slice(user..place) != b"default" {
            self.hide_filled(user..place, Kind::User);
        }
        for _ in 0..16 {
            let from = place + 1;
            let stop = word(from);
            if text.at(place) != b' ' || stop == from {
                break;
            }
            match text.at(from) {
                b'>' => self.hide(from + 1..stop, Kind::Password),
                b'#' => self.hide(from + 1..stop, Kind::PasswordHash),
                _ => stop,
            };
            place = stop;
        }
        None
    }

    /// `ann secret` behind a blank at `end`, to the end of the line.
    pub(super) fn user_and_password(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let user = end + 1..text.run(end + 1, LONGEST, |byte| byte > b' ');
        let fits = text.at(end) == b' ' && text.at(user.end) == b' ';
        if fits { self.user_and_word(user) } else { None }
    }

    /// `{tulip;99}`, whose text begins at `from`.
    pub(super) fn braced(&mut self, from: usize) -> Option<usize> {
        let text = self.text;
        let end = text.run(from, LONGEST, |byte| byte != b'}' && byte > b' ');
        let is_closed = text.at(end) == b'}' && !is_no_value(text.slice(from..end));
        (is_closed && end > from + 2).then(|| self.hide(from..end, Kind::Password))
    }

    /// `inline:<base64>|2^20`, whose key begins at `from`.
    pub(super) fn inline_key(&mut self, from: usize) -> Option<usize> {
        let text = self.text;
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
        let end = text.run(from, LONGEST, is_part);
        (end - from >= 30).then(|| self.hide(from..end, Kind::Secret))
    }

    /// `{<<"user">>,<<"ann">>}`, whose name begins at `from`.
    pub(super) fn pair_of_binaries(&mut self, from: usize) -> Option<usize> {
        let text = self.text;
        let name = text.run(from, 64, |byte| byte != b'"' && byte != b'\n');
        let behind =
            [&b"\">>,<<\""[..], b"\">>, <<\""].into_iter().find(|sign| text.has(name, sign))?;
        let start = name + behind.len();
        let end = text.run(start, LONGEST, |byte| byte != b'"' && byte != b'\n');
        let field = field_name::field(text.slice(from..name))?;
        let value = Value { range: start..end, is_delimited: true, separator: Separator::Tight };
        let range = plausible::sensitive(text, &value, field)?;
        Some(self.hide(range, field.kind))
    }

    /// Hides `user`, and the word behind the byte at its end.
    pub(super) fn user_and_word(&mut self, user: Range<usize>) -> Option<usize> {
        let text = self.text;
        let password = user.end + 1..text.run(user.end + 1, LONGEST, |byte| byte > b' ');
        if password.is_empty() || user.is_empty() {
            return None;
        }
        self.hide_filled(user, Kind::User);
        Some(self.hide(password, Kind::Password))
    }

    /// `hq ann : EAP "…"`: the last selector before the word at `start`.
    pub(super) fn selector(&mut self, start: usize) -> Option<usize> {
        let text = self.text;
        let end = start - b" : ".len();
        let user = text.run_back(end, LONGEST, |byte| byte > b' ');
        let bytes = text.slice(user..end);
        let is_host =
            bytes.starts_with(b"%") || bytes.iter().all(|byte| b"0123456789.:/".contains(byte));
        if !is_host {
            self.hide_filled(user..end, Kind::User);
        }
        None
    }

    /// `Login OK: [ann/secret] (from client …`, whose word ends at `end`.
    pub(super) fn logged_login(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let open = text.run(end, 64, |byte| byte != b'[' && byte != b'\n');
        let close = text.run(open, LONGEST, |byte| byte != b']' && byte != b'\n');
        let slash = text.run(open, close - open, |byte| byte != b'/');
        if !text.has(close, b"] (") || text.at(open + 1) == b'<' {
            return None;
        }
        self.hide_filled(open + 1..slash, Kind::User);
        if slash + 1 < close && text.at(slash + 1) != b'<' {
            self.hide(slash + 1..close, Kind::Password);
        }
        Some(close)
    }

    /// `"value": "…", "type": "string", "sensitive": true`, in either order, whose `sensitive`
    /// is at `start..end`.
    pub(super) fn sensitive_output(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let colon = text.run(end + 1, 4, |byte| byte == b' ');
        let value = text.run(colon + 1, 4, |byte| byte == b' ');
        if text.at(colon) != b':' || !text.has(value, b"true") {
            return None;
        }
        let open = text.run_back(start, 512, |byte| !matches!(byte, b'{' | b'}'));
        let close = text.run(value, 512, |byte| !matches!(byte, b'{' | b'}'));
        let name = open + memchr::memmem::find(text.slice(open..close), b"\"value\"")? + 7;
        let colon = text.run(name, 4, |byte| byte == b' ');
        let quote = text.run(colon + 1, 4, |byte| byte == b' ');
        let stop = text.run(quote + 1, 512, |byte| byte != b'"' && byte != b'\n');
        if text.at(quote) == b'"' {
            self.hide_filled(quote + 1..stop, Kind::Secret);
        }
        None
    }

    /// `ann/secret@…` in the words from `from` on, with options of one letter before.
    pub(super) fn connect_string(&mut self, from: usize) -> Option<usize> {
        let text = self.text;
        let mut start = from;
        for _ in 0..4 {
            let end = text.run(start, LONGEST, |byte| byte > b' ' && byte != b'"');
            let word = text.slice(start..end);
            let slash = start + memchr::memchr(b'/', word).unwrap_or(word.len());
            let at = start + memchr::memchr(b'@', word).unwrap_or(word.len());
            let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_$#.-".contains(byte);
            let user = text.slice(start..slash);
            let is_path = text.slice(slash..end).iter().filter(|byte| **byte == b'/').count() > 1
                && at == end;
            if slash < at && !user.is_empty() && user.iter().all(is_name) && !is_path {
                let password = slash + 1..at;
                if is_no_value(text.slice(password.clone())) || user.starts_with(b"-") {
                    return None;
                }
                self.hide(start..slash, Kind::User);
                return Some(self.hide(password, Kind::Password));
            }
            let is_skipped =
                word.starts_with(b"-") || word == b"target" || word.starts_with(b"userid=");
            if !is_skipped || text.at(end) != b' ' {
                return None;
            }
            start = end + 1;
        }
        None
    }

    /// `ann:secret@tcp(…)`, whose `tcp` is at `start..end` (Go).
    pub(super) fn source_name(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        if text.at(end) != b'(' {
            return None;
        }
        let from =
            text.run_back(start - 1, LONGEST, |byte| byte > b' ' && !b"\"'`=<>,".contains(&byte));
        let colon = text.run(from, start - 1 - from, |byte| byte != b':');
        let is_pair = colon > from && colon + 1 < start - 1 && !text.has(colon, b"://");
        if !is_pair || is_no_value(text.slice(colon + 1..start - 1)) {
            return None;
        }
        if !is_role_account(text.slice(from..colon)) {
            self.hide_filled(from..colon, Kind::User);
        }
        self.hide(colon + 1..start - 1, Kind::Password);
        None
    }
}
