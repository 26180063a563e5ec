//! What crashes of one bug have in common (`docs/signature.md`).

mod lists;
mod recursion;
mod rules;
mod stack;

pub use obit_ownership::{library_name, module_name, normalized};
pub(crate) use recursion::RECURSION;
pub use rules::{Program, Rules, SIGNATURE_VERSION, signature};
