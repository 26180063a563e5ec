//! An open store: how it is read and changed.

use std::path::{Path, PathBuf};

use obit_redact::Level;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::central::Central;
use super::error::{CentralProblem, DatabaseProblem, StoreError};
use super::tables;

/// A store, open.
#[derive(Debug)]
pub struct Store {
    /// The server, where many machines have the store. The file is then a copy of it.
    pub(super) central: Option<Central>,
    pub(super) connection: Connection,
    /// The file.
    pub(super) path: PathBuf,
    /// The level at which readers see it; `None` for all as it is stored.
    pub(super) view: Option<Level>,
    /// Why it was opened to read alone, if that is not what SQLite says of a change.
    pub(super) unwritable: Option<DatabaseProblem>,
}

/// Why a change was abandoned: nothing of it is written.
#[derive(Debug)]
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
    /// Where it is: a file, or the address of a server without a password.
    pub fn path(&self) -> &Path {
        self.central.as_ref().map_or(&self.path, Central::place)
    }

    pub(super) fn failed(&self, source: rusqlite::Error) -> StoreError {
        match (StoreError::database(&self.path, source), self.unwritable) {
            (
                StoreError::Database { path, problem: DatabaseProblem::ReadOnly, source },
                Some(problem),
            ) => StoreError::Database { path, problem, source },
            // What helps is done by the address, not by the file.
            (
                StoreError::Database {
                    problem: problem @ DatabaseProblem::Damaged, source, ..
                },
                _,
            ) => StoreError::Database { path: self.path().to_owned(), problem, source },
            (error, _) => error,
        }
    }

    /// Does all of `change`, or nothing of it on an error. It is called again if a connection
    /// is lost before it was stored.
    pub(super) fn change<T>(
        &mut self,
        mut change: impl FnMut(&Transaction<'_>) -> Result<T, GivenUp>,
    ) -> Result<T, StoreError> {
        let done = match &mut self.central {
            Some(central) => central.change(&mut self.connection, &mut change),
            None => Self::change_file(&mut self.connection, change),
        };
        done.map_err(|error| self.given_up(error))
    }

    fn change_file<T>(
        connection: &mut Connection,
        mut change: impl FnMut(&Transaction<'_>) -> Result<T, GivenUp>,
    ) -> Result<T, GivenUp> {
        let transaction = begin(connection)?;
        let done = change(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    /// As [`change`](Self::change), for one that cannot be made twice: a connection that is
    /// lost is an error.
    pub(super) fn change_once<T>(
        &mut self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, GivenUp>,
    ) -> Result<T, StoreError> {
        let place = self.path().display().to_string();
        let mut change = Some(change);
        self.change(|transaction| match change.take() {
            Some(change) => change(transaction),
            None => {
                let problem = CentralProblem::Lost;
                Err(StoreError::Central { place: place.clone(), problem }.into())
            }
        })
    }

    /// What `change` would do; nothing of it is written.
    pub(super) fn rehearse<T>(
        &mut self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, GivenUp>,
    ) -> Result<T, StoreError> {
        self.refresh()?;
        let attempt = || -> Result<T, GivenUp> {
            let transaction = begin(&mut self.connection)?;
            let would = change(&transaction)?;
            transaction.rollback()?;
            Ok(would)
        };
        attempt().map_err(|error| self.given_up(error))
    }

    /// Whether this machine's copy of a store on a server is what the server has. A store that
    /// is a file has no copy.
    ///
    /// # Errors
    /// When they differ, and those of the database.
    pub fn check_copy(&mut self) -> Result<(), StoreError> {
        let Some(central) = &mut self.central else { return Ok(()) };
        match central.compare(&mut self.connection) {
            Ok(None) => Ok(()),
            Ok(Some(difference)) => Err(self.damaged(&difference)),
            Err(error) => Err(self.given_up(error)),
        }
    }

    /// Takes over what others changed on the server, if the store is on one.
    fn refresh(&mut self) -> Result<(), StoreError> {
        let Some(central) = &mut self.central else { return Ok(()) };
        let refreshed = central.refresh(&mut self.connection);
        refreshed.map(drop).map_err(|error| self.given_up(error))
    }

    pub(super) fn given_up(&self, error: GivenUp) -> StoreError {
        match error {
            GivenUp::Database(source) => self.failed(source),
            GivenUp::Other(error) => error,
        }
    }
}

/// A writer from the start: one that reads first cannot become one if another process wrote
/// meanwhile.
pub(super) fn begin(connection: &mut Connection) -> Result<Transaction<'_>, GivenUp> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tables::are_current(&transaction)?;
    Ok(transaction)
}
