//! Runs of letters and digits: a token by its shape, text in base64, or text too random for
//! anything else.

use std::ops::Range;

use super::public::{is_checksum, is_ssh_key};
use super::{changes, is_mixed, is_random, shaped, unlabelled};
use crate::find::Carried;
use crate::find::scan::Scan;
use crate::find::text::encodings::find_wrapped;
use crate::find::text::wrapped::{self, Alphabet};
use crate::find::text::{Text, is_word};
use crate::kind::Kind;

/// Bytes of a token by which all of it is judged.
const LONGEST_JUDGED: usize = 1024;
/// Letters of base64 on one line.
const LONGEST_CODED: usize = 4 << 20;
/// How often all letters of a run of base64 may be decoded to find no text in it.
const MOST_IN_VAIN: usize = 64;

/// `Input-Bx81kqLm.js`: a file that a bundler named by its content; it ends at `end`.
fn is_asset(text: Text<'_>, end: usize) -> bool {
    const KINDS: &[&[u8]] = &[b".js", b".css", b".mjs", b".map", b".png", b".svg", b".woff"];
    KINDS.iter().any(|kind| text.has(end, kind))
}

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
        if let Some(end) = self.blob(start..self.coded.end) {
            return Some(end);
        }
        if let Some(end) = unlabelled::token(text, start)
            && !is_asset(text, end)
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
            count if is_of_base64(token, count) && is_random(token) => until,
            _ => start + token.iter().position(|byte| *byte == b'/').unwrap_or(token.len()),
        };
        let token = text.slice(start..until.min(start + LONGEST_JUDGED));
        let is_mangled = [&b"_Z"[..], b"_R", b"__Z", b"$s", b"WebKitFormBoundary"]
            .iter()
            .any(|mark| token.starts_with(mark));
        let is_random = !is_mangled && is_random(token) && !is_joined_names(token);
        if is_random && !is_asset(text, until) && !is_checksum(text, start) {
            return Some(self.hide(start..until, Kind::Secret));
        }
        None
    }

    /// Base64 of bytes that are no text, in one line or in many, which nothing announces: a
    /// picture, a certificate, compressed data. It stays, but for a private key.
    fn blob(&mut self, first: Range<usize>) -> Option<usize> {
        const LEAST: usize = 256;
        let text = self.text;
        let head = text.slice(first.start..first.end.min(first.start + LONGEST_JUDGED));
        if head.len() < 40 || head.iter().any(|byte| matches!(byte, b'-' | b'_')) {
            return None;
        }
        let is_key = is_private_key(head);
        if !is_key && !is_random(head) {
            return None;
        }
        if !is_key && first.start < self.joined_as_blob {
            return None;
        }
        let lines = wrapped::lines(text, first.clone(), Alphabet::Base64);
        let end = lines.last().map_or(first.end, |last| last.end);
        let end = text.run(end, 2, |byte| byte == b'=');
        if is_key {
            return Some(self.hide(first.start..end, Kind::PrivateKey));
        }
        let letters: usize = lines.iter().map(Range::len).sum();
        let has_sign = |line: &Range<usize>| {
            text.slice(line.clone()).iter().any(|byte| matches!(byte, b'+' | b'/'))
        };
        let is_blob = letters >= LEAST
            && lines.iter().any(has_sign)
            && !unlabelled::speaks_of_secrets(text, first.start);
        if !is_blob {
            self.joined_as_blob = end;
        }
        is_blob.then_some(end)
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

/// How the encodings of private keys begin: PKCS #1 and #8, EC, Ed25519, OpenSSH.
fn is_private_key(letters: &[u8]) -> bool {
    const STARTS: &[&[u8]] = &[
        b"MHcCAQEE",
        b"MIGHAgEA",
        b"MIHuAgEA",
        b"MIG2AgEA",
        b"MC4CAQAwBQYDK2Vw",
        b"b3BlbnNzaC1rZXktdjE",
    ];
    let has = |part: &[u8]| {
        letters.get(4..24).is_some_and(|head| head.windows(part.len()).any(|at| at == part))
    };
    STARTS.iter().any(|start| letters.starts_with(start))
        || letters.starts_with(b"MII") && (has(b"IBADANBgkqhkiG") || has(b"IBAAKC"))
}

/// Whether slashes are rare enough for letters of base64, and the first part is no name of a
/// folder or a domain and no hash. Base64 has slashes or dashes, never both (RFC 4648, 4 and 5).
fn is_of_base64(token: &[u8], slashes: usize) -> bool {
    if token.contains(&b'-') {
        return false;
    }
    let first = token.split(|byte| *byte == b'/').next().unwrap_or_default();
    let is_name = (2..=12).contains(&first.len()) && first.iter().all(u8::is_ascii_lowercase);
    token.len() / (slashes + 1) >= 12 && !is_name && !is_hash(first)
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

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    /// Base64 of bytes in no order.
    fn letters(len: usize) -> String {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut state = 7_u32;
        let draw = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(alphabet[(state >> 9) as usize % alphabet.len()])
        });
        // No text begins like this.
        "gIGC".chars().chain(draw).take(len).collect()
    }

    #[test]
    fn files_that_a_bundler_named_are_no_tokens() {
        for file in ["dist/assets/PasswordInput-Bx81kqLm.js 65.84 kB", "index-DiwrgTda.css"] {
            assert!(hidden(file).is_empty(), "{file}");
        }
    }

    fn wrapped(letters: &str) -> String {
        letters
            .as_bytes()
            .chunks(76)
            .map(|line| format!("{}\n", str::from_utf8(line).unwrap()))
            .collect()
    }

    #[test]
    fn long_base64_of_no_text_stays_unless_something_announces_it() {
        let blob = letters(600);
        assert_eq!(hidden(&format!("{{\"picture\": \"{blob}\"}}")), [""; 0]);
        assert_eq!(hidden(&wrapped(&blob)), [""; 0]);
        assert_eq!(hidden(&format!("session {blob}")), [blob.as_str()]);
        let short = letters(80);
        assert_eq!(hidden(&format!("x {short}")), [short.as_str()]);
    }

    #[test]
    fn a_private_key_without_its_first_line_is_hidden_whole() {
        let key = wrapped(&format!("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC{}", letters(1000)));
        let text = format!("x\n{key}-----END PRIVATE KEY-----");
        assert_eq!(hidden(&text), [key.trim_end()]);
    }

    #[test]
    fn the_parts_of_a_path_are_judged_one_by_one() {
        let account = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        assert_eq!(hidden(&format!("https://scan.io/address/{account}")), [account]);
        let page = "tree/blob/9fceb02d0ae598e95dc970b74767f19372d61af8/AI_Policy2For4Us.md";
        assert_eq!(hidden(page), [""; 0]);
        let temporary = "/tmp/obit-pages-0PCmt6/broken.core";
        assert_eq!(hidden(temporary), [""; 0]);
    }
}
