//! What is remembered of many crashes: one SQLite file that several processes may use at
//! once and that a killed one leaves whole.
//!
//! A dump is known by its content, so the same core under two paths counts once. What is
//! added is grouped anew from all that is there ([`Store::regroup`]), so groups do not
//! depend on the order in which dumps came.
//!
//! A store may also be in PostgreSQL, for many machines (`central`).
//!
//! The tables are `tables`; what users merged and split is kept in the table `wish`, and
//! what they see as a group is a row of `bug`.

mod add;
mod builds;
mod bundles;
mod census;
mod central;
mod changes;
mod code;
mod connection;
mod detail;
mod differ;
mod erase;
mod error;
mod examples;
mod exchange;
mod files;
mod find;
mod forget;
mod gc;
mod groups;
mod head;
mod import;
mod level;
mod list;
mod members;
mod merge_split;
mod open;
mod overview;
mod packed;
mod page;
mod portable;
mod read;
mod regroup;
mod regroup_scope;
mod repair;
mod revise;
mod rows;
mod salvage;
mod sightings;
mod states;
mod survey;
mod tables;
mod ties;
mod words;

pub use add::{Added, FileStamp};
pub use central::{address_shown, files_beside, is_central};
pub use code::{CodeNeed, CodeToRead};
pub use connection::Store;
pub use differ::{Against, Compared, Sides};
pub use erase::Erased;
pub use error::{
    CentralProblem, CopyProblem, DatabaseError, DatabaseProblem, GroupError, ImportProblem,
    NotAStore, StoreError, StoreTrouble,
};
pub use exchange::Exported;
pub use files::StoredFile;
pub use find::Found;
pub use forget::{Forgotten, ToForget};
pub use gc::{Keep, Removed};
pub use groups::{GroupRow, Suspected};
pub(crate) use head::BuildHead;
pub use head::RecordHead;
pub use import::Imported;
pub use list::Listed;
pub use packed::PackedRecord;
pub use read::Counts;
pub use regroup::Regrouped;
pub use repair::Repaired;
pub use revise::{GroupChange, NotRecordable, Revised};
pub use salvage::Lost;
pub use states::{Note, is_web_link};
pub(crate) use words::confidence_word;

#[cfg(test)]
mod clock_tests;
#[cfg(test)]
mod fault_layer;
#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod group_tests;
#[cfg(test)]
mod period_tests;
#[cfg(test)]
mod repair_tests;
#[cfg(test)]
mod version_tests;
