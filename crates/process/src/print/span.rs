//! Places in the text of an expression.

use std::ops::Range;

/// Bytes of the text an expression was parsed from.
pub type Span = Range<usize>;
