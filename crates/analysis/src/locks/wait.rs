//! What one thread waits for: which lock, by the functions it waits in and the futex.

use super::super::blame::application_frame;
use super::super::owner::{is_foreign, names};
use super::futex::{self, FutexWait};
use super::glibc::{self, Owner};
use super::rust;
use obit_corefile::addr::Avma;
use obit_process::process::{Frame, FrameKind, FrameTrust, Process};

/// Frames between the kernel and the function that locks, inlined ones counted.
const INNERMOST: usize = 10;

/// A sort of lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LockKind {
    /// `pthread_mutex_t`, `std::mutex`, C11's `mtx_t`.
    Mutex,
    /// `pthread_rwlock_t`, `std::shared_mutex`.
    RwLock,
    /// `std::sync::Mutex` and that of `parking_lot`, which do not know their holder.
    RustMutex,
    /// `std::sync::RwLock` and that of `parking_lot`.
    RustRwLock,
    /// That of glibc's allocator, which knows no owner.
    Allocator,
    /// `pthread_cond_t`, `std::condition_variable`, Rust's `Condvar`.
    Condition,
    /// `sem_t`.
    Semaphore,
    /// `pthread_barrier_t`.
    Barrier,
}

impl LockKind {
    /// Whether one thread has it while others wait.
    pub(super) fn has_holder(self) -> bool {
        !matches!(self, Self::Condition | Self::Semaphore | Self::Barrier)
    }
}

/// What a thread waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// This lock.
    Lock(LockKind, Avma),
    /// The end of the thread that holds it in `Wait::owner`: `pthread_join`.
    End,
}

/// A thread that waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    pub(super) target: Target,
    /// The futex.
    pub(super) word: Avma,
    /// Who must act first, where that is on record.
    pub(super) owner: Option<Owner>,
    /// Whether the sort of lock and its owner are beyond doubt.
    pub(super) is_sure: bool,
    /// It gives up after a time.
    pub(super) is_timed: bool,
    /// Index of the frame of the program's own code that waits.
    pub(super) frame: Option<usize>,
}

impl Wait {
    /// Whether one thread has what it waits for.
    pub(super) fn has_holder(&self) -> bool {
        match self.target {
            Target::Lock(kind, _) => kind.has_holder(),
            Target::End => true,
        }
    }
}

/// What thread number `thread` waits for, if it is a lock or another thread's end.
pub(super) fn of_thread(process: &Process, thread: usize) -> Option<Wait> {
    let futex = futex::of_thread(process, thread)?;
    let frames = &process.threads.get(thread)?.frames;
    let innermost = frames.iter().enumerate().take(INNERMOST);
    let mut named = innermost.rev().filter_map(|(at, frame)| Some((at, function(frame)?)));
    // A thread that was woken takes the mutex again within the wait for the condition.
    let by_name = named.next().map(|first| match first {
        (_, Function::Condition) => named.find(|(_, of)| *of == Function::Mutex).unwrap_or(first),
        _ => first,
    });
    let frame = application_frame_beyond(process, frames, by_name.map_or(0, |(at, _)| at + 1));
    let (target, owner) = match by_name {
        Some((at, called)) => by_function(process, thread, at, called, futex)?,
        // A stripped libc does not name all of its functions. What looks like a mutex that
        // a thread of this process holds, or like the id of one, hardly is anything else.
        None => match glibc::mutex_owner(&process.memory, futex.word) {
            Some(owner) => (Target::Lock(LockKind::Mutex, futex.word), Some(owner)),
            None => end_at(process, futex.word)?,
        },
    };
    let is_sure = owner.is_some() && !matches!(by_name, None | Some((_, Function::Allocator)));
    let FutexWait { word, is_timed } = futex;
    Some(Wait { target, word, owner, is_sure, is_timed, frame })
}

