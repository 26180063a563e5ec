//! Addresses of machines: IPv4, IPv6 and hardware addresses, but for those that say
//! nothing about anyone.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::str;

use crate::find::scan::Scan;
use crate::find::text::{Text, is_blank, is_joined, is_word, number};
use crate::kind::Kind;

impl Scan<'_> {
    /// What is made of hexadecimal digits and colons, dots or dashes.
    pub(in crate::find) fn hexadecimal(&mut self, start: usize) -> Option<usize> {
        let text = self.text;
        if !text.at(start).is_ascii_hexdigit() || is_joined(text, start) {
            return None;
        }
        if let Some(next) = self.frame_header(start) {
            return Some(next);
        }
        let colon = text.run(start, 5, |byte| byte.is_ascii_hexdigit());
        let found = mac(text, start).map(|range| (range, Kind::Mac)).or_else(|| {
            let range = if text.at(colon) == b':' { ipv6(text, start) } else { None };
            Some((range?, Kind::Ip))
        });
        let (range, kind) = found?;
        Some(if is_public(text, start) { range.end } else { self.hide(range, kind) })
    }
}

impl Scan<'_> {
    /// `MAC=5c:6f:…:08:00`, as Linux's packet filter writes: two addresses and a type.
    fn frame_header(&mut self, start: usize) -> Option<usize> {
        let text = self.text;
        let end = text.run(start, 42, |byte| byte.is_ascii_hexdigit() || byte == b':');
        let one = b"5c:6f:0a:a5:28:9b".len();
        if end - start != b"08:00".len() + 2 * (one + 1)
            || text.slice(start.saturating_sub(4)..start) != b"MAC="
        {
            return None;
        }
        self.hide(start..start + one, Kind::Mac);
        Some(self.hide(start + one + 1..start + 2 * one + 1, Kind::Mac))
    }
}

/// An IPv4 address that starts at `start`; `None` if it is one of the special ones, or
/// rather a version.
pub(in crate::find) fn ipv4(text: Text<'_>, start: usize) -> Option<Range<usize>> {
    let mut octets = [0; 4];
    let mut place = start;
    for (at, octet) in octets.iter_mut().enumerate() {
        if at > 0 {
            if text.at(place) != b'.' {
                return None;
            }
            place += 1;
        }
        let end = text.run(place, 4, |byte| byte.is_ascii_digit());
        *octet = number(text.slice(place..end)).and_then(|value| u8::try_from(value).ok())?;
        if end - place > 1 && text.at(place) == b'0' {
            return None;
        }
        place = end;
    }
    let next = text.at(place);
    let goes_on = is_word(next) || (next == b'.' && is_word(text.at(place + 1)));
    let address = Ipv4Addr::from(octets);
    if goes_on || is_special(address) || is_version(text, start, address) {
        return None;
    }
    Some(start..place)
}

/// Whether the line up to `start` speaks of serial numbers and fingerprints, as of certificates.
fn is_public(text: Text<'_>, start: usize) -> bool {
    const WORDS: &[&[u8]] = &[b"serial", b"Serial", b"Identifier", b"ingerprint", b"keyid"];
    let before = text.slice(text.run_back(start, 48, |byte| byte != b'\n')..start);
    WORDS.iter().any(|word| memchr::memmem::find(before, word).is_some())
}

/// Whether `bytes` are digits, one point, and digits.
pub(in crate::find) fn is_fraction(bytes: &[u8]) -> bool {
    bytes.iter().filter(|byte| **byte == b'.').count() == 1
        && bytes.first().is_some_and(u8::is_ascii_digit)
        && bytes.last().is_some_and(u8::is_ascii_digit)
}

/// Whether four numbers of a byte each and points between are at `start`, and nothing more.
pub(in crate::find) fn is_quad(text: Text<'_>, start: usize) -> bool {
    let end = text.run(start, 16, |byte| byte.is_ascii_digit() || byte == b'.');
    let written = str::from_utf8(text.slice(start..end)).unwrap_or_default();
    !is_word(text.at(end)) && written.trim_end_matches('.').parse::<Ipv4Addr>().is_ok()
}

/// Loopback, this network, private networks, link-local, multicast and broadcast.
fn is_special(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || first == 0
        || first >= 224
        || (first == 100 && (64..128).contains(&second))
}

