//! Random text of one case, or of the letters of base32. Names, hashes and ids are written
//! with the same letters, so a word nearby must speak of secrets.

use super::changes;
use crate::find::text::{Text, is_word};
use crate::word_set::WordSet;

/// Words of a line about what is secret.
static SECRETS: WordSet<128> = WordSet::new(&[
    b"token",
    b"tokens",
    b"key",
    b"keys",
    b"apikey",
    b"secret",
    b"secrets",
    b"session",
    b"auth",
    b"authorization",
    b"authentication",
    b"authenticated",
    b"authenticate",
    b"bearer",
    b"signature",
    b"cookie",
    b"cookies",
    b"credential",
    b"credentials",
    b"csrf",
    b"xsrf",
    b"sid",
    b"password",
    b"passwd",
    b"passphrase",
    b"otp",
    b"totp",
    b"mfa",
    b"authenticator",
    b"login",
    b"oauth",
    b"nonce",
    b"refresh",
    b"access",
    b"psk",
    b"seed",
]);

/// Words of what is random and no secret.
static IDS: WordSet<128> = WordSet::new(&[
    b"commit",
    b"sha",
    b"md",
    b"digest",
    b"hash",
    b"checksum",
    b"build",
    b"image",
    b"layer",
    b"container",
    b"pod",
    b"trace",
    b"span",
    b"request",
    b"id",
    b"uuid",
    b"guid",
    b"file",
    b"path",
    b"object",
    b"bucket",
    b"blob",
    b"chunk",
    b"version",
    b"revision",
    b"rev",
    b"etag",
    b"fingerprint",
    b"symbol",
    b"module",
    b"function",
    b"correlation",
    b"transaction",
    b"job",
    b"task",
    b"node",
    b"host",
    b"hostname",
    b"instance",
    b"cursor",
    b"integrity",
    b"store",
    b"deployment",
    b"replicaset",
    b"cache",
    b"artifact",
    b"package",
]);

/// Where the random text that starts at `start` ends, if something before it says that it
/// is a secret.
pub(super) fn token(text: Text<'_>, start: usize) -> Option<usize> {
    let end = text.run(start, 256, |byte| byte.is_ascii_alphanumeric());
    let token = text.slice(start..end);
    if token.len() < 16 || is_word(text.at(end)) || is_part(text, start, end) {
        return None;
    }
    let letters = Letters::of(token);
    let is_secret = letters.are_unpatterned(token)
        && (speaks_of_secrets(text, start) || is_assigned(text, start, end))
        || letters.are_base32(token) && speaks_of_secrets(text, start);
    is_secret.then_some(end)
}

/// What a token is written with.
struct Letters {
    digits: usize,
    small: usize,
    capitals: usize,
    /// Whether all are hexadecimal digits, or all of base32.
    is_hexadecimal: bool,
    is_base32: bool,
}

impl Letters {
    fn of(token: &[u8]) -> Self {
        let mut letters =
            Self { digits: 0, small: 0, capitals: 0, is_hexadecimal: true, is_base32: true };
        for byte in token {
            letters.digits += usize::from(byte.is_ascii_digit());
            letters.small += usize::from(byte.is_ascii_lowercase());
            letters.capitals += usize::from(byte.is_ascii_uppercase());
            letters.is_hexadecimal &= byte.is_ascii_hexdigit();
            letters.is_base32 &= matches!(byte, b'A'..=b'Z' | b'2'..=b'7');
        }
        letters
    }

    /// Letters and digits in no order, more than hexadecimal ones.
    fn are_unpatterned(&self, token: &[u8]) -> bool {
        token.len() >= 20
            && !self.is_hexadecimal
            // Of both cases it is judged without a word.
            && self.small.min(self.capitals) < 3
            && self.digits * 10 >= token.len()
            && self.digits * 10 <= token.len() * 6
            && changes(token) * 3 >= token.len()
            && distinct(token) >= 10
    }

    /// Capitals and the digits 2 to 7, as keys of one-time codes are written.
    fn are_base32(&self, token: &[u8]) -> bool {
        self.is_base32
            && !self.is_hexadecimal
            && (1..token.len() / 2).contains(&self.digits)
            && changes(token) * 5 >= token.len()
            && distinct(token) >= 8
    }
}

/// Whether it is a part of a path, a name with dashes, or the name of a file.
fn is_part(text: Text<'_>, start: usize, end: usize) -> bool {
    let goes_on = matches!(text.at(end), b'-' | b'.' | b'/' | b'@') && is_word(text.at(end + 1));
    matches!(text.before(start), b'/' | b'\\' | b'-' | b'.' | b'+' | b'@' | b'#') || goes_on
}

