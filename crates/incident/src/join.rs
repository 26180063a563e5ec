//! What joins two dumps.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Address, Evidence, EvidenceKind, Facts, Socket, Strength};

/// Numbers of processes and sessions up to here are those of a container's first processes.
const SMALL_NUMBERS: i64 = 300;
/// A key that more dumps hold says nothing of two of them: it is of a library, of a service that
/// all of them use, or of the job that started them.
const MOST_HOLDERS: usize = 4;
/// Clients of one address that are joined to its server.
const MOST_CLIENTS: usize = 64;
/// Pieces of evidence of one kind that are written for two dumps.
const MOST_OF_A_KIND: usize = 4;

/// Which of two processes depends on the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// The first takes connections from the second.
    Serves,
    /// The second takes connections from the first.
    IsServed,
    /// The first started the second.
    Started,
    /// The second started the first.
    WasStarted,
    /// The first sent the signal that ended the second.
    Ended,
    /// The second sent the signal that ended the first.
    WasEnded,
}

/// What joins two dumps, by their places; the first place is the lower one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Join {
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) relations: Vec<Relation>,
}

impl Join {
    pub(crate) fn strength(&self) -> Strength {
        self.evidence.iter().map(|one| one.strength).max().unwrap_or_default()
    }

    pub(crate) fn has(&self, kind: EvidenceKind) -> bool {
        self.evidence.iter().any(|one| one.kind == kind && one.strength >= Strength::Likely)
    }
}

/// The joins of all pairs of which `may_meet` holds.
pub(crate) fn joins(
    all: &[Facts],
    may_meet: &dyn Fn(&Facts, &Facts) -> bool,
) -> BTreeMap<(usize, usize), Join> {
    let mut found = Joins { all, may_meet, joins: BTreeMap::new() };
    found.by_sockets();
    found.by_connections();
    found.by_addresses();
    found.by_pipes();
    found.by_memory();
    found.by_parents();
    found.by_signals();
    found.by_ids();
    let mut joins = found.joins;
    for join in joins.values_mut() {
        join.evidence.sort_by(|a, b| b.strength.cmp(&a.strength).then(a.kind.cmp(&b.kind)));
    }
    joins
}

struct Joins<'f> {
    all: &'f [Facts],
    may_meet: &'f dyn Fn(&Facts, &Facts) -> bool,
    joins: BTreeMap<(usize, usize), Join>,
}

/// Whether nothing says that two processes ran on two machines.
fn may_share_machine(a: &Facts, b: &Facts) -> bool {
    let differ = |a: &Option<String>, b: &Option<String>| a.is_some() && b.is_some() && a != b;
    let are_boots = match (&a.boot, &b.boot) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    };
    are_boots && !differ(&a.host, &b.host) && !differ(&a.container, &b.container)
}

