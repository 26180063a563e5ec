//! Crashes of one bug brought together. Reads reports and nothing else.
//!
//! [`signature`] names what crashes of one bug share: the library function that was called
//! and the function of the program that called it (`docs/signature.md`). Measured on
//! native stacks, callers further out tell the workload and not the bug, and the kind of
//! the fault and the line differ from build to build; so neither is in it.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod cells;
mod cluster;
pub mod code;
mod code_wanted;
pub mod detail;
pub mod difference;
pub mod filter;
pub mod history;
mod incoming;
mod link;
mod lists;
pub mod overview;
pub mod rank;
mod record;
mod recursion;
pub mod release;
pub mod schema;
mod signature;
mod similarity;
mod stack;
pub mod store;
pub mod survey;
#[doc(hidden)]
#[cfg(any(test, feature = "testkit"))]
pub mod testkit;
pub mod time;
mod trace;
pub mod traits;
pub mod trend;
pub mod version;

pub use cluster::{Grouping, Wishes, group};
pub use code_wanted::{stack_functions, wanted};
pub use incoming::Incoming;
pub use obit_ownership::{library_name, module_name, normalized};
pub use record::{
    FileFacts, RECORD_SCHEMA, Reason, Record, RecordStatus, WITH_VARIABLES, read_record,
    write_record,
};
pub use signature::{Program, Rules, SIGNATURE_VERSION, signature};
pub use trace::{Called, Trace};
