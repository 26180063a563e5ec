//! What is remembered of many crashes: one SQLite file that several processes may use at
//! once and that a killed one leaves whole.
//!
//! A dump is known by its content, so the same core under two paths counts once. What is
//! added is grouped anew from all that is there ([`Store::regroup`]), so groups do not
//! depend on the order in which dumps came.

mod add;
mod bundles;
mod detail;
mod groups;
mod overview;
mod read;
mod schema;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

pub use add::{Added, FileStamp, Known};
pub use groups::{GroupRow, Regrouped};
pub use overview::{Found, Note};

/// A store, open.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

/// Why the store could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is none.
    #[error("there is no store at {}: `obit triage DIR` makes one", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file is something else, or of a newer obit.
    #[error("{} {problem}", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// SQLite says no.
    #[error("{}: {source}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

impl Store {
    /// Opens the store at `path`, and makes it if it is not there.
    ///
    /// # Errors
    /// When it cannot be made, read or understood.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        Self::with_flags(path, flags)
    }

    /// Opens the store at `path`.
    ///
    /// # Errors
    /// When it is not there, or cannot be read or understood.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing { path: path.to_owned() });
        }
        Self::with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
    }

    fn with_flags(path: &Path, flags: OpenFlags) -> Result<Self, StoreError> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)
            .map_err(|source| StoreError::Database { path: path.to_owned(), source })?;
        let mut store = Self { connection, path: path.to_owned() };
        schema::prepare(&mut store)?;
        Ok(store)
    }

    fn failed(&self, source: rusqlite::Error) -> StoreError {
        StoreError::Database { path: self.path.clone(), source }
    }
}
