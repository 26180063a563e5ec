//! Sensitive text by content: one pass over the bytes that stops at words, numbers and a
//! few signs, and asks the finder that knows the field. Nothing is compiled and nothing
//! backtracks, so a short text costs nothing but its length.

mod base64;
mod card;
mod checks;
mod columns;
mod command;
mod cookies;
mod dates;
mod email;
mod fields;
mod identity;
mod joints;
mod network;
mod notations;
mod numbers;
mod people;
mod phone;
mod placeholder;
mod places;
mod plausible;
mod secret;
mod tags;
mod text;
mod value;
mod views;
mod who;
mod wide;

use std::ops::Range;

use super::kind::Kind;
use super::names::{Field, Judged};
use columns::Table;
use text::{Text, is_blank, is_word};
use value::{Joint, Value};

pub(crate) use views::{find, in_order, with_quoted};

/// A stretch of text to hide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Bytes of the text.
    pub(crate) range: Range<usize>,
    /// As what.
    pub(crate) kind: Kind,
    /// Whether two bytes make a character there: UTF-16, lower byte first.
    pub(crate) is_wide: bool,
}

/// What outlives a block of a longer text: the table whose rows go on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Carried {
    table: Option<Table>,
    /// Whether a private key began that did not end.
    pub(crate) is_in_key: bool,
    /// What names were judged to announce.
    judged: Option<Box<Judged>>,
}

impl Carried {
    /// For a text of many blocks.
    pub(crate) fn through_long_text() -> Self {
        Self { judged: Some(Box::default()), ..Self::default() }
    }
}

/// Whether the whole of `text` is what `field` announces.
pub(super) fn is_sensitive(text: &[u8], field: Field) -> bool {
    let value = Value { range: 0..text.len(), is_delimited: true, joint: Joint::Tight };
    plausible::sensitive(Text(text), &value, field).is_some()
}

/// A pass over one text.
struct Scan<'t> {
    text: Text<'t>,
    found: Vec<Finding>,
    table: Option<Table>,
    /// A field that named another one: `{"name": "password", "value": …}`.
    announced: Option<(Field, usize)>,
    /// Whether text that hides text may be looked into.
    looks_inside: bool,
    is_in_key: bool,
    judged: Option<Box<Judged>>,
    /// Up to where a command line was read for its options.
    commanded: usize,
    /// The letters of base64 that were looked at last, to their end.
    coded: Range<usize>,
    /// The line that was asked last whether it speaks of calls, and the answer.
    called: Option<(Range<usize>, bool)>,
}

/// Everything to hide in `bytes` as they stand.
fn scan(bytes: &[u8], looks_inside: bool, carried: &mut Carried) -> Vec<Finding> {
    let mut scan = Scan {
        text: Text(bytes),
        found: Vec::new(),
        table: carried.table.take(),
        announced: None,
        looks_inside,
        is_in_key: false,
        judged: carried.judged.take(),
        commanded: 0,
        coded: 0..0,
        called: None,
    };
    scan.run();
    carried.table = scan.table.take();
    carried.is_in_key = scan.is_in_key;
    carried.judged = scan.judged;
    scan.found
}

