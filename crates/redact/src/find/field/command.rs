//! Command lines: options whose next word is a secret, and programs that glue one to a
//! letter. Words may be parted by blanks, or by NULs as in `/proc/…/cmdline`.

use crate::field_name::{self, Field, Sureness};
use crate::find::field::value::{Separator, Value, value};
use crate::find::order::ByteSet;
use crate::find::plausible;
use crate::find::scan::Scan;
use crate::find::text::{is_letter, is_word};
use crate::kind::Kind;

/// A program, the letter of an option of its, and what follows that.
struct ProgramOption {
    program: &'static [u8],
    letter: u8,
    secret: Secret,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Secret {
    /// Glued to the letter.
    Glued,
    /// The next word.
    Next,
    /// The next word is who, not what.
    User,
    /// The next word is `user:password`, or `user%password`.
    Pair,
}

const OPTIONS: &[ProgramOption] = &[
    ProgramOption { program: b"curl", letter: b'u', secret: Secret::Pair },
    ProgramOption { program: b"curl", letter: b'U', secret: Secret::Pair },
    ProgramOption { program: b"http", letter: b'a', secret: Secret::Pair },
    ProgramOption { program: b"mysql", letter: b'p', secret: Secret::Glued },
    ProgramOption { program: b"mysqldump", letter: b'p', secret: Secret::Glued },
    ProgramOption { program: b"mysqladmin", letter: b'p', secret: Secret::Glued },
    ProgramOption { program: b"mysqlimport", letter: b'p', secret: Secret::Glued },
    ProgramOption { program: b"mariadb", letter: b'p', secret: Secret::Glued },
    ProgramOption { program: b"sshpass", letter: b'p', secret: Secret::Next },
    ProgramOption { program: b"zip", letter: b'P', secret: Secret::Next },
    ProgramOption { program: b"unzip", letter: b'P', secret: Secret::Next },
    ProgramOption { program: b"rdesktop", letter: b'p', secret: Secret::Next },
    ProgramOption { program: b"rdesktop", letter: b'u', secret: Secret::User },
    ProgramOption { program: b"smbclient", letter: b'U', secret: Secret::Pair },
    ProgramOption { program: b"mosquitto_pub", letter: b'P', secret: Secret::Next },
    ProgramOption { program: b"mosquitto_sub", letter: b'P', secret: Secret::Next },
    ProgramOption { program: b"mosquitto_pub", letter: b'u', secret: Secret::User },
    ProgramOption { program: b"mosquitto_sub", letter: b'u', secret: Secret::User },
    ProgramOption { program: b"redis-cli", letter: b'a', secret: Secret::Next },
    ProgramOption { program: b"ldapsearch", letter: b'w', secret: Secret::Next },
    ProgramOption { program: b"ldapmodify", letter: b'w', secret: Secret::Next },
    ProgramOption { program: b"docker", letter: b'p', secret: Secret::Next },
    ProgramOption { program: b"docker", letter: b'u', secret: Secret::User },
    ProgramOption { program: b"podman", letter: b'u', secret: Secret::User },
    ProgramOption { program: b"mysql", letter: b'u', secret: Secret::User },
    ProgramOption { program: b"psql", letter: b'U', secret: Secret::User },
    ProgramOption { program: b"sqlcmd", letter: b'U', secret: Secret::User },
    ProgramOption { program: b"mongo", letter: b'u', secret: Secret::User },
    ProgramOption { program: b"podman", letter: b'p', secret: Secret::Next },
    ProgramOption { program: b"mongo", letter: b'p', secret: Secret::Next },
    ProgramOption { program: b"mongosh", letter: b'p', secret: Secret::Next },
    ProgramOption { program: b"mongodump", letter: b'p', secret: Secret::Next },
    ProgramOption { program: b"mongorestore", letter: b'p', secret: Secret::Next },
    ProgramOption { program: b"mongoexport", letter: b'p', secret: Secret::Next },
    ProgramOption { program: b"mongoimport", letter: b'p', secret: Secret::Next },
    ProgramOption { program: b"snmpget", letter: b'A', secret: Secret::Next },
    ProgramOption { program: b"snmpget", letter: b'X', secret: Secret::Next },
    ProgramOption { program: b"snmpget", letter: b'c', secret: Secret::Next },
    ProgramOption { program: b"snmpwalk", letter: b'A', secret: Secret::Next },
    ProgramOption { program: b"snmpwalk", letter: b'X', secret: Secret::Next },
    ProgramOption { program: b"sqlcmd", letter: b'P', secret: Secret::Next },
    ProgramOption { program: b"smbclient", letter: b'U', secret: Secret::Pair },
    ProgramOption { program: b"unzip", letter: b'P', secret: Secret::Next },
    ProgramOption { program: b"7z", letter: b'p', secret: Secret::Glued },
    ProgramOption { program: b"wmic", letter: b'p', secret: Secret::Next },
    ProgramOption { program: b"cqlsh", letter: b'p', secret: Secret::Next },
    ProgramOption { program: b"influx", letter: b't', secret: Secret::Next },
    ProgramOption { program: b"snmpwalk", letter: b'c', secret: Secret::Next },
    ProgramOption { program: b"rabbitmqadmin", letter: b'p', secret: Secret::Next },
    ProgramOption { program: b"ipmitool", letter: b'P', secret: Secret::Next },
    ProgramOption { program: b"xfreerdp", letter: b'p', secret: Secret::Next },
];

/// A word that is not a program with options, but is read from its end on.
struct Statement {
    word: &'static [u8],
    is_caseless: bool,
    read: fn(&mut Scan<'_>, usize),
}

const STATEMENTS: &[Statement] = &[
    Statement { word: b"into", is_caseless: true, read: |scan, end| scan.insertion(end) },
    Statement { word: b"copy", is_caseless: true, read: |scan, end| scan.copied(end) },
    Statement { word: b"sudo", is_caseless: false, read: |scan, end| scan.sudo(end) },
];

/// What words that are asked about begin with.
#[allow(clippy::indexing_slicing)]
pub(in crate::find) const FIRST_LETTERS: ByteSet = {
    let mut letters = ByteSet::of(b"");
    let mut at = 0;
    while at < OPTIONS.len() {
        letters = letters.with(OPTIONS[at].program[0]);
        at += 1;
    }
    at = 0;
    while at < STATEMENTS.len() {
        letters = letters.with(STATEMENTS[at].word[0]);
        if STATEMENTS[at].is_caseless {
            letters = letters.with(STATEMENTS[at].word[0].to_ascii_uppercase());
        }
        at += 1;
    }
    letters
};

/// Whether a known program's name begins like `word` and is as long; hardly any other is.
fn may_be_program(word: &[u8]) -> bool {
    let first = word.first().copied().unwrap_or(0);
    let lengths = LENGTHS.get(usize::from(first)).copied().unwrap_or(0);
    word.len() < 16 && lengths & (1 << word.len()) != 0
}

/// For each first letter the lengths of the programs that begin with it, as bits.
static LENGTHS: [u16; 256] = lengths();

#[allow(clippy::indexing_slicing)]
const fn lengths() -> [u16; 256] {
    let mut lengths = [0; 256];
    let mut at = 0;
    while at < OPTIONS.len() {
        let program = OPTIONS[at].program;
        lengths[program[0] as usize] |= 1 << program.len();
        at += 1;
    }
    lengths
}

/// Bytes behind a program's name in which its options are looked for.
const FAR: usize = 600;

impl Scan<'_> {
    /// Options of the program that the word at `start..end` names.
    pub(in crate::find) fn command(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let len = end - start;
        let ends_word = matches!(text.at(end), b' ' | 0 | b'-' | b':' | b'[')
            || matches!(text.at(end), b'"' | b'\'') && may_be_program(text.slice(start..end));
        if !(2..=13).contains(&len) || !ends_word || end == text.len() {
            return None;
        }
        let whole = text.run(end, 8, |byte| is_letter(byte) || byte == b'-');
        let word = text.slice(start..whole);
        let statement = STATEMENTS.iter().find(|statement| match statement.is_caseless {
            true => word.eq_ignore_ascii_case(statement.word),
            false => word == statement.word,
        });
        if let Some(statement) = statement {
            (statement.read)(self, whole);
        }
        if may_be_program(word) && matches!(text.at(whole), b' ' | 0 | b'"' | b'\'') {
            let mut options = OPTIONS.iter().filter(|option| option.program == word).peekable();
            let is_program = options.peek().is_some();
            for option in options {
                self.options(whole, option);
            }
            // Words of this command are not asked again.
            if is_program {
                self.commanded = self.commanded.max(whole + FAR / 4);
            }
        }
        None
    }

