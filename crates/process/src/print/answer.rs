//! Answers to the commands of `obit print` in a frame: values, memory, types.

use std::sync::Arc;

use super::PrintError;
use super::ast::{BaseName, ExprKind};
use super::declaration::declaration;
use super::eval::Evaluator;
use super::examine::{Examined, Subject};
use super::operand::{Operand, Stop, Ty};
use super::parser::{parse, parse_type};
use super::request::{Command, request};
use crate::process::{FrameView, Process};
use crate::value::{Absence, Budget, State, Value};
use obit_corefile::addr::Avma;

/// What was asked for.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Values: one of an expression, any number of variables.
    Values(Vec<Value>),
    /// Memory.
    Memory(Examined),
    /// A type, line by line: its definition or its name.
    Type(Vec<String>),
    /// Another command of obit has the answer.
    Elsewhere(&'static str),
}

/// Answers `text` in the frame of `view`: the value of an expression, or what a command of
/// gdb asks for (`p/x EXPR`, `x/4gx EXPR`, `ptype EXPR`, `info locals`).
///
/// # Errors
/// The text is not an expression, or makes no sense in this frame.
pub fn answer<'p>(
    process: &'p Process,
    view: &FrameView<'p>,
    text: &str,
    budget: &Budget,
) -> Result<Answer, PrintError> {
    let plain = Evaluator::new(process, view, budget.max_elements);
    let asked = request(text, &|name| plain.is_variable(name))?;
    let operand = text.get(asked.start..).unwrap_or_default();
    let moved = |error: PrintError| error.moved(asked.start);
    Ok(match asked.command {
        Command::Print(format) => {
            let evaluator = Evaluator { format, ..plain };
            Answer::Values(vec![evaluator.printed(operand, budget).map_err(moved)?])
        }
        Command::Examine(how) => match plain.start_of(operand).map_err(moved)? {
            Ok(start) => Answer::Memory(plain.examine(how, start, budget.max_text)),
            Err(why) => Answer::Values(vec![absent(text, why)]),
        },
        Command::Ptype => {
            let ty = plain.type_in(operand).map_err(moved)?;
            Answer::Type(declaration(&ty, view.scene()))
        }
        Command::Whatis => Answer::Type(vec![plain.name_in(operand).map_err(moved)?]),
        Command::Locals => Answer::Values(plain.variables(false, budget)),
        Command::Arguments => Answer::Values(plain.variables(true, budget)),
        Command::Elsewhere(command) => Answer::Elsewhere(command),
    })
}

impl<'v, 'p: 'v> Evaluator<'v, 'p> {
    /// The value of an expression; one that cannot be known says why.
    pub(super) fn printed(&self, text: &str, budget: &Budget) -> Result<Value, PrintError> {
        let expression = parse(text, &|path| self.is_type(path))?;
        let name = Arc::from(text.trim());
        match self.eval(&expression) {
            Ok(operand) => Ok(self.value(&operand, name, budget)),
            Err(Stop::Absent(why)) => Ok(absent(text, why)),
            Err(stop) => Err(PrintError::of(stop, &expression)),
        }
    }

    /// The address that an expression gives, or why that is not known.
    fn start_of(&self, text: &str) -> Result<Result<(Avma, Subject), Absence>, PrintError> {
        let expression = parse(text, &|path| self.is_type(path))?;
        let start = self.eval(&expression).and_then(|operand| self.start(&operand));
        match start {
            Ok(at) => Ok(Ok(at)),
            Err(Stop::Absent(why)) => Ok(Err(why)),
            Err(stop) => Err(PrintError::of(stop, &expression)),
        }
    }

    /// The type that is written, or that of an expression.
    fn type_in(&self, text: &str) -> Result<Ty<'v>, PrintError> {
        let expression = match parse(text, &|path| self.is_type(path)) {
            Ok(expression) => expression,
            Err(error) => {
                return match parse_type(text, &|path| self.is_type(path)) {
                    Ok(ty) => self.written_type(&ty).map_err(|stop| PrintError::whole(stop, text)),
                    Err(of_type) if starts_a_type(text) => Err(of_type.into()),
                    Err(_) => Err(error.into()),
                };
            }
        };
        let found = self.type_of_either(&expression);
        found.map_err(|stop| PrintError::of(stop, &expression))
    }

    /// The name of such a type. If the operand names a typedef, one level of it is resolved.
    fn name_in(&self, text: &str) -> Result<String, PrintError> {
        let ty = self.type_in(text)?;
        let is_name = parse(text, &|path| self.is_type(path)).is_ok_and(|expression| {
            matches!(&expression.kind, ExprKind::Name(_))
                && matches!(
                    self.eval(&expression),
                    Err(Stop::Wrong { .. }) | Ok(Operand::Function { .. })
                )
        });
        let shown = if is_name { self.without_typedef(&ty) } else { ty };
        Ok(shown.name(self.scene).to_string())
    }
}

/// The value of `text` if it has none: the reason why.
fn absent(text: &str, why: Absence) -> Value {
    Value { name: Some(text.trim().into()), state: State::Absent(why), ..Value::default() }
}

/// Whether the text begins with a word that cannot start an expression.
fn starts_a_type(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    matches!(first, "struct" | "class" | "union" | "enum" | "const" | "volatile")
        || BaseName::is_word(first)
}

/// The number of the innermost of the thread's frames that has a variable called `name`, in
/// [`crate::process::Thread::frames`].
pub fn frame_with(process: &Process, thread: usize, name: &str) -> Option<usize> {
    let count = process.threads.get(thread)?.frames.len();
    (0..count.min(MOST_FRAMES)).find(|frame| {
        let view = process.frame_view(thread, *frame);
        view.is_some_and(|view| view.names().iter().any(|known| **known == *name))
    })
}

/// Frames that are searched for a name.
const MOST_FRAMES: usize = 400;
