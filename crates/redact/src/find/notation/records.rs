//! Records and lines that one program or service writes, whose fields have places.

use std::ops::{Range, RangeInclusive};

use super::judge::is_organisation;
use crate::find::scan::Scan;
use crate::find::text::{Text, is_blank, is_letter};
use crate::kind::Kind;

/// Bytes of a line.
const LONGEST: usize = 1024;

fn line_end(text: Text<'_>, place: usize) -> usize {
    text.run(place, LONGEST, |byte| !matches!(byte, b'\n' | b'\r' | 0))
}

/// Whether a person may be called so: two words of letters, and no company.
fn is_name(bytes: &[u8]) -> bool {
    let is_part = |byte: &u8| is_letter(*byte) || b" ,.'-".contains(byte);
    bytes.len() >= 4
        && bytes.iter().all(is_part)
        && bytes.contains(&b' ')
        && !is_organisation(bytes)
}

impl Scan<'_> {
    /// The digits at `from`, if they are as many as `wanted`.
    pub(super) fn digits_behind(
        &mut self,
        from: usize,
        wanted: RangeInclusive<usize>,
        kind: Kind,
    ) -> Option<usize> {
        let text = self.text;
        let end = text.run(from, 24, |byte| byte.is_ascii_digit());
        let is_whole = !text.at(end).is_ascii_alphanumeric();
        (wanted.contains(&(end - from)) && is_whole && self.hide_filled(from..end, kind))
            .then_some(end)
    }

    /// `CDR|MOC|20230811000841|441353555012|…`, whose word is at `start..end`: the numbers of
    /// telephones; stamps have as many digits as a date and a time.
    pub(super) fn record_of_call(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let sign = text.at(end);
        let stop = line_end(text, end);
        if !matches!(sign, b'|' | b',' | b';') || self.is_read(start, stop) {
            return None;
        }
        let mut from = end + 1;
        while from < stop {
            let until = text.run(from, stop - from, |byte| byte != sign);
            let value = text.slice(from..until);
            let digits = value.strip_prefix(b"+").unwrap_or(value);
            let is_stamp = digits.len() == 14 && digits.starts_with(b"20");
            let is_number = digits.iter().all(u8::is_ascii_digit) && !is_stamp;
            if is_number && (10..=15).contains(&digits.len()) {
                self.hide(from..until, Kind::Phone);
            }
            from = until + 1;
        }
        None
    }

    /// `… dlvrd:001 … to:441353555012 text:…`, whose word ends at `end`.
    pub(super) fn receipt_of_message(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let rest = text.slice(end..line_end(text, end));
        for mark in [&b" to:"[..], b" from:", b" dst:", b" src:"] {
            if let Some(at) = memchr::memmem::find(rest, mark) {
                self.digits_behind(end + at + mark.len(), 8..=15, Kind::Phone);
            }
        }
        None
    }

    /// `MECARD:N:Lee,Ann;TEL:…;;`, whose word is at `start..end`.
    pub(super) fn scanned_card(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let stop = line_end(text, end);
        if self.is_read(start, stop) {
            return None;
        }
        let mut from = end + 1;
        while from < stop && text.at(from) != b';' {
            let colon = text.run(from, 16, |byte| byte != b':' && byte != b';');
            let until = text.run(colon, stop.saturating_sub(colon), |byte| byte != b';');
            let kind = match text.slice(from..colon) {
                b"N" | b"SOUND" | b"NICKNAME" => Some(Kind::Name),
                b"TEL" | b"TEL-AV" => Some(Kind::Phone),
                b"EMAIL" => Some(Kind::Email),
                b"ADR" => Some(Kind::Address),
                b"BDAY" => Some(Kind::Birth),
                _ => None,
            };
            if let Some(kind) = kind.filter(|_| colon < until) {
                self.hide_filled(colon + 1..until, kind);
            }
            from = until + 1;
        }
        Some(from.min(stop))
    }

    /// The payees of the records of QIF behind `!Type`, whose word is at `start..end`.
    pub(super) fn payees(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let stop = text.len().min(end + 4 * LONGEST);
        if text.at(end) != b':' || self.is_read(start, stop) {
            return None;
        }
        let mut line = line_end(text, end) + 1;
        while line < stop {
            let until = line_end(text, line);
            let value = line + 1..until;
            match text.at(line) {
                b'P' if is_name(text.slice(value.clone())) => {
                    self.hide_filled(value, Kind::Name);
                }
                b'A' => {
                    self.hide_filled(value, Kind::Address);
                }
                // `!Account`, or no record at all.
                byte if !byte.is_ascii_uppercase() && byte != b'^' => break,
                _ => {}
            }
            line = until + 1;
        }
        None
    }

    /// `NAME . . . : LEE, ANN`, whose word is at `start..end`.
    pub(super) fn field_of_screen(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let colon = text.run(end, 48, |byte| byte == b' ' || byte == b'.');
        let dots = text.slice(end..colon).iter().filter(|byte| **byte == b'.').count();
        if text.at(colon) != b':' || dots < 2 {
            return None;
        }
        let kind = match text.at(start) | 0x20 {
            b'n' | b'c' => Kind::Name,
            b'p' => Kind::Phone,
            b's' => Kind::NationalId,
            _ if text.has_caseless(start, b"address") => Kind::Address,
            _ => Kind::Account,
        };
        let from = text.run(colon + 1, 8, is_blank);
        let until = line_end(text, from);
        // Another field may be on the line, behind several blanks.
        let gap = memchr::memmem::find(text.slice(from..until), b"   ");
        let until = gap.map_or(until, |at| from + at);
        let until = text.run_back(until, until - from, is_blank);
        self.hide_filled(from..until, kind).then_some(until)
    }

    /// `STRAS=High Street 9 TELF1=…`, whose word is at `start..end`: up to the next field.
    pub(super) fn field_of_segment_of_sap(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let from = end + 1;
        let line = text.run(from, 64, |byte| !matches!(byte, b'\n' | b'\r' | b'=' | 0));
        let is_code = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        let until = match text.at(line) {
            b'=' => text.run_back(line, line - from, is_code),
            _ => line,
        };
        let (kind, until) = match text.slice(start..end) {
            b"TELF1" | b"TELF2" => {
                let is_part = |byte: u8| byte.is_ascii_digit() || b"+-/() ".contains(&byte);
                (Kind::Phone, text.run(from, until.saturating_sub(from), is_part))
            }
            b"STCD1" => {
                (Kind::NationalId, text.run(from, until.saturating_sub(from), |byte| byte > b' '))
            }
            _ => (Kind::Address, until),
        };
        let until = text.run_back(until, until - from, is_blank);
        self.hide_filled(from..until, kind).then_some(until)
    }

    /// `RW548032631ANN            LEE   9 HIGH STREET`, whose word is at `start..end`: a number,
    /// and columns behind it.
    pub(super) fn record_of_wages(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        // The state, in a record for it.
        let number = start + if text.at(start + 1) == b'S' { 4 } else { 2 };
        let name = text.run(number, 10, |byte| byte.is_ascii_digit());
        if name != number + 9 || name >= end || !text.has(end, b"  ") {
            return None;
        }
        let stop = line_end(text, end);
        self.hide(number..name, Kind::NationalId);
        let mut from = name;
        for _ in 0..4 {
            let gap = memchr::memmem::find(text.slice(from..stop), b"  ");
            let until = gap.map_or(stop, |at| from + at);
            let has_digits = text.slice(from..until).iter().any(u8::is_ascii_digit);
            self.hide_filled(from..until, if has_digits { Kind::Address } else { Kind::Name });
            from = text.run(until, 64, |byte| byte == b' ');
        }
        Some(stop)
    }

    /// The number at `from`, which has a digit at least: `PPT NO LONGER` has none.
    pub(super) fn number_of_passport(&mut self, from: usize) -> Option<usize> {
        let text = self.text;
        let end = text.run(from, 16, |byte| byte.is_ascii_alphanumeric());
        let has_digit = text.slice(from..end).iter().any(u8::is_ascii_digit);
        (has_digit && end - from >= 6).then(|| self.hide(from..end, Kind::Passport))
    }

    /// `ANN LEE BORN …` at `from`: the capitals before the word.
    pub(super) fn named_before_birth(&mut self, from: usize) -> Option<usize> {
        let text = self.text;
        let is_part = |byte: u8| byte.is_ascii_uppercase() || b" '-".contains(&byte);
        let end = text.run(from, 80, is_part);
        let words = text.slice(from..end);
        let at = [&b" BORN "[..], b" DOB ", b" BORN:", b" DOB:"]
            .into_iter()
            .find_map(|mark| memchr::memmem::find(words, mark))?;
        let name = from..from + at;
        let is_person = !is_organisation(text.slice(name.clone()));
        (is_person && self.hide_filled(name.clone(), Kind::Name)).then_some(name.end)
    }

    /// `<patientRole><id root="…" extension="72846082"/>`, whose `<id ` is at `place..end`.
    pub(super) fn id_of_patient(&mut self, place: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let before = text.slice(place.saturating_sub(256)..place);
        let role = memchr::memmem::rfind(before, b"<patientRole")?;
        // Another role may follow the patient's.
        let is_left = memchr::memmem::find(before.get(role..)?, b"</patientRole").is_some();
        let tag = text.slice(end..text.run(end, 256, |byte| byte != b'>'));
        let mark = b"extension=\"";
        let from = end + memchr::memmem::find(tag, mark)? + mark.len();
        let until = text.run(from, 64, |byte| byte != b'"' && byte != b'>');
        (!is_left && self.hide_filled(from..until, Kind::NationalId)).then_some(until)
    }

    /// `$krb5tgs$23$*ann$REALM$service*$…$…`, `$krb5asrep$23$ann@REALM:…$…`, whose name ends
    /// at `end`: the user and what is encrypted with the password.
    pub(super) fn ticket(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let stop = text.run(end, 4 * LONGEST, |byte| byte > b' ' && byte != b'"' && byte != b'\'');
        let number = text.run(end + 1, 3, |byte| byte.is_ascii_digit());
        let user = number + 1 + usize::from(text.has(number, b"$*"));
        let user_end = text.run(user, 64, |byte| !matches!(byte, b'$' | b'@' | b'*'));
        let rest = text.slice(user_end..stop.max(user_end));
        let secret = [&b"*$"[..], b":", b"$"]
            .into_iter()
            .find_map(|mark| Some(memchr::memmem::find(rest, mark)? + mark.len()))?;
        let is_hex = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b'$';
        let secret = user_end + secret..stop;
        if secret.len() < 32 || !text.slice(secret.clone()).iter().all(is_hex) {
            return None;
        }
        self.hide_filled(user..user_end, Kind::User);
        Some(self.hide(secret, Kind::PasswordHash))
    }

    /// `ann:1647:…:…:::`, whose last signs are at `place`: two hashes, and whose they are.
    pub(super) fn hashes_of_account(&mut self, place: usize) -> Option<usize> {
        const HASH: usize = 32;
        let text = self.text;
        let hashes = place.checked_sub(2 * HASH + 1)?;
        let is_hash = |range: Range<usize>| {
            let bytes = text.slice(range);
            bytes.len() == HASH && bytes.iter().all(u8::is_ascii_hexdigit)
        };
        let is_pair = is_hash(hashes..hashes + HASH)
            && text.at(hashes + HASH) == b':'
            && is_hash(place - HASH..place);
        if !is_pair || text.before(hashes) != b':' {
            return None;
        }
        let number = text.run_back(hashes - 1, 10, |byte| byte.is_ascii_digit());
        let user = text.run_back(number.saturating_sub(1), 64, |byte| {
            byte > b' ' && !matches!(byte, b':' | b'\\' | b'"')
        });
        if text.before(number) == b':' {
            self.hide_filled(user..number - 1, Kind::User);
        }
        Some(self.hide(hashes..place, Kind::PasswordHash))
    }

    /// `ann  Cleartext-Password := …`: the word that begins the line of the one at `start`.
    pub(super) fn user_of_line(&mut self, start: usize) {
        let text = self.text;
        let end = text.run_back(start, 32, is_blank);
        let user = text.run_back(end, 64, |byte| byte > b' ' && byte != b'"');
        let begins = matches!(text.before(user), b'\n' | 0);
        if begins && end < start && text.slice(user..end) != b"DEFAULT" {
            self.hide_filled(user..end, Kind::User);
        }
    }

    /// `radtest ann tulip host 1 rose`: the words behind the one that ends at `end`.
    pub(super) fn test_of_radius(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let mut from = end + 1;
        let mut words = [(0, 0); 5];
        for word in &mut words {
            let until = text.run(from, 128, |byte| byte > b' ');
            if until == from || text.at(from) == b'-' {
                return None;
            }
            *word = (from, until);
            from = text.run(until, 4, |byte| byte == b' ');
        }
        let [user, password, _, port, secret] = words;
        if !text.slice(port.0..port.1).iter().all(u8::is_ascii_digit) {
            return None;
        }
        self.hide_filled(user.0..user.1, Kind::User);
        self.hide(password.0..password.1, Kind::Password);
        Some(self.hide(secret.0..secret.1, Kind::Secret))
    }

    /// `/u:ann`, `/p:tulip`, whose value begins at `from`; `/p:Configuration=Release` is of a
    /// build.
    pub(super) fn slashed_option(&mut self, place: usize, from: usize) -> Option<usize> {
        let text = self.text;
        let end = text.run(from, 128, |byte| byte > b' ');
        let kind = if text.at(place + 1) == b'u' { Kind::User } else { Kind::Password };
        let is_value = !text.slice(from..end).contains(&b'=') && end >= from + 2;
        (is_value && self.hide_filled(from..end, kind)).then_some(end)
    }
}
