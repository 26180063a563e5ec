//! Who writes in a chat, at the start of a line: as messengers export it, and as clients of
//! IRC log it.

use std::ops::Range;

use super::judge::is_organisation;
use crate::find::people::is_known_first;
use crate::find::plausible::person_name::is_role_account;
use crate::find::scan::Scan;
use crate::find::text::{Text, is_letter, is_word};
use crate::kind::Kind;

/// Bytes of a name.
const LONGEST: usize = 48;

/// The end of the time `01:06`, `1:06:12 PM` at `start`.
fn time_end(text: Text<'_>, start: usize) -> Option<usize> {
    let hour = text.run(start, 2, |byte| byte.is_ascii_digit());
    let mut end = text.run(hour + 1, 2, |byte| byte.is_ascii_digit());
    if hour == start || text.at(hour) != b':' || end != hour + 3 {
        return None;
    }
    if text.at(end) == b':' {
        end = text.run(end + 1, 2, |byte| byte.is_ascii_digit());
    }
    let is_half = [&b" AM"[..], b" PM", b" am", b" pm"].iter().any(|half| text.has(end, half));
    Some(if is_half { end + 3 } else { end })
}

/// The writer whose name begins at `start` and ends before `: `.
fn writer(text: Text<'_>, start: usize) -> Option<Range<usize>> {
    let is_part = |byte: u8| is_letter(byte) || b" .'-".contains(&byte);
    let end = text.run(start, LONGEST, is_part);
    let name = text.slice(start..end);
    let words = || name.split(|byte| *byte == b' ');
    let begins = |word: &[u8]| word.first().is_some_and(|byte| !byte.is_ascii_lowercase());
    let is_person = name.len() >= 3
        && words().all(|word| !word.is_empty())
        && (2..=4).contains(&words().count())
        && words().filter(|word| begins(word)).count() >= 2;
    let is_known = is_known_first(name) || !name.is_ascii();
    ((is_person || is_known) && text.has(end, b": ") && !is_organisation(name))
        .then_some(start..end)
}

impl Scan<'_> {
    /// `20/02/2025, 01:06 - Ann Lee: …`, `[20.02.25, 01:06:12] Ann Lee: …`,
    /// `[06:18] <ann> …`: the writer of the line that starts at `start`.
    pub(in crate::find) fn chat_line(&mut self, start: usize) {
        let text = self.text;
        let is_bracketed = text.at(start) == b'[';
        let date = start + usize::from(is_bracketed);
        if is_bracketed
            && let Some(end) = time_end(text, date)
            && text.has(end, b"] <")
        {
            let nick = end + 3;
            let stop = text.run(nick, LONGEST, |byte| is_word(byte) || b".-[]|^".contains(&byte));
            let is_bot =
                is_role_account(text.slice(nick..stop)) || text.slice(nick..stop).ends_with(b"bot");
            if text.has(stop, b"> ") && !is_bot {
                self.hide_filled(nick..stop, Kind::User);
            }
            return;
        }
        let comma = text.run(date, 10, |byte| byte.is_ascii_digit() || b"/.-".contains(&byte));
        if comma < date + 6 || !text.has(comma, b", ") {
            return;
        }
        let Some(end) = time_end(text, comma + 2) else { return };
        let mark: &[u8] = if is_bracketed { b"] " } else { b" - " };
        if text.has(end, mark)
            && let Some(name) = writer(text, end + mark.len())
        {
            self.hide_filled(name, Kind::Name);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn who_writes_is_hidden() {
        for (text, wanted) in [
            ("20/02/2025, 01:06 - Wajor Jornelsada: ok\n", "Wajor Jornelsada"),
            ("[2/20/25, 1:06:12 PM] Wajor Jornelsada: ok\n", "Wajor Jornelsada"),
            ("20.02.25, 01:06 - 欧阳晓梅: ok\n", "欧阳晓梅"),
            ("[06:18] <y.benmoussa> build it\n", "y.benmoussa"),
        ] {
            assert_eq!(hidden(text), [wanted], "{text}");
        }
    }

    #[test]
    fn programs_and_sentences_stay() {
        for text in [
            "20/02/2025, 01:06 - Messages are end-to-end encrypted\n",
            "20/02/2025, 01:06 - Backup: done\n",
            "20/02/2025, 01:06 - Acme Support: ticket closed\n",
            "[06:18] <buildbot> green\n",
            "[95%] <unknown> left\n",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