/// What a function waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Mutex,
    Rwlock { is_writer: bool },
    Join,
    RustMutex,
    RustRwLock { is_writer: bool },
    RustCondition,
    ParkingLot(LockKind),
    Allocator,
    Condition,
    Semaphore,
    Barrier,
}

fn function(frame: &Frame) -> Option<Function> {
    if matches!(frame.trust, FrameTrust::Scan) {
        return None;
    }
    names(frame).find_map(|name| named(&name))
}

fn named(name: &str) -> Option<Function> {
    let plain = name.trim_start_matches('_');
    let plain = plain.strip_prefix("GI_").unwrap_or(plain).trim_start_matches('_');
    if let Some(lock) = plain.strip_prefix("pthread_mutex_") {
        let is_lock = ["lock", "timedlock", "clocklock", "cond_lock"];
        return is_lock.iter().any(|start| lock.starts_with(start)).then_some(Function::Mutex);
    }
    if let Some(lock) = plain.strip_prefix("pthread_rwlock_") {
        let is_writer = lock.contains("wrlock");
        return (is_writer || lock.contains("rdlock")).then_some(Function::Rwlock { is_writer });
    }
    if let Some(wait) = plain.strip_prefix("pthread_cond_") {
        let is_wait = ["wait", "timedwait", "clockwait"].iter().any(|one| wait.starts_with(one));
        return is_wait.then_some(Function::Condition);
    }
    match plain {
        "cnd_wait" | "cnd_timedwait" => return Some(Function::Condition),
        "pthread_barrier_wait" => return Some(Function::Barrier),
        "sem_wait" | "sem_timedwait" | "sem_clockwait" => return Some(Function::Semaphore),
        _ if plain.starts_with("new_sem_wait") => return Some(Function::Semaphore),
        "lll_lock_wait_private" => return Some(Function::Allocator),
        "mtx_lock" | "mtx_timedlock" => return Some(Function::Mutex),
        "pthread_join"
        | "pthread_timedjoin_np"
        | "pthread_clockjoin_np"
        | "pthread_clockjoin_ex"
        | "thrd_join" => return Some(Function::Join),
        _ => {}
    }
    let is_std = name.trim_start_matches('<').starts_with("std::sys");
    if is_std && name.contains("Mutex") && name.ends_with("::lock_contended") {
        return Some(Function::RustMutex);
    }
    if is_std && name.contains("Condvar") && name.contains("futex") {
        let is_wait = ["::wait", "::wait_timeout", "::wait_optional_timeout"];
        return is_wait.iter().any(|end| name.ends_with(end)).then_some(Function::RustCondition);
    }
    if is_std && name.contains("RwLock") {
        let is_writer = name.ends_with("::write_contended");
        let is_lock = is_writer || name.ends_with("::read_contended");
        return is_lock.then_some(Function::RustRwLock { is_writer });
    }
    let parking_lot = name.trim_start_matches('<').strip_prefix("parking_lot::raw_")?;
    match parking_lot.rsplit_once("::")?.1 {
        "lock_slow" => Some(Function::ParkingLot(LockKind::RustMutex)),
        "lock_shared_slow" | "lock_exclusive_slow" => {
            Some(Function::ParkingLot(LockKind::RustRwLock))
        }
        _ => None,
    }
}

