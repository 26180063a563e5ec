//! Answers of `obit print`, redacted as a report is.

use std::collections::BTreeSet;

use super::answer::{Answer, Printed, TypeText};
use super::key_objects::{MOST_VALUES, Search, learn_stacks};
use super::memory_dump::Dumper;
use super::values::{self, Whose};
use super::{BuildOptions, Variable, findings};
use obit_analysis::CauseClass;
use obit_corefile::addr::{Avma, AvmaRange};
use obit_process::print;
use obit_process::process::Process;
use obit_process::value::{Budget, tree};
use obit_redact::{Level, Origin, Redactor, Shown};

/// What was asked, where, and what was found.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The words of the question.
    pub text: String,
    /// Place of the thread in [`Process::threads`].
    pub thread: usize,
    /// Place of the frame in the thread's frames.
    pub frame: usize,
    /// Its number for people.
    pub frame_number: u64,
    /// What was found.
    pub answer: print::Answer,
}

/// Remembers the keys in the variables of a thread: an expression may show a copy of one.
fn learn(process: &Process, thread: usize, redactor: &mut Redactor) {
    if redactor.level() == Level::Off {
        return;
    }
    let frames = process.threads.get(thread).map_or(0, |thread| thread.frames.len());
    learn_stacks(process, redactor);
    let budget = Budget::default();
    let mut left = MOST_VALUES;
    for view in (0..frames).filter_map(|frame| process.frame_view(thread, frame)) {
        let file = values::file_of(process, view.frame());
        let whose = Whose::of(process, view.frame(), file.as_deref());
        for (variable, object) in view.variables() {
            let Some(object) = object else { continue };
            if left == 0 {
                return;
            }
            left -= 1;
            let value = tree(&object, variable.name.clone(), view.scene(), &budget);
            Search { whose, memory: &process.memory, redactor }.run(&value, &mut |_| ());
        }
    }
}

/// What may leave of the answers. Those that another command has are left out.
pub fn printed(process: &Process, asked: &[Asked], options: &BuildOptions) -> Vec<Printed> {
    let mut judge = Judge::new(process, asked, options);
    asked.iter().flat_map(|asked| judge.printed(asked)).collect()
}

/// Says of answers what may leave.
pub(crate) struct Judge<'p> {
    process: &'p Process,
    redactor: Redactor,
}

impl<'p> Judge<'p> {
    /// One that knows the keys of the threads of which something is asked.
    pub(crate) fn new(process: &'p Process, asked: &[Asked], options: &BuildOptions) -> Self {
        let mut redactor = options.redactor(process);
        let threads: BTreeSet<_> = asked.iter().map(|asked| asked.thread).collect();
        threads.into_iter().for_each(|thread| learn(process, thread, &mut redactor));
        Self { process, redactor }
    }

    /// One that goes on with what `redactor` knows.
    pub(crate) fn with(process: &'p Process, redactor: Redactor) -> Self {
        Self { process, redactor }
    }

    /// Makes the keys of a thread known, place `thread` of all.
    pub(crate) fn learn(&mut self, thread: usize) {
        learn(self.process, thread, &mut self.redactor);
    }

    /// The redactor, which knows what was hidden.
    pub(crate) fn into_redactor(self) -> Redactor {
        self.redactor
    }

    /// What may leave of one answer.
    pub(crate) fn printed(&mut self, asked: &Asked) -> Vec<Printed> {
        let (process, redactor) = (self.process, &mut self.redactor);
        let thread = process.threads.get(asked.thread);
        let frame = thread.and_then(|thread| thread.frames.get(asked.frame));
        let file = frame.and_then(|frame| values::file_of(process, frame));
        let memory = Whose { memory: Some(&process.memory), ..Whose::default() };
        let whose = frame.map_or(memory, |frame| Whose::of(process, frame, file.as_deref()));
        let expression = redactor.show(Origin::OwnWords, asked.text.trim());
        let answers = match &asked.answer {
            print::Answer::Values(values) => {
                let variable = |value| {
                    let memory = &process.memory;
                    let mut search = Search { whose, memory, redactor: &mut *redactor };
                    search.run(value, &mut |_| ());
                    let shown = values::variable(value, whose, redactor);
                    let name = value.name.as_deref().unwrap_or_default();
                    let name = redactor.show(Origin::OwnWords, name);
                    Answer::Value(Variable { name, ..shown })
                };
                values.iter().map(variable).collect()
            }
            print::Answer::Memory(examined) => {
                let pc = frame.map(|frame| frame.pc);
                let mut dumper = Dumper { process, redactor: &mut *redactor, pc, whose };
                vec![Answer::Memory(dumper.dump(&asked.text, expression, examined))]
            }
            print::Answer::Type(lines) => {
                let lines = lines.iter().map(|line| redactor.show(Origin::SymbolName, line));
                vec![Answer::Type(TypeText { expression, declaration: lines.collect() })]
            }
            print::Answer::Elsewhere(_) => Vec::new(),
        };
        let tid = thread.map_or(0, |thread| thread.tid);
        let frame = asked.frame_number;
        answers.into_iter().map(|answer| Printed { thread: tid, frame, answer }).collect()
    }

    /// What an address is, as far as that is known, in words.
    pub(crate) fn address(&mut self, at: Avma) -> Option<Shown> {
        let verdict = obit_analysis::memory::verdict(self.process, at)?;
        let class = CauseClass::Signal;
        Some(findings::memory::verdict(&verdict, class, Some(at), None, &mut self.redactor).text)
    }

    /// The redactor that knows the keys.
    pub(crate) fn redactor(&mut self) -> &mut Redactor {
        &mut self.redactor
    }

    /// Whether memory has a part of what may not be shown. `is_computed`: no type says what is
    /// there, so that any text may be a part of something hidden.
    pub(crate) fn hides(&mut self, bytes: AvmaRange, is_computed: bool) -> bool {
        let (process, redactor) = (self.process, &mut self.redactor);
        Dumper { process, redactor, pc: None, whose: Whose::default() }.hides(bytes, is_computed)
    }
}