    /// `sudo: bob : TTY=…`, as it writes to the log.
    fn sudo(&mut self, end: usize) {
        let text = self.text;
        let mark = text.run(end, 12, |byte| byte != b':' && byte > b' ');
        let start = text.run(mark + 1, 8, |byte| byte == b' ');
        let end = text.run(start, 64, |byte| byte > b' ');
        if text.at(mark) == b':' && end > start && text.has(end, b" : ") {
            let value =
                Value { range: start..end, is_delimited: true, separator: Separator::Tight };
            let field = Field { kind: Kind::User, sureness: Sureness::Likely };
            if let Some(range) = plausible::sensitive(text, &value, field) {
                self.hide(range, Kind::User);
            }
        }
    }

    fn options(&mut self, from: usize, option: &ProgramOption) {
        let text = self.text;
        if from < self.commanded {
            return;
        }
        let limit = text.run(from, FAR, |byte| byte != b'\n' && byte != b';' && byte != b'|');
        let mut place = from;
        while place < limit {
            let is_option = matches!(text.before(place), b' ' | 0 | b'"' | b'\'' | b',')
                && text.at(place) == b'-'
                && text.at(place + 1) == option.letter;
            if !is_option {
                place += 1;
                continue;
            }
            let behind = place + 2;
            let start = match option.secret {
                Secret::Glued => behind,
                _ if matches!(text.at(behind), b' ' | 0) => behind + 1,
                _ if matches!(
                    (text.at(behind), text.at(behind + 1)),
                    (b'"' | b'\'', b',' | b' ')
                ) =>
                {
                    behind + 2
                }
                _ => behind,
            };
            let start = text.run(start, 2, |byte| b" \"'".contains(&byte));
            // `a1="-u" a2="ann:hunter2"`, of the kernel's audit.
            let number = text.run(start + 1, 3, |byte| byte.is_ascii_digit());
            let is_audit = text.at(start) == b'a' && number > start + 1 && text.has(number, b"=\"");
            let start = if is_audit { number + 2 } else { start };
            let end = text.run(start, 256, |byte| byte > b' ' && byte != b'"' && byte != b'\'');
            place = end.max(behind);
            let is_value = end > start && !matches!(text.at(start), b'-' | b'$' | b'<' | b'%');
            // `docker run -p 8080:80`
            let is_port = text
                .slice(start..end)
                .iter()
                .all(|byte| byte.is_ascii_digit() || *byte == b':' || *byte == b'.');
            if !is_value || is_port && option.program != b"mysql" {
                continue;
            }
            let colon = text.run(start, end - start, |byte| byte != b':' && byte != b'%');
            if option.secret == Secret::Pair && colon < end {
                self.hide(start..colon, Kind::User);
                self.hide(colon + 1..end, Kind::Password);
            } else if matches!(option.secret, Secret::Pair | Secret::User) {
                let value =
                    Value { range: start..end, is_delimited: true, separator: Separator::Tight };
                let field = Field { kind: Kind::User, sureness: Sureness::Likely };
                if let Some(range) = plausible::sensitive(text, &value, field) {
                    self.hide(range, Kind::User);
                }
            } else {
                self.hide(start..end, Kind::Password);
            }
        }
    }

