//! An open store: how it is read and changed.

use std::path::{Path, PathBuf};

use obit_redact::Level;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::error::StoreError;

/// A store, open.
#[derive(Debug)]
pub struct Store {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    /// The level at which readers see it; `None` for all as it is stored.
    pub(super) view: Option<Level>,
}

/// Why a change was abandoned: nothing of it is written.
pub(super) enum GivenUp {
    Database(rusqlite::Error),
    Other(StoreError),
}

impl From<rusqlite::Error> for GivenUp {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for GivenUp {
    fn from(error: StoreError) -> Self {
        Self::Other(error)
    }
}

impl Store {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn failed(&self, source: rusqlite::Error) -> StoreError {
        StoreError::database(&self.path, source)
    }

    /// Does all of `change`, or nothing of it on an error.
    ///
    /// It is a writer from the start: one that reads first cannot become one if another
    /// process wrote meanwhile.
    pub(super) fn change<T>(
        &mut self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, GivenUp>,
    ) -> Result<T, StoreError> {
        let attempt = || -> Result<T, GivenUp> {
            let transaction =
                self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = change(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        attempt().map_err(|error| match error {
            GivenUp::Database(source) => self.failed(source),
            GivenUp::Other(error) => error,
        })
    }
}
