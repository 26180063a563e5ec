//! Findings on locks in words.

use crate::report::{Evidence, EvidenceKind, Finding, Hex, LockReport};
use obit_analysis::{Held, Link, Lock, LockFinding, LockKind, LockName, Wanted, Whereabouts};
use obit_redact::{Origin, Redactor};

/// Waiting threads of one lock that are listed one by one.
const MOST_WAITERS: usize = 4;
/// Threads of one cycle that are listed one by one.
const MOST_LINKS: usize = 4;
/// Locks of one cycle that are listed.
const MOST_LOCKS: usize = 64;

pub(super) fn finding(finding: &LockFinding, redactor: &mut Redactor) -> Finding {
    let (kind, threads) = match finding {
        LockFinding::Deadlock(cycle) => (
            if cycle.len() == 1 { "self-deadlock" } else { "deadlock" },
            cycle.iter().map(|link| link.waiter.tid).collect(),
        ),
        LockFinding::Abandoned { waiters, .. } => ("lock-abandoned", tids(waiters)),
        LockFinding::Held(held) => {
            let Held { holder, waiters, .. } = &**held;
            ("lock-wait", std::iter::once(holder.tid).chain(tids(waiters)).collect())
        }
    };
    Finding {
        kind: kind.to_owned(),
        title: redactor.show(Origin::OwnWords, &title(finding)),
        threads,
        evidence: evidence(finding, redactor),
        locks: locks(finding, redactor),
        ..Finding::default()
    }
}

/// Who waits for what, and who has it.
fn locks(finding: &LockFinding, redactor: &mut Redactor) -> Vec<LockReport> {
    let mut lock = |wanted: &Wanted, holder: Option<i64>, waiters: Vec<i64>, is_sure: bool| {
        let address = lock_of(wanted).map(|lock| Hex(lock.address.0));
        let name = redactor.show(Origin::OwnWords, &want(wanted));
        LockReport { name, address, holder, waiters, is_sure }
    };
    match finding {
        LockFinding::Deadlock(cycle) => {
            let holders = cycle.iter().cycle().skip(1);
            let links = cycle.iter().zip(holders).take(MOST_LOCKS);
            let shown = links.map(|(link, next)| {
                let waiters = vec![link.waiter.tid];
                lock(&link.wanted, Some(next.waiter.tid), waiters, next.is_sure)
            });
            shown.collect()
        }
        LockFinding::Abandoned { lock: one, owner, waiters } => {
            vec![lock(&Wanted::Lock(one.clone()), Some(*owner), tids(waiters), true)]
        }
        LockFinding::Held(held) => {
            let Held { lock: one, holder, is_sure, waiters, .. } = &**held;
            vec![lock(&Wanted::Lock(one.clone()), Some(holder.tid), tids(waiters), *is_sure)]
        }
    }
}

fn tids(places: &[Whereabouts]) -> Vec<i64> {
    places.iter().map(|place| place.tid).collect()
}

fn title(finding: &LockFinding) -> String {
    match finding {
        LockFinding::Deadlock(cycle) => match &cycle[..] {
            [link] => format!("thread {} waits for itself", link.waiter.tid),
            _ => format!("{} threads wait for each other", cycle.len()),
        },
        LockFinding::Abandoned { lock, owner, waiters } => {
            let (who, lock) = (who_wait(waiters), called(lock));
            format!("{who} for {lock}, held by thread {owner}, which has exited")
        }
        LockFinding::Held(held) => {
            let Held { lock, holder, is_sure, waiters, .. } = &**held;
            let (who, lock) = (who_wait(waiters), called(lock));
            let surely = if *is_sure { "" } else { "likely " };
            format!("{who} for {lock}, {surely}held by thread {}", holder.tid)
        }
    }
}

/// `3 threads wait`, `thread 7 waits`.
fn who_wait(waiters: &[Whereabouts]) -> String {
    match waiters {
        [one] => format!("thread {} waits", one.tid),
        all => format!("{} threads wait", all.len()),
    }
}

/// What shows it, a lock each.
pub(in super::super) fn evidence(finding: &LockFinding, redactor: &mut Redactor) -> Vec<Evidence> {
    let locks: Vec<Option<&Lock>> = match finding {
        LockFinding::Deadlock(cycle) => cycle.iter().map(|link| lock_of(&link.wanted)).collect(),
        LockFinding::Abandoned { lock, .. } => vec![Some(lock)],
        LockFinding::Held(held) => vec![Some(&held.lock)],
    };
    let mut locks = locks.into_iter();
    let evidence = sentences(finding).into_iter().map(|text| Evidence {
        kind: EvidenceKind::Lock,
        text: redactor.show(Origin::OwnWords, &text),
        frame: None,
        address: locks.next().flatten().map(|lock| Hex(lock.address.0)),
    });
    evidence.collect()
}

/// The same as sentences.
pub(in super::super) fn sentences(finding: &LockFinding) -> Vec<String> {
    match finding {
        LockFinding::Deadlock(cycle) => {
            let mut shown: Vec<String> = cycle.iter().take(MOST_LINKS).map(in_cycle).collect();
            shown.extend(and_more(cycle.len(), MOST_LINKS));
            shown
        }
        LockFinding::Abandoned { waiters, .. } => waiting(waiters),
        LockFinding::Held(held) => {
            let Held { holder, innermost, wanted, waiters, .. } = &**held;
            let place = place(holder);
            let doing = match (wanted, innermost) {
                (Some(wanted), _) => format!("thread {} waits for {}", holder.tid, want(wanted)),
                (None, Some(inner)) if holder.function.as_ref() != Some(inner) => {
                    format!("thread {} is in {inner}, called", holder.tid)
                }
                (None, _) => format!("thread {} is", holder.tid),
            };
            let mut shown = vec![format!("{doing}{place}")];
            shown.extend(waiting(waiters));
            shown
        }
    }
}

