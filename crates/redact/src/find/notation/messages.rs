//! Words of programs about one value.

use super::judge::is_organisation;
use crate::field_name;
use crate::find::field::value::{Separator, Value};
use crate::find::number::network;
use crate::find::plausible;
use crate::find::scan::Scan;
use crate::find::text::{Text, is_blank, is_letter, is_word};
use crate::kind::Kind;

/// Bytes of a line, and before a value.
const LONGEST: usize = 512;
const NEAR: usize = 64;

/// Words from which a wallet is made (BIP 39), and letters of one.
const WORDS_OF_WALLET: &[usize] = &[12, 15, 18, 21, 24];
const LONGEST_WORD: usize = 8;

impl Scan<'_> {
    /// What is up to the next quote, from `from` on.
    pub(super) fn until_quote(&mut self, from: usize, kind: Kind) -> Option<usize> {
        let text = self.text;
        let end = text.run(from, LONGEST, |byte| !matches!(byte, b'"' | b'\n' | 0));
        (text.at(end) == b'"' && self.hide_filled(from..end, kind)).then_some(end)
    }

    /// What is up to the next tag, from `from` on.
    pub(super) fn until_tag(&mut self, from: usize, kind: Kind) -> Option<usize> {
        let text = self.text;
        let end = text.run(from, LONGEST, |byte| !matches!(byte, b'<' | b'\n' | 0));
        (text.at(end) == b'<' && self.hide_filled(from..end, kind)).then_some(end)
    }

    /// `on field 'lastName': rejected value [Lee]`, whose last word is at `start..end`.
    pub(super) fn rejected_value(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let before = text.slice(start.saturating_sub(NEAR)..start);
        let mark = b"field '";
        let at = memchr::memmem::rfind(before, mark)? + mark.len();
        let name = before.get(at..)?;
        let name = name.get(..memchr::memchr(b'\'', name)?)?;
        let field = field_name::field(name)?;
        let from = end + 2;
        let stop = text.run(from, LONGEST, |byte| !matches!(byte, b']' | b'\n' | 0));
        let value = Value { range: from..stop, is_delimited: true, separator: Separator::Cell };
        if !text.has(end, b" [") {
            return None;
        }
        let range = plausible::sensitive(text, &value, field)?;
        Some(self.hide(range, field.kind))
    }

    /// `Authenticating to host:22 as 'ann'`, whose `as` is at `start..end`.
    pub(super) fn login_as(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let before = text.slice(start.saturating_sub(2 * NEAR)..start);
        memchr::memmem::rfind(before, b"Authenticating to ")?;
        let from = end + 2;
        let stop = text.run(from, NEAR, |byte| byte > b' ' && byte != b'\'');
        self.hide_filled(from..stop, Kind::User).then_some(stop)
    }

    /// `CLIENT_LIST,ann,…`, whose word is at `start..end`: at the start of a line.
    pub(super) fn client_of_network(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let begins = matches!(text.before(start), b'\n' | 0);
        // The address comes first in the table of routes.
        let first = text.run(end + 1, NEAR, |byte| byte > b' ' && byte != b',');
        let from = if text.has(start, b"ROUTING") { first + 1 } else { end + 1 };
        let stop = text.run(from, NEAR, |byte| byte > b' ' && byte != b',');
        let is_user = text.at(stop) == b',' && text.slice(from..stop) != b"UNDEF";
        (begins && is_user && self.hide_filled(from..stop, Kind::User)).then_some(stop)
    }

    /// `hmac(sha256) 0x…`, with the name of the algorithm at `from`.
    pub(super) fn key_of_kernel(&mut self, from: usize) -> Option<usize> {
        let text = self.text;
        let close = text.run(from, 16, |byte| is_word(byte) || byte == b'(' || byte == b'-');
        let close = text.run(close, 2, |byte| byte == b')');
        let end = text.run(close + 3, LONGEST, |byte| byte.is_ascii_hexdigit());
        let is_key = text.has(close, b" 0x") && end >= close + 3 + 32;
        is_key.then(|| self.hide(close + 3..end, Kind::Key))
    }

    /// `SUA…`, a seed of NATS at `start..end`: letters of base32, of one length.
    pub(super) fn seed_of_server(&mut self, start: usize, end: usize) -> Option<usize> {
        let is_part = |byte: &u8| matches!(byte, b'A'..=b'Z' | b'2'..=b'7');
        let seed = self.text.slice(start..end);
        let is_seed = seed.len() == 58 && seed.iter().all(is_part);
        is_seed.then(|| self.hide(start..end, Kind::Key))
    }

    /// `mnemonic: abandon ability …`, whose word ends at `end`: as many small words as a
    /// wallet has.
    pub(super) fn words_of_wallet(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let from = text.run(end, 4, |byte| b" :=\"'".contains(&byte));
        if !text.slice(end..from).iter().any(|byte| matches!(byte, b':' | b'=')) {
            return None;
        }
        let mut count = 0;
        let mut stop = from;
        let mut place = from;
        while count <= 24 {
            let word = text.run(place, LONGEST_WORD + 1, |byte| byte.is_ascii_lowercase());
            if !(3..=LONGEST_WORD).contains(&(word - place)) || is_word(text.at(word)) {
                break;
            }
            count += 1;
            stop = word;
            place = word + usize::from(text.at(word) == b' ');
            if place == word {
                break;
            }
        }
        WORDS_OF_WALLET.contains(&count).then(|| self.hide(from..stop, Kind::Key))
    }

    /// `user_code=GWWQ-ENLW`, `"user_code": "GWWQ-ENLW"`, whose word ends at `end`.
    pub(super) fn code_of_user(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let from = text.run(end, 5, |byte| b" :=\"'".contains(&byte));
        let stop = text.run(from, 16, |byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let code = text.slice(from..stop);
        let is_code =
            from > end && code.len() >= 8 && code.iter().all(|byte| !byte.is_ascii_lowercase());
        is_code.then(|| self.hide(from..stop, Kind::Code))
    }

    /// `[ann] FAIL LOGIN`, whose word is at `start`: what is in the brackets before it.
    pub(super) fn user_in_brackets(&mut self, start: usize) {
        let text = self.text;
        let close = start.saturating_sub(2);
        let from = text.run_back(close, NEAR, |byte| byte > b' ' && byte != b'[');
        let is_user = text.has(close, b"] ") && text.before(from) == b'[';
        // `[pid 18012]` is no one.
        let is_process = text.slice(from..close).iter().all(u8::is_ascii_digit);
        if is_user && !is_process {
            self.hide_filled(from..close, Kind::User);
        }
    }

    /// `"dbtr":{"nm":"Ann"`, whose name of a field is at `start..end`.
    pub(super) fn party_of_payment(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let before = text.slice(start.saturating_sub(8)..start);
        let is_party = before.ends_with(b"dbtr\":{\"") || before.ends_with(b"cdtr\":{\"");
        let colon = text.run(end + 1, 2, |byte| byte == b':' || byte == b' ');
        let stop = text.run(colon + 1, 140, |byte| byte != b'"' && byte != b'\n');
        let is_person = !is_organisation(text.slice(colon + 1..stop));
        (is_party && is_person && text.at(colon) == b'"').then_some(())?;
        self.hide_filled(colon + 1..stop, Kind::Name).then_some(stop)
    }

    /// `VehicleHolder;Lee;Ann;14.03.1975;KS-JF 582;…`, whose word ends at `end`.
    pub(super) fn keeper_of_vehicle(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let kinds = [Kind::Name, Kind::Name, Kind::Birth, Kind::Vehicle];
        let mut values = [(0, 0); 4];
        let mut from = end + 1;
        for value in &mut values {
            let stop = text.run(from, NEAR, |byte| !matches!(byte, b';' | b'\n' | b'\r' | 0));
            *value = (from, stop);
            from = stop + usize::from(text.at(stop) == b';');
        }
        let birth = values.get(2).copied().unwrap_or_default();
        let digits =
            text.slice(birth.0..birth.1).iter().filter(|byte| byte.is_ascii_digit()).count();
        if digits != 8 {
            return None;
        }
        for ((from, stop), kind) in values.into_iter().zip(kinds) {
            self.hide_filled(from..stop, kind);
        }
        Some(from)
    }

    /// `sort=30-87-05 acct=68865064`, whose word is at `start..end`.
    pub(super) fn account_beside_bank(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let before = text.slice(start.saturating_sub(16)..start);
        let bank = memchr::memmem::rfind(before, b"sort=")?;
        let digits = before.get(bank..)?.iter().filter(|byte| byte.is_ascii_digit()).count();
        let stop = text.run(end + 1, 10, |byte| byte.is_ascii_digit());
        let is_account = digits == 6 && (6..=8).contains(&(stop - end - 1));
        (is_account && self.hide_filled(end + 1..stop, Kind::Account)).then_some(stop)
    }

    /// `ATTENDEE;CN=Ann Lee:mailto:…`, whose `CN` is at `start..end`.
    pub(super) fn guest(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let stop = text.run(end + 1, NEAR, |byte| is_letter(byte) || b" .,'-".contains(&byte));
        // Further parameters may be before the address.
        let line = text.slice(stop..text.run(stop, 128, |byte| byte != b'\n' && byte != 0));
        let is_mail = [&b":mailto:"[..], b":MAILTO:"]
            .iter()
            .any(|mark| memchr::memmem::find(line, mark).is_some());
        let is_name = text.before(start) == b';' && matches!(text.at(stop), b':' | b';');
        (is_mail && is_name && self.hide_filled(end + 1..stop, Kind::Name)).then_some(stop)
    }

    /// `Truncated value: 'Ann Lee'`, whose word ends at `end`: by what it looks like.
    pub(super) fn truncated_value(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let from = end + 3;
        let stop = text.run(from, LONGEST, |byte| byte != b'\'' && byte != b'\n' && byte != 0);
        if text.has(end, b": '") && text.at(stop) == b'\'' {
            self.guess(from..stop, false);
        }
        None
    }

    /// `bind :1 = "Ann Lee"`, whose word ends at `end`: by what it looks like.
    pub(super) fn bound_literal(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let number = text.run(end + 2, 3, |byte| byte.is_ascii_digit());
        let equals = text.run(number, 2, is_blank);
        let quote = text.run(equals + 1, 2, is_blank);
        let stop = text.run(quote + 1, LONGEST, |byte| byte != b'"' && byte != b'\n' && byte != 0);
        let is_bound = number > end + 2 && text.at(equals) == b'=' && text.at(quote) == b'"';
        if is_bound && text.at(stop) == b'"' {
            self.guess(quote + 1..stop, false);
        }
        None
    }

    /// `81.155.169.243.28747 > 10.0.0.1.443:`, which begins at `from`.
    pub(super) fn addresses_of_packet(&mut self, from: usize) -> Option<usize> {
        let text = self.text;
        let arrow = text.run(from, 24, |byte| byte.is_ascii_digit() || byte == b'.');
        if !text.has(arrow, b" > ") {
            return None;
        }
        let second = arrow + 3;
        let end = text.run(second, 24, |byte| byte.is_ascii_digit() || byte == b'.');
        for address in [from..arrow, second..end] {
            let bytes = text.slice(address.clone());
            let points = bytes.iter().filter(|byte| **byte == b'.').count();
            let port = memchr::memrchr(b'.', bytes).filter(|_| points == 4);
            let bytes = bytes.get(..port.unwrap_or(bytes.len())).unwrap_or_default();
            if let Some(range) = network::ipv4(Text(bytes), 0) {
                self.hide(address.start..address.start + range.end, Kind::Ip);
            }
        }
        Some(end)
    }

    /// `10.0.0.1 key tulip`, with the host at `from`: the word behind `key`.
    pub(super) fn key_of_host(&mut self, from: usize) -> Option<usize> {
        let text = self.text;
        let line = text.run(from, 2 * NEAR, |byte| !matches!(byte, b'\n' | b'\r' | 0));
        let at = memchr::memmem::find(text.slice(from..line), b" key ")?;
        let key = from + at + 5;
        // `key 7 …`: how it is obscured.
        let is_typed = text.at(key).is_ascii_digit() && text.at(key + 1) == b' ';
        self.next_word(if is_typed { key + 1 } else { key - 1 })
    }

    /// `CORP\ann:tulip STATUS_LOGON_FAILURE`, whose word is at `start`.
    pub(super) fn tried_login(&mut self, start: usize) {
        let text = self.text;
        let end = text.run_back(start, 2, is_blank);
        let from = text.run_back(end, 2 * NEAR, |byte| byte > b' ');
        let login = text.slice(from..end);
        let Some(slash) = memchr::memchr(b'\\', login) else { return };
        let user = from + slash + 1;
        let colon = text.run(user, end - user, |byte| byte != b':');
        if colon < end && end < start {
            self.hide_filled(user..colon, Kind::User);
            self.hide(colon + 1..end, Kind::Password);
        }
    }
}
