//! What is recorded, and how much of it.

use std::collections::BTreeMap;

use super::directory::{CrashDirectory, DirectoryError};
use super::tasks;
use super::{Crash, Event, Trigger};
use crate::{Held, Limits, Tid, WriteError, Written, write_core};

/// Different programs whose crashes are counted beyond the limit; the rest is one number.
const MOST_COUNTED: usize = 100;

/// Why there is no core of a crash.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoCore {
    /// It could not be written.
    #[error("{0}")]
    Write(#[from] WriteError),
    /// There is no place for it.
    #[error("{0}")]
    Directory(#[from] DirectoryError),
    /// Nothing can stop it.
    #[error("none of its threads could be stopped (they wait in the kernel)")]
    Unstoppable,
    /// The kernel ended it without asking the tracer, as seccomp does.
    #[error("the kernel killed it at once, as a seccomp filter does")]
    AtOnce,
}

/// Writes cores until there are enough.
pub(super) struct Recorder<'a> {
    directory: &'a CrashDirectory,
    most: usize,
    attempts: usize,
    excess: BTreeMap<(String, Trigger), usize>,
    report: &'a mut dyn FnMut(Event),
}

impl<'a> Recorder<'a> {
    pub(super) fn new(
        directory: &'a CrashDirectory,
        most: usize,
        report: &'a mut dyn FnMut(Event),
    ) -> Self {
        Self { directory, most, attempts: 0, excess: BTreeMap::new(), report }
    }

    pub(super) fn is_full(&self) -> bool {
        self.attempts >= self.most
    }

    /// Counts a crash that is not recorded, since enough were.
    pub(super) fn count(&mut self, process: Tid, trigger: Trigger) {
        let mut key = (tasks::program_of(process), trigger);
        if self.excess.len() >= MOST_COUNTED && !self.excess.contains_key(&key) {
            key.0 = "other programs".to_owned();
        }
        let count = self.excess.entry(key).or_default();
        *count = count.saturating_add(1);
    }

    /// Writes a core, and says where it is or why there is none.
    pub(super) fn record(&mut self, held: &Held, trigger: Trigger) {
        self.attempts += 1;
        let program = tasks::program_of(held.with_memory());
        match self.write(held, &program, trigger) {
            Ok(crash) => (self.report)(Event::Recorded(crash)),
            Err(why) => self.say(Some(program), held.process, trigger, why),
        }
    }

    /// Says that there is no core, or counts that if enough were recorded.
    pub(super) fn fail(&mut self, process: Tid, trigger: Trigger, why: NoCore) {
        if self.is_full() {
            return self.count(process, trigger);
        }
        self.attempts += 1;
        let program = tasks::process_of(process).map(tasks::program_of);
        self.say(program, process, trigger, why);
    }

    /// Passes on what happened besides.
    pub(super) fn event(&mut self, event: Event) {
        (self.report)(event);
    }

    /// What was counted.
    pub(super) fn into_excess(self) -> Vec<(String, Trigger, usize)> {
        let counted = self.excess.into_iter();
        counted.map(|((program, trigger), count)| (program, trigger, count)).collect()
    }

    fn say(&mut self, program: Option<String>, process: Tid, trigger: Trigger, why: NoCore) {
        (self.report)(Event::Unrecorded { program, process, trigger, why });
    }

    fn write(&self, held: &Held, program: &str, trigger: Trigger) -> Result<Crash, NoCore> {
        let process = held.process;
        let limits = Limits { bytes: self.directory.room()? };
        let name = format!("{program}-{}", held.process);
        let (file, core) = self.directory.create(&name, "core")?;
        let executable = tasks::executable_of(held.with_memory());
        let written: Result<Written, _> = write_core(held, &file, limits);
        match written {
            Ok(written) => {
                self.directory.add_used(written.bytes);
                let program = program.to_owned();
                Ok(Crash { program, process, trigger, core, executable, written })
            }
            Err(error) => {
                // What is left is an empty or partial file with an honest name.
                let _ = self.directory.remove(&core);
                Err(error.into())
            }
        }
    }
}