/// What thread number `thread` waits for whose frame number `at` is of `function`.
fn by_function(
    process: &Process,
    thread: usize,
    at: usize,
    function: Function,
    futex: FutexWait,
) -> Option<(Target, Option<Owner>)> {
    let memory = &process.memory;
    let word = futex.word;
    Some(match function {
        Function::Mutex => (Target::Lock(LockKind::Mutex, word), glibc::mutex_owner(memory, word)),
        Function::Rwlock { is_writer } => {
            let lock = glibc::rwlock_of(memory, word, is_writer)?;
            (Target::Lock(LockKind::RwLock, lock), glibc::rwlock_writer(memory, lock))
        }
        Function::Join => end_at(process, word)?,
        Function::Condition => {
            // `__g_signals` of two groups (glibc, sysdeps/nptl/bits/thread-shared-types.h).
            let group = if word.0.is_multiple_of(8) { 40 } else { 44 };
            (Target::Lock(LockKind::Condition, Avma(word.0.checked_sub(group)?)), None)
        }
        Function::RustCondition => (Target::Lock(LockKind::Condition, word), None),
        Function::Semaphore => (Target::Lock(LockKind::Semaphore, semaphore(process, word)), None),
        Function::Barrier => {
            // After `in` (glibc, sysdeps/nptl/internaltypes.h).
            (Target::Lock(LockKind::Barrier, Avma(word.0.checked_sub(4)?)), None)
        }
        Function::RustMutex => (Target::Lock(LockKind::RustMutex, word), None),
        Function::RustRwLock { is_writer } => {
            // `state`, then `writer_notify` (library/std/src/sys/sync/rwlock/futex.rs).
            let before = if is_writer { 4 } else { 0 };
            let lock = Avma(word.0.checked_sub(before)?);
            (Target::Lock(LockKind::RustRwLock, lock), None)
        }
        Function::Allocator => {
            let thread = process.threads.get(thread)?;
            let is_own = is_handler_within_allocator(thread.frames.get(at..)?);
            let owner = is_own.then_some(Owner::Thread(thread.tid))?;
            (Target::Lock(LockKind::Allocator, word), Some(owner))
        }
        Function::ParkingLot(kind) => {
            // The futex is the thread's own; the lock is an argument.
            let lock = rust::receiver(process, thread, at)?;
            (Target::Lock(kind, lock), None)
        }
    })
}

/// The semaphore whose value is at `word`: the lower half of its first member (glibc,
/// sysdeps/nptl/internaltypes.h, `struct new_sem`).
fn semaphore(process: &Process, word: Avma) -> Avma {
    match process.memory.is_little_endian() || process.memory.word() == 4 {
        true => word,
        false => Avma(word.0.saturating_sub(4)),
    }
}

/// The wait for the end of the thread whose `pd->tid` is at `word`: the kernel clears that
/// then.
fn end_at(process: &Process, word: Avma) -> Option<(Target, Option<Owner>)> {
    let tid = i64::from(glibc::int(&process.memory, word, 0)?);
    (tid > 0).then_some((Target::End, Some(Owner::Thread(tid))))
}

/// Whether `frames` are those of a signal handler that allocates while the allocator was
/// interrupted: then it waits for the lock that its own thread took.
fn is_handler_within_allocator(frames: &[Frame]) -> bool {
    const FUNCTIONS: [&str; 8] =
        ["malloc", "free", "calloc", "realloc", "memalign", "cfree", "valloc", "pvalloc"];
    let is_allocator = |frame: &Frame| {
        names(frame).any(|name| {
            let plain = name.trim_start_matches('_');
            let plain = ["GI_", "libc_", "int_"].iter().fold(plain, |plain, start| {
                plain.strip_prefix(start).unwrap_or(plain).trim_start_matches('_')
            });
            FUNCTIONS.contains(&plain)
        })
    };
    let mut parts = frames.splitn(2, |frame| frame.kind == FrameKind::Signal);
    let (Some(handler), Some(interrupted)) = (parts.next(), parts.next()) else { return false };
    handler.iter().take(INNERMOST).any(is_allocator)
        && interrupted.iter().take(INNERMOST).any(is_allocator)
}

