//! Calls of functions that take a name and a password.

use crate::find::scan::Scan;
use crate::find::text::{is_blank, is_word};
use crate::kind::Kind;

/// Functions whose last two arguments are a name and a password.
pub(super) const CALLS: &[&[u8]] = &[
    b"PlainCredentials",
    b"HTTPBasicAuth",
    b"HTTPDigestAuth",
    b"BasicAuth",
    b"BasicAuthentication",
    b"UsernamePasswordCredentials",
    b"UsernamePasswordAuthenticationToken",
    b"PasswordAuthentication",
    b"NetworkCredential",
    b"PDO",
    b"__construct",
    b"mysqli_connect",
    b"mysql_connect",
];

impl Scan<'_> {
    /// `PlainCredentials('ann', 'hunter2')` from `place` on.
    pub(in crate::find) fn credentials_behind(&mut self, place: usize) -> Option<usize> {
        let text = self.text;
        let start = text.run(place, 4, is_blank);
        let end = text.run(start, 48, is_word);
        if text.at(end) != b'(' || !CALLS.contains(&text.slice(start..end)) {
            return None;
        }
        self.credentials(end + 1)
    }

    /// `('ann', 'hunter2')`, the last two literals of a call whose first begins at `from`.
    pub(in crate::find) fn credentials(&mut self, from: usize) -> Option<usize> {
        let text = self.text;
        let mut literals = [0..0, 0..0];
        let mut place = from;
        for _ in 0..4 {
            place = text.run(place, 4, is_blank);
            let quote = text.at(place);
            if !matches!(quote, b'\'' | b'"') {
                break;
            }
            let end = text.run(place + 1, 256, |byte| byte != quote && byte != b'\n');
            literals.rotate_left(1);
            if let Some(last) = literals.last_mut() {
                *last = place + 1..end;
            }
            place = end + 1;
            if text.at(place) != b',' {
                break;
            }
            place += 1;
        }
        let [user, word] = literals;
        if user.is_empty() || word.is_empty() || text.at(place) != b')' {
            return None;
        }
        self.hide(user, Kind::User);
        Some(self.hide(word, Kind::Password))
    }
}
