//! What is known of code: which functions hold an address, what was inlined there, which
//! lines it came from, and which calls left no frame.

pub(crate) mod callee;
pub(crate) mod function_reader;
pub(crate) mod line_marks;
#[cfg(test)]
mod line_marks_tests;
#[cfg(test)]
mod line_tests;
pub(crate) mod lines;
pub(crate) mod symbolize;
pub(crate) mod tail_call;
#[cfg(test)]
mod tests;
pub(crate) mod units_at;