/// The innermost frame from number `from` on that is of the program's own code.
fn application_frame_beyond(process: &Process, frames: &[Frame], from: usize) -> Option<usize> {
    let outward = frames.get(from..)?;
    // Wrappers of the lock's own library.
    let wrappers = outward.iter().take_while(|frame| is_foreign(process, frame)).count();
    let own = application_frame(process, outward.get(wrappers..)?)?;
    from.checked_add(wrappers)?.checked_add(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_that_lock_are_known_by_any_of_their_names() {
        for name in [
            "pthread_mutex_lock",
            "___pthread_mutex_lock",
            "__GI___pthread_mutex_lock",
            "__pthread_mutex_lock_full",
            "__pthread_mutex_cond_lock",
            "pthread_mutex_timedlock",
            "mtx_lock",
        ] {
            assert_eq!(named(name), Some(Function::Mutex), "{name}");
        }
        let rwlock = |name| match named(name) {
            Some(Function::Rwlock { is_writer }) => Some(is_writer),
            _ => None,
        };
        assert_eq!(rwlock("___pthread_rwlock_rdlock"), Some(false));
        assert_eq!(rwlock("__pthread_rwlock_wrlock_full64"), Some(true));
        assert_eq!(named("__pthread_clockjoin_ex"), Some(Function::Join));
    }

    #[test]
    fn functions_that_wait_for_what_no_thread_holds_are_known_too() {
        for (name, function) in [
            ("___pthread_cond_wait", Function::Condition),
            ("__pthread_cond_wait_common", Function::Condition),
            ("pthread_cond_clockwait", Function::Condition),
            ("__new_sem_wait_slow64.constprop.0", Function::Semaphore),
            ("sem_wait", Function::Semaphore),
            ("__pthread_barrier_wait", Function::Barrier),
            (
                "std::sys::sync::condvar::futex::Condvar::wait_optional_timeout",
                Function::RustCondition,
            ),
        ] {
            assert_eq!(named(name), Some(function), "{name}");
        }
    }

    #[test]
    fn functions_of_rust_that_lock_are_known_in_either_mangling() {
        let mutex = Some(Function::RustMutex);
        assert_eq!(named("std::sys::sync::mutex::futex::Mutex::lock_contended"), mutex);
        assert_eq!(named("<std::sys::sync::mutex::futex::Mutex>::lock_contended"), mutex);
        assert_eq!(named("std::sys::unix::locks::futex_mutex::Mutex::lock_contended"), mutex);
        assert_eq!(
            named("std::sys::sync::rwlock::futex::RwLock::write_contended"),
            Some(Function::RustRwLock { is_writer: true })
        );
        assert_eq!(
            named("parking_lot::raw_mutex::RawMutex::lock_slow"),
            Some(Function::ParkingLot(LockKind::RustMutex))
        );
    }

    fn frame(function: &str, kind: FrameKind) -> Frame {
        Frame {
            kind,
            trust: FrameTrust::CallFrameInfo,
            activation: 0,
            pc: Avma(0),
            function: Some(function.into()),
            linkage_name: None,
            from_symbol: true,
            language: None,
            module: None,
            source: None,
            tail_calls: Vec::new(),
        }
    }

    #[test]
    fn a_handler_that_allocates_within_the_allocator_waits_for_its_own_thread() {
        let stack = |names: &[&str]| -> Vec<Frame> {
            let kind = |name: &str| match name {
                "__restore_rt" => FrameKind::Signal,
                _ => FrameKind::Normal,
            };
            names.iter().map(|name| frame(name, kind(name))).collect()
        };
        let handler = ["__lll_lock_wait_private", "__libc_malloc", "on_alarm", "__restore_rt"];
        let within =
            |rest: &[&str]| is_handler_within_allocator(&stack(&[&handler[..], rest].concat()));
        assert!(within(&["_int_free", "__GI___libc_free", "main"]));
        assert!(!within(&["memcpy", "main"]));
        assert!(!is_handler_within_allocator(&stack(&["__lll_lock_wait_private", "free"])));
    }

    #[test]
    fn functions_that_unlock_or_wait_for_something_else_are_not() {
        for name in [
            "pthread_mutex_unlock",
            "pthread_mutex_trylock",
            "pthread_rwlock_unlock",
            "pthread_cond_signal",
            "sem_post",
            "bank::Mutex::lock_contended",
            "parking_lot::raw_mutex::RawMutex::unlock_slow",
        ] {
            assert_eq!(named(name), None, "{name}");
        }
    }
}
