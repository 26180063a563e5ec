//! People where no field names them: behind a title, before their address, in the path of
//! their home.

mod announced;
mod beside;
mod email;
mod first_names;

use crate::field_name::{Field, Sureness};
use crate::find::field::value::{Separator, Value, begins_small};
pub(in crate::find) use first_names::is_known as is_known_first;

use crate::find::plausible::{self, person_name};
use crate::find::scan::Scan;
use crate::find::text::{is_blank, is_letter, is_word};
use crate::kind::Kind;
use crate::word_set::WordSet;

/// Forms of address that a name follows.
static TITLES: WordSet<512> = WordSet::new(&[
    b"Mr",
    b"Mrs",
    b"Ms",
    b"Miss",
    b"Mx",
    b"Dr",
    b"Prof",
    b"Professor",
    b"Sir",
    b"Lady",
    b"Dame",
    b"Dear",
    b"Herr",
    b"Herrn",
    b"Frau",
    b"Familie",
    b"Mme",
    b"Mlle",
    b"Monsieur",
    b"Madame",
    b"Mademoiselle",
    "Maître".as_bytes(),
    b"Sr",
    b"Sra",
    b"Srta",
    "Señor".as_bytes(),
    "Señora".as_bytes(),
    "Señorita".as_bytes(),
    b"Don",
    "Doña".as_bytes(),
    "Dña".as_bytes(),
    b"Signor",
    b"Signora",
    b"Signore",
    b"Signorina",
    b"Sig",
    b"Sigra",
    b"Dott",
    b"Senhor",
    b"Senhora",
    b"Dona",
    b"Dhr",
    b"Mevr",
    b"Mevrouw",
    b"Meneer",
    b"Mw",
    b"Pan",
    b"Pani",
    b"Panu",
    b"Pana",
    "Paní".as_bytes(),
    "Pán".as_bytes(),
    b"Fru",
    b"Hr",
    "Fröken".as_bytes(),
    b"Rouva",
    b"Herra",
    b"Domnul",
    b"Doamna",
    b"Gospodin",
    "Gospođa".as_bytes(),
    "Sayın".as_bytes(),
    b"Bay",
    b"Bayan",
    "Господин".as_bytes(),
    "Госпожа".as_bytes(),
    "Гражданин".as_bytes(),
    "Пан".as_bytes(),
    "Пані".as_bytes(),
    "Пана".as_bytes(),
    "Κύριος".as_bytes(),
    "Κυρία".as_bytes(),
    "Κος".as_bytes(),
    "Κα".as_bytes(),
    "κος".as_bytes(),
    "κ".as_bytes(),
    "κα".as_bytes(),
    "السيد".as_bytes(),
    "السيدة".as_bytes(),
    "الدكتور".as_bytes(),
    "د".as_bytes(),
    "الأستاذ".as_bytes(),
    "מר".as_bytes(),
    "גב׳".as_bytes(),
    "גברת".as_bytes(),
    "श्री".as_bytes(),
    "श्रीमती".as_bytes(),
    "सुश्री".as_bytes(),
    "डॉ".as_bytes(),
    b"Anh",
    "Chị".as_bytes(),
    "Ông".as_bytes(),
    "Bà".as_bytes(),
    "Cô".as_bytes(),
    b"Bapak",
    b"Ibu",
    b"Pak",
    b"Bu",
    b"Sdr",
]);

/// Words behind a title that are none.
const NO_ONE: &[&[u8]] = &[
    b"Customer",
    b"Sir",
    b"Madam",
    b"User",
    b"All",
    b"Team",
    b"Client",
    b"Member",
    b"Friend",
    b"Who",
    b"API",
    b"Support",
    b"The",
    b"No",
    b"Admin",
    b"Access",
    b"Server",
    b"World",
    b"Docker",
    b"Kubernetes",
    b"Rust",
    b"Everyone",
    b"Everybody",
    b"Guys",
    b"Folks",
    b"Again",
    b"Tous",
    b"Zusammen",
    b"There",
    b"It",
    b"I",
    b"We",
    b"You",
    b"Your",
    b"This",
    b"That",
    b"If",
    b"Please",
    b"In",
    b"On",
];

