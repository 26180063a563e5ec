//! Who waits for which lock, and who holds it.

mod cycle;
mod futex;
mod glibc;
mod name;
mod rust;
mod wait;

pub use name::LockName;
pub use wait::LockKind;

use std::collections::HashMap;

use super::confidence::Confidence;
use super::outside::is_from_outside;
use glibc::{Owner, int};
use obit_corefile::addr::Avma;
use obit_dwarf::SourceLocation;
use obit_process::process::{Frame, Process};
use wait::{Target, Wait};

/// Waiting threads from which on a lock is worth a word, whatever ended the process.
const MANY: usize = 3;
/// Findings of one kind that are reported: of a thousand locks the first few are enough.
const MOST: usize = 8;
/// Threads of one deadlock cycle whose locks are named.
const MOST_NAMED: usize = 4;
/// Locks that are looked at for an owner that is gone.
const MOST_LOCKS: usize = 64;

/// Fewer bytes than these lie between a thread pointer and the thread's id in glibc's
/// `struct pthread`, which is above or below it by the machine.
const BLOCK: u64 = 0x800;

/// A lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Its first byte.
    pub address: Avma,
    /// Its sort.
    pub kind: LockKind,
    /// What it is called, where that is known.
    pub name: Option<LockName>,
}

/// What a thread waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A lock.
    Lock(Lock),
    /// The end of the thread of this id: `pthread_join`.
    End(i64),
}

/// Where a thread is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    /// Its id.
    pub tid: i64,
    /// Index of the innermost frame of the program's own code.
    pub frame: Option<usize>,
    /// That frame's function.
    pub function: Option<String>,
    /// And its line.
    pub source: Option<SourceLocation>,
}

/// A thread in a deadlock cycle, waiting for what the next one owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The thread.
    pub waiter: Whereabouts,
    /// What the one before waits for: a lock by the name it has here, or this thread's end.
    pub held: Wanted,
    /// Whether it is certain that this thread holds that.
    pub is_sure: bool,
    /// What it waits for itself.
    pub wanted: Wanted,
    /// Whether it gives up after a time.
    pub is_timed: bool,
}

/// A lock that threads wait for, and who has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The lock.
    pub lock: Lock,
    /// Who holds it, and where it is.
    pub holder: Whereabouts,
    /// The function that thread is in.
    pub innermost: Option<String>,
    /// What the holder waits for itself.
    pub wanted: Option<Wanted>,
    /// Whether it is certain that it holds the lock.
    pub is_sure: bool,
    /// Who waits, those left out that a [`LockFinding::Deadlock`] names.
    pub waiters: Vec<Whereabouts>,
}

/// A thread that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadWait {
    /// The thread.
    pub tid: i64,
    /// What it waits for.
    pub wanted: Wanted,
    /// The thread that has it, where one is known.
    pub holder: Option<i64>,
    /// Whether it is certain that it has.
    pub is_sure: bool,
}

/// What is wrong with a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockFinding {
    /// Each thread waits for the next and the last for the first. One alone waits for
    /// what it holds itself.
    Deadlock(Vec<Link>),
    /// Threads wait for a lock whose holder is no thread of the process any more.
    Abandoned {
        /// The lock.
        lock: Lock,
        /// Id of the thread that held it.
        owner: i64,
        /// Who waits.
        waiters: Vec<Whereabouts>,
    },
    /// Threads wait for a lock that another one holds.
    Held(Box<Held>),
}

impl LockFinding {
    /// How sure it is.
    pub fn confidence(&self) -> Confidence {
        let is_sure = match self {
            Self::Deadlock(cycle) => cycle.iter().all(|link| link.is_sure && !link.is_timed),
            Self::Abandoned { .. } => true,
            Self::Held(held) => held.is_sure,
        };
        if is_sure { Confidence::Proved } else { Confidence::Likely }
    }
}

