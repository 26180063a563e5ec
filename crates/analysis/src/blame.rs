//! The frame to look at first: the innermost application frame. Libraries and language
//! runtimes pass on what they were given; start-up code is never to blame.

use super::owner::{is_foreign, is_third_party};
use obit_process::process::{Frame, FrameKind, FrameTrust, Process};

/// Its index among the frames of the crashed thread; those before frame `from` have their
/// own story.
pub(super) fn blame(process: &Process, from: usize) -> Option<usize> {
    application_frame(process, process.crashed()?.frames.get(from..)?)?.checked_add(from)
}

/// The index of the innermost of `frames` that is the application's; where none is, that of
/// a library that others made for it.
pub(super) fn application_frame(process: &Process, frames: &[Frame]) -> Option<usize> {
    let is_certain = |frame: &&Frame| frame.trust != FrameTrust::Scan;
    let own = |frame: &Frame| is_own(process, frame);
    let found = frames.iter().take_while(is_certain).position(own);
    // Without lines the module is all there is to go by.
    let found = found.or_else(|| {
        let is_program = |frame: &Frame| {
            frame.kind != FrameKind::Signal
                && frame.module.is_some()
                && frame.module == process.modules.executable()
                && !is_foreign(process, frame)
        };
        frames.iter().position(is_program)
    });
    let of_others = |frame: &Frame| {
        frame.source.is_some() && frame.kind != FrameKind::Signal && is_third_party(process, frame)
    };
    found.or_else(|| frames.iter().take_while(is_certain).position(of_others))
}

/// The frame of the program's own code to name for what frame `made` did: itself, or where it
/// is a library's, whom the library handed it to (a callback, up to frame `failed`), else
/// for whom it did so. Start-up code has no caller that it did so for: if the way back to it is not
/// `is_certain`, it led past the frame that made the value.
pub(super) fn own_about(
    process: &Process,
    made: usize,
    failed: usize,
    is_certain: bool,
) -> Option<usize> {
    let frames = &process.crashed()?.frames;
    let own = |index: &usize| frames.get(*index).is_some_and(|frame| is_own(process, frame));
    if own(&made) {
        return Some(made);
    }
    let outward = own_from(process, made);
    if outward.is_none() && !is_certain {
        return None;
    }
    (failed..made).rev().find(own).or(outward)
}

/// The first frame of the program's own code from frame `from` outward: what a library did
/// for it counts as its doing.
pub(super) fn own_from(process: &Process, from: usize) -> Option<usize> {
    let frames = process.crashed()?.frames.get(from..)?;
    let found = frames.iter().position(|frame| is_own(process, frame))?;
    from.checked_add(found)
}

pub(super) fn is_own(process: &Process, frame: &Frame) -> bool {
    frame.source.is_some()
        && frame.kind != FrameKind::Signal
        && frame.module.is_some()
        && !is_foreign(process, frame)
}
