//! The cores that wait to be analysed: at most two at once, while the command runs on.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, Scope};

use obit::capture::Crash;

use super::analyst::{Analyst, Analyzed};

/// The command needs the machine, too.
const AT_ONCE: usize = 2;

/// Which crashes wait, and what was found of others.
pub(super) struct Analyses<'a> {
    analyst: &'a Analyst<'a>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Crash>,
    workers: usize,
    done: Vec<Analyzed>,
}

impl<'a> Analyses<'a> {
    pub(super) fn new(analyst: &'a Analyst<'a>) -> Self {
        Self { analyst, state: Mutex::default() }
    }

    /// Analyses this crash when its turn comes. The first thread starts with the first crash,
    /// when the command has been forked.
    pub(super) fn add<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, crash: Crash) {
        let mut state = self.state();
        state.waiting.push_back(crash);
        if state.workers < AT_ONCE {
            let started = Builder::new().spawn_scoped(scope, || self.work());
            // Else (RLIMIT_NPROC, pids.max) it waits for a thread that runs, or for the end.
            state.workers += usize::from(started.is_ok());
        }
    }

    /// What was found, in the order in which it was. What no thread could be started for is
    /// analysed here.
    pub(super) fn finish(self) -> Vec<Analyzed> {
        self.state().workers += 1;
        self.work();
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).done
    }

    fn work(&self) {
        while let Some(crash) = self.next() {
            let analyzed = self.analyst.analyse(crash);
            self.state().done.push(analyzed);
        }
    }

    fn next(&self) -> Option<Crash> {
        let mut state = self.state();
        let next = state.waiting.pop_front();
        if next.is_none() {
            state.workers -= 1;
        }
        next
    }

    /// A thread that panicked was between two changes of the state.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
