//! Which processes obit traces, as the kernel has it, and how they are released at the end.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::tasks;
use super::tracer::Tracer;
use super::wait::Change;
use crate::{Tid, ptrace};

/// How long processes that outlive the command are waited for, until they have stopped.
const LONGEST: Duration = Duration::from_secs(1);
/// How long threads in an uninterruptible wait are waited for.
const UNINTERRUPTIBLE: Duration = Duration::from_millis(100);
/// Between two looks.
const STEP: Duration = Duration::from_millis(10);

impl Tracer<'_> {
    /// The processes of the tree, the youngest first. The kernel is asked who is traced: a
    /// process may not have been seen yet, and the id of a thread that is gone may belong to
    /// another process by now. An id that is found stays what it is: none is reaped meanwhile.
    pub(super) fn processes(&mut self) -> Vec<Tid> {
        let mut found = if self.is_traced() {
            self.forget_tasks_of_others();
            tasks::processes_traced_by(self.own())
        } else {
            self.seen()
        };
        found.sort_unstable_by(|one, other| other.cmp(one));
        found
    }

    /// Detaches from all that still run: after this, no one answers their stops.
    pub(super) fn let_go(&mut self) {
        if !self.is_traced() {
            return;
        }
        let begun = Instant::now();
        let mut asked = HashSet::new();
        while begun.elapsed() < LONGEST {
            self.release_all();
            match self.next_change() {
                // ECHILD: there is none.
                Err(_) => return,
                Ok(Some((tid, Change::Stopped { signal, event }))) => {
                    if event == 0 && tasks::dumps_core(signal) {
                        self.on_change(tid, Change::Stopped { signal, event });
                        continue;
                    }
                    // It may have been killed meanwhile.
                    let _ = ptrace::detach(tid, if event == 0 { signal } else { 0 });
                }
                Ok(Some((tid, change))) => self.on_change(tid, change),
                Ok(None) => {
                    let left: Vec<Tid> = tasks::processes_traced_by(self.own())
                        .into_iter()
                        .flat_map(tasks::threads_of)
                        .filter(|tid| !matches!(tasks::state(*tid), None | Some('Z' | 'X')))
                        .collect();
                    for tid in &left {
                        if asked.insert(*tid) {
                            let _ = ptrace::interrupt(*tid);
                        }
                    }
                    let waits = |tid: &Tid| tasks::state(*tid) == Some('D');
                    if begun.elapsed() > UNINTERRUPTIBLE && left.iter().all(waits)
                        || left.is_empty()
                    {
                        return;
                    }
                    self.await_child(STEP);
                }
            }
        }
    }
}
