//! Looks through the memory of a process for what others may hold, too: addresses of sockets, ids
//! of requests, and what a lost connection is called.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

use memchr::memmem;
use obit_corefile::addr::Avma;
use obit_corefile::dump::Dump;
use obit_output::ids::{SPAN, ids, is_distinctive};

use super::compiled_in::Unknown;

/// Bytes of one core that are looked through.
const BUDGET: u64 = 192 << 20;
/// Bytes that are looked at in one go, and those of the next that are looked at with them.
const PIECE: usize = 1 << 20;
const OVERLAP: usize = 512;
/// Addresses and ids that are kept.
const MOST_ADDRESSES: usize = 256;
const MOST_IDS: usize = 256;
/// Bytes of the name of a Unix socket (`sun_path`).
const UNIX_PATH: usize = 108;
/// `AF_UNIX`, `AF_INET` and `AF_INET6`.
const UNIX: u16 = 1;
const INET: u16 = 2;
const INET6: u16 = 10;

/// What `strerror` calls the loss of a connection. The text itself is in a library's read-only
/// data: where it is in memory that can be written, it was put into a message.
pub(super) const LOSSES: [&str; 4] = [
    "Connection reset by peer",
    "Broken pipe",
    "Connection refused",
    "Software caused connection abort",
];

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// `127.0.0.1:80`, `[::1]:80`, a path, `@name`.
    pub(super) addresses: BTreeSet<String>,
    /// What each is, and the id; with its place in an image whose file is not available.
    pub(super) ids: BTreeMap<(&'static str, String), Option<String>>,
    pub(super) losses: BTreeSet<&'static str>,
    /// There was more memory, or more in it.
    pub(super) is_cut: bool,
}

/// Looks through the writable memory that the core holds, the smallest mappings first. What is in
/// `known`, the arguments and the environment, is nothing that one process made.
pub(super) fn scan(dump: &Dump, known: &[u8], unknown: &Unknown) -> Found {
    let mut found = Found::default();
    let mut segments: Vec<_> =
        dump.segments.iter().filter(|one| one.permissions.write && one.dumped > 0).collect();
    segments.sort_by_key(|segment| segment.dumped);
    let is_little = dump.encoding.little_endian;
    let mut left = BUDGET;
    let mut piece = vec![0; PIECE + OVERLAP];
    for segment in segments {
        let mut at = 0;
        while at < segment.dumped {
            if left == 0 {
                found.is_cut = true;
                return found;
            }
            let wanted = (segment.dumped - at).min(piece.len() as u64) as usize;
            let Some(offset) = segment.offset.checked_add(at) else { break };
            let Some(into) = piece.get_mut(..wanted) else { break };
            let length = dump.bytes.read_at(offset, into);
            let Some(bytes) = piece.get(..length) else { break };
            let from = Avma(segment.range.start.0.wrapping_add(at));
            let place = |at: usize| match unknown.is_empty() {
                true => None,
                false => unknown.place(Avma(from.0.wrapping_add(at as u64))),
            };
            found.look(bytes, is_little, known, &place);
            if length < wanted {
                break;
            }
            at = at.saturating_add(PIECE as u64);
            left = left.saturating_sub(PIECE as u64);
        }
    }
    found
}

impl Found {
    fn look(
        &mut self,
        bytes: &[u8],
        is_little: bool,
        known: &[u8],
        place: &dyn Fn(usize) -> Option<String>,
    ) {
        // Most memory is zero.
        if bytes.iter().all(|byte| *byte == 0) {
            return;
        }
        for at in (0..bytes.len()).step_by(4) {
            let Some(rest) = bytes.get(at..) else { break };
            if let Some(address) = address(rest, is_little) {
                self.add_address(address);
            }
        }
        for loss in LOSSES {
            if memmem::find(bytes, loss.as_bytes()).is_some() {
                self.losses.insert(loss);
            }
        }
        ids(bytes, &mut |what, id| {
            // A step of a trace is of one process alone.
            if what != SPAN {
                let at = (id.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize);
                self.add_id((what, id), known, || place(at));
            }
        });
    }

    fn add_address(&mut self, address: String) {
        if self.addresses.len() < MOST_ADDRESSES {
            self.addresses.insert(address);
        } else {
            self.is_cut |= !self.addresses.contains(&address);
        }
    }

