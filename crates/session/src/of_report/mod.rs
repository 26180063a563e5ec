//! Answers that the report has: nothing is found out here.

mod compare;
mod lists;
mod stack;
mod why;

pub use compare::compare;
pub use lists::{locks, modules, overview, registers, source, sources};
pub use stack::{groups, stack};
pub use why::why;

use obit_redact::Shown;
use obit_report::{Confidence, Report};

/// As documents have it.
fn confidence(confidence: Confidence) -> String {
    match confidence {
        Confidence::Guess => "guess",
        Confidence::Likely => "likely",
        Confidence::Proved => "proved",
    }
    .to_owned()
}

/// What is missing from a report, in a sentence each, at most so many.
fn missing(report: &Report, most: usize) -> Vec<Shown> {
    let notices = report.notices.iter().filter(|notice| notice.code.is_incompleteness());
    let mut texts: Vec<Shown> = notices.map(|notice| notice.text.clone()).collect();
    let left_out = texts.len().saturating_sub(most);
    if left_out > 0 {
        texts.truncate(most);
        texts.push(Shown::from_report(format!("{left_out} more notices: see the report")));
    }
    texts
}

/// The place of the frame to blame: thread and frame.
fn blame_place(report: &Report) -> Option<(i64, u64)> {
    let blame = report.cause.as_ref()?.blame.as_ref()?;
    let crashed = report.crashed_thread().map(|thread| thread.tid);
    Some((blame.thread.or(crashed)?, blame.frame?))
}

/// The end of a text that is longer than `most` characters is left out.
fn cut(text: &Shown, most: usize) -> Shown {
    match text.as_str().char_indices().nth(most) {
        None => text.clone(),
        Some((at, _)) => {
            let start = text.as_str().get(..at).unwrap_or_default();
            Shown::from_report(format!("{start}\u{2026}"))
        }
    }
}
