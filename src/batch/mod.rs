//! Many cores: found, each made a [`Record`](crate::triage::Record), whatever they are.

mod one;
mod walk;

pub use one::analyze;
pub use walk::{Candidate, walk};