fn distinct(token: &[u8]) -> u32 {
    let seen = token.iter().fold(0u128, |seen, byte| seen | 1 << (byte & 127));
    seen.count_ones()
}

/// Whether of the last words before `start` on its line one is about secrets, and none closer
/// is about ids.
pub(super) fn speaks_of_secrets(text: Text<'_>, start: usize) -> bool {
    const FAR: usize = 60;
    let before = text.slice(text.run_back(start, FAR, |byte| byte != b'\n' && byte != 0)..start);
    let words = before.rsplit(|byte| !byte.is_ascii_alphabetic()).filter(|word| word.len() > 1);
    for word in words.take(8) {
        if SECRETS.has(word) {
            return true;
        }
        if IDS.has(word) {
            return false;
        }
    }
    false
}

/// `name = "…"`, `?name=…&`: a value, of a name that is not one of ids.
fn is_assigned(text: Text<'_>, start: usize, end: usize) -> bool {
    let quote = text.before(start);
    let is_quoted = matches!(quote, b'"' | b'\'') && text.at(end) == quote;
    let sign = text.run_back(start - usize::from(is_quoted), 2, |byte| byte == b' ');
    if text.before(sign) != b'=' || matches!(text.before(sign - 1), b'=' | b'!' | b'<' | b'>') {
        return false;
    }
    let blank = text.run_back(sign - 1, 2, |byte| byte == b' ');
    let name_start = text.run_back(blank, 40, |byte| is_word(byte) || byte == b'-');
    let is_of_query = matches!(text.before(name_start), b'?' | b'&');
    if !(is_quoted || is_of_query) || text.slice(start..end).len() < 24 {
        return false;
    }
    let name = text.slice(name_start..blank);
    let mut parts = name.split(|byte| !byte.is_ascii_alphabetic());
    let ends_as_id =
        [&b"id"[..], b"ID", b"Id", b"hash", b"Hash", b"sum", b"tag", b"v", b"ver", b"etag"]
            .iter()
            .any(|end| name.ends_with(end));
    !name.is_empty() && !ends_as_id && !parts.any(|part| IDS.has(part))
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn a_word_before_it_makes_random_text_a_secret() {
        for (text, token) in [
            ("invalid session for k3v8h2m9x4z7b1n5c6l0p8s", "k3v8h2m9x4z7b1n5c6l0p8s"),
            ("auth failed, got K3V8H2M9X4Z7B1N5C6L0", "K3V8H2M9X4Z7B1N5C6L0"),
            ("enter it in the authenticator: JBSW2Y3DPEHPK3PXPN4Q", "JBSW2Y3DPEHPK3PXPN4Q"),
            ("export X=\"Zx8q1w9e8r7t6y5u4i3o2p1a9s8Q\"", "Zx8q1w9e8r7t6y5u4i3o2p1a9s8Q"),
            ("handle = \"q1w9e8r7t6y5u4i3o2p1a9s8\"", "q1w9e8r7t6y5u4i3o2p1a9s8"),
            ("GET /x?u=q1w9e8r7t6y5u4i3o2p1a9s8&y=1", "q1w9e8r7t6y5u4i3o2p1a9s8"),
        ] {
            assert_eq!(hidden(text), [token], "{text}");
        }
    }

    #[test]
    fn hashes_ids_names_and_paths_stay() {
        for text in [
            "session opened at commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
            "container 3f4e8a9c2b1d5e6f7a8b9c0d1e2f3a4b killed",
            "pod nginx-deployment-7c5ddbdf54-x7k2p started",
            "auth request id k3v8h2m9x4z7b1n5c6l0p8s",
            "key at s3://bucket/ab/cd/k3v8h2m9x4z7b1n5c6l0p8s",
            "token cache /nix/store/0c6kzph7l0dcbfmjap64f0czdafn3b7x-glibc-2.38",
            "upload chunk k3v8h2m9x4z7b1n5c6l0p8s done",
            "etag = \"q1w9e8r7t6y5u4i3o2p1a9s8\"",
            "GET /app.js?v=q1w9e8r7t6y5u4i3o2p1a9s8",
            "trace_id=4bf92f3577b34da6a3ce929d0e0e4736",
            "authentication_of_all_users_is_now_done2",
            "key ABCDEFGHIJKLMNOPQRST",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
