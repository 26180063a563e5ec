//! Readable forms that a user declares for types of their own, in a small TOML file
//! (docs/formatters.md). No code runs: a formatter names members.

mod apply;
mod file;
mod follow;
mod formatter;
mod glob;
mod path;

pub use file::{FormatterError, FormatterProblem};
pub use formatter::UserFormatters;