/// Whether nothing says that two processes ran in two network namespaces, whose loopback
/// addresses and abstract names are others.
fn may_share_network(a: &Facts, b: &Facts) -> bool {
    let namespace = |facts: &Facts| facts.network.as_ref().map(|network| network.namespace);
    match (namespace(a), namespace(b)) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

/// Whether one process has both ends of a connection, or both have the same end: they got them
/// from a third, and neither spoke to the other.
fn is_inherited(a: &Facts, b: &Facts, ends: (u64, u64)) -> bool {
    let has = |facts: &Facts, inode: u64| sockets(facts).any(|socket| socket.inode == inode);
    let both = |facts: &Facts| has(facts, ends.0) && has(facts, ends.1);
    let same = |inode: u64| has(a, inode) && has(b, inode);
    both(a) || both(b) || same(ends.0) || same(ends.1)
}

/// Whether both were recorded during the same run of the same machine: inodes are comparable.
fn is_one_boot(a: &Facts, b: &Facts) -> bool {
    a.boot.is_some() && a.boot == b.boot
}

impl Joins<'_> {
    fn add(
        &mut self,
        (a, b): (usize, usize),
        kind: EvidenceKind,
        strength: Strength,
        relation: Option<Relation>,
        text: String,
    ) {
        let (Some(one), Some(other)) = (self.all.get(a), self.all.get(b)) else { return };
        if a == b || !(self.may_meet)(one, other) {
            return;
        }
        let join = self.joins.entry((a.min(b), a.max(b))).or_default();
        let turned = |relation: Relation| match (a < b, relation) {
            (true, relation) => relation,
            (false, Relation::Serves) => Relation::IsServed,
            (false, Relation::IsServed) => Relation::Serves,
            (false, Relation::Started) => Relation::WasStarted,
            (false, Relation::WasStarted) => Relation::Started,
            (false, Relation::Ended) => Relation::WasEnded,
            (false, Relation::WasEnded) => Relation::Ended,
        };
        let is_known = join.evidence.iter().any(|known| known.text == text);
        let of_kind = join.evidence.iter().filter(|known| known.kind == kind).count();
        if !is_known && of_kind < MOST_OF_A_KIND {
            join.evidence.push(Evidence { kind, text, strength });
        }
        if let Some(relation) = relation.map(turned).filter(|_| strength >= Strength::Likely)
            && !join.relations.contains(&relation)
        {
            join.relations.push(relation);
        }
    }

    fn meet(&self, a: usize, b: usize) -> bool {
        match (self.all.get(a), self.all.get(b)) {
            (Some(one), Some(other)) => a != b && (self.may_meet)(one, other),
            _ => false,
        }
    }

    fn by_pid(&self) -> BTreeMap<i64, Vec<usize>> {
        let mut pids: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for (at, facts) in self.all.iter().enumerate() {
            if let Some(pid) = facts.pid {
                pids.entry(pid).or_default().push(at);
            }
        }
        pids
    }

    /// Those of `holders` that may have to do with the one at `at`, a few more than would say
    /// anything. Dumps are in the order of their times, so what is too early or too late ends
    /// the search; those of an unknown time come last.
    fn near(&self, holders: &[usize], at: usize) -> Vec<usize> {
        let is_timed = |at: &usize| self.all.get(*at).is_some_and(|facts| facts.time.is_some());
        let (timed, untimed) = holders.split_at(holders.partition_point(is_timed));
        let meets = |other: &&usize| self.meet(at, **other);
        let is_other = |other: &&usize| **other != at;
        let most = MOST_HOLDERS + 1;
        let mut near: Vec<usize> = Vec::new();
        if is_timed(&at) {
            let (before, after) = timed.split_at(timed.partition_point(|other| *other < at));
            near.extend(before.iter().rev().take_while(meets).take(most));
            near.extend(after.iter().filter(is_other).take_while(meets).take(most));
        } else {
            near.extend(timed.iter().take(most));
        }
        near.extend(untimed.iter().filter(meets).take(most));
        near
    }

    /// All pairs of a few that may have to do with each other; none of many.
    fn pairs(&self, holders: &BTreeSet<usize>) -> Vec<(usize, usize)> {
        let holders: Vec<usize> = holders.iter().copied().collect();
        let near = |at: &usize| Some(self.near(&holders, *at)).filter(|it| it.len() < MOST_HOLDERS);
        let near: BTreeMap<usize, Vec<usize>> =
            holders.iter().filter_map(|at| Some((*at, near(at)?))).collect();
        let all = near.iter().flat_map(|(a, others)| others.iter().map(|b| (*a, *b)));
        all.filter(|(a, b)| a < b && near.contains_key(b)).collect()
    }

    fn name(&self, at: usize) -> String {
        self.all.get(at).map(Facts::name).unwrap_or_default()
    }

    /// An end of a connection whose other end the kernel named by its inode.
    fn by_sockets(&mut self) {
        let mut holders: BTreeMap<(&str, u64), BTreeSet<usize>> = BTreeMap::new();
        for (at, facts) in self.all.iter().enumerate() {
            for socket in sockets(facts) {
                let boot = facts.boot.as_deref().unwrap_or_default();
                holders.entry((boot, socket.inode)).or_default().insert(at);
            }
        }
        let mut found = Vec::new();
        for (at, facts) in self.all.iter().enumerate() {
            let Some(boot) = facts.boot.as_deref() else { continue };
            for socket in sockets(facts) {
                let Some(peer) = socket.peer_inode else { continue };
                let others = holders.get(&(boot, peer)).into_iter().flatten();
                let others = others.copied().filter(|other| *other != at && self.meet(at, *other));
                for other in others.take(MOST_HOLDERS) {
                    found.push((at, other, socket, peer));
                }
            }
        }
        for (at, other, socket, peer) in found {
            let (Some(one), Some(two)) = (self.all.get(at), self.all.get(other)) else { continue };
            if is_inherited(one, two, (socket.inode, peer)) {
                continue;
            }
            let serves = self.all.get(at).is_some_and(|facts| has_accepted(facts, socket));
            let of_peer = self.all.get(other).and_then(|facts| {
                let end = sockets(facts).find(|end| end.inode == peer)?;
                Some(has_accepted(facts, end))
            });
            let relation = match (serves, of_peer) {
                (true, _) => Some(Relation::Serves),
                (false, Some(true)) => Some(Relation::IsServed),
                _ => None,
            };
            let text = format!(
                "descriptor {} of {} and a descriptor of {} are the ends of one connection{} \
                 (inodes {} and {peer})",
                socket.descriptor,
                self.name(at),
                self.name(other),
                addresses_of(socket),
                socket.inode,
            );
            // From the other side it is the same connection.
            let is_known = self.joins.get(&(at.min(other), at.max(other))).is_some_and(|join| {
                let inode = format!("inodes {peer} and {}", socket.inode);
                join.evidence.iter().any(|known| known.text.contains(&inode))
            });
            if !is_known {
                self.add((at, other), EvidenceKind::Socket, Strength::Proved, relation, text);
            }
        }
    }

    /// A connection of which each of both has its end.
    fn by_connections(&mut self) {
        let mut ends: BTreeMap<(&str, &str), Vec<(usize, &Socket)>> = BTreeMap::new();
        for (at, facts) in self.all.iter().enumerate() {
            for socket in sockets(facts) {
                if let (Some(local), Some(peer)) = (&socket.local, &socket.peer)
                    && local.port.is_some()
                {
                    ends.entry((&local.key, &peer.key)).or_default().push((at, socket));
                }
            }
        }
        let mut found = Vec::new();
        for ((local, peer), here) in &ends {
            let Some(there) = ends.get(&(*peer, *local)) else { continue };
            for (at, socket) in here.iter().take(MOST_HOLDERS) {
                for (other, end) in there.iter().take(MOST_HOLDERS) {
                    let (Some(one), Some(two)) = (self.all.get(*at), self.all.get(*other)) else {
                        continue;
                    };
                    let is_local = socket.local.as_ref().is_some_and(|local| local.is_local);
                    let namespace =
                        |facts: &Facts| facts.network.as_ref().map(|network| network.namespace);
                    let is_one_net = is_one_boot(one, two) && namespace(one) == namespace(two);
                    let is_inherited =
                        is_one_boot(one, two) && is_inherited(one, two, (socket.inode, end.inode));
                    if at < other && (!is_local || is_one_net) && !is_inherited {
                        found.push((*at, *other, *socket));
                    }
                }
            }
        }
        for (at, other, socket) in found {
            let serves = self.all.get(at).is_some_and(|facts| has_accepted(facts, socket));
            let relation = if serves { Relation::Serves } else { Relation::IsServed };
            let text = format!(
                "{} and {} have the two ends of one TCP connection{}",
                self.name(at),
                self.name(other),
                addresses_of(socket),
            );
            self.add((at, other), EvidenceKind::Socket, Strength::Proved, Some(relation), text);
        }
    }

    /// An address of which one process is known to be the server, and that another has in its
    /// memory. An address that both use as clients joins nothing.
    fn by_addresses(&mut self) {
        let mut holders: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        let mut by_port: BTreeMap<u16, Vec<(usize, &Address)>> = BTreeMap::new();
        for (at, facts) in self.all.iter().enumerate() {
            for address in &facts.addresses {
                holders.entry(&address.key).or_default().insert(at);
                if let Some(port) = address.port.filter(|_| address.is_local && !address.is_any) {
                    by_port.entry(port).or_default().push((at, address));
                }
            }
        }
        let mut found = Vec::new();
        for (at, facts) in self.all.iter().enumerate() {
            for (address, by_kernel) in served(facts) {
                let mut clients: BTreeSet<usize> = BTreeSet::new();
                let same = holders.get(address.key.as_str()).filter(|_| !address.is_any);
                clients.extend(same.into_iter().flatten());
                let of_port = address.port.filter(|_| address.is_any);
                let of_port = of_port.and_then(|port| by_port.get(&port));
                clients.extend(of_port.into_iter().flatten().map(|(client, _)| *client));
                clients.remove(&at);
                // Of a forked server each process has the address.
                clients.retain(|client| {
                    self.all.get(*client).is_some_and(|client| {
                        let is_server = served(client).any(|(known, _)| {
                            known.key == address.key || known.port == address.port
                        });
                        let is_client = client.roles.connects
                            && (by_kernel || !client.roles.accepts)
                            && !is_server;
                        let is_near = !address.is_local || may_share_network(facts, client);
                        is_client && is_near && may_share_machine(facts, client)
                    }) && self.meet(at, *client)
                });
                // Many clients of what the kernel says is their server are that.
                if by_kernel || clients.len() < MOST_HOLDERS {
                    found.extend(
                        clients
                            .into_iter()
                            .take(MOST_CLIENTS)
                            .map(|client| (at, client, address, by_kernel)),
                    );
                }
            }
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

    /// A pipe that one writes to and the other reads. Both ends in one process are inherited, as
    /// those of a job server are.
    fn by_pipes(&mut self) {
        let mut ends: BTreeMap<(&str, u64), BTreeMap<usize, BTreeSet<bool>>> = BTreeMap::new();
        for (at, facts) in self.all.iter().enumerate() {
            let Some(boot) = facts.boot.as_deref() else { continue };
            for pipe in facts.network.iter().flat_map(|network| &network.pipes) {
                let ends = ends.entry((boot, pipe.inode)).or_default();
                ends.entry(at).or_default().insert(pipe.writes);
            }
        }
        let mut found = Vec::new();
        for ((_, inode), holders) in ends {
            if holders.len() > MOST_HOLDERS {
                continue;
            }
            let only = |writes: bool| {
                let of = holders.iter().filter(move |(_, ends)| **ends == BTreeSet::from([writes]));
                of.map(|(at, _)| *at).collect::<Vec<_>>()
            };
            for writer in only(true) {
                found.extend(only(false).into_iter().map(|reader| (writer, reader, inode)));
            }
        }
        for (writer, reader, inode) in found {
            let text = format!(
                "{} writes to the pipe that {} reads (inode {inode})",
                self.name(writer),
                self.name(reader),
            );
            self.add((writer, reader), EvidenceKind::Pipe, Strength::Proved, None, text);
        }
    }

    fn by_memory(&mut self) {
        let mut objects: BTreeMap<(&str, (u64, u64)), BTreeSet<usize>> = BTreeMap::new();
        let mut names: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        let mut shown: BTreeMap<&str, &str> = BTreeMap::new();
        for (at, facts) in self.all.iter().enumerate() {
            for memory in &facts.shared {
                shown.insert(&memory.key, &memory.shown);
                match (memory.object, facts.boot.as_deref()) {
                    (Some(object), Some(boot)) if memory.is_writable == Some(true) => {
                        objects.entry((boot, object)).or_default().insert(at);
                    }
                    (Some(_), Some(_)) => {}
                    _ if memory.is_common => {}
                    _ => drop(names.entry(&memory.key).or_default().insert(at)),
                }
            }
        }
        let mut found = Vec::new();
        for ((_, object), holders) in &objects {
            for (a, b) in self.pairs(holders) {
                let facts = self.all.get(a).into_iter().flat_map(|facts| &facts.shared);
                let name = facts.clone().find(|one| one.object == Some(*object));
                let name = name.map_or("", |one| one.shown.as_str()).to_owned();
                let text = format!(
                    "{} and {} map the same shared memory {name} (inode {})",
                    self.name(a),
                    self.name(b),
                    object.1,
                );
                found.push((a, b, Strength::Proved, text));
            }
        }
        for (key, holders) in &names {
            for (a, b) in self.pairs(holders) {
                let (Some(one), Some(two)) = (self.all.get(a), self.all.get(b)) else { continue };
                if may_share_machine(one, two) {
                    let name = shown.get(key).copied().unwrap_or_default();
                    let text = format!(
                        "{} and {} map shared memory of the same name, {name}",
                        self.name(a),
                        self.name(b),
                    );
                    found.push((a, b, Strength::Likely, text));
                }
            }
        }
        for (a, b, strength, text) in found {
            self.add((a, b), EvidenceKind::SharedMemory, strength, None, text);
        }
    }

    fn by_parents(&mut self) {
        let pids = self.by_pid();
        let mut found = Vec::new();
        for (at, child) in self.all.iter().enumerate() {
            // In a container the first process is everybody's parent, and so is init of orphans.
            let Some(parent) = child.parent.filter(|parent| parent.pid > 1) else { continue };
            let candidates = pids.get(&parent.pid).map(Vec::as_slice).unwrap_or_default();
            for candidate in self.near(candidates, at) {
                let Some(facts) = self.all.get(candidate) else { continue };
                if let Some((strength, why)) = parentage(facts, child, parent.started) {
                    found.push((candidate, at, strength, why));
                }
            }
        }
        for (parent, child, strength, why) in found {
            let text = format!("{} started {}: {why}", self.name(parent), self.name(child));
            let relation = Some(Relation::Started);
            self.add((parent, child), EvidenceKind::Parent, strength, relation, text);
        }
    }

    fn by_signals(&mut self) {
        let pids = self.by_pid();
        let mut found = Vec::new();
        for (at, facts) in self.all.iter().enumerate() {
            let Some(sender) = facts.sender.filter(|pid| *pid > 1 && Some(*pid) != facts.pid)
            else {
                continue;
            };
            let candidates = pids.get(&sender).map(Vec::as_slice).unwrap_or_default();
            let mut candidates = self.near(candidates, at);
            candidates.retain(|other| {
                self.all.get(*other).is_some_and(|other| {
                    // Who is dead sends nothing; and numbers mean nothing in another container.
                    let is_dead = matches!((other.time, facts.time), (Some(sent), Some(got))
                        if sent.nanoseconds.saturating_add(sent.precision.max(got.precision))
                            < got.nanoseconds);
                    may_share_machine(facts, other) && !is_dead
                })
            });
            if let [by] = candidates.as_slice() {
                found.push((*by, at));
            }
        }
        for (by, at) in found {
            let signal = self.all.get(at).and_then(|facts| facts.signal.clone());
            let signal = signal.unwrap_or_else(|| "the signal".to_owned());
            let text = format!("{} sent {signal} to {}", self.name(by), self.name(at));
            let relation = Some(Relation::Ended);
            let is_sure = self.all.get(by).zip(self.all.get(at)).is_some_and(|(by, at)| {
                is_one_boot(by, at) || by.container.is_some() && by.container == at.container
            });
            let strength = if is_sure { Strength::Likely } else { Strength::Guess };
            self.add((by, at), EvidenceKind::Signal, strength, relation, text);
        }
    }

    fn by_ids(&mut self) {
        let mut holders: BTreeMap<&str, (BTreeSet<usize>, &crate::Id)> = BTreeMap::new();
        for (at, facts) in self.all.iter().enumerate() {
            for id in &facts.ids {
                holders.entry(&id.key).or_insert_with(|| (BTreeSet::new(), id)).0.insert(at);
            }
        }
        let mut found = Vec::new();
        for (holders, id) in holders.values() {
            let pairs = self.pairs(holders).into_iter();
            found.extend(pairs.map(|(a, b)| (a, b, id.what.clone(), id.shown.clone())));
        }
        for (a, b, what, shown) in found {
            let text =
                format!("{} and {} hold the same {what} {shown}", self.name(a), self.name(b));
            self.add((a, b), EvidenceKind::Id, Strength::Likely, None, text);
        }
    }
}

/// Whether `parent` started `child`, whose parent has that number, and why.
fn parentage(
    parent: &Facts,
    child: &Facts,
    started: Option<u64>,
) -> Option<(Strength, &'static str)> {
    if !may_share_machine(parent, child) {
        return None;
    }
    if let (Some(wanted), Some(found), true) = (started, parent.started, is_one_boot(parent, child))
    {
        return (wanted == found)
            .then_some((Strength::Proved, "it is its parent by number and time of start"));
    }
    if parent.random.is_some() && parent.random == child.random {
        let why = "it is its parent by number, and both have the random bytes of one start";
        return Some((Strength::Proved, why));
    }
    // Numbers are used again; with the session as well, at the same time, hardly.
    // In a container sessions are small numbers that all containers have.
    let is_one_session = parent.session.is_some_and(|session| session > SMALL_NUMBERS)
        && parent.session == child.session
        && parent.time.is_some()
        && child.time.is_some();
    Some(match is_one_session {
        true => (Strength::Likely, "it is its parent by number, in the same session"),
        false => (Strength::Guess, "it has the number of its parent"),
    })
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

fn sockets(facts: &Facts) -> impl Iterator<Item = &Socket> {
    facts.network.iter().flat_map(|network| &network.sockets)
}

/// Whether a connection came in at an address on which the process listens.
fn has_accepted(facts: &Facts, socket: &Socket) -> bool {
    let Some(local) = socket.local.as_ref().filter(|_| !socket.is_listening) else { return false };
    let listens = sockets(facts).filter(|other| other.is_listening).any(|other| {
        other.local.as_ref().is_some_and(|known| match local.port {
            Some(_) => known.port == local.port,
            None => known.key == local.key,
        })
    });
    // A Unix socket has a name of its own only if it, or the one it was taken from, was bound.
    listens || (local.port.is_none() && facts.roles.accepts && !facts.roles.connects)
}

fn addresses_of(socket: &Socket) -> String {
    match (&socket.local, &socket.peer) {
        (Some(local), Some(peer)) => format!(", {} to {}", local.shown, peer.shown),
        (Some(local), None) => format!(" at {}", local.shown),
        (None, Some(peer)) => format!(" to {}", peer.shown),
        (None, None) => String::new(),
    }
}