impl Scan<'_> {
    fn run(&mut self) {
        let text = self.text;
        let mut place = self.line_start(0);
        while place < text.len() {
            let next = match class(text.at(place)) {
                Class::Letter => self.word(place),
                Class::Digit => self.number(place),
                Class::Sign => self.sign(place),
                Class::LineEnd => self.line_start(place + 1),
                _ => text.run(place + 1, usize::MAX, |byte| class(byte) == Class::Nothing),
            };
            place = next.max(place + 1);
        }
    }

    /// A word that begins with a letter; gives where to go on.
    fn word(&mut self, start: usize) -> usize {
        let text = self.text;
        let mut end = text.run(start, usize::MAX, is_word);
        if text.at(start) >= 0x80
            && let Some(colon) = memchr::memmem::find(text.slice(start..end), joints::WIDE_COLON)
            && colon > 0
        {
            end = start + colon;
        }
        let next = text.at(end);
        let len = end - start;
        if len == 3 && next == b'|' && text.before(start) == b'\r' {
            self.segment(start);
        }
        if len <= 4
            && matches!(next, b':' | b'-' | b'.' | 0)
            && let Some(range) = self.hexadecimal(start)
        {
            return range;
        }
        if (len >= 12 || b"-.+/=%$~:".contains(&next))
            && let Some(end) = self.token(start, end)
        {
            return end;
        }
        if len >= 4
            && text.at(start + 2).is_ascii_digit()
            && let Some(range) = card::iban(text, start)
        {
            return self.hide(range, Kind::Account);
        }
        if len >= 2
            && text.at(start).is_ascii_uppercase()
            // Letters, then soon a digit: as all identifiers that begin with letters.
            && (len == 2 || next == b'-' || (1..=6).any(|at| text.at(start + at).is_ascii_digit()))
            && !is_joined(text, start)
            && let Some(range) = identity::identifier(text, start)
        {
            return self.hide(range, Kind::NationalId);
        }
        if let Some(next) = self.command(start, end) {
            return next;
        }
        if len == 5
            && text.has(start, b"VCARD")
            && text.slice(start.saturating_sub(6)..start) == b"BEGIN:"
        {
            self.visiting_card(end);
        }
        self.field(start, end).unwrap_or(end)
    }

    /// Signs that begin something, or stand in its middle.
    fn sign(&mut self, place: usize) -> usize {
        let text = self.text;
        match text.at(place) {
            b'@' => return self.at_sign(place),
            b'+' | b'(' if text.at(place + 1).is_ascii_digit() || text.at(place + 1) == b'(' => {
                if let Some(next) = self.phone(place) {
                    return next;
                }
            }
            b':' if text.has(place, b"://") => return self.behind_scheme(place),
            b':' if text.at(place + 1) == b'x' && text.at(place + 2) == b':' => {
                return self.password_line(place);
            }
            b':' if text.at(place + 1) == b':' && !is_word(text.before(place)) => {
                if let Some(range) = network::ipv6(text, place) {
                    return self.hide(range, Kind::Ip);
                }
            }
            b'$' => {
                if let Some(range) = secret::password_hash(text, place) {
                    self.owner(range.start);
                    return self.hide(range, Kind::PasswordHash);
                }
            }
            b'-' => {
                if let Some(range) = secret::private_key(text, place) {
                    let end = text.run(range.end, 16, |byte| byte.is_ascii_whitespace());
                    self.is_in_key = end == text.len();
                    return self.hide(range, Kind::PrivateKey);
                }
                if let Some(next) = self.option(place) {
                    return next;
                }
            }
            b'<' => return self.tag(place),
            b'/' | b'\\' => {
                if let Some(next) = self.home(place) {
                    return next;
                }
            }
            _ => {}
        }
        place + 1
    }

    /// Hides `range`; gives its end.
    fn hide(&mut self, range: Range<usize>, kind: Kind) -> usize {
        let end = range.end;
        if range.start < end {
            self.found.push(Finding { range, kind, is_wide: false });
        }
        end
    }

    /// What is made of hexadecimal digits and colons, dots or dashes.
    fn hexadecimal(&mut self, start: usize) -> Option<usize> {
        let text = self.text;
        if !text.at(start).is_ascii_hexdigit() || is_joined(text, start) {
            return None;
        }
        if let Some(range) = network::mac(text, start) {
            return Some(self.hide(range, Kind::Mac));
        }
        let colon = text.run(start, 5, |byte| byte.is_ascii_hexdigit());
        if text.at(colon) == b':'
            && let Some(range) = network::ipv6(text, start)
        {
            return Some(self.hide(range, Kind::Ip));
        }
        None
    }

    /// Keys, tokens and random text.
    fn token(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        if let Some((range, kind)) = secret::shaped(text, start, end) {
            return Some(self.hide(range, kind));
        }
        if is_word(text.before(start)) {
            return None;
        }
        // The parts of a path are asked one by one.
        if !(self.coded.start..self.coded.end).contains(&start) {
            self.coded = start..text.run(start, 1 << 16, is_base64);
        }
        let until = text.run(self.coded.end, 2, |byte| byte == b'=');
        if until - start >= 24
            && self.looks_inside
            && let Some(next) = self.inside(start..until)
        {
            return Some(next);
        }
        if until - start < 20 {
            return None;
        }
        // Names within a path or a joined name are judged one by one; a long path has many.
        let token = text.slice(start..until.min(start + LONGEST_JUDGED));
        let until = match token.iter().filter(|byte| **byte == b'/').count() {
            0 => until,
            count if token.len() / (count + 1) >= 12 && secret::is_random(token) => until,
            _ => start + token.iter().position(|byte| *byte == b'/').unwrap_or(token.len()),
        };
        let token = text.slice(start..until);
        let is_mangled = [&b"_Z"[..], b"_R", b"__Z", b"$s", b"WebKitFormBoundary"]
            .iter()
            .any(|mark| token.starts_with(mark));
        let is_random = !is_mangled && secret::is_random(token) && !is_joined_names(token);
        if is_random && !notations::is_checksum(text, start) {
            return Some(self.hide(start..until, Kind::Secret));
        }
        None
    }

    /// Texts that were wrapped in base64, once.
    fn inside(&mut self, range: Range<usize>) -> Option<usize> {
        let inner = base64::unwrap(self.text.slice(range.clone()))?;
        let found = find(&inner.text, &mut Carried::default(), false);
        for finding in &found {
            let wrapped = inner.wrapped(finding.range.clone());
            self.hide(
                range.start + wrapped.start..range.start + wrapped.end.min(range.len()),
                finding.kind,
            );
        }
        Some(range.end)
    }

    fn at_sign(&mut self, place: usize) -> usize {
        let text = self.text;
        let Some(address) = email::address(text, place) else {
            // `ann@203.0.113.9`
            if let Some(host) = network::ipv4(text, place + 1)
                && text.at(place + 1).is_ascii_digit()
            {
                let is_part = |byte: u8| is_word(byte) || b"-.".contains(&byte);
                let start = text.run_back(place, 40, is_part);
                if start < place && !who::is_nobody(text.slice(start..place)) {
                    self.hide(start..place, Kind::User);
                }
                return self.hide(host, Kind::Ip);
            }
            return place + 1;
        };
        let before = text.slice(address.local.start.saturating_sub(5)..address.local.start);
        // Who is called through whose exchange: the host is nobody's.
        if before.ends_with(b"sip:") || before.ends_with(b"sips:") {
            let number = text.run(address.local.start, 20, |byte| {
                byte.is_ascii_digit() || b"+-.".contains(&byte)
            });
            if number == address.local.end {
                self.hide(address.local, Kind::Phone);
                return address.domain.end;
            }
        }
        self.display_name(address.local.start);
        self.hide(address.local.start..address.domain.end, Kind::Email)
    }

    /// `user:password@` behind the `://` at `place`, and secrets in paths.
    fn behind_scheme(&mut self, place: usize) -> usize {
        let text = self.text;
        let start = place + 3;
        let is_part = |byte: u8| byte > b' ' && !b"/?#\"'<>`\\@{}".contains(&byte);
        let mut at = text.run(start, 512, is_part);
        // A password may hold an `@` or a slash; the last `@` before the path counts.
        if text.at(at) == b'/' || text.at(at) == b'#' || text.at(at) == b'?' {
            let further =
                text.run(at + 1, 128, |byte| byte > b' ' && !b"?\"'<>`\\@".contains(&byte));
            let has_colon = text.slice(start..at).contains(&b':');
            let port =
                text.slice(start..at).rsplit(|byte| *byte == b':').next().unwrap_or_default();
            if text.at(further) == b'@' && has_colon && !port.iter().all(u8::is_ascii_digit) {
                at = further;
            }
        }
        while text.at(at) == b'@' {
            let more = text.run(at + 1, 256, is_part);
            if text.at(more) != b'@' {
                break;
            }
            at = more;
        }
        if text.at(at) != b'@' {
            return self.webhook(start);
        }
        let colon = text.run(start, 512, |byte| byte != b':' && byte != b'@');
        let user = start..colon.min(at);
        if text.at(colon) == b':' && colon < at {
            if !is_slot(text.slice(user.clone())) && !who::is_nobody(text.slice(user.clone())) {
                self.hide(user, Kind::User);
            }
            if !is_slot(text.slice(colon + 1..at)) {
                self.hide(colon + 1..at, Kind::Password);
            }
        } else if user.len() >= 16 && secret::is_mixed(text.slice(user.clone())) {
            self.hide(user, Kind::Secret);
        } else if !user.is_empty()
            && text.slice(user.clone()) != b"git"
            && !is_slot(text.slice(user.clone()))
        {
            self.hide(user, Kind::User);
        }
        at + 1
    }

    /// Addresses whose path is the secret: whoever knows it may post there.
    fn webhook(&mut self, start: usize) -> usize {
        const HOOKS: &[(&[u8], &[u8])] = &[
            (b"hooks.slack.com/", b"services/"),
            (b"discord.com/api/webhooks/", b""),
            (b"discordapp.com/api/webhooks/", b""),
            (b"hooks.zapier.com/hooks/catch/", b""),
            (b"api.telegram.org/bot", b""),
            (b"maker.ifttt.com/trigger/", b""),
        ];
        let text = self.text;
        let is_path = |byte: u8| is_word(byte) || b"/-.%:@".contains(&byte);
        for (host, _) in HOOKS {
            if text.has(start, host) {
                let from =
                    text.run_back(start.saturating_sub(3), 8, |byte| byte.is_ascii_alphabetic());
                let end = text.run(start, 512, is_path);
                return self.hide(from..end, Kind::Key);
            }
        }
        // `https://outlook.office.com/webhook/…`, `….webhook.office.com/…`
        let host = text.run(start, 128, |byte| is_word(byte) || b".-".contains(&byte));
        if text.slice(start..host).ends_with(b"webhook.office.com") || text.has(host, b"/webhook/")
        {
            return self.hide(host..text.run(host, 512, is_path), Kind::Key);
        }
        start
    }
}

