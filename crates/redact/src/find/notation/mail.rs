//! Mail: dialogues of SMTP that log in, envelopes of IMAP.

use std::ops::Range;

use crate::find::scan::Scan;
use crate::find::text::Text;
use crate::kind::Kind;

/// Bytes of a line, and of an envelope.
const LONGEST_LINE: usize = 512;
const LONGEST_ENVELOPE: usize = 4096;

/// The line behind the one in which `place` is, and where it ends.
fn next_line(text: Text<'_>, place: usize) -> Option<Range<usize>> {
    let end = text.run(place, LONGEST_LINE, |byte| byte != b'\n' && byte != 0);
    let stop = text.run(end + 1, LONGEST_LINE, |byte| !matches!(byte, b'\n' | b'\r' | 0));
    (text.at(end) == b'\n').then_some(end + 1..stop)
}

/// Four strings between parentheses: a name, a route, a mailbox and a host.
const PARTS: usize = 4;

impl Scan<'_> {
    /// What is answered to the question that ends at `end`, as base64 on a line of its own.
    pub(super) fn answer(&mut self, end: usize, kind: Kind) -> Option<usize> {
        let text = self.text;
        let line = next_line(text, end)?;
        self.last_word_of(line, kind)
    }

    /// `AUTH PLAIN⏎334⏎…`: the answer to a challenge on the next line.
    pub(super) fn answer_to_challenge(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        // `AUTHENTICATE XOAUTH2 dXNlcj1…`: with the answer on its line.
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
        let stop = text.run(end + 1, LONGEST_LINE, is_part);
        let is_answered = text.at(end) == b' ' && matches!(text.at(stop), b'\r' | b'\n' | 0);
        if is_answered && stop > end + 16 {
            return Some(self.hide(end + 1..stop, Kind::Secret));
        }
        let challenge = next_line(text, end).filter(|_| text.at(end) <= b' ')?;
        let is_challenge = memchr::memmem::find(text.slice(challenge.clone()), b"334").is_some()
            || text.at(challenge.start) == b'+';
        if !is_challenge {
            return None;
        }
        let line = next_line(text, challenge.end)?;
        self.last_word_of(line, Kind::Secret)
    }

    /// The last word of a line, if it is base64.
    fn last_word_of(&mut self, line: Range<usize>, kind: Kind) -> Option<usize> {
        let text = self.text;
        let end = text.run_back(line.end, 4, |byte| byte <= b' ' || byte == b'"');
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
        let start = text.run_back(end, LONGEST_LINE, is_part);
        let is_code = text.slice(start..end).iter().all(u8::is_ascii_digit);
        let fits = start >= line.start && end - start >= 4 && end <= line.end && !is_code;
        fits.then(|| self.hide(start..end, kind))
    }

    /// `ENVELOPE ("date" "subject" (("Ann Lee" NIL "ann" "example.org")) …)`, whose word ends
    /// at `end`: the persons; the date and the subject stay.
    pub(super) fn envelope(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        if end < self.ahead {
            return None;
        }
        let stop = text.run(end, LONGEST_ENVELOPE, |byte| byte != b'\n' && byte != 0);
        if self.is_read(start, stop) {
            return None;
        }
        let mut place = end;
        let mut last = end;
        while let Some(open) = memchr::memchr(b'(', text.slice(place..stop)) {
            place += open + 1;
            if let Some([name, _, mailbox, host]) = address(text, place) {
                self.hide_filled(name, Kind::Name);
                self.hide(mailbox, Kind::User);
                place = host.end;
                last = place;
            }
        }
        // Names are before addresses in angle brackets elsewhere, not here.
        (last > end).then_some(stop)
    }
}

/// `"Ann Lee" NIL "ann" "example.org")` from `place` on.
fn address(text: Text<'_>, place: usize) -> Option<[Range<usize>; PARTS]> {
    let mut parts = [const { 0..0 }; PARTS];
    let mut from = place;
    for part in &mut parts {
        if text.has(from, b"NIL") {
            *part = from..from;
            from += 3;
        } else if text.at(from) == b'"' {
            let end = text.run(from + 1, LONGEST_LINE, |byte| byte != b'"' && byte != b'\n');
            *part = from + 1..end;
            from = end + 1;
        } else {
            return None;
        }
        from += usize::from(text.at(from) == b' ');
    }
    (text.at(from) == b')').then_some(parts)
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn dialogues_and_envelopes_are_read() {
        for (text, wanted) in [
            (
                "AUTH LOGIN\r\n334 VXNlcm5hbWU6\r\nYW5uNzc=\r\n334 UGFzc3dvcmQ6\r\ndHVsaXA5OQ==\r\n235 ok\r\n",
                &["YW5uNzc=", "dHVsaXA5OQ=="][..],
            ),
            ("S: 334 UGFzc3dvcmQ6\nC: dHVsaXA5OQ==\nS: 235 ok", &["dHVsaXA5OQ=="]),
            ("C: AUTH PLAIN\nS: 334\nC: AGFubgB0dWxpcDk5\n", &["AGFubgB0dWxpcDk5"]),
            (
                "* 12 FETCH (ENVELOPE (\"Wed, 17 Jul 1996 02:23:25 -0700\" \"summary\" ((\"Ann Lee\" NIL \"ann\" \"example.org\")) NIL NIL NIL))",
                &["Ann Lee", "ann"],
            ),
        ] {
            assert_eq!(hidden(text), wanted, "{text}");
        }
    }

    #[test]
    fn challenges_codes_and_subjects_stay() {
        for text in [
            "334 VXNlcm5hbWU6\r\n535 5.7.8\r\n",
            "334 UGFzc3dvcmQ6",
            "250-AUTH LOGIN PLAIN\r\n250 SIZE 1000\r\n",
            "* 1 FETCH (ENVELOPE (\"Wed, 17 Jul 1996\" \"summary\" NIL NIL NIL NIL NIL NIL))",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
