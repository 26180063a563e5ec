//! Where the search for tasks begins: tokio's thread-local variables, and variables of frames.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::spot::{Spot, plain, record};
use obit_corefile::addr::Avma;
use obit_dwarf::{TypeKind, Variable};
use obit_process::process::{FrameView, Process};
use obit_process::value::Object;

/// What the variable behind `thread_local!` is called, by versions of Rust.
const THREAD_LOCALS: [&str; 3] = ["__RUST_STD_INTERNAL_VAL", "VAL", "__KEY"];
/// Threads that are looked at, and frames of each.
const MOST_THREADS: usize = 4096;
const MOST_FRAMES: usize = 128;
/// Records around a pointer.
const DEEPEST: usize = 8;

/// The modules with code of tokio that threads run. A process without it pays for this look at
/// the names of its frames only.
pub(super) fn modules(process: &Process) -> BTreeSet<usize> {
    let threads = process.threads.iter().take(MOST_THREADS);
    let frames = threads.flat_map(|thread| thread.frames.iter().rev().take(MOST_FRAMES));
    let of_tokio = frames.filter(|frame| {
        frame.function.as_deref().is_some_and(|name| name.contains("tokio::runtime"))
    });
    of_tokio.filter_map(|frame| frame.module).collect()
}

/// The thread-local variables of tokio in these modules.
pub(super) fn thread_locals(
    process: &Process,
    modules: &BTreeSet<usize>,
) -> Vec<(usize, Variable)> {
    let mut found = Vec::new();
    for module in modules {
        let Some(debug) = process.modules.debug(*module) else { continue };
        for name in THREAD_LOCALS {
            let variables = debug.variables_named(name).into_iter();
            found.extend(
                variables
                    .filter(|variable| {
                        let name = variable.ty.map(|ty| debug.type_name(ty)).unwrap_or_default();
                        name.contains("tokio::runtime::") || name.contains("tokio::task::local::")
                    })
                    .map(|variable| (*module, variable)),
            );
        }
    }
    found
}

/// Each of these variables in thread number `thread`.
pub(super) fn of_thread<'p>(
    process: &'p Process,
    thread: usize,
    locals: &[(usize, Variable)],
) -> Vec<Spot<'p>> {
    let Some(view) = process.frame_view(thread, 0) else { return Vec::new() };
    let objects = locals.iter().filter_map(|(module, variable)| view.object(*module, variable));
    objects.filter_map(|object| spot(&object)).collect()
}

/// The variables of a frame; of one in registers what it points to.
pub(super) fn of_frame<'p>(view: &FrameView<'p>) -> Vec<(Option<Arc<str>>, Spot<'p>)> {
    let variables = view.variables().into_iter();
    let places = variables.filter_map(|(variable, object)| {
        let object = object?;
        Some((variable.name, spot(&object).or_else(|| pointed_at(view, &object))?))
    });
    places.collect()
}

/// What a pointer that is in no memory points to, such as a pinned reference in a register.
fn pointed_at<'p>(view: &FrameView<'p>, object: &Object<'p>) -> Option<Spot<'p>> {
    let mut ty = plain(object.ty);
    for _ in 0..DEEPEST {
        if let TypeKind::Pointer { target: Some(target), .. } = &ty.get().kind {
            let at = object.cast(ty).unsigned(view.scene()).ok().filter(|at| *at != 0)?;
            return Some(Spot { ty: ty.other(*target), at: Avma(at) });
        }
        let [only] = record(ty)?.members.as_slice() else { return None };
        ty = plain(ty.other(only.ty?));
    }
    None
}

/// Frames of a thread that are looked at for variables, the outermost last.
pub(super) fn frames(process: &Process, thread: usize) -> impl Iterator<Item = usize> {
    let count = process.threads.get(thread).map_or(0, |thread| thread.frames.len());
    0..count.min(MOST_FRAMES)
}

/// Threads that are looked at.
pub(super) fn threads(process: &Process) -> impl Iterator<Item = usize> {
    0..process.threads.len().min(MOST_THREADS)
}

fn spot<'p>(object: &Object<'p>) -> Option<Spot<'p>> {
    let at = object.address().filter(|at: &Avma| at.0 != 0)?;
    Some(Spot { ty: object.ty, at })
}
