//! Keys of sessions and tunnels that are written without the name of a field.

use crate::find::scan::Scan;
use crate::find::text::is_blank;
use crate::kind::Kind;

impl Scan<'_> {
    /// `CLIENT_RANDOM <random> <secret>`, a line that a browser logs for Wireshark; the random
    /// number of the client stays, which names the session.
    pub(super) fn logged_key(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let hexadecimal = |from: usize| text.run(from, 512, |byte| byte.is_ascii_hexdigit());
        let random = hexadecimal(end + 1);
        let secret = hexadecimal(random + 1);
        let is_line = text.at(end) == b' '
            && text.at(random) == b' '
            && random - end > 16
            && secret - random > 32
            && text.at(secret) <= b' ';
        is_line.then(|| self.hide(random + 1..secret, Kind::Secret))
    }

    /// The lines of hexadecimal digits below `-----BEGIN OpenVPN Static key V1-----` or
    /// `$ANSIBLE_VAULT;1.1;AES256`, from the end of that line on.
    pub(super) fn lines_of_key(&mut self, from: usize) -> Option<usize> {
        let text = self.text;
        let is_gap = |byte: u8| byte.is_ascii_whitespace() || byte == b'|';
        let line = text.run(from, 64, |byte| byte != b'\n' && byte != b'\r');
        let start = text.run(line, 32, is_gap);
        let mut place = start;
        let mut end = start;
        while place < text.len() {
            let stop = text.run(place, 256, |byte| byte.is_ascii_hexdigit());
            if stop - place < 8 {
                break;
            }
            end = stop;
            place = text.run(stop, 32, is_gap);
        }
        (end > start + 16).then(|| self.hide(start..end, Kind::PrivateKey))
    }

    /// `<auth-user-pass>`, and a user and a password on lines of their own (OpenVPN).
    pub(super) fn user_and_password_lines(&mut self, from: usize) -> Option<usize> {
        let text = self.text;
        let line = |from: usize| text.run(from, 256, |byte| byte > b' ');
        let gap = |from: usize| text.run(from, 2, |byte| matches!(byte, b'\r' | b'\n'));
        let user = gap(from);
        let user_end = line(user);
        let password = gap(user_end);
        let end = line(password);
        if user == from
            || password == user_end
            || text.at(user) == b'<'
            || text.at(password) == b'<'
        {
            return None;
        }
        self.hide(user..user_end, Kind::User);
        Some(self.hide(password..end, Kind::Password))
    }

    /// `createUser ann SHA "secret" AES "secret"`, `auth sha secret priv aes 128 secret`: what
    /// follows the name of a method (SNMPv3), which ends at `end`.
    pub(super) fn behind_method(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let mut from = text.run(end, 2, is_blank);
        // `aes 128 secret`, `md5 0x…`
        for length in [&b"128 "[..], b"192 ", b"256 "] {
            from += if text.has(from, length) { length.len() } else { 0 };
        }
        let quote = text.at(from);
        let range = match quote {
            b'"' | b'\'' => {
                from + 1..text.run(from + 1, 128, |byte| byte != quote && byte != b'\n')
            }
            _ => from..text.run(from, 128, |byte| byte > b' '),
        };
        let is_word = range.len() >= 6 && from > end;
        if is_word && self.hide_filled(range.clone(), Kind::Password) {
            Some(range.end)
        } else {
            None
        }
    }

    /// `ann SHA "secret" AES "secret"` behind `createUser` (Net-SNMP).
    pub(super) fn created_user(&mut self, end: usize) -> Option<usize> {
        const METHODS: &[&[u8]] = &[
            b"MD5", b"SHA", b"SHA-224", b"SHA-256", b"SHA-384", b"SHA-512", b"AES", b"AES128",
            b"AES192", b"AES256", b"DES",
        ];
        let text = self.text;
        let line = text.run(end, 256, |byte| !matches!(byte, b'\n' | b'\r' | 0));
        let mut place = end + 1;
        while place < line {
            let word = text.run(place, 64, |byte| byte > b' ');
            if METHODS.contains(&text.slice(place..word)) {
                self.behind_method(word);
            }
            place = word + 1;
        }
        None
    }

    /// `1 3 0x8000… "ann" "ann" NULL .1.3… 0x0123…`, the words behind `usmUser`: in quotes who,
    /// behind a number of a method the key.
    pub(super) fn kept_user(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let mut place = end;
        let mut is_method = false;
        for _ in 0..12 {
            let from = text.run(place, 2, is_blank);
            let stop = text.run(from, 256, |byte| byte > b' ');
            if from == place || stop == from {
                break;
            }
            match text.at(from) {
                b'"' if stop > from + 2 => {
                    self.hide_filled(from + 1..stop - 1, Kind::User);
                }
                b'0' if is_method && stop - from >= 18 => {
                    self.hide(from..stop, Kind::Secret);
                }
                _ => {}
            }
            is_method = text.at(from) == b'.';
            place = stop;
        }
        None
    }

    /// `psk="…"` of a network in `wpa_supplicant.conf`, and `identity="…"`: the value whose
    /// quote is at `from`.
    pub(super) fn quoted(&mut self, from: usize, kind: Kind) -> Option<usize> {
        let text = self.text;
        let end = text.run(from + 1, 256, |byte| byte != b'"' && byte != b'\n');
        let is_quoted = text.at(from) == b'"' && text.at(end) == b'"';
        if is_quoted && self.hide_filled(from + 1..end, kind) { Some(end) } else { None }
    }

    /// `ann::CORP:challenge:proof:blob` (NTLM, as tools that break it read it), whose `::` is
    /// at `place`.
    pub(super) fn ntlm_response(&mut self, place: usize) -> Option<usize> {
        let text = self.text;
        let domain =
            text.run(place + 2, 16, |byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        let hexadecimal = |from: usize| text.run(from, 2048, |byte| byte.is_ascii_hexdigit());
        let challenge = hexadecimal(domain + 1);
        let proof = hexadecimal(challenge + 1);
        let blob = hexadecimal(proof + 1);
        let is_response = domain > place + 2
            && text.at(domain) == b':'
            && challenge - domain == 17
            && proof - challenge >= 33
            && text.at(proof) == b':';
        if !is_response {
            return None;
        }
        let user = text.run_back(place, 64, |byte| byte > b' ' && !b":\"'=".contains(&byte));
        self.hide_filled(user..place, Kind::User);
        Some(self.hide(challenge + 1..blob, Kind::PasswordHash))
    }
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn keys_of_tunnels_are_hidden() {
        for (text, wanted) in [
            (
                "-----BEGIN OpenVPN Static key V1-----\n6acef03f62675b4b1bbd03e53b187727\n423cea742242106cb2916a8a4c829756\n-----END OpenVPN Static key V1-----",
                &["6acef03f62675b4b1bbd03e53b187727\n423cea742242106cb2916a8a4c829756"][..],
            ),
            ("<auth-user-pass>\nann77\ntulip99\n</auth-user-pass>", &["ann77", "tulip99"]),
            (
                "ann77::CORP:1122334455667788:0123456789abcdef0123456789abcdef:0101000000000000",
                &["ann77", "0123456789abcdef0123456789abcdef:0101000000000000"],
            ),
        ] {
            assert_eq!(hidden(text), wanted, "{text}");
        }
    }

    #[test]
    fn methods_and_certificates_stay() {
        for text in [
            "ssl_ciphers SHA AES 128 and AES 256",
            "auth SHA256\ncipher AES-256-GCM\n",
            "<auth-user-pass>\n</auth-user-pass>",
            "std::mem:take:deadbeef",
            "CLIENT_RANDOM is written by NSS",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