/// Bytes of a token by which all of it is judged.
const LONGEST_JUDGED: usize = 1024;

/// Whether the word at `start` goes on with something before it: `x-ab:cd`, `v1.2`.
fn is_joined(text: Text<'_>, start: usize) -> bool {
    let prior = text.before(start);
    is_word(prior)
        || (matches!(prior, b'-' | b'.' | b'+' | b'/')
            && is_word(text.before(start - 1))
            && prior != b'/')
}

/// Whether groups of four hexadecimal digits stand beside `range`: it is of a table, or of
/// a dump of memory.
fn is_in_dump(text: Text<'_>, range: &Range<usize>) -> bool {
    let is_part = |byte: u8| byte > b' ';
    let is_group =
        |part: Range<usize>| part.len() == 4 && text.slice(part).iter().all(u8::is_ascii_hexdigit);
    let before = range.start.saturating_sub(1);
    let after = range.end + 1;
    is_blank(text.before(range.start)) && is_group(text.run_back(before, 6, is_part)..before)
        || is_blank(text.at(range.end)) && is_group(after..text.run(after, 6, is_part))
}

/// Placeholders within a URL.
fn is_slot(part: &[u8]) -> bool {
    part.is_empty()
        || matches!(part.first(), Some(b'$' | b'{' | b'<' | b'%' | b'*'))
            && !part.iter().any(u8::is_ascii_digit)
        || part.iter().all(|byte| *byte == b'*' || *byte == b'x')
}

