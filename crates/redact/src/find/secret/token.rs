//! Runs of letters and digits: a token by its shape, text in base64, or text too random for
//! anything else.

use std::ops::Range;

use super::{changes, is_mixed, is_random, shaped};
use crate::find::scan::Scan;
use crate::find::text::{self, Text, base64, is_blank, is_word};
use crate::find::{Carried, find};
use crate::kind::Kind;

/// Bytes of a token by which all of it is judged.
const LONGEST_JUDGED: usize = 1024;
/// How often all letters of a run of base64 may be decoded to find no text in it.
const MOST_IN_VAIN: usize = 64;

impl Scan<'_> {
    /// Keys, tokens and random text.
    pub(in crate::find) fn token(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        if let Some((range, kind)) = shaped(text, start, end) {
            return Some(self.hide(range, kind));
        }
        if is_word(text.before(start)) {
            return None;
        }
        // The parts of a path are asked one by one.
        if !(self.coded.start..self.coded.end).contains(&start) {
            self.coded = start..text.run(start, 1 << 16, is_base64);
            self.decoded_in_vain = 0;
        }
        let until = text.run(self.coded.end, 2, |byte| byte == b'=');
        if until - start >= 24
            && self.looks_inside
            && self.decoded_in_vain <= MOST_IN_VAIN * self.coded.len()
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

    /// Texts that were wrapped in base64, once.
    fn inside(&mut self, range: Range<usize>) -> Option<usize> {
        let Some(inner) = base64::unwrap(self.text.slice(range.clone())) else {
            self.decoded_in_vain += range.len();
            return None;
        };
        let found = find(&inner.text, &mut Carried::default(), false);
        for span in &found {
            let wrapped = inner.wrapped(span.range.clone());
            self.hide(
                range.start + wrapped.start..range.start + wrapped.end.min(range.len()),
                span.kind,
            );
        }
        Some(range.end)
    }
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
            .all(|part| part.len() <= 20 && changes(part) <= 2 + part.len() / 5);
    let is_pair = token.iter().filter(|byte| b"-_".contains(byte)).count() >= 3
        && token.split(|byte| b"-_".contains(byte)).all(|part| part.len() < 12 && !is_mixed(part));
    is_marked_hex || is_identifier || is_pair
}

/// Whether what `token` begins is a checksum, as what is before it says.
fn is_checksum(text: Text<'_>, token: usize) -> bool {
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
