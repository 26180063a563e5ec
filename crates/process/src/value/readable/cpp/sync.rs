//! Locks and threads: who holds what. Over glibc's pthreads, as both libraries do it.

use super::form_result::{FormResult, Trouble};
use super::object::CppObject;
use crate::value::readable::Readable;

/// `std::mutex` and its recursive and timed variants.
pub(super) fn mutex<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    // libc++ makes its timed mutexes of a plain one that guards this.
    if let Some(locked) = view.named(&["__locked_", "__count_"]) {
        return Ok(held(view, view.number(locked)? != 0, ", locked".to_owned()));
    }
    let is_locked = view.named_number(&["__lock"])? != 0;
    let owner = view.named_number(&["__owner"])?;
    let times = match view.family.contains("recursive") {
        true => view.named_number(&["__count"])?,
        false => 1,
    };
    let times = if times > 1 { format!(" {times} times") } else { String::new() };
    Ok(held(view, is_locked, format!(", locked{times} by thread {owner}")))
}

/// Readers in `pthread_rwlock_t.__readers` count from this bit; below are three flags
/// (glibc, nptl/pthread_rwlock_common.c).
const READER_SHIFT: u32 = 3;
/// libc++'s flag of a writer in a shared mutex' state.
const WRITER: u64 = 1 << 31;
/// The count of readers, below the flags of a writer and of a waiting one.
const READERS: u64 = !(WRITER | 1 << 30);

/// `std::shared_mutex`.
pub(super) fn shared_mutex<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let readers = |readers: u64| match readers {
        1 => ", locked by 1 reader".to_owned(),
        readers => format!(", locked by {readers} readers"),
    };
    if let Some(state) = view.named(&["__state_"]) {
        let state = view.number(state)?;
        let rest = match state & WRITER {
            0 => readers(state & READERS),
            _ => ", locked by a writer".to_owned(),
        };
        return Ok(held(view, state & (WRITER | READERS) != 0, rest));
    }
    let writer = view.named_number(&["__cur_writer"])?;
    let count = view.named_number(&["__readers"])?.checked_shr(READER_SHIFT).unwrap_or(0);
    let rest = match writer {
        0 => readers(count),
        writer => format!(", locked by thread {writer}, a writer"),
    };
    Ok(held(view, writer != 0 || count != 0, rest))
}

fn held<'d>(view: &CppObject<'d>, is_locked: bool, how: String) -> Readable<'d> {
    if is_locked { view.summarized(&how) } else { view.summarized(", unlocked") }
}

/// `std::condition_variable`: threads inside a wait are counted above three bits of
/// `__wrefs` (glibc, nptl/pthread_cond_wait.c).
pub(super) fn condition_variable<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let waiting = view.named_number(&["__wrefs"])?.checked_shr(READER_SHIFT).unwrap_or(0);
    Ok(match waiting {
        0 => view.summarized(", no waiters"),
        waiting => view.summarized(&format!(", {waiting} waiting")),
    })
}

/// `std::thread` and its id: the `pthread_t`, zero if there is none.
pub(super) fn thread<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let handle = view.words().next().ok_or(Trouble::Unfamiliar)?;
    let is_id = view.family.ends_with("id");
    Ok(match (view.number(handle)?, is_id) {
        (0, true) => view.summarized(" of no thread"),
        (0, false) => view.summarized(", not joinable"),
        (_, true) => view.summarized_with("", "native_handle()", view.part(handle)),
        (_, false) => view.summarized_with(", joinable", "native_handle()", view.part(handle)),
    })
}
