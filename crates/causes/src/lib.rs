//! The catalogue of crash causes: what each class is called, how bad it is and which CWE
//! entry it is an instance of. docs/causes.md explains each class with an example.
//!
//! ```
//! use obit_causes::{CauseClass, current_name};
//!
//! let class = CauseClass::named("unmapped-read").unwrap();
//! assert_eq!(class.title(), "read from unmapped memory");
//! assert_eq!(class.cwe(), [125]);
//!
//! // A name that obit once wrote.
//! assert_eq!(current_name("wild-read"), "unmapped-read");
//! ```
//!
//! It imports nothing of obit, so the analysis that decides on a class and the programs that
//! only read reports share one table.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod alias;
mod class;
mod cwe;
mod severity;

pub use alias::{FORMER_NAMES, current_name, former_names};
pub use class::CauseClass;
pub use cwe::cwe_name;
pub use severity::Severity;
