//! What would show more next time.

use std::collections::BTreeSet;

use crate::order::few;
use crate::{Facts, Socket};

/// Lines of advice.
const MOST: usize = 3;

/// Which processes had the other ends of connections and left no dump, and what was not recorded.
pub(crate) fn next(facts: &[&Facts]) -> Vec<String> {
    let mut all = Vec::new();
    let inodes: BTreeSet<u64> =
        facts.iter().copied().flat_map(sockets).map(|one| one.inode).collect();
    let mut seen = BTreeSet::new();
    for one in facts {
        for socket in sockets(one).filter(|socket| !socket.is_listening) {
            let is_here = socket.peer_inode.is_some_and(|inode| inodes.contains(&inode));
            let Some(peer) = socket.peer.as_ref().or(socket.local.as_ref()) else { continue };
            if !is_here && seen.insert(peer.key.clone()) {
                all.push(format!(
                    "no dump of the process at the other end of {} (descriptor {} of {}): take \
                     one with `obit snapshot PID`",
                    peer.shown,
                    socket.descriptor,
                    one.name()
                ));
            }
        }
    }
    if let Some(more @ 1..) = all.len().checked_sub(MOST) {
        all.truncate(MOST);
        all.push(format!("\u{2026} and {more} more connections without a dump of the other end"));
    }
    let unrecorded: Vec<String> =
        facts.iter().filter(|one| one.network.is_none()).map(|one| one.name()).collect();
    if !unrecorded.is_empty() {
        let names: Vec<&str> = unrecorded.iter().map(String::as_str).collect();
        all.push(format!(
            "the kernel's tables of sockets and pipes were not recorded for {}: cores of `obit run` \
             and `obit snapshot` have them",
            few(&names, ", ")
        ));
    }
    all
}

fn sockets(facts: &Facts) -> impl Iterator<Item = &Socket> {
    facts.network.iter().flat_map(|network| &network.sockets)
}
