//! What the kernel knew of the process, as `obit run` and `obit snapshot` recorded it in the core.

use super::facts::key;
use obit_capture::Surroundings;
use obit_incident::{Address, Network, PipeEnd, SharedMemory, Socket};
use obit_redact::{Origin, Redactor};

/// Entries of each kind that are taken: a core may state any number.
const MOST: usize = 512;

/// Characters of a name: those who write the note write no more of one.
const LONGEST: usize = 256;

/// Whether a record has more entries, or longer names, than are taken.
pub(super) fn is_cut(record: &Surroundings) -> bool {
    let counts = [record.sockets.len(), record.pipes.len(), record.shared.len()];
    let of_sockets = record.sockets.iter().flat_map(|one| [&one.local, &one.peer]).flatten();
    let mut names = of_sockets.chain(record.shared.iter().map(|one| &one.name));
    counts.iter().any(|count| *count > MOST) || names.any(|name| !is_name(name))
}

fn is_name(text: &str) -> bool {
    text.chars().nth(LONGEST).is_none()
}

/// Its sockets and pipes.
pub(super) fn network(record: &Surroundings, redactor: &mut Redactor) -> Network {
    let sockets = record.sockets.iter().take(MOST).map(|socket| Socket {
        descriptor: socket.descriptor.into(),
        inode: socket.inode,
        peer_inode: socket.peer_inode,
        family: if socket.family == "tcp" { "tcp" } else { "unix" }.to_owned(),
        is_listening: socket.is_listening,
        local: socket.local.as_deref().filter(|it| is_name(it)).map(|it| address(it, redactor)),
        peer: socket.peer.as_deref().filter(|it| is_name(it)).map(|it| address(it, redactor)),
    });
    let sockets = sockets.collect();
    let pipes = record.pipes.iter().take(MOST).map(|pipe| PipeEnd {
        descriptor: pipe.descriptor.into(),
        inode: pipe.inode,
        writes: pipe.writes,
    });
    Network { namespace: record.network.unwrap_or(0), sockets, pipes: pipes.collect() }
}

/// The memory that it shares.
pub(super) fn shared(record: &Surroundings, redactor: &mut Redactor) -> Vec<SharedMemory> {
    let one = |memory: &obit_capture::SharedRecord| SharedMemory {
        key: key(memory.name.as_bytes()),
        shown: redactor.show(Origin::Path, &memory.name).into_string(),
        object: Some((memory.device, memory.inode)),
        is_writable: Some(memory.is_writable),
        is_common: false,
    };
    let all = record.shared.iter().take(MOST).filter(|memory| is_name(&memory.name));
    all.map(one).collect()
}

/// An address as the kernel's tables have it, or the name of a Unix socket.
pub(super) fn address(text: &str, redactor: &mut Redactor) -> Address {
    let parsed = text.parse::<std::net::SocketAddr>().ok();
    // An address of the Internet may be a person's; a path is where someone has to look.
    let origin = if parsed.is_some() { Origin::MessageText } else { Origin::Path };
    let shown = redactor.show(origin, text).into_string();
    Address {
        key: key(text.as_bytes()),
        shown,
        port: parsed.map(|address| address.port()),
        is_any: parsed.is_some_and(|address| address.ip().is_unspecified()),
        is_local: parsed.is_none_or(|address| address.ip().is_loopback()),
        build: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_redact::Level;

    #[test]
    fn an_address_is_local_if_it_can_be_reached_from_this_machine_alone() {
        let mut redactor = Redactor::with_random_key(Level::Default);
        let mut of = |text| {
            let found = address(text, &mut redactor);
            (found.port, found.is_any, found.is_local)
        };
        assert_eq!(of("127.0.0.1:80"), (Some(80), false, true));
        assert_eq!(of("[::]:80"), (Some(80), true, false));
        assert_eq!(of("10.0.0.1:80"), (Some(80), false, false));
        assert_eq!(of("/run/x.sock"), (None, false, true));
        assert_eq!(of("@name"), (None, false, true));
        let shown = address("203.0.113.77:443", &mut redactor).shown;
        assert!(!shown.contains("203.0.113") && shown.ends_with(":443"), "{shown}");
    }

    #[test]
    fn names_longer_than_any_that_are_written_are_left_out() {
        let mut redactor = Redactor::with_random_key(Level::Off);
        let socket = |name: &str| obit_capture::SocketRecord {
            local: Some(name.to_owned()),
            peer: Some("127.0.0.1:80".to_owned()),
            ..Default::default()
        };
        let memory =
            |name: &str| obit_capture::SharedRecord { name: name.to_owned(), ..Default::default() };
        let (long, short) = ("\u{fc}".repeat(257), "\u{fc}".repeat(256));
        let of = |name: &str| Surroundings {
            sockets: vec![socket(name)],
            shared: vec![memory(name)],
            ..Surroundings::default()
        };
        let (wrong, right) = (of(&long), of(&short));
        assert!(is_cut(&wrong) && !is_cut(&right));
        let found = &network(&wrong, &mut redactor).sockets[0];
        assert!(found.local.is_none() && found.peer.is_some());
        assert!(shared(&wrong, &mut redactor).is_empty());
        assert_eq!(shared(&right, &mut redactor).len(), 1);
        let many = Surroundings { sockets: vec![socket(&short); MOST + 1], ..Default::default() };
        assert!(is_cut(&many));
    }
}
