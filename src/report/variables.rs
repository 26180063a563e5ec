//! The variables that a report shows, read before any of it is written: a register or a message
//! may have a copy of a key that a variable holds.

use std::collections::HashMap;

use super::key_objects::{Search, learn_stacks};
use super::values::{Whose, file_of};
use super::{BuildOptions, WhoseLocals};
use obit_process::process::Process;
use obit_process::value::{Budget, Value, tree};
use obit_redact::{Level, Redactor};

/// What variables hold, by thread and frame.
#[derive(Default)]
pub(super) struct Variables {
    values: HashMap<(usize, usize), Vec<Read>>,
    /// Variables, members and elements that may still be read.
    left: usize,
    /// Whether there were more.
    pub(super) is_cut: bool,
}

/// One that was read.
pub(super) struct Read {
    pub(super) is_argument: bool,
    pub(super) value: Value,
}

impl Variables {
    /// Reads those of `threads`, `most` with their parts but for the crashed thread's, and makes
    /// the keys among them known to `redactor`.
    pub(super) fn read(
        process: &Process,
        options: &BuildOptions,
        threads: &[usize],
        most: usize,
        redactor: &mut Redactor,
    ) -> Self {
        let mut variables = Self { left: most, ..Self::default() };
        if redactor.level() != Level::Off {
            learn_stacks(process, redactor);
        }
        let budget = Budget::default().with(options.max_depth, options.max_elements);
        for &at in threads {
            let Some(thread) = process.threads.get(at) else { continue };
            let is_wanted = match options.locals {
                WhoseLocals::None => false,
                WhoseLocals::Crashed => thread.crashed,
                WhoseLocals::All => true,
            };
            let frames = options.variable_frames.unwrap_or(usize::MAX).min(thread.frames.len());
            for frame in (0..frames).filter(|_| is_wanted) {
                if variables.left == 0 && !thread.crashed {
                    variables.is_cut = true;
                    break;
                }
                variables.read_frame(process, (at, frame), thread.crashed, &budget, redactor);
            }
        }
        variables
    }

    fn read_frame(
        &mut self,
        process: &Process,
        (thread, frame): (usize, usize),
        is_crashed: bool,
        budget: &Budget,
        redactor: &mut Redactor,
    ) {
        let Some(view) = process.frame_view(thread, frame) else { return };
        let memory = &process.memory;
        let file = file_of(process, view.frame());
        let whose = Whose::of(process, view.frame(), file.as_deref());
        let mut values = Vec::new();
        for (variable, object) in view.variables() {
            if self.left == 0 && !is_crashed {
                self.is_cut = true;
                break;
            }
            let value = match object {
                Some(object) => tree(&object, variable.name.clone(), view.scene(), budget),
                None => Value::without_type(variable.name.clone()),
            };
            self.left = self.left.saturating_sub(value.count());
            if redactor.level() != Level::Off {
                Search { whose, memory, redactor }.run(&value, &mut |_| ());
            }
            values.push(Read { is_argument: variable.is_argument, value });
        }
        if !values.is_empty() {
            // Most frames have few: what a list that grows has left over is more than that.
            values.shrink_to_fit();
            self.values.insert((thread, frame), values);
        }
    }

    /// Those of frame number `frame` of thread number `thread`.
    pub(super) fn take(&mut self, thread: usize, frame: usize) -> Vec<Read> {
        self.values.remove(&(thread, frame)).unwrap_or_default()
    }
}