/// Whether what is before four numbers says they count releases; where nothing does,
/// small numbers need a word that says they are an address.
fn is_version(text: Text<'_>, start: usize, address: Ipv4Addr) -> bool {
    let prior = text.before(start);
    if prior == b'v' || prior == b'V' || prior == b'-' || prior == b'_' {
        return true;
    }
    // `libfoo.so.1.2.3.4`, `agent/1.2.3.4`, but `//1.2.3.4` and `ann/1.2.3.4:1194`.
    let end = text.run(start, 15, |byte| byte.is_ascii_digit() || byte == b'.');
    let has_port = text.at(end) == b':' && text.at(end + 1).is_ascii_digit();
    if (prior == b'.' || prior == b'/' && !has_port) && is_word(text.before(start - 1)) {
        return true;
    }
    let until = text.run_back(start, 3, |byte| is_blank(byte) || b"=:\"'(".contains(&byte));
    let word = text.slice(text.run_back(until, 16, is_word)..until);
    const VERSIONS: &[&[u8]] =
        &[b"version", b"ver", b"release", b"rev", b"build", b"upgrade", b"section"];
    let says = |word: &[u8]| VERSIONS.iter().any(|known| ends_caseless(word, known));
    // `Standards-Version to 3.9.6.1`
    let blank = until.saturating_sub(word.len() + 1);
    let earlier = text.slice(text.run_back(blank, 16, is_word)..blank);
    let says_version = says(word) || word == b"to" && says(earlier);
    const PROGRAMS: &[&[u8]] =
        &[b"chrome", b"chromium", b"firefox", b"edge", b"safari", b"opera", b"driver", b"firmware"];
    let is_program = PROGRAMS.iter().any(|known| word.eq_ignore_ascii_case(known));
    if says_version || is_program {
        return true;
    }
    // Object identifiers begin with 0, 1 or 2 and at most 39.
    let [first, second, ..] = address.octets();
    let is_small = address.octets().iter().filter(|octet| **octet < 50).count() == 4
        || first <= 2 && second < 40;
    is_small && !speaks_of_addresses(text, start)
}

/// Whether the line up to `start` has a word for peers and their addresses.
fn speaks_of_addresses(text: Text<'_>, start: usize) -> bool {
    let port = text.run(start, 15, |byte| byte.is_ascii_digit() || byte == b'.');
    if text.at(port) == b':' || text.before(start) == b'[' {
        return true;
    }
    let before = text.slice(text.run_back(start, 40, |byte| byte != b'\n')..start);
    const WORDS: &[&[u8]] = &[
        b"ip", b"addr", b"from", b"to", b"host", b"peer", b"client", b"remote", b"server", b"src",
        b"dst", b"connect", b"via", b"on", b"for", b"gateway", b"dns", b"by", b"@", b"//",
    ];
    let nearby = before.rsplit(|byte| !is_word(*byte)).filter(|word| !word.is_empty()).take(2);
    nearby.into_iter().any(|word| WORDS.iter().any(|known| ends_caseless(word, known)))
}

