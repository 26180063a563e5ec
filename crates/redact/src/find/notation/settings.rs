//! Users and passwords by their place: in commands of Redis, in what Oracle and Go's drivers
//! connect with.

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
        let word = |from: usize| text.run(from, LONGEST, |byte| byte > b' ');
        let user = word(end + 1);
        let password = word(user + 1);
        let fits = text.at(end) == b' ' && text.at(user) == b' ' && password > user + 1;
        if !fits || user == end + 1 {
            return None;
        }
        self.hide_filled(end + 1..user, Kind::User);
        Some(self.hide(user + 1..password, Kind::Password))
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
