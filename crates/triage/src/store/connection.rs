//! An open store: how it is read and changed.

use std::path::{Path, PathBuf};

use obit_redact::Level;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::error::{DatabaseProblem, StoreError};
use super::tables;

/// A store, open.
#[derive(Debug)]
pub struct Store {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    /// The level at which readers see it; `None` for all as it is stored.
    pub(super) view: Option<Level>,
    /// Why it was opened to read alone, if that is not what SQLite says of a change.
    pub(super) unwritable: Option<DatabaseProblem>,
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
        match (StoreError::database(&self.path, source), self.unwritable) {
            (
                StoreError::Database { path, problem: DatabaseProblem::ReadOnly, source },
                Some(problem),
            ) => StoreError::Database { path, problem, source },
            (error, _) => error,
        }
    }

    /// Does all of `change`, or nothing of it on an error.
    pub(super) fn change<T>(
        &mut self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, GivenUp>,
    ) -> Result<T, StoreError> {
        let attempt = || -> Result<T, GivenUp> {
            let transaction = begin(&mut self.connection)?;
            let done = change(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        attempt().map_err(|error| self.given_up(error))
    }

    /// What `change` would do; nothing of it is written.
    pub(super) fn rehearse<T>(
        &mut self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, GivenUp>,
    ) -> Result<T, StoreError> {
        let attempt = || -> Result<T, GivenUp> {
            let transaction = begin(&mut self.connection)?;
            let would = change(&transaction)?;
            transaction.rollback()?;
            Ok(would)
        };
        attempt().map_err(|error| self.given_up(error))
    }

    fn given_up(&self, error: GivenUp) -> StoreError {
        match error {
            GivenUp::Database(source) => self.failed(source),
            GivenUp::Other(error) => error,
        }
    }
}

/// A writer from the start: one that reads first cannot become one if another process wrote
/// meanwhile.
fn begin(connection: &mut Connection) -> Result<Transaction<'_>, GivenUp> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tables::are_current(&transaction)?;
    Ok(transaction)
}