/// Homes of no one.
const NO_HOMES: &[&[u8]] = &[
    b"Public",
    b"Shared",
    b"Default",
    b"All",
    b"linuxbrew",
    b"user",
    b"runner",
    b"vagrant",
    b"ubuntu",
    b"ec2-user",
    b"node",
    b"root",
    b"admin",
    b"Administrator",
    b"app",
    b"runneradmin",
    b"travis",
    b"circleci",
    b"jenkins",
    b"git",
    b"ContainerAdministrator",
    b"Guest",
    b"default",
    b"centos",
    b"debian",
    b"build",
    b"builder",
    b"docker",
];

/// Titles in a row before a name, behind the first.
const MOST_TITLES: usize = 3;

/// Whether `word` is written like a title.
fn is_title(word: &[u8]) -> bool {
    let is_capital = word.first().is_some_and(|first| first.is_ascii_uppercase() || *first >= 0x80);
    // `SR` is most often something else.
    let is_written = word.iter().skip(1).any(|byte| !byte.is_ascii_uppercase())
        || matches!(word, b"MR" | b"MRS" | b"MS" | b"DR");
    is_capital && is_written && word.len() >= 2 && TITLES.has(word)
}

impl Scan<'_> {
    /// The name behind the title at `start..end`.
    pub(in crate::find) fn titled(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        if !is_title(text.slice(start..end)) {
            return None;
        }
        let behind = |end: usize| text.run(end, 2, |byte| is_blank(byte) || byte == b'.');
        let mut from = behind(end);
        // `Dear Herr Prof. Dr. Lee`
        for _ in 0..MOST_TITLES {
            let next = text.run(from, 24, is_letter);
            if !is_title(text.slice(from..next)) {
                break;
            }
            from = behind(next);
        }
        let until = self.capitalized_end(from)?;
        // `1.LEE/ANN MR DOCS/P/GB`: of a reservation.
        if text.at(until) == b'/' {
            return None;
        }
        Some(self.hide(from..until, Kind::Name))
    }

    /// `203.0.113.9 - bob [10/Oct/2026…`, as web servers write (the common log format), with
    /// the name at `start`.
    pub(in crate::find) fn remote_user(&mut self, start: usize) {
        let text = self.text;
        let end = text.run(start, 64, |byte| byte > b' ');
        let is_log = text.has(end, b" [") && text.at(end + 2).is_ascii_digit();
        let value = Value { range: start..end, is_delimited: true, separator: Separator::Tight };
        let field = Field { kind: Kind::User, sureness: Sureness::Likely };
        if is_log && let Some(range) = plausible::sensitive(text, &value, field) {
            self.hide(range, Kind::User);
        }
    }

    /// Whose hash starts at `hash`: `bob:$6$…` at the start of a line.
    pub(in crate::find) fn owner(&mut self, hash: usize) {
        let text = self.text;
        let end = hash.saturating_sub(1);
        let start = text.run_back(end, 40, |byte| is_word(byte) || byte == b'-' || byte == b'.');
        let begins = start == 0 || matches!(text.before(start), b'\n' | 0);
        if text.at(end) == b':'
            && begins
            && start < end
            && !matches!(text.slice(start..end), b"root" | b"hash")
        {
            self.hide(start..end, Kind::User);
        }
    }

    /// `triggered by ann7 on branch main`, with `by` at `start`: the login behind a word for what
    /// people do to jobs.
    pub(in crate::find) fn actor(&mut self, start: usize) -> Option<usize> {
        const DONE: &[&[u8]] = &[
            b"triggered",
            b"started",
            b"launched",
            b"queued",
            b"deployed",
            b"initiated",
            b"submitted",
            b"invoked",
            b"cancelled",
            b"canceled",
            b"merged",
            b"pushed",
            b"locked",
            b"Triggered",
            b"Started",
            b"Launched",
            b"Queued",
            b"Deployed",
            b"Initiated",
            b"Submitted",
            b"Invoked",
            b"Cancelled",
            b"Canceled",
            b"Merged",
            b"Pushed",
            b"Locked",
        ];
        let text = self.text;
        let blank = start.saturating_sub(1);
        let done = text.slice(text.run_back(blank, 12, is_word)..blank);
        let from = start + b"by ".len();
        let end = text.run(from, 64, |byte| is_word(byte) || b".-".contains(&byte));
        let name = text.slice(from..end);
        let is_login = person_name::is_login(name)
            || name.iter().any(u8::is_ascii_digit) && name.iter().any(u8::is_ascii_lowercase);
        // `triggered by explicit calls`: a login is followed by where, when or why.
        const NEXT: &[&[u8]] =
            &[b"on", b"at", b"for", b"via", b"from", b"in", b"into", b"to", b"with", b"after"];
        let next = text.slice(end + 1..text.run(end + 1, 12, is_letter));
        let is_followed =
            text.at(end) != b' ' || NEXT.contains(&next) || !is_letter(text.at(end + 1));
        (DONE.contains(&done) && is_login && is_followed).then(|| self.hide(from..end, Kind::User))
    }

    /// `for bob from 203.0.113.9`, with the name at `start`: who came from where.
    pub(in crate::find) fn peer(&mut self, start: usize) -> Option<usize> {
        let text = self.text;
        let start = start + usize::from(matches!(text.at(start), b'\'' | b'"'));
        let end = text.run(start, 64, |byte| is_word(byte) || b".-+$\\".contains(&byte));
        let quote = usize::from(matches!(text.at(end), b'\'' | b'"'));
        let behind = end + quote + b" from ".len();
        let behind = if text.has(behind, b"host ") { behind + 5 } else { behind };
        let is_host = text.at(behind).is_ascii_digit() || text.at(behind) == b'[';
        let value = Value { range: start..end, is_delimited: true, separator: Separator::Blank };
        let field = Field { kind: Kind::User, sureness: Sureness::Likely };
        if end == start || !text.has(end + quote, b" from ") || !is_host {
            return None;
        }
        let range = plausible::sensitive(text, &value, field)?;
        Some(self.hide(range, Kind::User))
    }

    /// Where up to four words of a name that begin at `from` end.
    fn capitalized_end(&self, from: usize) -> Option<usize> {
        let text = self.text;
        let mut end = None;
        let mut place = from;
        // Scripts without capitals: a name has two words, and the sentence goes on.
        let most = if matches!(text.at(from), 0xd6..=0xdb | 0xe0) { 2 } else { 4 };
        for _ in 0..most {
            let first = text.at(place);
            let word_end =
                text.run(place, 40, |byte| is_letter(byte) || byte == b'\'' || byte == b'-');
            let word = text.slice(place..word_end);
            let is_particle = matches!(
                word,
                b"de"
                    | b"van"
                    | b"der"
                    | b"von"
                    | b"la"
                    | b"del"
                    | b"da"
                    | b"di"
                    | b"den"
                    | b"bin"
                    | b"al"
            );
            let is_name = (first.is_ascii_uppercase()
                || first >= 0x80 && !begins_small(text, place))
                && word.len() >= 2
                && !NO_ONE.contains(&word);
            let is_initial =
                first.is_ascii_uppercase() && word.len() == 1 && text.at(word_end) == b'.';
            if is_word(text.at(word_end)) || !(is_name || is_particle || is_initial) {
                break;
            }
            if is_name {
                end = Some(word_end);
            }
            let word_end = word_end + usize::from(is_initial);
            if text.at(word_end) != b' ' {
                break;
            }
            place = word_end + 1;
        }
        end
    }

    /// Whose home lies in the path at whose separator `place` is.
    pub(in crate::find) fn home(&mut self, place: usize) -> Option<usize> {
        const PARENTS: &[&[u8]] = &[
            b"/home/",
            b"/Users/",
            b"\\Users\\",
            b"\\\\Users\\\\",
            b"/users/",
            b"\\Documents and Settings\\",
            b"\\Benutzer\\",
            b"\\Utilisateurs\\",
            b"\\Usuarios\\",
            b"\\Utenti\\",
            b"\\Gebruikers\\",
            b"/var/mail/",
            b"/var/spool/mail/",
            b"/var/spool/cron/crontabs/",
        ];
        let text = self.text;
        if !matches!(text.at(place + 1), b'h' | b'U' | b'u' | b'D' | b'B' | b'G' | b'v' | b'\\') {
            return None;
        }
        let parent = PARENTS.iter().find(|parent| text.has(place, parent))?;
        if *parent != b"\\Users\\" && is_word(text.before(place)) {
            let segment = text.slice(text.run_back(place, 12, is_word)..place);
            const ABOVE: &[&[u8]] =
                &[b"export", b"usr", b"var", b"data", b"nfs", b"mnt", b"c", b"C", b"d", b"host"];
            if !ABOVE.contains(&segment) {
                return None;
            }
        }
        // `/users/42` is a resource.
        let start = place + parent.len();
        let is_part = |byte: u8| is_word(byte) || b".-+@'".contains(&byte);
        let mut end = text.run(start, 64, is_part);
        if parent.contains(&b'\\') {
            // `C:\Users\Ann Lee\…`
            let longer = text.run(start, 64, |byte| is_part(byte) || byte == b' ');
            if text.at(longer) == b'\\' {
                end = longer;
            }
        }
        end = text.run_back(end, 8, |byte| byte == b'.' || byte == b'\'').max(start);
        let user = text.slice(start..end);
        let is_resource = *parent == b"/users/" && !user.iter().any(|byte| is_letter(*byte))
            || *parent == b"/users/"
                && text.at(end) != b'/'
                && text.before(place) != 0
                && text.before(place) > b' ';
        if user.is_empty()
            || NO_HOMES.contains(&user)
            || is_resource
            || !user.iter().any(|byte| is_letter(*byte))
        {
            return None;
        }
        Some(self.hide(start..end, Kind::User))
    }
}

