//! Records of a part of many cores, on their way from the machine that read them to the one
//! that brings all parts together.
//!
//! The head says which part it is, and how many records follow; then each record with the
//! state of its file. Two forms have the same content: lines of JSON, of which several files
//! one after the other are one again, and Parquet, with the head in the metadata and columns
//! that engines can use beside the record.

mod columns;
mod error;
mod head;
mod lines;
mod parquet;
mod split;

pub use error::{ShardError, ShardProblem};
pub use head::{SHARD_SCHEMA, ShardHead};
pub use lines::{read_lines, write_entry, write_head};
pub use parquet::{Columns, read_parquet};
pub use split::{Listing, Shard, ShardNumberError};

use crate::record::Record;
use crate::store::FileStamp;

/// What is read of a file of records.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Which part of all records follows.
    Head(ShardHead),
    /// A record, and the state of the file that it is of.
    Entry(FileStamp, Box<Record>),
}
