//! Lines of files of accounts: `/etc/passwd`, and `.pgpass` of PostgreSQL.

use crate::find::scan::Scan;
use crate::find::text::{is_source_file, is_word, number};
use crate::kind::Kind;

impl Scan<'_> {
    /// The line of `/etc/passwd` in which `place` has the `:x:`; gives where to go on.
    pub(in crate::find) fn password_line(&mut self, place: usize) -> usize {
        let text = self.text;
        let start = text.run_back(place, 40, |byte| is_word(byte) || b".-".contains(&byte));
        let begins = start == 0 || matches!(text.before(start), b'\n' | 0);
        let digits = |from: usize| text.run(from, 8, |byte| byte.is_ascii_digit());
        let uid = digits(place + 3);
        let gid = digits(uid + 1);
        let person =
            number(text.slice(place + 3..uid)).is_some_and(|uid| (1000..60_000).contains(&uid));
        if !begins || !person || text.at(uid) != b':' || text.at(gid) != b':' || gid == uid + 1 {
            return place + 1;
        }
        self.hide(start..place, Kind::User);
        let end = text.run(gid + 1, 80, |byte| !matches!(byte, b':' | b',' | b'\n' | 0));
        if end > gid + 1 {
            self.hide(gid + 1..end, Kind::Name);
        }
        end
    }

    /// `host:5432:db:user:password`, a line of PostgreSQL's password file, whose port
    /// is at `port..end`.
    pub(in crate::find) fn password_file(&mut self, port: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let host = text.run_back(port - 1, 128, |byte| is_word(byte) || b".-*".contains(&byte));
        let begins = host == 0 || matches!(text.before(host), b'\n' | 0);
        if text.before(port) != b':' || !begins || is_source_file(text.slice(host..port - 1)) {
            return None;
        }
        let part =
            |from: usize| text.run(from, 128, |byte| is_word(byte) || b".-*".contains(&byte));
        let database = part(end + 1);
        let user = part(database + 1);
        let word = text.run(user + 1, 256, |byte| byte > b' ');
        let fits = database > end + 1
            && text.at(database) == b':'
            && user > database + 1
            && text.at(user) == b':'
            && word > user + 1
            && matches!(text.at(word), b'\r' | b'\n' | 0)
            && !text.at(end + 1).is_ascii_digit()
            && !text.at(database + 1).is_ascii_digit();
        if !fits {
            return None;
        }
        self.hide(database + 1..user, Kind::User);
        Some(self.hide(user + 1..word, Kind::Password))
    }
}
