//! Frames of a stack that a reader is spared: the inner part of long runs of system frames.

use std::ops::Range;

use super::chain::Origins;
use obit_ownership::Owner;
use obit_report::{FrameKind, FrameReport, FrameTrust, ThreadReport};

/// Fewer frames than these take less room than a line that stands for them is worth.
const FEWEST: usize = 4;

/// Some frames in a row that are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fold {
    /// Their places in the list.
    pub(super) frames: Range<usize>,
    /// `14 runtime frames`.
    pub(super) title: String,
}

/// The folds of the stack of `thread`. Of a run of system frames the first (what failed, or what the next
/// frames called) and the last (what the application called) are kept, and the frame with
/// index `kept`. A stack without application frames is shown whole, and one that the report has only the
/// ends of.
pub(super) fn folds(thread: &ThreadReport, kept: Option<u64>, origins: &Origins<'_>) -> Vec<Fold> {
    let frames = &thread.frames;
    let is_program = |frame: &FrameReport| origins.is_program(frame);
    if thread.truncated.is_some() || !frames.iter().any(is_program) {
        return Vec::new();
    }
    let is_folded = |frame: &FrameReport| {
        frame.kind != FrameKind::Signal
            && frame.trust != FrameTrust::Scan
            && Some(frame.index) != kept
            && frame.tail_calls.is_empty()
            && !is_program(frame)
    };
    let mut folds = Vec::new();
    let mut start = 0;
    for run in frames.chunk_by(|one, next| is_folded(one) && is_folded(next)) {
        let end = start + run.len();
        let inner = start + 1..end.saturating_sub(1);
        if inner.len() >= FEWEST {
            let owners = frames.get(inner.clone()).unwrap_or_default().iter();
            let is_runtime = |owner| matches!(owner, Owner::LanguageRuntime | Owner::CrashHandler);
            let all_runtime = owners.map(|frame| origins.owner(frame)).all(is_runtime);
            let kind = if all_runtime { "runtime" } else { "system" };
            let title = format!("{} {kind} frames", inner.len());
            folds.push(Fold { frames: inner, title });
        }
        start = end;
    }
    folds
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at, inside};
    use super::*;
    use obit_report::Report;

    const LIBC: &str = "/usr/lib/libc.so.6";

    fn stack() -> Vec<FrameReport> {
        let system = ["raise", "abort", "a", "b", "c", "assert"];
        let mut frames: Vec<_> = system.iter().map(|name| inside(name, LIBC, 1)).collect();
        frames.push(at("check", "t.c", 5));
        frames.extend(["d", "e", "start"].iter().map(|name| inside(name, LIBC, 2)));
        frames.iter_mut().zip(0..).for_each(|(frame, index)| frame.index = index);
        frames
    }

    fn found(frames: &[FrameReport], kept: Option<u64>) -> Vec<(Range<usize>, String)> {
        let report = Report::default();
        let thread = ThreadReport { frames: frames.to_vec(), ..ThreadReport::default() };
        let folds = folds(&thread, kept, &Origins::of(&report)).into_iter();
        folds.map(|fold| (fold.frames, fold.title)).collect()
    }

    #[test]
    fn the_inside_of_a_long_run_of_system_frames_is_folded() {
        assert_eq!(found(&stack(), None), [(1..5, "4 system frames".to_owned())]);
    }

    #[test]
    fn the_frame_to_look_at_is_never_folded() {
        assert_eq!(found(&stack(), Some(3)), []);
    }

    #[test]
    fn a_stack_without_application_frames_is_shown_whole() {
        assert_eq!(found(&stack()[..6], None), []);
    }
}