    /// `--password WORD`, `-storepass WORD`, whose first dash is at `place`.
    pub(in crate::find) fn option(&mut self, place: usize) -> Option<usize> {
        let text = self.text;
        if !matches!(text.before(place), b' ' | 0 | b'"' | b'\'' | b'\n' | b'[' | b',') {
            return None;
        }
        let name = text.run(place, 2, |byte| byte == b'-');
        let end = text.run(name, 40, |byte| is_word(byte) || byte == b'-' || byte == b'.');
        if end - name < 3 {
            return None;
        }
        let mut start = end;
        // In a list: `"--password", "hunter2"`.
        if matches!(text.at(start), b'"' | b'\'') && text.at(start + 1) == b',' {
            start = text.run(start + 2, 3, |byte| b" \"'".contains(&byte));
        } else if matches!(text.at(start), b' ' | 0) && start < text.len() {
            start += 1;
        } else {
            return None;
        }
        if matches!(text.at(start), b'-' | b' ' | 0) {
            return None;
        }
        let field = field_name::field(text.slice(name..end))?;
        // `systemctl --user start x`, `pip install --user x`: a switch.
        let blank = place.saturating_sub(1);
        let before = text.slice(text.run_back(blank, 16, |byte| byte > b' ')..blank);
        const SWITCHES: &[&[u8]] =
            &[b"systemctl", b"journalctl", b"loginctl", b"install", b"systemd-run", b"gem"];
        if text.slice(name..end) == b"user" && SWITCHES.contains(&before) {
            return None;
        }
        if text.slice(name..end) == b"user" || text.slice(name..end) == b"proxy-user" {
            let until = text.run(start, 256, |byte| byte > b' ');
            let colon = text.run(start, until - start, |byte| byte != b':');
            // In a manual: `--user USER[:PASSWORD]`.
            if colon < until && text.before(colon) != b'[' {
                self.hide(start..colon, Kind::User);
                return Some(self.hide(colon + 1..until, Kind::Password));
            }
        }
        let value = value(text, start, Separator::Tight, field.kind)?;
        // In a manual: `--password to …`.
        const PROSE: &[&[u8]] = &[
            b"to",
            b"and",
            b"or",
            b"option",
            b"flag",
            b"if",
            b"for",
            b"with",
            b"in",
            b"which",
            b"is",
            b"install",
            b"installs",
        ];
        if PROSE.contains(&text.slice(value.range.clone())) {
            return None;
        }
        let range = plausible::sensitive(text, &value, field)?;
        Some(self.hide(range, field.kind))
    }
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn options_of_programs_are_read_ahead() {
        for (text, wanted) in [
            ("mysql -u ann77 -psuperman db", &["ann77", "superman"][..]),
            ("7z a -psuperman x.7z", &["superman"]),
            ("sudo: ann77 : TTY=pts/0", &["ann77"]),
            ("INSERT Into t (email, city) VALUES ('x', 'Ely')", &["Ely"]),
        ] {
            assert_eq!(hidden(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_word_as_long_as_a_program_does_not_keep_the_next_from_being_read() {
        assert_eq!(hidden("mkdir /x && mysql -psuperman db"), ["superman"]);
        assert_eq!(hidden("call curl -u ann77:superman x"), ["ann77", "superman"]);
    }
}
