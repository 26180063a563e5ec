//! Values by their place in settings, consoles and messages of single programs and services.

use super::judge::is_organisation;
use crate::field_name;
use crate::find::field::value::{Separator, Value};
use crate::find::plausible;
use crate::find::plausible::person_name::is_role_account;
use crate::find::scan::Scan;
use crate::find::text::{Text, is_blank, is_letter, is_word};
use crate::kind::Kind;

/// Bytes of a line, and of a value.
const LONGEST: usize = 512;
const LONGEST_VALUE: usize = 128;

fn line_end(text: Text<'_>, place: usize) -> usize {
    text.run(place, LONGEST, |byte| !matches!(byte, b'\n' | b'\r' | 0))
}

impl Scan<'_> {
    /// `- name: ann`, the line above the one whose word is at `start` (cloud-init).
    pub(super) fn user_above(&mut self, start: usize) {
        let text = self.text;
        let line = text.run_back(start, 64, |byte| byte != b'\n' && byte != 0);
        let end = text.run_back(line, 2, |byte| matches!(byte, b'\n' | b'\r'));
        let above = text.run_back(end, LONGEST_VALUE, |byte| byte != b'\n' && byte != 0);
        let mark = b"- name: ";
        let Some(at) = memchr::memmem::find(text.slice(above..end), mark) else { return };
        let user = above + at + mark.len()..end;
        if !is_role_account(text.slice(user.clone())) && end < line {
            self.hide_filled(user, Kind::User);
        }
    }

    /// `chpasswd:⏎  list: |⏎    ann:tulip`, whose word ends at `end`: indented lines of a user
    /// and a password.
    pub(super) fn passwords_of_users(&mut self, end: usize) -> Option<usize> {
        const MOST: usize = 16;
        let text = self.text;
        let mut line = line_end(text, end) + 1;
        for _ in 0..MOST {
            let from = text.run(line, 16, |byte| byte == b' ' || byte == b'-');
            let stop = line_end(text, from);
            let colon = text.run(from, stop - from, |byte| byte != b':');
            if from == line || stop == from {
                break;
            }
            // `list: |` and `expire: false` have a blank behind the colon.
            let is_pair = colon > from && colon + 1 < stop && !is_blank(text.at(colon + 1));
            if is_pair {
                if !is_role_account(text.slice(from..colon)) {
                    self.hide_filled(from..colon, Kind::User);
                }
                self.hide_filled(colon + 1..stop, Kind::Password);
            }
            line = stop + 1;
        }
        None
    }

    /// `Key Content   : tulip`, whose last word ends at `end`: up to the end of the line.
    pub(super) fn rest_behind_colon(&mut self, end: usize, kind: Kind) -> Option<usize> {
        let text = self.text;
        let colon = text.run(end, 40, is_blank);
        let from = text.run(colon + 1, 4, is_blank);
        let stop = line_end(text, from);
        let stop = text.run_back(stop, stop - from, is_blank);
        let has_value = text.at(colon) == b':' && from > colon + 1;
        (has_value && self.hide_filled(from..stop, kind)).then_some(stop)
    }

    /// `GPS Latitude : 45 deg 38' 29.56" N`, whose last word ends at `end` (ExifTool).
    pub(super) fn degrees(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let line = text.slice(end..line_end(text, end));
        memchr::memmem::find(line, b" deg ")?;
        self.rest_behind_colon(end, Kind::Place)
    }

    /// `{login,<<"ann">>,<<"tulip">>}`, whose first word ends at `end` (Erlang).
    pub(super) fn binaries_of_login(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let until =
            |from: usize| text.run(from, LONGEST_VALUE, |byte| !matches!(byte, b'"' | b'\n' | 0));
        let user = end + 4;
        let user_end = until(user);
        let word = user_end + 7;
        let word_end = until(word);
        if !text.has(user_end, b"\">>,<<\"") || !text.has(word_end, b"\">>}") {
            return None;
        }
        self.hide_filled(user..user_end, Kind::User);
        self.hide_filled(word..word_end, Kind::Password).then_some(word_end)
    }

    /// `A=plain:ann`, whose word ends at `end` (Exim).
    pub(super) fn authenticated_user(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let stop = text.run(end + 1, LONGEST_VALUE, |byte| byte > b' ' && byte != b':');
        self.hide_filled(end + 1..stop, Kind::User).then_some(stop)
    }

    /// `"type": "random_password", … "result": "tulip"`, whose last name is at `start..end`
    /// (Terraform).
    pub(super) fn result_of_generator(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let before = text.slice(start.saturating_sub(LONGEST)..start);
        memchr::memmem::rfind(before, b"\"random_password\"")?;
        let quote = text.run(end, 6, |byte| b"\" :".contains(&byte));
        self.until_quote(quote, Kind::Password)
    }

    /// `name: { first: 'Ann', last: 'Lee' }`, whose first inner word is at `start..end`.
    pub(super) fn parts_of_name(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let is_sign = |byte: u8| b" :={>\"'\n".contains(&byte);
        let outer = text.run_back(start, 12, is_sign);
        let signs = text.slice(outer..start);
        let name = text.run_back(outer, 16, is_word);
        let is_name =
            [&b"name"[..], b"Name"].iter().any(|word| text.slice(name..outer).ends_with(word));
        if !is_name || !signs.contains(&b'{') {
            return None;
        }
        let mut place = end;
        for _ in 0..3 {
            let open = text.run(place, 6, |byte| b" :=>\"".contains(&byte));
            // Within the signs a double quote may open the value.
            let quote = if text.at(open) == b'\'' { b'\'' } else { b'"' };
            let from = open + usize::from(quote == b'\'');
            let stop = text.run(from, 64, |byte| byte != quote && byte != b'\n' && byte != 0);
            if text.at(stop) != quote || text.before(from) != quote {
                break;
            }
            self.hide_filled(from..stop, Kind::Name);
            let next = text.run(stop + 1, 8, |byte| b" ,\n\"':".contains(&byte));
            let word = text.run(next, 12, is_word);
            if !matches!(
                text.slice(next..word),
                b"first" | b"last" | b"middle" | b"given" | b"family"
            ) {
                break;
            }
            place = word;
        }
        None
    }

    /// `"fullName": {"S": "Ann Lee"}`, whose letter of a type is at `start..end` (DynamoDB).
    pub(super) fn typed_attribute(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let signs = text.run_back(start, 6, |byte| b"\"{: ".contains(&byte));
        let name = text.run_back(signs, 48, |byte| is_word(byte) || byte == b'-');
        if text.before(name) != b'"' || !text.slice(signs..start).starts_with(b"\":") {
            return None;
        }
        let field = field_name::field(text.slice(name..signs))?;
        let from = text.run(end, 5, |byte| b"\": ".contains(&byte));
        let stop = text.run(from, LONGEST, |byte| !matches!(byte, b'"' | b'\n' | 0));
        let value = Value { range: from..stop, is_delimited: true, separator: Separator::Cell };
        if text.at(stop) != b'"' || text.before(from) != b'"' {
            return None;
        }
        let range = plausible::sensitive(text, &value, field)?;
        Some(self.hide(range, field.kind))
    }

    /// `GET otp:+441353555012⏎"293498"`, whose word ends at `end` (Redis): the digits of the
    /// reply.
    pub(super) fn replied_code(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let line = line_end(text, end);
        let from = text.run(line, 2, |byte| matches!(byte, b'\n' | b'\r')) + 1;
        let stop = text.run(from, 10, |byte| byte.is_ascii_digit());
        let is_code = text.before(from) == b'"' && text.at(stop) == b'"' && stop >= from + 4;
        if is_code {
            self.hide(from..stop, Kind::Code);
        }
        None
    }

    /// `<+441353555012>`, whose sign is at `place`: the name before it, in quotes (Asterisk).
    pub(super) fn caller(&mut self, place: usize) {
        let text = self.text;
        let end = place.saturating_sub(1);
        let close = text.run(place + 2, 16, |byte| byte.is_ascii_digit());
        let end = end.saturating_sub(usize::from(text.before(end) == b'"'));
        let from = text.run_back(end, 64, |byte| !matches!(byte, b'"' | b'\n' | 0));
        let is_called = text.at(close) == b'>' && close > place + 6 && text.before(place) == b' ';
        if is_called && text.before(from) == b'"' && !is_organisation(text.slice(from..end)) {
            self.hide_filled(from..end, Kind::Name);
        }
    }

    /// `eap-ann {⏎ id = ann`, whose last word is at `start..end` (swanctl).
    pub(super) fn identity(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let before = text.slice(start.saturating_sub(64)..start);
        let open = memchr::memrchr(b'{', before)?;
        let section = before.get(..open)?.trim_ascii_end();
        let name = section.rsplit(|byte| *byte <= b' ').next()?;
        let is_user = [&b"eap"[..], b"xauth", b"ike-"].iter().any(|kind| name.starts_with(kind));
        let stop = text.run(end + 3, 64, |byte| byte > b' ');
        (is_user && self.hide_filled(end + 3..stop, Kind::User)).then_some(stop)
    }

    /// `CEF:0|Acme|WAF|7.2|98|Auth failure|4|`, whose word is at `start..end`: which event it
    /// is, in seven fields.
    pub(super) fn header_of_event(&self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let line = text.slice(start..line_end(text, end));
        let last = memchr::memchr_iter(b'|', line).nth(6)?;
        Some(start + last)
    }

    /// `guest=Lee, Ann;`, whose word ends at `end` (hotels): a surname and a name.
    pub(super) fn guest_of_hotel(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let from = end + 1;
        let comma = text.run(from, 40, |byte| is_letter(byte) || b" '-".contains(&byte));
        let stop = text.run(comma + 1, 40, |byte| is_letter(byte) || b" .'-".contains(&byte));
        let stop = text.run_back(stop, stop - comma, is_blank);
        let is_name = text.has(comma, b", ") && comma > from && stop > comma + 3;
        let ends =
            matches!(text.at(text.run(stop, 2, is_blank)), b';' | b'|' | b'\n' | b'\r' | b'"' | 0);
        (is_name && ends && self.hide_filled(from..stop, Kind::Name)).then_some(stop)
    }

    /// `"name.last":"Lee"`, whose word ends at `end`: a part of a name by its path.
    pub(super) fn value_of_path(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let from = text.run(end, 6, |byte| b"\": ".contains(&byte));
        let is_string = text.before(from) == b'"' && text.slice(end..from).contains(&b':');
        if is_string { self.until_quote(from, Kind::Name) } else { None }
    }

    /// `:first=>"Ann"`, whose word ends at `end` (Ruby): what begins like a name.
    pub(super) fn named_part(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let from = end + 3;
        let first = text.at(from);
        let is_name = first.is_ascii_uppercase() || first >= 0x80;
        if is_name { self.until_quote(from, Kind::Name) } else { None }
    }

    /// `"address": {"formatted": "…"`, whose last name is at `start..end` (OpenID).
    pub(super) fn formatted_address(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let before = text.slice(start.saturating_sub(24)..start);
        memchr::memmem::rfind(before, b"\"address\"")?;
        let from = text.run(end, 6, |byte| b"\": ".contains(&byte));
        self.until_quote(from, Kind::Address)
    }

    /// `@p0=N'Ann Lee'`, whose name is at `start..end` (SQL Server): by what it looks like, in a
    /// statement about names.
    pub(super) fn parameter_of_statement(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let before = text.slice(start.saturating_sub(LONGEST)..start);
        let statement = before.get(memchr::memmem::rfind(before, b"sp_executesql")?..)?;
        memchr::memmem::find(statement, b"Name]")?;
        let from = end + 3;
        let stop = text.run(from, LONGEST_VALUE, |byte| !matches!(byte, b'\'' | b'\n' | 0));
        if text.before(start) == b'@' && text.at(stop) == b'\'' {
            self.guess(from..stop, true);
        }
        None
    }

    /// `plus code 9F4MGCX2+QR`, whose words end at `end`: a place of some metres.
    pub(super) fn plus_code(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let from = text.run(end, 2, |byte| byte == b' ' || byte == b':');
        let is_part = |byte: u8| b"23456789CFGHJMPQRVWX".contains(&byte);
        let plus = text.run(from, 9, is_part);
        let stop = text.run(plus + 1, 4, is_part);
        let is_code = plus == from + 8 && text.at(plus) == b'+' && stop >= plus + 3;
        is_code.then(|| self.hide(from..stop, Kind::Place))
    }

    /// `1 1 819028541045)`, which begins at `from`: the type of a number, its plan, and it; the
    /// name of a sender is not one.
    pub(super) fn address_of_message(&mut self, from: usize) -> Option<usize> {
        let text = self.text;
        let is_typed = text.at(from).is_ascii_digit()
            && text.at(from + 1) == b' '
            && text.at(from + 2).is_ascii_digit()
            && text.at(from + 3) == b' ';
        if !is_typed {
            return None;
        }
        let value = from + 4;
        let end = text.run(value, 24, |byte| !matches!(byte, b')' | b'\n' | 0));
        Some(self.digits_behind(value, 8..=15, Kind::Phone).unwrap_or(end))
    }

    /// `username ann privilege 15 …`, whose first word ends at `end` (routers).
    pub(super) fn user_of_router(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let stop = text.run(end + 1, 64, |byte| byte > b' ');
        let user = text.slice(end + 1..stop);
        let is_setting = text.has(stop, b" privilege ");
        (is_setting && !is_role_account(user) && self.hide_filled(end + 1..stop, Kind::User))
            .then_some(stop)
    }

    /// `SHP⏎/ANN LEE⏎/9 HIGH STREET⏎/ELY⏎/GB/CB7 4AA/TE/…`, whose word is at `start..end`
    /// (Cargo-IMP): a party, unless a company.
    pub(super) fn party_of_freight(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let begins = matches!(text.before(start), b'\n' | b'\r' | 0 | b' ' | b'\t');
        let mut line = line_end(text, end);
        let mut is_company = false;
        for number in 0..4 {
            line = text.run(line, 2, |byte| matches!(byte, b'\n' | b'\r'));
            line = text.run(line, 16, is_blank);
            if !begins || text.at(line) != b'/' {
                break;
            }
            let stop = line_end(text, line);
            let from = line + 1;
            let kind = if number == 0 { Kind::Name } else { Kind::Address };
            is_company |= number == 0 && is_organisation(text.slice(from..stop));
            if number == 3 {
                // The country, the code of the place, and a telephone.
                let code = text.run(from, 4, |byte| byte != b'/') + 1;
                let slash = text.run(code, 16, |byte| !matches!(byte, b'/' | b'\n' | b'\r' | 0));
                if !is_company && code < slash {
                    self.hide_filled(code..slash, Kind::Address);
                }
                if text.has(slash, b"/TE/") {
                    self.hide_filled(slash + 4..stop, Kind::Phone);
                }
            } else if !is_company {
                self.hide_filled(from..stop, kind);
            }
            line = stop;
        }
        None
    }
}
