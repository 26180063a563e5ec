//! Rust's locks, which do not say who holds them: a guard in a thread's frames does.

use std::collections::HashMap;

use super::super::owner::is_foreign;
use obit_corefile::addr::Avma;
use obit_dwarf::TypeKind;
use obit_process::process::{FrameView, Process};
use obit_process::value::{Object, Scene};

/// Frames whose variables are looked at in all.
const MOST_FRAMES: usize = 512;
/// Frames of one thread.
const MOST_OF_THREAD: usize = 32;
/// How deep in a variable a guard may lie: `Result<(MutexGuard<T>, bool), E>`.
const DEEPEST: usize = 6;
/// Members of one variable that are looked at.
const MOST_MEMBERS: usize = 64;

/// The lock that frame number `frame` of thread number `thread` was called for: its
/// `self`.
pub(super) fn receiver(process: &Process, thread: usize, frame: usize) -> Option<Avma> {
    let view = process.frame_view(thread, frame)?;
    let variables = view.variables().into_iter();
    let mut own = variables.filter(|(variable, _)| variable.name.as_deref() == Some("self"));
    let (_, object) = own.next()?;
    object?.unsigned(view.scene()).ok().map(Avma)
}

/// Of each of `locks` the one thread (its number) whose frames hold a guard of it.
/// `threads` says in which order threads are looked at.
pub(super) fn holders(
    process: &Process,
    locks: &[Avma],
    threads: impl Iterator<Item = usize>,
) -> HashMap<Avma, usize> {
    // `None` once two threads seem to hold it.
    let mut found: HashMap<Avma, Option<usize>> = HashMap::new();
    let mut left = MOST_FRAMES;
    for thread in threads {
        let Some(frames) = process.threads.get(thread).map(|thread| &thread.frames) else {
            continue;
        };
        let own = frames.iter().enumerate().filter(|(_, frame)| !is_foreign(process, frame));
        for (at, _) in own.take(MOST_OF_THREAD) {
            let Some(rest) = left.checked_sub(1) else { return of_one(found) };
            left = rest;
            let Some(view) = process.frame_view(thread, at) else { continue };
            for lock in guarded(&view, locks) {
                let holder = found.entry(lock).or_insert(Some(thread));
                *holder = holder.filter(|known| *known == thread);
            }
        }
    }
    of_one(found)
}

fn of_one(found: HashMap<Avma, Option<usize>>) -> HashMap<Avma, usize> {
    found.into_iter().filter_map(|(lock, holder)| Some((lock, holder?))).collect()
}

/// Those of `locks` that a guard among the variables of a frame is of.
fn guarded(view: &FrameView<'_>, locks: &[Avma]) -> Vec<Avma> {
    let scene = view.scene();
    let mut found = Vec::new();
    for (_, object) in view.variables() {
        let Some(object) = object.filter(|object| is_guard(&object.type_name(scene))) else {
            continue;
        };
        let mut left = MOST_MEMBERS;
        pointers(&object, scene, DEEPEST, &mut left, &mut |at| {
            if locks.contains(&at) && !found.contains(&at) {
                found.push(at);
            }
        });
    }
    found
}

/// Whether a type holds a guard: `std::sync::poison::mutex::MutexGuard<i64>`,
/// `lock_api::rwlock::RwLockReadGuard<…>`.
fn is_guard(ty: &str) -> bool {
    // What points to a guard does not hold the lock.
    !ty.starts_with(['&', '*'])
        && ["MutexGuard<", "RwLockReadGuard<", "RwLockWriteGuard<"].iter().any(|g| ty.contains(g))
}

/// Every pointer among the members of `object`.
fn pointers<'d>(
    object: &Object<'d>,
    scene: Scene<'d>,
    depth: usize,
    left: &mut usize,
    found: &mut dyn FnMut(Avma),
) {
    let (Some(deeper), Some(rest)) = (depth.checked_sub(1), left.checked_sub(1)) else { return };
    *left = rest;
    match object.resolved(scene).get().kind {
        TypeKind::Pointer { .. } => {
            if let Ok(at) = object.unsigned(scene) {
                found(Avma(at));
            }
        }
        TypeKind::Record(_) => {
            for (_, member) in object.members(scene) {
                pointers(&member, scene, deeper, left, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::is_guard;

    #[test]
    fn a_guard_is_known_by_its_type_and_a_pointer_to_one_is_none() {
        assert!(is_guard("std::sync::poison::mutex::MutexGuard<i64>"));
        assert!(is_guard("core::option::Option<lock_api::rwlock::RwLockReadGuard<R, i64>>"));
        assert!(!is_guard("&std::sync::poison::mutex::MutexGuard<i64>"));
        assert!(!is_guard("bank::Guard"));
    }
}
