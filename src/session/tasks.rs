//! Tasks that are no threads of the kernel.

use super::opened::Opened;
use crate::report::{TasksWanted, tasks_of};
use obit_report::answer::TasksReport;

impl Opened {
    /// The tasks that `wanted` selects. What the crashed thread's variables give away is hidden in
    /// them, too.
    pub(super) fn tasks(&self, wanted: &TasksWanted) -> TasksReport {
        let crashed = self.process.threads.iter().position(|thread| thread.crashed);
        let crashed: Vec<usize> = crashed.into_iter().collect();
        self.judged(&crashed, |judge| tasks_of(&self.process, wanted, judge.redactor()))
    }
}
