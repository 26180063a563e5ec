//! Stopping a process: all its threads, however many there are by then.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::tasks;
use super::tracer::Tracer;
use super::wait::{self, Change, Whose};
use crate::{Tid, ptrace};

/// How long a process is waited for. Threads that do not stop by then are left out.
const LONGEST: Duration = Duration::from_secs(1);
/// How long a thread in an uninterruptible wait is waited for. One that waits in vfork(2)
/// stays there until its child executes a program.
const UNINTERRUPTIBLE: Duration = Duration::from_millis(100);
/// How long to wait for the next stop before the states of threads are looked at.
const STEP: Duration = Duration::from_millis(10);

impl Tracer<'_> {
    /// Stops the threads of `process`, all but `stopped`, which is stopped already. Gives
    /// each that stopped with what it stopped for, which is to be handled afterwards.
    pub(super) fn hold(&mut self, process: Tid, stopped: Option<Tid>) -> Vec<(Tid, Change)> {
        let begun = Instant::now();
        let mut held = Vec::new();
        let mut asked = BTreeSet::new();
        let mut seen: BTreeSet<Tid> = stopped.into_iter().collect();
        loop {
            // A thread may have made others before it stopped.
            for tid in tasks::threads_of(process) {
                if !seen.insert(tid) {
                } else if let Some(change) = self.take_kept(tid) {
                    held.push((tid, change));
                } else if ptrace::interrupt(tid).is_ok() {
                    asked.insert(tid);
                }
            }
            if asked.is_empty() {
                return held;
            }
            let before = asked.len();
            asked.retain(|tid| !self.has_changed(*tid, &mut held));
            if asked.len() < before {
                continue;
            }
            let waited = begun.elapsed();
            if waited > LONGEST {
                return held;
            }
            self.signals.await_child(STEP);
            asked.retain(|tid| match tasks::state(*tid) {
                // The first thread may end before the others: it is reported after them.
                None | Some('Z' | 'X') => false,
                Some('D') => waited < UNINTERRUPTIBLE,
                Some(_) => true,
            });
        }
    }

    /// Whether the thread has stopped, or is gone.
    fn has_changed(&mut self, tid: Tid, held: &mut Vec<(Tid, Change)>) -> bool {
        match wait::next_change(Whose::Task(tid)) {
            Ok(None) => false,
            Ok(Some((tid, Change::Ended(ended)))) => {
                self.on_end(tid, ended);
                true
            }
            Ok(Some((tid, change))) => {
                self.see(tid);
                held.push((tid, change));
                true
            }
            Err(_) => true,
        }
    }
}
