//! Why a run ended early: its exit code, and its message.

use std::fmt::Display;

use obit::triage::store::{StoreError, StoreTrouble};

use super::exit::Exit;
use super::message::say;
use super::store_advice::advice;

/// Why a run ended early.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// `None` where the user asked for the end: `obit … | head`.
    pub(super) message: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, problem: &dyn Display) -> Self {
        Self { exit, message: Some(problem.to_string()) }
    }

    /// The reader of the output went away.
    pub(crate) fn broken_pipe() -> Self {
        Self { exit: Exit::BrokenPipe, message: None }
    }

    /// The command line cannot be followed.
    pub(crate) fn usage(problem: &dyn Display) -> Self {
        Self::new(Exit::Usage, problem)
    }

    /// There is no thread `tid`, but those of `tids`.
    pub(crate) fn no_thread(tid: i64, tids: impl Iterator<Item = i64>) -> Self {
        const MOST: usize = 8;
        let known: Vec<_> = tids.take(MOST + 1).map(|tid| tid.to_string()).collect();
        let more = if known.len() > MOST { ", \u{2026}" } else { "" };
        let known = known.get(..MOST).unwrap_or(&known).join(", ");
        Self::usage(&format!("no thread {tid} in this core; it has {known}{more}"))
    }

    pub(crate) fn say(&self) {
        if let Some(message) = &self.message {
            say(message);
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match error.trouble() {
            StoreTrouble::Unusable => Exit::Unusable,
            StoreTrouble::NotWritten => Exit::Output,
            StoreTrouble::Asked => Exit::Usage,
        };
        Self::new(exit, &format_args!("{error}{}", advice(&error)))
    }
}
