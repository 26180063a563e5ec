//! The frame to look at first: the innermost one of the program's own code. Libraries and
//! language runtimes pass on what they were given.

use super::library::is_of_library;
use crate::process::{Frame, FrameKind, FrameTrust, Process};

/// Directories that no program's own sources lie in: those of distributions' libraries and
/// of compilers.
const LIBRARY_SOURCES: [&str; 12] = [
    "/rustc/",
    "/library/std/",
    "/library/core/",
    "/library/alloc/",
    "/usr/include/",
    "/usr/lib/",
    "/sysdeps/",
    "/nptl/",
    "/libgcc/",
    "/libstdc++-v3/",
    "/usr/local/go/src/",
    "/.cargo/registry/",
];

/// Its index among the frames of the crashed thread.
pub(super) fn blame(process: &Process) -> Option<usize> {
    own_frame(process, &process.crashed()?.frames)
}

/// The index of the innermost of `frames` that is of the program's own code.
pub(super) fn own_frame(process: &Process, frames: &[Frame]) -> Option<usize> {
    let is_certain = |frame: &&Frame| frame.trust != FrameTrust::Scan;
    let own = |frame: &Frame| is_own(process, frame);
    let found = frames.iter().take_while(is_certain).position(own);
    // Without lines the module is all there is to go by.
    found.or_else(|| {
        let is_program = |frame: &Frame| {
            frame.kind != FrameKind::Signal
                && frame.module.is_some()
                && frame.module == process.modules.executable()
        };
        frames.iter().position(is_program)
    })
}

fn is_own(process: &Process, frame: &Frame) -> bool {
    let Some(source) = frame.source.as_ref().filter(|_| frame.kind != FrameKind::Signal) else {
        return false;
    };
    // glibc's sources are named from its own root: `./nptl/pthread_kill.c`.
    let path = format!("/{}", source.file.trim_start_matches("./"));
    let directory = source.directory.as_deref().unwrap_or_default();
    let in_library = LIBRARY_SOURCES.iter().any(|part| path.contains(part));
    frame.module.is_some()
        && !is_of_library(process, frame)
        && !in_library
        && !directory.contains("/glibc")
}
