//! Servers and clients by addresses in their memory.

use std::collections::{BTreeMap, BTreeSet};

use super::{Joins, MOST_HOLDERS, Relation, may_share_machine, may_share_network, sockets};
use crate::{Address, EvidenceKind, Facts, Strength};

/// Clients of one address that are joined to its server.
const MOST_CLIENTS: usize = 64;
/// Pairs of a server and a client that are compared, of all dumps together. Many dumps that hold
/// the same addresses would take time by their square.
const MOST_COMPARED: usize = 2_000_000;

/// What is asked again and again of one dump.
struct Served<'f> {
    keys: BTreeSet<&'f str>,
    ports: BTreeSet<u16>,
    /// Of addresses that are compiled in, the file by the address.
    builds: BTreeMap<&'f str, &'f str>,
}

impl<'f> Served<'f> {
    fn of(facts: &'f Facts) -> Self {
        let keys = served(facts).map(|(address, _)| address.key.as_str()).collect();
        let ports = served(facts).filter_map(|(address, _)| address.port).collect();
        let build = |it: &'f Address| Some((it.key.as_str(), it.build.as_deref()?));
        Self { keys, ports, builds: facts.addresses.iter().filter_map(build).collect() }
    }

    fn has(&self, address: &Address) -> bool {
        self.keys.contains(address.key.as_str())
            || address.port.is_some_and(|port| self.ports.contains(&port))
    }

    /// Whether it has the address from the same file as a server: it is what a library that both
    /// load asks, not what one of them serves.
    fn has_from_one_build(&self, address: &Address) -> bool {
        let build = address.build.as_deref();
        build.is_some() && self.builds.get(address.key.as_str()).copied() == build
    }
}

/// A server, one of its clients, the address, and whether the kernel said that it is served.
type Found<'f> = (usize, usize, &'f Address, bool);

impl<'f> Joins<'f> {
    /// An address of which one process is known to be the server, and that another has in its
    /// memory. An address that both use as clients joins nothing.
    pub(super) fn by_addresses(&mut self) {
        let (found, is_cut) = self.clients(MOST_COMPARED);
        if is_cut {
            let note = "too many dumps hold the same addresses: not all were compared by them";
            self.notes.push(note.to_owned());
        }
        for (server, client, address, by_kernel) in found {
            let how = match by_kernel {
                true => "listens on",
                false => "takes connections, makes none, and holds the address",
            };
            let text = format!(
                "{} {how} {}, and {} makes connections and has that address in its memory",
                self.name(server),
                address.shown,
                self.name(client),
            );
            let (kind, relation) = (EvidenceKind::Socket, Some(Relation::Serves));
            self.add((server, client), kind, Strength::Likely, relation, text);
        }
    }

    /// Whether there was more to compare than `budget` allows, too.
    fn clients(&self, mut budget: usize) -> (Vec<Found<'f>>, bool) {
        // Who makes no connections is no one's client, whatever it holds.
        let may_be_client = |facts: &&Facts| facts.roles.connects;
        let mut holders: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut by_port: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
        let all: &'f [Facts] = self.all;
        for (at, facts) in all.iter().enumerate().filter(|(_, facts)| may_be_client(facts)) {
            let hold = |holders: &mut Vec<usize>| {
                if holders.last() != Some(&at) {
                    holders.push(at);
                }
            };
            for address in &facts.addresses {
                hold(holders.entry(&address.key).or_default());
                if let Some(port) = address.port.filter(|_| address.is_local && !address.is_any) {
                    hold(by_port.entry(port).or_default());
                }
            }
        }
        let of_all: Vec<Served<'_>> = all.iter().map(Served::of).collect();
        let mut found = Vec::new();
        // What the kernel says comes before what is concluded.
        for wanted in [true, false] {
            for (at, facts) in all.iter().enumerate() {
                for (address, by_kernel) in served(facts).filter(|(_, it)| *it == wanted) {
                    let candidates = match address.port.filter(|_| address.is_any) {
                        Some(port) => by_port.get(&port),
                        None if address.is_any => None,
                        None => holders.get(address.key.as_str()),
                    };
                    let Some(candidates) = candidates else { continue };
                    // Many clients of what the kernel says is their server are that.
                    let most = if by_kernel { MOST_CLIENTS } else { MOST_HOLDERS };
                    let mut clients = Vec::new();
                    for client in self.in_time(candidates, at) {
                        if budget == 0 {
                            return (found, true);
                        }
                        budget -= 1;
                        let (Some(other), Some(served)) = (all.get(client), of_all.get(client))
                        else {
                            continue;
                        };
                        // Of a forked server each process has the address.
                        let is_client = (by_kernel || !other.roles.accepts)
                            && !served.has(address)
                            && !served.has_from_one_build(address);
                        let is_near = !address.is_local || may_share_network(facts, other);
                        if is_client && is_near && may_share_machine(facts, other) {
                            clients.push(client);
                        }
                        if clients.len() >= most {
                            break;
                        }
                    }
                    if by_kernel || clients.len() < most {
                        let clients = clients.into_iter();
                        found.extend(clients.map(|client| (at, client, address, by_kernel)));
                    }
                }
            }
        }
        (found, false)
    }

    /// Those of `holders` that may have to do with the one at `at`, the nearest in time first.
    fn in_time<'h>(&'h self, holders: &'h [usize], at: usize) -> impl Iterator<Item = usize> + 'h {
        let is_timed = |at: &usize| self.all.get(*at).is_some_and(|facts| facts.time.is_some());
        let (timed, untimed) = holders.split_at(holders.partition_point(is_timed));
        // Of one whose time is not known, all are as near.
        let (before, after) = match is_timed(&at) {
            true => timed.split_at(timed.partition_point(|other| *other < at)),
            false => timed.split_at(0),
        };
        let is_other = move |other: &&usize| **other != at;
        let meets = move |other: &&usize| self.meet(at, **other);
        let before = before.iter().rev().filter(is_other).take_while(meets);
        let after = after.iter().filter(is_other).take_while(meets);
        before.chain(after).chain(untimed.iter().filter(is_other)).copied()
    }
}

/// The addresses of which a process is the server, and whether the kernel said so.
fn served(facts: &Facts) -> impl Iterator<Item = (&Address, bool)> {
    let listening = sockets(facts).filter(|socket| socket.is_listening);
    let by_kernel = listening.filter_map(|socket| Some((socket.local.as_ref()?, true)));
    // Without the kernel's word: a program that makes no connections has no address of another.
    let is_server = facts.roles.accepts && !facts.roles.connects && facts.network.is_none();
    // The addresses of name servers, clocks, logs and counters are those of others.
    let is_of_another = |port: u16| matches!(port, 53 | 123 | 514 | 8125);
    let by_role = facts
        .addresses
        .iter()
        .filter(move |address| is_server && !address.port.is_some_and(is_of_another));
    by_kernel.chain(by_role.map(|address| (address, false)))
}
