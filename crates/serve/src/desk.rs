//! The store as many ask it at once: open connections, and answers that are kept until someone
//! changes the store.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use bytes::Bytes;
use obit_redact::Level;
use obit_triage::{Store, StoreError};

/// Connections that wait to be used.
const IDLE: usize = 8;
/// Answers that are kept, and their bytes.
const KEPT: usize = 256;
const BYTES: usize = 64 << 20;

/// A state of the store: another one, whenever someone changed it.
type Version = (u64, i64);

/// The store, open.
pub(crate) struct Desk {
    path: PathBuf,
    open: Mutex<Open>,
    kept: Mutex<HashMap<String, Arc<Slot>>>,
}

struct Open {
    /// Device and inode of the file.
    file: (u64, u64),
    /// How often the file was replaced by another one.
    replaced: u64,
    watcher: Store,
    idle: Vec<Store>,
}

/// An answer.
#[derive(Default)]
struct Slot {
    /// Held while it is made.
    making: Mutex<()>,
    answer: Mutex<Option<(Version, Bytes)>>,
}

impl Slot {
    /// The answer, if it is of this version, or of any.
    fn answer(&self, of: Option<Version>) -> Option<Bytes> {
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = answer.as_ref().filter(|(version, _)| of.is_none_or(|of| of == *version));
        answer.map(|(_, bytes)| bytes.clone())
    }
}

impl Desk {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let watcher = Store::open(path)?;
        let open = Open { file: file_of(path), replaced: 0, watcher, idle: Vec::new() };
        Ok(Self { path: path.to_owned(), open: Mutex::new(open), kept: Mutex::default() })
    }

    /// Asks the store, at this level of redaction.
    pub(crate) fn ask<T, E: From<StoreError>>(
        &self,
        level: Level,
        ask: impl FnOnce(&mut Store) -> Result<T, E>,
    ) -> Result<T, E> {
        let (idle, replaced) = {
            let mut open = self.current()?;
            (open.idle.pop(), open.replaced)
        };
        let mut store = match idle {
            Some(store) => store,
            None => Store::open(&self.path)?,
        };
        store.view_at(level);
        let answer = ask(&mut store)?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.replaced == replaced && open.idle.len() < IDLE {
            open.idle.push(store);
        }
        Ok(answer)
    }

    /// The answer that is kept as `key`, if the store is as it was then; else what `make` gives.
    /// While it is being made, others get the one before, if there is one.
    pub(crate) fn kept<E: From<StoreError>>(
        &self,
        key: &str,
        make: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<Bytes, E> {
        let slot = self.slot(key);
        let version = self.version()?;
        if let Some(bytes) = slot.answer(Some(version)) {
            return Ok(bytes);
        }
        let _making = match slot.making.try_lock() {
            Ok(making) => making,
            Err(TryLockError::Poisoned(making)) => making.into_inner(),
            Err(TryLockError::WouldBlock) => {
                if let Some(bytes) = slot.answer(None) {
                    return Ok(bytes);
                }
                slot.making.lock().unwrap_or_else(PoisonError::into_inner)
            }
        };
        // Before it is made: what changes meanwhile makes it old.
        let version = self.version()?;
        if let Some(bytes) = slot.answer(Some(version)) {
            return Ok(bytes);
        }
        let bytes = Bytes::from(make()?);
        let mut answer = slot.answer.lock().unwrap_or_else(PoisonError::into_inner);
        *answer = Some((version, bytes.clone()));
        Ok(bytes)
    }

    fn version(&self) -> Result<Version, StoreError> {
        let open = self.current()?;
        Ok((open.replaced, open.watcher.changes_of_others()?))
    }

    fn slot(&self, key: &str) -> Arc<Slot> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = kept.get(key) {
            return Arc::clone(slot);
        }
        let size = |slot: &Arc<Slot>| slot.answer(None).map_or(0, |bytes| bytes.len());
        if kept.len() >= KEPT || kept.values().map(size).sum::<usize>() > BYTES {
            kept.clear();
        }
        Arc::clone(kept.entry(key.to_owned()).or_default())
    }

    /// The connections to the file that is there now: it may have been replaced.
    fn current(&self) -> Result<MutexGuard<'_, Open>, StoreError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let file = file_of(&self.path);
        if file != open.file {
            open.watcher = Store::open(&self.path)?;
            open.idle.clear();
            open.file = file;
            open.replaced = open.replaced.wrapping_add(1);
        }
        Ok(open)
    }
}

/// Device and inode; zeros of a file that is not there.
fn file_of(path: &Path) -> (u64, u64) {
    path.metadata().map_or((0, 0), |metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_triage::testkit::crash;
    use obit_triage::{PackedRecord, Rules, State, ViewOptions};
    use std::cell::Cell;

    fn store(path: &Path, n: u64) -> Store {
        let mut store = Store::create(path).unwrap();
        let crash = crash(5, n, &Rules::built_in());
        store.add(&[(crash.stamp, PackedRecord::of(&crash.record).unwrap())], 7).unwrap();
        store.regroup().unwrap();
        store
    }

    #[test]
    fn an_answer_is_kept_until_someone_changes_the_store_or_replaces_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t.db");
        let mut other = store(&path, 1);
        let desk = Desk::open(&path).unwrap();
        let made = Cell::new(0);
        let ask = || {
            let make = || {
                made.set(made.get() + 1);
                Ok::<_, StoreError>(format!("{}", made.get()).into_bytes())
            };
            desk.kept("k", make).unwrap()
        };
        assert_eq!((ask(), ask()), (Bytes::from("1"), Bytes::from("1")));
        let group = other.groups().unwrap()[0].id.clone();
        other.set_state(&group, &State::Ignored, 8).unwrap();
        assert_eq!((ask(), ask()), (Bytes::from("2"), Bytes::from("2")));
        // By a connection of its own.
        desk.ask(Level::Default, |store| store.set_state(&group, &State::Open, 9)).unwrap();
        assert_eq!((ask(), ask()), (Bytes::from("3"), Bytes::from("3")));
        let new = directory.path().join("new.db");
        drop(store(&new, 2));
        drop(other);
        for end in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(directory.path().join(format!("t.db{end}")));
        }
        std::fs::rename(&new, &path).unwrap();
        assert_eq!((ask(), ask()), (Bytes::from("4"), Bytes::from("4")));
        let dumps = |store: &mut Store| store.overview(&ViewOptions::default(), 1);
        assert_eq!(desk.ask(Level::Default, dumps).unwrap().dumps, 1);
    }

    #[test]
    fn while_an_answer_is_made_others_get_the_one_before() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t.db");
        let mut other = store(&path, 1);
        let desk = Desk::open(&path).unwrap();
        let ask = |text: &str| desk.kept("k", || Ok::<_, StoreError>(text.as_bytes().to_vec()));
        assert_eq!(ask("first").unwrap(), "first");
        let group = other.groups().unwrap()[0].id.clone();
        other.set_state(&group, &State::Ignored, 8).unwrap();
        let second = desk.kept("k", || {
            assert_eq!(ask("none").unwrap(), "first");
            Ok::<_, StoreError>(b"second".to_vec())
        });
        assert_eq!(second.unwrap(), "second");
        assert_eq!(ask("none").unwrap(), "second");
    }

    #[test]
    fn a_store_that_went_away_is_an_error_and_not_an_empty_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t.db");
        drop(store(&path, 1));
        let desk = Desk::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let asked = desk.ask(Level::Default, |store| store.counts());
        assert!(matches!(asked, Err(StoreError::Missing { .. })));
    }
}