/// The alphabets of base64 and base64url.
fn is_base64(byte: u8) -> bool {
    BASE64.get(usize::from(byte)).copied().unwrap_or(false)
}

static BASE64: [bool; 256] = text::table(b"+/-_", false);

/// Joined names with digits within: `libFoo-1.2-Bar_64`, `Win32_Storage_FileSystem`.
fn is_joined_names(token: &[u8]) -> bool {
    // `582696fd3a0df6bf-FRA`: a number of a request, and where it came in.
    let mut ends = token.rsplitn(2, |byte| *byte == b'-');
    let is_marked_hex = ends.next().is_some_and(|last| last.len() <= 4)
        && ends.next().is_some_and(|first| first.iter().all(u8::is_ascii_hexdigit));
    // Identifiers of programs, which have no dashes.
    let is_identifier = !token.contains(&b'-')
        && token.iter().filter(|byte| **byte == b'_').count() >= 2
        && token
            .split(|byte| *byte == b'_')
            .all(|part| part.len() <= 20 && secret::changes(part) <= 2 + part.len() / 5);
    let is_pair = token.iter().filter(|byte| b"-_".contains(byte)).count() >= 3
        && token
            .split(|byte| b"-_".contains(byte))
            .all(|part| part.len() < 12 && !secret::is_mixed(part));
    is_marked_hex || is_identifier || is_pair
}

/// What a byte may begin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Nothing,
    Letter,
    Digit,
    Sign,
    LineEnd,
}

#[inline]
fn class(byte: u8) -> Class {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(Class::Nothing)
}

static CLASSES: [Class; 256] = classes();

#[allow(clippy::indexing_slicing)]
const fn classes() -> [Class; 256] {
    let mut classes = [Class::Nothing; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => Class::Letter,
            b'0'..=b'9' => Class::Digit,
            b'@' | b'+' | b'(' | b':' | b'$' | b'-' | b'<' | b'/' | b'\\' => Class::Sign,
            b'\n' | 0 => Class::LineEnd,
            _ => Class::Nothing,
        };
        byte += 1;
    }
    classes
}

/// The parts of `text` that are hidden.
#[cfg(test)]
fn hidden(text: &str) -> Vec<&str> {
    let found = find(text.as_bytes(), &mut Carried::default(), true);
    found.into_iter().map(|hit| &text[hit.range]).collect()
}