/// One thread of a cycle.
fn in_cycle(link: &Link) -> String {
    let tid = link.waiter.tid;
    let (want, place) = (want(&link.wanted), place(&link.waiter));
    let surely = if link.is_sure { "" } else { "likely " };
    let waits = if link.is_timed { "waits with a timeout" } else { "waits" };
    match &link.held {
        Wanted::Lock(lock) if link.held == link.wanted => {
            format!(
                "thread {tid} {waits} for {}, which it {surely}holds itself,{place}",
                called(lock)
            )
        }
        Wanted::Lock(lock) => {
            format!("thread {tid} {surely}holds {} and {waits} for {want}{place}", called(lock))
        }
        Wanted::End(_) => format!("thread {tid} {waits} for {want}{place}"),
    }
}

fn waiting(waiters: &[Whereabouts]) -> Vec<String> {
    let one = |place: &Whereabouts| format!("thread {} waits{}", place.tid, self::place(place));
    let mut shown: Vec<String> = waiters.iter().take(MOST_WAITERS).map(one).collect();
    shown.extend(and_more(waiters.len(), MOST_WAITERS));
    shown
}

fn and_more(all: usize, shown: usize) -> Option<String> {
    let more = all.checked_sub(shown).filter(|more| *more > 0)?;
    Some(format!("and {more} more"))
}

/// What a thread waits for.
pub(crate) fn want(wanted: &Wanted) -> String {
    match wanted {
        Wanted::Lock(lock) => called(lock),
        Wanted::End(tid) => format!("the exit of thread {tid}"),
    }
}

fn lock_of(wanted: &Wanted) -> Option<&Lock> {
    match wanted {
        Wanted::Lock(lock) => Some(lock),
        Wanted::End(_) => None,
    }
}

/// ``mutex `accounts[1].lock` ``; with the address where only one frame has the name.
fn called(lock: &Lock) -> String {
    let kind = match lock.kind {
        LockKind::Mutex | LockKind::RustMutex => "mutex",
        LockKind::RwLock | LockKind::RustRwLock => "rwlock",
        LockKind::Allocator => "the allocator's lock",
        LockKind::Condition => "condition variable",
        LockKind::Semaphore => "semaphore",
        LockKind::Barrier => "barrier",
    };
    let address = Hex(lock.address.0);
    match &lock.name {
        Some(LockName::Global(name)) => format!("{kind} `{name}`"),
        Some(LockName::Local(name)) => format!("{kind} {address} (`{name}`)"),
        None => format!("{kind} {address}"),
    }
}

/// ` in transfer (bank.c:30)`.
fn place(place: &Whereabouts) -> String {
    let Some(function) = &place.function else { return String::new() };
    let source = place.source.as_ref().and_then(|source| {
        let file = source.file.rsplit('/').next()?;
        Some(format!(" ({file}:{})", source.line?))
    });
    format!(" in {function}{}", source.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_corefile::addr::Avma;

    fn mutex(number: u64, name: Option<LockName>) -> Wanted {
        Wanted::Lock(Lock { address: Avma(0x1000 * number), kind: LockKind::Mutex, name })
    }

    /// A thread that holds the lock of its number and waits for the next.
    fn link(number: u64) -> Link {
        let tid = number.cast_signed();
        let waiter = Whereabouts { tid, frame: None, function: None, source: None };
        let (held, wanted) = (mutex(number, None), mutex(number + 1, None));
        Link { waiter, held, is_sure: true, wanted, is_timed: false }
    }

    fn shown(link: Link) -> String {
        sentences(&LockFinding::Deadlock(vec![link])).concat()
    }

    #[test]
    fn each_lock_of_a_ring_is_held_by_the_next_thread() {
        let last = Link { wanted: mutex(1, None), ..link(2) };
        let cycle = LockFinding::Deadlock(vec![link(1), last]);
        let mut redactor = Redactor::new(obit_redact::Level::Default, "");
        let shown: Vec<_> = locks(&cycle, &mut redactor)
            .into_iter()
            .map(|lock| (lock.address, lock.holder, lock.waiters))
            .collect();
        let (one, two) = (Some(Hex(0x1000)), Some(Hex(0x2000)));
        assert_eq!(shown, [(two, Some(2), vec![1]), (one, Some(1), vec![2])]);
    }

    #[test]
    fn what_is_not_certain_is_not_reported_as_if_it_were() {
        assert_eq!(shown(link(1)), "thread 1 holds mutex 0x1000 and waits for mutex 0x2000");
        assert_eq!(
            shown(Link { is_sure: false, is_timed: true, ..link(1) }),
            "thread 1 likely holds mutex 0x1000 and waits with a timeout for mutex 0x2000"
        );
    }

    #[test]
    fn a_name_that_only_one_frame_has_follows_the_address() {
        let named = |name| shown(Link { wanted: mutex(2, Some(name)), ..link(1) });
        let global = named(LockName::Global("accounts[1].lock".to_owned()));
        assert!(global.ends_with("waits for mutex `accounts[1].lock`"), "{global}");
        let local = named(LockName::Local("to->lock".to_owned()));
        assert!(local.ends_with("waits for mutex 0x2000 (`to->lock`)"), "{local}");
    }

    #[test]
    fn of_a_large_cycle_the_first_threads_are_shown_and_the_others_counted() {
        let cycle = LockFinding::Deadlock((1..=64).map(link).collect());
        assert_eq!(title(&cycle), "64 threads wait for each other");
        let shown = sentences(&cycle);
        assert_eq!((shown.len(), shown.last().map(String::as_str)), (5, Some("and 60 more")));
    }
}
