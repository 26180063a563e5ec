//! `obit print`: expressions over a dead process, read-only, in the spelling of C, C++,
//! Rust and Go.

mod access;
mod ast;
mod casts;
mod eval;
mod lexer;
mod literal;
mod lookup;
mod near;
mod no_frame;
mod number;
mod operand;
mod outcome;
mod parser;
mod path;
mod span;
mod syntax_error;
mod template_args;
#[cfg(test)]
mod tests;
mod type_parser;

use std::sync::Arc;

pub use ast::{BaseName, BinaryOp, Expr, ExprKind, RecordWord, TypeExpr, UnaryOp};
pub use literal::{FloatSuffix, IntegerSuffix, Literal};
pub use operand::Wrong;
pub use parser::parse;
pub use path::Path;
pub use span::Span;
pub use syntax_error::{Problem, SyntaxError, column, pointed_at};

use eval::Evaluator;
use operand::Stop;

use crate::process::{FrameView, Process};
use crate::value::{Budget, State, Value};

/// The value of the expression `text` in the frame of `view`; a value that cannot be known
/// says why.
///
/// # Errors
/// The text is no expression, or makes no sense in this frame.
pub fn evaluate<'p>(
    process: &'p Process,
    view: &FrameView<'p>,
    text: &str,
    budget: &Budget,
) -> Result<Value, PrintError> {
    let evaluator = Evaluator::new(process, view, budget.max_elements);
    let expression = parse(text, &|path| evaluator.is_type(path))?;
    let name = Arc::from(text.trim());
    match evaluator.eval(&expression) {
        Ok(operand) => Ok(evaluator.value(&operand, name, budget)),
        Err(Stop::Absent(why)) => {
            Ok(Value { name: Some(name), state: State::Absent(why), ..Value::default() })
        }
        Err(Stop::Wrong { span, why }) => {
            Err(PrintError::Meaning { span: span.unwrap_or(expression.span), why })
        }
    }
}

/// Why an expression could not be printed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PrintError {
    /// It cannot be read.
    #[error("{0}")]
    Syntax(#[from] SyntaxError),
    /// It makes no sense in the frame.
    #[error("{why}")]
    Meaning {
        /// The part at fault.
        span: Span,
        /// What is wrong with it.
        why: Wrong,
    },
}

impl PrintError {
    /// The part of the expression at fault.
    pub fn span(&self) -> &Span {
        match self {
            Self::Syntax(error) => &error.span,
            Self::Meaning { span, .. } => span,
        }
    }

    /// What to write instead, if there is something to say.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Syntax(error) => error.hint(),
            Self::Meaning { .. } => None,
        }
    }
}
