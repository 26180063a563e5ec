//! Passwords in lines of protocols: Redis, mail, FTP, POP, IMAP.

use std::ops::Range;

use crate::find::scan::Scan;
use crate::find::text::Text;
use crate::kind::Kind;

impl Scan<'_> {
    /// `AUTH hunter2`, `"AUTH" "hunter2"`, `AUTH⏎$7⏎hunter2`: of Redis, on the wire and in
    /// its monitor; `AUTH PLAIN …` of mail.
    pub(in crate::find) fn auth(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let word = |from: usize| text.run(from, 256, |byte| byte > b' ');
        let line = text.run(end, 512, |byte| !matches!(byte, b'\r' | b'\n' | 0));
        let begins = start == 0 || matches!(text.before(start), b'\n' | 0);
        if text.has(end, b"\" \"") {
            // Who, and what; or that alone.
            let close = text.run_back(line, 8, |byte| byte <= b' ');
            let last = text.run_back(close.saturating_sub(1), 256, |byte| byte != b'"');
            let is_last = text.before(close) == b'"' && last > end + 2 && last + 1 < close;
            let first = end + 3..text.run(end + 3, 256, |byte| byte != b'"' && byte > b' ');
            if is_last && first.end < last {
                self.hide_filled(first, Kind::User);
            }
            return is_last.then(|| self.hide(last..close - 1, Kind::Password));
        }
        if text.has(end, b"\r\n$") {
            let digits = text.run(end + 3, 8, |byte| byte.is_ascii_digit());
            let from = digits + 2;
            let until = text.run(from, 512, |byte| !matches!(byte, b'\r' | b'\n' | 0));
            let is_bulk = digits > end + 3 && text.has(digits, b"\r\n") && until > from;
            return is_bulk.then(|| self.hide(from..until, Kind::Password));
        }
        if !begins || text.at(end) != b' ' {
            return None;
        }
        let first = word(end + 1);
        let is_method = text
            .slice(end + 1..first)
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'-');
        match (is_method, text.at(first)) {
            (false, _) if first >= line && first > end + 4 => {
                Some(self.hide(end + 1..first, Kind::Password))
            }
            (true, b' ') if word(first + 1) >= line && line > first + 8 => {
                Some(self.hide(first + 1..line, Kind::Secret))
            }
            _ => None,
        }
    }

    /// `USER bob`, `PASS hunter2`: a line of FTP or POP, whose word ends at `end`, and its
    /// only argument.
    pub(in crate::find) fn only_argument(
        &mut self,
        start: usize,
        end: usize,
    ) -> Option<Range<usize>> {
        let text = self.text;
        let argument = self.argument(end)?;
        let is_line = is_line_start(text, start) && is_line_end(text, argument.end);
        is_line.then_some(argument)
    }

    /// `USER ann 0 * :Ann Lee`, of IRC, whose word is at `start..end`.
    pub(in crate::find) fn user_of_chat(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let user = self.argument(end)?;
        let mode = text.run(user.end + 1, 8, |byte| byte.is_ascii_digit());
        let server = text.run(mode + 1, 64, |byte| byte > b' ');
        let is_line = is_line_start(text, start) && mode > user.end + 1 && text.has(server, b" :");
        (is_line && self.hide_filled(user.clone(), Kind::User)).then_some(user.end)
    }

    /// `a1 LOGIN bob hunter2`, of IMAP, where a tag at most is before the word.
    pub(in crate::find) fn login(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let line = text.run_back(start, 12, |byte| byte != b'\n' && byte != 0);
        let user = self.argument(end)?;
        let password = self.argument(user.end)?;
        let is_tagged = text.slice(line..start).iter().filter(|byte| **byte == b' ').count() <= 1;
        // `C: a043 LOGIN`: the tag is the word before.
        let tag_end = start.saturating_sub(1);
        let tag = text.slice(text.run_back(tag_end, 10, |byte| byte > b' ')..tag_end);
        let is_tag = tag.len() <= 8
            && tag.iter().any(u8::is_ascii_digit)
            && tag.iter().all(u8::is_ascii_alphanumeric);
        let is_tagged = is_tag || is_tagged && text.at(start) == b'L';
        let behind = password.end + usize::from(text.at(password.end) == b'"');
        if !is_line_end(text, behind) || !is_tagged || password.len() < 3 {
            return None;
        }
        self.hide(user, Kind::User);
        Some(self.hide(password, Kind::Password))
    }

    /// The word behind the one that ends at `end`, and one blank; or the text in quotes.
    fn argument(&self, end: usize) -> Option<Range<usize>> {
        let text = self.text;
        let end = end + usize::from(text.at(end) == b'"');
        if text.has(end, b" \"") {
            let stop = text.run(end + 2, 256, |byte| byte != b'"' && byte >= b' ');
            return (text.at(stop) == b'"').then_some(end + 2..stop);
        }
        let argument = end + 1..text.run(end + 1, 256, |byte| byte > b' ');
        (text.at(end) == b' ').then_some(argument)
    }
}

/// Whether the word at `start` begins its line, of whose start twelve bytes are looked at, or
/// is behind an arrow: `---> USER ann`, `C: USER ann`.
fn is_line_start(text: Text<'_>, start: usize) -> bool {
    let line = text.run_back(start, 12, |byte| byte != b'\n' && byte != 0);
    let arrow = text.slice(line..start);
    let is_arrow = arrow.ends_with(b" ")
        && arrow.iter().all(|byte| b"-=<>C: ".contains(byte))
        && arrow.iter().any(|byte| b"<>:".contains(byte));
    line == start || is_arrow && arrow.len() < 12
}

fn is_line_end(text: Text<'_>, place: usize) -> bool {
    matches!(text.at(place), b'\r' | b'\n' | 0)
}
