//! What is remembered of many crashes: one SQLite file that several processes may use at
//! once and that a killed one leaves whole.
//!
//! A dump is known by its content, so the same core under two paths counts once. What is
//! added is grouped anew from all that is there ([`Store::regroup`]), so groups do not
//! depend on the order in which dumps came.

mod add;
mod bundles;
mod code;
mod detail;
mod error;
mod examples;
mod exchange;
mod gc;
mod groups;
mod open;
mod overview;
mod read;
mod schema;
mod survey;
mod wishes;

use std::path::PathBuf;

use rusqlite::Connection;

pub use add::{Added, FileStamp, Known};
pub use error::{StoreError, StoreTrouble};
pub use exchange::{Exported, Imported};
pub use gc::{Keep, Removed};
pub use groups::{GroupRow, Regrouped, Suspected};
pub use overview::{Found, Note};
pub use read::Counts;

/// A store, open.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

impl Store {
    fn failed(&self, source: rusqlite::Error) -> StoreError {
        StoreError::Database { path: self.path.clone(), source }
    }
}

#[cfg(test)]
mod group_tests;