/// What the waiting frames of all threads show: deadlocks first.
pub(super) fn findings(process: &Process) -> Vec<LockFinding> {
    let threads = 0..process.threads.len();
    let wait = |thread| wait::of_thread(process, thread).filter(Wait::has_holder);
    let waits: Vec<Option<Wait>> = threads.map(wait).collect();
    if waits.iter().all(Option::is_none) {
        return Vec::new();
    }
    Waits::new(process, waits, is_from_outside(process)).findings()
}

/// Each thread that waits for a lock, a condition or another thread's end, whether or not that is
/// worth a word.
pub fn waits(process: &Process) -> Vec<ThreadWait> {
    let threads = 0..process.threads.len();
    let found = threads.clone().map(|thread| wait::of_thread(process, thread)).collect();
    let waits = Waits::new(process, found, true);
    threads.filter_map(|thread| waits.one(thread)).collect()
}

/// All that wait, by the number of the thread.
struct Waits<'p> {
    process: &'p Process,
    waits: Vec<Option<Wait>>,
    /// The thread each waits for.
    next: Vec<Option<usize>>,
}

impl<'p> Waits<'p> {
    /// `all` says whether a holder is also looked for among threads that do not wait.
    fn new(process: &'p Process, waits: Vec<Option<Wait>>, all: bool) -> Self {
        let threads = process.threads.iter().enumerate();
        let numbers: HashMap<i64, usize> =
            threads.map(|(number, thread)| (thread.tid, number)).collect();
        let next = |wait: &Wait| match wait.owner? {
            Owner::Thread(tid) | Owner::Shared(tid) => numbers.get(&tid).copied(),
            Owner::Ended(_) => None,
        };
        let waits = waits.into_iter().map(|wait| {
            let mut wait = wait?;
            match (wait.target, next(&wait)) {
                (Target::End, other) => {
                    // The id lies in the thread's own block.
                    let other = process.dump.threads.get(other?)?.thread_pointer?;
                    let is_its = other.0.abs_diff(wait.word.0) < BLOCK;
                    wait.is_sure = is_its;
                    is_its.then_some(wait)
                }
                // What looks like a lock, but has no owner here, may be something else.
                (Target::Lock(..), None) if !wait.is_sure && wait.owner.is_some() => None,
                (Target::Lock(..), _) => Some(wait),
            }
        });
        let waits: Vec<_> = waits.collect();
        let next = waits.iter().map(|wait| next(wait.as_ref()?));
        let mut waits = Self { process, next: next.collect(), waits };
        waits.add_guards(all);
        waits
    }

    fn of(&self, thread: usize) -> Option<&Wait> {
        self.waits.get(thread)?.as_ref()
    }

    /// Finds the holders of locks that do not know them.
    fn add_guards(&mut self, all: bool) {
        let of_rust = |wait: &Wait| match wait.target {
            Target::Lock(LockKind::RustMutex | LockKind::RustRwLock, at) => Some(at),
            Target::Lock(..) | Target::End => None,
        };
        let mut locks: Vec<Avma> = self.waits.iter().flatten().filter_map(of_rust).collect();
        locks.sort_unstable();
        locks.dedup();
        if locks.is_empty() {
            return;
        }
        // A waiter may be in a cycle.
        let threads = 0..self.waits.len();
        let (waiting, others): (Vec<_>, Vec<_>) =
            threads.partition(|thread| self.of(*thread).is_some());
        // A lock that only one thread waits for matters if the process hangs.
        let others = others.into_iter().filter(|_| all);
        let holders = rust::holders(self.process, &locks, waiting.into_iter().chain(others));
        for (wait, next) in self.waits.iter_mut().zip(&mut self.next) {
            let Some(wait) = wait else { continue };
            if let Some(holder) = of_rust(wait).and_then(|lock| holders.get(&lock)) {
                *next = Some(*holder);
                wait.is_sure = false;
            }
        }
    }

