//! What a shell knows between two commands.

use std::io::{self, Write};

use super::commands::{self, Command};
use super::values::LastExamined;
use super::words::{Found, Words, find};
use crate::session::{Answer, Evaluated, Place, Problem, Question};
use obit_render::{PageOptions, visible};
use obit_report::answer::{Answer as Value, Printed};
use obit_report::{FrameReport, Report, ThreadReport, Variable};

/// Bytes of a line.
const LONGEST: usize = 16 << 10;

/// The crash that is looked at.
pub trait Crash {
    /// Answers a question.
    ///
    /// # Errors
    /// There is no answer; why.
    fn ask(&mut self, question: &Question) -> Result<Answer, Problem>;

    /// Whether the user has interrupted what is under way.
    fn is_interrupted(&self) -> bool;
}

/// Why a command has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// In words.
    #[error("{0}")]
    Said(String),
    /// The answer could not be written.
    #[error(transparent)]
    Output(#[from] io::Error),
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        let text = problem.text.into_string();
        // The byte is one of the question, which is not the line as it was typed.
        let syntax = text.strip_prefix("syntax error at byte ");
        let what = syntax.and_then(|rest| rest.split_once(": ")).map(|(_, what)| what);
        Self::Said(match what {
            Some(what) => format!("syntax error: {what}"),
            None => text,
        })
    }
}

/// What a command comes to.
pub(super) type Done = Result<(), Trouble>;

pub(super) fn refuse<T>(why: impl Into<String>) -> Result<T, Trouble> {
    Err(Trouble::Said(why.into()))
}

/// Whether there is a next command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// There may be.
    On,
    /// The user wants to leave.
    Leave,
}

/// A prompt on one crash.
pub struct Shell {
    crash: Box<dyn Crash>,
    pub(super) report: Report,
    /// Place of the chosen thread in the report, and of its frame in the thread.
    pub(super) thread: usize,
    pub(super) frame: usize,
    /// The last command, which an empty line repeats.
    last: Option<String>,
    pub(super) examined: LastExamined,
    /// First and last line that were listed last.
    pub(super) listed: Option<(u32, u32)>,
    pub(super) page: PageOptions,
    /// The user wants no pager.
    pub(super) is_unpaged: bool,
    /// Commands that run each other.
    depth: usize,
}

impl std::fmt::Debug for Shell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shell").field("thread", &self.thread).field("frame", &self.frame).finish()
    }
}

impl Shell {
    /// A prompt on `crash`, in the innermost frame of the thread that crashed.
    ///
    /// # Errors
    /// The report cannot be made; why.
    pub fn new(mut crash: Box<dyn Crash>) -> Result<Self, Trouble> {
        let report = match crash.ask(&Question::Report)? {
            Answer::Report(report) => *report,
            _ => return refuse("no report"),
        };
        let thread = report.threads.iter().position(|thread| thread.crashed).unwrap_or(0);
        Ok(Self {
            crash,
            report,
            thread,
            frame: 0,
            last: None,
            examined: LastExamined::default(),
            listed: None,
            page: PageOptions::default(),
            is_unpaged: false,
            depth: 0,
        })
    }

    /// Why the process crashed, and the chosen frame: what a user sees first.
    ///
    /// # Errors
    /// It could not be written.
    pub fn greet(&mut self, out: &mut dyn Write) -> Result<(), Trouble> {
        super::own::summary(self, out)?;
        super::stack::show(self, out)
    }

    /// How the next answers are laid out.
    pub fn lay_out(&mut self, page: PageOptions) {
        self.page = page;
    }

    /// Whether answers may go through a pager.
    pub fn is_paged(&self) -> bool {
        !self.is_unpaged
    }

