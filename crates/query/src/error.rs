//! What is wrong with a text of the user, and where.

use std::ops::Range;

/// Why a query or a filter cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct QueryError {
    /// What is wrong, in words.
    pub problem: String,
    /// The bytes of the text that are wrong.
    pub span: Range<usize>,
    /// The name of a column that does not exist, if that is what is wrong.
    pub unknown_column: Option<String>,
}

impl QueryError {
    pub(crate) fn new(span: Range<usize>, problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), span, unknown_column: None }
    }
}
