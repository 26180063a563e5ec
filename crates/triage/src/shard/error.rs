//! Why a file of records is not read.

use super::split::ShardNumberError;
use obit_parquet::ReadError;

/// What is wrong, and where.
#[derive(Debug, thiserror::Error)]
#[error("{}{problem}", place(*row))]
pub struct ShardError {
    /// The line of JSON, or the row of Parquet, from 1; `None` of the file as a whole.
    pub row: Option<u64>,
    /// What is wrong.
    pub problem: ShardProblem,
}

fn place(row: Option<u64>) -> String {
    row.map_or_else(String::new, |row| format!("row {row}: "))
}

/// What is wrong with a file of records.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShardProblem {
    /// The system says no.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// There is nothing in it.
    #[error("it is empty: was it written to the end?")]
    Empty,
    /// It begins with something else.
    #[error("it is not a file of records: `obit triage --emit ndjson|parquet` writes one")]
    NoHead,
    /// It is of another version.
    #[error("it is of the version {found:?}, this obit reads {wanted:?}")]
    OtherVersion {
        /// What it says.
        found: String,
        /// What is read.
        wanted: &'static str,
    },
    /// Its signatures cannot be compared with those of this obit.
    #[error(
        "its signatures are of version {found} (obit {obit:?}), those of this obit of version \
         {}: read the cores again with the same obit",
        crate::signature::SIGNATURE_VERSION
    )]
    OtherSignatures {
        /// What it says.
        found: u32,
        /// What wrote it.
        obit: String,
    },
    /// It is a part that cannot be.
    #[error(transparent)]
    Number(#[from] ShardNumberError),
    /// It ends early.
    #[error("it is truncated: {found} of {wanted} records are there")]
    Truncated {
        /// Records that are there.
        found: u64,
        /// Records that there were.
        wanted: u64,
    },
    /// There is more than the head says.
    #[error("it has more records than the {0} that its head says")]
    TooMany(u64),
    /// It is no JSON, or other than a record.
    #[error("it is not a record: {0}")]
    NotJson(String),
    /// It is JSON of another kind.
    #[error("it is not a record of {wanted:?} with its file")]
    NoRecord {
        /// What is read.
        wanted: &'static str,
    },
    /// It is Parquet that is not read.
    #[error(transparent)]
    Parquet(#[from] ReadError),
}

impl ShardProblem {
    /// It is in this row.
    pub(super) fn in_row(self, row: u64) -> ShardError {
        ShardError { row: Some(row), problem: self }
    }
}

impl From<ShardProblem> for ShardError {
    fn from(problem: ShardProblem) -> Self {
        Self { row: None, problem }
    }
}
