//! Crashes of one bug brought together. Reads reports and nothing else.
//!
//! [`signature`] names what crashes of one bug share: the library function that was called
//! and the function of the program that called it (`docs/signature.md`). Measured on
//! native stacks, callers further out tell the workload and not the bug, and the kind of
//! the fault and the line differ from build to build; so neither is in it.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod census;
mod groups;
pub mod history;
mod record;
mod signature;
pub mod store;
#[doc(hidden)]
#[cfg(any(test, feature = "testkit"))]
pub mod testkit;
pub mod time;
pub mod views;

pub use groups::{Called, Constraints, CrashKey, Grouping, group};
pub use record::{
    FileFacts, RECORD_SCHEMA, Reason, Record, RecordStatus, WITH_VARIABLES, read_record,
    write_record,
};
pub use signature::{
    Program, Rules, SIGNATURE_VERSION, library_name, module_name, normalized, signature,
};
pub use store::{FileStamp, PackedRecord, Store, StoreError};
