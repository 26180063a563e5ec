//! What joins two dumps.

mod addresses;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{Evidence, EvidenceKind, Facts, Socket, Strength};

/// Numbers of processes and sessions up to here are those of a container's first processes.
const SMALL_NUMBERS: i64 = 300;
/// A key that more dumps hold says nothing of two of them: it is of a library, of a service that
/// all of them use, or of the job that started them.
const MOST_HOLDERS: usize = 4;
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

/// What joins dumps.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    pub(crate) joins: BTreeMap<(usize, usize), Join>,
    /// What was not compared.
    pub(crate) notes: Vec<String>,
}

/// The joins of all pairs of which `may_meet` holds.
pub(crate) fn joins(all: &[Facts], may_meet: &dyn Fn(&Facts, &Facts) -> bool) -> Joined {
    let tables = all.iter().map(SocketTable::of).collect();
    let (joins, notes) = (BTreeMap::new(), Vec::new());
    let mut found = Joins { all, tables, may_meet, joins, notes };
    found.by_sockets();
    found.by_connections();
    found.by_addresses();
    found.by_pipes();
    found.by_memory();
    found.by_parents();
    found.by_signals();
    found.by_ids();
    let Joins { mut joins, notes, .. } = found;
    for join in joins.values_mut() {
        join.evidence.sort_by(|a, b| b.strength.cmp(&a.strength).then(a.kind.cmp(&b.kind)));
    }
    Joined { joins, notes }
}

struct Joins<'f> {
    all: &'f [Facts],
    /// Of each of `all`.
    tables: Vec<SocketTable<'f>>,
    may_meet: &'f dyn Fn(&Facts, &Facts) -> bool,
    joins: BTreeMap<(usize, usize), Join>,
    notes: Vec<String>,
}

/// What is asked again and again of the sockets of one process.
#[derive(Default)]
struct SocketTable<'f> {
    by_inode: HashMap<u64, &'f Socket>,
    /// Where it listens.
    ports: BTreeSet<u16>,
    names: BTreeSet<&'f str>,
}

impl<'f> SocketTable<'f> {
    fn of(facts: &'f Facts) -> Self {
        let mut table = Self::default();
        for socket in sockets(facts) {
            table.by_inode.entry(socket.inode).or_insert(socket);
            let local = socket.local.as_ref().filter(|_| socket.is_listening);
            table.ports.extend(local.and_then(|local| local.port));
            table.names.extend(local.map(|local| local.key.as_str()));
        }
        table
    }

    fn has(&self, inode: u64) -> bool {
        self.by_inode.contains_key(&inode)
    }

    /// Whether a connection came in at an address on which the process listens.
    fn has_accepted(&self, facts: &Facts, socket: &Socket) -> bool {
        let Some(local) = socket.local.as_ref().filter(|_| !socket.is_listening) else {
            return false;
        };
        let listens = match local.port {
            Some(port) => self.ports.contains(&port),
            None => self.names.contains(local.key.as_str()),
        };
        // A Unix socket has a name of its own only if it, or the one it was taken from, was bound.
        listens || (local.port.is_none() && facts.roles.accepts && !facts.roles.connects)
    }
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

/// Whether nothing says that two numbers of processes are of two namespaces, where the same number
/// is another process.
pub(crate) fn may_share_numbers(one: Option<u64>, other: Option<u64>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
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
fn is_inherited(a: &SocketTable<'_>, b: &SocketTable<'_>, ends: (u64, u64)) -> bool {
    let both = |table: &SocketTable<'_>| table.has(ends.0) && table.has(ends.1);
    let same = |inode: u64| a.has(inode) && b.has(inode);
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
        let mut holders: HashMap<(&str, u64), Vec<usize>> = HashMap::new();
        for (at, (facts, table)) in self.all.iter().zip(&self.tables).enumerate() {
            let Some(boot) = facts.boot.as_deref() else { continue };
            for inode in table.by_inode.keys() {
                holders.entry((boot, *inode)).or_default().push(at);
            }
        }
        let mut found = Vec::new();
        for (at, facts) in self.all.iter().enumerate() {
            let Some(boot) = facts.boot.as_deref() else { continue };
            for socket in sockets(facts) {
                let Some(peer) = socket.peer_inode else { continue };
                let others = holders.get(&(boot, peer)).map(Vec::as_slice).unwrap_or_default();
                let others = self.near(others, at).into_iter().take(MOST_HOLDERS);
                found.extend(others.map(|other| (at, other, socket, peer)));
            }
        }
        for (at, other, socket, peer) in found {
            let (Some(one), Some(two)) = (self.tables.get(at), self.tables.get(other)) else {
                continue;
            };
            if is_inherited(one, two, (socket.inode, peer)) {
                continue;
            }
            let serves = self.all.get(at).is_some_and(|facts| one.has_accepted(facts, socket));
            let end = two.by_inode.get(&peer);
            let of_peer = self.all.get(other).zip(end).map(|(it, end)| two.has_accepted(it, end));
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
                    let (Some(of_one), Some(of_two)) =
                        (self.tables.get(*at), self.tables.get(*other))
                    else {
                        continue;
                    };
                    let is_local = socket.local.as_ref().is_some_and(|local| local.is_local);
                    let namespace =
                        |facts: &Facts| facts.network.as_ref().map(|network| network.namespace);
                    let is_one_net = is_one_boot(one, two) && namespace(one) == namespace(two);
                    let is_inherited = is_one_boot(one, two)
                        && is_inherited(of_one, of_two, (socket.inode, end.inode));
                    if at < other && (!is_local || is_one_net) && !is_inherited {
                        found.push((*at, *other, *socket));
                    }
                }
            }
        }
        for (at, other, socket) in found {
            let serves = self.all.get(at).zip(self.tables.get(at));
            let serves = serves.is_some_and(|(facts, table)| table.has_accepted(facts, socket));
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
                    may_share_machine(facts, other)
                        && may_share_numbers(facts.own_numbers, other.numbers)
                        && !is_dead
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
        let mut holders: BTreeMap<&str, BTreeMap<usize, &crate::Id>> = BTreeMap::new();
        for (at, facts) in self.all.iter().enumerate() {
            for id in &facts.ids {
                holders.entry(&id.key).or_default().insert(at, id);
            }
        }
        let mut found = Vec::new();
        for ids in holders.values() {
            let place = |at: &usize| ids.get(at).and_then(|id| id.place.as_deref());
            for (a, b) in self.pairs(&ids.keys().copied().collect()) {
                // At one place of one build it is compiled in, as far as can be known.
                let is_compiled_in = place(&a).is_some() && place(&a) == place(&b);
                if let Some(id) = ids.get(&a).filter(|_| !is_compiled_in) {
                    found.push((a, b, id.what.clone(), id.shown.clone()));
                }
            }
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
    if !may_share_machine(parent, child) || !may_share_numbers(parent.numbers, child.numbers) {
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

fn sockets(facts: &Facts) -> impl Iterator<Item = &Socket> {
    facts.network.iter().flat_map(|network| &network.sockets)
}

fn addresses_of(socket: &Socket) -> String {
    match (&socket.local, &socket.peer) {
        (Some(local), Some(peer)) => format!(", {} to {}", local.shown, peer.shown),
        (Some(local), None) => format!(" at {}", local.shown),
        (None, Some(peer)) => format!(" to {}", peer.shown),
        (None, None) => String::new(),
    }
}
