//! E-mail addresses, also international ones.

use std::ops::Range;

use crate::find::number::network;
use crate::find::plausible::person_name::is_role_account;
use crate::find::scan::Scan;
use crate::find::text::{Text, is_letter, is_word};
use crate::kind::Kind;

/// What is around the `@` at `place`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Address {
    /// Before the `@`.
    local: Range<usize>,
    /// Behind it.
    domain: Range<usize>,
}

/// The address whose `@` is at `place`.
fn address(text: Text<'_>, place: usize) -> Option<Address> {
    let is_common = |byte: u8| is_word(byte) || b".+-'%".contains(&byte);
    let mut start = text.run_back(place, LONGEST_LOCAL, is_common);
    while start < place && !is_word(text.at(start)) && text.at(start) != b'+' {
        start += 1;
    }
    let end = domain_end(text, place + 1)?;
    let domain = text.slice(place + 1..end);
    let tld = domain.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let is_file = NO_DOMAINS.iter().any(|known| tld.eq_ignore_ascii_case(known));
    let local = text.slice(start..place);
    // `curve25519-sha256@libssh.org`: names of algorithms (RFC 4251, section 6).
    const NAMING: &[&[u8]] = &[b"openssh.com", b"libssh.org", b"lysator.liu.se", b"ssh.com"];
    let is_algorithm = NAMING.contains(&domain) && local.contains(&b'-');
    if local.is_empty() || is_file || is_algorithm || local == b"git" {
        return None;
    }
    Some(Address { local: start..place, domain: place + 1..end })
}

impl Scan<'_> {
    /// An address around the `@` at `place`, or a user of a machine; gives where to go on.
    pub(in crate::find) fn at_sign(&mut self, place: usize) -> usize {
        let text = self.text;
        let Some(address) = address(text, place) else {
            // `ann@203.0.113.9`
            if let Some(host) = network::ipv4(text, place + 1)
                && text.at(place + 1).is_ascii_digit()
            {
                let is_part = |byte: u8| is_word(byte) || b"-.".contains(&byte);
                let start = text.run_back(place, 40, is_part);
                if start < place && !is_role_account(text.slice(start..place)) {
                    self.hide(start..place, Kind::User);
                }
                return self.hide(host, Kind::Ip);
            }
            return place + 1;
        };
        let before = text.slice(address.local.start.saturating_sub(5)..address.local.start);
        // Who is called through whose exchange: the host is not personal.
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
}

/// RFC 5321, 4.5.3.1.1, counted in bytes of UTF-8.
const LONGEST_LOCAL: usize = 128;
/// 4.5.3.1.2.
const LONGEST_DOMAIN: usize = 255;

/// Ends of names that have an `@` and are not addresses: files, units of systemd.
const NO_DOMAINS: &[&[u8]] = &[
    b"png", b"jpg", b"jpeg", b"gif", b"svg", b"webp", b"service", b"socket", b"timer", b"mount",
    b"slice", b"target", b"scope", b"device", b"so", b"js", b"ts", b"css", b"json", b"yaml",
];

/// Where a domain with at least two labels ends, the last of which no number.
fn domain_end(text: Text<'_>, start: usize) -> Option<usize> {
    let is_label = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte >= 0x80;
    let mut end = text.run(start, LONGEST_DOMAIN, is_label);
    if end == start || text.at(start) == b'-' {
        return None;
    }
    let mut labels = 1;
    let mut last = start..end;
    while text.at(end) == b'.' && labels < 12 {
        let next = text.run(end + 1, LONGEST_DOMAIN, is_label);
        if next == end + 1 {
            break;
        }
        last = end + 1..next;
        labels += 1;
        end = next;
    }
    let tld = text.slice(last);
    let is_named =
        tld.len() >= 2 && (tld.iter().all(|byte| is_letter(*byte)) || tld.starts_with(b"xn--"));
    (labels >= 2 && is_named && text.at(end) != b'_').then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> Option<&str> {
        let place = line.find('@')?;
        let address = address(Text(line.as_bytes()), place)?;
        line.get(address.local.start..address.domain.end)
    }

    #[test]
    fn addresses_are_found_in_any_script() {
        assert_eq!(found("to <a.b+c@mail.example.org>,"), Some("a.b+c@mail.example.org"));
        assert_eq!(found("'o''neil@example.com'"), Some("o''neil@example.com"));
        assert_eq!(found("почта12@пример.рф."), Some("почта12@пример.рф"));
        assert_eq!(found("x@xn--bcher-kva.xn--p1ai "), Some("x@xn--bcher-kva.xn--p1ai"));
    }

    #[test]
    fn symbols_files_and_units_are_not_addresses() {
        for line in [
            "memcpy@@GLIBC_2.14",
            "memcpy@GLIBC_2.34",
            "foo@plt",
            "stat@@LIBX_1.so",
            "icon@2x.png",
            "getty@tty1.service",
            "git@github.com:a/b",
            "pkg@1.2.3",
            "a @ b.c",
            "@param",
        ] {
            assert_eq!(found(line), None, "{line}");
        }
    }
}
