//! The frame to look at first: the innermost one of the program's own code. Libraries and
//! language runtimes pass on what they were given.

use crate::module::ModuleKind;
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
    let frames = &process.crashed()?.frames;
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
    let Some(module) = frame.module.and_then(|index| process.modules.get(index)) else {
        return false;
    };
    let Some(source) = frame.source.as_ref().filter(|_| frame.kind != FrameKind::Signal) else {
        return false;
    };
    let file = module.path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let is_libc = ["libc.", "libc-", "ld-", "libpthread", "libstdc++", "libc++", "libgcc_s"]
        .iter()
        .any(|start| file.starts_with(start));
    let is_program = module.kind == ModuleKind::Executable || !is_libc;
    let is_runtime = frame.function.as_deref().is_some_and(|name| name.starts_with("runtime."));
    // glibc's sources are named from its own root: `./nptl/pthread_kill.c`.
    let path = format!("/{}", source.file.trim_start_matches("./"));
    let directory = source.directory.as_deref().unwrap_or_default();
    let in_library = LIBRARY_SOURCES.iter().any(|part| path.contains(part));
    is_program && !is_runtime && !in_library && !directory.contains("/glibc")
}
