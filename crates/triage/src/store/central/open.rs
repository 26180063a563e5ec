//! A store on a server is opened.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::Tables;
use super::address::Address;
use super::client::Central;
use super::{replica, schema};
use crate::store::connection::Store;
use crate::store::error::{CentralProblem, DatabaseProblem, StoreError};
use crate::store::read::Counts;

impl Central {
    /// Opens the store at this address, with all that is on the server.
    pub(in crate::store) fn open(address: &Path, tables: Tables) -> Result<Store, StoreError> {
        Self::open_in(address, tables, &caches()?)
    }

    /// As [`open`](Self::open), with the replica below this directory.
    pub(super) fn open_in(
        address: &Path,
        tables: Tables,
        caches: &Path,
    ) -> Result<Store, StoreError> {
        let address = Address::parse(address)?;
        let mut client = address.connect().map_err(|problem| address.error(problem))?;
        schema::prepare(&mut client, tables, &address)?;
        let file = replica::file(caches, &address.shown);
        replica::is_private(&file)?;
        let mut store = match Store::made(&file) {
            Err(error) if is_damage(&error) => {
                replica::remove(&file);
                Store::made(&file)
            }
            made => made,
        }?;
        replica::prepare(&store.connection).map_err(|source| store.failed(source))?;
        let mut central = Self::new(address, client);
        let pulled = central.pull(&mut store.connection);
        pulled.map_err(|error| store.given_up(error))?;
        store.central = Some(central);
        Ok(store)
    }

    /// What files that belong to the store at this address lie beside, in the user's directory
    /// of state.
    pub(in crate::store) fn files(address: &Path) -> Option<PathBuf> {
        let address = Address::parse(address).ok()?;
        let directory = replica::state()?.join("obit/central");
        // Who writes there meets the error.
        let _ = DirBuilder::new().recursive(true).mode(0o700).create(&directory);
        Some(directory.join(replica::name(&address.shown)))
    }

    pub(in crate::store) fn shown(address: &Path) -> Option<String> {
        Some(Address::parse(address).ok()?.shown)
    }

    /// Makes this machine's copy anew, and checks it.
    pub(in crate::store) fn repair(address: &Path) -> Result<(PathBuf, Counts), StoreError> {
        replica::remove(&replica::file(&caches()?, &Address::parse(address)?.shown));
        let store = Self::open(address, Tables::Expected)?;
        Ok((store.path().to_owned(), store.check()?))
    }
}

/// The user's directory of caches.
fn caches() -> Result<PathBuf, StoreError> {
    replica::caches().ok_or_else(|| StoreError::Central {
        place: "postgres://…".to_owned(),
        problem: CentralProblem::Address(
            "there is no home directory for this machine's copy: set XDG_CACHE_HOME".to_owned(),
        ),
    })
}

fn is_damage(error: &StoreError) -> bool {
    match error {
        StoreError::NotAStore { .. } | StoreError::Damaged { .. } => true,
        StoreError::Database { problem, .. } => {
            matches!(problem, DatabaseProblem::Damaged | DatabaseProblem::NotADatabase)
        }
        _ => false,
    }
}
