//! `obit print`: expressions over a dead process, read-only, in the spelling of C, C++,
//! Rust and Go.

mod ast;
mod lexer;
mod number;
mod parser;
mod path;
mod syntax_error;
mod template_args;
#[cfg(test)]
mod tests;
mod type_parser;

pub use ast::{
    BaseName, BinaryOp, Expr, ExprKind, FloatSuffix, IntegerSuffix, RecordWord, Span, TypeExpr,
    UnaryOp,
};
pub use parser::parse;
pub use path::Path;
pub use syntax_error::{Problem, SyntaxError};
