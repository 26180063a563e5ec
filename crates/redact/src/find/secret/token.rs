//! Runs of letters and digits: a token by its shape, text in base64, or text too random for
//! anything else.

use std::ops::Range;

use super::public::{is_checksum, is_ssh_key};
use super::{changes, is_mixed, is_random, shaped, unlabelled};
use crate::find::Carried;
use crate::find::scan::Scan;
use crate::find::text::encodings::find_wrapped;
use crate::find::text::is_word;
use crate::find::text::wrapped::{self, Alphabet};
use crate::kind::Kind;

/// Bytes of a token by which all of it is judged.
const LONGEST_JUDGED: usize = 1024;
/// Letters of base64 on one line.
const LONGEST_CODED: usize = 4 << 20;
/// How often all letters of a run of base64 may be decoded to find no text in it.
const MOST_IN_VAIN: usize = 64;

impl Scan<'_> {
    /// Keys, tokens and random text.
    pub(in crate::find) fn token(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        // Most long words of a log are hashes and ids: no token, and at most text in digits.
        if is_hash(text.slice(start..end)) && !Alphabet::Base64.holds(text.at(end)) {
            return self.inside_hexadecimal(start);
        }
        if is_ssh_key(text, start) {
            return Some(text.run(start, LONGEST_CODED, |byte| Alphabet::Base64.holds(byte)));
        }
        if let Some((range, kind)) = shaped(text, start, end) {
            return Some(self.hide(range, kind));
        }
        if is_word(text.before(start)) {
            return None;
        }
        // The parts of a path are asked one by one.
        if !(self.coded.start..self.coded.end).contains(&start) {
            self.coded = start..text.run(start, LONGEST_CODED, |byte| Alphabet::Base64.holds(byte));
            self.decoded_in_vain = 0;
        }
        let until = text.run(self.coded.end, 2, |byte| byte == b'=');
        if until - start >= 16
            && let Some(next) = self.inside(start..self.coded.end)
        {
            return Some(next);
        }
        if until - start < 16 {
            return None;
        }
        if let Some(end) = unlabelled::token(text, start)
            && !is_checksum(text, start)
        {
            return Some(self.hide(start..end, Kind::Secret));
        }
        if until - start < 20 {
            return None;
        }
        // Names within a path or a joined name are judged one by one; a long path has many.
        let token = text.slice(start..until.min(start + LONGEST_JUDGED));
        let until = match token.iter().filter(|byte| **byte == b'/').count() {
            0 => until,
            count if token.len() / (count + 1) >= 12 && is_random(token) => until,
            _ => start + token.iter().position(|byte| *byte == b'/').unwrap_or(token.len()),
        };
        let token = text.slice(start..until.min(start + LONGEST_JUDGED));
        let is_mangled = [&b"_Z"[..], b"_R", b"__Z", b"$s", b"WebKitFormBoundary"]
            .iter()
            .any(|mark| token.starts_with(mark));
        let is_random = !is_mangled && is_random(token) && !is_joined_names(token);
        if is_random && !is_checksum(text, start) {
            return Some(self.hide(start..until, Kind::Secret));
        }
        None
    }

    /// Texts that were wrapped in the letters at `range`.
    pub(in crate::find) fn inside(&mut self, range: Range<usize>) -> Option<usize> {
        let text = self.text;
        if self.wraps == 0 || self.decoded_in_vain > MOST_IN_VAIN * self.coded.len() {
            return None;
        }
        if let Some(next) = self.inside_hexadecimal(range.start) {
            return Some(next);
        }
        if Alphabet::Base32.holds(text.at(range.start)) {
            let end = text.run(range.start, LONGEST_CODED, |byte| Alphabet::Base32.holds(byte));
            if end - range.start >= 16
                && !is_word(text.at(end))
                && let Some(next) = self.unwrapped(range.start..end, Alphabet::Base32)
            {
                return Some(next);
            }
        }
        self.unwrapped(range, Alphabet::Base64)
    }

    /// Texts that were written as the hexadecimal digits at `start`.
    pub(in crate::find) fn inside_hexadecimal(&mut self, start: usize) -> Option<usize> {
        let text = self.text;
        let start = match (text.before(start), text.at(start)) {
            (_, b'0') if text.at(start + 1) == b'x' => start + 2,
            // As PostgreSQL writes bytes.
            (b'\\', b'x') => start + 1,
            _ => start,
        };
        // A digit of the first byte of a text, and few of a hash are.
        if self.wraps == 0 || !matches!(text.at(start), b'2'..=b'7' | b'0' | b'c'..=b'e') {
            return None;
        }
        let end = text.run(start, LONGEST_CODED, |byte| byte.is_ascii_hexdigit());
        let is_whole = end - start >= 12 && (end - start).is_multiple_of(2);
        if !is_whole || is_word(text.at(end)) {
            return None;
        }
        self.unwrapped(start..end, Alphabet::Hexadecimal)
    }

    fn unwrapped(&mut self, range: Range<usize>, alphabet: Alphabet) -> Option<usize> {
        let text = self.text;
        if !wrapped::may_be_text(text, range.clone(), alphabet) {
            self.decoded_in_vain += range.len();
            return None;
        }
        let mut inner = None;
        // Lines that were joined in vain are read one by one.
        if range.end > self.joined_in_vain {
            let lines = wrapped::lines(text, range.clone(), alphabet);
            let end = lines.last().map_or(range.end, |last| last.end);
            if end > range.end {
                inner = wrapped::unwrap(text, lines, alphabet);
                self.joined_in_vain = if inner.is_none() { end } else { 0 };
            }
        }
        let inner = inner.or_else(|| wrapped::unwrap(text, vec![range.clone()], alphabet));
        let Some(inner) = inner else {
            self.decoded_in_vain += range.len();
            return None;
        };
        let found = find_wrapped(&inner.text, &mut Carried::default(), self.wraps - 1);
        let is_plain = inner.is_plain();
        if found.is_empty() && (alphabet != Alphabet::Base64 || !is_plain) {
            self.decoded_in_vain += range.len();
            self.joined_in_vain = inner.end();
            return None;
        }
        for span in &found {
            for place in inner.wrapped(span.range.clone()) {
                self.hide(place, span.kind);
            }
        }
        Some(inner.end())
    }
}

/// Whether all of `word` are hexadecimal digits in small letters.
fn is_hash(word: &[u8]) -> bool {
    word.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

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
            .all(|part| part.len() <= 20 && changes(part) <= 2 + part.len() / 5);
    let is_pair = token.iter().filter(|byte| b"-_".contains(byte)).count() >= 3
        && token.split(|byte| b"-_".contains(byte)).all(|part| part.len() < 12 && !is_mixed(part));
    is_marked_hex || is_identifier || is_pair
}