#[cfg(test)]
mod tests {
    use crate::find::{Carried, find};

    fn hidden(text: &str) -> Vec<(&'static str, &str)> {
        let found = find(text.as_bytes(), &mut Carried::default(), true);
        found.into_iter().map(|hit| (hit.kind.word(), &text[hit.range])).collect()
    }

    #[test]
    fn people_are_found_where_programs_write_them() {
        for (line, kind, who) in [
            ("Dear Mr. Lee, hello", "name", "Lee"),
            ("open /home/ann/x.c", "user", "ann"),
            ("Accepted publickey for ann from 203.0.113.9", "user", "ann"),
            ("session opened for user ann by (uid=0)", "user", "ann"),
            ("sudo:  ann : TTY=pts/0 ; USER=root", "user", "ann"),
            ("203.0.113.9 - ann [10/Oct/2026:13:55:36 +0000] \"GET /\"", "user", "ann"),
            ("ann:$6$abcdefgh$abcdefghijklmnopqrstuvwx1234:19000:", "user", "ann"),
            ("USER ann\r\n", "user", "ann"),
            ("By: Ann Lee <ann@example.com>", "name", "Ann Lee"),
            ("Triggered by lneswexyam on branch main", "user", "lneswexyam"),
            ("device \"Fimar's AirPods\" disconnected", "name", "Fimar"),
            ("row 7: Zed Lee;zed@example.com;3", "name", "Zed Lee"),
            ("From: zed@example.com (Zed Lee)", "name", "Zed Lee"),
            ("lead Zed Lee (+43 660 1234567)", "name", "Zed Lee"),
        ] {
            assert!(hidden(line).contains(&(kind, who)), "{line}: {:?}", hidden(line));
        }
    }

    #[test]
    fn words_of_sentences_are_not_names() {
        for line in [
            "the user is not allowed, user input is empty, in user space",
            "Dear Customer, Mr. Who",
            "/home/ubuntu/x /home/runner/y /usr/home",
            "USER namespaces enabled, PASS 3 of 7",
            "waiting for data from 3 peers",
            "the callback is triggered by explicit RunMicrotasks calls",
        ] {
            assert_eq!(hidden(line), [], "{line}");
        }
    }
}
