//! `obit print`: read-only expressions about the process, in the syntax of C, C++, Rust
//! and Go.

mod access;
mod answer;
mod ast;
mod casts;
mod declaration;
mod declaration_scoped;
mod eval;
mod examine;
mod lexer;
mod literal;
mod lookup;
mod near;
mod no_frame;
mod number;
mod operand;
mod outcome;
mod parser;
mod parts;
mod path;
mod request;
mod span;
mod syntax_error;
mod template_args;
#[cfg(test)]
mod tests;
mod type_parser;

pub use answer::{Answer, answer, frame_with};
pub use ast::{BaseName, BinaryOp, Expr, ExprKind, RecordWord, TypeExpr, UnaryOp};
pub use examine::{
    Examine, Examined, MOST_BYTES, MOST_LINES, Row, Subject, Unit, UnitFormat, UnitSize, UnitText,
};
pub use literal::{FloatSuffix, IntegerSuffix, Literal};
pub use operand::Wrong;
pub use parser::parse;
pub use parts::{Part, Parts, check, parts};
pub use path::Path;
pub use span::Span;
pub use syntax_error::{Problem, SyntaxError, column, pointed_at};

use eval::Evaluator;
use operand::Stop;

use crate::process::{FrameView, Process};
use crate::value::{Budget, Value};

/// The value of the expression `text` in the frame of `view`; a value that cannot be known
/// says why.
///
/// # Errors
/// The text is not an expression, or makes no sense in this frame.
pub fn evaluate<'p>(
    process: &'p Process,
    view: &FrameView<'p>,
    text: &str,
    budget: &Budget,
) -> Result<Value, PrintError> {
    Evaluator::new(process, view, budget.max_elements).printed(text, budget)
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
    fn of(stop: Stop, expression: &Expr) -> Self {
        match stop {
            Stop::Wrong { span, why } => {
                Self::Meaning { span: span.unwrap_or(expression.span.clone()), why }
            }
            Stop::Absent(why) => {
                let why = Wrong::Unavailable(why.to_string());
                Self::Meaning { span: expression.span.clone(), why }
            }
        }
    }

    fn whole(stop: Stop, text: &str) -> Self {
        let why = match stop {
            Stop::Wrong { why, .. } => why,
            Stop::Absent(why) => Wrong::Unavailable(why.to_string()),
        };
        Self::Meaning { span: 0..text.trim_end().len(), why }
    }

    /// The same, of an expression that begins `bytes` later.
    fn moved(mut self, bytes: usize) -> Self {
        let (Self::Syntax(SyntaxError { span, .. }) | Self::Meaning { span, .. }) = &mut self;
        *span = span.start.saturating_add(bytes)..span.end.saturating_add(bytes);
        self
    }

    /// The part of the text at fault.
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
