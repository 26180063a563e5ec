//! `.netrc`: whom a program is on which machine.

use crate::find::scan::Scan;
use crate::kind::Kind;

impl Scan<'_> {
    /// `machine HOST login USER password WORD`, in this order and over lines.
    pub(in crate::find) fn netrc(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let gap = |from: usize| text.run(from, 64, |byte| byte.is_ascii_whitespace());
        let word = |from: usize| text.run(from, 256, |byte| byte > b' ');
        let login = gap(word(gap(end)));
        if !text.has(login, b"login") || gap(end) == end {
            return None;
        }
        let user = gap(login + 5);
        let user_end = word(user);
        let password = gap(user_end);
        if !text.has(password, b"password") {
            return None;
        }
        let from = gap(password + 8);
        if from == password + 8 || user == login + 5 {
            return None;
        }
        self.hide(user..user_end, Kind::User);
        Some(self.hide(from..word(from), Kind::Password))
    }
}
