//! The crash groups that are looked at: of stores, and of directories that were read.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::call::Refused;
use super::roots::Roots;
use super::server::{Outside, Running};
use obit_triage::store::Store;

/// Sets of crashes that are kept.
const MOST: usize = 4;

/// Some of them, the newest last.
type Kept = Vec<(PathBuf, Arc<Mutex<Store>>)>;

#[derive(Default)]
pub(super) struct Stores(Mutex<Kept>);

impl Stores {
    /// The crashes of `path`; a directory is read again unless `is_kept` suffices.
    pub(super) fn of(
        &self,
        path: Option<&str>,
        is_kept: bool,
        (roots, outside): (&Roots, &dyn Outside),
        running: &Running,
    ) -> Result<Arc<Mutex<Store>>, Refused> {
        let refused =
            |why: String| Refused::new(why, "triage with a directory below an allowed one");
        let (path, held) = match (path, outside.store()) {
            (Some(path), _) => {
                let held = roots.hold(path).map_err(refused)?;
                (held.path.clone(), Some(held))
            }
            // The user named it, wherever it is.
            (None, Some(store)) => (store, None),
            (None, None) => (roots.first().to_owned(), None),
        };
        if is_kept && let Some(store) = self.kept(&path) {
            return Ok(store);
        }
        let store = if is_store(&path) {
            outside.open_store(&path).map_err(refused)?
        } else {
            outside.triage(&path, running).map_err(refused)?
        };
        // It was read by its path, which may lead elsewhere since it was allowed.
        if held.is_some_and(|held| !held.is_there()) {
            let why = "the path was replaced while it was read: nothing of it is answered";
            return Err(refused(why.to_owned()));
        }
        let store = Arc::new(Mutex::new(store));
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(known, _)| *known != path);
        let surplus = (all.len() + 1).saturating_sub(MOST);
        all.drain(..surplus);
        all.push((path, Arc::clone(&store)));
        Ok(store)
    }

    fn kept(&self, path: &Path) -> Option<Arc<Mutex<Store>>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|(known, _)| known == path).map(|(_, store)| Arc::clone(store))
    }
}

/// Whether the file is a database.
fn is_store(path: &Path) -> bool {
    const MAGIC: &[u8; 16] = b"SQLite format 3\0";
    let mut start = [0; 16];
    path.metadata().is_ok_and(|metadata| metadata.is_file())
        && File::open(path).is_ok_and(|mut file| file.read_exact(&mut start).is_ok())
        && &start == MAGIC
}
