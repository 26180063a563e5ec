//! Who a statement or a command is about, and what replaces a password.

use crate::find::plausible::person_name::is_role_account;
use crate::find::scan::Scan;
use crate::find::text::{is_blank, is_word};
use crate::kind::Kind;

/// Codes of a list, and bytes of one.
const MOST_CODES: usize = 24;
const CODE: std::ops::RangeInclusive<usize> = 6..=16;

impl Scan<'_> {
    /// The login from `start` to `close`.
    pub(in crate::find) fn login_between(&mut self, start: usize, close: u8) -> Option<usize> {
        let text = self.text;
        let end = text.run(start, 64, |byte| is_word(byte) || b".-".contains(&byte));
        let name = text.slice(start..end);
        let is_login = text.at(end) == close
            && name.len() >= 3
            && name.iter().any(u8::is_ascii_lowercase)
            && !is_role_account(name);
        is_login.then(|| self.hide(start..end, Kind::User))
    }

    /// The login from `open` to `end`.
    pub(in crate::find) fn login_before(&mut self, end: usize, open: u8) -> Option<usize> {
        let text = self.text;
        let start = text.run_back(end, 64, |byte| is_word(byte) || b".-".contains(&byte));
        let is_opened = text.before(start) == open;
        if is_opened { self.login_between(start, text.at(end)) } else { None }
    }

    /// The account that the word behind `end` is.
    pub(in crate::find) fn account(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let mut start = text.run(end, 2, is_blank);
        start += usize::from(matches!(text.at(start), b'\'' | b'"' | b'`'));
        let until = text.run(start, 64, |byte| is_word(byte) || b".-".contains(&byte));
        let name = text.slice(start..until);
        let has_small = name.iter().any(u8::is_ascii_lowercase) || !name.is_ascii();
        let is_option = name.starts_with(b"-") || name.len() < 3 || text.at(until) == b':';
        // `failed to create user namespace`, `useradd failed`
        const NO_ACCOUNTS: &[&[u8]] = &[
            b"namespace",
            b"namespaces",
            b"privileges",
            b"binding",
            b"bindings",
            b"failed",
            b"command",
            b"not",
            b"returned",
            b"exited",
            b"table",
            b"input",
            b"interface",
        ];
        let is_someone =
            !NO_ACCOUNTS.contains(&name) && has_small && !is_option && !is_role_account(name);
        (is_someone && start >= end).then(|| self.hide(start..until, Kind::User))
    }

    /// The same, and a password behind it.
    pub(in crate::find) fn account_and_password(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let user_end = self.account(end)?;
        let start = text.run(user_end, 2, |byte| is_blank(byte) || byte == b'"');
        let until = text.run(start, 64, |byte| byte > b' ' && byte != b'"');
        let is_password = !matches!(text.at(start), b'/' | b'*' | b'|' | b'&' | b'>');
        let has_one = is_password && until > start + 3 && start > user_end;
        Some(if has_one { self.hide(start..until, Kind::Password) } else { user_end })
    }

    /// `echo WORD | sudo -S`, whose `sudo` is at `start..end`.
    pub(in crate::find) fn piped_password(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        if !text.has(end, b" -S") {
            return None;
        }
        let pipe = text.run_back(start, 4, |byte| is_blank(byte) || byte == b'|');
        let quote = text.before(pipe);
        let is_quoted = matches!(quote, b'\'' | b'"');
        let close = pipe - usize::from(is_quoted);
        let from = text.run_back(close, 128, |byte| match is_quoted {
            true => byte != quote && byte != b'\n',
            false => byte > b' ',
        });
        let echo = from - usize::from(is_quoted && from > 0);
        let is_echo = text.slice(echo.saturating_sub(5)..echo) == b"echo ";
        if is_echo && from < close {
            self.hide(from..close, Kind::Password);
        }
        None
    }

    /// `recovery codes for ann: o7w8-6ctn, s7g5-h0kd`: the codes behind the colon on the line.
    pub(in crate::find) fn codes(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let colon = text.run(end, 96, |byte| byte != b':' && byte != b'\n' && byte != 0);
        if text.at(colon) != b':' {
            return None;
        }
        let mut last = None;
        let mut place = colon + 1;
        for _ in 0..MOST_CODES {
            let start =
                text.run(place, 6, |byte| byte.is_ascii_whitespace() || b",;[]\"'".contains(&byte));
            let until = text.run(start, 32, |byte| byte.is_ascii_alphanumeric() || byte == b'-');
            let code = text.slice(start..until);
            let is_code = CODE.contains(&code.len()) && code.iter().any(u8::is_ascii_digit);
            if !is_code || is_word(text.at(until)) {
                break;
            }
            last = Some(self.hide(start..until, Kind::Code));
            place = until;
        }
        // The name before the colon is still to be read.
        last.map(|_| end)
    }
}
