//! Who waits for whom: what the report says of locks, and each thread that waits besides.

use std::collections::HashSet;

use super::opened::Opened;
use crate::report::what_a_thread_wants;
use obit_analysis::Wanted;
use obit_redact::Origin;
use obit_session::{LocksAnswer, Wait, of_report};

/// Waits that are listed.
const MOST: usize = 10_000;

impl Opened {
    /// Findings on locks, and every thread that waits.
    pub(super) fn locks(&self) -> LocksAnswer {
        let mut answer = of_report::locks(self.report());
        let mut known: HashSet<(i64, Option<i64>)> =
            answer.waits.iter().map(|wait| (wait.thread, wait.waits_for)).collect();
        for wait in obit_analysis::waits(&self.process) {
            if answer.waits.len() >= MOST || !known.insert((wait.tid, wait.holder)) {
                continue;
            }
            let lock = what_a_thread_wants(&wait.wanted);
            answer.waits.push(Wait {
                thread: wait.tid,
                waits_for: wait.holder,
                lock: self.judged(&[], |judge| judge.redactor().show(Origin::OwnWords, &lock)),
                sure: wait.is_sure,
                exit: matches!(wait.wanted, Wanted::End(_)),
            });
        }
        answer
    }
}
