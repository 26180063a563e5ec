//! Brings crashes of one bug together, remembers them, and says which to look at first.
//!
//! **For** users with many core dumps: a signature for each crash, groups of crashes of one
//! bug, a store of what was seen (one SQLite file), the history of each group over releases
//! and time, and the lists, details and comparisons that `obit triage`, `top`, `show` and
//! `diff` print. It works on reports ([`obit_report::Report`]) and reads no core itself.
//!
//! **Not for** reading cores, redaction (a report has left the redactor already) or layout:
//! what [`views`] gives is data, for `obit-render` or any program that reads JSON.
//!
//! ```
//! use obit_triage::{FileFacts, FileStamp, PackedRecord, Record, Rules, Store, ViewOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let report: obit_report::Report = serde_json::from_str(
//!     r#"{ "id": "1f3a", "threads": [{ "crashed": true, "frames": [
//!         { "function": "strlen", "module": { "path": "/usr/lib/libc.so.6" } },
//!         { "function": "walk", "module": { "path": "/opt/app" } }] }] }"#,
//! )?;
//! let now = 1_773_100_800;
//! let facts = FileFacts { dump: report.id.clone(), time: Some(now), host: None };
//! let record = Record::of(report, facts, &Rules::built_in());
//!
//! let mut store = Store::temporary()?;
//! let file = FileStamp { key: [0; 32], size: 4096, mtime: 0, inode: 1, device: 1 };
//! store.add(&[(file, PackedRecord::of(&record)?)], now)?;
//! store.regroup()?;
//!
//! let overview = store.overview(&ViewOptions::default(), 10)?;
//! assert_eq!(overview.groups[0].signature, "strlen | walk in app");
//! assert_eq!(overview.groups[0].count, 1);
//! # Ok(())
//! # }
//! ```
//!
//! | question | names |
//! |---|---|
//! | what do crashes of one bug share? | [`signature`], [`Rules`], [`normalized`], [`module_name`] |
//! | what is kept of a crash? | [`Record`], [`FileFacts`], [`write_record`], [`read_record`] |
//! | which crashes are one bug's? | [`group`], [`CrashKey`], [`Constraints`], [`Grouping`] |
//! | how do records come from other machines? | [`shard`] |
//! | what was seen before? | [`Store`], [`PackedRecord`], [`FileStamp`], [`StoreError`]; [`store`] |
//! | what is the status of a group? | [`Status`], [`State`]; releases and code in [`history`] |
//! | what is shown? | [`Overview`], [`GroupSummary`], [`GroupDetail`], [`Difference`]; [`views`] |
//! | of which groups, since when? | [`ViewOptions`], [`Filter`], [`Severity`], [`When`]; [`time`] |
//!
//! A signature names the library function that was called and the function of the program
//! that called it (`docs/signature.md`). Measured on native stacks, callers further out distinguish
//! the workload and not the bug, and the kind of the fault and the line differ from build to
//! build; so neither is in it.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod census;
pub mod differ;
mod groups;
pub mod history;
mod record;
pub mod shard;
mod signature;
pub mod store;
#[doc(hidden)]
#[cfg(any(test, feature = "testkit"))]
pub mod testkit;
pub mod time;
pub mod views;

pub use groups::{Called, Constraints, CrashKey, Grouping, Merge, MergeRule, group};
pub use history::{State, Status};
pub use obit_report::Severity;
pub use record::{
    FileFacts, RECORD_SCHEMA, Reason, Record, RecordStatus, WITH_VARIABLES, read_record,
    write_record,
};
pub use signature::{
    Program, Rules, SIGNATURE_VERSION, library_name, module_name, normalized, signature,
};
pub use store::{FileStamp, PackedRecord, Store, StoreError};
pub use time::When;
pub use views::{Difference, Filter, GroupDetail, GroupSummary, Overview, ViewOptions};
