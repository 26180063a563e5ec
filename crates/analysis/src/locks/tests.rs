use super::*;
use obit_corefile::testkit::CoreBuilder;
use obit_process::process::Options;

/// What obit makes of a core.
pub(super) fn process(core: CoreBuilder) -> Process {
    Process::open(core.write().path(), Options::default(), &()).unwrap()
}

const ASLEEP: u64 = -512_i64 as u64;
const LOCKS: u64 = 0x1000;

/// A thread that sleeps on the mutex at `lock`.
fn waiting(core: CoreBuilder, tid: i32, lock: u64) -> CoreBuilder {
    let call = [("orig_rax", 202), ("rax", ASLEEP), ("rsi", 0x80)];
    core.thread(tid, &[&call[..], &[("rdi", lock), ("fs_base", 0x9000)]].concat())
}

/// Contended mutexes of these owners, 40 bytes each.
fn mutexes(core: CoreBuilder, owners: &[u32]) -> CoreBuilder {
    let words = owners.iter().flat_map(|owner| [2, 0, *owner, 1, 0, 0, 0, 0, 0, 0]);
    let bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
    core.segment(LOCKS, &bytes, 0x1000)
}

fn sent_sigabrt() -> CoreBuilder {
    // SI_USER; the sender is where a fault has its address.
    CoreBuilder::x86_64().signal(6)
}

fn nth(lock: u64) -> u64 {
    LOCKS + 40 * lock
}

fn cycles(findings: &[LockFinding]) -> Vec<Vec<i64>> {
    let tids = |cycle: &Vec<Link>| cycle.iter().map(|link| link.waiter.tid).collect();
    let cycles = findings.iter().filter_map(|finding| match finding {
        LockFinding::Deadlock(cycle) => Some(tids(cycle)),
        _ => None,
    });
    cycles.collect()
}

#[test]
fn two_threads_that_hold_what_the_other_wants_are_a_deadlock() {
    let core = waiting(waiting(sent_sigabrt(), 11, nth(1)), 12, nth(0)).siginfo(6, 0, 99);
    let found = findings(&process(mutexes(core, &[11, 12])));
    assert_eq!(cycles(&found), [[11, 12]]);
    // No function was there to say that the words are mutexes.
    assert_eq!(found[0].confidence(), Confidence::Likely);
}

#[test]
fn a_thread_that_waits_for_what_it_holds_is_a_deadlock_of_one() {
    let core = waiting(sent_sigabrt(), 11, nth(0));
    assert_eq!(cycles(&findings(&process(mutexes(core, &[11])))), [[11]]);
}

#[test]
fn a_thread_that_waits_for_a_cycle_is_not_part_of_it() {
    let core = waiting(waiting(sent_sigabrt(), 11, nth(1)), 12, nth(0)).siginfo(6, 0, 99);
    let found = findings(&process(mutexes(waiting(core, 13, nth(0)), &[11, 12])));
    assert_eq!(cycles(&found), [[11, 12]]);
    let held = |finding: &LockFinding| match finding {
        LockFinding::Held(held) => Some((held.holder.tid, held.waiters[0].tid)),
        _ => None,
    };
    assert_eq!(found.iter().filter_map(held).collect::<Vec<_>>(), [(11, 13)]);
}

#[test]
fn a_lock_others_wait_for_is_no_finding_beside_a_fault_unless_many_do() {
    let fault = |waiters: i32| {
        let core = CoreBuilder::x86_64().signal(11).thread(10, &[]).siginfo(11, 1, 0x18);
        let core = (11..11 + waiters).fold(core, |core, tid| waiting(core, tid, nth(0)));
        findings(&process(mutexes(core, &[10]))).len()
    };
    assert_eq!([fault(1), fault(2), fault(3)], [0, 0, 1]);
}

#[test]
fn a_word_that_is_no_mutex_of_a_thread_of_the_process_is_no_wait_for_one() {
    let core = waiting(sent_sigabrt(), 11, nth(0)).siginfo(6, 0, 99);
    assert!(findings(&process(mutexes(core, &[4711]))).is_empty());
}

#[test]
fn who_waits_for_the_id_in_a_threads_own_block_to_go_waits_for_its_end() {
    let cycle = |block: u64| {
        let call = [("orig_rax", 202), ("rax", ASLEEP), ("rsi", 0x189)];
        let core = sent_sigabrt().thread(11, &[&call[..], &[("rdi", 0x52d0)]].concat());
        let call = [&call[..], &[("rdi", nth(0)), ("fs_base", block)]].concat();
        let core = core.thread(12, &call).siginfo(6, 0, 99);
        let core = core.segment(0x52d0, &12_u32.to_le_bytes(), 0x100);
        cycles(&findings(&process(mutexes(core, &[11]))))
    };
    assert_eq!(cycle(0x5000), [[11, 12]]);
    assert!(cycle(0x9000).is_empty());
}

#[test]
fn a_mutex_of_a_thread_that_is_gone_is_reported_where_ids_are_those_of_the_process() {
    let found = |id: u32| {
        let core = waiting(sent_sigabrt(), 11, nth(0)).siginfo(6, 0, 99);
        let core = mutexes(core, &[4711]).segment(0x9000, &id.to_le_bytes(), 0x100);
        let process = process(core);
        let wait = Wait {
            target: Target::Lock(LockKind::Mutex, Avma(nth(0))),
            word: Avma(nth(0)),
            owner: Some(Owner::Thread(4711)),
            is_sure: true,
            is_timed: false,
            frame: None,
        };
        Waits::new(&process, vec![Some(wait)], false).findings()
    };
    let gone = found(11);
    assert!(matches!(gone[..], [LockFinding::Abandoned { owner: 4711, .. }]), "{gone:?}");
    // A debugger outside of the namespace called the thread 11; it knows itself as 3.
    assert!(found(3).is_empty());
}