    fn add_id(
        &mut self,
        (what, id): (&'static str, &[u8]),
        known: &[u8],
        place: impl FnOnce() -> Option<String>,
    ) {
        let text = String::from_utf8_lossy(id).to_ascii_lowercase();
        if !is_distinctive(text.as_bytes()) || memmem::find(known, id).is_some() {
            return;
        }
        let count = self.ids.len();
        match self.ids.entry((what, text)) {
            Entry::Occupied(mut known) => {
                if let Some(place) = place() {
                    known.get_mut().get_or_insert(place);
                }
            }
            Entry::Vacant(new) if count < MOST_IDS => drop(new.insert(place())),
            Entry::Vacant(_) => self.is_cut = true,
        }
    }
}

/// The address that starts here, if it looks like one that a program made: `struct sockaddr_in`,
/// `sockaddr_in6`, `sockaddr_un`.
pub(super) fn address(bytes: &[u8], is_little: bool) -> Option<String> {
    let family = <[u8; 2]>::try_from(bytes.get(..2)?).ok()?;
    let family = if is_little { u16::from_le_bytes(family) } else { u16::from_be_bytes(family) };
    match family {
        UNIX => unix_name(bytes.get(2..)?),
        INET => {
            let port = u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?);
            let octets = <[u8; 4]>::try_from(bytes.get(4..8)?).ok()?;
            let zero = bytes.get(8..16)?;
            let host = Ipv4Addr::from(octets);
            let is_plausible = octets == [0; 4] || (octets[0] != 0 && octets[0] < 224);
            let is_one = port != 0 && is_plausible && zero.iter().all(|byte| *byte == 0);
            is_one.then(|| format!("{host}:{port}"))
        }
        INET6 => {
            let port = u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?);
            let host = Ipv6Addr::from(<[u8; 16]>::try_from(bytes.get(8..24)?).ok()?);
            let flow = bytes.get(4..8)?;
            if port == 0 || flow.iter().any(|byte| *byte != 0) || host.is_multicast() {
                return None;
            }
            match host.to_ipv4_mapped() {
                Some(host) => Some(format!("{host}:{port}")),
                // Of other words, many look like an address of six.
                None if host.is_loopback() || host.is_unspecified() => {
                    Some(format!("[{host}]:{port}"))
                }
                None => (bytes.get(8)? & 0xe0 == 0x20 || matches!(bytes.get(8)?, 0xfc..=0xfe))
                    .then(|| format!("[{host}]:{port}")),
            }
        }
        _ => None,
    }
}

/// A path, or an abstract name, which the kernel writes with `@` for its NUL.
fn unix_name(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.get(..UNIX_PATH.min(bytes.len()))?;
    let (start, is_abstract) = match bytes.first()? {
        0 => (1, true),
        b'/' | b'.' => (0, false),
        _ => return None,
    };
    let name = bytes.get(start..)?;
    let end = name.iter().position(|byte| *byte == 0)?;
    let name = name.get(..end)?;
    let is_name = name.len() >= 4 && name.iter().all(u8::is_ascii_graphic);
    let is_path = is_abstract || name.get(1..)?.contains(&b'/') || name.len() >= 6;
    let name = std::str::from_utf8(name).ok().filter(|_| is_name && is_path)?;
    Some(if is_abstract { format!("@{name}") } else { name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &[u8]) -> Found {
        let mut found = Found::default();
        found.look(bytes, true, b"job_id=aaaa1111bbbb2222\0", &|_| None);
        found
    }

    #[test]
    fn addresses_are_seen_as_programs_make_them() {
        let of = |bytes: &[u8]| address(bytes, true);
        let four = [2, 0, 0x1b, 0x58, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(of(&four).as_deref(), Some("127.0.0.1:7000"));
        let mut six = [0; 28];
        (six[0], six[2], six[3], six[23]) = (10, 0x1b, 0x58, 1);
        assert_eq!(of(&six).as_deref(), Some("[::1]:7000"));
        (six[18], six[19], six[20]) = (0xff, 0xff, 127);
        assert_eq!(of(&six).as_deref(), Some("127.0.0.1:7000"));
        assert_eq!(of(b"\x01\0/run/shop.sock\0\0").as_deref(), Some("/run/shop.sock"));
        assert_eq!(of(b"\x01\0\0shop-queue\0\0").as_deref(), Some("@shop-queue"));
        // A port of zero, a rest that is not zero, multicast, text without an end.
        assert_eq!(of(&[2, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(of(&[2, 0, 1, 1, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9]), None);
        assert_eq!(of(&[2, 0, 1, 1, 239, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(of(b"\x01\0/run"), None);
        assert_eq!(of(&[2]), None);
    }

    #[test]
    fn ids_are_seen_with_their_names() {
        let text = b"\0traceparent: 00-7bf92f3577b34da6a3ce929d0e0e4799-00f067aa0ba902b7-01\r\n\
            X-B3-TraceId: 7bf92f3577b34da6a3ce929d0e0e4700\n{\"message_id\":\"ord-20261130-0471a\"}";
        let all: BTreeSet<_> = found(text).ids.into_keys().collect();
        let wanted = [
            ("message id", "ord-20261130-0471a"),
            ("trace id", "7bf92f3577b34da6a3ce929d0e0e4700"),
            ("trace id", "7bf92f3577b34da6a3ce929d0e0e4799"),
        ];
        assert_eq!(all, wanted.map(|(what, id)| (what, id.to_owned())).into());
    }

    #[test]
    fn ids_of_everybody_are_none() {
        for text in [
            &b"00-00000000000000000000000000000000-00f067aa0ba902b7-01"[..],
            b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            b"request_id=0123456789abcdef",
            b"request_id=1111111111111111",
            b"request_id=12345",
            b"message_id: something-or-other",
            b"traceid 7bf92f3577b34da6a3ce929d0e0e4700",
            b"job_id=aaaa1111bbbb2222",
            b"ttyid=7bf92f3577b34da6a3ce929d0e0e4700",
        ] {
            assert!(found(text).ids.is_empty(), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn memory_that_holds_nothing_but_addresses_is_cut() {
        let mut bytes = Vec::new();
        for port in 1..2_000_u16 {
            bytes.extend([2, 0]);
            bytes.extend(port.to_be_bytes());
            bytes.extend([127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        }
        let found = found(&bytes);
        assert_eq!(found.addresses.len(), MOST_ADDRESSES);
        assert!(found.is_cut);
    }

    #[test]
    fn a_lost_connection_is_seen_in_what_was_printed() {
        let found = found(b"\0\0client: recv: Connection reset by peer\n\0");
        assert_eq!(found.losses, BTreeSet::from([LOSSES[0]]));
    }
}
