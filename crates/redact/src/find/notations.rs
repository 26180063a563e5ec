//! Lines whose places have a meaning that no name tells: of single programs and formats.

use super::text::{Text, is_blank, is_word, number};
use super::value::{Joint, Value, value};
use super::{Scan, plausible};
use crate::kind::Kind;
use crate::names::{Field, Sureness};

/// Functions whose last two arguments are a name and a password.
const CALLS: &[&[u8]] = &[
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

/// Other words that begin a notation.
const WORDS: &[&[u8]] = &[
    b"AUTH",
    b"machine",
    b"to",
    b"SecureString",
    b"PSK",
    b"EAP",
    b"XAUTH",
    b"IDENTIFY",
    b"community",
    b"rocommunity",
    b"rwcommunity",
    b"pts",
    b"tty",
    b"BY",
    b"by",
    b"password",
    b"PASSWORD",
    b"Password",
];

/// Whether some word that begins a notation has this first letter and this length.
#[inline]
pub(super) fn may_begin(first: u8, len: usize) -> bool {
    len < 64 && LENGTHS.get(usize::from(first)).is_some_and(|lengths| lengths >> len & 1 == 1)
}

/// For each first letter the lengths of those words, as bits.
static LENGTHS: [u64; 256] = lengths();

#[allow(clippy::indexing_slicing)]
const fn lengths() -> [u64; 256] {
    let mut lengths = [0; 256];
    let mut at = 0;
    while at < WORDS.len() + CALLS.len() {
        let word = if at < WORDS.len() { WORDS[at] } else { CALLS[at - WORDS.len()] };
        lengths[word[0] as usize] |= 1 << word.len();
        at += 1;
    }
    lengths
}

/// Bytes of a card (RFC 6350) that are looked through.
const LONGEST_CARD: usize = 8192;

impl Scan<'_> {
    /// What the word at `start..end` begins in a notation of its own; gives where to go on.
    pub(super) fn notation(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        match text.slice(start..end) {
            b"AUTH" => self.auth(start, end),
            b"machine" => self.netrc(end),
            b"to" if text.before(start) == b'(' => self.switched(end),
            b"SecureString" => self.literal(end),
            b"PSK" | b"EAP" | b"XAUTH" if text.has(end, b" \"") => self.literal(end),
            b"IDENTIFY" => self.last_word(end),
            b"community" if is_behind(text, start, b"snmp-server") => self.next_word(end),
            b"rocommunity" | b"rwcommunity" => self.next_word(end),
            b"pts" | b"tty" if text.at(end) == b'/' => self.terminal(start),
            word if text.at(end) == b'(' && CALLS.contains(&word) => self.credentials(end + 1),
            b"BY" | b"by" if is_behind(text, start, b"identified") => self.literal(end),
            word if text.at(end) == b'(' && word.eq_ignore_ascii_case(b"password") => {
                self.literal(end + 1)
            }
            _ => None,
        }
    }

    /// `AUTH hunter2`, `"AUTH" "hunter2"`, `AUTH⏎$7⏎hunter2`: of Redis, on the wire and in
    /// its monitor; `AUTH PLAIN …` of mail.
    fn auth(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let word = |from: usize| text.run(from, 256, |byte| byte > b' ');
        let line = text.run(end, 512, |byte| !matches!(byte, b'\r' | b'\n' | 0));
        let begins = start == 0 || matches!(text.before(start), b'\n' | 0);
        if text.has(end, b"\" \"") {
            // Who, and what; or that alone.
            let close = text.run_back(line, 8, |byte| byte <= b' ');
            let last = text.run_back(close.saturating_sub(1), 256, |byte| byte != b'"');
            let is_last = text.before(close) == b'"' && last > end + 2 && last + 1 < close;
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

    /// `machine HOST login USER password WORD`, in this order and over lines.
    fn netrc(&mut self, end: usize) -> Option<usize> {
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

    /// `(to root) bob on pts/1`, as `su` writes to the log.
    fn switched(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let close = text.run(end, 40, |byte| byte != b')' && byte != b'\n');
        let start = close + 2;
        let stop = text.run(start, 64, |byte| is_word(byte) || byte == b'-' || byte == b'.');
        if !text.has(close, b") ") || !text.has(stop, b" on ") {
            return None;
        }
        let value = Value { range: start..stop, is_delimited: true, joint: Joint::Tight };
        let field = Field { kind: Kind::User, sureness: Sureness::Likely };
        let range = plausible::sensitive(text, &value, field)?;
        Some(self.hide(range, Kind::User))
    }

    /// `ConvertTo-SecureString 'hunter2'`, `PASSWORD('hunter2')`: the literal from `from` on.
    fn literal(&mut self, from: usize) -> Option<usize> {
        let text = self.text;
        let from = text.run(from, 4, is_blank);
        let from = if text.has(from, b"-String ") { from + 8 } else { from };
        if !matches!(text.at(from), b'\'' | b'"') {
            return None;
        }
        let value = value(text, from, Joint::Tight, Kind::Password)?;
        let field = Field { kind: Kind::Password, sureness: Sureness::Sure };
        let range = plausible::sensitive(text, &value, field)?;
        Some(self.hide(range, Kind::Password))
    }

    /// The word behind `end`, for routers' and agents' settings.
    fn next_word(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let stop = text.run(end + 1, 128, |byte| byte > b' ');
        let fits = text.at(end) == b' ' && stop > end + 3 && text.at(end + 1) != b'<';
        fits.then(|| self.hide(end + 1..stop, Kind::Password))
    }

    /// The same where it ends the line.
    fn last_word(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let stop = text.run(end + 1, 128, |byte| byte > b' ');
        let fits =
            text.at(end) == b' ' && stop > end + 4 && matches!(text.at(stop), b'\r' | b'\n' | 0);
        fits.then(|| self.hide(end + 1..stop, Kind::Password))
    }

    /// Who sits at the terminal that stands at `start`, in lists of `who`, `w` and `last`.
    fn terminal(&mut self, start: usize) -> Option<usize> {
        let text = self.text;
        let stop = text.run_back(start, 32, is_blank);
        let from = text.run_back(stop, 40, |byte| is_word(byte) || b".-".contains(&byte));
        let begins = from == 0 || matches!(text.before(from), b'\n' | 0);
        if !begins || stop == start {
            return None;
        }
        let value = Value { range: from..stop, is_delimited: true, joint: Joint::Tight };
        let field = Field { kind: Kind::User, sureness: Sureness::Likely };
        let range = plausible::sensitive(text, &value, field)?;
        self.hide(range, Kind::User);
        None
    }

    /// `PlainCredentials('ann', 'hunter2')` from `place` on.
    pub(super) fn credentials_behind(&mut self, place: usize) -> Option<usize> {
        let text = self.text;
        let start = text.run(place, 4, is_blank);
        let end = text.run(start, 48, is_word);
        if text.at(end) != b'(' || !CALLS.contains(&text.slice(start..end)) {
            return None;
        }
        self.credentials(end + 1)
    }

    /// `('ann', 'hunter2')`, the last two literals of a call whose first begins at `from`.
    fn credentials(&mut self, from: usize) -> Option<usize> {
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

    /// The line of `/etc/passwd` in which `place` has the `:x:`; gives where to go on.
    pub(super) fn password_line(&mut self, place: usize) -> usize {
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
    /// stands at `port..end`.
    pub(super) fn password_file(&mut self, port: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let host = text.run_back(port - 1, 128, |byte| is_word(byte) || b".-*".contains(&byte));
        let begins = host == 0 || matches!(text.before(host), b'\n' | 0);
        if text.before(port) != b':' || !begins || is_source(text.slice(host..port - 1)) {
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

    /// Names and addresses of the card that `BEGIN:VCARD` begins, whose parts stand between
    /// semicolons (RFC 6350, 6.2.2 and 6.3.1); the card ends at `end`.
    pub(super) fn visiting_card(&mut self, end: usize) {
        let text = self.text;
        let mut place = end;
        let ends = |place: usize| text.has(place, b"END:VCARD") || text.has(place, b"BEGIN:VCARD");
        while place < text.len() && place - end < LONGEST_CARD && !ends(place) {
            let line = text.run(place, 1024, |byte| !matches!(byte, b'\n' | 0));
            let name = text.run(place, 4, |byte| byte.is_ascii_uppercase());
            let colon = text.run(place, 128, |byte| byte != b':' && byte != b'\n');
            let kind = match text.slice(place..name) {
                b"N" => Some(Kind::Name),
                b"ADR" => Some(Kind::Address),
                _ => None,
            };
            if let Some(kind) = kind
                && colon < line
                && b";:".contains(&text.at(name))
            {
                let mut part = colon + 1;
                while part < line {
                    let stop = text
                        .run(part, 256, |byte| !matches!(byte, b';' | b'\r' | b'\n' | 0))
                        .min(line);
                    if stop > part + 1 {
                        self.hide(part..stop, kind);
                    }
                    part = stop.max(part) + 1;
                }
            }
            place = line + 1;
        }
    }
}

/// Whether `word`, in any case, and a blank stand before `place`.
fn is_behind(text: Text<'_>, place: usize, word: &[u8]) -> bool {
    let start = place.saturating_sub(word.len() + 1);
    text.before(place) == b' ' && text.slice(start..place - 1).eq_ignore_ascii_case(word)
}

/// Whether what stands before `:12:` is a file of a program's source.
pub(super) fn is_source(name: &[u8]) -> bool {
    const ENDS: &[&[u8]] = &[
        b".c", b".h", b".cc", b".cpp", b".hpp", b".rs", b".go", b".py", b".js", b".ts", b".java",
        b".rb", b".php", b".log", b".txt", b".conf", b".sh",
    ];
    name.is_empty() || ENDS.iter().any(|end| name.ends_with(end))
}

/// Whether what `token` begins is a checksum, as what stands before it says.
pub(super) fn is_checksum(text: Text<'_>, token: usize) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
    let head = text.run_back(token, 128, is_part);
    const PREFIXES: &[&[u8]] = &[b"sha1-", b"sha256-", b"sha384-", b"sha512-", b"md5-"];
    if PREFIXES.iter().any(|prefix| text.has(head, prefix)) {
        return true;
    }
    // `h1:…` of `go.sum`; a picture within a page.
    let is_picture = text.slice(head.saturating_sub(7)..head) == b"base64,"
        && memchr::memmem::find(text.slice(head.saturating_sub(48)..head), b"data:").is_some();
    if is_picture || text.slice(head.saturating_sub(4)..head) == b" h1:" {
        return true;
    }
    let gap = text.run_back(head, 4, |byte| is_blank(byte) || b":=\"'".contains(&byte));
    let name = text.slice(text.run_back(gap, 24, |byte| is_word(byte) || byte == b'-')..gap);
    const ENDS: &[&[u8]] = &[
        b"md5",
        b"sha1",
        b"sha256",
        b"sha384",
        b"sha512",
        b"etag",
        b"digest",
        b"checksum",
        b"integrity",
        b"fingerprint",
        b"boundary",
        b"crc32",
        b"crc32c",
    ];
    gap < head
        && ENDS.iter().any(|end| {
            let start = name.len().saturating_sub(end.len());
            name.get(start..).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
        })
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn places_of_known_notations_are_hidden() {
        for (text, wanted) in [
            ("AUTH hunter2\r\n", &["hunter2"][..]),
            ("1.5 [0 127.0.0.1:9] \"AUTH\" \"hunter2\"", &["hunter2"]),
            ("*2\r\n$4\r\nAUTH\r\n$7\r\nhunter2\r\n", &["hunter2"]),
            ("AUTH PLAIN AGFubgBodW50ZXIy\r\n", &["AGFubgBodW50ZXIy"]),
            ("machine db.int\n login ann_l\n password dragon\n", &["ann_l", "dragon"]),
            ("FAILED SU (to root) ann77 on pts/5", &["ann77"]),
            ("ConvertTo-SecureString 'superman' -AsPlainText", &["superman"]),
            ("SET PASSWORD FOR 'app' = PASSWORD('hunter2');", &["hunter2"]),
            ("CREATE USER a IDENTIFIED BY 'hunter2'", &["hunter2"]),
            ("db.example.net:5432:appdb:ann_l:hunter2\n", &["ann_l", "hunter2"]),
            (
                "BEGIN:VCARD\nVERSION:4.0\nN:Lee;Ann;;;\nADR;TYPE=home:;;9 High St;Ely;;16932;\nEND:VCARD",
                &["Lee", "Ann", "9 High St", "Ely", "16932"],
            ),
        ] {
            assert_eq!(hidden(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_notation_stays() {
        for text in [
            "AUTH LOGIN\r\n",
            "250-AUTH LOGIN PLAIN\r\n",
            "the machine is off, login as before",
            "go (to root) and back on time",
            "main.c:1024:int:foo:bar\n",
            "SHA256:6LTHN+h6meK/d/EVx8HEFWC7wiX34Fz8Fmxu3Xcweyo",
            "\"integrity\": \"sha512-Df0HD2ndtZWpZGpEZLh07flKV87aZwNt1tlHjPF8/OWkDrx6\"",
            "Content-MD5: NxlduEyojINFf1NkX6u7ZA==",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
