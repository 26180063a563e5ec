//! The locks of glibc as they lie in memory: who holds them.

use obit_corefile::addr::Avma;
use obit_corefile::memory::AddressSpace;

/// Who holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// The thread with this id.
    Thread(i64),
    /// A thread with this id that ended without giving the lock back: the kernel says so.
    Ended(i64),
    /// A thread of this id, perhaps of another process that shares the lock.
    Shared(i64),
}

/// Bits of a futex word that holds an owner (Linux `include/uapi/linux/futex.h`).
const OWNER_DIED: u32 = 0x4000_0000;
const TID_MASK: u32 = 0x3fff_ffff;

/// The owner of the `pthread_mutex_t` at `at`; `None` if it is not locked or there is no such
/// mutex (glibc `sysdeps/nptl/bits/struct_mutex.h`; `PTHREAD_MUTEX_*` in
/// `nptl/pthreadP.h`).
pub(super) fn mutex_owner(memory: &AddressSpace, at: Avma) -> Option<Owner> {
    const ROBUST: u32 = 16;
    const INHERIT: u32 = 32;
    const PROTECT: u32 = 64;
    const SHARED: u32 = 128;
    const ALL: u32 = 0x3ff;
    let kind_at = if memory.word() == 8 { 16 } else { 12 };
    let (lock, owner) = (int(memory, at, 0)?, int(memory, at, 8)?);
    let kind = int(memory, at, kind_at)?;
    if kind & !ALL != 0 || lock == 0 {
        return None;
    }
    let holds_tid = kind & (ROBUST | INHERIT) != 0;
    // With a priority ceiling the lock word has that in its upper bits.
    let is_state = lock <= 2 || kind & PROTECT != 0;
    match (holds_tid, lock & OWNER_DIED != 0) {
        (true, true) => Some(Owner::Ended(i64::from(lock & TID_MASK))),
        (true, false) => owner_of(lock & TID_MASK, kind & SHARED != 0),
        (false, _) if is_state => owner_of(owner, kind & SHARED != 0),
        (false, _) => None,
    }
}

/// The writer that holds the `pthread_rwlock_t` at `at` (glibc
/// `sysdeps/nptl/bits/struct_rwlock.h`, 64-bit). Readers leave no name.
pub(super) fn rwlock_writer(memory: &AddressSpace, at: Avma) -> Option<Owner> {
    let (writer, shared) = (int(memory, at, 24)?, int(memory, at, 28)?);
    (memory.word() == 8 && shared <= 1).then(|| owner_of(writer, shared != 0))?
}

/// The `pthread_rwlock_t` of which a futex word is part that readers or writers wait at:
/// readers at `__wrphase_futex` (offset 8), or at `__readers` (0) where writers go first;
/// writers at `__wrphase_futex` or `__writers_futex` (12).
pub(super) fn rwlock_of(memory: &AddressSpace, word: Avma, is_writer: bool) -> Option<Avma> {
    // The two low bits of a phase; `__readers` has the count of readers above three flags,
    // of which the third is set while someone waits there.
    const LARGEST_PHASE: u32 = 3;
    if memory.word() != 8 {
        return None;
    }
    // The lock is aligned to 8 bytes.
    let before = match (word.0.is_multiple_of(8), is_writer) {
        (true, false) if int(memory, word, 0)? > LARGEST_PHASE => 0,
        (true, _) => 8,
        (false, true) => 12,
        (false, false) => return None,
    };
    word.0.checked_sub(before).map(Avma)
}

fn owner_of(tid: u32, is_shared: bool) -> Option<Owner> {
    let tid = i64::from(tid);
    let owner = if is_shared { Owner::Shared(tid) } else { Owner::Thread(tid) };
    (1..=i64::from(TID_MASK)).contains(&tid).then_some(owner)
}

/// The `int` that lies `offset` bytes from `at`.
pub(super) fn int(memory: &AddressSpace, at: Avma, offset: u64) -> Option<u32> {
    let mut bytes = [0; 4];
    memory.read(at.checked_add(offset)?, &mut bytes).ok()?;
    u32::try_from(memory.unsigned(&bytes)).ok()
}

#[cfg(test)]
mod tests {
    use super::super::tests::process;
    use super::*;
    use obit_corefile::testkit::CoreBuilder;

    fn with<T>(core: CoreBuilder, ints: &[u32], ask: impl Fn(&AddressSpace) -> T) -> T {
        let bytes: Vec<u8> = ints.iter().flat_map(|int| int.to_le_bytes()).collect();
        let core = core.signal(6).thread(1, &[]).segment(0x1000, &bytes, 0x1000);
        ask(&process(core).memory)
    }

    fn owner(ints: &[u32]) -> Option<Owner> {
        with(CoreBuilder::x86_64(), ints, |memory| mutex_owner(memory, Avma(0x1000)))
    }

    #[test]
    fn a_plain_mutex_names_its_owner_beside_the_lock_word() {
        assert_eq!(owner(&[2, 0, 77, 1, 0]), Some(Owner::Thread(77)));
        assert_eq!(owner(&[2, 0, 77, 1, 128]), Some(Owner::Shared(77)));
        assert_eq!(owner(&[0, 0, 77, 1, 0]), None);
        assert_eq!(owner(&[2, 0, 0, 1, 0]), None);
    }

    #[test]
    fn what_is_no_mutex_has_no_owner() {
        assert_eq!(owner(&[5, 0, 77, 1, 0]), None);
        assert_eq!(owner(&[2, 0, 77, 1, 0x0b00_0000]), None);
        assert_eq!(owner(&[2, 0]), None);
    }

    #[test]
    fn a_robust_mutex_names_its_owner_in_the_lock_word_and_keeps_it_when_that_ended() {
        assert_eq!(owner(&[0x8000_0000 | 77, 0, 77, 1, 16]), Some(Owner::Thread(77)));
        assert_eq!(owner(&[0xc000_0000 | 77, 0, 77, 1, 16]), Some(Owner::Ended(77)));
    }

    #[test]
    fn a_32_bit_mutex_has_its_kind_before_the_count_of_users() {
        let owner = |ints: &[u32]| {
            with(CoreBuilder::i386(), ints, |memory| mutex_owner(memory, Avma(0x1000)))
        };
        assert_eq!(owner(&[2, 0, 77, 0, 9999]), Some(Owner::Thread(77)));
        assert_eq!(owner(&[2, 0, 77, 9999, 0]), None);
    }

    #[test]
    fn the_word_a_thread_waits_at_leads_to_the_start_of_the_rwlock() {
        let lock = |phase: u32, word: u64, is_writer: bool| {
            let ints = [phase, 0, phase, 3, 0, 0, 77, 0];
            with(CoreBuilder::x86_64(), &ints, |memory| {
                let lock = rwlock_of(memory, Avma(word), is_writer)?;
                Some((lock.0, rwlock_writer(memory, lock)))
            })
        };
        let held = Some((0x1000, Some(Owner::Thread(77))));
        assert_eq!(lock(3, 0x1008, false), held);
        assert_eq!(lock(3, 0x1008, true), held);
        assert_eq!(lock(3, 0x100c, true), held);
        assert_eq!(lock(7, 0x1000, false), held);
        assert_eq!(lock(3, 0x100c, false), None);
    }
}