fn ends_caseless(word: &[u8], end: &[u8]) -> bool {
    let start = word.len().saturating_sub(end.len());
    word.get(start..).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

/// An IPv6 address that starts at `start`, but for the special ones.
pub(in crate::find) fn ipv6(text: Text<'_>, start: usize) -> Option<Range<usize>> {
    if text.before(start) == b':' && text.before(start - 1) != b':' {
        return None;
    }
    let is_part = |byte: u8| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.';
    let mut end = text.run(start, LONGEST_IPV6, is_part);
    // The end of a sentence, or of a label.
    while end > start && matches!(text.before(end), b'.' | b':') && !text.has(end - 2, b"::") {
        end -= 1;
    }
    if is_word(text.at(end)) || end == start {
        return None;
    }
    // Most of what has colons is a time or a place in a file.
    let part = text.slice(start..end);
    let colons = part.iter().filter(|byte| **byte == b':').count();
    if colons < 6 && !part.windows(2).any(|pair| pair == b"::") {
        return None;
    }
    let written = str::from_utf8(part).ok()?;
    let groups = written.split(':').filter(|group| !group.is_empty()).count();
    let digits = written.bytes().filter(u8::is_ascii_digit).count();
    // `dead::beef` is a name in C++; `10::20` a range.
    if (groups < 3 && !written.contains('.')) || digits == 0 {
        return None;
    }
    let address: Ipv6Addr = written.parse().ok()?;
    if let Some(mapped) = address.to_ipv4_mapped() {
        return (!is_special(mapped)).then_some(start..end);
    }
    let [first, ..] = address.segments();
    let is_local = first & 0xffc0 == 0xfe80 || first & 0xfe00 == 0xfc00;
    let is_special =
        address.is_loopback() || address.is_unspecified() || address.is_multicast() || is_local;
    (!is_special).then_some(start..end)
}

const LONGEST_IPV6: usize = 46;

/// A hardware address that starts at `start`: six pairs of hexadecimal digits between
/// colons or dashes, or three fours between dots.
pub(in crate::find) fn mac(text: Text<'_>, start: usize) -> Option<Range<usize>> {
    let separator = text.at(start + 2);
    let (groups, width, separator) = match separator {
        b':' | b'-' => (6, 2, separator),
        _ if text.at(start + 4) == b'.' => (3, 4, b'.'),
        _ => return None,
    };
    let mut place = start;
    let mut digits = 0;
    for group in 0..groups {
        if group > 0 {
            if text.at(place) != separator {
                return None;
            }
            place += 1;
        }
        let end = text.run(place, width + 1, |byte| byte.is_ascii_hexdigit());
        if end - place != width {
            return None;
        }
        digits += text.slice(place..end).iter().filter(|byte| byte.is_ascii_digit()).count();
        place = end;
    }
    // More groups make a fingerprint.
    let prior = text.before(start);
    if is_word(text.at(place)) || text.at(place) == separator || prior == separator {
        return None;
    }
    if separator == b'.' && (prior == b'.' || digits == 0 || digits == 12) {
        return None;
    }
    let all_same = |wanted: &[u8]| {
        text.slice(start..place)
            .iter()
            .filter(|byte| **byte != separator)
            .all(|byte| wanted.contains(byte))
    };
    let is_special = all_same(b"0") || all_same(b"fF") || text.has_caseless(start, b"01:00:5e");
    (!is_special && !text.has(start, b"33:33:")).then_some(start..place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(
        finder: impl Fn(Text<'_>, usize) -> Option<Range<usize>>,
        line: &str,
    ) -> Option<String> {
        let text = Text(line.as_bytes());
        let starts = (0..line.len()).filter(|at| {
            !is_word(text.before(*at)) && (is_word(text.at(*at)) || text.at(*at) == b':')
        });
        let mut hits = starts.filter_map(|at| finder(text, at));
        hits.next().map(|range| line[range].to_owned())
    }

    #[test]
    fn addresses_of_people_are_found_and_special_ones_are_not() {
        assert_eq!(found(ipv4, "from 203.0.113.9 port 22").as_deref(), Some("203.0.113.9"));
        assert_eq!(found(ipv4, "peer 8.8.4.4.").as_deref(), Some("8.8.4.4"));
        for line in [
            "127.0.0.53",
            "10.1.2.3",
            "192.168.0.7",
            "0.0.0.0:80",
            "255.255.255.255",
            "libx.so.2.31.4.5",
            "version=88.31.4.5",
            "curl/7.88.1.2",
            "2.31.4.5",
            "1.2.3.4.5",
            "1.2.3.400",
            "v91.3.2.1",
        ] {
            assert_eq!(found(ipv4, line), None, "{line}");
        }
        let address = "2a01:4f8:0:1::7";
        assert_eq!(found(ipv6, &format!("[{address}]:443")).as_deref(), Some(address));
        for line in ["[::1]:80", "fe80::1:2:3", "std::a::b", "12:34:56", "dead::beef", "a.c:12:34"]
        {
            assert_eq!(found(ipv6, line), None, "{line}");
        }
        assert_eq!(found(mac, "to 3c:A4:f0:01:02:03 via").as_deref(), Some("3c:A4:f0:01:02:03"));
        assert_eq!(found(mac, "3ca4.f001.0203").as_deref(), Some("3ca4.f001.0203"));
        for line in ["ff:ff:ff:ff:ff:ff", "00:11:22:33:44:55:66:77:88", "12:34:56"] {
            assert_eq!(found(mac, line), None, "{line}");
        }
    }
}