    /// Does what a line says, and writes the answer to `out`. An empty line repeats the last
    /// one, as far as that command can be repeated.
    ///
    /// # Errors
    /// It has no answer, or the answer could not be written.
    pub fn run(&mut self, line: &str, out: &mut dyn Write) -> Result<Flow, Trouble> {
        if line.len() > LONGEST {
            return refuse(format!("a command has at most {LONGEST} bytes"));
        }
        let line = line.trim();
        if line.starts_with('#') {
            return Ok(Flow::On);
        }
        let repeated = line.is_empty();
        let line = match (repeated, self.last.take()) {
            (true, None) => return Ok(Flow::On),
            (true, Some(last)) => last,
            (false, _) => line.to_owned(),
        };
        let words = Words::of(&line);
        let command = match find(words.command)? {
            Found::Command(command) => command,
            Found::Refused(why) => return refuse(format!("{}: {why}", words.command)),
        };
        if command.name == "quit" {
            return Ok(Flow::Leave);
        }
        self.last = match command.repeated {
            commands::Repeated::Not => None,
            commands::Repeated::Same => Some(line.clone()),
            commands::Repeated::GoesOn => Some(command.name.to_owned()),
        };
        self.perform(command, &words, out)?;
        Ok(Flow::On)
    }

    /// Performs a command, which may perform others.
    pub(super) fn perform(
        &mut self,
        command: &Command,
        words: &Words<'_>,
        out: &mut dyn Write,
    ) -> Done {
        /// `thread apply all frame apply all p x`.
        const DEEPEST: usize = 4;
        if self.depth >= DEEPEST {
            return refuse("commands within commands are nested too deep");
        }
        self.depth += 1;
        let done = (command.run)(self, words, out);
        self.depth -= 1;
        done
    }

    /// A command within another one.
    pub(super) fn within(&mut self, line: &str, out: &mut dyn Write) -> Done {
        let words = Words::of(line);
        match find(words.command)? {
            Found::Command(command) => self.perform(command, &words, out),
            Found::Refused(why) => refuse(format!("{}: {why}", words.command)),
        }
    }

    /// The answer to a question.
    pub(super) fn ask(&mut self, question: &Question) -> Result<Answer, Trouble> {
        if self.crash.is_interrupted() {
            return refuse("interrupted");
        }
        match self.crash.ask(question) {
            Err(_) if self.crash.is_interrupted() => refuse("interrupted"),
            answer => Ok(answer?),
        }
    }

    /// What an expression, or a command of `obit print`, comes to in the chosen frame.
    pub(super) fn evaluate(&mut self, text: &str) -> Result<Vec<Printed>, Trouble> {
        let question = Question::Evaluate { at: self.place(), text: text.to_owned() };
        match self.ask(&question)? {
            Answer::Evaluated(all) => Ok(all.into_iter().map(Evaluated::into).collect()),
            _ => refuse("no answer"),
        }
    }

    /// The variables that such a command comes to.
    pub(super) fn variables(&mut self, text: &str) -> Result<Vec<Variable>, Trouble> {
        let found = self.evaluate(text)?.into_iter();
        Ok(found
            .filter_map(|one| match one.answer {
                Value::Value(variable) => Some(variable),
                _ => None,
            })
            .collect())
    }

    pub(super) fn chosen_thread(&self) -> Option<&ThreadReport> {
        self.report.threads.get(self.thread)
    }

    pub(super) fn chosen_frame(&self) -> Option<&FrameReport> {
        self.chosen_thread()?.frames.get(self.frame)
    }

    /// The chosen frame, for a question.
    pub(super) fn place(&self) -> Place {
        Place {
            thread: self.chosen_thread().map(|thread| thread.tid),
            frame: Some(self.chosen_frame().map_or(0, |frame| frame.index)),
        }
    }

    /// Chooses a frame of a thread by their places.
    pub(super) fn choose(&mut self, thread: usize, frame: usize) {
        (self.thread, self.frame) = (thread, frame);
        self.listed = None;
    }
}

/// A line of the answer, with nothing that a terminal obeys.
pub(super) fn say(out: &mut dyn Write, text: &str) -> Done {
    writeln!(out, "{}", visible(text))?;
    Ok(())
}