    fn one(&self, thread: usize) -> Option<ThreadWait> {
        let wait = self.of(thread)?;
        let holder = self.next.get(thread).copied().flatten();
        let holder = holder.and_then(|holder| Some(self.process.threads.get(holder)?.tid));
        let here = wait.frame.map(|frame| (thread, frame));
        Some(ThreadWait {
            tid: self.process.threads.get(thread)?.tid,
            wanted: self.wanted(thread, wait, here.as_slice())?,
            holder,
            is_sure: wait.is_sure && holder.is_some(),
        })
    }

    fn findings(&self) -> Vec<LockFinding> {
        let cycles = cycle::cycles(&self.next);
        let deadlocks = cycles.iter().take(MOST).map(|cycle| {
            let before = cycle.iter().cycle().skip(cycle.len().saturating_sub(1));
            let links = cycle.iter().zip(before);
            let links = links
                .enumerate()
                .filter_map(|(nth, (at, from))| self.link(*at, *from, nth < MOST_NAMED));
            LockFinding::Deadlock(links.collect())
        });
        let mut found: Vec<LockFinding> = deadlocks.collect();
        let mut in_cycle = vec![false; self.waits.len()];
        for thread in cycles.iter().flatten() {
            if let Some(is_in) = in_cycle.get_mut(*thread) {
                *is_in = true;
            }
        }
        let groups = self.groups(&in_cycle);
        let gone = groups.iter().take(MOST_LOCKS).filter_map(|group| self.abandoned(group));
        found.extend(gone.take(MOST));
        let is_hung = is_from_outside(self.process);
        let reported = groups.iter().filter(|group| is_hung || group.waiters.len() >= MANY);
        found.extend(reported.filter_map(|group| self.held(group)).take(MOST));
        found
    }

