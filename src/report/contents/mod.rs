//! What `obit memory` answers, in words and redacted.

mod in_flight;
mod timeline;
mod unwritten;

use super::answer::Contents;
use super::{BuildOptions, Judge};
use crate::logs::LogFile;
use obit_process::process::Process;

/// The version of this document.
const SCHEMA: &str = "obit.memory/1";

/// How much of what is found is written.
#[derive(Clone, Copy, Debug)]
pub struct ContentsLimits {
    /// Lines of one writer: the last.
    pub lines: usize,
    /// Lines of all logs: the last.
    pub log_lines: usize,
}

impl Default for ContentsLimits {
    fn default() -> Self {
        Self { lines: 1000, log_lines: 200 }
    }
}

/// What the process was about to write and to answer, and the lines of `logs` around the crash.
pub fn contents(
    process: &Process,
    options: &BuildOptions,
    logs: &[LogFile],
    limits: ContentsLimits,
) -> Contents {
    let mut judge = Judge::new(process, &[], options);
    if let Some(crashed) = process.threads.iter().position(|thread| thread.crashed) {
        judge.learn(crashed);
    }
    let redactor = judge.redactor();
    let unwritten = unwritten::output(process, redactor, limits);
    let (requests, is_cut) = obit_output::in_flight::in_flight(process);
    let (in_flight, in_flight_notes) = in_flight::documents(process, &requests, is_cut, redactor);
    let (timeline, log_notes) =
        timeline::timeline(process, logs, &requests, &unwritten, redactor, limits);
    Contents {
        schema: SCHEMA.to_owned(),
        id: super::id::crash_id(&process.dump),
        policy: redactor.level().word().to_owned(),
        unwritten,
        in_flight,
        in_flight_notes,
        timeline,
        log_notes,
    }
}
