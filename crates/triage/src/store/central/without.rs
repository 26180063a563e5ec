//! In place of the client where it is not compiled in.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction};

use super::Tables;
use crate::store::connection::{GivenUp, Store};
use crate::store::error::{CentralProblem, StoreError};
use crate::store::read::Counts;

/// There is none.
#[derive(Debug)]
pub(in crate::store) enum Central {}

impl Central {
    pub(in crate::store) fn open(_: &Path, _: Tables) -> Result<Store, StoreError> {
        // The address may have a password.
        let place = "postgres://…".to_owned();
        Err(StoreError::Central { place, problem: CentralProblem::NotBuilt })
    }

    pub(in crate::store) fn files(_: &Path) -> Option<PathBuf> {
        None
    }

    pub(in crate::store) fn shown(_: &Path) -> Option<String> {
        None
    }

    pub(in crate::store) fn repair(address: &Path) -> Result<(PathBuf, Counts), StoreError> {
        let store = Self::open(address, Tables::Expected)?;
        Ok((store.path().to_owned(), store.check()?))
    }

    pub(in crate::store) fn place(&self) -> &Path {
        match *self {}
    }

    pub(in crate::store) fn change<T>(
        &mut self,
        _: &mut Connection,
        _: &mut dyn FnMut(&Transaction<'_>) -> Result<T, GivenUp>,
    ) -> Result<T, GivenUp> {
        match *self {}
    }

    pub(in crate::store) fn refresh(&mut self, _: &mut Connection) -> Result<i64, GivenUp> {
        match *self {}
    }

    pub(in crate::store) fn may_forget(&mut self) -> Result<(), GivenUp> {
        match *self {}
    }

    pub(in crate::store) fn forget_gone(&mut self) -> Result<(), GivenUp> {
        match *self {}
    }

    pub(in crate::store) fn compare(
        &mut self,
        _: &mut Connection,
    ) -> Result<Option<String>, GivenUp> {
        match *self {}
    }
}