    /// Threads that wait for the same lock, the largest group first, without those in cycles.
    fn groups(&self, in_cycle: &[bool]) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        let mut places: HashMap<Avma, usize> = HashMap::new();
        for (thread, wait) in self.waits.iter().enumerate() {
            let Some(Wait { target: Target::Lock(kind, lock), .. }) = wait else { continue };
            if in_cycle.get(thread) != Some(&false) {
                continue;
            }
            let place = *places.entry(*lock).or_insert(groups.len());
            match groups.get_mut(place) {
                Some(group) => group.waiters.push(thread),
                None => groups.push(Group { kind: *kind, lock: *lock, waiters: vec![thread] }),
            }
        }
        groups.sort_by_key(|group| std::cmp::Reverse(group.waiters.len()));
        groups
    }

    fn abandoned(&self, group: &Group) -> Option<LockFinding> {
        let first = *group.waiters.first()?;
        let owner = match self.of(first)?.owner? {
            Owner::Ended(tid) => tid,
            // The ids in locks are those of the crashed process' own PID namespace; a debugger
            // outside of it writes other ids into the core.
            Owner::Thread(tid) if self.next.get(first) == Some(&None) => {
                self.knows_itself_by_its_id(first).then_some(tid)?
            }
            Owner::Thread(_) | Owner::Shared(_) => return None,
        };
        let is_sure = self.of(first)?.is_sure;
        is_sure.then(|| LockFinding::Abandoned {
            lock: self.lock(group.kind, group.lock),
            owner,
            waiters: self.whereabouts_of(&group.waiters),
        })
    }

    fn held(&self, group: &Group) -> Option<LockFinding> {
        let first = *group.waiters.first()?;
        let holder = (*self.next.get(first)?)?;
        let wait = self.of(holder);
        let here = wait.and_then(|wait| Some((holder, wait.frame?)));
        let frames = &self.process.threads.get(holder)?.frames;
        let held = Held {
            lock: self.lock(group.kind, group.lock),
            holder: self.whereabouts(holder)?,
            innermost: frames.first().and_then(function_of),
            wanted: wait.and_then(|wait| self.wanted(holder, wait, here.as_slice())),
            is_sure: self.of(first)?.is_sure,
            waiters: self.whereabouts_of(&group.waiters),
        };
        Some(LockFinding::Held(Box::new(held)))
    }

    /// Thread number `thread` of a cycle, for which number `before` waits.
    fn link(&self, thread: usize, before: usize, is_named: bool) -> Option<Link> {
        let (wait, wait_before) = (self.of(thread)?, self.of(before)?);
        let here = wait.frame.map(|frame| (thread, frame)).filter(|_| is_named);
        let held = match wait_before.target {
            Target::Lock(kind, lock) => {
                Wanted::Lock(self.lock_seen_from(kind, lock, here.as_slice()))
            }
            Target::End => Wanted::End(self.process.threads.get(thread)?.tid),
        };
        let (waiter, wanted) =
            (self.whereabouts(thread)?, self.wanted(thread, wait, here.as_slice())?);
        let (is_sure, is_timed) = (wait_before.is_sure, wait.is_timed);
        Some(Link { waiter, held, is_sure, wanted, is_timed })
    }

    /// What thread number `thread` waits for, as `frames` call it.
    fn wanted(&self, thread: usize, wait: &Wait, frames: &[(usize, usize)]) -> Option<Wanted> {
        Some(match wait.target {
            Target::Lock(kind, lock) => Wanted::Lock(self.lock_seen_from(kind, lock, frames)),
            Target::End => {
                let other = (*self.next.get(thread)?)?;
                Wanted::End(self.process.threads.get(other)?.tid)
            }
        })
    }

    /// The lock at `address`, by the name that those who wait for it have.
    fn lock(&self, kind: LockKind, address: Avma) -> Lock {
        let waiting = self.waits.iter().enumerate().filter_map(|(thread, wait)| {
            let wait = wait.as_ref()?;
            let Target::Lock(_, lock) = wait.target else { return None };
            (lock == address).then_some((thread, wait.frame?))
        });
        let frames: Vec<_> = waiting.take(MANY).collect();
        self.lock_seen_from(kind, address, &frames)
    }

    fn lock_seen_from(&self, kind: LockKind, address: Avma, frames: &[(usize, usize)]) -> Lock {
        Lock { address, kind, name: name::of_lock(self.process, address, frames) }
    }

    fn whereabouts_of(&self, threads: &[usize]) -> Vec<Whereabouts> {
        threads.iter().filter_map(|thread| self.whereabouts(*thread)).collect()
    }

    fn whereabouts(&self, thread: usize) -> Option<Whereabouts> {
        let frames = &self.process.threads.get(thread)?.frames;
        let frame = match self.of(thread) {
            Some(wait) => wait.frame,
            None => super::blame::application_frame(self.process, frames),
        };
        let found = frame.and_then(|frame| frames.get(frame));
        Some(Whereabouts {
            tid: self.process.threads.get(thread)?.tid,
            frame,
            function: found.and_then(function_of),
            source: found.and_then(|frame| frame.source.as_deref().cloned()),
        })
    }

    /// Whether a thread's own block of data (`struct pthread`, about its thread pointer)
    /// holds the id it has in the core.
    fn knows_itself_by_its_id(&self, thread: usize) -> bool {
        let dumped = self.process.dump.threads.get(thread);
        let pointer = dumped.and_then(|dumped| dumped.thread_pointer);
        let id = dumped.and_then(|dumped| u32::try_from(dumped.tid).ok());
        let Some((Avma(pointer), id)) = pointer.zip(id) else { return false };
        let block = pointer.saturating_sub(BLOCK)..pointer.saturating_add(BLOCK);
        let mut words = block.step_by(4);
        words.any(|at| int(&self.process.memory, Avma(at), 0) == Some(id))
    }
}

fn function_of(frame: &Frame) -> Option<String> {
    frame.function.as_deref().map(str::to_owned)
}

/// Threads that wait for one lock.
struct Group {
    kind: LockKind,
    lock: Avma,
    waiters: Vec<usize>,
}

#[cfg(test)]
mod tests;
